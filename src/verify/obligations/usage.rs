//! Use: the build read what it found in the mounts.

use super::{Obligation, ObligationId, Proof, of_each_mount};
use crate::verify::CodePage;
use crate::verify::view::CaseView;

pub(super) const PAGE: CodePage = CodePage {
    what: "The compile itself was timed and was fast, and it read what the mounts held: no `-a`, no cleaning, no other GOCACHE.",
    why: "Full mounts that the build does not read save nothing.",
    example: "#9 2.4 real\t0m 2.11s\n#9 DONE 2.6s",
    fix: "Print the time of `go build` alone (`time go build …`), and let it use the mounts as they are.",
};

/// Reads the obligation for each Go cache mount.
pub(super) fn read(view: &CaseView) -> Vec<Obligation> {
    of_each_mount(ObligationId::Use, view, |_| prove(view))
}

fn prove(view: &CaseView) -> Proof {
    match view.judged.build_time() {
        Some(time) => Proof::Shown(vec![time.quote.clone()]),
        None => Proof::missing("no time of a finished go build was seen", Vec::new(), "#9 2.4 real 0m 2.11s"),
    }
}
