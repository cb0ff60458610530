//! A step empties a mount after the build has filled it.

use super::of_code;
use crate::evidence::MountSpec;
use crate::lint::LintFinding;
use crate::lint::build::{LintBuild, LintRun};
use crate::lint::job::LintJob;
use crate::lint::place;
use crate::verify::{Code, Severity};

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    if job.dances.is_empty() {
        return Vec::new();
    }
    job.builds.iter().filter_map(|build| one(job, build)).collect()
}

fn one(job: &LintJob<'_>, build: &LintBuild<'_>) -> Option<LintFinding> {
    // What is filled again afterwards is not lost.
    let carried = |target: &str| {
        let entries = job.dances.iter().filter_map(|dance| dance.entries()).flat_map(|map| &map.entries);
        let mounts = build.mounts.iter().map(MountSpec::from).filter(|mount| mount.clean_target() == target);
        let specs: Vec<MountSpec> = entries.filter_map(|entry| Some(MountSpec::from(&entry.mount().ok()?))).collect();
        mounts.into_iter().any(|mount| specs.iter().any(|spec| spec.same_cache(&mount)))
    };
    let (run, what) = build.runs.iter().enumerate().rev().find_map(|(at, run)| {
        let (what, target) = empties(run)?;
        let filled = build.runs[at + 1..].iter().any(|later| {
            later.mounts.iter().any(|mount| mount.clean_target() == target) && (later.compiles() || later.downloads())
        });
        (!filled && carried(&target)).then_some((run, what))
    })?;
    let file = build.dockerfile()?;
    let text = &file.source().text[run.span.start..run.span.end];
    let mut at = place::of_quote(file.source(), &build.run_quote(run)?)?;
    if let Some(found) = text.find(&what) {
        at.span = crate::source::Span::new(run.span.start + found, run.span.start + found + what.len());
    }
    at.label = Some("leaves nothing to extract".to_owned());
    Some(of_code(
        job,
        Code::ExtractEmpty,
        // A condition may keep it from running.
        if ["if ", "[ ", "test "].iter().any(|word| run.command.contains(word)) {
            Severity::Warning
        } else {
            Severity::Error
        },
        format!("`{what}` empties the cache mount after the build has filled it"),
        vec![at],
        "Remove it: a cache mount is no part of the image, so emptying it makes no layer smaller. Then change the cache key.",
    ))
}

/// Returns the last command of a step that empties one of its mounts, and which.
fn empties(run: &LintRun) -> Option<(String, String)> {
    let mut found = None;
    for command in run.command.split([';', '&', '|', '\n', '(', ')']) {
        let words: Vec<&str> =
            command.split_whitespace().map(|word| word.trim_matches(['"', '\'', '{', '}'])).collect();
        let mounted = |path: &str| {
            run.mounts.iter().find(|mount| mount.clean_target() == path.trim_end_matches("/*").trim_end_matches('/'))
        };
        let compiles_after = words.windows(2).any(|pair| matches!(pair, ["go", "build" | "install"]));
        if compiles_after {
            found = None;
        }
        let target = match words.as_slice() {
            ["rm", rest @ ..] if rest.iter().any(|word| word.starts_with('-') && word.contains(['r', 'R'])) => {
                rest.iter().find_map(|word| mounted(word)).map(MountSpec::clean_target)
            }
            ["go", "clean", rest @ ..] => {
                let cleans = |flag: &str| rest.iter().any(|word| word.trim_start_matches('-') == flag);
                let part = match () {
                    () if cleans("modcache") => "pkg/mod",
                    () if cleans("cache") => "go-build",
                    () => continue,
                };
                run.mounts.iter().map(MountSpec::clean_target).find(|target| target.ends_with(part))
            }
            _ => None,
        };
        if let Some(target) = target {
            found = Some((command.trim().to_owned(), target));
        }
    }
    found
}
