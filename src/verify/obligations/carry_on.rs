//! Carry on: what the run should have extracted and saved, it did.

use super::{Obligation, ObligationId, Proof};
use crate::evidence::{DancePhase, Quote};
use crate::verify::CodePage;
use crate::verify::view::CaseView;

pub(super) const PAGE: CodePage = CodePage {
    what: "Where the run was to save what it had built, its dance extracted it and nothing in the post steps failed.",
    why: "A run that reads well and leaves nothing behind makes the next one cold.",
    example: "Cache saved with key: go-v1-…",
    fix: "Give the log to its end, with the post steps in it; mend the post step that failed.",
};

/// Reads the obligation for the job.
pub(super) fn read(view: &CaseView) -> Vec<Obligation> {
    vec![prove(view).of(ObligationId::CarryOn, None)]
}

fn prove(view: &CaseView) -> Proof {
    let failures: Vec<Quote> = view
        .judged
        .dances()
        .iter()
        .flat_map(|dance| &dance.failures)
        .filter(|failure| failure.value.0 == DancePhase::Extract)
        .map(|failure| failure.quote.clone())
        .collect();
    if !failures.is_empty() {
        return Proof::missing("the extract failed", failures, "Cache saved with key: go-v1-…");
    }
    let saves = view.judged.caches.iter().filter_map(|cache| cache.save.as_ref());
    Proof::Shown(saves.map(|save| save.quote.clone()).collect())
}
