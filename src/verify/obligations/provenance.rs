//! Provenance: the content came by this run's inject from an entry that an earlier run had saved.

use super::{Obligation, ObligationId, Proof, of_each_mount, proof};
use crate::evidence::{DancePhase, Quote};
use crate::verify::CodePage;
use crate::verify::view::{CacheExt, CaseView, ExpectedMount};

pub(super) const PAGE: CodePage = CodePage {
    what: "actions/cache restored an entry that an earlier run had saved, and after that the dance of this run injected it.",
    why: "A mount that is full for another reason will be empty in the next job.",
    example: "Cache Size: ~118 MB (123731968 B)\nCache restored from key: go-v1-…",
    fix: "Give the log of a run that restored an entry, with the lines of the restore step in it.",
};

/// Reads the obligation for each Go cache mount.
pub(super) fn read(view: &CaseView) -> Vec<Obligation> {
    of_each_mount(ObligationId::Provenance, view, |mount| prove(view, mount))
}

fn prove(view: &CaseView, mount: &ExpectedMount) -> Proof {
    if let Some(proof) = proof::against(ObligationId::Provenance, view, mount) {
        return proof;
    }
    let restored: Vec<Quote> = view
        .judged
        .restoring()
        .filter(|cache| cache.restored_bytes().is_some())
        .flat_map(|cache| cache.restore_quotes())
        .collect();
    if restored.is_empty() {
        return Proof::missing("no entry was seen to be restored", Vec::new(), "Cache restored from key: go-v1-…");
    }
    // The first versions inject in a step of their own, which prints nothing of what it copies.
    let own_step = view.judged.evidence.steps.iter().filter(|step| step.name.contains("cache-dance/inject@"));
    let own_step = own_step.map(|step| step.started.quote.clone());
    let carried = view.judged.carried(DancePhase::Inject).map(|entry| entry.mount.quote.clone());
    let injected: Vec<Quote> = carried.chain(own_step).chain(proof::stamps(view, mount)).collect();
    if injected.is_empty() {
        return Proof::missing(
            "no inject of the dance was seen",
            restored,
            "RUN --mount=type=cache,target=/go/pkg/mod … (of the dance's main step)",
        );
    }
    let mut quotes: Vec<Quote> = Vec::new();
    for quote in restored.into_iter().chain(injected).chain(proof::shown(view, mount)) {
        if !quotes.contains(&quote) {
            quotes.push(quote);
        }
    }
    Proof::Shown(quotes)
}
