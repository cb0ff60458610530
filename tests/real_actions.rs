//! Actions run for real: a dance of this project's own, with one fault after the other, on the real engine.
//!
//! Each fault must be told by its code, and whatever the action does, nothing of the machine may change. Without an engine,
//! or the programs that it takes, these tests fail; `SKIP_ENGINE_TESTS=1` leaves them out.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test stops where something is missing, and says so")]

#[expect(dead_code, reason = "other tests use the rest")]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use support::engine::Engine;
use support::program::{self, Ended};
use support::trials::on_the_engine;

/// Thresholds of the small sample, for the logs of its runs.
const SMALL: [&str; 6] = ["--min-restore", "5MB", "--min-mod", "5MB", "--min-build", "10MB"];

fn main() -> ExitCode {
    let tests: [(&'static str, fn()); 11] = [
        ("a_correct_dance_is_effective_and_its_log_says_the_same", correct),
        ("a_dance_that_writes_elsewhere_is_found_out", || {
            ends_in("elsewhere", 2, "ineffective", &["cache-path-missing"])
        }),
        ("a_dance_that_loses_the_second_cache_is_found_out", || {
            ends_in("second-lost", 2, "ineffective", &["build-cache-not-restored"])
        }),
        ("a_dance_that_swallows_a_failed_copy_is_found_out", || {
            ends_in("swallowed", 2, "ineffective", &["mounts-empty-before-build"])
        }),
        ("a_dance_that_crashes_on_the_way_out_is_found_out", || {
            ends_in("crashes", 1, "ineffective", &["extract-failed"])
        }),
        ("a_dance_that_hangs_is_stopped_with_all_its_processes", hangs),
        ("a_dance_that_leaves_processes_behind_leaves_none", leaves),
        ("a_dance_that_prints_megabytes_is_judged_all_the_same", megabytes),
        ("what_an_action_reaches_for_outside_is_not_there", reaches),
        ("ctrl_c_in_a_copy_leaves_nothing_behind", stopped),
        ("a_command_that_could_reach_what_is_the_users_stops_the_run", asks),
    ];
    on_the_engine("tests of real actions", "", &tests)
}

/// The dance with a fault.
fn dance(fault: &str) -> TempDir {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/actions");
    let dir = tempfile::tempdir().unwrap();
    for name in ["action.yml", "dance.js"] {
        fs::copy(from.join(name), dir.path().join(name)).unwrap();
    }
    fs::write(dir.path().join("fault"), fault).unwrap();
    dir
}

/// Runs the small healthy sample with the dance, so many times.
fn run(dance: &TempDir, runs: u32, more: &[&str]) -> Ended {
    let path = dance.path().to_str().unwrap();
    let runs = runs.to_string();
    let mut args = vec!["--sample", "small", "--dance", path, "--runs", &runs];
    args.extend(more);
    program::run(&args)
}

fn codes(document: &Value) -> BTreeSet<String> {
    let findings = document["findings"].as_array().into_iter().flatten();
    findings.filter_map(|finding| finding["code"].as_str()).map(str::to_owned).collect()
}

fn log(ended: &Ended, run: u32) -> String {
    fs::read_to_string(ended.evidence().join(format!("run-{run}/job.log"))).unwrap()
}

/// Nothing of the run is left: neither files, nor anything on the engine that bears its names.
fn left_nothing(ended: &Ended) {
    assert_eq!(ended.left_temporary(), Vec::<PathBuf>::new(), "{}", ended.stderr);
    let holdings = Engine::of_the_environment().holdings();
    assert_eq!(holdings.made_by(ended.process), Vec::<String>::new());
    // An image that is tagged bears the session's word in its name.
    let named = holdings.images.iter().find(|image| image.contains("vbc-") && image.contains("-job"));
    assert_eq!(named, None);
}

fn ends_in(fault: &str, runs: u32, verdict: &str, expected: &[&str]) {
    let ended = run(&dance(fault), runs, &[]);
    let document = ended.document();
    assert_eq!(document["verdict"], verdict, "{document:#}\n{}", ended.stderr);
    let found = codes(&document);
    assert!(expected.iter().any(|code| found.contains(*code)), "{found:?}\n{}", ended.stderr);
    left_nothing(&ended);
    let judging = SMALL.map(str::to_owned);
    let (_, logs) = ended.read_back(&judging);
    assert_eq!(logs["verdict"], verdict, "the logs say otherwise: {logs:#}");
}

fn correct() {
    let before = Engine::of_the_environment().holdings();
    let ended = run(&dance(""), 2, &["--trace"]);
    let document = ended.document();
    assert_eq!(
        (ended.code, &document["verdict"]),
        (Some(0), &Value::from("effective")),
        "{document:#}\n{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("docker buildx build"), "--trace shows no command: {}", ended.stderr);
    let log = log(&ended, 1);
    assert!(log.contains("  save-always: false\n"), "the header shows no default: {log}");
    left_nothing(&ended);
    let after = Engine::of_the_environment().holdings();
    assert_eq!(
        after.images.difference(&before.images).find(|image| image.contains("dance") || image.contains("busybox")),
        None
    );
    let (code, logs) = ended.read_back(&SMALL.map(str::to_owned));
    assert_eq!((code, &logs["verdict"]), (Some(0), &Value::from("effective")), "{logs:#}");
}

fn hangs() {
    let ended = run(&dance("hangs"), 1, &["--action-timeout", "25s"]);
    let document = ended.document();
    assert!(codes(&document).contains("dance-hung"), "{document:#}\n{}", ended.stderr);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(left_behind(), 0);
    left_nothing(&ended);
}

fn leaves() {
    let ended = run(&dance("leaves"), 2, &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(left_behind(), 0);
    left_nothing(&ended);
}

/// Counts the processes of the fixture that still run.
fn left_behind() -> usize {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let commands = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    commands.filter(|command| String::from_utf8_lossy(command).contains("vbc-left-behind")).count()
}

fn megabytes() {
    let ended = run(&dance("megabytes"), 2, &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(log(&ended, 1).contains("line 59999 "));
    left_nothing(&ended);
}

fn reaches() {
    let bait = tempfile::tempdir_in(std::env::var("HOME").unwrap_or_else(|_| "/tmp".to_owned())).unwrap();
    fs::write(bait.path().join("precious"), "x").unwrap();
    let root = Path::new("/root/.cache/verify-buildkit-cache-bait");
    let deep = fs::create_dir_all(root).and_then(|()| fs::write(root.join("precious"), "x")).is_ok();
    let engine = Engine::of_the_environment();
    let image = "vbc-bait-image:latest";
    let archive = {
        let mut tar = tar::Builder::new(Vec::new());
        tar.finish().unwrap();
        tar.into_inner().unwrap()
    };
    engine.ask("POST", "/images/create?fromSrc=-&repo=vbc-bait-image&tag=latest", &archive).unwrap();
    let dance = dance("reaches");
    let places = format!("{}\n{}", bait.path().display(), root.display());
    fs::write(dance.path().join("bait"), places).unwrap();
    let ended = run(&dance, 1, &[]);
    let log = log(&ended, 1);
    let held = engine.ask("GET", &format!("/images/{image}/json"), &[]);
    let _ = engine.ask("DELETE", &format!("/images/{image}"), &[]);
    assert!(held.is_ok(), "the user's image is gone: {held:?}");
    assert!(log.contains("nothing found") && !log.contains("FOUND"), "{log}");
    assert!(log.contains("HOME /home/runner DOCKER_CONFIG undefined SECRET undefined"), "{log}");
    assert!(log.contains("refused: E"), "{log}");
    assert!(bait.path().join("precious").exists());
    if deep {
        assert!(root.join("precious").exists());
        fs::remove_dir_all(root).unwrap();
    }
    assert!(dance.path().join("dance.js").exists());
    left_nothing(&ended);
}

fn asks() {
    let ended = run(&dance("asks"), 1, &[]);
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    let words =
        "`docker system prune --all --force` is not supported, because it could reach what is not this run's own";
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
    left_nothing(&ended);
}

fn stopped() {
    let dance = dance("");
    let path = dance.path().to_str().unwrap();
    let started = program::start(&["--sample", "small", "--dance", path, "--runs", "1"]);
    let log = started.evidence().join("run-1/job.log");
    for _ in 0..600 {
        if fs::read_to_string(&log).is_ok_and(|log| log.contains("RUN --mount=type=cache")) {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(400));
    started.signal("INT");
    let ended = started.end_within(Duration::from_secs(60));
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(ended.stderr.contains("stopped by Ctrl-C"), "{}", ended.stderr);
    left_nothing(&ended);
}
