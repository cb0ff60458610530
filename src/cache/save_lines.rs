//! The lines a save prints, one function per line.
//!
//! Wording and channel are those of actions/cache `src/saveImpl.ts` and actions/toolkit `packages/cache/src/cache.ts`,
//! `saveCacheV2`. A save never fails the job.

use std::time::Duration;

use super::{ActionLine, CacheAccess, CacheRelease, Compression, cache_size, progress};

/// Says that the restore hit the primary key, so nothing is saved.
pub fn not_saving(key: &str) -> ActionLine {
    ActionLine::info(format!("Cache hit occurred on the primary key {key}, not saving cache."))
}

/// Shows the command that packs.
pub fn command(workspace: &str, compression: Compression) -> ActionLine {
    let archive = compression.archive_name();
    let compress = match compression {
        Compression::Zstd => "--use-compress-program zstdmt",
        Compression::Gzip => "-z",
    };
    ActionLine::info(format!(
        "[command]/usr/bin/tar --posix -cf {archive} --exclude {archive} -P -C {workspace} \
         --files-from manifest.txt {compress}"
    ))
}

/// Says how far the upload is. The client prints one such line a second, and one at the end.
pub fn sent(done: u64, total: u64, elapsed: Duration) -> ActionLine {
    ActionLine::info(format!("Sent {}", progress(done, total, elapsed)))
}

/// Ends a save that made an entry.
pub fn saved(key: &str) -> ActionLine {
    ActionLine::info(format!("Cache saved with key: {key}"))
}

/// Says that the entry exists already.
pub fn conflict(release: CacheRelease, key: &str) -> ActionLine {
    if release.shows_the_conflict() {
        return failed(
            "Failed to CreateCacheEntry: Received non-retryable error: Failed request: (409) Conflict: \
             cache entry with the same key, version, and scope already exists",
        );
    }
    not_reserved(key)
}

/// Says that the service refused the reservation for `reason`.
pub fn denied(release: CacheRelease, key: &str, reason: &str) -> Vec<ActionLine> {
    if release.details_denied_writes() && reason.starts_with("cache write denied") {
        return vec![failed(&format!("Unable to reserve cache with key {key}. More details: {reason}"))];
    }
    let refusal =
        release.prints_the_refusal().then(|| ActionLine::warning(format!("Cache reservation failed: {reason}")));
    refusal.into_iter().chain([not_reserved(key)]).collect()
}

fn not_reserved(key: &str) -> ActionLine {
    ActionLine::info(format!(
        "Failed to save: Unable to reserve cache with key {key}, another job may be creating this cache."
    ))
}

/// Warns that the client refuses the archive's size.
pub fn too_large(bytes: u64) -> ActionLine {
    failed(&format!("Cache size of {} is over the 10GB limit, not saving cache.", cache_size(bytes)))
}

/// Says that the cache mode forbids the save.
pub fn mode_forbids(mode: CacheAccess) -> ActionLine {
    ActionLine::info(format!("Cache save skipped: the effective cache-mode '{}' does not permit writes.", mode.name()))
}

/// Warns of a failure on the way.
pub fn failed(message: &str) -> ActionLine {
    ActionLine::warning(format!("Failed to save: {message}"))
}

/// Warns that packing failed.
pub fn tar_failed() -> ActionLine {
    failed("\"/usr/bin/tar\" failed with error: The process '/usr/bin/tar' failed with exit code 2")
}

/// Says that no pattern matched anything. Not an annotation: easily overlooked.
pub fn path_missing() -> ActionLine {
    rejected(
        "Path Validation Error: Path(s) specified in the action for caching do(es) not exist, \
         hence no cache is being saved.",
    )
}

/// Says why an input, key or pattern is refused.
pub fn rejected(message: impl std::fmt::Display) -> ActionLine {
    ActionLine::log_warning(message.to_string())
}

/// The warning that `actions/cache/save` adds, in most releases, whenever it made no entry.
pub fn save_failed(release: CacheRelease) -> Option<ActionLine> {
    release.warns_on_failed_save().then(|| ActionLine::warning("Cache save failed."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(tag: &str) -> CacheRelease {
        CacheRelease::from_ref(tag)
    }

    fn raw(lines: Vec<ActionLine>) -> Vec<String> {
        lines.iter().map(ActionLine::raw).collect()
    }

    #[test]
    fn a_save_reads_as_on_github() {
        let lines = [
            command("/home/runner/work/X/X", Compression::Zstd),
            sent(65_867_307, 65_867_307, Duration::from_millis(2284)),
            saved("venv-Linux-443f"),
        ];
        insta::assert_snapshot!(lines.map(|line| line.raw()).join("\n"), @r"
        [command]/usr/bin/tar --posix -cf cache.tzst --exclude cache.tzst -P -C /home/runner/work/X/X --files-from manifest.txt --use-compress-program zstdmt
        Sent 65867307 of 65867307 (100.0%), 27.5 MBs/sec
        Cache saved with key: venv-Linux-443f
        ");
    }

    #[test]
    fn an_existing_entry_is_an_info_line_and_was_a_warning() {
        let info = "Failed to save: Unable to reserve cache with key k, another job may be creating this cache.";
        let warning = "##[warning]Failed to save: Failed to CreateCacheEntry: Received non-retryable error: \
                       Failed request: (409) Conflict: cache entry with the same key, version, and scope already exists";
        for (tag, expected) in [
            ("v3", info),
            ("v3.4.2", warning),
            ("v3.4.3", info),
            ("v4.2.0", warning),
            ("v4.2.1", warning),
            ("v4.2.2", info),
            ("v4", info),
            ("v5", info),
            ("v6", info),
        ] {
            assert_eq!(conflict(v(tag), "k").raw(), expected, "{tag}");
        }
    }

    #[test]
    fn a_read_only_token_is_told_in_three_ways() {
        let reason = "cache write denied: token has no writable scopes";
        let reserve = "Failed to save: Unable to reserve cache with key k, another job may be creating this cache.";
        assert_eq!(raw(denied(v("v4.2.3"), "k", reason)), [reserve]);
        assert_eq!(
            raw(denied(v("v4.3.0"), "k", reason)),
            [format!("##[warning]Cache reservation failed: {reason}"), reserve.to_owned()]
        );
        assert_eq!(
            raw(denied(v("v5"), "k", reason)),
            [format!("##[warning]Failed to save: Unable to reserve cache with key k. More details: {reason}")]
        );
        assert_eq!(raw(denied(v("v6.0.0"), "k", reason)).len(), 2);
        assert_eq!(raw(denied(v("v6.1.0"), "k", "You have reached your configured budget")).len(), 2);
    }

    #[test]
    fn a_missing_path_is_no_annotation() {
        assert_eq!(
            path_missing().raw(),
            "[warning]Path Validation Error: Path(s) specified in the action for caching do(es) not exist, \
             hence no cache is being saved."
        );
    }

    #[test]
    fn the_save_action_warns_in_most_releases() {
        for tag in ["v3", "v4", "v5.0.5", "v6.0.0"] {
            assert_eq!(
                save_failed(v(tag)).map(|line| line.raw()).as_deref(),
                Some("##[warning]Cache save failed."),
                "{tag}"
            );
        }
        for tag in ["v5.1.0", "v6.1.0"] {
            assert_eq!(save_failed(v(tag)), None, "{tag}");
        }
    }
}
