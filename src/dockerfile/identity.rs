//! What makes two cache mounts the same cache on one builder. [`MountIdentity`] is principal.

use std::fmt;
use std::hash::{Hash, Hasher};

/// The owner and mode a cache mount is made with, once any of the three is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MountOwner {
    /// The user; 0 when only the others are given.
    pub uid: u32,
    /// The group; 0 when only the others are given.
    pub gid: u32,
    /// The file mode; 0755 when only the others are given.
    pub mode: u32,
}

impl fmt::Display for MountOwner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "uid={},gid={},mode={:04o}", self.uid, self.gid, self.mode)
    }
}

/// What makes two cache mounts the same cache on one builder, the namespace left out.
///
/// It is the explicit id, byte for byte, or else the cleaned target; and the owner, when any of uid, gid and mode is
/// given; and `from`. The sharing mode and the platform are no part of it.
#[derive(Debug, Clone)]
pub struct MountIdentity {
    pub(super) id: String,
    pub(super) explicit: bool,
    pub(super) owner: Option<MountOwner>,
    pub(super) from: Option<String>,
}

impl MountIdentity {
    /// Returns the id: the explicit one, or the cleaned target.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the owner, when it is part of the identity.
    pub fn owner(&self) -> Option<MountOwner> {
        self.owner
    }

    /// Returns the stage or image the mount starts from.
    pub fn from(&self) -> Option<&str> {
        self.from.as_deref()
    }

    fn parts(&self) -> (&str, Option<MountOwner>, Option<&str>) {
        (&self.id, self.owner, self.from.as_deref())
    }
}

// How the id came about is for the reader only: `target=/x` and `id=/x` are one cache.
impl PartialEq for MountIdentity {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for MountIdentity {}

impl Hash for MountIdentity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl PartialOrd for MountIdentity {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for MountIdentity {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.parts().cmp(&other.parts())
    }
}

impl fmt::Display for MountIdentity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.explicit {
            true => write!(out, "id={}", self.id)?,
            false => write!(out, "target {}", self.id)?,
        }
        if let Some(owner) = self.owner {
            write!(out, " with {owner}")?;
        }
        if let Some(from) = &self.from {
            write!(out, " from {from}")?;
        }
        Ok(())
    }
}
