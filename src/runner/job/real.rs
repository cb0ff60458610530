//! Actions themselves as a provider of steps. [`RealActions`] is principal.
//!
//! It gives an action what a runner gives it, and takes what a runner takes: variables, files, lines. The lines go into the
//! log, and the reader of CI logs says what they show; nothing of the action is known here.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::cache::{miss_cause, words};
use super::{HOME, PostTurn, StepContext, StepProvider, StepResult, WORKSPACE};
use crate::actions::{ActionOutput, DockerSetting, DockerTrace, Forward, PhaseRequest, file_command, input_variable};
use crate::cache::{CacheRelease, Identity, Keys, LookupOutcome, LookupRequest, ReserveAnswer, Version};
use crate::engine::{COPY_WORDS, Engine, ForeignBuild, Namespace};
use crate::evidence::{Fact, Quote, StepOutcome};
use crate::log::LiveReader;
use crate::plan::{Action, DanceMode, PlannedStep};
use crate::runner::real::{
    ActionCheckout, ActionSandbox, CACHE_PORT, CacheCall, CacheRefusal, CacheService, INSIDE, LoadedAction, PhaseMount,
    PhaseWatch, RealActionError, RealSetting, commands, make_utility,
};
use crate::runner::store::Reservation;
use crate::runner::{Clock, RunError};
use crate::source::{Span, Spanned};
use crate::workflow::ActionForm;
use crate::workflow::expr::{Condition, Contexts as _, Template, Value};

/// Where a runner keeps the files that only a job needs.
const TEMP: &str = "/home/runner/work/_temp";

/// Where a runner keeps the code of actions.
const ACTIONS: &str = "/home/runner/work/_actions";

/// The files into which an action writes, each with its variable.
const FILES: [(&str, &str); 5] = [
    ("GITHUB_OUTPUT", "set_output"),
    ("GITHUB_STATE", "save_state"),
    ("GITHUB_ENV", "set_env"),
    ("GITHUB_PATH", "add_path"),
    ("GITHUB_STEP_SUMMARY", "step_summary"),
];

/// The directories in which commands are looked for.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A token of the form that clients expect; its parts are `{"alg":"none"}` and `{"ac":"[]"}`, and nobody checks it.
const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJhYyI6IltdIn0.verify-buildkit-cache";

/// Runs the code of actions.
pub(super) struct RealActions<'a> {
    setting: &'a RealSetting,
    reader: LiveReader,
    sandbox: Option<ActionSandbox>,
    /// By step: its action.
    loaded: BTreeMap<usize, LoadedAction>,
    /// By step: what its main step has saved for its post step.
    states: BTreeMap<usize, Vec<(String, String)>>,
    /// Directories that steps have put before the others, the latest first.
    paths: Vec<String>,
    output: ActionOutput,
    service: Option<CacheService>,
    /// Entries that are being made, by key and version.
    reserved: BTreeMap<(String, String), Reservation>,
    /// The image in which a dance copies where the engine has none.
    utility: Option<String>,
}

impl<'a> RealActions<'a> {
    /// Begins a job whose log is quoted by a name.
    pub(super) fn new(setting: &'a RealSetting, log_name: &str) -> Self {
        Self {
            setting,
            reader: LiveReader::new(log_name),
            sandbox: None,
            loaded: BTreeMap::new(),
            states: BTreeMap::new(),
            paths: Vec::new(),
            output: ActionOutput::default(),
            service: None,
            reserved: BTreeMap::new(),
            utility: None,
        }
    }

    /// Returns the code that stands for a step's action.
    fn checkout(&self, step: &PlannedStep) -> Option<&'a ActionCheckout> {
        let cache = self.setting.cache.as_ref().filter(|_| matches!(step.action, Action::Cache(_)));
        cache.or_else(|| self.setting.dance.as_ref().filter(|_| is_dance(step)))
    }

    /// Tells whether a step is a dance that runs for real.
    pub(super) fn is_dance(&self, step: &PlannedStep) -> bool {
        self.setting.dance.is_some() && is_dance(step)
    }

    /// Writes the step's header, with all defaults.
    fn header<E: Engine>(&mut self, job: &mut StepContext<'_, E>, step: &PlannedStep) -> Result<(), RunError> {
        let defaults = self.defaults(job, step)?;
        let defaults: Vec<_> = defaults.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        job.header(step, &defaults)?;
        self.read_along(job);
        Ok(())
    }

    /// Evaluates the defaults of the action's inputs, in the order of its file.
    fn defaults<E: Engine>(
        &self,
        job: &StepContext<'_, E>,
        step: &PlannedStep,
    ) -> Result<Vec<(String, String)>, RunError> {
        let Some(action) = self.loaded.get(&step.index) else { return Ok(Vec::new()) };
        let mut values = Vec::new();
        for input in &action.file.inputs {
            let Some(default) = &input.default else { continue };
            let value = Template::unplaced(&default.value).and_then(|template| template.evaluate(&job.contexts(step)));
            let value = value.map_err(|error| self.expression(action, &format!("input `{}`", input.name), &error))?;
            values.push((input.name.clone(), value));
        }
        Ok(values)
    }

    fn expression(&self, action: &LoadedAction, field: &str, error: &dyn std::fmt::Display) -> RunError {
        RealActionError::Expression { path: action.dir.clone(), field: field.to_owned(), reason: error.to_string() }
            .into()
    }

    /// One phase: the script runs, its lines are read, and what it has written is taken.
    async fn phase<E: Engine>(&mut self, job: &mut StepContext<'_, E>, step: &PlannedStep, post: bool) -> StepResult {
        let Some(action) = self.loaded.get(&step.index).cloned() else { return Ok(StepOutcome::NotReproduced) };
        let script = if post { action.script.post.clone().unwrap_or_default() } else { action.script.main.clone() };
        self.docker(job, step, post).await?;
        let files = self.files(job)?;
        let (base, dir) = places(step);
        let request = PhaseRequest {
            command: self.command(&format!("{dir}/{script}")),
            env: self.environment(job, step, &files)?,
            directory: WORKSPACE.to_owned(),
            sudo: format!("{INSIDE}/sudo.sock"),
            forward: self
                .service
                .as_ref()
                .map(|_| Forward { port: CACHE_PORT, socket: format!("{INSIDE}/cache.sock") }),
        };
        let Some(sandbox) = self.sandbox.take() else { return Ok(StepOutcome::NotReproduced) };
        sandbox.give_tree(&job.layout.real(HOME.as_ref()))?;
        let root = self.checkout(step).map_or_else(|| action.dir.clone(), |checkout| checkout.path.clone());
        let (began, limit) = (job.clock.now(), self.setting.limit);
        let mut service = self.service.take();
        let stopped = StoppedPhase {
            engine: job.engine,
            namespaces: job.namespaces(),
            trace: sandbox.private.join("trace"),
            clock: job.clock,
        };
        let mount = PhaseMount { from: root, at: base };
        let mut watch = JobWatch { real: &mut *self, job: &mut *job };
        let ended = sandbox.run(&request, &[mount], limit, &mut service, &mut watch).await;
        self.service = service;
        drop(stopped);
        job.copied_since(began);
        self.sandbox = Some(sandbox);
        let ended = ended?;
        if ended.timed_out {
            let minutes = limit.as_secs_f64() / 60.0;
            let line = format!("The action '{}' has timed out after {minutes} minutes.", step.display_name);
            job.recorder.error(&line)?;
            self.read_along(job);
            // A post step that has printed nothing does not show whose it is; here it is known.
            if is_dance(step) && !job.recorder.step_has(&Fact::DanceHung) {
                job.recorder.fact(Fact::DanceHung);
            }
        }
        self.took(job, &ended.commands)?;
        let taken = self.take_files(job, step, &files)?;
        for event in self.reader.step_over() {
            job.recorder.event(event);
        }
        let well = ended.code == Some(0) && !ended.timed_out && taken;
        Ok(if well { StepOutcome::Success } else { StepOutcome::Failure })
    }

    /// Writes a line of the action's into the log.
    fn line<E: Engine>(&mut self, job: &mut StepContext<'_, E>, line: &str) -> Result<(), RunError> {
        if let Some(shown) = self.output.line(line) {
            job.recorder.line(&shown)?;
            self.read_along(job);
        }
        Ok(())
    }

    /// Reads the lines that were written, and keeps what they show.
    fn read_along<E: Engine>(&mut self, job: &mut StepContext<'_, E>) {
        for (number, line) in job.recorder.heard() {
            for event in self.reader.line(&line, number) {
                job.recorder.event(event);
            }
        }
    }

    fn command(&self, script: &str) -> Vec<String> {
        let user = self.sandbox.as_ref().map(ActionSandbox::as_user).unwrap_or_default();
        user.into_iter().chain([format!("{INSIDE}/bin/node"), script.to_owned()]).collect()
    }

    /// Says how `docker` works inside for this phase.
    async fn docker<E: Engine>(
        &mut self,
        job: &mut StepContext<'_, E>,
        step: &PlannedStep,
        post: bool,
    ) -> Result<(), RunError> {
        let Some(sandbox) = &self.sandbox else { return Ok(()) };
        let builders = job.namespaces();
        let prefix = format!("vbc-{}-{}", job.setting.session, if job.with_dance { "r" } else { "c" });
        let prefix = format!("{prefix}{}-job", job.number);
        if let (None, Some(busybox), Some((_, first))) = (&self.utility, &self.setting.tools.busybox, builders.first())
        {
            let name = format!("{prefix}-utility");
            let config = sandbox.private.join("docker-config");
            make_utility(&self.setting.tools, &self.setting.engine, busybox, &name, first, &config).await?;
            self.utility = Some(name);
        }
        let extracts = post || step.action == Action::Dance(DanceMode::Extract);
        let setting = DockerSetting {
            docker: format!("{INSIDE}/lib/docker"),
            host: format!("unix://{INSIDE}/engine.sock"),
            config: format!("{INSIDE}/docker-config"),
            builders: builders.into_iter().map(|(name, namespace)| (name, namespace.as_str().to_owned())).collect(),
            active: job.builders.active.clone(),
            prefix,
            word: COPY_WORDS[usize::from(extracts)].to_owned(),
            utility: self.utility.clone(),
            root: job.layout.root.display().to_string(),
            trace: format!("{INSIDE}/trace"),
        };
        let path = sandbox.private.join("docker.json");
        fs::write(&path, serde_json::to_vec(&setting).unwrap_or_default()).map_err(RunError::io("write", path))
    }

    /// Makes the files into which the action writes; returns each variable with its path inside.
    fn files<E: Engine>(&self, job: &StepContext<'_, E>) -> Result<Vec<(&'static str, String)>, RunError> {
        let dir = format!("{TEMP}/_runner_file_commands");
        let outside = job.layout.real(dir.as_ref());
        fs::create_dir_all(&outside).map_err(RunError::io("make", &outside))?;
        let mut files = Vec::new();
        for (variable, name) in FILES {
            let path = outside.join(name);
            fs::write(&path, "").map_err(RunError::io("write", path))?;
            files.push((variable, format!("{dir}/{name}")));
        }
        Ok(files)
    }

    /// The whole environment of a phase.
    fn environment<E: Engine>(
        &self,
        job: &mut StepContext<'_, E>,
        step: &PlannedStep,
        files: &[(&'static str, String)],
    ) -> Result<Vec<(String, String)>, RunError> {
        let mut env: BTreeMap<String, String> = BTreeMap::new();
        let levels = [&job.plan.workflow_env, &job.plan.job_env];
        for (name, template) in levels.into_iter().flatten() {
            // What nobody knows here is not there, rather than empty.
            if let Ok(value) = job.evaluate(step, template) {
                env.insert(name.clone(), value);
            }
        }
        env.extend(job.set_env.iter().cloned());
        for (name, template) in &step.env {
            if let Ok(value) = job.evaluate(step, template) {
                env.insert(name.clone(), value);
            }
        }
        let contexts = job.contexts(step);
        let github = |name: &str| match contexts.lookup(&["github".to_owned(), name.to_owned()]) {
            Value::String(value) => value,
            _ => String::new(),
        };
        for name in [
            "workspace",
            "workflow",
            "job",
            "sha",
            "ref",
            "ref_name",
            "ref_type",
            "base_ref",
            "repository",
            "repository_owner",
            "actor",
            "event_name",
            "run_id",
            "run_number",
            "run_attempt",
            "server_url",
        ] {
            env.insert(format!("GITHUB_{}", name.to_uppercase()), github(name));
        }
        let fixed = [
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_API_URL", "https://api.github.com"),
            ("GITHUB_EVENT_PATH", "/home/runner/work/_temp/_github_workflow/event.json"),
            ("HOME", HOME),
            ("LANG", "C.UTF-8"),
            ("RUNNER_ARCH", "X64"),
            ("RUNNER_ENVIRONMENT", "github-hosted"),
            ("RUNNER_NAME", "GitHub Actions 1"),
            ("RUNNER_OS", "Linux"),
            ("RUNNER_TEMP", TEMP),
            ("RUNNER_TOOL_CACHE", "/opt/hostedtoolcache"),
            ("USER", "runner"),
        ];
        env.extend(fixed.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let action = step.id.clone().unwrap_or_else(|| "__run".to_owned());
        env.insert("GITHUB_ACTION".to_owned(), action);
        env.extend(files.iter().map(|(name, path)| ((*name).to_owned(), path.clone())));
        let mut path: Vec<String> = vec![format!("{INSIDE}/bin")];
        path.extend(self.paths.iter().cloned());
        path.push(PATH.to_owned());
        env.insert("PATH".to_owned(), path.join(":"));
        if self.service.is_some() {
            let place = format!("http://127.0.0.1:{CACHE_PORT}/");
            let service = [
                ("ACTIONS_CACHE_SERVICE_V2", "True"),
                ("ACTIONS_RESULTS_URL", place.as_str()),
                ("ACTIONS_CACHE_URL", place.as_str()),
                ("ACTIONS_RUNTIME_TOKEN", TOKEN),
            ];
            env.extend(service.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        for (name, value) in self.defaults(job, step)?.into_iter().chain(job.inputs(step)?) {
            env.insert(input_variable(&name), value);
        }
        for (name, value) in self.states.get(&step.index).into_iter().flatten() {
            env.insert(format!("STATE_{name}"), value.clone());
        }
        Ok(env.into_iter().collect())
    }

    /// Takes what a phase has built, and what it was refused.
    fn took<E: Engine>(&self, job: &mut StepContext<'_, E>, commands: &[DockerTrace]) -> Result<(), RunError> {
        let path = job.evidence_dir.join("docker.jsonl");
        let lines: Vec<String> =
            commands.iter().filter_map(|command| serde_json::to_string(command).ok()).map(|line| line + "\n").collect();
        let mut file =
            fs::File::options().create(true).append(true).open(&path).map_err(RunError::io("write", &path))?;
        std::io::Write::write_all(&mut file, lines.concat().as_bytes()).map_err(RunError::io("write", &path))?;
        let namespaces = job.namespaces();
        adopt(job.engine, &namespaces, commands, job.clock);
        for command in commands {
            let Some(build) = &command.build else { continue };
            job.note_build(&build.builder, &build.mounts, build.no_cache)?;
        }
        if let Some(error) = commands.iter().find_map(DockerTrace::engine_failed) {
            return Err(RealActionError::Engine { error: error.to_owned() }.into());
        }
        match commands.iter().find_map(|command| command.refused.clone()) {
            Some(refusal) => Err(RealActionError::Docker(refusal).into()),
            None => Ok(()),
        }
    }

    /// Takes what a phase has written into its files. `false` when the runner would refuse a file, which fails the step.
    fn take_files<E: Engine>(
        &mut self,
        job: &mut StepContext<'_, E>,
        step: &PlannedStep,
        files: &[(&'static str, String)],
    ) -> Result<bool, RunError> {
        let mut well = true;
        for (variable, path) in files {
            let outside = job.layout.target(path.as_ref());
            let bytes = fs::read(&outside).map_err(RunError::io("read", outside))?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if *variable == "GITHUB_PATH" {
                let more = text.lines().filter(|line| !line.is_empty()).map(str::to_owned);
                more.for_each(|dir| self.paths.insert(0, dir));
                continue;
            }
            if *variable == "GITHUB_STEP_SUMMARY" {
                continue;
            }
            let pairs = match file_command(&text) {
                Ok(pairs) => pairs,
                Err(error) => {
                    job.recorder.error(&format!("Unable to process file command '{variable}' successfully."))?;
                    job.recorder.error(&error.to_string())?;
                    self.read_along(job);
                    well = false;
                    continue;
                }
            };
            match *variable {
                "GITHUB_OUTPUT" => self.output.outputs.extend(pairs),
                "GITHUB_STATE" => self.output.state.extend(pairs),
                _ => job.set_env.extend(pairs),
            }
        }
        for (name, value) in std::mem::take(&mut self.output.outputs) {
            job.output(step, &name, &value);
        }
        let state = std::mem::take(&mut self.output.state);
        self.states.entry(step.index).or_default().extend(state);
        Ok(well)
    }
}

impl<E: Engine> StepProvider<E> for RealActions<'_> {
    fn supports(&self, step: &PlannedStep) -> bool {
        self.checkout(step).is_some()
    }

    fn set_up(&mut self, job: &mut StepContext<'_, E>, step: &PlannedStep) -> Result<(), RunError> {
        let (Some(checkout), Some(uses)) = (self.checkout(step), &step.uses) else { return Ok(()) };
        let below = match &uses.form {
            ActionForm::Repository { path, .. } => path.as_str(),
            _ => "",
        };
        let action = checkout.load(below)?;
        if matches!(step.action, Action::Cache(_)) {
            let release = checkout.release().filter(|release| CacheRelease::from_ref(release).is_refused());
            if let Some(release) = release {
                return Err(RunError::RefusedRelease { uses: format!("actions/cache@{release}") });
            }
        }
        self.loaded.insert(step.index, action);
        job.recorder.line(&format!("verify-buildkit-cache runs the code of {} as `{}`", checkout.name, uses.text))?;
        if self.sandbox.is_none() {
            let private = job.private.clone();
            let sandbox = ActionSandbox::new(&self.setting.tools, &self.setting.engine, &job.layout, private)?;
            let event = job.layout.real(format!("{TEMP}/_github_workflow").as_ref());
            fs::create_dir_all(&event).map_err(RunError::io("make", &event))?;
            let event = event.join("event.json");
            fs::write(&event, "{}\n").map_err(RunError::io("write", event))?;
            self.sandbox = Some(sandbox);
        }
        if matches!(step.action, Action::Cache(_)) && self.service.is_none() {
            self.service = Some(CacheService::open(&job.private.join("cache.sock"))?);
        }
        Ok(())
    }

    async fn main(&mut self, job: &mut StepContext<'_, E>, step: &PlannedStep) -> StepResult {
        job.recorder.listen();
        let outcome = match self.header(job, step) {
            Ok(()) => self.phase(job, step, false).await,
            Err(error) => Err(error),
        };
        job.recorder.listen_no_more();
        outcome
    }

    fn post_turn(&mut self, job: &mut StepContext<'_, E>, step: &PlannedStep) -> Result<Option<PostTurn>, RunError> {
        let Some(action) = self.loaded.get(&step.index) else { return Ok(None) };
        if action.script.post.is_none() {
            return Ok(None);
        }
        let text = action.script.post_if.clone();
        let written = Spanned::new(text.clone(), Span::new(0, text.len()));
        let condition = Condition::parse(&written, &text);
        let runs = condition.and_then(|condition| condition.evaluate(&job.contexts(step)));
        let runs = runs.map_err(|error| self.expression(action, "`post-if`", &error))?;
        Ok(Some(PostTurn { runs, display_name: format!("Post {}", step.display_name) }))
    }

    async fn post(&mut self, job: &mut StepContext<'_, E>, step: &PlannedStep) -> StepResult {
        job.recorder.listen();
        // The job has written that the post step begins.
        if let Some(number) = job.recorder.last_line() {
            for event in self.reader.line("Post job cleanup.", number) {
                job.recorder.event(event);
            }
        }
        let outcome = self.phase(job, step, true).await;
        job.recorder.listen_no_more();
        outcome
    }
}

/// Tells the engine what an action has built by itself, so that all of it is listed and removed.
fn adopt<E: Engine>(engine: &E, namespaces: &[(String, Namespace)], commands: &[DockerTrace], clock: Clock) {
    /// How long an engine may go on with a build that was stopped.
    const STOPPING: Duration = Duration::from_secs(10);
    let at = |nanos: u64| SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos);
    for command in commands {
        let Some(build) = &command.build else { continue };
        let Some((_, namespace)) = namespaces.iter().find(|(_, known)| known.as_str() == build.namespace) else {
            continue;
        };
        let ended = if command.ended == 0 { clock.now() + STOPPING } else { at(command.ended) };
        let foreign = ForeignBuild { vertexes: build.vertexes.clone(), began: at(command.began), ended };
        engine.adopt(namespace, &foreign);
    }
}

/// A phase under way. When somebody stops the program in it, what the action has built until then is told to the engine; a
/// phase that ends by itself leaves no records behind for this.
struct StoppedPhase<'e, E: Engine> {
    engine: &'e E,
    namespaces: Vec<(String, Namespace)>,
    trace: PathBuf,
    clock: Clock,
}

impl<E: Engine> Drop for StoppedPhase<'_, E> {
    fn drop(&mut self) {
        adopt(self.engine, &self.namespaces, &commands(&self.trace), self.clock);
    }
}

/// A job that hears what happens in a phase.
struct JobWatch<'w, 'r, 'j, E: Engine> {
    real: &'w mut RealActions<'r>,
    job: &'w mut StepContext<'j, E>,
}

impl<E: Engine> PhaseWatch for JobWatch<'_, '_, '_, E> {
    fn line(&mut self, line: &str) -> Result<(), RunError> {
        self.real.line(self.job, line)
    }

    /// Answers for GitHub's cache service out of the store. Whoever does not wait for the answer has gone away.
    fn call(&mut self, call: CacheCall) -> Result<(), RunError> {
        let job = &mut *self.job;
        let permission = job.plan.permission();
        let now = job.clock.now();
        match call {
            CacheCall::Lookup { keys, version, reply } => {
                let mut keys = keys.into_iter();
                let keys = Keys::new(keys.next().unwrap_or_default(), keys.collect::<Vec<_>>());
                let (Ok(keys), true) = (keys, permission.can_read()) else {
                    let _ = reply.send(None);
                    return Ok(());
                };
                let request = LookupRequest { keys, version: Version::from_hex(version), scopes: job.readable() };
                let found = match job.store.lookup(&request) {
                    LookupOutcome::Exact { entry } | LookupOutcome::Partial { entry, .. } => {
                        Some((entry.id, entry.identity.key.as_str().to_owned()))
                    }
                    LookupOutcome::Miss { reason } => {
                        let (cause, words) = (miss_cause(job.store, &reason), words(job.store, &reason));
                        job.recorder.fact_at(Quote::measured("cache store", words), Fact::CacheMissCause(cause));
                        None
                    }
                };
                if let Some((id, _)) = found {
                    job.store.touch(id, now)?;
                }
                let _ = reply.send(found.map(|(id, key)| (key, job.store.archive(id))));
            }
            CacheCall::Reserve { key, version, reply } => {
                let (name, scope) = (Keys::new(key.clone(), Vec::<String>::new()), job.scope());
                let granted = match (name, permission.can_write()) {
                    (Ok(name), true) => {
                        let version = Version::from_hex(version.clone());
                        job.store.reserve(Identity { key: name.primary, version, scope }).ok_or(CacheRefusal::Exists)
                    }
                    _ => match ReserveAnswer::read_only() {
                        ReserveAnswer::Denied(why) => Err(CacheRefusal::Denied(why)),
                        ReserveAnswer::Granted | ReserveAnswer::Conflict => Err(CacheRefusal::Exists),
                    },
                };
                let staging = job.store.staging(&format!("run-{}-upload-{}", job.number, self.real.reserved.len()));
                let answer = granted.map(|reservation| {
                    self.real.reserved.insert((key, version), reservation);
                    staging
                });
                let _ = reply.send(answer);
            }
            CacheCall::Commit { key, version, archive, reply } => {
                let reservation = self.real.reserved.remove(&(key, version));
                let made = match reservation {
                    Some(reservation) => job.store.commit(reservation, &archive, now).map(|_| true)?,
                    None => false,
                };
                let _ = reply.send(made);
            }
        }
        Ok(())
    }
}

/// Tells whether a step is a dance: by its name, or by the input that only a dance has.
fn is_dance(step: &PlannedStep) -> bool {
    match &step.action {
        Action::Dance(_) => true,
        Action::NotReproduced { .. } => step.uses.is_some() && step.input("cache-map").is_some(),
        _ => false,
    }
}

/// Returns where the code of a step's action lies inside, and the action in it.
fn places(step: &PlannedStep) -> (String, String) {
    let form = step.uses.as_ref().map(|uses| &uses.form);
    match form {
        Some(ActionForm::Repository { owner, repo, path, reference }) => {
            let base = format!("{ACTIONS}/{owner}/{repo}/{reference}");
            let dir = if path.is_empty() { base.clone() } else { format!("{base}/{path}") };
            (base, dir)
        }
        _ => (format!("{ACTIONS}/local"), format!("{ACTIONS}/local")),
    }
}
