//! Freshness: nothing else could have filled the mount in this job before it was measured.

use super::{Obligation, ObligationId, Proof, of_each_mount};
use crate::evidence::DancePhase;
use crate::verify::CodePage;
use crate::verify::view::CaseView;

pub(super) const PAGE: CodePage = CodePage {
    what: "The builder began this job with empty cache mounts, and nothing but the dance worked on them before they were measured: \
           no other build, seen or hidden.",
    why: "On a builder that keeps its mounts, or after another build of the job, a full mount is no proof that anything was carried.",
    example: "#1 booting buildkit\n#1 creating container buildx_buildkit_builder-1f0c0 0.6s done   (of docker/setup-buildx-action)",
    fix: "Judge a job on a runner of GitHub's own whose builder is made by docker/setup-buildx-action, and let the measured build be \
          the first one of the job.",
};

/// Reads the obligation for each Go cache mount.
pub(super) fn read(view: &CaseView) -> Vec<Obligation> {
    of_each_mount(ObligationId::Freshness, view, |_| prove(view))
}

fn prove(view: &CaseView) -> Proof {
    const BOOTED: &str = "#1 creating container buildx_buildkit_… done";
    if let Some(why) = view.not_fresh() {
        return Proof::missing(why, Vec::new(), BOOTED);
    }
    if view.judged.unseen_builds {
        return Proof::missing(
            "another build of the job was not seen to its end",
            Vec::new(),
            "#9 DONE 2.1s (of each step of that build)",
        );
    }
    Proof::Shown(view.judged.carried(DancePhase::Inject).map(|entry| entry.mount.quote.clone()).collect())
}
