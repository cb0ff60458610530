//! The report for programs, with types and a schema number of its own. [`json`] is principal.

use serde::Serialize;

use crate::lint::{LintFinding, LintReport};

/// The number of this document's shape.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct LintDocument<'a> {
    schema: u32,
    command: &'static str,
    workflows: usize,
    jobs: usize,
    ignored: usize,
    findings: Vec<LintFindingDocument<'a>>,
    unread: Vec<LintProblemDocument<'a>>,
}

#[derive(Serialize)]
struct LintFindingDocument<'a> {
    code: &'a str,
    severity: &'a str,
    job: &'a str,
    title: &'a str,
    why: &'a str,
    help: &'a str,
    fixable: bool,
    places: Vec<LintPlaceDocument<'a>>,
}

#[derive(Serialize)]
struct LintPlaceDocument<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
}

#[derive(Serialize)]
struct LintProblemDocument<'a> {
    message: &'a str,
    hint: Option<&'a str>,
}

/// Writes the report as one document.
pub fn json(report: &LintReport) -> String {
    let document = LintDocument {
        schema: SCHEMA,
        command: "lint",
        workflows: report.workflows,
        jobs: report.jobs,
        ignored: report.ignored,
        findings: report.findings.iter().map(|finding| one(report, finding)).collect(),
        unread: report
            .unread
            .iter()
            .map(|problem| LintProblemDocument { message: &problem.message, hint: problem.hint.as_deref() })
            .collect(),
    };
    // Plain data of ours always has a JSON form.
    serde_json::to_string_pretty(&document).map(|text| text + "\n").unwrap_or_default()
}

fn one<'a>(report: &'a LintReport, finding: &'a LintFinding) -> LintFindingDocument<'a> {
    let places = finding.places.iter().filter_map(|place| {
        let (start, end) = super::lines(report, place)?;
        Some(LintPlaceDocument {
            file: &place.file,
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            label: place.label.as_deref(),
        })
    });
    LintFindingDocument {
        code: finding.code,
        severity: finding.severity.as_str(),
        job: &finding.job,
        title: &finding.title,
        why: &finding.why,
        help: &finding.help,
        fixable: !finding.edits.is_empty(),
        places: places.collect(),
    }
}
