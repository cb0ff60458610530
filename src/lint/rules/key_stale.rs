//! The key never changes: what a later run leaves is never saved.

use super::{carrying, of_code, saves};
use crate::lint::LintFinding;
use crate::lint::job::{LintCache, LintJob};
use crate::lint::values::HashedFiles;
use crate::verify::{Code, Severity};
use crate::workflow::expr::{self, Template};

const HELP: &str = "Put what changes into the key and the rest into a restore key: `key: go-${{ hashFiles('**/go.sum') }}-${{ github.sha }}` with \
                    `restore-keys: go-${{ hashFiles('**/go.sum') }}-`.";

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    carrying(job).filter(|cache| saves(cache)).filter_map(|cache| one(job, cache)).collect()
}

fn one(job: &LintJob<'_>, cache: &LintCache<'_>) -> Option<LintFinding> {
    let key = cache.step.input("key")?;
    let hashed = job.first().resolve_hashing(cache.step, key).1;
    let (title, help) = if job.plan.constant_over_runs(cache.step, key) {
        (format!("the key `{}` never changes, so what a later run leaves is never saved", key.raw().trim()), HELP)
    } else if nothing_else_changes(job, cache, key) && is_empty(&hashed) {
        (
            format!("{}, so the key never changes", why_empty(job, cache, &hashed)),
            super::hash_files::DEFINITION.page.fix,
        )
    } else {
        return None;
    };
    let places = vec![job.at_input(cache.step, "key", "always the same")];
    Some(of_code(job, Code::CacheKeyStale, Severity::Warning, title, places, help))
}

/// Tells whether every call of `hashFiles` is known to find nothing.
pub(super) fn is_empty(hashed: &[HashedFiles]) -> bool {
    !hashed.is_empty() && hashed.iter().all(|call| call.matches == Some(0))
}

/// Says why `hashFiles` finds nothing.
pub(super) fn why_empty(job: &LintJob<'_>, cache: &LintCache<'_>, hashed: &[HashedFiles]) -> String {
    let empty = hashed.iter().find(|call| call.matches == Some(0));
    let patterns = empty.map(|call| call.patterns.join("', '")).unwrap_or_default();
    match job.first().checked_out_before(cache.step) {
        Some(false) => format!("no checkout stands before this step, and `hashFiles('{patterns}')` finds nothing"),
        _ => format!("`hashFiles('{patterns}')` matches no file of the repository"),
    }
}

/// Tells whether a key is the same in every run once its calls of `hashFiles` give nothing.
fn nothing_else_changes(job: &LintJob<'_>, cache: &LintCache<'_>, key: &Template) -> bool {
    let without = without_hashes(key.raw());
    let hidden = expr::env_names(key).into_iter().any(|name| {
        name.is_none_or(|name| job.plan.env(cache.step, &name).is_some_and(|value| expr::mentions(value, "hashFiles")))
    });
    !hidden && Template::unplaced(&without).is_ok_and(|template| job.plan.constant_over_runs(cache.step, &template))
}

/// Puts an empty text in the place of every call of `hashFiles`.
fn without_hashes(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.to_ascii_lowercase().find("hashfiles(") {
        let (before, call) = rest.split_at(at);
        out.push_str(before);
        out.push_str("''");
        let mut quoted = false;
        let end = call.char_indices().find(|(_, char)| {
            quoted ^= *char == '\'';
            !quoted && *char == ')'
        });
        rest = end.map_or("", |(end, _)| &call[end + 1..]);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_cut_out_whole() {
        assert_eq!(
            without_hashes("a-${{ hashFiles('x)', '**/y') }}-${{ github.sha }}"),
            "a-${{ '' }}-${{ github.sha }}"
        );
        assert_eq!(without_hashes("a"), "a");
        assert_eq!(without_hashes("${{ hashFiles('x'"), "${{ ''");
    }
}
