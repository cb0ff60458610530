//! What a run's own numbers prove where no earlier run gives anything to compare with. [`alone`] is principal.
//!
//! A small project never meets numbers made for a large one, and is no worse for it. So what it found is held against what
//! it left: a cache that was complete before the build is as large after it, nothing is downloaded, and the build is fast.

use super::{c2, c3, outgrown};
use crate::evidence::TimeSource;
use crate::verify::CheckStatus;
use crate::verify::view::{CacheExt, CaseView, EMPTY_MOUNT, MountKind, RunStage};

/// The least that a build cache holds which has compiled anything: half of what `package main; func main() {}` leaves with
/// Go 1.25, which is 16 MB of the standard library.
const LEAST_OBJECTS: u64 = 8 << 20;

/// How much smaller than the mounts an archive of them can be: compressed objects take a third to a tenth.
const SMALLEST_SHARE: u64 = 20;

/// What a run shows by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnProof {
    /// It found what it left, and worked as with full caches.
    Carried,
    /// It found too little, downloaded, or was slow.
    Lost,
    /// Neither.
    Open,
}

/// Weighs the numbers of the judged run against one another.
pub(crate) fn alone(view: &CaseView) -> OwnProof {
    let wanted = view.needed();
    let sizes = |target: &str| view.judged.build.and_then(|build| build.sizes_of(target));
    let (mut before_all, mut complete) = (0u64, !wanted.is_empty());
    let mut objects = false;
    for mount in &wanted {
        let before = sizes(&mount.target).and_then(|sizes| Some(sizes.before.as_ref()?.value));
        let after = sizes(&mount.target).and_then(|sizes| Some(sizes.after.as_ref()?.value));
        if before.is_some_and(|before| before < EMPTY_MOUNT) {
            return OwnProof::Lost;
        }
        let (Some(before), Some(after)) = (before, after) else {
            complete = false;
            continue;
        };
        if outgrown(before, after) {
            return OwnProof::Lost;
        }
        before_all = before_all.saturating_add(before);
        objects |= mount.kind == MountKind::BuildCache && before >= LEAST_OBJECTS;
        complete &= before as f64 >= after as f64 * view.thresholds.min_carried_ratio;
    }
    let (time, downloads) = (c2::read(view), c3::read(view));
    if time.status == CheckStatus::Fail || downloads.status == CheckStatus::Fail {
        return OwnProof::Lost;
    }
    let printed = view.judged.build_time().is_some_and(|time| time.value.source == TimeSource::Printed);
    let fast = printed && time.status == CheckStatus::Pass;
    let nothing_new = downloads.status == CheckStatus::Pass
        && view.judged.build.is_some_and(|build| build.downloads.is_empty() && build.fetched.is_none());
    let restored: u64 = view.judged.restoring().filter_map(|cache| cache.restored_bytes()).fold(0, u64::saturating_add);
    let fits = restored >= before_all / SMALLEST_SHARE;
    let later = view.stage() == RunStage::Later;
    if complete && objects && fast && nothing_new && fits && later { OwnProof::Carried } else { OwnProof::Open }
}
