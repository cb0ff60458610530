//! Puts a report into the words asked for. [`Presented`] is principal.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::Path;

use super::args::Format;
use super::explained::FolderReport;
use super::problem::CliProblem;
use super::talk::{complain, out};
use crate::plan::Given;
use crate::report::{self, Document, HtmlSubject, TextOptions};
use crate::runner::ExperimentTiming;
use crate::verify::{Profile, Report, Thresholds, Verdict};

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
        print_all(self.command, &[(self, report)], report.verdict, format);
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
        if let Some(object) = value.as_object_mut() {
            object.insert("subject".to_owned(), self.subject.into());
            if !self.assumed.is_empty() {
                object.insert("assumed".to_owned(), serde_json::json!(self.assumed));
            }
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

/// Prints the reports of several jobs in one format, and adds them to the step summary where there is one.
pub(super) fn print_all(command: &str, reports: &[(&Presented, &Report)], worst: Verdict, format: Format) {
    let jobs: Vec<(&str, &Report)> = reports.iter().map(|(about, report)| (about.subject, *report)).collect();
    // Secrets are those of one run, and a run has one report.
    let hide = |text: String| reports.iter().fold(text, |text, (about, _)| about.masked(&text));
    match (format, reports) {
        (Format::Json, _) => out(&document(command, reports, worst)),
        (Format::Github, _) => {
            for (job, report) in &jobs {
                out(&hide(report::github_of_job(report, Some(*job).filter(|_| command == "logs"))));
            }
        }
        (Format::Markdown, _) => jobs.iter().for_each(|(job, report)| out(&hide(report::markdown(report, job)))),
        (Format::Html, _) => out(&page(reports)),
        (Format::Sarif, _) => out(&hide(visible(&format!("{:#}\n", report::sarif(&jobs))))),
        (Format::Junit, _) => out(&hide(report::junit(&jobs))),
        (Format::Text, _) => {
            let cut = std::io::stdout().is_terminal();
            reports.iter().for_each(|(about, report)| out(&about.text(report, true, cut)));
            if reports.len() > 1 {
                out(&format!("\nall {} jobs together: {}\n", reports.len(), worst.as_str()));
            }
        }
    }
    let summary: String = jobs.iter().map(|(job, report)| report::markdown(report, job)).collect();
    step_summary(&hide(summary));
}

/// Writes the reports for a browser, as one page.
pub(super) fn page(reports: &[(&Presented, &Report)]) -> String {
    let parts: Vec<HtmlSubject> = reports.iter().map(|(about, report)| about.html(report)).collect();
    reports.iter().fold(report::html(&parts), |text, (about, _)| about.masked(&text))
}

/// Writes the reports for programs, as one document.
pub(super) fn document(command: &str, reports: &[(&Presented, &Report)], worst: Verdict) -> String {
    if let [(about, report)] = reports {
        return about.json(report);
    }
    let documents = reports.iter().map(|(about, report)| about.document(report)).collect();
    visible(&format!("{:#}\n", report::json_of_jobs(command, worst, documents)))
}

/// Adds the reports to the summary of the GitHub step that this runs in, as GITHUB_STEP_SUMMARY names it.
fn step_summary(text: &str) {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else { return };
    let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
    if let Err(error) = file.and_then(|mut file| file.write_all(text.as_bytes())) {
        complain(&format!("warning: cannot write the step summary {}: {error}", path.display()));
    }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::verify::testing::{JobScript, case};
    use crate::verify::verify;

    #[test]
    fn what_a_run_says_is_of_the_published_schema() {
        let report = verify(&case(Profile::Checklist, &[JobScript::cold(), JobScript::warm()]));
        let presented = Presented {
            command: "run",
            subject: "project app",
            scenario: None,
            profile: Profile::Checklist,
            thresholds: &Thresholds::default(),
            timing: Some(ExperimentTiming {
                wall: Duration::from_secs(9),
                builds: Duration::from_secs(5),
                copies: Duration::from_secs(1),
            }),
            evidence: Some("evidence"),
            repeat: Some("verify-buildkit-cache run"),
            explain: true,
            assumed: &["the runs are of `push` on refs/heads/main".to_owned()],
            hidden: None,
        };
        let document = presented.document(&report);
        assert_eq!(document["assumed"][0], "the runs are of `push` on refs/heads/main");
        let schema = serde_json::from_str(report::REPORT_SCHEMA).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        assert!(validator.is_valid(&document), "{:?}", validator.validate(&document));
    }
}
