//! What the action prints. Each function gives lines as they stand in the log, workflow commands unprocessed.

use super::behaviour::{Behaviour, ExtractMethod};
use super::entry::DanceEntry;
use super::inputs::ResolvedInputs;
use super::version::{DanceVersion, Flavour};

/// The line of a post step whose extract is skipped.
pub const SKIPPED: &str = "skip-extraction is set. Skipping extraction step...";

/// Returns the lines a step starts with, before the cache map is read.
pub fn opening_lines(inputs: &ResolvedInputs, behaviour: &Behaviour) -> Vec<String> {
    let says_mode =
        behaviour.dance.flavour == Flavour::Hiromaily && behaviour.dance.version >= DanceVersion::new(4, 2, 1);
    if !says_mode {
        return Vec::new();
    }
    let debug = if inputs.debug { ", is-debug=true" } else { "" };
    vec![format!("buildkit-cache-dance: rsync-mode={}, utility-image={}{debug}", inputs.rsync, inputs.utility_image)]
}

/// Returns the lines a printed Dancefile takes. JavaScript adds an empty one at the end, the shell scripts do not.
pub fn dancefile_lines(text: &str) -> Vec<String> {
    if text.starts_with('\n') {
        text.split('\n').map(str::to_owned).collect()
    } else {
        text.lines().map(str::to_owned).collect()
    }
}

/// Returns the notice about a source directory that could not be removed. `error` reads as node's, for example
/// `Error: EACCES: permission denied, unlink 'c/ro/f'`.
pub fn cleaning_notice(error: &str) -> String {
    format!("::notice::Error while cleaning cache source directory: {error}. Ignoring...")
}

/// Returns the lines of a command that failed: the command, then what it said on standard error.
pub fn command_failed(command: &[String], stderr: &str) -> Vec<String> {
    let mut lines = vec![format!("Error running command: {}", command.join(" "))];
    lines.extend(stderr.lines().map(str::to_owned));
    lines
}

/// Returns the lines of an exception that ends the step: it is printed twice. Stack frames are left out.
pub fn fatal(thrown: &str) -> Vec<String> {
    let lines: Vec<String> = thrown.lines().map(str::to_owned).collect();
    [lines.clone(), lines].concat()
}

/// Tells whether an error that ends the action means that a copy was not made; `extracting` says in which half.
///
/// What is left over: the cache map could not be read, or what was copied could not be cleared away afterwards, which v3.0
/// takes for fatal (upstream issue 26).
pub fn ends_a_copy(thrown: &str, extracting: bool) -> bool {
    let bare = thrown.strip_prefix("Error: ").unwrap_or(thrown);
    let unread = OF_THE_MAP.iter().any(|start| bare.starts_with(start));
    let clearing = !extracting
        && ["EACCES", "EPERM", "EBUSY", "ENOTEMPTY"].iter().any(|code| bare.starts_with(code))
        && [", rmdir '", ", unlink '", ", rm '", ", scandir '", ", lstat '"].iter().any(|call| bare.contains(call));
    !(unread || clearing)
}

/// How the errors begin that the action throws while it reads its cache map.
pub const OF_THE_MAP: [&str; 3] = [
    "Failed to parse cache map. Expected JSON, got:",
    "cache mount must define id or target: ",
    "Expected the 'target' key in the cache options, got:",
];

/// Returns the build command of an inject (`inject`) or extract (`extract`).
pub fn docker_build_command(
    phase: &str,
    entry: &DanceEntry,
    inputs: &ResolvedInputs,
    behaviour: &Behaviour,
) -> Vec<String> {
    let mut words: Vec<String> = ["docker", "buildx", "build"].map(str::to_owned).into();
    if let Some(builder) = &inputs.builder {
        words.extend(["--builder".to_owned(), builder.clone()]);
    }
    let scratch = &inputs.scratch_dir;
    let tag = match behaviour.dance.flavour {
        Flavour::Upstream => format!("dance:{phase}"),
        Flavour::Hiromaily => format!("dance:{phase}-{}", suffix(&entry.source)),
    };
    let file = crate::dockerfile::clean_path(&format!("{scratch}/Dancefile.{phase}"));
    words.extend(["-f".to_owned(), file, "--tag".to_owned(), tag]);
    let debug = || inputs.debug.then(|| "--progress=plain".to_owned());
    if phase == "inject" {
        words.extend(debug());
        words.push(entry.source.clone());
    } else {
        match behaviour.extract {
            ExtractMethod::Local => {
                words.extend(["--output".to_owned(), format!("type=local,dest={}", entry.source)]);
            }
            _ => words.push("--load".to_owned()),
        }
        words.extend(debug());
        words.push(scratch.clone());
    }
    words
}

/// The part of an image name that hiromaily's fork makes from a host directory.
fn suffix(source: &str) -> String {
    let parts = source.split(|char: char| !char.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::super::{DockerfileInput, cache_map};
    use super::*;

    fn commands(owner: &str, reference: &str) -> String {
        let behaviour = Behaviour::identify(owner, reference);
        let lookup = |name: &str| (name == "cache-map").then(|| "{\"A/go\": \"/x\"}".to_owned());
        let inputs = ResolvedInputs::from_with(&lookup, &behaviour);
        let entry = cache_map(&inputs, &behaviour, DockerfileInput::Missing).unwrap().entries.remove(0);
        let command = |phase| docker_build_command(phase, &entry, &inputs, &behaviour).join(" ");
        format!("{}\n{}", command("inject"), command("extract"))
    }

    #[test]
    fn build_commands_are_those_of_the_version() {
        insta::assert_snapshot!(commands("reproducible-containers", "v3.3.2"), @r##"
        docker buildx build -f scratch/Dancefile.inject --tag dance:inject A/go
        docker buildx build -f scratch/Dancefile.extract --tag dance:extract --load scratch
        "##);
        insta::assert_snapshot!(commands("reproducible-containers", "v3.3.1"), @r##"
        docker buildx build --builder default -f scratch/Dancefile.inject --tag dance:inject A/go
        docker buildx build --builder default -f scratch/Dancefile.extract --tag dance:extract --output type=local,dest=A/go scratch
        "##);
        insta::assert_snapshot!(commands("hiromaily", "v4"), @r##"
        docker buildx build --builder default -f scratch/Dancefile.inject --tag dance:inject-a-go A/go
        docker buildx build --builder default -f scratch/Dancefile.extract --tag dance:extract-a-go --load scratch
        "##);
    }

    #[test]
    fn an_error_that_ends_the_action_is_a_copy_not_made_or_something_else() {
        for (thrown, extracting) in [
            ("Error running command: docker buildx build -f scratch/Dancefile.inject --tag dance:inject m", false),
            ("Error: ENOENT: no such file or directory, open 'scratch/buildstamp'", true),
            ("Error: spawn sudo ENOENT", true),
            ("Error: EACCES: permission denied, rmdir 'm/a'", true),
            ("Error: process exited with code 2", false),
        ] {
            assert!(ends_a_copy(thrown, extracting), "{thrown}");
        }
        for thrown in [
            "Error: EACCES: permission denied, rmdir 'm/a'",
            "Error: Failed to parse cache map. Expected JSON, got:",
            "Expected the 'target' key in the cache options, got:",
        ] {
            assert!(!ends_a_copy(thrown, false), "{thrown}");
        }
    }

    #[test]
    fn a_dancefile_printed_by_javascript_stands_between_empty_lines() {
        assert_eq!(dancefile_lines("\nFROM x\nRUN y\n"), ["", "FROM x", "RUN y", ""]);
        assert_eq!(dancefile_lines("FROM x\nRUN y\n"), ["FROM x", "RUN y"]);
    }

    #[test]
    fn exceptions_are_printed_twice_and_commands_once() {
        assert_eq!(fatal("Error: a\nb"), ["Error: a", "b", "Error: a", "b"]);
        let command = ["docker".to_owned(), "build".to_owned()];
        assert_eq!(command_failed(&command, "ERROR: x\n"), ["Error running command: docker build", "ERROR: x"]);
    }
}
