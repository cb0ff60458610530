//! Writes a build's events as BuildKit's plain progress does. [`Plain`] is principal.
//!
//! Grammar: moby/buildkit `util/progress/progressui/printer.go`. `#N name` opens or resumes a vertex, `#N ...` says that
//! the output turns to another, `#N seconds text` is a line, and the last ten lines of a failed vertex are repeated.

use std::collections::{BTreeMap, VecDeque};

use crate::engine::{BuildEvent, BuildEventKind};

/// Lines that a failure repeats.
const TAIL: usize = 10;

/// The state of one build's output.
#[derive(Debug, Default)]
pub(super) struct Plain {
    names: BTreeMap<u64, String>,
    current: Option<u64>,
    tails: BTreeMap<u64, VecDeque<String>>,
    failed: Option<u64>,
}

impl Plain {
    /// Returns the lines an event prints; the last one carries the event itself.
    pub(super) fn lines(&mut self, event: &BuildEvent) -> Vec<String> {
        let number = event.vertex;
        let mut lines = Vec::new();
        if let BuildEventKind::Named(name) = &event.kind {
            self.names.insert(number, name.clone());
        }
        if self.current != Some(number) {
            if let Some(last) = self.current.take() {
                if self.names.contains_key(&last) && self.tails.contains_key(&last) {
                    lines.push(format!("#{last} ..."));
                }
                lines.push(String::new());
            }
            lines.push(format!("#{number} {}", self.names.get(&number).map_or("", String::as_str)));
            self.current = Some(number);
            self.tails.entry(number).or_default();
        }
        match &event.kind {
            BuildEventKind::Named(_) => {}
            BuildEventKind::Line { since, text } => {
                let tail = self.tails.entry(number).or_default();
                if tail.len() == TAIL {
                    tail.pop_front();
                }
                let line = format!("{:.3} {text}", since.as_secs_f64());
                tail.push_back(line.clone());
                lines.push(format!("#{number} {line}"));
            }
            BuildEventKind::Cached => lines.push(format!("#{number} CACHED")),
            BuildEventKind::Done(took) => lines.push(format!("#{number} DONE {:.1}s", took.as_secs_f64())),
            BuildEventKind::Failed(error) => {
                self.failed = Some(number);
                lines.push(format!("#{number} ERROR: {error}"));
            }
        }
        let ended = matches!(event.kind, BuildEventKind::Cached | BuildEventKind::Done(_) | BuildEventKind::Failed(_));
        if ended && self.failed != Some(number) {
            self.tails.remove(&number);
        }
        lines
    }

    /// Returns the last line that a failed vertex printed.
    pub(super) fn last_words(&self) -> Option<&str> {
        let tail = self.tails.get(&self.failed?)?;
        let words = tail.iter().rev().filter_map(|line| line.split_once(' ')).map(|(_, words)| words.trim());
        words.into_iter().find(|words| !words.is_empty())
    }

    /// Returns the lines that repeat a failed vertex at the end of the build.
    pub(super) fn failure(&self) -> Vec<String> {
        let Some(number) = self.failed else { return Vec::new() };
        let mut lines =
            vec!["------".to_owned(), format!(" > {}:", self.names.get(&number).map_or("", String::as_str))];
        lines.extend(self.tails.get(&number).into_iter().flatten().cloned());
        lines.push("------".to_owned());
        lines
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn event(vertex: u64, kind: BuildEventKind) -> BuildEvent {
        BuildEvent { vertex, at: SystemTime::UNIX_EPOCH, kind }
    }

    #[test]
    fn vertexes_interleave_as_in_a_ci_log() {
        let mut plain = Plain::default();
        let line = |text: &str| BuildEventKind::Line { since: Duration::from_millis(1_500), text: text.into() };
        let events = [
            event(1, BuildEventKind::Named("[internal] load".into())),
            event(1, BuildEventKind::Done(Duration::from_millis(40))),
            event(2, BuildEventKind::Named("[a 1/2] RUN x".into())),
            event(2, line("one")),
            event(3, BuildEventKind::Named("[b 1/1] RUN y".into())),
            event(2, line("two")),
            event(2, BuildEventKind::Failed("exit code: 1".into())),
        ];
        let mut lines: Vec<String> = events.iter().flat_map(|event| plain.lines(event)).collect();
        lines.extend(plain.failure());
        insta::assert_snapshot!(lines.join("\n"), @r"
        #1 [internal] load
        #1 DONE 0.0s

        #2 [a 1/2] RUN x
        #2 1.500 one
        #2 ...

        #3 [b 1/1] RUN y
        #3 ...

        #2 [a 1/2] RUN x
        #2 1.500 two
        #2 ERROR: exit code: 1
        ------
         > [a 1/2] RUN x:
        1.500 one
        1.500 two
        ------
        ");
    }
}
