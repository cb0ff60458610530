//! The group a step begins with: `Run …`, its inputs, its variables.
//!
//! Inputs given come first, then the defaults; empty values are not printed. A value of several lines is one message.
//! Source: actions/runner `src/Runner.Worker/Handlers/Handler.cs`.

use super::StepContext;
use crate::engine::Engine;
use crate::evidence::Quote;
use crate::plan::{Action, PlannedStep};
use crate::runner::RunError;
use crate::workflow::expr::Contexts as _;

impl<E: Engine> StepContext<'_, E> {
    /// Writes the header of a step and returns the quote of its first line.
    pub(super) fn header(&mut self, step: &PlannedStep, defaults: &[(&str, &str)]) -> Result<Quote, RunError> {
        let title = match (&step.uses, &step.script, &step.action) {
            (Some(uses), ..) => format!("##[group]Run {}", uses.text),
            // GitHub shows what a script begins with, whatever its step is called.
            (None, Some(script), Action::BuildScript) => {
                let first = script.text.raw().lines().map(str::trim).find(|line| !line.is_empty());
                format!("##[group]Run {}", first.unwrap_or_default())
            }
            _ => format!("##[group]{}", step.display_name),
        };
        let first = self.recorder.line(&title)?;
        let given = self.shown(step);
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
        let levels = self.plan.env_levels(step);
        let names: Vec<_> = levels.iter().rev().flat_map(|(_, level)| *level).map(|(name, _)| name.clone()).collect();
        if !names.is_empty() {
            self.recorder.line("env:")?;
        }
        let mut written = std::collections::HashSet::new();
        for name in names {
            if let Some(template) = self.plan.env(step, &name)
                && written.insert(name.clone())
            {
                let value = self.variable(step, &name).unwrap_or_else(|| template.raw().to_owned());
                self.recorder.line(&format!("  {name}: {value}"))?;
            }
        }
        self.recorder.line("##[endgroup]")?;
        Ok(first)
    }

    /// Returns the value of a variable as a step sees it, where it is known.
    fn variable(&self, step: &PlannedStep, name: &str) -> Option<String> {
        let value = self.contexts(step).resolve(&["env".to_owned(), name.to_owned()]);
        value.ok().map(|value| value.render().into_owned())
    }
}
