//! What a run ran on and with, as the log shows it: branch, runner image, Go. [`Surroundings`] is principal.
//!
//! It only names what two logs should have in common; what a difference means is the verifier's affair.

use super::inputs::StepKind;
use super::line::{LineKind, LogLine};
use crate::evidence::{Aspect, Fact};

/// Reads the runner's own lines of a job.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    /// The group of the set-up in which the image is named is open.
    image: bool,
    /// Progress for a terminal has been told.
    terminal: bool,
    /// That the runner shares its engine has been told.
    shared: bool,
}

impl Surroundings {
    /// Reads a line of the job's set-up, before its first step.
    pub(super) fn set_up(&mut self, line: &LogLine<'_>) -> Option<Fact> {
        let text = line.text();
        match line.channel {
            LineKind::Group => self.image = matches!(text, "Runner Image" | "Virtual Environment"),
            LineKind::EndGroup => self.image = false,
            LineKind::Plain if self.image => {
                let image = text.strip_prefix("Image: ").or_else(|| text.strip_prefix("Environment: "))?;
                return Some(around(Aspect::RunnerImage, image));
            }
            _ => {}
        }
        None
    }

    /// Reads who ran the job: act's jobs build on the Docker Engine of the machine it runs on, and those of a self-hosted
    /// runner, which alone prints the name of its machine (actions/runner `src/Runner.Worker/JobExtension.cs`), may.
    pub(super) fn shared(&mut self, line: &LogLine<'_>) -> Option<Fact> {
        let who = match () {
            () if line.act => "act",
            () if line.channel == LineKind::Plain && line.text().starts_with("Machine name: '") => {
                "a self-hosted runner"
            }
            () => return None,
        };
        (!std::mem::replace(&mut self.shared, true)).then(|| around(Aspect::SharedEngine, who))
    }

    /// Reads a line of a build's progress as buildx draws it on a terminal; tells the first.
    ///
    /// It shows names cut to the terminal's width, times that grow from frame to frame, and nothing of what a step that
    /// ended had printed. So nothing is taken from it but that it is there.
    pub(super) fn terminal(&mut self, text: &str) -> Option<Fact> {
        let drawn = text.trim_start();
        let drawn = drawn.strip_prefix("=> ").is_some_and(|step| step.starts_with('[') || step.starts_with("CACHED ["))
            || drawn.starts_with("[+] Building ");
        (drawn && !std::mem::replace(&mut self.terminal, true)).then(|| around(Aspect::TerminalProgress, text.trim()))
    }
}

/// Reads the name of a driver of buildx: its builders outlive the job, but for those that setup-buildx makes for the job and
/// the machine's own (docker/buildx `driver/`).
pub(super) fn shared_driver(driver: &str) -> Option<Fact> {
    let of_the_job = matches!(driver.trim(), "docker" | "docker-container" | "kubernetes" | "");
    (!of_the_job).then(|| around(Aspect::SharedEngine, &format!("the {driver} driver of buildx")))
}

/// Reads the name of a vertex: one that Depot's own builders show.
pub(super) fn depot(vertex: &str) -> Option<Fact> {
    vertex.starts_with("[depot]").then(|| around(Aspect::SharedEngine, "a builder of Depot"))
}

/// Reads a line of the set-up, which fetches every action of the job, whether or not its step will run:
/// `Download action repository 'owner/buildkit-cache-dance@v3' (SHA:…)` (actions/runner `src/Runner.Worker/ActionManager.cs`).
pub(super) fn downloaded(text: &str) -> Option<Fact> {
    let (uses, _) = text.strip_prefix("Download action repository '")?.split_once('\'')?;
    let dance = matches!(StepKind::of_action(uses), StepKind::Dance(_));
    dance.then(|| Fact::DanceDownloaded { uses: super::sink::harmless(uses) })
}

/// Reads a line of a checkout step: `/usr/bin/git checkout --progress --force -B main refs/remotes/origin/main`.
pub(super) fn checked_out(text: &str) -> Option<Fact> {
    let (git, rest) = text.split_once(" checkout ")?;
    let git = git.trim_matches('"').ends_with("git") || git.trim_matches('"').ends_with("git.exe");
    let name = rest.split_whitespace().last()?.strip_prefix("refs/")?;
    let name = name.strip_prefix("remotes/").unwrap_or(name);
    let name = name.strip_prefix("origin/").unwrap_or(name);
    git.then(|| around(Aspect::Ref, name))
}

/// Reads the name of a vertex: which image Go comes from.
pub(super) fn go_image(vertex: &str) -> Option<Fact> {
    let image = match vertex.split_once("] FROM ") {
        Some((_, image)) => image,
        None => vertex.strip_prefix("[internal] load metadata for ")?,
    };
    let image = image.split_whitespace().next()?;
    let short = image.strip_prefix("docker.io/").unwrap_or(image);
    let short = short.strip_prefix("library/").unwrap_or(short);
    let name = short.split(['@', ':']).next()?.rsplit('/').next()?;
    (name == "go" || name.starts_with("golang")).then(|| around(Aspect::GoImage, short))
}

/// Reads a line that a vertex printed: `go version go1.25.5 linux/amd64`.
pub(super) fn go_version(text: &str) -> Option<Fact> {
    let version = text.trim().strip_prefix("go version ")?;
    let version = version.split_whitespace().next()?;
    let named = version.starts_with("go1") || version.starts_with("devel");
    named.then(|| around(Aspect::GoVersion, version))
}

/// The command of a vertex that compiles, without the place in its stage, which moves with every line added before it.
pub(super) fn compile_step(vertex: &str) -> Option<Fact> {
    let at = vertex.find("RUN ")?;
    Some(around(Aspect::CompileStep, &vertex[at..]))
}

fn around(aspect: Aspect, value: &str) -> Fact {
    Fact::Surroundings { aspect, value: super::sink::harmless(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(fact: Option<Fact>) -> Option<String> {
        match fact {
            Some(Fact::Surroundings { value, .. }) => Some(value),
            _ => None,
        }
    }

    #[test]
    fn the_checkout_names_its_branch() {
        let of = |text| value(checked_out(text));
        assert_eq!(
            of("/usr/bin/git checkout --progress --force -B main refs/remotes/origin/main").as_deref(),
            Some("main")
        );
        assert_eq!(
            of("/usr/bin/git checkout --progress --force refs/remotes/pull/5/merge").as_deref(),
            Some("pull/5/merge")
        );
        assert_eq!(of("/usr/bin/git checkout --progress --force refs/tags/v1.0").as_deref(), Some("tags/v1.0"));
        assert_eq!(of("/usr/bin/git checkout --detach"), None);
        assert_eq!(of("the checkout of refs/heads/x"), None);
    }

    #[test]
    fn the_set_up_names_the_dance_it_fetches() {
        let of = |text| downloaded(text).is_some();
        assert!(of("Download action repository 'reproducible-containers/buildkit-cache-dance@v3.3.2' (SHA:1b8ab18)"));
        assert!(!of("Download action repository 'actions/cache@v4' (SHA:0057852)"));
        assert!(!of("Getting action download info"));
    }

    #[test]
    fn a_vertex_names_the_image_of_go() {
        let of = |text| value(go_image(text));
        assert_eq!(
            of("[build 1/4] FROM docker.io/library/golang:1.25-alpine@sha256:ab").as_deref(),
            Some("golang:1.25-alpine@sha256:ab")
        );
        assert_eq!(of("[internal] load metadata for docker.io/library/golang:1.25").as_deref(), Some("golang:1.25"));
        assert_eq!(of("[internal] load metadata for docker.io/library/alpine:3"), None);
        assert_eq!(of("[build 1/4] FROM gcr.io/x/golang-builder:1").as_deref(), Some("gcr.io/x/golang-builder:1"));
    }

    #[test]
    fn a_printed_version_is_one_of_go() {
        assert_eq!(value(go_version("go version go1.25.5 linux/amd64")).as_deref(), Some("go1.25.5"));
        assert_eq!(go_version("go version is unknown"), None);
    }
}
