//! What a lint says. [`LintReport`] is principal.

use std::collections::BTreeMap;

use crate::source::{Source, Span};
use crate::verify::{CodePage, Severity};

/// Everything a lint says of a repository.
#[derive(Debug, Clone, Default)]
pub struct LintReport {
    /// What is wrong, by file and place.
    pub findings: Vec<LintFinding>,
    /// The texts that the findings point into, by name.
    pub sources: BTreeMap<String, Source>,
    /// What could not be read.
    pub unread: Vec<LintProblem>,
    /// The workflows that were looked at.
    pub workflows: usize,
    /// The jobs that build with, or carry, cache mounts.
    pub jobs: usize,
    /// Findings that a comment in a file silences.
    pub ignored: usize,
}

/// A file that could not be read, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintProblem {
    /// What is wrong, naming file and line.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// One thing that is wrong in the files.
#[derive(Debug, Clone, PartialEq)]
pub struct LintFinding {
    /// The public code: the verifier's own where it has one.
    pub code: &'static str,
    /// Error: it cannot work. Warning: it goes stale, or costs more than it saves. Note: good to know.
    pub severity: Severity,
    /// What is wrong here.
    pub title: String,
    /// Where; the first is the place to change, if there is one.
    pub places: Vec<LintPlace>,
    /// Why it matters, in one sentence.
    pub why: String,
    /// What to do.
    pub help: String,
    /// The job it is about.
    pub job: String,
    /// Edits that take it away.
    pub edits: Vec<LintEdit>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintPlace {
    /// The name of the file, as in [`LintReport::sources`].
    pub file: String,
    /// The bytes.
    pub span: Span,
    /// What stands there, in few words.
    pub label: Option<String>,
}

/// One edit of a file: the bytes of a span become a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintEdit {
    /// The name of the file.
    pub file: String,
    /// The bytes to replace.
    pub span: Span,
    /// The new text.
    pub text: String,
}

/// A code that only a lint reports, with its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LintDefinition {
    /// The public name.
    pub code: &'static str,
    /// How much it matters at most.
    pub severity: Severity,
    /// Its page.
    pub page: CodePage,
}

impl LintReport {
    /// Tells whether something cannot work.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Counts the findings of one severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

impl LintPlace {
    pub(super) fn new(source: &Source, span: Span, label: impl Into<Option<&'static str>>) -> Self {
        Self { file: source.name.clone(), span, label: label.into().map(str::to_owned) }
    }
}
