//! The report for people. [`text`] is principal.
//!
//! Readable without colour and at 80 columns: a first screen with the verdict, the cause and the change, then the findings,
//! the runs side by side and the checks in full. Sizes count MiB under the name MB, as GitHub's own lines do.

use super::quote::{place, plain};
use super::runs::{RunsRow, rows};
use super::screen::{first_screen, verdict};
use super::style::{Style, clip, wrap};
use crate::evidence::Quote;
use crate::verify::{
    Check, CheckStatus, Finding, Note, Obligation, ObligationState, Report, RunSummary, Severity, Verdict,
};

/// How to write the text.
#[derive(Debug, Clone, Copy)]
pub struct TextOptions<'a> {
    /// Whether to put colours into the string; who prints it may still strip them.
    pub color: bool,
    /// The widest line, in characters; less than 64 is taken as 64.
    pub width: usize,
    /// What was run: a scenario, a project, or the logs.
    pub subject: &'a str,
    /// Where the evidence lies.
    pub evidence: Option<&'a str>,
    /// The command that repeats it.
    pub repeat: Option<&'a str>,
    /// Whether to show also what was shown of the obligations, and not only what is missing.
    pub explain: bool,
    /// What was chosen, taken for granted or left out, before anything else is told.
    pub assumed: &'a [String],
    /// Whether a line that is too long may be cut, as on a terminal. A pipe gets every key and path whole.
    pub cut: bool,
}

/// How many quotes a finding shows: enough to be believed.
const QUOTES: usize = 4;

/// Writes a report for people.
pub fn text(report: &Report, options: &TextOptions) -> String {
    let (style, width, cut) = (Style::new(options.color), options.width.max(64), options.cut);
    let mut page = TextPage { style, width, cut, lines: Vec::new() };
    page.heading(&plain(options.subject));
    page.assumed(options.assumed);
    page.lines.extend(first_screen(report, style, width, cut));
    if !report.findings.is_empty() {
        page.section("findings");
        for (at, finding) in report.findings.iter().enumerate() {
            if at > 0 {
                page.lines.push(String::new());
            }
            page.finding(finding);
        }
    }
    if !report.runs.is_empty() {
        page.section("runs");
        page.runs(&report.runs);
    }
    page.section("checks in full");
    for check in &report.checks {
        page.check(check);
    }
    page.obligations(report, options.explain);
    if !report.notes.is_empty() {
        page.section("notes");
        for note in &report.notes {
            page.note(note);
        }
    }
    page.verdict(report, options);
    page.lines.push(String::new());
    page.lines.join("\n")
}

/// Writes the first screen of [`text`] alone: the verdict, the cause, the change and a line per check.
pub fn brief(report: &Report, options: &TextOptions) -> String {
    let (style, width, cut) = (Style::new(options.color), options.width.max(64), options.cut);
    let mut page = TextPage { style, width, cut, lines: Vec::new() };
    page.heading(&plain(options.subject));
    page.lines.extend(first_screen(report, style, width, cut));
    page.lines.push(String::new());
    page.lines.join("\n")
}

/// The text under way.
struct TextPage {
    style: Style,
    width: usize,
    cut: bool,
    lines: Vec<String>,
}

impl TextPage {
    fn heading(&mut self, subject: &str) {
        self.lines.push(self.style.bold(&self.clipped(subject, self.width)));
        self.lines.push(String::new());
    }

    fn assumed(&mut self, assumed: &[String]) {
        for text in assumed {
            for (at, line) in wrap(&plain(text), self.width - 8).into_iter().enumerate() {
                let label = if at == 0 { self.style.dim("note  ") } else { "      ".to_owned() };
                self.lines.push(format!("  {label}{line}"));
            }
        }
        if !assumed.is_empty() {
            self.lines.push(String::new());
        }
    }

    /// Shortens a line where lines may be cut.
    fn clipped(&self, text: &str, width: usize) -> String {
        if self.cut { clip(text, width) } else { text.to_owned() }
    }

    fn section(&mut self, name: &str) {
        self.lines.push(String::new());
        self.lines.push(self.style.bold(name));
    }

    /// Lays the runs out in columns: as many as fit, the first and the latest ones.
    fn runs(&mut self, runs: &[RunSummary]) {
        const CELL: usize = 13;
        let all: Vec<&RunSummary> = runs.iter().collect();
        let label = rows(&all).iter().map(|row| row.label.chars().count()).max().unwrap_or(0).max(18);
        let label = if self.cut { label.min(self.width - 2 - 2 * CELL) } else { label };
        let fit = (self.width.saturating_sub(2 + label) / CELL).max(2);
        let shown: Vec<&RunSummary> = match all.as_slice() {
            [] => return,
            all if all.len() <= fit => all.to_vec(),
            [first, rest @ ..] => [&[*first], &rest[rest.len() - (fit - 1)..]].concat(),
        };
        let mut head = format!("  {:label$}", "");
        for run in &shown {
            head.push_str(&format!("{:>CELL$}", format!("run {}", run.number)));
        }
        self.lines.push(self.style.dim(&head));
        for RunsRow { label: name, cells } in rows(&shown) {
            let mut line = format!("  {:label$}", self.clipped(&plain(&name), label));
            for cell in cells {
                line.push_str(&format!("{:>CELL$}", clip(&cell, CELL - 1)));
            }
            self.lines.push(line.trim_end().to_owned());
        }
        if shown.len() < all.len() {
            self.lines.push(self.style.dim(&format!("  ({} runs between are not shown)", all.len() - shown.len())));
        }
    }

    fn check(&mut self, check: &Check) {
        let mark = match check.status {
            CheckStatus::Pass => self.style.good("pass      "),
            CheckStatus::Fail => self.style.bad("fail      "),
            CheckStatus::Unobserved => self.style.doubtful("unobserved"),
        };
        self.lines.push(format!("  {mark}  {:<2}  {}", check.id.as_str(), check.title));
        self.indented(18, &check.observed);
        if !check.threshold.is_empty() {
            for line in wrap(&format!("needs {}", check.threshold), self.width - 18) {
                self.lines.push(format!("{:18}{}", "", self.style.dim(&line)));
            }
        }
    }

    /// Shows what the verdict rests on: what is missing where it stands in the way of a verdict, and everything on demand.
    fn obligations(&mut self, report: &Report, all: bool) {
        let undecided = report.verdict == Verdict::Inconclusive;
        let shows = |one: &&Obligation| all || (undecided && one.state == ObligationState::Missing);
        let mut rest: Vec<&Obligation> = report.obligations.iter().filter(shows).collect();
        if rest.is_empty() {
            return;
        }
        self.section("obligations");
        while let Some(first) = rest.first().copied() {
            let alike =
                |one: &&Obligation| one.id == first.id && one.state == first.state && one.reason == first.reason;
            let (same, others): (Vec<&Obligation>, Vec<&Obligation>) = rest.into_iter().partition(alike);
            rest = others;
            self.obligation(&same, all);
        }
    }

    /// Shows what several mounts have in common once.
    fn obligation(&mut self, same: &[&Obligation], all: bool) {
        let Some(first) = same.first() else { return };
        let mark = match first.state {
            ObligationState::Shown => self.style.good("shown     "),
            ObligationState::Missing => self.style.doubtful("missing   "),
        };
        let mounts: Vec<String> = same.iter().filter_map(|one| one.mount.as_deref()).map(plain).collect();
        let about = if mounts.is_empty() { String::new() } else { format!(" of {}", mounts.join(", ")) };
        for (at, line) in wrap(&format!("{}{about}", first.id), self.width - 14).into_iter().enumerate() {
            self.lines.push(if at == 0 { format!("  {mark}  {line}") } else { format!("{:14}{line}", "") });
        }
        if !first.reason.is_empty() {
            self.indented(18, &first.reason);
            for line in wrap(&format!("would show it: {}", first.would_show), self.width - 18) {
                self.lines.push(format!("{:18}{}", "", self.style.dim(&line)));
            }
        }
        if all {
            let mut quotes: Vec<Quote> = Vec::new();
            for quote in same.iter().flat_map(|one| &one.evidence) {
                if !quotes.contains(quote) {
                    quotes.push(quote.clone());
                }
            }
            self.quotes(&quotes);
        }
    }

    fn finding(&mut self, finding: &Finding) {
        let head = format!("{}[{}]", finding.severity.as_str(), finding.code);
        let head = match finding.severity {
            Severity::Error => self.style.bad(&head),
            Severity::Warning => self.style.doubtful(&head),
            Severity::Note => self.style.bold(&head),
        };
        self.lines.push(format!("  {head}"));
        for line in wrap(&finding.title, self.width - 2) {
            self.lines.push(format!("  {}", self.style.bold(&line)));
        }
        self.quotes(&finding.evidence);
        self.labelled("why", &finding.why);
        self.labelled("fix", &finding.fix);
    }

    fn quotes(&mut self, quotes: &[Quote]) {
        for quote in quotes.iter().take(QUOTES) {
            let place = self.clipped(&place(quote), self.width - 6);
            let text = plain(&quote.text);
            let one_line = 6 + place.chars().count() + text.chars().count() <= self.width;
            if one_line {
                self.lines.push(format!("    {}  {text}", self.style.dim(&place)));
            } else {
                self.lines.push(format!("    {}", self.style.dim(&place)));
                // A measurement is a sentence and shown in full; a line of a log can be looked up.
                let shown = match quote.line {
                    None => wrap(&text, self.width - 6),
                    Some(_) => vec![self.clipped(&text, self.width - 6)],
                };
                self.lines.extend(shown.into_iter().map(|line| format!("      {line}")));
            }
        }
        if quotes.len() > QUOTES {
            self.lines.push(self.style.dim(&format!("    (and {} more)", quotes.len() - QUOTES)));
        }
    }

    fn labelled(&mut self, label: &str, words: &str) {
        for (at, line) in wrap(words, self.width - 9).into_iter().enumerate() {
            let label = if at == 0 { self.style.dim(label) } else { "   ".to_owned() };
            self.lines.push(format!("    {label}  {line}"));
        }
    }

    fn note(&mut self, note: &Note) {
        self.indented(2, &note.text);
        self.quotes(&note.evidence);
    }

    fn indented(&mut self, by: usize, words: &str) {
        for line in wrap(words, self.width - by) {
            self.lines.push(format!("{:by$}{line}", ""));
        }
    }

    fn verdict(&mut self, report: &Report, options: &TextOptions) {
        self.lines.push(String::new());
        self.lines.extend(verdict(report, self.style, self.width));
        for (label, value) in [("evidence", options.evidence), ("repeat", options.repeat)] {
            if let Some(value) = value {
                // Whole, however long: a person copies it.
                self.lines.push(format!("  {}  {}", self.style.dim(&format!("{label:<8}")), plain(value)));
            }
        }
    }
}
