//! What several faults are followed by, so that each of their rules can name it in one word.

use crate::verify::Code;
use crate::verify::Code::{
    BuildCacheNotRestored, BuildNotFaster, CacheEvicted, CacheKeyStale, CacheMiss, CacheNotSaved, CachePathMissing,
    CacheTooSmall, ExtractEmpty, ExtractFailed, ExtractSkipped, InjectEmpty, InjectFailed, JobFailedBeforePost,
    ModulesNotRestored, MountsEmptyBeforeBuild,
};

/// The build had nothing to start from.
pub(super) const COLD: &[Code] =
    &[MountsEmptyBeforeBuild, ModulesNotRestored, BuildCacheNotRestored, BuildNotFaster, InjectEmpty, CacheKeyStale];

/// No entry was found, so the build was cold.
pub(super) const MISSED: &[Code] = &[
    CacheMiss,
    MountsEmptyBeforeBuild,
    ModulesNotRestored,
    BuildCacheNotRestored,
    BuildNotFaster,
    InjectEmpty,
    CacheKeyStale,
];

/// Nothing was left for the next run, which is as cold as the first.
pub(super) const NOTHING_LEFT: &[Code] = &[
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

/// The dance ended in the middle of its work, and the job with it.
pub(super) const BROKE_OFF: &[Code] = &[
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
