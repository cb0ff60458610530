//! What the files at hand add to a log: `logs --dockerfile` and `logs --workflow`.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

#[path = "support/files.rs"]
mod files;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use assert_cmd::Command;
use verify_buildkit_cache::dockerfile::Dockerfile;
use verify_buildkit_cache::evidence::{Evidence, MountSpec, Quote};
use verify_buildkit_cache::log::{LogReader, LoggedJob, job_of, with_dockerfile_mounts, with_workflow};
use verify_buildkit_cache::source::Source;
use verify_buildkit_cache::verify::{
    Case, CaseSource, CheckStatus, Profile, Thresholds, Verdict, verify, verify_informed,
};
use verify_buildkit_cache::workflow::Workflow;

use files::holding;

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

const WORKFLOW: &str = "on: push\nenv:\n  CACHE_DIR: cache\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n      \
- uses: actions/checkout@v4\n      - uses: actions/cache@v4\n        with:\n          \
path: |\n            ${{ env.CACHE_DIR }}/go-mod\n            ${{ env.CACHE_DIR }}/go-build\n          \
key: go-${{ hashFiles('go.sum') }}\n          restore-keys: go-\n      \
- uses: reproducible-containers/buildkit-cache-dance@v3.3.2\n        with:\n          \
cache-map: '{\"cache/go-mod\": {\"target\": \"/go/pkg/mod\", \"id\": \"go-mod\"}}'\n      \
- uses: docker/build-push-action@v6\n        with:\n          no-cache: true\n";

fn read(log: &str) -> Vec<LoggedJob> {
    let mut reader = LogReader::new("run.log");
    reader.feed(log.as_bytes());
    reader.finish()
}

/// A log without the blocks that show what the steps were given.
fn without_blocks(log: &str) -> String {
    let mut inside = false;
    let kept = log.lines().filter(|line| {
        let text = line.split_once("Z ").map_or(*line, |(_, text)| text);
        inside &= !text.starts_with("##[endgroup]") || line.is_empty();
        let drop = inside && !text.starts_with("##[group]");
        inside |= text.starts_with("##[group]Run ");
        !drop
    });
    kept.collect::<Vec<_>>().join("\n")
}

/// A log of which only the output of caches and builds is left.
fn without_steps(log: &str) -> String {
    let kept = log.lines().map(|line| line.split_once("Z ").map_or(line, |(_, text)| text)).filter(|text| {
        text.starts_with('#') && !text.starts_with("##")
            || ["Cache ", "RUN "].iter().any(|start| text.starts_with(start))
    });
    kept.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_workflow_says_what_the_blocks_of_a_log_would_have_shown() {
    let log = without_blocks(&fixture("id-in-dockerfile-but-not-in-cache-map.log"));
    let log = log.replace(",id=go-mod", "").replace(",id=go-build", "");
    let files = [("run.log", log.as_str()), ("ci.yml", WORKFLOW)];
    assert!(!codes(&judged(&files, &["run.log"])).contains(&"no-cache-build".to_owned()));
    let document = judged(&files, &["--workflow", "ci.yml", "run.log"]);
    assert_eq!(codes(&document), ["no-cache-build"]);
    let evidence = &document["findings"][0]["evidence"][0];
    let line = 1 + WORKFLOW.lines().position(|line| line.contains("build-push")).unwrap();
    assert_eq!((&evidence["source"], &evidence["line"]), (&"ci.yml".into(), &line.into()));
}

#[test]
fn a_workflow_shows_the_order_that_a_log_without_steps_lacks() {
    let log = without_steps(&fixture("empty-cache-locked-to-its-key.log"));
    let cache = WORKFLOW.find("      - uses: actions/cache").unwrap();
    let dance = WORKFLOW.find("      - uses: reproducible").unwrap();
    let build = WORKFLOW.find("      - uses: docker/build").unwrap();
    // The cache stands after the dance.
    let workflow = [&WORKFLOW[..cache], &WORKFLOW[dance..build], &WORKFLOW[cache..dance], &WORKFLOW[build..]].concat();
    let workflow = workflow.replace("          no-cache: true\n", "          push: false\n");
    let files = [("run.log", log.as_str()), ("ci.yml", &workflow)];
    assert!(!codes(&judged(&files, &["run.log"])).contains(&"cache-after-dance".to_owned()));
    let document = judged(&files, &["--workflow", "ci.yml", "run.log"]);
    assert!(codes(&document).contains(&"cache-after-dance".to_owned()), "{:?}", codes(&document));
}

#[test]
fn a_workflow_names_the_directory_that_the_log_does_not() {
    let log = without_steps(&fixture("empty-cache-locked-to-its-key.log"));
    let workflow = WORKFLOW
        .replace("\"cache/go-mod\"", "\"go-mod\"")
        .replace("          no-cache: true\n", "          push: false\n");
    let files = [("run.log", log.as_str()), ("ci.yml", &workflow)];
    let document = judged(&files, &["--workflow", "ci.yml", "run.log"]);
    assert!(codes(&document).contains(&"cache-dir-mismatch".to_owned()), "{:?}", codes(&document));
}

#[test]
fn no_file_at_hand_makes_a_check_pass_that_the_log_alone_does_not() {
    let healthy = WORKFLOW.replace("          no-cache: true\n", "          push: false\n");
    let workflow = Workflow::parse(&Source::new("ci.yml", healthy)).unwrap();
    let mounts =
        Dockerfile::parse(&Source::new("Dockerfile", DOCKERFILE)).unwrap().cache_mounts(&BTreeMap::new()).unwrap();
    let mounts: Vec<MountSpec> = mounts.iter().map(|mount| MountSpec::from(&mount.options)).collect();
    let quote = Quote::measured("Dockerfile", "RUN");
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/logs");
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    for name in names.filter(|name| name.ends_with(".log") && !name.starts_with("utf16")) {
        let whole = String::from_utf8_lossy(
            &fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/logs").join(&name)).unwrap(),
        )
        .into_owned();
        for log in [whole.clone(), without_blocks(&whole), without_steps(&whole)] {
            for job in read(&log) {
                let events = with_dockerfile_mounts(job.events.clone(), &mounts, &quote);
                let events = with_workflow(events, &workflow, job_of(&workflow, Some("build")).unwrap());
                let case = |evidence| Case {
                    runs: vec![evidence],
                    source: CaseSource::Logs,
                    thresholds: Thresholds::default(),
                    profile: Profile::Checklist,
                };
                let (seen, known) = (case(job.evidence()), case(Evidence::fold("informed", &events)));
                let (alone, informed) = (verify(&seen), verify_informed(&seen, &known));
                for (alone, informed) in alone.checks.iter().zip(&informed.checks) {
                    let new = informed.status == CheckStatus::Pass && alone.status != CheckStatus::Pass;
                    assert!(!new, "{name}: {informed:?} where the log alone says {alone:?}");
                }
                assert!(informed.verdict != Verdict::Effective || alone.verdict == Verdict::Effective, "{name}");
            }
        }
    }
}

#[test]
fn several_jobs_are_one_document_with_the_worst_verdict() {
    let (warm, cold) = (fixture("healthy-second-run.log"), fixture("large-mounts-but-a-slow-build.log"));
    let named = |log: &str, name: &str| log.replace("Complete job name: build", &format!("Complete job name: {name}"));
    let files = [("a.log", named(&warm, "image")), ("b.log", named(&cold, "other"))];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, log)| (*name, log.as_str())).collect();
    let document = judged(&files, &["a.log", "b.log"]);
    assert_eq!((&document["schema"], &document["verdict"]), (&1.into(), &"ineffective".into()));
    let verdicts: Vec<_> = document["jobs"].as_array().unwrap().iter().map(|job| job["verdict"].clone()).collect();
    assert_eq!(verdicts, ["effective", "ineffective"]);
}

#[test]
fn a_job_that_builds_no_image_is_not_judged_beside_one_that_does() {
    let idle = "2026-05-06T10:00:00.1000000Z Current runner version: '2.331.0'\n\
        2026-05-06T10:00:00.5000000Z Complete job name: vet\n2026-05-06T10:00:01.1000000Z ##[group]Run go vet ./...\n\
        2026-05-06T10:00:01.2000000Z shell: /usr/bin/bash -e {0}\n2026-05-06T10:00:01.4000000Z ##[endgroup]\n\
        2026-05-06T10:00:01.6000000Z Cleaning up orphan processes\n";
    let document = judged(&[("a.log", idle), ("b.log", &fixture("healthy-second-run.log"))], &["a.log", "b.log"]);
    assert_eq!(document["verdict"], "effective");
    let notes = document["notes"].as_array().unwrap();
    assert!(notes.iter().any(|note| note["text"].as_str().unwrap().contains("`vet` builds no image")), "{notes:?}");
}
