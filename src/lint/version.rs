//! The part of a key that a person changes by hand. [`CacheVersion`] is principal.

use std::fmt;

use crate::source::Source;
use crate::workflow::Workflow;

/// A value of `cache_version`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheVersion {
    /// While a set-up is being mended: `v4-0130-0943`, new every minute.
    Debugging {
        /// The number it begins with.
        number: u32,
        /// Month, day, hour and minute.
        at: (u8, u8, u8, u8),
    },
    /// Once it works: `stable-v1`.
    Stable {
        /// The number it ends with.
        number: u32,
    },
}

impl CacheVersion {
    /// Returns a debugging version that follows the current one.
    pub fn debugging(current: Option<&str>, at: (u8, u8, u8, u8)) -> Self {
        Self::Debugging { number: current.and_then(number_of).unwrap_or(1), at }
    }

    /// Returns the frozen version that follows the current one: `stable-v1` after debugging, and one more after a frozen one.
    pub fn stable(current: Option<&str>) -> Self {
        let frozen = current.filter(|current| current.starts_with("stable-v")).and_then(number_of);
        Self::Stable { number: frozen.map_or(1, |number| number.saturating_add(1)) }
    }
}

impl fmt::Display for CacheVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Debugging { number, at: (month, day, hour, minute) } => {
                write!(out, "v{number}-{month:02}{day:02}-{hour:02}{minute:02}")
            }
            Self::Stable { number } => write!(out, "stable-v{number}"),
        }
    }
}

/// Returns the number of a version: 4 of `v4-0130-0943`, 1 of `stable-v1`.
fn number_of(version: &str) -> Option<u32> {
    let digits = version.strip_prefix("stable-").unwrap_or(version).strip_prefix('v')?;
    let end = digits.find(|char: char| !char.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

/// Returns the value of `cache_version` that a workflow sets, for itself or for a job.
pub fn cache_version_of(source: &Source) -> Option<String> {
    let workflow = Workflow::parse(source).ok()?;
    let of = |variables: &crate::workflow::WorkflowVariables| {
        variables.get("cache_version").map(|value| value.value.clone())
    };
    of(&workflow.env)
        .or_else(|| workflow.jobs.iter().find_map(|job| of(&job.env)))
        .filter(|value| !value.contains("${{"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_follows_the_one_before() {
        let at = (1, 30, 9, 43);
        assert_eq!(CacheVersion::debugging(Some("v4-0129-2200"), at).to_string(), "v4-0130-0943");
        assert_eq!(CacheVersion::debugging(Some("stable-v2"), at).to_string(), "v2-0130-0943");
        assert_eq!(CacheVersion::debugging(None, at).to_string(), "v1-0130-0943");
        assert_eq!(CacheVersion::stable(Some("v4-0130-0943")).to_string(), "stable-v1");
        assert_eq!(CacheVersion::stable(Some("stable-v1")).to_string(), "stable-v2");
    }
}
