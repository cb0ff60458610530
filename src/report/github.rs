//! Workflow annotations for GitHub. [`github`] is principal.

use super::quote::{place, plain_lines};
use crate::verify::{Finding, Report, Severity, Verdict};

/// Writes one workflow command per finding, and one that tells the verdict.
pub fn github(report: &Report) -> String {
    let mut lines: Vec<String> = report.findings.iter().map(annotation).collect();
    let (command, words) = match report.verdict {
        Verdict::Effective => ("notice", "effective: the caches survive from one run to the next"),
        Verdict::Ineffective => ("error", "ineffective: the caches do not survive from one run to the next"),
        Verdict::Inconclusive => ("warning", "inconclusive: cannot tell. No check failed, but not everything was seen"),
    };
    let mut words = vec![words.to_owned()];
    for one in report.missing().into_iter().filter(|_| report.verdict == Verdict::Inconclusive) {
        let about = one.mount.as_deref().map_or_else(String::new, |mount| format!(" of {mount}"));
        let missing = format!("not shown: {}{about}: {} (would show it: {})", one.id, one.reason, one.would_show);
        words.extend(plain_lines(&missing));
    }
    lines.push(format!("::{command} title={}::{}", property("verify-buildkit-cache"), message(&words.join("\n"))));
    lines.push(String::new());
    lines.join("\n")
}

fn annotation(finding: &Finding) -> String {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut words = plain_lines(&finding.title);
    for quote in &finding.evidence {
        words.push(format!("{}: {}", place(quote), plain_lines(&quote.text).join(" ")));
    }
    words.extend(plain_lines(&format!("why: {}", finding.why)));
    words.extend(plain_lines(&format!("fix: {}", finding.fix)));
    format!("::{command} title={}::{}", property(finding.code.as_str()), message(&words.join("\n")))
}

/// Escapes a message as the runner reads it.
fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property's value.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_quoted_line_can_end_the_command() {
        assert_eq!(message("100 %\r\n::set-output"), "100 %25%0D%0A::set-output");
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
    }
}
