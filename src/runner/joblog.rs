//! Writes a job's log in GitHub's raw format. [`JobLog`] is principal.
//!
//! Every message gets one timestamp with seven digits; a message of several lines has it on the first only. The file
//! begins with a byte order mark. Source: actions/runner `src/Runner.Common/Logging.cs`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::Clock;
use crate::evidence::Quote;

/// The log of one job.
#[derive(Debug)]
pub(super) struct JobLog {
    out: BufWriter<File>,
    name: Arc<str>,
    lines: usize,
    clock: Clock,
}

impl JobLog {
    /// Begins a log file; `name` is what quotes call it.
    pub(super) fn create(path: &Path, name: &str, clock: Clock) -> io::Result<Self> {
        let mut out = BufWriter::new(File::create(path)?);
        out.write_all("\u{feff}".as_bytes())?;
        Ok(Self { out, name: Arc::from(name), lines: 0, clock })
    }

    /// Writes a message and returns the quote of its first line.
    pub(super) fn write(&mut self, message: &str) -> io::Result<(SystemTime, Quote)> {
        let now = self.clock.now();
        let message = message.trim_end_matches('\n');
        writeln!(self.out, "{} {message}", stamp(now))?;
        let first = self.lines + 1;
        self.lines += message.split('\n').count();
        Ok((now, Quote::line(&self.name, first, message.lines().next().unwrap_or_default())))
    }

    /// Writes everything out.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes a time as the runner does: UTC, seven digits.
pub(super) fn stamp(at: SystemTime) -> String {
    let nanos = humantime::format_rfc3339_nanos(at).to_string();
    format!("{}Z", nanos.get(..27).unwrap_or(&nanos))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_message_of_several_lines_is_stamped_once_and_counted_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("job.log");
        let clock = Clock::new(|| SystemTime::UNIX_EPOCH + Duration::new(1_771_417_249, 887_994_300));
        let mut log = JobLog::create(&path, "run-1/job.log", clock).unwrap();
        log.write("  path: a\nb").unwrap();
        let (_, quote) = log.write("next").unwrap();
        log.flush().unwrap();
        assert_eq!(quote.line, Some(3));
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "\u{feff}2026-02-18T12:20:49.8879943Z   path: a\nb\n2026-02-18T12:20:49.8879943Z next\n"
        );
    }
}
