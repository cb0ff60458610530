//! The dance works on a directory of the runner in which its user may not write.

use super::own;
use crate::dance::Flavour;
use crate::lint::job::{LintDance, LintJob};
use crate::lint::values::UNKNOWN;
use crate::lint::{LintDefinition, LintFinding};
use crate::verify::{CodePage, Severity};

pub(super) const DEFINITION: LintDefinition = LintDefinition {
    code: "host-path-not-writable",
    severity: Severity::Error,
    page: CodePage {
        what: "A directory of the dance lies where the user of a hosted runner may not write. From v3.2.0 on, a dance without `cache-map` and \
               `cache-dir` takes the mounts' own targets for such directories: `/go/pkg/mod`.",
        why: "The dance ends before it has copied anything, and with it the job.",
        example: "Error: EACCES: permission denied, mkdir '/go'",
        fix: "Give the dance a directory in the workspace: `cache-dir: ${{ github.workspace }}/go-cache` without a cache map, or a `cache-map` \
              with relative directories. Let `path` of actions/cache name the same.",
    },
};

/// Below these the user of a hosted runner may write.
const WRITABLE: [&str; 6] = ["/home/runner", "/tmp", "/var/tmp", "/opt", "/usr/share", "/dev/shm"];

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    let contained = job.written().is_some_and(|written| written.in_container);
    // A step before may have made the directory, or given it away.
    let prepared =
        job.plan.steps.iter().any(|step| step.display_name.contains("chown") || step.display_name.contains("mkdir"));
    if !job.is_hosted() || contained || prepared {
        return Vec::new();
    }
    job.dances.iter().filter_map(|dance| one(job, dance)).collect()
}

fn one(job: &LintJob<'_>, dance: &LintDance<'_>) -> Option<LintFinding> {
    let version = dance.behaviour.dance;
    // v1 and v2 work as root; the fork refuses such paths by itself.
    if version.version.major < 3 || version.flavour == Flavour::Hiromaily || !version.known {
        return None;
    }
    let outside = |source: &&str| {
        let below =
            |root: &&str| *source == *root || source.strip_prefix(*root).is_some_and(|rest| rest.starts_with('/'));
        source.starts_with('/') && !source.contains(UNKNOWN) && !WRITABLE.iter().any(below)
    };
    let source = dance.entries()?.entries.iter().map(|entry| entry.source.as_str()).find(outside)?;
    let (name, how) = match dance.discovers() {
        true => ("cache-dir", "without `cache-map` and `cache-dir` the dance works"),
        false => ("cache-map", "the dance works"),
    };
    let title = format!("{how} on `{source}` of the runner, where its user may not write");
    Some(own(job, &DEFINITION, title, vec![job.at_input(dance.step, name, "the dance ends here")], DEFINITION.page.fix))
}
