//! A `~` in the target of a mount, which nobody expands.

use super::own;
use crate::lint::job::LintJob;
use crate::lint::{LintDefinition, LintFinding, place};
use crate::verify::{CodePage, Severity};

pub(super) const DEFINITION: LintDefinition = LintDefinition {
    code: "tilde-in-target",
    severity: Severity::Error,
    page: CodePage {
        what: "The target of a cache mount begins with `~`. BuildKit expands no `~`: it mounts a directory of that name.",
        why: "The mount is not where the build keeps its cache, so it stays empty.",
        example: "RUN --mount=type=cache,target=~/.cache/go-build go build .",
        fix: "Write the directory out: `/root/.cache/go-build`, in the Dockerfile and in the cache map.",
    },
};

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    let mut found = Vec::new();
    for build in &job.builds {
        for mount in build.mounts.iter().filter(|mount| mount.options.target.starts_with('~')) {
            let at = build.dockerfile().zip(build.mount_quote(mount));
            let at = at.and_then(|(file, quote)| place::of_quote(file.source(), &quote));
            let title = format!("nobody expands the `~` of the target {}", mount.options.target);
            found.push(own(job, &DEFINITION, title, at.into_iter().collect(), DEFINITION.page.fix));
        }
    }
    for dance in &job.dances {
        let entries = dance.entries().map(|map| map.entries.as_slice()).unwrap_or_default();
        if let Some(entry) = entries.iter().find(|entry| entry.target.starts_with('~')) {
            let title = format!("nobody expands the `~` of the target {}", entry.target);
            found.push(own(
                job,
                &DEFINITION,
                title,
                vec![job.at_input(dance.step, "cache-map", "taken as a name")],
                DEFINITION.page.fix,
            ));
        }
    }
    found
}
