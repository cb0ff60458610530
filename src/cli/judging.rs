//! By which numbers to judge: the flags, over what a scenario says, over what is usual.

use super::args::{self, Judging};
use crate::catalogue;
use crate::scenario::ScenarioLimits;
use crate::verify::{Profile, Thresholds};

/// Decides by which numbers to judge.
pub(super) fn profile(judging: &Judging, usual: Profile) -> Profile {
    match judging.profile {
        Some(args::ProfileArg::Checklist) => Profile::Checklist,
        Some(args::ProfileArg::Auto) => Profile::Auto,
        None => usual,
    }
}

/// Puts the flags over the scenario's limits over the checklist's.
pub(super) fn thresholds(judging: &Judging, limits: &ScenarioLimits) -> Thresholds {
    let usual = catalogue::thresholds(limits);
    Thresholds {
        min_restore: judging.min_restore.unwrap_or(usual.min_restore),
        min_mod: judging.min_mod.unwrap_or(usual.min_mod),
        min_build: judging.min_build.unwrap_or(usual.min_build),
        max_build_time: judging.max_build_time.unwrap_or(usual.max_build_time),
        max_build_ratio: judging.max_build_ratio.unwrap_or(usual.max_build_ratio),
        max_downloads: judging.max_downloads.unwrap_or(usual.max_downloads),
        ..usual
    }
}
