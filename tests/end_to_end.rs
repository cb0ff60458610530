//! The program on the real engine, as a person starts it: what it says, what its logs say, and what it leaves behind.
//!
//! One test after the other, since a machine of two cores that runs two builds at once proves nothing about time.
//! Without an engine these tests fail; `SKIP_ENGINE_TESTS=1` leaves them out.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test stops where something is missing, and says so")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;
use verify_buildkit_cache::scenario;

use support::engine::{Engine, Holdings};
use support::own::{Own, go_image};
use support::program::{self, Ended};
use support::relay::{Line, Relay};
use support::tree;
use support::trials::on_the_engine;

/// How long the program may take to clean up after a signal.
const CLEAN_UP: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    let tests: [(&'static str, fn()); 17] = [
        ("the_whole_catalogue_ends_as_it_says", catalogue),
        ("healthy_on_the_small_sample_is_effective_and_cold_without_the_dance", healthy),
        ("ctrl_c_while_several_scenarios_run_leaves_nothing_behind", catalogue_stopped),
        ("a_run_leaves_a_persons_own_project_mounts_and_images_as_they_were", own_things_survive),
        ("ctrl_c_in_a_build_leaves_nothing_behind", || stopped_by("INT", "Ctrl-C")),
        ("sigterm_in_a_build_leaves_nothing_behind", || stopped_by("TERM", "SIGTERM")),
        ("what_a_run_leaves_that_is_killed_outright_the_next_start_removes", killed_outright),
        ("a_clean_up_takes_nothing_of_a_run_that_is_under_way", beside_a_live_run),
        ("an_engine_that_dies_in_a_build_is_named_and_what_it_holds_goes_when_it_is_back", engine_dies),
        ("an_engine_that_hangs_in_a_build_is_given_up", engine_hangs),
        ("a_slow_line_to_the_engine_changes_no_verdict", slow_line),
        ("a_run_without_a_journal_warns_and_goes_on", without_journal),
        ("an_image_that_cannot_be_pulled_is_named", image_cannot_be_pulled),
        ("a_project_that_does_not_compile_shows_the_compilers_words", does_not_compile),
        ("a_cache_map_that_is_not_json_crashes_the_dance", cache_map_not_json),
        ("a_full_disk_stops_the_run_with_its_path_and_leaves_nothing_behind", full_disk),
        ("what_tells_runs_apart_can_tell_them_apart", namespaces_are_told_apart),
    ];
    on_the_engine("end-to-end tests", &format!(", one of them all {} scenarios", scenario::names().len()), &tests)
}

fn healthy() {
    let engine = Engine::of_the_environment();
    let before = engine.holdings();
    let ended = program::run(&["--scenario", "healthy", "--sample", "small", "--control"]);
    let document = ended.document();
    assert_eq!((ended.code, text(&document["verdict"])), (Some(0), "effective"), "{document:#}\n{}", ended.stderr);
    let passed = ["A", "B", "C1", "C2", "C3"].map(|id| format!("{id} pass"));
    assert_eq!(checks(&document), passed, "{document:#}");
    assert_eq!(codes(&document, "error"), BTreeSet::new(), "{document:#}");
    assert!(
        ended.stderr.contains("control: without the dance every mount was empty before the build"),
        "{}",
        ended.stderr
    );
    let small = ["--min-restore", "5MB", "--min-mod", "5MB", "--min-build", "10MB"].map(str::to_owned);
    logs_say_the_same(&ended, &document, &small);
    nothing_is_left(&engine, &before, &ended);
}

/// All scenarios on the real engine, several at a time: none is left out, each ends as it says live and by its logs, and
/// by the same numbers a log answers each check as the live evidence does, unless the scenario says that it shows less.
fn catalogue() {
    let engine = Engine::of_the_environment();
    let before = engine.holdings();
    let ended = program::start_scenarios(&[]).end();
    let document = ended.document();
    let entries = document["scenarios"].as_array().unwrap();
    let named: BTreeSet<String> = entries.iter().map(|entry| text(&entry["name"]).to_owned()).collect();
    assert_eq!(named, scenario::names().into_iter().collect(), "every scenario is run");
    let wrong: Vec<&Value> = entries.iter().filter(|entry| entry["outcome"] != "as-expected").collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{}", ended.stderr);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for name in named.iter().filter(|name| scenario::find(name).unwrap().about.from_log.is_none()) {
        let report = |file: &str| -> Value {
            let path = ended.evidence().join(name).join(file);
            serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
        };
        assert_eq!(checks(&report("report.json")), checks(&report("report-from-logs.json")), "{name}");
    }
    nothing_is_left(&engine, &before, &ended);
}

fn catalogue_stopped() {
    let engine = Engine::of_the_environment();
    let before = engine.holdings();
    let mut started = program::start_scenarios(&["--jobs", "2", "cache-map-id-mismatch", "dance-missing"]);
    while engine.holdings().sessions_of(started.process()).len() < 2 {
        assert!(started.runs(), "it ended before both had begun: {}", started.end().stderr);
        std::thread::sleep(Duration::from_millis(100));
    }
    started.signal("INT");
    let ended = started.end_within(CLEAN_UP);
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(ended.stderr.contains("stopped by Ctrl-C"), "{}", ended.stderr);
    nothing_is_left(&engine, &before, &ended);
}

fn own_things_survive() {
    let engine = Engine::of_the_environment();
    let own = Own::make(&engine);
    let project = tempfile::tempdir().unwrap();
    write_project(project.path(), "package main\n\nfunc main() { println(\"mine\") }\n");
    std::os::unix::fs::symlink("main.go", project.path().join("link")).unwrap();
    let (before, tree) = (engine.holdings(), tree::snapshot(project.path()));
    let ended = program::run(&["--project", project.path().to_str().unwrap()]);
    let document = ended.document();
    assert_eq!(tree::snapshot(project.path()), tree, "the project is only read");
    nothing_is_left(&engine, &before, &ended);
    own.are_still_there();
    assert_eq!(text(&document["verdict"]), "effective", "{document:#}\n{}", ended.stderr);
    assert_eq!(ended.code, Some(0));
    // The project needs no module, which only the engine's own records can prove: a log may have lost its download lines.
    let (code, read) = ended.read_back(&[]);
    assert_eq!((code, text(&read["verdict"])), (Some(3), "inconclusive"), "{read:#}");
    assert_eq!(codes(&read, "error"), codes(&document, "error"), "{read:#}");
}

fn stopped_by(signal: &str, called: &str) {
    let engine = Engine::of_the_environment();
    let own = Own::make(&engine);
    let before = engine.holdings();
    let mut started = program::start(&["--scenario", "cache-map-id-mismatch"]);
    wait_for_its_build(&engine, &mut started);
    started.signal(signal);
    let ended = started.end_within(CLEAN_UP);
    let code = match signal {
        "INT" => 130,
        "TERM" => 143,
        _ => 129,
    };
    assert_eq!(ended.code, Some(code), "{}", ended.stderr);
    assert!(ended.stderr.contains(&format!("stopped by {called}")), "{}", ended.stderr);
    let log = fs::read_to_string(ended.evidence().join("run-1/job.log")).unwrap();
    assert!(log.contains("Run docker/build-push-action"), "the log is kept up to where it stopped:\n{log}");
    for private in [ended.evidence(), ended.evidence().join("run-1")] {
        assert_eq!(fs::metadata(&private).unwrap().permissions().mode() & 0o077, 0, "{}", private.display());
    }
    nothing_is_left(&engine, &before, &ended);
    own.are_still_there();
}

/// Nobody can clean up after a SIGKILL but the next start, by what the first has written down.
fn killed_outright() {
    let engine = Engine::of_the_environment();
    let own = Own::make(&engine);
    let before = engine.holdings();
    let mut started = program::start(&["--scenario", "cache-map-id-mismatch"]);
    wait_for_its_build(&engine, &mut started);
    started.signal("KILL");
    let ended = started.end_within(CLEAN_UP);
    assert!(!engine.holdings().made_by(ended.process).is_empty() && !ended.left_temporary().is_empty());
    let looked = ended.again(&["clean", "--dry-run"]);
    assert!(looked.stdout.contains("would remove") && looked.code == Some(0), "{}{}", looked.stdout, looked.stderr);
    assert!(!engine.holdings().made_by(ended.process).is_empty() && !ended.left_temporary().is_empty());
    let cleaned = ended.again(&["clean"]);
    assert_eq!(cleaned.code, Some(0), "{}{}", cleaned.stdout, cleaned.stderr);
    assert!(cleaned.stdout.contains("cache mounts") && cleaned.stdout.contains("1 directory"), "{}", cleaned.stdout);
    nothing_is_left(&engine, &before, &ended);
    assert_eq!(ended.again(&["clean"]).stdout, "nothing was left by any run\n");
    own.are_still_there();
}

/// A run beside it lives, so a second start takes nothing of it.
fn beside_a_live_run() {
    let engine = Engine::of_the_environment();
    let before = engine.holdings();
    let mut started = program::start(&["--scenario", "cache-map-id-mismatch"]);
    wait_for_its_build(&engine, &mut started);
    let beside = started.beside(&["clean"]);
    assert_eq!(beside.stdout, "1 run is under way, left alone\nnothing was left by any run\n", "{}", beside.stderr);
    assert!(started.runs() && !engine.holdings().made_by(started.process()).is_empty());
    let ended = started.end();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    nothing_is_left(&engine, &before, &ended);
}

fn without_journal() {
    let engine = Engine::of_the_environment();
    let before = engine.holdings();
    let started = program::start_without_state(&["--sample", "small", "--go-image", "nope.example/x:1"]);
    let ended = started.end_within(Duration::from_secs(60));
    let warned = ended.stderr.find("warning: cannot write the journal /dev/null/state");
    let went_on = ended.stderr.find("image `nope.example/x:1`");
    assert!(warned.is_some() && warned < went_on && ended.stderr.contains("XDG_STATE_HOME"), "{}", ended.stderr);
    nothing_is_left(&engine, &before, &ended);
}

fn engine_dies() {
    let engine = Engine::of_the_environment();
    let before = engine.holdings();
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("engine");
    let relay = Relay::listen(socket.clone(), engine.address());
    let mut started = program::start_on(&relay.address(), &["--scenario", "cache-map-id-mismatch"]);
    wait_for_its_build(&engine, &mut started);
    relay.die();
    let ended = started.end_within(Duration::from_secs(60));
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    assert!(ended.stderr.contains("error: the engine failed while building"), "{}", ended.stderr);
    let log = fs::read_to_string(ended.evidence().join("run-1/job.log")).unwrap();
    assert!(log.contains("Run docker/build-push-action"), "the log is kept up to where it stopped:\n{log}");
    // Nobody can be asked to give it back yet.
    let kept = ended.again(&["clean"]);
    assert_eq!(kept.code, Some(4), "{}{}", kept.stdout, kept.stderr);
    assert!(kept.stderr.contains("stays: no container engine answers"), "{}", kept.stderr);
    let _relay = Relay::listen(socket, engine.address());
    let cleaned = ended.again(&["clean"]);
    assert_eq!(cleaned.code, Some(0), "{}{}", cleaned.stdout, cleaned.stderr);
    nothing_is_left(&engine, &before, &ended);
}

fn engine_hangs() {
    let engine = Engine::of_the_environment();
    let before = engine.holdings();
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::listen(dir.path().join("engine"), engine.address());
    let mut started = program::start_on(&relay.address(), &["--scenario", "cache-map-id-mismatch"]);
    wait_for_its_build(&engine, &mut started);
    relay.set(Line::Silent);
    std::thread::sleep(Duration::from_secs(50));
    // The clean-up asks the same engine, which answers again.
    relay.set(Line::Good);
    let ended = started.end_within(Duration::from_secs(60));
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    assert!(ended.stderr.contains("while building: it has not answered for 30 seconds"), "{}", ended.stderr);
    assert!(ended.evidence().join("run-1/job.log").exists());
    nothing_is_left(&engine, &before, &ended);
}

fn slow_line() {
    let engine = Engine::of_the_environment();
    let before = engine.holdings();
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::listen(dir.path().join("engine"), engine.address());
    relay.set(Line::Slow);
    let started = program::start_on(&relay.address(), &["--scenario", "cache-map-id-mismatch"]);
    let ended = started.end_within(Duration::from_secs(240));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(codes(&ended.document(), "error").contains("cache-map-id-mismatch"));
    nothing_is_left(&engine, &before, &ended);
}

/// Waits until a run is in its first build of the project.
fn wait_for_its_build(engine: &Engine, started: &mut program::Started) {
    // The engine makes the record of a step's root when the step begins: this one is the step that builds.
    let builds = |holdings: &Holdings, process| {
        holdings.made_by(process).iter().any(|text| text.starts_with("mount / ") && text.contains("=== BEFORE"))
    };
    while !builds(&engine.holdings(), started.process()) {
        assert!(started.runs(), "it ended before its first build: {}", started.said());
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn image_cannot_be_pulled() {
    let engine = Engine::of_the_environment();
    let before = engine.holdings();
    let started = program::start(&["--sample", "small", "--go-image", "nope.example/x:1"]);
    let ended = started.end_within(Duration::from_secs(60));
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    assert!(ended.stderr.contains("cannot get image `nope.example/x:1`"), "{}", ended.stderr);
    assert!(ended.stderr.contains("hint: ") && ended.stderr.contains("--go-image"), "{}", ended.stderr);
    nothing_is_left(&engine, &before, &ended);
}

fn does_not_compile() {
    let engine = Engine::of_the_environment();
    let project = tempfile::tempdir().unwrap();
    write_project(project.path(), "package main\n\nfunc main() { missing() }\n");
    let before = engine.holdings();
    let ended = program::run(&["--project", project.path().to_str().unwrap()]);
    // A project that does not build says nothing about its caches, so there is no verdict.
    assert_eq!(ended.code, Some(4), "{}\n{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("main.go:3:15: undefined: missing"), "{}", ended.stderr);
    assert!(ended.stderr.contains("does not work here, so nothing can be said about its caches"), "{}", ended.stderr);
    nothing_is_left(&engine, &before, &ended);
}

fn cache_map_not_json() {
    let engine = Engine::of_the_environment();
    let dir = tempfile::tempdir().unwrap();
    let workflow = scenario::find("healthy").unwrap().workflow.text;
    let broken = workflow.replace("\"go-pkg-mod\": \"/go/pkg/mod\",", "\"go-pkg-mod\": \"/go/pkg/mod\"");
    assert_ne!(broken, workflow);
    let path = dir.path().join("broken.yml");
    fs::write(&path, broken).unwrap();
    let before = engine.holdings();
    let ended = program::run(&["--workflow", path.to_str().unwrap(), "--sample", "small"]);
    let document = ended.document();
    assert_eq!(ended.code, Some(1), "{document:#}\n{}", ended.stderr);
    assert!(codes(&document, "error").contains("dance-crashed"), "{document:#}");
    let small = ["--min-restore", "5MB", "--min-mod", "5MB", "--min-build", "10MB"].map(str::to_owned);
    logs_say_the_same(&ended, &document, &small);
    nothing_is_left(&engine, &before, &ended);
}

fn full_disk() {
    let engine = Engine::of_the_environment();
    // Full while the modules of the sample are made, and after the first build, while the caches are saved.
    for (megabytes, cannot) in [(2, "/modules/"), (12, "/store/")] {
        let before = engine.holdings();
        let Some(ended) = program::run_on_small_disk(megabytes, &["--sample", "small"]) else {
            eprintln!("\nnote: this machine lets nobody mount a small disk, so a full one is not tried");
            return;
        };
        assert_eq!(ended.code, Some(4), "{}", ended.stderr);
        let error = ended.stderr.lines().find(|line| line.starts_with("error: cannot write ")).unwrap_or_default();
        assert!(error.contains(cannot) && error.contains("No space left on device"), "{}", ended.stderr);
        assert!(ended.stderr.contains("hint: the disk is full: free some space"), "{}", ended.stderr);
        nothing_is_left(&engine, &before, &ended);
    }
}

/// The checks above rest on telling one run's leavings from another's; blind, they would always pass.
fn namespaces_are_told_apart() {
    let holdings = |text: &str| {
        let record = support::engine::Record { id: "1".to_owned(), description: text.to_owned() };
        Holdings { records: [record].into(), ..Holdings::default() }
    };
    let made = holdings("mount / from exec /usr/bin/env VBC_RUNNER=vbc-1a208292adc0f15a2-r1-b1 /bin/sh -c make");
    assert_eq!(made.made_by(0xf_15a2).len(), 1);
    assert_eq!(made.made_by(0xe_15a2).len(), 0);
}

/// The written logs, judged by the same numbers, give the same verdict, checks and codes of every severity.
fn logs_say_the_same(ended: &Ended, document: &Value, numbers: &[String]) {
    let profile = ["--profile", "checklist"].map(str::to_owned);
    logs_say_the_same_as(ended, document, &[&profile, numbers].concat());
}

fn logs_say_the_same_as(ended: &Ended, document: &Value, judging: &[String]) {
    let (code, read) = ended.read_back(judging);
    let both = || format!("run: {document:#}\nlogs: {read:#}");
    assert_eq!(read["verdict"], document["verdict"], "{}", both());
    assert_eq!(checks(&read), checks(document), "{}", both());
    for severity in ["error", "warning", "note"] {
        assert_eq!(codes(&read, severity), codes(document, severity), "{severity}: {}", both());
    }
    assert_eq!(code, ended.code);
}

/// The engine and the disk hold what they held before, but for the evidence.
fn nothing_is_left(engine: &Engine, before: &Holdings, ended: &Ended) {
    let after = engine.holdings();
    let none: [String; 0] = [];
    assert_eq!(after.made_by(ended.process), none, "left on the engine");
    assert_eq!(ended.left_temporary(), [""; 0].map(std::path::PathBuf::from), "left in TMPDIR");
    if before.shared() || after.shared() {
        eprintln!("\nnote: others use the engine, so records without a mark are not compared");
        return;
    }
    assert_eq!(before.lost_in(&after), none, "gone from the engine");
    assert_eq!(after.lost_in(before), none, "new on the engine");
}

/// A person's small Go project, with a cache mount for each of Go's two caches.
fn write_project(dir: &Path, main: &str) {
    let image = go_image(&Engine::of_the_environment());
    let dockerfile = format!(
        "FROM {image} AS build\nWORKDIR /src\nCOPY . .\n\
         RUN --mount=type=cache,target=/go/pkg/mod \\\n    --mount=type=cache,target=/root/.cache/go-build \\\n    \
         go build -o /out/app .\n"
    );
    for (name, text) in
        [("go.mod", "module example.com/mine\n\ngo 1.25\n"), ("main.go", main), ("Dockerfile", &dockerfile)]
    {
        fs::write(dir.join(name), text).unwrap();
    }
}

fn checks(document: &Value) -> Vec<String> {
    let checks = document["checks"].as_array().unwrap().iter();
    checks.map(|check| format!("{} {}", text(&check["id"]), text(&check["status"]))).collect()
}

fn codes(document: &Value, severity: &str) -> BTreeSet<String> {
    let findings = document["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["severity"] == severity)
        .map(|finding| text(&finding["code"]).to_owned())
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
