//! Inject did not put into the cache mounts what was restored.

use super::{Need, Rule};
use crate::evidence::{DancePhase, Quote, Tally};
use crate::verify::view::{CacheExt, EMPTY_ARCHIVE, Run, View};
use crate::verify::{Code, Finding};

pub(super) const RULE: Rule = Rule { codes: &[Code::InjectFailed, Code::InjectEmpty], needs: &[Need::Evidence], check };

fn check(view: &View) -> Vec<Finding> {
    let run = &view.judged;
    let failures: Vec<_> = run.dances().iter().flat_map(|dance| &dance.failures).collect();
    let failed: Vec<Quote> = failures
        .into_iter()
        .filter(|failure| failure.value.0 == DancePhase::Inject)
        .map(|failure| failure.quote.clone())
        .collect();
    if !failed.is_empty() {
        return vec![Finding::error(
            Code::InjectFailed,
            "a copy into a cache mount failed, and the action went on as if nothing had happened",
            failed,
            "Read the message: remove `ro` from the cache map's entry, free disk space, or use a `utility-image` that has the copy program.",
        )];
    }
    empty(view, run).into_iter().collect()
}

/// Reports an inject that found nothing where data was restored. Only a live run measures it.
fn empty(view: &View, run: &Run) -> Option<Finding> {
    let restored = run.restoring().find(|cache| cache.restored_bytes().is_some_and(|bytes| bytes >= EMPTY_ARCHIVE))?;
    let moved: Vec<(&str, Tally, &Quote)> = run
        .carried(DancePhase::Inject)
        .filter_map(|entry| {
            let tally = entry.tally.as_ref()?;
            Some((entry.source.as_deref().unwrap_or_default(), tally.value, &tally.quote))
        })
        .collect();
    let all_empty = !moved.is_empty() && moved.iter().all(|(_, tally, _)| tally.files == 0);
    let left_something = |source: &str| {
        view.origin().into_iter().flat_map(|origin| origin.carried(DancePhase::Extract)).any(|entry| {
            entry.source.as_deref() == Some(source) && entry.tally.as_ref().is_some_and(|tally| tally.value.files > 0)
        })
    };
    let (source, _, quote) =
        moved.iter().find(|(source, tally, _)| tally.files == 0 && (all_empty || left_something(source)))?;
    let mut evidence = restored.restore_quotes();
    evidence.push((*quote).clone());
    Some(Finding::error(
        Code::InjectEmpty,
        format!("data was restored, and inject found nothing in `{source}`"),
        evidence,
        format!("Let actions/cache restore into `{source}`: compare its `path` with the left side of the cache map."),
    ))
}
