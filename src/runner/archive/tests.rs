//! Round trips through a hostile tree.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use filetime::FileTime;
use proptest::prelude::*;
use tar::Header;

use super::*;
use crate::cache::Compression;

mod refusals;

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn touch(path: &Path, seconds: i64, nanos: u32) {
    let time = FileTime::from_unix_time(seconds, nanos);
    filetime::set_symlink_file_times(path, time, time).unwrap();
}

/// A tree with everything that has ever been lost on the way.
fn hostile(top: &Path) {
    fs::create_dir_all(top.join("empty")).unwrap();
    fs::create_dir_all(top.join("ro/inner")).unwrap();
    fs::create_dir_all(top.join("with space/new\nline/ünï")).unwrap();
    let odd = top.join(OsStr::from_bytes(b"not-utf8-\xff\xfe"));
    fs::create_dir_all(&odd).unwrap();
    let deep = (0..6).fold(top.join("deep"), |path, _| path.join("d".repeat(60)));
    fs::create_dir_all(&deep).unwrap();
    let long = top.join("l".repeat(255));

    let files: [(PathBuf, &[u8], u32); 12] = [
        (top.join(".dotfile"), b"dot", 0o600),
        // Long and with a newline: a POSIX path record of it is cut by the reader.
        (top.join(format!("{}\nrest", "n".repeat(120))), b"n", 0o644),
        (top.join("zero"), b"", 0o644),
        (top.join("run.sh"), b"#!/bin/sh\n", 0o755),
        (top.join("read-only"), b"ro", 0o444),
        (top.join("setuid"), b"s", 0o4711),
        (top.join("ro/f"), b"inside", 0o400),
        (top.join("ro/inner/g"), &[0; 512], 0o640),
        (top.join("with space/new\nline/ünï/h"), b"x", 0o644),
        (odd.join(OsStr::from_bytes(b"\xf0f")), b"bytes", 0o644),
        (deep.join("leaf"), &[7; 513], 0o644),
        (long, b"long", 0o644),
    ];
    for (at, (path, bytes, mode)) in files.iter().enumerate() {
        fs::write(path, bytes).unwrap();
        chmod(path, *mode);
        touch(path, 1_600_000_000 + at as i64, 123_456_789);
    }
    fs::write(top.join("large"), vec![b'x'; 3 * 1024 * 1024 + 17]).unwrap();
    fs::hard_link(top.join("run.sh"), top.join("second-name")).unwrap();
    fs::hard_link(top.join("run.sh"), top.join("ro").join("h".repeat(120))).unwrap();
    symlink("nowhere", top.join("dangling")).unwrap();
    symlink("/etc/hostname", top.join("absolute")).unwrap();
    symlink("../".repeat(60), top.join("long-target")).unwrap();
    touch(&top.join("dangling"), 1_500_000_000, 0);
    chmod(&top.join("ro/inner"), 0o555);
    chmod(&top.join("ro"), 0o555);
    chmod(&top.join("empty"), 0o700);
    for (at, dir) in ["ro/inner", "ro", "empty", "with space", "deep", "."].into_iter().enumerate() {
        touch(&top.join(dir), 1_400_000_000 + at as i64, 0);
    }
}

/// What of an entry must survive.
#[derive(Debug, PartialEq, Eq)]
struct SurvivingEntry {
    mode: u32,
    seconds: i64,
    nanos: i64,
    /// The bytes of a file or the target of a link.
    content: Vec<u8>,
    /// The first name of the same file.
    same_as: Option<PathBuf>,
}

fn look(top: &Path, whole_seconds: bool) -> BTreeMap<PathBuf, SurvivingEntry> {
    let mut seen = BTreeMap::new();
    let mut inodes = BTreeMap::new();
    let mut stack = vec![top.to_owned()];
    while let Some(path) = stack.pop() {
        let meta = fs::symlink_metadata(&path).unwrap();
        let name = path.strip_prefix(top).unwrap().to_owned();
        let mut content = Vec::new();
        if meta.is_dir() {
            let mut children: Vec<_> = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
            children.sort_by(|left, right| right.cmp(left));
            stack.extend(children);
        } else if meta.is_symlink() {
            content = fs::read_link(&path).unwrap().as_os_str().as_bytes().to_vec();
        } else {
            content = fs::read(&path).unwrap();
        }
        let same_as = (meta.is_file() && meta.nlink() > 1)
            .then(|| inodes.entry(meta.ino()).or_insert_with(|| name.clone()).clone());
        let nanos = if whole_seconds { 0 } else { meta.mtime_nsec() };
        seen.insert(name, SurvivingEntry { mode: meta.mode(), seconds: meta.mtime(), nanos, content, same_as });
    }
    seen
}

fn temp() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Also takes read-only directories away when the tests run as an ordinary user.
struct TempTree(tempfile::TempDir);

impl TempTree {
    fn new() -> Self {
        Self(temp())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("tree")
    }
}

impl Drop for TempTree {
    fn drop(&mut self) {
        let _ = remove_tree(&self.path());
    }
}

fn packed(dir: &Path, options: &PackOptions) -> (Vec<u8>, ArchiveTally) {
    let mut bytes = Vec::new();
    let tally = pack_dir(dir, &mut bytes, options).unwrap();
    (bytes, tally)
}

const TRAILING: PackOptions = PackOptions { owner: Owner::Zero, times: Times::WholeSeconds, trailing_dirs: true };
const EXACT: PackOptions = PackOptions { owner: Owner::Keep, times: Times::Nanoseconds, trailing_dirs: false };

#[test]
fn a_hostile_tree_comes_back_byte_for_byte_in_every_dialect() {
    let source = TempTree::new();
    hostile(&source.path());
    for options in [PackOptions::default(), TRAILING, EXACT] {
        let target = TempTree::new();
        let (bytes, sent) = packed(&source.path(), &options);
        let received = unpack_dir(&*bytes, &target.path()).unwrap();
        assert_eq!(received, sent, "{options:?}");
        let whole = options.times == Times::WholeSeconds;
        assert_eq!(look(&target.path(), whole), look(&source.path(), whole), "{options:?}");
    }
}

#[test]
fn a_hostile_tree_comes_back_through_a_cache_archive() {
    for compression in [Compression::Zstd, Compression::Gzip] {
        let (here, there, store) = (TempTree::new(), TempTree::new(), temp());
        let layout = |tree: &TempTree| Layout {
            root: tree.path(),
            workspace: "/home/runner/work/app/app".into(),
            home: "/home/runner".into(),
        };
        let (from, to) = (layout(&here), layout(&there));
        let cached = ["/home/runner/work/app/app/cache", "/home/runner/.cache/go"];
        cached.iter().for_each(|seen| hostile(&from.real(Path::new(seen))));
        fs::create_dir_all(there.path()).unwrap();

        let manifest = Manifest::resolve(&["cache", "~/.cache/go", "not-there"], &from).unwrap();
        let file = store.path().join("archive");
        let created = create(&manifest, &from, compression, &file).unwrap();
        assert_eq!(created.bytes, fs::metadata(&file).unwrap().len());
        let tally = extract(&file, compression, &to).unwrap();
        assert_eq!(tally, created.tally);
        for seen in cached {
            let seen = Path::new(seen);
            assert_eq!(
                look(&to.real(seen), false),
                look(&from.real(seen), false),
                "{compression:?} {}",
                seen.display()
            );
        }
    }
}

#[test]
fn unpacking_twice_over_the_same_tree_replaces_it() {
    let (source, target) = (TempTree::new(), TempTree::new());
    hostile(&source.path());
    let (bytes, _) = packed(&source.path(), &EXACT);
    unpack_dir(&*bytes, &target.path()).unwrap();
    chmod(&target.path().join("ro"), 0o755);
    fs::remove_file(target.path().join("dangling")).unwrap();
    fs::write(target.path().join("dangling"), "in the way").unwrap();
    fs::write(target.path().join("zero"), "no longer").unwrap();
    unpack_dir(&*bytes, &target.path()).unwrap();
    assert_eq!(look(&target.path(), false), look(&source.path(), false));
}

#[test]
fn an_empty_directory_makes_a_tiny_archive() {
    let (tree, store) = (TempTree::new(), temp());
    fs::create_dir_all(tree.path().join("w/cache")).unwrap();
    let layout = Layout { root: tree.path(), workspace: "/w".into(), home: "/h".into() };
    let manifest = Manifest::resolve(&["cache"], &layout).unwrap();
    let created = create(&manifest, &layout, Compression::Zstd, &store.path().join("archive")).unwrap();
    assert!((50..300).contains(&created.bytes), "{} bytes", created.bytes);
    assert_eq!((created.tally.dirs, created.tally.files), (1, 0));
}

#[test]
fn equal_trees_give_equal_streams_of_whole_records() {
    let (left, right) = (TempTree::new(), TempTree::new());
    hostile(&left.path());
    hostile(&right.path());
    for path in ["large", "long-target", "absolute"] {
        touch(&left.path().join(path), 1, 0);
        touch(&right.path().join(path), 1, 0);
    }
    for tree in [&left, &right] {
        for path in look(&tree.path(), true).into_keys().filter(|path| tree.path().join(path).is_dir()) {
            touch(&tree.path().join(path), 2, 0);
        }
    }
    let (bytes, _) = packed(&left.path(), &TRAILING);
    assert_eq!(bytes.len() % 10_240, 0);
    assert_eq!(bytes, packed(&right.path(), &TRAILING).0);
}

#[test]
fn trailing_directories_come_first_open_and_last_as_they_are() {
    let source = TempTree::new();
    fs::create_dir_all(source.path().join("a/b")).unwrap();
    fs::write(source.path().join("a/b/f"), "").unwrap();
    chmod(&source.path().join("a/b"), 0o555);
    let (bytes, _) = packed(&source.path(), &TRAILING);
    let mut archive = tar::Archive::new(&*bytes);
    let members: Vec<_> = archive
        .entries()
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            (String::from_utf8(entry.path_bytes().into_owned()).unwrap(), header.mode().unwrap(), header.uid().unwrap())
        })
        .collect();
    let names: Vec<_> = members.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["./", "a/", "a/b/", "a/b/f", "a/b/", "a/", "./"]);
    assert_eq!((members[2].1, members[4].1), (0o755, 0o555));
    assert!(members.iter().all(|(.., uid)| *uid == 0));
}

#[test]
fn a_second_archive_of_directories_gives_touched_directories_their_times_back() {
    let (source, target) = (TempTree::new(), TempTree::new());
    hostile(&source.path());
    let (bytes, _) = packed(&source.path(), &TRAILING);
    unpack_dir(&*bytes, &target.path()).unwrap();
    // As busybox does: links are made when everything else is done.
    for dir in ["", "with space"] {
        symlink("/late", target.path().join(dir).join("late")).unwrap();
        fs::remove_file(target.path().join(dir).join("late")).unwrap();
    }
    assert_ne!(look(&target.path(), true), look(&source.path(), true));
    let mut dirs = Vec::new();
    let tally = pack_dirs(&source.path(), &mut dirs, &TRAILING).unwrap();
    assert_eq!((tally.files, tally.links), (0, 0));
    assert_eq!(unpack_dir(&*dirs, &target.path()).unwrap(), tally);
    assert_eq!(look(&target.path(), true), look(&source.path(), true));
}

#[test]
fn special_files_are_skipped_and_named() {
    let source = TempTree::new();
    fs::create_dir_all(source.path()).unwrap();
    let socket = source.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let (_, tally) = packed(&source.path(), &PackOptions::default());
    assert_eq!(tally.skipped, [socket]);
    assert_eq!((tally.files, tally.dirs), (0, 1));
}

fn tree_strategy() -> impl Strategy<Value = Vec<(String, Vec<u8>, u32)>> {
    let part = "[a-c]{1,2}|[x.]{120}|[^/\u{0}]{1,8}";
    let path = prop::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"));
    prop::collection::vec((path, prop::collection::vec(any::<u8>(), 0..1200), 0u32..0o1000), 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_tree_comes_back(files in tree_strategy(), trailing in any::<bool>(), exact in any::<bool>()) {
        let (source, target) = (TempTree::new(), TempTree::new());
        fs::create_dir_all(source.path()).unwrap();
        for (name, bytes, mode) in files {
            let path = source.path().join(&name);
            // A name may be taken by a directory or lead through a file: then it is not part of the tree.
            let plain = name.split('/').all(|part| part != "." && part != "..");
            if plain && fs::create_dir_all(path.parent().unwrap()).is_ok() && fs::write(&path, bytes).is_ok() {
                chmod(&path, mode | 0o400);
            }
        }
        let times = if exact { Times::Nanoseconds } else { Times::WholeSeconds };
        let options = PackOptions { owner: Owner::Zero, times, trailing_dirs: trailing };
        let (bytes, sent) = packed(&source.path(), &options);
        let received = unpack_dir(&*bytes, &target.path()).unwrap();
        prop_assert_eq!(received, sent);
        prop_assert_eq!(look(&target.path(), !exact), look(&source.path(), !exact));
    }

    #[test]
    fn any_bytes_are_unpacked_or_refused_without_a_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        let temp = temp();
        let root = temp.path().join("root");
        let _ = unpack_dir(&*bytes, &root);
        // And once with a header that passes the checksum.
        if bytes.len() >= 512 {
            let mut header = Header::new_old();
            header.as_mut_bytes().copy_from_slice(&bytes[..512]);
            header.set_size(100);
            header.set_cksum();
            bytes[..512].copy_from_slice(header.as_bytes());
            let _ = unpack_dir(&*bytes, &root);
        }
        prop_assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
    }
}
