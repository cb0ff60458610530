//! A main step of a plan; [`PlannedStep`] is principal.

use super::action::{Action, first_line};
use crate::source::{Span, Spanned};
use crate::workflow::expr::{Condition, ExprError, Template};
use crate::workflow::{ActionRef, Step, StepAction, WorkflowVariables};

/// Names with their templates, in the order written.
pub type Templates = Vec<(String, Template)>;

/// A main step, ready to be evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedStep {
    /// Its place in the job, from 0; the same as in the plan.
    pub index: usize,
    /// Its `id`, if any.
    pub id: Option<String>,
    /// The name GitHub shows: its `name` as written, or `Run …`.
    pub display_name: String,
    /// What it does.
    pub action: Action,
    /// The action it uses; `None` for a script.
    pub uses: Option<ActionRef>,
    /// Its inputs as given; defaults are not filled in.
    pub with: Templates,
    /// Its own variables.
    pub env: Templates,
    /// When it runs.
    pub condition: Condition,
    /// Its working directory, if any.
    pub working_directory: Option<Template>,
    /// Its `continue-on-error`, if any: the text `true` once evaluated means yes.
    pub continue_on_error: Option<Template>,
    /// The place of the whole step.
    pub span: Span,
}

impl PlannedStep {
    pub(super) fn new(step: &Step, source: &str) -> Result<Self, ExprError> {
        let optional =
            |text: &Option<Spanned<String>>| text.as_ref().map(|text| Template::parse(text, source)).transpose();
        let condition = step.condition.as_ref().map(|text| Condition::parse(text, source)).transpose()?;
        Ok(Self {
            index: step.index,
            id: step.id.clone(),
            display_name: display_name(step),
            action: Action::of(step),
            uses: match &step.action {
                StepAction::Uses(action) => Some(action.clone()),
                StepAction::Run { .. } => None,
            },
            with: templates(&step.with, source)?,
            env: templates(&step.env, source)?,
            condition: condition.unwrap_or_else(Condition::success),
            working_directory: optional(&step.working_directory)?,
            continue_on_error: optional(&step.continue_on_error)?,
            span: step.span,
        })
    }

    /// Returns an input by its name, without regard to case.
    pub fn input(&self, name: &str) -> Option<&Template> {
        self.with.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, template)| template)
    }
}

/// Parses variables into templates.
pub(super) fn templates(variables: &WorkflowVariables, source: &str) -> Result<Templates, ExprError> {
    variables.iter().map(|(name, text)| Ok((name.to_owned(), Template::parse(text, source)?))).collect()
}

fn display_name(step: &Step) -> String {
    if let Some(name) = step.name.as_ref().filter(|name| !name.value.trim().is_empty()) {
        return name.value.trim().to_owned();
    }
    match &step.action {
        StepAction::Uses(action) => format!("Run {}", action.text),
        StepAction::Run { script } => format!("Run {}", first_line(&script.value)),
    }
}
