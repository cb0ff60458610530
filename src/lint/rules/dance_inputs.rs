//! Inputs of the dance that its version never reads.

use super::own;
use crate::dance::{CacheDirUse, MapSupport};
use crate::lint::job::{LintDance, LintJob};
use crate::lint::{LintDefinition, LintFinding};
use crate::verify::{CodePage, Severity};

pub(super) const DEFINITION: LintDefinition = LintDefinition {
    code: "dance-input-ignored",
    severity: Severity::Warning,
    page: CodePage {
        what: "An input is given that this version of buildkit-cache-dance never reads, such as `cache-source` and `cache-target` from v3 on.",
        why: "The dance does as if the input were not there, and says nothing.",
        example: "uses: reproducible-containers/buildkit-cache-dance@v3.3.2\nwith:\n  cache-source: go-build\n  cache-target: /root/.cache/go-build",
        fix: "From v3 on, name directories and mounts in `cache-map`: `{\"go-build\": \"/root/.cache/go-build\"}`.",
    },
};

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    let known = job.dances.iter().filter(|dance| dance.behaviour.dance.known);
    known.filter(|dance| !dance.inputs.ignored.is_empty()).map(|dance| one(job, dance)).collect()
}

fn one(job: &LintJob<'_>, dance: &LintDance<'_>) -> LintFinding {
    let ignored = &dance.inputs.ignored;
    let names = ignored.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
    let places = ignored.iter().map(|name| job.at_input(dance.step, name, "never read")).collect();
    let help = match ignored.first().copied() {
        Some("cache-map") => {
            "Versions before v3 carry one cache: `cache-source` and `cache-target`. Use v3.3.2 or later for a `cache-map`."
        }
        Some("builder" | "utility-image" | "dockerfile") => "Use v3.3.2 of the dance or later, which reads it.",
        Some("cache-dir") if dance.behaviour.cache_dir == CacheDirUse::Unsupported => {
            "Use v3.3.2 of the dance or later, which reads it."
        }
        _ => DEFINITION.page.fix,
    };
    let title = format!("{} never reads {names}", dance.behaviour.dance);
    let mut finding = own(job, &DEFINITION, title, places, help);
    // Then nothing says what to carry.
    let nothing = dance.entries().is_some_and(|map| map.entries.is_empty());
    if nothing && dance.behaviour.map != MapSupport::Pair {
        finding.severity = Severity::Error;
        finding.title.push_str(", and without a cache map it carries nothing");
    }
    finding
}
