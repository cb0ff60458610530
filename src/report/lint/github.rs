//! The report as annotations of a GitHub workflow run. [`github`] is principal.
//!
//! Source of the form: GitHub's documentation, "Workflow commands"; a value's `%`, line breaks, and in properties `:` and
//! `,`, are escaped.

use std::fmt::Write;

use super::super::github::{command, message, property};
use crate::lint::LintReport;

/// Writes one workflow command a finding.
pub fn github(report: &LintReport) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        let command = command(finding.severity);
        let place = finding.places.first().and_then(|place| Some((place, super::lines(report, place)?)));
        let at = place.map_or_else(String::new, |(place, (start, end))| {
            format!(
                "file={},line={},col={},endLine={},endColumn={},",
                property(&place.file),
                start.line,
                start.column,
                end.line,
                end.column
            )
        });
        let words = format!("{}\n{}\nhelp: {}", finding.title, finding.why, finding.help);
        let _ = writeln!(out, "::{command} {at}title={}::{}", property(finding.code), message(&words));
    }
    out
}
