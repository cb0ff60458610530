//! Check C1: are the cache mounts large before the build? [`read`] is principal, [`mounts`] its numbers.

use super::Reading;
use crate::evidence::{Seen, same_target};
use crate::verify::view::{CaseView, EMPTY_MOUNT, ExpectedMount, MountKind, RunStage};
use crate::verify::{CheckStatus, Profile, size};

/// One mount before the build.
#[derive(Debug, Clone)]
pub(crate) struct MountReading {
    /// Which mount.
    pub(crate) mount: ExpectedMount,
    /// Its size before the build, if printed.
    pub(crate) before: Option<Seen<u64>>,
    /// The least it should hold, if known, and in words.
    pub(crate) floor: Option<(u64, String)>,
    /// The answer.
    pub(crate) status: CheckStatus,
}

impl MountReading {
    /// Tells whether the mount was seen to hold nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.before.as_ref().is_some_and(|before| before.value < EMPTY_MOUNT)
    }
}

/// Reads the check.
pub(crate) fn read(view: &CaseView) -> Reading {
    let readings = mounts(view);
    let threshold =
        match readings.iter().filter_map(|reading| reading.floor.clone()).map(|(_, words)| words).collect::<Vec<_>>() {
            words if words.is_empty() => "as large as they were left".to_owned(),
            words => words.join(" and "),
        };
    let mut observed: Vec<String> = readings
        .iter()
        .map(|reading| match &reading.before {
            Some(before) => format!("{} {}", reading.mount.target, size(before.value)),
            None => format!("{} not printed", reading.mount.target),
        })
        .collect();
    let mut status = combined(&readings);
    let kinds: Vec<MountKind> = readings.iter().map(|reading| reading.mount.kind).collect();
    let alone = match (kinds.contains(&MountKind::Modules), kinds.contains(&MountKind::BuildCache)) {
        (true, false) => Some("build cache"),
        (false, true) => Some("module"),
        _ => None,
    };
    if let Some(other) = alone {
        if view.mounts_are_listed() {
            observed.push(format!("there is no {other} mount"));
        } else {
            observed.push(format!("whether there is a {other} mount was not seen"));
            if status == CheckStatus::Pass {
                status = CheckStatus::Unobserved;
            }
        }
    }
    observed.extend(view.not_fresh().filter(|_| !observed.is_empty()));
    if view.stage() == RunStage::First && !observed.is_empty() {
        observed.push("as it must be on a first run".to_owned());
    }
    let observed =
        if observed.is_empty() { "no size of a cache mount was seen".to_owned() } else { observed.join(", ") };
    let evidence = readings.into_iter().filter_map(|reading| reading.before).map(|before| before.quote).collect();
    Reading { status, observed, threshold, evidence }
}

fn combined(readings: &[MountReading]) -> CheckStatus {
    if readings.iter().any(|reading| reading.status == CheckStatus::Fail) {
        CheckStatus::Fail
    } else if readings.is_empty() || readings.iter().any(|reading| reading.status == CheckStatus::Unobserved) {
        CheckStatus::Unobserved
    } else {
        CheckStatus::Pass
    }
}

/// Reads each mount that matters.
pub(crate) fn mounts(view: &CaseView) -> Vec<MountReading> {
    let cached = view.judged.build.is_some_and(|build| build.cached.is_some()) || view.judged.unseen_builds;
    let (stage, warm) = (view.stage(), view.not_fresh().is_some());
    let read = |mount: ExpectedMount| {
        let before = view.judged.build.and_then(|build| build.sizes_of(&mount.target)?.before.clone());
        let floor = floor(view, &mount);
        let status = match (&before, &floor) {
            (Some(before), _) if before.value < EMPTY_MOUNT && stage == RunStage::Later && !cached => CheckStatus::Fail,
            (Some(before), Some((floor, _))) if !cached => {
                match before.value >= (*floor).max(EMPTY_MOUNT) {
                    // On a first run a large mount proves a warm runner, not a carried cache.
                    true if stage == RunStage::First || warm || hidden(view, &mount) => CheckStatus::Unobserved,
                    true => CheckStatus::Pass,
                    false if stage == RunStage::Later => CheckStatus::Fail,
                    false => CheckStatus::Unobserved,
                }
            }
            _ => CheckStatus::Unobserved,
        };
        MountReading { mount, before, floor, status }
    };
    let mut readings: Vec<MountReading> = view.wanted().into_iter().map(read).collect();
    if readings.len() > 1 && downloads_nothing(view) {
        let idle = |reading: &MountReading| {
            reading.mount.kind == MountKind::Modules && reading.is_empty() && !view.was_filled(&reading.mount)
        };
        if view.runs().all(|run| !run.evidence.records.is_empty()) {
            readings.retain(|reading| !idle(reading));
        } else {
            // A log may have lost its download lines, so it proves neither that modules are needed nor that none is.
            readings
                .iter_mut()
                .filter(|reading| idle(reading))
                .for_each(|reading| reading.status = CheckStatus::Unobserved);
        }
    }
    readings
}

/// Tells whether one of several compiling steps did not show what it found in a mount: another's may be full beside it.
fn hidden(view: &CaseView, mount: &ExpectedMount) -> bool {
    let mut not_seen = view.judged.build.iter().flat_map(|build| &build.not_seen);
    not_seen.any(|target| same_target(&target.value, &mount.target))
}

/// Tells whether no module was seen to be downloaded, from the cold build on, although every build was seen to its end.
/// Where the engine itself has listed the mounts too, the project needs no module: there is nothing to carry, and an
/// empty module mount loses nothing.
fn downloads_nothing(view: &CaseView) -> bool {
    let without = |run: &crate::verify::view::RunView| {
        run.build.is_some_and(|build| {
            let ended = build.step_ended.as_ref().is_some_and(|ended| ended.value) && build.cached.is_none();
            ended && build.downloads.is_empty()
        })
    };
    !view.earlier.is_empty() && view.runs().all(without)
}

/// Finds the least a mount should hold: the checklist's number, or a share of what the run that saved it left in it.
fn floor(view: &CaseView, mount: &ExpectedMount) -> Option<(u64, String)> {
    let absolute = match mount.kind {
        MountKind::Modules => Some(view.thresholds.min_mod),
        MountKind::BuildCache => Some(view.thresholds.min_build),
        MountKind::Other => None,
    };
    if view.profile == Profile::Checklist || view.earlier.is_empty() {
        return absolute.map(|bytes| (bytes, format!("at least {}", size(bytes))));
    }
    let after = |run: &crate::verify::view::RunView| {
        let sizes = run.build?.sizes_of(&mount.target)?;
        Some((run.name(), sizes.after.as_ref()?.value))
    };
    let (name, bytes) = match view.origin() {
        Some(origin) => after(origin)?,
        None => view.earlier.iter().filter_map(after).max_by_key(|(_, bytes)| *bytes)?,
    };
    let share = view.thresholds.min_carried_ratio;
    Some(((bytes as f64 * share) as u64, format!("at least {:.0} % of the {} of {name}", share * 100.0, size(bytes))))
}
