//! Which event a run is of, when a workflow may be started by several. [`choose`] is principal.

use super::trigger::{DEFAULT_BRANCH, Trigger};
use crate::workflow::{OnEvent, Workflow};

/// No run is of the event that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{workflow} is not started by `{wanted}`; under `on:` it names {known}")]
pub struct NoSuchEvent {
    /// The workflow.
    pub workflow: String,
    /// What was asked for.
    pub wanted: String,
    /// What the workflow names.
    pub known: String,
}

/// Chooses the trigger of a run, counted from 1: the event and the ref asked for, else the first that the workflow names, a
/// push to the default branch before all others.
///
/// Pushes of tags and releases are each of a tag of their own.
///
/// # Errors
/// An event that the workflow does not name.
pub fn choose(
    workflow: &Workflow,
    event: Option<&str>,
    git_ref: Option<&str>,
    run: u32,
) -> Result<Trigger, NoSuchEvent> {
    let named = |name: &str| workflow.on.iter().find(|event| event.name.eq_ignore_ascii_case(name));
    let tagged = event == Some("tag");
    let found = match event.map(|event| if tagged { "push" } else { event }) {
        Some(wanted) => match named(wanted) {
            Some(event) => Some(event),
            None if workflow.on.is_empty() => None,
            None => {
                let known: Vec<String> = workflow.on.iter().map(|event| format!("`{}`", event.name)).collect();
                return Err(NoSuchEvent {
                    workflow: workflow.source().name.clone(),
                    wanted: wanted.to_owned(),
                    known: known.join(", "),
                });
            }
        },
        None => ["push", "pull_request", "schedule", "workflow_dispatch"]
            .iter()
            .find_map(|name| named(name))
            .or(workflow.on.first()),
    };
    let mut trigger = match found {
        None => Trigger::default(),
        Some(event) => trigger(event, tagged, run),
    };
    if let Some(git_ref) = git_ref {
        trigger.git_ref = match git_ref.starts_with("refs/") {
            true => git_ref.to_owned(),
            false => format!("refs/heads/{git_ref}"),
        };
    }
    Ok(trigger)
}

fn trigger(event: &OnEvent, tagged: bool, run: u32) -> Trigger {
    let name = event.name.as_str();
    match name {
        "pull_request" | "pull_request_target" => {
            let mut trigger = Trigger::pull_request(name, 1);
            if let Some(base) = event
                .branches
                .as_ref()
                .filter(|filter| !filter.takes(DEFAULT_BRANCH))
                .and_then(|filter| filter.spelt_out())
            {
                trigger.base = Some(base.to_owned());
            }
            trigger
        }
        "release" => Trigger::on_tag(name, &tag(event, run)),
        "push" if tagged || !takes_a_branch(event) => Trigger::on_tag(name, &tag(event, run)),
        "push" if !event.takes_branch(DEFAULT_BRANCH) => {
            let patterns = event.branches.iter().filter(|filter| !filter.ignores).flat_map(|filter| &filter.patterns);
            let mut made = patterns.map(|pattern| pattern.replace("**", "1").replace('*', "1"));
            let branch = made.find(|branch| event.takes_branch(branch));
            Trigger::on_branch(name, branch.as_deref().unwrap_or("feature"))
        }
        // A workflow that is called runs as its caller does; a push is the usual one.
        "workflow_call" => Trigger::default(),
        _ => Trigger::on_branch(name, DEFAULT_BRANCH),
    }
}

fn takes_a_branch(event: &OnEvent) -> bool {
    event.branches.is_some() || event.takes_branch(DEFAULT_BRANCH)
}

/// Makes up the tag of a run, one that the event's filter takes.
fn tag(event: &OnEvent, run: u32) -> String {
    let version = format!("1.0.{run}");
    let patterns = event.tags.iter().filter(|filter| !filter.ignores).flat_map(|filter| &filter.patterns);
    let made = patterns.map(|pattern| pattern.replacen("**", &version, 1).replacen('*', &version, 1).replace('*', "0"));
    let usual = [format!("v{version}"), version.clone()];
    let mut all = usual.into_iter().chain(made);
    all.find(|tag| event.takes_tag(tag)).unwrap_or_else(|| format!("v{version}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    fn chosen(on: &str, event: Option<&str>, git_ref: Option<&str>) -> String {
        let text = format!("on:\n{on}jobs:\n  a:\n    steps:\n      - run: x\n");
        let workflow = Workflow::parse(&Source::new("ci.yml", text)).unwrap();
        match choose(&workflow, event, git_ref, 2) {
            Ok(trigger) => format!("{} {}", trigger.event, trigger.git_ref),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_push_to_the_default_branch_comes_first_and_tags_are_told_apart() {
        assert_eq!(chosen("  pull_request:\n  push:\n", None, None), "push refs/heads/main");
        assert_eq!(chosen("  push:\n    tags: ['v*']\n", None, None), "push refs/tags/v1.0.2");
        assert_eq!(chosen("  push:\n    tags: ['release-*']\n", None, None), "push refs/tags/release-1.0.2");
        assert_eq!(chosen("  push:\n    branches: [master]\n", None, None), "push refs/heads/master");
        assert_eq!(chosen("  push:\n    branches: ['release/**']\n", None, None), "push refs/heads/release/1");
        assert_eq!(chosen("  release:\n    types: [published]\n", None, None), "release refs/tags/v1.0.2");
        assert_eq!(chosen("  workflow_call:\n", None, None), "push refs/heads/main");
        assert_eq!(chosen("  push:\n  pull_request:\n", Some("pull_request"), None), "pull_request refs/pull/1/merge");
        assert_eq!(chosen("  push:\n", Some("tag"), None), "push refs/tags/v1.0.2");
        assert_eq!(chosen("  push:\n", None, Some("develop")), "push refs/heads/develop");
        assert_eq!(
            chosen("  push:\n", Some("schedule"), None),
            "ci.yml is not started by `schedule`; under `on:` it names `push`"
        );
    }
}
