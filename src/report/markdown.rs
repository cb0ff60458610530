//! A summary fit for a step summary. [`markdown`] is principal.

use super::quote::{place, plain, plain_lines};
use super::runs::{RunsRow, rows};
use crate::verify::{CheckStatus, Finding, Report, RunSummary, Verdict};

/// Writes the report as GitHub-flavoured Markdown.
pub fn markdown(report: &Report, subject: &str) -> String {
    let mut out = format!("## {}: {}\n", words(subject), report.verdict.as_str());
    out.push_str("\n| | check | answer | observed | needs |\n|---|---|---|---|---|\n");
    for check in &report.checks {
        let answer = match check.status {
            CheckStatus::Pass => "pass",
            CheckStatus::Fail => "**fail**",
            CheckStatus::Unobserved => "unobserved",
        };
        out.push_str(&format!(
            "| {} | {} | {answer} | {} | {} |\n",
            check.id.as_str(),
            words(&check.title),
            words(&check.observed),
            words(&check.threshold)
        ));
    }
    let runs: Vec<&RunSummary> = report.runs.iter().collect();
    if !runs.is_empty() {
        out.push_str(&format!(
            "\n| |{}\n|---|{}\n",
            runs.iter().map(|run| format!(" run {} |", run.number)).collect::<String>(),
            "---:|".repeat(runs.len())
        ));
        for RunsRow { label, cells } in rows(&runs) {
            let cells: String = cells.iter().map(|cell| format!(" {} |", words(cell))).collect();
            out.push_str(&format!("| {} |{cells}\n", words(&label)));
        }
    }
    for finding in &report.findings {
        write_finding(&mut out, finding);
    }
    let missing = report.missing();
    if report.verdict == Verdict::Inconclusive && !missing.is_empty() {
        out.push_str("\nNot shown:\n\n");
        for one in missing {
            let about = one.mount.as_deref().map_or_else(String::new, |mount| format!(" of {}", words(mount)));
            let (reason, line) = (words(&one.reason), words(&one.would_show));
            out.push_str(&format!("- {}{about}: {reason} (would show it: {line})\n", one.id));
        }
    }
    if !report.notes.is_empty() {
        out.push('\n');
        for note in &report.notes {
            out.push_str(&format!("- {}\n", words(&note.text)));
        }
    }
    out
}

fn write_finding(out: &mut String, finding: &Finding) {
    let (code, severity) = (finding.code, finding.severity.as_str());
    out.push_str(&format!("\n### {severity}: `{code}`\n\n{}\n\n", words(&finding.title)));
    let quoted: Vec<String> =
        finding.evidence.iter().map(|quote| format!("{}: {}", place(quote), plain(&quote.text))).collect();
    let fence = fence(&quoted);
    out.push_str(&format!("{fence}text\n{}\n{fence}\n\n", quoted.join("\n")));
    out.push_str(&format!("Why: {}\n\nFix:\n\n", words(&finding.why)));
    let fix = plain_lines(&finding.fix);
    let fence = self::fence(&fix);
    out.push_str(&format!("{fence}text\n{}\n{fence}\n", fix.join("\n")));
}

/// Returns a fence longer than any run of backticks inside.
fn fence(lines: &[String]) -> String {
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// Escapes what Markdown, or HTML in it, would take for markup.
fn words(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            // A mention would notify somebody.
            '@' => safe.push_str("&#64;"),
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '~' | '#' | '!' => safe.extend(['\\', c]),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_words_stay_words() {
        assert_eq!(words("a|b `c` <img> @x\u{1b}"), "a\\|b \\`c\\` &lt;img&gt; &#64;x\\\\u{1b}");
        assert_eq!(fence(&["a ```` b".to_owned()]), "`````");
        assert_eq!(fence(&[]), "```");
    }
}
