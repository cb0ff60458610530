//! What one build of a step is asked for, its inputs evaluated. [`BuildSpec`] is principal.

use super::{StepContext, WORKSPACE};
use crate::engine::Engine;
use crate::plan::PlannedStep;
use crate::runner::RunError;

/// One build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct BuildSpec {
    /// Where the context comes from.
    pub(super) context: ContextPlace,
    /// The Dockerfile as it is named, if it is.
    pub(super) file: Option<String>,
    /// The stage to stop at.
    pub(super) target: Option<String>,
    /// Build arguments, `NAME=VALUE` each.
    pub(super) args: Vec<String>,
    /// Whether the layer cache is not used.
    pub(super) no_cache: bool,
    /// The network of `RUN` steps.
    pub(super) network: Option<String>,
    /// The builder that is named, if one is.
    pub(super) builder: Option<String>,
    /// The layer caches that are read and written, one a line.
    pub(super) cache_from: Option<String>,
    /// See `cache_from`.
    pub(super) cache_to: Option<String>,
    /// The platforms that are asked for.
    pub(super) platforms: Vec<String>,
    /// Whether secrets or an SSH agent are handed to it.
    pub(super) secrets: bool,
}

/// Where a build context comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ContextPlace {
    /// The commit itself, and not the workspace; below this folder of it.
    Commit(String),
    /// A directory of the workspace.
    Workspace(String),
}

impl Default for ContextPlace {
    fn default() -> Self {
        Self::Commit(String::new())
    }
}

impl ContextPlace {
    /// Reads the `context` of docker/build-push-action; `Err` with the reason where it is not of this repository.
    ///
    /// Without a path the action builds from the commit. Source: docker/build-push-action v6 `src/context.ts`, docker/actions-toolkit
    /// `Context.gitContext` (`{{defaultContext}}`).
    pub(super) fn of_action(context: Option<&str>, repository: &str) -> Result<Self, String> {
        let Some(text) = context.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(Self::default()) };
        if let Some(below) = text.strip_prefix("{{defaultContext}}") {
            return Ok(Self::Commit(below.trim_start_matches(':').to_owned()));
        }
        let remote = ["http://", "https://", "git://", "git@", "ssh://", "oci-layout://", "docker-image://"];
        if !remote.iter().any(|scheme| text.starts_with(scheme)) {
            return Ok(Self::Workspace(text.to_owned()));
        }
        let (place, fragment) = text.split_once('#').unwrap_or((text, ""));
        let own = place.strip_prefix("https://github.com/").map(|name| name.trim_end_matches(".git"));
        match own == Some(repository) {
            true => Ok(Self::Commit(fragment.split_once(':').map_or("", |(_, below)| below).to_owned())),
            false => Err(format!("the build's context is `{text}`, which is not at hand")),
        }
    }
}

impl<E: Engine> StepContext<'_, E> {
    /// Reads the inputs of docker/build-push-action.
    pub(super) fn push_action(&mut self, step: &PlannedStep) -> Result<BuildSpec, RunError> {
        let text = |value: Option<String>| value.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let lines = |value: Option<String>| -> Vec<String> {
            let value = value.unwrap_or_default();
            value.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
        };
        let flag = |value: Option<String>| value.is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
        if text(self.input(step, "no-cache-filters")?).is_some() {
            return Err(RunError::NotReproduced { input: "no-cache-filters" });
        }
        if let Some(contexts) = text(self.input(step, "build-contexts")?) {
            return Err(not_reproduced(
                step,
                &format!(
                    "the build has other contexts beside its own (`build-contexts: {}`)",
                    contexts.replace('\n', ", ")
                ),
            ));
        }
        let context = text(self.input(step, "context")?);
        let context = ContextPlace::of_action(context.as_deref(), &self.repository());
        let context = context.map_err(|why| not_reproduced(step, &why))?;
        let given = |name: &str| step.input(name).is_some_and(|input| !input.raw().trim().is_empty());
        Ok(BuildSpec {
            context,
            file: text(self.input(step, "file")?),
            target: text(self.input(step, "target")?),
            args: lines(self.input(step, "build-args")?),
            no_cache: flag(self.input(step, "no-cache")?),
            network: text(self.input(step, "network")?),
            builder: text(self.input(step, "builder")?),
            cache_from: text(self.input(step, "cache-from")?),
            cache_to: text(self.input(step, "cache-to")?),
            platforms: lines(self.input(step, "platforms")?)
                .iter()
                .flat_map(|line| line.split(','))
                .map(|one| one.trim().to_owned())
                .collect(),
            secrets: ["secrets", "secret-envs", "secret-files", "ssh"].into_iter().any(given),
        })
    }

    /// Returns the path of a workspace directory as the runner sees it.
    pub(super) fn seen(path: &str) -> String {
        path.strip_prefix(WORKSPACE).map_or_else(|| path.to_owned(), |rest| format!(".{rest}"))
    }
}

/// Says that a build cannot be reproduced.
pub(super) fn not_reproduced(step: &PlannedStep, what: &str) -> RunError {
    RunError::BuildNotReproduced {
        at: step.place(),
        what: format!("step `{}`: {what}, and that is not reproduced", step.display_name),
        hint: "judge the logs of real runs with `logs`, or take it out of the step for the experiment".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_of_the_commit_or_of_the_workspace() {
        let read = |text: &str| ContextPlace::of_action(Some(text), "a/b");
        assert_eq!(ContextPlace::of_action(None, "a/b"), Ok(ContextPlace::Commit(String::new())));
        assert_eq!(read("{{defaultContext}}:backend"), Ok(ContextPlace::Commit("backend".into())));
        assert_eq!(read("https://github.com/a/b.git#refs/heads/main:x"), Ok(ContextPlace::Commit("x".into())));
        assert_eq!(read("./backend"), Ok(ContextPlace::Workspace("./backend".into())));
        assert!(read("https://github.com/other/repo.git").is_err());
    }
}
