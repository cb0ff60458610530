//! Parses a GitHub workflow with spans, and evaluates its expressions. Pure. [`Workflow`] is principal.
//!
//! The reader is tolerant where GitHub is richer than our needs: keys it does not know are passed over. It refuses
//! what GitHub refuses and what would change the experiment: duplicate keys, steps that are neither `uses` nor `run`,
//! steps of the same id. It does not decide what a step means; that is the plan's.

mod action_file;
mod action_ref;
mod data;
mod error;
pub mod expr;
mod inputs;
mod model;
mod read;
#[cfg(test)]
pub(crate) mod tests;
mod trigger;
mod yaml;

pub use action_file::{ActionFile, ActionRuns, JavaScriptAction};
pub use action_ref::{ActionForm, ActionRef, ActionVersion};
pub use data::DataNode;
pub use error::{WorkflowError, WorkflowProblem};
pub use inputs::{InputDeclaration, InputType};
pub use model::{CallSecrets, Job, Step, StepAction, Workflow, WorkflowVariables};
pub use trigger::{OnEvent, RefFilter};
