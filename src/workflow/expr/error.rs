//! What can be wrong with an expression: [`ExprError`]. Placing it in a file is for whoever holds the source.

use super::Unresolved;
use crate::source::Span;

/// An expression that cannot be read or evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExprError {
    /// The text between `${{` and `}}` is no expression.
    #[error("cannot read the expression `{expression}`: {message}")]
    Syntax {
        /// The expression as written.
        expression: String,
        /// What the parser expected.
        message: String,
        /// The place of the offending part.
        span: Span,
    },
    /// A `${{` without `}}`.
    #[error("`${{{{` is never closed by `}}}}`")]
    NotClosed {
        /// The place of the `${{`.
        span: Span,
    },
    /// A first name that is none of GitHub's contexts.
    #[error("the expression `{expression}` names `{name}`, which is not a context of GitHub")]
    UnknownContext {
        /// The expression as written.
        expression: String,
        /// The unknown name.
        name: String,
        /// The place of the expression.
        span: Span,
    },
    /// A value that exists on GitHub and that nothing here knows.
    #[error("the expression `{expression}` needs `{}`, which {}", value.name, value.why)]
    Unresolved {
        /// The expression as written.
        expression: String,
        /// The value.
        value: Box<Unresolved>,
        /// The place of the expression.
        span: Span,
    },
    /// A function refused its arguments.
    #[error("cannot evaluate `{expression}`: {message}")]
    Evaluation {
        /// The expression as written.
        expression: String,
        /// What went wrong, naming the function.
        message: String,
        /// The place of the expression.
        span: Span,
    },
}

impl ExprError {
    /// Returns the place of the fault in the workflow's source.
    pub fn span(&self) -> Span {
        match self {
            Self::Syntax { span, .. }
            | Self::NotClosed { span }
            | Self::UnknownContext { span, .. }
            | Self::Unresolved { span, .. }
            | Self::Evaluation { span, .. } => *span,
        }
    }

    /// Says what to do about it, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Syntax { expression, .. } if expression.contains('"') => {
                Some("expressions quote text with ' and not with \"".to_owned())
            }
            Self::Syntax { .. } | Self::Evaluation { .. } => None,
            Self::NotClosed { .. } => Some("close the expression with `}}`".to_owned()),
            Self::UnknownContext { .. } => {
                Some("text needs quotes: 'text'; contexts are env, github, runner, steps, job, inputs".to_owned())
            }
            Self::Unresolved { value, .. } => value.supply.clone(),
        }
    }
}
