//! BuildKit's plain progress: `#8 12.3 text` and its kin. [`ProgressReader`] is principal.
//!
//! The grammar is that of BuildKit's `util/progress/progressui/printer.go`. What a line of a vertex means is left to
//! [`BuildOutput`]; this keeps the builds of a step apart and holds back what lost lines could turn into its opposite.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use super::sink::{EventLog, LineContext};
use super::surroundings;
use crate::evidence::{
    BuildDoubt, BuildOutput, EMPTY_MOUNT, Event, Fact, MeasuredAt, MountSpec, Quote, StepId, VertexEnd, VertexOutcome,
    run_mounts,
};

/// How many vertexes of one build are told apart.
const VERTEXES: usize = 4_096;

/// How many downloads of one build are quoted.
const DOWNLOADS: usize = 10_000;

/// Reads the progress of the builds of one step.
#[derive(Debug, Default)]
pub(super) struct ProgressReader {
    open: Option<OpenBuild>,
    /// The step of the classic builder whose output follows.
    classic: Option<u64>,
    /// Cache mounts that the job's builds so far have filled without compiling.
    filled: BTreeSet<String>,
}

/// A build under way.
#[derive(Debug, Default)]
struct OpenBuild {
    step: Option<StepId>,
    output: BuildOutput,
    /// Its beginning, until it is known not to be one of the dance's.
    start: Option<Event>,
    dance: bool,
    vertexes: BTreeMap<u64, NamedVertex>,
    mounts: Vec<MountSpec>,
    /// Sizes taken as ones before the build, until something shows that the build came after them.
    held: Vec<(u64, Event)>,
    time: Option<(Option<SystemTime>, Quote)>,
    began: Option<SystemTime>,
    last: Option<SystemTime>,
    downloads: usize,
    /// The longest time that a step says it ran.
    claimed: Duration,
    failed: bool,
    /// A vertex whose name was lost has printed or ended: it may have been the compiling one.
    nameless: bool,
}

/// A vertex that was named.
#[derive(Debug)]
struct NamedVertex {
    name: String,
    done: bool,
}

impl ProgressReader {
    /// Begins a step after others of the job.
    pub(super) fn after(other: &Self) -> Self {
        Self { filled: other.filled.clone(), ..Self::default() }
    }

    /// Reads a line of output; returns whether it was one of a build.
    pub(super) fn line(
        &mut self,
        text: &str,
        spot: &LineContext<'_>,
        step: Option<StepId>,
        sink: &mut EventLog,
    ) -> bool {
        match text.as_bytes().first() {
            Some(b'#') => self.plain(text, spot, step, sink),
            Some(b'E') if self.failure(text) => {
                self.fail(text, spot, sink);
                true
            }
            Some(b'S') if text.starts_with("Step ") => self.classic_step(text, spot, step, sink),
            _ => self.classic.is_some() && self.classic_line(text, spot, sink),
        }
    }

    /// Tells whether a line says that the build failed. Once every step of it has ended well, only words of buildx itself do:
    /// a program that runs after it may print errors of its own.
    fn failure(&self, text: &str) -> bool {
        const OWN: [&str; 7] = ["solve", "build", "receive status", "push", "export", "load", "copy"];
        let Some(reason) = text.strip_prefix("ERROR: failed to ") else { return text.starts_with("ERROR: target ") };
        let at_work = self.open.as_ref().is_none_or(|open| open.vertexes.values().any(|vertex| !vertex.done));
        at_work || OWN.iter().any(|word| reason.starts_with(word))
    }

    /// The build failed, as a line outside its vertexes says.
    pub(super) fn fail(&mut self, reason: &str, spot: &LineContext<'_>, sink: &mut EventLog) {
        let Some(open) = self.open.as_mut().filter(|open| !open.dance && !open.failed) else { return };
        open.failed = true;
        open.begin(sink);
        sink.add(spot, open.step, Fact::BuildEnded { error: Some(reason.to_owned()), took: open.took() });
    }

    /// Ends what is under way. `over` is the line that shows it: the beginning of another build or step.
    pub(super) fn end(&mut self, over: Option<&LineContext<'_>>, sink: &mut EventLog) {
        self.classic = None;
        let Some(mut open) = self.open.take().filter(|open| !open.dance) else { return };
        self.filled = open.output.filled_mounts();
        if open.start.is_some() {
            return;
        }
        // An empty mount is worth telling also where the log breaks off: it can make nothing pass.
        for (_, event) in std::mem::take(&mut open.held) {
            if matches!(event.fact, Fact::MountSize { bytes, .. } if bytes < EMPTY_MOUNT) {
                sink.push(event);
            }
        }
        if let Some((at, quote)) = open.time.take()
            && open.output.settled()
            && let Some(time) = open.output.build_time()
        {
            sink.push(Event { step: open.step, at, quote, fact: Fact::BuildTime(time) });
        }
        if let Some(spot) = over {
            for fact in open.output.unended() {
                sink.add(spot, open.step, fact);
            }
        }
        // No build is printed faster than it ran: such lines are an earlier build's.
        if let Some(seen) = open.took().filter(|seen| open.claimed > seen.saturating_add(Duration::from_secs(2)))
            && let Some(spot) = over
        {
            let doubt = BuildDoubt::Replayed { claimed: open.claimed, seen };
            sink.add(spot, open.step, Fact::BuildDoubt(doubt));
        }
        // Without its end such a build counts as one that was not seen whole.
        let doubtful = open.output.build_time().is_none() && (open.nameless || !open.output.settled());
        if let Some(spot) = over.filter(|_| !open.failed && !doubtful) {
            sink.add(spot, open.step, Fact::BuildEnded { error: None, took: open.took() });
        }
    }

    fn plain(&mut self, text: &str, spot: &LineContext<'_>, step: Option<StepId>, sink: &mut EventLog) -> bool {
        let Some((id, rest)) = numbered(text) else { return false };
        if id == 0 && rest.starts_with("building with ") {
            self.begin(spot, step, rest.split('"').nth(1), sink);
            let driver = rest.split(" using ").nth(1).and_then(|rest| rest.strip_suffix(" driver"));
            if let Some(fact) = driver.and_then(surroundings::shared_driver) {
                sink.add(spot, step, fact);
            }
            return true;
        }
        if rest.starts_with('[')
            && !rest.starts_with("[ ")
            && self.open.as_ref().is_none_or(|open| open.another(id, rest))
        {
            self.begin(spot, step, None, sink);
        }
        if let Some(fact) = surroundings::depot(rest) {
            sink.add(spot, step, fact);
        }
        let Some(open) = self.open.as_mut() else { return false };
        open.last = spot.at.or(open.last);
        open.vertex_line(id, rest, spot, sink);
        true
    }

    /// Feeds a named vertex of another format.
    pub(super) fn named(
        &mut self,
        id: u64,
        name: &str,
        spot: &LineContext<'_>,
        step: Option<StepId>,
        sink: &mut EventLog,
    ) {
        if self.open.is_none() {
            self.begin(spot, step, None, sink);
        }
        if let Some(open) = self.open.as_mut() {
            open.last = spot.at.or(open.last);
            open.name(id, name, spot, sink);
        }
    }

    /// Feeds a line that a vertex of another format printed.
    pub(super) fn printed(&mut self, id: u64, text: &str, spot: &LineContext<'_>, sink: &mut EventLog) {
        if let Some(open) = self.open.as_mut() {
            open.last = spot.at.or(open.last);
            open.printed(id, text, spot, sink);
        }
    }

    /// Feeds the end of a vertex of another format.
    pub(super) fn ended(&mut self, id: u64, end: End, spot: &LineContext<'_>, sink: &mut EventLog) {
        if let Some(open) = self.open.as_mut() {
            open.last = spot.at.or(open.last);
            open.end_vertex(id, end, spot, sink);
        }
    }

    fn begin(&mut self, spot: &LineContext<'_>, step: Option<StepId>, builder: Option<&str>, sink: &mut EventLog) {
        self.end(Some(spot), sink);
        let start = spot.event(step, Fact::BuildStarted { builder: builder.map(str::to_owned) });
        let output = BuildOutput::after(self.filled.clone());
        self.open =
            Some(OpenBuild { step, output, start: Some(start), began: spot.at, last: spot.at, ..OpenBuild::default() });
    }

    /// `Step 5/8 : RUN …` of the classic builder, whose output carries no numbers.
    fn classic_step(&mut self, text: &str, spot: &LineContext<'_>, step: Option<StepId>, sink: &mut EventLog) -> bool {
        let Some((place, command)) = text["Step ".len()..].split_once(" : ") else { return false };
        let Some((number, of)) = place.split_once('/') else { return false };
        let (Ok(number), Ok(_)) = (number.parse::<u64>(), of.parse::<u64>()) else { return false };
        if number == 1 || self.classic.is_none() {
            self.begin(spot, step, None, sink);
        }
        if let (Some(open), Some(last)) = (self.open.as_mut(), self.classic) {
            open.end_vertex(last, End::Done(None), spot, sink);
        }
        self.classic = Some(number);
        if let Some(open) = self.open.as_mut() {
            open.name(number, &format!("[{place}] {command}"), spot, sink);
        }
        true
    }

    fn classic_line(&mut self, text: &str, spot: &LineContext<'_>, sink: &mut EventLog) -> bool {
        let (Some(id), Some(open)) = (self.classic, self.open.as_mut()) else { return false };
        if text.trim_start() == "---> Using cache" {
            open.end_vertex(id, End::Cached, spot, sink);
        } else if text.starts_with("Successfully built ") {
            open.end_vertex(id, End::Done(None), spot, sink);
            self.classic = None;
        } else {
            open.printed(id, text, spot, sink);
        }
        true
    }
}

/// How a vertex ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum End {
    /// It ran, this long.
    Done(Option<Duration>),
    /// It came from the layer cache.
    Cached,
    /// It failed or was cancelled.
    Failed,
}

impl OpenBuild {
    /// Tells whether a vertex of this number and name can only be of another build than this one.
    fn another(&self, id: u64, name: &str) -> bool {
        self.vertexes.get(&id).is_some_and(|known| known.name != short(name) || (known.done && id == 1))
    }

    fn vertex_line(&mut self, id: u64, rest: &str, spot: &LineContext<'_>, sink: &mut EventLog) {
        if rest == "..." {
            return;
        }
        if rest.starts_with('[') && !rest.starts_with("[ ") {
            return self.name(id, rest, spot, sink);
        }
        // Nearly every line is one that the vertex printed, after its seconds.
        if rest.as_bytes().first().is_some_and(u8::is_ascii_digit) {
            let end = rest.bytes().position(|byte| !(byte.is_ascii_digit() || byte == b'.')).unwrap_or(rest.len());
            let (seconds, text) = rest.split_at(end);
            if let Some(text) = text.strip_prefix(' ').filter(|_| seconds.contains('.')) {
                let since = decimal(seconds);
                if !self.dance {
                    self.output.tick(id, spot.at, since);
                }
                self.printed(id, text, spot, sink);
            }
            return;
        }
        let end = match rest.split(' ').next() {
            Some("DONE") => {
                let took = rest["DONE".len()..].trim().strip_suffix('s').and_then(|text| text.parse().ok());
                End::Done(took.and_then(|took| Duration::try_from_secs_f64(took).ok()))
            }
            Some("CACHED") if rest == "CACHED" => End::Cached,
            Some("ERROR:" | "ERROR" | "CANCELED") => End::Failed,
            _ => return,
        };
        self.end_vertex(id, end, spot, sink);
    }

    fn name(&mut self, id: u64, name: &str, spot: &LineContext<'_>, sink: &mut EventLog) {
        if self.vertexes.contains_key(&id) || self.vertexes.len() >= VERTEXES {
            return;
        }
        // The dance builds images of its own; what they do is no build of the user's.
        let dance = name.contains("Dancefile.") || name.contains("/var/dance-cache");
        if dance && self.start.is_some() {
            self.dance = true;
            self.start = None;
        }
        self.vertexes.insert(id, NamedVertex { name: short(name).to_owned(), done: false });
        if self.dance {
            return;
        }
        if !name.starts_with("[internal] load build definition") || name.contains("Dockerfile") {
            self.begin(sink);
        }
        self.output.tick(id, spot.at, None);
        for fact in self.output.vertex(id, name) {
            sink.add(spot, self.step, fact);
        }
        if let Some(step) = self.output.compile_step(id) {
            sink.add(spot, self.step, Fact::CompileStep(step));
        }
        let compiles = if self.output.compiles(id) { surroundings::compile_step(name) } else { None };
        for fact in compiles.into_iter().chain(surroundings::go_image(name)) {
            sink.add(spot, self.step, fact);
        }
        for mount in run_mounts(name) {
            if !self.mounts.contains(&mount) && self.mounts.len() < VERTEXES {
                self.mounts.push(mount.clone());
                sink.add(spot, self.step, Fact::BuildMount(mount));
            }
        }
    }

    fn printed(&mut self, id: u64, text: &str, spot: &LineContext<'_>, sink: &mut EventLog) {
        let named = self.vertexes.contains_key(&id);
        self.nameless |= !named;
        if self.dance || (!named && self.vertexes.len() >= VERTEXES) {
            return;
        }
        let facts = self.output.line(id, text);
        for fact in facts {
            self.take(id, fact, spot, sink);
        }
        if text.starts_with("go version ")
            && let Some(fact) = surroundings::go_version(text)
        {
            sink.add(spot, self.step, fact);
        }
        // Nearly every line shows nothing, and so confirms nothing.
        if self.output.has_shown() {
            self.release(sink);
        }
    }

    fn end_vertex(&mut self, id: u64, end: End, spot: &LineContext<'_>, sink: &mut EventLog) {
        // What came from the layer cache has not run.
        self.nameless |= end != End::Cached && !self.vertexes.contains_key(&id);
        let again = self.vertexes.get_mut(&id).is_some_and(|named| std::mem::replace(&mut named.done, true));
        if self.dance || again {
            return;
        }
        let facts = match end {
            End::Done(took) => {
                self.claimed = self.claimed.max(took.unwrap_or_default());
                self.output.done(id, took, true)
            }
            End::Failed => self.output.done(id, None, false),
            End::Cached => self.output.cached(id),
        };
        for fact in facts {
            self.take(id, fact, spot, sink);
        }
        // Where the build has not begun, this may be one of the dance's own.
        if let Some(named) = self.vertexes.get(&id).filter(|_| self.start.is_none()) {
            let (took, outcome) = match end {
                End::Done(took) => (took, VertexOutcome::Done),
                End::Failed => (None, VertexOutcome::Failed),
                End::Cached => (None, VertexOutcome::Cached),
            };
            sink.add(spot, self.step, Fact::VertexEnded(VertexEnd { name: named.name.clone(), took, outcome }));
        }
    }

    fn take(&mut self, id: u64, fact: Fact, spot: &LineContext<'_>, sink: &mut EventLog) {
        self.begin(sink);
        match fact {
            // Told at the build's end, when it is known whether anything is missing from it.
            Fact::BuildTime(_) => self.time = Some((spot.at, spot.quote())),
            Fact::MountSize { moment: MeasuredAt::Before, .. } if self.output.unconfirmed(id) => {
                self.held.push((id, spot.event(self.step, fact)));
            }
            Fact::Download { .. } => {
                self.release(sink);
                self.downloads += 1;
                if self.downloads <= DOWNLOADS {
                    sink.add(spot, self.step, fact);
                }
            }
            fact => {
                self.release(sink);
                sink.add(spot, self.step, fact);
            }
        }
    }

    /// Lets go of the held sizes that have been confirmed.
    fn release(&mut self, sink: &mut EventLog) {
        // Nearly every line confirms nothing.
        if self.held.iter().all(|(id, _)| self.output.unconfirmed(*id)) {
            return;
        }
        let (held, free) = std::mem::take(&mut self.held).into_iter().partition(|(id, _)| self.output.unconfirmed(*id));
        self.held = held;
        let free: Vec<(u64, Event)> = free;
        free.into_iter().for_each(|(_, event)| sink.push(event));
    }

    fn begin(&mut self, sink: &mut EventLog) {
        if let Some(start) = self.start.take() {
            sink.push(start);
        }
    }

    fn took(&self) -> Option<Duration> {
        self.last?.duration_since(self.began?).ok()
    }
}

/// Tells whether a line is one of a build's progress.
pub(super) fn shows_a_build(text: &str) -> bool {
    (text.starts_with('#') && numbered(text).is_some()) || text.starts_with("Step 1/")
}

/// Reads the number at the front of a line, `#8 `; returns what follows it.
fn numbered(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().skip(1).take(7).take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > 6 || text.as_bytes().get(digits + 1) != Some(&b' ') {
        return None;
    }
    let number = text.bytes().skip(1).take(digits).fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    Some((number, &text[digits + 2..]))
}

/// Reads seconds as BuildKit writes them, `12.345`; every line of a build goes through here.
fn decimal(text: &str) -> Option<Duration> {
    const MOST: usize = 9;
    let (whole, fraction) = text.split_once('.')?;
    if whole.is_empty() || whole.len() > MOST || fraction.is_empty() || fraction.len() > MOST {
        return None;
    }
    let digits = |text: &str| {
        text.bytes().try_fold(0u64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0')))
    };
    let (seconds, fraction) = (digits(whole)?, digits(fraction)? * 10u64.pow((MOST - fraction.len()) as u32));
    Some(Duration::new(seconds, u32::try_from(fraction).ok()?))
}

/// What is kept of a vertex name to know it again.
fn short(name: &str) -> &str {
    let cut = (0..=200.min(name.len())).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
    &name[..cut]
}
