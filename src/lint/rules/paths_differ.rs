//! A step restores other paths than were saved under its key.

use super::of_code;
use crate::lint::LintFinding;
use crate::lint::job::{LintCache, LintJob};
use crate::lint::values::UNKNOWN;
use crate::plan::CacheStepPart;
use crate::verify::{Code, Severity};

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    if job.dances.is_empty() {
        return Vec::new();
    }
    let restoring = job.caches.iter().filter(|cache| cache.part == CacheStepPart::Restore && !cache.lookup_only);
    restoring.filter_map(|cache| one(job, cache)).collect()
}

/// Reports a step that only restores, where the job itself saves under its key, and nobody saves its paths.
fn one(job: &LintJob<'_>, cache: &LintCache<'_>) -> Option<LintFinding> {
    let saver = job.caches.iter().find(|other| other.part != CacheStepPart::Restore && other.key == cache.key)?;
    let same = |paths: &[String]| paths == cache.paths;
    let saved = job.elsewhere.iter().any(|other| other.part != CacheStepPart::Restore && same(&other.paths));
    let hidden = cache.paths.iter().chain(&saver.paths).any(|path| path.contains(UNKNOWN));
    if saved || hidden || same(&saver.paths) {
        return None;
    }
    Some(of_code(
        job,
        Code::CacheVersionChanged,
        Severity::Error,
        "this step restores other paths than are saved under its key, so it finds nothing",
        vec![job.at_input(cache.step, "path", "restored"), job.at_input(saver.step, "path", "saved")],
        "Give both steps the same `path`, letter by letter and in the same order.",
    ))
}
