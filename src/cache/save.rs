//! Whether a save happens: once before the archive is made and once when the service answers.
//! [`before_archive`] and [`after_archive`] are principal.
//!
//! The order is the action's: an exact hit stops before anything is archived, but whether the entry already exists is
//! only known after the work of archiving is spent. Foreign facts: actions/cache `src/saveImpl.ts`, actions/toolkit
//! `packages/cache/src/cache.ts`, `saveCacheV2`.

use super::{CacheRelease, is_exact_key_match};

/// The largest archive the older clients accept: 10 GiB.
const CLIENT_LIMIT_BYTES: u64 = 10 * 1024 * 1024 * 1024;

/// What a job may do with the cache: the workflow key `cache-mode`, or what a low-trust event is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CacheAccess {
    /// Read and write; `write`, and what an unknown value means.
    #[default]
    Write,
    /// Read only, as events of lower trust get.
    Read,
    /// Write only.
    WriteOnly,
    /// Neither.
    None,
}

impl CacheAccess {
    /// Reads the workflow's value; an unknown one permits everything, as in the client.
    pub fn from_value(value: &str) -> Self {
        match value {
            "read" => Self::Read,
            "write-only" => Self::WriteOnly,
            "none" => Self::None,
            _ => Self::Write,
        }
    }

    /// Returns the value as a workflow writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Read => "read",
            Self::WriteOnly => "write-only",
            Self::None => "none",
        }
    }

    /// Says whether lookups are answered.
    pub fn can_read(self) -> bool {
        matches!(self, Self::Write | Self::Read)
    }

    /// Says whether saves are accepted.
    pub fn can_write(self) -> bool {
        matches!(self, Self::Write | Self::WriteOnly)
    }
}

/// What to do before the archive is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeforeArchive {
    /// The restore hit the primary key: nothing is saved, whatever the directory holds now.
    NotSaving,
    /// The client sees that the cache mode forbids writing.
    ModeForbids,
    /// Make the archive.
    Archive,
}

/// Decides before the archive is made. `restored` is the matched key that the main step left as state; for
/// `actions/cache/save` there is none, so it always archives.
pub fn before_archive(release: CacheRelease, key: &str, restored: Option<&str>, mode: CacheAccess) -> BeforeArchive {
    if restored.is_some_and(|restored| is_exact_key_match(key, restored)) {
        BeforeArchive::NotSaving
    } else if release.honours_cache_mode() && !mode.can_write() {
        BeforeArchive::ModeForbids
    } else {
        BeforeArchive::Archive
    }
}

/// The service's answer to a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReserveAnswer {
    /// The entry may be uploaded.
    Granted,
    /// An entry with this key, version and scope exists.
    Conflict,
    /// The service refuses, and says why.
    Denied(String),
}

impl ReserveAnswer {
    /// What the service answers when the token may not write.
    pub fn read_only() -> Self {
        Self::Denied("cache write denied: token has no writable scopes".to_owned())
    }
}

/// What to do with the finished archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterArchive {
    /// Upload it: the entry exists from now on and never changes.
    Upload,
    /// The client refuses its size.
    TooLarge,
    /// The entry exists; the work of archiving was in vain.
    Conflict,
    /// The service refused, with this reason.
    Denied(String),
}

/// Decides when the archive is made. `reserve` is asked only if the client itself has no objection.
pub fn after_archive(release: CacheRelease, size: u64, reserve: impl FnOnce() -> ReserveAnswer) -> AfterArchive {
    if release.limits_archive_size() && size > CLIENT_LIMIT_BYTES {
        return AfterArchive::TooLarge;
    }
    match reserve() {
        ReserveAnswer::Granted => AfterArchive::Upload,
        ReserveAnswer::Conflict => AfterArchive::Conflict,
        ReserveAnswer::Denied(reason) => AfterArchive::Denied(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(tag: &str) -> CacheRelease {
        CacheRelease::from_ref(tag)
    }

    #[test]
    fn an_exact_hit_is_not_saved_again_and_case_does_not_count() {
        let before = |restored| before_archive(v("v4"), "Go-1", restored, CacheAccess::Write);
        assert_eq!(before(Some("go-1")), BeforeArchive::NotSaving);
        assert_eq!(before(Some("go-")), BeforeArchive::Archive);
        assert_eq!(before(None), BeforeArchive::Archive);
    }

    #[test]
    fn no_tagged_release_knows_the_cache_mode_so_the_service_refuses_after_the_work() {
        assert_eq!(before_archive(CacheRelease::NEWEST, "k", None, CacheAccess::Read), BeforeArchive::Archive);
        assert_eq!(
            after_archive(CacheRelease::NEWEST, 1, ReserveAnswer::read_only),
            AfterArchive::Denied("cache write denied: token has no writable scopes".to_owned())
        );
    }

    #[test]
    fn a_conflict_shows_only_after_archiving() {
        assert_eq!(after_archive(v("v5"), 1, || ReserveAnswer::Conflict), AfterArchive::Conflict);
        assert_eq!(after_archive(v("v5"), 1, || ReserveAnswer::Granted), AfterArchive::Upload);
    }

    #[test]
    fn older_clients_refuse_more_than_ten_gibibytes_without_asking() {
        let unasked = || unreachable!("the client refuses first");
        assert_eq!(after_archive(v("v4.2.4"), CLIENT_LIMIT_BYTES + 1, unasked), AfterArchive::TooLarge);
        let granted = || ReserveAnswer::Granted;
        assert_eq!(after_archive(v("v4.2.4"), CLIENT_LIMIT_BYTES, granted), AfterArchive::Upload);
        assert_eq!(after_archive(v("v4.3.0"), CLIENT_LIMIT_BYTES + 1, granted), AfterArchive::Upload);
    }

    #[test]
    fn an_unknown_mode_permits_everything() {
        let rights = |value| (CacheAccess::from_value(value).can_read(), CacheAccess::from_value(value).can_write());
        assert_eq!(rights("read"), (true, false));
        assert_eq!(rights("write-only"), (false, true));
        assert_eq!(rights("none"), (false, false));
        assert_eq!(rights("write"), (true, true));
        assert_eq!(rights("anything"), (true, true));
    }
}
