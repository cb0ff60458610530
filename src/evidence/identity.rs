//! What names a thing that facts speak of: a step, a cache mount. [`MountSpec`] is principal.

use crate::dockerfile::clean_path;

/// A cache mount as some text asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MountSpec {
    /// The target as written.
    pub target: String,
    /// The id as written, if any.
    pub id: Option<String>,
    /// `uid`, `gid` and `mode` as `uid=1000,gid=1000,mode=0755` (only those given, in that order); empty when none is.
    pub owner: String,
}

impl MountSpec {
    /// Returns the part of the identity that the id, or else the cleaned target, gives.
    ///
    /// BuildKit cleans a target used as id (`/x/` is `/x`) but takes an explicit id as it stands.
    pub fn id_part(&self) -> String {
        self.id.clone().filter(|id| !id.is_empty()).unwrap_or_else(|| clean_path(&self.target))
    }

    /// Tells whether two specs name the same cache of one builder.
    pub fn same_cache(&self, other: &Self) -> bool {
        self.id_part() == other.id_part() && self.owner == other.owner
    }

    /// Returns the target as BuildKit cleans it.
    pub fn clean_target(&self) -> String {
        clean_path(&self.target)
    }
}

/// A step of one run, numbered in the order in which steps began (main and post alike).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepId(pub usize);
