//! Steps that may build without showing it. [`Hidden`] is principal.
//!
//! A build that prints nothing (`--quiet`, output thrown away, a script of its own) fills the same cache mounts as the one
//! that is measured after it. Here only what a step's script and output say is looked at; whether it matters is for the
//! verifier.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use memchr::memmem::Finder;

use crate::evidence::HiddenWork;

/// How long a step that may build can be at work without a word of a build before it counts.
const QUIET: Duration = Duration::from_secs(3);

/// Follows one step.
#[derive(Debug, Default)]
pub(super) struct Hidden {
    /// The first command of a `run:` step that may build; how many there are.
    suspects: Vec<String>,
    /// The first line of output that names a build.
    echoed: Option<String>,
    /// A build has shown itself.
    shown: bool,
}

impl Hidden {
    /// Begins with the script of a `run:` step.
    pub(super) fn of_script(script: &str) -> Self {
        Self { suspects: suspects(script), ..Self::default() }
    }

    /// Takes a line of output that is none of a build.
    pub(super) fn line(&mut self, text: &str) {
        if self.echoed.is_none() && (is_image_id(text) || names_a_build(text)) {
            self.echoed = Some(text.trim().chars().take(200).collect());
        }
    }

    /// A line shows that a step began here whose first lines are lost: it may have been a script that builds.
    pub(super) fn lost_head(&mut self, line: &str) {
        self.echoed.get_or_insert_with(|| format!("{}{LOST}", line.trim()));
    }

    /// Tells whether a build of the step has shown itself: what follows changes nothing.
    pub(super) fn is_over(&self) -> bool {
        self.shown
    }

    /// A build of the step shows its first line. Returns what was at work before it, where it may have been another build.
    pub(super) fn build_begins(&mut self, since: Option<SystemTime>, at: Option<SystemTime>) -> Option<HiddenWork> {
        self.shown = true;
        let Some((at, since)) = at.zip(since) else {
            // Without a clock only a build that was told to be silent is known to have been one.
            let silent = self.suspects.iter().find(|command| is_container_tool(command) && is_silent(command))?;
            return Some(HiddenWork { command: silent.clone(), took: Duration::ZERO });
        };
        let took = at.duration_since(since).ok().filter(|took| *took > QUIET)?;
        // One plain command is the build that shows itself now; more than one, or a script, may have built before it.
        let other = match self.suspects.as_slice() {
            // What only names a build may be the one that shows itself now.
            [] => self.echoed.clone().filter(|line| is_image_id(line) || is_silent(line) || line.ends_with(LOST))?,
            // What was told to be silent is not what shows itself now.
            [only] if is_container_tool(only) && !is_silent(only) => return None,
            [first, ..] => first.clone(),
        };
        Some(HiddenWork { command: other, took })
    }

    /// The step is over. Returns what may have been a build that never showed itself.
    pub(super) fn ends(self, took: Option<Duration>) -> Option<HiddenWork> {
        if self.shown {
            return None;
        }
        let Some(took) = took else {
            // Without a clock only the command of a build itself tells of one.
            let named = self.suspects.into_iter().find(|command| is_container_tool(command));
            return self.echoed.or(named).map(|command| HiddenWork { command, took: Duration::ZERO });
        };
        let took = Some(took).filter(|took| *took >= QUIET)?;
        let command = self.echoed.or_else(|| self.suspects.into_iter().next())?;
        Some(HiddenWork { command, took })
    }
}

/// What is said of a line that is left of a step.
const LOST: &str = " (of a step whose first lines are lost)";

/// The words without which no line names a build; their search is prepared once.
static BUILD: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("build"));
static BAKE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("bake"));

/// Tells whether a line names the command of a build.
fn names_a_build(text: &str) -> bool {
    let Some(at) = BUILD.find(text.as_bytes()).or_else(|| BAKE.find(text.as_bytes())) else { return false };
    at > 0
        && text.len() < 2_000
        && text.split([';', '&', '|']).any(|part| {
            let words: Vec<&str> = part.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
            words.iter().enumerate().any(|(at, word)| is_container_tool(word) && builds(&words[at + 1..]))
        })
}

fn is_container_tool(command: &str) -> bool {
    let word = command.split_whitespace().next().unwrap_or_default();
    let name = word.rsplit('/').next().unwrap_or(word);
    matches!(name, "docker" | "docker-compose" | "podman" | "nerdctl" | "buildctl" | "buildah" | "depot" | "earthly")
}

/// Tells whether a line is the id of an image and nothing else, which is all that a quiet build prints.
fn is_image_id(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .is_some_and(|id| id.len() >= 12 && id.trim_end().bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Tells whether a command throws its output away, or asks for none.
fn is_silent(command: &str) -> bool {
    command.contains("/dev/null")
        || command.split_whitespace().any(|word| matches!(word, "-q" | "--quiet" | "--quiet=true"))
}

/// Tells whether the words after a container tool build an image.
fn builds(words: &[&str]) -> bool {
    let mut commands = words.iter().filter(|word| !word.starts_with('-'));
    match commands.next() {
        Some(&("buildx" | "compose" | "image" | "builder")) => {
            words.iter().any(|word| matches!(*word, "build" | "bake" | "b" | "--build"))
        }
        Some(&("build" | "bake")) => true,
        Some(&"up") => words.contains(&"--build"),
        _ => false,
    }
}

/// Returns the commands of a script that may build an image: container tools that do, build tools, and scripts.
fn suspects(script: &str) -> Vec<String> {
    const RUNNERS: [&str; 14] = [
        "make",
        "gmake",
        "mage",
        "task",
        "just",
        "ninja",
        "bazel",
        "goreleaser",
        "skaffold",
        "tilt",
        "ko",
        "earthly",
        "pack",
        "act",
    ];
    const BEFORE: [&str; 14] =
        ["sudo", "time", "exec", "env", "if", "then", "else", "do", "while", "!", "timeout", "nice", "command", "eval"];
    const SHELLS: [&str; 6] = ["sh", "bash", "ash", "zsh", "source", "."];
    let joined = script.replace("\\\n", " ");
    let mut found = Vec::new();
    for command in
        joined.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(|line| line.split([';', '&', '|']))
    {
        let words: Vec<&str> =
            command.split_whitespace().map(|word| word.trim_matches(['"', '\'', '(', ')'])).collect();
        let start = words.iter().position(|word| {
            let assigns = word.split_once('=').is_some_and(|(name, _)| !name.is_empty() && !name.contains(['/', '-']));
            !assigns && !BEFORE.contains(word) && !word.is_empty()
        });
        let Some((first, rest)) = start.and_then(|start| words[start..].split_first()) else { continue };
        let name = first.rsplit('/').next().unwrap_or(first);
        let own_script = first.ends_with(".sh")
            || (first.contains('/') && !first.starts_with("/usr/") && !first.starts_with("/bin/"));
        let by_shell = SHELLS.contains(&name) && rest.iter().any(|word| !word.starts_with('-'));
        let tool = is_container_tool(first) && builds(rest);
        if tool || own_script || by_shell || RUNNERS.contains(&name) {
            found.push(words[start.unwrap_or_default()..].join(" ").chars().take(200).collect());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_build_is_found_in_a_script() {
        for script in [
            "docker build -q .",
            "docker buildx build --quiet --target unit .",
            "cd app && sudo make image",
            "FOO=1 ./ci/image.sh",
            "bash scripts/image",
            "docker compose up --build -d",
            "docker compose -f x.yml build",
            "task image:unit",
        ] {
            assert_eq!(suspects(script).len(), 1, "{script}");
        }
        for script in [
            "go test ./...",
            "docker login -u x",
            "docker pull golang",
            "echo make",
            "npm ci",
            "# make\nls",
            "/usr/bin/git status",
        ] {
            assert_eq!(suspects(script), [""; 0], "{script}");
        }
    }

    #[test]
    fn a_step_that_may_build_counts_once_it_lasts() {
        let seconds = Duration::from_secs;
        assert!(Hidden::of_script("make image").ends(Some(seconds(20))).is_some());
        assert!(Hidden::of_script("make image").ends(Some(seconds(1))).is_none());
        assert!(Hidden::of_script("go test ./...").ends(Some(seconds(90))).is_none());
        let mut echoing = Hidden::of_script("npm run image");
        echoing.line("> docker buildx build --quiet .");
        assert!(echoing.ends(Some(seconds(20))).is_some());
    }

    #[test]
    fn without_a_clock_the_command_of_a_build_tells_of_it() {
        assert!(Hidden::of_script("docker build -q .").ends(None).is_some());
        assert!(Hidden::of_script("make lint").ends(None).is_none());
        let mut echoing = Hidden::of_script("task unit");
        echoing.line("task: [unit] docker buildx build --quiet .");
        assert!(echoing.ends(None).is_some());
        let mut quiet = Hidden::default();
        quiet.line("sha256:1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c");
        assert!(quiet.ends(Some(Duration::from_secs(46))).is_some());
        let two = |first: &str| Hidden::of_script(&format!("{first}\ndocker buildx build .")).build_begins(None, None);
        assert!(two("docker buildx build --quiet --target unit .").is_some());
        assert!(two("docker buildx build --target unit .").is_none());
        let mut lost = Hidden::default();
        lost.lost_head("##[endgroup]");
        let start = SystemTime::UNIX_EPOCH;
        assert!(lost.build_begins(Some(start), Some(start + Duration::from_secs(40))).is_some());
    }

    #[test]
    fn what_ran_before_a_build_shows_itself_in_the_same_script() {
        let start = SystemTime::UNIX_EPOCH;
        let later = Some(start + Duration::from_secs(48));
        let two = "docker buildx build --quiet --target unit .\ndocker buildx build .";
        assert!(Hidden::of_script(two).build_begins(Some(start), later).is_some());
        assert!(Hidden::of_script("docker buildx build .").build_begins(Some(start), later).is_none());
        assert!(Hidden::of_script(two).build_begins(Some(start), Some(start)).is_none());
    }
}
