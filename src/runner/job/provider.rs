//! The seam between a job and whoever carries its steps out. [`StepProvider`] is principal.

use super::{StepContext, StepResult};
use crate::engine::Engine;
use crate::plan::PlannedStep;
use crate::runner::RunError;

/// A post step when its turn comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PostTurn {
    /// Whether its condition holds.
    pub(super) runs: bool,
    /// The name GitHub shows.
    pub(super) display_name: String,
}

/// Something that carries steps out: a simulation of their actions, or the actions themselves.
///
/// Whatever it is, it writes the lines that a runner would and emits the facts that these lines show.
pub(super) trait StepProvider<E: Engine> {
    /// Tells whether it carries a step out.
    fn supports(&self, step: &PlannedStep) -> bool;

    /// Makes ready for a step, whether or not its condition will hold: what a runner does before the first step.
    fn set_up(&mut self, job: &mut StepContext<'_, E>, step: &PlannedStep) -> Result<(), RunError>;

    /// Carries out the main step.
    async fn main(&mut self, job: &mut StepContext<'_, E>, step: &PlannedStep) -> StepResult;

    /// Returns the post step of a step whose main step was started, as it stands now; `None` where it has none.
    fn post_turn(&mut self, job: &mut StepContext<'_, E>, step: &PlannedStep) -> Result<Option<PostTurn>, RunError>;

    /// Carries out the post step.
    async fn post(&mut self, job: &mut StepContext<'_, E>, step: &PlannedStep) -> StepResult;
}
