//! `lint` as a person starts it: exit codes, formats, `--fix`, `--base`, and the commands beside it.

use std::path::Path;
use std::process::{Command, Output};

use insta::assert_snapshot;

use super::fixtures::patched;

fn fixture(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lint").join(name)).unwrap()
}

/// A repository on the disk: a fixture's workflow and Dockerfile.
fn repository(name: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (workflow, dockerfile) = match name {
        "base" => (fixture("base/workflow.yml"), fixture("base/Dockerfile")),
        name => patched(&fixture(name)),
    };
    let write = |path: &str, text: &str| {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(".github/workflows/image.yml", &workflow);
    write("Dockerfile", &dockerfile);
    write("go.mod", "module app\n");
    write("go.sum", "");
    dir
}

fn run(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_verify-buildkit-cache"));
    command.current_dir(dir).args(args).env("NO_COLOR", "1").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_fault_is_shown_as_a_compiler_shows_it() {
    let dir = repository("cache-map-id-mismatch.bad.diff");
    let output = run(dir.path(), &["lint"]);
    assert_eq!(output.status.code(), Some(1));
    assert_snapshot!(text(&output.stdout));
}

#[test]
fn exit_codes_tell_what_happened() {
    let code = |name: &str, args: &[&str]| run(repository(name).path(), args).status.code();
    assert_eq!(code("base", &["lint"]), Some(0));
    assert_eq!(code("key-lock-files-only.bad.diff", &["lint"]), Some(0), "a note is no error");
    assert_eq!(code("cache-key-stale.bad.diff", &["lint"]), Some(0), "nor is a warning");
    assert_eq!(code("no-cache-build.bad.diff", &["lint"]), Some(1));
    assert_eq!(code("base", &["lint", "--format", "xml"]), Some(2));
    assert_eq!(code("base", &["lint", "nowhere.yml"]), Some(4));
    let broken = repository("base");
    std::fs::write(broken.path().join(".github/workflows/broken.yml"), "jobs:\n\t- x\n").unwrap();
    let output = run(broken.path(), &["lint"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stderr).contains("broken.yml:2"), "{}", text(&output.stderr));
    let empty = tempfile::tempdir().unwrap();
    let output = run(empty.path(), &["lint"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stderr).contains("no workflows"), "{}", text(&output.stderr));
}

#[test]
fn paths_name_files_as_they_are_found_from_here() {
    let dir = repository("no-cache-build.bad.diff");
    let inner = dir.path().join("deep/er");
    std::fs::create_dir_all(&inner).unwrap();
    let said = text(&run(&inner, &["lint"]).stdout);
    assert!(said.contains("--> ../../.github/workflows/image.yml:"), "{said}");
    let file = dir.path().join(".github/workflows/image.yml");
    let said = text(&run(dir.path(), &["lint", file.to_str().unwrap(), "."]).stdout);
    assert!(said.contains("1 workflow:"), "one file named twice is one workflow\n{said}");
}

/// The properties that SARIF 2.1.0 gives to the objects written here; the first of each are required.
const SARIF: [(&str, usize, &[&str]); 12] = [
    ("log", 2, &["version", "runs", "$schema"]),
    ("run", 1, &["tool", "columnKind", "invocations", "results"]),
    ("tool", 1, &["driver"]),
    ("driver", 1, &["name", "version", "rules"]),
    ("rule", 1, &["id", "shortDescription", "fullDescription", "help"]),
    ("invocation", 1, &["executionSuccessful", "toolExecutionNotifications"]),
    ("result", 1, &["message", "ruleId", "ruleIndex", "level", "locations", "relatedLocations"]),
    ("location", 0, &["physicalLocation", "message"]),
    ("physicalLocation", 1, &["artifactLocation", "region"]),
    ("artifactLocation", 1, &["uri", "uriBaseId"]),
    ("region", 1, &["startLine", "startColumn", "endLine", "endColumn"]),
    ("message", 1, &["text"]),
];

fn holds(value: &serde_json::Value, kind: &str) {
    let (_, required, known) = SARIF.iter().find(|(name, ..)| *name == kind).unwrap();
    let object = value.as_object().unwrap();
    assert!(known[..*required].iter().all(|name| object.contains_key(*name)), "{kind}: {value}");
    assert!(object.keys().all(|name| known.contains(&name.as_str())), "{kind}: {value}");
}

/// The shape was also read back once with the crate serde-sarif 0.8.0, which lost nothing of it.
#[test]
fn sarif_has_the_published_shape() {
    let dir = repository("cache-map-id-mismatch.bad.diff");
    let output = run(dir.path(), &["lint", "--format", "sarif"]);
    let log: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    holds(&log, "log");
    assert_eq!(log["version"], "2.1.0");
    let one = &log["runs"][0];
    holds(one, "run");
    holds(&one["tool"], "tool");
    holds(&one["tool"]["driver"], "driver");
    let rules = one["tool"]["driver"]["rules"].as_array().unwrap();
    rules.iter().for_each(|rule| holds(rule, "rule"));
    holds(&one["invocations"][0], "invocation");
    for result in one["results"].as_array().unwrap() {
        holds(result, "result");
        holds(&result["message"], "message");
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert_eq!(rules[result["ruleIndex"].as_u64().unwrap() as usize]["id"], result["ruleId"]);
        for location in ["locations", "relatedLocations"].iter().flat_map(|name| result[*name].as_array().unwrap()) {
            holds(location, "location");
            let place = &location["physicalLocation"];
            holds(place, "physicalLocation");
            holds(&place["artifactLocation"], "artifactLocation");
            holds(&place["region"], "region");
            assert!(
                place["region"]
                    .as_object()
                    .unwrap()
                    .values()
                    .all(|number| number.as_u64().is_some_and(|number| number > 0))
            );
        }
    }
    let first = &one["results"][0];
    assert_eq!(first["ruleId"], "cache-map-id-mismatch");
    assert_eq!(first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], ".github/workflows/image.yml");
    let clean = run(repository("base").path(), &["lint", "--format", "sarif"]);
    let log: serde_json::Value = serde_json::from_slice(&clean.stdout).unwrap();
    assert!(log["runs"][0]["results"].as_array().unwrap().is_empty());
}

#[test]
fn json_and_annotations_carry_the_same_findings() {
    let dir = repository("no-cache-build.bad.diff");
    let json: serde_json::Value =
        serde_json::from_slice(&run(dir.path(), &["lint", "--format", "json"]).stdout).unwrap();
    assert_eq!(json["schema"], 1);
    let finding = &json["findings"][0];
    assert_eq!((finding["code"].as_str(), finding["severity"].as_str()), (Some("no-cache-build"), Some("error")));
    let line = finding["places"][0]["line"].as_u64().unwrap();
    let said = text(&run(dir.path(), &["lint", "--format", "github"]).stdout);
    assert!(said.starts_with(&format!("::error file=.github/workflows/image.yml,line={line},")), "{said}");
    assert!(said.contains("title=no-cache-build::"), "{said}");
}

#[test]
fn a_diff_shows_what_a_fix_does_and_a_fix_leaves_the_rest_alone() {
    let dir = repository("no-cache-build.bad.diff");
    let file = dir.path().join(".github/workflows/image.yml");
    // Line ends of another system stay as they are.
    let before = std::fs::read_to_string(&file).unwrap().replace('\n', "\r\n");
    std::fs::write(&file, &before).unwrap();
    let output = run(dir.path(), &["lint", "--diff"]);
    assert!(text(&output.stdout).contains("-          no-cache: true"), "{}", text(&output.stdout));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before, "a diff changes nothing");
    let output = run(dir.path(), &["lint", "--fix"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before.replace("          no-cache: true\r\n", ""));
}

#[test]
fn what_is_carried_otherwise_wants_a_new_version() {
    let dir = repository("base");
    let file = dir.path().join(".github/workflows/image.yml");
    let versioned = std::fs::read_to_string(&file)
        .unwrap()
        .replace("jobs:\n", "env:\n  cache_version: v1\n\njobs:\n")
        .replace("go-${{ hashFiles", "${{ env.cache_version }}-go-${{ hashFiles")
        .replace("            go-\n", "            ${{ env.cache_version }}-go-\n");
    std::fs::write(&file, &versioned).unwrap();
    let git = |args: &[&str]| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"];
        let done = Command::new("git").current_dir(dir.path()).args(identity).args(args).output().unwrap();
        assert!(done.status.success(), "{}", text(&done.stderr));
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "a"]);
    let same = run(dir.path(), &["lint", "--base", "HEAD"]);
    assert!(text(&same.stdout).contains("nothing wrong"), "{}", text(&same.stdout));
    // The mount and its entry get an id, together.
    let dockerfile = dir.path().join("Dockerfile");
    let with_id =
        std::fs::read_to_string(&dockerfile).unwrap().replace("target=/go/pkg/mod", "target=/go/pkg/mod,id=m");
    std::fs::write(&dockerfile, with_id).unwrap();
    let mapped = versioned.replace("\"/go/pkg/mod\"", "{\"target\": \"/go/pkg/mod\", \"id\": \"m\"}");
    std::fs::write(&file, &mapped).unwrap();
    let said = text(&run(dir.path(), &["lint", "--base", "HEAD"]).stdout);
    assert!(said.contains("warning[cache-version-not-bumped]"), "{said}");
    std::fs::write(&file, mapped.replace("cache_version: v1", "cache_version: v2")).unwrap();
    let said = text(&run(dir.path(), &["lint", "--base", "HEAD"]).stdout);
    assert!(said.contains("nothing wrong"), "{said}");
    let lost = run(dir.path(), &["lint", "--base", "nowhere"]);
    assert_eq!(lost.status.code(), Some(4));
    let version = text(&run(dir.path(), &["cache-version"]).stdout);
    assert!(version.starts_with("v2-") && version.trim().len() == "v2-0130-0943".len(), "{version}");
}

#[test]
fn the_commands_beside_it_know_their_versions_and_pages() {
    let dir = tempfile::tempdir().unwrap();
    let said = |args: &[&str]| text(&run(dir.path(), args).stdout);
    assert_eq!(said(&["cache-version", "--stable", "--from", "v4-0130-0943"]), "stable-v1\n");
    assert_eq!(said(&["cache-version", "--stable", "--from", "stable-v1"]), "stable-v2\n");
    assert!(said(&["cache-version", "--from", "v4-0130-0943"]).starts_with("v4-"));
    for definition in verify_buildkit_cache::lint::definitions() {
        let page = said(&["explain", definition.code]);
        assert!(page.starts_with(definition.code) && page.contains("What to do"), "{page}");
    }
}

#[test]
fn every_code_stands_in_the_documentation() {
    let docs = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lint.md")).unwrap();
    for definition in verify_buildkit_cache::lint::definitions() {
        assert!(docs.contains(&format!("| `{}` |", definition.code)), "{}", definition.code);
    }
}
