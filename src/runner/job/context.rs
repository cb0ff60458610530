//! What the steps of one job share: its plan and its runner, its log and its facts, and the values that steps leave for later
//! ones. [`StepContext`] is principal.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::builders::Builders;
use super::cache::Restored;
use super::contexts::{REPOSITORY, StepKey};
use super::recorder::Recorder;
use super::{JobPaths, WORKSPACE};
use crate::engine::Engine;
use crate::evidence::{Fact, StepId, StepOutcome};
use crate::plan::JobPlan;
use crate::runner::archive::Layout;
use crate::runner::experiment::{ExperimentContext, RunSpec};
use crate::runner::store::Store;
use crate::runner::{Clock, RunError, RunProgress};
use crate::scenario::GoRelease;
use crate::workflow::expr::JobStatus;

/// Time spent on the work itself, apart from the harness.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in crate::runner) struct WorkTime {
    /// Inside the person's builds.
    pub(in crate::runner) builds: Duration,
    /// Restoring, injecting, extracting and saving.
    pub(in crate::runner) copies: Duration,
}

/// What the steps of a job work with.
pub(super) struct StepContext<'a, E: Engine> {
    pub(super) engine: &'a E,
    pub(super) setting: &'a ExperimentContext<'a>,
    pub(super) plan: &'a JobPlan,
    pub(super) store: &'a mut Store,
    pub(super) number: u32,
    /// The number of the commit, the same for runs of one commit.
    pub(super) commit: u32,
    pub(super) go: GoRelease,
    pub(super) clock: Clock,
    pub(super) layout: Layout,
    /// The checked-out project as it came, for builds from the Git context.
    pub(super) checkout: PathBuf,
    pub(super) evidence_dir: PathBuf,
    /// Where files lie that an action's own process needs, outside of the runner's `/`.
    pub(super) private: PathBuf,
    pub(super) with_dance: bool,
    pub(super) recorder: Recorder<'a>,
    pub(super) status: JobStatus,
    pub(super) outputs: BTreeMap<StepKey, BTreeMap<String, String>>,
    pub(super) outcomes: BTreeMap<StepKey, (StepOutcome, StepOutcome)>,
    /// The steps that did not run, by their place in the plan.
    pub(super) skipped: BTreeSet<usize>,
    /// The composite actions in which a step failed, by scope.
    pub(super) failed: BTreeSet<usize>,
    /// The workspace as it lies on this machine.
    pub(super) workspace: PathBuf,
    /// Variables that steps have set for those after them, the latest last.
    pub(super) set_env: Vec<(String, String)>,
    pub(super) builders: Builders,
    /// By main step: what the restore left for its post step.
    pub(super) restored: BTreeMap<usize, Restored>,
    /// By main step that ran: the id its facts carry.
    pub(super) ids: BTreeMap<usize, StepId>,
    pub(super) work: WorkTime,
    /// What was taken for granted or left out without effect on the caches.
    pub(super) assumed: Vec<String>,
}

impl<'a, E: Engine> StepContext<'a, E> {
    /// Makes the context of a job that has not begun.
    pub(super) fn new(
        engine: &'a E,
        setting: &'a ExperimentContext<'a>,
        turn: RunSpec<'a>,
        store: &'a mut Store,
        places: JobPaths,
        log_name: &str,
        watch: &'a mut dyn FnMut(RunProgress),
    ) -> Result<Self, RunError> {
        let mut recorder = Recorder::create(&places.evidence.join("job.log"), log_name, turn.clock, watch)?;
        recorder.hide(turn.run.plan.given.clone());
        let workspace = places.layout.real(WORKSPACE.as_ref());
        Ok(Self {
            engine,
            setting,
            plan: &turn.run.plan,
            store,
            number: turn.number,
            commit: turn.run.commit,
            go: turn.run.go,
            clock: turn.clock,
            layout: places.layout,
            checkout: places.checkout,
            evidence_dir: places.evidence,
            private: places.private,
            with_dance: turn.with_dance,
            recorder,
            status: JobStatus::Success,
            outputs: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            skipped: BTreeSet::new(),
            failed: BTreeSet::new(),
            workspace,
            set_env: Vec::new(),
            builders: Builders::default(),
            restored: BTreeMap::new(),
            ids: BTreeMap::new(),
            work: WorkTime::default(),
            assumed: Vec::new(),
        })
    }

    /// Notes, once, what was taken for granted or left out without effect on the caches.
    pub(super) fn assume(&mut self, text: String) {
        if !self.assumed.contains(&text) {
            self.assumed.push(text);
        }
    }

    /// Returns the repository's name, where somebody has said it.
    pub(super) fn repository(&self) -> String {
        let own = self.plan.given.values.iter().find(|(path, _)| path.eq_ignore_ascii_case("github.repository"));
        own.map_or(REPOSITORY, |(_, name)| name.as_str()).to_owned()
    }

    /// Says that something which may matter is not as it is in CI.
    pub(super) fn stands_in(&mut self, what: &str) -> Result<(), RunError> {
        self.recorder.line(&format!("{}{what}", crate::evidence::STAND_IN))?;
        self.recorder.fact(Fact::StandIn { what: what.to_owned() });
        Ok(())
    }

    /// Adds time spent on a copy.
    pub(super) fn copied_since(&mut self, began: std::time::SystemTime) {
        self.work.copies += self.clock.now().duration_since(began).unwrap_or_default();
    }

    /// Returns where a path of an action's input leads.
    pub(super) fn real(&self, path: &str) -> PathBuf {
        self.layout.target(Path::new(path))
    }
}
