//! Inject did not put into the cache mounts what was restored.

use super::dance_message::{fix_of, telling};
use super::{Need, Rule, symptoms};
use crate::evidence::{CopyTally, DancePhase, Quote, Seen, StepOutcome};
use crate::verify::code::{CodeDefinition, Effect};
use crate::verify::view::{CacheExt, CaseView, EMPTY_ARCHIVE, RunView};
use crate::verify::{CheckId, Code, CodePage, Finding};

pub(super) const RULE: Rule = Rule { codes: &[Code::InjectFailed, Code::InjectEmpty], needs: &[Need::Evidence], check };

/// `inject-failed`
pub(in crate::verify) const INJECT_FAILED: CodeDefinition = CodeDefinition {
    name: "inject-failed",
    check: CheckId::B,
    effect: Effect::Other,
    suppresses: &[
        // An inject that ends with an error ends the job.
        Code::JobFailedBeforePost,
        Code::MountsEmptyBeforeBuild,
        Code::ModulesNotRestored,
        Code::BuildCacheNotRestored,
        Code::BuildNotFaster,
        Code::InjectEmpty,
        Code::CacheKeyStale,
    ],
    page: CodePage {
        what: "A copy into a cache mount failed; the action ends its copy with `|| true`, so its step is green.",
        why: "The dance deletes the directory after inject, so what was not copied is lost.",
        example: "RUN --mount=type=cache,target=/go/pkg/mod,ro=true \\\n    cp -p -R /var/dance-cache/. /go/pkg/mod || true   (v3 shows no message of a copy that failed)",
        fix: "Remove `ro` from the entry, free disk space, or use a utility image that has the copy program. v1 and v2 print the \
              message, v3 does not.",
    },
};

/// `inject-empty`
pub(in crate::verify) const INJECT_EMPTY: CodeDefinition = CodeDefinition {
    name: "inject-empty",
    check: CheckId::B,
    effect: Effect::Other,
    suppresses: symptoms::COLD,
    page: CodePage {
        what: "Data was restored, and inject found nothing to copy.",
        why: "The cache mount starts empty although the data lay on the runner.",
        example: "Cache Size: ~118 MB (…)   then   inject go-mod: 0 files",
        fix: "Compare the left side of the cache map with the directory that actions/cache restores into.",
    },
};

fn check(view: &CaseView) -> Vec<Finding> {
    let run = &view.judged;
    let failures: Vec<_> = run.dances().iter().flat_map(|dance| &dance.failures).collect();
    let failed: Vec<&Seen<(DancePhase, String)>> =
        failures.into_iter().filter(|failure| failure.value.0 == DancePhase::Inject).collect();
    if !failed.is_empty() {
        return vec![copy_failed(run, &failed)];
    }
    empty(view, run).into_iter().collect()
}

fn copy_failed(run: &RunView, failed: &[&Seen<(DancePhase, String)>]) -> Finding {
    // A message names no mount; the entry at work before it does.
    let at_work = |failure: &Seen<(DancePhase, String)>| {
        run.carried(DancePhase::Inject).filter(|entry| entry.mount.order <= failure.order).last()
    };
    let entries: Vec<_> = failed.iter().filter_map(|failure| at_work(failure)).collect();
    let mount = entries.first().map_or("a cache mount", |entry| entry.mount.value.target.as_str());
    let evidence = entries.iter().map(|entry| &entry.mount.quote).chain(failed.iter().map(|failure| &failure.quote));
    let mut quotes: Vec<Quote> = Vec::new();
    for quote in evidence {
        if !quotes.contains(quote) {
            quotes.push(quote.clone());
        }
    }
    let message = telling(failed.iter().map(|failure| failure.value.1.as_str()));
    // What fails inside the copy's own `RUN` is swallowed; what ends the action is not.
    let swallowed = !run.evidence.steps.iter().any(|step| {
        let failed = step.outcome.as_ref().is_some_and(|outcome| outcome.value == StepOutcome::Failure);
        failed && run.dances().iter().any(|dance| dance.step == Some(step.id))
    });
    let then = if swallowed { "; the action went on as if nothing had happened" } else { "" };
    Finding::error(
        Code::InjectFailed,
        format!("the copy into {mount} failed: {message}{then}"),
        quotes,
        fix_of(message).unwrap_or(Code::InjectFailed.docs().fix),
    )
}

/// Reports an inject that found nothing where data was restored. Only a live run measures it.
fn empty(view: &CaseView, run: &RunView) -> Option<Finding> {
    let restored = run.restoring().find(|cache| cache.restored_bytes().is_some_and(|bytes| bytes >= EMPTY_ARCHIVE))?;
    let moved: Vec<(&str, CopyTally, &Quote)> = run
        .carried(DancePhase::Inject)
        .filter_map(|entry| {
            let tally = entry.tally.as_ref()?;
            Some((entry.source.as_deref().unwrap_or_default(), tally.value, &tally.quote))
        })
        .collect();
    let all_empty = !moved.is_empty() && moved.iter().all(|(_, tally, _)| tally.is_nothing());
    let left_something = |source: &str| {
        view.origin().into_iter().flat_map(|origin| origin.carried(DancePhase::Extract)).any(|entry| {
            entry.source.as_deref() == Some(source)
                && entry.tally.as_ref().is_some_and(|tally| !tally.value.is_nothing())
        })
    };
    let (source, _, quote) =
        moved.iter().find(|(source, tally, _)| tally.is_nothing() && (all_empty || left_something(source)))?;
    let mut evidence = restored.restore_quotes();
    evidence.push((*quote).clone());
    Some(Finding::error(
        Code::InjectEmpty,
        format!("data was restored, and inject found nothing in `{source}`"),
        evidence,
        format!("Let actions/cache restore into `{source}`: compare its `path` with the left side of the cache map."),
    ))
}
