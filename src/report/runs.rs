//! The runs side by side, as rows of words. [`rows`] is principal; text and Markdown lay them out.

use crate::verify::{RestoreOutcome, RunSummary, SavedOutcome, seconds, size};

/// One row: what it shows, and a cell for each run.
pub(super) struct RunsRow {
    pub(super) label: String,
    pub(super) cells: Vec<String>,
}

/// What stands where nothing was seen: never a zero.
const UNSEEN: &str = "-";

/// Lays the runs out as rows.
pub(super) fn rows(runs: &[&RunSummary]) -> Vec<RunsRow> {
    let mut rows =
        vec![row("restored", runs, restored), row("", runs, |run| run.restore.bytes.map(size).unwrap_or_default())];
    for target in targets(runs) {
        let mount = |run: &RunSummary| run.mounts.iter().find(|mount| mount.target == target).cloned();
        rows.push(row(&format!("{target} before"), runs, |run| {
            amount(mount(run).and_then(|mount| mount.before_bytes))
        }));
        rows.push(row(&format!("{target} after"), runs, |run| amount(mount(run).and_then(|mount| mount.after_bytes))));
    }
    rows.push(row("go build", runs, |run| match (run.build.seconds, run.build.cached) {
        (_, true) => "layer cached".to_owned(),
        (took, false) => time(took),
    }));
    rows.push(row("modules downloaded", runs, |run| {
        run.build.downloads.map_or_else(|| UNSEEN.to_owned(), |count| count.to_string())
    }));
    rows.push(row("saved", runs, saved));
    let times = runs.iter().any(|run| run.timing != Default::default());
    if times {
        rows.push(row("time of restore", runs, |run| time(run.timing.restore)));
        rows.push(row("time of inject", runs, |run| time(run.timing.inject)));
        rows.push(row("time of extract", runs, |run| time(run.timing.extract)));
        rows.push(row("time of save", runs, |run| time(run.timing.save)));
    }
    // The size has a row of its own only where some run has one.
    rows.retain(|row| !row.label.is_empty() || row.cells.iter().any(|cell| !cell.is_empty()));
    rows
}

fn row(label: &str, runs: &[&RunSummary], cell: impl Fn(&RunSummary) -> String) -> RunsRow {
    RunsRow { label: label.to_owned(), cells: runs.iter().map(|run| cell(run)).collect() }
}

fn targets(runs: &[&RunSummary]) -> Vec<String> {
    let mut targets: Vec<String> = Vec::new();
    for mount in runs.iter().flat_map(|run| &run.mounts) {
        if !targets.contains(&mount.target) {
            targets.push(mount.target.clone());
        }
    }
    targets
}

fn restored(run: &RunSummary) -> String {
    match run.restore.outcome {
        RestoreOutcome::Miss => "miss".to_owned(),
        RestoreOutcome::Hit => "hit".to_owned(),
        RestoreOutcome::Partial => "partial hit".to_owned(),
        RestoreOutcome::Failed => "failed".to_owned(),
        RestoreOutcome::None => UNSEEN.to_owned(),
    }
}

fn saved(run: &RunSummary) -> String {
    match (run.save.outcome, run.save.bytes) {
        (SavedOutcome::Saved, Some(bytes)) => size(bytes),
        (SavedOutcome::Saved, None) => "yes".to_owned(),
        (SavedOutcome::NotSaved, _) => "failed".to_owned(),
        (SavedOutcome::Skipped, _) => "no: exists".to_owned(),
        (SavedOutcome::None, _) => UNSEEN.to_owned(),
    }
}

fn amount(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| UNSEEN.to_owned(), size)
}

fn time(took: Option<f64>) -> String {
    took.map_or_else(|| UNSEEN.to_owned(), seconds)
}
