//! One job on one fresh runner: main steps in order, post steps in reverse. [`RunningJob`] is principal.
//!
//! A job knows its plan and its runner, writes its log, and emits facts as it goes. A step that fails fails the job, as
//! on GitHub; only what stops the harness itself is an error.

mod build;
mod cache;
mod context_tar;
mod contexts;
mod dance;
mod header;
mod recorder;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::join_all;

use super::archive::Layout;
use super::experiment::{ExperimentContext, RunSpec};
use super::store::Store;
use super::{Clock, RunError, RunProgress};
use crate::dockerfile::MountOptions;
use crate::engine::{Engine, Namespace};
use crate::evidence::{Event, Fact, Phase, Quote, StepId, StepOutcome};
use crate::plan::{Action, CacheStepPart, DanceMode, JobPlan, PlannedStep, PostStep};
use crate::scenario::GoRelease;
use crate::workflow::expr::{JobStatus, Template};
use cache::Restored;
use contexts::JobContexts;
use recorder::Recorder;

/// The workspace as the job sees it.
pub(super) const WORKSPACE: &str = "/home/runner/work/app/app";

/// The home directory as the job sees it.
pub(super) const HOME: &str = "/home/runner";

/// Time spent on the work itself, apart from the harness.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct WorkTime {
    /// Inside the person's builds.
    pub(super) builds: Duration,
    /// Restoring, injecting, extracting and saving.
    pub(super) copies: Duration,
}

/// A job under way.
pub(super) struct RunningJob<'a, E: Engine> {
    engine: &'a E,
    setting: &'a ExperimentContext<'a>,
    plan: &'a JobPlan,
    store: &'a mut Store,
    number: u32,
    /// The number of the commit, the same for runs of one commit.
    commit: u32,
    go: GoRelease,
    clock: Clock,
    layout: Layout,
    /// The checked-out project as it came, for builds from the Git context.
    checkout: PathBuf,
    evidence_dir: PathBuf,
    with_dance: bool,
    recorder: Recorder<'a>,
    status: JobStatus,
    outputs: BTreeMap<String, BTreeMap<String, String>>,
    outcomes: BTreeMap<String, (StepOutcome, StepOutcome)>,
    /// The builder that commands without `--builder` use.
    active_builder: String,
    builders: Vec<String>,
    /// The namespaces that were proven empty before the first step.
    fresh: Vec<Namespace>,
    used: Vec<Namespace>,
    /// A build with no-cache has made its mounts anew.
    wiped: bool,
    /// The cache mounts that copies and builds have named, by namespace.
    named: BTreeMap<Namespace, BTreeSet<String>>,
    /// By main step: what the restore left for its post step.
    restored: BTreeMap<usize, Restored>,
    /// By main step that ran: the id its facts carry.
    ids: BTreeMap<usize, StepId>,
    work: WorkTime,
}

/// What a finished job leaves.
pub(super) struct FinishedJob {
    pub(super) events: Vec<Event>,
    pub(super) work: WorkTime,
}

/// How a step's work went.
pub(super) type StepResult = Result<StepOutcome, RunError>;

/// Where one job's files lie.
pub(super) struct JobPaths {
    pub(super) layout: Layout,
    pub(super) checkout: PathBuf,
    pub(super) evidence: PathBuf,
}

impl<'a, E: Engine> RunningJob<'a, E> {
    pub(super) fn new(
        engine: &'a E,
        setting: &'a ExperimentContext<'a>,
        turn: RunSpec<'a>,
        store: &'a mut Store,
        places: JobPaths,
        log_name: &str,
        watch: &'a mut dyn FnMut(RunProgress),
    ) -> Result<Self, RunError> {
        let recorder = Recorder::create(&places.evidence.join("job.log"), log_name, turn.clock, watch)?;
        Ok(Self {
            engine,
            setting,
            plan: &turn.run.plan,
            store,
            number: turn.number,
            commit: turn.run.commit,
            go: turn.run.go,
            clock: turn.clock,
            layout: places.layout,
            checkout: places.checkout,
            evidence_dir: places.evidence,
            with_dance: turn.with_dance,
            recorder,
            status: JobStatus::Success,
            outputs: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            active_builder: "default".to_owned(),
            builders: vec!["default".to_owned()],
            fresh: Vec::new(),
            used: Vec::new(),
            wiped: false,
            named: BTreeMap::new(),
            restored: BTreeMap::new(),
            ids: BTreeMap::new(),
            work: WorkTime::default(),
        })
    }

    /// Runs the job to its end.
    pub(super) async fn run(mut self) -> Result<FinishedJob, RunError> {
        self.recorder
            .line(&format!("Current runner version: 'verify-buildkit-cache {}'", env!("CARGO_PKG_VERSION")))?;
        self.fetch_dances()?;
        for step in self.plan.steps.iter().filter(|step| matches!(step.action, Action::Cache(_))) {
            if let Some(uses) = step.uses.as_ref().filter(|_| cache::release(step).is_refused()) {
                return Err(RunError::RefusedRelease { uses: uses.text.clone() });
            }
        }
        self.prove_fresh().await?;
        for step in &self.plan.steps {
            self.main_step(step).await?;
        }
        for post in &self.plan.post_steps {
            self.post_step(post).await?;
        }
        self.recorder.line("Cleaning up orphan processes")?;
        self.record_mounts().await?;
        let events = self.recorder.finish()?;
        Ok(FinishedJob { events, work: self.work })
    }

    /// Fetches the dances' code, as the set-up does for every step, whether or not its condition will hold.
    fn fetch_dances(&mut self) -> Result<(), RunError> {
        for step in self.plan.steps.iter().filter(|step| self.with_dance && matches!(step.action, Action::Dance(_))) {
            if let Some(uses) = &step.uses {
                self.recorder.line(&format!("Download action repository '{}'", uses.text))?;
                self.recorder.fact(Fact::DanceDownloaded { uses: uses.text.clone() });
            }
        }
        Ok(())
    }

    async fn main_step(&mut self, step: &'a PlannedStep) -> Result<(), RunError> {
        let runs = match step.condition.evaluate(&self.contexts(Some(step))) {
            Ok(runs) => runs,
            Err(error) => {
                self.recorder.error(&format!("The condition of step {} failed: {error}", step.display_name))?;
                self.status = JobStatus::Failure;
                false
            }
        };
        let danced_out = !self.with_dance && matches!(step.action, Action::Dance(_));
        if !runs || danced_out {
            self.remember(step, StepOutcome::Skipped, StepOutcome::Skipped);
            return Ok(());
        }
        let id = self.recorder.begin(Phase::Main, &step.display_name, None)?;
        self.ids.insert(step.index, id);
        let began = self.clock.now();
        let outcome = match &step.action {
            Action::Checkout => self.check_out(step).await,
            Action::Cache(CacheStepPart::Save) => self.save(step).await,
            Action::Cache(_) => self.restore(step).await,
            Action::Dance(DanceMode::Extract) => self.extract(step).await,
            Action::Dance(_) => self.inject(step).await,
            Action::SetupBuildx => self.set_up_buildx(step),
            Action::BuildPush => self.build(step).await,
            Action::NotReproduced { what, .. } => self.not_reproduced(step, what),
        }?;
        let tolerated = outcome == StepOutcome::Failure && self.tolerates(step);
        if outcome == StepOutcome::Failure && !tolerated {
            self.status = JobStatus::Failure;
        }
        self.remember(step, outcome, if tolerated { StepOutcome::Success } else { outcome });
        self.recorder.end(outcome, began)
    }

    async fn post_step(&mut self, post: &PostStep) -> Result<(), RunError> {
        let Some(step) = self.plan.steps.get(post.of) else { return Ok(()) };
        let Some(of) = self.ids.get(&post.of).copied() else { return Ok(()) };
        if !post.condition.holds(self.status) {
            return Ok(());
        }
        self.recorder.begin(Phase::Post, &post.display_name, Some(of))?;
        let began = self.clock.now();
        self.recorder.line("Post job cleanup.")?;
        let outcome = match &step.action {
            Action::Cache(_) => self.save(step).await?,
            Action::Dance(_) => self.extract(step).await?,
            _ => StepOutcome::Success,
        };
        if outcome == StepOutcome::Failure {
            self.status = JobStatus::Failure;
        }
        self.recorder.end(outcome, began)
    }

    async fn check_out(&mut self, step: &PlannedStep) -> StepResult {
        self.header(step, &[("repository", "app/app"), ("fetch-depth", "1"), ("clean", "true")])?;
        let repository = self.input(step, "repository")?.filter(|name| !name.is_empty() && name != "app/app");
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
        super::stream::blocking(move || {
            super::archive::remove_tree(&into)?;
            super::project::copy_tree(&from, &into)
        })
        .await??;
        Ok(StepOutcome::Success)
    }

    fn set_up_buildx(&mut self, step: &PlannedStep) -> StepResult {
        self.header(step, &[("driver", "docker-container"), ("install", "false"), ("use", "true")])?;
        if self.input(step, "driver")?.is_some_and(|driver| driver.trim() == "docker") {
            // The engine's own builder; there is nothing to create.
            "default".clone_into(&mut self.active_builder);
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
        if !self.builders.contains(&name) {
            self.builders.push(name.clone());
        }
        if self.input(step, "use")?.is_none_or(|used| used.trim() != "false") {
            self.active_builder.clone_from(&name);
            self.recorder.fact(Fact::BuilderChosen { builder: Some(name.clone()) });
        }
        self.output(step, "name", &name);
        self.output(step, "driver", "docker-container");
        Ok(StepOutcome::Success)
    }

    fn not_reproduced(&mut self, step: &PlannedStep, what: &str) -> StepResult {
        self.header(step, &[])?;
        self.recorder.line(&format!("verify-buildkit-cache does not reproduce `{what}`; the step did nothing"))?;
        Ok(StepOutcome::NotReproduced)
    }

    /// Emits what the engine has of this job's mounts.
    async fn record_mounts(&mut self) -> Result<(), RunError> {
        let home = self.home();
        let all = self.builders.iter().enumerate();
        let all = all.map(|(index, builder)| (self.setting.namespace(home, self.with_dance, index), builder.clone()));
        let used: Vec<(Namespace, String)> = all.filter(|(namespace, _)| self.used.contains(namespace)).collect();
        let found = join_all(used.iter().map(|(namespace, _)| self.engine.mounts(namespace))).await;
        for ((namespace, builder), mounts) in used.into_iter().zip(found) {
            let mounts = mounts?;
            self.refuse_second_mounts(&namespace, mounts.len())?;
            for mount in mounts {
                let made = match mount.creator {
                    crate::evidence::Creator::Inject => "the dance's inject",
                    crate::evidence::Creator::Extract => "the dance's extract",
                    crate::evidence::Creator::Build => "the build",
                };
                let words = format!(
                    "cache mount {} on builder {builder}: {} bytes, first created by {made}",
                    mount.target, mount.bytes
                );
                self.recorder.fact_at(
                    Quote::measured("engine", words),
                    Fact::MountRecord(crate::evidence::MountRecord {
                        builder: builder.clone(),
                        target: mount.target,
                        creator: mount.creator,
                        bytes: mount.bytes,
                    }),
                );
            }
        }
        Ok(())
    }

    /// Remembers that a step names cache mounts.
    fn name_mounts<'m>(&mut self, namespace: &Namespace, mounts: impl Iterator<Item = &'m MountOptions>) {
        let named = self.named.entry(namespace.clone()).or_default();
        named.extend(mounts.map(|mount| mount.identity().to_string()));
    }

    /// Stops where the engine holds more cache mounts than the steps name: then a step did not get the one that it named,
    /// and what it found or left behind says nothing about the workflow.
    fn refuse_second_mounts(&self, namespace: &Namespace, found: usize) -> Result<(), RunError> {
        let named = self.named.get(namespace).map_or(0, BTreeSet::len);
        if found > named && !self.wiped {
            return Err(RunError::Disturbed { namespace: namespace.as_str().to_owned(), found, named });
        }
        Ok(())
    }

    /// Returns the run in whose namespaces this one works: its own, or that of the run whose layers its build reads.
    ///
    /// The control arm reads no layers, since a build that did not run would prove nothing.
    pub(super) fn home(&self) -> u32 {
        let builds = self.plan.steps.iter().filter(|step| self.with_dance && step.action == Action::BuildPush);
        let inputs = builds.filter_map(|step| self.evaluate(step, step.input("cache-from")?).ok());
        let mut found = inputs.filter_map(|input| self.setting.layers.find(&input, &self.plan.trigger));
        found.next().unwrap_or(self.number)
    }

    /// Proves that the mounts of every builder this job may have are empty. It costs time that is no step's, so it comes
    /// before the first; all builders are asked about at once, and an engine answers that with one listing.
    async fn prove_fresh(&mut self) -> Result<(), RunError> {
        let home = self.home();
        let set_up = self.plan.steps.iter().filter(|step| step.action == Action::SetupBuildx).count();
        let namespaces: Vec<Namespace> =
            (0..=set_up).map(|index| self.setting.namespace(home, self.with_dance, index)).collect();
        for namespace in &namespaces {
            self.setting.ledger.remember(namespace);
            if home != self.number {
                self.engine.drop_mounts(namespace).await?;
            }
        }
        let found = join_all(namespaces.iter().map(|namespace| self.engine.mounts(namespace))).await;
        for (namespace, mounts) in namespaces.iter().zip(found) {
            let count = mounts?.len();
            if count > 0 {
                return Err(RunError::NotFresh { namespace: namespace.as_str().to_owned(), count });
            }
        }
        self.fresh = namespaces;
        Ok(())
    }

    /// Returns the namespace of a builder, which is proven empty before it is used; `None` when there is no such builder.
    fn namespace(&mut self, builder: &str) -> Result<Option<Namespace>, RunError> {
        let Some(index) = self.builders.iter().position(|known| known == builder) else { return Ok(None) };
        let home = self.home();
        let namespace = self.setting.namespace(home, self.with_dance, index);
        if !self.used.contains(&namespace) {
            if !self.fresh.contains(&namespace) {
                let reason = format!("builder {builder} works in {}, which nobody proved empty", namespace.as_str());
                return Err(RunError::Worker { reason });
            }
            self.used.push(namespace.clone());
        }
        Ok(Some(namespace))
    }

    fn contexts<'c>(&'c self, step: Option<&'c PlannedStep>) -> JobContexts<'c> {
        JobContexts {
            plan: self.plan,
            step,
            number: self.number,
            commit: self.commit,
            workspace: self.layout.real(WORKSPACE.as_ref()),
            outputs: &self.outputs,
            outcomes: &self.outcomes,
            status: self.status,
        }
    }

    /// Evaluates a template; a failure is the step's, in the log, and `None`.
    fn evaluate(&self, step: &PlannedStep, template: &Template) -> Result<String, String> {
        template.evaluate(&self.contexts(Some(step))).map_err(|error| error.to_string())
    }

    /// Evaluates one input; `None` when it is not given. An expression that fails counts as empty, and is logged.
    fn input(&mut self, step: &PlannedStep, name: &str) -> Result<Option<String>, RunError> {
        let Some(template) = step.input(name) else { return Ok(None) };
        match self.evaluate(step, template) {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                self.recorder.error(&format!("{name}: {error}"))?;
                Ok(Some(String::new()))
            }
        }
    }

    /// Evaluates all inputs given.
    fn inputs(&mut self, step: &PlannedStep) -> Result<Vec<(String, String)>, RunError> {
        let mut values = Vec::new();
        for (name, _) in &step.with {
            let value = self.input(step, name)?.unwrap_or_default();
            values.push((name.clone(), value));
        }
        Ok(values)
    }

    fn output(&mut self, step: &PlannedStep, name: &str, value: &str) {
        if let Some(id) = &step.id {
            self.outputs.entry(id.clone()).or_default().insert(name.to_owned(), value.to_owned());
        }
    }

    fn remember(&mut self, step: &PlannedStep, outcome: StepOutcome, conclusion: StepOutcome) {
        if let Some(id) = &step.id {
            self.outcomes.insert(id.clone(), (outcome, conclusion));
        }
    }

    fn tolerates(&self, step: &PlannedStep) -> bool {
        let value = step.continue_on_error.as_ref().map(|template| self.evaluate(step, template));
        matches!(value, Some(Ok(text)) if text.trim() == "true")
    }

    /// Adds time spent on a copy.
    fn copied_since(&mut self, began: std::time::SystemTime) {
        self.work.copies += self.clock.now().duration_since(began).unwrap_or_default();
    }
}
