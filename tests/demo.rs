//! `demo` replays recorded runs: each still ends as its scenario says, by the logs alone, and a pipe gets plain text at once.

#![expect(clippy::unwrap_used, reason = "a test says what it sees and stops where it fails")]

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use verify_buildkit_cache::catalogue::{Column, JudgedBy, JudgedRuns, ScenarioForm, judge, select};
use verify_buildkit_cache::evidence::Evidence;
use verify_buildkit_cache::log::LogReader;
use verify_buildkit_cache::report::{ReplayStyle, replay};
use verify_buildkit_cache::scenario;
use verify_buildkit_cache::scenario::recording::{recorded, recording};
use verify_buildkit_cache::verify::Severity;

/// More than this the program should not grow by for a demonstration.
const MODEST: usize = 400_000;

/// Has the logs of one form judged, as the verifier judges the logs of a CI.
fn judged(name: &str, form: ScenarioForm, logs: &[String]) -> JudgedRuns {
    let chosen = select(&[name.to_owned()], form, None).unwrap().remove(0);
    let read = |(log, number): (&String, usize)| {
        let mut reader = LogReader::new(&format!("run-{number}.log"));
        reader.feed(log.as_bytes());
        reader.finish().remove(0).evidence()
    };
    let runs: Vec<Evidence> = logs.iter().zip(1..).map(read).collect();
    let by = JudgedBy::of(&chosen.scenario);
    judge(&chosen, Column::Log, &runs, &by).into_iter().rfind(|judged| judged.last).unwrap()
}

fn demo(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_verify-buildkit-cache")).arg("demo").args(arguments).output().unwrap()
}

#[test]
fn every_recording_ends_as_its_scenario_says() {
    let mut different = Vec::new();
    for name in recorded() {
        let logs = recording(&name).unwrap().unwrap();
        assert!(!logs.faulty.is_empty(), "{name}");
        let mut hold = |form, logs: &[String]| {
            let judged = judged(&name, form, logs);
            different
                .extend(judged.comparison.differences().into_iter().map(|what| format!("{name} ({form:?}): {what}")));
        };
        hold(ScenarioForm::Faulty, &logs.faulty);
        if !logs.fixed.is_empty() {
            hold(ScenarioForm::Fixed, &logs.fixed);
        }
    }
    assert!(different.is_empty(), "{}\nrecord anew: make recordings", different.join("\n"));
}

#[test]
fn a_recording_that_lost_a_line_ends_otherwise() {
    // What is held above can fail: without the size of the archive nobody can see that it is empty.
    let mut logs = recording("cache-locked").unwrap().unwrap().faulty;
    let kept =
        |log: &String| log.lines().filter(|line| !line.contains("Cache Size: ~0 MB")).collect::<Vec<_>>().join("\n");
    logs = logs.iter().map(kept).collect();
    assert!(!judged("cache-locked", ScenarioForm::Faulty, &logs).comparison.agrees());
}

#[test]
fn what_is_recorded_is_enough_to_teach_and_small() {
    let names = recorded();
    assert!(names.len() >= 8, "{names:?}");
    for name in ["healthy", "cache-locked", "cache-empty", "cache-after-dance", "cache-map-id-mismatch"] {
        assert!(names.iter().any(|known| known == name), "{name} is not recorded");
    }
    assert!(names.iter().all(|name| scenario::names().contains(name)), "a recording without a scenario: {names:?}");
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings");
    let bytes: u64 = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert!(bytes < MODEST as u64, "{bytes} bytes");
}

#[test]
fn a_fault_that_a_line_shows_is_pointed_at() {
    for name in recorded() {
        let logs = recording(&name).unwrap().unwrap().faulty;
        let report = judged(&name, ScenarioForm::Faulty, &logs).report;
        let in_logs = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
        let in_logs = in_logs.flat_map(|finding| &finding.evidence).filter(|quote| quote.line.is_some()).count();
        let mut pointed = 0;
        for (log, number) in logs.iter().zip(1..) {
            let mut reader = LogReader::new(&format!("run-{number}.log"));
            reader.feed(log.as_bytes());
            let events = reader.finish().remove(0).events;
            let style = ReplayStyle { color: false, width: None };
            let lines = replay(&events, &report, number == logs.len(), style);
            assert!(lines.len() > 5, "{name}: run {number} tells nothing");
            pointed += lines.iter().filter(|line| line.text.starts_with(">>")).count();
        }
        let silent = in_logs == 0 && !report.findings.is_empty();
        assert!(pointed > 0 || silent, "{name}: {in_logs} lines show what is wrong, and none is pointed at");
    }
}

#[test]
fn a_pipe_gets_plain_text_at_once() {
    let began = Instant::now();
    let output = demo(&["cache-locked"]);
    assert!(began.elapsed() < Duration::from_secs(20), "it waited");
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains('\u{1b}') && !text.contains('\r'), "a pipe gets no colours and no tricks");
    assert!(!text.contains('…') || !text.contains("v1-Linux-go-19cd…"), "a key is whole in a pipe");
    for part in [
        "run 1 of 3",
        "run 3 of 3, which is judged",
        "The line that everybody overlooks",
        "cache-locked",
        "ineffective",
        "the fix",
        "with the fix: effective",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn where_no_fix_is_recorded_the_set_up_that_works_stands_beside_it() {
    for name in recorded() {
        let fixed = !recording(&name).unwrap().unwrap().fixed.is_empty();
        let text = String::from_utf8(demo(&[name.as_str()]).stdout).unwrap();
        let beside = text.lines().any(|line| line.trim_start().starts_with("as it was"));
        assert_eq!(beside, name != "healthy", "{name}:\n{text}");
        assert_eq!(text.contains("with the fix: "), fixed, "{name}");
    }
}

#[test]
fn without_a_name_it_shows_what_works_and_the_most_common_fault() {
    let text = String::from_utf8(demo(&[]).stdout).unwrap();
    let healthy = text.find("healthy: ").unwrap();
    assert!(healthy < text.find("cache-locked: ").unwrap());
    assert!(text.contains("The line that proves it"));
}

#[test]
fn recordings_are_listed_and_an_unknown_one_is_refused() {
    let list = String::from_utf8(demo(&["--list"]).stdout).unwrap();
    assert_eq!(list.lines().count(), recorded().len());
    let refused = demo(&["cache-lockd"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("did you mean"), "{refused:?}");
    assert_eq!(demo(&["--speed", "0"]).status.code(), Some(2));
}

#[test]
fn what_is_shown_can_be_had_as_a_page() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("demo.html");
    let output = demo(&["cache-locked", "--html", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    let page = std::fs::read_to_string(file).unwrap();
    assert!(page.contains("recorded scenario cache-locked, with the fix: effective"), "both are on the page");
}
