//! Straight from GitHub: the runs that belong together are found, fetched and judged, with a `gh` of recorded answers and
//! with the real one against a loopback server.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

#[path = "support/github/mod.rs"]
mod github;

use std::path::Path;
use std::process::{Command, Output};

use github::server::Server;
use github::{FakeGithub, archive, caches, entry, log, run, runs};
use serde_json::{Value, json};
use tempfile::TempDir;

const BEFORE: &str = "/actions/workflows/9/runs?branch=main&created=%3C%3D2026-02-19T12%3A20%3A00Z&per_page=50";

const WORKFLOW: &str = include_str!("../scenarios/healthy/workflow.yml");

/// A repository whose second run restored what the first one saved.
fn healthy() -> FakeGithub {
    let first = archive(&[("0_build.txt", &log("healthy-first-run.log", 18))]);
    let second = archive(&[("0_build.txt", &log("healthy-second-run.log", 19)), ("build/1_Set up job.txt", "x")]);
    FakeGithub::new()
        .with(
            "/actions/workflows?per_page=100",
            &json!({"workflows": [
                {"name": "CI", "path": ".github/workflows/ci.yml", "state": "active"},
                {"name": "Lint", "path": ".github/workflows/lint.yml", "state": "active"},
                {"name": "Old", "path": ".github/workflows/old.yml", "state": "disabled_manually"},
            ]}),
        )
        .with_bytes("/contents/.github/workflows/ci.yml?ref=main", WORKFLOW.as_bytes().to_vec())
        .with_bytes("/contents/.github/workflows/lint.yml?ref=main", b"on: push\n".to_vec())
        .with(
            "/actions/workflows/ci.yml/runs?status=completed&per_page=30&branch=main",
            &runs(&[run(102, 8, 19), run(101, 7, 18)]),
        )
        .with("/actions/runs/102", &run(102, 8, 19))
        .with("/actions/runs/101", &run(101, 7, 18))
        .with(BEFORE, &runs(&[run(102, 8, 19), run(101, 7, 18), run(100, 6, 17)]))
        .with_bytes("/actions/runs/102/attempts/1/logs", second)
        .with_bytes("/actions/runs/101/attempts/1/logs", first)
        .with(
            "/actions/caches?per_page=100&key=go-abc",
            &caches(&[entry("go-abc", "refs/heads/main", 157_286_400, "2026-02-18T12:22:06.5Z")]),
        )
}

/// Runs the program with this GitHub behind `gh`.
fn logs(github: &FakeGithub, args: &[&str]) -> (Output, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    github.as_program(dir.path());
    (with_gh(dir.path(), &[], args), dir)
}

fn with_gh(gh: &Path, variables: &[(&str, &str)], args: &[&str]) -> Output {
    let path = format!("{}:{}", gh.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_verify-buildkit-cache"));
    command.arg("logs").args(args).env("PATH", path).current_dir(gh).env_remove("GH_HOST");
    command.envs(variables.iter().copied()).output().unwrap()
}

fn said(output: &Output) -> String {
    let code = output.status.code().map_or_else(|| "killed".to_owned(), |code| code.to_string());
    format!("exit {code}\n{}", String::from_utf8_lossy(&output.stderr))
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(output)))
}

fn names(document: &Value) -> usize {
    document["runs"].as_array().map_or(0, Vec::len)
}

fn codes(document: &Value) -> Vec<&str> {
    document["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

fn notes(document: &Value) -> String {
    let notes = document["notes"].as_array().unwrap().iter();
    notes.map(|note| note["text"].as_str().unwrap().to_owned() + "\n").collect()
}

#[test]
fn a_repository_is_judged_by_its_latest_run_and_the_one_that_saved_its_cache() {
    let (output, dir) = logs(&healthy(), &["o/app", "--format", "json"]);
    let found = document(&output);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!((found["verdict"].as_str(), names(&found)), (Some("effective"), 2));
    assert!(
        notes(&found).contains("cache entry `go-abc`: 150.0 MB, of refs/heads/main, made 2026-02-18T12:22:06"),
        "{found}"
    );
    let asked = std::fs::read_to_string(dir.path().join("answers/asked")).unwrap();
    assert!(!asked.contains("runs/100/"), "what is asked for is answered by run 101:\n{asked}");
}

#[test]
fn a_run_is_named_by_its_address_by_its_number_and_by_its_job() {
    let github = healthy()
        .with(
            "/actions/jobs/55",
            &json!({"id": 55, "run_id": 102, "name": "build", "status": "completed", "conclusion": "success"}),
        )
        .with_bytes("/actions/jobs/55/logs", log("healthy-second-run.log", 19).into_bytes());
    for args in [
        &["https://github.com/o/app/actions/runs/102"][..],
        &["https://github.com/o/app/actions/runs/102/job/55#step:3:1"],
        &["https://github.com/o/app/actions/workflows/ci.yml"],
        &["--run", "102"],
        &["o/app", "--run", "102"],
    ] {
        let (output, _dir) = logs(&github, &[args, &["--format", "json"]].concat());
        let found = document(&output);
        assert_eq!((found["verdict"].as_str(), names(&found)), (Some("effective"), 2), "{args:?}: {found:#}");
    }
}

#[test]
fn a_run_under_way_is_judged_by_the_jobs_that_have_ended() {
    let mut under_way = run(102, 8, 19);
    under_way["status"] = json!("in_progress");
    under_way["conclusion"] = Value::Null;
    let github = healthy()
        .with("/actions/runs/102", &under_way)
        .with(
            "/actions/runs/102/attempts/1/jobs?per_page=100",
            &json!({"jobs": [
                {"id": 55, "run_id": 102, "name": "build", "status": "completed", "conclusion": "success"},
                {"id": 56, "run_id": 102, "name": "verify", "status": "in_progress", "conclusion": null},
            ]}),
        )
        .with_bytes("/actions/jobs/55/logs", log("healthy-second-run.log", 19).into_bytes());
    let (output, _dir) = logs(&github, &["o/app", "--run", "102", "--format", "json"]);
    let found = document(&output);
    assert_eq!((found["verdict"].as_str(), names(&found)), (Some("effective"), 2), "{found:#}");
    assert!(notes(&found).contains("run 102 is under way: `verify` not ended"), "{found:#}");
}

#[test]
fn the_list_of_caches_names_why_a_run_found_nothing() {
    let miss = archive(&[("0_build.txt", &log("healthy-first-run.log", 19))]);
    let mut feature = run(102, 8, 19);
    feature["head_branch"] = json!("feature");
    let github = healthy()
        .with("/actions/runs/102", &feature)
        .with(&BEFORE.replace("branch=main", "branch=feature"), &runs(&[]))
        .with(BEFORE, &runs(&[]))
        .with_bytes("/actions/runs/102/attempts/1/logs", miss)
        .with(
            "/actions/caches?per_page=100&key=go-",
            &caches(&[entry("go-xyz", "refs/heads/other", 157_286_400, "2026-02-18T12:00:00Z")]),
        );
    let (output, _dir) = logs(&github, &["o/app", "--run", "102", "--format", "json"]);
    let found = document(&output);
    assert_eq!(
        (found["verdict"].as_str(), codes(&found)),
        (Some("ineffective"), vec!["cache-out-of-scope"]),
        "{found:#}"
    );
    // The default branch cannot read it either, and is there to save: a first run, and no fault.
    let github = github.with("/actions/runs/102", &run(102, 8, 19));
    let (output, _dir) = logs(&github, &["o/app", "--run", "102", "--format", "json"]);
    let found = document(&output);
    assert_eq!((found["verdict"].as_str(), codes(&found)), (Some("inconclusive"), vec![]), "{found:#}");
    assert!(notes(&found).contains("runs of the default branch cannot read it"), "{found:#}");
}

#[test]
fn an_entry_that_was_saved_and_is_gone_is_evicted() {
    let miss = archive(&[("0_build.txt", &log("healthy-first-run.log", 19))]);
    let github = healthy()
        .with_bytes("/actions/runs/102/attempts/1/logs", miss)
        .with("/actions/caches?per_page=100&key=go-", &caches(&[]));
    let (output, _dir) = logs(&github, &["o/app", "--run", "102", "--format", "json"]);
    let found = document(&output);
    assert_eq!((found["verdict"].as_str(), codes(&found)), (Some("ineffective"), vec!["cache-evicted"]), "{found:#}");
    // An entry that is there again, made later, says nothing of then.
    let later = entry("go-abc", "refs/heads/main", 157_286_400, "2026-02-20T12:00:00Z");
    let github = github.with("/actions/caches?per_page=100&key=go-", &caches(&[later]));
    let (output, _dir) = logs(&github, &["o/app", "--run", "102", "--format", "json"]);
    assert_eq!(codes(&document(&output)), ["cache-miss"]);
}

#[test]
fn without_rights_to_the_list_of_caches_the_logs_alone_are_judged() {
    let github =
        healthy().refusing("/actions/caches?per_page=100&key=go-abc", 403, "Resource not accessible by integration");
    let (output, _dir) = logs(&github, &["o/app", "--format", "json"]);
    let found = document(&output);
    assert_eq!(found["verdict"], "effective");
    assert!(notes(&found).contains("the list of the repository's caches could not be read"), "{found:#}");
}

#[test]
fn several_workflows_are_listed_and_none_is_guessed() {
    let github = healthy().with_bytes("/contents/.github/workflows/lint.yml?ref=main", WORKFLOW.as_bytes().to_vec());
    let (output, _dir) = logs(&github, &["o/app"]);
    let told = said(&output);
    assert!(told.starts_with("exit 4\nerror: 2 workflows of o/app may be meant\nhint: name one:\n"), "{told}");
    for file in ["ci.yml", "lint.yml"] {
        let command = format!("  verify-buildkit-cache logs https://github.com/o/app/actions/workflows/{file}  (");
        assert!(told.contains(&command), "{told}");
    }
}

#[test]
fn what_stops_the_fetching_is_said_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    healthy().as_program(dir.path());
    let stopped = |variables: &[(&str, &str)], args: &[&str]| said(&with_gh(dir.path(), variables, args));
    let elsewhere = "https://git.example.org/o/app/actions/runs/1";
    let logged_out = [("NOT_LOGGED_IN", "1")];
    for (told, words) in [
        (
            stopped(&logged_out, &["o/app"]),
            &["cannot fetch o/app: gh is not logged in", "run `gh auth login` (in CI: set GH_TOKEN"][..],
        ),
        (stopped(&logged_out, &[elsewhere]), &["gh auth login --hostname git.example.org"]),
        (
            stopped(&[], &["o/missing"]),
            &["cannot fetch o/missing: nothing there, or no rights to see it", "gh auth status"],
        ),
        (stopped(&[], &["o/app", "--run", "7"]), &["cannot fetch run 7 of o/app: nothing there"]),
    ] {
        assert!(told.starts_with("exit 4\nerror: ") && words.iter().all(|words| told.contains(words)), "{told}");
    }
    healthy().refusing("/actions/runs/102", 403, "Resource not accessible").as_program(dir.path());
    let told = stopped(&[], &["o/app", "--run", "102"]);
    assert!(
        told.starts_with("exit 4\n") && told.contains("no rights: ") && told.contains("permissions: actions: read"),
        "{told}"
    );
    let told = stopped(&[], &["o/app", "some.log"]);
    assert!(
        told.starts_with("exit 2\nerror: o/app is on GitHub, and there are other inputs\nhint: name one run"),
        "{told}"
    );
    let empty = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_verify-buildkit-cache"));
    let told = said(&command.args(["logs", "o/app"]).env("PATH", empty.path()).output().unwrap());
    assert!(told.starts_with("exit 4\nerror: gh, GitHub's command line, is not installed"), "{told}");
    assert!(told.contains("Download log archive"), "{told}");
}

#[test]
fn expired_logs_leave_what_the_list_of_caches_shows() {
    let github = healthy().refusing("/actions/runs/102/attempts/1/logs", 410, "Gone").with(
        "/actions/caches?per_page=100",
        &caches(&[
            entry("go-abc", "refs/heads/main", 198, "2026-02-18T12:22:06Z"),
            entry("go-def", "refs/heads/other", 157_286_400, "2026-02-18T12:22:06Z"),
        ]),
    );
    let (output, _dir) = logs(&github, &["o/app"]);
    let told = said(&output);
    assert!(told.starts_with("exit 4\n") && told.contains("the logs have expired"), "{told}");
    assert!(
        told.contains("the repository's caches that this run can read now: 1\n  cache entry `go-abc`: 198 B"),
        "{told}"
    );
    assert!(told.contains("explain cache-locked") && !told.contains("go-def"), "{told}");
}

#[test]
fn fetched_logs_are_kept_where_that_is_asked_for() {
    let (output, dir) = logs(&healthy(), &["o/app", "--keep-logs", "kept", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let again = Command::new(env!("CARGO_BIN_EXE_verify-buildkit-cache"))
        .args(["logs", "kept/run-101/logs.zip", "kept/run-102/logs.zip", "--format", "json"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert_eq!(document(&again)["verdict"], "effective");
}

#[expect(clippy::print_stderr, reason = "what is left out is said")]
fn skipped() {
    eprintln!("SKIPPED: gh is not installed (Debian: apt install gh), so the real one was not tried");
}

/// Runs the real `gh` against a server; `None` where it is not installed.
fn with_the_real_gh(github: FakeGithub, args: &[&str]) -> Option<(Output, Server)> {
    if Command::new("gh").arg("--version").output().is_err() {
        skipped();
        return None;
    }
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(github, home.path());
    let mut command = Command::new(env!("CARGO_BIN_EXE_verify-buildkit-cache"));
    for name in ["GH_TOKEN", "GITHUB_TOKEN", "GH_CONFIG_DIR", "XDG_CONFIG_HOME", "HTTPS_PROXY", "https_proxy"] {
        command.env_remove(name);
    }
    let output = command
        .arg("logs")
        .args(args)
        .current_dir(home.path())
        .env("HOME", home.path())
        .env("GH_HOST", &server.host)
        .env("GH_ENTERPRISE_TOKEN", "secret")
        .env("SSL_CERT_FILE", &server.certificate)
        .output()
        .unwrap();
    Some((output, server))
}

#[test]
fn the_real_gh_fetches_the_same() {
    let Some((output, server)) = with_the_real_gh(healthy(), &["o/app", "--format", "json"]) else { return };
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let found = document(&output);
    assert_eq!((found["verdict"].as_str(), names(&found)), (Some("effective"), 2));
    let asked = server.asked.lock().unwrap();
    assert!(asked.iter().any(|(path, _)| path == "/blob/repos/o/app/actions/runs/101/attempts/1/logs"), "{asked:?}");
}

#[test]
fn the_real_gh_tells_why_it_was_refused() {
    for (github, args, told) in [
        (
            healthy().refusing("/actions/runs/102/attempts/1/logs", 410, "Gone"),
            ["o/app"],
            "the logs have expired: Gone (HTTP 410)",
        ),
        (
            healthy().refusing("", 403, "Must have admin rights"),
            ["o/app"],
            "no rights: Must have admin rights (HTTP 403)",
        ),
        (healthy(), ["o/other"], "nothing there, or no rights to see it: Not Found (HTTP 404)"),
        (healthy(), ["nosuch.invalid/o/app"], "error connecting to nosuch.invalid"),
    ] {
        let Some((output, _server)) = with_the_real_gh(github, &args) else { return };
        assert!(said(&output).starts_with("exit 4\n") && said(&output).contains(told), "{}", said(&output));
    }
}
