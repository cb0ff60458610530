//! A scenario's history on the engine in memory, judged live and from the logs it wrote. [`Told`] is principal.
//!
//! The trees are small: the fake multiplies what it tells of mounts, and the least archive is divided here. Everything
//! else is as the program has it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use verify_buildkit_cache::engine::Fake;
use verify_buildkit_cache::evidence::Evidence;
use verify_buildkit_cache::log::LogReader;
use verify_buildkit_cache::runner::{self, Clock, Experiment, Ledger, PlannedRun, Project};
use verify_buildkit_cache::scenario::sample::{self, Variant};
use verify_buildkit_cache::scenario::{Expect, Scenario};
use verify_buildkit_cache::verify::{Case, CaseSource, Profile, Report, Severity, Thresholds, verify};

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

impl Told {
    /// Judges the first so many runs live.
    pub(crate) fn live_after(&self, runs: usize) -> Report {
        self.judge(&self.live[..runs], CaseSource::Live)
    }

    /// Judges the first so many runs by their logs alone.
    pub(crate) fn logged_after(&self, runs: usize) -> Report {
        self.judge(&self.logged[..runs], CaseSource::Logs)
    }

    /// Returns how many runs there were.
    pub(crate) fn runs(&self) -> usize {
        self.live.len()
    }

    fn judge(&self, runs: &[Evidence], source: CaseSource) -> Report {
        let profile = match source {
            CaseSource::Live => Profile::Checklist,
            CaseSource::Logs => Profile::Auto,
        };
        verify(&Case { runs: runs.to_vec(), source, thresholds: self.thresholds, profile })
    }
}

/// Returns what a report says, as a scenario expects it.
pub(crate) fn said(report: &Report) -> Expect {
    let findings = report.findings.iter().filter(|finding| finding.severity != Severity::Note);
    let codes: BTreeSet<String> = findings.map(|finding| finding.code.as_str().to_owned()).collect();
    Expect { verdict: report.verdict.as_str().to_owned(), codes: codes.into_iter().collect() }
}

/// Runs a scenario's history.
pub(crate) fn run(scenario: &Scenario) -> Told {
    let history = scenario.history().unwrap();
    let runs: Vec<PlannedRun> = history.iter().map(|happening| PlannedRun::new(happening, None).unwrap()).collect();
    // A run makes and removes hundreds of small files, which a disk makes slow.
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let dir = tempfile::tempdir_in(place).unwrap();
    let (evidence, scratch) = (dir.path().join("evidence"), dir.path().join("scratch"));
    fs::create_dir(&evidence).unwrap();
    fs::create_dir(&scratch).unwrap();
    let experiment = Experiment {
        runs,
        project: Project::Sample(Variant::Small),
        control: false,
        go_image: None,
        evidence: evidence.clone(),
        scratch,
        session: "fake".to_owned(),
        clock: Clock::new(ticking),
    };
    let images = [sample::local_go_image(), sample::local_image_of(sample::PREVIOUS_GO_VERSION)];
    let mut engine = Fake::new(images);
    (engine.module_bytes, engine.build_bytes, engine.scale) = (700_000, 2_400_000, SCALE);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (ledger, mut watch) = (Ledger::default(), |_| {});
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

/// Returns a scenario's limits, for trees that are small.
fn thresholds(scenario: &Scenario) -> Thresholds {
    let limits = &scenario.about.thresholds;
    let usual = Thresholds::default();
    let mb = |limit: Option<u64>, usual| limit.map_or(usual, |limit| limit << 20);
    Thresholds {
        min_restore: mb(limits.min_restore_mb, 5 << 20) / 8,
        min_mod: mb(limits.min_mod_mb, 5 << 20),
        min_build: mb(limits.min_build_mb, 10 << 20),
        max_build_time: limits.max_build_seconds.map_or(usual.max_build_time, Duration::from_secs_f64),
        ..usual
    }
}

/// A clock on which a moment passes with every look, so that what is done often takes long.
fn ticking() -> SystemTime {
    thread_local!(static LOOKS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) });
    let looks = LOOKS.get();
    LOOKS.set(looks + 1);
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_760_000_000) + Duration::from_millis(50 * looks)
}
