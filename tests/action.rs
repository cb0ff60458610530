//! The GitHub Action, its skill file and its packages: the scripts run here as they run on a runner.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

#[path = "support/github/mod.rs"]
#[expect(dead_code, reason = "the server is for the real gh")]
mod github;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use github::{FakeGithub, archive, caches, log, run, runs};
use serde_json::json;

const PROGRAM: &str = env!("CARGO_BIN_EXE_verify-buildkit-cache");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A run under way whose build job has ended with this log, after one that saved.
fn under_way(build: &str) -> FakeGithub {
    let mut current = run(102, 8, 19);
    current["status"] = json!("in_progress");
    FakeGithub::new()
        .with("/actions/runs/102", &current)
        .with(
            "/actions/runs/102/attempts/1/jobs?per_page=100",
            &json!({"jobs": [
                {"id": 55, "run_id": 102, "name": "build", "status": "completed", "conclusion": "success"},
                {"id": 56, "run_id": 102, "name": "verify", "status": "in_progress", "conclusion": null},
            ]}),
        )
        .with_bytes("/actions/jobs/55/logs", build.as_bytes().to_vec())
        .with(
            "/actions/workflows/9/runs?branch=main&created=%3C%3D2026-02-19T12%3A20%3A00Z&per_page=50",
            &runs(&[run(101, 7, 18)]),
        )
        .with_bytes("/actions/runs/101/attempts/1/logs", archive(&[("0_build.txt", &log("healthy-first-run.log", 18))]))
        .with("/actions/caches?per_page=100&key=go-abc", &caches(&[]))
}

/// Runs the action's script; returns what it printed, the outputs and the summary.
fn act(github: &FakeGithub, inputs: &[(&str, &str)]) -> (Output, String, String) {
    let dir = tempfile::tempdir().unwrap();
    github.as_program(dir.path());
    let path = format!("{}:{}", dir.path().display(), std::env::var("PATH").unwrap());
    let (outputs, summary) = (dir.path().join("outputs"), dir.path().join("summary"));
    let mut command = Command::new(root().join("scripts/action"));
    command.env("PATH", path).env_remove("GH_HOST").current_dir(dir.path());
    command.env("RUNNER_TEMP", dir.path()).env("GITHUB_OUTPUT", &outputs).env("GITHUB_STEP_SUMMARY", &summary);
    command.env("VBC_BINARY", PROGRAM).env("VBC_REPOSITORY", "o/app").env("VBC_RUN", "102");
    let output = command.envs(inputs.iter().copied()).output().unwrap();
    (output, fs::read_to_string(outputs).unwrap_or_default(), fs::read_to_string(summary).unwrap_or_default())
}

fn told(output: &Output) -> String {
    format!(
        "{:?}\n{}{}",
        output.status.code(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn the_action_judges_the_build_job_of_its_own_run() {
    let (output, outputs, summary) = act(&under_way(&log("healthy-second-run.log", 19)), &[("VBC_JOB", "build")]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(outputs.starts_with("verdict=effective\nreport="), "{outputs}");
    assert!(
        summary.contains("effective") && told(&output).contains("::notice title=verify-buildkit-cache"),
        "{summary}"
    );
}

#[test]
fn the_action_fails_as_asked() {
    let bad = under_way(&log("empty-cache-locked-to-its-key.log", 19));
    for (fail_on, code) in [("ineffective", 1), ("inconclusive", 1), ("never", 0)] {
        let (output, outputs, _) = act(&bad, &[("VBC_FAIL_ON", fail_on)]);
        assert_eq!(output.status.code(), Some(code), "{fail_on}: {}", told(&output));
        assert!(
            outputs.starts_with("verdict=ineffective\n") && told(&output).contains("::error title=cache-locked"),
            "{outputs}"
        );
    }
    let unseen = under_way(&log("no-sizes-printed.log", 19));
    for (fail_on, code) in [("ineffective", 0), ("inconclusive", 3)] {
        let (output, outputs, _) = act(&unseen, &[("VBC_FAIL_ON", fail_on)]);
        assert_eq!(
            (output.status.code(), outputs.starts_with("verdict=inconclusive\n")),
            (Some(code), true),
            "{}",
            told(&output)
        );
    }
    // What could not be judged fails in any case but `never`.
    let (output, outputs, _) = act(&FakeGithub::new(), &[]);
    assert_eq!(output.status.code(), Some(4), "{}", told(&output));
    assert!(
        outputs.starts_with("verdict=stopped\n") && told(&output).contains("nothing could be judged: error: "),
        "{}",
        told(&output)
    );
    let (output, ..) = act(&bad, &[("VBC_FAIL_ON", "sometimes")]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn every_input_of_the_action_reaches_its_script() {
    let action: serde_json::Value =
        serde_saphyr::from_str(&fs::read_to_string(root().join("action.yml")).unwrap()).unwrap();
    let step = &action["runs"]["steps"][0];
    assert_eq!((action["runs"]["using"].as_str(), step["shell"].as_str()), (Some("composite"), Some("bash")));
    let env = step["env"].to_string();
    for name in action["inputs"].as_object().unwrap().keys() {
        assert!(env.contains(&format!("inputs.{name} ")), "input `{name}` goes nowhere");
    }
    let scripts = fs::read_to_string(root().join("scripts/action")).unwrap()
        + &fs::read_to_string(root().join("scripts/action-program")).unwrap();
    for name in step["env"].as_object().unwrap().keys().filter(|name| name.starts_with("VBC_") && *name != "VBC_ACTION")
    {
        assert!(scripts.contains(&format!("{name}:")) || scripts.contains(&format!("${name}")), "{name} is not read");
    }
    assert!(!step["run"].as_str().unwrap().contains("${{"), "no input is text of a script");
}

#[test]
fn the_workflow_of_the_sample_is_judged_as_the_healthy_scenario_is() {
    use verify_buildkit_cache::plan::JobPlan;
    use verify_buildkit_cache::source::Source;
    use verify_buildkit_cache::workflow::Workflow;
    let text = fs::read_to_string(root().join(".github/workflows/sample.yml")).unwrap();
    let workflow = Workflow::parse(&Source::new("sample.yml", text.clone())).unwrap();
    JobPlan::new(&workflow, workflow.job(Some("image")).unwrap()).unwrap();
    assert!(text.contains("needs: image") && text.contains("job: image") && text.contains("actions: read"));
    for name in ["ci.yml", "release.yml"] {
        let text = fs::read_to_string(root().join(".github/workflows").join(name)).unwrap();
        let _: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
    }
}

#[test]
fn the_package_holds_what_a_person_needs_and_is_the_same_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let pack = |into: &str| {
        let output = Command::new(root().join("scripts/package"))
            .args([PROGRAM, "x86_64-unknown-linux-gnu"])
            .arg(dir.path().join(into))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", told(&output));
        fs::read(String::from_utf8(output.stdout).unwrap().trim()).unwrap()
    };
    let (one, other) = (pack("one"), pack("other"));
    assert!(one == other, "the same files make the same archive");
    let mut names = Vec::new();
    for entry in tar::Archive::new(flate2::read::GzDecoder::new(&one[..])).entries().unwrap() {
        names.push(entry.unwrap().path().unwrap().to_string_lossy().into_owned());
    }
    for name in [
        "verify-buildkit-cache",
        "README.md",
        "LICENSE-MIT",
        "completions/_verify-buildkit-cache",
        "man/verify-buildkit-cache.1",
    ] {
        let inside = format!("verify-buildkit-cache-{}-x86_64-unknown-linux-gnu/{name}", env!("CARGO_PKG_VERSION"));
        assert!(names.contains(&inside), "{inside}: {names:#?}");
    }
    let sums = fs::read_dir(dir.path().join("one"))
        .unwrap()
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "sha256"));
    assert_eq!(sums.count(), 1);
}

#[test]
fn the_commands_and_codes_of_the_skill_file_are_true() {
    let text = fs::read_to_string(root().join("SKILL.md")).unwrap();
    assert!(
        text.starts_with("---\nname: verify-buildkit-cache\ndescription: ") && text.len() < 6_000,
        "{}",
        text.len()
    );
    let quoted: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    let mut commands = 0;
    for command in quoted.iter().filter(|text| text.starts_with("verify-buildkit-cache ") || text.starts_with("run --"))
    {
        let words: Vec<&str> = command.split_whitespace().filter(|word| *word != "verify-buildkit-cache").collect();
        let known = match words[..] {
            // A page of a code is there, or the placeholder for one.
            ["explain", "CODE"] => true,
            ["explain", code] => Command::new(PROGRAM).args(["explain", code]).output().unwrap().status.success(),
            _ => {
                // With --help, clap checks nothing behind it; every flag must be in the help of its command.
                let help = Command::new(PROGRAM).args([words[0], "--help"]).output().unwrap();
                let help_text = String::from_utf8_lossy(&help.stdout).into_owned();
                help.status.success()
                    && words.iter().filter(|word| word.starts_with("--")).all(|flag| help_text.contains(flag))
            }
        };
        assert!(known, "{command}");
        commands += 1;
    }
    assert!(commands >= 10, "{commands}");
    let codes = text.split("| code | do |").nth(1).unwrap();
    for row in codes.lines().filter(|line| line.starts_with("| `")) {
        for code in row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2) {
            assert!(code.parse::<verify_buildkit_cache::verify::Code>().is_ok(), "{code}");
        }
    }
    let schema = fs::read_to_string(root().join("docs/report.schema.json")).unwrap();
    for field in ["verdict", "jobs", "findings", "numbers", "observed", "needs", "obligations", "would_show", "hint"] {
        assert!(schema.contains(&format!("\"{field}\"")), "{field}");
    }
}
