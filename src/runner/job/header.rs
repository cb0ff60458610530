//! The group a step begins with: `Run …`, its inputs, its variables.
//!
//! Inputs given come first, then the defaults; empty values are not printed. A value of several lines is one message.
//! Source: actions/runner `src/Runner.Worker/Handlers/Handler.cs`.

use super::StepContext;
use crate::engine::Engine;
use crate::evidence::Quote;
use crate::plan::PlannedStep;
use crate::runner::RunError;

impl<E: Engine> StepContext<'_, E> {
    /// Writes the header of a step and returns the quote of its first line.
    pub(super) fn header(&mut self, step: &PlannedStep, defaults: &[(&str, &str)]) -> Result<Quote, RunError> {
        let title = match &step.uses {
            Some(uses) => format!("##[group]Run {}", uses.text),
            None => format!("##[group]{}", step.display_name),
        };
        let first = self.recorder.line(&title)?;
        let given = self.inputs(step)?;
        let missing = |name: &str| !given.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        let defaults = defaults.iter().filter(|(name, _)| missing(name)).map(|(name, value)| (*name, *value));
        let all: Vec<_> = given.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(defaults).collect();
        if all.iter().any(|(_, value)| !value.is_empty()) {
            self.recorder.line("with:")?;
        }
        for (name, value) in all {
            if !value.is_empty() {
                self.recorder.line(&format!("  {name}: {value}"))?;
            }
        }
        let levels = [&self.plan.workflow_env, &self.plan.job_env, &step.env];
        let names: Vec<_> = levels.into_iter().flatten().map(|(name, _)| name.clone()).collect();
        if !names.is_empty() {
            self.recorder.line("env:")?;
        }
        let mut written = std::collections::HashSet::new();
        for name in names {
            if let Some(template) = self.plan.env(step, &name)
                && written.insert(name.clone())
            {
                let value = self.evaluate(step, template).unwrap_or_default();
                self.recorder.line(&format!("  {name}: {value}"))?;
            }
        }
        self.recorder.line("##[endgroup]")?;
        Ok(first)
    }
}
