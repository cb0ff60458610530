//! Check C3: are modules downloaded again? [`read`] is principal.
//!
//! Seeing no download passes only where the compiling step ran, was seen to its end, and printed something: then it
//! would have printed a download too.

use super::{Reading, outgrown};
use crate::evidence::{Build, Lookup, MountSizes, TimeSource};
use crate::verify::CheckStatus;
use crate::verify::view::{CacheExt, CaseView, EMPTY_MOUNT, MountKind, RunStage};

/// Reads the check.
pub(crate) fn read(view: &CaseView) -> Reading {
    // Of few modules a few are many: no more than a quarter of what the cold run downloaded, whatever the flag allows.
    let cold = view.cold_downloads().map(<[_]>::len);
    let most = view.thresholds.max_downloads.min(cold.map_or(usize::MAX, |cold| cold / 4));
    let threshold = match cold.filter(|_| most < view.thresholds.max_downloads) {
        Some(cold) => format!("at most {most} of the {cold} of the cold run"),
        None => format!("at most {most}"),
    };
    let Some(build) = view.judged.build else {
        return Reading::unobserved("no build was seen", threshold);
    };
    let count = again(view, build);
    let new = build.downloads.len() - count;
    let observed = match (count, new) {
        (1, 0) => "1 module downloaded".to_owned(),
        (_, 0) => format!("{count} modules downloaded"),
        (_, new) => format!("{count} modules downloaded again, {new} for the first time"),
    };
    let lines = build.downloads.iter().take(3).map(|module| module.quote.clone()).collect();
    if view.stage() == RunStage::First {
        return Reading::unobserved(format!("{observed}, as it may be on a first run"), threshold).resting_on(lines);
    }
    // Another key than the one asked for may be of an older go.sum, which did not name all these.
    let older = view.judged.restoring().any(|cache| match cache.lookup.as_ref().map(|lookup| &lookup.value) {
        Some(Lookup::Partial { .. }) => true,
        Some(Lookup::Hit { .. }) => cache.hit_primary().is_none(),
        _ => false,
    });
    if count <= most && new > most && !older {
        return Reading::unobserved(observed, threshold).resting_on(lines);
    }
    if count > most {
        let named = view.cold_downloads().is_some();
        let fails = view.stage() == RunStage::Later && (named || !older || module_mount_is_empty(view, build));
        let status = if fails { CheckStatus::Fail } else { CheckStatus::Unobserved };
        return Reading { status, observed, threshold, evidence: lines };
    }
    if let Some(fetched) = &build.fetched {
        let observed = format!("{observed}, and a step without a module mount fetched its own");
        return Reading::unobserved(observed, threshold).resting_on(vec![fetched.quote.clone()]);
    }
    let Some(build) = view.judged.finished_build().filter(|build| prints(build)) else {
        return Reading::unobserved("a finished step that would print downloads was not seen", threshold)
            .resting_on(lines);
    };
    if let Some(cut) = &view.judged.evidence.truncated {
        let observed = format!("{observed}, as far as was seen: a later build may follow where it breaks off");
        return Reading::unobserved(observed, threshold).resting_on(vec![cut.clone()]);
    }
    if let Some(target) = filled_unseen(view, build) {
        let observed = format!("no download was printed, but {target} was filled by the build");
        return Reading::unobserved(observed, threshold).resting_on(lines);
    }
    let ended = build.step_ended.iter().map(|ended| ended.quote.clone()).collect();
    Reading { status: CheckStatus::Pass, observed, threshold, evidence: ended }
}

/// Counts the downloads of modules that an earlier cold run had downloaded, too; all of them, where none was seen or the
/// module mount was empty.
fn again(view: &CaseView, build: &Build) -> usize {
    let known = view.cold_downloads().filter(|_| !module_mount_is_empty(view, build));
    let Some(known) = known else { return build.downloads.len() };
    build.downloads.iter().filter(|module| known.iter().any(|earlier| earlier.value == module.value)).count()
}

fn module_mount_is_empty(view: &CaseView, build: &Build) -> bool {
    module_sizes(view, build).any(|sizes| sizes.before.as_ref().is_some_and(|before| before.value < EMPTY_MOUNT))
}

/// Returns the module mount that was filled without a word, as by `go mod download`, which names no module that it
/// downloads (`cmd/go/internal/modfetch`).
fn filled_unseen<'b>(view: &CaseView, build: &'b Build) -> Option<&'b str> {
    let filled = |sizes: &&MountSizes| match (&sizes.before, &sizes.after) {
        (Some(before), Some(after)) => after.value >= EMPTY_MOUNT && outgrown(before.value, after.value),
        _ => false,
    };
    module_sizes(view, build).find(filled).map(|sizes| sizes.target.as_str())
}

fn module_sizes<'b>(view: &CaseView, build: &'b Build) -> impl Iterator<Item = &'b MountSizes> {
    let modules = view.wanted().into_iter().filter(|mount| mount.kind == MountKind::Modules);
    modules.filter_map(|mount| build.sizes_of(&mount.target))
}

/// Tells whether anything the step printed was seen.
fn prints(build: &Build) -> bool {
    let printed_time = build.time.as_ref().is_some_and(|time| time.value.source == TimeSource::Printed);
    printed_time || !build.sizes.is_empty() || !build.downloads.is_empty()
}
