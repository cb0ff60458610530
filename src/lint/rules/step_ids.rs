//! An expression names a step that the job does not have, or has only later.

use super::own;
use crate::lint::job::LintJob;
use crate::lint::{LintDefinition, LintFinding, LintPlace, place};
use crate::plan::{Action, PlannedStep};
use crate::source::Span;
use crate::verify::{CodePage, Severity};

pub(super) const DEFINITION: LintDefinition = LintDefinition {
    code: "step-id-unknown",
    severity: Severity::Warning,
    page: CodePage {
        what: "An expression asks for an output of a step, and no step of the job has that id.",
        why: "GitHub gives an empty text and says nothing, so a skip never skips and a name names nothing.",
        example: "skip-extraction: ${{ steps.cash.outputs.cache-hit }}",
        fix: "Give the step that `id`, or write the id that it has.",
    },
};

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    let ids: Vec<String> =
        job.plan.steps.iter().filter_map(|step| step.id.as_ref()).map(|id| id.to_ascii_lowercase()).collect();
    let mut found = Vec::new();
    let ours = |step: &&PlannedStep| matches!(step.action, Action::Cache(_) | Action::Dance(_) | Action::BuildPush);
    for step in job.plan.steps.iter().filter(ours) {
        let inputs = step.with.iter().map(|(_, template)| (template.raw(), template.span(), template.is_literal()));
        let condition = step.condition.raw().map(|raw| (raw, step.condition.span(), false));
        for (raw, span, literal) in inputs.chain(condition) {
            if literal {
                continue;
            }
            for id in asked(raw).into_iter().filter(|id| !ids.contains(&id.to_ascii_lowercase())) {
                let text = &job.source().text[span.start..span.end.min(job.source().text.len())];
                let needle = format!("steps.{id}");
                let place = match text.find(&needle) {
                    Some(at) => LintPlace::new(
                        job.source(),
                        Span::new(span.start + at, span.start + at + needle.len()),
                        "no such step",
                    ),
                    None => LintPlace::new(job.source(), place::input_span(job.source(), span), "no such step"),
                };
                let title = format!("no step of the job has the id `{id}`, so this is an empty text");
                let near = ids.iter().find(|known| is_near(known, &id));
                let help =
                    near.map_or_else(|| DEFINITION.page.fix.to_owned(), |near| format!("Did you mean `steps.{near}`?"));
                found.push(own(job, &DEFINITION, title, vec![place], help));
            }
        }
    }
    found
}

/// Returns the ids that a text asks for as `steps.ID` or `steps['ID']`.
fn asked(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("steps") {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|char| char.is_alphanumeric() || "._-/'".contains(char)) {
            continue;
        }
        let rest = &text[at + "steps".len()..];
        let id: String = match rest.strip_prefix('.').or_else(|| rest.strip_prefix("['")) {
            Some(rest) => rest.chars().take_while(|char| char.is_alphanumeric() || "_-".contains(*char)).collect(),
            None => continue,
        };
        let follows = &rest[rest.find(&id).unwrap_or(0) + id.len()..];
        let used = [".outputs", ".outcome", ".conclusion", "']"].iter().any(|next| follows.starts_with(next));
        if used && !id.is_empty() && !found.contains(&id) {
            found.push(id);
        }
    }
    found
}

fn is_near(known: &str, asked: &str) -> bool {
    let shared = known.chars().zip(asked.to_ascii_lowercase().chars()).take_while(|(one, other)| one == other).count();
    shared >= 2 || shared + 1 >= known.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_both_spellings() {
        assert_eq!(asked("${{ steps.a-b.outputs.x && steps['c'].outputs.y }}"), ["a-b", "c"]);
        assert_eq!(asked("my-steps.a.outputs.x steps.sh ./steps.b.outputs"), Vec::<String>::new());
    }
}
