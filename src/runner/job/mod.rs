//! One job on one fresh runner: main steps in order, post steps in reverse. [`RunningJob`] is principal.
//!
//! A job tells which step comes when; a [`StepProvider`] carries it out, in a [`StepContext`] that knows the plan and the
//! runner, writes the log and keeps the facts. A step that fails fails the job, as on GitHub; only what stops the harness
//! itself is an error.

mod build;
mod build_script;
mod build_spec;
mod builders;
mod cache;
mod context;
mod context_tar;
mod contexts;
mod dance;
mod enclosing;
mod header;
mod provider;
mod real;
mod recorder;
mod simulation;
mod values;

use std::path::PathBuf;

use super::archive::Layout;
use super::experiment::{ExperimentContext, RunSpec};
use super::store::Store;
use super::{RunError, RunProgress};
use crate::engine::Engine;
use crate::evidence::{Event, Fact, Phase, StepOutcome};
use crate::plan::{Action, PlannedStep};
use crate::workflow::expr::JobStatus;
use context::{StepContext, WorkTime};
use contexts::JobContexts;
use provider::{PostTurn, StepProvider};
use real::RealActions;
use recorder::Recorder;
use simulation::Simulation;

/// The workspace as the job sees it.
pub(super) const WORKSPACE: &str = "/home/runner/work/app/app";

/// The home directory as the job sees it.
pub(super) const HOME: &str = "/home/runner";

/// A job under way.
pub(super) struct RunningJob<'a, E: Engine> {
    job: StepContext<'a, E>,
    simulation: Simulation,
    /// The actions that run for real, if any do.
    real: Option<RealActions<'a>>,
}

/// What a finished job leaves.
pub(super) struct FinishedJob {
    pub(super) events: Vec<Event>,
    pub(super) assumed: Vec<String>,
    pub(super) work: WorkTime,
}

/// How a step's work went.
pub(super) type StepResult = Result<StepOutcome, RunError>;

/// Where one job's files lie.
pub(super) struct JobPaths {
    pub(super) layout: Layout,
    pub(super) checkout: PathBuf,
    pub(super) evidence: PathBuf,
    /// Files for what runs inside the runner; it need not exist.
    pub(super) private: PathBuf,
}

impl<'a, E: Engine> RunningJob<'a, E> {
    pub(super) fn new(
        engine: &'a E,
        setting: &'a ExperimentContext<'a>,
        turn: RunSpec<'a>,
        store: &'a mut Store,
        places: JobPaths,
        log_name: &str,
        watch: &'a mut dyn FnMut(RunProgress),
    ) -> Result<Self, RunError> {
        let job = StepContext::new(engine, setting, turn, store, places, log_name, watch)?;
        let real = setting.real.map(|real| RealActions::new(real, log_name));
        Ok(Self { job, simulation: Simulation, real })
    }

    /// Runs the job to its end.
    pub(super) async fn run(mut self) -> Result<FinishedJob, RunError> {
        let plan = self.job.plan;
        self.set_up()?;
        self.job.job_runs()?;
        self.job.prove_fresh().await?;
        for step in &plan.steps {
            self.main_step(step).await?;
        }
        for step in plan.steps.iter().rev() {
            self.post_step(step).await?;
        }
        self.job.recorder.line("Cleaning up orphan processes")?;
        self.job.record_mounts().await?;
        let events = self.job.recorder.finish()?;
        Ok(FinishedJob { events, assumed: self.job.assumed, work: self.job.work })
    }

    /// Fetches the dances' code, as the set-up does for every step, whether or not its condition will hold, and makes the
    /// providers ready.
    fn set_up(&mut self) -> Result<(), RunError> {
        let job = &mut self.job;
        job.recorder.line(&format!("Current runner version: 'verify-buildkit-cache {}'", env!("CARGO_PKG_VERSION")))?;
        let real = &mut self.real;
        for step in job.plan.steps.iter().filter(|step| job.with_dance && is_dance(step, real.as_ref())) {
            if let Some(uses) = &step.uses {
                job.recorder.line(&format!("Download action repository '{}'", uses.text))?;
                job.recorder.fact(Fact::DanceDownloaded { uses: uses.text.clone() });
            }
        }
        for step in &job.plan.steps {
            match real.as_mut().filter(|real| StepProvider::<E>::supports(*real, step)) {
                Some(real) => real.set_up(job, step)?,
                None => self.simulation.set_up(job, step)?,
            }
        }
        Ok(())
    }

    async fn main_step(&mut self, step: &'a PlannedStep) -> Result<(), RunError> {
        let job = &mut self.job;
        let enclosed = job.plan.scopes_around(step.scope).any(|scope| job.is_skipped(scope));
        let runs = match step.condition.evaluate(&JobContexts { decides: true, ..job.contexts(step) }) {
            Ok(runs) => runs,
            // Whether it runs or not, nothing comes of it here.
            Err(_) if !step.action.is_reproduced() || enclosed => true,
            Err(error) => return Err(job.unresolved(step, "the condition", &error)),
        };
        let danced_out = !job.with_dance && is_dance(step, self.real.as_ref());
        if !runs || danced_out || enclosed {
            job.skipped.insert(step.index);
            job.remember(step, StepOutcome::Skipped, StepOutcome::Skipped);
            return Ok(());
        }
        let id = job.recorder.begin(Phase::Main, &step.display_name, None)?;
        job.ids.insert(step.index, id);
        let began = job.clock.now();
        let outcome = match self.real.as_mut().filter(|real| StepProvider::<E>::supports(*real, step)) {
            Some(real) => real.main(job, step).await?,
            None => self.simulation.main(job, step).await?,
        };
        let tolerated = outcome == StepOutcome::Failure && job.tolerates(step)?;
        if outcome == StepOutcome::Failure && !tolerated {
            job.fail(step.scope)?;
        }
        job.remember(step, outcome, if tolerated { StepOutcome::Success } else { outcome });
        job.recorder.end(outcome, began)
    }

    async fn post_step(&mut self, step: &'a PlannedStep) -> Result<(), RunError> {
        let job = &mut self.job;
        let Some(of) = job.ids.get(&step.index).copied() else { return Ok(()) };
        let mut real = self.real.as_mut().filter(|real| StepProvider::<E>::supports(*real, step));
        let turn = match &mut real {
            Some(real) => real.post_turn(job, step)?,
            None => self.simulation.post_turn(job, step)?,
        };
        let Some(PostTurn { runs: true, display_name }) = turn else { return Ok(()) };
        job.recorder.begin(Phase::Post, &display_name, Some(of))?;
        let began = job.clock.now();
        job.recorder.line("Post job cleanup.")?;
        let outcome = match real {
            Some(real) => real.post(job, step).await?,
            None => self.simulation.post(job, step).await?,
        };
        if outcome == StepOutcome::Failure {
            job.status = JobStatus::Failure;
        }
        job.recorder.end(outcome, began)
    }
}

fn is_dance(step: &PlannedStep, real: Option<&RealActions<'_>>) -> bool {
    matches!(step.action, Action::Dance(_)) || real.is_some_and(|real| real.is_dance(step))
}
