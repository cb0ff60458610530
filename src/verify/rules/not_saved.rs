//! There was something to save, and no entry was written.

use super::{Need, Rule, symptoms};
use crate::evidence::{NotSaved, Quote, SaveOutcome};
use crate::verify::code::{CodeDefinition, Effect};
use crate::verify::view::{CacheExt, CaseView, RunStage, RunView};
use crate::verify::{CheckId, Code, CodePage, Finding, Severity};

pub(super) const RULE: Rule = Rule { codes: &[Code::CacheNotSaved], needs: &[Need::Evidence], check };

/// `cache-not-saved`
pub(in crate::verify) const CACHE_NOT_SAVED: CodeDefinition = CodeDefinition {
    name: "cache-not-saved",
    check: CheckId::A,
    effect: Effect::LeavesNothing,
    suppresses: symptoms::MISSED,
    page: CodePage {
        what: "The run had something to save and actions/cache could not write the entry.",
        why: "The next run finds nothing, and a failed save never fails the job.",
        example: "Failed to save: Unable to reserve cache with key go-v1-…. More details: cache write denied: token has no writable scopes",
        fix: "Save from a trigger whose token may write (a push to the default branch), and look at the storage budget and limits.",
    },
};

fn check(view: &CaseView) -> Vec<Finding> {
    let missed = view.judged.restoring().any(|cache| cache.missed().is_some());
    let found = view.relevant_runs().into_iter().rev().find_map(|run| refused(view, run));
    let Some((run, quote, reason)) = found else { return Vec::new() };
    // A run that restored well and could not refresh the entry is not cold, and the next one will not be either.
    let severity = if missed { Severity::Error } else { Severity::Warning };
    vec![Finding::new(
        Code::CacheNotSaved,
        severity,
        format!("{} could not save: {reason}", run.name()),
        vec![quote.clone()],
        Code::CacheNotSaved.docs().fix,
    )]
}

fn refused<'v, 'a>(view: &CaseView, run: &'v RunView<'a>) -> Option<(&'v RunView<'a>, &'a Quote, String)> {
    run.caches.iter().filter_map(|cache| cache.save.as_ref()).find_map(|save| match &save.value {
        SaveOutcome::NotSaved(NotSaved::ReadOnly { reason } | NotSaved::Failed { reason }) => {
            Some((run, &save.quote, reason.clone()))
        }
        // "Another job may be creating this cache" hides every refusal; it counts once a later run misses.
        SaveOutcome::NotSaved(NotSaved::AlreadyExists { key })
            if run.number != view.judged.number && view.stage() == RunStage::Later =>
        {
            Some((run, &save.quote, format!("the service refused to reserve `{key}`")))
        }
        _ => None,
    })
}
