//! One run of the catalogue, or of a part of it. [`CatalogueRun`] is principal.

use std::time::Duration;

use super::{Partition, ScenarioForm, ScenarioOutcome, ScenarioResult};

/// What came of all the scenarios that were run.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogueRun {
    /// In which form they were run.
    pub form: ScenarioForm,
    /// Which part of those asked for.
    pub partition: Option<Partition>,
    /// How many were run at a time.
    pub jobs: usize,
    /// The scenarios, in the catalogue's order.
    pub entries: Vec<ScenarioResult>,
    /// From the first to the last.
    pub wall: Duration,
}

impl CatalogueRun {
    /// Tells whether every scenario ended as it says.
    pub fn agrees(&self) -> bool {
        self.entries.iter().all(ScenarioResult::agrees)
    }

    /// Counts the scenarios that ended as they say, those that did not, and those that came to no verdict.
    pub fn counts(&self) -> (usize, usize, usize) {
        let agree = self.entries.iter().filter(|entry| entry.agrees()).count();
        let stopped = |entry: &&ScenarioResult| matches!(entry.outcome, ScenarioOutcome::Stopped { .. });
        let stopped = self.entries.iter().filter(stopped).count();
        (agree, self.entries.len() - agree - stopped, stopped)
    }
}
