//! One run before it runs: its plan, and the world it finds. [`PlannedRun`] is principal.

use std::fs;
use std::path::{Path, PathBuf};

use super::job::WORKSPACE;
use crate::dockerfile::Dockerfile;
use crate::plan::{self, Given, JobPlan, NoFiles, PlanError, PlanOptions, RepositoryFiles};
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
        Self::with(happening, job, &Given::default(), &NoFiles)
    }

    /// Plans a run with what a person says, and with the files of the repository at hand.
    ///
    /// # Errors
    /// A workflow that cannot be read or planned as it stands then.
    pub fn with(
        happening: &TriggerEvent,
        job: Option<&str>,
        given: &Given,
        files: &dyn RepositoryFiles,
    ) -> Result<Self, PlanningError> {
        let workflow = Workflow::parse(&happening.workflow)?;
        let options = PlanOptions { given: given.clone(), trigger: happening.trigger.clone(), files };
        let plan = plan::choose_job(&workflow, job, &options)??;
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

/// The files of a repository that lies in a directory.
#[derive(Debug, Clone)]
pub struct RepositoryDir(pub PathBuf);

impl RepositoryFiles for RepositoryDir {
    fn read(&self, path: &str) -> Option<Source> {
        let text = fs::read_to_string(self.0.join(path)).ok()?;
        Some(Source::new(path, text))
    }
}

/// Finds the Dockerfile that a job builds, as far as its steps name it without a run: of several the first that has cache
/// mounts. Its name is its path in the project.
pub fn dockerfile_of(plan: &JobPlan, project: &Path) -> Option<Source> {
    let read = |path: &str| {
        let text = fs::read_to_string(project.join(path)).ok()?;
        Some(Source::new(path, text))
    };
    let mut found: Vec<Source> = plan.dockerfiles(WORKSPACE).iter().filter_map(|path| read(path)).collect();
    let mounts = |file: &Source| Dockerfile::parse(file).ok()?.cache_mounts(&Default::default()).ok();
    let with = found.iter().position(|file| mounts(file).is_some_and(|mounts| !mounts.is_empty()));
    with.or((!found.is_empty()).then_some(0)).map(|at| found.swap_remove(at))
}
