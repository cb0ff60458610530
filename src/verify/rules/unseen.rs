//! The build ran and showed nothing of its caches.

use super::{Need, Rule, symptoms};
use crate::evidence::{Cache, Quote};
use crate::verify::checks::c1;
use crate::verify::code::{CodeDefinition, Effect};
use crate::verify::view::{CacheExt, CaseView, EMPTY_ARCHIVE};
use crate::verify::{CheckId, Code, CodePage, Finding, Severity};

pub(super) const RULE: Rule =
    Rule { codes: &[Code::BuildStepCached, Code::NotInstrumented], needs: &[Need::Evidence], check };

/// `build-step-cached`
pub(in crate::verify) const BUILD_STEP_CACHED: CodeDefinition = CodeDefinition {
    name: "build-step-cached",
    check: CheckId::C1,
    effect: Effect::Other,
    suppresses: symptoms::COLD,
    page: CodePage {
        what: "The step that runs `go build` came from the layer cache and did not run.",
        why: "A step that did not run shows nothing about its cache mounts, so nothing is proven either way.",
        example: "#9 [build 5/5] RUN --mount=type=cache,target=/go/pkg/mod go build ./...\n#9 CACHED",
        fix: "Judge a run whose source changed, or drop `cache-from` for the experiment.",
    },
};

/// `not-instrumented`
pub(in crate::verify) const NOT_INSTRUMENTED: CodeDefinition = CodeDefinition {
    name: "not-instrumented",
    check: CheckId::C1,
    effect: Effect::Other,
    suppresses: &[],
    page: CodePage {
        what: "The build ran and did not print how large its cache mounts were.",
        why: "Without sizes before the build nothing proves that the caches reached it.",
        example: "#9 DONE 2.4s   (and no `BEFORE` sizes)",
        fix: "Print them in the step that builds:\n\
              \x20 RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \\\n\
              \x20     echo '=== BEFORE ===' && du -sh /go/pkg/mod /root/.cache/go-build && \\\n\
              \x20     time go build ./... && \\\n\
              \x20     echo '=== AFTER ===' && du -sh /go/pkg/mod /root/.cache/go-build",
    },
};

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
