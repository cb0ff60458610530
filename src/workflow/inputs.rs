//! What a workflow or an action lets be given to it. [`InputDeclaration`] is principal.

use super::expr::Value;
use super::yaml::YamlNode;
use crate::source::Spanned;

/// One input under `inputs:` of `workflow_call`, `workflow_dispatch` or an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputDeclaration {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: InputType,
    /// Its default as written, if any.
    pub default: Option<Spanned<String>>,
    /// Whether whoever calls must give it.
    pub required: bool,
}

/// The type of an input. Those of an action are all texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputType {
    /// `string`, `choice`, `environment`, or none.
    Text,
    /// `boolean`.
    Bool,
    /// `number`.
    Number,
}

impl InputType {
    /// Turns a text into a value of the type; a text that is none stays a text.
    pub fn value(self, text: &str) -> Value {
        match self {
            Self::Bool if text.eq_ignore_ascii_case("true") => Value::Bool(true),
            Self::Bool if text.eq_ignore_ascii_case("false") => Value::Bool(false),
            Self::Number => text.trim().parse().map_or_else(|_| Value::from(text), Value::Number),
            _ => Value::from(text),
        }
    }

    /// Returns what an input is that has no default and was not given: `false`, `0`, or an empty text.
    ///
    /// Source: GitHub's documentation, "Workflow syntax", `on.workflow_call.inputs`.
    pub fn absent(self) -> Value {
        match self {
            Self::Text => Value::from(""),
            Self::Bool => Value::Bool(false),
            Self::Number => Value::Number(0.0),
        }
    }
}

/// Reads declarations; what has another shape declares nothing.
pub(super) fn declarations(node: Option<&YamlNode>) -> Vec<InputDeclaration> {
    let entries = node.and_then(YamlNode::entries).unwrap_or_default();
    let text = |node: &YamlNode, key: &str| node.get(key).filter(|node| !node.is_null()).and_then(YamlNode::text);
    let read = |(key, node): &(Spanned<String>, YamlNode)| InputDeclaration {
        name: key.value.clone(),
        kind: match text(node, "type").map(|kind| kind.value).as_deref() {
            Some("boolean") => InputType::Bool,
            Some("number") => InputType::Number,
            _ => InputType::Text,
        },
        default: text(node, "default"),
        required: text(node, "required").is_some_and(|required| required.value == "true"),
    };
    entries.iter().map(read).collect()
}
