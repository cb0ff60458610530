//! Turns a workflow into ordered main and post steps. Pure. [`JobPlan`] is principal.
//!
//! A plan says what would happen on a runner and in which order: main steps as written, post steps in reverse, each with
//! its condition. It keeps templates unevaluated, because their values change while the job runs, and it fills in no
//! input's default, because those belong to the actions' semantics.

mod action;
mod bearing;
mod docker_cli;
mod error;
mod event;
mod expand;
mod files;
mod given;
mod matrix;
mod post;
mod scope;
mod step;
#[cfg(test)]
mod tests;
mod trigger;

pub use action::{Action, CacheStepPart, DanceMode};
pub use docker_cli::{BuildCommand, BuilderUse};
pub use error::{PlanError, PlanProblem};
pub use event::{NoSuchEvent, choose as choose_event};
pub use expand::choose_job;
pub use files::{NoFiles, RepositoryFiles, path_in_repository};
pub use given::{Given, Secret};
pub use matrix::MatrixChoice;
pub use post::{PostCondition, PostStep};
pub use scope::{InScope, PlanScope, ScopeInput, ScopeKind, ScopeSecrets};
pub use step::{PlannedStep, RunScript, Templates, UnknownText};
pub use trigger::{DEFAULT_BRANCH, Trigger};

use std::collections::HashSet;

use crate::cache::CacheAccess as Permission;
use crate::source::{Source, Span};
use crate::workflow::expr::{self, Condition, Template};
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
    /// The `if` of the job, and that of each job that calls it, with the scope each stands in; outermost first.
    pub job_conditions: Vec<(usize, Condition)>,
    /// What starts the run: a push to the default branch, unless somebody says otherwise.
    pub trigger: Trigger,
    /// What the job's `cache-mode`, or else the workflow's, lets it do with the cache.
    pub cache_mode: Permission,
    /// The workflow's variables.
    pub workflow_env: Templates,
    /// The job's variables.
    pub job_env: Templates,
    /// The places that expressions stand in; the first is the job of the workflow that was given.
    pub scopes: Vec<PlanScope>,
    /// The scope of the job itself: the first, or that of the workflow that it calls.
    pub job_scope: usize,
    /// What a person says that stands in no file.
    pub given: Given,
    /// The main steps in order, those of composite actions among them.
    pub steps: Vec<PlannedStep>,
    /// The post steps in the order they run.
    pub post_steps: Vec<PostStep>,
    /// What was chosen or taken for granted where the files leave it open, for a person to read.
    pub assumed: Vec<String>,
    source: Source,
}

/// What a plan needs beside the workflow.
#[derive(Clone)]
pub struct PlanOptions<'a> {
    /// What a person says.
    pub given: Given,
    /// What starts the run.
    pub trigger: Trigger,
    /// The repository, for local actions and called workflows.
    pub files: &'a dyn RepositoryFiles,
}

impl Default for PlanOptions<'_> {
    fn default() -> Self {
        Self { given: Given::default(), trigger: Trigger::default(), files: &NoFiles }
    }
}

impl JobPlan {
    /// Plans a job of which nothing is known but its workflow.
    ///
    /// # Errors
    /// As [`Self::with`].
    pub fn new(workflow: &Workflow, job: &Job) -> Result<Self, PlanError> {
        Self::with(workflow, job, &PlanOptions::default())
    }

    /// Plans a job, with the steps of the local actions that it uses and of the workflow that it calls.
    ///
    /// # Errors
    /// When an expression cannot be read, a called workflow is not at hand, no combination of the matrix is the one that was
    /// asked for, or no step builds an image.
    pub fn with(workflow: &Workflow, job: &Job, options: &PlanOptions) -> Result<Self, PlanError> {
        expand::plan(workflow, job, options)
    }

    /// Lists what a job does, whether or not a step of it builds an image.
    ///
    /// # Errors
    /// As [`Self::with`], but for the last.
    pub fn listed(workflow: &Workflow, job: &Job, options: &PlanOptions) -> Result<Self, PlanError> {
        expand::list(workflow, job, options)
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

    /// Returns the levels of variables that a step sees, nearest first, each with the scope it stands in: its own, those of
    /// the steps that use the actions it is part of, the job's, the workflow's.
    pub fn env_levels<'a>(&'a self, step: &'a PlannedStep) -> Vec<(usize, &'a Templates)> {
        let mut levels = vec![(step.scope, &step.env)];
        let mut at = self.scopes.get(step.scope);
        while let Some((scope, parent)) = at.and_then(|scope| Some((scope, scope.parent?))) {
            if scope.kind != ScopeKind::Composite {
                break;
            }
            levels.push((parent, &scope.env));
            at = self.scopes.get(parent);
        }
        levels.extend([(self.job_scope, &self.job_env), (self.job_scope, &self.workflow_env)]);
        levels
    }

    /// Returns the template of a variable as a step sees it.
    pub fn env<'a>(&'a self, step: &'a PlannedStep, name: &str) -> Option<&'a Template> {
        let levels = self.env_levels(step);
        levels.into_iter().flat_map(|(_, level)| level).find(|(key, _)| key == name).map(|(_, template)| template)
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
        let why = step.doubt.as_ref().filter(|_| step.script.is_some());
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        let problem = PlanProblem::BuildsOtherwise {
            job: job.id.clone(),
            step: step.display_name.clone(),
            what: format!("`{}`, which is not reproduced{why}", what.strip_prefix("run: ").unwrap_or(what)),
        };
        return PlanError::new(&step.source, step.span, problem);
    }
    let names: Vec<_> = steps.iter().map(|step| format!("`{}`", step.display_name)).collect();
    let hidden = steps.iter().find(|step| {
        matches!(step.action, Action::NotReproduced { .. }) && step.doubt.is_some() && step.uses.is_some()
    });
    if let Some(step) = hidden {
        let problem = PlanProblem::MayBuild {
            job: job.id.clone(),
            step: step.display_name.clone(),
            why: step.doubt.clone().unwrap_or_default(),
        };
        return PlanError::new(&step.source, step.span, problem);
    }
    PlanError::new(source, job.span, PlanProblem::NoBuildStep { job: job.id.clone(), steps: names.join(", ") })
}

impl JobPlan {
    /// Adds something that was chosen or taken for granted, once.
    fn assume(&mut self, text: String) {
        if !self.assumed.contains(&text) {
            self.assumed.push(text);
        }
    }

    /// Returns a scope and those around it, as far as they are composite actions; innermost first.
    pub fn scopes_around(&self, scope: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(scope), |at| {
            let scope = self.scopes.get(*at)?;
            scope.parent.filter(|_| scope.kind == ScopeKind::Composite)
        })
    }

    /// Returns the step that uses the composite action of a scope.
    pub fn composite(&self, scope: usize) -> Option<&PlannedStep> {
        self.steps.iter().find(|step| step.action == Action::Composite(scope))
    }

    /// Lists the Dockerfiles that the build steps name, by their path in the repository, as far as nothing of them depends on a
    /// run. `workspace` is where the runner checks out.
    pub fn dockerfiles(&self, workspace: &str) -> Vec<String> {
        let clean = |path: &str| {
            let path = path.strip_prefix(workspace).unwrap_or(path).trim_start_matches('/');
            files::path_in_repository("", path).unwrap_or_default()
        };
        let of = |step: &PlannedStep| {
            let contexts = scope::BeforeTheJob { plan: self, scope: step.scope, step: Some((step, 0)), workspace };
            let input = |name: &str| match step.input(name) {
                Some(template) => template.evaluate(&contexts).ok().map(|text| text.trim().to_owned()),
                None => Some(String::new()),
            };
            let (context, file) = (input("context")?, input("file")?);
            let context = context
                .strip_prefix("{{defaultContext}}")
                .map_or(context.as_str(), |below| below.trim_start_matches(':'));
            Some(match file.as_str() {
                "" => clean(&format!("{context}/Dockerfile")),
                file => clean(file),
            })
        };
        let scripted = |step: &PlannedStep| -> Option<Vec<String>> {
            let contexts = scope::BeforeTheJob { plan: self, scope: step.scope, step: Some((step, 0)), workspace };
            let (text, _) = step.script.as_ref()?.marked(&contexts);
            let directory = step.working_directory.as_ref().map(|template| template.evaluate(&contexts).ok());
            let directory = directory.unwrap_or(Some(String::new()))?;
            let builds = RunScript::builds(&text, &|name| self.env(step, name)?.evaluate(&contexts).ok()).ok()?;
            let path = |build: &BuildCommand| {
                let mut base = directory.clone();
                for part in &build.directory {
                    base = format!("{base}/{}", part.known()?);
                }
                let context = build.context.as_ref()?.known()?;
                let file = match &build.file {
                    Some(file) => file.known()?.to_owned(),
                    None => format!("{context}/Dockerfile"),
                };
                Some(clean(&if file.starts_with('/') { file } else { format!("{base}/{file}") }))
            };
            Some(builds.iter().filter_map(path).collect())
        };
        let all = self.steps.iter().filter(|step| step.action.builds());
        all.flat_map(|step| match step.action {
            Action::BuildScript => scripted(step).unwrap_or_default(),
            _ => of(step).into_iter().collect(),
        })
        .collect()
    }

    /// Cites a place of a scope's text.
    pub fn cite(&self, scope: usize, span: Span) -> String {
        self.scopes.get(scope).map_or_else(|| self.source.cite(span), |scope| scope.source.cite(span))
    }
}
