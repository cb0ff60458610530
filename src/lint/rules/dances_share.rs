//! Several dances in one job work with one scratch directory.

use super::own;
use crate::lint::job::LintJob;
use crate::lint::{LintDefinition, LintFinding};
use crate::plan::DanceMode;
use crate::verify::{CodePage, Severity};

pub(super) const DEFINITION: LintDefinition = LintDefinition {
    code: "dances-share-scratch",
    severity: Severity::Note,
    page: CodePage {
        what: "Two dance steps of one job use the same scratch directory, image names and container name.",
        why: "They get in each other's way as soon as one of them ends early, and each costs a build of its own.",
        example: "two steps that use buildkit-cache-dance, both with the default `scratch-dir: scratch`",
        fix: "Put all directories and mounts into one `cache-map` of one dance; or give each dance a `scratch-dir` of its own.",
    },
};

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    let whole: Vec<_> = job.dances.iter().filter(|dance| dance.mode == DanceMode::InjectAndExtract).collect();
    for (at, one) in whole.iter().enumerate() {
        let same = |other: &&&crate::lint::job::LintDance<'_>| other.inputs.scratch_dir == one.inputs.scratch_dir;
        if let Some(other) = whole[at + 1..].iter().find(same) {
            let places = vec![job.at_step(other.step, "and this one"), job.at_step(one.step, "this dance")];
            let title = format!("two dances share the scratch directory `{}`", one.inputs.scratch_dir);
            return vec![own(job, &DEFINITION, title, places, DEFINITION.page.fix)];
        }
    }
    Vec::new()
}
