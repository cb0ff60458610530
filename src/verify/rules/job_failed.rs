//! The job failed before its post steps: nothing was extracted, nothing saved.

use super::{Need, Rule};
use crate::verify::view::{CacheExt, CaseView, RunStage};
use crate::verify::{Code, Finding, Severity};

pub(super) const RULE: Rule = Rule { codes: &[Code::JobFailedBeforePost], needs: &[Need::Evidence], check };

fn check(view: &CaseView) -> Vec<Finding> {
    let broken = view.relevant_runs().into_iter().find_map(|run| Some((run, run.broke_off()?)));
    let Some((run, quote)) = broken else { return Vec::new() };
    // It is the caches' trouble only once a run misses what this one did not save.
    let missed = view.judged.restoring().any(|cache| cache.missed().is_some());
    let earlier = run.number != view.judged.number;
    let severity =
        if view.stage() == RunStage::Later && missed && earlier { Severity::Error } else { Severity::Warning };
    vec![Finding::new(
        Code::JobFailedBeforePost,
        severity,
        format!("{} failed before its post steps, so nothing was extracted or saved", run.name()),
        vec![quote.clone()],
        "Repair the failing step, or move what may fail (tests, linters) into a job of its own, so that the job with the caches ends well.",
    )]
}
