//! Where the sizes of cache mounts must be printed, and the `RUN` that prints them. [`plan`] is principal.
//!
//! A measurement is a `RUN` of its own with the same cache mounts, before the first and after the last step that uses
//! them. The person's own steps stay byte for byte what they were: a wrapped command could change its exit status, its
//! quoting or what it builds. The time of the build is then the time of its own step.

use std::collections::BTreeMap;

use super::error::DockerfileError;
use super::mount::MountOptions;
use super::parse::{CommandForm, Dockerfile, RunInstruction, json_words};
use super::scope::CacheMount;

/// What the line before the sizes before a build says.
pub const BEFORE_MARKER: &str = "=== BEFORE ===";
/// What the line before the sizes after a build says.
pub const AFTER_MARKER: &str = "=== AFTER ===";

/// The place of a `RUN`: the stage and its number there.
pub(super) type RunPlace = (usize, usize);

/// What to do about one stage that builds.
pub(super) enum StagePlan {
    /// Print the sizes around it.
    Measure { before: RunPlace, after: RunPlace, mounts: Vec<CacheMount> },
    /// The Dockerfile does it already.
    Already { stage: usize },
    /// It cannot be done.
    Not { stage: usize, reason: &'static str },
}

/// Finds the stages that run `go build` with cache mounts and says how to measure each.
pub(super) fn plan(
    file: &Dockerfile,
    build_args: &BTreeMap<String, String>,
) -> Result<Vec<StagePlan>, DockerfileError> {
    let mounts = file.cache_mounts(build_args)?;
    let bases = file.base_stages(build_args)?;
    let mounts_of = |place: RunPlace| mounts.iter().filter(move |mount| (mount.stage, mount.run) == place);
    let runs =
        || file.stages.iter().flat_map(|stage| stage.runs.iter().map(move |run| ((stage.index, run.index), run)));
    let with_mounts = || runs().filter(|(place, _)| mounts_of(*place).next().is_some());
    let mut builds: Vec<RunPlace> =
        with_mounts().filter(|(_, run)| builds_go(&run.text())).map(|(place, _)| place).collect();
    if builds.is_empty() {
        // `make build` and the like: the mounts tell what the step is for.
        builds =
            with_mounts().filter(|(place, _)| mounts_of(*place).any(is_go_cache)).map(|(place, _)| place).collect();
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
        if !is_posix(&shell(file, &chain)) {
            plans.push(StagePlan::Not { stage, reason: "its SHELL is not a POSIX shell" });
            continue;
        }
        let wanted = choose(&mounts, stage, &chain, &builds);
        let uses =
            |place: RunPlace| mounts_of(place).any(|own| wanted.iter().any(|one| one.identity() == own.identity()));
        let first = chain_runs.iter().map(|(place, _)| *place).find(|place| uses(*place));
        let last = chain_runs.iter().map(|(place, _)| *place).rfind(|place| place.0 == stage && uses(*place));
        if let (Some(before), Some(after)) = (first, last) {
            plans.push(StagePlan::Measure { before, after, mounts: wanted });
        }
    }
    Ok(plans)
}

/// The mounts of the stage's build steps, and the Go caches of the stages below it; one for each target.
fn choose(mounts: &[CacheMount], stage: usize, chain: &[usize], builds: &[RunPlace]) -> Vec<CacheMount> {
    let own = mounts.iter().filter(|mount| mount.stage == stage && builds.contains(&(mount.stage, mount.run)));
    let below = mounts.iter().filter(|mount| chain.contains(&mount.stage) && is_go_cache(mount));
    let mut wanted: Vec<CacheMount> = Vec::new();
    for mount in own.chain(below) {
        if wanted.iter().all(|other| other.options.target != mount.options.target) {
            wanted.push(mount.clone());
        }
    }
    wanted
}

fn is_go_cache(mount: &CacheMount) -> bool {
    ["go-build", "pkg/mod"].iter().any(|part| mount.options.target.contains(part))
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
        let own = at_place(mount) || !mount.written.contains('$');
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
fn shell(file: &Dockerfile, chain: &[usize]) -> Vec<String> {
    let mut set = chain.iter().flat_map(|stage| file.body(&file.stages[*stage]));
    let last = set.rfind(|instruction| instruction.keyword == "SHELL");
    last.and_then(|instruction| json_words(&instruction.args.text)).unwrap_or_else(|| default_shell(file))
}

/// The shell of a stage that sets none. The backquote as escape character marks a Windows Dockerfile.
pub(super) fn default_shell(file: &Dockerfile) -> Vec<String> {
    let words: &[&str] = if file.escape == '`' { &["cmd", "/S", "/C"] } else { &["/bin/sh", "-c"] };
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
        for event in events(&run.text()) {
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

fn builds_go(text: &str) -> bool {
    events(text).iter().any(|event| matches!(event, CommandEvent::Build))
}

enum CommandEvent {
    Build,
    Sizes,
}

/// Finds `go build`, `go install` and `du -s` in a command, in order.
fn events(text: &str) -> Vec<CommandEvent> {
    let separators = |char: char| char.is_whitespace() || ";&|()\"',[]{}`=".contains(char);
    let words: Vec<&str> = text.split(separators).filter(|word| !word.is_empty() && *word != "\\").collect();
    let mut events = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let mut rest = words[at + 1..].iter().copied().peekable();
        match word.rsplit('/').next() {
            Some("go") => {
                if rest.next_if_eq(&"-C").is_some() {
                    rest.next();
                }
                if matches!(rest.next(), Some("build" | "install")) {
                    events.push(CommandEvent::Build);
                }
            }
            Some("du") => {
                let options: Vec<&str> = rest.take_while(|word| word.starts_with('-')).collect();
                let short = |word: &&str| !word.starts_with("--") && (word.contains('s') || word.contains('d'));
                if options.iter().any(|word| short(word) || ["--summarize", "--max-depth"].contains(word)) {
                    events.push(CommandEvent::Sizes);
                }
            }
            _ => {}
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_build_is_recognised_in_its_usual_spellings() {
        for yes in [
            "CGO_ENABLED=0 go build -o /x .",
            "set -e; (cd a && /usr/local/go/bin/go build)",
            "[\"go\", \"install\", \"./...\"]",
            "go -C sub build",
            "go \\\n build",
            "time go build",
        ] {
            assert!(builds_go(yes), "{yes}");
        }
        for no in ["go mod download", "go vet build", "echo cargo build", "golang build", "go test ./..."] {
            assert!(!builds_go(no), "{no}");
        }
    }

    #[test]
    fn sizes_are_recognised_in_their_usual_spellings() {
        for yes in ["du -sh /a", "du -h -d0 /a", "du --summarize /a", "du -hs /a /b", "du -h --max-depth=0 x"] {
            assert!(matches!(events(yes)[..], [CommandEvent::Sizes]), "{yes}");
        }
        for no in ["du /a", "du -h /a", "edu -s", "sudo -s"] {
            assert!(events(no).is_empty(), "{no}");
        }
    }
}
