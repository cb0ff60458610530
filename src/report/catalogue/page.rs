//! The catalogue as a page of the documentation. [`page`] is principal.

use super::matrix::matrix;
use super::story::{Ending, Story};
use crate::catalogue::{Matrix, SelectedScenario};
use crate::scenario::{Group, Scenario};

/// Writes the page; `how` says how it is written again.
pub fn page(catalogue: &[SelectedScenario], how: &str) -> String {
    let scenarios: Vec<Scenario> = catalogue.iter().map(|chosen| chosen.scenario.clone()).collect();
    let table = Matrix::of_scenarios(&scenarios);
    let mut out = format!(
        "# The failure catalogue\n\n\
         <!-- Written from the folders of scenarios/ by `{how}`; what is changed here is lost. -->\n\n\
         Each scenario is a folder of [`scenarios/`](../scenarios): a workflow as a person would have it, what happens from\n\
         run to run, and what the verifier must say of it, by live evidence and by the logs alone. A faulty one fails for\n\
         its own reason only: with its `fix.diff` applied, the same runs end as told under \"With the fix\".\n\n\
         ```sh\n\
         verify-buildkit-cache scenarios run            # all of them, on the engine of this machine\n\
         verify-buildkit-cache scenarios run --fixed    # each with its fault undone\n\
         verify-buildkit-cache scenarios show NAME      # one of them, with its faulty lines marked\n\
         ```\n"
    );
    let mut group: Option<Group> = None;
    for SelectedScenario { scenario, .. } in catalogue {
        if group != Some(scenario.about.group) {
            out.push_str(&format!("\n{}\n\n", scenario.about.group.title()));
            group = Some(scenario.about.group);
        }
        out.push_str(&format!("- [{}](#{}): {}\n", scenario.name, scenario.name, scenario.about.title));
    }
    out.push_str(&format!("\n## Scenarios by finding codes\n\n```text\n{}```\n", matrix(&table, false)));
    if !table.without().is_empty() {
        let codes: Vec<String> = table.without().iter().map(|code| format!("`{code}`")).collect();
        out.push_str(&format!("\nCodes that no scenario ends in: {}.\n", codes.join(", ")));
    }
    let mut group: Option<Group> = None;
    for chosen in catalogue {
        if group != Some(chosen.scenario.about.group) {
            out.push_str(&format!("\n## {}\n", chosen.scenario.about.group.title()));
            group = Some(chosen.scenario.about.group);
        }
        scenario(&mut out, chosen);
    }
    out
}

fn scenario(out: &mut String, chosen: &SelectedScenario) {
    let (scenario, about, story) = (&chosen.scenario, &chosen.scenario.about, Story::of(chosen));
    let name = &scenario.name;
    out.push_str(&format!("\n### {name}\n\n{}.\n", about.title.trim_end_matches('.')));
    for (label, words) in [("What a person sees", &about.sees), ("Cause", &about.cause), ("Fix", &about.fix)] {
        out.push_str(&format!("\n**{label}.** {}\n", words.trim()));
    }
    out.push_str(&format!("\n**What happens**, in [its workflow](../scenarios/{name}/workflow.yml)"));
    if scenario.own_dockerfile() {
        out.push_str(&format!(" with [its Dockerfile](../scenarios/{name}/Dockerfile)"));
    }
    out.push_str(":\n\n");
    for run in &story.runs {
        out.push_str(&format!("- {run}\n"));
    }
    out.push_str("\n| | verdict | finding codes |\n|---|---|---|\n");
    let same = Ending { verdict: "the same".to_owned(), codes: Vec::new() };
    row(out, "live", &story.live);
    row(out, "from the logs alone", story.log.as_ref().unwrap_or(&same));
    if let Some(fixed) = &story.fixed {
        row(out, "with the fix", fixed);
    }
    for (file, text) in &scenario.patches {
        out.push_str(&format!("\n`{file}`\n\n```diff\n{}\n```\n", text.trim_end()));
    }
}

fn row(out: &mut String, label: &str, ending: &Ending) {
    let codes: Vec<String> = ending.codes.iter().map(|(code, _)| format!("`{code}`")).collect();
    out.push_str(&format!("| {label} | {} | {} |\n", ending.verdict, codes.join(", ")));
}
