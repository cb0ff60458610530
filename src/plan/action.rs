//! What a step does as far as it is reproduced; [`Action`] is principal.

use crate::workflow::{ActionForm, ActionRef, Step, StepAction};

/// The meaning of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// actions/checkout.
    Checkout,
    /// actions/cache or one of its halves.
    Cache(CacheStepPart),
    /// Any account's buildkit-cache-dance.
    Dance(DanceMode),
    /// docker/setup-buildx-action.
    SetupBuildx,
    /// docker/build-push-action.
    BuildPush,
    /// A script that builds with the Docker CLI; nothing else of it takes effect.
    BuildScript,
    /// A composite action of the repository, whose steps follow it in the plan. Its scope is an index into the plan's.
    Composite(usize),
    /// Anything else: it is listed and takes no effect.
    NotReproduced {
        /// The step in short, such as `actions/setup-go@v5` or `run: make lint`.
        what: String,
        /// Whether it seems to build an image by other means than docker/build-push-action.
        builds: bool,
    },
}

/// Which part of actions/cache a step uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheStepPart {
    /// `actions/cache`: restores, and saves in its post step.
    RestoreAndSave,
    /// `actions/cache/restore`: has no post step.
    Restore,
    /// `actions/cache/save`: saves where it stands, before every post step.
    Save,
}

/// Which part of buildkit-cache-dance a step uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DanceMode {
    /// The action itself: injects, and extracts in its post step.
    InjectAndExtract,
    /// `…/inject` of v1: no post step.
    Inject,
    /// `…/extract` of v1: extracts where it stands.
    Extract,
}

impl Action {
    /// Tells what a step does.
    pub(super) fn of(step: &Step) -> Self {
        match &step.action {
            StepAction::Uses(action) => Self::of_ref(action),
            StepAction::Run { script } => Self::NotReproduced {
                what: format!("run: {}", first_line(&script.value)),
                builds: script_builds(&script.value),
            },
        }
    }

    fn of_ref(action: &ActionRef) -> Self {
        let known = [
            ("actions", "checkout", "", Self::Checkout),
            ("actions", "cache", "", Self::Cache(CacheStepPart::RestoreAndSave)),
            ("actions", "cache", "restore", Self::Cache(CacheStepPart::Restore)),
            ("actions", "cache", "save", Self::Cache(CacheStepPart::Save)),
            ("docker", "setup-buildx-action", "", Self::SetupBuildx),
            ("docker", "build-push-action", "", Self::BuildPush),
        ];
        if let Some((.., action)) = known.into_iter().find(|(owner, repo, path, _)| action.is(owner, repo, path)) {
            return action;
        }
        if let ActionForm::Repository { repo, path, .. } = &action.form
            && repo.eq_ignore_ascii_case("buildkit-cache-dance")
        {
            match path.to_ascii_lowercase().as_str() {
                "" => return Self::Dance(DanceMode::InjectAndExtract),
                "inject" => return Self::Dance(DanceMode::Inject),
                "extract" => return Self::Dance(DanceMode::Extract),
                _ => {}
            }
        }
        let builds = action.is("docker", "bake-action", "");
        Self::NotReproduced { what: action.text.clone(), builds }
    }

    /// Tells whether the step builds an image, and how it does so is understood.
    pub fn builds(&self) -> bool {
        matches!(self, Self::BuildPush | Self::BuildScript)
    }

    /// Tells whether the step builds an image, understood or not.
    pub(super) fn may_build(&self) -> bool {
        self.builds() || matches!(self, Self::NotReproduced { builds: true, .. })
    }

    /// Tells whether the step takes effect in the experiment.
    pub fn is_reproduced(&self) -> bool {
        !matches!(self, Self::NotReproduced { .. })
    }
}

/// Returns the first line of a script that says something.
pub(super) fn first_line(script: &str) -> &str {
    script.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
}

/// Tells whether a script calls `docker build`, `docker buildx build`, `docker compose build` or bake.
fn script_builds(script: &str) -> bool {
    let joined = script.replace("\\\n", " ");
    joined.lines().filter(|line| !line.trim_start().starts_with('#')).any(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        words.iter().enumerate().any(|(at, word)| {
            let docker = word.rsplit(['/', ';', '&', '|', '(', '`']).next() == Some("docker");
            let rest = &words[at + 1..];
            let command = match rest.first() {
                Some(&("buildx" | "compose" | "image" | "builder")) => rest.get(1),
                first => first,
            };
            docker && matches!(command, Some(&("build" | "bake")))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_that_build_are_recognised() {
        for script in [
            "docker build .",
            "set -e\n  docker buildx build \\\n --push .",
            "cd x && docker compose build",
            "docker buildx \\\n  bake",
            "sudo /usr/bin/docker image build .",
        ] {
            assert!(script_builds(script), "{script}");
        }
        for script in ["make lint", "# docker build .", "docker run build", "podman build .", "docker buildx ls"] {
            assert!(!script_builds(script), "{script}");
        }
    }
}
