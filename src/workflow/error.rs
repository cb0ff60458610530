//! What can be wrong with a workflow; [`WorkflowError`] is principal.

use crate::source::{Source, Span};

/// A workflow that cannot be used, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {problem}")]
pub struct WorkflowError {
    /// The place as `name:line:column`.
    pub at: String,
    /// The place in the source.
    pub span: Span,
    /// What is wrong there.
    pub problem: WorkflowProblem,
}

/// What is wrong with a workflow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkflowProblem {
    /// The text is not YAML.
    #[error("not YAML: {0}")]
    NotYaml(String),
    /// The file holds more than one YAML document.
    #[error("a second YAML document begins")]
    SeveralDocuments,
    /// Nested too deeply, or grown too large by its aliases.
    #[error("nested too deeply, or too large once its aliases are replaced")]
    TooLarge,
    /// A mapping has a key twice.
    #[error("the key `{key}` stands already on line {first_line}")]
    DuplicateKey {
        /// The key.
        key: String,
        /// The line it stands on first.
        first_line: usize,
    },
    /// A mapping's key is a list or a mapping.
    #[error("a key must be a text")]
    KeyNotText,
    /// The document is not a mapping.
    #[error("a workflow must be a mapping, not {0}")]
    NotMapping(&'static str),
    /// There is no `jobs`, or there are none in it.
    #[error("the workflow has no `jobs`")]
    NoJobs,
    /// A field has the wrong shape.
    #[error("`{field}` must be {wanted}, not {found}")]
    Shape {
        /// The field, with what it belongs to.
        field: String,
        /// The shape GitHub wants.
        wanted: &'static str,
        /// The shape it has.
        found: &'static str,
    },
    /// An action's file lacks a field.
    #[error("{what} must have `{field}`")]
    ActionLacks {
        /// What lacks it.
        what: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A job has neither steps nor a workflow to call.
    #[error("the job `{0}` has no `steps`")]
    NoSteps(String),
    /// The chosen job calls another workflow.
    #[error("the job `{job}` calls the workflow `{workflow}` and has no steps of its own")]
    CallsWorkflow {
        /// The job.
        job: String,
        /// The workflow it calls.
        workflow: String,
    },
    /// A step has both `uses` and `run`.
    #[error("step {0} has both `uses` and `run`")]
    UsesAndRun(usize),
    /// A step has neither `uses` nor `run`.
    #[error("step {0} has neither `uses` nor `run`")]
    NeitherUsesNorRun(usize),
    /// A `uses` without a version.
    #[error("`uses: {0}` has no `@` with a tag, branch or commit")]
    NoReference(String),
    /// A `uses` that names no repository.
    #[error("`uses: {0}` names no `owner/repository`")]
    NoRepository(String),
    /// Two steps of a job have the same id.
    #[error("the step id `{id}` is taken by the step on line {first_line}")]
    DuplicateStepId {
        /// The id.
        id: String,
        /// The line of the first step of that id.
        first_line: usize,
    },
    /// An `if: !…` that YAML takes for a tag.
    #[error("YAML reads `{0}` as a tag, so the `if` is empty")]
    TagForCondition(String),
    /// A `cache-mode` that GitHub does not know.
    #[error("`cache-mode: {0}` is none of `read`, `write`, `write-only`, `none`")]
    CacheMode(String),
    /// There is no job of the name asked for.
    #[error("there is no job `{wanted}`; the workflow has {jobs}")]
    UnknownJob {
        /// The name asked for.
        wanted: String,
        /// The jobs with their lines.
        jobs: String,
    },
    /// Several jobs, and none is the only one that builds.
    #[error("the workflow has several jobs: {jobs}")]
    SeveralJobs {
        /// The jobs with their lines.
        jobs: String,
    },
}

impl WorkflowError {
    pub(super) fn new(source: &Source, span: Span, problem: WorkflowProblem) -> Self {
        Self { at: source.cite(span), span, problem }
    }

    /// Says what to do about it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        let hint = match &self.problem {
            WorkflowProblem::NotYaml(_) | WorkflowProblem::TooLarge | WorkflowProblem::KeyNotText => return None,
            WorkflowProblem::SeveralDocuments => "keep one workflow in a file",
            WorkflowProblem::DuplicateKey { .. } => "remove one of the two; GitHub refuses the file",
            WorkflowProblem::NotMapping(_) | WorkflowProblem::NoJobs => {
                "give a file as in .github/workflows, with `jobs:` and in it a job with `steps:`"
            }
            WorkflowProblem::Shape { field, found: "a mapping", wanted: "a single value" }
                if field.starts_with("with.") =>
            {
                "write the value as a block text: `|` behind the key, the JSON on the lines below"
            }
            WorkflowProblem::Shape { .. } | WorkflowProblem::ActionLacks { .. } => return None,
            WorkflowProblem::NoSteps(_) => "give the job `steps:`",
            WorkflowProblem::CallsWorkflow { .. } => "give the called workflow's file instead",
            WorkflowProblem::UsesAndRun(_) => "split it into two steps",
            WorkflowProblem::NeitherUsesNorRun(_) => "give the step one of the two",
            WorkflowProblem::NoReference(text) => {
                return Some(format!("write `uses: {text}@v…` with the action's version"));
            }
            WorkflowProblem::NoRepository(_) => "write `owner/repository@version`, `./path` or `docker://image`",
            WorkflowProblem::DuplicateStepId { .. } => "give each step of a job its own id",
            WorkflowProblem::TagForCondition(_) => "write the condition as `if: ${{ !… }}`",
            WorkflowProblem::CacheMode(_) => "leave it out for the usual `write`",
            WorkflowProblem::UnknownJob { .. } | WorkflowProblem::SeveralJobs { .. } => "choose one with `--job NAME`",
        };
        Some(hint.to_owned())
    }
}
