//! The `action.yml` of an action in the repository. [`ActionFile`] is principal.

use super::inputs::InputDeclaration;
use super::{Step, WorkflowError};
use crate::source::{Source, Spanned};

/// An action as its file describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionFile {
    /// What may be given to it.
    pub inputs: Vec<InputDeclaration>,
    /// What it gives back: names with their templates.
    pub outputs: Vec<(String, Spanned<String>)>,
    /// What it does.
    pub runs: ActionRuns,
    pub(super) source: Source,
}

/// What an action does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionRuns {
    /// Steps of its own.
    Composite(Vec<Step>),
    /// A program: what `using` says, such as `node20` or `docker`.
    Program(String),
}

impl ActionFile {
    /// Reads an action's file.
    ///
    /// # Errors
    /// When the text is not YAML or has not the shape of an action; the error names the place.
    pub fn parse(source: &Source) -> Result<Self, WorkflowError> {
        super::read::action(source)
    }

    /// Returns the text the spans point into.
    pub fn source(&self) -> &Source {
        &self.source
    }
}
