//! Check C1: are the cache mounts large before the build? [`read`] is principal, [`mounts`] its numbers.

use std::cell::LazyCell;

use super::Reading;
use super::alone::{OwnProof, alone};
use super::outgrown;
use crate::evidence::{MountSizes, Seen, same_target};
use crate::verify::view::{CacheExt, CaseView, EMPTY_MOUNT, ExpectedMount, MountKind, RunStage, RunView};
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
    let own = LazyCell::new(|| alone(view));
    let read = |mount: ExpectedMount| {
        let sizes = view.judged.build.and_then(|build| build.sizes_of(&mount.target));
        let before = sizes.and_then(|sizes| sizes.before.clone());
        let mut floor = floor(view, &mount);
        let pass = || match stage == RunStage::First || warm || hidden(view, &mount) {
            // On a first run a large mount proves a warm runner, not a carried cache.
            true => CheckStatus::Unobserved,
            false => CheckStatus::Pass,
        };
        let status = match (&before, &floor) {
            (Some(before), _) if before.value < EMPTY_MOUNT && stage == RunStage::Later && !cached => CheckStatus::Fail,
            (Some(_), _) if cached => CheckStatus::Unobserved,
            (Some(before), Some(floor)) if before.value >= floor.bytes.max(EMPTY_MOUNT) => pass(),
            (Some(_), Some(known)) if !known.compared => match *own {
                OwnProof::Carried => {
                    floor = sizes.and_then(|sizes| own_floor(view, sizes.after.as_ref()?.value));
                    pass()
                }
                // Beside an earlier run that says nothing of this mount, little shows no loss.
                OwnProof::Lost if view.earlier.is_empty() && stage == RunStage::Later => CheckStatus::Fail,
                _ => CheckStatus::Unobserved,
            },
            (Some(_), Some(_)) if stage == RunStage::Later => CheckStatus::Fail,
            _ => CheckStatus::Unobserved,
        };
        MountReading { mount, before, floor: floor.map(|floor| (floor.bytes, floor.words)), status }
    };
    let mut readings: Vec<MountReading> = view.wanted().into_iter().map(read).collect();
    if let Some(idle) = view.idle_modules() {
        if view.runs().all(|run| !run.evidence.records.is_empty()) {
            // The engine itself has listed the mounts: the project needs no module.
            readings.retain(|reading| reading.mount != idle);
        } else {
            // A log may have lost its download lines, so it proves neither that modules are needed nor that none is.
            readings
                .iter_mut()
                .filter(|reading| reading.mount == idle)
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

/// The least that a mount should hold.
struct MountFloor {
    bytes: u64,
    words: String,
    /// It is what the mount must hold: the checklist's number, or what an earlier run left. Otherwise it is a number for
    /// projects of the usual size.
    compared: bool,
}

/// Finds the least a mount should hold: a share of what the run that saved it left in it, or else the checklist's number.
fn floor(view: &CaseView, mount: &ExpectedMount) -> Option<MountFloor> {
    let compared = if view.profile == Profile::Checklist { None } else { left_before(view, mount) };
    compared.or_else(|| {
        let bytes = match mount.kind {
            MountKind::Modules => view.thresholds.min_mod,
            MountKind::BuildCache => view.thresholds.min_build,
            MountKind::Other => return None,
        };
        let words = format!("at least {}", size(bytes));
        Some(MountFloor { bytes, words, compared: view.profile == Profile::Checklist })
    })
}

/// Returns what the run that saved the entry left in a mount; where it is not given, what another run of the same key did.
fn left_before(view: &CaseView, mount: &ExpectedMount) -> Option<MountFloor> {
    let sizes = |run: &RunView| run.build?.sizes_of(&mount.target).cloned();
    let after = |run: &RunView| Some((run.name(), sizes(run)?.after?.value));
    let keys = view.hit_keys();
    let of_the_key = |run: &RunView| {
        let found = run.restoring().filter_map(|cache| cache.hit_key()).any(|(key, _)| keys.contains(&key));
        match run.primary_key().is_some_and(|key| keys.contains(&key)) || found {
            // What the entry brought into another run, it brings into this one; what that run added is in no entry.
            true if found => found_whole(&sizes(run)?).map(|before| (run.name(), before)).or_else(|| after(run)),
            true => after(run),
            false => None,
        }
    };
    let (name, bytes) = match view.origin() {
        Some(origin) => after(origin)?,
        None => view.earlier.iter().filter_map(of_the_key).max_by_key(|(_, bytes)| *bytes)?,
    };
    let share = view.thresholds.min_carried_ratio;
    let words = format!("at least {:.0} % of the {} of {name}", share * 100.0, size(bytes));
    Some(MountFloor { bytes: (bytes as f64 * share) as u64, words, compared: true })
}

/// Returns the size before a build that found most of what it left.
fn found_whole(sizes: &MountSizes) -> Option<u64> {
    let (before, after) = (sizes.before.as_ref()?.value, sizes.after.as_ref()?.value);
    (before >= EMPTY_MOUNT && !outgrown(before, after)).then_some(before)
}

/// The least a mount of a small project should have held, by what the build left in it.
fn own_floor(view: &CaseView, after: u64) -> Option<MountFloor> {
    let share = view.thresholds.min_carried_ratio;
    let words = format!("at least {:.0} % of the {} after the build", share * 100.0, size(after));
    Some(MountFloor { bytes: (after as f64 * share) as u64, words, compared: false })
}
