//! Puts a report into the words asked for. [`Presented`] is principal.

use std::fs;
use std::io::IsTerminal;
use std::path::Path;

use super::args::Format;
use super::explained::FolderReport;
use super::out;
use super::problem::CliProblem;
use crate::plan::Given;
use crate::report::{self, Document, HtmlSubject, TextOptions};
use crate::runner::ExperimentTiming;
use crate::verify::{Profile, Report, Thresholds};

/// What is told along with a report.
pub(super) struct Presented<'a> {
    pub(super) command: &'a str,
    pub(super) subject: &'a str,
    pub(super) scenario: Option<&'a str>,
    pub(super) profile: Profile,
    pub(super) thresholds: &'a Thresholds,
    pub(super) timing: Option<ExperimentTiming>,
    pub(super) evidence: Option<&'a str>,
    pub(super) repeat: Option<&'a str>,
    pub(super) explain: bool,
    /// What was chosen, taken for granted or left out.
    pub(super) assumed: &'a [String],
    /// What must not be shown: the secrets of a run.
    pub(super) hidden: Option<&'a Given>,
}

impl Presented<'_> {
    /// Prints the report.
    pub(super) fn print(&self, report: &Report, format: Format) {
        let text = match format {
            Format::Json => self.json(report),
            Format::Github => self.masked(&report::github(report)),
            Format::Markdown => self.masked(&report::markdown(report, self.subject)),
            Format::Html => self.page(report),
            Format::Text => self.text(report, true, std::io::stdout().is_terminal()),
        };
        out(&text);
    }

    /// Replaces every secret in a text.
    fn masked(&self, text: &str) -> String {
        self.hidden.map_or_else(|| text.to_owned(), |given| given.masked(text))
    }

    /// The report as one page for a browser.
    pub(super) fn page(&self, report: &Report) -> String {
        self.masked(&report::html(&[self.html(report)]))
    }

    /// Writes the report for people; `cut` says that long lines may be cut.
    pub(super) fn text(&self, report: &Report, color: bool, cut: bool) -> String {
        let options = TextOptions {
            color,
            width: WIDTH,
            subject: self.subject,
            evidence: self.evidence,
            repeat: self.repeat,
            explain: self.explain,
            assumed: self.assumed,
            cut,
        };
        self.masked(&report::text(report, &options))
    }

    /// The report in the forms that lie in an evidence folder.
    pub(super) fn for_folder(&self, report: &Report) -> FolderReport<'_> {
        FolderReport {
            json: self.json(report),
            text: self.text(report, false, false),
            html: self.page(report),
            subject: self.subject,
            verdict: report.verdict,
            runs: report.runs.len(),
            repeat: self.repeat,
        }
    }

    /// The report for a browser, as a part of a page.
    pub(super) fn html<'a>(&'a self, report: &'a Report) -> HtmlSubject<'a> {
        HtmlSubject { subject: self.subject, report, evidence: self.evidence, repeat: self.repeat }
    }

    /// Writes the report for programs, as one document.
    pub(super) fn json(&self, report: &Report) -> String {
        self.masked(&visible(&format!("{:#}\n", self.document(report))))
    }

    /// The report for programs, as the value that is written.
    pub(super) fn document(&self, report: &Report) -> serde_json::Value {
        let document = Document {
            command: self.command,
            scenario: self.scenario,
            profile: self.profile,
            thresholds: self.thresholds,
            evidence: self.evidence,
        };
        let mut value = report::json(report, &document);
        if let Some(object) = value.as_object_mut().filter(|_| !self.assumed.is_empty()) {
            object.insert("assumed".to_owned(), serde_json::json!(self.assumed));
        }
        if let (Some(timing), Some(object)) = (self.timing, value.as_object_mut()) {
            let (wall, builds, copies) =
                (timing.wall.as_secs_f64(), timing.builds.as_secs_f64(), timing.copies.as_secs_f64());
            object.insert(
                "timing".to_owned(),
                serde_json::json!({
                    "wall_seconds": wall,
                    "builds_seconds": builds,
                    "copies_seconds": copies,
                    "overhead_seconds": (wall - builds - copies).max(0.0),
                }),
            );
        }
        value
    }
}

/// Writes a page beside what is printed.
pub(super) fn write_page(path: &Path, page: &str) -> Result<(), CliProblem> {
    fs::write(path, page).map_err(|error| CliProblem::stopped(format!("cannot write {}: {error}", path.display())))
}

/// Escapes, inside the strings of a document, the characters that reorder or hide text on a terminal; JSON itself escapes
/// only those that control it.
pub(super) fn visible(json: &str) -> String {
    let acts = |char: char| matches!(char, '\u{7f}'..='\u{9f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    json.chars().fold(String::with_capacity(json.len()), |mut out, char| {
        match acts(char) {
            true => out.push_str(&format!("\\u{:04x}", u32::from(char))),
            false => out.push(char),
        }
        out
    })
}

/// The width to write for. Wider lines than these are tiring to read, whatever the terminal has.
const WIDTH: usize = 80;
