//! A scenario's history on the engine in memory, judged live and from the logs it wrote. [`Told`] is principal.
//!
//! The trees are small: the fake multiplies what it tells of mounts, and the least archive is divided here. Everything
//! else is as the program has it.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use verify_buildkit_cache::catalogue::{JudgedBy, SelectedScenario};
use verify_buildkit_cache::engine::Fake;
use verify_buildkit_cache::evidence::Evidence;
use verify_buildkit_cache::log::LogReader;
use verify_buildkit_cache::runner::{self, Clock, Experiment, NamespaceLedger, PlannedRun, Project};
use verify_buildkit_cache::scenario::Scenario;
use verify_buildkit_cache::scenario::sample::{self, Variant};
use verify_buildkit_cache::verify::Thresholds;

/// What the runs of a scenario come to.
#[derive(Debug)]
pub(crate) struct Told {
    /// The runs' evidence, as it was seen live.
    pub(crate) live: Vec<Evidence>,
    /// The runs' evidence, as the logs they wrote show it.
    pub(crate) logged: Vec<Evidence>,
    /// The numbers to judge by.
    pub(crate) thresholds: Thresholds,
    /// The logs' text, for whoever wants to know why.
    pub(crate) logs: Vec<String>,
}

/// Runs a scenario's history.
pub(crate) fn run(chosen: &SelectedScenario) -> Told {
    let scenario = &chosen.scenario;
    let runs: Vec<PlannedRun> =
        chosen.history.iter().map(|happening| PlannedRun::new(happening, None).unwrap()).collect();
    // A run makes and removes hundreds of small files, which a disk makes slow.
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let dir = tempfile::tempdir_in(place).unwrap();
    let (evidence, scratch) = (dir.path().join("evidence"), dir.path().join("scratch"));
    fs::create_dir(&evidence).unwrap();
    fs::create_dir(&scratch).unwrap();
    let experiment = Experiment {
        user: Default::default(),
        runs,
        project: Project::Sample(Variant::Small),
        control: false,
        go_image: None,
        evidence: evidence.clone(),
        scratch,
        session: "fake".to_owned(),
        real: None,
        clock: Clock::new(ticking),
    };
    let images = [sample::local_go_image(), sample::local_image_of(sample::PREVIOUS_GO_VERSION)];
    let mut engine = Fake::new(images);
    (engine.module_bytes, engine.build_bytes, engine.scale) = (700_000, 2_400_000, SCALE);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (ledger, mut watch) = (NamespaceLedger::default(), |_| {});
    let ran = runner::run(&engine, &experiment, &ledger, &mut watch);
    let outcome = runtime.block_on(ran).unwrap_or_else(|error| panic!("{}: {error}", scenario.name));
    let live: Vec<_> = outcome.runs.iter().map(|run| Evidence::fold(run.name.clone(), &run.events)).collect();
    let logs: Vec<String> = (1..=live.len())
        .map(|number| fs::read_to_string(evidence.join(format!("run-{number}/job.log"))).unwrap())
        .collect();
    let logged = logs.iter().zip(1..).map(|(text, number)| {
        let mut reader = LogReader::new(&format!("run-{number}/job.log"));
        reader.feed(text.as_bytes());
        let mut jobs = reader.finish();
        assert_eq!(jobs.len(), 1, "{text}");
        jobs.remove(0).evidence()
    });
    Told { logged: logged.collect(), live, thresholds: thresholds(scenario), logs }
}

/// By what the fake multiplies the sizes it tells.
const SCALE: u64 = 15;

/// Returns a scenario's numbers, for trees that are small.
fn thresholds(scenario: &Scenario) -> Thresholds {
    let thresholds = JudgedBy::of(scenario).thresholds;
    Thresholds { min_restore: thresholds.min_restore / 8, ..thresholds }
}

/// A clock on which a moment passes with every look, so that what is done often takes long.
fn ticking() -> SystemTime {
    thread_local!(static LOOKS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) });
    let looks = LOOKS.get();
    LOOKS.set(looks + 1);
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_760_000_000) + Duration::from_millis(50 * looks)
}
