//! The dance carries the mount of a stage that is not built.

use super::own;
use crate::evidence::MountSpec;
use crate::lint::job::LintJob;
use crate::lint::unread::builds_unread;
use crate::lint::{LintDefinition, LintFinding, place};
use crate::verify::{CodePage, Severity};

pub(super) const DEFINITION: LintDefinition = LintDefinition {
    code: "mount-not-built",
    severity: Severity::Warning,
    page: CodePage {
        what: "The dance carries a cache mount that only a stage uses which no build of the job needs: `target` names another, or nothing copies from it.",
        why: "BuildKit leaves such a stage out, so the mount stays as empty as it was.",
        example: "target: test, while the mount stands in the stage `build`",
        fix: "Build the stage that has the mount (`target`), or mount the cache in the stage that is built.",
    },
};

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    if job.plan.steps.iter().any(builds_unread) {
        return Vec::new();
    }
    let entries = || job.dances.iter().filter_map(|dance| dance.entries()).flat_map(|map| &map.entries);
    let built = |spec: &MountSpec| {
        job.builds.iter().flat_map(|build| &build.mounts).any(|mount| MountSpec::from(mount).same_cache(spec))
    };
    let mut found = Vec::new();
    for build in &job.builds {
        for mount in &build.idle {
            let spec = MountSpec::from(mount);
            let carried = entries().any(|entry| entry.mount().is_ok_and(|own| MountSpec::from(&own).same_cache(&spec)));
            if !carried || built(&spec) {
                continue;
            }
            let stage = mount.stage_name.clone().unwrap_or_else(|| mount.stage.to_string());
            let mut places = vec![job.at_input(build.step, "target", "leaves the stage out")];
            if let Some(mut at) = build
                .dockerfile()
                .zip(build.mount_quote(mount))
                .and_then(|(file, quote)| place::of_quote(file.source(), &quote))
            {
                at.label = Some("never mounted".to_owned());
                places.push(at);
            }
            let title = format!("the dance carries {}, and its stage `{stage}` is not built", spec.target);
            found.push(own(job, &DEFINITION, title, places, DEFINITION.page.fix));
        }
    }
    found
}
