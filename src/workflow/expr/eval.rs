//! Evaluates the tree of an expression against [`Contexts`]; [`evaluate`] is principal.
//!
//! `&&` and `||` return an operand, comparisons are loose, a missing property is null: as on GitHub.

use std::cmp::Ordering;

use github_actions_expressions::call::Function;

use super::functions;
use super::tree::{Access, ExprTree, Expression, Operator, PathRoot};
use super::{Contexts, ExprError, JobStatus, Unresolved, Value};

/// Why an evaluation stopped, before the expression's text and place are added.
pub(super) enum EvalStop {
    Unresolved(Unresolved),
    Message(String),
}

/// Evaluates one expression.
pub(super) fn evaluate(expression: &Expression, contexts: &dyn Contexts) -> Result<Value, ExprError> {
    let Expression { tree, text, span } = expression;
    value(tree, contexts).map_err(|stop| match stop {
        EvalStop::Unresolved(value) => {
            ExprError::Unresolved { expression: text.clone(), value: Box::new(value), span: *span }
        }
        EvalStop::Message(message) => ExprError::Evaluation { expression: text.clone(), message, span: *span },
    })
}

fn value(tree: &ExprTree, contexts: &dyn Contexts) -> Result<Value, EvalStop> {
    match tree {
        ExprTree::Literal(value) => Ok(value.clone()),
        ExprTree::Not(inner) => Ok(Value::Bool(!value(inner, contexts)?.is_truthy())),
        ExprTree::Chain(first, rest) => rest
            .iter()
            .try_fold(value(first, contexts)?, |left, (operator, right)| operate(left, *operator, right, contexts)),
        ExprTree::Call(function, arguments) => call(*function, arguments, contexts),
        ExprTree::Path(base, steps) => path(base, steps, contexts),
    }
}

fn operate(left: Value, operator: Operator, right: &ExprTree, contexts: &dyn Contexts) -> Result<Value, EvalStop> {
    match operator {
        Operator::And if !left.is_truthy() => return Ok(left),
        Operator::Or if left.is_truthy() => return Ok(left),
        Operator::And | Operator::Or => return value(right, contexts),
        _ => {}
    }
    let right = value(right, contexts)?;
    let order = || left.loosely_compares(&right);
    Ok(Value::Bool(match operator {
        Operator::NotEqual => !left.loosely_equals(&right),
        Operator::Greater => order() == Some(Ordering::Greater),
        Operator::GreaterOrEqual => order().is_some_and(Ordering::is_ge),
        Operator::Less => order() == Some(Ordering::Less),
        Operator::LessOrEqual => order().is_some_and(Ordering::is_le),
        Operator::Equal | Operator::And | Operator::Or => left.loosely_equals(&right),
    }))
}

fn call(function: Function, arguments: &[ExprTree], contexts: &dyn Contexts) -> Result<Value, EvalStop> {
    let status = |wanted: JobStatus| Ok(Value::Bool(contexts.status() == wanted));
    match function {
        Function::Always => return Ok(Value::Bool(true)),
        Function::Success => return status(JobStatus::Success),
        Function::Failure => return status(JobStatus::Failure),
        Function::Cancelled => return status(JobStatus::Cancelled),
        Function::Case => return case(arguments, contexts),
        _ => {}
    }
    let values = arguments.iter().map(|argument| value(argument, contexts)).collect::<Result<Vec<_>, _>>()?;
    if function == Function::HashFiles {
        let patterns: Vec<_> = values.iter().map(|value| value.render().into_owned()).collect();
        let hash = contexts.hash_files(&patterns);
        return hash.map(Value::String).map_err(|error| EvalStop::Message(format!("hashFiles: {error}")));
    }
    functions::apply(function, &values).map_err(EvalStop::Message)
}

/// `case(condition, value, …, default)`: the value of the first condition that holds.
fn case(arguments: &[ExprTree], contexts: &dyn Contexts) -> Result<Value, EvalStop> {
    for pair in arguments.chunks(2) {
        match pair {
            [condition, then] => match value(condition, contexts)? {
                Value::Bool(true) => return value(then, contexts),
                Value::Bool(false) => {}
                _ => return Err(EvalStop::Message("case: a condition is neither true nor false".to_owned())),
            },
            [default] => return value(default, contexts),
            _ => {}
        }
    }
    Ok(Value::Null)
}

fn path(base: &PathRoot, steps: &[Access], contexts: &dyn Contexts) -> Result<Value, EvalStop> {
    let (mut found, rest) = match base {
        PathRoot::Inner(inner) => (Reached::One(value(inner, contexts)?), steps),
        PathRoot::Context(name) => {
            let plain = steps.iter().take_while(|step| !matches!(step, Access::Star)).count();
            let mut path = vec![name.clone()];
            for step in &steps[..plain] {
                path.push(key(step, contexts)?.render().into_owned());
            }
            (Reached::One(contexts.resolve(&path).map_err(EvalStop::Unresolved)?), &steps[plain..])
        }
    };
    for step in rest {
        found = match step {
            Access::Star => found.children(),
            step => found.index(&key(step, contexts)?),
        };
    }
    Ok(match found {
        Reached::One(value) => value,
        Reached::Many(values) => Value::Array(values),
    })
}

fn key(step: &Access, contexts: &dyn Contexts) -> Result<Value, EvalStop> {
    match step {
        Access::Name(name) => Ok(Value::String(name.clone())),
        Access::Computed(tree) => value(tree, contexts),
        Access::Star => Ok(Value::Null),
    }
}

/// A value, or the values a `*` gave; what follows a `*` applies to each.
enum Reached {
    One(Value),
    Many(Vec<Value>),
}

impl Reached {
    fn children(self) -> Self {
        let of = |value| match value {
            Value::Array(items) => items,
            Value::Object(properties) => properties.into_iter().map(|(_, value)| value).collect(),
            _ => Vec::new(),
        };
        Self::Many(match self {
            Self::One(value) => of(value),
            Self::Many(values) => values.into_iter().flat_map(of).collect(),
        })
    }

    fn index(self, key: &Value) -> Self {
        match self {
            Self::One(value) => Self::One(value.index(key)),
            Self::Many(values) => {
                let inner = values.iter().map(|value| value.index(key)).filter(|value| *value != Value::Null);
                Self::Many(inner.collect())
            }
        }
    }
}
