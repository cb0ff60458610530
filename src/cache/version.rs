//! The version of an entry: a hash over the paths and the compression. [`Version`] is principal.
//!
//! An entry is visible only to a lookup with the same version, so a changed `path` input makes every saved entry
//! unreachable. Foreign facts: actions/toolkit `packages/cache/src/internal/cacheUtils.ts`, `getCacheVersion`.

use std::fmt;

use sha2::{Digest, Sha256};

/// How the archive is compressed; part of the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Compression {
    /// The `zstd` tool is present, as on every hosted runner.
    #[default]
    Zstd,
    /// No `zstd` in the path: the action falls back to gzip.
    Gzip,
}

impl Compression {
    /// Returns the name that goes into the version.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd-without-long",
            Self::Gzip => "gzip",
        }
    }

    /// Returns the archive's file name, as the `[command]` lines show it.
    pub fn archive_name(self) -> &'static str {
        match self {
            Self::Zstd => "cache.tzst",
            Self::Gzip => "cache.tgz",
        }
    }
}

/// A version: the SHA-256 of the paths as written, the compression and a format number, in hex.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(String);

impl Version {
    /// Computes the version of a list of paths, which count exactly as written: `dir` and `./dir` differ.
    pub fn of<S: AsRef<str>>(paths: &[S], compression: Compression) -> Self {
        let mut hash = Sha256::new();
        for path in paths {
            hash.update(path.as_ref());
            hash.update("|");
        }
        hash.update(compression.name());
        hash.update("|1.0");
        Self(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Takes a version that was computed before, for example from a store's index.
    pub fn from_hex(hex: impl Into<String>) -> Self {
        Self(hex.into())
    }

    /// Returns the hash in hex.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by the unmodified action on node 20.
    #[test]
    fn the_hash_is_the_one_the_real_action_sends() {
        assert_eq!(
            Version::of(&["cachedir"], Compression::Zstd).as_str(),
            "5815f4cade2696c8503fee1d72b56e6a4771a264cc2753c24c189700109b0e08"
        );
        assert_eq!(
            Version::of(&["cachedir"], Compression::Gzip).as_str(),
            "0d8cdb8691fe2f620e8d6a2d09623159f9cdc39020673a2f37b5333e12504940"
        );
    }

    #[test]
    fn paths_count_as_written_and_in_order() {
        let zstd = |paths: &[&str]| Version::of(paths, Compression::Zstd);
        assert_ne!(zstd(&["a"]), zstd(&["./a"]));
        assert_ne!(zstd(&["a"]), zstd(&["a/"]));
        assert_ne!(zstd(&["a", "b"]), zstd(&["b", "a"]));
    }
}
