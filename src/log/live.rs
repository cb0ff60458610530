//! Reads the lines of a job while they are written. [`LiveReader`] is principal.
//!
//! The same reader that reads a CI log reads the steps of a real action, so that both doors tell the same facts of the same
//! lines. What began and ended is for whoever runs the steps to tell.

use std::sync::Arc;

use super::job::JobReader;
use super::line::Transport;
use super::links::without_links;
use super::sink::LineContext;
use crate::evidence::{Event, Fact};

/// How many events may come of one line.
const EVENTS_OF_A_LINE: usize = 10_000;

/// Reads the steps of one job as they are written.
#[derive(Debug)]
pub struct LiveReader {
    job: JobReader,
    transport: Transport,
    source: Arc<str>,
    last: (usize, String),
}

impl LiveReader {
    /// Begins; `source` is the name the log's lines are quoted by.
    pub fn new(source: &str) -> Self {
        let source: Arc<str> = Arc::from(source);
        Self { job: JobReader::new(None, &source), transport: Transport::default(), source, last: (0, String::new()) }
    }

    /// Takes a line as it stands in the log, with its number from 1, and returns what it shows.
    pub fn line(&mut self, raw: &str, number: usize) -> Vec<Event> {
        let text = without_links(raw);
        self.job.sink.room = EVENTS_OF_A_LINE;
        let line = self.transport.read(&text);
        line.shown().clone_into(&mut self.last.1);
        self.last.0 = number;
        self.job.line(&line, None, &self.source, number);
        self.events()
    }

    /// Returns what the end of a step shows.
    pub fn step_over(&mut self) -> Vec<Event> {
        let (number, shown) = (self.last.0, self.last.1.clone());
        let source = Arc::clone(&self.source);
        self.job.step_over(&LineContext { source: &source, number, at: None, shown: &shown });
        self.events()
    }

    fn events(&mut self) -> Vec<Event> {
        let events = std::mem::take(&mut self.job.sink.events);
        let of_the_step = |event: &Event| !matches!(event.fact, Fact::StepStarted { .. } | Fact::StepEnded { .. });
        events.into_iter().filter(of_the_step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{DancePhase, MountSpec};

    fn facts(lines: &[&str]) -> Vec<Fact> {
        let mut reader = LiveReader::new("run-1/job.log");
        let mut events = Vec::new();
        for (line, number) in lines.iter().zip(1..) {
            events.extend(reader.line(line, number));
        }
        events.extend(reader.step_over());
        events.into_iter().map(|event| event.fact).collect()
    }

    #[test]
    fn a_dance_and_its_post_step_show_what_a_log_shows() {
        let inject = "2026-02-18T12:20:49.8879943Z RUN --mount=type=cache,target=/x     \
                      --mount=type=bind,source=.,target=/var/dance-cache     cp -p -R /var/dance-cache/. /x  || true";
        let extract = "2026-02-18T12:20:59.8879943Z RUN --mount=type=cache,target=/x     mkdir -p /var/dance-cache/     \
                       && cp -p -R /x/. /var/dance-cache/ || true";
        let facts = facts(&[
            "2026-02-18T12:20:48.8879943Z ##[group]Run a/buildkit-cache-dance@v3",
            "2026-02-18T12:20:48.8879943Z with:",
            "2026-02-18T12:20:48.8879943Z   cache-map: {",
            "  \"c\": \"/x\"",
            "}",
            "2026-02-18T12:20:48.8879943Z ##[endgroup]",
            inject,
            "2026-02-18T12:20:58.8879943Z Post job cleanup.",
            extract,
        ]);
        let entry = |phase| Fact::DanceEntry {
            phase,
            source: Some("c".into()),
            mount: MountSpec { target: "/x".into(), id: None, owner: String::new() },
        };
        assert!(
            matches!(&facts[0], Fact::DanceInputs(inputs) if inputs.cache_map.as_deref() == Some("{\n  \"c\": \"/x\"\n}"))
        );
        assert_eq!(facts[1..], [entry(DancePhase::Inject), entry(DancePhase::Extract)]);
    }

    #[test]
    fn a_step_that_was_stopped_hung() {
        let facts = facts(&[
            "2026-02-18T12:20:48.8879943Z ##[group]Run a/buildkit-cache-dance@v3",
            "2026-02-18T12:20:48.8879943Z with:",
            "2026-02-18T12:20:48.8879943Z   scratch-dir: scratch",
            "2026-02-18T12:20:48.8879943Z ##[endgroup]",
            "2026-02-18T12:30:48.8879943Z ##[error]The action 'Dance' has timed out after 10 minutes.",
        ]);
        assert!(facts.contains(&Fact::DanceHung), "{facts:?}");
    }
}
