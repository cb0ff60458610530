//! The key is new in every run, and nothing else is asked for.

use super::{carrying, of_code, restores};
use crate::lint::LintFinding;
use crate::lint::job::{LintCache, LintJob};
use crate::plan::CacheStepPart;
use crate::verify::{Code, Severity};
use crate::workflow::expr::mentions;

/// What differs from one run to the next.
pub(super) const EACH_RUN: [&str; 4] = ["github.sha", "github.run_id", "github.run_number", "github.run_attempt"];

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    let alone = |cache: &&LintCache<'_>| cache.restore_keys.is_empty() && cache.step.input("restore-keys").is_none();
    let unique = carrying(job).filter(|cache| restores(cache)).filter(alone).filter(|cache| is_unique(job, cache));
    unique
        .map(|cache| {
            let key = cache.step.input("key").map(|key| key.raw().trim()).unwrap_or_default();
            let places = vec![job.at_input(cache.step, "key", "new in every run")];
            let constant = key.split("${{").next().unwrap_or_default();
            let prefix = if constant.is_empty() { "PREFIX-" } else { constant };
            of_code(
                job,
                Code::CacheKeyUnique,
                Severity::Error,
                "the key is new in every run and there are no restore keys, so nothing is ever found",
                places,
                format!("Add the part of the key that stays as a restore key: `restore-keys: {prefix}`."),
            )
        })
        .collect()
}

/// Tells whether a key is new in every run, and no other job or step is meant to share it within the run.
pub(super) fn is_unique(job: &LintJob<'_>, cache: &LintCache<'_>) -> bool {
    let Some(key) = cache.step.input("key") else { return false };
    let changes = EACH_RUN.iter().any(|name| mentions(key, name));
    let own = (job.source().name.as_str(), job.plan.job_id.as_str());
    let shared = job.elsewhere.iter().any(|other| {
        let other_job = (other.job.0.as_str(), other.job.1.as_str());
        other_job != own && other.key.trim() == key.raw().trim()
    });
    // Another step of the job restores in its place.
    let made_up = job.caches.iter().any(|other| {
        other.step.index != cache.step.index
            && other.part != CacheStepPart::Save
            && other.paths == cache.paths
            && !other.restore_keys.is_empty()
    });
    changes && !shared && !made_up
}
