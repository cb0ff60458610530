//! The `action.yml` of an action: what it asks for and how it is started. [`ActionFile`] is principal.
//!
//! Only what a plan or a runner needs is read; the description of an action is for people.

use super::inputs::InputDeclaration;
use super::{Step, WorkflowError};
use crate::source::{Source, Spanned};

/// An action as its file describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionFile {
    /// What may be given to it.
    pub inputs: Vec<InputDeclaration>,
    /// What it gives back: names with their templates.
    pub outputs: Vec<(String, Spanned<String>)>,
    /// What it does.
    pub runs: ActionRuns,
    pub(super) source: Source,
}

/// What an action does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionRuns {
    /// Steps of its own.
    Composite(Vec<Step>),
    /// Files that node runs.
    JavaScript(JavaScriptAction),
    /// Anything else, as `using` names it, such as `docker`.
    Other(String),
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

impl ActionFile {
    /// Reads an action's file.
    ///
    /// # Errors
    /// When the text is not YAML or has not the shape of an action; the error names the place.
    pub fn parse(source: &Source) -> Result<Self, WorkflowError> {
        super::read::action(source)
    }

    /// Returns the text the spans point into.
    pub fn source(&self) -> &Source {
        &self.source
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ActionFile, WorkflowError> {
        ActionFile::parse(&Source::new("action.yml", text))
    }

    #[test]
    fn inputs_keep_their_order_and_their_defaults() {
        let text = "name: Dance\ninputs:\n  cache-map:\n    description: x\n  scratch-dir:\n    default: scratch\n  \
                    save-always:\n    default: false\nruns:\n  using: 'node20'\n  main: dist/index.js\n  post: dist/index.js\n  \
                    post-if: 'success() || github.event.inputs.save-always'\n";
        let file = parse(text).unwrap();
        let default = |input: &InputDeclaration| input.default.as_ref().map(|default| default.value.clone());
        let inputs: Vec<_> = file.inputs.iter().map(|input| (input.name.as_str(), default(input))).collect();
        let inputs: Vec<_> = inputs.iter().map(|(name, default)| (*name, default.as_deref())).collect();
        assert_eq!(inputs, [("cache-map", None), ("scratch-dir", Some("scratch")), ("save-always", Some("false"))]);
        let ActionRuns::JavaScript(script) = file.runs else { panic!("{file:?}") };
        assert_eq!((script.node, script.main.as_str()), (20, "dist/index.js"));
        assert_eq!(script.post_if, "success() || github.event.inputs.save-always");
    }

    #[test]
    fn a_post_step_without_a_condition_runs_always() {
        let file = parse("runs: {using: node24, main: a.js, post: b.js}").unwrap();
        assert!(matches!(file.runs, ActionRuns::JavaScript(JavaScriptAction { post_if, .. }) if post_if == "always()"));
    }

    #[test]
    fn what_node_does_not_run_is_named() {
        let file = parse("runs: {using: docker, image: Dockerfile}").unwrap();
        assert_eq!(file.runs, ActionRuns::Other("docker".to_owned()));
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
