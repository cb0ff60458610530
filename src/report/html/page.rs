//! The page around one report or several. [`html`] is principal.

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use super::super::quote::plain;
use super::{flow, lines, sections, timeline};
use crate::verify::{ObligationState, Report, Verdict};

/// The style sheet, the only unescaped text of a page.
const STYLE: &str = include_str!("page.css");

/// What a page may load: its own styles, and nothing else from anywhere.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// One report of a page.
#[derive(Debug, Clone, Copy)]
pub struct HtmlSubject<'a> {
    /// What was run: a scenario, a project, or the logs.
    pub subject: &'a str,
    /// What was said of it.
    pub report: &'a Report,
    /// Where the evidence lies.
    pub evidence: Option<&'a str>,
    /// The command that repeats it.
    pub repeat: Option<&'a str>,
}

/// Writes reports as one HTML document that stands alone.
pub fn html(subjects: &[HtmlSubject<'_>]) -> String {
    let several = subjects.len() > 1;
    let title = match subjects {
        [one] => format!("{}: {}", one.report.verdict.as_str(), one.subject),
        all => format!("{} jobs", all.len()),
    };
    let body = markup! {
        @if several {
            nav aria-label="Jobs" {
                ul {
                    @for (at, one) in subjects.iter().enumerate() {
                        li { a href=(format!("#j{at}")) { (plain(one.subject)) ": " (one.report.verdict.as_str()) } }
                    }
                }
            }
        }
        @for (at, one) in subjects.iter().enumerate() {
            (subject(&format!("j{at}"), one))
        }
    };
    document(&title, body).into_string()
}

/// Writes the document around a body.
pub(in crate::report) fn document(title: &str, body: Markup) -> Markup {
    markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (plain(title)) " – verify-buildkit-cache" }
                // No icon: a browser asks for none that is empty.
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "To the verdict" }
                header.top {
                    p.brand { "verify-buildkit-cache" }
                    fieldset.theme {
                        legend.sr { "Colours" }
                        label { input type="radio" name="theme" id="theme-auto" checked; " auto" }
                        label { input type="radio" name="theme" id="theme-light"; " light" }
                        label { input type="radio" name="theme" id="theme-dark"; " dark" }
                    }
                }
                main id="main" { (body) }
                footer {
                    p { "Made by verify-buildkit-cache " (env!("CARGO_PKG_VERSION")) ". This page loads nothing and runs no script." }
                }
            }
        }
    }
}

/// Says what a verdict means.
pub(in crate::report) fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Effective => "The caches survive from one run to the next.",
        Verdict::Ineffective => "The caches do not survive from one run to the next.",
        Verdict::Inconclusive => "Cannot tell: no check failed, but not everything was seen.",
    }
}

/// The sign beside a verdict, so that colour is not alone in saying it.
pub(in crate::report) fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Effective => "✓",
        Verdict::Ineffective => "✕",
        Verdict::Inconclusive => "?",
    }
}

/// Writes one report; `id` sets its parts apart from those of others in the document.
pub(in crate::report) fn subject(id: &str, about: &HtmlSubject<'_>) -> Markup {
    let report = about.report;
    markup! {
        article.report id=(id) {
            header class=(format!("verdict {}", report.verdict.as_str())) {
                p.subject { (plain(about.subject)) }
                h1 { span.sign aria-hidden="true" { (sign(report.verdict)) } " " (report.verdict.as_str()) }
                p.meaning { (meaning(report.verdict)) }
                @if let Some(cause) = report.findings.first() {
                    p.cause { (if report.findings.len() == 1 { "Cause: " } else { "First cause: " }) (lines::spans(&cause.title)) }
                }
            }
            (drawing(id, report))
            @if !report.findings.is_empty() {
                section aria-labelledby=(format!("{id}-findings")) {
                    h2 id=(format!("{id}-findings")) { "What is wrong, and what to do" }
                    (sections::findings(report))
                }
            }
            @if !report.checks.is_empty() {
                section aria-labelledby=(format!("{id}-checks")) {
                    h2 id=(format!("{id}-checks")) { "The checks" }
                    (sections::checks(report))
                }
            }
            @if report.runs.iter().any(|run| !run.steps.is_empty()) {
                section aria-labelledby=(format!("{id}-time")) {
                    h2 id=(format!("{id}-time")) { "Where the time went" }
                    p.hint { "All runs on one scale. Steps are filled, vertexes of a build are narrow; a post step runs after all others." }
                    (timeline::timeline(report))
                }
            }
            @if !report.runs.is_empty() {
                section aria-labelledby=(format!("{id}-numbers")) {
                    h2 id=(format!("{id}-numbers")) { "The runs in numbers" }
                    (sections::numbers(report))
                }
            }
            @if !report.obligations.is_empty() {
                section aria-labelledby=(format!("{id}-rests")) {
                    h2 id=(format!("{id}-rests")) { "What an effective verdict rests on" }
                    details open[report.obligations.iter().any(|one| one.state == ObligationState::Missing) && report.verdict == Verdict::Inconclusive] {
                        summary {
                            (report.obligations.len() - report.missing().len()) " shown, " (report.missing().len()) " missing"
                        }
                        (sections::obligations(report))
                    }
                }
            }
            @if !report.notes.is_empty() {
                section aria-labelledby=(format!("{id}-notes")) {
                    h2 id=(format!("{id}-notes")) { "Keep in mind" }
                    (sections::notes(report))
                }
            }
            @if about.evidence.is_some() || about.repeat.is_some() {
                section aria-labelledby=(format!("{id}-again")) {
                    h2 id=(format!("{id}-again")) { "Evidence" }
                    dl.again {
                        @if let Some(evidence) = about.evidence { dt { "Where it lies" } dd { code { (plain(evidence)) } } }
                        @if let Some(repeat) = about.repeat { dt { "To repeat it" } dd { code { (plain(repeat)) } } }
                    }
                }
            }
        }
    }
}

/// Draws the way of the bytes, with its legend.
pub(in crate::report) fn drawing(id: &str, report: &Report) -> Markup {
    let Some(last) = report.runs.last() else { return markup! {} };
    let scale = flow::scale(report);
    markup! {
        section.drawing aria-labelledby=(format!("{id}-flow")) {
            h2 id=(format!("{id}-flow")) { "The way of the bytes" }
            p.hint {
                "The width of the stream is its bytes, on one scale for all runs. Click a station for the lines that show it."
            }
            ul.legend aria-label="Legend" {
                li.ran { span.swatch aria-hidden="true" {} "carried" }
                li.broken { span.swatch aria-hidden="true" {} "broken" }
                li.nothing { span.swatch aria-hidden="true" {} "nothing to carry" }
                li.unknown { span.swatch aria-hidden="true" {} "not seen" }
            }
            @for run in &report.runs {
                (flow::lane(id, report, run, scale, run.number == last.number))
            }
        }
    }
}
