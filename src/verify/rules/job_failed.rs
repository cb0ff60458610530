//! The job failed before its post steps: nothing was extracted, nothing saved.

use super::{Need, Rule};
use crate::verify::code::{CodeDefinition, Effect};
use crate::verify::view::{CacheExt, CaseView, RunStage};
use crate::verify::{CheckId, Code, CodePage, Finding, Severity};

pub(super) const RULE: Rule = Rule { codes: &[Code::JobFailedBeforePost], needs: &[Need::Evidence], check };

/// `job-failed-before-post`
pub(in crate::verify) const JOB_FAILED_BEFORE_POST: CodeDefinition = CodeDefinition {
    name: "job-failed-before-post",
    check: CheckId::A,
    effect: Effect::LeavesNothing,
    suppresses: &[
        Code::CacheNotSaved,
        Code::CachePathMissing,
        Code::CacheMiss,
        Code::MountsEmptyBeforeBuild,
        Code::ModulesNotRestored,
        Code::BuildCacheNotRestored,
        Code::BuildNotFaster,
    ],
    page: CodePage {
        what: "The job failed before its post steps, so neither extract nor save ran.",
        why: "actions/cache saves, and the dance since v3.1.1 extracts, only when the job has succeeded so far: a red run leaves no cache.",
        example: "##[error]Process completed with exit code 1.   (and no `Cache saved with key`)",
        fix: "Repair the failing step first, or run what may fail (tests, linters) in a job of its own.",
    },
};

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
