//! What may start a workflow, as runs to look at. [`of`] is principal.

use crate::plan::{DEFAULT_BRANCH, Trigger};
use crate::workflow::{OnEvent, Workflow};

/// Returns what may start a workflow, the commonest first; never empty.
///
/// The default branch has the name that the rest of the program gives it; a workflow that says `master` and never `main` is
/// taken to mean the same.
pub(super) fn of(workflow: &Workflow) -> Vec<Trigger> {
    let branch = branch(workflow);
    let mut found: Vec<Trigger> = workflow.on.iter().filter_map(|event| one(event, &branch)).collect();
    found.sort_by_key(rank);
    if found.is_empty() {
        let event = if workflow.event("workflow_call").is_some() { "workflow_call" } else { "push" };
        found.push(Trigger::on_branch(event, &branch));
    }
    found
}

/// Tells whether what a run saves can be read by the runs of other refs, as far as that is known.
pub(super) fn saves_for_others(workflow: &Workflow) -> bool {
    let own_ref = ["pull_request", "release", "create", "merge_group"];
    let for_others = |event: &OnEvent| {
        !own_ref.contains(&event.name.as_str()) && !event.is_of_tags_only() && !is_low_trust(&event.name)
    };
    workflow.on.is_empty() || workflow.on.iter().any(for_others)
}

/// Tells whether GitHub lets no run of an event write to the cache. Of `workflow_run` that holds after a fork's pull request
/// only, and a call has the rights of its caller.
pub(super) fn is_low_trust(event: &str) -> bool {
    !matches!(event, "workflow_run" | "workflow_call" | "pull_request" | "release" | "create" | "merge_group")
        && Trigger::on_branch(event, DEFAULT_BRANCH).is_low_trust()
}

fn one(event: &OnEvent, branch: &str) -> Option<Trigger> {
    let tag = |event: &str| Trigger { event: event.to_owned(), git_ref: "refs/tags/v1.0.0".to_owned(), base: None };
    Some(match event.name.as_str() {
        _ if event.is_of_tags_only() => tag("push"),
        "release" => tag("release"),
        "pull_request" | "pull_request_target" => Trigger::pull_request(&event.name, 1),
        "workflow_call" => return None,
        name => Trigger::on_branch(name, branch),
    })
}

fn rank(trigger: &Trigger) -> usize {
    let tag = trigger.git_ref.starts_with("refs/tags/");
    match trigger.event.as_str() {
        "push" if !tag => 0,
        "schedule" => 1,
        "workflow_dispatch" => 2,
        "push" | "release" => 4,
        "pull_request" => 3,
        _ => 5,
    }
}

fn branch(workflow: &Workflow) -> String {
    let filter = workflow.event("push").and_then(|push| push.branches.as_ref()).filter(|filter| !filter.ignores);
    let named = filter.map(|filter| filter.patterns.as_slice()).unwrap_or_default();
    let plain = |name: &&String| !name.contains(['*', '?', '!', '[', '$']);
    let usual = named.iter().find(|name| matches!(name.as_str(), "main" | "master"));
    match usual.or_else(|| named.iter().find(plain)) {
        Some(name) => name.clone(),
        None => compared(&workflow.source().text).unwrap_or_else(|| DEFAULT_BRANCH.to_owned()),
    }
}

/// Returns the branch that a workflow's conditions speak of, where that is not `main`.
fn compared(text: &str) -> Option<String> {
    let after = |mark: &str| -> Vec<String> {
        let name =
            |rest: &str| rest.chars().take_while(|char| char.is_alphanumeric() || "-_.".contains(*char)).collect();
        text.match_indices(mark).map(|(at, _)| name(&text[at + mark.len()..])).collect()
    };
    let marks = ["refs/heads/", "github.ref_name == '", "github.ref_name != '"];
    let names: Vec<String> = marks.iter().flat_map(|mark| after(mark)).filter(|name| !name.is_empty()).collect();
    let main = names.iter().any(|name| name == DEFAULT_BRANCH);
    names.into_iter().next().filter(|_| !main)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn events(on: &str) -> Vec<String> {
        let text = format!("{on}\njobs:\n  build:\n    steps:\n      - run: make\n");
        let workflow = Workflow::parse(&Source::new("w.yml", text)).unwrap();
        of(&workflow).iter().map(|trigger| format!("{} {}", trigger.event, trigger.git_ref)).collect()
    }

    #[test]
    fn a_push_to_the_default_branch_comes_first() {
        assert_eq!(events("on: [pull_request, push]"), ["push refs/heads/main", "pull_request refs/pull/1/merge"]);
        assert_eq!(events("on: {push: {branches: [dev, master]}}"), ["push refs/heads/master"]);
        assert_eq!(events("on: {push: {tags: ['v*']}}"), ["push refs/tags/v1.0.0"]);
        assert_eq!(events("on: {workflow_call: {}}"), ["workflow_call refs/heads/main"]);
    }
}
