//! The lines a restore prints, one function per line, in the order a hit prints them.
//!
//! Wording and channel are those of actions/cache `src/restoreImpl.ts` and actions/toolkit
//! `packages/cache/src/cache.ts`, `restoreCacheV2`.

use std::time::Duration;

use super::{ActionLine, CacheAccess, CacheRelease, Compression, Keys, cache_size, progress};

/// Says that the service found an entry.
pub fn hit(release: CacheRelease, primary: &str, matched: &str) -> ActionLine {
    if !release.names_the_matched_key() {
        ActionLine::info(format!("Cache hit for: {primary}"))
    } else if primary == matched {
        ActionLine::info(format!("Cache hit for: {matched}"))
    } else {
        ActionLine::info(format!("Cache hit for restore-key: {matched}"))
    }
}

/// Says that `lookup-only` stops here.
pub fn lookup_only() -> ActionLine {
    ActionLine::info("Lookup only - skipping download")
}

/// Says how far the download is. The client prints one such line a second, and one at the end.
pub fn received(done: u64, total: u64, elapsed: Duration) -> ActionLine {
    ActionLine::info(format!("Received {}", progress(done, total, elapsed)))
}

/// Says how large the compressed archive is.
pub fn size(bytes: u64) -> ActionLine {
    ActionLine::info(format!("Cache Size: {}", cache_size(bytes)))
}

/// Shows the command that unpacks. `archive_dir` is the temporary directory of the download.
pub fn command(workspace: &str, archive_dir: &str, compression: Compression) -> ActionLine {
    let archive = compression.archive_name();
    let decompress = match compression {
        Compression::Zstd => "--use-compress-program unzstd",
        Compression::Gzip => "-z",
    };
    ActionLine::info(format!("[command]/usr/bin/tar -xf {archive_dir}/{archive} -P -C {workspace} {decompress}"))
}

/// Says that the archive is unpacked.
pub fn unpacked() -> ActionLine {
    ActionLine::info("Cache restored successfully")
}

/// Ends a restore that found `matched`.
pub fn restored(matched: &str) -> ActionLine {
    ActionLine::info(format!("Cache restored from key: {matched}"))
}

/// Ends a restore with `lookup-only` that found `matched`.
pub fn found(matched: &str) -> ActionLine {
    ActionLine::info(format!("Cache found and can be restored from key: {matched}"))
}

/// Ends a restore that found nothing, or that failed on the way: the action tells them apart by [`failed`] only.
/// With `fail-on-cache-miss` the line is an error, and the step fails.
pub fn missed(keys: &Keys, fail_on_cache_miss: bool) -> ActionLine {
    if fail_on_cache_miss {
        return ActionLine::error(format!(
            "Failed to restore cache entry. Exiting as fail-on-cache-miss is set. Input key: {}",
            keys.primary
        ));
    }
    ActionLine::info(format!("Cache not found for input keys: {}", joined(keys)))
}

/// The warning that one release prints before [`missed`].
pub fn miss_warning(release: CacheRelease, keys: &Keys) -> Option<ActionLine> {
    release.warns_on_miss().then(|| ActionLine::warning(format!("Cache not found for keys: {}", joined(keys))))
}

/// Warns of a failure that the step survives; [`missed`] follows.
pub fn failed(message: &str) -> ActionLine {
    ActionLine::warning(format!("Failed to restore: {message}"))
}

/// Shows what the decompressor (zstd 1.5.4) and GNU tar 1.34 print of an archive that ends too early; [`tar_failed`]
/// follows.
pub fn archive_is_cut(compression: Compression) -> Vec<ActionLine> {
    let decompressor = match compression {
        Compression::Zstd => "/*stdin*\\ : Read error (39) : premature end ",
        Compression::Gzip => "gzip: stdin: unexpected end of file",
    };
    let tar = ["/usr/bin/tar: Unexpected EOF in archive", "/usr/bin/tar: Error is not recoverable: exiting now"];
    [decompressor].into_iter().chain(tar).map(ActionLine::info).collect()
}

/// Warns that unpacking failed; [`missed`] follows.
pub fn tar_failed() -> ActionLine {
    failed("\"/usr/bin/tar\" failed with error: The process '/usr/bin/tar' failed with exit code 2")
}

/// What a job without the right to read prints, before [`missed`].
pub fn read_denied(release: CacheRelease, mode: CacheAccess) -> ActionLine {
    if release.honours_cache_mode() {
        return ActionLine::info(format!(
            "Cache restore skipped: the effective cache-mode '{}' does not permit reads.",
            mode.name()
        ));
    }
    failed(
        "Failed to GetCacheEntryDownloadURL: Received non-retryable error: Failed request: (403) Forbidden: \
         cache read denied: token has no readable scopes",
    )
}

/// The error a restore fails with when an input or a key is refused.
pub fn rejected(message: impl std::fmt::Display) -> ActionLine {
    ActionLine::error(message.to_string())
}

fn joined(keys: &Keys) -> String {
    keys.all().map(super::Key::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(tag: &str) -> CacheRelease {
        CacheRelease::from_ref(tag)
    }

    fn keys() -> Keys {
        Keys::new("Linux-q", ["Linux-zzz", "Linux-yyy"]).unwrap()
    }

    #[test]
    fn an_exact_hit_reads_as_on_github() {
        let lines = [
            hit(v("v5"), "K", "K"),
            received(30_001_379, 30_001_379, Duration::from_millis(1122)),
            size(30_001_379),
            command("/home/runner/work/app/app", "/home/runner/work/_temp/1b2c", Compression::Zstd),
            unpacked(),
            restored("K"),
        ];
        insta::assert_snapshot!(lines.map(|line| line.raw()).join("\n"), @r"
        Cache hit for: K
        Received 30001379 of 30001379 (100.0%), 25.5 MBs/sec
        Cache Size: ~29 MB (30001379 B)
        [command]/usr/bin/tar -xf /home/runner/work/_temp/1b2c/cache.tzst -P -C /home/runner/work/app/app --use-compress-program unzstd
        Cache restored successfully
        Cache restored from key: K
        ");
    }

    #[test]
    fn a_restore_keys_entry_is_named_except_by_the_releases_that_did_not() {
        assert_eq!(hit(v("v4"), "K1", "K").raw(), "Cache hit for restore-key: K");
        assert_eq!(hit(v("v3"), "K1", "K").raw(), "Cache hit for restore-key: K");
        assert_eq!(hit(v("v4.2.3"), "K1", "K").raw(), "Cache hit for: K1");
        assert_eq!(hit(v("v3.4.0"), "K1", "K").raw(), "Cache hit for: K1");
        assert_eq!(hit(v("v4.2.4"), "K1", "K").raw(), "Cache hit for restore-key: K");
    }

    #[test]
    fn a_miss_names_all_keys_and_may_fail_the_step() {
        assert_eq!(missed(&keys(), false).raw(), "Cache not found for input keys: Linux-q, Linux-zzz, Linux-yyy");
        assert_eq!(
            missed(&keys(), true).raw(),
            "##[error]Failed to restore cache entry. Exiting as fail-on-cache-miss is set. Input key: Linux-q"
        );
        assert_eq!(miss_warning(v("v4"), &keys()), None);
        assert_eq!(
            miss_warning(v("v4.2.0"), &keys()).unwrap().raw(),
            "##[warning]Cache not found for keys: Linux-q, Linux-zzz, Linux-yyy"
        );
    }

    #[test]
    fn gzip_has_its_own_command_line() {
        assert_eq!(
            command("/w", "/t/u", Compression::Gzip).raw(),
            "[command]/usr/bin/tar -xf /t/u/cache.tgz -P -C /w -z"
        );
    }

    #[test]
    fn a_failed_unpacking_is_a_warning_before_the_miss() {
        assert_eq!(
            tar_failed().raw(),
            "##[warning]Failed to restore: \"/usr/bin/tar\" failed with error: \
             The process '/usr/bin/tar' failed with exit code 2"
        );
    }
}
