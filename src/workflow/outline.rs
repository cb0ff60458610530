//! What surrounds a workflow's jobs: the filters of its events, the defaults of its inputs, and where its jobs run.
//! [`WorkflowOutline`] is principal.
//!
//! A run needs none of it, so the model leaves it out; whoever judges a workflow without running it asks for it here.

use super::WorkflowError;
use super::yaml::{NodeKind, YamlNode};
use crate::source::{Source, Span, Spanned};

/// What surrounds the jobs of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WorkflowOutline {
    /// The events under `on`, in the order written.
    pub events: Vec<EventFilter>,
    /// The inputs that a call or a dispatch may give, with their defaults as texts.
    pub inputs: Vec<(String, Option<String>)>,
    /// The jobs, in the order written.
    pub jobs: Vec<JobOutline>,
}

/// One event under `on`, and what narrows it down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter {
    /// Its name, such as `push`.
    pub event: String,
    /// `branches`.
    pub branches: Vec<String>,
    /// Whether `branches` or `branches-ignore` is given.
    pub filters_branches: bool,
    /// Whether `tags` or `tags-ignore` is given.
    pub filters_tags: bool,
    /// Where it stands.
    pub span: Span,
}

/// Where a job runs, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobOutline {
    /// Its key under `jobs`.
    pub id: String,
    /// The labels of `runs-on`; `None` where they are no plain text or list.
    pub runs_on: Option<Vec<Spanned<String>>>,
    /// Whether it has a matrix.
    pub has_matrix: bool,
    /// Whether its steps run in a container.
    pub in_container: bool,
    /// Its `if`, if any.
    pub condition: Option<Spanned<String>>,
}

impl WorkflowOutline {
    /// Reads the outline of a workflow.
    ///
    /// # Errors
    /// When the text is not YAML; what is oddly shaped is left out.
    pub fn parse(source: &Source) -> Result<Self, WorkflowError> {
        let root = super::read::document(source)?;
        let on = root.get("on");
        let events = match on.map(|on| &on.kind) {
            Some(NodeKind::Mapping(entries)) => {
                entries.iter().map(|(key, filters)| event(&key.value, key.span, Some(filters))).collect()
            }
            Some(NodeKind::Sequence(items)) => {
                items.iter().filter_map(YamlNode::text).map(|name| event(&name.value, name.span, None)).collect()
            }
            Some(NodeKind::Scalar(_)) => {
                on.and_then(YamlNode::text).map(|name| event(&name.value, name.span, None)).into_iter().collect()
            }
            None => Vec::new(),
        };
        let jobs = root.get("jobs").and_then(YamlNode::entries).unwrap_or_default();
        Ok(Self {
            events,
            inputs: ["workflow_call", "workflow_dispatch"].iter().flat_map(|event| inputs(on, event)).collect(),
            jobs: jobs.iter().map(|(key, node)| job(&key.value, node)).collect(),
        })
    }

    /// Returns the event of this name.
    pub fn event(&self, name: &str) -> Option<&EventFilter> {
        self.events.iter().find(|event| event.event == name)
    }

    /// Returns the job of this key.
    pub fn job(&self, id: &str) -> Option<&JobOutline> {
        self.jobs.iter().find(|job| job.id == id)
    }

    /// Returns the default of an input; `None` where it is unknown or differs from one event to the other.
    pub fn input_default(&self, name: &str) -> Option<&str> {
        let mut found = self.inputs.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let first = found.next()?.1.as_deref()?;
        found.all(|(_, default)| default.as_deref() == Some(first)).then_some(first)
    }
}

fn event(name: &str, span: Span, filters: Option<&YamlNode>) -> EventFilter {
    let given = |key: &str| filters.and_then(|filters| filters.get(key));
    EventFilter {
        event: name.to_owned(),
        branches: given("branches").map(texts).unwrap_or_default(),
        filters_branches: given("branches").or_else(|| given("branches-ignore")).is_some(),
        filters_tags: given("tags").or_else(|| given("tags-ignore")).is_some(),
        span,
    }
}

fn inputs(on: Option<&YamlNode>, event: &str) -> Vec<(String, Option<String>)> {
    let declared = on.and_then(|on| on.get(event)?.get("inputs")?.entries()).unwrap_or_default();
    let one = |(key, node): &(Spanned<String>, YamlNode)| {
        let default = node.get("default").and_then(YamlNode::text).map(|text| text.value);
        let boolean = node.get("type").and_then(YamlNode::text).is_some_and(|kind| kind.value == "boolean");
        // A boolean that nobody gives is false; nothing is known of another.
        (key.value.clone(), default.or_else(|| boolean.then(|| "false".to_owned())))
    };
    declared.iter().map(one).collect()
}

fn job(id: &str, node: &YamlNode) -> JobOutline {
    let runs_on = node.get("runs-on").and_then(|labels| match &labels.kind {
        NodeKind::Scalar(_) => labels.text().map(|label| vec![label]),
        NodeKind::Sequence(items) => items.iter().map(YamlNode::text).collect(),
        NodeKind::Mapping(_) => None,
    });
    JobOutline {
        id: id.to_owned(),
        runs_on,
        has_matrix: node.get("strategy").and_then(|strategy| strategy.get("matrix")).is_some(),
        in_container: node.get("container").is_some_and(|container| !container.is_null()),
        condition: node.get("if").and_then(YamlNode::text),
    }
}

fn texts(node: &YamlNode) -> Vec<String> {
    match &node.kind {
        NodeKind::Sequence(items) => items.iter().filter_map(YamlNode::text).map(|text| text.value).collect(),
        _ => node.text().map(|text| text.value).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(text: &str) -> WorkflowOutline {
        WorkflowOutline::parse(&Source::new("w.yml", text)).unwrap()
    }

    #[test]
    fn events_come_in_three_forms_with_their_filters() {
        let names = |text: &str| outline(text).events.iter().map(|event| event.event.clone()).collect::<Vec<_>>();
        assert_eq!(names("on: push\n"), ["push"]);
        assert_eq!(names("on: [push, pull_request]\n"), ["push", "pull_request"]);
        let tags = outline("on:\n  push:\n    tags: ['v*']\n  schedule:\n    - cron: '0 0 * * *'\n");
        let push = tags.event("push").unwrap();
        assert!(push.filters_tags && !push.filters_branches && tags.event("schedule").is_some());
        assert_eq!(outline("on: {push: {branches: [trunk]}}").events[0].branches, ["trunk"]);
    }

    #[test]
    fn inputs_have_defaults_and_jobs_have_labels() {
        let found = outline(
            "on:\n  workflow_call:\n    inputs:\n      push: {type: boolean, default: true}\n      dry: {type: boolean}\n      x: {type: string}\n\
             jobs:\n  a:\n    runs-on: [self-hosted, linux]\n    strategy: {matrix: {x: [1]}}\n  b:\n    runs-on: {group: big}\n",
        );
        assert_eq!((found.input_default("push"), found.input_default("dry")), (Some("true"), Some("false")));
        assert_eq!((found.input_default("x"), found.input_default("y")), (None, None));
        let job = found.job("a").unwrap();
        assert!(job.has_matrix && job.runs_on.as_ref().unwrap().len() == 2);
        assert_eq!(found.job("b").unwrap().runs_on, None);
    }
}
