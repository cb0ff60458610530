//! The live view of the steps while they run. [`LiveView`] is principal.
//!
//! On a terminal, the step under way has a spinner with the last line it wrote; elsewhere each step that ends is a line.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::evidence::StepOutcome;
use crate::runner::RunProgress;

/// What a person sees while the runs are under way.
pub(super) struct LiveView {
    bar: ProgressBar,
    step: String,
    seen: String,
}

impl LiveView {
    /// Begins the view.
    pub(super) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {prefix} {elapsed:>4}  {wide_msg:.dim}") {
            bar.set_style(style.tick_chars("-\\|/ "));
        }
        Self { bar, step: String::new(), seen: String::new() }
    }

    /// Shows what happened.
    pub(super) fn show(&mut self, progress: &RunProgress) {
        match progress {
            RunProgress::Pull(line) => self.spin("pulling", line),
            RunProgress::Job { name, .. } => self.print(&format!("\n{name}")),
            RunProgress::Step { name, .. } => {
                self.step.clone_from(name);
                self.bar.reset_elapsed();
                self.spin(&self.step.clone(), "");
            }
            RunProgress::Line(line) => {
                if !line.trim().is_empty() && !line.starts_with("##[") && self.seen != *line {
                    self.seen.clone_from(line);
                    let text: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
                    self.bar.set_message(text);
                }
            }
            RunProgress::StepEnded { outcome, took } => {
                let mark = match outcome {
                    StepOutcome::Success => "done",
                    StepOutcome::Failure => "FAILED",
                    StepOutcome::Skipped => "skipped",
                    StepOutcome::NotReproduced => "not reproduced",
                };
                self.bar.disable_steady_tick();
                self.print(&format!("  {:<56} {:>7.1}s  {mark}", clip(&self.step, 56), took.as_secs_f64()));
            }
            RunProgress::CleaningUp => self.spin("cleaning up", ""),
        }
    }

    /// Ends the view.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn spin(&mut self, prefix: &str, message: &str) {
        self.bar.set_prefix(clip(prefix, 48));
        self.bar.set_message(message.to_owned());
        if !self.bar.is_hidden() {
            self.bar.enable_steady_tick(Duration::from_millis(120));
        }
    }

    fn print(&self, line: &str) {
        if self.bar.is_hidden() {
            super::say(line);
        } else {
            self.bar.suspend(|| super::say(line));
        }
    }
}

/// Cuts a text to a width.
fn clip(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(width.saturating_sub(1)).collect();
    cut.push('~');
    cut
}
