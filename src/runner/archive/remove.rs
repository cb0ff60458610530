//! Removes trees: as `sudo rm -rf` does, and as a user without rights would. [`remove_tree`] is principal.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::ArchiveError;

/// Removes a tree, read-only directories and all. A path that does not exist is no error.
///
/// # Errors
/// [`ArchiveError::Remove`] naming the tree.
pub fn remove_tree(path: &Path) -> Result<(), ArchiveError> {
    let failed = |source| ArchiveError::Remove { path: path.to_owned(), source };
    match remove(path) {
        // Root is not refused; everybody else must first open the directories.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_dirs(path).and_then(|()| remove(path)).map_err(failed)
        }
        done => done.map_err(failed),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    let gone = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    gone.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

fn open_dirs(path: &Path) -> io::Result<()> {
    let mut stack = vec![path.to_owned()];
    while let Some(dir) = stack.pop() {
        let mode = fs::symlink_metadata(&dir)?.permissions().mode();
        if mode & 0o700 != 0o700 {
            fs::set_permissions(&dir, Permissions::from_mode(mode | 0o700))?;
        }
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                stack.push(entry.path());
            }
        }
    }
    Ok(())
}

/// The first thing that could not be removed; displays as Node's `fs.rm` reports it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}, {call} '{}'", path.display())]
pub struct FirstRefusal {
    /// The system's code and text.
    pub code: String,
    /// The system call: `unlink`, `rmdir` or `scandir`.
    pub call: &'static str,
    /// The path, beginning with the name the tree was given.
    pub path: PathBuf,
}

/// Removes what a user without special rights could: entries of directories that lack their owner's right to write
/// stay, also when we are root. Everything else goes, whatever is refused before it. `shown` is the name of the tree
/// in the message. A path that does not exist is no error.
///
/// Foreign fact: Node's `fs.rm` with `recursive` and `force` goes on with the other children after the first refusal,
/// and tries `rmdir` on a directory before it looks inside.
///
/// # Errors
/// [`FirstRefusal`], in order of names.
pub fn remove_tree_unprivileged(path: &Path, shown: &Path) -> Result<(), FirstRefusal> {
    let mut first = None;
    // A directory comes off the stack twice: to be listed, and when its entries are done.
    let mut stack = vec![(path.to_owned(), shown.to_owned(), false)];
    while let Some((path, shown, listed)) = stack.pop() {
        let mut refuse = |error: &io::Error, call| {
            if error.kind() != io::ErrorKind::NotFound {
                first.get_or_insert(FirstRefusal { code: code(error), call, path: shown.clone() });
            }
        };
        let is_dir = match fs::symlink_metadata(&path) {
            Ok(meta) => meta.is_dir(),
            Err(error) => {
                refuse(&error, "lstat");
                continue;
            }
        };
        let call = if is_dir { "rmdir" } else { "unlink" };
        if path.parent().is_some_and(|parent| !allows(parent, 0o300)) {
            refuse(&io::ErrorKind::PermissionDenied.into(), call);
            continue;
        }
        if !is_dir {
            fs::remove_file(&path).unwrap_or_else(|error| refuse(&error, call));
            continue;
        }
        match fs::remove_dir(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty && !listed => {
                if !allows(&path, 0o400) {
                    refuse(&io::ErrorKind::PermissionDenied.into(), "scandir");
                    continue;
                }
                match names(&path) {
                    Ok(names) => {
                        stack.push((path.clone(), shown.clone(), true));
                        // In reverse, so that they come off in order.
                        stack.extend(names.iter().rev().map(|name| (path.join(name), shown.join(name), false)));
                    }
                    Err(error) => refuse(&error, "scandir"),
                }
            }
            // If it still holds what was refused before, that refusal is the first and stays.
            Err(error) => refuse(&error, call),
        }
    }
    first.map_or(Ok(()), Err)
}

fn allows(dir: &Path, bits: u32) -> bool {
    fs::symlink_metadata(dir).is_ok_and(|meta| meta.permissions().mode() & bits == bits)
}

fn names(dir: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    let mut names =
        fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<Vec<_>, _>>()?;
    names.sort();
    Ok(names)
}

/// Says an error as Node does.
fn code(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "EACCES: permission denied".to_owned(),
        io::ErrorKind::DirectoryNotEmpty => "ENOTEMPTY: directory not empty".to_owned(),
        io::ErrorKind::ResourceBusy => "EBUSY: resource busy or locked".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "EROFS: read-only file system".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// A tree as Go's module cache: a read-only directory beside ordinary ones.
    fn tree() -> (tempfile::TempDir, PathBuf) {
        let temp = tempfile::tempdir().unwrap();
        let top = temp.path().join("c");
        fs::create_dir_all(top.join("ro/sub")).unwrap();
        fs::create_dir_all(top.join("zz")).unwrap();
        fs::write(top.join("a"), "").unwrap();
        fs::write(top.join("ro/f"), "").unwrap();
        fs::write(top.join("ro/sub/g"), "").unwrap();
        fs::write(top.join("zz/h"), "").unwrap();
        chmod(&top.join("ro"), 0o555);
        (temp, top)
    }

    #[test]
    fn a_user_without_rights_keeps_what_lies_in_read_only_directories() {
        let (_temp, top) = tree();
        let refusal = remove_tree_unprivileged(&top, Path::new("c")).unwrap_err();
        assert_eq!(refusal.to_string(), "EACCES: permission denied, unlink 'c/ro/f'");
        assert!(top.join("ro/f").exists() && top.join("ro/sub/g").exists());
        assert!(!top.join("a").exists() && !top.join("zz").exists());
        remove_tree(&top).unwrap();
    }

    #[test]
    fn a_directory_in_a_read_only_directory_is_refused_without_being_emptied() {
        let (_temp, top) = tree();
        chmod(&top.join("ro"), 0o755);
        fs::remove_file(top.join("ro/f")).unwrap();
        chmod(&top.join("ro"), 0o555);
        let refusal = remove_tree_unprivileged(&top, Path::new("c")).unwrap_err();
        assert_eq!(refusal.to_string(), "EACCES: permission denied, rmdir 'c/ro/sub'");
        remove_tree(&top).unwrap();
    }

    #[test]
    fn an_ordinary_tree_goes_completely_and_a_missing_one_is_gone_already() {
        let (_temp, top) = tree();
        chmod(&top.join("ro"), 0o755);
        assert_eq!(remove_tree_unprivileged(&top, Path::new("c")), Ok(()));
        assert!(!top.exists());
        assert_eq!(remove_tree_unprivileged(&top, Path::new("c")), Ok(()));
        remove_tree(&top).unwrap();
    }

    #[test]
    fn removing_for_good_takes_read_only_directories_and_does_not_follow_links() {
        let (temp, top) = tree();
        let outside = temp.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("keep"), "").unwrap();
        std::os::unix::fs::symlink(&outside, top.join("link")).unwrap();
        remove_tree(&top).unwrap();
        assert!(!top.exists() && outside.join("keep").exists());
    }
}
