//! The catalogue, and what came of a run of it, for programs. [`json`] is principal.
//!
//! As in the document of one report, the wire types are this file's own, and fields are only ever added under one schema
//! number.

use serde::Serialize;

use crate::catalogue::{CatalogueRun, JudgedRuns, Matrix, ScenarioOutcome, ScenarioResult, SelectedScenario};
use crate::scenario::Expect;

/// The schema number of both documents.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct WireRound<'a> {
    schema: u32,
    tool: &'static str,
    command: &'static str,
    form: &'static str,
    partition: Option<String>,
    jobs: usize,
    as_expected: bool,
    seconds: f64,
    scenarios: Vec<WireEntry<'a>>,
    matrix: WireMatrix,
}

#[derive(Serialize)]
struct WireEntry<'a> {
    name: &'a str,
    group: &'static str,
    outcome: &'static str,
    seconds: f64,
    evidence: Option<&'a str>,
    error: Option<&'a str>,
    hint: Option<&'a str>,
    judged: Vec<WireJudged<'a>>,
}

#[derive(Serialize)]
struct WireJudged<'a> {
    column: &'static str,
    runs: usize,
    last: bool,
    expected: WireExpect<'a>,
    seen: WireExpect<'a>,
    missing: Vec<&'a str>,
    unexpected: Vec<&'a str>,
}

#[derive(Serialize)]
struct WireExpect<'a> {
    verdict: &'a str,
    codes: Vec<&'a str>,
}

#[derive(Serialize)]
struct WireMatrix {
    codes: Vec<&'static str>,
    rows: Vec<WireRow>,
}

#[derive(Serialize)]
struct WireRow {
    scenario: String,
    live: Vec<&'static str>,
    log: Vec<&'static str>,
}

#[derive(Serialize)]
struct WireList<'a> {
    schema: u32,
    tool: &'static str,
    command: &'static str,
    scenarios: Vec<WireScenario<'a>>,
}

#[derive(Serialize)]
struct WireScenario<'a> {
    name: &'a str,
    group: &'static str,
    title: &'a str,
    sees: &'a str,
    cause: &'a str,
    fix: &'a str,
    runs: usize,
    expect: WireExpect<'a>,
    from_log: WireExpect<'a>,
    fixed: Option<WireExpect<'a>>,
}

/// Writes what came of a run of the catalogue, with its confusion matrix.
pub fn json(round: &CatalogueRun) -> String {
    let matrix = Matrix::of_entries(&round.entries);
    let rows = matrix.rows.into_iter().map(|row| WireRow {
        scenario: row.name,
        live: row.cells.iter().map(|cell| cell[0].as_str()).collect(),
        log: row.cells.iter().map(|cell| cell[1].as_str()).collect(),
    });
    written(&WireRound {
        schema: SCHEMA,
        tool: env!("CARGO_PKG_NAME"),
        command: "scenarios run",
        form: round.form.as_str(),
        partition: round.partition.map(|partition| partition.to_string()),
        jobs: round.jobs,
        as_expected: round.agrees(),
        seconds: round.wall.as_secs_f64(),
        scenarios: round.entries.iter().map(entry).collect(),
        matrix: WireMatrix { codes: matrix.codes, rows: rows.collect() },
    })
}

/// Writes the catalogue.
pub fn list_json(catalogue: &[SelectedScenario]) -> String {
    written(&WireList {
        schema: SCHEMA,
        tool: env!("CARGO_PKG_NAME"),
        command: "scenarios list",
        scenarios: catalogue.iter().map(scenario).collect(),
    })
}

fn entry(entry: &ScenarioResult) -> WireEntry<'_> {
    let (outcome, judged, stopped) = match &entry.outcome {
        ScenarioOutcome::Judged(judged) if entry.agrees() => ("as-expected", judged.as_slice(), None),
        ScenarioOutcome::Judged(judged) => ("different", judged.as_slice(), None),
        ScenarioOutcome::Stopped { reason, hint } => ("stopped", [].as_slice(), Some((reason, hint))),
    };
    WireEntry {
        name: &entry.name,
        group: entry.group.as_str(),
        outcome,
        seconds: entry.took.as_secs_f64(),
        evidence: entry.evidence.as_deref(),
        error: stopped.map(|(reason, _)| reason.as_str()),
        hint: stopped.and_then(|(_, hint)| hint.as_deref()),
        judged: judged.iter().map(self::judged).collect(),
    }
}

fn judged(judged: &JudgedRuns) -> WireJudged<'_> {
    let comparison = &judged.comparison;
    WireJudged {
        column: judged.column.as_str(),
        runs: judged.runs,
        last: judged.last,
        expected: expect(&comparison.expected),
        seen: WireExpect {
            verdict: comparison.seen.verdict.as_str(),
            codes: comparison.seen.codes.iter().copied().collect(),
        },
        missing: comparison.missing(),
        unexpected: comparison.unexpected(),
    }
}

fn scenario(chosen: &SelectedScenario) -> WireScenario<'_> {
    let (scenario, about) = (&chosen.scenario, &chosen.scenario.about);
    let effective = WireExpect { verdict: "effective", codes: Vec::new() };
    WireScenario {
        name: &scenario.name,
        group: about.group.as_str(),
        title: &about.title,
        sees: &about.sees,
        cause: &about.cause,
        fix: &about.fix,
        runs: chosen.history.len(),
        expect: expect(&about.expect),
        from_log: expect(about.from_log.as_ref().unwrap_or(&about.expect)),
        fixed: scenario.fix().map(|_| about.fixed.as_ref().map_or(effective, expect)),
    }
}

fn expect(expect: &Expect) -> WireExpect<'_> {
    WireExpect { verdict: &expect.verdict, codes: expect.codes.iter().map(String::as_str).collect() }
}

fn written(document: &impl Serialize) -> String {
    // Strings, numbers and lists only: there is nothing in it that could fail to be written.
    format!("{}\n", serde_json::to_string_pretty(document).unwrap_or_default())
}
