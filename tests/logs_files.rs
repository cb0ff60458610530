//! What the files at hand add to a log: `logs --dockerfile` and `logs --workflow`.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

/// A fixture log.
fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/logs").join(name);
    fs::read_to_string(path).unwrap()
}

/// Judges files of a directory; returns the document.
fn judged(files: &[(&str, &str)], args: &[&str]) -> serde_json::Value {
    let dir = holding(files);
    let mut command = Command::cargo_bin("verify-buildkit-cache").unwrap();
    let output = command.current_dir(dir.path()).args(["logs", "--format", "json"]).args(args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

fn holding(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| fs::write(dir.path().join(name), text).unwrap());
    dir
}

/// The codes of a document.
fn codes(document: &serde_json::Value) -> Vec<String> {
    let findings = document["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

const DOCKERFILE: &str = "FROM golang:1.25-alpine AS build\nCOPY . /src\n\
    RUN --mount=type=cache,target=/go/pkg/mod,id=go-mod,uid=1000,mode=0755 \\\n    \
    --mount=type=cache,target=/root/.cache/go-build,id=go-build,uid=1000,mode=0755 \\\n    go build ./...\n";

/// The cold log, with a partial owner in the cache map and its Dancefiles.
fn cold_with_owner() -> String {
    let log = fixture("id-in-dockerfile-but-not-in-cache-map.log");
    let owned =
        |target: &str, id: &str| format!(r#"{{"target": "{target}", "id": "{id}", "uid": 1000, "mode": "0755"}}"#);
    log.replace("\"cache/go-mod\": \"/go/pkg/mod\"", &format!("\"cache/go-mod\": {}", owned("/go/pkg/mod", "go-mod")))
        .replace(
            "\"cache/go-build\": \"/root/.cache/go-build\"",
            &format!("\"cache/go-build\": {}", owned("/root/.cache/go-build", "go-build")),
        )
        .replace("target=/go/pkg/mod,id=go-mod --mount", "target=/go/pkg/mod,id=go-mod,uid=1000,mode=0755 --mount")
        .replace("go-build,id=go-build ", "go-build,id=go-build,uid=1000,mode=0755 ")
        .replace(
            "RUN --mount=type=cache,target=/go/pkg/mod ",
            "RUN --mount=type=cache,target=/go/pkg/mod,id=go-mod,uid=1000,mode=0755 ",
        )
        .replace(
            "RUN --mount=type=cache,target=/root/.cache/go-build ",
            "RUN --mount=type=cache,target=/root/.cache/go-build,id=go-build,uid=1000,mode=0755 ",
        )
}

#[test]
fn a_partial_owner_is_the_same_in_log_and_dockerfile() {
    let log = cold_with_owner();
    // The name of the compiling step is lost, so that the mounts are the Dockerfile's.
    let lost: Vec<&str> = log.lines().filter(|line| !line.contains("#8 [build 4/4]")).collect();
    for log in [log.as_str(), &lost.join("\n")] {
        let files = [("run.log", log), ("Dockerfile", DOCKERFILE)];
        let document = judged(&files, &["--dockerfile", "Dockerfile", "run.log"]);
        let codes = codes(&document);
        assert!(!codes.iter().any(|code| code.starts_with("cache-map")), "{codes:?}");
    }
}

#[test]
fn a_dockerfile_names_the_owner_that_the_cache_map_lacks() {
    let log = fixture("uid-in-dockerfile-but-not-in-cache-map.log");
    let lost: Vec<&str> = log.lines().filter(|line| !line.contains("#8 [build 4/4]")).collect();
    let files = [("run.log", lost.join("\n")), ("Dockerfile", DOCKERFILE.to_owned())];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    assert_eq!(codes(&judged(&files, &["run.log"])), ["mounts-empty-before-build"]);
    let document = judged(&files, &["--dockerfile", "Dockerfile", "run.log"]);
    assert_eq!(codes(&document), ["cache-map-owner-mismatch"]);
    assert_eq!(document["findings"][0]["evidence"][0]["source"], "Dockerfile");
    assert_eq!(document["findings"][0]["evidence"][0]["line"], 3);
}

#[test]
fn a_dockerfile_at_hand_does_not_overrule_the_log() {
    let log = fixture("healthy-second-run.log");
    let document = judged(&[("run.log", &log), ("Dockerfile", DOCKERFILE)], &["--dockerfile", "Dockerfile", "run.log"]);
    assert_eq!(document["verdict"], "effective");
    assert_eq!(codes(&document), [""; 0]);
}
