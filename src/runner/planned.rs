//! One run before it runs: its plan, and the world it finds. [`PlannedRun`] is principal.

use crate::plan::{JobPlan, PlanError};
use crate::scenario::sample::SourceChange;
use crate::scenario::{GoRelease, TriggerEvent};
use crate::source::Source;
use crate::workflow::{Workflow, WorkflowError};

/// One run of an experiment. The event, the ref and the base branch are the plan's trigger.
#[derive(Debug, Clone)]
pub struct PlannedRun {
    /// What the job does.
    pub plan: JobPlan,
    /// The Dockerfile of the bundled sample at that time; a directory brings its own.
    pub dockerfile: Source,
    /// The commits so far, oldest first; the first run of all has none.
    pub edits: Vec<SourceChange>,
    /// The number of the commit the run is of: runs of one commit have the same.
    pub commit: u32,
    /// Days that have passed since the run before.
    pub days: u32,
    /// Entries whose key begins so are damaged in the store before the run.
    pub damage: Option<String>,
    /// What a floating tag of the Go image stands for.
    pub go: GoRelease,
}

/// Why a workflow cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanningError {
    /// The workflow cannot be read.
    #[error(transparent)]
    Workflow(#[from] WorkflowError),
    /// The job cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

impl PlanningError {
    /// Says what a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Workflow(error) => error.hint(),
            Self::Plan(error) => error.hint(),
        }
    }
}

impl PlannedRun {
    /// Plans what happens in a scenario.
    ///
    /// # Errors
    /// A workflow that cannot be read or planned as it stands then.
    pub fn new(happening: &TriggerEvent, job: Option<&str>) -> Result<Self, PlanningError> {
        let workflow = Workflow::parse(&happening.workflow)?;
        let mut plan = JobPlan::new(&workflow, workflow.job(job)?)?;
        plan.trigger = happening.trigger.clone();
        Ok(Self {
            plan,
            dockerfile: happening.dockerfile.clone(),
            edits: happening.edits.iter().copied().map(SourceChange::from).collect(),
            commit: happening.commit,
            days: happening.days,
            damage: happening.damage.clone(),
            go: happening.go,
        })
    }
}
