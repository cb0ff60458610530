//! A directory as it lies on the disk. [`snapshot`] is the door.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What there is to know of one file: mode, mtime in seconds and nanoseconds, content or the link's goal.
pub(crate) type Entry = (u32, i64, i64, Vec<u8>);

/// Takes down every file below a directory, and the directory itself.
pub(crate) fn snapshot(root: &Path) -> BTreeMap<PathBuf, Entry> {
    let mut seen = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(path) = open.pop() {
        let about = fs::symlink_metadata(&path).unwrap();
        let content = if about.is_symlink() {
            fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
        } else if about.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            Vec::new()
        } else {
            fs::read(&path).unwrap()
        };
        seen.insert(path, (about.mode(), about.mtime(), about.mtime_nsec(), content));
    }
    seen
}
