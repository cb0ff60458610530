//! `lint` held against the catalogue and against small faults: each fault that stands in the files is found with the code a
//! run would give, and what is right is clean. The principal tests are those of the scenarios and of the fixtures.

#![expect(clippy::unwrap_used, reason = "a test says what it sees and stops where it fails")]

mod lint {
    pub(crate) mod fixtures;
    pub(crate) mod forms;
    pub(crate) mod hostile;
    pub(crate) mod program;
    pub(crate) mod scenarios;
}

use verify_buildkit_cache::lint::{LintFinding, LintReport, MemoryFiles, lint as look_at_workflows};
use verify_buildkit_cache::source::Source;
use verify_buildkit_cache::verify::Severity;

/// The workflow's path in the repositories of these tests.
pub(crate) const WORKFLOW: &str = ".github/workflows/workflow.yml";

/// Looks at a workflow and a Dockerfile in a small Go repository.
pub(crate) fn look(workflow: &str, dockerfile: &str) -> LintReport {
    look_at_workflows(&[Source::new(WORKFLOW, workflow)], &files(dockerfile))
}

/// The files of a small Go repository.
pub(crate) fn files(dockerfile: &str) -> MemoryFiles {
    let files = [("Dockerfile", dockerfile), ("go.mod", "module app\n"), ("go.sum", ""), ("main.go", "package main\n")];
    MemoryFiles::new(files.map(|(path, text)| (path.to_owned(), text.to_owned())))
}

/// The codes of the errors, in their order.
pub(crate) fn errors(report: &LintReport) -> Vec<&'static str> {
    report.findings.iter().filter(|finding| finding.severity == Severity::Error).map(|finding| finding.code).collect()
}

/// Every code that was found.
pub(crate) fn codes(report: &LintReport) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.code).collect()
}

/// One line a finding, for the messages of tests.
pub(crate) fn said(report: &LintReport) -> String {
    let line = |finding: &LintFinding| {
        let source = finding.places.first().and_then(|place| {
            let source = report.sources.get(&place.file)?;
            Some(source.cite(place.span))
        });
        format!("{} {}: {} ({})", finding.severity.as_str(), finding.code, finding.title, source.unwrap_or_default())
    };
    let findings = report.findings.iter().map(line);
    findings.chain(report.unread.iter().map(|problem| problem.message.clone())).collect::<Vec<_>>().join("\n")
}
