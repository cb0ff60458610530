//! A job that saves nothing extracts all the same.

use super::{carrying, own, saves};
use crate::lint::job::LintJob;
use crate::lint::values::Arm;
use crate::lint::{LintDefinition, LintFinding};
use crate::plan::DanceMode;
use crate::verify::{CodePage, Severity};

pub(super) const DEFINITION: LintDefinition = LintDefinition {
    code: "restore-only-extract",
    severity: Severity::Warning,
    page: CodePage {
        what: "The job restores with actions/cache/restore and saves nothing, and its dance extracts all the same.",
        why: "The copy out of the mounts costs time in every run, and nobody saves what it brings.",
        example: "actions/cache/restore, and a dance without `skip-extraction: true`",
        fix: "Skip it: `skip-extraction: true`.",
    },
};

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    let mut caches = carrying(job).peekable();
    if caches.peek().is_none() || caches.any(saves) || job.has_other_carriers() {
        return Vec::new();
    }
    let first = job.values(Arm::First, &job.triggers[0]);
    let extracting = job.dances.iter().filter(|dance| {
        let skip = first.input(dance.step, "skip-extraction");
        dance.mode == DanceMode::InjectAndExtract
            && dance.behaviour.skip_extraction
            && skip.is_none_or(|skip| skip.known && skip.text.trim() != "true")
    });
    extracting
        .map(|dance| {
            let title = "the dance extracts, and no step of the job saves what it brings";
            own(
                job,
                &DEFINITION,
                title,
                vec![job.at_input(dance.step, "skip-extraction", "extracts for nobody")],
                DEFINITION.page.fix,
            )
        })
        .collect()
}
