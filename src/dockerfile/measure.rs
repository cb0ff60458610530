//! Where the sizes of cache mounts must be printed, and the `RUN` that prints them. [`plan`] is principal.
//!
//! A measurement is a `RUN` of its own with the same cache mounts, before the first and after the last step that uses
//! them. The person's own steps stay byte for byte what they were: a wrapped command could change its exit status, its
//! quoting or what it builds. The time of the build is then the time of its own step.

use std::collections::BTreeMap;

use super::commands::{self, CommandEvent, Compiling};
use super::error::DockerfileError;
use super::json::json_words;
use super::mount::MountOptions;
use super::parse::{CommandForm, Dockerfile, RunInstruction};
use super::scope::CacheMount;
use super::{places, words};

/// What the line before the sizes before a build says.
pub const BEFORE_MARKER: &str = "=== BEFORE ===";
/// What the line before the sizes after a build says.
pub const AFTER_MARKER: &str = "=== AFTER ===";

/// The place of a `RUN`: the stage and its number there.
pub(super) type RunPlace = (usize, usize);

/// What to do about one stage that builds.
pub(super) enum StagePlan {
    /// Print the sizes of these mounts in front of these `RUN`s, and of all of them behind the last.
    Measure { before: Vec<(RunPlace, Vec<CacheMount>)>, after: RunPlace, mounts: Vec<CacheMount> },
    /// The Dockerfile does it already.
    Already { stage: usize },
    /// It cannot be done.
    Not { stage: usize, reason: &'static str },
}

/// Finds the stages that compile with cache mounts and says how to measure each.
pub(super) fn plan(
    file: &Dockerfile,
    build_args: &BTreeMap<String, String>,
) -> Result<Vec<StagePlan>, DockerfileError> {
    let mounts = file.cache_mounts(build_args)?;
    let unknown = with_unknown_arguments(file, build_args, &mounts);
    let bases = file.base_stages(build_args)?;
    let go_places = places::go_places(file, build_args)?;
    let is_go = |mount: &CacheMount| places::holds(&mount.options.target, &go_places);
    let mounts_of = |place: RunPlace| mounts.iter().filter(move |mount| (mount.stage, mount.run) == place);
    // One cache at two places: by what is known, and whatever the arguments are that the build may be given.
    let cache = |mount: &CacheMount| {
        let at = mounts.iter().position(|other| other.span == mount.span).unwrap_or_default();
        (mount.identity(), unknown[at].identity())
    };
    let runs =
        || file.stages.iter().flat_map(|stage| stage.runs.iter().map(move |run| ((stage.index, run.index), run)));
    let with_mounts = || runs().filter(|(place, _)| mounts_of(*place).next().is_some());
    let go_mount = |place: RunPlace| mounts_of(place).any(is_go);
    // `make build` and the like may compile as well; a tool that another stage installs must not stand for them.
    let compiling = |(place, run): &(RunPlace, &RunInstruction)| match commands::compiling(run) {
        Compiling::Surely => true,
        Compiling::Perhaps => go_mount(*place),
        Compiling::Tool | Compiling::No => false,
    };
    let mut builds: Vec<RunPlace> = with_mounts().filter(compiling).map(|(place, _)| place).collect();
    if builds.is_empty() {
        builds = with_mounts()
            .filter(|(place, run)| go_mount(*place) || commands::compiling(run) == Compiling::Tool)
            .map(|(place, _)| place)
            .collect();
    }
    let mut stages: Vec<usize> = builds.iter().map(|(stage, _)| *stage).collect();
    stages.dedup();
    let mut plans = Vec::new();
    for stage in stages {
        let mut chain = vec![stage];
        while let Some(base) = bases[chain[0]] {
            chain.insert(0, base);
        }
        let chain_runs: Vec<(RunPlace, &RunInstruction)> = runs().filter(|((at, _), _)| chain.contains(at)).collect();
        if observes_itself(chain_runs.iter().map(|(_, run)| *run)) {
            plans.push(StagePlan::Already { stage });
            continue;
        }
        if !chain_runs.iter().any(|(_, run)| run.form == CommandForm::Shell) {
            plans.push(StagePlan::Not { stage, reason: "every RUN is in exec form, so the stage may have no shell" });
            continue;
        }
        if !is_posix(&shell(file, &chain, build_args)?) {
            plans.push(StagePlan::Not { stage, reason: "its SHELL is not a POSIX shell" });
            continue;
        }
        // The mounts of the stage's build steps, and the Go caches of the stages below it; one for each target.
        let own = mounts.iter().filter(|mount| mount.stage == stage && builds.contains(&(mount.stage, mount.run)));
        let below = mounts.iter().filter(|mount| chain.contains(&mount.stage) && is_go(mount));
        let mut wanted: Vec<CacheMount> = Vec::new();
        for mount in own.chain(below) {
            if wanted.iter().all(|other| other.options.target != mount.options.target) {
                wanted.push(mount.clone());
            }
        }
        // Each is measured where it is first used, as it is written there: only there its variables surely have the
        // values they have there.
        let mut before: Vec<(RunPlace, Vec<CacheMount>)> = Vec::new();
        let mut last = None;
        for (place, _) in &chain_runs {
            let used: Vec<&CacheMount> =
                mounts_of(*place).filter(|own| wanted.iter().any(|one| cache(one) == cache(own))).collect();
            if place.0 == stage && !used.is_empty() {
                last = Some(*place);
            }
            let known = |mount: &CacheMount| {
                before.iter().any(|(_, others)| others.iter().any(|one| cache(one) == cache(mount)))
            };
            // What an earlier step filled shows nothing, unless that step came from the layer cache: then only a
            // measurement next to the build is printed at all.
            let compiles =
                builds.contains(place) && place.0 == stage && before.iter().all(|(other, _)| !builds.contains(other));
            let news: Vec<CacheMount> = used.into_iter().filter(|mount| compiles || !known(mount)).cloned().collect();
            if !news.is_empty() {
                before.push((*place, news));
            }
        }
        if let Some(after) = last {
            plans.push(StagePlan::Measure { before, after, mounts: wanted });
        }
    }
    Ok(plans)
}

/// The same mounts, had every `ARG` of a stage a value that nobody knows; two that differ then may differ in a build.
fn with_unknown_arguments(
    file: &Dockerfile,
    build_args: &BTreeMap<String, String>,
    mounts: &[CacheMount],
) -> Vec<CacheMount> {
    let in_from = |name: &str| file.stages.iter().any(|stage| stage.image.contains(name));
    let mut given = build_args.clone();
    for stage in &file.stages {
        for instruction in file.body(stage).iter().filter(|instruction| instruction.keyword == "ARG") {
            for word in words::split(&instruction.args.text, file.escape) {
                let name = word.split('=').next().unwrap_or_default().to_owned();
                if !in_from(&name) && !given.contains_key(&name) {
                    // A number may stand for an owner and a mode, too.
                    let value = format!("7{:o}", given.len());
                    given.insert(name, value);
                }
            }
        }
    }
    file.cache_mounts(&given).ok().filter(|unknown| unknown.len() == mounts.len()).unwrap_or_else(|| mounts.to_vec())
}

/// Writes the `RUN` that prints the sizes; `None` when none of the mounts can be had at that place.
pub(super) fn step(file: &Dockerfile, marker: &str, place: RunPlace, mounts: &[CacheMount]) -> Option<String> {
    let at_place = |mount: &CacheMount| {
        let run = &file.stages[place.0].runs[place.1];
        run.flags.iter().any(|flag| flag.written == mount.written)
    };
    let mut flags = String::new();
    let mut targets = String::new();
    for mount in mounts {
        // Further down in its own stage its variables are still there, with what the build is given for them.
        let own = at_place(mount) || mount.stage == place.0 || !mount.written.contains('$');
        // A stage named in `from` may not exist yet at an earlier place.
        if mount.options.from.is_some() && mount.stage != place.0 {
            continue;
        }
        let (flag, target) = if own || !mount.unresolved.is_empty() {
            (mount.written.clone(), target_word(mount))
        } else {
            (resolved(&mount.options)?, quoted(&mount.options.target))
        };
        flags.push_str(&format!("--mount={flag} {}\n    ", file.escape));
        targets.push_str(&format!(" {target}"));
    }
    if targets.is_empty() {
        return None;
    }
    Some(format!(
        "RUN {flags}echo \"{marker}\"; for cache in{targets}; do du -sh \"$cache\" 2>/dev/null || true; done\n"
    ))
}

/// The target for the shell: the resolved one, or the shell resolves what only the image knows.
fn target_word(mount: &CacheMount) -> String {
    if mount.unresolved.is_empty() {
        return quoted(&mount.options.target);
    }
    let target = mount.written.split(',').find_map(|field| {
        let (key, value) = field.split_once('=')?;
        matches!(key.to_ascii_lowercase().as_str(), "target" | "dst" | "destination").then_some(value)
    });
    let target = target.unwrap_or_default().trim_matches(['"', '\'']);
    if target.contains(['"', '`', '\\', '(']) { quoted(&mount.options.target) } else { format!("\"{target}\"") }
}

fn quoted(word: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "/._-+@:".contains(char);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Writes options with their variables replaced; `None` when they need quoting.
fn resolved(options: &MountOptions) -> Option<String> {
    let mut fields = vec![("type", "cache".to_owned()), ("target", options.target.clone())];
    let optional = [
        ("id", &options.id),
        ("uid", &options.uid),
        ("gid", &options.gid),
        ("mode", &options.mode),
        ("from", &options.from),
        ("source", &options.source),
    ];
    fields.extend(optional.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))));
    let text: Vec<String> = fields.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    let needs_quotes =
        |field: &String| field.contains([',', '"', '\'', '\\', '$', '`']) || field.contains(char::is_whitespace);
    (!text.iter().any(needs_quotes)).then(|| text.join(","))
}

/// The shell in force at the end of a chain of stages.
fn shell(
    file: &Dockerfile,
    chain: &[usize],
    build_args: &BTreeMap<String, String>,
) -> Result<Vec<String>, DockerfileError> {
    let mut set = chain.iter().flat_map(|stage| file.body(&file.stages[*stage]));
    let last = set.rfind(|instruction| instruction.keyword == "SHELL");
    match last.and_then(|instruction| json_words(&instruction.args.text)) {
        Some(words) => Ok(words),
        None => Ok(default_shell(&file.base_image(chain[0], build_args)?)),
    }
}

/// The shell of a stage that starts from this image and sets none: the escape character says nothing of it.
pub(super) fn default_shell(image: &str) -> Vec<String> {
    let windows = ["windows", "nanoserver", "servercore"].iter().any(|part| image.to_ascii_lowercase().contains(part));
    let words: &[&str] = if windows { &["cmd", "/S", "/C"] } else { &["/bin/sh", "-c"] };
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Whether a shell understands `for` and `;` as `sh` does.
pub(super) fn is_posix(shell: &[String]) -> bool {
    shell.iter().any(|word| {
        let name = word.rsplit('/').next().unwrap_or(word);
        matches!(name, "sh" | "ash" | "bash" | "dash" | "ksh" | "mksh" | "zsh")
    })
}

/// Whether sizes are printed before the first and after the last build already.
fn observes_itself<'a>(runs: impl Iterator<Item = &'a RunInstruction>) -> bool {
    let mut sizes_before = false;
    let mut built = false;
    let mut sizes_after = false;
    for run in runs {
        for event in commands::events(&run.text()) {
            match event {
                CommandEvent::Sizes if built => sizes_after = true,
                CommandEvent::Sizes => sizes_before = true,
                CommandEvent::Build => {
                    built = true;
                    sizes_after = false;
                }
            }
        }
    }
    sizes_before && built && sizes_after
}
