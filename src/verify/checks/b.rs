//! Check B: did cache-dance carry it? [`read`] is principal.
//!
//! It passes on what the dance is seen to do; every way to do it wrong is a rule's, and a rule's error fails this check.

use super::Reading;
use crate::evidence::{Cache, DancePhase, Quote};
use crate::verify::view::{CaseView, EMPTY_ARCHIVE, MountKind, MountMatch, RunView, covers, pair};
use crate::verify::{CheckStatus, size};

const THRESHOLD: &str =
    "data copied into the build's cache mounts before the build, and copied out before actions/cache saves";

/// Reads the check.
pub(crate) fn read(view: &CaseView) -> Reading {
    let judged = &view.judged;
    if judged.dances().is_empty() {
        return Reading::unobserved("no dance was seen", THRESHOLD);
    }
    let inject = match carries(judged, DancePhase::Inject) {
        Ok(evidence) => evidence,
        Err(missing) => return Reading::unobserved(missing, THRESHOLD),
    };
    let saver = if view.saves_of(judged).next().is_some() { Some(judged) } else { view.origin() };
    let Some(saver) = saver.filter(|run| view.saves_of(run).next().is_some()) else {
        return Reading::unobserved(
            "the copy into the mounts ran. To judge the rest, also pass the log of the run that saved this cache",
            THRESHOLD,
        )
        .resting_on(inject);
    };
    match saved_after_extract(view, saver) {
        Ok((observed, saved)) => {
            let extract = carries(saver, DancePhase::Extract).unwrap_or_default();
            let evidence = inject.into_iter().chain(extract).chain(saved).collect();
            Reading { status: CheckStatus::Pass, observed, threshold: THRESHOLD.to_owned(), evidence }
        }
        Err(missing) => Reading::unobserved(missing, THRESHOLD).resting_on(inject),
    }
}

/// Returns the lines that show that each Go mount of the build is carried in this phase, or what is missing.
fn carries(run: &RunView, phase: DancePhase) -> Result<Vec<Quote>, String> {
    let word = match phase {
        DancePhase::Inject => "inject",
        DancePhase::Extract => "extract",
    };
    let pairs = pair(run, phase);
    if pairs.is_empty() {
        return Err("the build's cache mounts were not seen".to_owned());
    }
    let mut evidence = Vec::new();
    for pairing in pairs {
        match pairing {
            MountMatch::Same(_, entry) => {
                evidence.push(entry.mount.quote.clone());
                evidence.extend(entry.tally.iter().map(|tally| tally.quote.clone()));
            }
            MountMatch::Other(mount, _) | MountMatch::None(mount) => {
                // A mount for something else than Go's caches need not be carried.
                if MountKind::in_build(run.build, &mount.target, mount.id.as_deref()) != MountKind::Other {
                    return Err(format!("no {word} into or out of {} was seen in {}", mount.target, run.name()));
                }
            }
        }
    }
    if evidence.is_empty() { Err(format!("no {word} of the build's mounts was seen")) } else { Ok(evidence) }
}

/// Returns what shows that this run extracted real data, to where it is saved, before it was saved.
fn saved_after_extract<'a>(view: &CaseView<'a>, run: &RunView<'a>) -> Result<(String, Vec<Quote>), String> {
    carries(run, DancePhase::Extract)?;
    let last_extract = run.carried(DancePhase::Extract).map(|entry| entry.mount.order).max().unwrap_or(usize::MAX);
    let mut evidence = Vec::new();
    let mut sum = 0u64;
    for (cache, _, quote) in view.saves_of(run) {
        let order = cache.save.as_ref().map_or(0, |save| save.order);
        let Some(bytes) = cache.save_size.as_ref().filter(|bytes| bytes.value >= EMPTY_ARCHIVE) else {
            return Err(format!("the size of what {} saved was not seen to be real", run.name()));
        };
        if order < last_extract {
            return Err(format!("in {} the save was not seen to follow the extract", run.name()));
        }
        if let Some(source) = run.sources().into_iter().find(|source| !is_saved(run, cache, source)) {
            return Err(format!("{source} was not seen to be among the saved paths"));
        }
        sum = sum.saturating_add(bytes.value);
        evidence.extend([quote.clone(), bytes.quote.clone()]);
    }
    Ok((format!("injected each mount; {} extracted, then saved {}", run.name(), size(sum)), evidence))
}

/// Tells whether any step of the run saves this directory; a step whose paths were not seen gets the benefit of the doubt.
fn is_saved(run: &RunView, cache: &Cache, source: &str) -> bool {
    let known = |cache: &Cache| {
        cache.inputs.as_ref().is_none_or(|inputs| inputs.value.paths.iter().any(|path| covers(path, source)))
    };
    known(cache) || run.caches.iter().any(|other| known(other))
}
