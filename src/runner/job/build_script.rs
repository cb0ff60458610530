//! The builds that a `run` step starts with the Docker CLI. The script itself is not carried out.

use super::build_spec::{BuildSpec, ContextPlace, not_reproduced};
use super::{StepContext, StepResult};
use crate::engine::Engine;
use crate::evidence::StepOutcome;
use crate::plan::{BuildCommand, BuilderUse, PlannedStep, RunScript, UnknownText};
use crate::runner::RunError;
use crate::shell::ShellWord;
use crate::workflow::expr::Contexts as _;

impl<E: Engine> StepContext<'_, E> {
    /// Carries out the builds of a script, one after the other.
    pub(super) async fn build_script(&mut self, step: &PlannedStep) -> StepResult {
        let quote = self.header(step, &[])?;
        let Some(script) = &step.script else { return Ok(StepOutcome::NotReproduced) };
        let (text, unknown) = script.marked(&self.contexts(step));
        let variable = |name: &str| self.shell_variable(step, name);
        let commands = RunScript::builds(&text, &variable);
        let commands = commands.map_err(|error| not_reproduced(step, &error.to_string()))?;
        let directory = match &step.working_directory {
            None => String::new(),
            Some(template) => {
                let value = self.evaluate(step, template);
                value.map_err(|error| self.unresolved(step, "`working-directory`", &error))?
            }
        };
        self.recorder.line(&format!(
            "verify-buildkit-cache carries out the {} of this script, and nothing else of it",
            if commands.len() == 1 { "build".to_owned() } else { format!("{} builds", commands.len()) }
        ))?;
        if let Some(doubt) = &step.doubt {
            let name = format!("of step `{}` ({}) only the builds were run: {doubt}", step.display_name, step.place());
            self.stands_in(&name)?;
        }
        self.assume(format!("of the script of step `{}` only what builds is carried out", step.display_name));
        for command in &commands {
            let spec = self.spec_of(step, command, &directory, &unknown)?;
            let quote = quote.clone();
            if self.build_one(step, spec, quote).await? == StepOutcome::Failure {
                return Ok(StepOutcome::Failure);
            }
        }
        Ok(StepOutcome::Success)
    }

    /// Returns a variable as the script finds it.
    fn shell_variable(&self, step: &PlannedStep, name: &str) -> Option<String> {
        let contexts = self.contexts(step);
        let lookup = |path: &[&str]| {
            let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
            contexts.resolve(&path).ok().map(|value| value.render().into_owned())
        };
        if let Some(property) = name.strip_prefix("GITHUB_") {
            return lookup(&["github", &property.to_ascii_lowercase()]).filter(|value| !value.is_empty());
        }
        if let Some(property) = name.strip_prefix("RUNNER_") {
            return lookup(&["runner", &property.to_ascii_lowercase()]).filter(|value| !value.is_empty());
        }
        match name {
            "HOME" => Some(super::HOME.to_owned()),
            "CI" => Some("true".to_owned()),
            // A variable that nobody here sets may be one of the machine's.
            _ => self.plan.env(step, name).and_then(|_| lookup(&["env", name])),
        }
    }

    fn spec_of(
        &self,
        step: &PlannedStep,
        command: &BuildCommand,
        directory: &str,
        unknown: &[UnknownText],
    ) -> Result<BuildSpec, RunError> {
        let text = |what: &str, word: &ShellWord| match word {
            ShellWord::Known(text) => Ok(text.clone()),
            ShellWord::Unknown(name) => Err(match unknown.iter().find(|text| text.name == *name) {
                Some(text) => self.unresolved(step, &format!("{what} of `{}`", command.command), &text.error),
                None => RunError::Unresolved {
                    at: step.place(),
                    what: format!("{what} of `{}`", command.command),
                    step: step.display_name.clone(),
                    problem: format!("`{name}` is known only to the shell that runs the script"),
                    supply: Some("write its value into the workflow, or into `env:`".to_owned()),
                },
            }),
        };
        let optional = |what: &str, word: &Option<ShellWord>| word.as_ref().map(|word| text(what, word)).transpose();
        let list =
            |what: &str, words: &[ShellWord]| words.iter().map(|word| text(what, word)).collect::<Result<Vec<_>, _>>();
        if !command.contexts.is_empty() {
            return Err(not_reproduced(step, "the build has other contexts beside its own (`--build-context`)"));
        }
        let mut base = directory.trim().trim_end_matches('/').to_owned();
        for word in &command.directory {
            base = below(&base, &text("the directory", word)?);
        }
        let context = optional("the context", &command.context)?.unwrap_or_default();
        let context = match ContextPlace::of_action(Some(&context), &self.repository()) {
            Ok(ContextPlace::Workspace(path)) => ContextPlace::Workspace(below(&base, &path)),
            Ok(place) => place,
            Err(why) => return Err(not_reproduced(step, &why)),
        };
        let joined = |lines: Vec<String>| Some(lines.join("\n")).filter(|text| !text.is_empty());
        Ok(BuildSpec {
            context,
            file: optional("the Dockerfile", &command.file)?.map(|file| below(&base, &file)),
            target: optional("the target", &command.target)?,
            args: list("a build argument", &command.args)?,
            no_cache: command.no_cache,
            network: optional("the network", &command.network)?,
            builder: match &command.builder {
                BuilderUse::Active => None,
                BuilderUse::Default => Some("default".to_owned()),
                BuilderUse::Named(name) => Some(text("the builder", name)?),
            },
            cache_from: joined(list("`--cache-from`", &command.cache_from)?),
            cache_to: joined(list("`--cache-to`", &command.cache_to)?),
            platforms: optional("the platform", &command.platforms)?
                .map(|all| all.split(',').map(|one| one.trim().to_owned()).collect())
                .unwrap_or_default(),
            secrets: command.secrets,
        })
    }
}

/// Returns a path as seen from the directory that a command runs in.
fn below(base: &str, path: &str) -> String {
    if path.starts_with('/') || base.is_empty() {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (base.starts_with('/'), joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_seen_from_where_the_command_runs() {
        for (base, path, seen) in [
            ("", ".", "."),
            ("backend", ".", "backend"),
            ("./backend", "..", "."),
            ("backend", "../docker/Dockerfile", "docker/Dockerfile"),
            ("a", "/home/runner/work/app/app", "/home/runner/work/app/app"),
            ("/home/runner/work/app/app", "x", "/home/runner/work/app/app/x"),
        ] {
            assert_eq!(below(base, path), seen, "{base} {path}");
        }
    }
}
