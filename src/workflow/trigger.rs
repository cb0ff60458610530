//! The events under `on:` of a workflow, with their filters and inputs. [`OnEvent`] is principal.
//!
//! Of the filters those for branches and tags are kept: they decide on which ref a run is. Those for paths and types are not
//! looked at.

use globset::GlobBuilder;

use super::inputs::{self, InputDeclaration};
use super::yaml::{NodeKind, YamlNode};
use crate::source::{Span, Spanned};

/// An event that starts a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnEvent {
    /// Its name, such as `push`.
    pub name: String,
    /// `branches` or `branches-ignore`.
    pub branches: Option<RefFilter>,
    /// `tags` or `tags-ignore`.
    pub tags: Option<RefFilter>,
    /// The inputs of `workflow_call` and `workflow_dispatch`.
    pub inputs: Vec<InputDeclaration>,
    /// The place of its name.
    pub span: Span,
}

/// A filter of branches or tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefFilter {
    /// The patterns, in the order written.
    pub patterns: Vec<String>,
    /// Whether it names what starts no run: `branches-ignore`, `tags-ignore`.
    pub ignores: bool,
}

impl OnEvent {
    /// Tells whether it is a push of tags and of nothing else.
    pub fn is_of_tags_only(&self) -> bool {
        self.name == "push" && self.tags.is_some() && self.branches.is_none()
    }

    /// Tells whether an event on a branch starts a run: a filter of tags alone leaves every branch out.
    ///
    /// Source: GitHub's documentation, "Workflow syntax", `on.<push>.<branches|tags|branches-ignore|tags-ignore>`.
    pub fn takes_branch(&self, branch: &str) -> bool {
        match (&self.branches, &self.tags) {
            (Some(filter), _) => filter.takes(branch),
            (None, tags) => tags.is_none(),
        }
    }

    /// Tells whether an event on a tag starts a run: a filter of branches alone leaves every tag out.
    pub fn takes_tag(&self, tag: &str) -> bool {
        match (&self.tags, &self.branches) {
            (Some(filter), _) => filter.takes(tag),
            (None, branches) => branches.is_none(),
        }
    }
}

impl RefFilter {
    /// Tells whether a name passes: of the patterns that match it the last one decides, and `!` takes away.
    pub fn takes(&self, name: &str) -> bool {
        let hit = self.patterns.iter().rev().find_map(|pattern| {
            let (pattern, taken) = pattern.strip_prefix('!').map_or((pattern.as_str(), true), |rest| (rest, false));
            matches(pattern, name).then_some(taken)
        });
        hit.unwrap_or(false) != self.ignores
    }

    /// Returns the first name that the filter spells out, without a wildcard.
    pub fn spelt_out(&self) -> Option<&str> {
        let plain = |pattern: &&String| !pattern.contains(['*', '?', '+', '[', '!']);
        self.patterns.iter().filter(|_| !self.ignores).find(plain).map(String::as_str)
    }
}

/// Matches as GitHub's filters do: `*` stops at a slash, `**` does not. A pattern that cannot be read matches nothing.
fn matches(pattern: &str, name: &str) -> bool {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    glob.is_ok_and(|glob| glob.compile_matcher().is_match(name))
}

/// Reads `on`, which may be one word, a list or a mapping.
pub(super) fn events(on: Option<&YamlNode>) -> Vec<OnEvent> {
    let bare = |name: Spanned<String>| OnEvent {
        name: name.value,
        branches: None,
        tags: None,
        inputs: Vec::new(),
        span: name.span,
    };
    match on.map(|on| &on.kind) {
        Some(NodeKind::Mapping(entries)) => entries
            .iter()
            .map(|(key, node)| OnEvent {
                branches: filter(node, "branches"),
                tags: filter(node, "tags"),
                inputs: inputs::declarations(node.get("inputs")),
                ..bare(key.clone())
            })
            .collect(),
        Some(NodeKind::Sequence(items)) => items.iter().filter_map(YamlNode::text).map(bare).collect(),
        Some(NodeKind::Scalar(_)) => on.and_then(YamlNode::text).map(bare).into_iter().collect(),
        None => Vec::new(),
    }
}

fn filter(node: &YamlNode, name: &str) -> Option<RefFilter> {
    let read = |key: &str, ignores| {
        let patterns = node.get(key).filter(|node| !node.is_null())?;
        let patterns = match &patterns.kind {
            NodeKind::Sequence(items) => items.iter().filter_map(YamlNode::text).map(|item| item.value).collect(),
            _ => patterns.text().map(|text| vec![text.value]).unwrap_or_default(),
        };
        Some(RefFilter { patterns, ignores })
    };
    read(name, false).or_else(|| read(&format!("{name}-ignore"), true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;
    use crate::workflow::Workflow;

    fn filter(patterns: &[&str], ignores: bool) -> RefFilter {
        RefFilter { patterns: patterns.iter().map(|pattern| (*pattern).to_owned()).collect(), ignores }
    }

    #[test]
    fn filters_match_as_githubs_do() {
        assert!(filter(&["main", "release/**"], false).takes("release/1/2"));
        assert!(!filter(&["release/*"], false).takes("release/1/2"));
        assert!(!filter(&["**", "!main"], false).takes("main"));
        assert!(!filter(&["main"], true).takes("main"));
        assert!(filter(&["main"], true).takes("other"));
        assert!(!filter(&["["], false).takes("["));
    }

    #[test]
    fn a_filter_of_tags_alone_leaves_every_branch_out() {
        let event = |branches, tags| OnEvent {
            name: "push".into(),
            branches,
            tags,
            inputs: Vec::new(),
            span: Span { start: 0, end: 0 },
        };
        assert!(!event(None, Some(filter(&["v*"], false))).takes_branch("main"));
        assert!(event(None, Some(filter(&["v*"], false))).takes_tag("v1.0.0"));
        assert!(!event(Some(filter(&["main"], false)), None).takes_tag("v1.0.0"));
        assert!(event(None, None).takes_branch("main") && event(None, None).takes_tag("v1"));
    }

    fn on(text: &str) -> Vec<OnEvent> {
        let text = format!("on: {text}\njobs:\n  build:\n    steps:\n      - run: make\n");
        Workflow::parse(&Source::new("w.yml", text)).unwrap().on
    }

    #[test]
    fn events_come_in_three_forms_with_their_filters() {
        let names = |text: &str| on(text).into_iter().map(|event| event.name).collect::<Vec<_>>();
        assert_eq!(names("push"), ["push"]);
        assert_eq!(names("[push, pull_request]"), ["push", "pull_request"]);
        let tags = on("{ push: { tags: ['v*'] }, schedule: [{ cron: '0 0 * * *' }] }");
        assert!(tags[0].tags.is_some() && tags[0].branches.is_none() && tags[1].name == "schedule");
        assert!(tags[0].is_of_tags_only() && !tags[1].is_of_tags_only());
        assert_eq!(on("{push: {branches: [trunk]}}")[0].branches.as_ref().unwrap().patterns, ["trunk"]);
    }
}
