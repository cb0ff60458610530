//! Whether a job runs at all, and what a failure inside a composite action means for what encloses it. [`StepContext`] is principal.

use super::StepContext;
use super::contexts::JobContexts;
use crate::engine::Engine;
use crate::evidence::StepOutcome;
use crate::runner::RunError;
use crate::workflow::expr::JobStatus;

impl<E: Engine> StepContext<'_, E> {
    /// Stops where the job would not run at all.
    pub(super) fn job_runs(&mut self) -> Result<(), RunError> {
        for (scope, condition) in &self.plan.job_conditions {
            let contexts = JobContexts { scope: *scope, decides: true, ..self.contexts_of(None) };
            match condition.evaluate(&contexts) {
                Ok(true) => {}
                Ok(false) => {
                    return Err(RunError::JobDoesNotRun {
                        at: self.plan.cite(*scope, condition.span()),
                        job: self.plan.job_id.clone(),
                        condition: condition.raw().unwrap_or_default().to_owned(),
                        event: self.plan.trigger.event.clone(),
                        git_ref: self.plan.trigger.git_ref.clone(),
                    });
                }
                // Whoever chose the job has answered.
                Err(error) => {
                    let text = format!("the job `{}` is taken to run, which is not known: {error}", self.plan.job_id);
                    self.assume(text);
                }
            }
        }
        Ok(())
    }

    /// Tells whether the composite action of a scope was skipped.
    pub(super) fn is_skipped(&self, scope: usize) -> bool {
        self.plan.composite(scope).is_some_and(|step| self.skipped.contains(&step.index))
    }

    /// Lets a step's failure fail the actions it is part of, as far as none of them tolerates it, and then the job.
    pub(super) fn fail(&mut self, scope: usize) -> Result<(), RunError> {
        let around: Vec<usize> = self.plan.scopes_around(scope).collect();
        for scope in around {
            let Some(step) = self.plan.composite(scope) else { continue };
            self.failed.insert(scope);
            let tolerated = self.tolerates(step)?;
            self.remember(
                step,
                StepOutcome::Failure,
                if tolerated { StepOutcome::Success } else { StepOutcome::Failure },
            );
            if tolerated {
                return Ok(());
            }
        }
        self.status = JobStatus::Failure;
        Ok(())
    }
}
