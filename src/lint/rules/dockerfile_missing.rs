//! The Dockerfile that a build names is not in the repository.

use super::own;
use crate::lint::build::BuildFile;
use crate::lint::job::LintJob;
use crate::lint::unread::is_unread;
use crate::lint::{LintDefinition, LintFinding};
use crate::verify::{CodePage, Severity};

pub(super) const DEFINITION: LintDefinition = LintDefinition {
    code: "dockerfile-not-found",
    severity: Severity::Note,
    page: CodePage {
        what: "The Dockerfile that the build step names is not among the repository's files; a step may make it while the job runs.",
        why: "Nothing can be said about its cache mounts, so whether the dance fits them stays unknown.",
        example: "file: build/Dockerfile.prod",
        fix: "Check `context` and `file` of the build step. If a step writes the file, judge the run's log instead: `verify-buildkit-cache logs`.",
    },
};

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    if job.dances.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for build in &job.builds {
        let BuildFile::Missing(path) = &build.file else { continue };
        let name = if build.step.input("file").is_some() { "file" } else { "context" };
        let made = job.plan.steps.iter().any(is_unread);
        let who = if made { ", unless a step makes it" } else { "" };
        let title = format!("`{path}` is not in the repository{who}; what depends on it is not judged");
        found.push(own(
            job,
            &DEFINITION,
            title,
            vec![job.at_input(build.step, name, "not found")],
            DEFINITION.page.fix,
        ));
    }
    found
}
