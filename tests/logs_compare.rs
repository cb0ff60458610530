//! Consecutive logs: which run each was, and what makes them hard to compare.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

use std::path::Path;

use verify_buildkit_cache::log::LogReader;
use verify_buildkit_cache::verify::{Case, CaseSource, Profile, Report, Thresholds, verify};

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/logs").join(name);
    std::fs::read_to_string(path).unwrap()
}

fn judged(logs: &[String]) -> Report {
    let runs = logs.iter().enumerate().flat_map(|(at, log)| {
        let mut reader = LogReader::new(&format!("{}.log", at + 1));
        reader.feed(log.as_bytes());
        reader.finish().iter().map(|job| job.evidence()).collect::<Vec<_>>()
    });
    verify(&Case {
        runs: runs.collect(),
        source: CaseSource::Logs,
        thresholds: Thresholds::default(),
        profile: Profile::Auto,
    })
}

/// What the notes say, with the lines they rest on.
fn notes(logs: &[String]) -> Vec<String> {
    let places = |note: &verify_buildkit_cache::verify::Note| {
        let places = note.evidence.iter().map(|quote| format!("{}:{}", quote.source, quote.line.unwrap()));
        places.collect::<Vec<_>>().join(" ")
    };
    judged(logs).notes.iter().map(|note| format!("{} ({})", note.text, places(note)).replace(" ()", "")).collect()
}

/// Two runs that have everything in common.
fn two() -> [String; 2] {
    [fixture("cache-v42-cannot-create-the-entry-twice.log"), fixture("cache-v43-partial-hit-by-restore-key.log")]
        .map(|log| log.replace("actions/cache@v4.2.0", "actions/cache@v4").replace("go-def", "go-abc"))
}

#[test]
fn runs_with_all_in_common_get_no_warning() {
    let notes = notes(&two());
    assert!(notes[0].starts_with("run 1 looks like a first run: no cache was found"), "{notes:?}");
    assert!(notes[0].contains("; run 2 is a later run: a cache was found"), "{notes:?}");
    assert!(!notes.iter().any(|note| note.starts_with("run 1 and run 2")), "{notes:?}");
}

#[test]
fn every_difference_between_two_runs_is_named_with_its_lines() {
    for (old, new, said) in [
        (
            "-B main refs/remotes/origin/main",
            "-B dev refs/remotes/origin/dev",
            "run 1 and run 2 are of different branches: `main` and `dev` (1.log:13 2.log:13)",
        ),
        (
            "Image: ubuntu-24.04",
            "Image: ubuntu-22.04",
            "run 1 and run 2 ran on different runner images: `ubuntu-24.04` and `ubuntu-22.04` (1.log:3 2.log:3)",
        ),
        (
            "golang:1.25-alpine",
            "golang:1.26-alpine",
            "run 1 and run 2 build with different Go images: `golang:1.25-alpine` and `golang:1.26-alpine`",
        ),
        (
            "  key: go-abc",
            "  key: v2-go-abc",
            "run 1 and run 2 have cache keys that begin differently: `go-abc` and `v2-go-abc`",
        ),
        ("buildkit-cache-dance@v3.3.2", "buildkit-cache-dance@v3.3.1", "run 1 and run 2 use different dances"),
        (
            "time go build ./...",
            "time go build -race ./...",
            "run 1 and run 2 compile by different commands, so the Dockerfile has changed",
        ),
        (
            "  context: .",
            "  file: docker/Dockerfile",
            "run 1 and run 2 build different Dockerfiles: `Dockerfile` and `docker/Dockerfile`",
        ),
    ] {
        let [first, second] = two();
        assert!(second.contains(old), "{old}");
        let notes = notes(&[first, second.replace(old, new)]);
        assert!(notes.iter().any(|note| note.starts_with(said)), "{new}: {notes:#?}");
        let warnings = notes.iter().filter(|note| note.starts_with("run 1 and run 2")).count();
        assert_eq!(warnings, 1, "{new}: {notes:#?}");
    }
}

#[test]
fn what_only_one_run_shows_is_no_difference() {
    let [first, second] = two();
    let second: Vec<&str> =
        second.lines().filter(|line| !line.contains("Image: ") && !line.contains("git checkout")).collect();
    let notes = notes(&[first, second.join("\n")]);
    assert!(!notes.iter().any(|note| note.starts_with("run 1 and run 2")), "{notes:?}");
}

#[test]
fn which_run_a_single_log_shows_is_said() {
    let of = |name: &str| notes(&[fixture(name)])[0].clone();
    assert!(of("healthy-first-run.log").starts_with("this run looks like a first run: no cache was found"));
    assert!(of("healthy-second-run.log").starts_with("this run is a later run: a cache was found"));
    assert!(of("cut-off-before-the-build.log").starts_with("this run may be the first run or a later one"));
}
