//! The catalogue in one line each. [`list`] is principal.

use super::super::style::{Style, clip};
use crate::catalogue::Chosen;
use crate::scenario::Group;

const WIDTH: usize = 80;

/// Writes names and titles, by the parts of the catalogue.
pub fn list(catalogue: &[Chosen], color: bool) -> String {
    let style = Style::new(color);
    let width = catalogue.iter().map(|chosen| chosen.scenario.name.chars().count()).max().unwrap_or(0);
    let mut lines = Vec::new();
    let mut group: Option<Group> = None;
    for Chosen { scenario, .. } in catalogue {
        if group != Some(scenario.about.group) {
            if group.is_some() {
                lines.push(String::new());
            }
            lines.push(style.bold(scenario.about.group.title()));
            group = Some(scenario.about.group);
        }
        let title = clip(&scenario.about.title, WIDTH - width - 4);
        lines.push(format!("  {:width$}  {title}", scenario.name));
    }
    lines.push(String::new());
    lines.join("\n")
}
