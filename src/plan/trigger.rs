//! What started a run. [`Trigger`] is principal.

/// The repository's default branch, which a run is on when nobody says otherwise.
pub const DEFAULT_BRANCH: &str = "main";

/// The events on the default branch whose runs may write to the cache.
const TRUSTED: [&str; 7] =
    ["push", "schedule", "workflow_dispatch", "repository_dispatch", "delete", "registry_package", "page_build"];

/// The event that started a run, and its ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// The event, as in a workflow's `on`.
    pub event: String,
    /// The full ref, such as `refs/heads/main` or `refs/pull/7/merge`.
    pub git_ref: String,
    /// The branch a pull request is based on.
    pub base: Option<String>,
}

impl Trigger {
    /// An event of a branch.
    pub fn on_branch(event: &str, branch: &str) -> Self {
        Self { event: event.to_owned(), git_ref: format!("refs/heads/{branch}"), base: None }
    }

    /// An event of a pull request based on the default branch. What runs for `pull_request_target` is on the base.
    ///
    /// Source: GitHub's documentation, "Events that trigger workflows".
    pub fn pull_request(event: &str, number: u32) -> Self {
        let base = Some(DEFAULT_BRANCH.to_owned());
        match event {
            "pull_request" => Self { event: event.to_owned(), git_ref: format!("refs/pull/{number}/merge"), base },
            _ => Self { base, ..Self::on_branch(event, DEFAULT_BRANCH) },
        }
    }

    /// An event of a tag, such as a push or a release.
    pub fn on_tag(event: &str, tag: &str) -> Self {
        Self { event: event.to_owned(), git_ref: format!("refs/tags/{tag}"), base: None }
    }

    /// Returns the kind of the ref as `github.ref_type` has it.
    pub fn ref_type(&self) -> &'static str {
        if self.git_ref.starts_with("refs/tags/") { "tag" } else { "branch" }
    }

    /// Tells whether GitHub trusts the run so little that its token only reads the cache: it shares the default
    /// branch's scope, and people without the right to write can cause its event.
    ///
    /// Source: GitHub's changelog, "Read-only Actions cache for untrusted triggers", 2026-06-26. Of `workflow_run` only
    /// those after a fork's pull request are meant; nothing here tells them apart, so all of them are taken so.
    pub fn is_low_trust(&self) -> bool {
        let shared = self.ref_name() == DEFAULT_BRANCH;
        shared && !TRUSTED.contains(&self.event.as_str())
    }

    /// Returns the ref as `github.ref_name` has it: `main`, `7/merge`, `v1.0.0`.
    pub fn ref_name(&self) -> &str {
        let kinds = ["refs/heads/", "refs/pull/", "refs/tags/"];
        kinds.iter().find_map(|kind| self.git_ref.strip_prefix(kind)).unwrap_or(&self.git_ref)
    }
}

impl Default for Trigger {
    fn default() -> Self {
        Self::on_branch("push", DEFAULT_BRANCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_anybody_can_cause_on_the_default_branch_is_not_trusted() {
        assert!(Trigger::pull_request("pull_request_target", 7).is_low_trust());
        assert!(Trigger::on_branch("issue_comment", "main").is_low_trust());
        assert!(!Trigger::pull_request("pull_request", 7).is_low_trust(), "it writes to a scope of its own");
        assert!(!Trigger::on_branch("push", "main").is_low_trust());
        assert!(!Trigger::on_branch("schedule", "main").is_low_trust());
    }
}
