//! The configuration file. [`Config`] is principal.
//!
//! It holds the numbers by which a project of one's own is judged; flags come first. An unknown key is refused, since a
//! misspelt threshold would silently judge by another.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;

use super::args::{Judging, ProfileArg, size};
use super::problem::CliProblem;
use super::reading::read;
use crate::source::Source;
use crate::suggest::did_you_mean;

/// The file that is looked for in the current directory and above it.
pub(super) const NAME: &str = "verify-buildkit-cache.toml";

/// The keys that a file may hold.
const KEYS: [&str; 7] =
    ["profile", "min-restore", "min-mod", "min-build", "max-build-time", "max-build-ratio", "max-downloads"];

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Config {
    /// Where it says so.
    path: Option<PathBuf>,
    judging: Judging,
}

impl Config {
    /// Reads the file that was named, or else the nearest one of its name from the current directory upwards.
    ///
    /// # Errors
    /// When it cannot be read, is no TOML, has an unknown key or a value that makes no sense.
    pub(super) fn find(named: Option<&Path>) -> Result<Self, CliProblem> {
        let path = match named {
            Some(path) => path.to_owned(),
            None => match nearest() {
                Some(path) => path,
                None => return Ok(Self::default()),
            },
        };
        let judging = parse(&read(&path)?)?;
        Ok(Self { path: Some(path), judging })
    }

    /// The file, where there is one.
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Puts the file's numbers below the flags.
    pub(super) fn below(&self, flags: &mut Judging) {
        let file = &self.judging;
        flags.profile = flags.profile.or(file.profile);
        flags.min_restore = flags.min_restore.or(file.min_restore);
        flags.min_mod = flags.min_mod.or(file.min_mod);
        flags.min_build = flags.min_build.or(file.min_build);
        flags.max_build_time = flags.max_build_time.or(file.max_build_time);
        flags.max_build_ratio = flags.max_build_ratio.or(file.max_build_ratio);
        flags.max_downloads = flags.max_downloads.or(file.max_downloads);
    }
}

fn nearest() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    for dir in here.ancestors() {
        let path = dir.join(NAME);
        if path.is_file() {
            // Shorter, where it is right here.
            return Some(if dir == here { PathBuf::from(NAME) } else { path });
        }
        // A repository's root is as far as a project goes.
        if dir.join(".git").exists() {
            return None;
        }
    }
    None
}

fn parse(source: &Source) -> Result<Judging, CliProblem> {
    let table: toml::Table = source.text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map(|span| source.place(span.start).line);
        let place = line.map_or_else(|| source.name.clone(), |line| format!("{}:{line}", source.name));
        CliProblem::usage(format!("{place}: {}", error.message())).at(&source.name, line)
    })?;
    let mut judging = Judging::default();
    for (key, value) in &table {
        let line = line_of(source, key);
        let place = line.map_or_else(|| source.name.clone(), |line| format!("{}:{line}", source.name));
        let refused = |what: String, hint: Option<String>| {
            Err(CliProblem::usage(format!("{place}: {what}")).hint(hint).at(&source.name, line))
        };
        if !KEYS.contains(&key.as_str()) {
            let hint = did_you_mean(key, KEYS).unwrap_or_else(|| format!("the keys are {}", KEYS.join(", ")));
            return refused(format!("unknown key `{key}`"), Some(hint));
        }
        if let Err(reason) = set(&mut judging, key, value) {
            return refused(format!("`{key}`: {reason}"), Some(format!("write it as {}", example(key))));
        }
    }
    Ok(judging)
}

fn set(judging: &mut Judging, key: &str, value: &toml::Value) -> Result<(), String> {
    let text = || value.as_str().ok_or_else(|| "a text in quotes is wanted".to_owned());
    let bytes = || text().and_then(size);
    match key {
        "profile" => judging.profile = Some(ProfileArg::from_str(text()?, false)?),
        "min-restore" => judging.min_restore = Some(bytes()?),
        "min-mod" => judging.min_mod = Some(bytes()?),
        "min-build" => judging.min_build = Some(bytes()?),
        "max-build-time" => {
            let time: Duration = humantime::parse_duration(text()?).map_err(|error| error.to_string())?;
            judging.max_build_time = Some(time);
        }
        "max-build-ratio" => {
            let number = value.as_float().or_else(|| value.as_integer().map(|number| number as f64));
            let number = number.filter(|number| (0.0..=1.0).contains(number));
            judging.max_build_ratio = Some(number.ok_or("a number from 0 to 1 is wanted")?);
        }
        _ => {
            let number = value.as_integer().and_then(|number| usize::try_from(number).ok());
            judging.max_downloads = Some(number.ok_or("a number that is not negative is wanted")?);
        }
    }
    Ok(())
}

fn example(key: &str) -> &'static str {
    match key {
        "profile" => "profile = \"auto\", or \"checklist\"",
        "min-restore" => "min-restore = \"100MB\"",
        "min-mod" => "min-mod = \"100MB\"",
        "min-build" => "min-build = \"50MB\"",
        "max-build-time" => "max-build-time = \"10s\"",
        "max-build-ratio" => "max-build-ratio = 0.5",
        _ => "max-downloads = 3",
    }
}

/// The line that sets a key, for what stands on a line of its own.
fn line_of(source: &Source, key: &str) -> Option<usize> {
    let sets = |line: &str| {
        let line = line.trim_start().trim_start_matches(['[', '"']);
        line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(['=', '.', '"', ']']))
    };
    source.text.lines().position(sets).map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Judging, String> {
        parse(&Source::new("c.toml", text)).map_err(|problem| {
            let (message, hint) = problem.into_words();
            format!("{message} ({})", hint.unwrap_or_default())
        })
    }

    #[test]
    fn every_key_is_read_and_the_example_of_each_is_right() {
        let text: String =
            KEYS.iter().map(|key| example(key).split(", or").next().unwrap_or_default().to_owned() + "\n").collect();
        let judging = parsed(&text).unwrap();
        assert!(
            judging.profile.is_some() && judging.min_restore == Some(100 << 20) && judging.max_downloads == Some(3)
        );
        assert!(judging.min_mod.is_some() && judging.min_build.is_some() && judging.max_build_time.is_some());
        assert_eq!(judging.max_build_ratio, Some(0.5));
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_line() {
        for (text, said) in [
            ("profile = \"auto\"\nmin-modd = \"1MB\"\n", "c.toml:2: unknown key `min-modd` (did you mean min-mod?)"),
            ("[judging]\n", "c.toml:1: unknown key `judging` (the keys are profile,"),
            ("min-mod = \"100\"\n", "c.toml:1: `min-mod`: a size needs its unit"),
            ("min-mod = 100\n", "c.toml:1: `min-mod`: a text in quotes is wanted (write it as min-mod = \"100MB\")"),
            ("max-build-ratio = 2\n", "c.toml:1: `max-build-ratio`: a number from 0 to 1 is wanted"),
            ("\nmax-downloads = \n", "c.toml:2: "),
        ] {
            let told = parsed(text).unwrap_err();
            assert!(told.starts_with(said), "{told}");
        }
    }
}
