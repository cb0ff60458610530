//! What a lookup finds among the entries of a store, and why it finds nothing. [`lookup`] is principal.
//!
//! The order is the service's: for each readable scope the exact key, then the key as a prefix, then each restore key
//! exactly and as a prefix; among several the most recently created. Only entries of the same version count.
//! The service says no more than "miss"; the reason given here is the store's own knowledge, for live evidence.

use std::time::SystemTime;

use super::{Key, Keys, Scope, Version};

/// The number of an entry in its store; later entries have higher numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(pub u64);

/// What makes an entry unique: a second save with all three equal is refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The key it was saved under.
    pub key: Key,
    /// The hash of its paths and compression.
    pub version: Version,
    /// The ref that saved it.
    pub scope: Scope,
}

/// An entry without its archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryMeta {
    /// Its number in the store.
    pub id: EntryId,
    /// Its key, version and scope.
    pub identity: Identity,
    /// The archive's compressed size in bytes.
    pub size: u64,
    /// When it was saved.
    pub created: SystemTime,
    /// When it was last saved or restored.
    pub last_used: SystemTime,
    /// When it was evicted; such an entry is never found, but explains a miss.
    pub evicted: Option<SystemTime>,
}

/// One lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupRequest {
    /// The key and the restore keys.
    pub keys: Keys,
    /// The version of the wanted entry.
    pub version: Version,
    /// The readable scopes, in search order.
    pub scopes: Vec<Scope>,
}

/// What a lookup found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupOutcome<'a> {
    /// The entry saved under the primary key itself.
    Exact {
        /// The entry.
        entry: &'a EntryMeta,
    },
    /// An entry under another key.
    Partial {
        /// The entry; its own key is what the action calls the matched key.
        entry: &'a EntryMeta,
        /// The key of the request that led to it: the primary key as a prefix, or a restore key.
        matched_by: Key,
    },
    /// Nothing.
    Miss {
        /// Why not.
        reason: MissReason,
    },
}

/// Why a lookup found nothing, from the store's point of view; the first that applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissReason {
    /// The store never held an entry.
    EmptyStore,
    /// An entry that would have matched was evicted.
    Evicted {
        /// The newest such entry.
        entry: EntryId,
    },
    /// A matching entry exists, but under a version made from other paths or another compression.
    OtherVersion {
        /// The newest such entry.
        entry: EntryId,
        /// Its version.
        version: Version,
    },
    /// A matching entry exists, but in a scope this run may not read.
    OutOfScope {
        /// The newest such entry.
        entry: EntryId,
        /// Its scope.
        scope: Scope,
    },
    /// Entries exist, but none under a matching key.
    NoMatchingKey,
}

/// Finds the entry that the service would hand out.
pub fn lookup<'a>(entries: &'a [EntryMeta], request: &LookupRequest) -> LookupOutcome<'a> {
    let live = |entry: &&EntryMeta| entry.evicted.is_none() && entry.identity.version == request.version;
    for scope in &request.scopes {
        let here: Vec<_> = entries.iter().filter(live).filter(|entry| entry.identity.scope == *scope).collect();
        for key in request.keys.all() {
            let exact = newest(here.iter().copied().filter(|entry| entry.identity.key == *key));
            let found = exact.or_else(|| newest(here.iter().copied().filter(|entry| begins_with(entry, key))));
            if let Some(entry) = found {
                return if entry.identity.key == request.keys.primary {
                    LookupOutcome::Exact { entry }
                } else {
                    LookupOutcome::Partial { entry, matched_by: key.clone() }
                };
            }
        }
    }
    LookupOutcome::Miss { reason: explain(entries, request) }
}

fn explain(entries: &[EntryMeta], request: &LookupRequest) -> MissReason {
    let named: Vec<_> = entries.iter().filter(|entry| request.keys.all().any(|key| begins_with(entry, key))).collect();
    let newest_where = |test: &dyn Fn(&EntryMeta) -> bool| newest(named.iter().copied().filter(|entry| test(entry)));
    let readable = |entry: &EntryMeta| request.scopes.contains(&entry.identity.scope);
    let same_version = |entry: &EntryMeta| entry.identity.version == request.version;

    if entries.is_empty() {
        MissReason::EmptyStore
    } else if let Some(entry) = newest_where(&|entry| entry.evicted.is_some() && readable(entry) && same_version(entry))
    {
        MissReason::Evicted { entry: entry.id }
    } else if let Some(entry) = newest_where(&|entry| entry.evicted.is_none() && readable(entry)) {
        MissReason::OtherVersion { entry: entry.id, version: entry.identity.version.clone() }
    } else if let Some(entry) = newest_where(&|entry| entry.evicted.is_none() && !readable(entry)) {
        MissReason::OutOfScope { entry: entry.id, scope: entry.identity.scope.clone() }
    } else {
        MissReason::NoMatchingKey
    }
}

fn begins_with(entry: &EntryMeta, key: &Key) -> bool {
    entry.identity.key.as_str().starts_with(key.as_str())
}

fn newest<'a>(entries: impl Iterator<Item = &'a EntryMeta>) -> Option<&'a EntryMeta> {
    entries.max_by_key(|entry| (entry.created, entry.id))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::super::Compression;
    use super::*;

    fn entry(id: u64, key: &str, path: &str, scope: &str, created: u64) -> EntryMeta {
        let created = SystemTime::UNIX_EPOCH + Duration::from_secs(created);
        EntryMeta {
            id: EntryId(id),
            identity: Identity {
                key: Key::new(key).unwrap(),
                version: Version::of(&[path], Compression::Zstd),
                scope: Scope::new(scope),
            },
            size: 1,
            created,
            last_used: created,
            evicted: None,
        }
    }

    fn evicted(mut entry: EntryMeta) -> EntryMeta {
        entry.evicted = Some(entry.created);
        entry
    }

    fn request(key: &str, restore: &[&str], scopes: &[&str]) -> LookupRequest {
        LookupRequest {
            keys: Keys::new(key, restore.iter().copied()).unwrap(),
            version: Version::of(&["dir"], Compression::Zstd),
            scopes: scopes.iter().map(|scope| Scope::new(*scope)).collect(),
        }
    }

    fn found(entries: &[EntryMeta], request: &LookupRequest) -> Option<u64> {
        match lookup(entries, request) {
            LookupOutcome::Exact { entry } | LookupOutcome::Partial { entry, .. } => Some(entry.id.0),
            LookupOutcome::Miss { .. } => None,
        }
    }

    fn miss(entries: &[EntryMeta], request: &LookupRequest) -> MissReason {
        match lookup(entries, request) {
            LookupOutcome::Miss { reason } => reason,
            hit => panic!("expected a miss, got {hit:?}"),
        }
    }

    #[test]
    fn an_exact_entry_wins_over_a_newer_one_that_only_begins_with_the_key() {
        let entries = [entry(1, "go-1", "dir", "main", 1), entry(2, "go-12", "dir", "main", 2)];
        assert_eq!(lookup(&entries, &request("go-1", &[], &["main"])), LookupOutcome::Exact { entry: &entries[0] });
    }

    #[test]
    fn the_primary_key_is_a_prefix_too_and_comes_before_the_restore_keys() {
        let entries = [entry(1, "go-12", "dir", "main", 1), entry(2, "go-", "dir", "main", 2)];
        assert_eq!(
            lookup(&entries, &request("go-1", &["go-"], &["main"])),
            LookupOutcome::Partial { entry: &entries[0], matched_by: Key::new("go-1").unwrap() }
        );
    }

    #[test]
    fn restore_keys_go_in_order_and_the_newest_of_several_wins() {
        let entries = [
            entry(1, "go-a-1", "dir", "main", 1),
            entry(2, "go-a-2", "dir", "main", 2),
            entry(3, "go-b", "dir", "main", 3),
        ];
        assert_eq!(found(&entries, &request("x", &["go-a-", "go-"], &["main"])), Some(2));
        assert_eq!(found(&entries, &request("x", &["go-"], &["main"])), Some(3));
    }

    #[test]
    fn the_own_branch_comes_before_the_default_branch_even_with_a_worse_match() {
        let entries = [entry(1, "go-1", "dir", "main", 9), entry(2, "go-0", "dir", "topic", 1)];
        assert_eq!(found(&entries, &request("go-1", &["go-"], &["topic", "main"])), Some(2));
    }

    #[test]
    fn a_miss_says_why_the_store_had_nothing() {
        let wanted = request("go-1", &["go-"], &["topic", "main"]);
        assert_eq!(miss(&[], &wanted), MissReason::EmptyStore);
        assert_eq!(miss(&[entry(1, "npm", "dir", "main", 1)], &wanted), MissReason::NoMatchingKey);
        let other = entry(1, "go-0", "elsewhere", "main", 1);
        assert_eq!(
            miss(std::slice::from_ref(&other), &wanted),
            MissReason::OtherVersion { entry: EntryId(1), version: other.identity.version }
        );
        assert_eq!(
            miss(&[entry(1, "go-1", "dir", "sibling", 1)], &wanted),
            MissReason::OutOfScope { entry: EntryId(1), scope: Scope::new("sibling") }
        );
        let gone = evicted(entry(1, "go-1", "dir", "main", 1));
        assert_eq!(
            miss(&[gone, entry(2, "go-1", "dir", "sibling", 2)], &wanted),
            MissReason::Evicted { entry: EntryId(1) }
        );
    }

    prop_compose! {
        fn any_entry()(key in "[ab]{0,3}", path in "dir|other", scope in "main|topic|sibling", created in 0u64..5,
                       gone in any::<bool>()) -> EntryMeta {
            let entry = entry(0, &key, &path, &scope, created);
            if gone { evicted(entry) } else { entry }
        }
    }

    fn numbered(mut entries: Vec<EntryMeta>) -> Vec<EntryMeta> {
        entries.iter_mut().zip(1..).for_each(|(entry, id)| entry.id = EntryId(id));
        entries
    }

    proptest! {
        #[test]
        fn what_is_found_is_live_readable_of_the_version_and_under_a_requested_key(
            entries in prop::collection::vec(any_entry(), 0..12), key in "[ab]{0,3}",
            restore in prop::collection::vec("[ab]{1,2}", 0..3), topic in any::<bool>(),
        ) {
            let entries = numbered(entries);
            let restore: Vec<_> = restore.iter().map(String::as_str).collect();
            let request = request(&key, &restore, if topic { &["topic", "main"] } else { &["main"] });
            match lookup(&entries, &request) {
                LookupOutcome::Exact { entry } => {
                    prop_assert_eq!(entry.identity.key.as_str(), key);
                    prop_assert!(entry.evicted.is_none() && entry.identity.version == request.version);
                    prop_assert!(request.scopes.contains(&entry.identity.scope));
                }
                LookupOutcome::Partial { entry, matched_by } => {
                    prop_assert!(begins_with(entry, &matched_by) && request.keys.all().any(|key| *key == matched_by));
                    prop_assert!(entry.evicted.is_none() && entry.identity.version == request.version);
                    prop_assert!(request.scopes.contains(&entry.identity.scope));
                    let newer = entries.iter().any(|other| {
                        (other.created, other.id) > (entry.created, entry.id)
                            && other.evicted.is_none()
                            && other.identity.version == request.version
                            && other.identity.scope == entry.identity.scope
                            && begins_with(other, &matched_by)
                    });
                    prop_assert!(!newer || entry.identity.key == matched_by);
                }
                LookupOutcome::Miss { .. } => {
                    let reachable = entries.iter().any(|entry| {
                        entry.evicted.is_none()
                            && entry.identity.version == request.version
                            && request.scopes.contains(&entry.identity.scope)
                            && request.keys.all().any(|key| begins_with(entry, key))
                    });
                    prop_assert!(!reachable);
                }
            }
        }

        #[test]
        fn an_exact_entry_in_the_own_scope_always_wins(
            entries in prop::collection::vec(any_entry(), 0..12), key in "[ab]{0,3}",
            restore in prop::collection::vec("[ab]{1,2}", 0..3),
        ) {
            let mut entries = numbered(entries);
            entries.push(entry(99, &key, "dir", "main", 0));
            let restore: Vec<_> = restore.iter().map(String::as_str).collect();
            let request = request(&key, &restore, &["main", "topic"]);
            let exact = matches!(lookup(&entries, &request), LookupOutcome::Exact { .. });
            prop_assert!(exact);
        }
    }
}
