//! Where an expression stands: a workflow's job, a called workflow's, or a composite action. [`PlanScope`] is principal.
//!
//! Each has its own inputs, its own step ids and its own text. What a caller gives is a template of the caller's, so it is
//! evaluated there, when somebody asks.

use std::sync::Arc;

use super::JobPlan;
use super::given::find;
use super::matrix::MatrixChoice;
use super::step::{PlannedStep, Templates};
use crate::source::Source;
use crate::workflow::expr::{Contexts, ExprError, HashFilesError, JobStatus, Template, Unresolved, Value};
use crate::workflow::{InputDeclaration, InputType};

/// A place with inputs and step ids of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanScope {
    /// What kind of place it is.
    pub kind: ScopeKind,
    /// The scope of whoever calls, as an index into the plan's scopes.
    pub parent: Option<usize>,
    /// What may be given to it, and what was.
    pub inputs: Vec<ScopeInput>,
    /// The outputs of a composite action.
    pub outputs: Templates,
    /// The variables of the step that uses a composite action; its steps see them below their own.
    pub env: Templates,
    /// The combination of the job's matrix, where it has one.
    pub matrix: Option<MatrixChoice>,
    /// The secrets it may read.
    pub secrets: ScopeSecrets,
    /// The text its expressions stand in.
    pub source: Arc<Source>,
}

/// What kind of place a scope is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeKind {
    /// The job of the workflow that an event started.
    Workflow,
    /// The job of a workflow that another one calls.
    Called,
    /// The steps of a composite action.
    Composite,
}

/// The secrets that a scope may read.
#[derive(Debug, Clone, PartialEq)]
pub enum ScopeSecrets {
    /// All of its caller's, or all there are.
    All,
    /// These, by templates of the caller's.
    Named(Templates),
}

/// An input of a scope.
#[derive(Debug, Clone, PartialEq)]
pub struct ScopeInput {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: InputType,
    /// What the caller gives, as a template of the caller's.
    pub given: Option<Template>,
    /// Its default, as a template of its own.
    pub default: Option<Template>,
    /// Whether the caller must give it.
    pub required: bool,
}

impl ScopeInput {
    /// Pairs the declarations with what a caller gives.
    ///
    /// # Errors
    /// A default whose expression cannot be read.
    pub(super) fn all(declared: &[InputDeclaration], given: &Templates, source: &str) -> Result<Vec<Self>, ExprError> {
        let default =
            |input: &InputDeclaration| input.default.as_ref().map(|text| Template::parse(text, source)).transpose();
        let read = |input: &InputDeclaration| {
            let given = given.iter().find(|(name, _)| name.eq_ignore_ascii_case(&input.name));
            Ok(Self {
                name: input.name.clone(),
                kind: input.kind,
                given: given.map(|(_, template)| template.clone()),
                default: default(input)?,
                required: input.required,
            })
        };
        declared.iter().map(read).collect()
    }
}

/// Evaluates a template in a scope.
pub type InScope<'a> = &'a dyn Fn(usize, &Template) -> Result<Value, ExprError>;

impl JobPlan {
    /// Returns what a path stands for as far as the plan itself knows: inputs, matrix, variables and secrets of the
    /// repository, and what a person has said. `None` where only a run can tell.
    pub fn resolve(&self, scope: usize, path: &[String], evaluate: InScope) -> Option<Result<Value, Unresolved>> {
        if let Some(said) = self.given.value(path) {
            return Some(Ok(Value::from(said)));
        }
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        Some(match names.as_slice() {
            ["inputs"] => self.all_inputs(scope, evaluate),
            ["inputs", name, ..] => self.input(scope, name, evaluate),
            ["github", event, inputs, name] if is(event, "event") && is(inputs, "inputs") => {
                self.input(0, name, evaluate)
            }
            ["matrix", ..] => self.matrix(scope).map_or(Ok(Value::Null), |matrix| matrix.resolve(&path[1..])),
            ["strategy", name] => Ok(self.strategy(scope, name)),
            ["vars", name, ..] => self.given_or(&self.given.vars, "vars", name, "--var"),
            ["secrets", name, ..] => self.secret(scope, name, evaluate),
            ["needs", _, result] if is(result, "result") => Ok(Value::from("success")),
            ["needs" | "jobs", ..] => {
                Err(Unresolved::new(path.join("."), "comes from another job, and one job is run here")
                    .supplied_by(format!("give it with `--set {}=VALUE`", path.join("."))))
            }
            ["vars" | "secrets" | "strategy", ..] => Err(Unresolved::new(path.join("."), "is not known as a whole")),
            ["github", rest @ ..] => return self.github(rest, path),
            _ => return None,
        })
    }

    /// Returns the combination of the matrix that a scope's job is of.
    pub fn matrix(&self, scope: usize) -> Option<&MatrixChoice> {
        let scope = self.scopes.get(scope)?;
        match (scope.kind, scope.parent) {
            (ScopeKind::Composite, Some(parent)) => self.matrix(parent),
            _ => scope.matrix.as_ref(),
        }
    }

    fn strategy(&self, scope: usize, name: &str) -> Value {
        let matrix = self.matrix(scope);
        let number = |number: usize| Value::Number(number as f64);
        match name.to_ascii_lowercase().as_str() {
            "job-index" => number(matrix.map_or(0, |matrix| matrix.index)),
            "job-total" | "max-parallel" => number(matrix.map_or(1, |matrix| matrix.total)),
            "fail-fast" => Value::Bool(true),
            _ => Value::Null,
        }
    }

    fn all_inputs(&self, scope: usize, evaluate: InScope) -> Result<Value, Unresolved> {
        let names = self.scopes.get(scope).map(|scope| scope.inputs.as_slice()).unwrap_or_default();
        let pair = |input: &ScopeInput| Ok((input.name.clone(), self.input(scope, &input.name, evaluate)?));
        names.iter().map(pair).collect::<Result<_, _>>().map(Value::Object)
    }

    fn input(&self, at: usize, name: &str, evaluate: InScope) -> Result<Value, Unresolved> {
        let Some(scope) = self.scopes.get(at) else { return Ok(Value::Null) };
        let declared = scope.inputs.iter().find(|input| input.name.eq_ignore_ascii_case(name));
        if scope.parent.is_none()
            && let Some(said) = find(&self.given.inputs, name)
        {
            return Ok(declared.map_or(InputType::Text, |input| input.kind).value(said));
        }
        let Some(input) = declared else { return Ok(Value::Null) };
        let path = || format!("inputs.{name}");
        let typed = |value: Value| match value {
            Value::String(text) if scope.kind != ScopeKind::Composite => input.kind.value(&text),
            // Whatever is given to an action is a text.
            value if scope.kind == ScopeKind::Composite => Value::String(value.render().into_owned()),
            value => value,
        };
        let found = match (&input.given, &input.default, scope.parent) {
            (Some(given), _, Some(parent)) => evaluate(parent, given),
            (_, Some(default), _) => evaluate(at, default),
            _ if input.required && scope.parent.is_none() => {
                return Err(Unresolved::new(path(), "must be given by whoever starts the workflow")
                    .supplied_by(format!("give it with `--input {name}=VALUE`")));
            }
            _ => return Ok(input.kind.absent()),
        };
        found.map(typed).map_err(|error| from_elsewhere(path(), error))
    }

    fn given_or(&self, given: &[(String, String)], context: &str, name: &str, flag: &str) -> Result<Value, Unresolved> {
        find(given, name).map(Value::from).ok_or_else(|| {
            Unresolved::new(
                format!("{context}.{name}"),
                "stands in the settings of the repository, which are not at hand",
            )
            .supplied_by(format!("give it with `{flag} {name}=VALUE` (an empty value where it is not set)"))
        })
    }

    fn secret(&self, at: usize, name: &str, evaluate: InScope) -> Result<Value, Unresolved> {
        let scope = self.scopes.get(at);
        if let Some((ScopeSecrets::Named(named), Some(parent))) = scope.map(|scope| (&scope.secrets, scope.parent)) {
            return match named.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
                Some((_, template)) => {
                    evaluate(parent, template).map_err(|error| from_elsewhere(format!("secrets.{name}"), error))
                }
                None => Ok(Value::Null),
            };
        }
        let found = self.given.secrets.iter().rev().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, secret)| Value::from(secret.reveal())).ok_or_else(|| {
            Unresolved::new(format!("secrets.{name}"), "is a secret of the repository, which is not at hand")
                .supplied_by(format!("give it with `--secret {name}=VALUE`, or `--secret {name}` for the variable of that name; it is written nowhere"))
        })
    }

    /// What of `github` does not depend on the number of the run.
    fn github(&self, rest: &[&str], path: &[String]) -> Option<Result<Value, Unresolved>> {
        let trigger = &self.trigger;
        let text = |text: &str| Some(Ok(Value::from(text)));
        let unknown = |why: &str| {
            Some(Err(Unresolved::new(path.join("."), why)
                .supplied_by(format!("give it with `--set {}=VALUE`", path.join(".")))))
        };
        let [name, more @ ..] = rest else { return unknown("is not known as a whole") };
        match (name.to_ascii_lowercase().as_str(), more) {
            ("workflow", []) => text(&self.workflow_name),
            ("job", []) => text(&self.job_id),
            ("ref", []) => text(&trigger.git_ref),
            ("ref_name", []) => text(trigger.ref_name()),
            ("ref_type", []) => text(trigger.ref_type()),
            ("base_ref", []) => {
                text(trigger.base.as_deref().filter(|_| trigger.event.starts_with("pull_request")).unwrap_or(""))
            }
            ("head_ref", []) => text(if trigger.event.starts_with("pull_request") { "feature" } else { "" }),
            ("event_name", []) => text(&trigger.event),
            ("event", ["repository", "default_branch"]) => text(super::DEFAULT_BRANCH),
            ("event", []) => unknown("is what GitHub says of the event, which is not at hand"),
            ("event", _) => unknown("is part of what GitHub says of the event, which is not at hand"),
            ("token", _) => Some(self.secret(0, "GITHUB_TOKEN", &|_, _| Ok(Value::Null))),
            (
                "ref_protected"
                | "repository_id"
                | "repository_owner_id"
                | "actor_id"
                | "workflow_ref"
                | "repository_visibility",
                [],
            ) => unknown("is GitHub's, which is not at hand"),
            _ => None,
        }
    }
}

fn is(written: &str, name: &str) -> bool {
    written.eq_ignore_ascii_case(name)
}

/// Says of a value that it is not known because what it comes from is not.
fn from_elsewhere(name: String, error: ExprError) -> Unresolved {
    match error {
        ExprError::Unresolved { value, .. } => {
            Unresolved { why: format!("comes from `{}`, which {}", value.name, value.why), name, supply: value.supply }
        }
        error => Unresolved::new(name, format!("cannot be evaluated: {error}")),
    }
}

/// What is known before a job runs.
#[derive(Clone, Copy)]
pub(super) struct BeforeTheJob<'a> {
    pub(super) plan: &'a JobPlan,
    pub(super) scope: usize,
    /// The step whose variables are seen, if any, and how many of their levels are not.
    pub(super) step: Option<(&'a PlannedStep, usize)>,
    /// What `github.workspace` is.
    pub(super) workspace: &'a str,
}

impl Contexts for BeforeTheJob<'_> {
    fn lookup(&self, _: &[String]) -> Value {
        Value::Null
    }

    fn resolve(&self, path: &[String]) -> Result<Value, Unresolved> {
        let evaluate = |scope: usize, template: &Template| template.value(&Self { scope, ..*self });
        if let Some(found) = self.plan.resolve(self.scope, path, &evaluate) {
            return found;
        }
        match (path, self.step) {
            ([github, name], _) if github == "github" && is(name, "workspace") => Ok(Value::from(self.workspace)),
            ([env, name], Some((step, level))) if env == "env" => {
                let levels = self.plan.env_levels(step);
                let found = levels.iter().enumerate().skip(level).find_map(|(at, (scope, variables))| {
                    Some((at, *scope, variables.iter().find(|(key, _)| key == name)?.1.clone()))
                });
                let Some((at, scope, template)) = found else { return Ok(Value::Null) };
                let above = Self { scope, step: Some((step, at + 1)), ..*self };
                let value = template.evaluate(&above).map(Value::String);
                value.map_err(|error| from_elsewhere(format!("env.{name}"), error))
            }
            _ => Err(Unresolved::new(path.join("."), "is known only while the job runs")),
        }
    }

    fn hash_files(&self, _: &[String]) -> Result<String, HashFilesError> {
        Err(HashFilesError { message: "the files are known only while the job runs".to_owned() })
    }

    fn status(&self) -> JobStatus {
        JobStatus::Success
    }
}

/// Contexts in which nothing is known.
#[cfg(test)]
pub(super) struct Nothing;

#[cfg(test)]
impl Contexts for Nothing {
    fn lookup(&self, _: &[String]) -> Value {
        Value::Null
    }

    fn hash_files(&self, _: &[String]) -> Result<String, HashFilesError> {
        Ok(String::new())
    }

    fn status(&self) -> JobStatus {
        JobStatus::Success
    }
}
