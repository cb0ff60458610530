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
