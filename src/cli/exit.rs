//! The exit codes. [`Exit`] is principal.

use std::process::ExitCode;

use crate::verify::Verdict;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// The caches help.
    Effective = 0,
    /// They do not.
    Ineffective = 1,
    /// The arguments make no sense.
    Usage = 2,
    /// Nothing wrong, nothing proven.
    Inconclusive = 3,
    /// The environment or an input stopped us.
    Stopped = 4,
    /// Ctrl-C, as a shell counts it.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Effective => Self::Effective,
            Verdict::Ineffective => Self::Ineffective,
            Verdict::Inconclusive => Self::Inconclusive,
        }
    }
}
