//! `hashFiles` finds no file.

use super::key_stale::why_empty;
use super::{carrying, own};
use crate::lint::job::LintJob;
use crate::lint::{LintDefinition, LintFinding};
use crate::verify::{CodePage, Severity};

pub(super) const DEFINITION: LintDefinition = LintDefinition {
    code: "hash-files-empty",
    severity: Severity::Warning,
    page: CodePage {
        what: "A call of `hashFiles` in a cache key matches no file, or stands before the checkout. It then gives an empty text.",
        why: "That part of the key is always empty, so the key does not follow the files that it names.",
        example: "key: go-${{ hashFiles('go.sun') }}-${{ github.sha }}",
        fix: "Name files that the repository has, such as `hashFiles('**/go.sum')`, and put actions/checkout before the step.",
    },
};

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    let mut found = Vec::new();
    for cache in carrying(job) {
        let Some(key) = cache.step.input("key") else { continue };
        let hashed = job.first().resolve_hashing(cache.step, key).1;
        if hashed.iter().any(|call| call.matches == Some(0)) {
            let title = format!("{}, so that part of the key is empty", why_empty(job, cache, &hashed));
            let places = vec![job.at_input(cache.step, "key", "hashes nothing")];
            found.push(own(job, &DEFINITION, title, places, DEFINITION.page.fix));
        }
    }
    found
}
