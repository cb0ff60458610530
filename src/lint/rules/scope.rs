//! Entries that nobody can read, or that nobody may save.

use super::{carrying, of_code, saves};
use crate::lint::job::LintJob;
use crate::lint::triggers::{is_low_trust, saves_for_others};
use crate::lint::{LintFinding, LintPlace};
use crate::plan::CacheStepPart;
use crate::verify::{Code, Severity};

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    let saving: Vec<_> = carrying(job).filter(|cache| saves(cache)).collect();
    let events = &job.workflow.on;
    if saving.is_empty() || events.is_empty() || saves_for_others(job.workflow) || saved_by_another(job) {
        return Vec::new();
    }
    let low_trust = events.iter().all(|event| is_low_trust(&event.name));
    let tags = events.iter().all(|event| event.name == "release" || event.is_of_tags_only());
    let (code, severity, title, help) = match () {
        () if low_trust => (
            Code::CacheNotSaved,
            Severity::Error,
            "GitHub lets runs of this event read the cache and not write it, so nothing is ever saved",
            "Let the workflow run on pushes to the default branch too: those save what these runs restore.",
        ),
        () if tags => (
            Code::CacheOutOfScope,
            Severity::Error,
            "only tags start this workflow, and no tag reads what another tag saved",
            "Let the workflow run on pushes to the default branch too: what those save, every tag reads.",
        ),
        () => (
            Code::CacheOutOfScope,
            Severity::Warning,
            "what a pull request saves, only its own later runs read",
            "Let the workflow run on pushes to the default branch too: what those save, every pull request reads.",
        ),
    };
    let mut places: Vec<LintPlace> = saving.iter().map(|cache| job.at_step(cache.step, "saves for nobody")).collect();
    places.extend(events.iter().map(|event| LintPlace::new(job.source(), event.span, "starts the workflow")));
    vec![of_code(job, code, severity, title, places, help)]
}

/// Tells whether another job saves the same paths where every run can read them.
fn saved_by_another(job: &LintJob<'_>) -> bool {
    let own = (job.source().name.as_str(), job.plan.job_id.as_str());
    job.elsewhere.iter().any(|other| {
        let another = (other.job.0.as_str(), other.job.1.as_str()) != own;
        let same = carrying(job).any(|cache| cache.paths == other.paths);
        another && same && other.on_branch && other.part != CacheStepPart::Restore
    })
}
