//! What the catalogue's renderers write.

use std::time::Duration;

use super::{json, junit, list, matrix, outcome, show};
use crate::catalogue::{
    CatalogueRun, Column, Comparison, JudgedBy, JudgedRuns, Matrix, ScenarioForm, ScenarioOutcome, ScenarioResult,
    SeenResult, SelectedScenario, judge, select,
};
use crate::evidence::Evidence;
use crate::scenario::{Expect, Group};
use crate::verify::Verdict;

fn expect(verdict: &str, codes: &[&str]) -> Expect {
    Expect { verdict: verdict.to_owned(), codes: codes.iter().map(|code| (*code).to_owned()).collect() }
}

fn said(column: Column, expected: &Expect, verdict: Verdict, codes: &[&'static str]) -> JudgedRuns {
    let chosen = select(&["healthy".to_owned()], ScenarioForm::Faulty, None).unwrap().remove(0);
    let runs = [Evidence::fold("run 1", &[])];
    let mut judged = judge(&chosen, column, &runs, &JudgedBy::of(&chosen.scenario)).remove(0);
    judged.comparison =
        Comparison { expected: expected.clone(), seen: SeenResult { verdict, codes: codes.iter().copied().collect() } };
    judged
}

/// One that ends as it says, one whose log shows less than it says, and one that was stopped.
fn round() -> CatalogueRun {
    let entry = |name: &str, group, expected: &Expect, outcome| ScenarioResult {
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
    CatalogueRun {
        form: ScenarioForm::Faulty,
        partition: Some("1/2".parse().unwrap()),
        jobs: 2,
        entries: vec![
            entry(
                "cache-evicted",
                Group::Cache,
                &evicted,
                ScenarioOutcome::Judged(vec![
                    said(Column::Live, &evicted, ineffective, &["cache-evicted"]),
                    said(Column::Log, &from_log, ineffective, &["cache-miss"]),
                ]),
            ),
            ScenarioResult {
                evidence: Some("out/cache-locked".to_owned()),
                ..entry(
                    "cache-locked",
                    Group::Cache,
                    &locked,
                    ScenarioOutcome::Judged(vec![
                        said(Column::Live, &locked, ineffective, &["cache-empty", "cache-locked"]),
                        said(Column::Log, &locked, Verdict::Inconclusive, &["cache-empty", "net-loss"]),
                    ]),
                )
            },
            entry(
                "dance-missing",
                Group::Dance,
                &missing,
                ScenarioOutcome::Stopped { reason: "no engine answers".to_owned(), hint: Some("start one".to_owned()) },
            ),
        ],
        wall: Duration::from_secs(64),
    }
}

#[test]
fn the_outcome_names_each_difference() {
    insta::assert_snapshot!(outcome(&round(), false), @r#"
    A: actions/cache restores or saves nothing of use
      cache-evicted  as expected    21.5 s  ineffective
      cache-locked   DIFFERENT      21.5 s  ineffective
        log   verdict inconclusive, expected ineffective
        log   missing cache-locked
        log   unexpected net-loss
        evidence out/cache-locked

    B: cache-dance does not carry it
      dance-missing  STOPPED        21.5 s  ineffective
        no engine answers
        hint: start one

    3 scenarios (part 1/2): 1 as expected, 1 different, 1 not finished, in 1 min 4 s
    "#);
}

#[test]
fn the_matrix_marks_what_is_missing_and_what_is_unexpected() {
    insta::assert_snapshot!(matrix(&Matrix::of_entries(&round().entries), false), @r"

                   12345
    dance-missing  .....  stopped
    cache-locked   #-..!  verdict (log)
    cache-evicted  ..lg.

    #  seen live and in the log alone, as the scenario says
    l  seen live; the log alone cannot show it, as the scenario says
    g  seen in the log alone, as the scenario says
    -  missing, live or in the log
    !  unexpected, live or in the log

     1  cache-empty                      4  cache-miss
     2  cache-locked                     5  net-loss
     3  cache-evicted
    ");
}

#[test]
fn junit_has_a_case_for_each_scenario_and_kind_of_evidence() {
    insta::assert_snapshot!(junit(&round()), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="verify-buildkit-cache" tests="6" skipped="0" failures="1" errors="2" time="64.000">
        <testsuite name="scenarios.live" tests="3" skipped="0" errors="1" failures="0">
            <testcase name="cache-evicted" classname="scenarios.live" time="21.500"/>
            <testcase name="cache-locked" classname="scenarios.live" time="21.500">
                <system-out>evidence: out/cache-locked</system-out>
            </testcase>
            <testcase name="dance-missing" classname="scenarios.live" time="21.500">
                <error message="no engine answers" type="stopped">start one</error>
            </testcase>
        </testsuite>
        <testsuite name="scenarios.log" tests="3" skipped="0" errors="1" failures="1">
            <testcase name="cache-evicted" classname="scenarios.log" time="0.000"/>
            <testcase name="cache-locked" classname="scenarios.log" time="0.000">
                <failure message="verdict inconclusive, expected ineffective; missing cache-locked; unexpected net-loss" type="different">verdict inconclusive, expected ineffective
    missing cache-locked
    unexpected net-loss</failure>
                <system-out>evidence: out/cache-locked</system-out>
            </testcase>
            <testcase name="dance-missing" classname="scenarios.log" time="0.000">
                <error message="no engine answers" type="stopped">start one</error>
            </testcase>
        </testsuite>
    </testsuites>
    "#);
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

fn all() -> Vec<SelectedScenario> {
    select(&[], ScenarioForm::Faulty, None).unwrap()
}

#[test]
fn everything_a_person_reads_fits_80_columns() {
    let catalogue = all();
    let scenarios: Vec<_> = catalogue.iter().map(|chosen| chosen.scenario.clone()).collect();
    let mut pages = vec![
        list(&catalogue, Some(80), false),
        matrix(&Matrix::of_scenarios(&scenarios), false),
        outcome(&round(), false),
    ];
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
fn a_list_without_a_width_has_the_whole_titles() {
    let catalogue = all();
    let page = list(&catalogue, None, false);
    for chosen in &catalogue {
        assert!(page.contains(&format!("  {}\n", chosen.scenario.about.title)), "{page}");
    }
}

#[test]
fn a_scenario_is_told_with_its_faulty_lines_marked() {
    let chosen = select(&["dance-missing".to_owned()], ScenarioForm::Faulty, None).unwrap().remove(0);
    let page = show(&chosen, false).unwrap();
    assert!(
        page.contains("\nCause\n") && page.contains("\nWhat the verifier says\n  ineffective\n  dance-missing\n"),
        "{page}"
    );
    assert!(page.contains("the fix adds lines below this one") && page.contains("\nfix.diff\n"), "{page}");
    let painted = show(&chosen, true).unwrap();
    assert_eq!(anstream::adapter::strip_str(&painted).to_string(), page, "colour adds nothing to read");
}
