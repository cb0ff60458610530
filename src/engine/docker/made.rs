//! What is remembered of a namespace, so that its leavings can be told from everything else. [`TrackedBuild`] is principal.

use std::time::{Duration, SystemTime};

use super::Docker;
use super::status::{CONTEXT, COPY_OF_CONTEXT, StatusFold, WorkSpan};
use crate::engine::Namespace;

/// How long an engine may go on with a build that was stopped.
const STOPPING: Duration = Duration::from_secs(10);

/// What was made under one namespace.
#[derive(Debug, Default)]
pub(super) struct TrackedBuild {
    /// When its vertexes worked.
    pub(super) work: Vec<WorkSpan>,
    /// Whether it was cleaned up already, but for what bears no mark.
    pub(super) done: bool,
}

impl TrackedBuild {
    /// Tells whether a command may have mounted a cache without a mark: one that no shell runs, on an engine whose
    /// records say no id.
    pub(super) fn unmarked(&self) -> bool {
        self.work.iter().any(|work| {
            let (_, command) = work.vertex.split_once("RUN ").unwrap_or_default();
            command.split(' ').find(|word| !word.starts_with("--")).is_some_and(|word| word.starts_with('['))
        })
    }
}

/// The vertexes of one build, remembered when it ends, also when somebody stops it.
pub(super) struct BuildLedger<'a> {
    docker: &'a Docker,
    namespace: &'a Namespace,
    began: SystemTime,
    /// What the engine says of them.
    pub(super) fold: StatusFold,
    /// Whether the build came to a good end.
    pub(super) went_well: bool,
}

impl<'a> BuildLedger<'a> {
    /// Begins a build under a namespace.
    pub(super) fn begin(docker: &'a Docker, namespace: &'a Namespace) -> Self {
        if let Ok(mut made) = docker.made.lock() {
            made.entry(namespace.clone()).or_default().done = false;
        }
        Self { docker, namespace, began: SystemTime::now(), fold: StatusFold::default(), went_well: false }
    }
}

impl Drop for BuildLedger<'_> {
    fn drop(&mut self) {
        let until = SystemTime::now() + if self.went_well { Duration::ZERO } else { STOPPING };
        let mut work = self.fold.work(until);
        let mut worked = |vertex: &str| work.push(WorkSpan { vertex: vertex.to_owned(), from: self.began, to: until });
        // Under load the engine's status skips the moment in which it took the context.
        worked(CONTEXT);
        if !self.went_well {
            worked(COPY_OF_CONTEXT);
        }
        if let Ok(mut made) = self.docker.made.lock() {
            made.entry(self.namespace.clone()).or_default().work.extend(work);
        }
    }
}
