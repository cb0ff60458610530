//! What is to be judged, and by which numbers. [`Case`] is principal.

use std::time::Duration;

use crate::evidence::Evidence;

/// The runs to judge, oldest first, and the numbers to hold them against.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What is known of each run; the last one is judged.
    pub runs: Vec<Evidence>,
    /// Where the evidence comes from; it changes wording only, never a verdict.
    pub source: CaseSource,
    /// The numbers.
    pub thresholds: Thresholds,
    /// How the numbers are used.
    pub profile: Profile,
}

/// Where evidence comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseSource {
    /// Runs on fresh runners of this machine.
    Live,
    /// Logs of a CI.
    Logs,
}

/// How thresholds are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// The absolute numbers of the checklist.
    Checklist,
    /// Relative to the earlier runs of the case; absolute only when there is no earlier run.
    Auto,
}

impl Profile {
    /// Returns the name that options and documents use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checklist => "checklist",
            Self::Auto => "auto",
        }
    }
}

/// The numbers the checks use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// The least size of a restored archive, in bytes.
    pub min_restore: u64,
    /// The least size of the module mount before the build, in bytes.
    pub min_mod: u64,
    /// The least size of the build cache mount before the build, in bytes.
    pub min_build: u64,
    /// The longest `go build` when there is no cold run to compare with.
    pub max_build_time: Duration,
    /// The largest share of the cold run's time a warm `go build` may take.
    pub max_build_ratio: f64,
    /// The most modules downloaded again.
    pub max_downloads: usize,
    /// `auto` only: the least share of an earlier run's bytes that must be there again.
    pub min_carried_ratio: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            min_restore: 100 << 20,
            min_mod: 100 << 20,
            min_build: 50 << 20,
            max_build_time: Duration::from_secs(10),
            max_build_ratio: 0.5,
            max_downloads: 3,
            min_carried_ratio: 0.9,
        }
    }
}
