//! Values in a workflow that may be of any shape, such as a matrix. [`DataNode`] is principal.

use super::expr::{Contexts, ExprError, Template, Value};
use super::yaml::{NodeKind, YamlNode};
use crate::source::{Source, Span, Spanned};

/// A value as written: expressions in it are not evaluated yet.
#[derive(Debug, Clone, PartialEq)]
pub enum DataNode {
    /// A single value.
    Scalar {
        /// Its text, with its place.
        text: Spanned<String>,
        /// What it is where there is nothing to evaluate.
        value: Value,
    },
    /// A list.
    List(Vec<DataNode>),
    /// A mapping, in its order.
    Map(Vec<(String, DataNode)>),
}

impl DataNode {
    pub(super) fn read(node: &YamlNode) -> Self {
        match &node.kind {
            NodeKind::Sequence(items) => Self::List(items.iter().map(Self::read).collect()),
            NodeKind::Mapping(entries) => {
                Self::Map(entries.iter().map(|(key, node)| (key.value.clone(), Self::read(node))).collect())
            }
            NodeKind::Scalar(scalar) => Self::Scalar {
                text: node.text().unwrap_or_else(|| Spanned::new(String::new(), node.span)),
                value: scalar.value(),
            },
        }
    }

    /// Evaluates the expressions in it. `source` is what the places in it point into.
    ///
    /// # Errors
    /// As [`Template::evaluate`].
    pub fn evaluate(&self, contexts: &dyn Contexts, source: &Source) -> Result<Value, ExprError> {
        match self {
            Self::Scalar { text, .. } if text.value.contains("${{") => {
                Template::parse(text, &source.text)?.value(contexts)
            }
            Self::Scalar { value, .. } => Ok(value.clone()),
            Self::List(items) => {
                let items = items.iter().map(|item| item.evaluate(contexts, source));
                items.collect::<Result<_, _>>().map(Value::Array)
            }
            Self::Map(entries) => {
                let entries = entries.iter().map(|(key, node)| Ok((key.clone(), node.evaluate(contexts, source)?)));
                entries.collect::<Result<_, _>>().map(Value::Object)
            }
        }
    }

    /// Returns the value of a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => {
                entries.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)).map(|(_, node)| node)
            }
            _ => None,
        }
    }

    /// Returns where it stands, where it is a single value.
    pub fn span(&self) -> Option<Span> {
        match self {
            Self::Scalar { text, .. } => Some(text.span),
            _ => None,
        }
    }
}
