//! Archives that try to get out of the root, are cut off, or cannot be written.

use tar::{EntryType, Header};

use super::*;

/// An archive of hand-made members: name, kind, link target, data.
fn forged(members: &[(&str, EntryType, &str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, kind, link, data) in members {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o755);
        header.set_size(data.len() as u64);
        header.set_cksum();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(data.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

#[test]
fn nothing_lands_outside_the_root() {
    use EntryType::{Directory, Link, Regular, Symlink};
    let attempts: [&[(&str, EntryType, &str, &str)]; 8] = [
        &[("../outside/f", Regular, "", "x")],
        &[("/outside/f", Regular, "", "x")],
        &[("a/../../outside/f", Regular, "", "x")],
        &[("..", Directory, "", "")],
        &[("l", Symlink, "../outside", ""), ("l/f", Regular, "", "x")],
        &[("l", Symlink, "../outside", ""), ("l/new/f", Regular, "", "x")],
        &[("f", Link, "../outside/secret", "")],
        &[("l", Symlink, "../outside", ""), ("f", Link, "l/secret", "")],
    ];
    for attempt in attempts {
        let temp = temp();
        let (root, outside) = (temp.path().join("root"), temp.path().join("outside"));
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("secret"), "s").unwrap();
        let error = unpack_dir(&*forged(attempt), &root).unwrap_err();
        assert!(matches!(error, ArchiveError::Escape { .. }), "{attempt:?}: {error}");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1, "{attempt:?}");
    }
}

#[test]
fn a_directory_turned_into_a_link_later_does_not_lead_out() {
    use EntryType::{Directory, Regular, Symlink};
    let temp = temp();
    let (root, outside) = (temp.path().join("root"), temp.path().join("outside"));
    fs::create_dir(&outside).unwrap();
    chmod(&outside, 0o700);
    let turned = forged(&[("d", Directory, "", ""), ("d", Symlink, "../outside", ""), ("d/f", Regular, "", "x")]);
    assert!(matches!(unpack_dir(&*turned, &root), Err(ArchiveError::Escape { .. })));
    let only_turned = forged(&[("e", Directory, "", ""), ("e", Symlink, "../outside", "")]);
    unpack_dir(&*only_turned, &root).unwrap();
    assert_eq!(fs::metadata(&outside).unwrap().mode() & 0o777, 0o700);
}

#[test]
fn a_link_inside_the_root_may_be_written_through() {
    use EntryType::{Directory, Regular, Symlink};
    let temp = temp();
    let inside = forged(&[("d", Directory, "", ""), ("l", Symlink, "d", ""), ("l/f", Regular, "", "x")]);
    unpack_dir(&*inside, temp.path()).unwrap();
    assert_eq!(fs::read(temp.path().join("d/f")).unwrap(), b"x");
}

#[test]
fn a_cut_archive_is_an_error_wherever_it_is_cut() {
    let source = TempTree::new();
    fs::create_dir_all(source.path().join("d")).unwrap();
    fs::write(source.path().join("d/f"), [1; 700]).unwrap();
    let (bytes, _) = packed(&source.path(), &PackOptions::default());
    // The members: two directories, a file with two blocks of data; then zeros.
    for length in [0, 1, 511, 512, 1024, 1500, 1536, 1600, 2000, 2048, 2300, 2560] {
        let temp = temp();
        let error = unpack_dir(&bytes[..length], temp.path()).unwrap_err();
        assert!(matches!(error, ArchiveError::Truncated { .. }), "cut at {length}: {error:?}");
    }
}

/// A tar stream made as it is read, so that gigabytes of it cost no memory.
struct Endless {
    head: Vec<u8>,
    /// What comes behind the head, again and again.
    block: Vec<u8>,
    left: u64,
    at: usize,
    given: u64,
}

impl Endless {
    fn new(head: Vec<u8>, block: &[u8], left: u64) -> Self {
        Self { head, block: block.to_vec(), left, at: 0, given: 0 }
    }
}

impl std::io::Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let source = if self.at < self.head.len() {
            &self.head[self.at..]
        } else {
            let begin = (self.at - self.head.len()) % self.block.len();
            &self.block[begin..]
        };
        let take = source.len().min(into.len()).min(usize::try_from(self.left).unwrap_or(usize::MAX));
        into[..take].copy_from_slice(&source[..take]);
        (self.at, self.left, self.given) = (self.at + take, self.left - take as u64, self.given + take as u64);
        Ok(take)
    }
}

fn header_of(kind: EntryType, size: u64) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_path("x").unwrap();
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(size);
    header.set_cksum();
    header.as_bytes().to_vec()
}

const GIGABYTES: u64 = 8 << 30;

#[test]
fn a_name_or_header_of_gigabytes_is_refused_before_it_is_read() {
    for kind in [EntryType::GNULongName, EntryType::GNULongLink, EntryType::XHeader, EntryType::XGlobalHeader] {
        let temp = temp();
        let mut stream = Endless::new(header_of(kind, GIGABYTES), &[b'a'; 4096], GIGABYTES);
        let error = unpack_dir(&mut stream, temp.path()).unwrap_err();
        assert!(format!("{error:?}").contains("bytes, which this program refuses"), "{kind:?}: {error:?}");
        assert!(stream.given <= 2 << 20, "{kind:?}: {} bytes were read", stream.given);
    }
}

#[test]
fn a_sparse_file_with_a_map_without_end_is_refused() {
    let mut head = header_of(EntryType::GNUSparse, 0);
    head[482] = 1;
    let mut header = Header::new_gnu();
    header.as_mut_bytes().copy_from_slice(&head);
    header.set_cksum();
    let mut map = [0; 512];
    map[504] = 1;
    let temp = temp();
    let mut stream = Endless::new(header.as_bytes().to_vec(), &map, GIGABYTES);
    let error = unpack_dir(&mut stream, temp.path()).unwrap_err();
    assert!(stream.given <= 8 << 20, "{} bytes were read: {error}", stream.given);
}

#[test]
fn a_stream_that_does_not_end_behind_its_end_is_refused() {
    let temp = temp();
    let mut stream = Endless::new(vec![0; 1024], &[0; 4096], u64::MAX);
    let error = unpack_dir(&mut stream, temp.path()).unwrap_err();
    assert!(format!("{error:?}").contains("goes on behind its end"), "{error:?}");
    assert!(stream.given <= 4 << 20);
}

#[test]
fn members_without_end_are_refused() {
    let temp = temp();
    let mut stream = Endless::new(Vec::new(), &header_of(EntryType::Fifo, 0), u64::MAX);
    let mut guard = super::super::guard::HeaderGuard::new(&mut stream);
    let error = std::io::copy(&mut guard, &mut std::io::sink()).unwrap_err();
    assert!(error.to_string().contains("more than 5000000 members"), "{error}");
    drop(temp);
}

#[test]
fn a_member_that_is_too_large_for_the_disk_says_so_and_a_lie_about_its_size_is_seen() {
    let temp = temp();
    let mut stream = Endless::new(header_of(EntryType::Regular, GIGABYTES), &[b'a'; 4096], 100_000);
    let error = unpack_dir(&mut stream, temp.path()).unwrap_err();
    assert!(matches!(error, ArchiveError::Truncated { .. }), "{error:?}");
}

#[test]
fn devices_and_pipes_are_left_out_and_named() {
    let temp = temp();
    let kinds = [EntryType::Char, EntryType::Block, EntryType::Fifo];
    let members: Vec<_> = kinds.iter().zip(["c", "b", "p"]).map(|(kind, name)| (name, *kind, "", "")).collect();
    let tally = unpack_dir(&*forged(&members), temp.path()).unwrap();
    assert_eq!(tally.skipped.len(), 3);
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0);
}

#[test]
fn an_ordinary_user_unpacks_no_setuid_file_and_nothing_others_may_write() {
    let temp = temp();
    let mut bytes = Vec::new();
    for (name, mode) in [("a", 0o666), ("b", 0o664), ("c", 0o777), ("d", 0o4755), ("e", 0o1777), ("f", 0o640)] {
        let mut header = Header::new_gnu();
        header.set_path(name).unwrap();
        header.set_mode(mode);
        header.set_size(0);
        header.set_cksum();
        bytes.extend_from_slice(header.as_bytes());
    }
    bytes.resize(bytes.len() + 1024, 0);
    let modes = |how| {
        let root = temp.path().join(format!("{how:?}"));
        unpack_dir_as(&*bytes, &root, how).unwrap();
        ["a", "b", "c", "d", "e", "f"].map(|name| fs::metadata(root.join(name)).unwrap().mode() & 0o7777)
    };
    assert_eq!(modes(UnpackedModes::OfUser), [0o644, 0o644, 0o755, 0o755, 0o755, 0o640]);
    assert_eq!(modes(UnpackedModes::Kept), [0o666, 0o664, 0o777, 0o4755, 0o1777, 0o640]);
}

#[test]
fn names_that_no_disk_takes_are_an_error_and_no_crash() {
    let temp = temp();
    for name in ["a/".repeat(3000), "b".repeat(5000), "\u{1}/".repeat(10)] {
        let mut bytes = header_of(EntryType::GNULongName, name.len() as u64);
        bytes.extend_from_slice(name.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes.extend_from_slice(&header_of(EntryType::Regular, 0));
        bytes.resize(bytes.len() + 1024, 0);
        let _ = unpack_dir(&*bytes, temp.path());
    }
}

#[test]
fn a_cut_compressed_archive_is_an_error() {
    let (tree, store) = (TempTree::new(), temp());
    fs::create_dir_all(tree.path().join("w")).unwrap();
    fs::write(tree.path().join("w/f"), vec![5; 100_000]).unwrap();
    let layout = Layout { root: tree.path(), workspace: "/w".into(), home: "/h".into() };
    let file = store.path().join("archive");
    for compression in [Compression::Zstd, Compression::Gzip] {
        let manifest = Manifest::resolve(&["f"], &layout).unwrap();
        let created = create(&manifest, &layout, compression, &file).unwrap();
        fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(created.bytes - 3).unwrap();
        let error = extract(&file, compression, &layout).unwrap_err();
        assert!(matches!(error, ArchiveError::Truncated { .. }), "{compression:?}: {error:?}");
    }
}

#[test]
fn a_writer_that_fails_is_told_from_a_file_that_fails() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let temp = temp();
    let error = pack_dir(temp.path(), Full, &PackOptions::default()).unwrap_err();
    assert!(matches!(error, ArchiveError::Stream { .. }));
    assert!(error.hint().unwrap().contains("disk is full"));
    let missing = pack_dir(&temp.path().join("gone"), Vec::new(), &PackOptions::default()).unwrap_err();
    assert!(matches!(missing, ArchiveError::Read { .. }));
}
