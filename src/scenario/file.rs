//! A file as data, and which of the two samples it belongs to. [`File`] is principal.

use std::fmt;

/// A file, by its path with `/` below the folder it belongs in.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// The path.
    pub path: String,
    /// The contents.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for File {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "File({}, {} bytes)", self.path, self.bytes.len())
    }
}

/// Which of the two samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variant {
    /// The one that meets the checklist's absolute numbers: tens of seconds to compile, more than 100 MB to carry.
    Full,
    /// The one for tests: seconds to compile, a few megabytes to carry.
    Small,
}
