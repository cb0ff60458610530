//! The report as annotations of a GitHub workflow run. [`github`] is principal.
//!
//! Source of the form: GitHub's documentation, "Workflow commands"; a value's `%`, line breaks, and in properties `:` and
//! `,`, are escaped.

use std::fmt::Write;

use crate::lint::LintReport;
use crate::verify::Severity;

/// Writes one workflow command a finding.
pub fn github(report: &LintReport) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
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
        let message = format!("{}\n{}\nhelp: {}", finding.title, finding.why, finding.help);
        let _ = writeln!(out, "::{command} {at}title={}::{}", property(finding.code), data(&message));
    }
    out
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_is_escaped() {
        assert_eq!(data("50%\n::error"), "50%25%0A::error");
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
    }
}
