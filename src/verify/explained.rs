//! Which findings are mere consequences of others. [`root_causes`] is principal.
//!
//! One fault makes a tail of symptoms: a wrong id leaves an empty mount, an empty archive, a frozen entry, a cold build. A
//! person needs the fault. So each cause lists what it suppresses, and what is explained stays silent. Nothing suppresses
//! `cache-empty` and `cache-locked`: an empty entry needs a repair of its own, a new key.

use super::{Code, Finding, Severity};

/// Removes what another finding suppresses, and sorts the rest: errors first, then in the order of fixing.
///
/// Where the run before had saved real data, what the judged run could not save is trouble of its own and no reason for
/// what it missed.
pub(crate) fn root_causes(findings: Vec<Finding>, missed_what_was_saved: bool) -> Vec<Finding> {
    let errors: Vec<Code> =
        findings.iter().filter(|finding| finding.severity == Severity::Error).map(|finding| finding.code).collect();
    let mut kept: Vec<Finding> = findings
        .into_iter()
        .filter(|finding| {
            let speaks = |cause: &Code| {
                *cause != finding.code && !(missed_what_was_saved && of_saving(*cause) && of_missing(finding.code))
            };
            let explained = errors.iter().any(|cause| speaks(cause) && suppresses(*cause).contains(&finding.code));
            // To someone whose caches are broken, that the log could say more is no news.
            let beside_the_point = finding.code == Code::NotInstrumented && !errors.is_empty();
            !explained && !beside_the_point
        })
        .collect();
    kept.sort_by_key(|finding| (finding.severity, finding.code));
    kept
}

/// Tells whether a code is about leaving something for the next run.
fn of_saving(code: Code) -> bool {
    matches!(
        code,
        Code::JobFailedBeforePost
            | Code::ExtractFailed
            | Code::ExtractSkipped
            | Code::ExtractEmpty
            | Code::CachePathMissing
            | Code::CacheNotSaved
    )
}

/// Tells whether a code says why nothing was found.
fn of_missing(code: Code) -> bool {
    matches!(
        code,
        Code::CacheMiss | Code::CacheKeyUnique | Code::CacheVersionChanged | Code::CacheOutOfScope | Code::CacheEvicted
    )
}

/// Returns the findings that are to be expected where this one is true.
pub(crate) fn suppresses(cause: Code) -> &'static [Code] {
    use Code::{
        BuildCacheNotRestored, BuildNotFaster, CacheEvicted, CacheKeyStale, CacheMiss, CacheNotSaved, CachePathMissing,
        CacheTooSmall, ExtractEmpty, ExtractFailed, ExtractSkipped, InjectEmpty, InjectFailed, JobFailedBeforePost,
        ModulesNotRestored, MountsEmptyBeforeBuild,
    };
    const COLD: &[Code] = &[
        MountsEmptyBeforeBuild,
        ModulesNotRestored,
        BuildCacheNotRestored,
        BuildNotFaster,
        InjectEmpty,
        CacheKeyStale,
    ];
    const MISSED: &[Code] = &[
        CacheMiss,
        MountsEmptyBeforeBuild,
        ModulesNotRestored,
        BuildCacheNotRestored,
        BuildNotFaster,
        InjectEmpty,
        CacheKeyStale,
    ];
    const NOTHING_LEFT: &[Code] = &[
        CachePathMissing,
        CacheNotSaved,
        CacheTooSmall,
        ExtractEmpty,
        CacheMiss,
        MountsEmptyBeforeBuild,
        ModulesNotRestored,
        BuildCacheNotRestored,
        BuildNotFaster,
        InjectEmpty,
        CacheKeyStale,
    ];
    const NOTHING_CARRIED: &[Code] = &[
        CachePathMissing,
        CacheNotSaved,
        CacheTooSmall,
        ExtractEmpty,
        CacheMiss,
        MountsEmptyBeforeBuild,
        ModulesNotRestored,
        BuildCacheNotRestored,
        BuildNotFaster,
        InjectEmpty,
        CacheKeyStale,
    ];
    const BROKE_OFF: &[Code] = &[
        JobFailedBeforePost,
        InjectFailed,
        ExtractFailed,
        ExtractSkipped,
        CachePathMissing,
        CacheNotSaved,
        CacheTooSmall,
        ExtractEmpty,
        CacheMiss,
        CacheEvicted,
        MountsEmptyBeforeBuild,
        ModulesNotRestored,
        BuildCacheNotRestored,
        BuildNotFaster,
        InjectEmpty,
        CacheKeyStale,
    ];
    match cause {
        Code::DanceMissing
        | Code::DanceSkipped
        | Code::NoCacheBuild
        | Code::BuilderMismatch
        | Code::CacheMapIdMismatch
        | Code::CacheMapTargetMismatch
        | Code::CacheMapOwnerMismatch
        | Code::CacheMapCollision
        | Code::SaveBeforeExtract
        | Code::CacheDirMismatch
        | Code::ExtractFailed
        | Code::ExtractSkipped => NOTHING_CARRIED,
        Code::CacheAfterDance => NOTHING_LEFT,
        Code::DanceCrashed | Code::DanceHung => BROKE_OFF,
        Code::ExtractEmpty => &[
            CacheTooSmall,
            MountsEmptyBeforeBuild,
            ModulesNotRestored,
            BuildCacheNotRestored,
            BuildNotFaster,
            InjectEmpty,
        ],
        Code::JobFailedBeforePost => &[
            CacheNotSaved,
            CachePathMissing,
            CacheMiss,
            MountsEmptyBeforeBuild,
            ModulesNotRestored,
            BuildCacheNotRestored,
            BuildNotFaster,
        ],
        Code::InjectFailed => &[
            // An inject that ends with an error ends the job.
            JobFailedBeforePost,
            MountsEmptyBeforeBuild,
            ModulesNotRestored,
            BuildCacheNotRestored,
            BuildNotFaster,
            InjectEmpty,
            CacheKeyStale,
        ],
        Code::InjectEmpty | Code::BuildStepCached => COLD,
        Code::MountNotWritable => &[
            JobFailedBeforePost,
            CacheTooSmall,
            MountsEmptyBeforeBuild,
            ModulesNotRestored,
            BuildCacheNotRestored,
            BuildNotFaster,
        ],
        Code::CacheEmpty | Code::CacheLocked => COLD,
        Code::CacheTooSmall => &[MountsEmptyBeforeBuild, BuildNotFaster, InjectEmpty],
        Code::CachePathMissing
        | Code::CacheNotSaved
        | Code::CacheRestoreFailed
        | Code::CacheKeyUnique
        | Code::CacheVersionChanged
        | Code::CacheOutOfScope
        | Code::CacheEvicted => MISSED,
        Code::CacheMiss => COLD,
        Code::CacheKeyStale => &[ModulesNotRestored, BuildNotFaster],
        Code::MountsEmptyBeforeBuild => &[BuildNotFaster, ModulesNotRestored],
        Code::ModulesNotRestored | Code::BuildCacheNotRestored => &[BuildNotFaster, CacheTooSmall],
        Code::BuildNotFaster | Code::NotInstrumented | Code::NetLoss => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_findings_explain_each_other_away() {
        for a in Code::ALL {
            for b in Code::ALL {
                let both = a != b && suppresses(*a).contains(b) && suppresses(*b).contains(a);
                assert!(!both, "{a} and {b} would silence one another");
            }
        }
    }
}
