//! One run of the catalogue, or of a part of it. [`Round`] is principal.

use std::time::Duration;

use super::{Entry, Form, Outcome, Partition};

/// What came of all the scenarios that were run.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// In which form they were run.
    pub form: Form,
    /// Which part of those asked for.
    pub partition: Option<Partition>,
    /// How many were run at a time.
    pub jobs: usize,
    /// The scenarios, in the catalogue's order.
    pub entries: Vec<Entry>,
    /// From the first to the last.
    pub wall: Duration,
}

impl Round {
    /// Tells whether every scenario ended as it says.
    pub fn agrees(&self) -> bool {
        self.entries.iter().all(Entry::agrees)
    }

    /// Counts the scenarios that ended as they say, those that did not, and those that came to no verdict.
    pub fn counts(&self) -> (usize, usize, usize) {
        let agree = self.entries.iter().filter(|entry| entry.agrees()).count();
        let stopped = |entry: &&Entry| matches!(entry.outcome, Outcome::Stopped { .. });
        let stopped = self.entries.iter().filter(stopped).count();
        (agree, self.entries.len() - agree - stopped, stopped)
    }
}
