//! N runs of one plan, each on a fresh runner. [`Experiment`] is principal; [`run`] carries it out.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::archive::{self, Layout};
use super::image::{ensure, go_image};
use super::job::{HOME, Job, Places, WORKSPACE};
use super::store::Store;
use super::{Clock, Progress, Project, RunError};
use crate::dockerfile::Dockerfile;
use crate::engine::{Cleaned, Engine, Namespace};
use crate::evidence::Event;
use crate::plan::Plan;
use crate::scenario::sample::Edit;
use crate::source::Source;

/// What is to be run.
#[derive(Debug)]
pub struct Experiment {
    /// What the job does. One plan for every run, or one for each: the last serves the runs beyond.
    pub plans: Vec<Plan>,
    /// What it checks out.
    pub project: Project,
    /// The Dockerfile of the bundled sample; a directory brings its own.
    pub dockerfile: Source,
    /// How many runs.
    pub runs: u32,
    /// The edit before every run but the first.
    pub edit: Edit,
    /// Whether the last run is repeated without the dance.
    pub control: bool,
    /// The Go image asked for; `None` finds one.
    pub go_image: Option<String>,
    /// Where the evidence goes: an existing directory.
    pub evidence: PathBuf,
    /// Where runners and the cache store live meanwhile: an existing, empty directory.
    pub scratch: PathBuf,
    /// A word that makes this experiment's names unique on the engine.
    pub session: String,
    /// The clock.
    pub clock: Clock,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The runs in order.
    pub runs: Vec<Run>,
    /// The run without the dance, when asked for.
    pub control: Option<Run>,
    /// The image that was built with.
    pub image: String,
    /// Where the time went.
    pub timing: Timing,
}

/// What one run leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// `run 1`, `run 2`, …
    pub name: String,
    /// What was seen.
    pub events: Vec<Event>,
}

/// Where the time of all runs went.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Timing {
    /// From the first step to the last clean-up.
    pub wall: Duration,
    /// Inside the person's builds.
    pub builds: Duration,
    /// Restoring, injecting, extracting and saving.
    pub copies: Duration,
}

/// The namespaces an experiment has used, so that whoever stops it can clean up after it.
#[derive(Debug, Clone, Default)]
pub struct Ledger(Arc<Mutex<Vec<Namespace>>>);

impl Ledger {
    pub(super) fn remember(&self, namespace: &Namespace) {
        if let Ok(mut known) = self.0.lock()
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
        let known = self.0.lock().map(|mut known| std::mem::take(&mut *known)).unwrap_or_default();
        if known.is_empty() {
            return Ok(Cleaned::default());
        }
        Ok(engine.clean(&known).await?)
    }
}

/// What every job of an experiment shares.
pub(super) struct Setting<'a> {
    pub(super) clock: Clock,
    pub(super) session: &'a str,
    pub(super) ledger: &'a Ledger,
    /// The image whose tar copies.
    pub(super) copy_image: String,
    /// The value of the sample's `GO_IMAGE`.
    pub(super) go_image_arg: Option<String>,
    /// What stands in for `golang` images of a person's own Dockerfile, when asked.
    pub(super) replacement: Option<String>,
}

impl Setting<'_> {
    pub(super) fn namespace(&self, number: u32, with_dance: bool, builder: usize) -> Namespace {
        let arm = if with_dance { "r" } else { "c" };
        Namespace::new(&format!("vbc-{}-{arm}{number}-b{builder}", self.session))
    }

    /// Puts the image asked for in the place of `golang` images.
    pub(super) fn substitute_image(&self, text: &str) -> String {
        let Some(image) = &self.replacement else { return text.to_owned() };
        let mut lines: Vec<String> = Vec::new();
        for line in text.split('\n') {
            let words: Vec<&str> = line.split_whitespace().collect();
            let golang = words.iter().position(|word| *word == "golang" || word.starts_with("golang:"));
            match golang.filter(|_| words.first().is_some_and(|first| first.eq_ignore_ascii_case("from"))) {
                Some(at) => lines.push(line.replacen(words[at], image, 1)),
                None => lines.push(line.to_owned()),
            }
        }
        lines.join("\n")
    }
}

/// Carries an experiment out. The engine keeps what was made until [`Ledger::clean`].
///
/// # Errors
/// What stopped the harness. A step that fails in a job is an outcome.
pub async fn run<E: Engine>(
    engine: &E,
    experiment: &Experiment,
    ledger: &Ledger,
    watch: &mut dyn FnMut(Progress),
) -> Result<Outcome, RunError> {
    let began = (experiment.clock)();
    let setting = setting(engine, experiment, ledger, watch).await?;
    let store_dir = experiment.scratch.join("store");
    fs::create_dir_all(&store_dir).map_err(RunError::io("make", &store_dir))?;
    let mut store = Store::open(&store_dir)?;
    let mut outcome =
        Outcome { runs: Vec::new(), control: None, image: setting.copy_image.clone(), timing: Timing::default() };
    for number in 1..=experiment.runs {
        let run = job(engine, experiment, &setting, &mut store, number, true, &mut outcome.timing, watch).await?;
        outcome.runs.push(run);
    }
    if experiment.control {
        let number = experiment.runs;
        let run = job(engine, experiment, &setting, &mut store, number, false, &mut outcome.timing, watch).await?;
        outcome.control = Some(run);
    }
    outcome.timing.wall = (experiment.clock)().duration_since(began).unwrap_or_default();
    Ok(outcome)
}

async fn setting<'a, E: Engine>(
    engine: &E,
    experiment: &'a Experiment,
    ledger: &'a Ledger,
    watch: &mut dyn FnMut(Progress),
) -> Result<Setting<'a>, RunError> {
    let sample = matches!(experiment.project, Project::Sample(_));
    let dockerfile = Dockerfile::parse(&experiment.dockerfile)?;
    let mounts = dockerfile.cache_mounts(&std::collections::BTreeMap::new())?;
    let Some(first) = mounts.first() else {
        return Err(RunError::NoCacheMount { name: experiment.dockerfile.name.clone() });
    };
    let asked = experiment.go_image.as_deref();
    let copy_image = if sample || asked.is_some() {
        go_image(engine, asked, watch).await?
    } else {
        // The image that builds has a shell and tar; follow the stage down to it.
        let mut stage = dockerfile.stages.get(first.stage);
        while let Some(below) = stage.and_then(|stage| {
            dockerfile.stages[..stage.index]
                .iter()
                .rev()
                .find(|other| other.name.as_deref() == Some(&stage.image.to_lowercase()))
        }) {
            stage = Some(below);
        }
        match stage.map(|stage| stage.image.clone()).filter(|image| !image.contains('$')) {
            Some(image) => {
                ensure(engine, &image, watch).await?;
                image
            }
            None => go_image(engine, None, watch).await?,
        }
    };
    Ok(Setting {
        clock: experiment.clock,
        session: &experiment.session,
        ledger,
        go_image_arg: sample.then(|| copy_image.clone()),
        replacement: asked.filter(|_| !sample).map(str::to_owned),
        copy_image,
    })
}

#[expect(clippy::too_many_arguments, reason = "one run is made from all that makes up the experiment")]
async fn job<E: Engine>(
    engine: &E,
    experiment: &Experiment,
    setting: &Setting<'_>,
    store: &mut Store,
    number: u32,
    with_dance: bool,
    timing: &mut Timing,
    watch: &mut dyn FnMut(Progress),
) -> Result<Run, RunError> {
    let at = (number as usize).saturating_sub(1).min(experiment.plans.len().saturating_sub(1));
    let Some(plan) = experiment.plans.get(at) else {
        return Err(RunError::Worker { reason: "an experiment without a plan".to_owned() });
    };
    let (name, dir) = match with_dance {
        true => (format!("run {number}"), format!("run-{number}")),
        false => ("control".to_owned(), "control".to_owned()),
    };
    watch(Progress::Job { name: name.clone(), steps: plan.steps.len() + plan.post_steps.len() });
    let runner = experiment.scratch.join(&dir);
    let places = places(&runner, experiment.evidence.join(&dir))?;
    experiment.project.check_out(&places.checkout, experiment.edit, number, &experiment.dockerfile.text)?;
    let log = format!("{dir}/job.log");
    let finished = Job::new(engine, setting, plan, store, number, with_dance, places, &log, watch)?.run().await?;
    timing.builds += finished.work.builds;
    timing.copies += finished.work.copies;
    let gone = runner.clone();
    super::stream::blocking(move || archive::remove_tree(&gone)).await??;
    Ok(Run { name, events: finished.events })
}

/// Makes a new runner's directories.
fn places(runner: &Path, evidence: PathBuf) -> Result<Places, RunError> {
    let layout = Layout { root: runner.join("root"), workspace: WORKSPACE.into(), home: HOME.into() };
    let checkout = runner.join("checkout");
    for dir in [&layout.real(Path::new(WORKSPACE)), &checkout, &evidence] {
        fs::create_dir_all(dir).map_err(RunError::io("make", dir))?;
    }
    Ok(Places { layout, checkout, evidence })
}
