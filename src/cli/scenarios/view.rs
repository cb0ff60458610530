//! The live view of several scenarios at a time. [`CatalogueView`] is principal.
//!
//! On a terminal each scenario under way has a line of its own, and one below counts them; elsewhere each that ends is a
//! line.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::catalogue::{Column, ScenarioOutcome, ScenarioResult};
use crate::cli::say;
use crate::runner::RunProgress;

/// What a person sees while the catalogue runs.
pub(super) struct CatalogueView {
    bars: MultiProgress,
    whole: ProgressBar,
    width: usize,
}

/// One scenario's line.
pub(super) struct ScenarioRow {
    bar: ProgressBar,
    job: String,
}

impl CatalogueView {
    /// Begins the view of so many scenarios, the longest of whose names is so wide.
    pub(super) fn new(count: usize, width: usize) -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let whole = bars.add(ProgressBar::new(count as u64));
        if let Ok(style) = ProgressStyle::with_template("  {pos} of {len} scenarios, {elapsed}") {
            whole.set_style(style);
        }
        if !whole.is_hidden() {
            whole.enable_steady_tick(Duration::from_millis(500));
        }
        Self { bars, whole, width }
    }

    /// Begins a scenario.
    pub(super) fn begin(&self, name: &str) -> ScenarioRow {
        let bar = self.bars.insert_before(&self.whole, ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {prefix} {elapsed:>4}  {wide_msg:.dim}") {
            bar.set_style(style.tick_chars("-\\|/ "));
        }
        bar.set_prefix(format!("{name:<width$}", width = self.width));
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        ScenarioRow { bar, job: String::new() }
    }

    /// Ends a scenario.
    pub(super) fn end(&self, row: &ScenarioRow, entry: &ScenarioResult) {
        row.bar.finish_and_clear();
        self.whole.inc(1);
        let word = match &entry.outcome {
            _ if entry.agrees() => "as expected".to_owned(),
            ScenarioOutcome::Stopped { reason, .. } => format!("STOPPED: {reason}"),
            ScenarioOutcome::Judged(_) => {
                let all = Column::ALL.into_iter().flat_map(|column| {
                    let differences = entry.differences(column).into_iter();
                    differences.map(move |difference| format!("{}: {difference}", column.as_str()))
                });
                format!("DIFFERENT: {}", all.collect::<Vec<_>>().join("; "))
            }
        };
        let (done, all) = (self.whole.position(), self.whole.length().unwrap_or_default());
        let (name, seconds, width) = (&entry.name, entry.took.as_secs_f64(), self.width);
        self.say(&format!("[{done:>2}/{all}] {name:width$} {seconds:>7.1} s  {word}"));
    }

    /// Says a line above the bars.
    pub(super) fn say(&self, line: &str) {
        if self.whole.is_hidden() {
            say(line);
        } else {
            self.bars.suspend(|| say(line));
        }
    }

    /// Ends the view.
    pub(super) fn finish(&self) {
        self.whole.finish_and_clear();
    }
}

impl ScenarioRow {
    /// Shows what happened.
    pub(super) fn show(&mut self, progress: &RunProgress) {
        match progress {
            RunProgress::Pull(line) => self.bar.set_message(plain(line)),
            RunProgress::Job { name, .. } => self.job.clone_from(name),
            RunProgress::Step { name, .. } => self.bar.set_message(format!("{}: {}", self.job, plain(name))),
            RunProgress::CleaningUp => self.bar.set_message("cleaning up"),
            RunProgress::Line(_) | RunProgress::StepEnded { .. } => {}
        }
    }
}

fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
