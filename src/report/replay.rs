//! A recorded run, told line by line. [`ReplayLine`] is principal; [`replay`] makes the lines of one run.
//!
//! Pure: it says what to show and how long to wait for it; who prints decides whether to wait at all. Which line everybody
//! overlooks is not stored anywhere: it is the evidence of what the verifier found in the same logs.

use std::collections::BTreeSet;
use std::time::Duration;

use super::quote::plain;
use super::runs::{RunsRow, rows};
use super::style::{Style, clip, wrap};
use crate::evidence::{Event, Fact, Quote};
use crate::verify::{Report, RunSummary, Severity};

/// One line of a replay.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayLine {
    /// The line, painted where asked for.
    pub text: String,
    /// How long to wait before it is shown.
    pub wait: ReplayWait,
}

/// How long to wait before a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ReplayWait {
    /// Not at all: it belongs to the line before.
    None,
    /// As long as reading a line takes.
    Line,
    /// As long as the recorded build took.
    Build(Duration),
    /// Until a key is pressed: the line before is worth a look.
    Key,
}

/// How a replay is written.
#[derive(Debug, Clone, Copy)]
pub struct ReplayStyle {
    /// Whether to paint.
    pub color: bool,
    /// The widest line; `None` cuts nothing, as for a pipe.
    pub width: Option<usize>,
}

/// What the runner prints for a post step that prints nothing itself.
const NAMELESS: &str = "Post job cleanup.";

/// How many downloads are shown one by one.
const DOWNLOADS: usize = 3;

/// Tells one run of a report: the lines of its log that say something about the caches, each with its number in the log.
///
/// The lines that the report's errors rest on are pointed at, and the first of them is explained.
pub fn replay(events: &[Event], report: &Report, judged: bool, style: ReplayStyle) -> Vec<ReplayLine> {
    let paint = Style::new(style.color);
    let cut = |text: &str| cut_to(text, style.width.map(|width| width.saturating_sub(2)));
    let pointed = pointed_at(report, judged);
    let mut lines = Vec::new();
    let mut shown: BTreeSet<usize> = BTreeSet::new();
    let (mut downloads, mut explained) = (0usize, false);
    // What is known only later, such as the time of a build, is told where its line stands.
    let mut in_order: Vec<(usize, &Event)> =
        events.iter().filter_map(|event| event.quote.line.map(|number| (number, event))).collect();
    in_order.sort_by_key(|(number, _)| *number);
    for (number, event) in in_order {
        let same = |quote: &Quote| (&quote.source, quote.line) == (&event.quote.source, event.quote.line);
        let at = pointed.iter().find(|(quote, _)| same(quote));
        if let (Fact::StepStarted { name, .. }, None) = (&event.fact, at) {
            // A clean-up that says nothing is not worth a line.
            if name == NAMELESS {
                continue;
            }
            lines.push(line(format!("  {}", paint.bold(&cut(&plain(name)))), ReplayWait::Line));
            shown.insert(number);
            continue;
        }
        if !(tells(&event.fact) || at.is_some()) || !shown.insert(number) {
            continue;
        }
        if matches!(event.fact, Fact::Download { .. }) {
            downloads += 1;
            if downloads > DOWNLOADS && at.is_none() {
                continue;
            }
        } else {
            rest_of_downloads(&mut lines, &mut downloads, paint);
        }
        let text = cut_to(&plain(&event.quote.text), style.width.map(|width| width.saturating_sub(10)));
        let wait = match &event.fact {
            Fact::BuildTime(time) => ReplayWait::Build(time.took),
            _ => ReplayWait::Line,
        };
        match at {
            None => lines.push(line(format!("  {} {text}", paint.dim(&format!("{number:>6} "))), wait)),
            Some((_, words)) => {
                lines.push(line(format!("{} {}", paint.bad(&format!(">>{number:>6} ")), paint.bold(&text)), wait));
                if !std::mem::replace(&mut explained, true) {
                    point(&mut lines, words, paint, style);
                }
            }
        }
    }
    rest_of_downloads(&mut lines, &mut downloads, paint);
    lines
}

/// Explains the line before, and waits.
fn point(lines: &mut Vec<ReplayLine>, words: &str, paint: Style, style: ReplayStyle) {
    let width = style.width.unwrap_or(80).saturating_sub(10).max(20);
    for (at, words) in wrap(words, width).into_iter().enumerate() {
        let mark = if at == 0 { "^ " } else { "  " };
        lines.push(line(format!("          {}", paint.doubtful(&format!("{mark}{words}"))), ReplayWait::None));
    }
    lines.push(line(String::new(), ReplayWait::Key));
}

fn line(text: String, wait: ReplayWait) -> ReplayLine {
    ReplayLine { text, wait }
}

fn cut_to(text: &str, width: Option<usize>) -> String {
    width.map_or_else(|| text.to_owned(), |width| clip(text, width))
}

/// Says how many downloads were not shown, once something else follows.
fn rest_of_downloads(lines: &mut Vec<ReplayLine>, downloads: &mut usize, paint: Style) {
    if let more @ 1.. = downloads.saturating_sub(DOWNLOADS) {
        lines.push(line(paint.dim(&format!("          … and {more} more downloads")), ReplayWait::Line));
    }
    *downloads = 0;
}

/// Tells whether a line says something about the caches to somebody who looks on.
fn tells(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::CacheLookup(_)
            | Fact::CacheSize { .. }
            | Fact::CacheRestored { .. }
            | Fact::CacheRestoreFailed { .. }
            | Fact::CacheSave(_)
            | Fact::CacheSaveSize { .. }
            | Fact::DanceEntry { .. }
            | Fact::DanceFailed { .. }
            | Fact::DanceExtractSkipped
            | Fact::DanceCrashed { .. }
            | Fact::DanceHung
            | Fact::BuildStepCached { .. }
            | Fact::MountSize { .. }
            | Fact::MountRefused { .. }
            | Fact::Download { .. }
            | Fact::BuildTime(_)
            | Fact::BuildEnded { error: Some(_), .. }
    )
}

/// The lines to point at, with what each shows: the evidence of the errors, or where there is none and the caches survive, the
/// sizes before the build.
fn pointed_at(report: &Report, judged: bool) -> Vec<(Quote, String)> {
    let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let of_errors: Vec<(Quote, String)> = errors
        .flat_map(|finding| {
            let words = format!("The line that everybody overlooks: {}.", plain(&finding.title).trim_end_matches('.'));
            finding.evidence.iter().map(move |quote| (quote.clone(), words.clone()))
        })
        .collect();
    if !of_errors.is_empty() || !judged || !report.findings.is_empty() {
        return of_errors;
    }
    let before = report.runs.last().map(|run| run.journey.lines.before.clone()).unwrap_or_default();
    let words = "The line that proves it: the cache mount is full BEFORE the build, on a machine that never built it.";
    before.into_iter().map(|quote| (quote, words.to_owned())).collect()
}

/// Sets two runs side by side: the last one with the fault, and the last one without it.
pub fn beside(headings: [&str; 2], faulty: &RunSummary, fixed: &RunSummary, color: bool) -> String {
    const CELL: usize = 18;
    let paint = Style::new(color);
    let table = rows(&[faulty, fixed]);
    let label = table.iter().map(|row| row.label.chars().count()).max().unwrap_or(0).min(38);
    let mut lines = vec![paint.dim(&format!("  {:label$}{:>CELL$}{:>CELL$}", "", headings[0], headings[1]))];
    for RunsRow { label: name, cells } in table {
        let cells: String = cells.iter().map(|cell| format!("{:>CELL$}", clip(&plain(cell), CELL - 2))).collect();
        lines.push(format!("  {:label$}{cells}", clip(&plain(&name), label)).trim_end().to_owned());
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Writes a unified diff, painted.
pub fn diff(text: &str, color: bool) -> String {
    let paint = Style::new(color);
    let mut lines: Vec<String> = Vec::new();
    for text in text.lines().map(plain) {
        let painted = match text.as_bytes().first() {
            Some(b'-') if !text.starts_with("---") => paint.bad(&text),
            Some(b'+') if !text.starts_with("+++") => paint.good(&text),
            _ => text,
        };
        lines.push(format!("  {painted}").trim_end().to_owned());
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Writes a heading.
pub fn heading(text: &str, color: bool) -> String {
    Style::new(color).bold(&plain(text))
}

/// Writes words that are only help.
pub fn dimmed(text: &str, color: bool) -> String {
    Style::new(color).dim(text)
}

/// Breaks words into lines.
pub fn paragraph(text: &str, width: usize) -> String {
    wrap(text, width).join("\n")
}
