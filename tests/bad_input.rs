//! Bad input, as a person meets it: what the program says, what to do about it, and the exit code. No engine is needed.
//!
//! What takes an engine (an image that cannot be pulled, a build that fails) is among the end-to-end tests.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

#[path = "support/files.rs"]
mod files;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use assert_cmd::Command;
use insta::assert_snapshot;

use files::holding;

const WORKFLOW: &str = include_str!("../scenarios/healthy/workflow.yml");

const DOCKERFILE: &str = "FROM golang\nWORKDIR /src\nCOPY . .\nRUN --mount=type=cache,target=/go/pkg/mod go build\n";

/// An engine that is not there; input is to be refused before anybody asks for one.
const NOWHERE: &str = "unix:///nonexistent.sock";

/// Runs the program in a directory and returns its exit code and what it said on standard error.
fn says(dir: &Path, engine: &str, args: &[&str]) -> String {
    let mut command = Command::cargo_bin("verify-buildkit-cache").unwrap();
    let output =
        command.current_dir(dir).env("DOCKER_HOST", engine).env_remove("GO_IMAGE").args(args).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "data goes to standard output, talk does not");
    let code = output.status.code().map_or_else(|| "killed".to_owned(), |code| code.to_string());
    format!("exit {code}\n{}", String::from_utf8_lossy(&output.stderr))
}

fn says_of_workflow(text: &str) -> String {
    let dir = holding(&[("build.yml", text)]);
    says(dir.path(), NOWHERE, &["run", "--sample", "small", "--workflow", "build.yml"])
}

fn says_of_dockerfile(text: &str) -> String {
    let dir = holding(&[("app/Dockerfile", text), ("app/main.go", "package main\n")]);
    says(dir.path(), NOWHERE, &["run", "--project", "app"])
}

/// What a current engine answers.
const ENGINE: &str = r#"{"Version":"28.0.0","ApiVersion":"1.48","MinAPIVersion":"1.24","Os":"linux"}"#;

/// Runs against a server that answers every request with this document, as an engine's `/version` does.
fn says_of_engine(version: &'static str) -> String {
    let dir = tempfile::tempdir().unwrap();
    says_to_engine(version, dir.path(), &["run", "--sample", "small"])
}

fn says_to_engine(version: &'static str, dir: &Path, args: &[&str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request: Vec<u8> = Vec::new();
            let mut chunk = [0; 1024];
            while !request.windows(4).any(|window| window == b"\r\n\r\n") {
                match stream.read(&mut chunk) {
                    Ok(0) | Err(_) => break,
                    Ok(count) => request.extend(&chunk[..count]),
                }
            }
            let length = version.len();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
            let _ = write!(stream, "{head}Content-Length: {length}\r\n\r\n{version}");
        }
    });
    let said = says(dir, &format!("tcp://{address}"), args);
    said.replace(&address.to_string(), "ADDRESS")
}

#[test]
fn an_engine_that_is_not_there_is_named_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    assert_snapshot!(says(dir.path(), NOWHERE, &["run"]), @r#"
    exit 4
    error: no container engine answers at unix:///nonexistent.sock: Socket not found: /nonexistent.sock
    hint: start Docker (`sudo systemctl start docker`, or `dockerd` as root), set DOCKER_HOST, or run `make setup`; if the socket refuses, add yourself to the `docker` group
    "#);
}

#[test]
fn an_engine_address_of_another_kind_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    assert_snapshot!(says(dir.path(), "npipe://docker_engine", &["run"]), @r#"
    exit 4
    error: engine address `npipe://docker_engine` is not supported: only unix, tcp and ssh are spoken here
    hint: use unix:///path/to/docker.sock, tcp://host:port or ssh://user@host
    "#);
}

#[test]
fn podman_has_no_buildkit() {
    let podman = r#"{"Version":"5.4.0","ApiVersion":"1.41","Os":"linux",
        "Components":[{"Name":"Podman Engine","Version":"5.4.0"}]}"#;
    assert_snapshot!(says_of_engine(podman), @r#"
    exit 4
    error: Podman 5.4.0 on linux at tcp://ADDRESS builds without BuildKit, so it has no cache mounts
    hint: use Docker Engine 20.10 or newer on Linux
    "#);
}

#[test]
fn an_old_engine_has_no_buildkit() {
    assert_snapshot!(says_of_engine(r#"{"Version":"17.06.0-ce","ApiVersion":"1.30","MinAPIVersion":"1.12","Os":"linux"}"#), @r#"
    exit 4
    error: Docker Engine 17.06.0-ce on linux at tcp://ADDRESS builds without BuildKit, so it has no cache mounts
    hint: use Docker Engine 20.10 or newer on Linux
    "#);
}

#[test]
fn something_that_is_no_engine_is_not_taken_for_one() {
    assert_snapshot!(says_of_engine("<html>It works!</html>"), @r#"
    exit 4
    error: no container engine answers at tcp://ADDRESS: Failed to deserialize JSON: expected value at line 1 column 1
    hint: start Docker (`sudo systemctl start docker`, or `dockerd` as root), set DOCKER_HOST, or run `make setup`; if the socket refuses, add yourself to the `docker` group
    "#);
}

#[test]
fn a_dockerfile_that_does_not_parse_is_named_with_its_line() {
    assert_snapshot!(says_of_dockerfile("FROM golang\nWORKDIR /src\ngo build\n"), @r#"
    exit 4
    error: app/Dockerfile:3: unknown instruction GO: go build
    hint: if GO continues the line above, end that line with a backslash
    "#);
}

#[test]
fn an_empty_dockerfile_is_refused() {
    assert_snapshot!(says_of_dockerfile(""), @r#"
    exit 4
    error: app/Dockerfile:1: file with no instructions: (empty)
    hint: a Dockerfile needs at least one FROM instruction
    "#);
}

#[test]
fn a_dockerfile_without_a_cache_mount_has_nothing_to_carry() {
    assert_snapshot!(says_of_dockerfile("FROM golang\nRUN go build\n"), @r#"
    exit 4
    error: app/Dockerfile has no `RUN --mount=type=cache`, so there is nothing to carry between runs
    hint: give the build step `RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build …`
    "#);
}

#[test]
fn a_cache_mount_that_buildkit_refuses_is_named_with_its_line() {
    assert_snapshot!(says_of_dockerfile("FROM golang\nRUN --mount=type=cache,taget=/go/pkg/mod go build\n"), @r#"
    exit 4
    error: app/Dockerfile:2: unexpected key 'taget' in 'taget=/go/pkg/mod': RUN --mount=type=cache,taget=/go/pkg/mod go build
    hint: the options of a cache mount are id, target, readonly, sharing, from, source, mode, uid, gid
    "#);
}

#[test]
fn a_missing_dockerfile_is_named() {
    let dir = holding(&[("app/main.go", "package main\n")]);
    assert_snapshot!(says(dir.path(), NOWHERE, &["run", "--project", "app"]), @r#"
    exit 4
    error: cannot read app/Dockerfile: No such file or directory (os error 2)
    hint: name the Dockerfile with --dockerfile
    "#);
}

#[test]
fn a_dockerfile_outside_the_project_is_refused() {
    let dir = holding(&[("app/main.go", "package main\n"), ("Dockerfile", DOCKERFILE)]);
    assert_snapshot!(says(dir.path(), NOWHERE, &["run", "--project", "app", "--dockerfile", "Dockerfile"]), @r#"
    exit 2
    error: Dockerfile is not inside the project app
    hint: copy it into the project; the build sees nothing outside of it
    "#);
}

#[test]
fn a_dockerfile_that_is_not_text_is_refused() {
    let dir = holding(&[("app/main.go", "package main\n")]);
    fs::write(dir.path().join("app/Dockerfile"), [0xff, 0xfe, 0x00]).unwrap();
    assert_snapshot!(says(dir.path(), NOWHERE, &["run", "--project", "app"]), @r#"
    exit 4
    error: app/Dockerfile is not UTF-8 text
    "#);
}

#[test]
fn a_dependency_edit_of_ones_own_project_is_refused_before_anything_is_built() {
    let dir = holding(&[("app/main.go", "package main\n"), ("app/Dockerfile", DOCKERFILE)]);
    assert_snapshot!(says(dir.path(), NOWHERE, &["run", "--project", "app", "--edit", "deps"]), @r#"
    exit 4
    error: `--edit deps` knows only the bundled sample
    hint: use `--edit source` or `--edit none` with your own project
    "#);
}

#[test]
fn a_project_that_is_not_a_directory_is_named() {
    let dir = holding(&[("app", "")]);
    assert_snapshot!(says(dir.path(), NOWHERE, &["run", "--project", "app"]), @r#"
    exit 4
    error: project app is not a directory
    hint: name the directory that holds the project's go.mod and Dockerfile
    "#);
}

#[test]
fn a_workflow_that_is_not_yaml_is_named_with_its_line() {
    assert_snapshot!(says_of_workflow("on: push\njobs:\n  image: [\n  steps: }\n"), @r#"
    exit 4
    error: build.yml:3:10: not YAML: mismatched bracket '[' closed by '}'
    "#);
}

#[test]
fn a_workflow_of_another_shape_is_refused() {
    assert_snapshot!(says_of_workflow("- just\n- a list\n"), @r#"
    exit 4
    error: build.yml:1:1: a workflow must be a mapping, not a list
    hint: give a file as in .github/workflows, with `jobs:` and in it a job with `steps:`
    "#);
}

#[test]
fn a_workflow_that_is_missing_is_named() {
    let dir = tempfile::tempdir().unwrap();
    assert_snapshot!(says(dir.path(), NOWHERE, &["run", "--workflow", "no.yml"]), @r#"
    exit 4
    error: cannot read no.yml: No such file or directory (os error 2)
    "#);
}

#[test]
fn a_workflow_without_a_build_step_names_the_steps_it_has() {
    let (steps, _) = WORKFLOW.split_once("      - uses: docker/build-push-action").unwrap();
    assert_snapshot!(says_of_workflow(steps), @r#"
    exit 4
    error: build.yml:8:3: no step of the job `image` builds with docker/build-push-action; its steps are `Run actions/checkout@v4`, `Run docker/setup-buildx-action@v3`, `Restore and save the caches`, `Carry them into and out of the cache mounts`
    hint: add a step `uses: docker/build-push-action@v6`, or choose another job with `--job NAME`
    "#);
}

#[test]
fn of_two_jobs_one_has_to_be_chosen() {
    let (_, job) = WORKFLOW.split_once("jobs:\n  image:\n").unwrap();
    let two = format!("{WORKFLOW}  second:\n{job}");
    assert_snapshot!(says_of_workflow(&two), @r#"
    exit 4
    error: build.yml:8:3: the workflow has several jobs: `image` (line 8), `second` (line 43)
    hint: choose one with `--job NAME`
    "#);
    let dir = holding(&[("build.yml", &two)]);
    assert_snapshot!(says(dir.path(), NOWHERE, &["run", "--workflow", "build.yml", "--job", "third"]), @r#"
    exit 4
    error: build.yml:8:3: there is no job `third`; the workflow has `image` (line 8), `second` (line 43)
    hint: choose one with `--job NAME`
    "#);
    let chosen = says(dir.path(), NOWHERE, &["run", "--workflow", "build.yml", "--job", "second"]);
    assert!(chosen.contains("no container engine answers"), "the choice is taken: {chosen}");
}

#[test]
fn an_unknown_scenario_gets_a_suggestion() {
    let dir = tempfile::tempdir().unwrap();
    // The suggestion grows with the catalogue; this name stays in it.
    let said = says(dir.path(), NOWHERE, &["run", "--scenario", "cache-dance-after"]);
    assert!(said.starts_with("exit 2\nerror: there is no scenario `cache-dance-after`\nhint: did you mean "), "{said}");
    assert!(said.contains("cache-after-dance"), "{said}");
    assert_snapshot!(says(dir.path(), NOWHERE, &["scenarios", "show", "xyz"]), @r#"
    exit 2
    error: there is no scenario `xyz`
    hint: `verify-buildkit-cache scenarios list` names them all
    "#);
}

#[test]
fn an_unknown_code_gets_a_suggestion() {
    let dir = tempfile::tempdir().unwrap();
    assert_snapshot!(says(dir.path(), NOWHERE, &["explain", "cache-lock"]), @r#"
    exit 2
    error: no finding code `cache-lock`
    hint: did you mean cache-locked?
    "#);
}

#[test]
fn evidence_is_not_put_among_other_files() {
    let dir = holding(&[("out/mine.txt", "mine")]);
    assert_snapshot!(says_to_engine(ENGINE, dir.path(), &["run", "--out", "out"]), @r#"
    exit 2
    error: out is not empty
    hint: name a new or empty directory with --out, or replace older evidence with --force
    "#);
    assert_eq!(fs::read_to_string(dir.path().join("out/mine.txt")).unwrap(), "mine");
}

#[test]
fn arguments_that_make_no_sense_are_usage_errors() {
    let dir = tempfile::tempdir().unwrap();
    for args in [
        &["run", "--runs", "0"][..],
        &["run", "--min-mod", "many"],
        &["run", "--max-build-ratio", "2"],
        &["run", "--scenario", "healthy", "--project", "."],
        &["run", "--job", "image"],
        &["frobnicate"],
        &["logs"],
    ] {
        let said = says(dir.path(), NOWHERE, args);
        assert!(said.starts_with("exit 2\nerror: "), "{args:?}: {said}");
    }
}

#[test]
fn logs_that_cannot_be_read_or_hold_no_job_are_named() {
    let dir = holding(&[("empty.log", ""), ("broken.zip", "PK\u{3}\u{4}broken")]);
    for (log, words) in [("no.log", "no.log"), ("empty.log", "it is empty"), ("broken.zip", "broken.zip")] {
        let said = says(dir.path(), NOWHERE, &["logs", log]);
        assert!(said.starts_with("exit 4\nerror: ") && said.contains(words), "{log}: {said}");
    }
}

#[test]
fn a_scenario_that_lists_its_runs_takes_no_other_number_of_them() {
    let dir = tempfile::tempdir().unwrap();
    assert_snapshot!(says(dir.path(), NOWHERE, &["run", "--scenario", "cache-evicted", "--runs", "3"]), @r"
    exit 2
    error: scenario `cache-evicted` lists its runs; --runs and --edit cannot change them
    hint: leave the two flags out
    ");
}

#[test]
fn a_scenario_without_a_fault_cannot_be_run_without_it() {
    let dir = tempfile::tempdir().unwrap();
    assert_snapshot!(says(dir.path(), NOWHERE, &["run", "--scenario", "healthy", "--fixed"]), @r"
    exit 2
    error: scenario `healthy` has no fix.diff
    hint: its runs end well by themselves: run it without --fixed
    ");
}

#[test]
fn a_cache_mode_that_github_does_not_know_is_refused_with_its_place() {
    let text = WORKFLOW.replacen("jobs:", "cache-mode: readonly\njobs:", 1);
    assert_snapshot!(says_of_workflow(&text), @r"
    exit 4
    error: build.yml:7:13: `cache-mode: readonly` is none of `read`, `write`, `write-only`, `none`
    hint: leave it out for the usual `write`
    ");
}
