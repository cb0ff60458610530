//! Use: the build read what it found in the mounts.

use super::{Obligation, ObligationId, Proof, of_each_mount};
use std::time::Duration;

use crate::evidence::{BuildDoubt, Quote, TimeSource};
use crate::verify::view::{CaseView, ColdRun, ExpectedMount, MountKind};
use crate::verify::{CodePage, checks, seconds, size};

pub(super) const PAGE: CodePage = CodePage {
    what: "The compile itself was timed and was fast, and it read what the mounts held: no `-a`, no cleaning, no other GOCACHE.",
    why: "Full mounts that the build does not read save nothing.",
    example: "#9 2.4 real\t0m 2.11s\n#9 DONE 2.6s",
    fix: "Print the time of `go build` alone (`time go build …`), and let it use the mounts as they are.",
};

/// Reads the obligation for each Go cache mount.
pub(super) fn read(view: &CaseView) -> Vec<Obligation> {
    of_each_mount(ObligationId::Use, view, |mount| prove(view, mount))
}

fn prove(view: &CaseView, mount: &ExpectedMount) -> Proof {
    if let Some((reason, quote)) = doubt(view) {
        return Proof::missing(reason, vec![quote], "#9 2.4 real 0m 2.11s   (of a `time go build …` on these mounts)");
    }
    if let Some((before, after, quotes)) = outgrown(view, mount) {
        return Proof::missing(
            format!("the build filled {} anew: {} before it, {} after it", mount.target, size(before), size(after)),
            quotes,
            format!("#9 2.6 {}\t{}   (after the build, about as much as before it)", size(before), mount.target),
        );
    }
    if let Some((took, quote)) = unproven_time(view, mount) {
        return Proof::missing(
            format!(
                "{} may be the time of a small program's cold build: neither a cold run nor the size of {} after the build shows how \
                 little was compiled",
                seconds(took.as_secs_f64()),
                mount.target
            ),
            vec![quote],
            format!("#9 2.6 114M\t{}   (after the build, about as much as before it)", mount.target),
        );
    }
    match view.judged.build_time() {
        Some(time) => Proof::Shown(vec![time.quote.clone()]),
        None => Proof::missing("no time of a finished go build was seen", Vec::new(), "#9 2.4 real 0m 2.11s"),
    }
}

/// Finds what was seen against the build's having read its caches, or against its time.
fn doubt(view: &CaseView) -> Option<(String, Quote)> {
    let doubts = view.judged.build.iter().flat_map(|build| &build.doubts);
    let told = |doubt: &BuildDoubt| match doubt {
        BuildDoubt::CacheNotUsed { command } => Some(format!("`{command}` does not use what the caches hold")),
        BuildDoubt::TimeUnexplained { printed, took } => Some(format!(
            "the printed {} explains little of the {} that its step took, so it may be another command's",
            seconds(printed.as_secs_f64()),
            seconds(took.as_secs_f64())
        )),
        BuildDoubt::SpanUnexplained { known, span } => Some(format!(
            "between the proof lines before and after the build {} passed, and the steps seen there ran {}",
            seconds(span.as_secs_f64()),
            seconds(known.as_secs_f64())
        )),
        BuildDoubt::OtherCompile { vertex, took } if took.is_zero() => {
            Some(format!("another step may build the product, and failed: {vertex}"))
        }
        BuildDoubt::OtherCompile { vertex, took } => {
            Some(format!("another step may build the product, and took {}: {vertex}", seconds(took.as_secs_f64())))
        }
        _ => None,
    };
    doubts.into_iter().find_map(|doubt| Some((told(&doubt.value)?, doubt.quote.clone())))
}

/// Returns the sizes of a build cache that holds far more after the build than before it: what was carried did not fit.
fn outgrown(view: &CaseView, mount: &ExpectedMount) -> Option<(u64, u64, Vec<Quote>)> {
    let sizes = view.judged.build.filter(|_| mount.kind == MountKind::BuildCache)?.sizes_of(&mount.target)?;
    let (before, after) = (sizes.before.as_ref()?, sizes.after.as_ref()?);
    checks::outgrown(before.value, after.value)
        .then(|| (before.value, after.value, vec![before.quote.clone(), after.quote.clone()]))
}

/// Returns a time that may as well be that of a small program's cold build: nothing that was seen says how much it compiled.
fn unproven_time(view: &CaseView, mount: &ExpectedMount) -> Option<(Duration, Quote)> {
    let time = view.judged.build_time().filter(|_| mount.kind == MountKind::BuildCache)?;
    let compared = matches!(view.cold(), ColdRun::Run(run) if run.build_time().is_some());
    let sizes = view.judged.build.and_then(|build| build.sizes_of(&mount.target));
    let measured = sizes.is_some_and(|sizes| sizes.before.is_some() && sizes.after.is_some());
    let sure = compared || (measured && time.value.source == TimeSource::Printed);
    let long = time.value.took > view.thresholds.max_build_time / 2;
    (long && !sure).then(|| (time.value.took, time.quote.clone()))
}
