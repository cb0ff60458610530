//! The report in SARIF 2.1.0, as GitHub's code scanning takes it. [`sarif`] is principal.
//!
//! Source of the form: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0". A test holds
//! every object to the properties that the standard gives it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::sarif::{rule, uri};
use crate::lint::{LintFinding, LintPlace, LintReport, definition};
use crate::verify::{Code, CodePage};

/// Writes the report as one SARIF log.
pub fn sarif(report: &LintReport) -> String {
    let used: BTreeSet<&str> = report.findings.iter().map(|finding| finding.code).collect();
    let codes: Vec<&str> = used.into_iter().collect();
    let notifications: Vec<Value> =
        report.unread.iter().map(|problem| json!({"level": "error", "message": {"text": problem.message}})).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "verify-buildkit-cache",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|code| rule(code, page(code))).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": report.unread.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "results": report.findings.iter().map(|finding| result(report, finding, &codes)).collect::<Vec<_>>(),
        }],
    });
    format!("{log:#}\n")
}

fn page(code: &str) -> Option<CodePage> {
    definition(code).map(|definition| definition.page).or_else(|| code.parse::<Code>().ok().map(Code::docs))
}

fn result(report: &LintReport, finding: &LintFinding, codes: &[&str]) -> Value {
    let locations: Vec<Value> = finding.places.iter().filter_map(|place| location(report, place)).collect();
    let (first, related) = locations.split_at(locations.len().min(1));
    json!({
        "ruleId": finding.code,
        "ruleIndex": codes.iter().position(|code| *code == finding.code),
        "level": finding.severity.as_str(),
        "message": {"text": format!("{}\n{}\nhelp: {}", finding.title, finding.why, finding.help)},
        "locations": first,
        "relatedLocations": related,
    })
}

fn location(report: &LintReport, place: &LintPlace) -> Option<Value> {
    let (start, end) = super::lines(report, place)?;
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": {"uri": uri(&place.file), "uriBaseId": "%SRCROOT%"},
            "region": {
                "startLine": start.line,
                "startColumn": start.column,
                "endLine": end.line,
                "endColumn": end.column,
            },
        },
    });
    if let (Some(label), Some(object)) = (&place.label, location.as_object_mut()) {
        object.insert("message".to_owned(), json!({"text": label}));
    }
    Some(location)
}
