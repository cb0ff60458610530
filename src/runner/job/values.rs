//! The values that steps give to one another, and what an expression of a step comes to. [`StepContext`] is principal.

use super::StepContext;
use super::contexts::JobContexts;
use crate::engine::Engine;
use crate::evidence::StepOutcome;
use crate::plan::PlannedStep;
use crate::runner::RunError;
use crate::workflow::expr::{ExprError, JobStatus, Template};

impl<E: Engine> StepContext<'_, E> {
    pub(super) fn contexts<'c>(&'c self, step: &'c PlannedStep) -> JobContexts<'c> {
        self.contexts_of(Some(step))
    }

    pub(super) fn contexts_of<'c>(&'c self, step: Option<&'c PlannedStep>) -> JobContexts<'c> {
        let scope = step.map_or(self.plan.job_scope, |step| step.scope);
        let failed = self.plan.scopes_around(scope).any(|scope| self.failed.contains(&scope));
        JobContexts {
            plan: self.plan,
            scope,
            step,
            level: 0,
            number: self.number,
            commit: self.commit,
            workspace: &self.workspace,
            outputs: &self.outputs,
            outcomes: &self.outcomes,
            skipped: &self.skipped,
            set_env: &self.set_env,
            status: if failed { JobStatus::Failure } else { self.status },
            decides: false,
        }
    }

    /// Evaluates a template.
    pub(super) fn evaluate(&self, step: &PlannedStep, template: &Template) -> Result<String, ExprError> {
        template.evaluate(&self.contexts(step))
    }

    /// Says that a value which decides something is not known.
    pub(super) fn unresolved(&self, step: &PlannedStep, what: &str, error: &ExprError) -> RunError {
        RunError::Unresolved {
            at: step.source.cite(error.span()),
            what: what.to_owned(),
            step: step.display_name.clone(),
            problem: error.to_string(),
            supply: error.hint(),
        }
    }

    /// Evaluates one input; `None` when it is not given. What cannot be evaluated stops the run: an empty text in its place
    /// would be judged as if somebody had written it.
    pub(super) fn input(&mut self, step: &PlannedStep, name: &str) -> Result<Option<String>, RunError> {
        let Some(template) = step.input(name) else { return Ok(None) };
        let value = self.evaluate(step, template);
        value.map(Some).map_err(|error| self.unresolved(step, &format!("`{name}`"), &error))
    }

    /// Evaluates all inputs given.
    pub(super) fn inputs(&mut self, step: &PlannedStep) -> Result<Vec<(String, String)>, RunError> {
        let mut values = Vec::new();
        for (name, _) in &step.with {
            let value = self.input(step, name)?.unwrap_or_default();
            values.push((name.clone(), value));
        }
        Ok(values)
    }

    /// Evaluates all inputs given, for a person to read: what is not known is shown as it is written.
    pub(super) fn shown(&self, step: &PlannedStep) -> Vec<(String, String)> {
        let value = |template: &Template| self.evaluate(step, template).unwrap_or_else(|_| template.raw().to_owned());
        step.with.iter().map(|(name, template)| (name.clone(), value(template))).collect()
    }

    pub(super) fn output(&mut self, step: &PlannedStep, name: &str, value: &str) {
        if let Some(id) = &step.id {
            self.outputs.entry((step.scope, id.clone())).or_default().insert(name.to_owned(), value.to_owned());
        }
    }

    pub(super) fn remember(&mut self, step: &PlannedStep, outcome: StepOutcome, conclusion: StepOutcome) {
        if let Some(id) = &step.id {
            self.outcomes.insert((step.scope, id.clone()), (outcome, conclusion));
        }
    }

    pub(super) fn tolerates(&self, step: &PlannedStep) -> Result<bool, RunError> {
        let Some(template) = &step.continue_on_error else { return Ok(false) };
        let value = self.evaluate(step, template);
        let value = value.map_err(|error| self.unresolved(step, "`continue-on-error`", &error))?;
        Ok(value.trim() == "true")
    }
}
