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
    for definition in definitions() {
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
