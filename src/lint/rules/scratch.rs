//! The dance's scratch directory lies where it cannot work.

use super::of_code;
use crate::lint::LintFinding;
use crate::lint::job::LintJob;
use crate::verify::{Code, Severity};

/// Other file systems than the workspace's on a hosted runner.
const ELSEWHERE: [&str; 3] = ["/mnt", "/dev/shm", "/run"];

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    if !job.is_hosted() {
        return Vec::new();
    }
    let elsewhere = |dir: &str| {
        ELSEWHERE.iter().any(|root| dir.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    };
    let apart = job.dances.iter().filter(|dance| {
        let moves = dance.entries().is_some_and(|map| map.entries.iter().any(|entry| !entry.source.starts_with('/')));
        elsewhere(&dance.inputs.scratch_dir) && moves
    });
    apart
        .map(|dance| {
            of_code(
                job,
                Code::ExtractFailed,
                Severity::Error,
                format!(
                    "the dance cannot work with `{}`: on a hosted runner that is root's, and another file system than the workspace",
                    dance.inputs.scratch_dir
                ),
                vec![job.at_input(dance.step, "scratch-dir", "another file system")],
                "Remove `scratch-dir`, or name a directory on the file system of the workspace.",
            )
        })
        .collect()
}
