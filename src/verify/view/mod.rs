//! The case as checks and rules ask about it. [`CaseView`] is principal.
//!
//! It answers questions that need more than one run: which run saved what the judged one restored, whether a hit was
//! due, which run was cold. It decides nothing.

mod cache;
mod idle;
mod keys;
mod mounts;
mod paths;
mod run;
mod tools;

pub(crate) use cache::{CacheExt, EMPTY_ARCHIVE};
pub(crate) use mounts::{ExpectedMount, MountKind, MountMatch, differs, pair};
pub(crate) use paths::{covers, covers_surely, nested};
pub(crate) use run::RunView;
pub(crate) use tools::is_another_tools;

pub(crate) use crate::evidence::EMPTY_MOUNT;
use crate::evidence::{Aspect, DancePhase, MissCause, NotSaved, Quote, SaveOutcome, Seen, same_target};
use crate::verify::{Case, Profile, Thresholds};

/// A case, ready to be asked.
pub(crate) struct CaseView<'a> {
    /// The run to judge: the last one.
    pub(crate) judged: RunView<'a>,
    /// The runs before it, oldest first.
    pub(crate) earlier: Vec<RunView<'a>>,
    /// How the numbers are used.
    pub(crate) profile: Profile,
    /// The numbers.
    pub(crate) thresholds: Thresholds,
}

/// Where the judged run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunStage {
    /// It missed, and no hit was due: caches are small and the build is slow, as they should be.
    First,
    /// It hit, or a hit was due.
    Later,
    /// Its lookup was not seen.
    Unknown,
}

/// The cold run to compare times with.
pub(crate) enum ColdRun<'v, 'a> {
    /// This run was cold.
    Run(&'v RunView<'a>),
    /// Every earlier run was warm, or there is none: only an absolute number is left.
    None,
    /// Earlier runs are there and it was not seen whether they were cold.
    Unknown,
    /// In every cold run another build of the job had filled this build's caches before it.
    Warmed,
}

impl<'a> CaseView<'a> {
    /// Looks at a case once for each compiling build of the run to judge; not at all when there is no run.
    pub(crate) fn each_build(case: &'a Case) -> Vec<Self> {
        let builds = case.runs.last().map_or(0, |judged| run::compiling(judged).len().max(1));
        (0..builds).filter_map(|nth| Self::of_build(case, nth)).collect()
    }

    fn of_build(case: &'a Case, nth: usize) -> Option<Self> {
        let (judged, earlier) = case.runs.split_last()?;
        let judged = RunView::new(case.runs.len(), judged, nth);
        let earlier =
            earlier.iter().enumerate().map(|(at, evidence)| RunView::like(at + 1, evidence, nth, &judged)).collect();
        Some(Self { judged, earlier, profile: case.profile, thresholds: case.thresholds })
    }

    /// Returns every run, oldest first.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &RunView<'a>> {
        self.earlier.iter().chain([&self.judged])
    }

    /// Says where the judged run stands.
    pub(crate) fn stage(&self) -> RunStage {
        let restoring: Vec<_> = self.judged.restoring().collect();
        if restoring.iter().any(|cache| cache.hit_key().is_some() || cache.restore_failed.is_some()) {
            return RunStage::Later;
        }
        if restoring.iter().any(|cache| cache.missed().is_some()) {
            return if self.hit_was_due() { RunStage::Later } else { RunStage::First };
        }
        // A whole second run in which nothing even tries to restore is no first run.
        let no_cache_step = self.judged.evidence.caches.is_empty() && self.judged.is_whole();
        if no_cache_step && !self.earlier.is_empty() { RunStage::Later } else { RunStage::Unknown }
    }

    /// Tells whether an earlier run left, or should have left, something for the judged run to find.
    pub(crate) fn hit_was_due(&self) -> bool {
        let known_to_exist = self.judged.restoring().any(|cache| {
            matches!(
                cache.miss_cause.as_ref().map(|cause| &cause.value),
                Some(MissCause::OtherVersion { .. } | MissCause::OutOfScope { .. } | MissCause::Evicted { .. })
            )
        });
        known_to_exist || self.earlier.iter().any(|run| self.should_have_left_something(run))
    }

    fn should_have_left_something(&self, run: &RunView<'a>) -> bool {
        if run.saved_too_late().is_some() {
            return false;
        }
        let asked = self.judged.primary_key();
        run.caches.iter().any(|cache| match cache.save.as_ref().map(|save| &save.value) {
            Some(SaveOutcome::Saved { key }) if self.bumped(key) => false,
            Some(SaveOutcome::Saved { key }) => !cache.saved_empty() || Some(key.as_str()) == asked,
            Some(SaveOutcome::NotSaved(NotSaved::PrimaryHit { key })) => Some(key.as_str()) == asked,
            Some(SaveOutcome::NotSaved(_)) => true,
            None => false,
        }) || run.broke_off().is_some()
            || run.failed_to_extract()
    }

    /// Tells whether the judged run asks for another version of a key on purpose: a part such as `v1` has become another,
    /// and so it has in every restore key.
    fn bumped(&self, saved: &str) -> bool {
        let mut inputs = self.judged.restoring().filter_map(|cache| cache.inputs.as_ref()).peekable();
        inputs.peek().is_some()
            && inputs.all(|inputs| keys::bumped(saved, &inputs.value.key, &inputs.value.restore_keys))
    }

    /// Returns the earlier run whose save (or failure to save) explains what the judged run found.
    ///
    /// For a hit it is the run that saved the entry, if it is in the case; for a miss the last one that had something
    /// to save.
    pub(crate) fn origin(&self) -> Option<&RunView<'a>> {
        let keys = self.hit_keys();
        let mut newest_first = self.earlier.iter().rev().filter(|run| run.saved_too_late().is_none());
        if keys.is_empty() {
            return newest_first.find(|run| !run.caches.iter().any(|cache| cache.hit_primary().is_some()));
        }
        newest_first.find(|run| run.saves().any(|(_, key, _)| keys.contains(&key)))
    }

    /// Returns the keys of the entries that the judged run found.
    pub(crate) fn hit_keys(&self) -> Vec<&'a str> {
        self.judged.restoring().filter_map(|cache| cache.hit_key()).map(|(key, _)| key).collect()
    }

    /// Returns the run that saved what was restored, where it left far less in the build's mounts than the judged run
    /// needs, and both amounts.
    pub(crate) fn undersized_entry(&self) -> Option<(&RunView<'a>, u64, u64)> {
        let left = |run: &RunView<'a>| -> Option<u64> {
            let after = |mount: &ExpectedMount| Some(run.build?.sizes_of(&mount.target)?.after.as_ref()?.value);
            self.wanted().iter().map(after).try_fold(0, |sum: u64, after| Some(sum.saturating_add(after?)))
        };
        let restored =
            self.judged.restoring().any(|cache| cache.restored_bytes().is_some_and(|bytes| bytes >= EMPTY_ARCHIVE));
        let origin = self.origin().filter(|_| restored)?;
        let (before, now) = (left(origin)?, left(&self.judged)?);
        (before < now / 2).then_some((origin, before, now))
    }

    /// Tells whether the judged run missed although the run before it is known to have saved real data.
    pub(crate) fn missed_what_was_saved(&self) -> bool {
        let missed = self.judged.restoring().any(|cache| cache.missed().is_some());
        missed && self.origin().is_some_and(|origin| origin.saves().any(|(cache, _, _)| !cache.saved_empty()))
    }

    /// Returns an earlier run whose mounts had outlived the run before it. Where runners are not fresh, no later mount proves
    /// that anything was carried.
    fn warm_runner(&self) -> Option<&RunView<'a>> {
        self.earlier.iter().find(|run| run.was_warm())
    }

    /// Returns what an earlier cold run downloaded, where it named anything.
    pub(crate) fn cold_downloads(&self) -> Option<&'a [Seen<String>]> {
        let cold = self.earlier.iter().filter(|run| run.is_cold() == Some(true));
        cold.filter_map(|run| run.build).map(|build| build.downloads.as_slice()).find(|modules| !modules.is_empty())
    }

    /// Says why a mount that is full before the build proves nothing, where that is so.
    pub(crate) fn not_fresh(&self) -> Option<String> {
        if let Some(run) = self.warm_runner() {
            return Some(format!(
                "{} began with full mounts although it restored nothing: its runner was not fresh",
                run.name()
            ));
        }
        if let Some(shared) = self.judged.surrounding(Aspect::SharedEngine) {
            return Some(format!("{} may keep its builders, and so their mounts, from run to run", shared.value));
        }
        let danced = !self.judged.dances().is_empty();
        (!danced && self.judged.is_whole()).then(|| "no dance was seen that could have filled them".to_owned())
    }

    /// Tells whether a mount was seen to hold something after a build.
    pub(crate) fn was_filled(&self, mount: &ExpectedMount) -> bool {
        self.runs().any(|run| {
            let after = run.build.and_then(|build| build.sizes_of(&mount.target)?.after.as_ref());
            let records = run.evidence.records.iter().map(|record| &record.value);
            let mut records = records.filter(|record| same_target(&record.target, &mount.target));
            after.is_some_and(|after| after.value >= EMPTY_MOUNT) || records.any(|record| record.bytes >= EMPTY_MOUNT)
        })
    }

    /// Returns the cold run to compare times with: the first known to be cold that has a time, else any known to be cold.
    pub(crate) fn cold(&self) -> ColdRun<'_, 'a> {
        let all: Vec<&RunView<'a>> = self.earlier.iter().filter(|run| run.is_cold() == Some(true)).collect();
        let cold: Vec<&RunView<'a>> = all.iter().copied().filter(|run| !run.was_warmed_by_another_build()).collect();
        if cold.is_empty() && !all.is_empty() {
            return ColdRun::Warmed;
        }
        if let Some(run) = cold.iter().find(|run| run.build_time().is_some()).or(cold.first()) {
            return ColdRun::Run(run);
        }
        let all_warm = self.earlier.iter().all(|run| run.is_cold() == Some(false));
        if all_warm { ColdRun::None } else { ColdRun::Unknown }
    }

    /// Returns the runs whose saves matter to the judged run: the one it restores from, when what it restored is bad,
    /// and itself, oldest first.
    pub(crate) fn relevant_runs(&self) -> Vec<&RunView<'a>> {
        let restored_well =
            self.judged.restoring().any(|cache| cache.restored_bytes().is_some_and(|bytes| bytes >= EMPTY_ARCHIVE));
        let origin = self.origin().filter(|_| !restored_well && self.stage() == RunStage::Later);
        origin.into_iter().chain([&self.judged]).collect()
    }

    /// Returns what was not as it is in CI, in any run, with the lines that say so.
    pub(crate) fn stand_ins(&self) -> impl Iterator<Item = (String, Quote)> {
        let said = self.runs().flat_map(|run| &run.evidence.stand_ins);
        said.map(|seen| (seen.value.clone(), seen.quote.clone()))
    }

    /// Returns the dances whose code is not known and of which no line shows what they did. The lines of a real run show what a
    /// fork did, whosever it is; where they show none of it, nothing is known.
    pub(crate) fn unseen_forks(&self) -> Vec<(String, Quote)> {
        let shows = self.judged.carried(DancePhase::Inject).next().is_some()
            || self.judged.carried(DancePhase::Extract).next().is_some();
        let inputs = self.judged.dances().iter().filter_map(|dance| dance.inputs.as_ref());
        let unseen = inputs.filter(|inputs| !inputs.value.known && !shows).map(|inputs| {
            let text = format!("the code of `{}` is not known here, and no line shows what it did", inputs.value.uses);
            (text, inputs.quote.clone())
        });
        unseen.collect()
    }
}
