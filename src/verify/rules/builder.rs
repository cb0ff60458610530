//! The dance and the build work on different builders.

use super::{Need, Rule};
use crate::verify::view::{CaseView, RunView};
use crate::verify::{Code, Finding};

pub(super) const RULE: Rule = Rule { codes: &[Code::BuilderMismatch], needs: &[Need::Evidence], check };

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
    let danced = dance.value.builder.as_deref()?;
    if danced.is_empty() || used.is_empty() || danced == used || [danced, used].iter().any(|name| name.contains("***"))
    {
        return None;
    }
    Some(Finding::error(
        Code::BuilderMismatch,
        format!("the dance works on builder `{danced}`, the build on `{used}`"),
        vec![dance.quote.clone(), build_quote.clone()],
        "Give the dance the build's builder: `builder: ${{ steps.setup-buildx.outputs.name }}` (with `id: setup-buildx` on that step), or use \
         buildkit-cache-dance v3.3.2 or later; then change the cache key, since an empty entry may be frozen under it.",
    ))
}
