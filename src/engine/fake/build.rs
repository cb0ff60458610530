//! One fake build: the stages that the target needs, step by step, in the engine's own time. [`Build`] is principal.
//!
//! Each step has a key made of all that goes into it, as in BuildKit: what stands before it, its words, its variables, the
//! files it copies or binds, and the cache mounts by identity but not by content. A step whose key the layer cache knows
//! does not run.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, SystemTime};

use super::Fake;
use super::context::Context;
use super::run::Environment;
use super::state::FakeState;
use super::tree::FileTree;
use crate::dockerfile::{CacheMount, Dockerfile, MountOptions, RunInstruction, Stage, StageStep, StageSteps};
use crate::engine::{BuildEvent, BuildEventKind, BuildFailure, BuildOutcome, BuildRequest, EngineError};
use crate::evidence::Creator;
use crate::source::Source;

/// How long anything takes that has no time of its own.
pub(super) const MOMENT: Duration = Duration::from_millis(10);

/// A build under way.
pub(super) struct FakeBuild<'a> {
    pub(super) fake: &'a Fake,
    pub(super) request: &'a BuildRequest,
    pub(super) state: &'a mut FakeState,
    pub(super) context: &'a Context,
    watch: &'a mut dyn FnMut(BuildEvent),
    vertexes: u64,
    started: SystemTime,
}

/// Where a stage stands.
#[derive(Debug, Clone, Default)]
struct Layer {
    /// A number for all that has gone into it.
    key: u64,
    /// The files that the fake knows of.
    root: FileTree,
    /// The user of `RUN`.
    user: String,
    /// The image at the bottom of it.
    image: String,
}

impl Layer {
    fn add(&mut self, what: impl Hash) {
        let mut hasher = DefaultHasher::new();
        (self.key, what).hash(&mut hasher);
        self.key = hasher.finish();
    }
}

/// A Dockerfile, ready to be built.
struct Recipe<'a> {
    file: &'a Dockerfile,
    stages: Vec<StageSteps>,
    mounts: Vec<CacheMount>,
    /// The stages the target needs.
    needed: BTreeSet<usize>,
}

impl Fake {
    /// Builds; see [`Engine::build`](crate::engine::Engine::build).
    pub(super) fn run_build(
        &self,
        request: &BuildRequest,
        context: &[u8],
        watch: &mut dyn FnMut(BuildEvent),
    ) -> Result<BuildOutcome, EngineError> {
        let archive = |source| EngineError::Archive { doing: "building".to_owned(), source };
        let context = Context::read(context).map_err(archive)?;
        let Some(text) = context.text(&request.dockerfile) else {
            let reason = format!("open {}: no such file or directory", request.dockerfile);
            return Ok(failure(format!("failed to solve: failed to read dockerfile: {reason}")));
        };
        let parsed = Dockerfile::parse(&Source::new(&request.dockerfile, text));
        let parsed = parsed.and_then(|file| {
            let (stages, mounts) = (file.steps(&request.build_args)?, file.cache_mounts(&request.build_args)?);
            Ok((file, stages, mounts))
        });
        let (file, stages, mounts) = match parsed {
            Ok(parsed) => parsed,
            Err(error) => return Ok(failure(format!("failed to solve: dockerfile parse error: {error}"))),
        };
        let Some(needed) = needed(&file, &stages, request.target.as_deref()) else {
            let target = request.target.as_deref().unwrap_or_default();
            return Ok(failure(format!("failed to solve: target stage {target} could not be found")));
        };
        for stage in needed.iter().map(|at| &stages[*at]).filter(|stage| stage.base.is_none()) {
            if stage.image != "scratch" {
                self.resolve(&stage.image)?;
            }
        }
        let mut state = self.state();
        let started = state.advance(MOMENT);
        let recipe = Recipe { file: &file, stages, mounts, needed };
        let mut build =
            FakeBuild { fake: self, request, state: &mut state, context: &context, watch, vertexes: 0, started };
        Ok(build.run(&recipe))
    }
}

impl FakeBuild<'_> {
    fn run(&mut self, recipe: &Recipe<'_>) -> BuildOutcome {
        if self.request.no_cache {
            // BuildKit empties every cache mount of the build before the first step.
            for mount in recipe.mounts.iter().filter(|mount| recipe.needed.contains(&mount.stage)) {
                self.state.wipe(&self.request.namespace, &mount.options);
            }
        }
        self.begin("[internal] load remote build context");
        self.show(BuildEventKind::Done(MOMENT));
        let mut done: Vec<Option<Layer>> = vec![None; recipe.stages.len()];
        for at in recipe.needed.iter().copied() {
            match self.stage(recipe, at, &done) {
                Ok(layer) => done[at] = Some(layer),
                Err(outcome) => return outcome,
            }
        }
        let image = self.request.export.then(|| self.state.image(&self.request.namespace));
        BuildOutcome { image, failure: None }
    }

    /// Builds one stage on those that are done.
    fn stage(&mut self, recipe: &Recipe<'_>, at: usize, done: &[Option<Layer>]) -> Result<Layer, BuildOutcome> {
        let (stage, steps) = (&recipe.file.stages[at], &recipe.stages[at]);
        let name = stage.name.clone().unwrap_or_else(|| format!("stage-{at}"));
        let label = |step| format!("[{name} {step}/{}]", stage.runs.len() + 1);
        self.begin(&format!("{} FROM {}", label(1), steps.image));
        self.show(BuildEventKind::Cached);
        let mut layer = match steps.base.and_then(|base| done[base].clone()) {
            Some(base) => base,
            None => {
                let mut bottom = Layer { image: steps.image.clone(), ..Layer::default() };
                bottom.add(&steps.image);
                bottom
            }
        };
        for step in &steps.steps {
            match (step.keyword.as_str(), step.run.and_then(|run| stage.runs.get(run))) {
                ("RUN", Some(run)) => {
                    self.begin(&format!("{} RUN {}{}", label(run.index + 2), flags(run), run.command));
                    self.run_step(recipe, stage, step, run, &mut layer, done)?;
                }
                ("COPY" | "ADD", _) => {
                    let what = self.copied(recipe, &step.words, done);
                    layer.add((&step.words, what));
                }
                ("USER", _) => {
                    layer.user = step.words.first().cloned().unwrap_or_default();
                    layer.add(&step.words);
                }
                // They make no layer; a RUN has them in its key.
                ("ARG" | "ENV" | "SHELL", _) => {}
                _ => layer.add((&step.keyword, &step.words)),
            }
        }
        Ok(layer)
    }

    /// Runs one `RUN`, or takes it from the layer cache. Its vertex has begun.
    fn run_step(
        &mut self,
        recipe: &Recipe<'_>,
        stage: &Stage,
        step: &StageStep,
        run: &RunInstruction,
        layer: &mut Layer,
        done: &[Option<Layer>],
    ) -> Result<(), BuildOutcome> {
        let own = recipe.mounts.iter().filter(|mount| (mount.stage, mount.run) == (stage.index, run.index));
        let mounts: Vec<&MountOptions> = own.map(|mount| &mount.options).collect();
        let identities: Vec<String> = mounts.iter().map(|mount| mount.identity().to_string()).collect();
        let bound = self.bound(recipe, run, done);
        layer.add((run.text(), flags(run), identities, bound, &step.variables, &layer.user.clone()));
        let namespace = &self.request.namespace;
        if let Some(root) = self.state.layer(namespace, layer.key).filter(|_| !self.request.no_cache) {
            layer.root = root;
            self.show(BuildEventKind::Cached);
            return Ok(());
        }
        for mount in &mounts {
            self.state.mount(namespace, mount, Creator::Build);
        }
        let mut environment = Environment {
            variables: &step.variables,
            user: &layer.user,
            image: &layer.image,
            sources: layer.key,
            mounts: &mounts,
            root: &mut layer.root,
        };
        if let Err(code) = self.script(run, &mut environment) {
            let command = &run.command;
            let message = format!("process \"/bin/sh -c {command}\" did not complete successfully: exit code: {code}");
            self.show(BuildEventKind::Failed(message.clone()));
            return Err(failure(format!("failed to solve: {message}")));
        }
        self.end();
        self.state.keep_layer(&self.request.namespace, layer.key, &layer.root);
        Ok(())
    }

    /// Hashes what a `COPY` copies, by its words.
    fn copied(&self, recipe: &Recipe<'_>, words: &[String], done: &[Option<Layer>]) -> u64 {
        let mut hasher = DefaultHasher::new();
        let from = words.iter().find_map(|word| word.strip_prefix("--from="));
        let sources = words.iter().filter(|word| !word.starts_with("--"));
        match from {
            Some(from) => source_key(recipe, from, done).hash(&mut hasher),
            None => sources.rev().skip(1).for_each(|path| self.context.hash(path, &mut hasher)),
        }
        hasher.finish()
    }

    /// Hashes what the bind mounts of a `RUN` bring.
    fn bound(&self, recipe: &Recipe<'_>, run: &RunInstruction, done: &[Option<Layer>]) -> u64 {
        let mut hasher = DefaultHasher::new();
        for flag in run.flags.iter().filter(|flag| flag.name == "mount") {
            let option = |names: &[&str]| {
                let mut fields = flag.written.split(',').filter_map(|field| field.split_once('='));
                fields.find(|(name, _)| names.contains(name)).map(|(_, value)| value)
            };
            if !matches!(option(&["type"]), None | Some("bind")) {
                continue;
            }
            match option(&["from"]) {
                Some(from) => source_key(recipe, from, done).hash(&mut hasher),
                None => self.context.hash(option(&["source", "src"]).unwrap_or("."), &mut hasher),
            }
        }
        hasher.finish()
    }

    fn begin(&mut self, name: &str) {
        self.vertexes += 1;
        self.started = self.state.advance(MOMENT);
        self.show(BuildEventKind::Named(name.to_owned()));
    }

    /// Has the step under way print a line.
    pub(super) fn line(&mut self, text: String) {
        let since = self.since();
        self.show(BuildEventKind::Line { since, text });
    }

    fn end(&mut self) {
        let ran = self.since();
        self.show(BuildEventKind::Done(ran));
    }

    fn since(&mut self) -> Duration {
        self.state.advance(MOMENT).duration_since(self.started).unwrap_or_default()
    }

    fn show(&mut self, kind: BuildEventKind) {
        let at = self.state.advance(Duration::ZERO);
        (self.watch)(BuildEvent { vertex: self.vertexes, at, kind });
    }
}

fn failure(message: String) -> BuildOutcome {
    BuildOutcome { image: None, failure: Some(BuildFailure { message }) }
}

/// Returns the key of the stage, or the name of the image, that something is taken from.
fn source_key(recipe: &Recipe<'_>, from: &str, done: &[Option<Layer>]) -> (u64, String) {
    let layer = stage_named(recipe.file, from).and_then(|at| done.get(at)?.as_ref());
    (layer.map_or(0, |layer| layer.key), from.to_owned())
}

fn stage_named(file: &Dockerfile, name: &str) -> Option<usize> {
    let named = |stage: &Stage| stage.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name));
    file.stages.iter().position(named).or_else(|| name.parse().ok().filter(|at| *at < file.stages.len()))
}

/// Returns the stages that the target needs, which is the last stage when none is named. BuildKit builds no others.
fn needed(file: &Dockerfile, stages: &[StageSteps], target: Option<&str>) -> Option<BTreeSet<usize>> {
    let target = match target.filter(|target| !target.is_empty()) {
        Some(target) => stage_named(file, target)?,
        None => stages.len().checked_sub(1)?,
    };
    let mut needed = BTreeSet::from([target]);
    let mut open = vec![target];
    while let Some(at) = open.pop() {
        let copied = stages[at].steps.iter().flat_map(|step| &step.words);
        let copied = copied.filter_map(|word| word.strip_prefix("--from="));
        let flags = file.stages[at].runs.iter().flat_map(|run| &run.flags);
        let bound = flags.flat_map(|flag| flag.written.split(',')).filter_map(|field| field.strip_prefix("from="));
        let named = copied.chain(bound).filter_map(|name| stage_named(file, name));
        for other in named.chain(stages[at].base).filter(|other| *other < at) {
            if needed.insert(other) {
                open.push(other);
            }
        }
    }
    Some(needed)
}

/// Writes the flags of a `RUN` as a vertex name shows them.
fn flags(run: &RunInstruction) -> String {
    run.flags.iter().map(|flag| format!("--{}={} ", flag.name, flag.written)).collect()
}
