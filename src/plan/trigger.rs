//! What started a run. [`Trigger`] is principal.

/// The repository's default branch, which a run is on when nobody says otherwise.
pub const DEFAULT_BRANCH: &str = "main";

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

    /// Returns the ref as `github.ref_name` has it: `main`, `7/merge`.
    pub fn ref_name(&self) -> &str {
        let name = self.git_ref.strip_prefix("refs/heads/").or_else(|| self.git_ref.strip_prefix("refs/pull/"));
        name.unwrap_or(&self.git_ref)
    }
}

impl Default for Trigger {
    fn default() -> Self {
        Self::on_branch("push", DEFAULT_BRANCH)
    }
}
