//! The live view of the steps while they run. [`LiveView`] is principal.
//!
//! On a terminal, the step under way has a spinner with the last line it wrote. Elsewhere each step that ends is a line,
//! and a step that lasts says every few seconds that it is still at work, so that no long silence looks like a hang.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::evidence::StepOutcome;
use crate::runner::RunProgress;

/// How long a step may be at work without a line where nothing can spin.
const QUIET: Duration = Duration::from_secs(8);

/// What a person sees while the runs are under way.
pub(super) struct LiveView {
    bar: ProgressBar,
    step: String,
    seen: String,
    /// How many runs the experiment has, and how many have begun.
    runs: usize,
    begun: usize,
    heartbeat: Option<Heartbeat>,
}

impl LiveView {
    /// Begins the view of an experiment of so many runs.
    pub(super) fn new(runs: usize) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {prefix} {elapsed:>4}  {wide_msg:.dim}") {
            bar.set_style(style.tick_chars("-\\|/ "));
        }
        let heartbeat = bar.is_hidden().then(Heartbeat::start);
        Self { bar, step: String::new(), seen: String::new(), runs, begun: 0, heartbeat }
    }

    /// Shows what happened.
    pub(super) fn show(&mut self, progress: &RunProgress) {
        match progress {
            RunProgress::Pull(line) => self.spin("pulling", line),
            RunProgress::Job { name, .. } => {
                self.begun += 1;
                self.print(&format!("\n{}", title(name, self.begun, self.runs)));
            }
            RunProgress::Step { name, .. } => {
                self.step.clone_from(name);
                self.bar.reset_elapsed();
                self.spin(&self.step.clone(), "");
            }
            RunProgress::Line(line) => {
                if !line.trim().is_empty() && !line.starts_with("##[") && self.seen != *line {
                    self.seen.clone_from(line);
                    let text: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
                    self.note(&text);
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
                self.rest();
                self.print(&format!("  {:<56} {:>7.1}s  {mark}", clip(&self.step, 56), took.as_secs_f64()));
            }
            RunProgress::CleaningUp => self.spin("cleaning up", ""),
        }
    }

    /// Ends the view.
    pub(super) fn finish(&self) {
        self.rest();
        self.bar.finish_and_clear();
    }

    fn spin(&mut self, prefix: &str, message: &str) {
        self.bar.set_prefix(clip(prefix, 48));
        self.bar.set_message(message.to_owned());
        match &self.heartbeat {
            Some(heartbeat) => heartbeat.watch(prefix),
            None => self.bar.enable_steady_tick(Duration::from_millis(120)),
        }
    }

    /// Keeps the last line of the step, for the next sign of life.
    fn note(&self, line: &str) {
        if let Some(heartbeat) = &self.heartbeat {
            heartbeat.note(line);
        }
    }

    /// Nothing is at work that could be silent.
    fn rest(&self) {
        if let Some(heartbeat) = &self.heartbeat {
            heartbeat.rest();
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

/// Says which run begins, and what it is for.
fn title(name: &str, begun: usize, runs: usize) -> String {
    let purpose = match begun {
        _ if !name.starts_with("run ") => return name.to_owned(),
        1 => "cold on purpose: a fresh runner, every cache mount is empty",
        _ => "a fresh runner again: only what was saved comes back",
    };
    format!("{name} of {runs} ({purpose})")
}

/// What is at work, since when, and the last line that it wrote.
#[derive(Debug)]
struct AtWork {
    what: String,
    since: Instant,
    line: String,
}

/// Says every [`QUIET`] seconds what is still at work. It ends when dropped.
struct Heartbeat {
    at_work: Arc<Mutex<Option<AtWork>>>,
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Heartbeat {
    fn start() -> Self {
        let at_work: Arc<Mutex<Option<AtWork>>> = Arc::default();
        let (end, ended) = channel::<()>();
        let watched = Arc::clone(&at_work);
        let thread = std::thread::spawn(move || {
            let mut told = Instant::now();
            while ended.recv_timeout(Duration::from_millis(500)) == Err(RecvTimeoutError::Timeout) {
                let Ok(at_work) = watched.lock() else { return };
                match at_work.as_ref() {
                    Some(work) if work.since.max(told).elapsed() >= QUIET => {
                        super::say(&still(&work.what, work.since.elapsed(), &work.line));
                        told = Instant::now();
                    }
                    _ => {}
                }
            }
        });
        Self { at_work, end: Some(end), thread: Some(thread) }
    }

    fn watch(&self, what: &str) {
        self.set(Some(AtWork { what: what.to_owned(), since: Instant::now(), line: String::new() }));
    }

    fn rest(&self) {
        self.set(None);
    }

    fn note(&self, line: &str) {
        if let Ok(mut at_work) = self.at_work.lock()
            && let Some(work) = at_work.as_mut()
        {
            line.clone_into(&mut work.line);
        }
    }

    fn set(&self, work: Option<AtWork>) {
        if let Ok(mut at_work) = self.at_work.lock() {
            *at_work = work;
        }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One sign of life.
fn still(what: &str, since: Duration, line: &str) -> String {
    let line = if line.is_empty() { String::new() } else { format!("  {}", clip(line, 60)) };
    format!("    {} … {} s{line}", clip(what, 48), since.as_secs())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_says_what_it_is_for() {
        assert_eq!(title("run 1", 1, 2), "run 1 of 2 (cold on purpose: a fresh runner, every cache mount is empty)");
        assert_eq!(title("run 2", 2, 2), "run 2 of 2 (a fresh runner again: only what was saved comes back)");
        assert_eq!(title("control", 3, 2), "control");
    }

    #[test]
    fn a_sign_of_life_names_the_step_its_time_and_its_last_line() {
        let line = still("Run docker/build-push-action@v6", Duration::from_secs(17), "#9 8.1 go: downloading x");
        assert_eq!(line, "    Run docker/build-push-action@v6 … 17 s  #9 8.1 go: downloading x");
    }
}
