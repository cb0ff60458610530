//! What was carried has changed, and the key has not. [`unbumped`] is principal.
//!
//! An entry that was saved before the change is restored after it: it holds what other mounts had. A new `cache_version` in
//! the key and in every restore key leaves it behind.

use std::collections::BTreeSet;

use super::job::LintJob;
use super::rules::carrying;
use super::{LintDefinition, LintFiles, LintFinding, LintReport, ReadWorkflow, read, remember, shared_caches};
use crate::evidence::MountSpec;
use crate::source::Source;
use crate::verify::{CodePage, Severity};

/// The code of this comparison.
pub(super) const DEFINITION: LintDefinition = LintDefinition {
    code: "cache-version-not-bumped",
    severity: Severity::Warning,
    page: CodePage {
        what: "Against the revision compared with, the cache mounts, the cache map or the dance have changed, and the cache keys have not.",
        why: "An entry that was saved before the change is restored after it, and its contents belong to other mounts.",
        example: "the mount got an id; `cache_version: v1` stayed",
        fix: "Give `cache_version` (or whatever the key begins with) a new value, in the key and in every restore key: \
              `verify-buildkit-cache cache-version` prints one.",
    },
};

/// What a job carries, and under which keys.
#[derive(Debug, PartialEq, Eq)]
struct Carriage {
    /// The mounts that are built.
    mounts: BTreeSet<MountSpec>,
    /// The entries: directory and cache.
    entries: BTreeSet<(String, MountSpec)>,
    /// The dances, by what they do.
    dances: Vec<String>,
}

/// Reports the jobs of a repository that carry other things than in an older state of it, under keys that still reach the
/// entries of that state.
pub fn unbumped(old: (&[Source], &dyn LintFiles), new: (&[Source], &dyn LintFiles)) -> LintReport {
    let mut report = LintReport::default();
    let mut unread = LintReport::default();
    let before: Vec<ReadWorkflow> = old.0.iter().filter_map(|source| read(source, &mut unread)).collect();
    let after: Vec<ReadWorkflow> = new.0.iter().filter_map(|source| read(source, &mut unread)).collect();
    let (shared_before, shared_after) = (shared_caches(&before, old.1), shared_caches(&after, new.1));
    for ReadWorkflow { workflow, plans } in &after {
        for plan in plans {
            let same = |other: &&crate::plan::JobPlan| {
                other.source().name == plan.source().name && other.job_id == plan.job_id
            };
            let Some((old_workflow, was)) =
                before.iter().find_map(|read| Some((&read.workflow, read.plans.iter().find(same)?)))
            else {
                continue;
            };
            let was = LintJob::new(was, old_workflow, old.1, &shared_before);
            let is = LintJob::new(plan, workflow, new.1, &shared_after);
            if let Some(finding) = compare(&was, &is) {
                remember(&is, &mut report);
                report.findings.push(finding);
            }
        }
    }
    super::silence(&mut report);
    report
}

fn compare(was: &LintJob<'_>, is: &LintJob<'_>) -> Option<LintFinding> {
    let (before, after) = (carriage(was)?, carriage(is)?);
    if before == after {
        return None;
    }
    let what = match () {
        () if before.mounts != after.mounts => "the cache mounts",
        () if before.entries != after.entries => "the cache map",
        () => "the dance",
    };
    let (cache, old) = carrying(is).find_map(|cache| {
        // Other paths are another version of the entry anyway.
        let old = carrying(was).find(|old| old.paths == cache.paths && reaches(cache, old))?;
        Some((cache, old))
    })?;
    let hashes_the_change = cache.step.input("key").is_some_and(|key| {
        let hashed = is.first().resolve_hashing(cache.step, key).1;
        hashed.iter().flat_map(|call| &call.patterns).any(|pattern| pattern.to_ascii_lowercase().contains("dockerfile"))
    });
    if hashes_the_change && before.mounts != after.mounts && cache.restore_keys.is_empty() {
        return None;
    }
    let title = format!("{what} changed, and entries saved under `{}` before are still found", old.key.text);
    let places = vec![is.at_input(cache.step, "key", "unchanged")];
    Some(super::rules::own(is, &DEFINITION, title, places, DEFINITION.page.fix))
}

/// Tells whether a step finds what another saved: by its key, or by a restore key.
fn reaches(cache: &super::job::LintCache<'_>, old: &super::job::LintCache<'_>) -> bool {
    cache.key.text == old.key.text
        || cache.restore_keys.iter().any(|restore| old.key.text.starts_with(restore.as_str()))
}

/// What a job carries; `None` where it carries nothing, or nobody can tell what.
fn carriage(job: &LintJob<'_>) -> Option<Carriage> {
    if job.dances.is_empty() || job.dances.iter().any(|dance| dance.entries().is_none()) {
        return None;
    }
    let entries = job.dances.iter().filter_map(|dance| dance.entries()).flat_map(|map| &map.entries);
    let entries = entries.filter_map(|entry| Some((entry.source.clone(), MountSpec::from(&entry.mount().ok()?))));
    Some(Carriage {
        mounts: job.builds.iter().flat_map(|build| &build.mounts).map(MountSpec::from).collect(),
        entries: entries.collect(),
        dances: job.dances.iter().map(|dance| dance.behaviour.dance.to_string()).collect(),
    })
}
