//! What the verifier says. [`Report`] is principal.
//!
//! These are domain types; documents for machines have types of their own in the storey above.

use super::{Check, CheckId, Code, Obligation, ObligationState, RunSummary};
use crate::evidence::Quote;

/// The whole answer to one case.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The overall answer.
    pub verdict: Verdict,
    /// The five checks, in order.
    pub checks: Vec<Check>,
    /// What an effective verdict rests on, of the build that was judged: shown or missing.
    pub obligations: Vec<Obligation>,
    /// What is wrong, errors first, in the order in which a person should fix it.
    pub findings: Vec<Finding>,
    /// The runs, oldest first.
    pub runs: Vec<RunSummary>,
    /// What to keep in mind when reading the numbers.
    pub notes: Vec<Note>,
    /// The numbers behind the checks' words.
    pub measured: Vec<Measured>,
}

/// One number that a check compares.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The check.
    pub check: CheckId,
    /// What was measured: `restored`, a mount's target, `go build`, `downloads`.
    pub of: String,
    /// In what it counts.
    pub unit: MeasuredUnit,
    /// What was seen; `None` where it was not.
    pub observed: Option<f64>,
    /// The limit it is held against; `None` where there is nothing to compare with.
    pub needs: Option<f64>,
    /// Whether it must reach the limit, and not stay below it.
    pub at_least: bool,
}

/// In what a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeasuredUnit {
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// Things.
    Count,
}

impl Report {
    /// Returns the obligations that were not shown.
    pub fn missing(&self) -> Vec<&Obligation> {
        self.obligations.iter().filter(|one| one.state == ObligationState::Missing).collect()
    }
}

/// The overall answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The caches survive from one run to the next.
    Effective,
    /// They do not.
    Ineffective,
    /// Nothing failed, and not everything was seen.
    Inconclusive,
}

impl Verdict {
    /// Returns the public name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Effective => "effective",
            Self::Ineffective => "ineffective",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// One thing that is wrong: what, how we know, why it matters, what to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The public code.
    pub code: Code,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong here.
    pub title: String,
    /// How we know.
    pub evidence: Vec<Quote>,
    /// Why it matters, in one sentence.
    pub why: String,
    /// What to do.
    pub fix: String,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It breaks caching; a check fails with it.
    Error,
    /// It leaves something unseen, or costs something.
    Warning,
    /// Good to know.
    Note,
}

impl Severity {
    /// Returns the public name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Something to keep in mind when reading the numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// The words.
    pub text: String,
    /// What it rests on.
    pub evidence: Vec<Quote>,
}

impl Finding {
    /// Makes a finding whose reason is the one on the code's page.
    pub(crate) fn new(
        code: Code,
        severity: Severity,
        title: impl Into<String>,
        evidence: Vec<Quote>,
        fix: impl Into<String>,
    ) -> Self {
        Self { code, severity, title: title.into(), evidence, why: code.docs().why.to_owned(), fix: fix.into() }
    }

    /// Makes a finding that fails a check.
    pub(crate) fn error(code: Code, title: impl Into<String>, evidence: Vec<Quote>, fix: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, title, evidence, fix)
    }
}
