//! The report in SARIF 2.1.0, as GitHub's code scanning takes it. [`sarif`] is principal.
//!
//! Source of the form: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0". A test holds
//! every object to the properties that the standard gives it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::lint::{LintFinding, LintPlace, LintReport, definition};
use crate::verify::{Code, CodePage, Severity};

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
                "rules": codes.iter().map(|code| rule(code)).collect::<Vec<_>>(),
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

fn rule(code: &str) -> Value {
    let page = page(code);
    let part = |get: fn(&CodePage) -> &'static str| page.as_ref().map_or("", get);
    json!({
        "id": code,
        "shortDescription": {"text": part(|page| page.what)},
        "fullDescription": {"text": part(|page| page.why)},
        "help": {"text": part(|page| page.fix)},
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn result(report: &LintReport, finding: &LintFinding, codes: &[&str]) -> Value {
    let locations: Vec<Value> = finding.places.iter().filter_map(|place| location(report, place)).collect();
    let (first, related) = locations.split_at(locations.len().min(1));
    json!({
        "ruleId": finding.code,
        "ruleIndex": codes.iter().position(|code| *code == finding.code),
        "level": level(finding.severity),
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

/// A path as a relative reference of a URI.
fn uri(path: &str) -> String {
    path.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' | b'~' => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}
