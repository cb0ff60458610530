//! Turns a workflow into ordered main and post steps. Pure. [`JobPlan`] is principal.
//!
//! A plan says what would happen on a runner and in which order: main steps as written, post steps in reverse, each with
//! its condition. It keeps templates unevaluated, because their values change while the job runs, and it fills in no
//! input's default, because those belong to the actions' semantics.

mod action;
mod error;
mod post;
mod step;
#[cfg(test)]
mod tests;
mod trigger;

pub use action::{Action, CacheStepPart, DanceMode};
pub use error::{PlanError, PlanProblem};
pub use post::{PostCondition, PostStep};
pub use step::{PlannedStep, Templates};
pub use trigger::{DEFAULT_BRANCH, Trigger};

use std::collections::HashSet;

use crate::cache::CacheAccess as Permission;
use crate::source::Source;
use crate::workflow::expr::{self, ExprError, Template};
use crate::workflow::{Job, Workflow};

/// One job as an ordered list of what happens.
#[derive(Debug, Clone, PartialEq)]
pub struct JobPlan {
    /// The workflow's name; the source's name when it has none, as on GitHub.
    pub workflow_name: String,
    /// The job's key under `jobs`.
    pub job_id: String,
    /// The job's name as GitHub shows it.
    pub job_name: String,
    /// What starts the run: a push to the default branch, unless somebody says otherwise.
    pub trigger: Trigger,
    /// What the job's `cache-mode`, or else the workflow's, lets it do with the cache.
    pub cache_mode: Permission,
    /// The workflow's variables.
    pub workflow_env: Templates,
    /// The job's variables.
    pub job_env: Templates,
    /// The main steps in order.
    pub steps: Vec<PlannedStep>,
    /// The post steps in the order they run.
    pub post_steps: Vec<PostStep>,
    source: Source,
}

impl JobPlan {
    /// Plans a job.
    ///
    /// # Errors
    /// When an expression cannot be read or no step builds an image.
    pub fn new(workflow: &Workflow, job: &Job) -> Result<Self, PlanError> {
        let source = workflow.source();
        let at_expression = |error: ExprError| PlanError::new(source, error.span(), PlanProblem::Expression(error));
        let steps = job.steps.iter().map(|step| PlannedStep::new(step, &source.text));
        let steps = steps.collect::<Result<Vec<_>, _>>().map_err(at_expression)?;
        if !steps.iter().any(|step| step.action == Action::BuildPush) {
            return Err(no_build(source, job, &steps));
        }
        let mode = job.cache_mode.as_ref().or(workflow.cache_mode.as_ref());
        Ok(Self {
            workflow_name: workflow.name.clone().unwrap_or_else(|| source.name.clone()),
            job_id: job.id.clone(),
            job_name: job.name.clone().unwrap_or_else(|| job.id.clone()),
            trigger: Trigger::default(),
            cache_mode: mode.map_or(Permission::default(), |mode| Permission::from_value(&mode.value)),
            workflow_env: step::templates(&workflow.env, &source.text).map_err(at_expression)?,
            job_env: step::templates(&job.env, &source.text).map_err(at_expression)?,
            post_steps: post::post_steps(&steps),
            steps,
            source: source.clone(),
        })
    }

    /// Returns the workflow's text, which every span of the plan points into.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Returns what the job may do with the cache: what `cache-mode` says, less what its event is not trusted with.
    pub fn permission(&self) -> Permission {
        match (self.trigger.is_low_trust(), self.cache_mode) {
            (true, Permission::Write) => Permission::Read,
            (true, Permission::WriteOnly) => Permission::None,
            (_, mode) => mode,
        }
    }

    /// Returns the steps that are listed and take no effect.
    pub fn not_reproduced(&self) -> impl Iterator<Item = &PlannedStep> {
        self.steps.iter().filter(|step| !step.action.is_reproduced())
    }

    /// Returns the template of a variable as a step sees it: its own, then the job's, then the workflow's.
    pub fn env<'a>(&'a self, step: &'a PlannedStep, name: &str) -> Option<&'a Template> {
        let levels = [&step.env, &self.job_env, &self.workflow_env];
        levels.into_iter().flatten().find(|(key, _)| key == name).map(|(_, template)| template)
    }

    /// Tells whether a step's template gives the same text in every run, looking through the variables it names.
    ///
    /// A variable nobody defines here may be set while the job runs, or be the runner's own; it counts as constant.
    pub fn constant_over_runs(&self, step: &PlannedStep, template: &Template) -> bool {
        let mut asked = HashSet::new();
        let mut open = vec![template];
        while let Some(template) = open.pop() {
            if !expr::constant_over_runs(template) {
                return false;
            }
            for name in expr::env_names(template) {
                let Some(name) = name else { return false };
                if let Some(value) = self.env(step, &name)
                    && asked.insert(name)
                {
                    open.push(value);
                }
            }
        }
        true
    }
}

fn no_build(source: &Source, job: &Job, steps: &[PlannedStep]) -> PlanError {
    let otherwise = steps.iter().find_map(|step| match &step.action {
        Action::NotReproduced { what, builds: true } => Some((step, what)),
        _ => None,
    });
    if let Some((step, what)) = otherwise {
        let problem = PlanProblem::BuildsOtherwise {
            job: job.id.clone(),
            step: step.display_name.clone(),
            what: what.strip_prefix("run: ").unwrap_or(what).to_owned(),
        };
        return PlanError::new(source, step.span, problem);
    }
    let names: Vec<_> = steps.iter().map(|step| format!("`{}`", step.display_name)).collect();
    PlanError::new(source, job.span, PlanProblem::NoBuildStep { job: job.id.clone(), steps: names.join(", ") })
}
