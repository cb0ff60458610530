//! Reproduction: all that matters ran as it does in CI.

use super::{Obligation, ObligationId, Proof};
use crate::verify::CodePage;
use crate::verify::view::CaseView;

pub(super) const PAGE: CodePage = CodePage {
    what: "Every step that may matter to the caches was run, and each dance by its own code. A log of CI always shows this; a simulated run \
           only where nothing stood in for what CI runs.",
    why: "A step that was left out may fill, move or empty what is carried, and another fork may copy otherwise; so neither success nor \
          failure here says anything about CI.",
    example: "verify-buildkit-cache: not as in CI: the code of `somebody/buildkit-cache-dance@v3` (ci.yml:20) is not known here",
    fix: "Judge the logs of real runs with `logs`, or say what is known: `--dance-as upstream@v3.3.2` for a fork that does the same, \
          `--leave-out STEP` for a step without effect on the caches.",
};

/// Reads the obligation, once for each thing that was not as in CI.
pub(super) fn read(view: &CaseView) -> Vec<Obligation> {
    let mut missing: Vec<Obligation> = Vec::new();
    for (reason, quote) in view.stand_ins().chain(view.unseen_forks()) {
        if missing.iter().all(|known| known.reason != reason) {
            let would_show = "the log of a real run, given to `logs`";
            missing.push(Proof::missing(reason, vec![quote], would_show).of(ObligationId::Reproduction, None));
        }
    }
    missing
}
