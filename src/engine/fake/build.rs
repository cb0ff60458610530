//! One fake build: stages in order, `RUN` by `RUN`, in the engine's own time. [`Build`] is principal.

use std::time::{Duration, SystemTime};

use super::Fake;
use super::context::Context;
use super::go::Toolchain;
use super::shell::{self, When};
use super::state::State;
use super::tree::Tree;
use crate::dockerfile::{CacheMount, CommandForm, Dockerfile, MountOptions, Run, Stage, clean_path};
use crate::engine::{BuildEvent, BuildEventKind, BuildFailure, BuildOutcome, BuildRequest, EngineError};
use crate::evidence::Creator;
use crate::source::Source;

/// How long anything takes that has no time of its own.
const MOMENT: Duration = Duration::from_millis(10);

/// How a step failed: the exit code.
struct Exit(u8);

/// A build under way.
struct Build<'a> {
    fake: &'a Fake,
    request: &'a BuildRequest,
    inputs: u64,
    state: &'a mut State,
    watch: &'a mut dyn FnMut(BuildEvent),
    vertexes: u64,
    started: SystemTime,
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
        let parsed = parsed.and_then(|file| file.cache_mounts(&request.build_args).map(|mounts| (file, mounts)));
        let (file, mounts) = match parsed {
            Ok(parsed) => parsed,
            Err(error) => return Ok(failure(format!("failed to solve: dockerfile parse error: {error}"))),
        };
        let Some(stages) = stages(&file, request.target.as_deref()) else {
            let target = request.target.as_deref().unwrap_or_default();
            return Ok(failure(format!("failed to solve: target stage {target} could not be found")));
        };
        for stage in stages {
            let image = image(&file, stage, request);
            let earlier = file.stages[..stage.index].iter().any(|other| other.name == Some(image.to_ascii_lowercase()));
            if !earlier && image != "scratch" {
                self.resolve(&image)?;
            }
        }
        let mut state = self.state();
        let inputs = context.inputs(request);
        let started = state.advance(MOMENT);
        let mut build = Build { fake: self, request, inputs, state: &mut state, watch, vertexes: 0, started };
        Ok(build.run(&file, stages, &mounts))
    }
}

impl Build<'_> {
    fn run(&mut self, file: &Dockerfile, stages: &[Stage], mounts: &[CacheMount]) -> BuildOutcome {
        let namespace = &self.request.namespace;
        let cached = !self.request.no_cache && self.state.has_layers(namespace, self.inputs);
        if self.request.no_cache {
            // BuildKit empties every cache mount of the build before the first step.
            for mount in mounts {
                self.state.wipe(namespace, &mount.options);
            }
        }
        self.begin("[internal] load remote build context");
        self.show(BuildEventKind::Done(MOMENT));
        for stage in stages {
            let label = stage.name.clone().unwrap_or_else(|| format!("stage-{}", stage.index));
            let label = |step| format!("[{label} {step}/{}]", stage.runs.len() + 1);
            self.begin(&format!("{} FROM {}", label(1), image(file, stage, self.request)));
            self.show(BuildEventKind::Cached);
            for run in &stage.runs {
                let own = mounts.iter().filter(|mount| (mount.stage, mount.run) == (stage.index, run.index));
                let own: Vec<&MountOptions> = own.map(|mount| &mount.options).collect();
                self.begin(&format!("{} RUN {}{}", label(run.index + 2), flags(run), run.command));
                if cached {
                    self.show(BuildEventKind::Cached);
                    continue;
                }
                for mount in &own {
                    self.state.mount(&self.request.namespace, mount, Creator::Build);
                }
                if let Err(Exit(code)) = self.step(run, &own) {
                    let command = &run.command;
                    let message =
                        format!("process \"/bin/sh -c {command}\" did not complete successfully: exit code: {code}");
                    self.show(BuildEventKind::Failed(message.clone()));
                    return failure(format!("failed to solve: {message}"));
                }
                self.end();
            }
        }
        self.state.keep_layers(&self.request.namespace, self.inputs);
        let image = self.request.export.then(|| self.state.image(&self.request.namespace));
        BuildOutcome { image, failure: None }
    }

    /// Runs the commands of one `RUN`.
    fn step(&mut self, run: &Run, mounts: &[&MountOptions]) -> Result<(), Exit> {
        let script = run.text();
        let words = (run.form == CommandForm::Exec).then(|| serde_json::from_str::<Vec<String>>(&run.command).ok());
        let commands = match words.flatten() {
            Some(words) => vec![shell::Command { when: When::Always, words }],
            None => shell::commands(&script),
        };
        let mut last = 0;
        for command in commands {
            let skipped = match command.when {
                When::Always => false,
                When::Succeeded => last != 0,
                When::Failed => last == 0,
                When::Never => true,
            };
            if skipped {
                continue;
            }
            let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
            last = match words.as_slice() {
                ["exit", rest @ ..] => {
                    let code = rest.first().map_or(last, |code| code.parse().unwrap_or(2));
                    return if code == 0 { Ok(()) } else { Err(Exit(code)) };
                }
                ["false", ..] => 1,
                _ => self.command(&words, mounts),
            };
        }
        if last == 0 { Ok(()) } else { Err(Exit(last)) }
    }

    /// Runs one command and returns its exit code.
    fn command(&mut self, words: &[&str], mounts: &[&MountOptions]) -> u8 {
        match words {
            ["echo", rest @ ..] => self.line(rest.join(" ")),
            ["du", ..] => {
                for mount in mounts {
                    let size = self.tree(mount).bytes().saturating_mul(self.fake.scale);
                    self.line(format!("{}\t{}", human(size), mount.target));
                }
            }
            ["ls", rest @ ..] => {
                for path in rest.iter().filter(|word| word.starts_with('/')) {
                    let names = self.find(path, mounts).map_or_else(Vec::new, |(tree, path)| tree.names(&path));
                    names.into_iter().for_each(|name| self.line(name));
                }
            }
            ["cat", rest @ ..] => {
                for path in rest.iter().filter(|word| word.starts_with('/')) {
                    let bytes = self.find(path, mounts).and_then(|(tree, path)| tree.read(&path).map(<[u8]>::to_vec));
                    let Some(bytes) = bytes else {
                        self.line(format!("cat: can't open '{path}': No such file or directory"));
                        return 1;
                    };
                    String::from_utf8_lossy(&bytes).lines().for_each(|line| self.line(line.to_owned()));
                }
            }
            ["time", "go", "build" | "install", ..] => {
                let took = self.compile(mounts);
                self.line(format!("real\t{}m {:05.2}s", took.as_secs() / 60, took.as_secs_f64() % 60.0));
            }
            ["go", "build" | "install", ..] => {
                self.compile(mounts);
            }
            ["go", "mod", "download", ..] => self.download(mounts),
            _ => {}
        }
        0
    }

    fn compile(&mut self, mounts: &[&MountOptions]) -> Duration {
        self.download(mounts);
        let toolchain = Toolchain { fake: self.fake, inputs: self.inputs, now: self.state.advance(MOMENT) };
        let mount = mounts.iter().find(|mount| clean_path(&mount.target).ends_with("/go-build"));
        let tree = mount.map(|mount| &mut self.state.mount(&self.request.namespace, mount, Creator::Build).tree);
        let took = toolchain.compile(tree);
        self.state.advance(took);
        took
    }

    fn download(&mut self, mounts: &[&MountOptions]) {
        let toolchain = Toolchain { fake: self.fake, inputs: self.inputs, now: self.state.advance(MOMENT) };
        let mount = mounts.iter().find(|mount| clean_path(&mount.target).ends_with("/pkg/mod"));
        let tree = mount.map(|mount| &mut self.state.mount(&self.request.namespace, mount, Creator::Build).tree);
        toolchain.download(tree).into_iter().for_each(|line| self.line(line));
    }

    fn tree(&mut self, mount: &MountOptions) -> &Tree {
        &self.state.mount(&self.request.namespace, mount, Creator::Build).tree
    }

    /// Finds the mount that a path leads into, and the rest of the path.
    fn find(&mut self, path: &str, mounts: &[&MountOptions]) -> Option<(&Tree, String)> {
        let path = clean_path(path);
        let (mount, rest) = mounts.iter().find_map(|mount| {
            let rest = path.strip_prefix(&clean_path(&mount.target))?;
            (rest.is_empty() || rest.starts_with('/')).then(|| (*mount, rest.trim_start_matches('/').to_owned()))
        })?;
        Some((self.tree(mount), rest))
    }

    fn begin(&mut self, name: &str) {
        self.vertexes += 1;
        self.started = self.state.advance(MOMENT);
        self.show(BuildEventKind::Named(name.to_owned()));
    }

    fn line(&mut self, text: String) {
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

/// Returns the stages up to the one to build; the last when none is named.
fn stages<'a>(file: &'a Dockerfile, target: Option<&str>) -> Option<&'a [Stage]> {
    let Some(target) = target.filter(|target| !target.is_empty()) else { return Some(&file.stages) };
    let named = |stage: &Stage| stage.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(target));
    let at = file.stages.iter().position(named).or_else(|| target.parse().ok())?;
    file.stages.get(..=at)
}

/// Returns what a stage starts from, with the arguments that stand before the first `FROM` replaced.
fn image(file: &Dockerfile, stage: &Stage, request: &BuildRequest) -> String {
    let head = file.stages.first().map_or("", |first| file.source().text.get(..first.span.start).unwrap_or(""));
    let mut image = stage.image.clone();
    for line in head.lines().map(str::trim) {
        let Some(("ARG", argument)) = line.split_once(' ') else { continue };
        let (name, default) = argument.trim().split_once('=').unwrap_or((argument.trim(), ""));
        let value = request.build_args.get(name).map_or(default, String::as_str).trim_matches(['"', '\'']);
        image = image.replace(&format!("${{{name}}}"), value).replace(&format!("${name}"), value);
    }
    image
}

/// Writes the flags of a `RUN` as a vertex name shows them.
fn flags(run: &Run) -> String {
    run.flags.iter().map(|flag| format!("--{}={} ", flag.name, flag.written)).collect()
}

/// Writes a size as `du -h` does: rounded up, and never less than one block.
fn human(bytes: u64) -> String {
    let mut tenths = bytes.saturating_add(4096).saturating_mul(10).div_ceil(1024);
    let mut units = "KMGT".chars();
    let mut unit = units.next().unwrap_or('K');
    while tenths >= 10_240
        && let Some(next) = units.next()
    {
        tenths = tenths.div_ceil(1024);
        unit = next;
    }
    if tenths < 100 {
        format!("{}.{}{unit}", tenths / 10, tenths % 10)
    } else {
        format!("{}{unit}", tenths.div_ceil(10))
    }
}
