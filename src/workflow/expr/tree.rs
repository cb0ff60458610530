//! The owned syntax tree of an expression; [`Expression`] is principal.
//!
//! The grammar is that of the `github-actions-expressions` crate. Its tree borrows the text and leans to the left as
//! deep as the expression is long; ours owns its names and lays such chains flat, so that nothing recurses over them.

use github_actions_expressions::call::Function;
use github_actions_expressions::literal::Literal;
use github_actions_expressions::op::{BinExpr, BinOp};
use github_actions_expressions::{Error, Expr, SpannedExpr};

use super::locate::Locator;
use super::{ExprError, Value};
use crate::source::Span;

/// GitHub refuses longer expressions too (`ExpressionConstants.MaxLength` of actions/runner).
const LONGEST: usize = 21_000;

/// Every context GitHub documents for steps.
const CONTEXTS: [&str; 12] =
    ["github", "env", "vars", "job", "jobs", "steps", "runner", "secrets", "strategy", "matrix", "needs", "inputs"];

/// One parsed expression, with its text and place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expression {
    pub(super) tree: ExprTree,
    /// The text between `${{` and `}}`, trimmed.
    pub(super) text: String,
    pub(super) span: Span,
}

/// A node of the tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ExprTree {
    Literal(Value),
    Call(Function, Vec<ExprTree>),
    Path(PathRoot, Vec<Access>),
    Not(Box<ExprTree>),
    /// Operators applied from left to right, each to the result so far.
    Chain(Box<ExprTree>, Vec<(Operator, ExprTree)>),
}

/// What a path begins with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum PathRoot {
    /// A context by its name, in lower case.
    Context(String),
    /// A call or a parenthesized expression.
    Inner(Box<ExprTree>),
}

/// One step into a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Access {
    Name(String),
    Computed(ExprTree),
    Star,
}

/// A binary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    And,
    Or,
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Expression {
    /// Parses the bytes from `start` to `end` of a value.
    pub(super) fn parse(value: &str, start: usize, end: usize, locator: &Locator) -> Result<Self, ExprError> {
        let inside = value.get(start..end).unwrap_or_default();
        let text = inside.trim();
        let syntax = |message: String, span| ExprError::Syntax { expression: text.to_owned(), message, span };
        let Some(last) = text.char_indices().last().map(|(last, _)| last) else {
            return Err(syntax("there is nothing in it".to_owned(), locator.span(start, end)));
        };
        let start = start + (inside.len() - inside.trim_start().len());
        let span = locator.span(start, start + text.len());
        if text.len() > LONGEST {
            return Err(syntax(format!("longer than {LONGEST} bytes"), span));
        }
        let parsed = Expr::parse(text).map_err(|error| match error {
            Error::Syntax(fault) => {
                // What is missing at the end is shown at the last character.
                let at = start + fault.offset.min(last);
                syntax(fault.message.to_owned(), locator.span(at, at + 1))
            }
            Error::Depth => syntax("nested too deeply".to_owned(), span),
            Error::Call(fault) => syntax(lower_first(&fault.to_string()), span),
        })?;
        let expression = Self { tree: owned(parsed), text: text.to_owned(), span };
        match expression.unknown_context() {
            Some(name) => Err(ExprError::UnknownContext { expression: text.to_owned(), name, span }),
            None => Ok(expression),
        }
    }

    fn unknown_context(&self) -> Option<String> {
        let mut unknown = None;
        self.tree.walk(&mut |tree| {
            if let ExprTree::Path(PathRoot::Context(name), _) = tree
                && !CONTEXTS.contains(&name.as_str())
            {
                unknown.get_or_insert_with(|| name.clone());
            }
        });
        unknown
    }
}

impl ExprTree {
    /// Visits the node and all below it.
    pub(super) fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a ExprTree)) {
        visit(self);
        match self {
            Self::Literal(_) => {}
            Self::Call(_, arguments) => arguments.iter().for_each(|argument| argument.walk(visit)),
            Self::Not(inner) => inner.walk(visit),
            Self::Chain(first, rest) => {
                first.walk(visit);
                rest.iter().for_each(|(_, next)| next.walk(visit));
            }
            Self::Path(base, steps) => {
                if let PathRoot::Inner(inner) = base {
                    inner.walk(visit);
                }
                for step in steps {
                    if let Access::Computed(inner) = step {
                        inner.walk(visit);
                    }
                }
            }
        }
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// Takes the borrowed tree apart, following chains of operators to the left with a loop.
fn owned(expr: SpannedExpr<'_>) -> ExprTree {
    let mut rest = Vec::new();
    let mut head = expr.inner;
    while let Expr::BinExpr(BinExpr { lhs, op, rhs }) = head {
        rest.push((operator(&op), owned(*rhs)));
        head = lhs.inner;
    }
    rest.reverse();
    let first = match head {
        Expr::Literal(literal) => ExprTree::Literal(value(&literal)),
        Expr::Call(call) => ExprTree::Call(call.func, call.args.into_iter().map(owned).collect()),
        Expr::UnExpr { expr, .. } => ExprTree::Not(Box::new(owned(*expr))),
        Expr::Identifier(name) => ExprTree::Path(PathRoot::Context(name.as_str().to_ascii_lowercase()), Vec::new()),
        Expr::Context(context) => path(context.parts),
        Expr::Index(inner) => owned(*inner),
        Expr::Star | Expr::BinExpr(_) => ExprTree::Literal(Value::Null),
    };
    if rest.is_empty() { first } else { ExprTree::Chain(Box::new(first), rest) }
}

fn path(parts: Vec<SpannedExpr<'_>>) -> ExprTree {
    let mut parts = parts.into_iter();
    let base = match parts.next() {
        Some(SpannedExpr { inner: Expr::Identifier(name), .. }) => {
            PathRoot::Context(name.as_str().to_ascii_lowercase())
        }
        Some(head) => PathRoot::Inner(Box::new(owned(head))),
        None => PathRoot::Inner(Box::new(ExprTree::Literal(Value::Null))),
    };
    let steps = parts.map(|part| match part.inner {
        Expr::Identifier(name) => Access::Name(name.as_str().to_owned()),
        Expr::Star => Access::Star,
        Expr::Index(inner) => match inner.inner {
            Expr::Star => Access::Star,
            Expr::Literal(literal) => Access::Name(value(&literal).render().into_owned()),
            _ => Access::Computed(owned(*inner)),
        },
        _ => Access::Computed(owned(part)),
    });
    ExprTree::Path(base, steps.collect())
}

fn value(literal: &Literal<'_>) -> Value {
    match literal {
        Literal::Number(number) => Value::Number(*number),
        Literal::String(text) => Value::String(text.clone().into_owned()),
        Literal::Boolean(value) => Value::Bool(*value),
        Literal::Null => Value::Null,
    }
}

fn operator(op: &BinOp) -> Operator {
    match op {
        BinOp::And => Operator::And,
        BinOp::Or => Operator::Or,
        BinOp::Eq => Operator::Equal,
        BinOp::Neq => Operator::NotEqual,
        BinOp::Gt => Operator::Greater,
        BinOp::Ge => Operator::GreaterOrEqual,
        BinOp::Lt => Operator::Less,
        BinOp::Le => Operator::LessOrEqual,
    }
}
