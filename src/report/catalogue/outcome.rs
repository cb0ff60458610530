//! What came of a run of the catalogue, for people. [`outcome`] is principal.

use std::time::Duration;

use super::super::quote::plain;
use super::super::style::{Style, wrap};
use crate::catalogue::{CatalogueRun, Column, ScenarioForm, ScenarioOutcome, ScenarioResult};
use crate::scenario::Group;

const WIDTH: usize = 80;

/// Writes one line for each scenario, with its differences below, and how many there were.
pub fn outcome(round: &CatalogueRun, color: bool) -> String {
    let style = Style::new(color);
    let width = round.entries.iter().map(|entry| entry.name.chars().count()).max().unwrap_or(0);
    let mut lines = Vec::new();
    let mut group: Option<Group> = None;
    for entry in &round.entries {
        if group != Some(entry.group) {
            lines.extend([String::new(), style.bold(entry.group.title())]);
            group = Some(entry.group);
        }
        let word = match &entry.outcome {
            _ if entry.agrees() => style.good(&format!("{:<11}", "as expected")),
            ScenarioOutcome::Judged(_) => style.bad(&format!("{:<11}", "DIFFERENT")),
            ScenarioOutcome::Stopped { .. } => style.bad(&format!("{:<11}", "STOPPED")),
        };
        let seconds = entry.took.as_secs_f64();
        lines.push(format!("  {:width$}  {word} {seconds:>7.1} s  {}", entry.name, entry.expected.verdict));
        lines.extend(details(entry).into_iter().map(|line| format!("    {line}")));
    }
    let (agree, differ, stopped) = round.counts();
    let of = match round.partition {
        Some(partition) => format!(" (part {partition})"),
        None => String::new(),
    };
    let form = match round.form {
        ScenarioForm::Faulty => "",
        ScenarioForm::Fixed => ", each with its fault undone",
    };
    let summary = format!(
        "{} scenarios{of}{form}: {agree} as expected, {differ} different, {stopped} not finished, in {}",
        round.entries.len(),
        time(round.wall)
    );
    lines.extend([String::new(), if round.agrees() { style.good(&summary) } else { style.bad(&summary) }]);
    lines.push(String::new());
    lines.join("\n")
}

fn details(entry: &ScenarioResult) -> Vec<String> {
    let mut lines = Vec::new();
    for column in Column::ALL {
        for difference in entry.differences(column) {
            lines.push(format!("{:<5} {difference}", column.as_str()));
        }
    }
    if let ScenarioOutcome::Stopped { reason, hint } = &entry.outcome {
        lines.extend(wrap(&plain(reason), WIDTH - 4));
        lines.extend(hint.iter().flat_map(|hint| wrap(&format!("hint: {}", plain(hint)), WIDTH - 4)));
    }
    if let (false, Some(place)) = (entry.agrees(), &entry.evidence) {
        lines.push(format!("evidence {}", plain(place)));
    }
    lines
}

/// Says a time as `12 min 4 s`.
fn time(took: Duration) -> String {
    let seconds = took.as_secs();
    match seconds / 60 {
        0 => format!("{seconds} s"),
        minutes => format!("{minutes} min {} s", seconds % 60),
    }
}
