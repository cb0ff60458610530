//! Workflow annotations for GitHub. [`github`] is principal.

use super::quote::{place, plain, plain_lines};
use crate::verify::{Finding, Report, Severity, Verdict};

/// Writes one workflow command per finding, and one that tells the verdict.
pub fn github(report: &Report) -> String {
    github_of_job(report, None)
}

/// Writes the same, naming the job in each title.
pub fn github_of_job(report: &Report, job: Option<&str>) -> String {
    let mut lines: Vec<String> = report.findings.iter().map(|finding| annotation(finding, job)).collect();
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
    lines.push(format!(
        "::{command} title={}::{}",
        property(&titled("verify-buildkit-cache", job)),
        message(&words.join("\n"))
    ));
    lines.push(String::new());
    lines.join("\n")
}

fn annotation(finding: &Finding, job: Option<&str>) -> String {
    let command = command(finding.severity);
    let mut words = plain_lines(&finding.title);
    for quote in &finding.evidence {
        words.push(format!("{}: {}", place(quote), plain_lines(&quote.text).join(" ")));
    }
    words.extend(plain_lines(&format!("why: {}", finding.why)));
    words.extend(plain_lines(&format!("fix: {}", finding.fix)));
    let place = finding
        .evidence
        .iter()
        .find_map(|quote| Some((&quote.source, quote.line?)).filter(|(file, _)| is_repository_file(file)));
    let place = place.map_or_else(String::new, |(file, line)| format!("file={},line={line},", property(&plain(file))));
    format!(
        "::{command} {place}title={}::{}",
        property(&titled(finding.code.as_str(), job)),
        message(&words.join("\n"))
    )
}

fn titled(title: &str, job: Option<&str>) -> String {
    job.map_or_else(|| title.to_owned(), |job| format!("{title} (job {})", plain(job)))
}

/// Returns the workflow command for a severity.
pub(super) fn command(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    }
}

/// Tells whether a source is a file that a person edits, and no log.
pub(super) fn is_repository_file(name: &str) -> bool {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name).to_ascii_lowercase();
    file.ends_with(".yml") || file.ends_with(".yaml") || file.contains("dockerfile")
}

/// Escapes a message as the runner reads it.
pub(super) fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property's value.
pub(super) fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_is_escaped() {
        assert_eq!(message("50%\n::error"), "50%25%0A::error");
    }

    #[test]
    fn nothing_in_a_quoted_line_can_end_the_command() {
        assert_eq!(message("100 %\r\n::set-output"), "100 %25%0D%0A::set-output");
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
    }
}
