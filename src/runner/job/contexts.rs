//! What a job's expressions may ask for. [`JobContexts`] is principal.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{HOME, WORKSPACE};
use crate::evidence::StepOutcome;
use crate::plan::{JobPlan, PlannedStep};
use crate::runner::archive::PathPattern;
use crate::workflow::expr::{Contexts, HashFilesError, JobStatus, Value, combine_hashes};

/// The contexts before one step.
pub(super) struct JobContexts<'a> {
    pub(super) plan: &'a JobPlan,
    pub(super) step: Option<&'a PlannedStep>,
    pub(super) number: u32,
    pub(super) commit: u32,
    pub(super) workspace: PathBuf,
    pub(super) outputs: &'a BTreeMap<String, BTreeMap<String, String>>,
    pub(super) outcomes: &'a BTreeMap<String, (StepOutcome, StepOutcome)>,
    pub(super) status: JobStatus,
}

impl Contexts for JobContexts<'_> {
    fn lookup(&self, path: &[String]) -> Value {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["env", name] => self.env(name),
            ["github", name] => self.github(&name.to_ascii_lowercase()),
            ["runner", name] => runner(&name.to_ascii_lowercase()),
            ["steps", id, "outputs", name] => {
                let value = self.outputs.get(*id).and_then(|outputs| outputs.get(*name));
                value.map_or(Value::Null, |value| Value::String(value.clone()))
            }
            ["steps", id, "outcome"] => outcome(self.outcomes.get(*id).map(|(outcome, _)| *outcome)),
            ["steps", id, "conclusion"] => outcome(self.outcomes.get(*id).map(|(_, conclusion)| *conclusion)),
            _ => Value::Null,
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
        walk(&self.workspace, Path::new(""), &rules, &mut files)?;
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
    fn env(&self, name: &str) -> Value {
        let levels = [self.step.map(|step| &step.env), Some(&self.plan.job_env), Some(&self.plan.workflow_env)];
        let found = levels.into_iter().enumerate().find_map(|(level, variables)| {
            let (_, template) = variables?.iter().find(|(key, _)| key == name)?;
            Some((level, template))
        });
        let Some((level, template)) = found else { return Value::Null };
        // A variable may name others only of the levels above its own, so this ends.
        let above = AboveEnv { contexts: self, level };
        template.evaluate(&above).map_or(Value::Null, Value::String)
    }

    fn github(&self, name: &str) -> Value {
        let sha = || {
            let commit = format!("commit {} of {}", self.commit, self.plan.trigger.git_ref);
            Sha256::digest(commit).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        let value = match name {
            "workspace" => WORKSPACE.to_owned(),
            "workflow" => self.plan.workflow_name.clone(),
            "job" => self.plan.job_id.clone(),
            "sha" => sha().chars().take(40).collect(),
            "ref" => self.plan.trigger.git_ref.clone(),
            "ref_name" => self.plan.trigger.ref_name().to_owned(),
            "base_ref" => self.plan.trigger.base.clone().unwrap_or_default(),
            "ref_type" => "branch".to_owned(),
            "repository" => "app/app".to_owned(),
            "repository_owner" | "actor" => "app".to_owned(),
            "event_name" => self.plan.trigger.event.clone(),
            "run_id" => format!("{}", 1000 + self.number),
            "run_number" => self.number.to_string(),
            "run_attempt" => "1".to_owned(),
            "server_url" => "https://github.com".to_owned(),
            _ => return Value::Null,
        };
        Value::String(value)
    }
}

/// The contexts of a variable's own value.
struct AboveEnv<'a> {
    contexts: &'a JobContexts<'a>,
    level: usize,
}

impl Contexts for AboveEnv<'_> {
    fn lookup(&self, path: &[String]) -> Value {
        let [context, name] = path else { return self.contexts.lookup(path) };
        if context != "env" {
            return self.contexts.lookup(path);
        }
        let levels = [&self.contexts.plan.job_env, &self.contexts.plan.workflow_env];
        let above = levels.into_iter().enumerate().skip(self.level);
        for (level, variables) in above {
            if let Some((_, template)) = variables.iter().find(|(key, _)| key == name) {
                let above = AboveEnv { contexts: self.contexts, level: level + 1 };
                return template.evaluate(&above).map_or(Value::Null, Value::String);
            }
        }
        Value::Null
    }

    fn hash_files(&self, patterns: &[String]) -> Result<String, HashFilesError> {
        self.contexts.hash_files(patterns)
    }

    fn status(&self) -> JobStatus {
        self.contexts.status
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

fn outcome(outcome: Option<StepOutcome>) -> Value {
    let text = match outcome {
        Some(StepOutcome::Success | StepOutcome::NotReproduced) => "success",
        Some(StepOutcome::Failure) => "failure",
        Some(StepOutcome::Skipped) => "skipped",
        None => return Value::Null,
    };
    Value::String(text.to_owned())
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
