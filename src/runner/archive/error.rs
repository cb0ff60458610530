//! What can go wrong with an archive. [`ArchiveError`] is principal.

use std::io;
use std::path::{Path, PathBuf};

/// A failure to make, read or unpack an archive, or to remove a tree.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A file or directory could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file, directory or link could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A tree could not be removed.
    #[error("cannot remove {}", path.display())]
    Remove {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The stream of the archive broke, on either side.
    #[error("the archive stream broke")]
    Stream {
        /// What the other side said.
        source: io::Error,
    },
    /// The archive ends before its end mark.
    #[error("the archive ends too early{}", after.as_ref().map_or(String::new(), |name| format!(", in {name}")))]
    Truncated {
        /// The entry that is cut, if it is in one.
        after: Option<String>,
    },
    /// A file became shorter while it was read.
    #[error("{} changed while it was archived", path.display())]
    Changed {
        /// The path.
        path: PathBuf,
    },
    /// An entry would land outside the root.
    #[error("entry {name} would land outside {}", root.display())]
    Escape {
        /// The entry's name.
        name: String,
        /// The root given.
        root: PathBuf,
    },
    /// A pattern that actions/cache refuses; displays the action's exact message.
    #[error("Invalid pattern '{pattern}'. {reason}")]
    Pattern {
        /// The pattern as written.
        pattern: String,
        /// Why it is refused.
        reason: &'static str,
    },
    /// No pattern matched anything; displays the action's exact message.
    #[error(
        "Path Validation Error: Path(s) specified in the action for caching do(es) not exist, \
         hence no cache is being saved."
    )]
    PathValidation,
}

impl ArchiveError {
    /// Says what to do about it, where something can be done.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Read { source, .. } | Self::Write { source, .. } | Self::Remove { source, .. } => io_hint(source),
            Self::Stream { source } => io_hint(source),
            Self::Truncated { .. } => {
                Some("the archive was cut off while it was made or carried; make it again".into())
            }
            Self::Changed { .. } => Some("something still writes to the directory; wait for it to end".into()),
            Self::Escape { .. } => Some("the archive was made in another place or is not trustworthy".into()),
            Self::Pattern { .. } => Some("write the path from the workspace, or absolutely, without `..`".into()),
            Self::PathValidation => Some("check that the step before the save writes to the paths given".into()),
        }
    }

    pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Read { path: path.to_owned(), source }
    }

    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Write { path: path.to_owned(), source }
    }

    pub(super) fn stream(source: io::Error) -> Self {
        Self::Stream { source }
    }
}

/// Says what to do about a failure of the file system, where something can be done.
pub fn io_hint(error: &io::Error) -> Option<String> {
    match error.kind() {
        io::ErrorKind::StorageFull => {
            Some("the disk is full: free some space, or point TMPDIR at a larger disk".into())
        }
        io::ErrorKind::QuotaExceeded => {
            Some("the disk quota is used up: free some space, or point TMPDIR at another disk".into())
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            Some("the file system is read-only: point TMPDIR at a writable one".into())
        }
        io::ErrorKind::PermissionDenied => {
            Some("the path belongs to another user: change its owner, or run as that user".into())
        }
        _ => None,
    }
}
