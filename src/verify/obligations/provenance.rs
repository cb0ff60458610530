//! Provenance: the content came by this run's inject from an entry that an earlier run had saved.

use super::{Obligation, ObligationId, Proof, of_each_mount};
use crate::evidence::{DancePhase, Quote};
use crate::verify::CodePage;
use crate::verify::view::{CacheExt, CaseView};

pub(super) const PAGE: CodePage = CodePage {
    what: "actions/cache restored an entry that an earlier run had saved, and after that the dance of this run injected it.",
    why: "A mount that is full for another reason will be empty in the next job.",
    example: "Cache Size: ~118 MB (123731968 B)\nCache restored from key: go-v1-…",
    fix: "Give the log of a run that restored an entry, with the lines of the restore step in it.",
};

/// Reads the obligation for each Go cache mount.
pub(super) fn read(view: &CaseView) -> Vec<Obligation> {
    of_each_mount(ObligationId::Provenance, view, |_| prove(view))
}

fn prove(view: &CaseView) -> Proof {
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
    let injected: Vec<Quote> = carried.chain(own_step).collect();
    if injected.is_empty() {
        return Proof::missing(
            "no inject of the dance was seen",
            restored,
            "RUN --mount=type=cache,target=/go/pkg/mod … (of the dance's main step)",
        );
    }
    Proof::Shown(restored.into_iter().chain(injected).collect())
}
