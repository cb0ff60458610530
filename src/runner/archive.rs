//! Archives of directory trees: made, streamed and unpacked with constant memory. [`pack_dir`] and [`unpack_dir`] are
//! principal; [`create`] and [`extract`] are the same with the path rules and the compression of actions/cache.
//!
//! Everything here blocks and is meant for a blocking thread. A tree comes back with its bytes, modes, times, links and
//! empty or read-only directories; not with owners, extended attributes or holes. Special files are skipped and
//! named in the [`ArchiveTally`]. Nothing is ever written outside the root the caller gives.

use std::path::PathBuf;

mod compressed;
mod error;
mod guard;
mod header;
mod layout;
mod manifest;
mod pack;
mod pattern;
mod remove;
mod unpack;

pub use compressed::{Created, create, extract, extract_as};
pub use error::{ArchiveError, io_hint};
pub use guard::{MOST_HEADER_BYTES, MOST_MEMBERS, MOST_PADDING};
pub use layout::Layout;
pub use manifest::Manifest;
pub use pack::{Owner, PackOptions, Times, pack_dir, pack_dirs};
pub use pattern::{PathMatch, PathPattern};
pub use remove::{FirstRefusal, remove_tree, remove_tree_unprivileged};
pub use unpack::{UnpackedModes, unpack_dir, unpack_dir_as};

/// What went into an archive or came out of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ArchiveTally {
    /// Regular files, each name of a hard-linked one but the first being a link.
    pub files: u64,
    /// Directories.
    pub dirs: u64,
    /// Symbolic and hard links.
    pub links: u64,
    /// The bytes in the files.
    pub bytes: u64,
    /// Sockets, pipes and devices that were left out.
    pub skipped: Vec<PathBuf>,
}

#[cfg(test)]
mod tests;
