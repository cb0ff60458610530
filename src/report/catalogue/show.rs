//! One scenario for a person who reads. [`show`] is principal.

use super::super::style::{Style, wrap};
use super::story::{Ending, Story};
use crate::catalogue::SelectedScenario;
use crate::scenario::{FaultLine, ScenarioError, Touch};

const WIDTH: usize = 80;

/// Writes a scenario's story, its files with the faulty lines marked, and its fix.
///
/// # Errors
/// [`ScenarioError::Broken`] when the fix does not apply.
pub fn show(chosen: &SelectedScenario, color: bool) -> Result<String, ScenarioError> {
    let (scenario, about, story) = (&chosen.scenario, &chosen.scenario.about, Story::of(chosen));
    let mut page = StoryPage { style: Style::new(color), lines: Vec::new() };
    page.lines.push(format!("{}  {}", page.style.bold(&scenario.name), page.style.dim(about.group.title())));
    page.words(&about.title, 0);
    page.section("What a person sees", &about.sees);
    page.section("Cause", &about.cause);
    page.section("Fix", &about.fix);
    page.heading("What happens");
    story.runs.iter().for_each(|run| page.words(run, 2));
    page.ending("What the verifier says", &story.live);
    match &story.log {
        Some(log) => page.ending("What the logs alone show", log),
        None => page.section("What the logs alone show", "the same"),
    }
    if let Some(fixed) = &story.fixed {
        page.ending("With the fix", fixed);
    }
    let [workflow, dockerfile] = scenario.touched()?;
    page.file(&scenario.workflow.name, &workflow);
    if scenario.own_dockerfile() || dockerfile.iter().any(|line| line.touch != Touch::None) {
        page.file(&scenario.dockerfile.name, &dockerfile);
    }
    for (name, text) in &scenario.patches {
        page.diff(name, text);
    }
    page.lines.push(String::new());
    Ok(page.lines.join("\n"))
}

struct StoryPage {
    style: Style,
    lines: Vec<String>,
}

impl StoryPage {
    fn heading(&mut self, text: &str) {
        self.lines.extend([String::new(), self.style.bold(text)]);
    }

    fn words(&mut self, text: &str, indent: usize) {
        let lines = wrap(text, WIDTH - indent);
        self.lines.extend(lines.into_iter().map(|line| format!("{:indent$}{line}", "")));
    }

    fn section(&mut self, heading: &str, text: &str) {
        self.heading(heading);
        self.words(text, 2);
    }

    fn ending(&mut self, heading: &str, ending: &Ending) {
        self.heading(heading);
        let verdict = match ending.verdict.as_str() {
            "effective" => self.style.good(&ending.verdict),
            "ineffective" => self.style.bad(&ending.verdict),
            _ => self.style.doubtful(&ending.verdict),
        };
        self.lines.push(format!("  {verdict}"));
        for (code, meaning) in &ending.codes {
            self.lines.push(format!("  {}", self.style.bold(code)));
            self.words(meaning, 4);
        }
    }

    fn file(&mut self, name: &str, lines: &[FaultLine]) {
        let touched = |touch: Touch| lines.iter().any(|line| line.touch == touch);
        let legend =
            [(Touch::Faulty, "! the fix changes this line"), (Touch::AddsAfter, "+ the fix adds lines below this one")];
        let legend: Vec<&str> =
            legend.into_iter().filter(|(touch, _)| touched(*touch)).map(|(_, words)| words).collect();
        self.heading(name);
        if !legend.is_empty() {
            self.lines.push(self.style.dim(&format!("  {}", legend.join("; "))));
        }
        for line in lines {
            let text = match line.touch {
                Touch::None if line.text.is_empty() => String::new(),
                Touch::None => format!("  {}", line.text),
                Touch::Faulty => self.style.bad(&format!("! {}", line.text)),
                Touch::AddsAfter => self.style.doubtful(&format!("+ {}", line.text)),
            };
            self.lines.push(text);
        }
    }

    fn diff(&mut self, name: &str, text: &str) {
        self.heading(name);
        for line in text.lines() {
            let painted = match line.as_bytes().first() {
                Some(b'-') if !line.starts_with("---") => self.style.bad(line),
                Some(b'+') if !line.starts_with("+++") => self.style.good(line),
                _ => line.to_owned(),
            };
            self.lines.push(format!("  {painted}").trim_end().to_owned());
        }
    }
}
