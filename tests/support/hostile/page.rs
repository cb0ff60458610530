//! The lines of one job, and the forms in which people hand them on. [`Page`] is principal.

use std::fmt::Write as _;

/// One line as the runner wrote it.
#[derive(Debug, Clone)]
pub(crate) struct PageLine {
    /// Milliseconds since the midnight before the first run.
    pub(crate) at: u64,
    /// The step it belongs to, as an index.
    pub(crate) step: usize,
    /// The text; a text of several lines has one stamp, as on GitHub.
    pub(crate) text: String,
    /// Whether it is what gives the truth away: such a line is never lost.
    pub(crate) trace: bool,
}

/// The form in which a log is handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The job's file, as GitHub keeps it.
    Raw,
    /// What `gh run view --log` prints.
    Gh,
    /// Copied from the web page: no stamps, no marks.
    Web,
    /// The archive: one file for each step.
    Archive,
}

/// Every form.
pub(crate) const FORMS: [Form; 4] = [Form::Raw, Form::Gh, Form::Web, Form::Archive];

/// The log of one job.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    /// The job's name.
    pub(crate) job: String,
    /// The names of its steps.
    pub(crate) steps: Vec<String>,
    /// Its lines, in the order in which they stand in the file.
    pub(crate) lines: Vec<PageLine>,
    clock: u64,
}

impl Page {
    /// Begins a page at a time of day.
    pub(crate) fn new(job: &str, clock: u64) -> Self {
        Self { job: job.to_owned(), steps: vec!["Set up job".to_owned()], lines: Vec::new(), clock }
    }

    /// Begins a step.
    pub(crate) fn step(&mut self, name: &str) {
        self.steps.push(name.to_owned());
    }

    /// Writes a line, a tenth of a second after the last.
    pub(crate) fn say(&mut self, text: &str) {
        self.clock += 100;
        let step = self.steps.len() - 1;
        self.lines.push(PageLine { at: self.clock, step, text: text.to_owned(), trace: false });
    }

    /// Marks the last line as what gives the truth away.
    pub(crate) fn trace(&mut self) {
        if let Some(last) = self.lines.last_mut() {
            last.trace = true;
        }
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, seconds: f64) {
        self.clock += millis(seconds);
    }

    /// Lets the last `seconds` not have passed: what ran at the same time as another thing.
    pub(crate) fn clock(&self) -> u64 {
        self.clock
    }

    /// Moves the clock on to a time, unless it is later already.
    pub(crate) fn until(&mut self, at: u64) {
        self.clock = self.clock.max(at);
    }

    /// Writes the head of a step.
    pub(crate) fn group(&mut self, name: &str, title: &str, inputs: &[String]) {
        self.step(name);
        self.say(&format!("##[group]Run {title}"));
        if !inputs.is_empty() {
            self.say("with:");
            inputs.iter().for_each(|input| self.say(&format!("  {input}")));
        }
        self.say("##[endgroup]");
    }

    /// Writes the head of a step that runs commands of a shell.
    pub(crate) fn script(&mut self, name: &str, commands: &[&str]) {
        self.step(name);
        self.say(&format!("##[group]Run {}", commands.first().copied().unwrap_or_default()));
        for command in commands {
            self.say(&format!("\u{1b}[36;1m{command}\u{1b}[0m"));
        }
        self.say("shell: /usr/bin/bash -e {0}");
        self.say("##[endgroup]");
    }

    /// Writes the page as files: a name and a text each.
    pub(crate) fn files(&self, form: Form) -> Vec<(String, String)> {
        let whole = |text: String| vec![("log.txt".to_owned(), text)];
        match form {
            Form::Raw => whole(self.lines.iter().fold("\u{feff}".to_owned(), |text, line| text + &stamped(line))),
            Form::Gh => {
                let mut text = String::new();
                for line in &self.lines {
                    for part in stamped(line).lines() {
                        let _ = writeln!(text, "{}\t{}\t{part}", self.job, self.steps[line.step]);
                    }
                }
                whole(text)
            }
            Form::Web => {
                whole(self.lines.iter().filter_map(as_copied).fold(String::new(), |text, line| text + &line + "\n"))
            }
            Form::Archive => self.steps.iter().enumerate().filter_map(|(at, name)| self.step_file(at, name)).collect(),
        }
    }

    fn step_file(&self, at: usize, name: &str) -> Option<(String, String)> {
        let lines: String = self.lines.iter().filter(|line| line.step == at).map(stamped).collect();
        let name = name.replace(['/', ':'], "");
        (!lines.is_empty()).then(|| (format!("{}/{}_{name}.txt", self.job, at + 1), lines))
    }
}

fn millis(seconds: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a short job")]
    let millis = (seconds * 1000.0).round().max(0.0) as u64;
    millis
}

fn stamped(line: &PageLine) -> String {
    let (seconds, millis) = (line.at / 1000, line.at % 1000);
    let (day, hour) = (6 + seconds / 86_400, seconds / 3600 % 24);
    let (minute, second) = (seconds / 60 % 60, seconds % 60);
    format!("2026-05-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}0000Z {}\n", line.text)
}

/// Returns a line as the web page shows it; the ends of groups are not shown.
fn as_copied(line: &PageLine) -> Option<String> {
    let text = line.text.replace("\u{1b}[36;1m", "").replace("\u{1b}[0m", "");
    let text = text.replacen("##[group]", "", 1).replacen("[command]", "", 1);
    let text = text.replacen("##[error]", "Error: ", 1).replacen("##[warning]", "Warning: ", 1);
    (!text.starts_with("##[endgroup]")).then_some(text)
}
