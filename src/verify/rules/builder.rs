//! The dance and the build work on different builders.

use super::{Need, Rule, symptoms};
use crate::dance::Behaviour;
use crate::evidence::{DanceInputs, Quote, Seen};
use crate::verify::code::{CodeDefinition, Effect};
use crate::verify::view::{CaseView, RunView};
use crate::verify::{CheckId, Code, CodePage, Finding};

pub(super) const RULE: Rule = Rule { codes: &[Code::BuilderMismatch], needs: &[Need::Evidence], check };

/// `builder-mismatch`
pub(in crate::verify) const BUILDER_MISMATCH: CodeDefinition = CodeDefinition {
    name: "builder-mismatch",
    check: CheckId::B,
    effect: Effect::Other,
    suppresses: symptoms::NOTHING_LEFT,
    page: CodePage {
        what: "The dance works on one builder and the build on another.",
        why: "Every builder has cache mounts of its own, so inject fills mounts that the build never sees.",
        example: "#0 building with \"builder-5f3a…\" instance using docker-container driver   (while the dance used `default`)",
        fix: "Give the dance the build's builder: `builder: ${{ steps.setup-buildx.outputs.name }}`, or use v3.3.2 and later, whose default \
              is the active one.",
    },
};

fn check(view: &CaseView) -> Vec<Finding> {
    mismatch(&view.judged).into_iter().collect()
}

fn mismatch(run: &RunView) -> Option<Finding> {
    let build = run.build?;
    let (used, build_quote) = match (&build.started, &build.inputs) {
        (Some(started), _) if started.value.is_some() => (started.value.as_deref()?, &started.quote),
        (_, Some(inputs)) => (inputs.value.builder.as_deref()?, &inputs.quote),
        _ => return None,
    };
    let dance = run.dances().iter().find_map(|dance| dance.inputs.as_ref())?;
    if used.is_empty() || used.contains("***") {
        return None;
    }
    let given = dance.value.builder.as_deref().filter(|name| !name.is_empty());
    let (title, chosen) = match given {
        Some(danced) if danced == used || danced.contains("***") => return None,
        Some(danced) => (format!("the dance works on builder `{danced}`, the build on `{used}`"), None),
        None => {
            let (danced, chosen) = active(run, dance)?;
            if danced == used || danced.contains("***") {
                return None;
            }
            let title = format!(
                "the dance works on the builder that is active when it runs, `{danced}`, the build on `{used}`"
            );
            (title, chosen)
        }
    };
    let evidence = [dance.quote.clone()].into_iter().chain(chosen.cloned()).chain([build_quote.clone()]);
    let fix = match given {
        Some(_) => {
            "Give the dance the build's builder: `builder: ${{ steps.setup-buildx.outputs.name }}` (with `id: setup-buildx` on that step), or \
             use buildkit-cache-dance v3.3.2 or later; then change the cache key, since an empty entry may be frozen under it."
        }
        None => {
            "Move the dance after the `docker/setup-buildx-action` step whose builder the build uses; with several of them, give the dance \
             that builder: `builder: ${{ steps.setup-buildx.outputs.name }}` (v3.2.0 and later). Then change the cache key, since an empty \
             entry may be frozen under it."
        }
    };
    Some(Finding::error(Code::BuilderMismatch, title, evidence.collect(), fix))
}

/// Returns the builder that was active when the dance ran, and the line that shows it, for a dance that works on that one.
///
/// Before any other is chosen it is the engine's own, `default`; that is only known where the choice of another was seen.
fn active<'a>(run: &RunView<'a>, dance: &Seen<DanceInputs>) -> Option<(&'a str, Option<&'a Quote>)> {
    let (name, reference) = dance.value.uses.split_once('@')?;
    let owner = name.split('/').next()?;
    let behaviour = Behaviour::identify(owner, reference.split_whitespace().next()?);
    let takes_active = behaviour.dance.known && behaviour.builder_default.is_none();
    if !takes_active && dance.value.builder.is_none() {
        return None;
    }
    let chosen = &run.evidence.chosen;
    match chosen.iter().rfind(|choice| choice.order < dance.order) {
        Some(choice) => Some((choice.value.as_deref()?, Some(&choice.quote))),
        None => chosen.first().map(|first| ("default", Some(&first.quote))),
    }
}
