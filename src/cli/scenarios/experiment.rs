//! One scenario of a round: run, cleaned up after, judged by what was seen and by the logs it wrote. [`carry_out`] is
//! principal.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use tokio::sync::watch;

use crate::catalogue::{Column, JudgedBy, JudgedRuns, ScenarioOutcome, ScenarioResult, SelectedScenario, judge};
use crate::cli::engine::{LiveEngine, clear_away, session};
use crate::cli::explained::explain_folder;
use crate::cli::folder::Folder;
use crate::cli::logs::read_jobs;
use crate::cli::present::Presented;
use crate::cli::problem::CliProblem;
use crate::evidence::Evidence;
use crate::log::LoggedJob;
use crate::runner::{self, Clock, Experiment, Journal, NamespaceLedger, PlannedRun, Project, RunProgress};
use crate::source::Source;

/// One scenario and where it is run.
pub(super) struct ScenarioTask<'a> {
    pub(super) engine: &'a LiveEngine,
    pub(super) chosen: &'a SelectedScenario,
    /// Its place in the round, which makes its session's word differ from its neighbours'.
    pub(super) number: usize,
    pub(super) go_image: Option<&'a str>,
    pub(super) journal: &'a Journal,
    /// Where its evidence goes.
    pub(super) evidence: PathBuf,
    /// Changes when a signal has come.
    pub(super) stopped: watch::Receiver<Option<&'static str>>,
}

/// Runs a scenario and judges it. `None` when a signal stopped it; what it made is gone then, too.
pub(super) async fn carry_out(
    arm: ScenarioTask<'_>,
    watch: &mut dyn FnMut(RunProgress),
    talk: &mut dyn FnMut(&str),
) -> Option<ScenarioResult> {
    let began = Instant::now();
    let outcome = match experiment(&arm, watch, talk).await {
        Ok(None) => return None,
        Ok(Some(judged)) => ScenarioOutcome::Judged(judged),
        Err(problem) => {
            let (reason, hint) = problem.into_words();
            ScenarioOutcome::Stopped { reason, hint }
        }
    };
    let scenario = &arm.chosen.scenario;
    Some(ScenarioResult {
        name: scenario.name.clone(),
        group: scenario.about.group,
        expected: scenario.about.expect.clone(),
        outcome,
        took: began.elapsed(),
        evidence: None,
    })
}

async fn experiment(
    arm: &ScenarioTask<'_>,
    watch: &mut dyn FnMut(RunProgress),
    talk: &mut dyn FnMut(&str),
) -> Result<Option<Vec<JudgedRuns>>, CliProblem> {
    let evidence = &arm.evidence;
    fs::create_dir_all(evidence).map_err(|error| cannot("make", evidence, &error))?;
    let runs = arm.chosen.history.iter().map(|happening| PlannedRun::new(happening, None));
    let runs = runs.collect::<Result<Vec<_>, _>>();
    let runs = runs.map_err(|error| CliProblem::from_error(&error).hint(error.hint()))?;
    let session = session(arm.number);
    let scratch = Folder::scratch(&session, arm.journal)?;
    let experiment = Experiment {
        runs,
        project: Project::Sample(arm.chosen.scenario.about.sample.into()),
        control: false,
        go_image: arm.go_image.map(str::to_owned),
        evidence: evidence.clone(),
        scratch: scratch.path.clone(),
        user: crate::runner::RunnerUser::default(),
        session,
        real: None,
        clock: Clock::new(SystemTime::now),
    };
    let ledger = NamespaceLedger::in_journal(arm.journal);
    let mut stopped = arm.stopped.clone();
    let ran = tokio::select! {
        ran = runner::run(arm.engine, &experiment, &ledger, watch) => Some(ran),
        _ = stopped.wait_for(Option::is_some) => None,
    };
    watch(RunProgress::CleaningUp);
    let (cleaned, removed) = clear_away(arm.engine, &ledger, scratch).await;
    if let Err(error) = cleaned {
        talk(&format!("warning: not everything could be removed from the engine: {error}"));
    }
    if let Err(error) = removed {
        talk(&format!("warning: not all temporary files could be removed: {error}"));
    }
    let Some(ran) = ran else { return Ok(None) };
    let outcome = ran.map_err(|error| CliProblem::from_error(&error).hint(error.hint()))?;
    let live: Vec<Evidence> = outcome.runs.iter().map(|run| Evidence::fold(run.name.clone(), &run.events)).collect();
    let read = (1..=live.len()).map(|number| written(evidence, number)).collect::<Result<Vec<_>, _>>()?;
    let by = JudgedBy::of(&arm.chosen.scenario);
    let mut judged = Vec::new();
    for (column, runs) in [(Column::Live, &live), (Column::Log, &read)] {
        judged.extend(judge(arm.chosen, column, runs, &by));
    }
    keep_reports(arm, &judged, &by)?;
    Ok(Some(judged))
}

/// Reads a written log back, as `logs` would.
fn written(evidence: &Path, number: usize) -> Result<Evidence, CliProblem> {
    let path = evidence.join(format!("run-{number}/job.log"));
    let jobs = read_jobs(&path)?;
    match jobs.as_slice() {
        [job] => Ok(LoggedJob::evidence(job)),
        jobs => Err(CliProblem::stopped(format!("{} reads back as {} jobs", path.display(), jobs.len()))),
    }
}

/// Writes both reports of the end and the workflow beside the logs.
fn keep_reports(arm: &ScenarioTask<'_>, judged: &[JudgedRuns], by: &JudgedBy) -> Result<(), CliProblem> {
    let scenario = &arm.chosen.scenario;
    let presented = |command| Presented {
        command,
        subject: &scenario.name,
        scenario: Some(&scenario.name),
        profile: by.profile,
        thresholds: &by.thresholds,
        timing: None,
        evidence: None,
        repeat: None,
        explain: false,
        assumed: &[],
        hidden: None,
    };
    let mut files = vec![("workflow.yml", scenario.workflow.text.clone())];
    let of = |column: Column| judged.iter().find(|judged| judged.last && judged.column == column);
    files.extend(of(Column::Log).map(|judged| ("report-from-logs.json", presented("logs").json(&judged.report))));
    for (name, text) in files {
        let path = arm.evidence.join(name);
        fs::write(&path, text).map_err(|error| cannot("write", &path, &error))?;
    }
    if let Some(judged) = of(Column::Live) {
        let dockerfiles: Vec<&Source> = arm.chosen.history.iter().map(|happening| &happening.dockerfile).collect();
        explain_folder(&arm.evidence, &presented("run").for_folder(&judged.report), &dockerfiles)?;
    }
    Ok(())
}

fn cannot(doing: &str, path: &Path, error: &std::io::Error) -> CliProblem {
    CliProblem::stopped(format!("cannot {doing} {}: {error}", path.display()))
}
