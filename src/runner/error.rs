//! What can stop a run. [`RunError`] is principal.

use std::io;
use std::path::PathBuf;

use super::archive::{ArchiveError, io_hint};
use super::real::RealActionError;
use super::store::StoreError;
use crate::dockerfile::DockerfileError;
use crate::engine::EngineError;

/// What stopped the runs before a verdict was possible.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The engine stopped us.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The cache store stopped us.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A tree could not be packed, unpacked or removed.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The Dockerfile stopped us.
    #[error(transparent)]
    Dockerfile(#[from] DockerfileError),
    /// An action could not be run.
    #[error(transparent)]
    Action(#[from] RealActionError),
    /// An experiment in which nothing runs.
    #[error("no event starts the workflow, so there is no run")]
    NoRun,
    /// The engine gave a step a second cache mount in place of the one that it has.
    #[error(
        "the engine holds {found} cache mounts of namespace {namespace}, and its steps name only {named}: one of them was given a new, empty one"
    )]
    Disturbed {
        /// The namespace.
        namespace: String,
        /// How many mounts the engine holds.
        found: usize,
        /// How many different ones the steps name.
        named: usize,
    },
    /// A Dockerfile without a cache mount has nothing to carry.
    #[error("{name} has no `RUN --mount=type=cache`, so there is nothing to carry between runs")]
    NoCacheMount {
        /// The Dockerfile.
        name: String,
    },
    /// The build step names a Dockerfile that is not there.
    #[error("{step}: the build step builds `{file}`, which is not in the project or cannot be read")]
    NoDockerfile {
        /// The step as `file:line`.
        step: String,
        /// The Dockerfile, as the step names it.
        file: String,
    },
    /// A `.dockerignore` that cannot be read as one.
    #[error("{}: {reason}", path.display())]
    Ignore {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file of ours or of the project's.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The project offers no file a source edit could change.
    #[error("no Go file of package main below {} can take the edit between runs", path.display())]
    NothingToEdit {
        /// The project.
        path: PathBuf,
    },
    /// A value that decides what is run, and that nothing here knows. Nothing is judged without it.
    #[error("{at}: {what} of step `{step}`: {problem}")]
    Unresolved {
        /// The place as `file:line:column`.
        at: String,
        /// The input, or the condition.
        what: String,
        /// The step by the name GitHub shows.
        step: String,
        /// What is not known, and why.
        problem: String,
        /// What would make it known.
        supply: Option<String>,
    },
    /// The condition of the job does not hold for the event that is run.
    #[error("{at}: the job `{job}` does not run on `{event}` of {git_ref}: `if: {condition}` is false")]
    JobDoesNotRun {
        /// The place as `file:line:column`.
        at: String,
        /// The job.
        job: String,
        /// The condition.
        condition: String,
        /// The event.
        event: String,
        /// The ref.
        git_ref: String,
    },
    /// The first build of a person's own project failed here, so nothing can be said about its caches.
    #[error("the build of step `{step}` ({at}) does not work here, so nothing can be said about its caches: {reason}")]
    BuildFailed {
        /// The place of the step as `file:line`.
        at: String,
        /// The step by the name GitHub shows.
        step: String,
        /// What BuildKit said.
        reason: String,
    },
    /// Something of a build that is not reproduced, and without which it would not be the same.
    #[error("{at}: {what}")]
    BuildNotReproduced {
        /// The place as `file:line`.
        at: String,
        /// What it is.
        what: String,
        /// What a person can do.
        hint: String,
    },
    /// An input of a step that changes what is built, and that is not simulated.
    #[error("`{input}` of docker/build-push-action is not reproduced, and the build would not be the same without it")]
    NotReproduced {
        /// Its name.
        input: &'static str,
    },
    /// A release of actions/cache that knows only the cache service that GitHub has closed down.
    #[error("GitHub refuses `{uses}` when it sets up the job: it knows only the first cache service")]
    RefusedRelease {
        /// The action as the workflow names it.
        uses: String,
    },
    /// A dependency edit needs to know the project's modules.
    #[error("`--edit deps` knows only the bundled sample")]
    DepsEdit,
    /// A new runner was not empty, so every number would be meaningless.
    #[error("the fresh runner's namespace {namespace} already holds {count} cache mounts")]
    NotFresh {
        /// The namespace.
        namespace: String,
        /// How many.
        count: usize,
    },
    /// The harness itself broke off.
    #[error("a worker ended without a result: {reason}")]
    Worker {
        /// What it said.
        reason: String,
    },
}

impl RunError {
    /// Makes an error about a file.
    pub(super) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }

    /// Says what a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Engine(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Archive(error) => error.hint(),
            Self::Dockerfile(error) => error.hint(),
            Self::Action(error) => error.hint(),
            Self::NoCacheMount { .. } => Some(
                "give the build step `RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build …`"
                    .to_owned(),
            ),
            Self::Io { source, .. } => io_hint(source),
            Self::NothingToEdit { .. } => Some("run with `--edit none`".to_owned()),
            Self::Unresolved { supply, .. } => supply.clone(),
            Self::JobDoesNotRun { .. } => {
                Some("choose another event with `--event`, another ref with `--ref`, or another job with `--job`".to_owned())
            }
            Self::BuildFailed { .. } => Some(
                "make it build here first: `docker build` with the same Dockerfile, context and arguments; `--go-image` puts an image that                  is here in the place of `golang`"
                    .to_owned(),
            ),
            Self::BuildNotReproduced { hint, .. } => Some(hint.clone()),
            Self::NotReproduced { input } => Some(format!("take `{input}` out of the step for the experiment")),
            Self::RefusedRelease { .. } => Some("use `actions/cache@v4` or a newer one".to_owned()),
            Self::DepsEdit => Some("use `--edit source` or `--edit none` with your own project".to_owned()),
            Self::NotFresh { .. } => Some("run again; if it happens twice, it is a defect of this program".to_owned()),
            Self::Disturbed { .. } => Some(
                "run again, with nothing else at work on this engine: BuildKit does so where a mount is in use, such as while `docker system df` \
                 measures it".to_owned(),
            ),
            Self::NoRun => Some("name under `on:` an event that happens".to_owned()),
            Self::NoDockerfile { .. } => Some(
                "correct `file` and `context` of the step, or its checkout; a Dockerfile that a `run` step writes is not reproduced"
                    .to_owned(),
            ),
            Self::Ignore { .. } | Self::Worker { .. } => None,
        }
    }
}
