//! What only files show, one file per rule. [`findings`] is principal.
//!
//! A rule says what it knows to be wrong and is silent about what only a run can tell. Where the verifier has a code for the
//! fault, that is the code; the others are defined in the file of their rule, page and all.

mod cold_mounts;
mod dance_inputs;
mod dance_version;
mod dances_share;
mod dockerfile_missing;
mod emptied;
mod entry_unused;
mod go_places;
mod hash_files;
mod host_path;
mod idle_mount;
mod ignores_cache;
mod key_parts;
mod key_stale;
mod key_unique;
mod layer_cache;
mod never_skipped;
mod no_build;
mod paths_differ;
mod read_only;
mod restore_keys;
mod restore_only;
mod scope;
mod scratch;
mod step_ids;
mod tilde;

use super::job::{LintCache, LintJob};
use super::{LintDefinition, LintFinding, LintPlace};
use crate::plan::CacheStepPart;
use crate::verify::{Code, Severity};

/// Every code of the lint's own, in the order in which a person should fix things.
pub(super) const DEFINITIONS: &[LintDefinition] = &[
    host_path::DEFINITION,
    dance_version::DEFINITION,
    dance_inputs::DEFINITION,
    tilde::DEFINITION,
    ignores_cache::DEFINITION,
    restore_keys::DEFINITION,
    hash_files::DEFINITION,
    step_ids::DEFINITION,
    restore_only::DEFINITION,
    idle_mount::DEFINITION,
    entry_unused::DEFINITION,
    key_parts::LOCK_FILES_ONLY,
    key_parts::NO_GO_VERSION,
    never_skipped::DEFINITION,
    dances_share::DEFINITION,
    dockerfile_missing::DEFINITION,
    super::base::DEFINITION,
];

/// How a rule looks at a job.
type LintRule = fn(&LintJob<'_>) -> Vec<LintFinding>;

const RULES: &[LintRule] = &[
    cold_mounts::check,
    dance_inputs::check,
    dance_version::check,
    dances_share::check,
    dockerfile_missing::check,
    emptied::check,
    entry_unused::check,
    go_places::check,
    hash_files::check,
    host_path::check,
    idle_mount::check,
    ignores_cache::check,
    key_parts::check,
    key_stale::check,
    key_unique::check,
    layer_cache::check,
    never_skipped::check,
    no_build::check,
    paths_differ::check,
    read_only::check,
    restore_keys::check,
    restore_only::check,
    scope::check,
    scratch::check,
    step_ids::check,
    tilde::check,
];

/// What is to be expected where another code is true of the same job: cause, and what it silences.
const SILENCES: &[(&str, &[&str])] = &[
    (
        "host-path-not-writable",
        &["cache-dir-mismatch", "cache-path-missing", "dance-version-defect", "extract-not-skipped"],
    ),
    ("dance-crashed", &["cache-dir-mismatch", "cache-path-missing", "entry-without-mount", "dance-input-ignored"]),
    ("dance-missing", &["cache-key-stale", "cache-key-unique", "build-step-cached"]),
    ("cache-key-stale", &["key-lock-files-only", "key-without-go-version", "hash-files-empty"]),
    ("key-lock-files-only", &["key-without-go-version"]),
    ("cache-key-unique", &["restore-keys-never-match"]),
    ("cache-out-of-scope", &["cache-key-unique", "cache-key-stale", "key-lock-files-only", "key-without-go-version"]),
    ("cache-not-saved", &["cache-key-unique", "cache-key-stale", "key-lock-files-only", "key-without-go-version"]),
    ("save-before-extract", &["restore-only-extract", "cache-key-unique"]),
    (
        "cache-map-id-mismatch",
        &["entry-without-mount", "modules-not-restored", "build-cache-not-restored", "mount-not-built"],
    ),
    ("cache-map-target-mismatch", &["entry-without-mount", "modules-not-restored", "build-cache-not-restored"]),
    ("cache-map-owner-mismatch", &["entry-without-mount", "modules-not-restored", "build-cache-not-restored"]),
    ("cache-version-changed", &["cache-dir-mismatch", "cache-path-missing"]),
    ("build-not-faster", &["build-cache-not-restored"]),
    ("tilde-in-target", &["entry-without-mount", "cache-map-target-mismatch"]),
];

/// Asks every rule about a job.
pub(super) fn findings(job: &LintJob<'_>) -> Vec<LintFinding> {
    RULES.iter().flat_map(|rule| rule(job)).collect()
}

/// Takes out what follows from another finding of the same job.
pub(super) fn root_causes(mut found: Vec<LintFinding>) -> Vec<LintFinding> {
    let codes: Vec<&str> = found.iter().map(|finding| finding.code).collect();
    let silenced: Vec<&str> = SILENCES
        .iter()
        .filter(|(cause, _)| codes.contains(cause))
        .flat_map(|(_, silenced)| silenced.iter().copied())
        .collect();
    found.retain(|finding| !silenced.contains(&finding.code));
    found
}

/// Makes a finding of one of the verifier's codes.
fn of_code(
    job: &LintJob<'_>,
    code: Code,
    severity: Severity,
    title: impl Into<String>,
    places: Vec<LintPlace>,
    help: impl Into<String>,
) -> LintFinding {
    LintFinding {
        code: code.as_str(),
        severity,
        title: title.into(),
        places,
        why: code.docs().why.to_owned(),
        help: help.into(),
        job: job.plan.job_id.clone(),
        edits: Vec::new(),
    }
}

/// Makes a finding of one of the lint's own codes.
pub(super) fn own(
    job: &LintJob<'_>,
    definition: &LintDefinition,
    title: impl Into<String>,
    places: Vec<LintPlace>,
    help: impl Into<String>,
) -> LintFinding {
    LintFinding {
        code: definition.code,
        severity: definition.severity,
        title: title.into(),
        places,
        why: definition.page.why.to_owned(),
        help: help.into(),
        job: job.plan.job_id.clone(),
        edits: Vec::new(),
    }
}

/// Returns the cache steps that carry what the dance moves.
pub(super) fn carrying<'j, 'a>(job: &'j LintJob<'a>) -> impl Iterator<Item = &'j LintCache<'a>> {
    job.caches.iter().filter(|cache| job.carries(cache))
}

/// Tells whether a cache step saves.
fn saves(cache: &LintCache<'_>) -> bool {
    cache.part != CacheStepPart::Restore
}

/// Tells whether a cache step restores.
fn restores(cache: &LintCache<'_>) -> bool {
    cache.part != CacheStepPart::Save && !cache.lookup_only
}
