//! The program as shells, scripts and impatient people meet it: what it refuses, what it writes for programs, and what it
//! does with colours, configuration and completions. No engine is needed.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

#[path = "support/files.rs"]
mod files;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use files::holding;

const PROGRAM: &str = env!("CARGO_BIN_EXE_verify-buildkit-cache");

fn fixture(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/logs").join(name)).unwrap()
}

fn program(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(args).current_dir(dir).stdin(Stdio::null());
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "GITHUB_STEP_SUMMARY"] {
        command.env_remove(name);
    }
    command
}

fn run(dir: &Path, args: &[&str]) -> Output {
    program(dir, args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stdout(output)))
}

/// Two runs of a job: one that saved, and one that restored it a day later.
fn two_runs() -> TempDir {
    let second = fixture("healthy-second-run.log").replace("2026-02-18T", "2026-02-19T");
    holding(&[("run-1/job.log", &fixture("healthy-first-run.log")), ("run-2/job.log", &second), ("report.json", "{}")])
}

#[test]
fn what_is_no_log_is_refused_and_named_with_the_way_to_get_one() {
    let dir = holding(&[
        ("empty.log", ""),
        ("blank.log", "\n\n"),
        ("binary.log", "\u{7f}ELF\0\0\0\0"),
        ("login.html", "<!DOCTYPE html>\n<html><title>Sign in to GitHub</title></html>\n"),
        ("error.json", "{\"message\": \"Not Found\", \"status\": \"404\"}"),
        ("letter.txt", "Dear reader,\nnothing is wrong here.\n"),
        ("none/a.txt", "Dear reader\n"),
        ("none/b.log", "nothing\n"),
    ]);
    for (file, words) in [
        ("empty.log", "empty.log: it is empty"),
        ("blank.log", "blank.log: it is empty"),
        ("binary.log", "it is no text, and no log"),
        ("login.html", "it is a web page, such as one that asks to sign in"),
        ("error.json", "it is an error that a server answered (\"Not Found\")"),
        ("letter.txt", "not one line of it is of a workflow's log"),
        ("none", "none: no file in it is a log of a workflow"),
    ] {
        let output = run(dir.path(), &["logs", file]);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(4), "{file}: {said}");
        assert!(
            said.contains(words) && said.contains("hint: a log is what `gh run view RUN --log` prints"),
            "{file}: {said}"
        );
        assert_eq!(stdout(&output), "");
    }
    // A log beside it does not make it one.
    fs::write(dir.path().join("run.log"), fixture("healthy-second-run.log")).unwrap();
    assert_eq!(run(dir.path(), &["logs", "run.log", "letter.txt"]).status.code(), Some(4));
}

#[test]
fn the_evidence_folder_of_a_run_is_recognised() {
    let dir = two_runs();
    let output = run(dir.path(), &["logs", ".", "--format", "json"]);
    let document = json(&output);
    assert_eq!(document["verdict"], "effective", "{document:#}");
    assert_eq!(document["runs"].as_array().unwrap().len(), 2);
    assert_eq!(document["runs"][0]["restore"]["outcome"], "miss");
}

#[test]
fn a_directory_of_unrelated_logs_is_refused_with_its_list() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/logs");
    let output = run(&fixtures, &["logs", "."]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(
        said.contains("logs that are not the runs of one job") && said.contains("  ./act.log: job `CI/build`"),
        "{said}"
    );
    assert!(said.lines().count() < 26, "at most a line for each of the first: {said}");
    // Two runs of one job in a folder are what they seem.
    let second = fixture("healthy-second-run.log").replace("2026-02-18T", "2026-02-19T");
    let dir = holding(&[("l/1.log", &fixture("healthy-first-run.log")), ("l/2.log", &second)]);
    assert_eq!(json(&run(dir.path(), &["logs", "l", "--format", "json"]))["verdict"], "effective");
}

/// Fails unless the published schema has this document.
fn valid(document: &Value) {
    let schema: Value = serde_json::from_str(&stdout(&run(Path::new("/"), &["schema"]))).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{document:#}");
}

#[test]
fn every_document_is_of_the_published_schema() {
    let dir = two_runs();
    let other =
        fixture("large-mounts-but-a-slow-build.log").replace("Complete job name: build", "Complete job name: other");
    fs::write(dir.path().join("other.log"), other).unwrap();
    fs::write(dir.path().join("Dockerfile"), "FORM golang\n").unwrap();
    let first = run(dir.path(), &["logs", "run-1", "run-2", "--format", "json"]);
    let document = json(&first);
    valid(&document);
    let a = &document["checks"][0]["numbers"][0];
    assert_eq!(
        (a["of"].as_str(), a["unit"].as_str(), a["observed"].as_u64()),
        (Some("restored"), Some("bytes"), Some(157_286_400))
    );
    assert!(a["needs"].as_u64().is_some_and(|bytes| bytes > 100 << 20), "{a}");
    let c2 = &document["checks"][3]["numbers"][0];
    assert!(c2["observed"].as_f64().unwrap() < c2["needs"].as_f64().unwrap(), "{c2}");
    let jobs = json(&run(dir.path(), &["logs", "run-2", "other.log", "--format=json"]));
    assert!(jobs["jobs"].as_array().unwrap().len() > 1);
    valid(&jobs);
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/logs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "log") {
            valid(&json(&run(dir.path(), &["logs", path.to_str().unwrap(), "--format", "json"])));
        }
    }
}

#[test]
fn an_error_is_a_document_too() {
    let dir = holding(&[("app/Dockerfile", "FROM golang\nFORM x\n"), ("page.log", "<html>")]);
    for (args, code, file, line) in [
        (&["logs", "missing.log", "--format", "json"][..], 4, Some("missing.log"), None),
        (&["logs", "page.log", "--format", "json"], 4, Some("page.log"), None),
        (&["run", "--project", "app", "--format", "json"], 4, Some("app/Dockerfile"), Some(2)),
        (&["logs", "page.log", "--format=json", "--min-mod", "100"], 2, None, None),
        (&["frobnicate", "--format", "json"], 2, None, None),
    ] {
        let output = run(dir.path(), args);
        let document = json(&output);
        valid(&document);
        let error = &document["error"];
        assert_eq!((output.status.code(), error["exit"].as_i64()), (Some(code), Some(i64::from(code))), "{document:#}");
        assert_eq!((error["file"].as_str(), error["line"].as_u64()), (file, line), "{document:#}");
        assert!(error["message"].as_str().is_some_and(|words| !words.is_empty()), "{document:#}");
        assert!(stderr(&output).starts_with("error: "), "a person is told as well");
    }
    assert!(
        stderr(&run(dir.path(), &["logs", "page.log", "--min-mod", "100"])).contains("`100MB` if megabytes are meant")
    );
}

#[test]
fn ci_gets_annotations_a_summary_code_scanning_and_tests() {
    let dir = holding(&[("locked.log", &fixture("empty-cache-locked-to-its-key.log"))]);
    let summary = dir.path().join("summary.md");
    let output = program(dir.path(), &["logs", "locked.log", "--format", "github"])
        .env("GITHUB_STEP_SUMMARY", &summary)
        .output()
        .unwrap();
    let text = stdout(&output);
    assert!(text.contains("::error title=cache-locked (job build)::"), "{text}");
    let written = fs::read_to_string(&summary).unwrap();
    assert!(written.starts_with("## build: ineffective\n") && written.contains("cache-locked"), "{written}");

    let sarif = json(&run(dir.path(), &["logs", "locked.log", "--format", "sarif"]));
    let result =
        sarif["runs"][0]["results"].as_array().unwrap().iter().find(|one| one["ruleId"] == "cache-locked").unwrap();
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(
        (place["artifactLocation"]["uri"].as_str(), result["level"].as_str()),
        (Some("locked.log"), Some("error"))
    );
    assert!(place["region"]["startLine"].as_u64().is_some_and(|line| line > 1), "{result:#}");

    let junit = stdout(&run(dir.path(), &["logs", "locked.log", "--format", "junit"]));
    assert!(
        junit.contains("<testsuite name=\"build\"") && junit.contains("<failure message=\"ineffective\""),
        "{junit}"
    );
    assert!(
        junit.contains("<testcase name=\"A actions/cache restored something real\" classname=\"build\""),
        "{junit}"
    );
}

#[test]
fn an_annotation_points_into_the_file_that_a_person_edits() {
    let workflow = include_str!("../scenarios/cache-after-dance/workflow.yml");
    let dir = holding(&[("ci.yml", workflow), ("run.log", &fixture("cache-placed-after-the-dance.log"))]);
    let text = stdout(&run(dir.path(), &["logs", "run.log", "--workflow", "ci.yml", "--format", "github"]));
    for line in text.lines().filter(|line| line.contains("ci.yml:")) {
        assert!(line.starts_with("::error file=ci.yml,line="), "{line}");
    }
}

#[test]
fn colours_come_where_they_are_asked_for_or_can_be_shown() {
    let dir = two_runs();
    let coloured = |args: &[&str], variables: &[(&str, &str)]| {
        let args = [&["logs", "run-1", "run-2"], args].concat();
        stdout(&program(dir.path(), &args).envs(variables.iter().copied()).output().unwrap()).contains('\u{1b}')
    };
    assert!(!coloured(&[], &[]), "a pipe shows none");
    assert!(coloured(&["--color", "always"], &[]) && coloured(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&["--color=never"], &[("CLICOLOR_FORCE", "1")]) && !coloured(&[], &[("NO_COLOR", "1")]));
    assert!(coloured(&["--color", "always"], &[("NO_COLOR", "1")]), "what was typed comes first");
}

#[test]
fn the_program_says_as_much_as_is_asked_for() {
    let dir = two_runs();
    fs::write(dir.path().join("verify-buildkit-cache.toml"), "max-downloads = 5\n").unwrap();
    let usual = run(dir.path(), &["logs", "."]);
    assert_eq!(stderr(&usual), "judged by the numbers of verify-buildkit-cache.toml\n");
    let quiet = run(dir.path(), &["-q", "logs", "."]);
    assert_eq!((stderr(&quiet), stdout(&quiet)), (String::new(), stdout(&usual)));
    let verbose = stdout(&run(dir.path(), &["logs", ".", "-v"]));
    assert!(verbose.contains("\nobligations\n") && !stdout(&usual).contains("\nobligations\n"));
    let failed = run(dir.path(), &["logs", "-q", "missing.log"]);
    assert!(stderr(&failed).starts_with("error: cannot read missing.log"), "an error is always said");
}

#[test]
fn the_configuration_file_stands_below_the_flags() {
    let dir = two_runs();
    let most = |args: &[&str]| {
        json(&run(dir.path(), &[&["logs", ".", "--format", "json"], args].concat()))["thresholds"]["max_downloads"]
            .clone()
    };
    assert_eq!(most(&[]), 3);
    fs::create_dir(dir.path().join("below")).unwrap();
    fs::write(dir.path().join("verify-buildkit-cache.toml"), "max-downloads = 5\nprofile = \"checklist\"\n").unwrap();
    assert_eq!(most(&[]), 5);
    assert_eq!(most(&["--max-downloads", "7"]), 7);
    let below = run(&dir.path().join("below"), &["logs", "..", "--format", "json"]);
    assert_eq!(
        (&json(&below)["thresholds"]["max_downloads"], &json(&below)["profile"]),
        (&5.into(), &"checklist".into())
    );
    fs::write(dir.path().join("other.toml"), "max-downloadz = 5\n").unwrap();
    let refused = run(dir.path(), &["logs", ".", "--config", "other.toml"]);
    assert_eq!(
        stderr(&refused),
        "error: other.toml:1: unknown key `max-downloadz`\nhint: did you mean max-downloads?\n"
    );
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn names_that_nobody_knows_are_told_from_misspelt_ones() {
    let dir = tempfile::tempdir().unwrap();
    for (args, hint) in [
        (&["explain", "cache-lokced"][..], "did you mean cache-locked?"),
        (&["explain", "freshnes"], "did you mean freshness?"),
        (&["explain", "xyzzy"], "`verify-buildkit-cache explain` lists them all"),
        (&["scenarios", "show", "cache-afterdance"], "did you mean cache-after-dance?"),
        (&["run", "--scenario", "heathly"], "did you mean healthy?"),
        (&["man", "lgos"], "did you mean logs?"),
    ] {
        let output = run(dir.path(), args);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).ends_with(&format!("hint: {hint}\n")), "{args:?}: {}", stderr(&output));
    }
    let list = stdout(&run(dir.path(), &["explain"]));
    for name in ["cache-locked", "net-loss", "freshness"] {
        assert!(list.lines().any(|line| line.trim_start().starts_with(&format!("{name} "))), "{list}");
    }
}

#[test]
fn the_man_pages_name_every_option() {
    for (args, option) in
        [(&["man"][..], "logs"), (&["man", "logs"], "keep\\-logs"), (&["man", "scenarios", "run"], "partition")]
    {
        let page = stdout(&run(Path::new("/"), args));
        assert!(page.contains(".TH ") && page.contains(option), "{page}");
    }
}

#[expect(clippy::print_stderr, reason = "what is left out is said")]
fn skipped(shell: &str) {
    eprintln!("SKIPPED: {shell} is not installed, its completions were not tried");
}

/// What a shell's own completion offers for a line; `None` where the shell is not installed.
fn offered(shell: &str, line: &str) -> Option<Vec<String>> {
    let dir = tempfile::tempdir().unwrap();
    let script = stdout(&run(dir.path(), &["completions", shell]));
    let file = if shell == "zsh" { "_verify-buildkit-cache" } else { "script" };
    fs::write(dir.path().join(file), script).unwrap();
    let driver = match shell {
        "bash" => BASH,
        "fish" => FISH,
        _ => ZSH,
    };
    let output =
        Command::new(shell).args(["-c", driver, "driver", line]).env("LINE", line).current_dir(dir.path()).output();
    let Ok(output) = output else {
        skipped(shell);
        return None;
    };
    let words = stdout(&output).lines().map(|line| line.split('\t').next().unwrap().trim().to_owned()).collect();
    Some(words)
}

/// Calls the function that the script has registered, as bash does on Tab.
const BASH: &str = r#"source ./script
read -ra COMP_WORDS <<< "$LINE"; [[ $LINE == *' ' ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$LINE COMP_POINT=${#LINE}
spec=$(complete -p verify-buildkit-cache) && [[ $spec =~ -F\ ([^\ ]+) ]] || exit 1
"${BASH_REMATCH[1]}" verify-buildkit-cache "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}""#;

const FISH: &str = r#"source ./script; complete -C "$LINE""#;

/// Types the line into a zsh on a terminal of its own, where a compadd of ours notes what is offered.
const ZSH: &str = r#"zmodload zsh/zpty
zpty -b z zsh -f -i
zpty -w z "PS1=; fpath=($PWD \$fpath); autoload -Uz compinit; compinit -u -d $PWD/dump"
zpty -w z 'compadd() { local -a offered; builtin compadd -O offered "$@"; (( $#offered )) && print -rl -- $offered >> offered; builtin compadd "$@"; }'
zpty -w z 'print -r READY > ready'
repeat 300; do [[ -e ready ]] && break; sleep 0.1; zpty -r -t z junk; done
zpty -n -w z "$LINE"$'\t'
repeat 100; do [[ -e offered ]] && break; sleep 0.1; zpty -r -t z junk; done
sleep 0.3
zpty -d z
cat offered"#;

#[test]
fn completions_complete_in_every_shell() {
    for shell in ["bash", "fish", "zsh"] {
        for (line, words) in [
            ("verify-buildkit-cache lo", &["logs"][..]),
            ("verify-buildkit-cache logs --keep", &["--keep-logs"]),
            ("verify-buildkit-cache scenarios sh", &["show"]),
            ("verify-buildkit-cache run --format ", &["json", "sarif"]),
            ("verify-buildkit-cache run --scenario cache-loc", &["cache-locked"]),
            ("verify-buildkit-cache explain cache-lo", &["cache-locked"]),
        ] {
            let Some(found) = offered(shell, line) else { break };
            for word in words {
                assert!(found.iter().any(|known| known == word), "{shell}, `{line}`: {found:?}");
            }
        }
    }
}

const DOCKERFILE: &str = "FROM golang AS build\nWORKDIR /src\nCOPY . .\n\
    RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build go build -o /app .\n";

const WORKFLOW: &str = include_str!("../scenarios/healthy/workflow.yml");

/// A repository with these files besides a Dockerfile with cache mounts.
fn repository(files: &[(&str, &str)]) -> TempDir {
    let dir = holding(&[&[("Dockerfile", DOCKERFILE), (".git/HEAD", "ref: refs/heads/main\n")], files].concat());
    fs::create_dir_all(dir.path().join("below/deeper")).unwrap();
    dir
}

#[test]
fn without_arguments_it_says_what_is_here_and_starts_nothing() {
    let dir = repository(&[(".github/workflows/ci.yml", WORKFLOW), (".github/workflows/broken.yml", "on: [")]);
    let page = stdout(&run(dir.path(), &[]));
    for words in [
        "  Dockerfile  2 cache mounts: /go/pkg/mod, /root/.cache/go-build\n",
        "  .github/workflows/ci.yml  job `image` builds, and carries cache mounts with buildkit-cache-dance\n",
        "  cannot be read: ./.github/workflows/broken.yml:",
        "  verify-buildkit-cache run\n",
    ] {
        assert!(page.contains(words), "{page}");
    }
    assert!(stdout(&run(&dir.path().join("below/deeper"), &[])).contains("In this repository (../..):"));
    let bare = repository(&[]);
    let page = stdout(&run(bare.path(), &[]));
    assert!(
        page.contains("no workflow that builds with cache mounts") && page.contains("verify-buildkit-cache init\n"),
        "{page}"
    );
    let nothing = tempfile::tempdir().unwrap();
    let output = run(nothing.path(), &[]);
    assert!(output.status.success() && stdout(&output).starts_with("Nothing here to look at"), "{}", stdout(&output));
}

#[test]
fn run_takes_the_one_workflow_of_a_repository_and_lists_several() {
    let nowhere =
        |dir: &Path, args: &[&str]| program(dir, args).env("DOCKER_HOST", "unix:///nonexistent.sock").output().unwrap();
    let dir = repository(&[(".github/workflows/ci.yml", WORKFLOW)]);
    let said = stderr(&nowhere(&dir.path().join("below"), &["run"]));
    assert!(
        said.starts_with("the workflow is ../.github/workflows/ci.yml, job `image`\nerror: no container engine"),
        "{said}"
    );
    fs::write(dir.path().join(".github/workflows/other.yml"), WORKFLOW.replace("  image:", "  other:")).unwrap();
    let output = nowhere(dir.path(), &["run"]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.starts_with("error: 2 jobs here build with cache mounts\nhint: name one:\n"), "{said}");
    for file in ["ci.yml", "other.yml"] {
        let command = format!("  verify-buildkit-cache run --project . --workflow ./.github/workflows/{file}\n");
        assert!(said.contains(&command), "{said}");
    }
    // What is named is taken, whatever lies around.
    assert!(stderr(&nowhere(dir.path(), &["run", "--sample", "small"])).starts_with("error: no container engine"));
}

#[test]
fn init_prints_a_diff_that_git_applies() {
    let dir = repository(&[]);
    fs::remove_dir_all(dir.path().join(".git")).unwrap();
    let git = |args: &[&str]| Command::new("git").args(args).current_dir(dir.path()).output().unwrap();
    assert!(git(&["init", "-q"]).status.success());
    let output = run(dir.path(), &["init"]);
    assert!(output.status.success(), "{}", stderr(&output));
    fs::write(dir.path().join("init.diff"), &output.stdout).unwrap();
    let applied = git(&["apply", "--whitespace=nowarn", "init.diff"]);
    assert!(applied.status.success(), "{}\n{}", stderr(&applied), stdout(&output));
    let workflow = fs::read_to_string(dir.path().join(".github/workflows/verify-buildkit-cache.yml")).unwrap();
    assert!(workflow.contains("\"target\": \"/go/pkg/mod\"") && workflow.contains("file: Dockerfile"), "{workflow}");
    assert!(fs::read_to_string(dir.path().join("Dockerfile")).unwrap().contains("BEFORE"));
    // Now there is one workflow, and `run` takes it.
    assert!(stdout(&run(dir.path(), &[])).contains("job `image` builds, and carries cache mounts"));
    fs::write(dir.path().join("Dockerfile"), "FROM golang\nRUN go build\n").unwrap();
    let refused = run(dir.path(), &["init", "Dockerfile"]);
    assert_eq!(refused.status.code(), Some(4));
    assert!(stderr(&refused).contains("Dockerfile has no cache mount"), "{}", stderr(&refused));
}

#[test]
fn one_job_of_several_is_judged_and_the_document_goes_into_a_file_too() {
    let dir = two_runs();
    let other =
        fixture("large-mounts-but-a-slow-build.log").replace("Complete job name: build", "Complete job name: other");
    fs::write(dir.path().join("other.log"), other).unwrap();
    let output = run(dir.path(), &["logs", "run-1", "run-2", "other.log", "--job", "build", "--json", "report.json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let document: Value = serde_json::from_str(&fs::read_to_string(dir.path().join("report.json")).unwrap()).unwrap();
    valid(&document);
    assert_eq!((document["verdict"].as_str(), document["subject"].as_str()), (Some("effective"), Some("build, build")));
    let unknown = run(dir.path(), &["logs", "run-1", "other.log", "--job", "biuld"]);
    assert_eq!(stderr(&unknown), "error: no log is of a job `biuld`\nhint: did you mean build?\n");
}
