//! The build step: the person's Dockerfile, instrumented in a copy, on the builder the workflow names.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::{StepContext, StepResult, WORKSPACE};
use crate::dockerfile::{Dockerfile, Ignore, InstrumentOptions, RUNNER_ARG, instrument};
use crate::engine::{BuildEvent, BuildEventKind, BuildRequest, Engine};
use crate::evidence::{BuildInputs, BuildOutput, Fact, MountSpec, Quote, StepOutcome, VertexEnd, VertexOutcome};
use crate::plan::PlannedStep;
use crate::runner::experiment::GO_IMAGE;
use crate::runner::plain::Plain;
use crate::runner::{RunError, stream};
use crate::source::Source;

/// The name of the instrumented copy inside the context.
const COPY_NAME: &str = ".verify-buildkit-cache.Dockerfile";

/// What the step builds.
struct BuildSubject {
    context: PathBuf,
    file: String,
    dockerfile: Dockerfile,
    ignore: Option<Ignore>,
    args: BTreeMap<String, String>,
}

impl<E: Engine> StepContext<'_, E> {
    /// Builds as docker/build-push-action does.
    pub(super) async fn build(&mut self, step: &PlannedStep) -> StepResult {
        let quote =
            self.header(step, &[("load", "false"), ("no-cache", "false"), ("pull", "false"), ("push", "false")])?;
        let flag = |value: Option<String>| value.is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
        let no_cache = flag(self.input(step, "no-cache")?);
        if self.input(step, "no-cache-filters")?.is_some_and(|stages| !stages.trim().is_empty()) {
            return Err(RunError::NotReproduced { input: "no-cache-filters" });
        }
        let named = self.input(step, "builder")?.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        let builder = named.clone().unwrap_or_else(|| self.builders.active.clone());
        let subject = self.subject(step)?;
        let cache_from = self.input(step, "cache-from")?.filter(|text| !text.trim().is_empty());
        let inputs = BuildInputs {
            no_cache,
            no_cache_filters: Vec::new(),
            builder: named,
            cache_from,
            file: subject.file.clone(),
        };
        self.recorder.fact_at(quote, Fact::BuildInputs(inputs));
        let Some(namespace) = self.namespace(&builder)? else {
            let reason = format!("ERROR: no builder \"{builder}\" found");
            self.recorder.error(&reason)?;
            self.recorder.fact(Fact::BuildEnded { error: Some(reason), took: None });
            return Ok(StepOutcome::Failure);
        };
        let driver = if builder == "default" { "docker" } else { "docker-container" };
        self.recorder.line(&format!("#0 building with \"{builder}\" instance using {driver} driver"))?;
        self.recorder.fact(Fact::BuildStarted { builder: Some(builder) });
        self.recorder.line("")?;
        let mut known = self.setting.platform.clone();
        known.extend(subject.args.clone());
        let mounts = subject.dockerfile.cache_mounts(&known)?;
        self.name_mounts(&namespace, mounts.iter().map(|mount| &mount.options));
        self.builders.wiped |= no_cache;
        for mount in mounts {
            let line = subject.dockerfile.source().place(mount.span.start).line;
            let text = subject.dockerfile.source().line(line).unwrap_or_default().trim().to_owned();
            let quote = Quote { source: subject.file.as_str().into(), line: Some(line), text };
            self.recorder.fact_at(quote, Fact::BuildMount(MountSpec::from(&mount)));
        }
        let options = InstrumentOptions {
            runner_arg: true,
            shell_marker: Some(namespace.as_str().to_owned()),
            measure: true,
            build_args: known,
        };
        let copy = instrument(&subject.dockerfile, &options)?;
        let kept = self.evidence_dir.join("Dockerfile");
        fs::write(&kept, &copy.text).map_err(RunError::io("write", kept))?;
        let mut build_args = subject.args.clone();
        build_args.insert(RUNNER_ARG.to_owned(), namespace.as_str().to_owned());
        let request = BuildRequest {
            namespace,
            dockerfile: COPY_NAME.to_owned(),
            build_args,
            target: self.input(step, "target")?.filter(|target| !target.trim().is_empty()),
            no_cache,
            network: self.input(step, "network")?.filter(|network| !network.trim().is_empty()),
            export: false,
        };
        let (dir, ignore) = (subject.context, subject.ignore);
        let (context, packed) = stream::produce(move |out| {
            super::context_tar::context(&dir, ignore.as_ref(), (COPY_NAME, &copy.text), out)
        });
        let began = self.clock.now();
        let mut reader = BuildReader::default();
        let mut broken = None;
        let recorder = &mut self.recorder;
        let outcome = self
            .engine
            .build(request, context, &mut |event| {
                if let Err(error) = reader.take(recorder, &event) {
                    broken.get_or_insert(error);
                }
            })
            .await?;
        let took = self.clock.now().duration_since(began).unwrap_or_default();
        self.work.builds += took;
        if let Some(error) = broken {
            return Err(error);
        }
        if outcome.failure.is_none() {
            stream::join(packed).await?.map_err(RunError::io("read", WORKSPACE))?;
        }
        let error = outcome.failure.map(|failure| failure.message);
        if let Some(message) = &error {
            for line in reader.plain.failure() {
                self.recorder.line(&line)?;
            }
            self.recorder.error(&format!("buildx failed with: ERROR: failed to solve: {message}"))?;
        }
        let failed = error.is_some();
        if let Some(cache_to) = self.input(step, "cache-to")?.filter(|_| !failed) {
            self.setting.layers.write(&cache_to, &self.plan.trigger, self.home());
        }
        self.recorder.fact(Fact::BuildEnded { error, took: Some(took) });
        Ok(if failed { StepOutcome::Failure } else { StepOutcome::Success })
    }

    /// Finds what the step builds. Without a Dockerfile there is nothing to prove, so that stops the harness.
    fn subject(&mut self, step: &PlannedStep) -> Result<BuildSubject, RunError> {
        let given = self.input(step, "context")?.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        // Without a path the action builds from the commit itself, not from the workspace.
        let context = match given.as_deref() {
            None => self.checkout.clone(),
            Some(path) if path.starts_with("http") || path.starts_with("{{") => self.checkout.clone(),
            Some(path) => self.real(path),
        };
        let file = self.input(step, "file")?.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let path = match &file {
            Some(file) if given.is_some() => self.real(file),
            Some(file) => self.checkout.join(file.trim_start_matches("./")),
            None => context.join("Dockerfile"),
        };
        let file = file.unwrap_or_else(|| match given.as_deref() {
            None | Some("." | "./") => "Dockerfile".to_owned(),
            Some(dir) => format!("{}/Dockerfile", dir.trim_end_matches('/')),
        });
        let Ok(text) = fs::read_to_string(&path) else {
            let at = self.plan.source().place(step.span.start);
            let step = format!("{}:{}", self.plan.source().name, at.line);
            return Err(RunError::NoDockerfile { step, file });
        };
        let text = self.setting.substitute_image(&text, self.go);
        let dockerfile = Dockerfile::parse(&Source::new(file.clone(), text))?;
        let ignore = match [
            path.with_file_name(format!(
                "{}.dockerignore",
                path.file_name().and_then(|name| name.to_str()).unwrap_or("Dockerfile")
            )),
            context.join(".dockerignore"),
        ]
        .into_iter()
        .find(|path| path.is_file())
        {
            None => None,
            Some(path) => {
                let text = fs::read_to_string(&path).map_err(RunError::io("read", &path))?;
                let ignore = Ignore::parse(&text);
                let ignore = ignore.map_err(|error| RunError::Ignore { path, reason: error.to_string() })?;
                Some(ignore.keeping(COPY_NAME))
            }
        };
        let mut args = BTreeMap::new();
        for line in self.input(step, "build-args")?.unwrap_or_default().lines() {
            if let Some((name, value)) = line.trim().split_once('=') {
                let image = self.setting.go_images.as_ref().filter(|_| name == GO_IMAGE);
                let image = image.and_then(|images| images.resolve(value, self.go));
                args.insert(name.to_owned(), image.unwrap_or(value).to_owned());
            }
        }
        Ok(BuildSubject { context, file, dockerfile, ignore, args })
    }
}

/// Turns a build's events into log lines and facts.
#[derive(Default)]
struct BuildReader {
    plain: Plain,
    output: BuildOutput,
    /// The names of the vertexes so far.
    names: BTreeMap<u64, String>,
}

impl BuildReader {
    fn take(&mut self, recorder: &mut super::Recorder<'_>, event: &BuildEvent) -> Result<(), RunError> {
        for line in self.plain.lines(event) {
            recorder.line(&line)?;
        }
        let id = event.vertex;
        let since = match &event.kind {
            BuildEventKind::Line { since, .. } => Some(*since),
            _ => None,
        };
        self.output.tick(id, Some(event.at), since);
        let facts = match &event.kind {
            BuildEventKind::Named(name) => {
                self.names.insert(id, name.clone());
                let found = self.output.vertex(id, name);
                found.into_iter().chain(self.output.compile_step(id).map(Fact::CompileStep)).collect()
            }
            BuildEventKind::Line { text, .. } => self.output.line(id, text),
            BuildEventKind::Cached => self.output.cached(id),
            BuildEventKind::Done(took) => self.output.done(id, Some(*took), true),
            BuildEventKind::Failed(_) => self.output.done(id, None, false),
        };
        for fact in facts.into_iter().chain(self.ended(event)) {
            recorder.fact(fact);
        }
        Ok(())
    }

    /// Says how long the vertex ran that has ended.
    fn ended(&self, event: &BuildEvent) -> Option<Fact> {
        let (took, outcome) = match &event.kind {
            BuildEventKind::Done(took) => (Some(*took), VertexOutcome::Done),
            BuildEventKind::Cached => (None, VertexOutcome::Cached),
            BuildEventKind::Failed(_) => (None, VertexOutcome::Failed),
            BuildEventKind::Named(_) | BuildEventKind::Line { .. } => return None,
        };
        let name = self.names.get(&event.vertex)?.clone();
        Some(Fact::VertexEnded(VertexEnd { name, took, outcome }))
    }
}
