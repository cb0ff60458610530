//! What a template refers to, without evaluating it: [`mentions`], [`constant_over_runs`].

use github_actions_expressions::call::Function;

use super::Template;
use super::tree::{Access, ExprTree, Expression, PathRoot};

/// Tells whether a template names something, such as `github.sha`, `steps.cache` or a function: `hashFiles`.
///
/// A name stands for all below it. Names are compared without regard to case; computed names (`github[env.X]`) count
/// only as far as they are written out.
pub fn mentions(template: &Template, name: &str) -> bool {
    let wanted: Vec<_> = name.split('.').collect();
    any(template, |tree| match tree {
        ExprTree::Path(PathRoot::Context(context), steps) => begins_with(&written(context, steps), &wanted),
        ExprTree::Call(function, _) => format!("{function:?}").eq_ignore_ascii_case(name),
        _ => false,
    })
}

/// Tells whether a template gives the same text in every run of the same job on the same branch.
///
/// False for `hashFiles`, the commit, the run's numbers, the event that started the run, and what steps or other jobs
/// gave. `env` counts as constant: its values are templates of their own, so ask about them too ([`env_names`]).
pub fn constant_over_runs(template: &Template) -> bool {
    !any(template, |tree| match tree {
        ExprTree::Call(Function::HashFiles, _) => true,
        ExprTree::Path(PathRoot::Context(context), steps) => changes(&written(context, steps)),
        _ => false,
    })
}

/// Returns the names under `env` a template refers to; `None` stands for all (`toJSON(env)`, `env[…]`).
pub fn env_names(template: &Template) -> Vec<Option<String>> {
    let mut names = Vec::new();
    for expression in template.expressions() {
        expression.tree.walk(&mut |tree| {
            if let ExprTree::Path(PathRoot::Context(context), steps) = tree
                && context == "env"
            {
                names.push(written(context, steps).get(1).map(|name| (*name).to_owned()));
            }
        });
    }
    names
}

/// Tells whether an expression calls a status function, which replaces the implied `success()`.
pub(super) fn names_status(expression: &Expression) -> bool {
    let mut found = false;
    expression.tree.walk(&mut |tree| {
        found |= matches!(
            tree,
            ExprTree::Call(Function::Success | Function::Always | Function::Failure | Function::Cancelled, _)
        );
    });
    found
}

/// Tells whether an expression names a context, such as `secrets`.
pub(super) fn names_context(expression: &Expression, context: &str) -> bool {
    let mut found = false;
    expression.tree.walk(&mut |tree| {
        found |= matches!(tree, ExprTree::Path(PathRoot::Context(name), _) if name.eq_ignore_ascii_case(context));
    });
    found
}

fn any(template: &Template, mut test: impl FnMut(&ExprTree) -> bool) -> bool {
    let mut found = false;
    for expression in template.expressions() {
        expression.tree.walk(&mut |tree| found |= test(tree));
    }
    found
}

/// Returns the names of a path as far as they are written out.
fn written<'a>(context: &'a str, steps: &'a [Access]) -> Vec<&'a str> {
    let names = steps.iter().map_while(|step| match step {
        Access::Name(name) => Some(name.as_str()),
        Access::Computed(_) | Access::Star => None,
    });
    std::iter::once(context).chain(names).collect()
}

fn begins_with(path: &[&str], wanted: &[&str]) -> bool {
    path.len() >= wanted.len() && path.iter().zip(wanted).all(|(name, wanted)| name.eq_ignore_ascii_case(wanted))
}

/// Properties of `github` that differ from one commit, run or event to the next.
const CHANGING: [&str; 6] = ["sha", "run_id", "run_number", "run_attempt", "event", "workflow_sha"];

fn changes(path: &[&str]) -> bool {
    match path {
        ["github", name, ..] => CHANGING.iter().any(|changing| name.eq_ignore_ascii_case(changing)),
        // The whole context, or one of its properties that is not written out.
        ["github"] => true,
        ["steps" | "job" | "needs", ..] => true,
        // The matrix is fixed in the file, the runner by its label, inputs by who calls.
        _ => false,
    }
}
