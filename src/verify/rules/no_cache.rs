//! The build throws its cache mounts away.

use super::{Need, Rule};
use crate::verify::view::{CaseView, RunStage};
use crate::verify::{Code, Finding};

pub(super) const RULE: Rule = Rule { codes: &[Code::NoCacheBuild], needs: &[Need::Evidence], check };

fn check(view: &CaseView) -> Vec<Finding> {
    let inputs = view.judged.build.and_then(|build| build.inputs.as_ref());
    let Some(inputs) = inputs.filter(|inputs| inputs.value.no_cache) else { return Vec::new() };
    let when = if view.stage() == RunStage::First { "so the next run will be as cold" } else { "so it started cold" };
    vec![Finding::error(
        Code::NoCacheBuild,
        format!("the build runs with no-cache, which also empties its cache mounts, {when}"),
        vec![inputs.quote.clone()],
        "Remove `no-cache: true` from the build step; to rebuild one layer, pass a build argument that changes.",
    )]
}
