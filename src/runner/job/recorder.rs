//! Writes the log and keeps the facts of one job. [`Recorder`] is principal.

use std::path::Path;
use std::time::SystemTime;

use crate::evidence::{Event, Fact, Phase, Quote, StepId, StepOutcome};
use crate::plan::Given;
use crate::runner::joblog::{JobLog, stamp};
use crate::runner::{Clock, RunError, RunProgress};

/// The log, the facts and the watcher of one job.
pub(super) struct Recorder<'a> {
    log: JobLog,
    path: std::path::PathBuf,
    events: Vec<Event>,
    step: Option<StepId>,
    /// A step that began but has not written anything to rest its beginning on.
    beginning: Option<Fact>,
    steps: usize,
    last: Quote,
    /// The lines as they stand in the log, for whoever reads along.
    heard: Option<Vec<(usize, String)>>,
    clock: Clock,
    /// What must not be written: its secrets.
    given: Given,
    watch: &'a mut dyn FnMut(RunProgress),
}

impl<'a> Recorder<'a> {
    pub(super) fn create(
        path: &Path,
        name: &str,
        clock: Clock,
        watch: &'a mut dyn FnMut(RunProgress),
    ) -> Result<Self, RunError> {
        let log = JobLog::create(path, name, clock).map_err(RunError::io("write", path))?;
        let last = Quote::measured(name, "the job began");
        Ok(Self {
            log,
            path: path.to_owned(),
            events: Vec::new(),
            step: None,
            beginning: None,
            steps: 0,
            last,
            heard: None,
            clock,
            given: Given::default(),
            watch,
        })
    }

    /// Replaces, from now on, every secret in what is written.
    pub(super) fn hide(&mut self, given: Given) {
        self.given = given;
    }

    /// Begins a step.
    pub(super) fn begin(&mut self, phase: Phase, name: &str, of: Option<StepId>) -> Result<StepId, RunError> {
        let id = StepId(self.steps);
        self.steps += 1;
        self.step = Some(id);
        (self.watch)(RunProgress::Step { phase, name: self.given.masked(name) });
        self.beginning = Some(Fact::StepStarted { phase, name: name.to_owned(), of });
        Ok(id)
    }

    /// Ends the step under way.
    pub(super) fn end(&mut self, outcome: StepOutcome, began: SystemTime) -> Result<(), RunError> {
        let took = self.clock.now().duration_since(began).unwrap_or_default();
        self.fact(Fact::StepEnded { outcome, took: Some(took) });
        (self.watch)(RunProgress::StepEnded { outcome, took });
        self.step = None;
        self.log.flush().map_err(RunError::io("write", &self.path))
    }

    /// Writes a message.
    pub(super) fn line(&mut self, message: &str) -> Result<Quote, RunError> {
        let message = &self.given.masked(message);
        let (at, quote) = self.log.write(message).map_err(RunError::io("write", &self.path))?;
        if let (Some(heard), Some(first)) = (&mut self.heard, quote.line) {
            let stamped = format!("{} {}", stamp(at), message.trim_end_matches('\n'));
            heard.extend(stamped.split('\n').zip(first..).map(|(line, number)| (number, line.to_owned())));
        }
        (self.watch)(RunProgress::Line(message.to_owned()));
        self.last = quote.clone();
        if let Some(began) = self.beginning.take() {
            self.fact_at(quote.clone(), began);
        }
        Ok(quote)
    }

    /// Keeps the lines written from now on for whoever reads along; see [`Self::heard`].
    pub(super) fn listen(&mut self) {
        self.heard.get_or_insert_default();
    }

    /// Hands out the lines that were kept, as they stand in the log, with their numbers.
    pub(super) fn heard(&mut self) -> Vec<(usize, String)> {
        self.heard.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Keeps no more lines.
    pub(super) fn listen_no_more(&mut self) {
        self.heard = None;
    }

    /// Tells whether the step under way has shown a fact.
    pub(super) fn step_has(&self, fact: &Fact) -> bool {
        self.events.iter().any(|event| event.step == self.step && event.fact == *fact)
    }

    /// Returns the number of the line written last.
    pub(super) fn last_line(&self) -> Option<usize> {
        self.last.line
    }

    /// Keeps an event that somebody else has read in the lines, as one of the step under way.
    pub(super) fn event(&mut self, event: Event) {
        self.events.push(Event { step: self.step, ..event });
    }

    /// Writes an error annotation.
    pub(super) fn error(&mut self, message: &str) -> Result<Quote, RunError> {
        self.line(&format!("##[error]{message}"))
    }

    /// Keeps a fact that rests on the line written last.
    pub(super) fn fact(&mut self, fact: Fact) {
        self.fact_at(self.last.clone(), fact);
    }

    /// Keeps a fact with the quote it rests on.
    pub(super) fn fact_at(&mut self, quote: Quote, fact: Fact) {
        self.events.push(Event { step: self.step, at: Some(self.clock.now()), quote, fact });
    }

    /// Ends the log and hands out the facts.
    pub(super) fn finish(mut self) -> Result<Vec<Event>, RunError> {
        self.log.flush().map_err(RunError::io("write", &self.path))?;
        Ok(self.events)
    }
}
