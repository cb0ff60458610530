//! One run in numbers, for people and documents. [`RunSummary`] is principal.
//!
//! Every number is optional: what was not seen stays `None`.

use super::journey::{self, Journey};
use super::view::{CacheExt, RunView};
use crate::evidence::{Cache, Evidence, NotSaved, Phase, Quote, SaveOutcome, StepId, StepOutcome};

/// One run in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSummary {
    /// Its place in the case, from 1.
    pub number: usize,
    /// What a person calls it.
    pub name: String,
    /// What actions/cache restored.
    pub restore: RestoreSummary,
    /// The cache mounts.
    pub mounts: Vec<MountSummary>,
    /// The build.
    pub build: BuildSummary,
    /// What actions/cache saved.
    pub save: SaveSummary,
    /// How long the carrying took.
    pub timing: CarryTiming,
    /// The steps, in the order in which they began.
    pub steps: Vec<StepSummary>,
    /// The way of the bytes through it, with the lines that show it.
    pub journey: Journey,
}

/// What actions/cache restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreSummary {
    /// How it ended.
    pub outcome: RestoreOutcome,
    /// The key that was found.
    pub key: Option<String>,
    /// The size of the archive, compressed.
    pub bytes: Option<u64>,
}

/// How a restore ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreOutcome {
    /// Nothing was found.
    Miss,
    /// An entry was restored.
    Hit,
    /// An entry of another key was restored.
    Partial,
    /// It failed.
    Failed,
    /// No restore was seen.
    None,
}

impl RestoreOutcome {
    /// Returns the public name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Miss => "miss",
            Self::Hit => "hit",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::None => "none",
        }
    }
}

/// One cache mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountSummary {
    /// The target.
    pub target: String,
    /// The id, if the Dockerfile gives one.
    pub id: Option<String>,
    /// Bytes before the build.
    pub before_bytes: Option<u64>,
    /// Bytes after it.
    pub after_bytes: Option<u64>,
}

/// The build.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildSummary {
    /// How long `go build` took.
    pub seconds: Option<f64>,
    /// How many modules were downloaded, where the step was seen to its end or a download was.
    pub downloads: Option<usize>,
    /// The compiling step came from the layer cache.
    pub cached: bool,
}

/// What actions/cache saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveSummary {
    /// How it ended.
    pub outcome: SavedOutcome,
    /// The size of the archive, compressed.
    pub bytes: Option<u64>,
    /// Why nothing was saved.
    pub reason: Option<String>,
}

/// How a save ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SavedOutcome {
    /// An entry was written.
    Saved,
    /// It should have been, and was not.
    NotSaved,
    /// None was due: the primary key was hit, or the entry exists.
    Skipped,
    /// No save was seen.
    None,
}

impl SavedOutcome {
    /// Returns the public name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Saved => "saved",
            Self::NotSaved => "not-saved",
            Self::Skipped => "skipped",
            Self::None => "none",
        }
    }
}

/// How long the carrying took, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CarryTiming {
    /// actions/cache's main step.
    pub restore: Option<f64>,
    /// The dance's main step.
    pub inject: Option<f64>,
    /// The dance's post step.
    pub extract: Option<f64>,
    /// actions/cache's post step.
    pub save: Option<f64>,
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepSummary {
    /// Its name as the log shows it.
    pub name: String,
    /// Main or post.
    pub phase: Phase,
    /// How it ended, if that was seen.
    pub outcome: Option<StepOutcome>,
    /// How long it took.
    pub seconds: Option<f64>,
    /// When it began, in seconds since the run's first step, where that is known.
    pub began: Option<f64>,
    /// The line it began with.
    pub line: Quote,
}

/// Sums up one run.
pub(crate) fn of(run: &RunView) -> RunSummary {
    let beginning = journey::beginning(run.evidence);
    RunSummary {
        number: run.number,
        name: run.evidence.name.clone(),
        restore: restore(run),
        mounts: mounts(run),
        build: build(run),
        save: save(run),
        timing: timing(run.evidence),
        steps: run
            .evidence
            .steps
            .iter()
            .map(|step| StepSummary {
                name: step.name.clone(),
                phase: step.phase,
                outcome: step.outcome.as_ref().map(|outcome| outcome.value),
                seconds: step.took.map(|took| took.as_secs_f64()),
                began: journey::since(beginning, step.started.at),
                line: step.started.quote.clone(),
            })
            .collect(),
        journey: journey::of(run),
    }
}

fn restore(run: &RunView) -> RestoreSummary {
    let caches: Vec<&Cache> = run.restoring().collect();
    let key = caches.iter().find_map(|cache| cache.hit_key()).map(|(key, _)| key.to_owned());
    let bytes = total(caches.iter().filter_map(|cache| cache.restore_size.as_ref().map(|size| size.value)));
    let outcome = if caches.iter().any(|cache| cache.restore_failed.is_some()) {
        RestoreOutcome::Failed
    } else if caches.iter().any(|cache| cache.missed().is_some()) {
        RestoreOutcome::Miss
    } else if key.is_none() {
        RestoreOutcome::None
    } else if caches.iter().any(|cache| is_partial(cache)) {
        RestoreOutcome::Partial
    } else {
        RestoreOutcome::Hit
    };
    RestoreSummary { outcome, key, bytes }
}

fn is_partial(cache: &Cache) -> bool {
    let other_key =
        cache.inputs.as_ref().zip(cache.hit_key()).is_some_and(|(inputs, (key, _))| inputs.value.key != key);
    matches!(cache.lookup.as_ref().map(|lookup| &lookup.value), Some(crate::evidence::Lookup::Partial { .. }))
        || (other_key && !cache.hit_exactly())
}

fn mounts(run: &RunView) -> Vec<MountSummary> {
    let Some(build) = run.build else { return Vec::new() };
    let mut mounts: Vec<MountSummary> = Vec::new();
    for mount in &build.mounts {
        let target = mount.value.clean_target();
        if mounts.iter().any(|known| known.target == target) {
            continue;
        }
        let sizes = build.sizes_of(&target);
        mounts.push(MountSummary {
            before_bytes: sizes.and_then(|sizes| sizes.before.as_ref()).map(|size| size.value),
            after_bytes: sizes.and_then(|sizes| sizes.after.as_ref()).map(|size| size.value),
            id: mount.value.id.clone(),
            target,
        });
    }
    for sizes in &build.sizes {
        if mounts.iter().any(|known| known.target.trim_end_matches('/') == sizes.target.trim_end_matches('/')) {
            continue;
        }
        mounts.push(MountSummary {
            target: sizes.target.clone(),
            id: None,
            before_bytes: sizes.before.as_ref().map(|size| size.value),
            after_bytes: sizes.after.as_ref().map(|size| size.value),
        });
    }
    mounts
}

fn build(run: &RunView) -> BuildSummary {
    let Some(build) = run.build else { return BuildSummary { seconds: None, downloads: None, cached: false } };
    let seen = !build.downloads.is_empty() || (build.step_ended.is_some() && build.cached.is_none());
    BuildSummary {
        seconds: build.time.as_ref().map(|time| time.value.took.as_secs_f64()),
        downloads: seen.then_some(build.downloads.len()),
        cached: build.cached.is_some(),
    }
}

fn save(run: &RunView) -> SaveSummary {
    let saves = || run.caches.iter().filter_map(|cache| cache.save.as_ref());
    let bytes = total(run.caches.iter().filter_map(|cache| cache.save_size.as_ref().map(|size| size.value)));
    if saves().any(|save| matches!(save.value, SaveOutcome::Saved { .. })) {
        return SaveSummary { outcome: SavedOutcome::Saved, bytes, reason: None };
    }
    let Some(SaveOutcome::NotSaved(why)) = saves().map(|save| &save.value).next() else {
        return SaveSummary { outcome: SavedOutcome::None, bytes, reason: None };
    };
    let (outcome, reason) = match why {
        NotSaved::PrimaryHit { .. } => (SavedOutcome::Skipped, "the primary key was hit".to_owned()),
        NotSaved::AlreadyExists { .. } => (SavedOutcome::Skipped, "the entry exists".to_owned()),
        NotSaved::PathMissing => (SavedOutcome::NotSaved, "the path does not exist".to_owned()),
        NotSaved::ReadOnly { reason } | NotSaved::Failed { reason } => (SavedOutcome::NotSaved, reason.clone()),
    };
    SaveSummary { outcome, bytes, reason: Some(reason) }
}

/// Adds up the time of the steps that carry the caches.
pub(crate) fn timing(evidence: &Evidence) -> CarryTiming {
    let mut timing = CarryTiming::default();
    let caches: Vec<Option<StepId>> = evidence.caches.iter().map(|cache| cache.step).collect();
    let dances: Vec<Option<StepId>> = evidence.dances.iter().map(|dance| dance.step).collect();
    for step in &evidence.steps {
        let Some(took) = step.took else { continue };
        let owner = Some(step.of.unwrap_or(step.id));
        let of_cache = caches.contains(&owner);
        let slot = match step.phase {
            Phase::Main if of_cache && is_plain_save(evidence, owner) => &mut timing.save,
            Phase::Main if of_cache => &mut timing.restore,
            Phase::Post if of_cache => &mut timing.save,
            Phase::Main if dances.contains(&owner) => &mut timing.inject,
            Phase::Post if dances.contains(&owner) => &mut timing.extract,
            _ => continue,
        };
        *slot = Some(slot.unwrap_or_default() + took.as_secs_f64());
    }
    timing
}

fn is_plain_save(evidence: &Evidence, step: Option<StepId>) -> bool {
    evidence.caches.iter().any(|cache| cache.step == step && !cache.restores())
}

fn total(sizes: impl Iterator<Item = u64>) -> Option<u64> {
    sizes.fold(None, |sum, size| Some(sum.unwrap_or(0u64).saturating_add(size)))
}
