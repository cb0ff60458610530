//! `scenarios run`: several scenarios at a time on one engine, each with a session, a scratch and a ledger of its own.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;

use super::args::{RoundFormat, RunArgs};
use super::experiment::{ScenarioTask, carry_out};
use super::record::record;
use super::refused;
use super::view::CatalogueView;
use crate::catalogue::{CatalogueRun, Matrix, ScenarioForm, ScenarioResult, SelectedScenario, select};
use crate::cli::engine::{LiveEngine, connect, tell_kept};
use crate::cli::exit::Exit;
use crate::cli::folder::Folder;
use crate::cli::problem::CliProblem;
use crate::cli::signal::interrupted;
use crate::cli::state::{WENT_ON, begin_journal, end_journal};
use crate::cli::{out, say};
use crate::engine::Engine as _;
use crate::report::catalogue as report;
use crate::runner::Journal;

/// Runs `scenarios run`.
pub(super) fn run(args: &RunArgs) -> Result<Exit, CliProblem> {
    let form = if args.fixed { ScenarioForm::Fixed } else { ScenarioForm::Faulty };
    let chosen = select(&args.names, form, args.partition).map_err(|error| refused(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliProblem::from_error(&error))?;
    let result = runtime.block_on(round(args, form, chosen));
    // A blocking read that was abandoned must not hold the exit up.
    runtime.shutdown_background();
    result
}

async fn round(args: &RunArgs, form: ScenarioForm, chosen: Vec<SelectedScenario>) -> Result<Exit, CliProblem> {
    let engine = connect().await?;
    let journal = begin_journal(&engine);
    let evidence = Folder::evidence(args.out.as_deref(), &journal)?;
    let jobs = usize::from(args.jobs);
    say(&format!("{} scenarios, {jobs} at a time, engine {}", chosen.len(), engine.address()));
    let began = Instant::now();
    let go_image = crate::cli::go_image(args.go_image.as_deref());
    let (stop, stopped) = watch::channel(None);
    let width = chosen.iter().map(|chosen| chosen.scenario.name.chars().count()).max().unwrap_or(0);
    let pool = SharedResources {
        engine: &engine,
        go_image: go_image.as_deref(),
        journal: &journal,
        evidence: &evidence.path,
        keep: args.out.is_some(),
        record: args.record.as_deref().map(|dir| (dir, form)),
        stopped,
        view: CatalogueView::new(chosen.len(), width),
        entries: RefCell::default(),
    };
    {
        let all = pool.run(chosen, jobs);
        tokio::pin!(all);
        let signal = async {
            // Whoever is under way stops, cleans up and ends; nobody begins any more.
            let _ = stop.send(Some(interrupted().await));
        };
        tokio::select! {
            () = &mut all => {}
            () = signal => all.await,
        }
    }
    // What one put off because its neighbours stood on it, nobody stands on any more.
    let last = engine.clean(&[]).await;
    pool.view.finish();
    let came_to = last.as_ref().map(|last| *last).map_err(ToString::to_string);
    match last {
        Ok(last) => tell_kept(&last),
        Err(error) => say(&format!("warning: not everything could be removed from the engine: {error}")),
    }
    let interrupted_by = *pool.stopped.borrow();
    end_journal(journal.clone(), &came_to, interrupted_by.map(|_| WENT_ON.to_owned()));
    let round =
        CatalogueRun { form, partition: args.partition, jobs, entries: pool.entries.take(), wall: began.elapsed() };
    conclude(args, &round, evidence, interrupted_by)
}

/// What all scenarios of a round share.
struct SharedResources<'a> {
    engine: &'a LiveEngine,
    go_image: Option<&'a str>,
    journal: &'a Journal,
    evidence: &'a Path,
    keep: bool,
    /// Where recordings go, and of which form they are.
    record: Option<(&'a Path, ScenarioForm)>,
    stopped: watch::Receiver<Option<&'static str>>,
    view: CatalogueView,
    entries: RefCell<Vec<ScenarioResult>>,
}

impl SharedResources<'_> {
    /// Runs all: first those that bear company, then one after the other those whose verdict rests on time.
    async fn run(&self, chosen: Vec<SelectedScenario>, jobs: usize) {
        let order: Vec<String> = chosen.iter().map(|chosen| chosen.scenario.name.clone()).collect();
        let (alone, mut together): (Vec<_>, Vec<_>) = chosen.into_iter().partition(SelectedScenario::hangs_on_time);
        // The longest begin first, so that none is left to run alone at the end.
        together.sort_by_key(|chosen| std::cmp::Reverse(chosen.history.len()));
        self.several(together.into(), jobs, 0).await;
        self.several(alone.into(), 1, order.len()).await;
        let place = |entry: &ScenarioResult| order.iter().position(|name| *name == entry.name);
        self.entries.borrow_mut().sort_by_key(place);
    }

    async fn several(&self, mut waiting: VecDeque<SelectedScenario>, jobs: usize, mut number: usize) {
        let mut under_way = FuturesUnordered::new();
        loop {
            while under_way.len() < jobs && self.stopped.borrow().is_none() {
                let Some(chosen) = waiting.pop_front() else { break };
                number += 1;
                under_way.push(self.one(chosen, number));
            }
            match under_way.next().await {
                Some(Some(entry)) => self.entries.borrow_mut().push(entry),
                Some(None) => {}
                None => return,
            }
        }
    }

    /// Runs one; `None` when a signal stopped it.
    async fn one(&self, chosen: SelectedScenario, number: usize) -> Option<ScenarioResult> {
        let name = &chosen.scenario.name;
        let mut row = self.view.begin(name);
        let arm = ScenarioTask {
            engine: self.engine,
            chosen: &chosen,
            number,
            go_image: self.go_image,
            journal: self.journal,
            evidence: self.evidence.join(name),
            stopped: self.stopped.clone(),
        };
        let mut talk = |line: &str| self.view.say(&format!("{name}: {line}"));
        let mut entry = carry_out(arm, &mut |progress| row.show(&progress), &mut talk).await?;
        let place = self.evidence.join(name);
        if let Some((dir, form)) = self.record.filter(|_| entry.agrees())
            && let Err(problem) = record(dir, name, form, &place)
        {
            talk(&format!("warning: no recording: {}", problem.into_words().0));
        }
        if self.keep || !entry.agrees() {
            entry.evidence = Some(place.display().to_string());
        } else if let Err(error) = std::fs::remove_dir_all(&place) {
            talk(&format!("warning: cannot remove {}: {error}", place.display()));
        }
        self.view.end(&row, &entry);
        Some(entry)
    }
}

/// Tells what came of it, and decides the exit code.
fn conclude(
    args: &RunArgs,
    round: &CatalogueRun,
    evidence: Folder,
    interrupted_by: Option<&'static str>,
) -> Result<Exit, CliProblem> {
    let kept = args.out.is_some() || !round.agrees() || interrupted_by.is_some();
    let place: Option<PathBuf> = if kept {
        Some(evidence.keep())
    } else {
        let removed = evidence.remove();
        if let Err(error) = removed {
            say(&format!("warning: not all temporary files could be removed: {error}"));
        }
        None
    };
    if let Some(place) = &place {
        say(&format!("evidence  {}", place.display()));
    }
    if let Some(signal) = interrupted_by {
        return Err(CliProblem::signal(signal, format!("stopped by {signal}; what was made has been removed")));
    }
    match args.format {
        RoundFormat::Json => out(&report::json(round)),
        RoundFormat::Junit => out(&report::junit(round)),
        RoundFormat::Html => out(&report::round_page(round)),
        RoundFormat::Text => {
            if args.matrix {
                out(&report::matrix(&Matrix::of_entries(&round.entries), true));
            }
            out(&report::outcome(round, true));
        }
    }
    Ok(match round.counts() {
        (_, 0, 0) => Exit::Effective,
        (_, 0, _) => Exit::Stopped,
        _ => Exit::Ineffective,
    })
}
