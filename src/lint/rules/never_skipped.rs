//! The extract runs also when nothing will be saved.

use super::{carrying, own, saves};
use crate::lint::job::LintJob;
use crate::lint::values::Arm;
use crate::lint::{LintDefinition, LintFinding};
use crate::plan::{CacheStepPart, DanceMode};
use crate::verify::{CodePage, Severity};
use crate::workflow::expr::mentions;

pub(super) const DEFINITION: LintDefinition = LintDefinition {
    code: "extract-not-skipped",
    severity: Severity::Note,
    page: CodePage {
        what: "The dance extracts also after an exact hit of the key, when actions/cache saves nothing.",
        why: "The copy out of the mounts takes as long as ever, and is thrown away.",
        example: "a dance without `skip-extraction`",
        fix: "Give actions/cache an `id` and the dance `skip-extraction: ${{ steps.cache.outputs.cache-hit }}`.",
    },
};

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    let mut caches = carrying(job).filter(|cache| saves(cache)).peekable();
    // A key with the commit in it is hardly ever hit.
    let can_hit = |cache: &crate::lint::job::LintCache<'_>| {
        cache.part == CacheStepPart::RestoreAndSave
            && cache.step.input("key").is_some_and(|key| {
                !["github.sha", "github.run_id", "github.run_number", "steps", "needs", "env"]
                    .iter()
                    .any(|name| mentions(key, name))
                    || job.plan.constant_over_runs(cache.step, key)
            })
    };
    if caches.peek().is_none() || !caches.all(can_hit) {
        return Vec::new();
    }
    let hit = job.values(Arm::Hit, &job.triggers[0]);
    let never = job.dances.iter().filter(|dance| {
        let given = hit.input(dance.step, "skip-extraction");
        dance.behaviour.skip_extraction
            && dance.mode == DanceMode::InjectAndExtract
            && given.is_none_or(|given| given.known && given.text.trim() == "false")
    });
    never
        .map(|dance| {
            let title = "the extract is never skipped, not even when the key was hit and nothing is saved";
            own(
                job,
                &DEFINITION,
                title,
                vec![job.at_input(dance.step, "skip-extraction", "always extracts")],
                DEFINITION.page.fix,
            )
        })
        .collect()
}
