//! `demo`: recorded runs of the catalogue, replayed without an engine and judged anew.

mod pace;

use super::args::Demo;
use super::exit::Exit;
use super::out;
use super::present::write_page;
use super::problem::CliProblem;
use super::recorded::{JudgedLogs, JudgedRecording};
use crate::report::{self, HtmlSubject, ReplayStyle, ReplayWait, TextOptions};
use crate::scenario::{self, recording};
use crate::verify::Code;
use pace::{Enough, Pace};

/// The scenario of the set-up that works.
const HEALTHY: &str = "healthy";

/// The widest line of the words in between.
const WIDTH: usize = 80;

/// Runs `demo`.
pub(super) fn run(args: &Demo) -> Result<Exit, CliProblem> {
    if args.list {
        out(&list()?);
        return Ok(Exit::Effective);
    }
    let names: Vec<String> = match &args.scenario {
        Some(name) => vec![name.clone()],
        // The set-up that works, and the fault that most people have; its scenario is called as its code is.
        None => vec![HEALTHY.to_owned(), Code::CacheLocked.to_string()],
    };
    let shown = names.iter().map(|name| Replayed::of(name)).collect::<Result<Vec<_>, _>>()?;
    if let Some(path) = &args.html {
        let subjects: Vec<HtmlSubject> = shown.iter().flat_map(Replayed::subjects).collect();
        write_page(path, &report::html(&subjects))?;
    }
    match show(&shown, &mut Pace::new(args.speed, args.no_pause)) {
        Ok(()) | Err(Enough::Seen) => Ok(Exit::Effective),
        Err(Enough::Interrupted) => Ok(Exit::Interrupted),
    }
}

/// Tells them one after the other, until somebody has seen enough.
fn show(shown: &[Replayed], pace: &mut Pace) -> Result<(), Enough> {
    for (at, replayed) in shown.iter().enumerate() {
        if at > 0 {
            pace.line("", ReplayWait::Key)?;
        }
        replayed.show(pace)?;
    }
    Ok(())
}

/// Lists the recordings.
fn list() -> Result<String, CliProblem> {
    let names = recording::recorded();
    let width = names.iter().map(String::len).max().unwrap_or(0);
    let mut text = String::new();
    for name in names {
        let scenario =
            scenario::find(&name).map_err(|error| CliProblem::usage(error.to_string()).hint(error.hint()))?;
        text.push_str(&format!("{name:width$}  {}\n", scenario.about.title));
    }
    Ok(text)
}

/// A recording to tell.
struct Replayed {
    recorded: JudgedRecording,
    /// The set-up that works, where this is another and nothing is recorded of it with its fault undone.
    healthy: Option<JudgedLogs>,
    /// How the judged runs are called on a page.
    titles: [String; 2],
}

impl Replayed {
    fn of(name: &str) -> Result<Self, CliProblem> {
        let Some(recorded) = JudgedRecording::of(name)? else {
            let problem = CliProblem::usage(format!("scenario `{name}` has no recording"));
            return Err(problem.hint(Some("`verify-buildkit-cache demo --list` names those that have one".to_owned())));
        };
        let titles = [format!("recorded scenario {name}"), format!("recorded scenario {name}, with the fix")];
        let healthy = match (name, &recorded.fixed) {
            (HEALTHY, _) | (_, Some(_)) => None,
            _ => JudgedRecording::of(HEALTHY)?.map(|healthy| healthy.faulty),
        };
        Ok(Self { recorded, healthy, titles })
    }

    /// Both reports, for a page.
    fn subjects(&self) -> Vec<HtmlSubject<'_>> {
        let both = std::iter::once(&self.recorded.faulty).chain(&self.recorded.fixed).zip(&self.titles);
        both.map(|(judged, subject)| HtmlSubject { subject, report: &judged.report, evidence: None, repeat: None })
            .collect()
    }

    /// Tells it: the runs, the verdict, the fix, and the warm run beside the cold one.
    fn show(&self, pace: &mut Pace) -> Result<(), Enough> {
        let scenario = &self.recorded.chosen.scenario;
        pace.say(&report::heading(&format!("{}: {}", scenario.name, scenario.about.title), true));
        pace.say(&report::paragraph(&scenario.about.sees, WIDTH));
        pace.say("");
        let style = ReplayStyle { color: true, width: pace.width() };
        let last = self.recorded.faulty.jobs.len();
        for (job, number) in self.recorded.faulty.jobs.iter().zip(1..) {
            let judged = number == last;
            let heading = format!("run {number} of {last}{}", if judged { ", which is judged" } else { "" });
            pace.line(&report::heading(&heading, true), ReplayWait::Line)?;
            for line in report::replay(&job.events, &self.recorded.faulty.report, judged, style) {
                pace.line(&line.text, line.wait)?;
            }
            pace.say("");
        }
        pace.line(&report::heading("what the verifier says of these logs", true), ReplayWait::Key)?;
        pace.say(&report::brief(&self.recorded.faulty.report, &text_options(&self.titles[0], pace.width().is_some())));
        match &self.recorded.fixed {
            Some(fixed) => self.show_fix(pace, fixed),
            None => self.show_healthy(pace),
        }
    }

    /// Shows the fix, and the last run with it beside the last run without.
    fn show_fix(&self, pace: &mut Pace, fixed: &JudgedLogs) -> Result<(), Enough> {
        let scenario = &self.recorded.chosen.scenario;
        pace.line(&report::heading("the fix", true), ReplayWait::Key)?;
        pace.say(&report::paragraph(&scenario.about.fix, WIDTH));
        pace.say("");
        if let Some((_, text)) = scenario.patches.iter().find(|(name, _)| name == "fix.diff") {
            pace.say(&report::diff(text, true));
        }
        self.show_beside(pace, "the last run, as it was and with the fix", "with the fix", fixed)?;
        pace.say(&format!("with the fix: {}", fixed.report.verdict.as_str()));
        self.show_more(pace)
    }

    /// Where no run with the fix is recorded, the warm run of the set-up that works stands beside the last run.
    fn show_healthy(&self, pace: &mut Pace) -> Result<(), Enough> {
        let Some(healthy) = &self.healthy else { return self.show_more(pace) };
        pace.line(&report::heading("the fix", true), ReplayWait::Key)?;
        pace.say(&report::paragraph(&self.recorded.chosen.scenario.about.fix, WIDTH));
        pace.say("");
        self.show_beside(pace, "the last run, and a warm run of the set-up that works", "healthy", healthy)?;
        self.show_more(pace)
    }

    fn show_beside(&self, pace: &mut Pace, title: &str, name: &str, other: &JudgedLogs) -> Result<(), Enough> {
        pace.line(&report::heading(title, true), ReplayWait::Key)?;
        if let Some((this, other)) = self.recorded.faulty.report.runs.last().zip(other.report.runs.last()) {
            pace.say(&report::beside(["as it was", name], this, other, true));
        }
        Ok(())
    }

    fn show_more(&self, pace: &Pace) -> Result<(), Enough> {
        pace.say(&format!("more: verify-buildkit-cache scenarios show {}", self.recorded.chosen.scenario.name));
        Ok(())
    }
}

fn text_options(subject: &str, cut: bool) -> TextOptions<'_> {
    TextOptions { color: true, width: WIDTH, subject, evidence: None, repeat: None, explain: false, assumed: &[], cut }
}
