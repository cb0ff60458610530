//! What the catalogue's renderers write.

use std::time::Duration;

use super::{json, junit, list, matrix, outcome, show};
use crate::catalogue::{
    Chosen, Column, Comparison, Entry, Form, Judged, Matrix, Numbers, Outcome, Round, Seen, judge, select,
};
use crate::evidence::Evidence;
use crate::scenario::{Expect, Group};
use crate::verify::Verdict;

fn expect(verdict: &str, codes: &[&str]) -> Expect {
    Expect { verdict: verdict.to_owned(), codes: codes.iter().map(|code| (*code).to_owned()).collect() }
}

fn said(column: Column, expected: &Expect, verdict: Verdict, codes: &[&'static str]) -> Judged {
    let chosen = select(&["healthy".to_owned()], Form::Faulty, None).unwrap().remove(0);
    let runs = [Evidence::fold("run 1", &[])];
    let mut judged = judge(&chosen, column, &runs, &Numbers::of(&chosen.scenario)).remove(0);
    judged.comparison =
        Comparison { expected: expected.clone(), seen: Seen { verdict, codes: codes.iter().copied().collect() } };
    judged
}

/// One that ends as it says, one whose log shows less than it says, and one that was stopped.
fn round() -> Round {
    let entry = |name: &str, group, expected: &Expect, outcome| Entry {
        name: name.to_owned(),
        group,
        expected: expected.clone(),
        outcome,
        took: Duration::from_millis(21_500),
        evidence: None,
    };
    let locked = expect("ineffective", &["cache-empty", "cache-locked"]);
    let evicted = expect("ineffective", &["cache-evicted"]);
    let from_log = expect("ineffective", &["cache-miss"]);
    let missing = expect("ineffective", &["dance-missing"]);
    let ineffective = Verdict::Ineffective;
    Round {
        form: Form::Faulty,
        partition: Some("1/2".parse().unwrap()),
        jobs: 2,
        entries: vec![
            entry(
                "cache-evicted",
                Group::Cache,
                &evicted,
                Outcome::Judged(vec![
                    said(Column::Live, &evicted, ineffective, &["cache-evicted"]),
                    said(Column::Log, &from_log, ineffective, &["cache-miss"]),
                ]),
            ),
            Entry {
                evidence: Some("out/cache-locked".to_owned()),
                ..entry(
                    "cache-locked",
                    Group::Cache,
                    &locked,
                    Outcome::Judged(vec![
                        said(Column::Live, &locked, ineffective, &["cache-empty", "cache-locked"]),
                        said(Column::Log, &locked, Verdict::Inconclusive, &["cache-empty", "net-loss"]),
                    ]),
                )
            },
            entry(
                "dance-missing",
                Group::Dance,
                &missing,
                Outcome::Stopped { reason: "no engine answers".to_owned(), hint: Some("start one".to_owned()) },
            ),
        ],
        wall: Duration::from_secs(64),
    }
}

#[test]
fn the_outcome_names_each_difference() {
    insta::assert_snapshot!(outcome(&round(), false), @"");
}

#[test]
fn the_matrix_marks_what_is_missing_and_what_is_unexpected() {
    insta::assert_snapshot!(matrix(&Matrix::of_entries(&round().entries), false), @"");
}

#[test]
fn junit_has_a_case_for_each_scenario_and_kind_of_evidence() {
    insta::assert_snapshot!(junit(&round()), @"");
}

#[test]
fn the_document_tells_what_was_expected_and_seen() {
    let document: serde_json::Value = serde_json::from_str(&json(&round())).unwrap();
    assert_eq!(document["schema"], 1);
    assert_eq!(document["as_expected"], false);
    assert_eq!(document["partition"], "1/2");
    let outcomes: Vec<_> = (0..3).map(|at| document["scenarios"][at]["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["as-expected", "different", "stopped"]);
    let log = &document["scenarios"][1]["judged"][1];
    assert_eq!((&log["missing"][0], &log["unexpected"][0]), (&"cache-locked".into(), &"net-loss".into()));
    assert_eq!(
        document["matrix"]["codes"].as_array().unwrap().len(),
        document["matrix"]["rows"][0]["log"].as_array().unwrap().len()
    );
}

fn all() -> Vec<Chosen> {
    select(&[], Form::Faulty, None).unwrap()
}

#[test]
fn everything_a_person_reads_fits_80_columns() {
    let catalogue = all();
    let scenarios: Vec<_> = catalogue.iter().map(|chosen| chosen.scenario.clone()).collect();
    let mut pages =
        vec![list(&catalogue, false), matrix(&Matrix::of_scenarios(&scenarios), false), outcome(&round(), false)];
    pages.extend(catalogue.iter().map(|chosen| show(chosen, false).unwrap()));
    // A file is shown as it is, and so is a diff.
    let kept = |line: &&str| !line.starts_with("  ") && !line.starts_with("! ") && !line.starts_with("+ ");
    for page in &pages[..3] {
        assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
    }
    for page in &pages[3..] {
        assert!(page.lines().filter(kept).all(|line| line.chars().count() <= 80), "{page}");
    }
}

#[test]
fn a_scenario_is_told_with_its_faulty_lines_marked() {
    let chosen = select(&["dance-missing".to_owned()], Form::Faulty, None).unwrap().remove(0);
    let page = show(&chosen, false).unwrap();
    assert!(
        page.contains("\nCause\n") && page.contains("\nWhat the verifier says\n  ineffective\n  dance-missing\n"),
        "{page}"
    );
    assert!(page.contains("the fix adds lines below this one") && page.contains("\nfix.diff\n"), "{page}");
    let painted = show(&chosen, true).unwrap();
    assert_eq!(anstream::adapter::strip_str(&painted).to_string(), page, "colour adds nothing to read");
}
