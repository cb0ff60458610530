//! The catalogue as a small site: an index and a page per story. [`site`] is principal.
//!
//! Every page stands alone, as a report's page does; the links between them are names of files beside one another.

use maud::{Markup, html as markup};

use super::super::html::{HtmlSubject, document, drawing, meaning, sign, spans, subject};
use super::super::quote::plain;
use super::story::{Ending, Story};
use crate::catalogue::{CatalogueRun, Column, ScenarioOutcome, SelectedScenario};
use crate::scenario::{FaultLine, Group, ScenarioError, Touch};
use crate::verify::Report;

/// What of one scenario goes on the site.
pub struct SiteScenario<'a> {
    /// The scenario.
    pub chosen: &'a SelectedScenario,
    /// What the verifier says of its recorded runs, where it has any.
    pub faulty: Option<&'a Report>,
    /// What it says of those with the fault undone.
    pub fixed: Option<&'a Report>,
}

/// One file of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SitePage {
    /// The file's name, such as `index.html`.
    pub name: String,
    /// What stands in it.
    pub html: String,
}

/// What the catalogue is called on its site.
const TITLE: &str = "The ways it works and fails";

/// Writes the site, the index first.
///
/// # Errors
/// [`ScenarioError::Broken`] when a fix does not apply.
pub fn site(scenarios: &[SiteScenario<'_>]) -> Result<Vec<SitePage>, ScenarioError> {
    let mut pages = vec![SitePage { name: "index.html".to_owned(), html: index(scenarios) }];
    for (at, one) in scenarios.iter().enumerate() {
        let name = |at: usize| scenarios.get(at).map(|one| one.chosen.scenario.name.as_str());
        let neighbours = [at.checked_sub(1).and_then(name), name(at + 1)];
        pages.push(SitePage { name: file(&one.chosen.scenario.name), html: story(one, neighbours)? });
    }
    Ok(pages)
}

/// Writes what came of a run of the catalogue as one page.
pub fn round_page(round: &CatalogueRun) -> String {
    let (agree, differ, stopped) = round.counts();
    let title =
        format!("{} scenarios: {agree} as expected, {differ} different, {stopped} not finished", round.entries.len());
    let body = markup! {
        header class=(format!("verdict {}", if round.agrees() { "effective" } else { "ineffective" })) {
            h1 { (title) }
            p.meaning { "Each scenario was run on fresh runners, and judged by what was seen and by its logs alone." }
        }
        @for (at, entry) in round.entries.iter().enumerate() {
            details open[!entry.agrees()] {
                summary {
                    b { (entry.name) } ": " (if entry.agrees() { "as expected" } else { "different" })
                    ", " (entry.expected.verdict)
                }
                @match &entry.outcome {
                    ScenarioOutcome::Stopped { reason, .. } => { p { (plain(reason)) } }
                    ScenarioOutcome::Judged(judged) => {
                        @for difference in Column::ALL.into_iter().flat_map(|column| entry.differences(column)) {
                            p { (difference) }
                        }
                        @let live = |judged: &&crate::catalogue::JudgedRuns| judged.last && judged.column == Column::Live;
                        @if let Some(last) = judged.iter().rfind(live) {
                            (subject(&format!("s{at}"), &HtmlSubject {
                                subject: &format!("scenario {}", entry.name),
                                report: &last.report,
                                evidence: entry.evidence.as_deref(),
                                repeat: None,
                            }))
                        }
                    }
                }
            }
        }
    };
    document(&title, body).into_string()
}

fn file(scenario: &str) -> String {
    format!("{scenario}.html")
}

fn index(scenarios: &[SiteScenario<'_>]) -> String {
    let mut groups: Vec<Group> = Vec::new();
    for one in scenarios {
        if !groups.contains(&one.chosen.scenario.about.group) {
            groups.push(one.chosen.scenario.about.group);
        }
    }
    let body = markup! {
        header.verdict {
            h1 { (TITLE) }
            p.meaning {
                "A cache of " code { "RUN --mount=type=cache" } " is empty on every new CI machine, unless actions/cache and "
                "buildkit-cache-dance carry it there. Each page tells one way in which they do, or silently do not: what a person "
                "sees, the line that shows it, and the fix. Every run shown here was recorded from a real engine."
            }
        }
        @for group in groups {
            section.groups {
                h2 { (group.title()) }
                ul {
                    @for one in scenarios.iter().filter(|one| one.chosen.scenario.about.group == group) {
                        (entry(one))
                    }
                }
            }
        }
    };
    document(TITLE, body).into_string()
}

fn entry(one: &SiteScenario<'_>) -> Markup {
    let scenario = &one.chosen.scenario;
    let ending = Ending::of(&scenario.about.expect);
    markup! {
        li {
            p { a href=(file(&scenario.name)) { b { (scenario.name) } } }
            p { (spans(&scenario.about.title)) }
            p.codes {
                span class=(format!("word {}", ending.verdict)) { (ending.verdict) }
                @for (code, _) in &ending.codes { " " code { (code) } }
            }
            @if one.faulty.is_none() { p.codes { "not recorded" } }
        }
    }
}

fn story(one: &SiteScenario<'_>, neighbours: [Option<&str>; 2]) -> Result<String, ScenarioError> {
    let (scenario, about) = (&one.chosen.scenario, &one.chosen.scenario.about);
    let story = Story::of(one.chosen);
    let [workflow, dockerfile] = scenario.touched()?;
    let body = markup! {
        nav.crumbs aria-label="Pages" {
            p {
                a href="index.html" { "All scenarios" }
                @if let Some(name) = neighbours[0] { " · before: " a href=(file(name)) { (name) } }
                @if let Some(name) = neighbours[1] { " · next: " a href=(file(name)) { (name) } }
            }
        }
        header class=(format!("verdict {}", story.live.verdict)) {
            p.subject { (about.group.title()) }
            h1 { (scenario.name) }
            p.meaning { (spans(&about.title)) }
        }
        (told(one, &story))
        section {
            h2 { "The runs as recorded" }
            (recorded(&scenario.name, one.faulty))
        }
        @if let Some(fixed) = one.fixed {
            section {
                h2 { "The same runs with the fix: " (sign(fixed.verdict)) " " (fixed.verdict.as_str()) }
                p { (meaning(fixed.verdict)) }
                (drawing("fixed", fixed))
            }
        }
        @for (name, text) in scenario.patches.iter().filter(|(name, _)| name == "fix.diff") {
            h2 { "The fix, " code { (name) } }
            (diff(text))
        }
        h2 { "Its workflow" }
        (touched(&workflow))
        @if scenario.own_dockerfile() || dockerfile.iter().any(|line| line.touch != Touch::None) {
            h2 { "Its Dockerfile" }
            (touched(&dockerfile))
        }
    };
    Ok(document(&scenario.name, body).into_string())
}

/// Tells a scenario in words.
fn told(one: &SiteScenario<'_>, story: &Story) -> Markup {
    let about = &one.chosen.scenario.about;
    markup! {
        div.story {
            h2 { "What a person sees" }
            p { (spans(&about.sees)) }
            h2 { "Why" }
            p { (spans(&about.cause)) }
            h2 { "What to do" }
            p { (spans(&about.fix)) }
            h2 { "What happens" }
            ul { @for run in &story.runs { li { (spans(run)) } } }
            h2 { "What the verifier says" }
            (ending("In the end", &story.live))
            @if let Some(log) = &story.log { (ending("Of the logs alone", log)) }
            @if let Some(fixed) = &story.fixed { (ending("With the fix", fixed)) }
            @if !about.same_codes_as.is_empty() {
                p {
                    "The same codes: "
                    @for (at, name) in about.same_codes_as.iter().enumerate() {
                        @if at > 0 { ", " }
                        a href=(file(name)) { (name) }
                    }
                }
            }
        }
    }
}

fn ending(label: &str, ending: &Ending) -> Markup {
    markup! {
        p { (label) ": " span class=(format!("word {}", ending.verdict)) { (ending.verdict) } }
        @if !ending.codes.is_empty() {
            ul { @for (code, what) in &ending.codes { li { code { (code) } ": " (spans(what)) "." } } }
        }
    }
}

/// Shows the recorded runs in full, or says that there are none.
fn recorded(name: &str, report: Option<&Report>) -> Markup {
    let words = format!("scenario {name}");
    markup! {
        @match report {
            Some(report) => {
                (subject("recorded", &HtmlSubject { subject: &words, report, evidence: None, repeat: None }))
            }
            None => {
                p {
                    "Its runs are not recorded; " code { "verify-buildkit-cache scenarios run " (name) }
                    " shows them on your engine."
                }
            }
        }
    }
}

fn diff(text: &str) -> Markup {
    markup! {
        pre.diff tabindex="0" {
            @for line in text.lines().map(plain) {
                @match line.as_bytes().first() {
                    Some(b'+') if !line.starts_with("+++") => { span.add { (line) } "\n" }
                    Some(b'-') if !line.starts_with("---") => { span.del { (line) } "\n" }
                    _ => { (line) "\n" }
                }
            }
        }
    }
}

/// Shows a file with the lines marked that the fix touches.
fn touched(lines: &[FaultLine]) -> Markup {
    markup! {
        pre.diff tabindex="0" {
            @for line in lines {
                @match line.touch {
                    Touch::None => { "  " (plain(&line.text)) "\n" }
                    Touch::Faulty => { span.del { "! " (plain(&line.text)) } "\n" }
                    Touch::AddsAfter => { span.add { "+ " (plain(&line.text)) } "\n" }
                }
            }
        }
        @if lines.iter().any(|line| line.touch != Touch::None) {
            p.hint { "! the fix changes this line; + the fix adds lines below this one" }
        }
    }
}
