//! An entry of the cache map mounts the cache read-only.

use super::of_code;
use crate::lint::LintFinding;
use crate::lint::job::LintJob;
use crate::verify::{Code, Severity};

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    let mut found = Vec::new();
    for dance in &job.dances {
        let entries = dance.entries().map(|map| map.entries.as_slice()).unwrap_or_default();
        if let Some(entry) = entries.iter().find(|entry| entry.mount().is_ok_and(|mount| mount.readonly)) {
            found.push(of_code(
                job,
                Code::InjectFailed,
                Severity::Error,
                format!("the entry `{}` mounts the cache read-only, so nothing can be copied into it", entry.source),
                vec![job.at_input(dance.step, "cache-map", "read-only")],
                "Remove `ro` (or `readonly`) from this entry of the cache map.",
            ));
        }
    }
    found
}
