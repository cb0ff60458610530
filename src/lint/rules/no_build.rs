//! A run of some event dances and does not build, and so saves empty mounts.

use super::{carrying, of_code, saves};
use crate::lint::job::LintJob;
use crate::lint::unread::is_unread;
use crate::lint::values::Arm;
use crate::lint::{LintFinding, LintPlace};
use crate::plan::{DanceMode, Trigger};
use crate::verify::{Code, Severity};

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    // Who else may build or fill something, nobody reads here.
    let others = job.plan.steps.iter().any(is_unread);
    if others || job.builds.is_empty() || !carrying(job).any(saves) {
        return Vec::new();
    }
    let Some(trigger) = job.triggers.iter().find(|trigger| dances_alone(job, trigger)) else { return Vec::new() };
    let mut places: Vec<LintPlace> = job
        .builds
        .iter()
        .filter(|build| build.step.condition.raw().is_some())
        .map(|build| LintPlace::new(job.source(), build.step.condition.span(), "skips the build"))
        .collect();
    places.extend(job.dances.iter().map(|dance| job.at_step(dance.step, "extracts all the same")));
    vec![of_code(
        job,
        Code::CacheEmpty,
        Severity::Warning,
        format!("a run by `{}` dances and does not build, so it saves empty caches", trigger.event),
        places,
        "Give the dance and actions/cache the build's condition, or build in such runs too. Then change the cache key: an empty entry may be \
         frozen under it.",
    )]
}

fn dances_alone(job: &LintJob<'_>, trigger: &Trigger) -> bool {
    let values = job.values(Arm::First, trigger);
    let extracts = job.dances.iter().any(|dance| {
        let skip = values.input(dance.step, "skip-extraction");
        dance.mode == DanceMode::InjectAndExtract
            && values.runs(dance.step) == Some(true)
            && skip.is_none_or(|skip| skip.known && skip.text.trim() != "true")
    });
    let saving = carrying(job).any(|cache| saves(cache) && values.runs(cache.step) == Some(true));
    let builds = job.builds.iter().any(|build| values.runs(build.step) != Some(false));
    let job_runs = job.written().is_none_or(|written| written.condition.is_none());
    extracts && saving && !builds && job_runs
}
