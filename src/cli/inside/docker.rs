//! `docker` inside: the real command, on the cache mounts and under the names of this run. [`run`] is principal.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::SystemTime;

use super::{INSIDE, code_of};
use crate::actions::{DockerPlan, DockerRun, DockerSetting, DockerTrace, DockerWorld};
use crate::cli::say;

/// What docker ends with when a command is wrong.
const REFUSED: i32 = 125;

/// Carries a command out, and records it.
pub(super) fn run(args: &[String]) -> i32 {
    let text = fs::read(format!("{INSIDE}/docker.json")).unwrap_or_default();
    let setting: DockerSetting = match serde_json::from_slice(&text) {
        Ok(setting) => setting,
        Err(error) => {
            say(&format!("docker: the settings of this run cannot be read: {error}"));
            return REFUSED;
        }
    };
    let began = now();
    let (code, refused, build, error) = match setting.plan(args, &WrapperSetting(&setting)) {
        DockerPlan::Run(run) => {
            if run.build.is_some() {
                // Whoever stops it midway leaves this, so that what it has made is known.
                let trace = DockerTrace {
                    args: args.to_vec(),
                    began,
                    ended: 0,
                    code: REFUSED,
                    refused: None,
                    build: run.build.clone(),
                    error: None,
                };
                record(&setting, &trace);
            }
            let (code, error) = carry_out(&setting, &run);
            (code, None, run.build, error)
        }
        DockerPlan::Nothing => (0, None, None, None),
        DockerPlan::Refused(refusal) => {
            say(&format!("docker: verify-buildkit-cache: {refusal}"));
            (REFUSED, Some(refusal), None, None)
        }
    };
    record(&setting, &DockerTrace { args: args.to_vec(), began, ended: now(), code, refused, build, error });
    code
}

fn record(setting: &DockerSetting, trace: &DockerTrace) {
    let path = format!("{}/{}-{}.json", setting.trace, trace.began, std::process::id());
    let written = serde_json::to_vec(trace).map_err(io::Error::from).and_then(|text| fs::write(&path, text));
    if let Err(error) = written {
        say(&format!("docker: verify-buildkit-cache: {path} cannot be written: {error}"));
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or_default()
}

fn real(setting: &DockerSetting) -> Command {
    let mut command = Command::new(&setting.docker);
    command.env("DOCKER_HOST", &setting.host).env("DOCKER_CONFIG", &setting.config);
    for other in ["DOCKER_CONTEXT", "BUILDX_CONFIG", "BUILDX_BUILDER", "BUILDKIT_HOST"] {
        command.env_remove(other);
    }
    command
}

/// Returns the exit code, and the error it ended with.
fn carry_out(setting: &DockerSetting, run: &DockerRun) -> (i32, Option<String>) {
    if let Some((path, text)) = &run.file
        && let Err(error) = fs::write(path, text)
    {
        say(&format!("docker: {path} cannot be written: {error}"));
        return (REFUSED, None);
    }
    let mut command = real(setting);
    command.args(&run.args).stdin(Stdio::inherit());
    // What a container or an archive prints is handed on as it is.
    let streams = matches!(run.args.first().map(String::as_str), Some("cp" | "run" | "export" | "exec" | "logs"));
    if streams || run.hide.is_empty() {
        return (command.status().map_or_else(|error| cannot_start(&error), code_of), None);
    }
    let mut child = match command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => return (cannot_start(&error), None),
    };
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let hide = run.hide.clone();
    let errors = thread::spawn(move || errors.map(|errors| relay(errors, io::stderr(), &hide)));
    let printed = output.map(|output| relay(output, io::stdout(), &run.hide)).unwrap_or_default();
    let said = errors.join().ok().flatten().unwrap_or_default();
    let code = child.wait().map_or(1, code_of);
    if run.makes_container && code == 0 {
        let kept = fs::File::options().create(true).append(true).open(format!("{}/containers", setting.trace));
        let _ = kept.and_then(|mut kept| kept.write_all(&printed.first));
    }
    let said = String::from_utf8_lossy(&said.last).into_owned();
    let error = said.lines().rev().find(|line| line.starts_with("ERROR: ")).map(str::to_owned);
    (code, error)
}

/// What of an output is kept.
#[derive(Debug, Default)]
struct KeptOutput {
    /// Its first bytes.
    first: Vec<u8>,
    /// Its last bytes.
    last: Vec<u8>,
}

fn cannot_start(error: &io::Error) -> i32 {
    say(&format!("docker cannot be started: {error}"));
    REFUSED
}

/// Hands lines on with the names that the action knows.
fn relay(mut from: impl Read, mut to: impl Write, hide: &[(String, String)]) -> KeptOutput {
    const KEPT: usize = 16 * 1024;
    let (mut rest, mut kept, mut buffer) = (Vec::new(), KeptOutput::default(), vec![0; 64 * 1024]);
    let mut hand_on = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let shown = hide.iter().fold(text.into_owned(), |text, (private, shown)| text.replace(private, shown));
        if kept.first.len() < KEPT {
            kept.first.extend_from_slice(shown.as_bytes());
        }
        kept.last.extend_from_slice(shown.as_bytes());
        let old = kept.last.len().saturating_sub(KEPT);
        kept.last.drain(..old);
        let _ = to.write_all(shown.as_bytes()).and_then(|()| to.flush());
    };
    loop {
        match from.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) => rest.extend_from_slice(&buffer[..count]),
        }
        if let Some(end) = memchr::memrchr(b'\n', &rest) {
            hand_on(&rest[..=end]);
            rest.drain(..=end);
        }
    }
    hand_on(&rest);
    kept
}

/// What the engine and the runner's files say.
struct WrapperSetting<'a>(&'a DockerSetting);

impl DockerWorld for WrapperSetting<'_> {
    fn has_image(&self, name: &str) -> bool {
        let mut command = real(self.0);
        command.args(["image", "inspect", "--format", "x", name]);
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }

    fn made(&self, id: &str) -> bool {
        let known = fs::read_to_string(format!("{}/containers", self.0.trace)).unwrap_or_default();
        id.len() >= 12 && known.lines().any(|line| line.starts_with(id))
    }

    fn read(&self, path: &str) -> Option<String> {
        if path == "-" { io::read_to_string(io::stdin()).ok() } else { fs::read_to_string(path).ok() }
    }

    fn resolve(&self, path: &str) -> String {
        Path::new(path).canonicalize().map_or_else(|_| path.to_owned(), |path| path.display().to_string())
    }
}
