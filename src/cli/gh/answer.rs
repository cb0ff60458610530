//! What GitHub answers, as far as it is used. [`WorkflowRun`] is principal.
//!
//! Shapes: docs.github.com/en/rest/actions (workflow runs, workflow jobs, workflows, cache). Unknown fields are ignored.

use std::time::SystemTime;

use serde::Deserialize;

/// A repository.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct RepositoryAnswer {
    pub(super) full_name: String,
    pub(super) default_branch: String,
}

/// One run of a workflow, in its latest attempt.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct WorkflowRun {
    pub(super) id: u64,
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) path: String,
    pub(super) head_branch: Option<String>,
    #[serde(default)]
    pub(super) head_sha: String,
    #[serde(default)]
    pub(super) event: String,
    pub(super) status: Option<String>,
    pub(super) conclusion: Option<String>,
    pub(super) workflow_id: u64,
    pub(super) run_number: u64,
    #[serde(default = "first")]
    pub(super) run_attempt: u32,
    pub(super) created_at: String,
    pub(super) head_repository: Option<RepositoryName>,
    #[serde(default)]
    pub(super) pull_requests: Vec<PullRequest>,
}

fn first() -> u32 {
    1
}

/// A repository by its name alone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct RepositoryName {
    pub(super) full_name: String,
}

/// A pull request that a run is for.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct PullRequest {
    pub(super) number: u64,
    pub(super) base: BranchName,
}

/// A branch of a pull request.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct BranchName {
    #[serde(rename = "ref")]
    pub(super) name: String,
}

/// A page of runs.
#[derive(Debug, Deserialize)]
pub(super) struct RunsPage {
    pub(super) workflow_runs: Vec<WorkflowRun>,
}

/// A workflow file that GitHub knows.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct WorkflowAnswer {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) state: String,
}

/// A page of workflows.
#[derive(Debug, Deserialize)]
pub(super) struct WorkflowsPage {
    pub(super) workflows: Vec<WorkflowAnswer>,
}

/// One job of a run.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct JobAnswer {
    pub(super) id: u64,
    pub(super) run_id: u64,
    #[serde(default = "first")]
    pub(super) run_attempt: u32,
    pub(super) name: String,
    pub(super) status: String,
    pub(super) conclusion: Option<String>,
}

/// A page of jobs.
#[derive(Debug, Deserialize)]
pub(super) struct JobsPage {
    pub(super) jobs: Vec<JobAnswer>,
}

/// One entry of the repository's caches.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct CacheEntry {
    #[serde(rename = "ref")]
    pub(super) scope: Option<String>,
    pub(super) key: String,
    pub(super) created_at: Option<String>,
    pub(super) last_accessed_at: Option<String>,
    pub(super) size_in_bytes: u64,
}

impl CacheEntry {
    /// When it was made, where that is told and understood.
    pub(super) fn created(&self) -> Option<SystemTime> {
        self.created_at.as_deref().and_then(|at| humantime::parse_rfc3339(at).ok())
    }
}

/// A page of cache entries.
#[derive(Debug, Deserialize)]
pub(super) struct CachesPage {
    pub(super) total_count: usize,
    pub(super) actions_caches: Vec<CacheEntry>,
}

impl WorkflowRun {
    /// Tells whether its jobs have ended.
    pub(super) fn completed(&self) -> bool {
        self.status.as_deref() == Some("completed")
    }

    /// Tells whether it got as far as building: a run that was skipped or never started has no log.
    pub(super) fn worked(&self) -> bool {
        self.completed()
            && !matches!(self.conclusion.as_deref(), Some("skipped" | "startup_failure" | "action_required" | "stale"))
    }

    /// Tells whether it runs for a pull request: what it saves, no run of a branch can read.
    pub(super) fn of_pull_request(&self) -> bool {
        self.event == "pull_request"
    }

    /// Tells whether two runs save into one scope: of one branch, or of one pull request.
    pub(super) fn same_scope(&self, other: &Self) -> bool {
        self.of_pull_request() == other.of_pull_request()
            && self.head_branch == other.head_branch
            && self.head_repository == other.head_repository
    }

    /// The workflow's file.
    pub(super) fn file(&self) -> &str {
        self.path.split('@').next().unwrap_or_default()
    }

    /// What a person calls it.
    pub(super) fn title(&self) -> String {
        let name = self.name.as_deref().unwrap_or("run");
        let branch = self.head_branch.as_deref().unwrap_or("no branch");
        format!("{name} #{} on {branch}, {}", self.run_number, self.created_at)
    }
}
