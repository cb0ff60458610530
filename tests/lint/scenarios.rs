//! The catalogue's workflows. What a run of a scenario shows, its files show beforehand, as far as the fault is in them.

use verify_buildkit_cache::scenario::{self, Scenario};

use crate::{codes, errors, look, said};

fn look_at(scenario: &Scenario) -> verify_buildkit_cache::lint::LintReport {
    look(&scenario.workflow.text, &scenario.dockerfile.text)
}

/// Scenarios whose fault is in what happens between or during runs, and why the files cannot show it.
const NOT_IN_THE_FILES: [(&str, &str); 9] = [
    ("build-flags-changed", "the flags differ between two commits"),
    ("cache-evicted", "an entry was not used for a week"),
    ("cache-restore-failed", "an archive is damaged"),
    ("cache-too-small", "what the first run built depends on its event"),
    ("cache-version-changed", "the paths differ between two commits"),
    ("go-version-changed", "the base image differs between two commits"),
    ("job-failed-before-post", "whether a step fails, only a run tells"),
    ("net-loss", "times are measured"),
    ("not-instrumented", "nothing is wrong, a run only shows too little"),
];

/// Codes that a run adds to the one that names the fault: what the fault did to an entry.
const CONSEQUENCES: [&str; 3] = ["cache-empty", "cache-locked", "cache-miss"];

#[test]
fn the_fault_of_each_scenario_is_found_with_the_code_of_its_run() {
    for name in scenario::names() {
        let scenario = scenario::find(&name).unwrap();
        let report = look_at(&scenario);
        assert!(report.unread.is_empty(), "{name}: {:?}", report.unread);
        let expected = &scenario.about.expect.codes;
        // Its faults come one after the other; a test of its own has them.
        if name == "four-faults" {
            continue;
        }
        if NOT_IN_THE_FILES.iter().any(|(known, _)| *known == name) {
            let found = errors(&report);
            assert!(found.is_empty(), "{name}: {}", said(&report));
            continue;
        }
        // The files show why the dance will end; a run shows that it did.
        if name == "autodiscovery-without-cache-dir" {
            assert!(codes(&report).contains(&"host-path-not-writable"), "{name}: {}", said(&report));
            continue;
        }
        // Where the fault is nothing but an empty entry, that is what to find.
        let cause = expected.iter().find(|code| !CONSEQUENCES.contains(&code.as_str())).or(expected.first());
        let Some(cause) = cause else {
            assert!(errors(&report).is_empty(), "{name} is healthy: {}", said(&report));
            continue;
        };
        assert!(codes(&report).contains(&cause.as_str()), "{name}: {cause} is not among\n{}", said(&report));
    }
}

#[test]
fn what_is_mended_has_no_error() {
    for name in scenario::names() {
        let scenario = scenario::find(&name).unwrap();
        let Some(fixed) = scenario.fixed().unwrap() else { continue };
        let report = look_at(&fixed);
        assert!(report.unread.is_empty() && errors(&report).is_empty(), "{name}, fixed: {}", said(&report));
    }
}

#[test]
fn the_four_faults_of_the_diary_are_found_one_after_the_other() {
    let scenario = scenario::find("four-faults").unwrap();
    let mut found = Vec::new();
    for event in scenario.history().unwrap() {
        let report = look(&event.workflow.text, &event.dockerfile.text);
        found.push(errors(&report).join(" "));
    }
    found.dedup();
    // The third fault is an empty entry, which no file shows.
    assert_eq!(found, ["cache-map-id-mismatch", "save-before-extract", "", "cache-dir-mismatch", ""]);
}
