//! What a store keeps, over openings and interruptions.

use std::fs;
use std::time::UNIX_EPOCH;

use super::*;
use crate::cache::{Compression, DEFAULT_MAX_IDLE, Key, Keys, MissReason, Scope, Version};

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn identity(key: &str) -> Identity {
    Identity {
        key: Key::new(key).unwrap(),
        version: Version::of(&["dir"], Compression::Zstd),
        scope: Scope::new("main"),
    }
}

fn request(key: &str) -> LookupRequest {
    LookupRequest {
        keys: Keys::new(key, ["go-"]).unwrap(),
        version: Version::of(&["dir"], Compression::Zstd),
        scopes: vec![Scope::new("main")],
    }
}

fn save(store: &mut Store, key: &str, bytes: &[u8], now: u64) -> EntryMeta {
    let reservation = store.reserve(identity(key)).unwrap();
    let archive = store.staging("made");
    fs::write(&archive, bytes).unwrap();
    store.commit(reservation, &archive, at(now)).unwrap()
}

#[test]
fn an_entry_survives_reopening_with_its_bytes_and_times() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("new/store");
    let mut store = Store::open(&dir).unwrap();
    let saved = save(&mut store, "go-1", b"archive", 7);
    assert!(!store.staging("made").exists(), "moved, not copied");
    store.touch(saved.id, at(9)).unwrap();

    let store = Store::open(&dir).unwrap();
    assert_eq!(store.entries(), [EntryMeta { last_used: at(9), ..saved.clone() }]);
    assert!(matches!(store.lookup(&request("go-1")), LookupOutcome::Exact { entry } if entry.id == saved.id));
    assert_eq!(fs::read(store.archive(saved.id)).unwrap(), b"archive");
}

#[test]
fn an_entry_never_changes_and_is_made_by_one_at_a_time() {
    let temp = tempfile::tempdir().unwrap();
    let mut store = Store::open(temp.path()).unwrap();
    let first = store.reserve(identity("go-1")).unwrap();
    assert!(store.reserve(identity("go-1")).is_none(), "being made");
    assert!(store.reserve(identity("go-2")).is_some(), "another key");
    store.abandon(first);
    save(&mut store, "go-1", b"x", 1);
    assert!(store.reserve(identity("go-1")).is_none(), "exists");
    let elsewhere = Identity { scope: Scope::new("topic"), ..identity("go-1") };
    assert!(store.reserve(elsewhere).is_some(), "another scope");
}

#[test]
fn a_failed_commit_leaves_no_entry_and_can_be_repeated() {
    let temp = tempfile::tempdir().unwrap();
    let mut store = Store::open(temp.path()).unwrap();
    let reservation = store.reserve(identity("go-1")).unwrap();
    let error = store.commit(reservation, &store.staging("missing"), at(1)).unwrap_err();
    assert!(matches!(error, StoreError::Read { .. }));
    assert!(store.entries().is_empty());
    save(&mut store, "go-1", b"x", 2);
}

#[test]
fn what_an_interruption_left_is_gone_after_opening() {
    let temp = tempfile::tempdir().unwrap();
    let mut store = Store::open(temp.path()).unwrap();
    let kept = save(&mut store, "go-1", b"x", 1);
    fs::write(store.staging("half"), "half an archive").unwrap();
    fs::write(store.archive(EntryId(2)), "moved in, never described").unwrap();

    let mut store = Store::open(temp.path()).unwrap();
    assert_eq!(store.entries(), [kept]);
    assert!(!store.staging("half").exists() && !store.archive(EntryId(2)).exists());
    save(&mut store, "go-2", b"y", 2);
}

#[test]
fn an_evicted_entry_explains_the_miss_and_may_be_made_again() {
    let temp = tempfile::tempdir().unwrap();
    let mut store = Store::open(temp.path()).unwrap();
    let old = save(&mut store, "go-1", b"1234", 1);
    let new = save(&mut store, "npm-1", b"1234", 2);
    let gone = store.evict(4, at(3), DEFAULT_MAX_IDLE).unwrap();
    assert_eq!(gone, std::slice::from_ref(&old));
    assert!(!store.archive(old.id).exists() && store.archive(new.id).exists());

    let mut store = Store::open(temp.path()).unwrap();
    let miss = LookupOutcome::Miss { reason: MissReason::Evicted { entry: old.id } };
    assert_eq!(store.lookup(&request("go-1")), miss);
    let again = save(&mut store, "go-1", b"5", 4);
    assert!(again.id > new.id);
    assert!(matches!(store.lookup(&request("go-1")), LookupOutcome::Exact { entry } if entry.id == again.id));
}

#[test]
fn a_description_of_another_kind_is_named_with_a_remedy() {
    let temp = tempfile::tempdir().unwrap();
    let mut store = Store::open(temp.path()).unwrap();
    save(&mut store, "go-1", b"x", 1);
    let path = temp.path().join("000001.json");
    let text = fs::read_to_string(&path).unwrap();
    for bad in [text.replace("\"schema\": 1", "\"schema\": 2"), text.replace("go-1", "go,1"), "{".to_owned()] {
        fs::write(&path, bad).unwrap();
        let error = Store::open(temp.path()).unwrap_err();
        assert!(matches!(&error, StoreError::Corrupt { path: named, .. } if *named == path), "{error}");
        assert!(error.hint().unwrap().contains("000001.json"));
    }
}

#[test]
fn a_full_disk_is_recognised() {
    let error = StoreError::Write { path: "x".into(), source: io::ErrorKind::StorageFull.into() };
    assert!(error.hint().unwrap().contains("disk is full"));
}

#[test]
fn a_damaged_entry_is_still_found_and_cut_to_two_thirds() {
    let temp = tempfile::tempdir().unwrap();
    let mut store = Store::open(temp.path()).unwrap();
    let (hit, spared) = (save(&mut store, "v1-go", b"123456789", 1), save(&mut store, "v2-go", b"12345678", 1));
    assert_eq!(store.damage("v1-").unwrap(), 1);
    let sizes: Vec<_> = store.entries().iter().map(|entry| entry.size).collect();
    assert_eq!(sizes, [6, 8]);
    assert_eq!(fs::read(store.archive(hit.id)).unwrap(), b"123456");
    assert_eq!(fs::read(store.archive(spared.id)).unwrap(), b"12345678");
    assert!(store.reserve(identity("v1-go")).is_none(), "it cannot be saved anew");
}
