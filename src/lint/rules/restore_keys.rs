//! Restore keys that no entry of this key begins with.

use super::key_unique::is_unique;
use super::{carrying, own, restores};
use crate::lint::job::LintJob;
use crate::lint::values::UNKNOWN;
use crate::lint::{LintDefinition, LintFinding};
use crate::plan::CacheStepPart;
use crate::verify::{CodePage, Severity};

pub(super) const DEFINITION: LintDefinition = LintDefinition {
    code: "restore-keys-never-match",
    severity: Severity::Warning,
    page: CodePage {
        what: "No key that is saved begins with any of the `restore-keys`. A restore key is a prefix, compared letter by letter.",
        why: "When the key itself is not found, nothing else is, so that run starts cold.",
        example: "key: go-Linux-${{ github.sha }}\nrestore-keys: golang-Linux-",
        fix: "Let each restore key be the beginning of the key: the same text up to the part that changes.",
    },
};

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    let mut found = Vec::new();
    for cache in carrying(job).filter(|cache| restores(cache) && !cache.restore_keys.is_empty()) {
        let own_keys = job.caches.iter().map(|other| other.key.text.as_str());
        let saved = job.elsewhere.iter().filter(|other| other.part != CacheStepPart::Restore);
        let keys: Vec<&str> = own_keys.chain(saved.map(|other| other.resolved.as_str())).collect();
        let reaches = |restore: &String| {
            restore.contains(UNKNOWN)
                || keys.iter().any(|key| key.contains(UNKNOWN) || key.starts_with(restore.as_str()))
        };
        if cache.restore_keys.iter().any(reaches) {
            continue;
        }
        let places = vec![
            job.at_input(cache.step, "restore-keys", "no key begins so"),
            job.at_input(cache.step, "key", "the key"),
        ];
        let mut finding = own(
            job,
            &DEFINITION,
            "no key that is saved begins with any of these restore keys",
            places,
            DEFINITION.page.fix,
        );
        if is_unique(job, cache) {
            finding.severity = Severity::Error;
        }
        found.push(finding);
    }
    found
}
