//! What came of one scenario. [`ScenarioResult`] is principal; [`judge`] makes its middle.

use std::time::Duration;

use super::{Comparison, SeenResult, SelectedScenario};
use crate::evidence::Evidence;
use crate::scenario::{Expect, Group, Scenario, ScenarioLimits};
use crate::verify::{Case, CaseSource, Profile, Report, Thresholds, verify};

/// What the verifier had to go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// What the runner and the engine saw.
    Live,
    /// The written job logs and nothing else.
    Log,
}

impl Column {
    /// Both, in the order in which they are told.
    pub const ALL: [Self; 2] = [Self::Live, Self::Log];

    /// Returns the public name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Log => "log",
        }
    }

    fn source(self) -> CaseSource {
        match self {
            Self::Live => CaseSource::Live,
            Self::Log => CaseSource::Logs,
        }
    }
}

/// One scenario of a run of the catalogue.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenarioResult {
    /// Its name.
    pub name: String,
    /// Its part of the catalogue.
    pub group: Group,
    /// What it must end in, live.
    pub expected: Expect,
    /// What came of it.
    pub outcome: ScenarioOutcome,
    /// How long it took.
    pub took: Duration,
    /// Where its evidence was kept, if it was.
    pub evidence: Option<String>,
}

/// What came of one scenario.
#[derive(Debug, Clone, PartialEq)]
pub enum ScenarioOutcome {
    /// It ran, and this was said of it.
    Judged(Vec<JudgedRuns>),
    /// It did not come to a verdict.
    Stopped {
        /// What stopped it.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
}

/// What was said of the first runs of a scenario, or of all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedRuns {
    /// By what evidence.
    pub column: Column,
    /// How many runs had been run.
    pub runs: usize,
    /// Whether this is the end, and not a word on the way.
    pub last: bool,
    /// What was expected and what was said.
    pub comparison: Comparison,
    /// The whole report.
    pub report: Report,
}

impl ScenarioResult {
    /// Tells whether everything was said as expected.
    pub fn agrees(&self) -> bool {
        match &self.outcome {
            ScenarioOutcome::Judged(judged) => {
                !judged.is_empty() && judged.iter().all(|judged| judged.comparison.agrees())
            }
            ScenarioOutcome::Stopped { .. } => false,
        }
    }

    /// Lists what was said by one kind of evidence.
    pub fn column(&self, column: Column) -> impl Iterator<Item = &JudgedRuns> {
        let judged = match &self.outcome {
            ScenarioOutcome::Judged(judged) => judged.as_slice(),
            ScenarioOutcome::Stopped { .. } => &[],
        };
        judged.iter().filter(move |judged| judged.column == column)
    }

    /// Returns what was said of all runs by one kind of evidence.
    pub fn last(&self, column: Column) -> Option<&JudgedRuns> {
        self.column(column).find(|judged| judged.last)
    }

    /// Says in words each difference in one column, with the run after which it was seen.
    pub fn differences(&self, column: Column) -> Vec<String> {
        let words = |judged: &JudgedRuns| {
            let place = if judged.last { String::new() } else { format!("after run {}: ", judged.runs) };
            let differences = judged.comparison.differences().into_iter();
            differences.map(move |difference| format!("{place}{difference}")).collect::<Vec<_>>()
        };
        self.column(column).flat_map(words).collect()
    }
}

/// Judges the runs of a scenario by one kind of evidence: after each run of which the scenario says something, and in
/// the end. What is expected of a single run is expected of its log too; only for the end may a scenario say less of logs.
pub fn judge(chosen: &SelectedScenario, column: Column, runs: &[Evidence], by: &JudgedBy) -> Vec<JudgedRuns> {
    let about = &chosen.scenario.about;
    let end = match column {
        Column::Live => &about.expect,
        Column::Log => about.from_log.as_ref().unwrap_or(&about.expect),
    };
    let each = chosen.history.iter().zip(1..).filter_map(|(run, number)| Some((number, run.expect.as_ref()?, false)));
    let stages = each.chain([(chosen.history.len(), end, true)]);
    stages
        .map(|(so_far, expected, last)| {
            let report = verify(&Case {
                runs: runs.iter().take(so_far).cloned().collect(),
                source: column.source(),
                thresholds: by.thresholds,
                profile: by.profile,
            });
            let comparison = Comparison { expected: expected.clone(), seen: SeenResult::of(&report) };
            JudgedRuns { column, runs: so_far, last, comparison, report }
        })
        .collect()
}

/// By what a scenario is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JudgedBy {
    /// The numbers.
    pub thresholds: Thresholds,
    /// How they are used.
    pub profile: Profile,
}

impl JudgedBy {
    /// The numbers of a scenario, in both columns: live evidence and logs differ in what they show and in nothing else.
    pub fn of(scenario: &Scenario) -> Self {
        Self { thresholds: thresholds(&scenario.about.thresholds), profile: Profile::Checklist }
    }
}

/// Puts a scenario's limits over the checklist's.
pub fn thresholds(limits: &ScenarioLimits) -> Thresholds {
    let usual = Thresholds::default();
    let mb = |limit: Option<u64>| limit.map(|limit| limit << 20);
    Thresholds {
        min_restore: mb(limits.min_restore_mb).unwrap_or(usual.min_restore),
        min_mod: mb(limits.min_mod_mb).unwrap_or(usual.min_mod),
        min_build: mb(limits.min_build_mb).unwrap_or(usual.min_build),
        max_build_time: limits.max_build_seconds.map_or(usual.max_build_time, Duration::from_secs_f64),
        ..usual
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario;

    #[test]
    fn a_run_of_which_the_scenario_says_something_is_judged_before_the_end() {
        let mut scenario = scenario::find("healthy").unwrap();
        scenario.about.from_log = Some(Expect { verdict: "inconclusive".to_owned(), codes: Vec::new() });
        let mut chosen = SelectedScenario { history: scenario.history().unwrap(), scenario };
        chosen.history[0].expect = Some(Expect { verdict: "ineffective".to_owned(), codes: Vec::new() });
        let runs = [Evidence::fold("run 1", &[]), Evidence::fold("run 2", &[])];
        let say = |column| {
            let judged = judge(&chosen, column, &runs, &JudgedBy::of(&chosen.scenario));
            judged.into_iter().map(|judged| (judged.runs, judged.last, judged.comparison.expected.verdict)).collect()
        };
        let (live, log): (Vec<_>, Vec<_>) = (say(Column::Live), say(Column::Log));
        assert_eq!(live, [(1, false, "ineffective".to_owned()), (2, true, "effective".to_owned())]);
        assert_eq!(log, [(1, false, "ineffective".to_owned()), (2, true, "inconclusive".to_owned())]);
    }

    #[test]
    fn a_scenario_that_stopped_or_said_nothing_does_not_agree() {
        let entry = |outcome| ScenarioResult {
            name: "x".to_owned(),
            group: Group::Cache,
            expected: Expect::effective(),
            outcome,
            took: Duration::ZERO,
            evidence: None,
        };
        assert!(!entry(ScenarioOutcome::Stopped { reason: "no engine".to_owned(), hint: None }).agrees());
        assert!(!entry(ScenarioOutcome::Judged(Vec::new())).agrees());
    }
}
