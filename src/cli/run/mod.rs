//! `run`: an experiment, its verdict and its evidence.

mod given;
mod real;
mod repeat;
mod subject;

use std::fs;
use std::time::SystemTime;

use super::args;
use super::engine::{clear_away, connect, session, tell_kept, tell_leftovers};
use super::exit::Exit;
use super::explained::explain_folder;
use super::folder::Folder;
use super::live::LiveView;
use super::present::{Presented, write_page};
use super::problem::CliProblem;
use super::say;
use super::signal::interrupted;
use super::state::{WENT_ON, begin_journal, end_journal};
use crate::engine::Engine as _;
use crate::evidence::Evidence;
use crate::plan::{Given, PlannedStep, Trigger};
use crate::runner::{self, Clock, Experiment, ExperimentOutcome, NamespaceLedger, PlannedRun, RunError, RunProgress};
use crate::source::Source;
use crate::verify::{self, Case, CaseSource, Verdict};
use repeat::repeat;
use subject::{RunSubject, check_dockerfile, subject};

/// Runs `run`.
pub(super) fn run(args: args::RunArgs) -> Result<Exit, CliProblem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliProblem::from_error(&error))?;
    let result = runtime.block_on(experiment(args));
    // A blocking read that was abandoned must not hold the exit up.
    runtime.shutdown_background();
    result
}

async fn experiment(args: args::RunArgs) -> Result<Exit, CliProblem> {
    let here = native_platform();
    let mut subject = subject(&args, &here)?;
    for run in &subject.runs {
        check_dockerfile(&run.dockerfile)?;
    }
    let engine = connect().await?;
    let info = engine.describe().await.map_err(|error| CliProblem::from_error(&error).hint(error.hint()))?;
    if info.platform != here {
        subject = subject::subject(&args, &info.platform)?;
    }

    let journal = begin_journal(&engine);
    let session = session(0);
    let evidence = Folder::evidence_over(args.out.as_deref(), args.force, &journal)?;
    let scratch = Folder::scratch(&session, &journal)?;
    let real = real::setting(&args, &scratch.path, engine.address())?;
    let experiment = Experiment {
        runs: subject.runs.clone(),
        project: subject.project.clone(),
        control: args.control,
        go_image: super::go_image(args.go_image.as_deref()),
        evidence: evidence.path.clone(),
        scratch: scratch.path.clone(),
        user: args.runner_user.map_or_else(Default::default, Into::into),
        session,
        real,
        clock: Clock::new(SystemTime::now),
    };
    say(&format!("{} on {} fresh runners, engine {}", subject.title, subject.runs.len(), engine.address()));
    assumed(&subject, None, args.dance.as_deref()).iter().for_each(|text| say(&format!("note: {text}")));
    let ledger = NamespaceLedger::in_journal(&journal);
    let mut live = LiveView::new(subject.runs.len());
    let ran = {
        let mut watch = |progress| live.show(&progress);
        tokio::select! {
            ran = runner::run(&engine, &experiment, &ledger, &mut watch) => ran.map_err(StopReason::Failed),
            signal = interrupted() => Err(StopReason::Signal(signal)),
        }
    };
    live.show(&RunProgress::CleaningUp);
    let began = SystemTime::now();
    if args.trace {
        real::tell_trace(&experiment.evidence);
    }
    let (cleaned, removed) = clear_away(&engine, &ledger, scratch).await;
    // What was in use a moment ago.
    let last = engine.clean(&[]).await;
    live.finish();
    let came_to = last.as_ref().map(|last| *last).map_err(ToString::to_string);
    let cleaned = match last {
        Ok(last) => {
            tell_kept(&last);
            cleaned
        }
        Err(error) => cleaned.and(Err(error.into())),
    };
    let stays = cleaned.as_ref().err().or(removed.as_ref().err()).map(ToString::to_string);
    let stays = stays.or_else(|| matches!(ran, Err(StopReason::Signal(_))).then(|| WENT_ON.to_owned()));
    end_journal(journal, &came_to, stays);
    let mut outcome = match ran {
        Ok(outcome) => outcome,
        Err(stop) => {
            let kept = evidence.keep();
            tell_leftovers(cleaned.as_ref().err(), removed.as_ref().err());
            say(&format!("evidence so far: {}", kept.display()));
            let hidden = subject.runs.first().map(|run| run.plan.given.clone()).unwrap_or_default();
            return Err(stop.problem().masked(&hidden));
        }
    };
    outcome.timing.wall += began.elapsed().unwrap_or_default();
    tell_leftovers(cleaned.as_ref().err(), removed.as_ref().err());
    refuse_warm_control(&outcome)?;
    conclude(&args, &subject, &outcome, evidence)
}

/// The platform of an engine on this machine, as long as nobody has asked the engine.
fn native_platform() -> String {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("linux/{arch}")
}

/// Lists what was chosen, taken for granted or left out, each once; a person reads it before anything else.
fn assumed(subject: &RunSubject, outcome: Option<&ExperimentOutcome>, dance: Option<&str>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut add = |text: String| {
        if !all.contains(&text) {
            all.push(text);
        }
    };
    if subject.scenario.is_none() {
        if let Some(run) = subject.runs.first() {
            add(trigger(&subject.runs, &run.plan.trigger));
        }
        for run in &subject.runs {
            run.plan.assumed.iter().cloned().for_each(&mut add);
            run.plan
                .given
                .left_out
                .iter()
                .for_each(|step| add(format!("step `{step}` is left out, on your word that it does not matter")));
            if let Some(code) = run.plan.given.dance_as {
                add(format!("a dance whose code is not known is taken for {code}, on your word"));
            }
        }
    }
    if let Some(dance) = dance {
        add(format!("the dance is the code of {dance}, whatever the workflow's `uses:` names"));
    }
    let runs = |step: &&PlannedStep| dance.is_some() && step.uses.is_some() && step.input("cache-map").is_some();
    for step in subject.runs.iter().flat_map(|run| run.plan.not_reproduced()).filter(|step| !runs(step)) {
        match &step.doubt {
            Some(doubt) => add(format!("step `{}` is not run here, and it may matter: {doubt}", step.display_name)),
            None => add(format!("step `{}` is not reproduced; it does nothing here", step.display_name)),
        }
    }
    outcome.into_iter().flat_map(|outcome| &outcome.assumed).cloned().for_each(&mut add);
    all
}

/// Says of which event the runs are.
fn trigger(runs: &[PlannedRun], first: &Trigger) -> String {
    let mut refs: Vec<&str> = runs.iter().map(|run| run.plan.trigger.git_ref.as_str()).collect();
    refs.dedup();
    format!("the runs are of `{}` on {}; choose with `--event` and `--ref`", first.event, refs.join(", "))
}

/// Judges the runs, prints the report and decides the exit code.
fn conclude(
    args: &args::RunArgs,
    subject: &RunSubject,
    outcome: &ExperimentOutcome,
    evidence: Folder,
) -> Result<Exit, CliProblem> {
    let runs = outcome.runs.iter().map(|run| Evidence::fold(run.name.clone(), &run.events)).collect();
    let case = Case { runs, source: CaseSource::Live, thresholds: subject.thresholds, profile: subject.profile };
    let mut report = verify::verify(&case);
    report.notes.extend(subject::not_your_workflow(subject));
    let scenario = subject.scenario.as_ref().map(|scenario| scenario.name.as_str());
    let repeat = repeat(args, scenario, super::go_image(args.go_image.as_deref()).as_deref());
    let mut presented = Presented {
        command: "run",
        subject: &subject.title,
        scenario,
        profile: subject.profile,
        thresholds: &subject.thresholds,
        timing: Some(outcome.timing),
        evidence: None,
        repeat: Some(&repeat),
        explain: args.explain,
        assumed: &assumed(subject, Some(outcome), args.dance.as_deref()),
        hidden: subject.runs.first().map(|run| &run.plan.given),
    };
    let path = evidence.path.join("workflow.yml");
    fs::write(&path, &subject.workflow.text)
        .map_err(|error| CliProblem::stopped(format!("cannot write {}: {error}", path.display())))?;
    let dockerfiles: Vec<&Source> = subject.runs.iter().map(|run| &run.dockerfile).collect();
    explain_folder(&evidence.path, &presented.for_folder(&report), &dockerfiles)?;
    tell_failed_build(&case, &subject.runs.first().map(|run| run.plan.given.clone()).unwrap_or_default());
    let keep = args.keep || args.out.is_some() || report.verdict != Verdict::Effective;
    let place = if keep { Some(evidence.keep().display().to_string()) } else { None };
    presented.evidence = place.as_deref();
    presented.print(&report, args.format);
    if let Some(path) = &args.html {
        write_page(path, &presented.page(&report))?;
    }
    Ok(report.verdict.into())
}

/// Says what a build that failed said, since no verdict explains that.
fn tell_failed_build(case: &Case, hidden: &Given) {
    for run in &case.runs {
        for ended in run.builds.iter().filter_map(|build| build.ended.as_ref()) {
            if let Some(error) = &ended.value {
                let place = ended.quote.line.map_or(String::new(), |line| format!(" ({}:{line})", ended.quote.source));
                say(&hidden.masked(&format!("{}: the build failed{place}: {error}", run.name)));
            }
        }
    }
}

/// The control arm must be cold: a warm one means that mounts leak between runners, and no number can be trusted.
fn refuse_warm_control(outcome: &ExperimentOutcome) -> Result<(), CliProblem> {
    const COLD: u64 = 1 << 20;
    let Some(control) = &outcome.control else { return Ok(()) };
    let evidence = Evidence::fold(control.name.clone(), &control.events);
    let sizes: Vec<_> = evidence.builds.iter().flat_map(|build| &build.sizes).collect();
    let warm = sizes.iter().find_map(|sizes| {
        let before = sizes.before.as_ref()?;
        (before.value > COLD).then(|| format!("{} held {} bytes before the build", sizes.target, before.value))
    });
    match warm {
        Some(what) => {
            Err(CliProblem::stopped(format!("the control run without the dance was warm: {what}")).hint(Some(
                "mounts leak between runners on this engine, so no verdict here can be trusted; please report it"
                    .to_owned(),
            )))
        }
        None if sizes.iter().all(|sizes| sizes.before.is_none()) => {
            Err(CliProblem::stopped("the control run printed no sizes before its build, so it proves nothing"))
        }
        None => {
            say("control: without the dance every mount was empty before the build, as it must be");
            Ok(())
        }
    }
}

/// Why the runs ended before their end.
enum StopReason {
    Failed(RunError),
    Signal(&'static str),
}

impl StopReason {
    fn problem(&self) -> CliProblem {
        match self {
            Self::Failed(error) => CliProblem::from_error(error).hint(error.hint()),
            Self::Signal(name) => {
                CliProblem::signal(name, format!("stopped by {name}; what was made has been removed"))
            }
        }
    }
}
