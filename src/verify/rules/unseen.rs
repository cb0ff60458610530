//! The build ran and showed nothing of its caches.

use super::{Need, Rule};
use crate::evidence::{Cache, Quote};
use crate::verify::checks::c1;
use crate::verify::view::{CacheExt, CaseView, EMPTY_ARCHIVE};
use crate::verify::{Code, Finding, Severity};

pub(super) const RULE: Rule =
    Rule { codes: &[Code::BuildStepCached, Code::NotInstrumented], needs: &[Need::Evidence], check };

fn check(view: &CaseView) -> Vec<Finding> {
    if let Some(finding) = saved_by_a_cached_step(view) {
        return vec![finding];
    }
    let Some(build) = view.judged.build else { return Vec::new() };
    if let Some(cached) = &build.cached {
        return vec![Finding::new(
            Code::BuildStepCached,
            Severity::Warning,
            "the compiling step came from the layer cache, so it shows nothing of its cache mounts",
            vec![cached.quote.clone()],
            "Judge a run whose source changed, or drop `cache-from` from the build step for the experiment.",
        )];
    }
    let Some(ended) = &build.step_ended else { return Vec::new() };
    let readings = c1::mounts(view);
    let printed = readings.iter().any(|reading| reading.before.is_some()) || !build.sizes.is_empty();
    if printed || !ended.value {
        return Vec::new();
    }
    let evidence: Vec<Quote> = vec![ended.quote.clone()];
    vec![Finding::new(
        Code::NotInstrumented,
        Severity::Warning,
        "the build did not print how large its cache mounts were",
        evidence,
        Code::NotInstrumented.docs().fix,
    )]
}

/// Reports the run whose empty entry was restored, where its compiling step came from the layer cache: it ran on no mount.
fn saved_by_a_cached_step(view: &CaseView) -> Option<Finding> {
    let run = &view.judged;
    let empty = |cache: &&Cache| cache.restored_bytes().is_some_and(|bytes| bytes < EMPTY_ARCHIVE);
    let restored = run.restoring().find(empty)?;
    let origin = view.origin()?;
    let cached = origin.build?.cached.as_ref()?;
    Some(Finding::error(
        Code::BuildStepCached,
        format!(
            "in {} the compiling step came from the layer cache, so its cache mounts stayed empty, and that was saved",
            origin.name()
        ),
        [cached.quote.clone()].into_iter().chain(restored.restore_quotes()).collect(),
        "Change the cache key in a commit that also changes the source, so that the step which compiles runs in the run that saves; a layer \
         cache (`cache-from`) beside the mounts skips it whenever nothing has changed.",
    ))
}
