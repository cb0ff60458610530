//! From a job to its plan, across files: local composite actions and called workflows are followed. [`plan`] is principal.

use std::sync::Arc;

use super::action::Action;
use super::bearing;
use super::files::path_in_repository;
use super::matrix::{self, MatrixChoice};
use super::scope::{BeforeTheJob, PlanScope, ScopeInput, ScopeKind, ScopeSecrets};
use super::step::{self, PlannedStep};
use super::{JobPlan, Permission, PlanError, PlanOptions, PlanProblem, no_build, post};
use crate::source::Source;
use crate::workflow::expr::{Condition, ExprError, Template};
use crate::workflow::{
    ActionFile, ActionForm, ActionRuns, CallSecrets, InputDeclaration, Job, OnEvent, Step, StepAction, Workflow,
    WorkflowError,
};

/// How deep actions and called workflows may lie in one another, as on GitHub.
const DEEPEST: usize = 10;

/// Plans the job to reproduce: the one asked for, else the only one, else the only one that builds with a dance, else the only
/// one that builds.
///
/// # Errors
/// When there is no such job, when the choice is open, or as [`JobPlan::with`].
pub fn choose_job(
    workflow: &Workflow,
    select: Option<&str>,
    options: &PlanOptions,
) -> Result<Result<JobPlan, PlanError>, WorkflowError> {
    if select.is_some() || workflow.jobs.len() == 1 {
        return Ok(JobPlan::with(workflow, workflow.named_job(select)?, options));
    }
    let plans: Vec<Result<JobPlan, PlanError>> =
        workflow.jobs.iter().map(|job| JobPlan::with(workflow, job, options)).collect();
    let fits = |test: &dyn Fn(&JobPlan) -> bool| -> Vec<usize> {
        let good = plans.iter().enumerate().filter(|(_, plan)| plan.as_ref().is_ok_and(test));
        good.map(|(at, _)| at).collect()
    };
    let danced = fits(&|plan| plan.steps.iter().any(|step| matches!(step.action, Action::Dance(_))));
    let building = fits(&|_| true);
    let [at] = (if danced.is_empty() { building } else { danced })[..] else {
        return Err(workflow.several_jobs());
    };
    let mut plans = plans;
    let mut plan = plans.swap_remove(at);
    if let Ok(plan) = &mut plan {
        let text = format!("the job `{}` is run, the one that builds; choose another with `--job NAME`", plan.job_id);
        plan.assume(text);
    }
    Ok(plan)
}

/// Plans a job that builds.
pub(super) fn plan(workflow: &Workflow, job: &Job, options: &PlanOptions) -> Result<JobPlan, PlanError> {
    let plan = list(workflow, job, options)?;
    if !plan.steps.iter().any(|step| step.action.builds()) {
        return Err(no_build(workflow.source(), job, &plan.steps));
    }
    Ok(plan)
}

/// Lists what a job does.
pub(super) fn list(workflow: &Workflow, job: &Job, options: &PlanOptions) -> Result<JobPlan, PlanError> {
    let source = Arc::new(workflow.source().clone());
    let mut plan = JobPlan {
        workflow_name: workflow.name.clone().unwrap_or_else(|| source.name.clone()),
        job_id: job.id.clone(),
        job_name: job.name.clone().unwrap_or_else(|| job.id.clone()),
        job_conditions: Vec::new(),
        trigger: options.trigger.clone(),
        cache_mode: Permission::default(),
        workflow_env: Vec::new(),
        job_env: Vec::new(),
        scopes: Vec::new(),
        job_scope: 0,
        given: options.given.clone(),
        steps: Vec::new(),
        post_steps: Vec::new(),
        assumed: Vec::new(),
        source: workflow.source().clone(),
    };
    let inputs = ScopeInput::all(started_with(workflow, &plan), &Vec::new(), &source.text).map_err(in_file(&source))?;
    plan.scopes.push(PlanScope {
        kind: ScopeKind::Workflow,
        parent: None,
        inputs,
        outputs: Vec::new(),
        env: Vec::new(),
        matrix: None,
        secrets: ScopeSecrets::All,
        source: Arc::clone(&source),
    });
    let mut expander = Expander { options, plan };
    expander.job(workflow, job, 0)?;
    let mut plan = expander.plan;
    let carried = carried(&plan);
    let doubts: Vec<Option<String>> =
        plan.steps.iter().map(|step| bearing::doubt(step, &carried, &plan.given)).collect();
    for (step, doubt) in plan.steps.iter_mut().zip(doubts) {
        // What keeps a script from being understood says more than that it is not.
        step.doubt = doubt.map(|doubt| step.doubt.take().unwrap_or(doubt));
    }
    plan.post_steps = post::post_steps(&plan.steps);
    Ok(plan)
}

/// Returns the inputs that whoever starts the workflow gives: those of a call, where it can only be called; those of a
/// dispatch, where that is the event or something is given.
fn started_with<'a>(workflow: &'a Workflow, plan: &JobPlan) -> &'a [InputDeclaration] {
    let of = |name: &str| {
        workflow.on.iter().find(|event: &&OnEvent| event.name == name).map(|event| event.inputs.as_slice())
    };
    let only_called = !workflow.on.is_empty() && workflow.on.iter().all(|event| event.name == "workflow_call");
    if only_called {
        return of("workflow_call").unwrap_or_default();
    }
    match plan.trigger.event == "workflow_dispatch" || !plan.given.inputs.is_empty() {
        true => of("workflow_dispatch").or_else(|| of("workflow_call")).unwrap_or_default(),
        false => &[],
    }
}

/// Returns the directories that the cache and dance steps name, as far as they are written out.
fn carried(plan: &JobPlan) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |path: &str| {
        let path = path.trim().trim_start_matches("./").trim_end_matches('/');
        if path.len() > 1 && !path.contains(['$', '*', '{']) && !found.iter().any(|known| known == path) {
            found.push(path.to_owned());
        }
    };
    for step in &plan.steps {
        match step.action {
            Action::Cache(_) => step.input("path").iter().flat_map(|path| path.raw().lines()).for_each(&mut add),
            Action::Dance(_) => {
                let map = step.input("cache-map").and_then(|map| serde_json::from_str(map.raw()).ok());
                if let Some(serde_json::Value::Object(entries)) = map {
                    entries.iter().for_each(|(source, _)| add(source));
                }
                for name in ["cache-source", "cache-dir"] {
                    step.input(name).into_iter().for_each(|path| add(path.raw()));
                }
            }
            _ => {}
        }
    }
    found
}

fn in_file(source: &Source) -> impl Fn(ExprError) -> PlanError {
    move |error| PlanError::new(source, error.span(), PlanProblem::Expression(error))
}

/// A plan under way.
struct Expander<'a> {
    options: &'a PlanOptions<'a>,
    plan: JobPlan,
}

impl Expander<'_> {
    /// Plans a job whose scope is there.
    fn job(&mut self, workflow: &Workflow, job: &Job, scope: usize) -> Result<(), PlanError> {
        let source = Arc::clone(&self.plan.scopes[scope].source);
        if let Some(condition) = &job.condition {
            let condition = Condition::parse(condition, &source.text).map_err(in_file(&source))?;
            self.plan.job_conditions.push((scope, condition));
        }
        if let Some(matrix) = &job.matrix {
            let before = BeforeTheJob { plan: &self.plan, scope, step: None, workspace: "" };
            let wanted = if scope == 0 || self.plan.scopes[0].matrix.is_none() {
                self.options.given.matrix.as_slice()
            } else {
                &[]
            };
            let choice = matrix::choose(matrix, &before, &source, wanted).map_err(|none| {
                let known = none.known.iter().map(|one| format!("({one})")).collect::<Vec<_>>().join(", ");
                let problem = PlanProblem::NoCombination { job: job.id.clone(), wanted: none.wanted, known };
                PlanError::new(&source, job.span, problem)
            })?;
            self.say_matrix(&choice);
            self.plan.scopes[scope].matrix = Some(choice);
        }
        if let Some(called) = &job.calls {
            return self.call(job, called, scope);
        }
        let mode = job.cache_mode.as_ref().or(workflow.cache_mode.as_ref());
        self.plan.cache_mode = mode.map_or(Permission::default(), |mode| Permission::from_value(&mode.value));
        self.plan.workflow_env = step::templates(&workflow.env, &source.text).map_err(in_file(&source))?;
        self.plan.job_env = step::templates(&job.env, &source.text).map_err(in_file(&source))?;
        self.plan.job_scope = scope;
        self.steps(&job.steps, scope, 0)?;
        self.run_defaults(workflow, job, scope, &source)
    }

    /// Gives `run` steps of the job itself the working directory and the shell of `defaults`.
    fn run_defaults(&mut self, workflow: &Workflow, job: &Job, scope: usize, source: &Source) -> Result<(), PlanError> {
        let directory = job.working_directory.as_ref().or(workflow.working_directory.as_ref());
        let directory =
            directory.map(|text| Template::parse(text, &source.text)).transpose().map_err(in_file(source))?;
        let shell = job.shell.as_ref().or(workflow.shell.as_ref()).map(|shell| shell.value.clone());
        for step in self.plan.steps.iter_mut().filter(|step| step.scope == scope) {
            if let Some(script) = &mut step.script {
                script.shell = script.shell.take().or_else(|| shell.clone());
                step.working_directory = step.working_directory.take().or_else(|| directory.clone());
            }
        }
        Ok(())
    }

    fn say_matrix(&mut self, choice: &MatrixChoice) {
        if choice.total > 1 {
            let words = format!(
                "of {} combinations of the matrix one is run ({}); choose another with `--matrix NAME=VALUE`",
                choice.total,
                choice.words()
            );
            self.plan.assume(words);
        } else if !choice.values.is_empty() {
            self.plan.assume(format!("the matrix has one combination ({})", choice.words()));
        }
    }

    /// Follows a call to a workflow of the repository.
    fn call(&mut self, job: &Job, called: &str, caller: usize) -> Result<(), PlanError> {
        let source = Arc::clone(&self.plan.scopes[caller].source);
        let refuse = |reason: String| {
            let problem = PlanProblem::Called { job: job.id.clone(), workflow: called.to_owned(), reason };
            PlanError::new(&source, job.span, problem)
        };
        if self.plan.scopes.len() > DEEPEST {
            return Err(refuse("and so on without end".to_owned()));
        }
        let path = path_in_repository("", called).filter(|_| called.starts_with("./"));
        let Some(path) = path else {
            return Err(refuse("which is not in this repository".to_owned()));
        };
        let file = self
            .options
            .files
            .read(&path)
            .ok_or_else(|| refuse("which was not found in this repository".to_owned()))?;
        let workflow = Workflow::parse(&file).map_err(|error| refuse(format!("which cannot be read: {error}")))?;
        let target = building_job(&workflow).ok_or_else(|| {
            refuse(format!(
                "which has several jobs ({})",
                workflow.jobs.iter().map(|job| job.id.as_str()).collect::<Vec<_>>().join(", ")
            ))
        })?;
        let declared = workflow.on.iter().find(|event| event.name == "workflow_call");
        let declared = declared.map(|event| event.inputs.as_slice()).unwrap_or_default();
        let with = step::templates(&job.with, &source.text).map_err(in_file(&source))?;
        let secrets = match &job.secrets {
            CallSecrets::Inherit => ScopeSecrets::All,
            CallSecrets::None => ScopeSecrets::Named(Vec::new()),
            CallSecrets::Named(named) => {
                ScopeSecrets::Named(step::templates(named, &source.text).map_err(in_file(&source))?)
            }
        };
        let inputs = ScopeInput::all(declared, &with, &file.text).map_err(in_file(&file))?;
        self.plan.scopes.push(PlanScope {
            kind: ScopeKind::Called,
            parent: Some(caller),
            inputs,
            outputs: Vec::new(),
            env: Vec::new(),
            matrix: None,
            secrets,
            source: Arc::new(file),
        });
        let scope = self.plan.scopes.len() - 1;
        self.plan.job_name = format!("{} / {}", self.plan.job_name, target.name.as_deref().unwrap_or(&target.id));
        self.plan.assume(format!("the job `{}` calls `{called}`, whose job `{}` is run", job.id, target.id));
        self.job(&workflow, target, scope)
    }

    /// Plans steps, and those of the local actions among them.
    fn steps(&mut self, steps: &[Step], scope: usize, depth: usize) -> Result<(), PlanError> {
        let source = Arc::clone(&self.plan.scopes[scope].source);
        for step in steps {
            let mut planned = PlannedStep::new(step, &source, scope, &self.options.given).map_err(in_file(&source))?;
            planned.index = self.plan.steps.len();
            let scripted = planned.script.as_ref().filter(|_| planned.action.may_build());
            match scripted.map(|script| script.starts_builds()) {
                Some(Ok(true)) => planned.action = Action::BuildScript,
                Some(Err(error)) => planned.doubt = Some(error.to_string()),
                Some(Ok(false)) | None => {}
            }
            let local = match &step.action {
                StepAction::Uses(action) => match &action.form {
                    ActionForm::Local { path } => self.local(path),
                    _ => None,
                },
                StepAction::Run { .. } => None,
            };
            let Some((file, inner)) = local else {
                self.plan.steps.push(planned);
                continue;
            };
            if depth >= DEEPEST {
                let uses = planned.uses.as_ref().map_or_else(String::new, |uses| uses.text.clone());
                return Err(PlanError::new(&source, step.span, PlanProblem::TooDeep { uses }));
            }
            let action = Arc::new(file.source().clone());
            let fail = in_file(&action);
            let outputs = file.outputs.iter();
            let outputs = outputs.map(|(name, text)| Ok((name.clone(), Template::parse(text, &action.text)?)));
            let outputs = outputs.collect::<Result<_, ExprError>>().map_err(&fail)?;
            self.plan.scopes.push(PlanScope {
                kind: ScopeKind::Composite,
                parent: Some(scope),
                inputs: ScopeInput::all(&file.inputs, &planned.with, &action.text).map_err(&fail)?,
                outputs,
                env: planned.env.clone(),
                matrix: None,
                secrets: ScopeSecrets::All,
                source: Arc::clone(&action),
            });
            let inside = self.plan.scopes.len() - 1;
            planned.action = Action::Composite(inside);
            self.plan.steps.push(planned);
            self.steps(&inner, inside, depth + 1)?;
        }
        Ok(())
    }

    /// Reads a local action whose steps can be followed.
    fn local(&mut self, uses: &str) -> Option<(ActionFile, Vec<Step>)> {
        let path = path_in_repository("", uses)?;
        let name = |file: &str| if path.is_empty() { file.to_owned() } else { format!("{path}/{file}") };
        let source =
            self.options.files.read(&name("action.yml")).or_else(|| self.options.files.read(&name("action.yaml")))?;
        let file = match ActionFile::parse(&source) {
            Ok(file) => file,
            Err(error) => {
                self.plan.assume(format!("the local action `{uses}` cannot be read: {error}"));
                return None;
            }
        };
        match file.runs.clone() {
            ActionRuns::Composite(steps) => Some((file, steps)),
            ActionRuns::JavaScript(_) | ActionRuns::Other(_) => None,
        }
    }
}

/// Returns the job of a called workflow that builds, or its only one.
fn building_job(workflow: &Workflow) -> Option<&Job> {
    if let [job] = workflow.jobs.as_slice() {
        return Some(job);
    }
    let builds = |job: &&Job| job.steps.iter().any(|step| Action::of(step).may_build());
    let mut building = workflow.jobs.iter().filter(builds);
    let first = building.next()?;
    building.next().is_none().then_some(first)
}
