//! The public finding codes. [`Code`] is principal.
//!
//! Codes are stable: one may be added, none renamed. Their order here is the order in which a person should fix things.

use std::fmt;
use std::str::FromStr;

use super::{CheckId, pages};

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

/// A text that is no finding code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no finding code `{0}`")]
pub struct UnknownCode(pub String);

impl UnknownCode {
    /// Names the codes that look most like the unknown one.
    pub fn hint(&self) -> Option<String> {
        let words: Vec<&str> = self.0.split(['-', '_', ' ']).filter(|word| word.len() > 2).collect();
        let shared = |code: &Code| words.iter().filter(|word| code.as_str().contains(**word)).count();
        let most = Code::ALL.iter().map(shared).max().filter(|most| *most > 0)?;
        let near: Vec<_> = Code::ALL.iter().filter(|code| shared(code) == most).map(|code| code.as_str()).collect();
        Some(format!("did you mean {}?", near.join(", ")))
    }
}

macro_rules! codes {
    ($($variant:ident, $text:literal, $check:ident, $page:path;)*) => {
        /// A public finding code. `docs` tells its story.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
        }

        impl Code {
            /// Every code, in the order in which a person should fix things.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the public name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// Returns the check that an error of this code fails.
            pub fn check(self) -> CheckId {
                match self { $(Self::$variant => CheckId::$check,)* }
            }

            /// Returns the code's page.
            pub fn docs(self) -> CodePage {
                match self { $(Self::$variant => $page,)* }
            }
        }
    };
}

codes! {
    JobFailedBeforePost, "job-failed-before-post", A, pages::a::JOB_FAILED_BEFORE_POST;
    DanceMissing, "dance-missing", B, pages::b::DANCE_MISSING;
    DanceSkipped, "dance-skipped", B, pages::b::DANCE_SKIPPED;
    DanceCrashed, "dance-crashed", B, pages::b::DANCE_CRASHED;
    DanceHung, "dance-hung", B, pages::b::DANCE_HUNG;
    NoCacheBuild, "no-cache-build", C1, pages::c::NO_CACHE_BUILD;
    BuilderMismatch, "builder-mismatch", B, pages::b::BUILDER_MISMATCH;
    CacheMapIdMismatch, "cache-map-id-mismatch", B, pages::b::CACHE_MAP_ID_MISMATCH;
    CacheMapTargetMismatch, "cache-map-target-mismatch", B, pages::b::CACHE_MAP_TARGET_MISMATCH;
    CacheMapOwnerMismatch, "cache-map-owner-mismatch", B, pages::b::CACHE_MAP_OWNER_MISMATCH;
    CacheMapCollision, "cache-map-collision", B, pages::b::CACHE_MAP_COLLISION;
    CacheAfterDance, "cache-after-dance", B, pages::b::CACHE_AFTER_DANCE;
    SaveBeforeExtract, "save-before-extract", B, pages::b::SAVE_BEFORE_EXTRACT;
    CacheDirMismatch, "cache-dir-mismatch", B, pages::b::CACHE_DIR_MISMATCH;
    InjectFailed, "inject-failed", B, pages::b::INJECT_FAILED;
    InjectEmpty, "inject-empty", B, pages::b::INJECT_EMPTY;
    ExtractFailed, "extract-failed", B, pages::b::EXTRACT_FAILED;
    ExtractSkipped, "extract-skipped", B, pages::b::EXTRACT_SKIPPED;
    ExtractEmpty, "extract-empty", B, pages::b::EXTRACT_EMPTY;
    CacheEmpty, "cache-empty", A, pages::a::CACHE_EMPTY;
    CacheLocked, "cache-locked", A, pages::a::CACHE_LOCKED;
    CachePathMissing, "cache-path-missing", A, pages::a::CACHE_PATH_MISSING;
    CacheNotSaved, "cache-not-saved", A, pages::a::CACHE_NOT_SAVED;
    CacheRestoreFailed, "cache-restore-failed", A, pages::a::CACHE_RESTORE_FAILED;
    CacheKeyUnique, "cache-key-unique", A, pages::a::CACHE_KEY_UNIQUE;
    CacheVersionChanged, "cache-version-changed", A, pages::a::CACHE_VERSION_CHANGED;
    CacheOutOfScope, "cache-out-of-scope", A, pages::a::CACHE_OUT_OF_SCOPE;
    CacheEvicted, "cache-evicted", A, pages::a::CACHE_EVICTED;
    CacheMiss, "cache-miss", A, pages::a::CACHE_MISS;
    CacheTooSmall, "cache-too-small", A, pages::a::CACHE_TOO_SMALL;
    CacheKeyStale, "cache-key-stale", A, pages::a::CACHE_KEY_STALE;
    MountNotWritable, "mount-not-writable", C1, pages::c::MOUNT_NOT_WRITABLE;
    MountsEmptyBeforeBuild, "mounts-empty-before-build", C1, pages::c::MOUNTS_EMPTY_BEFORE_BUILD;
    ModulesNotRestored, "modules-not-restored", C1, pages::c::MODULES_NOT_RESTORED;
    BuildCacheNotRestored, "build-cache-not-restored", C1, pages::c::BUILD_CACHE_NOT_RESTORED;
    BuildNotFaster, "build-not-faster", C2, pages::c::BUILD_NOT_FASTER;
    BuildStepCached, "build-step-cached", C1, pages::c::BUILD_STEP_CACHED;
    NotInstrumented, "not-instrumented", C1, pages::c::NOT_INSTRUMENTED;
    NetLoss, "net-loss", C2, pages::c::NET_LOSS;
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
