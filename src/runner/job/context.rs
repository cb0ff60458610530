//! What the steps of one job share: its plan and its runner, its log and its facts, and the values that steps leave for later
//! ones. [`StepContext`] is principal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::builders::Builders;
use super::cache::Restored;
use super::contexts::JobContexts;
use super::recorder::Recorder;
use super::{JobPaths, WORKSPACE};
use crate::engine::Engine;
use crate::evidence::StepOutcome;
use crate::plan::{JobPlan, PlannedStep};
use crate::runner::archive::Layout;
use crate::runner::experiment::{ExperimentContext, RunSpec};
use crate::runner::store::Store;
use crate::runner::{Clock, RunError, RunProgress};
use crate::scenario::GoRelease;
use crate::workflow::expr::{JobStatus, Template};

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
    pub(super) with_dance: bool,
    pub(super) recorder: Recorder<'a>,
    pub(super) status: JobStatus,
    outputs: BTreeMap<String, BTreeMap<String, String>>,
    outcomes: BTreeMap<String, (StepOutcome, StepOutcome)>,
    pub(super) builders: Builders,
    /// By main step: what the restore left for its post step.
    pub(super) restored: BTreeMap<usize, Restored>,
    pub(super) work: WorkTime,
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
        let recorder = Recorder::create(&places.evidence.join("job.log"), log_name, turn.clock, watch)?;
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
            with_dance: turn.with_dance,
            recorder,
            status: JobStatus::Success,
            outputs: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            builders: Builders::default(),
            restored: BTreeMap::new(),
            work: WorkTime::default(),
        })
    }

    pub(super) fn contexts<'c>(&'c self, step: Option<&'c PlannedStep>) -> JobContexts<'c> {
        JobContexts {
            plan: self.plan,
            step,
            number: self.number,
            commit: self.commit,
            workspace: self.layout.real(WORKSPACE.as_ref()),
            outputs: &self.outputs,
            outcomes: &self.outcomes,
            status: self.status,
        }
    }

    /// Evaluates a template; a failure is the step's, in the log, and `None`.
    pub(super) fn evaluate(&self, step: &PlannedStep, template: &Template) -> Result<String, String> {
        template.evaluate(&self.contexts(Some(step))).map_err(|error| error.to_string())
    }

    /// Evaluates one input; `None` when it is not given. An expression that fails counts as empty, and is logged.
    pub(super) fn input(&mut self, step: &PlannedStep, name: &str) -> Result<Option<String>, RunError> {
        let Some(template) = step.input(name) else { return Ok(None) };
        match self.evaluate(step, template) {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                self.recorder.error(&format!("{name}: {error}"))?;
                Ok(Some(String::new()))
            }
        }
    }

    /// Evaluates all inputs given.
    pub(super) fn inputs(&mut self, step: &PlannedStep) -> Result<Vec<(String, String)>, RunError> {
        let mut values = Vec::new();
        for (name, _) in &step.with {
            let value = self.input(step, name)?.unwrap_or_default();
            values.push((name.clone(), value));
        }
        Ok(values)
    }

    pub(super) fn output(&mut self, step: &PlannedStep, name: &str, value: &str) {
        if let Some(id) = &step.id {
            self.outputs.entry(id.clone()).or_default().insert(name.to_owned(), value.to_owned());
        }
    }

    pub(super) fn remember(&mut self, step: &PlannedStep, outcome: StepOutcome, conclusion: StepOutcome) {
        if let Some(id) = &step.id {
            self.outcomes.insert(id.clone(), (outcome, conclusion));
        }
    }

    pub(super) fn tolerates(&self, step: &PlannedStep) -> bool {
        let value = step.continue_on_error.as_ref().map(|template| self.evaluate(step, template));
        matches!(value, Some(Ok(text)) if text.trim() == "true")
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
