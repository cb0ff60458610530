//! Gathers one run's events. [`Evidence`] is principal.
//!
//! The fold only sorts facts to the step they belong to and keeps their order; it drops nothing it understands, invents
//! nothing, and asks no clock.

use std::time::Duration;

use super::{
    Aspect, BuildDoubt, BuildInputs, BuildTime, CacheInputs, CompileStep, CopyTally, DanceInputs, DancePhase, Event,
    Fact, GoPlace, HiddenWork, Lookup, MeasuredAt, MissCause, MountProof, MountRecord, MountSpec, Phase, ProofLine,
    Quote, SaveOutcome, Seen, StepId, StepOutcome, StepProof, UnplacedLines, VertexEnd,
};
use crate::cache::Compression;

/// What is known of one run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    /// What a person calls this run: `run 2`, or the job's or file's name.
    pub name: String,
    /// The steps in the order in which they began.
    pub steps: Vec<StepRecord>,
    /// The actions/cache steps, in order of first sight.
    pub caches: Vec<Cache>,
    /// The dance steps, in order of first sight.
    pub dances: Vec<Dance>,
    /// The builds that are not the dance's own, in order.
    pub builds: Vec<Build>,
    /// The cache mounts as the engine has them after the job; empty for a log.
    pub records: Vec<Seen<MountRecord>>,
    /// What the run ran on and with, each value once, in order of first sight.
    pub surroundings: Vec<(Aspect, Seen<String>)>,
    /// Work that may have been a build and did not show what it did, with the step it was done in.
    pub hidden: Vec<Seen<HiddenWork>>,
    /// Lines that look like those that matter and could not be placed.
    pub unplaced: Vec<Seen<UnplacedLines>>,
    /// The dances whose code the set-up fetched.
    pub downloaded: Vec<Seen<String>>,
    /// The builders that were chosen for commands without `--builder`, in order; `None` where the name was not seen.
    pub chosen: Vec<Seen<Option<String>>>,
    /// What was not as it is in CI, in a run that was simulated.
    pub stand_ins: Vec<Seen<String>>,
    /// Where the source of events broke off before the job's end.
    pub truncated: Option<Quote>,
}

/// One step that was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRecord {
    /// Its id in this run.
    pub id: StepId,
    /// Main or post.
    pub phase: Phase,
    /// Its name as the log shows it.
    pub name: String,
    /// For a post step, its main step.
    pub of: Option<StepId>,
    /// Where it began.
    pub started: Seen<()>,
    /// How it ended, if that was seen.
    pub outcome: Option<Seen<StepOutcome>>,
    /// How long it took, where known.
    pub took: Option<Duration>,
}

/// One actions/cache step, main and post together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cache {
    /// The main step (or the only one seen).
    pub step: Option<StepId>,
    /// Its inputs.
    pub inputs: Option<Seen<CacheInputs>>,
    /// What the lookup answered.
    pub lookup: Option<Seen<Lookup>>,
    /// The restored archive's size, compressed, in bytes.
    pub restore_size: Option<Seen<u64>>,
    /// The key that was restored, once the archive was unpacked.
    pub restored: Option<Seen<String>>,
    /// The message of a failed restore.
    pub restore_failed: Option<Seen<String>>,
    /// Why it missed, where known.
    pub miss_cause: Option<Seen<MissCause>>,
    /// How the save ended.
    pub save: Option<Seen<SaveOutcome>>,
    /// The saved archive's size, compressed, in bytes.
    pub save_size: Option<Seen<u64>>,
    /// How the archive is packed.
    pub compression: Option<Seen<Compression>>,
}

/// One dance step, main and post together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dance {
    /// The main step (or the only one seen).
    pub step: Option<StepId>,
    /// Its inputs.
    pub inputs: Option<Seen<DanceInputs>>,
    /// The entries it injected.
    pub injected: Vec<Carried>,
    /// The entries it extracted.
    pub extracted: Vec<Carried>,
    /// Failures of copies.
    pub failures: Vec<Seen<(DancePhase, String)>>,
    /// The extract was skipped on demand.
    pub extract_skipped: Option<Seen<()>>,
    /// The action's own crash.
    pub crashed: Option<Seen<String>>,
    /// The job was stopped while the dance was at work.
    pub hung: Option<Seen<()>>,
}

/// One entry of a cache map in one phase.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried {
    /// The host directory, where known.
    pub source: Option<String>,
    /// The cache mount.
    pub mount: Seen<MountSpec>,
    /// What was moved; only a live run measures it.
    pub tally: Option<Seen<CopyTally>>,
}

/// One build.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Build {
    /// The step it belongs to.
    pub step: Option<StepId>,
    /// Its inputs.
    pub inputs: Option<Seen<BuildInputs>>,
    /// The builder it ran on; `value` is `None` when the log does not say.
    pub started: Option<Seen<Option<String>>>,
    /// The cache mounts of the Dockerfile, in order of first sight.
    pub mounts: Vec<Seen<MountSpec>>,
    /// The steps that compile most surely, in order of first sight.
    pub compile_steps: Vec<Seen<CompileStep>>,
    /// The cache mounts into which a step was refused to write.
    pub refused: Vec<Seen<String>>,
    /// Where its steps keep Go's caches, as they say or use them.
    pub places: Vec<Seen<GoPlace>>,
    /// Targets of which one of several compiling steps did not show what it found.
    pub not_seen: Vec<Seen<String>>,
    /// A step fetched modules that no cache mount keeps.
    pub fetched: Option<Seen<String>>,
    /// The compiling step came from the layer cache.
    pub cached: Option<Seen<String>>,
    /// Sizes printed, by target in order of first sight.
    pub sizes: Vec<MountSizes>,
    /// The modules downloaded.
    pub downloads: Vec<Seen<String>>,
    /// How long `go build` took.
    pub time: Option<Seen<BuildTime>>,
    /// The compiling step's output was seen to its end; the value says whether it succeeded.
    pub step_ended: Option<Seen<bool>>,
    /// Its vertexes, in the order in which they ended.
    pub vertexes: Vec<Seen<VertexEnd>>,
    /// What its steps that `instrument` put in say of themselves.
    pub step_proofs: Vec<Seen<StepProof>>,
    /// What they say of its cache mounts.
    pub mount_proofs: Vec<Seen<MountProof>>,
    /// Lines that begin as proof lines and are none, and why.
    pub proofs_ignored: Vec<Seen<String>>,
    /// What was seen against its numbers.
    pub doubts: Vec<Seen<BuildDoubt>>,
    /// The build ended; the value is its error, if any.
    pub ended: Option<Seen<Option<String>>>,
    /// How long the whole build took, where known.
    pub took: Option<Duration>,
}

/// What a build printed about one mount.
#[derive(Debug, Clone, PartialEq)]
pub struct MountSizes {
    /// The target.
    pub target: String,
    /// Bytes before the build.
    pub before: Option<Seen<u64>>,
    /// Bytes after it.
    pub after: Option<Seen<u64>>,
}

impl Evidence {
    /// Folds one run's events, in the order in which they were seen.
    pub fn fold<'a>(name: impl Into<String>, events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut evidence = Self { name: name.into(), ..Self::default() };
        for (order, event) in events.into_iter().enumerate() {
            evidence.add(order, event);
        }
        evidence
    }

    /// Returns the step of this id.
    pub fn step(&self, id: StepId) -> Option<&StepRecord> {
        self.steps.iter().find(|step| step.id == id)
    }

    fn add(&mut self, order: usize, event: &Event) {
        let step = event.step;
        match &event.fact {
            Fact::StepStarted { phase, name, of } => {
                let Some(id) = step else { return };
                self.steps.push(StepRecord {
                    id,
                    phase: *phase,
                    name: name.clone(),
                    of: *of,
                    started: seen(order, event, ()),
                    outcome: None,
                    took: None,
                });
            }
            Fact::StepEnded { outcome, took } => {
                if let Some(known) = self.steps.iter_mut().find(|known| Some(known.id) == step) {
                    known.outcome = Some(seen(order, event, *outcome));
                    known.took = *took;
                }
            }
            Fact::CacheInputs(inputs) => self.cache(step).inputs = Some(seen(order, event, inputs.clone())),
            Fact::CacheLookup(lookup) => self.cache(step).lookup = Some(seen(order, event, lookup.clone())),
            Fact::CacheSize { bytes } => self.cache(step).restore_size = Some(seen(order, event, *bytes)),
            Fact::CacheRestored { key } => self.cache(step).restored = Some(seen(order, event, key.clone())),
            Fact::CacheRestoreFailed { reason } => {
                self.cache(step).restore_failed = Some(seen(order, event, reason.clone()));
            }
            Fact::CacheMissCause(cause) => self.cache(step).miss_cause = Some(seen(order, event, cause.clone())),
            Fact::CacheSave(outcome) => self.cache(step).save = Some(seen(order, event, outcome.clone())),
            Fact::CacheSaveSize { bytes } => self.cache(step).save_size = Some(seen(order, event, *bytes)),
            Fact::CacheCompressed(how) => self.cache(step).compression = Some(seen(order, event, *how)),
            Fact::DanceInputs(inputs) => self.dance(step).inputs = Some(seen(order, event, inputs.clone())),
            Fact::DanceEntry { phase, source, mount } => {
                let carried = Carried { source: source.clone(), mount: seen(order, event, mount.clone()), tally: None };
                self.dance(step).phase(*phase).push(carried);
            }
            Fact::DanceMoved { phase, source, mount, tally } => {
                let tally = seen(order, event, *tally);
                let entries = self.dance(step).phase(*phase);
                let entry = entries.iter_mut().rev().find(|entry| {
                    entry.mount.value == *mount && entry.source.as_ref().is_none_or(|known| known == source)
                });
                if let Some(entry) = entry {
                    entry.tally = Some(tally);
                }
            }
            Fact::DanceFailed { phase, reason } => {
                self.dance(step).failures.push(seen(order, event, (*phase, reason.clone())));
            }
            Fact::DanceExtractSkipped => self.dance(step).extract_skipped = Some(seen(order, event, ())),
            Fact::DanceCrashed { reason } => self.dance(step).crashed = Some(seen(order, event, reason.clone())),
            Fact::DanceHung => self.dance(step).hung = Some(seen(order, event, ())),
            Fact::DanceDownloaded { uses } => self.downloaded.push(seen(order, event, uses.clone())),
            Fact::BuilderChosen { builder } => self.chosen.push(seen(order, event, builder.clone())),
            Fact::BuildInputs(inputs) => {
                self.builds.push(Build { step, inputs: Some(seen(order, event, inputs.clone())), ..Build::default() });
            }
            Fact::BuildStarted { builder } => {
                let started = seen(order, event, builder.clone());
                match self.builds.last_mut() {
                    Some(build) if build.step == step && build.started.is_none() => build.started = Some(started),
                    _ => self.builds.push(Build { step, started: Some(started), ..Build::default() }),
                }
            }
            Fact::Surroundings { aspect, value } => {
                let known = self.surroundings.iter().any(|(about, known)| about == aspect && known.value == *value);
                if !known {
                    self.surroundings.push((*aspect, seen(order, event, value.clone())));
                }
            }
            Fact::MountRecord(record) => self.records.push(seen(order, event, record.clone())),
            Fact::StandIn { what } => self.stand_ins.push(seen(order, event, what.clone())),
            Fact::HiddenWork(work) => self.hidden.push(seen(order, event, work.clone())),
            Fact::LinesUnplaced(lines) => self.unplaced.push(seen(order, event, *lines)),
            Fact::Truncated => self.truncated = Some(event.quote.clone()),
            Fact::BuildMount(_)
            | Fact::CompileStep(_)
            | Fact::MountRefused { .. }
            | Fact::GoPlace(_)
            | Fact::BuildStepFound { .. }
            | Fact::ModulesFetched { .. }
            | Fact::MountNotSeen { .. }
            | Fact::BuildStepCached { .. }
            | Fact::MountSize { .. }
            | Fact::Download { .. }
            | Fact::BuildTime(_)
            | Fact::VertexEnded(_)
            | Fact::BuildDoubt(_)
            | Fact::Proof(_)
            | Fact::ProofIgnored { .. }
            | Fact::BuildStepEnded { .. }
            | Fact::BuildEnded { .. } => self.build(step).add(order, event),
        }
    }

    /// The cache step an event belongs to: by its own step, or by the main step of a post step.
    fn cache(&mut self, step: Option<StepId>) -> &mut Cache {
        let owner = self.owner(step);
        let at = self.caches.iter().position(|cache| cache.step == owner).unwrap_or_else(|| {
            self.caches.push(Cache { step: owner, ..Cache::default() });
            self.caches.len() - 1
        });
        &mut self.caches[at]
    }

    fn dance(&mut self, step: Option<StepId>) -> &mut Dance {
        let owner = self.owner(step);
        let at = self.dances.iter().position(|dance| dance.step == owner).unwrap_or_else(|| {
            self.dances.push(Dance { step: owner, ..Dance::default() });
            self.dances.len() - 1
        });
        &mut self.dances[at]
    }

    /// The build that is under way in a step.
    fn build(&mut self, step: Option<StepId>) -> &mut Build {
        let at = self.builds.iter().rposition(|build| build.step == step).unwrap_or_else(|| {
            self.builds.push(Build { step, ..Build::default() });
            self.builds.len() - 1
        });
        &mut self.builds[at]
    }

    fn owner(&self, step: Option<StepId>) -> Option<StepId> {
        step.map(|id| self.step(id).and_then(|known| known.of).unwrap_or(id))
    }
}

impl Dance {
    fn phase(&mut self, phase: DancePhase) -> &mut Vec<Carried> {
        match phase {
            DancePhase::Inject => &mut self.injected,
            DancePhase::Extract => &mut self.extracted,
        }
    }
}

/// Compares two targets of mounts, whatever slash they end in.
pub fn same_target(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

impl Build {
    /// Returns what was printed about a target, compared as clean paths.
    pub fn sizes_of(&self, target: &str) -> Option<&MountSizes> {
        self.sizes.iter().find(|sizes| same_target(&sizes.target, target))
    }

    fn add(&mut self, order: usize, event: &Event) {
        match &event.fact {
            Fact::BuildMount(mount) if self.mounts.iter().any(|known| known.value == *mount) => {}
            Fact::BuildMount(mount) => self.mounts.push(seen(order, event, mount.clone())),
            Fact::CompileStep(found) => {
                let surest = self.compile_steps.iter().map(|step| step.value.sure).max().unwrap_or(0);
                if found.sure > surest {
                    self.compile_steps.clear();
                }
                if found.sure >= surest && self.compile_steps.iter().all(|known| known.value != *found) {
                    self.compile_steps.push(seen(order, event, found.clone()));
                }
            }
            Fact::MountRefused { target } => self.refused.push(seen(order, event, target.clone())),
            Fact::GoPlace(place) if self.places.iter().any(|known| known.value == *place) => {}
            Fact::GoPlace(place) => self.places.push(seen(order, event, place.clone())),
            Fact::MountNotSeen { target } => self.not_seen.push(seen(order, event, target.clone())),
            Fact::ModulesFetched { vertex } => self.fetched = Some(seen(order, event, vertex.clone())),
            Fact::BuildStepFound { .. } => {
                (self.cached, self.step_ended, self.time) = (None, None, None);
                self.not_seen.clear();
            }
            Fact::BuildStepCached { vertex } => self.cached = Some(seen(order, event, vertex.clone())),
            Fact::MountSize { moment, target, bytes } => {
                let at = self.sizes.iter().position(|sizes| sizes.target == *target).unwrap_or_else(|| {
                    self.sizes.push(MountSizes { target: target.clone(), before: None, after: None });
                    self.sizes.len() - 1
                });
                let size = Some(seen(order, event, *bytes));
                let sizes = &mut self.sizes[at];
                match moment {
                    // The last size after ends everything; of those before, the smallest counts: a build for several
                    // platforms may have one cache of a target for each, and a full one must not hide an empty one.
                    MeasuredAt::Before if sizes.before.as_ref().is_none_or(|known| *bytes < known.value) => {
                        sizes.before = size;
                    }
                    MeasuredAt::Before => {}
                    MeasuredAt::After => sizes.after = size,
                }
            }
            Fact::Download { module } => self.downloads.push(seen(order, event, module.clone())),
            Fact::BuildDoubt(doubt) => self.doubts.push(seen(order, event, doubt.clone())),
            Fact::VertexEnded(vertex) => self.vertexes.push(seen(order, event, vertex.clone())),
            Fact::Proof(ProofLine::Step(proof)) => self.step_proofs.push(seen(order, event, proof.clone())),
            Fact::Proof(ProofLine::Mount(proof)) => self.mount_proofs.push(seen(order, event, proof.clone())),
            Fact::ProofIgnored { reason } => self.proofs_ignored.push(seen(order, event, reason.clone())),
            Fact::BuildTime(time) => self.time = Some(seen(order, event, *time)),
            Fact::BuildStepEnded { succeeded, .. } => self.step_ended = Some(seen(order, event, *succeeded)),
            Fact::BuildEnded { error, took } => {
                self.ended = Some(seen(order, event, error.clone()));
                self.took = *took;
            }
            _ => {}
        }
    }
}

/// Keeps where and when a value was seen.
fn seen<T>(order: usize, event: &Event, value: T) -> Seen<T> {
    Seen { value, order, at: event.at, quote: event.quote.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(step: usize, fact: Fact) -> Event {
        Event { step: Some(StepId(step)), at: None, quote: Quote::measured("test", "seen"), fact }
    }

    #[test]
    fn a_post_step_is_gathered_with_its_main_step() {
        let events = [
            event(0, Fact::StepStarted { phase: Phase::Main, name: "Run actions/cache@v4".into(), of: None }),
            event(0, Fact::CacheLookup(Lookup::Miss)),
            event(
                1,
                Fact::StepStarted { phase: Phase::Post, name: "Post Run actions/cache@v4".into(), of: Some(StepId(0)) },
            ),
            event(1, Fact::CacheSave(SaveOutcome::Saved { key: "k".into() })),
        ];
        let evidence = Evidence::fold("run 1", &events);
        assert_eq!(evidence.caches.len(), 1);
        let cache = &evidence.caches[0];
        assert!(cache.lookup.as_ref().unwrap().order < cache.save.as_ref().unwrap().order);
    }

    #[test]
    fn two_builds_are_told_apart() {
        let started = |step| event(step, Fact::BuildStarted { builder: None });
        let download = |step| event(step, Fact::Download { module: "m".into() });
        let evidence = Evidence::fold("run", &[started(0), download(0), started(1), started(1), download(1)]);
        let downloads: Vec<usize> = evidence.builds.iter().map(|build| build.downloads.len()).collect();
        assert_eq!(downloads, [1, 0, 1]);
    }

    #[test]
    fn nothing_seen_stays_unknown() {
        let evidence = Evidence::fold("run", &[event(0, Fact::BuildStarted { builder: None })]);
        let build = &evidence.builds[0];
        assert!(build.time.is_none() && build.sizes.is_empty() && build.ended.is_none());
    }
}
