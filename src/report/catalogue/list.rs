//! The catalogue in one line each. [`list`] is principal.

use super::super::style::{Style, clip};
use crate::catalogue::SelectedScenario;
use crate::scenario::Group;

/// Writes names and titles, by the parts of the catalogue. Titles are cut to the width, in characters, where there is one.
pub fn list(catalogue: &[SelectedScenario], width: Option<usize>, color: bool) -> String {
    let style = Style::new(color);
    let names = catalogue.iter().map(|chosen| chosen.scenario.name.chars().count()).max().unwrap_or(0);
    let mut lines = Vec::new();
    let mut group: Option<Group> = None;
    for SelectedScenario { scenario, .. } in catalogue {
        if group != Some(scenario.about.group) {
            if group.is_some() {
                lines.push(String::new());
            }
            lines.push(style.bold(scenario.about.group.title()));
            group = Some(scenario.about.group);
        }
        let title = match width {
            Some(width) => clip(&scenario.about.title, width.saturating_sub(names + 4)),
            None => scenario.about.title.clone(),
        };
        lines.push(format!("  {:names$}  {title}", scenario.name));
    }
    lines.push(String::new());
    lines.join("\n")
}
