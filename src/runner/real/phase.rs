//! One phase of an action, from its start to its end. [`PhaseEnd`] is what comes out.

use std::fs;
use std::io::{self, Read};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::mpsc;

use super::{ActionSandbox, CacheCall, CacheService, PhaseMount, RealActionError};
use crate::actions::{DockerTrace, PhaseRequest};
use crate::runner::RunError;

/// The longest piece of a line that is handed on at once.
const PIECE: usize = 64 * 1024;

/// How much of what a phase prints is kept.
const OUTPUT: usize = 64 << 20;

/// How a phase ended.
#[derive(Debug, Clone)]
pub(in crate::runner) struct PhaseEnd {
    /// Its exit code; `None` when a signal ended it.
    pub(in crate::runner) code: Option<i32>,
    /// It was stopped, because it lasted too long.
    pub(in crate::runner) timed_out: bool,
    /// The `docker` commands it gave, in order.
    pub(in crate::runner) commands: Vec<DockerTrace>,
}

/// Who hears what happens in a phase.
pub(in crate::runner) trait PhaseWatch {
    /// It has printed a line.
    fn line(&mut self, line: &str) -> Result<(), RunError>;

    /// It has asked the cache service.
    fn call(&mut self, call: CacheCall) -> Result<(), RunError>;
}

impl ActionSandbox {
    /// Runs a phase and hands on each line it prints, on either stream, in the order of printing.
    ///
    /// # Errors
    /// What kept it from running at all; how it ended is no error.
    pub(in crate::runner) async fn run(
        &self,
        request: &PhaseRequest,
        mounts: &[PhaseMount],
        limit: Duration,
        service: &mut Option<CacheService>,
        watch: &mut dyn PhaseWatch,
    ) -> Result<PhaseEnd, RunError> {
        let trace = self.private.join("trace");
        let started = self.private.join("started");
        let _ = fs::remove_file(&started);
        let words = self.command(request, mounts)?;
        self.shut(true)?;
        let ended = self.process(words, limit, service, watch).await;
        self.shut(false)?;
        let (code, timed_out, first) = ended?;
        if !started.exists() {
            return Err(RealActionError::Sandbox { reason: first.trim().to_owned() }.into());
        }
        Ok(PhaseEnd { code, timed_out, commands: commands(&trace) })
    }

    async fn process(
        &self,
        words: Vec<String>,
        limit: Duration,
        service: &mut Option<CacheService>,
        watch: &mut dyn PhaseWatch,
    ) -> Result<(Option<i32>, bool, String), RunError> {
        let started = self.private.join("started");
        let program = self.bubblewrap();
        let fail = |error: io::Error| RealActionError::Sandbox { reason: format!("{}: {error}", program.display()) };
        let (reader, writer) = io::pipe().map_err(fail)?;
        let mut command = Command::new(program);
        command.args(words).env_clear().stdin(Stdio::null()).kill_on_drop(true);
        command.stdout(writer.try_clone().map_err(fail)?).stderr(writer);
        let mut child = command.spawn().map_err(fail)?;
        // It holds the ends of the pipe that this program must not.
        drop(command);
        let (sender, mut lines) = mpsc::channel(256);
        let reading = std::thread::spawn(move || read_lines(reader, &sender));
        let deadline = tokio::time::sleep(limit);
        tokio::pin!(deadline);
        let (mut timed_out, mut kept, mut first) = (false, 0usize, String::new());
        loop {
            tokio::select! {
                line = lines.recv() => {
                    let Some(line) = line else { break };
                    if !started.exists() {
                        // Nothing runs yet, so this is bubblewrap, or the program inside.
                        first.push_str(&line);
                        first.push('\n');
                        continue;
                    }
                    kept = kept.saturating_add(line.len());
                    if kept.saturating_sub(line.len()) > OUTPUT {
                        continue;
                    }
                    watch.line(&line)?;
                    if kept > OUTPUT {
                        watch.line("verify-buildkit-cache: what this step prints from here on is not kept")?;
                    }
                }
                call = asked(service) => watch.call(call)?,
                () = &mut deadline, if !timed_out => {
                    timed_out = true;
                    // The namespace of processes ends with it, and so does whatever they have started.
                    child.start_kill().map_err(fail)?;
                }
            }
        }
        let status = child.wait().await.map_err(fail)?;
        let _ = reading.join();
        Ok((status.code(), timed_out, first))
    }
}

/// Waits for a question to the cache service; for ever where there is none.
async fn asked(service: &mut Option<CacheService>) -> CacheCall {
    if let Some(service) = service
        && let Some(call) = service.calls.recv().await
    {
        return call;
    }
    std::future::pending().await
}

/// Reads lines, cutting very long ones, until nobody writes any more.
fn read_lines(mut reader: impl Read, sender: &mpsc::Sender<String>) {
    let mut rest: Vec<u8> = Vec::new();
    let mut buffer = vec![0; PIECE];
    let hand_on = |bytes: &[u8]| sender.blocking_send(String::from_utf8_lossy(bytes).into_owned()).is_ok();
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) => count,
        };
        rest.extend_from_slice(&buffer[..count]);
        let mut from = 0;
        while let Some(end) = memchr::memchr(b'\n', &rest[from..]) {
            if !hand_on(&rest[from..from + end]) {
                return;
            }
            from += end + 1;
        }
        rest.drain(..from);
        if rest.len() > PIECE {
            if !hand_on(&rest) {
                return;
            }
            rest.clear();
        }
    }
    if !rest.is_empty() {
        hand_on(&rest);
    }
}

/// Takes the records of a phase's `docker` commands out of a directory.
pub(in crate::runner) fn commands(dir: &std::path::Path) -> Vec<DockerTrace> {
    let paths = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found = Vec::new();
    for path in paths.filter(|path| path.extension().is_some_and(|extension| extension == "json")) {
        found.extend(fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<DockerTrace>(&bytes).ok()));
        let _ = fs::remove_file(&path);
    }
    found.sort_by_key(|command| command.began);
    found
}
