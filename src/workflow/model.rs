//! A workflow as data; [`Workflow`] is principal. Reading it from YAML is `read`'s.

use super::{ActionRef, DataNode, OnEvent, WorkflowError, WorkflowProblem};
use crate::source::{Source, Span, Spanned};

/// Names and values in the order written: `env` and `with`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkflowVariables(pub Vec<(String, Spanned<String>)>);

impl WorkflowVariables {
    /// Returns a value by its name, without regard to case.
    pub fn get(&self, name: &str) -> Option<&Spanned<String>> {
        self.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Returns the names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Spanned<String>)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }
}

/// A GitHub workflow, as far as an experiment needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct Workflow {
    /// The `name`, if any.
    pub name: Option<String>,
    /// The events that start it, in the order written, with what each says of its refs and inputs.
    pub on: Vec<OnEvent>,
    /// The variables of every job.
    pub env: WorkflowVariables,
    /// The jobs in the order written; never empty.
    pub jobs: Vec<Job>,
    /// `defaults.run.working-directory`.
    pub working_directory: Option<Spanned<String>>,
    /// `defaults.run.shell`.
    pub shell: Option<Spanned<String>>,
    /// `cache-mode`, if any: `read`, `write`, `write-only` or `none`.
    pub cache_mode: Option<Spanned<String>>,
    pub(super) source: Source,
}

/// A job.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its key under `jobs`.
    pub id: String,
    /// Its `name`, if any.
    pub name: Option<String>,
    /// The variables of its steps.
    pub env: WorkflowVariables,
    /// Its steps; empty only when it calls a workflow.
    pub steps: Vec<Step>,
    /// `defaults.run.working-directory` of the job.
    pub working_directory: Option<Spanned<String>>,
    /// `defaults.run.shell` of the job.
    pub shell: Option<Spanned<String>>,
    /// Its `if`, if any.
    pub condition: Option<Spanned<String>>,
    /// The labels of `runs-on`; `None` where they are no plain text or list.
    pub runs_on: Option<Vec<Spanned<String>>>,
    /// Whether its steps run in a container.
    pub in_container: bool,
    /// `strategy.matrix`, if any.
    pub matrix: Option<DataNode>,
    /// What it gives to the workflow it calls.
    pub with: WorkflowVariables,
    /// The secrets it gives to the workflow it calls.
    pub secrets: CallSecrets,
    /// `cache-mode` of the job, if any; it goes before the workflow's.
    pub cache_mode: Option<Spanned<String>>,
    /// The workflow it calls instead of having steps.
    pub calls: Option<String>,
    /// The place of its key.
    pub span: Span,
}

/// The secrets that a job gives to the workflow it calls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CallSecrets {
    /// None.
    #[default]
    None,
    /// `secrets: inherit`: all of the caller's.
    Inherit,
    /// These, by name.
    Named(WorkflowVariables),
}

/// A step of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its place among the job's steps, from 0.
    pub index: usize,
    /// Its `id`, if any.
    pub id: Option<String>,
    /// Its `name`, if any.
    pub name: Option<Spanned<String>>,
    /// Its `if`, if any.
    pub condition: Option<Spanned<String>>,
    /// What it does.
    pub action: StepAction,
    /// Its variables.
    pub env: WorkflowVariables,
    /// Its inputs.
    pub with: WorkflowVariables,
    /// Its `working-directory`, if any; it concerns `run` only.
    pub working_directory: Option<Spanned<String>>,
    /// Its `shell`, if any; it concerns `run` only.
    pub shell: Option<Spanned<String>>,
    /// Its `continue-on-error`, if any.
    pub continue_on_error: Option<Spanned<String>>,
    /// The place of the whole step.
    pub span: Span,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepAction {
    /// Uses an action.
    Uses(ActionRef),
    /// Runs a script.
    Run {
        /// The script.
        script: Spanned<String>,
    },
}

impl Workflow {
    /// Reads a workflow.
    ///
    /// # Errors
    /// When the text is not YAML or not what GitHub accepts as a workflow; the error names the place.
    pub fn parse(source: &Source) -> Result<Self, WorkflowError> {
        super::read::workflow(source)
    }

    /// Returns the text the spans point into.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Returns the event of this name.
    pub fn event(&self, name: &str) -> Option<&OnEvent> {
        self.on.iter().find(|event| event.name == name)
    }

    /// Chooses the job to reproduce: the one asked for, else the only one, else the only one that builds an image.
    ///
    /// # Errors
    /// When there is no such job, when the choice is open, or when the job has no steps of its own.
    pub fn job(&self, select: Option<&str>) -> Result<&Job, WorkflowError> {
        let mut building = self.jobs.iter().filter(|job| job.builds());
        let job = match (select, building.next(), building.next()) {
            (None, Some(job), None) if self.jobs.len() > 1 => job,
            _ => self.named_job(select)?,
        };
        match &job.calls {
            Some(workflow) => {
                let problem = WorkflowProblem::CallsWorkflow { job: job.id.clone(), workflow: workflow.clone() };
                Err(WorkflowError::new(&self.source, job.span, problem))
            }
            None => Ok(job),
        }
    }

    /// Tells whether an event starts the workflow. One that names no event is taken to run on every one.
    ///
    /// Filters of branches and paths are not looked at.
    pub fn listens_to(&self, event: &str) -> bool {
        self.on.is_empty() || self.on.iter().any(|known| known.name == event)
    }

    /// Returns the job of a name, or the only one.
    ///
    /// # Errors
    /// When there is no such job, or none is named of several.
    pub(crate) fn named_job(&self, select: Option<&str>) -> Result<&Job, WorkflowError> {
        match (select, self.jobs.as_slice()) {
            (None, [job]) => Ok(job),
            (None, _) => Err(self.several_jobs()),
            (Some(wanted), jobs) => jobs.iter().find(|job| job.id == wanted).ok_or_else(|| {
                self.refuse(WorkflowProblem::UnknownJob { wanted: wanted.to_owned(), jobs: self.list_jobs() })
            }),
        }
    }

    /// Says that one of several jobs must be named.
    pub(crate) fn several_jobs(&self) -> WorkflowError {
        self.refuse(WorkflowProblem::SeveralJobs { jobs: self.list_jobs() })
    }

    /// Makes an error about the jobs as a whole.
    fn refuse(&self, problem: WorkflowProblem) -> WorkflowError {
        WorkflowError::new(&self.source, self.jobs.first().map_or(Span::default(), |job| job.span), problem)
    }

    /// Lists the jobs with their lines, for messages.
    fn list_jobs(&self) -> String {
        let job = |job: &Job| format!("`{}` (line {})", job.id, self.source.place(job.span.start).line);
        self.jobs.iter().map(job).collect::<Vec<_>>().join(", ")
    }
}

impl Job {
    /// Tells whether a step builds an image with docker/build-push-action.
    pub fn builds(&self) -> bool {
        self.steps.iter().any(|step| match &step.action {
            StepAction::Uses(action) => action.is("docker", "build-push-action", ""),
            StepAction::Run { .. } => false,
        })
    }
}
