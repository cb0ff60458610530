//! Which steps have a post step and when it runs; [`PostStep`] is principal.

use super::action::{Action, CacheStepPart, DanceMode};
use super::step::PlannedStep;
use crate::dance::{self, Behaviour};
use crate::workflow::expr::JobStatus;

/// A post step. GitHub registers it when its main step starts, so a skipped main step has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostStep {
    /// The index of its main step in the plan's steps.
    pub of: usize,
    /// When it runs.
    pub condition: PostCondition,
    /// The name GitHub shows.
    pub display_name: String,
}

/// The `post-if` of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostCondition {
    /// `success()`: only when the job has succeeded so far.
    Success,
    /// `always()`, which is also what no `post-if` means.
    Always,
}

impl PostCondition {
    /// Decides whether the post step runs.
    pub fn holds(self, status: JobStatus) -> bool {
        match self {
            Self::Success => status == JobStatus::Success,
            Self::Always => true,
        }
    }
}

/// Returns the post steps in the order they run: the reverse of their main steps.
pub(super) fn post_steps(steps: &[PlannedStep]) -> Vec<PostStep> {
    let post = |(of, step): (usize, &PlannedStep)| {
        let condition = condition(&step.action, step.behaviour.as_ref())?;
        Some(PostStep { of, condition, display_name: format!("Post {}", step.display_name) })
    };
    steps.iter().enumerate().rev().filter_map(post).collect()
}

/// Returns the condition of an action's post step; `None` when it has none.
fn condition(action: &Action, behaviour: Option<&Behaviour>) -> Option<PostCondition> {
    match action {
        // `success()` in every version; v4.0.x adds `|| github.event.inputs.save-always`, which is never set.
        Action::Cache(CacheStepPart::RestoreAndSave) => Some(PostCondition::Success),
        Action::Dance(DanceMode::InjectAndExtract) => dance_condition(behaviour),
        Action::Checkout | Action::SetupBuildx | Action::BuildPush => Some(PostCondition::Always),
        // Its steps have post steps of their own.
        Action::Composite(_) | Action::BuildScript => None,
        Action::Cache(CacheStepPart::Restore | CacheStepPart::Save) => None,
        Action::Dance(DanceMode::Inject | DanceMode::Extract) | Action::NotReproduced { .. } => None,
    }
}

fn dance_condition(behaviour: Option<&Behaviour>) -> Option<PostCondition> {
    match behaviour?.post {
        dance::DancePostCondition::Separate => None,
        dance::DancePostCondition::Always => Some(PostCondition::Always),
        dance::DancePostCondition::Success => Some(PostCondition::Success),
    }
}
