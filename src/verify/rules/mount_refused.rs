//! The user that builds may not write into the cache mount.

use super::{Need, Rule};
use crate::evidence::Quote;
use crate::verify::code::{CodeDefinition, Effect};
use crate::verify::view::CaseView;
use crate::verify::{CheckId, Code, CodePage, Finding, Severity};

pub(super) const RULE: Rule = Rule { codes: &[Code::MountNotWritable], needs: &[Need::Evidence], check };

/// `mount-not-writable`
pub(in crate::verify) const MOUNT_NOT_WRITABLE: CodeDefinition = CodeDefinition {
    name: "mount-not-writable",
    check: CheckId::C1,
    effect: Effect::Other,
    suppresses: &[
        Code::JobFailedBeforePost,
        Code::CacheTooSmall,
        Code::MountsEmptyBeforeBuild,
        Code::ModulesNotRestored,
        Code::BuildCacheNotRestored,
        Code::BuildNotFaster,
    ],
    page: CodePage {
        what: "The user that builds may not write into the cache mount.",
        why: "A cache mount belongs to root unless it is given a uid and gid, and what cannot be written is never cached.",
        example: "failed to initialize build cache at /home/app/.cache/go-build: mkdir /home/app/.cache/go-build/00: permission denied",
        fix: "Give the mount the user's numbers, `--mount=type=cache,target=…,uid=1000,gid=1000`, repeat `uid` and `gid` in the cache map, and \
              change the cache key.",
    },
};

fn check(view: &CaseView) -> Vec<Finding> {
    let runs = view.relevant_runs();
    let found = runs.iter().rev().find_map(|run| Some((run, run.build?, run.build?.refused.first()?)));
    let Some((run, build, refused)) = found else { return Vec::new() };
    let error = build.ended.as_ref().filter(|ended| ended.value.is_some());
    let stopped = error.is_some() || build.step_ended.as_ref().is_some_and(|ended| !ended.value);
    // A build that goes on without its cache is slow; what that costs, the other findings say.
    let severity = if stopped { Severity::Error } else { Severity::Warning };
    let evidence: Vec<Quote> =
        [refused.quote.clone()].into_iter().chain(error.map(|error| error.quote.clone())).collect();
    let target = &refused.value;
    vec![Finding::new(
        Code::MountNotWritable,
        severity,
        format!("in {} the user that builds may not write into {target}", run.name()),
        evidence,
        format!(
            "Give the mount that user's numbers, as `id` prints them inside the build: \
             `--mount=type=cache,target={target},uid=1000,gid=1000`; repeat `uid` and `gid` in the cache map, and change the cache key. \
             What the dance copies in belongs to root unless its entry has them."
        ),
    )]
}
