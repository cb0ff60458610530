//! One job of a log: its lines become events. [`Job`] is what comes out, [`JobReader`] what reads it.
//!
//! It follows the job from step to step and hands each line to whoever understands the step; it knows the runner's
//! own lines and no action's.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::cache_lines::{CacheLines, Half, Shown, third_party};
use super::dance_lines::DanceLines;
use super::header::{Flow, Header};
use super::inputs::{self, Kind};
use super::line::{Channel, Line};
use super::posts::{self, Content, Main, Post};
use super::progress::Progress;
use super::rawjson::RawJson;
use super::sink::{Sink, Spot, harmless};
use super::surroundings::{Surroundings, checked_out};
use crate::evidence::{CacheMode, DancePhase, Event, Evidence, Fact, Phase, Quote, StepId, StepOutcome};

/// What a log shows of one job.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its name, where the log or the file says one.
    pub name: Option<String>,
    /// Which attempt it was, from 1, where the same job appears more than once.
    pub attempt: Option<usize>,
    /// The file its first line stands in.
    pub source: Arc<str>,
    /// How many lines it has.
    pub lines: usize,
    /// What was seen, in order.
    pub events: Vec<Event>,
}

impl Job {
    /// A name to show: the job's, or else the file's, with the attempt.
    pub fn title(&self) -> String {
        let name = self.name.clone().unwrap_or_else(|| self.source.to_string());
        match self.attempt {
            Some(attempt) => format!("{name} (attempt {attempt})"),
            None => name,
        }
    }

    /// Folds the events into evidence.
    pub fn evidence(&self) -> Evidence {
        Evidence::fold(self.title(), &self.events)
    }
}

/// How far a job's clock may seem to go back: lines of several streams are not quite in order.
const BACK: Duration = Duration::from_secs(600);

/// How long a job may be silent. GitHub ends one after a few hours without a word.
const SILENT: Duration = Duration::from_secs(24 * 3_600);

/// Tells whether two lines that follow one another can only be of different jobs.
fn apart(last: SystemTime, next: SystemTime) -> bool {
    match next.duration_since(last) {
        Ok(silence) => silence > SILENT,
        Err(back) => back.duration() > BACK,
    }
}

/// Reads the lines of one job.
#[derive(Debug)]
pub(super) struct JobReader {
    pub(super) name: Option<String>,
    pub(super) sink: Sink,
    source: Arc<str>,
    lines: usize,
    stamped: bool,
    /// The log shows where the job began, and where it ended.
    head: bool,
    tail: bool,
    label: Option<String>,
    header: Option<Header>,
    surroundings: Surroundings,
    current: Current,
    mains: Vec<Main>,
    posts: Vec<Post>,
    /// The cache maps of the dances, the last one on top: post steps come in reverse order.
    maps: Vec<Option<String>>,
    steps: usize,
    last: (Arc<str>, usize, String),
    at: Option<SystemTime>,
    /// A stretch of time that the last lines lie in.
    near: Option<(SystemTime, SystemTime)>,
}

/// The step that is being read.
#[derive(Debug)]
struct Current {
    id: Option<StepId>,
    kind: Kind,
    since: Option<SystemTime>,
    outcome: StepOutcome,
    cache: CacheLines,
    dance: DanceLines,
    /// The size of an archive in a step that nothing names, until the key shows whose it is.
    size: Option<Event>,
    progress: Progress,
    raw: RawJson,
}

impl Current {
    fn new(id: Option<StepId>, kind: Kind, since: Option<SystemTime>) -> Self {
        let phase = match kind {
            Kind::Dance(phase) => phase,
            Kind::Post => DancePhase::Extract,
            _ => DancePhase::Inject,
        };
        Self {
            id,
            kind,
            since,
            outcome: StepOutcome::Success,
            cache: CacheLines::default(),
            dance: DanceLines::new(phase, None),
            size: None,
            progress: Progress::default(),
            raw: RawJson::default(),
        }
    }
}

impl JobReader {
    /// Begins a job.
    pub(super) fn new(name: Option<String>, source: &Arc<str>) -> Self {
        Self {
            name,
            sink: Sink::default(),
            source: Arc::clone(source),
            lines: 0,
            stamped: false,
            head: false,
            tail: false,
            label: None,
            header: None,
            surroundings: Surroundings::default(),
            current: Current::new(None, Kind::Unknown, None),
            mains: Vec::new(),
            posts: Vec::new(),
            maps: Vec::new(),
            steps: 0,
            last: (Arc::clone(source), 0, String::new()),
            at: None,
            near: None,
        }
    }

    /// Tells whether a line can only be of another job than this one.
    pub(super) fn another(&mut self, line: &Line<'_>) -> bool {
        if let (Some(at), Some(last)) = (line.at, self.at) {
            // Within these minutes no two lines can be apart.
            let near = self.near.is_some_and(|(from, until)| from <= at && at <= until);
            if !near {
                if apart(last, at) {
                    return true;
                }
                self.near = at.checked_add(BACK / 2).map(|until| (at, until));
            }
        }
        match line.channel {
            // Main steps never follow post steps.
            Channel::Group if !self.posts.is_empty() && line.at.is_some() => {
                self.tail && line.text().starts_with("Run ")
                    || line.text().strip_prefix("Run ").is_some_and(super::header::is_action)
            }
            Channel::Plain if line.text().starts_with("Current runner version: ") => {
                self.lines > 0 && (self.head || self.steps > 0)
            }
            Channel::Group => self.tail && line.text().starts_with("Run "),
            _ => false,
        }
    }

    /// Reads the next line. `label` is the step it stands in, where a file or a prefix says so.
    pub(super) fn line(&mut self, line: &Line<'_>, label: Option<&str>, source: &Arc<str>, number: usize) {
        self.lines += 1;
        self.stamped |= line.at.is_some();
        self.at = line.at.or(self.at);
        let spot = Spot { source, number, at: line.at, shown: line.shown() };
        self.remember(&spot);
        if let Some(label) = label.filter(|label| self.label.as_deref() != Some(*label)) {
            self.close_header(&spot);
            self.enter(label, &spot);
        }
        if let Some(header) = &mut self.header {
            match header.feed(line, self.stamped) {
                Flow::Taken => return,
                Flow::Last => return self.close_header(&spot),
                Flow::Over => self.close_header(&spot),
            }
        }
        if line.text().starts_with("Run ")
            && let Some(header) = Header::begin(line, &spot, self.stamped)
        {
            self.header = Some(header);
            return;
        }
        if line.channel == Channel::Plain && line.text() == "Post job cleanup." {
            return self.post(&spot);
        }
        self.output(line, &spot);
    }

    /// Keeps the last line, to quote it where the log breaks off.
    fn remember(&mut self, spot: &Spot<'_>) {
        let (source, number, text) = &mut self.last;
        if !Arc::ptr_eq(source, spot.source) {
            *source = Arc::clone(spot.source);
        }
        *number = spot.number;
        text.clear();
        let cut = (0..=spot.shown.len().min(200)).rev().find(|at| spot.shown.is_char_boundary(*at)).unwrap_or(0);
        text.push_str(&spot.shown[..cut]);
    }

    /// A step named by `gh`, by act or by its file begins.
    fn enter(&mut self, label: &str, spot: &Spot<'_>) {
        let label: String = label.chars().take(300).collect();
        self.end_step(spot, true);
        match (label.strip_prefix("Post "), label.as_str()) {
            (Some(_), _) => self.label = Some(label),
            (None, "Set up job" | "Complete job") => {
                self.current.kind = Kind::Other;
                self.label = Some(label);
            }
            (None, name) => {
                // act and unnamed steps show the action itself.
                let kind = match super::header::is_action(name) {
                    true => Kind::of_action(name),
                    false => Kind::Unknown,
                };
                self.current.kind = kind;
                self.label = Some(label);
            }
        }
        if self.label.as_deref().is_some_and(|label| label.starts_with("Post ")) {
            self.current.kind = Kind::Post;
        }
    }

    /// Gives the current step an id, once something of it is worth telling.
    fn id(&mut self, spot: &Spot<'_>) -> Option<StepId> {
        if self.current.id.is_none()
            && let Some(label) = self.label.clone()
        {
            let quote = spot.quote();
            if self.current.kind == Kind::Post {
                self.open_post(quote, spot.at);
            } else {
                let kind = self.current.kind;
                self.start(Phase::Main, label.clone(), quote, spot.at);
                self.mains.extend(self.current.id.map(|id| Main {
                    id,
                    kind,
                    name: label.clone(),
                    label: Some(label),
                    key: None,
                }));
            }
        }
        self.current.id
    }

    /// Announces a step.
    fn start(&mut self, phase: Phase, name: String, quote: Quote, at: Option<SystemTime>) {
        let id = StepId(self.steps);
        self.steps += 1;
        self.current.id = Some(id);
        self.current.since = at;
        self.sink.push(Event { step: Some(id), at, quote, fact: Fact::StepStarted { phase, name, of: None } });
    }

    fn open_post(&mut self, quote: Quote, at: Option<SystemTime>) {
        let label = self.label.as_deref().and_then(|label| label.strip_prefix("Post ")).map(str::to_owned);
        let name = label.as_ref().map_or_else(|| "Post job cleanup.".to_owned(), |label| format!("Post {label}"));
        self.start(Phase::Post, name, quote, at);
        self.posts.extend(self.current.id.map(|id| Post { id, label, content: Content::Nothing }));
    }

    /// A post step begins.
    fn post(&mut self, spot: &Spot<'_>) {
        self.end_step(spot, true);
        self.next(None, Kind::Post, spot.at);
        let map = self.maps.last().and_then(Option::as_deref);
        self.current.dance = DanceLines::new(DancePhase::Extract, map);
        self.open_post(spot.quote(), spot.at);
    }

    /// A step's block is complete, if it was one.
    fn close_header(&mut self, spot: &Spot<'_>) {
        let Some(header) = self.header.take().filter(Header::is_step) else { return };
        self.end_step(spot, true);
        let kind = Kind::of(&header);
        self.next(None, kind, header.at);
        let name = format!("Run {}", harmless(&header.title));
        self.start(Phase::Main, name.clone(), header.quote.clone(), header.at);
        let Some(id) = self.current.id else { return };
        let mut key = None;
        let mut tell =
            |fact| self.sink.push(Event { step: Some(id), at: header.at, quote: header.quote.clone(), fact });
        match kind {
            Kind::Cache(mode) => {
                if let Some(inputs) = inputs::cache(&header, mode) {
                    key = Some(inputs.key.clone());
                    self.current.cache = CacheLines::new(key.clone(), inputs.restore_keys.clone());
                    tell(Fact::CacheInputs(inputs));
                }
            }
            Kind::Dance(phase) => {
                let inputs = inputs::dance(&header);
                self.current.dance = DanceLines::new(phase, inputs.cache_map.as_deref());
                self.maps.push(inputs.cache_map.clone());
                tell(Fact::DanceInputs(inputs));
            }
            Kind::Build => {
                // A composite dance builds its Dancefiles in scripts of its own.
                let inputs = inputs::build(&header).filter(|inputs| !inputs.file.contains("Dancefile"));
                if let Some(inputs) = inputs {
                    tell(Fact::BuildInputs(inputs));
                }
            }
            _ => {}
        }
        let label = self.label.clone();
        self.mains.push(Main { id, kind, name, label, key });
    }

    /// Goes on with the next step.
    fn next(&mut self, id: Option<StepId>, kind: Kind, since: Option<SystemTime>) {
        let progress = Progress::after(&self.current.progress);
        self.current = Current { progress, ..Current::new(id, kind, since) };
    }

    /// The current step is over. `seen` says that a line shows it.
    fn end_step(&mut self, spot: &Spot<'_>, seen: bool) {
        self.current.progress.end(seen.then_some(spot), &mut self.sink);
        if let Some(id) = self.current.id.filter(|_| seen) {
            let took = spot.at.zip(self.current.since).and_then(|(end, since)| end.duration_since(since).ok());
            self.sink.add(spot, Some(id), Fact::StepEnded { outcome: self.current.outcome, took });
        }
        self.next(None, Kind::Unknown, spot.at);
    }

    /// A line of a step's output.
    fn output(&mut self, line: &Line<'_>, spot: &Spot<'_>) {
        let text = line.text();
        match text.as_bytes().first() {
            None => return,
            Some(b'C') if text.starts_with("Current runner version: ") => self.head = true,
            Some(b'C') if text.starts_with("Cleaning up orphan processes") => {
                self.end_step(spot, true);
                self.current.kind = Kind::Other;
                self.tail = true;
            }
            Some(b'C') => {
                if let Some(name) = text.strip_prefix("Complete job name: ") {
                    self.name.get_or_insert_with(|| harmless(name));
                }
            }
            _ => {}
        }
        if self.steps == 0
            && let Some(fact) = self.surroundings.shared(line)
        {
            self.sink.add(spot, None, fact);
        }
        if self.steps == 0
            && self.head
            && let Some(fact) = self.surroundings.set_up(line)
        {
            self.sink.add(spot, None, fact);
        }
        if self.current.kind == Kind::Checkout
            && matches!(line.channel, Channel::Plain | Channel::Command)
            && let Some(fact) = checked_out(text)
        {
            self.sink.add(spot, self.current.id, fact);
        }
        if line.channel == Channel::Error && self.error(text, spot) {
            return;
        }
        match self.current.kind {
            Kind::Cache(mode) => {
                let half = match mode {
                    CacheMode::RestoreAndSave | CacheMode::Restore => Half::Restore,
                    CacheMode::Save => Half::Save,
                };
                let shown = self.current.cache.line(text, half);
                self.tell(shown.facts, spot);
                self.stray_build(line, spot);
            }
            Kind::Dance(_) => {
                self.dance(text, line.channel == Channel::Error, true, spot);
                self.stray_build(line, spot);
            }
            Kind::Post => {
                let shown = self.current.cache.line(text, Half::Save);
                self.cache_content(&shown);
                self.tell(shown.facts, spot);
                let known = self.posts.last().is_some_and(|post| post.content == Content::Dance);
                self.dance(text, line.channel == Channel::Error, known, spot);
            }
            Kind::Unknown => {
                if self.unknown_cache(text, spot) {
                    return;
                }
                self.dance(text, false, false, spot);
                self.build(line, spot);
            }
            Kind::Build | Kind::Other => self.build(line, spot),
            Kind::OtherCache | Kind::Checkout => self.stray_build(line, spot),
            Kind::Printing => {}
        }
    }

    /// A build in a step that builds nothing: the line that began its own step is lost. Left out, a build that follows would
    /// look as if nothing had warmed it.
    fn stray_build(&mut self, line: &Line<'_>, spot: &Spot<'_>) {
        if line.text().starts_with('#') {
            self.build(line, spot);
        }
    }

    /// Lines of a cache in a step that nothing names.
    fn unknown_cache(&mut self, text: &str, spot: &Spot<'_>) -> bool {
        let again =
            self.current.cache.restored && (text.starts_with("Cache hit for") || text.starts_with("Cache not found"));
        if again && self.label.is_none() {
            // A second lookup is a second step, though no line announces it.
            self.next(Some(StepId(self.steps)), Kind::Unknown, spot.at);
            self.steps += 1;
        }
        let shown = self.current.cache.line(text, Half::Either);
        if self.current.cache.restored_for_another() {
            self.current.size = None;
        }
        if shown.key.as_deref().is_some_and(third_party) || shown.facts.is_empty() {
            return false;
        }
        if let [Fact::CacheSize { .. }] = shown.facts[..] {
            let id = self.id(spot);
            self.current.size = shown.facts.into_iter().next().map(|fact| spot.event(id, fact));
            return true;
        }
        if shown.facts.iter().any(|fact| matches!(fact, Fact::CacheRestored { .. }))
            && let Some(size) = self.current.size.take()
        {
            self.sink.push(size);
        }
        self.tell(shown.facts, spot);
        true
    }

    fn cache_content(&mut self, shown: &Shown) {
        if shown.facts.is_empty() {
            return;
        }
        if let Some(post) = self.posts.last_mut() {
            let named = match &post.content {
                Content::Cache(Some(known)) => Some(known.clone()),
                _ => None,
            };
            post.content = Content::Cache(named.or_else(|| shown.key.clone()));
        }
    }

    fn dance(&mut self, text: &str, error: bool, known: bool, spot: &Spot<'_>) {
        let facts = self.current.dance.line(text, error, known);
        if facts.is_empty() {
            return;
        }
        if self.current.kind == Kind::Post {
            self.id(spot);
            if let Some(post) = self.posts.last_mut().filter(|post| post.content != Content::Dance) {
                post.content = Content::Dance;
                self.maps.pop();
            }
        } else if self.current.kind == Kind::Unknown {
            self.id(spot);
            self.current.kind = Kind::Dance(self.current.dance.phase());
            if let Some(main) = self.mains.last_mut().filter(|main| Some(main.id) == self.current.id) {
                main.kind = self.current.kind;
            }
        }
        self.tell(facts, spot);
    }

    fn build(&mut self, line: &Line<'_>, spot: &Spot<'_>) {
        let text = line.text();
        match (line.channel, text.as_bytes().first()) {
            (Channel::Plain, Some(b'{')) => {
                let id = self.id(spot);
                let Current { raw, progress, .. } = &mut self.current;
                raw.line(text, spot, id, progress, &mut self.sink);
            }
            (Channel::Plain, Some(b'#' | b'S')) => {
                let id = self.id(spot);
                self.current.progress.line(text, spot, id, &mut self.sink);
            }
            (Channel::Plain, first) => {
                let id = self.current.id;
                if matches!(first, Some(b' ' | b'[' | b'='))
                    && let Some(fact) = self.surroundings.terminal(text)
                {
                    self.sink.add(spot, id, fact);
                }
                self.current.progress.line(text, spot, id, &mut self.sink);
            }
            (Channel::Error, _) if text.contains("failed to solve") || text.starts_with("buildx failed with") => {
                self.current.progress.fail(text, spot, &mut self.sink);
            }
            _ => {}
        }
    }

    /// An error line: the step failed, unless it is one that actions only print. Returns whether the job was stopped.
    fn error(&mut self, text: &str, spot: &Spot<'_>) -> bool {
        let stopped = text.starts_with("The operation was canceled")
            || text.starts_with("The runner has received a shutdown signal")
            || text.contains("has exceeded the maximum execution time")
            || (text.starts_with("The action ") && text.contains("has timed out"));
        let post_dance =
            self.posts.last().is_some_and(|post| Some(post.id) == self.current.id && post.content == Content::Dance);
        if stopped && (matches!(self.current.kind, Kind::Dance(_)) || post_dance) {
            self.tell(vec![Fact::DanceHung], spot);
        }
        let only_printed = ["Failed to restore: ", "Failed to save: "].iter().any(|start| text.starts_with(start));
        let failed = match self.current.kind {
            Kind::Build => {
                ["Process completed with exit code", "buildx failed with", "The process ", "ERROR: "]
                    .iter()
                    .any(|start| text.starts_with(start))
                    || text.contains("failed to solve")
            }
            _ => !only_printed,
        };
        if failed || stopped {
            self.current.outcome = StepOutcome::Failure;
        }
        stopped
    }

    fn tell(&mut self, facts: Vec<Fact>, spot: &Spot<'_>) {
        if facts.is_empty() {
            return;
        }
        let id = self.id(spot);
        for fact in facts {
            self.sink.add(spot, id, fact);
        }
    }

    /// Ends the job; returns it with the room its events did not need.
    pub(super) fn finish(mut self) -> Job {
        let (source, number, text) = self.last.clone();
        let spot = Spot { source: &source, number, at: self.at, shown: &text };
        self.close_header(&spot);
        // Only the runner's last lines show that nothing is missing; without them the last step may have gone on.
        let over = self.tail || !self.head;
        self.end_step(&spot, over && self.stamped);
        posts::settle(&self.mains, &self.posts, &mut self.sink.events);
        if !over || self.sink.full {
            self.sink.room = 1;
            self.sink.add(&spot, None, Fact::Truncated);
        }
        Job { name: self.name, attempt: None, source: self.source, lines: self.lines, events: self.sink.events }
    }
}
