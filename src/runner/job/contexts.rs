//! What a job's expressions may ask for. [`JobContexts`] is principal.
//!
//! What GitHub would know and nothing here does is said to be unknown: it is never an empty text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{HOME, WORKSPACE};
use crate::evidence::StepOutcome;
use crate::plan::{Action, JobPlan, PlannedStep};
use crate::runner::archive::PathPattern;
use crate::workflow::expr::{
    Contexts, ExprError, HashFilesError, JobStatus, Template, Unresolved, Value, combine_hashes,
};

/// The repository as a job sees it of which nobody says the name.
pub(super) const REPOSITORY: &str = "app/app";

/// A step by the scope it stands in and its id.
pub(super) type StepKey = (usize, String);

/// The contexts before one step.
#[derive(Clone, Copy)]
pub(super) struct JobContexts<'a> {
    pub(super) plan: &'a JobPlan,
    /// Where the expression stands.
    pub(super) scope: usize,
    pub(super) step: Option<&'a PlannedStep>,
    /// How many levels of variables, from the step's own on, the expression does not see.
    pub(super) level: usize,
    pub(super) number: u32,
    pub(super) commit: u32,
    pub(super) workspace: &'a Path,
    pub(super) outputs: &'a BTreeMap<StepKey, BTreeMap<String, String>>,
    pub(super) outcomes: &'a BTreeMap<StepKey, (StepOutcome, StepOutcome)>,
    /// The steps that did not run, by their place in the plan.
    pub(super) skipped: &'a BTreeSet<usize>,
    /// Variables that steps have set for those after them.
    pub(super) set_env: &'a [(String, String)],
    pub(super) status: JobStatus,
    /// Whether the expression decides what runs. A made-up name may stand in a key, but decides nothing.
    pub(super) decides: bool,
}

impl Contexts for JobContexts<'_> {
    fn lookup(&self, path: &[String]) -> Value {
        self.resolve(path).unwrap_or_default()
    }

    fn resolve(&self, path: &[String]) -> Result<Value, Unresolved> {
        let evaluate = |scope: usize, template: &Template| template.value(&Self { scope, ..*self });
        if let Some(found) = self.plan.resolve(self.scope, path, &evaluate) {
            return found;
        }
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["env", name] => self.env(name),
            ["github", name] => self.github(&name.to_ascii_lowercase()),
            ["runner", name] => Ok(runner(&name.to_ascii_lowercase())),
            ["steps", id, outputs, name] if outputs.eq_ignore_ascii_case("outputs") => self.output(id, name),
            ["steps", id, which] if which.eq_ignore_ascii_case("outcome") => self.outcome(id, |(outcome, _)| outcome),
            ["steps", id, which] if which.eq_ignore_ascii_case("conclusion") => {
                self.outcome(id, |(_, conclusion)| conclusion)
            }
            ["env" | "steps" | "runner", ..] => Err(Unresolved::new(path.join("."), "is not known as a whole")),
            [job, status] if *job == "job" && status.eq_ignore_ascii_case("status") => {
                Ok(Value::from(self.status.as_str()))
            }
            _ => Ok(Value::Null),
        }
    }

    fn hash_files(&self, patterns: &[String]) -> Result<String, HashFilesError> {
        let mut rules = Vec::new();
        for pattern in patterns.iter().flat_map(|pattern| pattern.lines()).map(str::trim) {
            let rule = PathPattern::parse(pattern, Path::new(WORKSPACE), Path::new(HOME));
            if let Some(rule) = rule.map_err(|error| HashFilesError { message: error.to_string() })? {
                // A directory stands for all that lies below it.
                let below = rule.below();
                rules.extend([rule, below]);
            }
        }
        let mut files = Vec::new();
        walk(self.workspace, Path::new(""), &rules, &mut files)?;
        files.sort();
        let mut digests = Vec::with_capacity(files.len());
        for file in files {
            let path = self.workspace.join(&file);
            let bytes = fs::read(&path)
                .map_err(|error| HashFilesError { message: format!("cannot read {}: {error}", file.display()) })?;
            digests.push(Sha256::digest(&bytes).into());
        }
        Ok(combine_hashes(digests.into_iter()))
    }

    fn status(&self) -> JobStatus {
        self.status
    }
}

impl JobContexts<'_> {
    fn env(&self, name: &str) -> Result<Value, Unresolved> {
        let Some(step) = self.step else { return Ok(Value::Null) };
        let levels = self.plan.env_levels(step);
        let found = levels.iter().enumerate().skip(self.level).find_map(|(level, (scope, variables))| {
            let (_, template) = variables.iter().find(|(key, _)| key == name)?;
            Some((level, *scope, template))
        });
        // What a step writes to GITHUB_ENV goes before the variables of the job and the workflow.
        let of_a_step = found.as_ref().is_some_and(|(level, ..)| *level + 2 < levels.len());
        if !of_a_step && let Some(unresolved) = self.written(step, name, found.is_some()) {
            return Err(unresolved);
        }
        if !of_a_step && let Some((_, value)) = self.set_env.iter().rev().find(|(key, _)| key == name) {
            return Ok(Value::String(value.clone()));
        }
        let Some((level, scope, template)) = found else { return Ok(Value::Null) };
        // A variable may name others only of the levels above its own, so this ends.
        let above = Self { scope, level: level + 1, ..*self };
        template.evaluate(&above).map(Value::String).map_err(|error| elsewhere(format!("env.{name}"), error))
    }

    /// Finds a step before this one that is not run and that may have set a variable.
    fn written(&self, step: &PlannedStep, name: &str, defined: bool) -> Option<Unresolved> {
        let before = self.plan.steps.iter().take(step.index).filter(|step| !self.skipped.contains(&step.index));
        let mut before = before.filter(|step| matches!(step.action, Action::NotReproduced { .. }));
        let writer = before.find(|step| match &step.script {
            Some(script) => {
                let text = script.text.raw();
                text.contains("GITHUB_ENV") && (!defined || text.contains(name))
            }
            None => !defined && step.doubt.is_some(),
        })?;
        Some(
            Unresolved::new(
                format!("env.{name}"),
                format!("may be set by step `{}` ({}), which is not run here", writer.display_name, writer.place()),
            )
            .supplied_by(format!("give it with `--set env.{name}=VALUE`")),
        )
    }

    fn output(&self, id: &str, name: &str) -> Result<Value, Unresolved> {
        let Some((step, key)) = self.named(id) else { return Ok(Value::Null) };
        match self.outcomes.get(&key) {
            None | Some((StepOutcome::Skipped, _)) => return Ok(Value::Null),
            Some(_) => {}
        }
        let path = || format!("steps.{id}.outputs.{name}");
        let unknown = |why: String| {
            Err(Unresolved::new(path(), why).supplied_by(format!("give it with `--set {}=VALUE`", path())))
        };
        if let Action::Composite(inside) = step.action {
            let outputs = self.plan.scopes.get(inside).map(|scope| scope.outputs.as_slice()).unwrap_or_default();
            let output = outputs.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            let Some((_, template)) = output else { return Ok(Value::Null) };
            let value = template.evaluate(&Self { scope: inside, ..*self });
            return value.map(Value::String).map_err(|error| elsewhere(path(), error));
        }
        let given = self.outputs.get(&key).into_iter().flatten();
        let given = given.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        match (given, &step.action) {
            (Some((_, value)), _) => Ok(Value::String(value.clone())),
            (None, Action::Cache(_) | Action::Dance(_)) => Ok(Value::Null),
            (None, Action::NotReproduced { .. }) => {
                unknown(format!("comes from step `{}` ({}), which is not run here", step.display_name, step.place()))
            }
            (None, _) => unknown(format!(
                "is an output of step `{}` ({}) that is not reproduced",
                step.display_name,
                step.place()
            )),
        }
    }

    fn outcome(&self, id: &str, which: fn((StepOutcome, StepOutcome)) -> StepOutcome) -> Result<Value, Unresolved> {
        let Some((step, key)) = self.named(id) else { return Ok(Value::Null) };
        let text = match self.outcomes.get(&key).copied().map(which) {
            Some(StepOutcome::NotReproduced) if step.continue_on_error.is_some() => {
                let why = format!("depends on step `{}` ({}), which is not run here", step.display_name, step.place());
                return Err(Unresolved::new(format!("steps.{id}.outcome"), why)
                    .supplied_by(format!("give it with `--set steps.{id}.outcome=success`")));
            }
            // A step that fails ends the job; so it succeeded wherever the job goes on.
            Some(StepOutcome::Success | StepOutcome::NotReproduced) => "success",
            Some(StepOutcome::Failure) => "failure",
            Some(StepOutcome::Skipped) => "skipped",
            None => return Ok(Value::Null),
        };
        Ok(Value::from(text))
    }

    /// Finds a step of the scope by its id.
    fn named(&self, id: &str) -> Option<(&PlannedStep, StepKey)> {
        let named = |step: &&PlannedStep| {
            step.scope == self.scope && step.id.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(id))
        };
        let step = self.plan.steps.iter().find(named)?;
        Some((step, (step.scope, step.id.clone().unwrap_or_default())))
    }

    fn github(&self, name: &str) -> Result<Value, Unresolved> {
        let made_up = |value: &str| match self.decides {
            false => Ok(Value::from(value)),
            true => Err(Unresolved::new(format!("github.{name}"), "is the repository's own, which nobody has said")
                .supplied_by(format!("give it with `--set github.{name}=VALUE`"))),
        };
        let sha = || {
            let commit = format!("commit {} of {}", self.commit, self.plan.trigger.git_ref);
            Sha256::digest(commit).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        let value = match name {
            "workspace" => WORKSPACE.to_owned(),
            "sha" | "workflow_sha" => sha().chars().take(40).collect(),
            "repository" => return made_up(REPOSITORY),
            "repository_owner" | "actor" | "triggering_actor" => return made_up("app"),
            "run_id" => format!("{}", 1000 + self.number),
            "run_number" => self.number.to_string(),
            "run_attempt" => "1".to_owned(),
            "server_url" => "https://github.com".to_owned(),
            "api_url" => "https://api.github.com".to_owned(),
            "graphql_url" => "https://api.github.com/graphql".to_owned(),
            "action_path" => match self.plan.scopes.get(self.scope) {
                Some(scope) => {
                    let dir = Path::new(&scope.source.name).parent().unwrap_or(Path::new(""));
                    Path::new(WORKSPACE).join(dir).to_string_lossy().into_owned()
                }
                None => return Ok(Value::Null),
            },
            _ => return Ok(Value::Null),
        };
        Ok(Value::String(value))
    }
}

/// Says of a value that it is not known because what it comes from is not.
fn elsewhere(name: String, error: ExprError) -> Unresolved {
    match error {
        ExprError::Unresolved { value, .. } => {
            Unresolved { why: format!("comes from `{}`, which {}", value.name, value.why), name, supply: value.supply }
        }
        error => Unresolved::new(name, format!("cannot be evaluated: {error}")),
    }
}

fn runner(name: &str) -> Value {
    let value = match name {
        "os" => "Linux",
        "arch" => "X64",
        "temp" => "/home/runner/work/_temp",
        "tool_cache" => "/opt/hostedtoolcache",
        "name" => "GitHub Actions 1",
        "environment" => "github-hosted",
        _ => return Value::Null,
    };
    Value::String(value.to_owned())
}

/// Finds the files the rules take; the last rule that matches decides.
fn walk(root: &Path, below: &Path, rules: &[PathPattern], found: &mut Vec<PathBuf>) -> Result<(), HashFilesError> {
    let dir = root.join(below);
    let fail = |error: std::io::Error| HashFilesError { message: format!("cannot read {}: {error}", below.display()) };
    let entries = match fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(fail(error)),
    };
    for entry in entries {
        let entry = entry.map_err(fail)?;
        let path = below.join(entry.file_name());
        let kind = entry.file_type().map_err(fail)?;
        if kind.is_dir() {
            walk(root, &path, rules, found)?;
        } else if kind.is_file() {
            let seen = Path::new(WORKSPACE).join(&path);
            let last = rules.iter().rev().find(|rule| !rule.dirs_only && rule.standing(&seen).matches);
            if last.is_some_and(|rule| !rule.negate) {
                found.push(path);
            }
        }
    }
    Ok(())
}
