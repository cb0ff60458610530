//! The five arrows between the stations, and which of them a finding breaks. [`Arrow`] is principal.

use crate::verify::{CheckId, Code};

/// The way from one station to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Arrow {
    /// From the cache store into the directory.
    Restore,
    /// From the directory into the mounts.
    Inject,
    /// From the mounts into the build.
    Use,
    /// From the build back into the mounts.
    Fill,
    /// From the mounts through the directory into the cache store.
    Save,
}

impl Arrow {
    /// The five, in the order of a run.
    pub(super) const ALL: [Self; 5] = [Self::Restore, Self::Inject, Self::Use, Self::Fill, Self::Save];

    /// Returns what happens on the way.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Restore => "restore",
            Self::Inject => "copy in (inject)",
            Self::Use => "build reads",
            Self::Fill => "build writes",
            Self::Save => "copy out (extract), save",
        }
    }

    /// Returns the arrows that a finding of this code breaks; none where it is about no way of the bytes.
    pub(super) fn broken_by(code: Code) -> &'static [Self] {
        use Code as C;
        match code {
            C::DanceMissing | C::DanceSkipped | C::DanceCrashed | C::DanceHung => &[Self::Inject, Self::Save],
            C::BuilderMismatch
            | C::CacheMapIdMismatch
            | C::CacheMapTargetMismatch
            | C::CacheMapOwnerMismatch
            | C::CacheMapCollision
            | C::CacheAfterDance => &[Self::Inject, Self::Save],
            C::CacheDirMismatch => &[Self::Restore, Self::Save],
            C::JobFailedBeforePost
            | C::SaveBeforeExtract
            | C::ExtractFailed
            | C::ExtractSkipped
            | C::ExtractEmpty
            | C::CacheLocked
            | C::CachePathMissing
            | C::CacheNotSaved
            | C::CacheKeyStale => &[Self::Save],
            C::InjectFailed
            | C::InjectEmpty
            | C::MountsEmptyBeforeBuild
            | C::ModulesNotRestored
            | C::BuildCacheNotRestored => &[Self::Inject],
            C::NoCacheBuild | C::BuildNotFaster | C::BuildStepCached => &[Self::Use],
            C::MountNotWritable => &[Self::Fill],
            C::NotInstrumented | C::NetLoss => &[],
            // Any other, and one that is new here, breaks the way that its check asks about.
            other => match other.check() {
                CheckId::A => &[Self::Restore],
                CheckId::B => &[Self::Inject],
                CheckId::C1 | CheckId::C2 | CheckId::C3 => &[Self::Use],
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_that_fails_a_check_breaks_an_arrow() {
        for code in Code::ALL {
            let about_no_way = [Code::NotInstrumented, Code::NetLoss].contains(code);
            assert_eq!(Arrow::broken_by(*code).is_empty(), about_no_way, "{code}");
        }
    }
}
