//! Reads an `action.yml`: what an action asks for and how it is started. [`ActionMetadata`] is principal.
//!
//! Only what a runner needs is read; the description of an action is for people.

use super::yaml::{self, YamlNode, YamlProblem};
use crate::source::{Source, Span};

/// An action's own description of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionMetadata {
    /// Its name.
    pub name: String,
    /// Its inputs in the order of the file.
    pub inputs: Vec<ActionInput>,
    /// How it is started.
    pub runs: ActionStart,
}

/// One input of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionInput {
    /// Its name as written.
    pub name: String,
    /// Its default, which may hold expressions; `None` where it has none.
    pub default: Option<String>,
}

/// How an action is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionStart {
    /// Files that node runs.
    JavaScript(JavaScriptAction),
    /// Anything else, as `using` names it, such as `composite` or `docker`.
    Other {
        /// The word after `using:`.
        using: String,
    },
}

/// The files of an action that node runs, by their paths in the action's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JavaScriptAction {
    /// The release of node that it asks for, such as 20.
    pub node: u32,
    /// What runs as the main step.
    pub main: String,
    /// What runs before every main step, where there is something.
    pub pre: Option<String>,
    /// What runs as the post step, where there is something.
    pub post: Option<String>,
    /// The condition of the post step; `always()` where none is written.
    pub post_if: String,
}

/// An `action.yml` that a runner would not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {problem}")]
pub struct MetadataError {
    /// The place as `name:line:column`.
    pub at: String,
    /// What is wrong there.
    pub problem: String,
}

impl ActionMetadata {
    /// Reads an `action.yml`.
    ///
    /// # Errors
    /// What is no YAML, or lacks `runs` or what belongs into it.
    pub fn parse(source: &Source) -> Result<Self, MetadataError> {
        let error = |span: Span, problem: &str| MetadataError { at: source.cite(span), problem: problem.to_owned() };
        let root = yaml::read(&source.text).map_err(|(problem, span)| match problem {
            YamlProblem::Syntax(words) => error(span, &format!("not YAML: {words}")),
            YamlProblem::DuplicateKey { key, .. } => error(span, &format!("the key `{key}` stands there twice")),
            YamlProblem::KeyNotText => error(span, "a key must be a text"),
            YamlProblem::SeveralDocuments => error(span, "a second YAML document begins"),
            YamlProblem::TooLarge => error(span, "nested too deeply, or too large once its aliases are replaced"),
        })?;
        let runs = root.get("runs").ok_or_else(|| error(root.span, "an action must have `runs`"))?;
        let using = value(runs, "using").ok_or_else(|| error(runs.span, "`runs` must have `using`"))?;
        let runs = match using.strip_prefix("node").and_then(|release| release.parse().ok()) {
            None => ActionStart::Other { using },
            Some(node) => ActionStart::JavaScript(JavaScriptAction {
                node,
                main: value(runs, "main").ok_or_else(|| error(runs.span, "`runs` must have `main`"))?,
                pre: value(runs, "pre"),
                post: value(runs, "post"),
                post_if: value(runs, "post-if").unwrap_or_else(|| "always()".to_owned()),
            }),
        };
        let inputs = root.get("inputs").and_then(YamlNode::entries).unwrap_or_default();
        let input = |name: &str, node: &YamlNode| ActionInput {
            name: name.to_owned(),
            default: node.get("default").and_then(YamlNode::text).map(|text| text.value),
        };
        Ok(Self {
            name: value(&root, "name").unwrap_or_default(),
            inputs: inputs.iter().map(|(name, node)| input(&name.value, node)).collect(),
            runs,
        })
    }
}

/// Returns a text that is there and not empty.
fn value(node: &YamlNode, key: &str) -> Option<String> {
    node.get(key).and_then(YamlNode::text).map(|text| text.value).filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ActionMetadata, MetadataError> {
        ActionMetadata::parse(&Source::new("action.yml", text))
    }

    #[test]
    fn inputs_keep_their_order_and_their_defaults() {
        let text = "name: Dance\ninputs:\n  cache-map:\n    description: x\n  scratch-dir:\n    default: scratch\n  \
                    save-always:\n    default: false\nruns:\n  using: 'node20'\n  main: dist/index.js\n  post: dist/index.js\n  \
                    post-if: 'success() || github.event.inputs.save-always'\n";
        let file = parse(text).unwrap();
        let inputs: Vec<_> = file.inputs.iter().map(|input| (input.name.as_str(), input.default.as_deref())).collect();
        assert_eq!(inputs, [("cache-map", None), ("scratch-dir", Some("scratch")), ("save-always", Some("false"))]);
        let ActionStart::JavaScript(script) = file.runs else { panic!("{file:?}") };
        assert_eq!((script.node, script.main.as_str()), (20, "dist/index.js"));
        assert_eq!(script.post_if, "success() || github.event.inputs.save-always");
    }

    #[test]
    fn a_post_step_without_a_condition_runs_always() {
        let file = parse("runs: {using: node24, main: a.js, post: b.js}").unwrap();
        assert!(
            matches!(file.runs, ActionStart::JavaScript(JavaScriptAction { post_if, .. }) if post_if == "always()")
        );
    }

    #[test]
    fn what_node_does_not_run_is_named() {
        let file = parse("runs: {using: docker, image: Dockerfile}").unwrap();
        assert_eq!(file.runs, ActionStart::Other { using: "docker".to_owned() });
    }

    #[test]
    fn what_is_missing_is_named_with_its_place() {
        assert_eq!(
            parse("name: x\nruns:\n  using: node20\n").unwrap_err().to_string(),
            "action.yml:3:3: `runs` must have `main`"
        );
        assert!(parse("name: x\n").unwrap_err().to_string().contains("must have `runs`"));
        assert!(parse("runs: [\n").unwrap_err().to_string().contains("not YAML"));
    }
}
