//! The build step: the person's Dockerfile, instrumented in a copy, on the builder the workflow names.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::build_spec::{BuildSpec, ContextPlace};
use super::{StepContext, StepResult, WORKSPACE};
use crate::dockerfile::{CacheMount, Dockerfile, Ignore, InstrumentOptions, RUNNER_ARG, instrument};
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
        let spec = self.push_action(step)?;
        self.build_one(step, spec, quote).await
    }

    /// Carries out one build of a step. The quote is what its inputs rest on.
    pub(super) async fn build_one(&mut self, step: &PlannedStep, spec: BuildSpec, quote: Quote) -> StepResult {
        let no_cache = spec.no_cache;
        let named = spec.builder.clone();
        let builder = named.clone().unwrap_or_else(|| self.builders.active.clone());
        self.assume_of_build(step, &spec);
        let subject = self.subject(step, &spec)?;
        let inputs = BuildInputs {
            no_cache,
            no_cache_filters: Vec::new(),
            builder: named,
            cache_from: spec.cache_from.clone(),
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
        let dockerfile = expanded(&subject.dockerfile, &mounts)?;
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
        let copy = instrument(&dockerfile, &options)?;
        let kept = self.evidence_dir.join("Dockerfile");
        fs::write(&kept, &copy.text).map_err(RunError::io("write", kept))?;
        let mut build_args = subject.args.clone();
        build_args.insert(RUNNER_ARG.to_owned(), namespace.as_str().to_owned());
        let request = BuildRequest {
            namespace,
            dockerfile: COPY_NAME.to_owned(),
            build_args,
            target: spec.target.clone(),
            no_cache,
            network: spec.network.clone(),
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
            // The first build has met no cache yet, so a failure is no word about caches; unless a mount refused it.
            let first = self.setting.own_project && self.number == 1 && self.with_dance;
            if first && !reader.refused {
                return Err(RunError::BuildFailed {
                    at: step.place(),
                    step: step.display_name.clone(),
                    reason: reader
                        .plain
                        .last_words()
                        .map_or_else(|| message.clone(), |words| format!("{message}: {words}")),
                });
            }
        }
        let failed = error.is_some();
        if let Some(cache_to) = spec.cache_to.as_ref().filter(|_| !failed) {
            self.setting.layers.write(cache_to, &self.plan.trigger, self.home());
        }
        self.recorder.fact(Fact::BuildEnded { error, took: Some(took) });
        Ok(if failed { StepOutcome::Failure } else { StepOutcome::Success })
    }

    /// Notes what of a build is not as the step asks for it, and does not matter to its caches.
    fn assume_of_build(&mut self, step: &PlannedStep, spec: &BuildSpec) {
        let native = self.setting.platform.get("TARGETPLATFORM").cloned().unwrap_or_default();
        if !spec.platforms.is_empty() && (spec.platforms.len() > 1 || spec.platforms[0] != native) {
            self.assume(format!(
                "step `{}` builds for {native} only, not for {}",
                step.display_name,
                spec.platforms.join(", ")
            ));
        }
        if spec.secrets {
            self.assume(format!("step `{}` builds without its secrets and SSH agent", step.display_name));
        }
    }

    /// Finds what the step builds. Without a Dockerfile there is nothing to prove, so that stops the harness.
    fn subject(&mut self, step: &PlannedStep, spec: &BuildSpec) -> Result<BuildSubject, RunError> {
        let clean = |path: &str| path.trim_start_matches("./").trim_end_matches('/').to_owned();
        let (context, root, shown) = match &spec.context {
            ContextPlace::Commit(below) => {
                let context = self.checkout.join(clean(below));
                (context.clone(), context, String::new())
            }
            ContextPlace::Workspace(path) => {
                let shown = if matches!(path.as_str(), "." | "./") {
                    String::new()
                } else {
                    Self::seen(path.trim_end_matches('/'))
                };
                (self.real(path), self.real("."), shown)
            }
        };
        let path = match &spec.file {
            Some(file) if file.starts_with('/') => self.real(file),
            Some(file) => root.join(clean(file)),
            None => context.join("Dockerfile"),
        };
        let file = spec.file.clone().unwrap_or_else(|| match shown.as_str() {
            "" => "Dockerfile".to_owned(),
            dir => format!("{dir}/Dockerfile"),
        });
        let Ok(text) = fs::read_to_string(&path) else {
            return Err(RunError::NoDockerfile { step: step.place(), file });
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
        for (name, value) in spec.args.iter().filter_map(|line| line.split_once('=')) {
            let image = self.setting.go_images.as_ref().filter(|_| name == GO_IMAGE);
            let image = image.and_then(|images| images.resolve(value, self.go));
            args.insert(name.to_owned(), image.unwrap_or(value).to_owned());
        }
        Ok(BuildSubject { context, file, dockerfile, ignore, args })
    }
}

/// Writes out the variables in the targets and ids of cache mounts, which an engine before Docker 23 leaves as they are. To
/// every other engine the two say the same.
fn expanded(file: &Dockerfile, mounts: &[CacheMount]) -> Result<Dockerfile, RunError> {
    let source = file.source();
    let mut text = source.text.clone();
    let mut changed = false;
    for mount in mounts.iter().rev().filter(|mount| mount.written.contains('$') && mount.unresolved.is_empty()) {
        let Some(flag) = text.get(mount.span.start..mount.span.end) else { continue };
        let Some(at) = flag.find(&mount.written) else { continue };
        let field = |field: &str| match field.split_once('=') {
            Some((key @ ("target" | "dst" | "destination"), value)) if value.contains('$') => {
                format!("{key}={}", mount.options.target)
            }
            Some(("id", value)) if value.contains('$') => {
                format!("id={}", mount.options.id.as_deref().unwrap_or_default())
            }
            _ => field.to_owned(),
        };
        let plain: Vec<String> = mount.written.split(',').map(field).collect();
        let from = mount.span.start + at;
        text.replace_range(from..from + mount.written.len(), &plain.join(","));
        changed = true;
    }
    if !changed {
        return Ok(file.clone());
    }
    Ok(Dockerfile::parse(&Source::new(source.name.clone(), text))?)
}

/// Turns a build's events into log lines and facts.
#[derive(Default)]
struct BuildReader {
    plain: Plain,
    output: BuildOutput,
    /// The names of the vertexes so far.
    names: BTreeMap<u64, String>,
    /// A step was refused when it wrote into a cache mount.
    refused: bool,
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
            self.refused |= matches!(fact, Fact::MountRefused { .. });
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
