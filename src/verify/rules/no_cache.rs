//! The build throws its cache mounts away.

use super::{Need, Rule, symptoms};
use crate::evidence::{Build, BuildInputs};
use crate::verify::code::{CodeDefinition, Effect};
use crate::verify::view::{CaseView, RunStage};
use crate::verify::{CheckId, Code, CodePage, Finding};

pub(super) const RULE: Rule = Rule { codes: &[Code::NoCacheBuild], needs: &[Need::Evidence], check };

/// `no-cache-build`
pub(in crate::verify) const NO_CACHE_BUILD: CodeDefinition = CodeDefinition {
    name: "no-cache-build",
    check: CheckId::C1,
    effect: Effect::Other,
    suppresses: symptoms::NOTHING_LEFT,
    page: CodePage {
        what: "The build runs with `no-cache`.",
        why: "`--no-cache` also empties every cache mount of the build, whatever was injected.",
        example: "Run docker/build-push-action@v6\nwith:\n  no-cache: true",
        fix: "Remove `no-cache: true`; to rebuild one layer use a changing build argument instead.",
    },
};

fn check(view: &CaseView) -> Vec<Finding> {
    let Some(build) = view.judged.build else { return Vec::new() };
    let Some(inputs) = &build.inputs else { return Vec::new() };
    let (how, fix) = match filtered(build, &inputs.value) {
        _ if inputs.value.no_cache => (
            "with no-cache".to_owned(),
            "Remove `no-cache: true` from the build step; to rebuild one layer, pass a build argument that changes."
                .to_owned(),
        ),
        Some(stage) => (
            format!("the stage `{stage}` with no-cache (`no-cache-filters`)"),
            format!(
                "Remove `{stage}` from `no-cache-filters` (`--no-cache-filter`) of the build step; to rebuild one layer, pass a build argument that changes."
            ),
        ),
        None => return Vec::new(),
    };
    let when = if view.stage() == RunStage::First { "so the next run will be as cold" } else { "so it started cold" };
    vec![Finding::error(
        Code::NoCacheBuild,
        format!("the build runs {how}, which also empties its cache mounts, {when}"),
        vec![inputs.quote.clone()],
        fix,
    )]
}

/// Returns the stage that compiles, where `no-cache-filters` names it. BuildKit compares names without regard to case
/// (`frontend/dockerfile/dockerfile2llb/convert.go`).
fn filtered<'a>(build: &Build, inputs: &'a BuildInputs) -> Option<&'a String> {
    let stages = || build.compile_steps.iter().filter_map(|step| step.value.stage.as_deref());
    inputs.no_cache_filters.iter().find(|filter| stages().any(|stage| stage.eq_ignore_ascii_case(filter)))
}
