//! What reports look like, in full.

use super::{Document, TextOptions, github, json, markdown, text};
use crate::verify::testing::{Job, case, with_id};
use crate::verify::{Profile, Report, Thresholds, verify};

fn plain(report: &Report, subject: &str) -> String {
    text(
        report,
        &TextOptions {
            color: false,
            width: 80,
            subject,
            evidence: Some("/tmp/x"),
            repeat: Some("verify-buildkit-cache run"),
        },
    )
}

fn effective() -> Report {
    verify(&case(Profile::Checklist, &[Job::cold(), Job::warm()]))
}

fn ineffective() -> Report {
    let fault = |job: Job| {
        job.but(|job| job.mounts = vec![with_id("/go/pkg/mod", "go-mod"), with_id("/root/.cache/go-build", "go-build")])
    };
    verify(&case(Profile::Checklist, &[fault(Job::cold_saving_nothing()), fault(Job::hit_empty())]))
}

fn inconclusive() -> Report {
    verify(&case(Profile::Checklist, &[Job::cold().but(|job| job.prints_sizes = false)]))
}

#[test]
fn an_effective_case_as_text() {
    insta::assert_snapshot!(plain(&effective(), "scenario healthy"), @"");
}

#[test]
fn an_ineffective_case_as_text() {
    insta::assert_snapshot!(plain(&ineffective(), "scenario cache-map-id-mismatch"), @"");
}

#[test]
fn an_inconclusive_case_as_text() {
    insta::assert_snapshot!(plain(&inconclusive(), "ci.log"), @"");
}

#[test]
fn an_ineffective_case_as_annotations() {
    insta::assert_snapshot!(github(&ineffective()), @"");
}

#[test]
fn an_inconclusive_case_as_markdown() {
    insta::assert_snapshot!(markdown(&inconclusive(), "ci.log"), @"");
}

#[test]
fn an_ineffective_case_as_json() {
    let thresholds = Thresholds::default();
    let about = Document {
        command: "run",
        scenario: Some("cache-map-id-mismatch"),
        profile: Profile::Checklist,
        thresholds: &thresholds,
        evidence: None,
    };
    let mut document = json(&ineffective(), &about);
    // One run and two steps show the shape.
    document["runs"].as_array_mut().unwrap().remove(0);
    document["runs"][0]["steps"].as_array_mut().unwrap().truncate(2);
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap(), @"");
}

#[test]
fn what_was_not_seen_is_null_and_never_zero() {
    let thresholds = Thresholds::default();
    let about =
        Document { command: "logs", scenario: None, profile: Profile::Auto, thresholds: &thresholds, evidence: None };
    let document = json(&inconclusive(), &about);
    let run = &document["runs"][0];
    assert!(run["mounts"][0]["before_bytes"].is_null() && run["restore"]["bytes"].is_null());
    let cold = json(&verify(&case(Profile::Auto, &[Job::cold().but(|job| job.layer_cached = true)])), &about);
    assert!(cold["runs"][0]["build"]["seconds"].is_null() && cold["runs"][0]["build"]["downloads"].is_null());
}

#[test]
fn nothing_is_wider_than_the_page_but_what_is_to_be_copied() {
    for report in [effective(), ineffective(), inconclusive()] {
        for width in [64, 80, 120] {
            let options = TextOptions { color: false, width, subject: "x", evidence: None, repeat: None };
            let page = text(&report, &options);
            let wide: Vec<&str> = page
                .lines()
                .filter(|line| line.chars().count() > width && !line.contains("--mount") && !line.contains('`'))
                .collect();
            assert!(wide.is_empty(), "{wide:#?}");
        }
    }
}

#[test]
fn many_runs_still_fit() {
    let jobs: Vec<Job> = [vec![Job::cold()], vec![Job::warm(); 8]].concat();
    let page = plain(&verify(&case(Profile::Auto, &jobs)), "many");
    assert!(page.contains("run 1") && page.contains("run 9") && page.contains("not shown"), "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
}

#[test]
fn colour_changes_nothing_but_colour() {
    for report in [effective(), ineffective(), inconclusive()] {
        let options = TextOptions { color: true, width: 80, subject: "x", evidence: None, repeat: None };
        let painted = text(&report, &options);
        assert!(painted.contains('\u{1b}'));
        let stripped = anstream::adapter::strip_str(&painted).to_string();
        assert_eq!(stripped, text(&report, &TextOptions { color: false, ..options }));
    }
}

#[test]
fn an_escape_sequence_in_a_log_reaches_no_terminal() {
    let mut report = ineffective();
    for finding in &mut report.findings {
        finding.title.push_str("\u{1b}[2J");
        finding.evidence.iter_mut().for_each(|quote| quote.text.push_str("\u{1b}]0;x\u{7}\n::error::x"));
    }
    for rendered in [plain(&report, "\u{1b}[2J"), markdown(&report, "\u{1b}"), github(&report)] {
        assert!(!rendered.contains(['\u{1b}', '\u{7}']));
        assert!(!rendered.lines().any(|line| line.starts_with("::error::")));
    }
}

#[test]
fn every_code_has_a_page_that_names_it() {
    for code in crate::verify::Code::ALL {
        let page = super::explain(*code);
        assert!(page.starts_with(code.as_str()) && page.contains("What to do"), "{page}");
    }
    insta::assert_snapshot!(super::explain(crate::verify::Code::CacheLocked), @"");
}
