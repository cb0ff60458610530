//! Recorded runs, read and judged as the logs of a CI are. [`JudgedRecording`] is principal.

use super::problem::CliProblem;
use crate::catalogue::{Column, JudgedBy, ScenarioForm, SelectedScenario, judge, select};
use crate::evidence::Evidence;
use crate::log::{LogReader, LoggedJob};
use crate::scenario::recording::{self, Recording};
use crate::verify::Report;

/// A recording, judged.
pub(super) struct JudgedRecording {
    pub(super) chosen: SelectedScenario,
    /// The runs as recorded.
    pub(super) faulty: JudgedLogs,
    /// Those with the fault undone, where there is one and they were recorded.
    pub(super) fixed: Option<JudgedLogs>,
}

/// The logs of consecutive runs, and what the verifier says of them.
pub(super) struct JudgedLogs {
    pub(super) jobs: Vec<LoggedJob>,
    pub(super) report: Report,
}

impl JudgedRecording {
    /// Reads and judges what is bundled of a scenario; `None` where nothing is.
    pub(super) fn of(name: &str) -> Result<Option<Self>, CliProblem> {
        let chosen = chosen(name, ScenarioForm::Faulty)?;
        let broken =
            |error: std::io::Error| CliProblem::stopped(format!("the recording of {name} is damaged: {error}"));
        let Some(Recording { faulty, fixed }) = recording::recording(name).map_err(broken)? else { return Ok(None) };
        let faulty = JudgedLogs::of(&chosen, &faulty)?;
        let fixed = match fixed.as_slice() {
            [] => None,
            logs => Some(JudgedLogs::of(&self::chosen(name, ScenarioForm::Fixed)?, logs)?),
        };
        Ok(Some(Self { chosen, faulty, fixed }))
    }
}

impl JudgedLogs {
    /// Reads logs and has them judged as their scenario is, by the logs alone.
    fn of(chosen: &SelectedScenario, logs: &[String]) -> Result<Self, CliProblem> {
        let damaged = |what: &str| CliProblem::stopped(format!("the recording of {}: {what}", chosen.scenario.name));
        let mut jobs = Vec::new();
        for (log, number) in logs.iter().zip(1..) {
            let mut reader = LogReader::new(&format!("run-{number}.log"));
            reader.feed(log.as_bytes());
            let mut read = reader.finish();
            match (read.pop(), read.is_empty()) {
                (Some(job), true) => jobs.push(job),
                _ => return Err(damaged(&format!("run {number} does not read back as one job"))),
            }
        }
        let runs: Vec<Evidence> = jobs.iter().map(LoggedJob::evidence).collect();
        let judged = judge(chosen, Column::Log, &runs, &JudgedBy::of(&chosen.scenario));
        let last =
            judged.into_iter().rfind(|judged| judged.last).ok_or_else(|| damaged("there is nothing to judge"))?;
        Ok(Self { jobs, report: last.report })
    }
}

fn chosen(name: &str, form: ScenarioForm) -> Result<SelectedScenario, CliProblem> {
    let chosen = select(&[name.to_owned()], form, None);
    let chosen = chosen.map_err(|error| CliProblem::usage(error.to_string()).hint(error.hint()))?;
    chosen.into_iter().next().ok_or_else(|| CliProblem::usage(format!("there is no scenario `{name}`")))
}
