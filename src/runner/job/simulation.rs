//! The simulation: steps that are carried out here as their actions would. [`Simulation`] is principal.

use std::path::Path;

use super::{PostTurn, StepContext, StepProvider, StepResult, WORKSPACE, cache};
use crate::engine::Engine;
use crate::evidence::{Fact, StepOutcome};
use crate::plan::{Action, CacheStepPart, DanceMode, PlannedStep};
use crate::runner::{RunError, archive, project, stream};

/// Carries out every step that no other provider takes; what it does not know takes no effect.
#[derive(Debug, Default)]
pub(super) struct Simulation;

impl<E: Engine> StepProvider<E> for Simulation {
    fn supports(&self, _: &PlannedStep) -> bool {
        true
    }

    fn set_up(&mut self, _: &mut StepContext<'_, E>, step: &PlannedStep) -> Result<(), RunError> {
        match (&step.action, &step.uses) {
            (Action::Cache(_), Some(uses)) if cache::release(step).is_refused() => {
                Err(RunError::RefusedRelease { uses: uses.text.clone() })
            }
            _ => Ok(()),
        }
    }

    fn post_turn(&mut self, job: &mut StepContext<'_, E>, step: &PlannedStep) -> Result<Option<PostTurn>, RunError> {
        let post = job.plan.post_steps.iter().find(|post| post.of == step.index);
        let turn = post.map(|post| (post.condition.holds(job.status), post.display_name.clone()));
        Ok(turn.map(|(runs, display_name)| PostTurn { runs, display_name }))
    }

    async fn main(&mut self, job: &mut StepContext<'_, E>, step: &PlannedStep) -> StepResult {
        match &step.action {
            Action::Checkout => job.check_out(step).await,
            Action::Cache(CacheStepPart::Save) => job.save(step).await,
            Action::Cache(_) => job.restore(step).await,
            Action::Dance(DanceMode::Extract) => job.extract(step).await,
            Action::Dance(_) => job.inject(step).await,
            Action::SetupBuildx => job.set_up_buildx(step),
            Action::BuildPush => job.build(step).await,
            Action::BuildScript => job.build_script(step).await,
            Action::Composite(_) => job.header(step, &[]).map(|_| StepOutcome::Success),
            Action::NotReproduced { what, .. } => job.not_reproduced(step, what),
        }
    }

    async fn post(&mut self, job: &mut StepContext<'_, E>, step: &PlannedStep) -> StepResult {
        match &step.action {
            Action::Cache(_) => job.save(step).await,
            Action::Dance(_) => job.extract(step).await,
            _ => Ok(StepOutcome::Success),
        }
    }
}

impl<E: Engine> StepContext<'_, E> {
    async fn check_out(&mut self, step: &PlannedStep) -> StepResult {
        self.header(step, &[("repository", "app/app"), ("fetch-depth", "1"), ("clean", "true")])?;
        let own = self.repository();
        let repository = self.input(step, "repository")?.filter(|name| !name.is_empty() && *name != own);
        if let Some(name) = repository {
            self.recorder.line(&format!("verify-buildkit-cache has no `{name}`; the step did nothing"))?;
            return Ok(StepOutcome::NotReproduced);
        }
        self.recorder.line("Syncing repository: app/app")?;
        let path = self.input(step, "path")?.filter(|path| !path.trim().is_empty());
        let (from, into) = (self.checkout.clone(), self.layout.target(path.as_deref().unwrap_or(".").trim().as_ref()));
        // What is there and is no clone goes, whatever `clean` says; from a clone everything goes that is not tracked.
        if std::fs::read_dir(&into).is_ok_and(|mut entries| entries.next().is_some()) {
            let seen = Path::new(WORKSPACE).join(path.unwrap_or_default());
            self.recorder
                .line(&format!("Deleting the contents of '{}'", seen.display().to_string().trim_end_matches('/')))?;
        }
        stream::blocking(move || {
            archive::remove_tree(&into)?;
            project::copy_tree(&from, &into)
        })
        .await??;
        Ok(StepOutcome::Success)
    }

    fn set_up_buildx(&mut self, step: &PlannedStep) -> StepResult {
        self.header(step, &[("driver", "docker-container"), ("install", "false"), ("use", "true")])?;
        if self.input(step, "driver")?.is_some_and(|driver| driver.trim() == "docker") {
            // The engine's own builder; there is nothing to create.
            "default".clone_into(&mut self.builders.active);
            self.recorder.fact(Fact::BuilderChosen { builder: Some("default".to_owned()) });
            self.output(step, "name", "default");
            self.output(step, "driver", "docker");
            return Ok(StepOutcome::Success);
        }
        let name = self.input(step, "name")?.filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| format!("builder-{}-{}", self.setting.session, self.number));
        self.recorder.line("##[group]Creating a new builder instance")?;
        self.recorder
            .line(&format!("[command]/usr/bin/docker buildx create --name {name} --driver docker-container --use"))?;
        self.recorder.line(&name)?;
        self.recorder.line("##[endgroup]")?;
        if !self.builders.names.contains(&name) {
            self.builders.names.push(name.clone());
        }
        if self.input(step, "use")?.is_none_or(|used| used.trim() != "false") {
            self.builders.active.clone_from(&name);
            self.recorder.fact(Fact::BuilderChosen { builder: Some(name.clone()) });
        }
        self.output(step, "name", &name);
        self.output(step, "driver", "docker-container");
        Ok(StepOutcome::Success)
    }

    fn not_reproduced(&mut self, step: &PlannedStep, what: &str) -> StepResult {
        self.header(step, &[])?;
        self.recorder.line(&format!("verify-buildkit-cache does not reproduce `{what}`; the step did nothing"))?;
        if let Some(doubt) = &step.doubt {
            self.stands_in(&format!("step `{}` ({}) was not run: {doubt}", step.display_name, step.place()))?;
        }
        Ok(StepOutcome::NotReproduced)
    }
}
