//! A list of runs, each on a fresh runner. [`Experiment`] is principal; [`run`] carries it out.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::archive::Layout;
use super::image::{GoImages, ensure, go_image};
use super::job::{HOME, JobPaths, RunningJob, WORKSPACE};
use super::layers::LayerCache;
use super::store::Store;
use super::{Clock, Journal, PlannedRun, Project, RealSetting, RunError, RunProgress, RunnerUser};
use crate::cache::{DEFAULT_LIMIT_BYTES, DEFAULT_MAX_IDLE};
use crate::dockerfile::{Dockerfile, platform_args};
use crate::engine::{Cleaned, Engine, Namespace};
use crate::evidence::Event;
use crate::scenario::GoRelease;
use crate::scenario::sample::{GO_VERSION, PREVIOUS_GO_VERSION};

/// What is to be run.
#[derive(Debug)]
pub struct Experiment {
    /// The runs in order.
    pub runs: Vec<PlannedRun>,
    /// What they check out.
    pub project: Project,
    /// Whether the last run is repeated without the dance.
    pub control: bool,
    /// The Go image asked for; `None` finds one.
    pub go_image: Option<String>,
    /// Where the evidence goes: an existing directory.
    pub evidence: PathBuf,
    /// Where runners and the cache store live meanwhile: an existing, empty directory.
    pub scratch: PathBuf,
    /// As which user the steps run.
    pub user: RunnerUser,
    /// A word that makes this experiment's names unique on the engine.
    pub session: String,
    /// Which actions run for real; `None` simulates all.
    pub real: Option<RealSetting>,
    /// The clock.
    pub clock: Clock,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ExperimentOutcome {
    /// The runs in order.
    pub runs: Vec<CompletedRun>,
    /// The run without the dance, when asked for.
    pub control: Option<CompletedRun>,
    /// The image that was built with.
    pub image: String,
    /// Where the time went.
    pub timing: ExperimentTiming,
    /// What was taken for granted or left out without effect on the caches, in words.
    pub assumed: Vec<String>,
}

/// What one run leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct CompletedRun {
    /// `run 1`, `run 2`, …
    pub name: String,
    /// What was seen.
    pub events: Vec<Event>,
}

/// Where the time of all runs went.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ExperimentTiming {
    /// From the first step to the last clean-up.
    pub wall: Duration,
    /// Inside the person's builds.
    pub builds: Duration,
    /// Restoring, injecting, extracting and saving, with what the actions remove on the way.
    pub copies: Duration,
}

/// The namespaces an experiment has used, so that whoever stops it can clean up after it.
#[derive(Debug, Clone, Default)]
pub struct NamespaceLedger {
    known: Arc<Mutex<Vec<Namespace>>>,
    journal: Journal,
}

impl NamespaceLedger {
    /// Makes a ledger whose namespaces stand in a journal, too, before anything is made under them.
    pub fn in_journal(journal: &Journal) -> Self {
        Self { known: Arc::default(), journal: journal.clone() }
    }

    pub(super) fn remember(&self, namespace: &Namespace) {
        self.journal.namespace(namespace);
        if let Ok(mut known) = self.known.lock()
            && !known.contains(namespace)
        {
            known.push(namespace.clone());
        }
    }

    /// Removes from the engine all that was made; what fails does not keep the rest from going.
    ///
    /// # Errors
    /// The first failure.
    pub async fn clean<E: Engine>(&self, engine: &E) -> Result<Cleaned, RunError> {
        let known = self.known.lock().map(|mut known| std::mem::take(&mut *known)).unwrap_or_default();
        if known.is_empty() {
            return Ok(Cleaned::default());
        }
        Ok(engine.clean(&known).await?)
    }
}

/// The build argument of the sample's Dockerfiles that names the Go image.
pub(super) const GO_IMAGE: &str = "GO_IMAGE";

/// What every job of an experiment shares.
pub(super) struct ExperimentContext<'a> {
    pub(super) session: &'a str,
    pub(super) ledger: &'a NamespaceLedger,
    /// The image whose tar copies.
    pub(super) copy_image: String,
    /// The build arguments that BuildKit gives every build by itself.
    pub(super) platform: BTreeMap<String, String>,
    /// What the sample is built on.
    pub(super) go_images: Option<GoImages>,
    /// What stands in for `golang` images of a person's own Dockerfile, when asked.
    pub(super) replacement: Option<String>,
    /// Whether a person's own project is built, and not the sample.
    pub(super) own_project: bool,
    /// As which user the steps run.
    pub(super) user: RunnerUser,
    /// The layers that builds have handed to later runs.
    pub(super) layers: LayerCache,
    /// Which actions run for real.
    pub(super) real: Option<&'a RealSetting>,
}

impl ExperimentContext<'_> {
    pub(super) fn namespace(&self, number: u32, with_dance: bool, builder: usize) -> Namespace {
        let arm = if with_dance { "r" } else { "c" };
        Namespace::new(&format!("vbc-{}-{arm}{number}-b{builder}", self.session))
    }

    /// Puts the image to build with in the place of `golang` images, in `FROM` and in the default of the sample's
    /// `GO_IMAGE`.
    pub(super) fn substitute_image(&self, text: &str, release: GoRelease) -> String {
        let image = |reference: &str| match (&self.replacement, &self.go_images) {
            (Some(image), _) => Some(image.as_str()),
            (None, Some(images)) => images.resolve(reference, release),
            (None, None) => None,
        };
        let mut lines: Vec<String> = Vec::new();
        for line in text.split('\n') {
            let words: Vec<&str> = line.split_whitespace().collect();
            let reference = match words.first().map(|first| first.to_ascii_lowercase()).as_deref() {
                Some("from") => words.iter().copied().find(|word| *word == "golang" || word.starts_with("golang:")),
                Some("arg") if self.go_images.is_some() => {
                    words.get(1).and_then(|word| word.strip_prefix(GO_IMAGE)?.strip_prefix('='))
                }
                _ => None,
            };
            match reference.and_then(|reference| Some((reference, image(reference)?))) {
                Some((reference, image)) => lines.push(line.replacen(reference, image, 1)),
                None => lines.push(line.to_owned()),
            }
        }
        lines.join("\n")
    }
}

/// Carries an experiment out. The engine keeps what was made until [`NamespaceLedger::clean`].
///
/// # Errors
/// What stopped the harness. A step that fails in a job is an outcome.
pub async fn run<E: Engine>(
    engine: &E,
    experiment: &Experiment,
    ledger: &NamespaceLedger,
    watch: &mut dyn FnMut(RunProgress),
) -> Result<ExperimentOutcome, RunError> {
    let mut clock = experiment.clock;
    let began = clock.now();
    let setting = setting(engine, experiment, ledger, watch).await?;
    let store_dir = experiment.scratch.join("store");
    fs::create_dir_all(&store_dir).map_err(RunError::io("make", &store_dir))?;
    let mut store = Store::open(&store_dir)?;
    let mut outcome = ExperimentOutcome {
        runs: Vec::new(),
        control: None,
        image: setting.copy_image.clone(),
        timing: ExperimentTiming::default(),
        assumed: Vec::new(),
    };
    for (run, number) in experiment.runs.iter().zip(1..) {
        clock = clock.days_later(run.days);
        store.evict(DEFAULT_LIMIT_BYTES, clock.now(), DEFAULT_MAX_IDLE)?;
        if let Some(prefix) = &run.damage {
            store.damage(prefix)?;
        }
        let turn = RunSpec { run, number, with_dance: true, clock };
        let run = job(engine, experiment, &setting, &mut store, turn, &mut outcome, watch).await?;
        outcome.runs.push(run);
    }
    if experiment.control
        && let Some((run, number)) = experiment.runs.iter().zip(1..).last()
    {
        let turn = RunSpec { run, number, with_dance: false, clock };
        let run = job(engine, experiment, &setting, &mut store, turn, &mut outcome, watch).await?;
        outcome.control = Some(run);
    }
    outcome.timing.wall = experiment.clock.now().duration_since(began).unwrap_or_default();
    Ok(outcome)
}

async fn setting<'a, E: Engine>(
    engine: &E,
    experiment: &'a Experiment,
    ledger: &'a NamespaceLedger,
    watch: &mut dyn FnMut(RunProgress),
) -> Result<ExperimentContext<'a>, RunError> {
    let sample = matches!(experiment.project, Project::Sample(_));
    let Some(source) = experiment.runs.first().map(|run| &run.dockerfile) else { return Err(RunError::NoRun) };
    let dockerfile = Dockerfile::parse(source)?;
    let platform = platform_args(&engine.describe().await?.platform);
    let mounts = dockerfile.cache_mounts(&platform)?;
    let Some(first) = mounts.first() else {
        return Err(RunError::NoCacheMount { name: source.name.clone() });
    };
    let asked = experiment.go_image.as_deref();
    let copy_image = if sample || asked.is_some() {
        go_image(engine, asked, GO_VERSION, watch).await?
    } else {
        // The image that builds has a shell and tar; follow the stage down to it.
        let stages = dockerfile.steps(&platform)?;
        let mut stage = stages.get(first.stage);
        while let Some(below) = stage.and_then(|stage| stages.get(stage.base?)) {
            stage = Some(below);
        }
        match stage.map(|stage| stage.image.clone()).filter(|image| !image.contains('$') && !image.is_empty()) {
            Some(image) => {
                ensure(engine, &image, watch).await?;
                image
            }
            None => go_image(engine, None, GO_VERSION, watch).await?,
        }
    };
    let previous = match experiment.runs.iter().any(|run| run.go == GoRelease::Previous) {
        true if sample => Some(go_image(engine, None, PREVIOUS_GO_VERSION, watch).await?),
        _ => None,
    };
    Ok(ExperimentContext {
        session: &experiment.session,
        ledger,
        go_images: sample.then(|| GoImages { current: copy_image.clone(), previous }),
        replacement: asked.filter(|_| !sample).map(str::to_owned),
        own_project: !sample,
        copy_image,
        platform,
        user: experiment.user,
        layers: LayerCache::default(),
        real: experiment.real.as_ref(),
    })
}

/// One run when its turn comes.
#[derive(Clone, Copy)]
pub(super) struct RunSpec<'a> {
    pub(super) run: &'a PlannedRun,
    /// From 1.
    pub(super) number: u32,
    pub(super) with_dance: bool,
    pub(super) clock: Clock,
}

async fn job<E: Engine>(
    engine: &E,
    experiment: &Experiment,
    setting: &ExperimentContext<'_>,
    store: &mut Store,
    turn: RunSpec<'_>,
    outcome: &mut ExperimentOutcome,
    watch: &mut dyn FnMut(RunProgress),
) -> Result<CompletedRun, RunError> {
    let (run, plan) = (turn.run, &turn.run.plan);
    let (name, dir) = match turn.with_dance {
        true => (format!("run {}", turn.number), format!("run-{}", turn.number)),
        false => ("control".to_owned(), "control".to_owned()),
    };
    watch(RunProgress::Job { name: name.clone(), steps: plan.steps.len() + plan.post_steps.len() });
    let runner = experiment.scratch.join(&dir);
    let places = places(&runner, experiment.evidence.join(&dir))?;
    // A scenario's workflow changes from run to run, so each run keeps its own.
    let kept = places.evidence.join("workflow.yml");
    fs::write(&kept, &plan.source().text).map_err(RunError::io("write", &kept))?;
    let modules = experiment.scratch.join("modules");
    experiment.project.check_out(&places.checkout, &run.edits, &run.dockerfile.text, &modules)?;
    let log = format!("{dir}/job.log");
    let finished = RunningJob::new(engine, setting, turn, store, places, &log, watch)?.run().await?;
    outcome.timing.builds += finished.work.builds;
    outcome.timing.copies += finished.work.copies;
    for text in finished.assumed {
        if !outcome.assumed.contains(&text) {
            outcome.assumed.push(text);
        }
    }
    // The runner's directories go in the end, while the engine removes what it has: their caches are many files.
    Ok(CompletedRun { name, events: finished.events })
}

/// Makes a new runner's directories.
fn places(runner: &Path, evidence: PathBuf) -> Result<JobPaths, RunError> {
    let layout = Layout { root: runner.join("root"), workspace: WORKSPACE.into(), home: HOME.into() };
    let checkout = runner.join("checkout");
    // Actions of their own code run as another user in here; the folder around it lets nobody else in.
    for dir in [&layout.real(Path::new(WORKSPACE)), &checkout] {
        fs::create_dir_all(dir).map_err(RunError::io("make", dir))?;
    }
    // A log may show what is nobody else's business, wherever the evidence is to go.
    DirBuilder::new().recursive(true).mode(0o700).create(&evidence).map_err(RunError::io("make", &evidence))?;
    Ok(JobPaths { layout, checkout, evidence, private: runner.join("inside") })
}
