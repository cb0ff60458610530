//! What can be wrong with an expression: [`ExprError`]. Placing it in a file is for whoever holds the source.

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
    /// A context that exists on GitHub and is not reproduced here.
    #[error("the expression `{expression}` needs the context `{name}`, which is not reproduced")]
    NotReproduced {
        /// The expression as written.
        expression: String,
        /// The context.
        name: String,
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
            | Self::NotReproduced { span, .. }
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
            Self::NotReproduced { name, .. } if name == "needs" => {
                Some("one job is reproduced; write the value the other job gives in its place".to_owned())
            }
            Self::NotReproduced { .. } => {
                Some("matrices are not reproduced; write one combination of the matrix in its place".to_owned())
            }
        }
    }
}
