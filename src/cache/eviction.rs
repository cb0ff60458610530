//! What the service removes to keep a repository inside its limits. [`evict`] is principal.
//!
//! Foreign facts: GitHub's documentation, "Dependency caching", usage limits and eviction policy.

use std::time::{Duration, SystemTime};

use super::{EntryId, EntryMeta};

/// The storage a repository has by default: 10 GiB.
pub const DEFAULT_LIMIT_BYTES: u64 = 10 * 1024 * 1024 * 1024;
/// How long an entry may lie unused: seven days.
pub const DEFAULT_MAX_IDLE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Names the entries to remove: those unused for longer than `max_idle`, then the least recently used until the rest
/// fits in the limit. Already evicted entries count for nothing.
pub fn evict(entries: &[EntryMeta], limit_bytes: u64, now: SystemTime, max_idle: Duration) -> Vec<EntryId> {
    let live = entries.iter().filter(|entry| entry.evicted.is_none());
    let (mut kept, idle): (Vec<_>, Vec<_>) = live.partition(|entry| {
        // A use that lies in the future, from a clock set back, is no idleness.
        !now.duration_since(entry.last_used).is_ok_and(|idle| idle > max_idle)
    });
    kept.sort_by_key(|entry| (entry.last_used, entry.created, entry.id));
    let mut total: u128 = kept.iter().map(|entry| u128::from(entry.size)).sum();
    let over = kept.into_iter().take_while(|entry| {
        let remove = total > u128::from(limit_bytes);
        total -= if remove { u128::from(entry.size) } else { 0 };
        remove
    });
    idle.into_iter().chain(over).map(|entry| entry.id).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Compression, Identity, Key, Scope, Version};
    use super::*;

    const DAY: u64 = 24 * 60 * 60;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn entry(id: u64, size: u64, last_used: u64) -> EntryMeta {
        EntryMeta {
            id: EntryId(id),
            identity: Identity {
                key: Key::new(format!("k{id}")).unwrap(),
                version: Version::of(&["dir"], Compression::Zstd),
                scope: Scope::new("main"),
            },
            size,
            created: at(0),
            last_used: at(last_used),
            evicted: None,
        }
    }

    fn removed(entries: &[EntryMeta], limit: u64, now: u64) -> Vec<u64> {
        evict(entries, limit, at(now), DEFAULT_MAX_IDLE).into_iter().map(|id| id.0).collect()
    }

    #[test]
    fn an_entry_unused_for_more_than_seven_days_goes() {
        let entries = [entry(1, 1, 0), entry(2, 1, 1)];
        assert_eq!(removed(&entries, 10, 7 * DAY + 1), [1]);
    }

    #[test]
    fn over_the_limit_the_least_recently_used_go_until_the_rest_fits() {
        let entries = [entry(1, 4, 30), entry(2, 4, 10), entry(3, 4, 20)];
        assert_eq!(removed(&entries, 12, 40), [0; 0]);
        assert_eq!(removed(&entries, 8, 40), [2]);
        assert_eq!(removed(&entries, 7, 40), [2, 3]);
    }

    #[test]
    fn an_entry_is_not_evicted_twice_and_takes_no_room() {
        let mut gone = entry(1, 100, 0);
        gone.evicted = Some(at(1));
        assert_eq!(removed(&[gone, entry(2, 4, 30)], 4, 40), [0; 0]);
    }

    proptest! {
        #[test]
        fn what_stays_fits_in_the_limit(sizes in prop::collection::vec(any::<u64>(), 0..8), limit: u64) {
            let entries: Vec<_> = sizes.iter().zip(1..).map(|(size, id)| entry(id, *size, id)).collect();
            let gone = removed(&entries, limit, 10);
            let rest: u128 = entries.iter().filter(|e| !gone.contains(&e.id.0)).map(|e| u128::from(e.size)).sum();
            prop_assert!(rest <= u128::from(limit));
        }
    }
}
