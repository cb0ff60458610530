//! The dance carries what no build mounts.

use super::own;
use crate::evidence::MountSpec;
use crate::lint::job::{LintDance, LintJob};
use crate::lint::unread::{builds_unread, is_unread};
use crate::lint::values::UNKNOWN;
use crate::lint::{LintDefinition, LintFinding};
use crate::verify::{CodePage, Severity};

pub(super) const DEFINITION: LintDefinition = LintDefinition {
    code: "entry-without-mount",
    severity: Severity::Warning,
    page: CodePage {
        what: "An entry of the cache map names a cache that no Dockerfile of the job mounts.",
        why: "It is restored, injected, extracted and saved in every run, and no build uses it.",
        example: "cache-map: {\"npm\": \"/root/.npm\"}, and no `RUN --mount=type=cache,target=/root/.npm`",
        fix: "Remove the entry, or mount the cache in the `RUN` that is to use it.",
    },
};

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    let builds_otherwise = job.plan.steps.iter().filter(|step| is_unread(step)).any(|step| {
        builds_unread(step)
            || step.uses.as_ref().is_none_or(|uses| uses.owner().is_none() || uses.owner() == Some("docker"))
    });
    let all_read = job.builds.iter().all(|build| build.dockerfile().is_some());
    if builds_otherwise || !all_read || job.builds.is_empty() || job.has_other_carriers() {
        return Vec::new();
    }
    job.dances.iter().flat_map(|dance| unused(job, dance)).collect()
}

fn unused(job: &LintJob<'_>, dance: &LintDance<'_>) -> Vec<LintFinding> {
    let mounts: Vec<MountSpec> =
        job.builds.iter().flat_map(|build| build.mounts.iter().chain(&build.idle)).map(MountSpec::from).collect();
    let Some(map) = dance.entries().filter(|_| !dance.discovers()) else { return Vec::new() };
    if mounts.is_empty() || mounts.iter().any(|mount| mount.target.contains('$') || mount.id_part().contains('$')) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for entry in &map.entries {
        let Ok(mount) = entry.mount() else { continue };
        let spec = MountSpec::from(&mount);
        let near = |own: &MountSpec| {
            own.same_cache(&spec) || own.clean_target() == spec.clean_target() || own.id_part() == spec.id_part()
        };
        if entry.problem.is_some() || spec.id_part().contains(UNKNOWN) || mounts.iter().any(near) {
            continue;
        }
        let title =
            format!("no build of this job mounts `{}`, which the dance carries for `{}`", spec.id_part(), entry.source);
        let place = job.at_input(dance.step, "cache-map", "carried for nobody");
        found.push(own(job, &DEFINITION, title, vec![place], DEFINITION.page.fix));
    }
    found
}
