//! Reads the model of a workflow out of YAML nodes; [`workflow`] is principal.

use super::action_file::{ActionFile, ActionRuns, JavaScriptAction};
use super::action_ref::BadRef;
use super::data::DataNode;
use super::inputs;
use super::model::{CallSecrets, Job, Step, StepAction, Workflow, WorkflowVariables};
use super::trigger;
use super::yaml::{self, NodeKind, YamlNode, YamlProblem};
use super::{ActionRef, WorkflowError, WorkflowProblem};
use crate::source::{Source, Span, Spanned};

/// What `cache-mode` may say.
const CACHE_MODES: [&str; 4] = ["read", "write", "write-only", "none"];

/// Reads a workflow from its source.
pub(super) fn workflow(source: &Source) -> Result<Workflow, WorkflowError> {
    let reader = NodeReader { source };
    let root = document(source)?;
    if root.entries().is_none() {
        let found = if root.is_null() { "an empty file" } else { root.shape() };
        return Err(reader.error(root.span, WorkflowProblem::NotMapping(found)));
    }
    let jobs = present(&root, "jobs").ok_or_else(|| reader.error(root.span, WorkflowProblem::NoJobs))?;
    let entries = jobs.entries().ok_or_else(|| reader.shape("jobs", "a mapping", jobs))?;
    if entries.is_empty() {
        return Err(reader.error(jobs.span, WorkflowProblem::NoJobs));
    }
    let on = trigger::events(present(&root, "on"));
    Ok(Workflow {
        name: root.get("name").and_then(YamlNode::text).map(|name| name.value),
        on,
        env: reader.variables("env", &root)?,
        jobs: entries.iter().map(|(key, node)| reader.job(key, node)).collect::<Result<_, _>>()?,
        working_directory: default(&root, "working-directory"),
        shell: default(&root, "shell"),
        cache_mode: reader.cache_mode(&root)?,
        source: source.clone(),
    })
}

/// Reads an action's file from its source.
pub(super) fn action(source: &Source) -> Result<ActionFile, WorkflowError> {
    let reader = NodeReader { source };
    let root = document(source)?;
    let runs = present(&root, "runs").ok_or_else(|| reader.lacks("an action", "runs", &root))?;
    let using = filled(runs, "using").ok_or_else(|| reader.lacks("`runs`", "using", runs))?;
    let steps = present(runs, "steps").filter(|_| using.eq_ignore_ascii_case("composite"));
    let node = using.strip_prefix("node").and_then(|release| release.parse().ok());
    let outputs = root.get("outputs").and_then(YamlNode::entries).unwrap_or_default();
    Ok(ActionFile {
        inputs: inputs::declarations(root.get("inputs")),
        outputs: outputs.iter().filter_map(|(key, node)| Some((key.value.clone(), text(node, "value")?))).collect(),
        runs: match (steps, node) {
            (Some(steps), _) => ActionRuns::Composite(reader.steps("runs", steps)?),
            (None, Some(node)) => ActionRuns::JavaScript(JavaScriptAction {
                node,
                main: filled(runs, "main").ok_or_else(|| reader.lacks("`runs`", "main", runs))?,
                pre: filled(runs, "pre"),
                post: filled(runs, "post"),
                post_if: filled(runs, "post-if").unwrap_or_else(|| "always()".to_owned()),
            }),
            (None, None) => ActionRuns::Other(using),
        },
        source: source.clone(),
    })
}

/// Reads the YAML document of a workflow, whatever it holds.
pub(super) fn document(source: &Source) -> Result<YamlNode, WorkflowError> {
    let reader = NodeReader { source };
    yaml::read(&source.text).map_err(|(problem, span)| reader.not_yaml(problem, span))
}

/// Returns a value that is there and not null.
fn present<'a>(node: &'a YamlNode, key: &str) -> Option<&'a YamlNode> {
    node.get(key).filter(|value| !value.is_null())
}

fn text(node: &YamlNode, key: &str) -> Option<Spanned<String>> {
    present(node, key).and_then(YamlNode::text)
}

/// Returns a text that is there and not empty.
fn filled(node: &YamlNode, key: &str) -> Option<String> {
    text(node, key).map(|text| text.value).filter(|text| !text.trim().is_empty())
}

/// Reads `runs-on`, which may be a text or a list; a group of runners is neither.
fn labels(node: &YamlNode) -> Option<Vec<Spanned<String>>> {
    match &node.kind {
        NodeKind::Scalar(_) => node.text().map(|label| vec![label]),
        NodeKind::Sequence(items) => items.iter().map(YamlNode::text).collect(),
        NodeKind::Mapping(_) => None,
    }
}

/// Returns one of `defaults.run`.
fn default(node: &YamlNode, key: &str) -> Option<Spanned<String>> {
    text(node.get("defaults")?.get("run")?, key)
}

/// Reads nodes and knows whose they are, for errors.
struct NodeReader<'a> {
    source: &'a Source,
}

impl NodeReader<'_> {
    fn error(&self, span: Span, problem: WorkflowProblem) -> WorkflowError {
        WorkflowError::new(self.source, span, problem)
    }

    fn lacks(&self, what: &'static str, field: &'static str, node: &YamlNode) -> WorkflowError {
        self.error(node.span, WorkflowProblem::ActionLacks { what, field })
    }

    fn line(&self, span: Span) -> usize {
        self.source.place(span.start).line
    }

    fn not_yaml(&self, problem: YamlProblem, span: Span) -> WorkflowError {
        let problem = match problem {
            YamlProblem::Syntax(message) => WorkflowProblem::NotYaml(message),
            YamlProblem::DuplicateKey { key, first } => {
                WorkflowProblem::DuplicateKey { key, first_line: self.line(first) }
            }
            YamlProblem::KeyNotText => WorkflowProblem::KeyNotText,
            YamlProblem::SeveralDocuments => WorkflowProblem::SeveralDocuments,
            YamlProblem::TooLarge => WorkflowProblem::TooLarge,
        };
        self.error(span, problem)
    }

    fn shape(&self, field: &str, wanted: &'static str, node: &YamlNode) -> WorkflowError {
        let found = if node.is_null() { "nothing" } else { node.shape() };
        self.error(node.span, WorkflowProblem::Shape { field: field.to_owned(), wanted, found })
    }

    fn variables(&self, field: &str, node: &YamlNode) -> Result<WorkflowVariables, WorkflowError> {
        let Some(node) = present(node, field) else { return Ok(WorkflowVariables::default()) };
        let entries = node.entries().ok_or_else(|| self.shape(field, "a mapping", node))?;
        let value = |(key, node): &(Spanned<String>, YamlNode)| match node.text() {
            Some(text) => Ok((key.value.clone(), text)),
            None => Err(self.shape(&format!("{field}.{}", key.value), "a single value", node)),
        };
        entries.iter().map(value).collect::<Result<_, _>>().map(WorkflowVariables)
    }

    fn cache_mode(&self, node: &YamlNode) -> Result<Option<Spanned<String>>, WorkflowError> {
        let Some(node) = present(node, "cache-mode") else { return Ok(None) };
        let mode = node.text().ok_or_else(|| self.shape("cache-mode", "a single value", node))?;
        if CACHE_MODES.contains(&mode.value.as_str()) {
            return Ok(Some(mode));
        }
        Err(self.error(node.span, WorkflowProblem::CacheMode(mode.value)))
    }

    fn job(&self, key: &Spanned<String>, node: &YamlNode) -> Result<Job, WorkflowError> {
        let id = &key.value;
        if node.entries().is_none() {
            return Err(self.shape(&format!("jobs.{id}"), "a mapping", node));
        }
        let calls = text(node, "uses").map(|workflow| workflow.value);
        let steps = match present(node, "steps") {
            Some(steps) => self.steps(id, steps)?,
            None => Vec::new(),
        };
        if steps.is_empty() && calls.is_none() {
            return Err(self.error(key.span, WorkflowProblem::NoSteps(id.clone())));
        }
        Ok(Job {
            id: id.clone(),
            name: text(node, "name").map(|name| name.value),
            env: self.variables("env", node)?,
            steps,
            working_directory: default(node, "working-directory"),
            shell: default(node, "shell"),
            condition: self.condition(node)?,
            runs_on: node.get("runs-on").and_then(labels),
            in_container: present(node, "container").is_some(),
            matrix: node.get("strategy").and_then(|strategy| present(strategy, "matrix")).map(DataNode::read),
            with: self.variables("with", node)?,
            secrets: match present(node, "secrets") {
                None => CallSecrets::None,
                Some(all) if all.text().is_some_and(|text| text.value == "inherit") => CallSecrets::Inherit,
                Some(_) => CallSecrets::Named(self.variables("secrets", node)?),
            },
            cache_mode: self.cache_mode(node)?,
            calls,
            span: key.span,
        })
    }

    fn steps(&self, job: &str, node: &YamlNode) -> Result<Vec<Step>, WorkflowError> {
        let NodeKind::Sequence(items) = &node.kind else {
            return Err(self.shape(&format!("jobs.{job}.steps"), "a list", node));
        };
        let mut steps: Vec<Step> = Vec::with_capacity(items.len());
        let mut ids = std::collections::HashMap::new();
        for (index, item) in items.iter().enumerate() {
            let step = self.step(index, item)?;
            if let Some(id) = &step.id
                && let Some(first) = ids.insert(id.to_ascii_lowercase(), step.span)
            {
                let span = item.get("id").map_or(step.span, |id| id.span);
                let problem = WorkflowProblem::DuplicateStepId { id: id.clone(), first_line: self.line(first) };
                return Err(self.error(span, problem));
            }
            steps.push(step);
        }
        Ok(steps)
    }

    fn step(&self, index: usize, node: &YamlNode) -> Result<Step, WorkflowError> {
        if node.entries().is_none() {
            return Err(self.shape(&format!("step {}", index + 1), "a mapping", node));
        }
        Ok(Step {
            index,
            id: text(node, "id").map(|id| id.value),
            name: text(node, "name"),
            condition: self.condition(node)?,
            action: self.action(index, node)?,
            env: self.variables("env", node)?,
            with: self.variables("with", node)?,
            working_directory: text(node, "working-directory"),
            shell: text(node, "shell"),
            continue_on_error: text(node, "continue-on-error"),
            span: node.span,
        })
    }

    fn condition(&self, node: &YamlNode) -> Result<Option<Spanned<String>>, WorkflowError> {
        let Some(node) = present(node, "if") else { return Ok(None) };
        if let NodeKind::Scalar(yaml::Scalar { tag: Some(tag), plain: true, .. }) = &node.kind {
            return Err(self.error(node.span, WorkflowProblem::TagForCondition(tag.clone())));
        }
        node.text().map(Some).ok_or_else(|| self.shape("if", "a single value", node))
    }

    fn action(&self, index: usize, node: &YamlNode) -> Result<StepAction, WorkflowError> {
        match (present(node, "uses"), present(node, "run")) {
            (Some(uses), Some(_)) => Err(self.error(uses.span, WorkflowProblem::UsesAndRun(index + 1))),
            (None, None) => Err(self.error(node.span, WorkflowProblem::NeitherUsesNorRun(index + 1))),
            (None, Some(run)) => {
                let script = run.text().ok_or_else(|| self.shape("run", "a single value", run))?;
                Ok(StepAction::Run { script })
            }
            (Some(uses), None) => {
                let text = uses.text().ok_or_else(|| self.shape("uses", "a single value", uses))?;
                let action = ActionRef::parse(&text, &self.source.text).map_err(|bad| {
                    let text = text.value.clone();
                    let problem = match bad {
                        BadRef::NoReference => WorkflowProblem::NoReference(text),
                        BadRef::NoRepository => WorkflowProblem::NoRepository(text),
                    };
                    self.error(uses.span, problem)
                })?;
                Ok(StepAction::Uses(action))
            }
        }
    }
}
