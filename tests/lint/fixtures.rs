//! One fault and one near miss for every code: diffs over a healthy workflow and Dockerfile.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use verify_buildkit_cache::lint::{LintReport, definitions};

use crate::{codes, errors, look, said};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lint")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

/// The codes that have fixtures.
fn fixtures() -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.strip_suffix(".bad.diff").map(str::to_owned)).collect()
}

/// The healthy workflow and Dockerfile with a diff applied.
pub(crate) fn patched(diff: &str) -> (String, String) {
    let (mut workflow, mut dockerfile) = (read("base/workflow.yml"), read("base/Dockerfile"));
    let mut parts: Vec<String> = Vec::new();
    for line in diff.split_inclusive('\n') {
        if line.starts_with("--- a/") {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push_str(line);
        }
    }
    for part in parts {
        let file = if part.starts_with("--- a/Dockerfile") { &mut dockerfile } else { &mut workflow };
        let patch = diffy::Patch::from_str(&part).unwrap();
        *file = diffy::apply(file, &patch).unwrap();
    }
    (workflow, dockerfile)
}

fn look_at(name: &str) -> LintReport {
    let (workflow, dockerfile) = patched(&read(name));
    look(&workflow, &dockerfile)
}

#[test]
fn the_base_of_the_fixtures_is_clean() {
    let report = look(&read("base/workflow.yml"), &read("base/Dockerfile"));
    assert_eq!(said(&report), "");
    assert_eq!((report.workflows, report.jobs), (1, 1));
}

#[test]
fn every_code_of_the_lint_has_a_fault_and_a_near_miss() {
    let fixtures = fixtures();
    // What differs from another revision needs one; the tests of the program have it.
    for definition in definitions().iter().filter(|definition| definition.code != "cache-version-not-bumped") {
        assert!(fixtures.contains(definition.code), "{} has no fixtures", definition.code);
    }
}

#[test]
fn a_fault_is_found_and_a_near_miss_is_not() {
    let mut wrong = Vec::new();
    for code in fixtures() {
        let bad = look_at(&format!("{code}.bad.diff"));
        if !codes(&bad).contains(&code.as_str()) {
            wrong.push(format!("{code}.bad: not found; instead\n{}", said(&bad)));
        }
        let others: Vec<&str> = errors(&bad).into_iter().filter(|other| *other != code).collect();
        if !others.is_empty() {
            wrong.push(format!("{code}.bad: errors that follow from it, or are none:\n{}", said(&bad)));
        }
        if let Some(finding) = bad.findings.iter().find(|finding| finding.code == code)
            && finding.places.is_empty()
        {
            wrong.push(format!("{code}.bad: points nowhere"));
        }
        let good = look_at(&format!("{code}.good.diff"));
        if codes(&good).contains(&code.as_str()) || !errors(&good).is_empty() || !good.unread.is_empty() {
            wrong.push(format!("{code}.good: not clean\n{}", said(&good)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The faults that `--fix` takes away. The others need a decision of the author's.
const FIXED: [&str; 14] = [
    "build-ignores-cache",
    "builder-mismatch",
    "cache-after-dance",
    "cache-key-unique",
    "cache-map-id-mismatch",
    "cache-map-owner-mismatch",
    "cache-map-target-mismatch",
    "dance-skipped",
    "extract-failed",
    "extract-not-skipped",
    "extract-skipped",
    "no-cache-build",
    "restore-only-extract",
    "step-id-unknown",
];

#[test]
fn what_can_be_mended_is_mended_and_nothing_else_changes() {
    for code in fixtures() {
        let (workflow, dockerfile) = patched(&read(&format!("{code}.bad.diff")));
        let files = crate::files(&dockerfile);
        let source = verify_buildkit_cache::source::Source::new(crate::WORKFLOW, workflow.as_str());
        let mended = verify_buildkit_cache::lint::mend(std::slice::from_ref(&source), &files);
        let fixed: Vec<&str> = mended.fixed.iter().map(|(code, _)| *code).collect();
        assert_eq!(fixed.contains(&code.as_str()), FIXED.contains(&code.as_str()), "{code}: fixed {fixed:?}");
        if fixed.is_empty() {
            assert!(mended.files.is_empty(), "{code}: changed without a reason");
            continue;
        }
        assert!(!codes(&mended.report).contains(&code.as_str()), "{code}: {}", said(&mended.report));
        assert!(errors(&mended.report).is_empty(), "{code}: {}", said(&mended.report));
        // Every line that is not about the fault is still there, byte for byte.
        let old = if mended.files.contains_key(crate::WORKFLOW) { &workflow } else { &dockerfile };
        let new = mended.files.values().next().unwrap();
        let gone = old.lines().filter(|line| !new.lines().any(|other| other == *line)).count();
        assert!(gone <= 3, "{code}: {gone} lines are gone\n{new}");
    }
}

#[test]
fn a_comment_silences_a_code_in_its_block() {
    let (workflow, dockerfile) = patched(&read("no-cache-build.bad.diff"));
    let report = |mark: &str, at: &str| {
        let (before, after) = workflow.split_once(at).unwrap();
        look(&format!("{before}{mark}{at}{after}"), &dockerfile)
    };
    let above = report("# verify-buildkit-cache: ignore[no-cache-build]\n      ", "- uses: docker/build-push");
    assert_eq!((said(&above), above.ignored), (String::new(), 1));
    let other = report("# verify-buildkit-cache: ignore[cache-key-stale]\n      ", "- uses: docker/build-push");
    assert_eq!(errors(&other), ["no-cache-build"]);
    let elsewhere = report("# verify-buildkit-cache: ignore[no-cache-build]\n      ", "- uses: actions/cache");
    assert_eq!(errors(&elsewhere), ["no-cache-build"]);
}
