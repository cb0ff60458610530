//! Which scenario shows which finding code: the confusion matrix. [`Matrix`] is principal.
//!
//! Its codes stand in the order in which a person fixes things and its rows in the order of their main codes, so that a
//! catalogue in which every fault has a code of its own shows a diagonal.

use std::collections::BTreeSet;

use super::{Column, Comparison, ScenarioResult, SeenResult};
use crate::scenario::{Expect, Scenario};
use crate::verify::{Code, Verdict};

/// The scenarios by the codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    /// The codes that any row expects or shows.
    pub codes: Vec<&'static str>,
    /// The scenarios.
    pub rows: Vec<MatrixRow>,
}

/// A scenario's codes, after all of its runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatrixRow {
    /// The scenario.
    pub name: String,
    /// What it says of each code, by live evidence and by the log alone.
    pub cells: Vec<[CodeMark; 2]>,
    /// Whether the verdict is the one expected, by live evidence and by the log alone; `None` when it was stopped.
    pub verdicts: Option<[bool; 2]>,
}

/// What one kind of evidence says of one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeMark {
    /// Neither expected nor seen.
    Absent,
    /// Expected and seen.
    Seen,
    /// Expected and not seen.
    Missing,
    /// Seen and not expected.
    Unexpected,
}

impl CodeMark {
    /// Returns the public name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Seen => "seen",
            Self::Missing => "missing",
            Self::Unexpected => "unexpected",
        }
    }

    fn of(expected: bool, seen: bool) -> Self {
        match (expected, seen) {
            (false, false) => Self::Absent,
            (true, true) => Self::Seen,
            (true, false) => Self::Missing,
            (false, true) => Self::Unexpected,
        }
    }
}

/// What a row is made of.
struct RowSource<'a> {
    name: &'a str,
    expected: &'a Expect,
    columns: Option<[Comparison; 2]>,
}

impl Matrix {
    /// What came of a run of the catalogue.
    pub fn of_entries(entries: &[ScenarioResult]) -> Self {
        let source = |entry: &'_ ScenarioResult| {
            let [live, log] = Column::ALL.map(|column| Some(entry.last(column)?.comparison.clone()));
            live.zip(log).map(|(live, log)| [live, log])
        };
        let sources = entries.iter().map(|entry| RowSource {
            name: &entry.name,
            expected: &entry.expected,
            columns: source(entry),
        });
        Self::new(sources.collect())
    }

    /// What the scenarios say of themselves, as if all of it had been seen.
    pub fn of_scenarios(scenarios: &[Scenario]) -> Self {
        let as_seen = |expected: &Expect| {
            let known = expected.codes.iter().filter_map(|code| code.parse::<Code>().ok());
            let verdicts = [Verdict::Effective, Verdict::Ineffective, Verdict::Inconclusive];
            let verdict = verdicts.into_iter().find(|verdict| verdict.as_str() == expected.verdict);
            Comparison {
                expected: expected.clone(),
                seen: SeenResult {
                    verdict: verdict.unwrap_or(Verdict::Inconclusive),
                    codes: known.map(Code::as_str).collect(),
                },
            }
        };
        let sources = scenarios.iter().map(|scenario| {
            let live = &scenario.about.expect;
            let log = scenario.about.from_log.as_ref().unwrap_or(live);
            RowSource { name: &scenario.name, expected: live, columns: Some([live, log].map(as_seen)) }
        });
        Self::new(sources.collect())
    }

    fn new(mut sources: Vec<RowSource>) -> Self {
        sources.sort_by_key(|source| {
            let main = main_code(source.name, source.expected);
            (main.map_or(usize::MAX, place), main.is_none_or(|main| main != source.name), source.name)
        });
        let shown = |code: &&'static str| {
            sources.iter().flat_map(|source| source.columns.iter().flatten()).any(|comparison| {
                comparison.seen.codes.contains(code) || comparison.expected.codes.iter().any(|known| known == code)
            })
        };
        let codes: Vec<&'static str> = Code::ALL.iter().map(|code| code.as_str()).filter(shown).collect();
        let rows = sources.iter().map(|source| MatrixRow {
            name: source.name.to_owned(),
            cells: codes.iter().map(|code| cell(source, code)).collect(),
            verdicts: source.columns.as_ref().map(|columns| columns.each_ref().map(Comparison::verdict_agrees)),
        });
        let rows = rows.collect();
        Self { codes, rows }
    }

    /// Lists the codes that no row has.
    pub fn without(&self) -> Vec<&'static str> {
        let shown: BTreeSet<&str> = self.codes.iter().copied().collect();
        Code::ALL.iter().map(|code| code.as_str()).filter(|code| !shown.contains(code)).collect()
    }
}

/// Returns the code a scenario is there for: that of its own name, or else the first it expects.
pub fn main_code<'a>(name: &'a str, expected: &'a Expect) -> Option<&'a str> {
    let own = expected.codes.iter().find(|code| *code == name);
    own.or(expected.codes.first()).map(String::as_str)
}

fn place(code: &str) -> usize {
    Code::ALL.iter().position(|known| known.as_str() == code).unwrap_or(Code::ALL.len())
}

fn cell(source: &RowSource, code: &str) -> [CodeMark; 2] {
    let mark = |comparison: &Comparison| {
        CodeMark::of(comparison.expected.codes.iter().any(|known| known == code), comparison.seen.codes.contains(code))
    };
    source.columns.as_ref().map_or([CodeMark::Absent; 2], |columns| columns.each_ref().map(mark))
}
