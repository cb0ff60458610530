//! What is remembered of a namespace, so that its leavings can be told from everything else. [`TrackedBuild`] is principal.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use bollard::moby::buildkit::v1::StatusResponse;

use super::Docker;
use super::status::{CONTEXT, COPY_OF_CONTEXT, StatusFold, time};
use crate::engine::{BuildNote, ForeignBuild, Namespace, WorkSpan};

/// How long an engine may go on with a build that was stopped.
pub(super) const STOPPING: Duration = Duration::from_secs(10);

/// What was made under one namespace.
#[derive(Debug, Clone, Default)]
pub(super) struct TrackedBuild {
    /// When its vertexes worked.
    pub(super) work: Vec<WorkSpan>,
    /// Whether it was cleaned up already, but for what bears no mark.
    pub(super) done: bool,
    /// The moment after which nothing was made; `None` while this process may go on with it.
    pub(super) until: Option<SystemTime>,
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

/// When a vertex began and ended, as far as the engine has said.
type VertexTimes = (Option<SystemTime>, Option<SystemTime>);

impl Docker {
    /// Remembers a build that went past this program.
    pub(super) fn remember_foreign(&self, namespace: &Namespace, build: &ForeignBuild) {
        let spans =
            build.vertexes.iter().map(|vertex| WorkSpan { vertex: vertex.clone(), from: build.began, to: build.ended });
        if let Ok(mut made) = self.made.lock() {
            let made = made.entry(namespace.clone()).or_default();
            made.done = false;
            made.work.extend(spans);
        }
    }
}

/// The vertexes of one build, remembered when it ends, also when somebody stops it.
pub(super) struct BuildLedger<'a> {
    docker: &'a Docker,
    namespace: &'a Namespace,
    /// Its number among the builds of this process.
    number: u64,
    began: SystemTime,
    /// What the witnesses know already, by vertex.
    noted: HashMap<String, VertexTimes>,
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
        let began = SystemTime::now();
        let number = docker.builds.fetch_add(1, Ordering::Relaxed);
        docker.note(namespace, number, &BuildNote::Began { at: began });
        let (noted, fold) = (HashMap::new(), StatusFold::default());
        Self { docker, namespace, number, began, noted, fold, went_well: false }
    }

    /// Tells the witnesses what a status message says of vertexes that they do not know yet. Announced ones too: the engine
    /// may begin one, and this process die, before it says so.
    pub(super) fn tell(&mut self, status: &StatusResponse) {
        for vertex in &status.vertexes {
            let started = vertex.started.as_ref().and_then(|stamp| time((stamp.seconds, stamp.nanos)));
            let completed = vertex.completed.as_ref().and_then(|stamp| time((stamp.seconds, stamp.nanos)));
            let times = (started, completed);
            if self.noted.get(&vertex.digest) == Some(&times) {
                continue;
            }
            self.noted.insert(vertex.digest.clone(), times);
            let note = BuildNote::Vertex { name: &vertex.name, from: times.0, to: times.1 };
            self.docker.note(self.namespace, self.number, &note);
        }
    }
}

impl Drop for BuildLedger<'_> {
    fn drop(&mut self) {
        let until = SystemTime::now() + if self.went_well { Duration::ZERO } else { STOPPING };
        let mut work = self.fold.work(until);
        // Under load the engine's status skips the moment in which it took the context.
        let context = WorkSpan::of_context(self.began, until);
        work.extend(context.into_iter().filter(|span| !self.went_well || span.vertex == CONTEXT));
        self.docker.note(self.namespace, self.number, &BuildNote::Ended { work: &work });
        if let Ok(mut made) = self.docker.made.lock() {
            made.entry(self.namespace.clone()).or_default().work.extend(work);
        }
    }
}

impl WorkSpan {
    /// What takes and unpacks the context of a build that did not end well; the engine may not have told of it.
    pub(crate) fn of_context(from: SystemTime, to: SystemTime) -> Vec<Self> {
        [CONTEXT, COPY_OF_CONTEXT].map(|vertex| Self { vertex: vertex.to_owned(), from, to }).into()
    }
}

impl Docker {
    /// Tells all witnesses that are still there.
    fn note(&self, namespace: &Namespace, build: u64, note: &BuildNote<'_>) {
        let Ok(mut witnesses) = self.witnesses.lock() else { return };
        witnesses.retain(|witness| match witness.upgrade() {
            Some(witness) => {
                witness.note(namespace, build, note);
                true
            }
            None => false,
        });
    }
}
