//! Values of a workflow as far as its files tell them. [`PlanValues`] is principal.
//!
//! What nobody can know before a run stands in a text as [`UNKNOWN`], the mask that every rule passes over. Nothing is
//! guessed and nothing becomes an empty text that may not be one.

use super::unread::is_unread;
use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};

use super::LintFiles;
use crate::cache::{ActionKind, Outputs};
use crate::plan::{Action, CacheStepPart, DEFAULT_BRANCH, JobPlan, PlannedStep, Trigger};
use crate::runner::archive::PathPattern;
use crate::workflow::expr::{Condition, Contexts, HashFilesError, JobStatus, Template, Value};
use crate::workflow::{InputType, Workflow};

/// What stands for a piece of a text that is not known. It is what a runner writes in place of a secret.
pub(super) const UNKNOWN: &str = "***";

/// The workspace, as GitHub's runners name it; the rules take it off again.
pub(super) const WORKSPACE: &str = "/home/runner/work/app/app";

const HOME: &str = "/home/runner";

/// Which run of a job is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Arm {
    /// The first: no entry is found.
    First,
    /// A later one: the primary key is hit.
    Hit,
}

/// A text, and whether all of it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resolved {
    pub(super) text: String,
    pub(super) known: bool,
}

/// What a call of `hashFiles` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HashedFiles {
    /// The patterns.
    pub(super) patterns: Vec<String>,
    /// How many files match; `None` where nobody can tell.
    pub(super) matches: Option<usize>,
}

/// Everything the values of one job rest on.
pub(super) struct PlanValues<'a> {
    pub(super) plan: &'a JobPlan,
    pub(super) workflow: &'a Workflow,
    pub(super) files: &'a dyn LintFiles,
    pub(super) arm: Arm,
    pub(super) trigger: &'a Trigger,
}

impl PlanValues<'_> {
    /// Evaluates a text of a step.
    pub(super) fn resolve(&self, step: &PlannedStep, template: &Template) -> Resolved {
        self.resolve_hashing(step, template).0
    }

    /// Evaluates a text of a step, and says what its calls of `hashFiles` found.
    pub(super) fn resolve_hashing(&self, step: &PlannedStep, template: &Template) -> (Resolved, Vec<HashedFiles>) {
        let contexts = StepContexts::new(self, step);
        let text = contexts.evaluate(template);
        let known = !contexts.doubt.get();
        (Resolved { text, known }, contexts.hashed.into_inner())
    }

    /// Evaluates an input of a step; `None` where it is not given or empty.
    pub(super) fn input(&self, step: &PlannedStep, name: &str) -> Option<Resolved> {
        let found = self.resolve(step, step.input(name)?);
        (!found.text.trim().is_empty()).then_some(found)
    }

    /// Decides whether a step runs; `None` where that is not known.
    pub(super) fn runs(&self, step: &PlannedStep) -> Option<bool> {
        let contexts = StepContexts::new(self, step);
        let answer = contexts.holds(&step.condition)?;
        (!contexts.doubt.get()).then_some(answer)
    }

    /// Names the builder that a setup-buildx step makes; `None` where it depends on what is not known.
    pub(super) fn builder_of(&self, step: &PlannedStep) -> Option<String> {
        let driver = self.input(step, "driver");
        if driver.as_ref().is_some_and(|driver| !driver.known) {
            return None;
        }
        if driver.is_some_and(|driver| driver.text.trim() == "docker") {
            return Some("default".to_owned());
        }
        match self.input(step, "name") {
            Some(name) if name.known => Some(name.text.trim().to_owned()),
            Some(_) => None,
            None => Some(match &step.id {
                Some(id) => format!("steps.{id}.outputs.name"),
                None => format!("that of step {}", step.index + 1),
            }),
        }
    }

    /// Tells whether a step is an action that nobody reads here and that may do anything to the workspace. Those that log in,
    /// set up tools or describe images put no files of the repository there.
    pub(super) fn is_opaque(step: &PlannedStep) -> bool {
        let harmless = |owner: &str| {
            ["docker", "actions", "aws-actions", "azure", "google-github-actions", "sigstore", "crazy-max"]
                .iter()
                .any(|known| owner.eq_ignore_ascii_case(known))
        };
        is_unread(step) && step.uses.as_ref().is_none_or(|uses| uses.owner().is_none_or(|owner| !harmless(owner)))
    }

    /// Tells whether the workspace holds the repository when a step runs; `None` where another action may have put it there.
    pub(super) fn checked_out_before(&self, step: &PlannedStep) -> Option<bool> {
        let before = &self.plan.steps[..step.index.min(self.plan.steps.len())];
        if before.iter().any(|step| step.action == Action::Checkout) {
            return Some(true);
        }
        (!before.iter().any(Self::is_opaque)).then_some(false)
    }
}

/// The contexts of one step.
struct StepContexts<'a> {
    values: &'a PlanValues<'a>,
    step: &'a PlannedStep,
    doubt: Cell<bool>,
    hashed: RefCell<Vec<HashedFiles>>,
    depth: Cell<usize>,
}

impl<'a> StepContexts<'a> {
    fn new(values: &'a PlanValues<'a>, step: &'a PlannedStep) -> Self {
        Self { values, step, doubt: Cell::new(false), hashed: RefCell::default(), depth: Cell::new(0) }
    }

    /// Evaluates a text; what is not known stands masked in it.
    fn evaluate(&self, template: &Template) -> String {
        // The evaluator answers for these itself, and knows none of them.
        let (text, whole) = template.evaluate_partly(self, &["vars", "secrets"], UNKNOWN);
        if !whole {
            self.doubt.set(true);
        }
        text
    }

    fn holds(&self, condition: &Condition) -> Option<bool> {
        let raw = condition.raw().unwrap_or_default();
        let asks = |context: &str| raw.contains(&format!("{context}.")) || raw.contains(&format!("{context}["));
        if ["vars", "secrets", "matrix", "needs", "strategy"].iter().any(|context| asks(context)) {
            return None;
        }
        condition.evaluate(self).ok()
    }

    fn unknown(&self) -> Value {
        self.doubt.set(true);
        Value::String(UNKNOWN.to_owned())
    }

    fn env(&self, name: &str) -> Value {
        if let Some(template) = self.values.plan.env(self.step, name) {
            // A variable that names itself has no end.
            if self.depth.get() > 8 {
                return self.unknown();
            }
            self.depth.set(self.depth.get() + 1);
            let value = self.evaluate(template);
            self.depth.set(self.depth.get() - 1);
            return Value::String(value);
        }
        let before = &self.values.plan.steps[..self.step.index.min(self.values.plan.steps.len())];
        if before.iter().any(is_unread) { self.unknown() } else { Value::Null }
    }

    fn github(&self, name: &str) -> Value {
        let trigger = self.values.trigger;
        let called = trigger.event == "workflow_call";
        let value = match name {
            "event_name" if called => return self.unknown(),
            "ref" | "ref_name" | "ref_type" | "base_ref" if called => return self.unknown(),
            "workspace" => WORKSPACE.to_owned(),
            "workflow" => self.values.plan.workflow_name.clone(),
            "job" => self.values.plan.job_id.clone(),
            "sha" => "commit".to_owned(),
            "ref" => trigger.git_ref.clone(),
            "ref_name" => trigger.git_ref.strip_prefix("refs/tags/").unwrap_or_else(|| trigger.ref_name()).to_owned(),
            "ref_type" => if trigger.git_ref.starts_with("refs/tags/") { "tag" } else { "branch" }.to_owned(),
            "base_ref" => trigger.base.clone().unwrap_or_default(),
            "event_name" => trigger.event.clone(),
            "run_id" | "run_number" | "run_attempt" => format!("this-{name}"),
            "server_url" => "https://github.com".to_owned(),
            _ => return self.unknown(),
        };
        Value::String(value)
    }

    fn output(&self, id: &str, name: &str) -> Value {
        let steps = &self.values.plan.steps;
        let Some(step) = steps.iter().find(|step| step.id.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(id)))
        else {
            return Value::Null;
        };
        // What comes later is empty in the step itself, and known to its post step.
        if step.index >= self.step.index {
            return self.unknown();
        }
        let kind = match &step.action {
            Action::Cache(CacheStepPart::RestoreAndSave) => ActionKind::Cache,
            Action::Cache(CacheStepPart::Restore) => ActionKind::Restore,
            Action::SetupBuildx if name.eq_ignore_ascii_case("name") => {
                return self.values.builder_of(step).map_or_else(|| self.unknown(), Value::String);
            }
            Action::Dance(_) | Action::Cache(_) => return Value::Null,
            _ => return self.unknown(),
        };
        match self.values.runs(step) {
            Some(true) => {}
            Some(false) => return Value::Null,
            None => return self.unknown(),
        }
        let key = step.input("key").map(|key| self.values.resolve(step, key).text).unwrap_or_default();
        let matched = (self.values.arm == Arm::Hit).then_some(key.as_str());
        let pairs = Outputs::of(&key, matched).pairs(kind);
        let found = pairs.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or(Value::Null, |(_, value)| Value::String(value))
    }
}

impl Contexts for StepContexts<'_> {
    fn lookup(&self, path: &[String]) -> Value {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["env", name] => self.env(name),
            ["github", "event", "repository", "default_branch"] => Value::String(DEFAULT_BRANCH.to_owned()),
            ["github", name] => self.github(&name.to_ascii_lowercase()),
            ["runner", name] => match name.to_ascii_lowercase().as_str() {
                "os" => Value::String("Linux".to_owned()),
                "temp" => Value::String("/home/runner/work/_temp".to_owned()),
                "arch" => Value::String("X64".to_owned()),
                _ => self.unknown(),
            },
            ["steps", id, "outputs", name] => self.output(id, name),
            ["steps", id, "outcome" | "conclusion"] => {
                let known = self.values.plan.steps.iter().find(|step| step.id.as_deref() == Some(*id));
                match known.map(|step| self.values.runs(step)) {
                    Some(Some(true)) => Value::String("success".to_owned()),
                    Some(Some(false)) => Value::String("skipped".to_owned()),
                    Some(None) => self.unknown(),
                    None => Value::Null,
                }
            }
            // A push gives no inputs at all.
            ["inputs", _] if !matches!(self.values.trigger.event.as_str(), "workflow_call" | "workflow_dispatch") => {
                Value::Null
            }
            ["inputs", name] => match input_default(self.values.workflow, name) {
                Some("true") => Value::Bool(true),
                Some("false") => Value::Bool(false),
                Some(text) => Value::String(text.to_owned()),
                None => self.unknown(),
            },
            _ => self.unknown(),
        }
    }

    fn hash_files(&self, patterns: &[String]) -> Result<String, HashFilesError> {
        let patterns: Vec<String> =
            patterns.iter().flat_map(|pattern| pattern.lines()).map(|line| line.trim().to_owned()).collect();
        let matches = match self.values.checked_out_before(self.step) {
            Some(false) => Some(0),
            Some(true) => matches_of(&patterns, self.values)?,
            None => None,
        };
        // Steps before may have made files that no checkout brings.
        let before = &self.values.plan.steps[..self.step.index.min(self.values.plan.steps.len())];
        let made = before.iter().any(PlanValues::is_opaque);
        let matches = matches.filter(|count| *count > 0 || !made);
        let text = match matches {
            Some(0) => String::new(),
            _ => format!("hash({})", patterns.join(" ")),
        };
        self.hashed.borrow_mut().push(HashedFiles { patterns, matches });
        Ok(text)
    }

    fn status(&self) -> JobStatus {
        JobStatus::Success
    }
}

/// Counts the files that the patterns of `hashFiles` take.
fn matches_of(patterns: &[String], values: &PlanValues<'_>) -> Result<Option<usize>, HashFilesError> {
    if patterns.iter().any(|pattern| pattern.contains(UNKNOWN)) {
        return Ok(None);
    }
    // Where the checkout goes elsewhere, its files have other names.
    let moved = values.plan.steps.iter().any(|step| {
        step.action == Action::Checkout && (step.input("path").is_some() || step.input("repository").is_some())
    });
    let Some(files) = values.files.list().filter(|_| !moved) else { return Ok(None) };
    let mut rules = Vec::new();
    for pattern in patterns {
        let rule = PathPattern::parse(pattern, Path::new(WORKSPACE), Path::new(HOME));
        if let Some(rule) = rule.map_err(|error| HashFilesError { message: error.to_string() })? {
            // A directory stands for all that lies below it.
            let below = rule.below();
            rules.extend([rule, below]);
        }
    }
    let takes = |file: &&PathBuf| {
        let seen = Path::new(WORKSPACE).join(file);
        let last = rules.iter().rev().find(|rule| !rule.dirs_only && rule.standing(&seen).matches);
        last.is_some_and(|rule| !rule.negate)
    };
    Ok(Some(files.iter().filter(takes).count()))
}
/// Returns the default of an input; `None` where it is unknown or differs from one event to the other. A boolean that nobody
/// gives is false; nothing is known of another.
fn input_default<'w>(workflow: &'w Workflow, name: &str) -> Option<&'w str> {
    let events = ["workflow_call", "workflow_dispatch"].into_iter().filter_map(|event| workflow.event(event));
    let declared = events.flat_map(|event| &event.inputs).filter(|input| input.name.eq_ignore_ascii_case(name));
    let mut defaults = declared.map(|input| match &input.default {
        Some(default) => Some(default.value.as_str()),
        None => (input.kind == InputType::Bool).then_some("false"),
    });
    let first = defaults.next()??;
    defaults.all(|default| default == Some(first)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn inputs_have_defaults() {
        let text = "on:\n  workflow_call:\n    inputs:\n      push: {type: boolean, default: true}\n      dry: {type: boolean}\n      \
                    x: {type: string}\njobs:\n  a:\n    steps: [{run: make}]\n";
        let workflow = Workflow::parse(&Source::new("w.yml", text)).unwrap();
        let default = |name| input_default(&workflow, name);
        assert_eq!((default("push"), default("dry")), (Some("true"), Some("false")));
        assert_eq!((default("x"), default("y")), (None, None));
    }
}
