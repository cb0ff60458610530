//! Freshness: nothing else could have filled the mount in this job before it was measured.

use super::{Obligation, ObligationId, Proof, of_each_mount, proof};
use crate::evidence::{Aspect, BuildDoubt, DancePhase, same_target};
use crate::verify::view::{CaseView, ExpectedMount};
use crate::verify::{CodePage, seconds};

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
    of_each_mount(ObligationId::Freshness, view, |mount| prove(view, mount))
}

fn prove(view: &CaseView, mount: &ExpectedMount) -> Proof {
    const BOOTED: &str = "#1 creating container buildx_buildkit_… done";
    if let Some(why) = view.not_fresh() {
        return Proof::missing(why, Vec::new(), BOOTED);
    }
    if let Some(proof) = proof::against(ObligationId::Freshness, view, mount) {
        return proof;
    }
    if view.judged.unseen_builds {
        return Proof::missing(
            "another build of the job was not seen to its end",
            Vec::new(),
            "#9 DONE 2.1s (of each step of that build)",
        );
    }
    let against = filled_by_the_build(view, mount).or_else(|| hidden(view)).or_else(|| drawn(view));
    against.unwrap_or_else(|| {
        let injects = view.judged.carried(DancePhase::Inject).map(|entry| entry.mount.quote.clone());
        Proof::Shown(injects.chain(proof::stamps(view, mount)).collect())
    })
}

/// Another step of the build that worked on the mount before it was measured, or lines of a build that did not run here.
fn filled_by_the_build(view: &CaseView, mount: &ExpectedMount) -> Option<Proof> {
    view.judged.build?.doubts.iter().find_map(|doubt| {
        let (reason, would_show) = match &doubt.value {
            BuildDoubt::AtWork { target, vertex, took } if took.is_zero() && same_target(target, &mount.target) => (
                format!(
                    "another step was at work on {target} when its size was printed, and its end was not seen: `{}`",
                    short(vertex)
                ),
                "#7 DONE 0.4s (of that step)".to_owned(),
            ),
            BuildDoubt::AtWork { target, vertex, took } if same_target(target, &mount.target) => (
                format!(
                    "another step worked on {target} for {} before its size was printed: `{}`",
                    seconds(took.as_secs_f64()),
                    short(vertex)
                ),
                format!("#7 0.3 114M {target} (printed by the first step that mounts it)"),
            ),
            BuildDoubt::Replayed { claimed, seen } => (
                format!(
                    "the steps of this build say that they ran {}, and their lines were printed within {}: they are lines of an \
                     earlier build",
                    seconds(claimed.as_secs_f64()),
                    seconds(seen.as_secs_f64())
                ),
                "#0 building with \"default\" instance using docker driver (of a build that this job runs)".to_owned(),
            ),
            _ => return None,
        };
        Some(Proof::missing(reason, vec![doubt.quote.clone()], would_show))
    })
}

/// A step of the job that may have built, without a word of it, before the mounts were measured.
fn hidden(view: &CaseView) -> Option<Proof> {
    let measured = first_size(view);
    let hidden = view.judged.evidence.hidden.iter().find(|work| measured.is_none_or(|order| work.order < order))?;
    let took = hidden.value.took;
    let long = if took.is_zero() { String::new() } else { format!(", for {}", seconds(took.as_secs_f64())) };
    Some(Proof::missing(
        format!(
            "a step before the measured build may have built on the same mounts without showing it{long}: `{}`",
            short(&hidden.value.command)
        ),
        vec![hidden.quote.clone()],
        "#9 [build 4/4] RUN … (that build's own progress: `--progress=plain`, without `--quiet`)",
    ))
}

/// A build that was drawn for a terminal, before the mounts were measured: what its steps did is not in sight.
fn drawn(view: &CaseView) -> Option<Proof> {
    let drawn = view.judged.surrounding(Aspect::TerminalProgress)?;
    let before = first_size(view).is_none_or(|order| drawn.order < order);
    before.then(|| {
        Proof::missing(
            "a build before the measured one drew its progress for a terminal, which does not show what its steps did",
            vec![drawn.quote.clone()],
            "#9 [build 4/4] RUN … (with BUILDKIT_PROGRESS=plain)",
        )
    })
}

/// Where the first size before the judged build was printed.
fn first_size(view: &CaseView) -> Option<usize> {
    let sizes = view.judged.build.iter().flat_map(|build| &build.sizes);
    sizes.filter_map(|sizes| sizes.before.as_ref()).map(|before| before.order).min()
}

fn short(text: &str) -> String {
    let cut: String = text.chars().take(120).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}
