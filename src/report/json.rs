//! The report for programs. [`json`] is principal.
//!
//! The wire types are this file's own: the domain may change without the document. Fields are only ever added under one
//! schema number. What was not seen is `null`, never zero.

use serde::Serialize;

use crate::evidence::{Phase, Quote, StepOutcome};
use crate::verify::{Finding, Measured, MeasuredUnit, Obligation, Profile, Report, RunSummary, Thresholds, Verdict};

/// The schema number of the document.
pub const SCHEMA: u32 = 1;

/// What the document says about how it came to be.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    /// The subcommand, such as `run` or `logs`.
    pub command: &'a str,
    /// The scenario, if one was run.
    pub scenario: Option<&'a str>,
    /// How the numbers were used.
    pub profile: Profile,
    /// The numbers.
    pub thresholds: &'a Thresholds,
    /// Where the evidence lies, if it was kept.
    pub evidence: Option<&'a str>,
}

/// Writes a report for programs.
pub fn json(report: &Report, about: &Document) -> serde_json::Value {
    let document = WireDocument {
        schema: SCHEMA,
        tool: env!("CARGO_PKG_NAME"),
        command: about.command,
        scenario: about.scenario,
        verdict: report.verdict.as_str(),
        checks: report
            .checks
            .iter()
            .map(|check| WireCheck {
                id: check.id.as_str(),
                title: &check.title,
                status: check.status.as_str(),
                observed: &check.observed,
                threshold: &check.threshold,
                numbers: report.measured.iter().filter(|one| one.check == check.id).map(number).collect(),
                evidence: quotes(&check.evidence),
            })
            .collect(),
        obligations: report.obligations.iter().map(obligation).collect(),
        findings: report.findings.iter().map(finding).collect(),
        runs: report.runs.iter().map(run).collect(),
        notes: report
            .notes
            .iter()
            .map(|note| WireNote { text: &note.text, evidence: quotes(&note.evidence) })
            .collect(),
        profile: about.profile.as_str(),
        thresholds: WireThresholds {
            min_restore_bytes: about.thresholds.min_restore,
            min_mod_bytes: about.thresholds.min_mod,
            min_build_bytes: about.thresholds.min_build,
            max_build_seconds: about.thresholds.max_build_time.as_secs_f64(),
            max_build_ratio: about.thresholds.max_build_ratio,
            max_downloads: about.thresholds.max_downloads,
            min_carried_ratio: about.thresholds.min_carried_ratio,
        },
        evidence: about.evidence,
    };
    // Strings, numbers and lists only: there is nothing in it that could fail to be written.
    serde_json::to_value(document).unwrap_or_default()
}

/// Writes the reports of several jobs as one document: the documents of [`json`] under `jobs`, and the worst verdict.
pub fn json_of_jobs(command: &str, verdict: Verdict, jobs: Vec<serde_json::Value>) -> serde_json::Value {
    let verdict = verdict.as_str();
    let document = WireJobs { schema: SCHEMA, tool: env!("CARGO_PKG_NAME"), command, verdict, jobs };
    serde_json::to_value(document).unwrap_or_default()
}

/// Why there is no report.
#[derive(Debug, Clone, Copy)]
pub struct ErrorDocument<'a> {
    /// A word for the kind: `usage`, `stopped`, `interrupted`.
    pub code: &'a str,
    /// The exit code.
    pub exit: u8,
    /// What happened.
    pub message: &'a str,
    /// What is known all the same.
    pub detail: Option<&'a str>,
    /// What to do about it.
    pub hint: Option<&'a str>,
    /// The file it is about.
    pub file: Option<&'a str>,
    /// The line of it.
    pub line: Option<usize>,
}

/// Writes why there is no report, as the one document that a program reads.
pub fn error_json(error: &ErrorDocument) -> serde_json::Value {
    serde_json::json!({
        "schema": SCHEMA,
        "tool": env!("CARGO_PKG_NAME"),
        "error": {
            "code": error.code,
            "exit": error.exit,
            "message": error.message,
            "detail": error.detail,
            "hint": error.hint,
            "file": error.file,
            "line": error.line,
        },
    })
}

#[derive(Serialize)]
struct WireJobs<'a> {
    schema: u32,
    tool: &'a str,
    command: &'a str,
    verdict: &'a str,
    jobs: Vec<serde_json::Value>,
}

#[derive(Serialize)]
struct WireDocument<'a> {
    schema: u32,
    tool: &'a str,
    command: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scenario: Option<&'a str>,
    verdict: &'a str,
    checks: Vec<WireCheck<'a>>,
    obligations: Vec<WireObligation<'a>>,
    findings: Vec<WireFinding<'a>>,
    runs: Vec<WireRun<'a>>,
    notes: Vec<WireNote<'a>>,
    profile: &'a str,
    thresholds: WireThresholds,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<&'a str>,
}

#[derive(Serialize)]
struct WireCheck<'a> {
    id: &'a str,
    title: &'a str,
    status: &'a str,
    observed: &'a str,
    threshold: &'a str,
    numbers: Vec<WireNumber<'a>>,
    evidence: Vec<WireQuote<'a>>,
}

#[derive(Serialize)]
struct WireNumber<'a> {
    of: &'a str,
    unit: &'a str,
    observed: Option<serde_json::Number>,
    needs: Option<serde_json::Number>,
    relation: &'a str,
}

#[derive(Serialize)]
struct WireQuote<'a> {
    source: &'a str,
    line: Option<usize>,
    text: &'a str,
}

#[derive(Serialize)]
struct WireObligation<'a> {
    id: &'a str,
    mount: Option<&'a str>,
    state: &'a str,
    evidence: Vec<WireQuote<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    would_show: &'a str,
}

#[derive(Serialize)]
struct WireFinding<'a> {
    code: &'a str,
    severity: &'a str,
    title: &'a str,
    evidence: Vec<WireQuote<'a>>,
    why: &'a str,
    fix: &'a str,
}

#[derive(Serialize)]
struct WireNote<'a> {
    text: &'a str,
    evidence: Vec<WireQuote<'a>>,
}

#[derive(Serialize)]
struct WireRun<'a> {
    number: usize,
    name: &'a str,
    restore: WireRestore<'a>,
    mounts: Vec<WireMount<'a>>,
    build: WireBuild,
    save: WireSave<'a>,
    timing: WireTiming,
    steps: Vec<WireStep<'a>>,
}

#[derive(Serialize)]
struct WireRestore<'a> {
    outcome: &'a str,
    key: Option<&'a str>,
    bytes: Option<u64>,
}

#[derive(Serialize)]
struct WireMount<'a> {
    target: &'a str,
    id: Option<&'a str>,
    before_bytes: Option<u64>,
    after_bytes: Option<u64>,
}

#[derive(Serialize)]
struct WireBuild {
    seconds: Option<f64>,
    downloads: Option<usize>,
    cached: bool,
}

#[derive(Serialize)]
struct WireSave<'a> {
    outcome: &'a str,
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct WireTiming {
    restore_seconds: Option<f64>,
    inject_seconds: Option<f64>,
    extract_seconds: Option<f64>,
    save_seconds: Option<f64>,
}

#[derive(Serialize)]
struct WireStep<'a> {
    name: &'a str,
    phase: &'a str,
    outcome: &'a str,
    seconds: Option<f64>,
}

#[derive(Serialize)]
struct WireThresholds {
    min_restore_bytes: u64,
    min_mod_bytes: u64,
    min_build_bytes: u64,
    max_build_seconds: f64,
    max_build_ratio: f64,
    max_downloads: usize,
    min_carried_ratio: f64,
}

fn quotes(quotes: &[Quote]) -> Vec<WireQuote<'_>> {
    quotes.iter().map(|quote| WireQuote { source: &quote.source, line: quote.line, text: &quote.text }).collect()
}

fn number(measured: &Measured) -> WireNumber<'_> {
    let whole = measured.unit != MeasuredUnit::Seconds;
    let number = |value: f64| if whole { Some((value as u64).into()) } else { serde_json::Number::from_f64(value) };
    WireNumber {
        of: &measured.of,
        unit: match measured.unit {
            MeasuredUnit::Bytes => "bytes",
            MeasuredUnit::Seconds => "seconds",
            MeasuredUnit::Count => "count",
        },
        observed: measured.observed.and_then(number),
        needs: measured.needs.and_then(number),
        relation: if measured.at_least { "at-least" } else { "at-most" },
    }
}

fn obligation(obligation: &Obligation) -> WireObligation<'_> {
    WireObligation {
        id: obligation.id.as_str(),
        mount: obligation.mount.as_deref(),
        state: obligation.state.as_str(),
        evidence: quotes(&obligation.evidence),
        reason: &obligation.reason,
        would_show: &obligation.would_show,
    }
}

fn finding(finding: &Finding) -> WireFinding<'_> {
    WireFinding {
        code: finding.code.as_str(),
        severity: finding.severity.as_str(),
        title: &finding.title,
        evidence: quotes(&finding.evidence),
        why: &finding.why,
        fix: &finding.fix,
    }
}

fn run(run: &RunSummary) -> WireRun<'_> {
    WireRun {
        number: run.number,
        name: &run.name,
        restore: WireRestore {
            outcome: run.restore.outcome.as_str(),
            key: run.restore.key.as_deref(),
            bytes: run.restore.bytes,
        },
        mounts: run
            .mounts
            .iter()
            .map(|mount| WireMount {
                target: &mount.target,
                id: mount.id.as_deref(),
                before_bytes: mount.before_bytes,
                after_bytes: mount.after_bytes,
            })
            .collect(),
        build: WireBuild { seconds: run.build.seconds, downloads: run.build.downloads, cached: run.build.cached },
        save: WireSave {
            outcome: run.save.outcome.as_str(),
            bytes: run.save.bytes,
            reason: run.save.reason.as_deref(),
        },
        timing: WireTiming {
            restore_seconds: run.timing.restore,
            inject_seconds: run.timing.inject,
            extract_seconds: run.timing.extract,
            save_seconds: run.timing.save,
        },
        steps: run
            .steps
            .iter()
            .map(|step| WireStep {
                name: &step.name,
                phase: match step.phase {
                    Phase::Main => "main",
                    Phase::Post => "post",
                },
                outcome: outcome(step.outcome),
                seconds: step.seconds,
            })
            .collect(),
    }
}

fn outcome(outcome: Option<StepOutcome>) -> &'static str {
    match outcome {
        Some(StepOutcome::Success) => "success",
        Some(StepOutcome::Failure) => "failure",
        Some(StepOutcome::Skipped) => "skipped",
        Some(StepOutcome::NotReproduced) => "not-reproduced",
        None => "unobserved",
    }
}
