//! The five questions of the checklist and their answers. [`Check`] is principal.

use crate::evidence::Quote;

/// One check of the checklist.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// Which one.
    pub id: CheckId,
    /// What it asks, in words.
    pub title: String,
    /// The answer.
    pub status: CheckStatus,
    /// What was seen.
    pub observed: String,
    /// What it is held against.
    pub threshold: String,
    /// The lines or measurements the answer rests on.
    pub evidence: Vec<Quote>,
}

/// The checks of the checklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckId {
    /// actions/cache restored something real.
    A,
    /// cache-dance carried it.
    B,
    /// The mounts are large before the build.
    C1,
    /// The build is fast.
    C2,
    /// Modules are not downloaded again.
    C3,
}

impl CheckId {
    /// Returns the public name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C1 => "C1",
            Self::C2 => "C2",
            Self::C3 => "C3",
        }
    }

    /// Returns what the check asks.
    pub fn title(self) -> &'static str {
        match self {
            Self::A => "actions/cache restored something real",
            Self::B => "cache-dance carried it",
            Self::C1 => "the cache mounts are large before the build",
            Self::C2 => "go build is dramatically faster",
            Self::C3 => "modules are not downloaded again",
        }
    }
}

/// The answer of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckStatus {
    /// Seen, and as it should be.
    Pass,
    /// Seen, and not as it should be.
    Fail,
    /// Not seen.
    Unobserved,
}

impl CheckStatus {
    /// Returns the public name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unobserved => "unobserved",
        }
    }
}
