//! What was seen against an obligation that would be shown otherwise. [`against`] is principal.
//!
//! One place turns what a build and its job show against their own numbers into a missing obligation, in words and with
//! the line that would settle it.

use super::ObligationId;
use crate::evidence::{Aspect, BuildDoubt, Quote, Seen, same_target};
use crate::verify::view::{CaseView, ExpectedMount};
use crate::verify::{seconds, size};

/// How many times as large as before the build cache may be after it, where it was carried whole.
const GROWN: f64 = 1.5;

/// Below this growth, in bytes, a build cache counts as the same.
const GROWTH: u64 = 64 << 20;

/// A reason why an obligation is not shown.
pub(super) struct Against {
    pub(super) reason: String,
    pub(super) evidence: Vec<Quote>,
    pub(super) would_show: String,
}

/// Returns what was seen against one obligation, of one mount or of the job.
pub(super) fn against(view: &CaseView, id: ObligationId, mount: Option<&str>) -> Option<Against> {
    let of_build = view.judged.build.iter().flat_map(|build| &build.doubts);
    let mut doubts = of_build.filter(|doubt| about(&doubt.value) == id && concerns(&doubt.value, mount));
    if let Some(doubt) = doubts.next() {
        let (reason, would_show) = words(&doubt.value);
        return Some(Against { reason, evidence: vec![doubt.quote.clone()], would_show });
    }
    match id {
        ObligationId::Freshness => hidden(view).or_else(|| drawn(view)),
        ObligationId::Use => mount.and_then(|mount| grown(view, mount)),
        _ => None,
    }
}

/// Says which obligation a doubt stands against.
fn about(doubt: &BuildDoubt) -> ObligationId {
    match doubt {
        BuildDoubt::MeasuredLate { .. } => ObligationId::BeforeMeansBefore,
        BuildDoubt::AtWork { .. } | BuildDoubt::Replayed { .. } => ObligationId::Freshness,
        BuildDoubt::SeededFrom { .. } | BuildDoubt::OtherCacheMeasured { .. } => ObligationId::Identity,
        BuildDoubt::CacheNotUsed { .. } | BuildDoubt::TimeUnexplained { .. } | BuildDoubt::OtherCompile { .. } => {
            ObligationId::Use
        }
    }
}

/// Tells whether a doubt is about this mount, or about the build as a whole.
fn concerns(doubt: &BuildDoubt, mount: Option<&str>) -> bool {
    doubt.target().zip(mount).is_none_or(|(target, mount)| same_target(target, mount))
}

/// Says what a doubt means, and which line would settle it.
fn words(doubt: &BuildDoubt) -> (String, String) {
    match doubt {
        BuildDoubt::MeasuredLate { target, after } => (
            format!(
                "the size of {target} was printed {} after its step had begun: what ran before it may have filled the mount",
                seconds(after.as_secs_f64())
            ),
            format!("#9 0.3 114M {target} (printed first in its step)"),
        ),
        BuildDoubt::AtWork { target, vertex, took } => (
            format!(
                "another step worked on {target} for {} before its size was printed: `{}`",
                seconds(took.as_secs_f64()),
                short(vertex)
            ),
            format!("#7 0.3 114M {target} (printed by the first step that mounts it)"),
        ),
        BuildDoubt::Replayed { claimed, seen } => (
            format!(
                "the steps of this build say that they ran {}, and their lines were printed within {}: they are lines of an earlier build",
                seconds(claimed.as_secs_f64()),
                seconds(seen.as_secs_f64())
            ),
            "#0 building with \"default\" instance using docker driver (of a build that this job runs)".to_owned(),
        ),
        BuildDoubt::SeededFrom { target, from } => (
            format!(
                "the mount {target} begins with the contents of `{from}` (`from=`), so it is another cache than the dance's"
            ),
            format!("RUN --mount=type=cache,target={target} (without `from=`)"),
        ),
        BuildDoubt::OtherCacheMeasured { target } => (
            format!(
                "the size of {target} was printed by a step that mounts another cache there than the one that compiles"
            ),
            format!("#9 0.3 114M {target} (printed by the step that compiles)"),
        ),
        BuildDoubt::CacheNotUsed { command } => (
            format!(
                "the command does not use what the caches hold, empties them, or keeps its cache elsewhere: `{}`",
                short(command)
            ),
            "go build … (without `-a`, without `go clean`, with GOCACHE and GOMODCACHE in the mounts)".to_owned(),
        ),
        BuildDoubt::TimeUnexplained { printed, took } => (
            format!(
                "the printed time is {} and its step took {}: nothing shows that the time is that of go build",
                seconds(printed.as_secs_f64()),
                seconds(took.as_secs_f64())
            ),
            "real 0m 2.11s (printed by `time go build …`)".to_owned(),
        ),
        BuildDoubt::OtherCompile { vertex, took } => (
            format!(
                "another step, which may build the product, took {}: `{}`",
                seconds(took.as_secs_f64()),
                short(vertex)
            ),
            "#9 DONE 2.6s (of that step)".to_owned(),
        ),
    }
}

/// A step of the job that may have built, without a word of it, before the mounts were measured.
fn hidden(view: &CaseView) -> Option<Against> {
    let measured = first_size(view);
    let hidden = view.judged.evidence.hidden.iter().find(|work| measured.is_none_or(|order| work.order < order))?;
    Some(Against {
        reason: format!(
            "a step before the measured build may have built on the same mounts without showing it, for {}: `{}`",
            seconds(hidden.value.took.as_secs_f64()),
            short(&hidden.value.command)
        ),
        evidence: vec![hidden.quote.clone()],
        would_show: "#9 [build 4/4] RUN … (that build's own progress: `--progress=plain`, without `--quiet`)"
            .to_owned(),
    })
}

/// A build that was drawn for a terminal, before the mounts were measured: what its steps did is not in sight.
fn drawn(view: &CaseView) -> Option<Against> {
    let drawn = view.judged.surrounding(Aspect::TerminalProgress)?;
    let before = first_size(view).is_none_or(|order| drawn.order < order);
    before.then(|| Against {
        reason:
            "a build before the measured one drew its progress for a terminal, which does not show what its steps did"
                .to_owned(),
        evidence: vec![drawn.quote.clone()],
        would_show: "#9 [build 4/4] RUN … (with BUILDKIT_PROGRESS=plain)".to_owned(),
    })
}

/// Where the first size before the judged build was printed.
fn first_size(view: &CaseView) -> Option<usize> {
    let sizes = view.judged.build.iter().flat_map(|build| &build.sizes);
    sizes.filter_map(|sizes| sizes.before.as_ref()).map(|before| before.order).min()
}

/// A build cache that was much larger after the build than before it: what was carried did not fit, and was made anew.
fn grown(view: &CaseView, mount: &str) -> Option<Against> {
    let wanted = view.wanted();
    wanted.iter().find(|known| known.target == mount && is_build_cache(known))?;
    let sizes = view.judged.build?.sizes_of(mount)?;
    let (before, after): (&Seen<u64>, &Seen<u64>) = (sizes.before.as_ref()?, sizes.after.as_ref()?);
    let much = after.value as f64 > before.value as f64 * GROWN && after.value.saturating_sub(before.value) > GROWTH;
    much.then(|| Against {
        reason: format!(
            "{mount} grew from {} to {} in this build: most of it was compiled again, so what was carried did not serve",
            size(before.value),
            size(after.value)
        ),
        evidence: vec![before.quote.clone(), after.quote.clone()],
        would_show: format!("#9 2.9 115M {mount} (after the build, and about as large as before it)"),
    })
}

fn is_build_cache(mount: &ExpectedMount) -> bool {
    mount.kind == crate::verify::view::MountKind::BuildCache
}

fn short(text: &str) -> String {
    let cut: String = text.chars().take(120).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}
