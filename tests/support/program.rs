//! The program as a person starts it. [`Started`] is a run under way, [`Ended`] what came of it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A program under way, with a directory of its own for all it writes.
#[derive(Debug)]
pub(crate) struct Started {
    child: Child,
    dir: TempDir,
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) process: u32,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    dir: TempDir,
}

/// What the program said that was started once more.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the program to its end in the place of another start.
fn say(dir: &Path, args: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_verify-buildkit-cache"));
    command.args(args).env("TMPDIR", dir.join("tmp")).env("XDG_STATE_HOME", dir.join("state")).stdin(Stdio::null());
    let output = command.env_remove("GO_IMAGE").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Runs `run … --format json --out …` to its end.
pub(crate) fn run(args: &[&str]) -> Ended {
    start(args).end()
}

/// Starts `run … --format json --out …`.
pub(crate) fn start(args: &[&str]) -> Started {
    start_command(&["run"], args, &[])
}

/// Starts `run …` on the engine at an address.
pub(crate) fn start_on(address: &str, args: &[&str]) -> Started {
    start_command(&["run"], args, &[("DOCKER_HOST", address)])
}

/// Starts `run …` where no journal can be written.
pub(crate) fn start_without_state(args: &[&str]) -> Started {
    start_command(&["run"], args, &[("XDG_STATE_HOME", "/dev/null/state")])
}

/// Starts `scenarios run … --format json --out …`.
pub(crate) fn start_scenarios(args: &[&str]) -> Started {
    start_command(&["scenarios", "run"], args, &[])
}

fn start_command(command: &[&str], args: &[&str], variables: &[(&str, &str)]) -> Started {
    let dir = tempfile::tempdir().unwrap();
    let temporary = dir.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let mut program = program(dir.path());
    let child = program
        .envs(variables.iter().copied())
        .args(command)
        .args(args)
        .args(["--format", "json", "--out"])
        .arg(dir.path().join("evidence"))
        .env("TMPDIR", &temporary)
        .spawn()
        .unwrap();
    Started { child, dir }
}

/// Runs it with all its temporary files on a disk of so many megabytes, which nobody else sees; `None` where this
/// machine lets nobody mount one.
pub(crate) fn run_on_small_disk(megabytes: u32, args: &[&str]) -> Option<Ended> {
    let private = [["--mount"].as_slice(), &["--mount", "--map-root-user"]];
    let may = |flags: &&&[&str]| {
        Command::new("unshare").args(**flags).arg("true").output().is_ok_and(|it| it.status.success())
    };
    let flags = private.iter().find(may)?;
    let dir = tempfile::tempdir().unwrap();
    let disk = dir.path().join("tmp");
    fs::create_dir(&disk).unwrap();
    let mut command = Command::new("unshare");
    let mount = r#"mount -t tmpfs -o "size=$0m" none "$TMPDIR" && exec "$@""#;
    command.args(*flags).args(["sh", "-c", mount, &megabytes.to_string()]);
    command.arg(env!("CARGO_BIN_EXE_verify-buildkit-cache"));
    command.arg("run").args(args).arg("--out").arg(dir.path().join("evidence")).env("TMPDIR", &disk);
    let child = quiet(command, dir.path()).spawn().unwrap();
    Some(Started { child, dir }.end())
}

/// The program, with both outputs in files: a full pipe would hold it up.
fn program(dir: &Path) -> Command {
    quiet(Command::new(env!("CARGO_BIN_EXE_verify-buildkit-cache")), dir)
}

fn quiet(mut command: Command, dir: &Path) -> Command {
    let file = |name| File::create(dir.join(name)).unwrap();
    command.stdin(Stdio::null()).stdout(file("stdout")).stderr(file("stderr")).env_remove("GO_IMAGE");
    // A test neither finds nor leaves anything in the journals of the person who starts it.
    command.env("XDG_STATE_HOME", dir.join("state"));
    command
}

impl Started {
    /// Where it was told to put the evidence.
    #[allow(dead_code, reason = "not every test program asks while the run is under way")]
    pub(crate) fn evidence(&self) -> PathBuf {
        self.dir.path().join("evidence")
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Tells whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Runs the program with other arguments in the same place while it runs.
    pub(crate) fn beside(&self, args: &[&str]) -> Said {
        say(self.dir.path(), args)
    }

    /// What it has written to standard error so far.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.dir.path().join("stderr")).unwrap()
    }

    /// Sends it a signal, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for it to end.
    pub(crate) fn end(mut self) -> Ended {
        let status = self.child.wait().unwrap();
        self.ended(status.code())
    }

    /// Waits for it to end within a time.
    pub(crate) fn end_within(mut self, limit: Duration) -> Ended {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return self.ended(status.code());
            }
            if since.elapsed() > limit {
                self.child.kill().unwrap();
                self.child.wait().unwrap();
                let ended = self.ended(None);
                panic!("it still ran after {limit:?}:\n{}", ended.stderr);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn ended(self, code: Option<i32>) -> Ended {
        let text = |name| fs::read_to_string(self.dir.path().join(name)).unwrap();
        Ended { process: self.child.id(), code, stdout: text("stdout"), stderr: text("stderr"), dir: self.dir }
    }
}

impl Ended {
    /// The document it wrote to standard output.
    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }

    /// Where it was told to put the evidence.
    pub(crate) fn evidence(&self) -> PathBuf {
        self.dir.path().join("evidence")
    }

    /// Runs the program with other arguments in the same place.
    pub(crate) fn again(&self, args: &[&str]) -> Said {
        say(self.dir.path(), args)
    }

    /// Lists the temporary files it has left.
    pub(crate) fn left_temporary(&self) -> Vec<PathBuf> {
        fs::read_dir(self.dir.path().join("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    /// Reads the written logs back with `logs`, and returns the exit code and the document.
    pub(crate) fn read_back(&self, judging: &[String]) -> (Option<i32>, Value) {
        let evidence = self.evidence();
        let runs = (1..).map(|number| format!("run-{number}/job.log"));
        let logs: Vec<String> = runs.take_while(|log| evidence.join(log).exists()).collect();
        assert!(!logs.is_empty(), "no job log in {}", evidence.display());
        let status = program(self.dir.path())
            .current_dir(&evidence)
            .arg("logs")
            .args(&logs)
            .args(judging)
            .args(["--format", "json"])
            .status()
            .unwrap();
        let said = fs::read_to_string(self.dir.path().join("stdout")).unwrap();
        (status.code(), serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}")))
    }
}
