//! Small trees as tar archives, and archives as listings that compare. [`Listing`] is principal.

use std::collections::BTreeMap;
use std::io::Read;

use tar::{EntryType, Header};

/// One entry on its way into an archive.
pub(crate) struct Entry {
    path: String,
    kind: EntryType,
    mode: u32,
    owner: u64,
    modified: u64,
    link: String,
    bytes: Vec<u8>,
}

impl Entry {
    pub(crate) fn modified(mut self, seconds: u64) -> Self {
        self.modified = seconds;
        self
    }

    pub(crate) fn owner(mut self, id: u64) -> Self {
        self.owner = id;
        self
    }
}

fn entry(path: &str, kind: EntryType, mode: u32) -> Entry {
    Entry {
        path: path.to_owned(),
        kind,
        mode,
        owner: 0,
        modified: 1_600_000_000,
        link: String::new(),
        bytes: Vec::new(),
    }
}

pub(crate) fn file(path: &str, mode: u32, bytes: &[u8]) -> Entry {
    Entry { bytes: bytes.to_vec(), ..entry(path, EntryType::Regular, mode) }
}

pub(crate) fn dir(path: &str, mode: u32) -> Entry {
    entry(path, EntryType::Directory, mode)
}

pub(crate) fn symlink(path: &str, target: &str) -> Entry {
    Entry { link: target.to_owned(), ..entry(path, EntryType::Symlink, 0o777) }
}

pub(crate) fn hard_link(path: &str, target: &str) -> Entry {
    Entry { link: target.to_owned(), ..entry(path, EntryType::Link, 0o644) }
}

/// Packs entries in their order.
pub(crate) fn archive(entries: &[Entry]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for entry in entries {
        let mut header = Header::new_gnu();
        header.set_entry_type(entry.kind);
        header.set_mode(entry.mode);
        header.set_uid(entry.owner);
        header.set_gid(entry.owner);
        header.set_mtime(entry.modified);
        header.set_size(entry.bytes.len() as u64);
        if entry.link.is_empty() {
            archive.append_data(&mut header, &entry.path, entry.bytes.as_slice()).unwrap();
        } else {
            archive.append_link(&mut header, &entry.path, &entry.link).unwrap();
        }
    }
    archive.into_inner().unwrap()
}

/// A file tree: for each path below the mount what it is. Of hard links each name is a file, with its first name.
pub(crate) type Listing = BTreeMap<String, String>;

/// Lists an archive. The time of a symbolic link is left out, because not every `tar` sets it.
pub(crate) fn listing(archive: &[u8]) -> Listing {
    let mut archive = tar::Archive::new(archive);
    let mut found = Listing::new();
    // The names of each file that has several, whichever of them the archive happens to name first.
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let clean = |path: &str| path.trim_start_matches("./").trim_end_matches('/').to_owned();
        let path = clean(&entry.path().unwrap().to_string_lossy());
        if path.is_empty() || path == "." {
            continue;
        }
        let link = entry.link_name().unwrap().map(|link| link.to_string_lossy().into_owned()).unwrap_or_default();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let header = entry.header();
        let attributes = format!("{:04o} {}", header.mode().unwrap() & 0o7777, header.uid().unwrap());
        let modified = header.mtime().unwrap();
        let text = match header.entry_type() {
            EntryType::Directory => format!("directory {attributes} {modified}"),
            EntryType::Symlink => format!("symlink to {link}"),
            EntryType::Link => {
                names.entry(clean(&link)).or_default().push(path);
                continue;
            }
            _ => format!("file {attributes} {modified} {} bytes {:016x}", bytes.len(), sum(&bytes)),
        };
        found.insert(path, text);
    }
    for (first, mut others) in names {
        let text = found[&first].clone();
        others.push(first);
        others.sort();
        for name in &others {
            found.insert(name.clone(), format!("{text}, one file with {}", others.join(" ")));
        }
    }
    found
}

/// FNV-1a: enough to tell contents apart.
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A tree with everything that copies like to lose, and its directories once more: a `tar` that sets a directory's time
/// before it fills the directory needs them again.
pub(crate) fn hostile() -> [Vec<u8>; 2] {
    let deep = format!("long/{}", "d".repeat(90));
    let long = format!("{deep}/{}", "f".repeat(120));
    let large: Vec<u8> = (0..300_000u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let dirs = || {
        [
            dir("bin", 0o755).modified(1_500_000_001),
            dir("empty", 0o700).modified(1_500_000_002),
            dir("locked", 0o555).modified(1_500_000_003),
            dir("shared", 0o1777).modified(1_500_000_004),
            dir("long", 0o755).modified(1_500_000_005),
            dir(&deep, 0o755).modified(1_500_000_006),
        ]
    };
    let mut entries: Vec<Entry> = dirs().into();
    entries.extend([
        file("bin/run", 0o755, b"#!/bin/sh\n").modified(1_000_000_001),
        hard_link("bin/again", "bin/run").modified(1_000_000_001),
        symlink("link", "bin/run"),
        symlink("dangling", "../nowhere/at all"),
        file(".hidden", 0o600, b"dot").modified(1_234_567_890),
        file("locked/read-only", 0o444, b"go modules are").modified(981_173_106),
        file("empty-file", 0o640, b""),
        file("with space and \u{fc}", 0o644, b"name"),
        file("owned", 0o644, b"by another").owner(65_532),
        file(&long, 0o644, b"far down"),
        file("large", 0o644, &large),
    ]);
    [archive(&entries), archive(&dirs())]
}
