//! Hand-built evidence for tests. [`JobScript`] is principal: a healthy run by default, with one thing changed at a time.

use std::sync::Arc;
use std::time::Duration;

use super::{Case, CaseSource, Profile, Thresholds};
use crate::evidence::{
    BuildInputs, BuildTime, CacheInputs, CacheMode, CopyTally, Creator, DanceInputs, DancePhase, Event, Evidence, Fact,
    Lookup, MeasuredAt, MissCause, MountRecord, MountSpec, NotSaved, Phase, Quote, SaveOutcome, StepId, StepOutcome,
    TimeSource,
};

/// One MiB.
pub(crate) const MB: u64 = 1 << 20;
/// The key of a healthy workflow.
pub(crate) const KEY: &str = "go-v1-5f2a9c1";

/// What one job did, as a person would tell it.
#[derive(Debug, Clone)]
pub(crate) struct JobScript {
    pub(crate) key: String,
    pub(crate) restore_keys: Vec<String>,
    pub(crate) paths: Vec<String>,
    /// actions/cache as two steps, restore and a plain save among the main steps.
    pub(crate) split: bool,
    pub(crate) no_cache_step: bool,
    pub(crate) lookup: Lookup,
    pub(crate) cause: Option<MissCause>,
    pub(crate) restore_failed: Option<String>,
    pub(crate) restored: Option<u64>,
    pub(crate) dance: Option<DanceInputs>,
    pub(crate) dance_first: bool,
    pub(crate) crashed: Option<String>,
    pub(crate) hung: bool,
    pub(crate) inject_failed: Option<String>,
    pub(crate) extract_failed: Option<String>,
    pub(crate) extract_skipped: bool,
    pub(crate) entries: Vec<(String, MountSpec)>,
    /// Files and bytes each inject and each extract moved; `None` as in a log.
    pub(crate) moved: Option<(u64, u64)>,
    pub(crate) build: BuildInputs,
    pub(crate) builder: Option<String>,
    pub(crate) mounts: Vec<MountSpec>,
    pub(crate) layer_cached: bool,
    pub(crate) prints_sizes: bool,
    /// The mounts whose sizes are not printed even so, by their place.
    pub(crate) unprinted: Vec<usize>,
    pub(crate) before: [u64; 2],
    pub(crate) after: [u64; 2],
    pub(crate) seconds: f64,
    pub(crate) downloads: usize,
    /// Another build of the same job, after this one.
    pub(crate) then_builds: Option<Box<JobScript>>,
    /// A step after the build fails, so no post step runs.
    pub(crate) fails: bool,
    pub(crate) save: SaveOutcome,
    pub(crate) saved: Option<u64>,
    pub(crate) records: Vec<MountRecord>,
    /// Seconds of restore, inject, extract and save.
    pub(crate) timing: [f64; 4],
}

pub(crate) fn mount(target: &str) -> MountSpec {
    MountSpec { target: target.into(), id: None, owner: String::new() }
}

pub(crate) fn with_id(target: &str, id: &str) -> MountSpec {
    MountSpec { id: Some(id.into()), ..mount(target) }
}

pub(crate) fn saved(key: &str) -> SaveOutcome {
    SaveOutcome::Saved { key: key.into() }
}

pub(crate) fn primary_hit(key: &str) -> SaveOutcome {
    SaveOutcome::NotSaved(NotSaved::PrimaryHit { key: key.into() })
}

pub(crate) fn record(target: &str, creator: Creator) -> MountRecord {
    MountRecord { builder: "default".into(), target: target.into(), creator, bytes: 118 * MB }
}

impl JobScript {
    /// A first run: a miss, small mounts, a slow build, then extract and save of real data.
    pub(crate) fn cold() -> Self {
        let mounts = vec![mount("/go/pkg/mod"), mount("/root/.cache/go-build")];
        Self {
            key: KEY.into(),
            restore_keys: Vec::new(),
            paths: vec![".go-cache".into()],
            split: false,
            no_cache_step: false,
            lookup: Lookup::Miss,
            cause: None,
            restore_failed: None,
            restored: None,
            dance: Some(DanceInputs {
                uses: "reproducible-containers/buildkit-cache-dance@v3.3.2".into(),
                known: true,
                ..DanceInputs::default()
            }),
            dance_first: false,
            crashed: None,
            hung: false,
            inject_failed: None,
            extract_failed: None,
            extract_skipped: false,
            entries: vec![
                (".go-cache/go-mod".into(), mounts[0].clone()),
                (".go-cache/go-build".into(), mounts[1].clone()),
            ],
            moved: None,
            build: BuildInputs { file: "Dockerfile".into(), ..BuildInputs::default() },
            builder: None,
            mounts,
            layer_cached: false,
            prints_sizes: true,
            unprinted: Vec::new(),
            before: [8192, 8192],
            after: [131 * MB, 114 * MB],
            seconds: 17.43,
            downloads: 41,
            then_builds: None,
            fails: false,
            save: saved(KEY),
            saved: Some(118 * MB),
            records: Vec::new(),
            timing: [0.4, 0.9, 1.2, 0.8],
        }
    }

    /// A later run that restored everything.
    pub(crate) fn warm() -> Self {
        Self {
            lookup: Lookup::Exact { key: KEY.into() },
            restored: Some(118 * MB),
            before: [131 * MB, 114 * MB],
            seconds: 2.11,
            downloads: 0,
            save: primary_hit(KEY),
            saved: None,
            ..Self::cold()
        }
    }

    /// Changes something.
    pub(crate) fn but(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// A first run whose save found nothing to pack.
    pub(crate) fn cold_saving_nothing() -> Self {
        Self::cold().but(|job| job.saved = Some(198))
    }

    /// A later run that hit an empty entry and is therefore as cold as the first.
    pub(crate) fn hit_empty() -> Self {
        Self::cold().but(|job| {
            job.lookup = Lookup::Exact { key: KEY.into() };
            job.restored = Some(198);
            job.save = primary_hit(KEY);
            job.saved = None;
        })
    }

    /// A first run in which no directory was there to save.
    pub(crate) fn cold_path_missing() -> Self {
        Self::cold().but(|job| {
            job.save = SaveOutcome::NotSaved(NotSaved::PathMissing);
            job.saved = None;
        })
    }

    pub(crate) fn evidence(&self, number: usize) -> Evidence {
        Evidence::fold(format!("run {number}"), &self.events(number))
    }

    /// Writes the job's events as a live run or a log would show them, one line each.
    pub(crate) fn events(&self, number: usize) -> Vec<Event> {
        let mut tape = EventScript::new(number);
        let restore = |tape: &mut EventScript| {
            if self.no_cache_step {
                return None;
            }
            let step = tape.begin(Phase::Main, "Run actions/cache@v4", None);
            let mode = if self.split { CacheMode::Restore } else { CacheMode::RestoreAndSave };
            tape.fact("key and path of actions/cache", Fact::CacheInputs(self.inputs(mode)));
            let said = match &self.lookup {
                Lookup::Miss => format!("Cache not found for input keys: {}", self.key),
                Lookup::Partial { key } => format!("Cache hit for restore-key: {key}"),
                Lookup::Exact { key } | Lookup::Hit { key } | Lookup::LookupOnly { key } => {
                    format!("Cache hit for: {key}")
                }
            };
            tape.fact(&said, Fact::CacheLookup(self.lookup.clone()));
            if let Some(cause) = &self.cause {
                tape.fact("the store knows why", Fact::CacheMissCause(cause.clone()));
            }
            if let Some(bytes) = self.restored {
                tape.fact(&format!("Cache Size: ~{} MB ({bytes} B)", bytes / MB), Fact::CacheSize { bytes });
                let (Lookup::Exact { key } | Lookup::Partial { key } | Lookup::Hit { key }) = &self.lookup else {
                    panic!("restored without a hit")
                };
                tape.fact(&format!("Cache restored from key: {key}"), Fact::CacheRestored { key: key.clone() });
            }
            if let Some(reason) = &self.restore_failed {
                tape.fact(
                    &format!("##[warning]Failed to restore: {reason}"),
                    Fact::CacheRestoreFailed { reason: reason.clone() },
                );
            }
            tape.end(StepOutcome::Success, self.timing[0]);
            Some(step)
        };
        let inject = |tape: &mut EventScript| {
            let inputs = self.dance.as_ref()?;
            let step = tape.begin(Phase::Main, &format!("Run {}", inputs.uses), None);
            tape.fact("cache-map of the dance", Fact::DanceInputs(inputs.clone()));
            self.carry(tape, DancePhase::Inject);
            if let Some(reason) = &self.inject_failed {
                let fact = Fact::DanceFailed { phase: DancePhase::Inject, reason: reason.clone() };
                tape.fact(reason, fact);
            }
            if let Some(reason) = &self.crashed {
                tape.fact(reason, Fact::DanceCrashed { reason: reason.clone() });
            }
            tape.end(if self.crashed.is_some() { StepOutcome::Failure } else { StepOutcome::Success }, self.timing[1]);
            Some(step)
        };
        let (cache, dance) = if self.dance_first {
            let dance = inject(&mut tape);
            (restore(&mut tape), dance)
        } else {
            let cache = restore(&mut tape);
            (cache, inject(&mut tape))
        };
        if self.crashed.is_none() {
            self.build(&mut tape);
            self.then_builds.iter().for_each(|job| job.build(&mut tape));
        }
        if self.split {
            tape.begin(Phase::Main, "Run actions/cache/save@v4", None);
            tape.fact("key and path of actions/cache/save", Fact::CacheInputs(self.inputs(CacheMode::Save)));
            self.save(&mut tape);
        }
        if self.fails {
            tape.begin(Phase::Main, "Run make test", None);
            tape.end(StepOutcome::Failure, 1.0);
        }
        let posts = self.crashed.is_none() && !self.fails;
        let save = |tape: &mut EventScript| {
            if let Some(cache) = cache.filter(|_| !self.split && posts) {
                tape.begin(Phase::Post, "Post Run actions/cache@v4", Some(cache));
                self.save(tape);
                tape.end(StepOutcome::Success, self.timing[3]);
            }
        };
        if self.dance_first {
            save(&mut tape);
        }
        if let Some(dance) = dance.filter(|_| posts) {
            tape.begin(Phase::Post, "Post Run buildkit-cache-dance", Some(dance));
            if self.hung {
                tape.fact("##[error]The operation was canceled.", Fact::DanceHung);
            } else if self.extract_skipped {
                tape.fact("skip-extraction is set. Skipping extraction step...", Fact::DanceExtractSkipped);
            } else {
                self.carry(&mut tape, DancePhase::Extract);
            }
            if let Some(reason) = &self.extract_failed {
                let fact = Fact::DanceFailed { phase: DancePhase::Extract, reason: reason.clone() };
                tape.fact(reason, fact);
            }
            tape.end(StepOutcome::Success, self.timing[2]);
        }
        if !self.dance_first && !self.hung {
            save(&mut tape);
        }
        tape.step = None;
        for record in &self.records {
            let said = format!("cached mount {} created by {:?}", record.target, record.creator);
            tape.fact(&said, Fact::MountRecord(record.clone()));
        }
        tape.events
    }

    fn inputs(&self, mode: CacheMode) -> CacheInputs {
        let (paths, restore_keys) = (self.paths.clone(), self.restore_keys.clone());
        CacheInputs { mode, paths, key: self.key.clone(), restore_keys }
    }

    fn carry(&self, tape: &mut EventScript, phase: DancePhase) {
        for (source, mount) in &self.entries {
            let said = format!("RUN --mount=type=cache,target={} …", mount.target);
            tape.fact(&said, Fact::DanceEntry { phase, source: Some(source.clone()), mount: mount.clone() });
            if let Some((files, bytes)) = self.moved {
                let tally = CopyTally { files, bytes };
                let moved = Fact::DanceMoved { phase, source: source.clone(), mount: mount.clone(), tally };
                tape.fact(&format!("moved {files} files of {source}"), moved);
            }
        }
    }

    fn build(&self, tape: &mut EventScript) {
        tape.begin(Phase::Main, "Run docker/build-push-action@v6", None);
        tape.fact("inputs of the build", Fact::BuildInputs(self.build.clone()));
        tape.fact("#0 building", Fact::BuildStarted { builder: self.builder.clone() });
        let vertex = "#9 [build 4/4] RUN --mount=type=cache,… go build ./...";
        tape.facts(vertex, self.mounts.iter().cloned().map(Fact::BuildMount));
        if self.layer_cached {
            tape.fact("#9 CACHED", Fact::BuildStepCached { vertex: vertex.into() });
        } else {
            self.sizes(tape, MeasuredAt::Before, self.before);
            for number in 0..self.downloads {
                let module = format!("example.com/m{number} v1.0.0");
                tape.fact(&format!("#9 1.1 go: downloading {module}"), Fact::Download { module });
            }
            let time = BuildTime { took: Duration::from_secs_f64(self.seconds), source: TimeSource::Printed };
            tape.fact(&format!("#9 real 0m {:.2}s", self.seconds), Fact::BuildTime(time));
            self.sizes(tape, MeasuredAt::After, self.after);
            let took = Duration::try_from_secs_f64(self.seconds + 0.3).ok();
            tape.fact("#9 DONE", Fact::BuildStepEnded { took, succeeded: true });
        }
        tape.fact("the build ended", Fact::BuildEnded { error: None, took: None });
        tape.end(StepOutcome::Success, self.seconds + 1.0);
    }

    fn sizes(&self, tape: &mut EventScript, moment: MeasuredAt, sizes: [u64; 2]) {
        for (at, (mount, bytes)) in self.mounts.iter().zip(sizes).enumerate().filter(|_| self.prints_sizes) {
            if self.unprinted.contains(&at) {
                continue;
            }
            let target = mount.target.clone();
            tape.fact(&format!("#9 0.2 {}K\t{target}", bytes / 1024), Fact::MountSize { moment, target, bytes });
        }
    }

    fn save(&self, tape: &mut EventScript) {
        if let (SaveOutcome::Saved { .. }, Some(bytes)) = (&self.save, self.saved) {
            tape.fact(&format!("Sent {bytes} of {bytes} (100.0%), 25.5 MBs/sec"), Fact::CacheSaveSize { bytes });
        }
        let said = match &self.save {
            SaveOutcome::Saved { key } => format!("Cache saved with key: {key}"),
            SaveOutcome::NotSaved(NotSaved::PrimaryHit { key }) => {
                format!("Cache hit occurred on the primary key {key}, not saving cache.")
            }
            SaveOutcome::NotSaved(other) => format!("not saved: {other:?}"),
        };
        tape.fact(&said, Fact::CacheSave(self.save.clone()));
    }
}

/// Events as they are written down.
struct EventScript {
    source: Arc<str>,
    line: usize,
    steps: usize,
    step: Option<StepId>,
    events: Vec<Event>,
}

impl EventScript {
    fn new(number: usize) -> Self {
        let source = Arc::from(format!("run-{number}/job.log"));
        Self { source, line: 0, steps: 0, step: None, events: Vec::new() }
    }

    fn begin(&mut self, phase: Phase, name: &str, of: Option<StepId>) -> StepId {
        let id = StepId(self.steps);
        self.steps += 1;
        self.step = Some(id);
        let said = if phase == Phase::Post { "Post job cleanup." } else { name };
        self.fact(said, Fact::StepStarted { phase, name: name.into(), of });
        id
    }

    fn end(&mut self, outcome: StepOutcome, seconds: f64) {
        self.fact("the step ended", Fact::StepEnded { outcome, took: Duration::try_from_secs_f64(seconds).ok() });
    }

    fn fact(&mut self, said: &str, fact: Fact) {
        self.facts(said, [fact]);
    }

    /// Several facts of one line.
    fn facts(&mut self, said: &str, facts: impl IntoIterator<Item = Fact>) {
        self.line += 1;
        for fact in facts {
            let quote = Quote::line(&self.source, self.line, said);
            self.events.push(Event { step: self.step, at: None, quote, fact });
        }
    }
}

/// Makes a case of jobs that ran one after the other.
pub(crate) fn case(profile: Profile, jobs: &[JobScript]) -> Case {
    let runs = jobs.iter().enumerate().map(|(at, job)| job.evidence(at + 1)).collect();
    Case { runs, source: CaseSource::Live, thresholds: Thresholds::default(), profile }
}
