//! Files for a test. [`holding`] is principal.

use std::fs;

use tempfile::TempDir;

/// A directory with these files.
pub(crate) fn holding(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}
