//! What the key follows: the lock files alone, or no Go version.

use super::key_unique::EACH_RUN;
use super::{carrying, own, saves};
use crate::lint::job::{LintCache, LintJob};
use crate::lint::{LintDefinition, LintFinding};
use crate::verify::{CodePage, MountKind, Severity};
use crate::workflow::expr::{Template, env_names, mentions};

pub(super) const LOCK_FILES_ONLY: LintDefinition = LintDefinition {
    code: "key-lock-files-only",
    severity: Severity::Note,
    page: CodePage {
        what: "The key changes with the lock files alone, and what it saves holds Go's build cache too.",
        why: "An entry never changes under its key, so between two changes of go.sum the build cache stays as old as the first of them.",
        example: "key: go-${{ hashFiles('**/go.sum') }}",
        fix: "Add the commit to the key and take the rest for a restore key: `key: go-${{ hashFiles('**/go.sum') }}-${{ github.sha }}`, \
              `restore-keys: go-${{ hashFiles('**/go.sum') }}-`. It costs an extract and a save in every run.",
    },
};

pub(super) const NO_GO_VERSION: LintDefinition = LintDefinition {
    code: "key-without-go-version",
    severity: Severity::Note,
    page: CodePage {
        what: "The key follows neither the Dockerfile nor go.mod nor a Go version, and what it saves holds Go's build cache.",
        why: "Go uses nothing that another version compiled, so after an upgrade the entry is of no use until the key changes.",
        example: "key: go-${{ hashFiles('**/go.sum') }}",
        fix: "Hash what names the Go version too: `hashFiles('Dockerfile', '**/go.mod', '**/go.sum')`.",
    },
};

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    let compiled = |cache: &&LintCache<'_>| carries_objects(job, cache);
    carrying(job).filter(|cache| saves(cache)).filter(compiled).flat_map(|cache| of_cache(job, cache)).collect()
}

/// Tells whether a cache step carries Go's build cache.
fn carries_objects(job: &LintJob<'_>, cache: &LintCache<'_>) -> bool {
    let entries = job.dances.iter().filter_map(|dance| dance.entries()).flat_map(|map| &map.entries);
    entries.into_iter().any(|entry| {
        let id = entry.options.iter().find(|(name, _)| name == "id").map(|(_, id)| id.as_str());
        let kind = MountKind::of(&entry.target, id);
        kind == MountKind::BuildCache && cache.paths.iter().any(|path| crate::verify::covers(path, &entry.source))
    })
}

fn of_cache(job: &LintJob<'_>, cache: &LintCache<'_>) -> Vec<LintFinding> {
    let Some(key) = cache.step.input("key") else { return Vec::new() };
    let mut templates: Vec<&Template> = vec![key];
    for name in env_names(key) {
        let Some(name) = name else { return Vec::new() };
        match job.plan.env(cache.step, &name) {
            Some(value) => templates.push(value),
            None => return Vec::new(),
        }
    }
    let says = |name: &str| templates.iter().any(|template| mentions(template, name));
    let changes_otherwise = EACH_RUN.iter().any(|name| says(name))
        || ["steps", "needs", "github.event", "inputs", "vars", "matrix"].iter().any(|name| says(name));
    if !says("hashFiles") || changes_otherwise {
        return Vec::new();
    }
    let patterns: Vec<String> = templates
        .iter()
        .flat_map(|template| job.first().resolve_hashing(cache.step, template).1)
        .flat_map(|call| call.patterns)
        .collect();
    let lock = |pattern: &String| {
        ["go.sum", "go.mod", "go.work", "package-lock.json", "yarn.lock"].iter().any(|file| pattern.ends_with(file))
    };
    let at = || vec![job.at_input(cache.step, "key", "the key")];
    let mut found = Vec::new();
    if patterns.iter().all(lock) {
        let title = "the key follows the lock files alone, so the build cache is not saved anew until they change";
        found.push(own(job, &LOCK_FILES_ONLY, title, at(), LOCK_FILES_ONLY.page.fix));
    }
    let versioned = |pattern: &String| {
        let pattern = pattern.to_ascii_lowercase();
        ["dockerfile", "go.mod", "go-version", "tool-versions"].iter().any(|part| pattern.contains(part))
            || matches!(pattern.as_str(), "**" | "**/*" | "*")
    };
    let named = templates.iter().any(|template| {
        let raw = template.raw().to_ascii_lowercase();
        ["go_version", "go-version", "goversion", "go1.", "golang_version"].iter().any(|part| raw.contains(part))
    });
    if !patterns.iter().any(versioned) && !named {
        let title = "the key does not change with the Go version, and the build cache of another version is of no use";
        found.push(own(job, &NO_GO_VERSION, title, at(), NO_GO_VERSION.page.fix));
    }
    found
}
