//! One job of a log: its lines become events. [`LoggedJob`] is what comes out, [`JobReader`] what reads it.
//!
//! It follows the job from step to step and hands each line to whoever understands the step; it knows the runner's
//! own lines and no action's.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::builders;
use super::cache_lines::{CacheLines, CachePhase, LineEffect, third_party};
use super::dance_lines::DanceLines;
use super::header::{Header, HeaderFlow};
use super::hidden::Hidden;
use super::inputs::{self, StepKind};
use super::line::{LineKind, LogLine};
use super::posts::{self, LoggedPost, MainStep, PostContent};
use super::progress::{self, ProgressReader};
use super::rawjson::RawJson;
use super::sink::{EventLog, LineContext, harmless};
use super::surroundings::{self, Surroundings, checked_out, downloaded};
use super::unplaced::Unplaced;
use crate::evidence::{CacheMode, DancePhase, Event, Evidence, Fact, Phase, Quote, STAND_IN, StepId, StepOutcome};

/// What a log shows of one job.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedJob {
    /// Its name, where the log or the file says one.
    pub name: Option<String>,
    /// Which attempt it was, from 1, where the same job appears more than once.
    pub attempt: Option<usize>,
    /// The file its first line stands in.
    pub source: Arc<str>,
    /// How many lines it has.
    pub lines: usize,
    /// When its first line was printed, where lines have times.
    pub began: Option<SystemTime>,
    /// When its last line was printed.
    pub ended: Option<SystemTime>,
    /// The repository it checked out first, such as `owner/name`, where a line says it and no mask hides it.
    pub repository: Option<String>,
    /// What was seen, in order.
    pub events: Vec<Event>,
}

impl LoggedJob {
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
    pub(super) sink: EventLog,
    source: Arc<str>,
    lines: usize,
    stamped: bool,
    /// The log shows where the job began, and where it ended.
    head: bool,
    tail: bool,
    label: Option<String>,
    header: Option<Header>,
    surroundings: Surroundings,
    current: CurrentStep,
    mains: Vec<MainStep>,
    posts: Vec<LoggedPost>,
    /// The cache maps of the dances, the last one on top: post steps come in reverse order.
    maps: Vec<Option<String>>,
    unplaced: Unplaced,
    /// How many groups are open that are no step's own.
    groups: usize,
    steps: usize,
    last: (Arc<str>, usize, String),
    began: Option<SystemTime>,
    at: Option<SystemTime>,
    repository: Option<String>,
    /// A stretch of time that the last lines lie in.
    near: Option<(SystemTime, SystemTime)>,
}

/// The step that is being read.
#[derive(Debug)]
struct CurrentStep {
    id: Option<StepId>,
    kind: StepKind,
    since: Option<SystemTime>,
    outcome: StepOutcome,
    cache: CacheLines,
    dance: DanceLines,
    /// The size of an archive in a step that nothing names, until the key shows whose it is.
    size: Option<Event>,
    progress: ProgressReader,
    raw: RawJson,
    hidden: Hidden,
}

impl CurrentStep {
    fn new(id: Option<StepId>, kind: StepKind, since: Option<SystemTime>) -> Self {
        let phase = match kind {
            StepKind::Dance(phase) => phase,
            StepKind::Post => DancePhase::Extract,
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
            progress: ProgressReader::default(),
            raw: RawJson::default(),
            hidden: Hidden::default(),
        }
    }
}

impl JobReader {
    /// Begins a job.
    pub(super) fn new(name: Option<String>, source: &Arc<str>) -> Self {
        Self {
            name,
            sink: EventLog::default(),
            source: Arc::clone(source),
            lines: 0,
            stamped: false,
            head: false,
            tail: false,
            label: None,
            header: None,
            surroundings: Surroundings::default(),
            current: CurrentStep::new(None, StepKind::Unknown, None),
            mains: Vec::new(),
            posts: Vec::new(),
            maps: Vec::new(),
            unplaced: Unplaced::default(),
            groups: 0,
            steps: 0,
            last: (Arc::clone(source), 0, String::new()),
            began: None,
            at: None,
            repository: None,
            near: None,
        }
    }

    /// Tells whether a line can only be of another job than this one.
    pub(super) fn another(&mut self, line: &LogLine<'_>) -> bool {
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
            LineKind::Group if !self.posts.is_empty() && line.at.is_some() => {
                self.tail && line.text().starts_with("Run ")
                    || line.text().strip_prefix("Run ").is_some_and(super::header::is_action)
            }
            LineKind::Plain if line.text().starts_with("Current runner version: ") => {
                self.lines > 0 && (self.head || self.steps > 0)
            }
            LineKind::Group => self.tail && line.text().starts_with("Run "),
            _ => false,
        }
    }

    /// Reads the next line. `label` is the step it stands in, where a file or a prefix says so.
    pub(super) fn line(&mut self, line: &LogLine<'_>, label: Option<&str>, source: &Arc<str>, number: usize) {
        self.lines += 1;
        self.stamped |= line.at.is_some();
        self.began = self.began.or(line.at);
        self.at = line.at.or(self.at);
        let spot = LineContext { source, number, at: line.at, shown: line.shown() };
        self.remember(&spot);
        if let Some(label) = label.filter(|label| self.label.as_deref() != Some(*label)) {
            self.close_header(&spot);
            self.enter(label, &spot);
        }
        if let Some(header) = &mut self.header {
            match header.feed(line, self.stamped) {
                HeaderFlow::Taken => return,
                HeaderFlow::Last => return self.close_header(&spot),
                HeaderFlow::Over => {
                    // Its end is still to come.
                    self.groups += 1;
                    self.close_header(&spot);
                }
            }
        }
        if line.text().starts_with("Run ")
            && let Some(header) = Header::begin(line, &spot, self.stamped)
        {
            self.header = Some(header);
            self.groups = 0;
            return;
        }
        if line.channel == LineKind::Plain && line.text() == "Post job cleanup." {
            return self.post(&spot);
        }
        self.output(line, &spot);
    }

    /// Keeps the last line, to quote it where the log breaks off.
    fn remember(&mut self, spot: &LineContext<'_>) {
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
    fn enter(&mut self, label: &str, spot: &LineContext<'_>) {
        let label: String = label.chars().take(300).collect();
        self.end_step(spot, true);
        match (label.strip_prefix("Post "), label.as_str()) {
            (Some(_), _) => self.label = Some(label),
            (None, "Set up job" | "Complete job") => {
                self.current.kind = StepKind::Other;
                self.label = Some(label);
            }
            (None, name) => {
                // act and unnamed steps show the action itself.
                let kind = match super::header::is_action(name) {
                    true => StepKind::of_action(name),
                    false => StepKind::Unknown,
                };
                self.current.kind = kind;
                self.label = Some(label);
            }
        }
        if self.label.as_deref().is_some_and(|label| label.starts_with("Post ")) {
            self.current.kind = StepKind::Post;
        }
    }

    /// Gives the current step an id, once something of it is worth telling.
    fn id(&mut self, spot: &LineContext<'_>) -> Option<StepId> {
        if self.current.id.is_none()
            && let Some(label) = self.label.clone()
        {
            let quote = spot.quote();
            if self.current.kind == StepKind::Post {
                self.open_post(quote, spot.at);
            } else {
                let kind = self.current.kind;
                self.start(Phase::Main, label.clone(), quote, spot.at);
                self.mains.extend(self.current.id.map(|id| MainStep {
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
        self.posts.extend(self.current.id.map(|id| LoggedPost { id, label, content: PostContent::Nothing }));
    }

    /// A post step begins.
    fn post(&mut self, spot: &LineContext<'_>) {
        self.end_step(spot, true);
        self.next(None, StepKind::Post, spot.at);
        let map = self.maps.last().and_then(Option::as_deref);
        self.current.dance = DanceLines::new(DancePhase::Extract, map);
        self.open_post(spot.quote(), spot.at);
    }

    /// A step's block is complete, if it was one.
    fn close_header(&mut self, spot: &LineContext<'_>) {
        let Some(header) = self.header.take().filter(Header::is_step) else { return };
        self.end_step(spot, true);
        let kind = StepKind::of(&header);
        self.next(None, kind, header.at);
        let name = format!("Run {}", harmless(&header.title));
        self.start(Phase::Main, name.clone(), header.quote.clone(), header.at);
        let Some(id) = self.current.id else { return };
        if header.uses().is_none() && kind == StepKind::Build {
            let script = if header.script.is_empty() { &header.title } else { &header.script };
            self.current.hidden = Hidden::of_script(script);
        }
        if let Some(fact) = header.input("driver").and_then(surroundings::shared_driver) {
            self.sink.push(Event { step: Some(id), at: header.at, quote: header.quote.clone(), fact });
        }
        let mut key = None;
        let mut tell =
            |fact| self.sink.push(Event { step: Some(id), at: header.at, quote: header.quote.clone(), fact });
        match kind {
            StepKind::Cache(mode) => {
                self.current.cache = CacheLines::without_inputs();
                if let Some(inputs) = inputs::cache(&header, mode) {
                    key = Some(inputs.key.clone());
                    self.current.cache = CacheLines::new(key.clone(), inputs.restore_keys.clone());
                    tell(Fact::CacheInputs(inputs));
                }
            }
            StepKind::Dance(phase) => {
                let inputs = inputs::dance(&header);
                self.current.dance = DanceLines::new(phase, inputs.cache_map.as_deref());
                self.maps.push(inputs.cache_map.clone());
                tell(Fact::DanceInputs(inputs));
            }
            StepKind::Build => {
                // A composite dance builds its Dancefiles in scripts of its own.
                let inputs = inputs::build(&header).filter(|inputs| !inputs.file.contains("Dancefile"));
                if let Some(inputs) = inputs {
                    tell(Fact::BuildInputs(inputs));
                }
            }
            _ => {}
        }
        if kind == StepKind::Checkout {
            self.repository = self.repository.take().or_else(|| header.input("repository").map(harmless));
        }
        if let Some(fact) = builders::by_step(&header) {
            tell(fact);
        }
        let label = self.label.clone();
        self.mains.push(MainStep { id, kind, name, label, key });
    }

    /// Goes on with the next step.
    fn next(&mut self, id: Option<StepId>, kind: StepKind, since: Option<SystemTime>) {
        let progress = ProgressReader::after(&self.current.progress);
        self.current = CurrentStep { progress, ..CurrentStep::new(id, kind, since) };
    }

    /// The current step is over. `seen` says that a line shows it.
    fn end_step(&mut self, spot: &LineContext<'_>, seen: bool) {
        self.current.progress.end(seen.then_some(spot), &mut self.sink);
        let took = spot.at.zip(self.current.since).and_then(|(end, since)| end.duration_since(since).ok());
        // A step of which nothing else is worth telling may have built all the same.
        if let Some(work) = std::mem::take(&mut self.current.hidden).ends(took).filter(|_| seen) {
            self.sink.add(spot, self.current.id, Fact::HiddenWork(work));
        }
        if let Some(id) = self.current.id.filter(|_| seen) {
            self.sink.add(spot, Some(id), Fact::StepEnded { outcome: self.current.outcome, took });
        }
        self.next(None, StepKind::Unknown, spot.at);
    }

    /// Looks for what is left of a step whose head is lost: its shell, or the end of a group that nothing began.
    fn boundaries(&mut self, line: &LogLine<'_>) {
        let lost = match line.channel {
            LineKind::Group => {
                self.groups += 1;
                false
            }
            LineKind::EndGroup if self.groups > 0 => {
                self.groups -= 1;
                false
            }
            LineKind::EndGroup => self.steps > 0,
            LineKind::Plain => line.text().starts_with("shell: /"),
            _ => false,
        };
        if lost {
            self.current.hidden.lost_head(line.shown());
        }
    }

    /// The step under way is over, and no line of another shows it.
    pub(super) fn step_over(&mut self, spot: &LineContext<'_>) {
        self.close_header(spot);
        self.end_step(spot, true);
    }

    /// A line of a step's output.
    fn output(&mut self, line: &LogLine<'_>, spot: &LineContext<'_>) {
        let text = line.text();
        self.boundaries(line);
        match text.as_bytes().first() {
            None => return,
            Some(b'C') if text.starts_with("Current runner version: ") => self.head = true,
            Some(b'C') if text.starts_with("Cleaning up orphan processes") => {
                self.end_step(spot, true);
                self.current.kind = StepKind::Other;
                self.tail = true;
            }
            Some(b'C') => {
                if let Some(name) = text.strip_prefix("Complete job name: ") {
                    self.name.get_or_insert_with(|| harmless(name));
                }
            }
            _ => {}
        }
        // A run of ours says itself what stood in for what CI runs.
        if line.channel == LineKind::Plain
            && let Some(what) = text.strip_prefix(STAND_IN)
        {
            self.sink.add(spot, self.current.id, Fact::StandIn { what: harmless(what) });
        }
        if self.steps == 0
            && let Some(fact) = self.surroundings.shared(line)
        {
            self.sink.add(spot, None, fact);
        }
        if self.steps == 0
            && line.channel == LineKind::Plain
            && text.starts_with('D')
            && let Some(fact) = downloaded(text)
        {
            self.sink.add(spot, None, fact);
        }
        if line.channel == LineKind::Command
            && let Some(fact) = builders::by_command(text)
        {
            self.sink.add(spot, self.current.id, fact);
        }
        if self.steps == 0
            && self.head
            && let Some(fact) = self.surroundings.set_up(line)
        {
            self.sink.add(spot, None, fact);
        }
        if self.current.kind == StepKind::Checkout
            && let Some(name) = text.strip_prefix("Syncing repository: ")
        {
            self.repository.get_or_insert_with(|| harmless(name));
        }
        if self.current.kind == StepKind::Checkout
            && matches!(line.channel, LineKind::Plain | LineKind::Command)
            && let Some(fact) = checked_out(text)
        {
            self.sink.add(spot, self.current.id, fact);
        }
        if line.channel == LineKind::Error && self.error(text, spot) {
            return;
        }
        let placed = match self.current.kind {
            StepKind::Cache(mode) => {
                let half = match mode {
                    CacheMode::RestoreAndSave | CacheMode::Restore => CachePhase::Restore,
                    CacheMode::Save => CachePhase::Save,
                };
                let shown = self.current.cache.line(text, half);
                // A block without inputs shows no key; what the step asked for first is it.
                if let Some(main) = self.mains.last_mut().filter(|main| Some(main.id) == self.current.id) {
                    main.key = main.key.take().or(shown.key);
                }
                self.tell(shown.facts, spot) | self.stray_build(line, spot)
            }
            StepKind::Dance(_) => {
                let known = self.dance(text, line.channel == LineKind::Error, true, spot);
                known | self.stray_build(line, spot)
            }
            StepKind::Post => {
                let shown = self.current.cache.line(text, CachePhase::Save);
                self.cache_content(&shown);
                let known = self.posts.last().is_some_and(|post| post.content == PostContent::Dance);
                self.tell(shown.facts, spot) | self.dance(text, line.channel == LineKind::Error, known, spot)
            }
            StepKind::Unknown => {
                self.unknown_cache(text, spot) || self.dance(text, false, false, spot) | self.build(line, spot)
            }
            StepKind::Build | StepKind::Other => self.build(line, spot),
            StepKind::OtherCache | StepKind::Checkout => self.stray_build(line, spot),
            StepKind::Printing => true,
        };
        if !placed && line.channel == LineKind::Plain {
            self.unplaced.line(text, self.current.kind, spot);
        }
    }

    /// A build in a step that builds nothing: the line that began its own step is lost. Left out, a build that follows would
    /// look as if nothing had warmed it.
    fn stray_build(&mut self, line: &LogLine<'_>, spot: &LineContext<'_>) -> bool {
        let text = line.text();
        let drawn = matches!(text.as_bytes().first(), Some(b' ' | b'[' | b'=')) && line.channel == LineKind::Plain;
        let drawn = drawn.then(|| self.surroundings.terminal(text)).flatten();
        drawn.into_iter().for_each(|fact| self.sink.add(spot, self.current.id, fact));
        // The dance builds images of its own.
        let own = ["ance", "scratch"].iter().any(|part| text.contains(part));
        if line.channel == LineKind::Plain && !own {
            self.current.hidden.line(text);
        }
        text.starts_with('#') && self.build(line, spot)
    }

    /// Lines of a cache in a step that nothing names.
    fn unknown_cache(&mut self, text: &str, spot: &LineContext<'_>) -> bool {
        let again =
            self.current.cache.restored && (text.starts_with("Cache hit for") || text.starts_with("Cache not found"));
        if again && self.label.is_none() {
            // A second lookup is a second step, though no line announces it.
            self.next(Some(StepId(self.steps)), StepKind::Unknown, spot.at);
            self.steps += 1;
        }
        let shown = self.current.cache.line(text, CachePhase::Either);
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

    fn cache_content(&mut self, shown: &LineEffect) {
        if shown.facts.is_empty() {
            return;
        }
        if let Some(post) = self.posts.last_mut() {
            let named = match &post.content {
                PostContent::Cache(Some(known)) => Some(known.clone()),
                _ => None,
            };
            post.content = PostContent::Cache(named.or_else(|| shown.key.clone()));
        }
    }

    /// Reads a line of a dance; returns whether it was one.
    fn dance(&mut self, text: &str, error: bool, known: bool, spot: &LineContext<'_>) -> bool {
        let facts = self.current.dance.line(text, error, known);
        if facts.is_empty() {
            return self.current.dance.goes_on();
        }
        if self.current.dance.ended() {
            self.current.outcome = StepOutcome::Failure;
        }
        if self.current.kind == StepKind::Post {
            self.id(spot);
            if let Some(post) = self.posts.last_mut().filter(|post| post.content != PostContent::Dance) {
                post.content = PostContent::Dance;
                self.maps.pop();
            }
        } else if self.current.kind == StepKind::Unknown {
            self.id(spot);
            self.current.kind = StepKind::Dance(self.current.dance.phase());
            if let Some(main) = self.mains.last_mut().filter(|main| Some(main.id) == self.current.id) {
                main.kind = self.current.kind;
            }
        }
        self.tell(facts, spot)
    }

    /// A line of a step in which no build has shown itself so far.
    fn before_a_build(&mut self, line: &LogLine<'_>, spot: &LineContext<'_>) {
        let text = line.text();
        if progress::shows_a_build(text) {
            if let Some(work) = self.current.hidden.build_begins(self.current.since, spot.at) {
                let id = self.id(spot);
                self.sink.add(spot, id, Fact::HiddenWork(work));
            }
        } else if matches!(line.channel, LineKind::Plain | LineKind::Command) {
            self.current.hidden.line(text);
        }
    }

    /// Reads a line of a build; returns whether it was one.
    fn build(&mut self, line: &LogLine<'_>, spot: &LineContext<'_>) -> bool {
        let text = line.text();
        if !self.current.hidden.is_over() {
            self.before_a_build(line, spot);
        }
        match (line.channel, text.as_bytes().first()) {
            (LineKind::Plain, Some(b'{')) => {
                let id = self.id(spot);
                let CurrentStep { raw, progress, .. } = &mut self.current;
                raw.line(text, spot, id, progress, &mut self.sink)
            }
            (LineKind::Plain, Some(b'#' | b'S')) => {
                let id = self.id(spot);
                self.current.progress.line(text, spot, id, &mut self.sink)
            }
            (LineKind::Plain, first) => {
                let id = self.current.id;
                let drawn =
                    matches!(first, Some(b' ' | b'[' | b'=')).then(|| self.surroundings.terminal(text)).flatten();
                let terminal = drawn.is_some();
                drawn.into_iter().for_each(|fact| self.sink.add(spot, id, fact));
                self.current.progress.line(text, spot, id, &mut self.sink) || terminal
            }
            (LineKind::Error, _) if text.contains("failed to solve") || text.starts_with("buildx failed with") => {
                self.current.progress.fail(text, spot, &mut self.sink);
                true
            }
            _ => false,
        }
    }

    /// An error line: the step failed, unless it is one that actions only print. Returns whether the job was stopped.
    fn error(&mut self, text: &str, spot: &LineContext<'_>) -> bool {
        let stopped = text.starts_with("The operation was canceled")
            || text.starts_with("The runner has received a shutdown signal")
            || text.contains("has exceeded the maximum execution time")
            || (text.starts_with("The action ") && text.contains("has timed out"));
        let post_dance = self
            .posts
            .last()
            .is_some_and(|post| Some(post.id) == self.current.id && post.content == PostContent::Dance);
        if stopped && (matches!(self.current.kind, StepKind::Dance(_)) || post_dance) {
            self.tell(vec![Fact::DanceHung], spot);
        }
        let only_printed = ["Failed to restore: ", "Failed to save: "].iter().any(|start| text.starts_with(start));
        let failed = match self.current.kind {
            StepKind::Build => {
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

    /// Tells what a line shows; returns whether it showed anything.
    fn tell(&mut self, facts: Vec<Fact>, spot: &LineContext<'_>) -> bool {
        if facts.is_empty() {
            return false;
        }
        let id = self.id(spot);
        for fact in facts {
            self.sink.add(spot, id, fact);
        }
        true
    }

    /// Ends the job; returns it with the room its events did not need.
    pub(super) fn finish(mut self) -> LoggedJob {
        let (source, number, text) = self.last.clone();
        let spot = LineContext { source: &source, number, at: self.at, shown: &text };
        self.close_header(&spot);
        // Only the runner's last lines show that nothing is missing; without them the last step may have gone on.
        let over = self.tail || !self.head;
        self.end_step(&spot, over && self.stamped);
        posts::settle(&self.mains, &self.posts, &mut self.sink.events);
        std::mem::take(&mut self.unplaced).tell(&mut self.sink);
        if !over || self.sink.full {
            self.sink.room = 1;
            self.sink.add(&spot, None, Fact::Truncated);
        }
        LoggedJob {
            name: self.name,
            attempt: None,
            source: self.source,
            lines: self.lines,
            began: self.began,
            ended: self.at,
            repository: self.repository.filter(|name| !name.contains("***")),
            events: self.sink.events,
        }
    }
}
