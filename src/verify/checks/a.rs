//! Check A: did actions/cache restore something real? [`read`] is principal.

use super::alone::{OwnProof, alone};
use super::{Reading, judged};
use crate::evidence::{Cache, Lookup, Quote};
use crate::verify::view::{CacheExt, CaseView, EMPTY_ARCHIVE, RunStage, RunView};
use crate::verify::{CheckStatus, Profile, size};

/// Reads the check.
pub(crate) fn read(view: &CaseView) -> Reading {
    let floor = floor(view);
    let threshold = floor.words.clone();
    let caches: Vec<&Cache> = view.restoring().collect();
    if caches.is_empty() {
        return Reading::unobserved("no actions/cache step was seen to restore", threshold);
    }
    let fail = |observed: String, evidence: Vec<Quote>| Reading {
        status: CheckStatus::Fail,
        observed,
        threshold: threshold.clone(),
        evidence,
    };
    for cache in &caches {
        if let Some(failed) = &cache.restore_failed {
            return fail("the restore failed".into(), vec![failed.quote.clone()]);
        }
        if let Some(Lookup::LookupOnly { .. }) = cache.lookup.as_ref().map(|lookup| &lookup.value) {
            return fail("found and not restored (lookup only)".into(), lookup_quote(cache));
        }
        if let Some(bytes) = cache.restored_bytes().filter(|bytes| *bytes < EMPTY_ARCHIVE) {
            return fail(
                format!("restored an empty archive: {} (GitHub's log says \"~0 MB\")", size(bytes)),
                cache.restore_quotes(),
            );
        }
    }
    for cache in &caches {
        if let Some(miss) = cache.missed() {
            return match view.stage() {
                RunStage::Later => fail(found_none(view), vec![miss.clone()]),
                _ => Reading::unobserved("nothing found, as it must be on a first run", threshold)
                    .resting_on(vec![miss.clone()]),
            };
        }
    }
    let mut sum = 0u64;
    let mut evidence = Vec::new();
    for cache in &caches {
        let Some(bytes) = cache.restored_bytes() else {
            let observed = match cache.hit_key() {
                Some(_) => "a hit whose size, or whose end, was not seen",
                None => "the answer of the lookup was not seen",
            };
            return Reading::unobserved(observed, threshold).resting_on(cache.restore_quotes());
        };
        sum = sum.saturating_add(bytes);
        evidence.extend(cache.restore_quotes());
    }
    let exact = if caches.iter().all(|cache| cache.hit_exactly()) { "hit" } else { "partial hit" };
    let observed = format!("restored {} ({exact})", size(sum));
    let own = if sum < floor.bytes && !floor.compared { Some(alone(view)) } else { None };
    let enough = sum >= floor.bytes || own == Some(OwnProof::Carried);
    // A few lines without the step that printed them may be anybody's: a text that quotes a run, or another run.
    if enough && caches.iter().any(|cache| cache.step.is_none()) {
        let observed = format!("{observed}; the step that restored it was not seen");
        return Reading::unobserved(observed, threshold).resting_on(evidence);
    }
    match own {
        Some(OwnProof::Carried) => Reading {
            status: CheckStatus::Pass,
            observed: format!("{observed}, and the build found all that it needs"),
            threshold: format!("{threshold}, or all that a small build needs"),
            evidence,
        },
        // Beside an earlier run that says nothing of this entry, little shows no loss.
        Some(OwnProof::Lost) if view.earlier.is_empty() => fail(observed, evidence),
        Some(_) => {
            let observed = format!("{observed}; whether that is all was not seen");
            Reading::unobserved(observed, threshold).resting_on(evidence)
        }
        None => Reading { status: judged(enough), observed, threshold, evidence },
    }
}

/// Returns the least that counts as restored, in bytes, where that is known.
pub(crate) fn least(view: &CaseView) -> Option<u64> {
    let floor = floor(view);
    floor.compared.then_some(floor.bytes)
}

/// The least that counts as restored.
struct RestoreFloor {
    bytes: u64,
    words: String,
    /// It is what the run must meet: the checklist's number, or what an earlier run saved. Otherwise it is a number for
    /// projects of the usual size.
    compared: bool,
}

/// Says that nothing was found where something was due, and which run had saved it, where that was seen.
fn found_none(view: &CaseView) -> String {
    match view.origin().filter(|_| view.missed_what_was_saved()) {
        Some(origin) => format!("no cache was found, although {} saved one", origin.name()),
        None => "no cache was found, although one was expected".to_owned(),
    }
}

/// Finds the least that counts: a share of what an earlier run saved, or else the checklist's number.
fn floor(view: &CaseView) -> RestoreFloor {
    let absolute = view.thresholds.min_restore;
    let compared = if view.profile == Profile::Checklist { None } else { saved_before(view) };
    compared.unwrap_or_else(|| RestoreFloor {
        bytes: absolute.max(EMPTY_ARCHIVE),
        words: format!("at least {}", size(absolute)),
        compared: view.profile == Profile::Checklist,
    })
}

/// Returns what an earlier run shows of the entry that was restored.
fn saved_before(view: &CaseView) -> Option<RestoreFloor> {
    let origin = view.origin().filter(|origin| view.saves_of(origin).next().is_some());
    let (name, bytes) = match origin {
        Some(origin) => {
            let sizes: Option<Vec<u64>> =
                view.saves_of(origin).map(|(cache, _, _)| cache.save_size.as_ref().map(|size| size.value)).collect();
            (origin.name(), sizes?.into_iter().fold(0, u64::saturating_add))
        }
        // The entry was saved before the runs at hand: an earlier restore of it is the next best witness.
        None => {
            let keys = view.hit_keys();
            let same = |cache: &&Cache| cache.hit_key().is_some_and(|(key, _)| keys.contains(&key));
            let restored =
                |run: &RunView| run.restoring().filter(same).filter_map(|cache| cache.restored_bytes()).max();
            view.earlier.iter().filter_map(|run| Some((run.name(), restored(run)?))).max_by_key(|(_, bytes)| *bytes)?
        }
    };
    let share = view.thresholds.min_carried_ratio;
    let least = (bytes as f64 * share) as u64;
    if least < EMPTY_ARCHIVE {
        let words = "more than an empty archive".to_owned();
        return Some(RestoreFloor { bytes: EMPTY_ARCHIVE, words, compared: true });
    }
    Some(RestoreFloor {
        bytes: least,
        words: format!("at least {:.0} % of the {} of {name}", share * 100.0, size(bytes)),
        compared: true,
    })
}

fn lookup_quote(cache: &Cache) -> Vec<Quote> {
    cache.lookup.iter().map(|lookup| lookup.quote.clone()).collect()
}
