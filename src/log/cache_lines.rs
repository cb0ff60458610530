//! The lines of actions/cache, v2 to v6 and both cache services. [`CacheLines`] is principal.
//!
//! Wordings follow `actions/cache` v3.4.0 to v5.0.5 (`src/restoreImpl.ts`, `src/saveImpl.ts`) and `@actions/cache` 4.0.0
//! to 6.3.0 (`src/cache.ts`). Lines that carry a key are taken only where the key is the step's own: other actions bundle
//! the same library and print the same lines.

use crate::cache::Compression;
use crate::evidence::{Fact, Lookup, NotSaved, SaveOutcome};

/// Reads one step's lines.
#[derive(Debug, Default)]
pub(super) struct CacheLines {
    /// The primary key, where the step's block shows it.
    key: Option<String>,
    /// The restore keys.
    restore_keys: Vec<String>,
    /// The step is one of actions/cache, so that whatever key it names is its own.
    certain: bool,
    /// The key in the hit line.
    hit: Option<String>,
    /// The hit line says that it was by a restore key.
    partial: bool,
    /// Another library's sequence is under way in this step.
    foreign: bool,
    /// The last line told that another library had restored.
    for_another: bool,
    /// The archive's size has been seen.
    sized: bool,
    /// The restore ended, one way or another.
    pub(super) restored: bool,
    /// A failure that a later `Cache not found` would hide.
    trouble: Option<String>,
    /// Why the reservation failed.
    refused: Option<String>,
    /// An archive is being written.
    saving: bool,
    /// The save ended.
    saved: bool,
    /// How the archive is packed has been told.
    packed: bool,
}

/// Which half of the action prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CachePhase {
    /// The restore.
    Restore,
    /// The save.
    Save,
    /// Unknown: the lines themselves decide.
    Either,
}

/// What a line showed.
#[derive(Debug, Default, PartialEq)]
pub(super) struct LineEffect {
    /// The facts.
    pub(super) facts: Vec<Fact>,
    /// The key the line names, if any.
    pub(super) key: Option<String>,
}

impl CacheLines {
    /// Begins a step whose block shows these keys.
    pub(super) fn new(key: Option<String>, restore_keys: Vec<String>) -> Self {
        Self { key, restore_keys, ..Self::default() }
    }

    /// Begins a step of actions/cache whose block shows no keys, as in a copy with closed groups.
    pub(super) fn without_inputs() -> Self {
        Self { certain: true, ..Self::default() }
    }

    /// Tells, once, that the lines so far were of another library's restore.
    pub(super) fn restored_for_another(&mut self) -> bool {
        std::mem::replace(&mut self.for_another, false)
    }

    /// Reads a line without its tag.
    pub(super) fn line(&mut self, text: &str, half: CachePhase) -> LineEffect {
        if !matches!(
            text.as_bytes().first(),
            Some(b'C' | b'F' | b'S' | b'P' | b'K' | b'E' | b'A' | b'Y' | b'/' | b'"' | b'U' | b'L')
        ) {
            return LineEffect::default();
        }
        let save = half != CachePhase::Restore;
        let restore = half != CachePhase::Save;
        if let Some(shown) = self.restore_line(text).filter(|_| restore) {
            return shown;
        }
        if let Some(shown) = save.then(|| self.save_line(text)).flatten() {
            return shown;
        }
        self.common_line(text, half)
    }

    fn restore_line(&mut self, text: &str) -> Option<LineEffect> {
        if let Some(key) = text.strip_prefix("Cache hit for restore-key: ") {
            return Some(self.hit(key, true));
        }
        if let Some(key) = text.strip_prefix("Cache hit for: ") {
            return Some(self.hit(key, false));
        }
        if let Some(key) = text.strip_prefix("Cache restored from key: ") {
            return Some(self.restored_from(key.trim()));
        }
        if let Some(key) = text.strip_prefix("Cache found and can be restored from key: ") {
            return Some(self.own(key.trim(), |key| vec![Fact::CacheLookup(Lookup::LookupOnly { key })]));
        }
        if let Some(keys) = text.strip_prefix("Cache not found for input keys: ") {
            return Some(self.not_found(keys));
        }
        if text.starts_with("Failed to restore cache entry. Exiting as fail-on-cache-miss is set.") {
            self.restored = true;
            return Some(facts(vec![Fact::CacheLookup(Lookup::Miss)]));
        }
        if let Some(reason) = text.strip_prefix("Failed to restore: ") {
            return Some(self.failed(reason));
        }
        if text.starts_with("Cache restore skipped: ") {
            return Some(self.failed(text));
        }
        if text.starts_with("You've hit a rate limit") {
            self.trouble = Some(text.to_owned());
            return Some(LineEffect::default());
        }
        None
    }

    fn hit(&mut self, key: &str, partial: bool) -> LineEffect {
        let key = key.trim();
        self.foreign = !self.ours(key) || self.restored;
        if self.foreign {
            return LineEffect::default();
        }
        self.hit = Some(key.to_owned());
        self.partial = partial;
        // The versions that name the matched key say `restore-key`; some name the primary key either way.
        let owned = key.to_owned();
        let lookup = if partial { Lookup::Partial { key: owned } } else { Lookup::Hit { key: owned } };
        keyed(key, vec![Fact::CacheLookup(lookup)])
    }

    fn restored_from(&mut self, key: &str) -> LineEffect {
        if !self.ours(key) || self.restored || (self.foreign && self.key.is_none()) {
            self.foreign = false;
            self.for_another = true;
            // The size before it was the other's.
            self.sized &= self.restored || self.key.is_some();
            return LineEffect::default();
        }
        self.restored = true;
        self.foreign = false;
        let primary = self.key.as_ref().or(self.hit.as_ref());
        let owned = key.to_owned();
        // actions/cache compares keys without regard to case (`src/utils/actionUtils.ts`, `isExactKeyMatch`).
        let lookup = match primary {
            _ if self.partial => Lookup::Partial { key: owned },
            Some(primary) if primary.eq_ignore_ascii_case(key) => Lookup::Exact { key: owned },
            Some(_) => Lookup::Partial { key: owned },
            None => Lookup::Hit { key: owned },
        };
        keyed(key, vec![Fact::CacheLookup(lookup), Fact::CacheRestored { key: key.to_owned() }])
    }

    fn not_found(&mut self, keys: &str) -> LineEffect {
        let first = keys.split(", ").next().unwrap_or(keys).trim();
        if self.key.as_ref().is_some_and(|key| key != first) || self.restored {
            return LineEffect::default();
        }
        self.restored = true;
        match (self.trouble.take(), &self.hit) {
            // Printed after every swallowed failure too: then nothing is known of the entry.
            (Some(reason), _) => keyed(first, vec![Fact::CacheRestoreFailed { reason }]),
            (None, Some(_)) => {
                let reason = "the entry was found but not restored".to_owned();
                keyed(first, vec![Fact::CacheRestoreFailed { reason }])
            }
            (None, None) => keyed(first, vec![Fact::CacheLookup(Lookup::Miss)]),
        }
    }

    fn failed(&mut self, reason: &str) -> LineEffect {
        self.trouble = Some(reason.to_owned());
        facts(vec![Fact::CacheRestoreFailed { reason: reason.to_owned() }])
    }

    fn save_line(&mut self, text: &str) -> Option<LineEffect> {
        if let Some(rest) = text.strip_prefix("Cache hit occurred on the primary key ")
            && let Some(key) = rest.trim_end().strip_suffix(", not saving cache.")
        {
            return Some(self.not_saved(Some(key), |key| NotSaved::PrimaryHit { key }));
        }
        if let Some(key) = text.strip_prefix("Cache saved with key: ") {
            self.saved = true;
            return Some(self.own(key.trim(), |key| vec![Fact::CacheSave(SaveOutcome::Saved { key })]));
        }
        if let Some(reason) = text.strip_prefix("Cache reservation failed: ") {
            self.refused = Some(reason.to_owned());
            return Some(LineEffect::default());
        }
        if let Some(reason) = text.strip_prefix("Failed to save: ") {
            return Some(self.save_failed(reason));
        }
        if text.starts_with("Cache save skipped: ") {
            return Some(self.not_saved(None, |_| NotSaved::ReadOnly { reason: text.to_owned() }));
        }
        if text.starts_with("Path Validation Error: ") {
            return Some(self.not_saved(None, |_| NotSaved::PathMissing));
        }
        let other =
            ["Key is not specified.", "Unable to finalize cache with key "].iter().any(|it| text.starts_with(it))
                || (text.starts_with("Cache size of ~") && text.contains("not saving cache"))
                || (text == "Cache save failed." && !self.saved);
        if other {
            return Some(self.not_saved(None, |_| NotSaved::Failed { reason: text.to_owned() }));
        }
        let sent = text.strip_prefix("Sent ")?;
        let (sent, rest) = sent.split_once(" of ")?;
        let (total, rest) = rest.split_once(' ')?;
        if sent == total && rest.starts_with('(') {
            return total.parse().ok().map(|bytes| facts(vec![Fact::CacheSaveSize { bytes }]));
        }
        Some(LineEffect::default())
    }

    fn save_failed(&mut self, reason: &str) -> LineEffect {
        let refused = self.refused.take();
        if let Some(rest) = reason.strip_prefix("Unable to reserve cache with key ") {
            let end =
                [", another job may be creating", ". More details: "].iter().filter_map(|mark| rest.find(mark)).min();
            let key = end.map(|end| &rest[..end]);
            let detail = refused.or_else(|| rest.split_once("More details: ").map(|(_, detail)| detail.to_owned()));
            return self.not_saved(key, |key| match detail {
                Some(reason) if read_only(&reason) => NotSaved::ReadOnly { reason },
                Some(reason) if !reason.contains("already exists") => NotSaved::Failed { reason },
                _ => NotSaved::AlreadyExists { key },
            });
        }
        if reason.contains("(409) Conflict") || reason.contains("cache entry with the same key") {
            return self.not_saved(None, |key| NotSaved::AlreadyExists { key });
        }
        let reason = reason.to_owned();
        self.not_saved(None, |_| {
            if read_only(&reason) { NotSaved::ReadOnly { reason } } else { NotSaved::Failed { reason } }
        })
    }

    fn not_saved(&mut self, key: Option<&str>, why: impl FnOnce(String) -> NotSaved) -> LineEffect {
        if key.is_some_and(|key| self.key.as_ref().is_some_and(|own| own != key)) {
            return LineEffect::default();
        }
        self.saved = true;
        let named = key.map(str::to_owned);
        let why = why(named.clone().or_else(|| self.key.clone()).unwrap_or_default());
        LineEffect { facts: vec![Fact::CacheSave(SaveOutcome::NotSaved(why))], key: named }
    }

    fn common_line(&mut self, text: &str, half: CachePhase) -> LineEffect {
        if let Some(bytes) = text.strip_prefix("Cache Size: ~").and_then(size) {
            if self.foreign {
                return LineEffect::default();
            }
            let save = half == CachePhase::Save || (half == CachePhase::Either && self.saving);
            if save {
                return facts(vec![Fact::CacheSaveSize { bytes }]);
            }
            if std::mem::replace(&mut self.sized, true) {
                return LineEffect::default();
            }
            return facts(vec![Fact::CacheSize { bytes }]);
        }
        if text.contains("tar") && (text.contains(" -cf ") || text.contains(" -czf ")) {
            self.saving = true;
        }
        if half != CachePhase::Either
            && let Some(how) = compression(text)
        {
            return match std::mem::replace(&mut self.packed, true) {
                true => LineEffect::default(),
                false => facts(vec![Fact::CacheCompressed(how)]),
            };
        }
        let refused =
            ["Key Validation Error: ", "Event Validation Error: ", "An internal error has occurred in cache backend"]
                .iter()
                .any(|start| text.starts_with(start))
                || text.starts_with("Cache action is only supported on GHES");
        match (refused, half) {
            (true, CachePhase::Save) => self.not_saved(None, |_| NotSaved::Failed { reason: text.to_owned() }),
            (true, _) => self.failed(text),
            (false, _) => LineEffect::default(),
        }
    }

    /// Takes facts under a key only where it is this step's.
    fn own(&self, key: &str, then: impl FnOnce(String) -> Vec<Fact>) -> LineEffect {
        if self.ours(key) { keyed(key, then(key.to_owned())) } else { LineEffect::default() }
    }

    /// Tells whether a key can come from this step's lookup or save.
    fn ours(&self, key: &str) -> bool {
        let starts = |prefix: &String| {
            key.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)) && !prefix.is_empty()
        };
        match &self.key {
            Some(own) => starts(own) || self.restore_keys.iter().any(starts),
            None => self.certain || !third_party(key),
        }
    }
}

fn facts(facts: Vec<Fact>) -> LineEffect {
    LineEffect { facts, key: None }
}

fn keyed(key: &str, facts: Vec<Fact>) -> LineEffect {
    LineEffect { facts, key: Some(key.to_owned()) }
}

/// Reads from the command that packs or unpacks an archive what packs it (`@actions/cache` `src/internal/tar.ts`): its
/// name is `cache.tzst` with zstd and `cache.tgz` with gzip.
fn compression(text: &str) -> Option<Compression> {
    let tar = text.contains("tar") && (text.contains(" -cf ") || text.contains(" -xf "));
    match tar {
        true if text.contains("cache.tzst") => Some(Compression::Zstd),
        true if text.contains("cache.tgz") => Some(Compression::Gzip),
        _ => None,
    }
}

/// Reads the bytes of `0 MB (198 B)`.
fn size(rest: &str) -> Option<u64> {
    let (_, bytes) = rest.split_once(" MB (")?;
    bytes.trim_end().strip_suffix(" B)")?.parse().ok()
}

fn read_only(reason: &str) -> bool {
    ["read only", "read-only", "write denied", "writable", "budget", "does not permit writes"]
        .iter()
        .any(|part| reason.contains(part))
}

/// Tells whether a key is one that another action makes for itself.
pub(super) fn third_party(key: &str) -> bool {
    const STARTS: [&str; 15] = [
        "setup-go-",
        "node-cache-",
        "setup-python-",
        "setup-java-",
        "dotnet-cache-",
        "setup-ruby-",
        "pnpm-cache-",
        "golangci-lint.cache-",
        "v0-rust-",
        "gradle-",
        "buildx-dl-bin",
        "docker.io--",
        "buildkit-",
        "setup-uv-",
        "trivy-",
    ];
    STARTS.iter().any(|start| key.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(own: Option<&str>, half: CachePhase, log: &str) -> Vec<Fact> {
        let mut lines = CacheLines::new(own.map(Into::into), vec!["go-".into()]);
        log.lines().flat_map(|line| lines.line(line.trim(), half).facts).collect()
    }

    fn restored(key: &str) -> Fact {
        Fact::CacheRestored { key: key.into() }
    }

    #[test]
    fn the_restored_key_decides_whether_a_hit_was_exact() {
        let log = "Cache hit for: go-1\nCache Size: ~29 MB (30001379 B)\nCache restored successfully\nCache restored from key: go-0";
        let facts = read(Some("go-1"), CachePhase::Restore, log);
        assert_eq!(facts[0], Fact::CacheLookup(Lookup::Hit { key: "go-1".into() }));
        assert_eq!(facts[1], Fact::CacheSize { bytes: 30_001_379 });
        assert_eq!(facts[2], Fact::CacheLookup(Lookup::Partial { key: "go-0".into() }));
        assert_eq!(facts[3], restored("go-0"));
        let old = read(Some("GO-1"), CachePhase::Restore, "Cache Size: ~0 MB (3 B)\nCache restored from key: go-1");
        assert_eq!(old[1], Fact::CacheLookup(Lookup::Exact { key: "go-1".into() }));
    }

    #[test]
    fn a_miss_after_a_failure_is_no_miss() {
        let log = "Cache hit for: go-1\nCache Size: ~1 MB (1000000 B)\nFailed to restore: \"/usr/bin/tar\" failed\n\
                   Cache not found for input keys: go-1, go-";
        let facts = read(Some("go-1"), CachePhase::Restore, log);
        assert!(!facts.contains(&Fact::CacheLookup(Lookup::Miss)));
        assert!(matches!(facts.last(), Some(Fact::CacheRestoreFailed { .. })));
        let limited =
            "You've hit a rate limit, your rate limit will reset in 5 seconds\nCache not found for input keys: go-1";
        assert!(matches!(read(Some("go-1"), CachePhase::Restore, limited)[..], [Fact::CacheRestoreFailed { .. }]));
    }

    #[test]
    fn lines_of_another_library_are_left_out() {
        let log = "Cache hit for: setup-go-Linux-x64\nCache Size: ~200 MB (209715200 B)\nCache restored from key: setup-go-Linux-x64\n\
                   Cache hit for: go-1\nCache Size: ~0 MB (198 B)\nCache restored from key: go-1";
        for own in [Some("go-1"), None] {
            let facts = read(own, CachePhase::Restore, log);
            assert_eq!(facts[1], Fact::CacheSize { bytes: 198 }, "{own:?}");
            assert_eq!(facts.len(), 4, "{own:?}");
        }
        let after = "Cache restored from key: go-1\nCache hit for: go-2\nCache Size: ~9 MB (9999999 B)\nCache restored from key: go-2";
        assert_eq!(read(Some("go-1"), CachePhase::Restore, after).len(), 2);
    }

    #[test]
    fn a_step_of_actions_cache_names_its_own_key_however_it_begins() {
        let log = "Cache hit for: buildkit-go-1\nCache Size: ~1 MB (1000000 B)\nCache restored from key: buildkit-go-1";
        let mut lines = CacheLines::without_inputs();
        assert_eq!(log.lines().flat_map(|line| lines.line(line, CachePhase::Restore).facts).count(), 4);
        let mut lines = CacheLines::new(None, Vec::new());
        assert_eq!(log.lines().flat_map(|line| lines.line(line, CachePhase::Either).facts).count(), 0);
    }

    #[test]
    fn the_command_that_packs_shows_the_compression_once() {
        let zstd = "/usr/bin/tar --posix -cf cache.tzst --exclude cache.tzst -P -C /w --files-from manifest.txt --use-compress-program zstdmt";
        assert_eq!(read(Some("go-1"), CachePhase::Save, zstd), [Fact::CacheCompressed(Compression::Zstd)]);
        let gzip = "/usr/bin/tar -xf /t/cache.tgz -P -C /w -z\n/usr/bin/tar -xf /t/cache.tgz -P -C /w -z";
        assert_eq!(read(Some("go-1"), CachePhase::Restore, gzip), [Fact::CacheCompressed(Compression::Gzip)]);
        assert!(read(Some("go-1"), CachePhase::Save, "/usr/bin/tar -xf go.tgz").is_empty());
    }

    #[test]
    fn every_way_not_to_save_is_told_apart() {
        let why = |log: &str| match read(Some("go-1"), CachePhase::Save, log).pop() {
            Some(Fact::CacheSave(SaveOutcome::NotSaved(why))) => why,
            other => panic!("{other:?}"),
        };
        let key = || "go-1".to_owned();
        assert_eq!(
            why("Cache hit occurred on the primary key go-1, not saving cache."),
            NotSaved::PrimaryHit { key: key() }
        );
        let reserve = "Failed to save: Unable to reserve cache with key go-1, another job may be creating this cache.";
        assert_eq!(why(reserve), NotSaved::AlreadyExists { key: key() });
        assert!(matches!(
            why(&format!("Cache reservation failed: cache write denied: token has no writable scopes\n{reserve}")),
            NotSaved::ReadOnly { .. }
        ));
        assert_eq!(
            why(&format!(
                "{reserve} More details: Cache already exists. Scope: refs/heads/main, Key: go-1, Version: 1"
            )),
            NotSaved::AlreadyExists { key: key() }
        );
        assert!(matches!(
            why("Failed to save: Unable to reserve cache with key go-1. More details: cache write denied: x"),
            NotSaved::ReadOnly { .. }
        ));
        assert_eq!(
            why(
                "Failed to save: Failed to CreateCacheEntry: Received non-retryable error: Failed request: (409) Conflict: cache entry with the same key, version, and scope already exists"
            ),
            NotSaved::AlreadyExists { key: key() }
        );
        assert_eq!(
            why(
                "Path Validation Error: Path(s) specified in the action for caching do(es) not exist, hence no cache is being saved."
            ),
            NotSaved::PathMissing
        );
        assert!(matches!(
            why("Cache save skipped: the effective cache-mode 'read' does not permit writes."),
            NotSaved::ReadOnly { .. }
        ));
        assert!(matches!(why("Failed to save: Our services aren't available right now"), NotSaved::Failed { .. }));
    }

    #[test]
    fn a_save_shows_its_size_on_both_services() {
        let saved = Fact::CacheSave(SaveOutcome::Saved { key: "go-1".into() });
        let v2 = "Sent 5 of 239 (2.1%), 0.0 MBs/sec\nSent 239 of 239 (100.0%), 0.0 MBs/sec\nCache saved with key: go-1";
        assert_eq!(read(Some("go-1"), CachePhase::Save, v2), [Fact::CacheSaveSize { bytes: 239 }, saved.clone()]);
        let v1 = "/usr/bin/tar --posix -cf cache.tzst --exclude cache.tzst\nCache Size: ~0 MB (245 B)\nCache saved successfully\nCache saved with key: go-1";
        assert_eq!(read(Some("go-1"), CachePhase::Either, v1), [Fact::CacheSaveSize { bytes: 245 }, saved]);
    }
}
