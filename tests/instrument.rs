//! `instrument`, as a person calls it, and its steps in real shells: what they print, and what they leave behind.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use verify_buildkit_cache::dockerfile::{Dockerfile, ProofStep};
use verify_buildkit_cache::evidence::{MountProof, ProofLine, StepProof, Told};
use verify_buildkit_cache::source::Source;

/// The shells of build images, each with the flags that `SHELL` may give it.
const SHELLS: [&[&str]; 7] = [
    &["dash", "-c"],
    &["dash", "-euxc"],
    &["bash", "-c"],
    &["bash", "-euxo", "pipefail", "-c"],
    &["busybox", "sh", "-c"],
    &["busybox", "ash", "-euxc"],
    &["zsh", "-c"],
];

fn program(dir: &Path, args: &[&str]) -> Output {
    let mut command = assert_cmd::Command::cargo_bin("verify-buildkit-cache").unwrap();
    command.current_dir(dir).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A directory with two mounts in it, one with what an inject and an earlier build leave, and a `go` beside them.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = Self { dir };
        fs::create_dir_all(place.mount("mod").join("cache/download")).unwrap();
        fs::create_dir(place.mount("build")).unwrap();
        fs::write(place.mount("mod").join("cache/download/a.zip"), [7; 9000]).unwrap();
        fs::write(place.mount("mod").join("buildstamp"), "2026-11-28T09:12:13.500Z").unwrap();
        let bin = place.dir.path().join("bin");
        fs::create_dir(&bin).unwrap();
        // It says where it was called, and with which toolchain.
        place.tool("go", "#!/bin/sh\n[ \"$GOTOOLCHAIN\" = local ] && [ \"$PWD\" = / ] && echo \"/go/$2\"\n");
        place
    }

    fn tool(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.dir.path().join("bin").join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn mount(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The commands before and after the build of an instrumented Dockerfile that mounts these.
    fn scripts(&self, heredoc: bool) -> [String; 2] {
        let (modules, build) = (self.mount("mod"), self.mount("build"));
        let mounts =
            format!("--mount=type=cache,target={} --mount=type=cache,target={}", modules.display(), build.display());
        let run = if heredoc { "<<EOF\ngo build\nEOF" } else { "sh -c 'go build'" };
        fs::write(self.mount("Dockerfile"), format!("FROM x\nRUN {mounts} {run}\n")).unwrap();
        let copy = program(self.dir.path(), &["instrument"]);
        assert_eq!(copy.status.code(), Some(0), "{}", text(&copy.stderr));
        let copy = Dockerfile::parse(&Source::new("copy", text(&copy.stdout))).unwrap();
        let runs = &copy.stages[0].runs;
        assert_eq!(runs.len(), 3);
        [0, 2].map(|at: usize| runs[at].command.clone())
    }

    /// Runs a command as a build does; `None` where this machine has no such shell.
    fn run(&self, shell: &[&str], script: &str, path: &str) -> Option<(Option<i32>, Vec<String>)> {
        let program = which(shell[0])?;
        let output = Command::new(program)
            .args(&shell[1..])
            .arg(script)
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", path)
            .env("VBC_RUNNER", "run-1")
            .output()
            .unwrap();
        let errors = text(&output.stderr);
        let errors: Vec<&str> = errors.lines().filter(|line| !line.starts_with("+ exec")).collect();
        assert!(errors.is_empty(), "{shell:?}: {errors:?}");
        Some((output.status.code(), text(&output.stdout).lines().map(str::to_owned).collect()))
    }

    fn path(&self) -> String {
        format!("{}:/usr/bin:/bin", self.mount("bin").display())
    }
}

fn which(name: &str) -> Option<PathBuf> {
    ["/bin", "/usr/bin"].iter().map(|dir| Path::new(dir).join(name)).find(|path| path.is_file())
}

fn proofs(lines: &[String]) -> (StepProof, Vec<MountProof>) {
    let read = lines.iter().filter(|line| line.starts_with("vbc-proof ")).map(|line| ProofLine::read(line).unwrap());
    let (mut steps, mut mounts) = (Vec::new(), Vec::new());
    for line in read {
        match line {
            ProofLine::Step(step) => steps.push(step),
            ProofLine::Mount(mount) => mounts.push(mount),
        }
    }
    assert_eq!(steps.len(), 1, "{lines:?}");
    (steps.remove(0), mounts)
}

#[test]
fn each_shell_prints_what_the_mounts_hold_and_finds_the_mark_again() {
    let mut seen = 0;
    for shell in SHELLS {
        let place = Place::new();
        let [before, after] = place.scripts(false);
        let Some((code, lines)) = place.run(shell, &before, &place.path()) else { continue };
        seen += 1;
        assert_eq!(code, Some(0), "{shell:?}");
        assert_eq!(lines[0], "=== BEFORE ===");
        let (step, mounts) = proofs(&lines);
        assert!(step.at.is_some() && step.up.is_some() && step.user.is_some(), "{shell:?}: {lines:?}");
        assert_eq!(step.modules.as_deref(), Some("/go/GOMODCACHE"), "{shell:?}");
        assert_eq!(step.objects.as_deref(), Some("/go/GOCACHE"), "{shell:?}");
        let [modules, build] = &mounts[..] else { panic!("{lines:?}") };
        assert_eq!(modules.target, place.mount("mod").display().to_string());
        assert_eq!((modules.files, modules.writable, &modules.mark), (Some(1), Some(true), &Told::Absent), "{shell:?}");
        assert!(modules.bytes.unwrap() >= 9000);
        let stamp = modules.stamp.is().unwrap();
        assert_eq!((stamp.text.as_str(), stamp.at.is_some()), ("2026-11-28T09:12:13.500Z", true));
        assert_eq!((build.files, &build.stamp), (Some(0), &Told::Absent));

        let (code, lines) = place.run(shell, &after, &place.path()).unwrap();
        assert_eq!(code, Some(0), "{shell:?}");
        let (_, left) = proofs(&lines);
        let mark = left[0].mark.is().unwrap();
        assert_eq!((mark.id.len(), mark.run.as_deref()), (36, Some("run-1")), "{lines:?}");
        let (_, lines) = place.run(shell, &before, &place.path()).unwrap();
        let (_, found) = proofs(&lines);
        let again = found[0].mark.is().unwrap();
        assert_eq!((&again.id, &again.run, again.files, &again.bytes), (&mark.id, &mark.run, Some(1), &left[0].bytes));
        assert_eq!(again.target.as_deref(), Some(modules.target.as_str()));
        assert_eq!((found[0].files, found[1].files), (Some(1), Some(0)), "the mark is no file of Go's");
        let files: Vec<_> = fs::read_dir(place.mount("build")).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, [".vbc-mark"], "nothing else is left behind");
    }
    assert!(seen >= 2, "no shell to try");
}

#[test]
fn an_image_that_lacks_every_tool_says_unknown_and_never_zero() {
    for shell in SHELLS.iter().filter(|shell| !shell.contains(&"busybox")) {
        let place = Place::new();
        for script in place.scripts(true) {
            let Some((code, lines)) = place.run(shell, &script, "/nowhere") else { continue };
            assert_eq!(code, Some(0), "{shell:?}");
            let (step, mounts) = proofs(&lines);
            assert_eq!((step.at, step.user, step.modules, step.objects), (None, None, None, None), "{shell:?}");
            let found = (mounts[0].bytes, mounts[0].files, mounts[0].writable, &mounts[0].mark);
            assert_eq!(found, (None, None, None, &Told::Absent), "{shell:?}: {lines:?}");
        }
        assert_eq!(fs::read_dir(place.mount("build")).unwrap().count(), 0, "nothing is left behind");
    }
}

#[test]
fn what_du_cannot_enter_is_not_counted_as_little() {
    let place = Place::new();
    place.tool("du", "#!/bin/sh\n[ \"$1\" = -sk ] && echo \"4 $2\"; echo 'du: cannot read directory' >&2; exit 1\n");
    let [before, _] = place.scripts(false);
    let (_, lines) = place.run(&["bash", "-c"], &before, &place.path()).unwrap();
    let (_, mounts) = proofs(&lines);
    assert_eq!((mounts[0].bytes, mounts[0].files), (None, None), "{lines:?}");
}

#[test]
fn a_mount_that_may_not_be_written_says_so_and_gets_no_mark() {
    let place = Place::new();
    // Even root may not write into /proc.
    let scripts =
        place.scripts(false).map(|script| script.replace(&place.mount("build").display().to_string(), "/proc/self"));
    for script in scripts {
        for shell in SHELLS {
            let Some((code, lines)) = place.run(shell, &script, &place.path()) else { continue };
            let (_, mounts) = proofs(&lines);
            assert_eq!((code, mounts[1].writable, &mounts[1].mark), (Some(0), Some(false), &Told::Absent), "{shell:?}");
        }
    }
}

#[test]
fn a_mark_or_stamp_of_anybody_else_cannot_forge_a_line() {
    let place = Place::new();
    let forged = "v1 id$(touch x) a=b\u{1b}[2J 1 2 /x mount=/y kib=9 end\nvbc-proof v1 before step end\n";
    fs::write(place.mount("mod").join(".vbc-mark"), forged).unwrap();
    fs::write(place.mount("mod").join("buildstamp"), "2026 kib=999999 end\nmore").unwrap();
    let [before, _] = place.scripts(false);
    for shell in SHELLS {
        let Some((_, lines)) = place.run(shell, &before, &place.path()) else { continue };
        let (_, mounts) = proofs(&lines);
        assert_eq!(mounts.len(), 2, "{shell:?}: {lines:?}");
        assert_eq!(mounts[0].stamp, Told::Unknown, "{shell:?}");
        assert!(mounts[0].bytes.unwrap() < 999_999, "{shell:?}");
    }
    assert!(!place.mount("x").exists());
}

#[test]
fn check_says_whether_a_dockerfile_is_instrumented() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("Dockerfile");
    let said = || {
        let output = program(dir.path(), &["instrument", "--check"]);
        format!("exit {}\n{}{}", output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    };
    let plain = "FROM golang AS build\nRUN --mount=type=cache,target=/go/pkg/mod go build\nFROM scratch\n";
    fs::write(&file, plain).unwrap();
    assert_eq!(said(), "exit 1\nDockerfile: not instrumented\n  stage 1 (build): no proof lines\n");
    let copy = text(&program(dir.path(), &["instrument", "Dockerfile"]).stdout);
    fs::write(&file, &copy).unwrap();
    assert_eq!(
        said(),
        "exit 0\nDockerfile: instrumented\n  stage 1 (build): proof lines v1 before and after its builds\n"
    );
    assert_eq!(text(&program(dir.path(), &["instrument"]).stdout), copy, "instrumenting twice changes nothing more");
    fs::write(&file, copy.replace("vbc-proof v1", "vbc-proof v7")).unwrap();
    assert!(said().starts_with("exit 1\nDockerfile: not instrumented\n  stage 1 (build): lines of another version"));
    fs::write(&file, "FROM golang\nRUN --mount=type=cache,target=/go/pkg/mod [\"go\", \"build\"]\n").unwrap();
    assert!(said().starts_with("exit 1\nDockerfile: not instrumented\n  stage 1: not measured: every RUN is in exec"));
    fs::write(&file, "FROM scratch\n").unwrap();
    assert_eq!(said(), "exit 1\nDockerfile: not instrumented\n  no RUN with a Go cache mount\n");
    fs::write(&file, "RUN x\n").unwrap();
    assert!(said().starts_with("exit 4\n"), "{}", said());
}

#[test]
fn a_step_is_known_as_buildkit_names_it() {
    let place = Place::new();
    for script in place.scripts(false) {
        // BuildKit takes the line continuations out of the name, and leaves the spaces in.
        assert!(ProofStep::read(&format!("    {script}")).is_some());
    }
}
