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
    /// The terminal went away (128 + SIGHUP).
    HungUp = 129,
    /// Ctrl-C (128 + SIGINT).
    Interrupted = 130,
    /// It was asked to end (128 + SIGTERM).
    Terminated = 143,
}

impl Exit {
    /// The code of a signal, by its name.
    pub(super) fn of_signal(name: &str) -> Self {
        match name {
            "SIGHUP" => Self::HungUp,
            "SIGTERM" => Self::Terminated,
            _ => Self::Interrupted,
        }
    }

    /// The word for it in documents.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Effective => "effective",
            Self::Ineffective => "ineffective",
            Self::Usage => "usage",
            Self::Inconclusive => "inconclusive",
            Self::Stopped => "stopped",
            Self::HungUp | Self::Interrupted | Self::Terminated => "interrupted",
        }
    }
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
