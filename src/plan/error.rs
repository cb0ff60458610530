//! Why a job cannot be planned; [`PlanError`] is principal.

use crate::source::{Source, Span};
use crate::workflow::expr::ExprError;

/// A job that cannot be planned, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {problem}")]
pub struct PlanError {
    /// The place as `name:line:column`.
    pub at: String,
    /// The place in the workflow's source.
    pub span: Span,
    /// What is wrong there.
    pub problem: PlanProblem,
}

/// What keeps a job from being planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanProblem {
    /// An expression cannot be read.
    #[error(transparent)]
    Expression(ExprError),
    /// No step builds an image.
    #[error("no step of the job `{job}` builds with docker/build-push-action; its steps are {steps}")]
    NoBuildStep {
        /// The job.
        job: String,
        /// Its steps by the names GitHub shows.
        steps: String,
    },
    /// No step is known to build, and one that is not known may.
    #[error("no step of the job `{job}` is known to build an image; step `{step}` may: {why}")]
    MayBuild {
        /// The job.
        job: String,
        /// The step by the name GitHub shows.
        step: String,
        /// Why it may.
        why: String,
    },
    /// The job calls a workflow that cannot be followed.
    #[error("the job `{job}` calls the workflow `{workflow}`, {reason}")]
    Called {
        /// The job.
        job: String,
        /// The workflow as it is named.
        workflow: String,
        /// Why it cannot be followed.
        reason: String,
    },
    /// No combination of the matrix is the one asked for.
    #[error("no combination of the matrix of the job `{job}` has {wanted}; there are {known}")]
    NoCombination {
        /// The job.
        job: String,
        /// What was asked for.
        wanted: String,
        /// All combinations.
        known: String,
    },
    /// Local actions that use one another without end.
    #[error("`{uses}` is used within itself, or more than ten actions deep")]
    TooDeep {
        /// The action.
        uses: String,
    },
    /// The only steps that build do so by other means.
    #[error("step `{step}` of the job `{job}` builds with {what}")]
    BuildsOtherwise {
        /// The job.
        job: String,
        /// The step by the name GitHub shows.
        step: String,
        /// What it does, in short, and why that is not reproduced.
        what: String,
    },
}

impl PlanError {
    pub(super) fn new(source: &Source, span: Span, problem: PlanProblem) -> Self {
        Self { at: source.cite(span), span, problem }
    }

    /// Says what to do about it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match &self.problem {
            PlanProblem::Expression(error) => error.hint(),
            PlanProblem::NoBuildStep { .. } => Some(
                "add a step `uses: docker/build-push-action@v6`, or choose another job with `--job NAME`".to_owned(),
            ),
            PlanProblem::MayBuild { .. } => {
                Some("give the workflow of the job that builds, or write the build as a step of its own".to_owned())
            }
            PlanProblem::Called { .. } => Some(
                "give the called workflow's file with `--workflow`, and what it is called with by `--input NAME=VALUE`"
                    .to_owned(),
            ),
            PlanProblem::NoCombination { .. } => Some("choose one with `--matrix NAME=VALUE`".to_owned()),
            PlanProblem::TooDeep { .. } => None,
            PlanProblem::BuildsOtherwise { .. } => {
                Some("write the build as `uses: docker/build-push-action@v6` with its inputs, or as a plain `docker buildx build` command".to_owned())
            }
        }
    }
}
