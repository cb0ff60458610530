//! The public finding codes. [`Code`] is principal.
//!
//! Codes are stable: one may be added, none renamed. Their order here is the order in which a person should fix things.

use std::fmt;
use std::str::FromStr;

use super::{CheckId, rules};

/// The page that `explain CODE` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodePage {
    /// What it is.
    pub what: &'static str,
    /// Why it matters, in one sentence.
    pub why: &'static str,
    /// What a person sees.
    pub example: &'static str,
    /// What to do.
    pub fix: &'static str,
}

/// What a rule says of a code that it reports. It stands in the rule's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CodeDefinition {
    /// The public name.
    pub(crate) name: &'static str,
    /// The check that an error of this code fails.
    pub(crate) check: CheckId,
    /// What it does to the entries of actions/cache.
    pub(crate) effect: Effect,
    /// The findings that are to be expected where this one is true.
    pub(crate) suppresses: &'static [Code],
    /// Its page.
    pub(crate) page: CodePage,
}

/// What a fault does to the entries of actions/cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The run leaves nothing for the next one.
    LeavesNothing,
    /// The run finds nothing of an earlier one.
    FindsNothing,
    /// Something else.
    Other,
}

/// A text that is no finding code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no finding code `{0}`")]
pub struct UnknownCode(pub String);

impl UnknownCode {
    /// Names the codes that look most like the unknown one.
    pub fn hint(&self) -> Option<String> {
        crate::suggest::did_you_mean(&self.0, Code::ALL.iter().map(|code| code.as_str()))
    }
}

macro_rules! codes {
    ($($variant:ident => $rule:ident::$definition:ident;)*) => {
        /// A public finding code. `docs` tells its story.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = concat!("See `src/verify/rules/", stringify!($rule), ".rs`.")] $variant,)*
        }

        impl Code {
            /// Every code, in the order in which a person should fix things.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns what the code's rule says of it.
            pub(crate) fn definition(self) -> &'static CodeDefinition {
                match self { $(Self::$variant => const { &rules::$rule::$definition },)* }
            }
        }
    };
}

codes! {
    JobFailedBeforePost => job_failed::JOB_FAILED_BEFORE_POST;
    DanceMissing => dance_missing::DANCE_MISSING;
    DanceSkipped => dance_skipped::DANCE_SKIPPED;
    DanceCrashed => dance_ended::DANCE_CRASHED;
    DanceHung => dance_ended::DANCE_HUNG;
    NoCacheBuild => no_cache::NO_CACHE_BUILD;
    BuilderMismatch => builder::BUILDER_MISMATCH;
    CacheMapIdMismatch => identity::CACHE_MAP_ID_MISMATCH;
    CacheMapTargetMismatch => identity::CACHE_MAP_TARGET_MISMATCH;
    CacheMapOwnerMismatch => identity::CACHE_MAP_OWNER_MISMATCH;
    CacheMapCollision => collision::CACHE_MAP_COLLISION;
    CacheAfterDance => save_order::CACHE_AFTER_DANCE;
    SaveBeforeExtract => save_order::SAVE_BEFORE_EXTRACT;
    CacheDirMismatch => host_paths::CACHE_DIR_MISMATCH;
    InjectFailed => inject::INJECT_FAILED;
    InjectEmpty => inject::INJECT_EMPTY;
    ExtractFailed => extract::EXTRACT_FAILED;
    ExtractSkipped => extract::EXTRACT_SKIPPED;
    ExtractEmpty => extract::EXTRACT_EMPTY;
    CacheEmpty => archive::CACHE_EMPTY;
    CacheLocked => archive::CACHE_LOCKED;
    CachePathMissing => host_paths::CACHE_PATH_MISSING;
    CacheNotSaved => not_saved::CACHE_NOT_SAVED;
    CacheRestoreFailed => restore_failed::CACHE_RESTORE_FAILED;
    CacheKeyUnique => missed::CACHE_KEY_UNIQUE;
    CacheVersionChanged => missed::CACHE_VERSION_CHANGED;
    CacheOutOfScope => missed::CACHE_OUT_OF_SCOPE;
    CacheEvicted => missed::CACHE_EVICTED;
    CacheMiss => missed::CACHE_MISS;
    CacheTooSmall => archive::CACHE_TOO_SMALL;
    CacheKeyStale => key_stale::CACHE_KEY_STALE;
    MountNotWritable => mount_refused::MOUNT_NOT_WRITABLE;
    MountsEmptyBeforeBuild => mounts::MOUNTS_EMPTY_BEFORE_BUILD;
    ModulesNotRestored => mounts::MODULES_NOT_RESTORED;
    BuildCacheNotRestored => mounts::BUILD_CACHE_NOT_RESTORED;
    BuildNotFaster => not_faster::BUILD_NOT_FASTER;
    BuildStepCached => unseen::BUILD_STEP_CACHED;
    NotInstrumented => unseen::NOT_INSTRUMENTED;
    NetLoss => net_loss::NET_LOSS;
}

impl Code {
    /// Returns the public name.
    pub fn as_str(self) -> &'static str {
        self.definition().name
    }

    /// Returns the check that an error of this code fails.
    pub fn check(self) -> CheckId {
        self.definition().check
    }

    /// Returns the code's page.
    pub fn docs(self) -> CodePage {
        self.definition().page
    }

    /// Returns the findings that are to be expected where this one is true.
    pub(crate) fn suppresses(self) -> &'static [Self] {
        self.definition().suppresses
    }
}

impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text).ok_or_else(|| UnknownCode(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_and_has_a_full_page() {
        for code in Code::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
            let page = code.docs();
            for part in [page.what, page.why, page.example, page.fix] {
                assert!(part.len() > 20 && part.trim() == part, "{code}: {part:?}");
            }
            assert_eq!(page.why.matches(". ").count(), 0, "{code}: the why is one sentence");
        }
    }

    #[test]
    fn an_unknown_code_suggests_its_neighbours() {
        let error = "cache-map-mismatch".parse::<Code>().unwrap_err();
        assert_eq!(error.to_string(), "no finding code `cache-map-mismatch`");
        assert!(error.hint().unwrap().contains("cache-map-id-mismatch"));
        assert_eq!("??".parse::<Code>().unwrap_err().hint(), None);
    }
}
