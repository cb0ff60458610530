//! Reads the output of one build, vertex by vertex, into facts. [`BuildOutput`] is principal.
//!
//! Both doors use it: the live run feeds it the engine's status stream, the log parser the lines of plain progress. It
//! recognises what a Dockerfile may print about its caches and nothing else; it does not know timestamps or line
//! numbers, so whoever feeds it adds the quotes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use super::observe::{Observation, Size, observe, shows_nothing};
use super::proven::ProofsSoFar;
use super::vertex::{CacheFilling, QUICK, Vertex};
use super::{BuildDoubt, BuildTime, CompileStep, EMPTY_MOUNT, Fact, MeasuredAt, MountSpec, ProofLine, TimeSource};

/// How late a size before the build may be printed, after its step began, to be one from before.
const LATE: Duration = Duration::from_secs(10);

/// The same where a script prints it: what the script did before is not in sight.
const LATE_IN_SCRIPT: Duration = Duration::from_secs(3);

/// How long another step may work on a cache before it is measured without being taken for one that filled it.
const BUSY: Duration = Duration::from_secs(3);

/// How much of a step's time may be left unexplained by the time that it printed.
const UNEXPLAINED: Duration = Duration::from_secs(10);

/// The state of one build while its output is read.
#[derive(Debug, Default)]
pub struct BuildOutput {
    pub(super) vertexes: BTreeMap<u64, Vertex>,
    marker: Option<MeasuredAt>,
    last_size: Option<(u64, String)>,
    /// The moment, by the clock of who feeds it.
    pub(super) now: Option<SystemTime>,
    /// Steps that were at work beside a measurement, or before it, and have not ended: the step and the mount.
    beside: Vec<(u64, String)>,
    /// Doubts about the build as a whole that were told already.
    told_other: BTreeSet<u64>,
    /// Mounts that earlier builds of the job have filled without compiling.
    filled: BTreeSet<String>,
    /// What the proof lines so far have told.
    pub(super) proofs: ProofsSoFar,
    /// The last line showed something.
    shown: bool,
}

impl BuildOutput {
    /// Begins a build.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a build after others of the same job, which have filled these mounts.
    pub fn after(filled: BTreeSet<String>) -> Self {
        Self { filled, ..Self::default() }
    }

    /// Returns the mounts that are filled once this build is over, where nothing of it can be judged: Go commands other
    /// than a build ran on them, here or in the builds before.
    pub fn filled_mounts(&self) -> BTreeSet<String> {
        let filling = |vertex: &&Vertex| {
            vertex.may_fill() && vertex.rank == 0 && !vertex.cached && (vertex.printed || vertex.ended)
        };
        let mounts = self.vertexes.values().filter(filling).flat_map(|vertex| &vertex.mounts);
        mounts.map(MountSpec::clean_target).chain(self.filled.iter().cloned()).collect()
    }

    /// Says when what follows was seen: by the clock of who feeds it, and since its vertex began. Both may be unknown.
    pub fn tick(&mut self, id: u64, at: Option<SystemTime>, since: Option<Duration>) {
        self.now = at.or(self.now);
        let vertex = self.vertexes.entry(id).or_default();
        vertex.began = vertex.began.or_else(|| at.and_then(|at| at.checked_sub(since.unwrap_or_default())));
        let running = || at.zip(vertex.began).and_then(|(at, began)| at.duration_since(began).ok());
        vertex.since = since.or_else(running).or(vertex.since);
    }

    /// A vertex was named; naming it again changes nothing. Where it compiles more surely than those that have told of the
    /// build so far, that is a fact; so is what its name shows against the numbers to come.
    pub fn vertex(&mut self, id: u64, name: &str) -> Vec<Fact> {
        let top = self.rank();
        let told = self.vertexes.values().any(|vertex| vertex.rank == top && top > 0 && vertex.ended);
        let vertex = self.vertexes.entry(id).or_default();
        if vertex.named() {
            return Vec::new();
        }
        vertex.name(name);
        let found = (told && vertex.rank > top).then(|| Fact::BuildStepFound { vertex: vertex.shown().to_owned() });
        let doubts = match vertex.rank {
            0 => Vec::new(),
            _ => {
                let seeded =
                    vertex.seeded.iter().cloned().map(|(target, from)| BuildDoubt::SeededFrom { target, from });
                let unused = vertex.unused.clone().map(|command| BuildDoubt::CacheNotUsed { command });
                seeded.chain(unused).map(Fact::BuildDoubt).collect()
            }
        };
        // What one step sets for itself says nothing of the others; where a mount lies there, its use does.
        let places = vertex.places.clone().into_iter();
        let (compiles, instruction) = (vertex.rank > 0, vertex.mounts.is_empty() && name.contains("] ENV "));
        let places = places.filter(|place| compiles || instruction || vertex.mounted(&place.path)).collect::<Vec<_>>();
        let places = places.into_iter().map(Fact::GoPlace);
        found.into_iter().chain(doubts).chain(places).collect()
    }

    /// Returns what speaks against the size of a mount that a vertex prints now as one before the build.
    pub(super) fn doubts_of_size(&mut self, id: u64, path: &str, bytes: u64) -> Vec<Fact> {
        let Some(own) = self.vertexes.get(&id) else { return Vec::new() };
        let mut doubts = Vec::new();
        let late = if own.measures_in_sight() { LATE } else { LATE_IN_SCRIPT };
        if let Some(after) = own.since.filter(|since| *since > late) {
            doubts.push(BuildDoubt::MeasuredLate { target: path.to_owned(), after });
        // What a proof step runs is known word for word.
        } else if own.proof.is_none()
            && let Some(command) = own.ran_before(bytes)
        {
            doubts.push(BuildDoubt::RanBefore { target: path.to_owned(), command });
        }
        for (other, vertex) in self.vertexes.iter().filter(|(other, _)| **other != id) {
            // A step that has itself measured the cache before it worked on it hides nothing.
            if vertex.cached || vertex.found.contains(path) || !own.shares(vertex, path) {
                continue;
            }
            let took = vertex.busy(self.now, own);
            if took >= BUSY {
                doubts.push(BuildDoubt::AtWork { target: path.to_owned(), vertex: vertex.shown().to_owned(), took });
            } else if !vertex.ended {
                // Without a clock how long it had worked is known with its end; and an end it must have.
                self.beside.push((*other, path.to_owned()));
            }
        }
        doubts.into_iter().map(Fact::BuildDoubt).collect()
    }

    /// Returns what the end of a vertex shows against the numbers of the build.
    fn doubts_of_end(&mut self, id: u64, took: Option<Duration>) -> Vec<Fact> {
        let top = self.rank();
        let mut doubts = Vec::new();
        let beside = std::mem::take(&mut self.beside);
        let (ended, still): (Vec<_>, Vec<_>) = beside.into_iter().partition(|(other, _)| *other == id);
        self.beside = still;
        let Some(vertex) = self.vertexes.get(&id) else { return Vec::new() };
        for (_, target) in ended {
            if let Some(took) = took.filter(|took| *took >= BUSY && self.now.is_none()) {
                doubts.push(BuildDoubt::AtWork { target, vertex: vertex.shown().to_owned(), took });
            }
        }
        if vertex.rank == top && top > 0 {
            let printed = vertex.printed_time;
            let timed = vertex.time.is_some_and(|time| time.source == TimeSource::Printed) && !vertex.times_the_build();
            if let Some(took) = took.filter(|took| timed && took.saturating_sub(printed) > UNEXPLAINED.max(printed)) {
                doubts.push(BuildDoubt::TimeUnexplained { printed, took });
            }
            for mount in &vertex.mounts {
                let target = mount.clean_target();
                let same = |other: &Vertex| other.mount_at(&target).is_some_and(|other| other.same_cache(mount));
                let mut measured = self.vertexes.values().filter(|other| other.found.contains(&target)).peekable();
                let elsewhere = measured.peek().is_some();
                if !elsewhere || vertex.found.contains(&target) {
                    continue;
                }
                if !measured.any(same) {
                    doubts.push(BuildDoubt::OtherCacheMeasured { target });
                    continue;
                }
                doubts.extend(self.between(id, vertex, &target));
            }
        }
        // Another step may be the one that builds the product.
        let slowest =
            self.vertexes.values().filter(|own| own.rank == top).filter_map(|own| own.time).map(|time| time.took).max();
        if let Some(slowest) = slowest.filter(|_| top > 1) {
            for (other, product) in
                self.vertexes.iter().filter(|(_, other)| other.rank < top && other.product && !other.cached)
            {
                let shares = self.vertexes.values().filter(|own| own.rank == top).any(|own| {
                    own.mounts.iter().any(|mount| product.mounts.iter().any(|other| other.same_cache(mount)))
                });
                let least = if shares { BUSY } else { UNEXPLAINED };
                let long = product.took.filter(|took| *took > least && *took > slowest.saturating_mul(3));
                if let Some(took) = long
                    && self.told_other.insert(*other)
                {
                    doubts.push(BuildDoubt::OtherCompile { vertex: product.shown().to_owned(), took });
                }
            }
        }
        doubts.into_iter().map(Fact::BuildDoubt).collect()
    }

    /// Returns what may have compiled between the measurement of a mount by another step and the compile of this one.
    fn between(&self, id: u64, own: &Vertex, target: &str) -> Option<BuildDoubt> {
        if let Some(command) = own.compiled_first() {
            return Some(BuildDoubt::RanBefore { target: target.to_owned(), command });
        }
        let beside = |(other, vertex): &(&u64, &Vertex)| {
            let measured = vertex.found.contains(target) && !vertex.ran_after_measuring();
            **other != id && vertex.rank < 3 && !measured && !vertex.cached && own.shares(vertex, target)
        };
        self.vertexes.iter().filter(beside).find_map(|(_, vertex)| {
            let took = vertex.busy(self.now, own);
            let idle = vertex.ended && took <= QUICK && !vertex.worked && !vertex.active;
            let may = vertex.may_compile() && !idle;
            may.then(|| BuildDoubt::AtWork { target: target.to_owned(), vertex: vertex.shown().to_owned(), took })
        })
    }

    /// Returns what stays doubtful when the build is over: a step that was at work beside a measurement has not ended in sight,
    /// and no clock says how long it had been.
    pub fn unended(&mut self) -> Vec<Fact> {
        let beside = std::mem::take(&mut self.beside);
        let doubt = |(id, target): (u64, String)| {
            let vertex = self.vertexes.get(&id)?.shown().to_owned();
            Some(Fact::BuildDoubt(BuildDoubt::AtWork { target, vertex, took: Duration::ZERO }))
        };
        beside.into_iter().filter_map(doubt).collect()
    }

    /// One line a vertex printed.
    pub fn line(&mut self, id: u64, text: &str) -> Vec<Fact> {
        let vertex = self.vertexes.entry(id).or_default();
        vertex.printed = true;
        // What such a step prints beside its proof lines is for people.
        if vertex.proof.is_some() || ProofLine::begins(text) {
            self.last_size = None;
            return if ProofLine::begins(text) { self.proof_line(id, text) } else { Vec::new() };
        }
        vertex.speaks(text);
        if text.trim_end().ends_with("denied")
            && let Some(target) = vertex.refused(text)
        {
            vertex.worked = true;
            self.last_size = None;
            return vec![Fact::MountRefused { target }];
        }
        self.shown = !shows_nothing(text);
        if !self.shown {
            vertex.worked |= !text.trim().is_empty();
            self.last_size = None;
            return Vec::new();
        }
        let observations = observe(text);
        let mut facts = Vec::new();
        let mut sized = false;
        for observation in observations {
            match observation {
                Observation::Marker(moment) => self.mark(id, moment),
                Observation::Place(place) => facts.push(Fact::GoPlace(place)),
                Observation::Path(path) => {
                    let place = self.vertexes.get_mut(&id).and_then(|vertex| vertex.asked_for(path));
                    facts.extend(place.map(Fact::GoPlace));
                }
                // What a tool needs, in a step that mounts no cache, says nothing of the caches.
                Observation::Download(_) if self.fetches_beside(id) => {
                    facts.extend(
                        self.vertexes
                            .get(&id)
                            .filter(|vertex| !vertex.installs_a_tool())
                            .map(|vertex| Fact::ModulesFetched { vertex: vertex.shown().to_owned() }),
                    );
                }
                Observation::Download(module) => {
                    self.active(id);
                    facts.push(Fact::Download { module });
                }
                Observation::Time(took) => facts.extend(self.timed(id, took)),
                Observation::Size { size, path } => {
                    sized = true;
                    // A line repeated in place says nothing new, least of all that the build has run in between.
                    if self.last_size.as_ref().is_none_or(|(last, line)| (*last, line.as_str()) != (id, text)) {
                        let size = self.size(id, size, path.clone());
                        let before = match &size {
                            Some(Fact::MountSize { moment: MeasuredAt::Before, bytes, .. }) => *bytes,
                            _ => 0,
                        };
                        facts.extend(size);
                        if before >= EMPTY_MOUNT {
                            facts.extend(self.doubts_of_size(id, &path, before));
                        }
                    }
                }
            }
        }
        match sized {
            true => self.last_size = Some((id, text.to_owned())),
            false => self.last_size = None,
        }
        facts
    }

    /// Tells whether a vertex mounts no cache and is none that builds, so that its downloads are not those of the build.
    fn fetches_beside(&self, id: u64) -> bool {
        self.vertexes.get(&id).is_some_and(|vertex| {
            vertex.named() && vertex.rank == 0 && vertex.mounts.is_empty() && !vertex.installs_the_product()
        })
    }

    /// A vertex came from the layer cache.
    pub fn cached(&mut self, id: u64) -> Vec<Fact> {
        let top = self.rank();
        let Some(vertex) = self.vertexes.get_mut(&id) else { return Vec::new() };
        vertex.cached = true;
        if vertex.rank == 0 {
            return Vec::new();
        }
        vertex.ended = true;
        let fact = Fact::BuildStepCached { vertex: vertex.shown().to_owned() };
        if vertex.rank == top { vec![fact] } else { Vec::new() }
    }

    /// A vertex ended; `took` is the time it ran.
    pub fn done(&mut self, id: u64, took: Option<Duration>, succeeded: bool) -> Vec<Fact> {
        let top = self.rank();
        let unseen = self.not_found(id);
        let Some(vertex) = self.vertexes.get_mut(&id) else { return Vec::new() };
        vertex.ended = true;
        vertex.took = took;
        let mut facts = self.ends(id, took, succeeded, top, unseen);
        if succeeded {
            // Only now does the time of a step that printed none stand in for that of its build.
            facts.extend(self.doubts_of_end(id, took));
            facts.extend(self.doubts_of_span(id));
        } else if let Some(vertex) = self.vertexes.get(&id).filter(|vertex| vertex.product && vertex.rank < top) {
            // What a step compiled that failed stays in its caches, and a build that is tried again finds it there.
            let took = vertex.busy(self.now, vertex);
            facts.push(Fact::BuildDoubt(BuildDoubt::OtherCompile { vertex: vertex.shown().to_owned(), took }));
        }
        facts
    }

    fn ends(&mut self, id: u64, took: Option<Duration>, succeeded: bool, top: u8, unseen: Vec<String>) -> Vec<Fact> {
        let Some(vertex) = self.vertexes.get_mut(&id) else { return Vec::new() };
        let mut facts = Vec::new();
        if succeeded && !vertex.cached && vertex.fetches {
            facts.push(Fact::ModulesFetched { vertex: vertex.shown().to_owned() });
        }
        if vertex.rank == 0 {
            return facts;
        }
        let counts = vertex.rank == top;
        if counts {
            facts.extend(unseen.into_iter().map(|target| Fact::MountNotSeen { target }));
        }
        if let Some(took) = took.filter(|_| succeeded && vertex.time.is_none()) {
            vertex.time = Some(BuildTime { took, source: TimeSource::Step });
            facts.extend(self.build_time().filter(|_| counts).map(Fact::BuildTime));
        }
        if counts {
            facts.push(Fact::BuildStepEnded { took, succeeded });
        }
        facts
    }

    /// Returns the targets that a compiling step, one of several, measured and did not find anything of before the build; nor
    /// did another that mounts the same cache there.
    fn not_found(&self, id: u64) -> Vec<String> {
        let top = self.rank();
        let compiling = || self.vertexes.iter().filter(|(_, vertex)| vertex.rank == top);
        let Some(own) = self.vertexes.get(&id).filter(|_| compiling().count() > 1) else { return Vec::new() };
        let cache =
            |vertex: &Vertex, target: &str| vertex.mounts.iter().find(|mount| mount.clean_target() == target).cloned();
        let found = |target: &String| {
            compiling().any(|(_, other)| other.found.contains(target) && cache(other, target) == cache(own, target))
        };
        own.measured.iter().filter(|target| !found(target)).cloned().collect()
    }

    /// Returns how long the compiling steps took together, as far as they were seen.
    ///
    /// Several of them are added up: a fast one must not hide a slow one.
    pub fn build_time(&self) -> Option<BuildTime> {
        let top = self.rank();
        let times = self.vertexes.values().filter(|vertex| vertex.rank == top).filter_map(|vertex| vertex.time);
        let (mut printed, mut steps) = (None, None);
        for time in times {
            let sum = if time.source == TimeSource::Printed { &mut printed } else { &mut steps };
            *sum = Some(sum.unwrap_or(Duration::ZERO).saturating_add(time.took));
        }
        // The larger part says how sure the sum is.
        let source = if printed > steps { TimeSource::Printed } else { TimeSource::Step };
        let parts = [printed, steps].into_iter().flatten();
        parts.reduce(Duration::saturating_add).map(|took| BuildTime { took, source })
    }

    /// Tells whether nothing is missing from [`Self::build_time`]: the end of every compiling step was seen, and no step whose name was never seen looks like one.
    pub fn settled(&self) -> bool {
        let top = self.rank();
        self.vertexes.values().all(|vertex| match vertex.named() {
            true => vertex.rank < top || vertex.rank == 0 || vertex.settled(),
            false => !vertex.active,
        })
    }

    /// Tells whether the last line may have shown anything: a size, a marker, a download, a time.
    pub fn has_shown(&self) -> bool {
        self.shown
    }

    /// Tells whether a size that this vertex prints now is taken as one before the build while nothing has shown yet that
    /// the build comes after it.
    ///
    /// Who reads a complete stream need not care. In a log that may have lost lines such a size could as well be one
    /// from after the build.
    pub fn unconfirmed(&self, id: u64) -> bool {
        self.vertexes.get(&id).is_some_and(|vertex| {
            let only_before = vertex.measures.is_some_and(|(before, after)| before > 0 && after == 0);
            vertex.rank > 0 && !vertex.active && !vertex.confirmed && !only_before
        })
    }

    /// Tells whether the vertex is one that compiles Go code with cache mounts, by its name.
    pub fn compiles(&self, id: u64) -> bool {
        self.vertexes.get(&id).is_some_and(|vertex| vertex.rank > 0 && !vertex.mounts.is_empty())
    }

    /// Returns what the name of a vertex shows of it as a step that compiles with cache mounts.
    pub fn compile_step(&self, id: u64) -> Option<CompileStep> {
        self.vertexes.get(&id)?.compile_step()
    }

    /// The highest rank among the vertexes: the ones of that rank are the compiling steps.
    pub(super) fn rank(&self) -> u8 {
        self.vertexes.values().map(|vertex| vertex.rank).max().unwrap_or(0)
    }

    fn marker_of(&self, id: u64) -> Option<MeasuredAt> {
        let vertex = self.vertexes.get(&id);
        let own = vertex.and_then(|vertex| vertex.marker);
        // What another step marks says nothing of one that compiles itself.
        own.or(self.marker.filter(|_| vertex.is_none_or(|vertex| vertex.rank == 0)))
    }

    pub(super) fn mark(&mut self, id: u64, moment: MeasuredAt) {
        // Where the build is over, nothing that follows was measured before it, whatever it calls itself.
        let over = self.vertexes.get(&id).is_some_and(|vertex| {
            vertex.time.is_some() || vertex.measures.is_some_and(|(before, after)| before == 0 && after > 0)
        });
        if moment == MeasuredAt::Before && over {
            return;
        }
        self.marker = Some(moment);
        if let Some(vertex) = self.vertexes.get_mut(&id) {
            vertex.marker = Some(moment);
            vertex.confirmed |= moment == MeasuredAt::After;
        }
    }

    /// The build is at work: what was marked as before it is over.
    fn active(&mut self, id: u64) {
        let ended = |marker: &mut Option<MeasuredAt>| *marker = marker.filter(|moment| *moment != MeasuredAt::Before);
        ended(&mut self.marker);
        if let Some(vertex) = self.vertexes.get_mut(&id) {
            vertex.active = true;
            ended(&mut vertex.marker);
        }
    }

    fn timed(&mut self, id: u64, took: Duration) -> Option<Fact> {
        let top = self.rank();
        let vertex = self.vertexes.get_mut(&id)?;
        if vertex.named() && vertex.rank == 0 {
            return None;
        }
        let counts = vertex.timing(took) && vertex.rank > 0 && vertex.rank == top;
        self.active(id);
        self.build_time().filter(|_| counts).map(Fact::BuildTime)
    }

    /// Tells whether a command that fills Go's caches has run on this mount before this vertex measures these bytes there.
    fn filled(&self, id: u64, path: &str, bytes: u64) -> bool {
        if self.filled.contains(path) {
            return true;
        }
        let Some(own) = self.vertexes.get(&id) else { return false };
        self.vertexes.iter().any(|(other, vertex)| match vertex.fills {
            Some(CacheFilling::BeforeMeasuring) if *other == id => true,
            // One that so far only measured, beside this one, has filled nothing yet.
            Some(_) if *other != id => {
                let ran = (vertex.worked || vertex.active || vertex.ended) && !vertex.cached;
                ran && own.shares(vertex, path) && !vertex.left_alone(self.now, own, bytes)
            }
            _ => false,
        })
    }

    pub(super) fn size(&mut self, id: u64, size: Size, path: String) -> Option<Fact> {
        let others = self
            .vertexes
            .iter()
            .any(|(other, vertex)| *other != id && vertex.rank > 0 && (vertex.printed || vertex.ended));
        let targets =
            self.vertexes.values().flat_map(|vertex| &vertex.mounts).any(|mount| mount.clean_target() == path);
        let marker = self.marker_of(id);
        let bytes = match size {
            Size::Bytes(bytes) => bytes,
            Size::Blocks(blocks) => blocks.checked_mul(self.vertexes.get(&id)?.block?)?,
        };
        let filled = self.filled(id, &path, bytes);
        let vertex = self.vertexes.get_mut(&id)?;
        if !vertex.shows(&path, targets) {
            return None;
        }
        let again = !vertex.measured.insert(path.clone());
        let moment = marker.unwrap_or_else(|| {
            vertex.confirmed |= again;
            match vertex.measures {
                Some((1.., 0)) => MeasuredAt::Before,
                Some((0, 1..)) => MeasuredAt::After,
                // Another's build says nothing of what this one finds, when it compiles itself.
                _ if (others && vertex.rank == 0) || vertex.active || again => MeasuredAt::After,
                _ => MeasuredAt::Before,
            }
        });
        if moment == MeasuredAt::Before {
            vertex.found.insert(path.clone());
        }
        // A mount that another command has filled meanwhile does not show what came in; an empty one does.
        let tells = moment == MeasuredAt::After || !filled || bytes < EMPTY_MOUNT;
        tells.then_some(Fact::MountSize { moment, target: path, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPILE: &str = "[build 4/4] RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
                           time go build ./...";

    fn size(moment: MeasuredAt, target: &str, bytes: u64) -> Fact {
        Fact::MountSize { moment, target: target.into(), bytes }
    }

    fn time(seconds: u64, source: TimeSource) -> Fact {
        Fact::BuildTime(BuildTime { took: Duration::from_secs(seconds), source })
    }

    #[test]
    fn a_build_shows_sizes_time_and_downloads() {
        let mut output = BuildOutput::new();
        output.vertex(5, COMPILE);
        assert!(output.line(5, "=== BEFORE ===").is_empty());
        assert_eq!(output.line(5, "4.0K\t/go/pkg/mod"), [size(MeasuredAt::Before, "/go/pkg/mod", 4096)]);
        assert_eq!(output.line(5, "go: downloading a.example/b v1.0.0").len(), 1);
        assert_eq!(output.line(5, "real\t0m 2.00s"), [time(2, TimeSource::Printed)]);
        output.line(5, "=== AFTER ===");
        assert_eq!(output.line(5, "1.0M\t/go/pkg/mod"), [size(MeasuredAt::After, "/go/pkg/mod", 1 << 20)]);
        assert_eq!(output.done(5, None, true), [Fact::BuildStepEnded { took: None, succeeded: true }]);
        assert!(output.settled());
    }

    #[test]
    fn a_step_that_may_not_write_into_its_mount_says_so_once() {
        let mut output = BuildOutput::new();
        output.vertex(5, COMPILE);
        let refused = |target: &str| [Fact::MountRefused { target: target.into() }];
        let line = "failed to initialize build cache at /root/.cache/go-build: mkdir /root/.cache/go-build/00: permission denied";
        assert_eq!(output.line(5, line), refused("/root/.cache/go-build"));
        assert_eq!(output.line(5, line), []);
        let module = "mkdir: can't create directory '/go/pkg/mod/cache': Permission denied";
        assert_eq!(output.line(5, module), refused("/go/pkg/mod"));
        for other in [
            "du: can't read '/go/pkg/mod/cache': Permission denied",
            "mkdir /go/pkg/module: permission denied",
            "mkdir /out: permission denied",
        ] {
            let mut output = BuildOutput::new();
            output.vertex(5, COMPILE);
            assert_eq!(output.line(5, other), [], "{other}");
        }
    }

    #[test]
    fn without_markers_the_position_tells_before_from_after() {
        let mut output = BuildOutput::new();
        output.vertex(5, COMPILE);
        assert_eq!(output.line(5, "4.0K\t/go/pkg/mod"), [size(MeasuredAt::Before, "/go/pkg/mod", 4096)]);
        assert!(output.unconfirmed(5));
        assert_eq!(output.line(5, "4.0K\t/go/pkg/mod"), [], "a repeated line is no second measurement");
        output.line(5, "real 17.00");
        assert!(!output.unconfirmed(5));
        assert_eq!(
            output.line(5, "9M\t/root/.cache/go-build"),
            [size(MeasuredAt::After, "/root/.cache/go-build", 9 << 20)]
        );
    }

    #[test]
    fn steps_around_the_build_measure_before_and_after_it() {
        let mut output = BuildOutput::new();
        output.vertex(4, "[build 3/5] RUN --mount=type=cache,target=/go/pkg/mod du -s /go/pkg/mod");
        assert_eq!(output.line(4, "8\t/go/pkg/mod"), [size(MeasuredAt::Before, "/go/pkg/mod", 8192)]);
        output.vertex(5, COMPILE);
        assert_eq!(output.done(5, Some(Duration::from_secs(9)), true)[0], time(9, TimeSource::Step));
        output.vertex(6, "[build 5/5] RUN --mount=type=cache,target=/go/pkg/mod du -sb /go/pkg/mod");
        assert_eq!(output.line(6, "8\t/go/pkg/mod"), [size(MeasuredAt::After, "/go/pkg/mod", 8)]);
    }

    #[test]
    fn a_marker_of_before_ends_where_the_build_is_at_work() {
        let mut output = BuildOutput::new();
        output.vertex(5, COMPILE);
        output.line(5, "BEFORE");
        output.line(5, "go: downloading a.example/b v1.0.0");
        assert_eq!(output.line(5, "118M\t/go/pkg/mod"), [size(MeasuredAt::After, "/go/pkg/mod", 118 << 20)]);
    }

    #[test]
    fn the_place_of_du_in_the_command_tells_before_from_after() {
        let mut output = BuildOutput::new();
        output.vertex(1, "[a 1/1] RUN --mount=type=cache,target=/go/pkg/mod du -sh /go/pkg/mod; go build");
        assert_eq!(output.line(1, "9M\t/go/pkg/mod"), [size(MeasuredAt::Before, "/go/pkg/mod", 9 << 20)]);
        assert!(!output.unconfirmed(1));
        let mut output = BuildOutput::new();
        output.vertex(1, "[a 1/1] RUN --mount=type=cache,target=/go/pkg/mod go build && du -sh /go/pkg/mod");
        assert_eq!(output.line(1, "9M\t/go/pkg/mod"), [size(MeasuredAt::After, "/go/pkg/mod", 9 << 20)]);
    }

    #[test]
    fn a_marker_of_before_that_comes_after_the_build_marks_nothing() {
        let mut output = BuildOutput::new();
        output.vertex(
            1,
            "[a 1/1] RUN --mount=type=cache,target=/go/pkg/mod go build && echo BEFORE && du -sh /go/pkg/mod",
        );
        output.line(1, "BEFORE");
        assert_eq!(output.line(1, "9M\t/go/pkg/mod"), [size(MeasuredAt::After, "/go/pkg/mod", 9 << 20)]);
        let mut output = BuildOutput::new();
        output.vertex(5, COMPILE);
        output.line(5, "real 17.00");
        output.line(5, "BEFORE");
        assert_eq!(output.line(5, "9M\t/go/pkg/mod"), [size(MeasuredAt::After, "/go/pkg/mod", 9 << 20)]);
    }

    #[test]
    fn a_mount_that_was_filled_before_it_was_measured_shows_nothing_of_what_came_in() {
        let mut output = BuildOutput::new();
        output.vertex(4, "[build 3/4] RUN --mount=type=cache,target=/go/pkg/mod go mod download");
        output.vertex(5, COMPILE);
        output.done(4, Some(Duration::from_secs(30)), true);
        output.line(5, "BEFORE");
        assert_eq!(output.line(5, "240M\t/go/pkg/mod"), []);
        assert_eq!(
            output.line(5, "8.0K\t/root/.cache/go-build"),
            [size(MeasuredAt::Before, "/root/.cache/go-build", 8192)]
        );
        let mut output = BuildOutput::new();
        output.vertex(4, "[build 3/4] RUN --mount=type=cache,target=/go/pkg/mod go mod download");
        output.vertex(5, COMPILE);
        output.cached(4);
        output.line(5, "BEFORE");
        assert_eq!(output.line(5, "240M\t/go/pkg/mod").len(), 1, "a step from the layer cache fills nothing");
    }

    #[test]
    fn a_time_of_another_command_is_not_the_builds() {
        let mut output = BuildOutput::new();
        output.vertex(5, "[b 1/1] RUN --mount=type=cache,target=/go/pkg/mod time go vet ./... && go build ./...");
        assert_eq!(output.line(5, "real 2.00"), []);
        assert_eq!(output.done(5, Some(Duration::from_secs(60)), true)[0], time(60, TimeSource::Step));
    }

    #[test]
    fn a_marked_size_is_confirmed_by_the_marker_after_it() {
        let mut output = BuildOutput::new();
        output.vertex(5, COMPILE);
        output.line(5, "BEFORE");
        output.line(5, "9M\t/go/pkg/mod");
        assert!(output.unconfirmed(5));
        output.line(5, "AFTER");
        assert!(!output.unconfirmed(5));
    }

    #[test]
    fn only_mounted_paths_count() {
        let mut output = BuildOutput::new();
        output.vertex(4, "[build 3/5] RUN du -sh /go/pkg/mod");
        output.vertex(5, COMPILE);
        assert_eq!(output.line(4, "118M\t/go/pkg/mod"), [], "this step does not mount it");
        assert_eq!(output.line(5, "118M\t/var/lib"), []);
        assert_eq!(output.line(5, "118\t/go/pkg/mod"), [], "no du command says what 118 counts");
    }

    #[test]
    fn several_compiling_steps_are_added_up_and_must_all_be_seen() {
        let mut output = BuildOutput::new();
        output.vertex(5, COMPILE);
        output.vertex(6, "[other 4/4] RUN go build ./tool");
        output.vertex(7, "[last 4/4] RUN --mount=type=cache,target=/root/.cache/go-build go build ./b");
        output.done(6, Some(Duration::from_secs(60)), true);
        output.line(5, "real 3.00");
        output.done(5, None, true);
        assert!(!output.settled());
        assert_eq!(output.done(7, Some(Duration::from_secs(4)), true)[0], time(7, TimeSource::Step));
        assert!(output.settled(), "a build without the mounts is another matter");
    }

    #[test]
    fn of_several_timed_commands_the_build_counts() {
        let mut output = BuildOutput::new();
        output.vertex(
            5,
            "[b 1/1] RUN --mount=type=cache,target=/go/pkg/mod time go mod download && time go build && time true",
        );
        assert_eq!(output.line(5, "real 1.00"), []);
        assert_eq!(output.line(5, "real 20.00"), [time(20, TimeSource::Printed)]);
        assert!(!output.settled());
        assert_eq!(output.line(5, "real 0.00"), []);
        output.done(5, None, true);
        assert!(output.settled());
    }

    #[test]
    fn an_unnamed_step_that_works_leaves_the_time_unsettled() {
        let mut output = BuildOutput::new();
        output.vertex(5, COMPILE);
        output.line(5, "real 1.00");
        output.done(5, None, true);
        output.line(9, "real 99.00");
        assert!(!output.settled());
        output.vertex(9, "[x 1/1] RUN --mount=type=cache,target=/y time sleep 99");
        assert!(output.settled());
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn doubts(facts: Vec<Fact>) -> Vec<BuildDoubt> {
        facts
            .into_iter()
            .filter_map(|fact| if let Fact::BuildDoubt(doubt) = fact { Some(doubt) } else { None })
            .collect()
    }

    const FULL: &str = "130M\t/root/.cache/go-build";

    #[test]
    fn a_size_that_comes_late_is_doubted_and_one_that_comes_at_once_is_not() {
        for (since, late) in [(1, 0), (38, 1)] {
            let mut output = BuildOutput::new();
            output.vertex(5, COMPILE);
            output.tick(5, None, Some(seconds(since)));
            assert_eq!(doubts(output.line(5, FULL)).len(), late, "{since} s");
        }
    }

    #[test]
    fn a_step_at_work_on_the_same_cache_is_doubted_and_one_on_another_is_not() {
        let start = SystemTime::UNIX_EPOCH + seconds(1_000);
        for (id, found) in [("", 1), (",id=linter", 0)] {
            let mut output = BuildOutput::new();
            output.tick(4, Some(start), None);
            output.vertex(4, &format!("[a 1/2] RUN --mount=type=cache,target=/root/.cache/go-build{id} bin/check"));
            output.tick(5, Some(start + seconds(30)), None);
            output.vertex(5, COMPILE);
            output.tick(5, Some(start + seconds(30)), Some(Duration::from_millis(300)));
            let said = doubts(output.line(5, FULL));
            let at_work = said.iter().filter(|doubt| matches!(doubt, BuildDoubt::AtWork { .. })).count();
            assert_eq!(at_work, found, "{id:?}: {said:?}");
        }
    }

    #[test]
    fn what_a_command_does_with_its_caches_is_doubted_by_its_name() {
        let mount = "--mount=type=cache,target=/root/.cache/go-build";
        for (command, doubted) in [
            ("go build ./...", false),
            ("GOCACHE=/root/.cache/go-build go build .", false),
            ("go build -a ./...", true),
            ("go clean -cache && go build .", true),
            ("GOCACHE=/tmp/gc go build .", true),
            ("go build . && rm -rf /root/.cache/go-build/*", true),
        ] {
            let facts = BuildOutput::new().vertex(5, &format!("[b 2/3] RUN {mount} {command}"));
            assert_eq!(!doubts(facts).is_empty(), doubted, "{command}");
        }
        let facts = BuildOutput::new().vertex(5, &format!("[b 2/3] RUN {mount},from=warm go build ."));
        assert!(matches!(doubts(facts)[..], [BuildDoubt::SeededFrom { .. }]));
    }

    #[test]
    fn a_time_that_does_not_explain_its_step_is_doubted() {
        for (command, took, doubted) in [("sh make.sh", 50, 1), ("sh make.sh", 5, 0), ("time go build .", 50, 0)] {
            let mut output = BuildOutput::new();
            output.vertex(5, &format!("[b 2/3] RUN --mount=type=cache,target=/root/.cache/go-build {command}"));
            output.line(5, "real\t0m 0.80s");
            assert_eq!(doubts(output.done(5, Some(seconds(took)), true)).len(), doubted, "{command} {took}");
        }
    }

    #[test]
    fn a_slow_build_tool_beside_a_fast_go_build_is_doubted() {
        let mut output = BuildOutput::new();
        output.vertex(4, "[a 1/2] RUN --mount=type=cache,target=/root/.cache/go-build goreleaser build");
        output.vertex(5, COMPILE);
        output.line(5, "real\t0m 0.80s");
        assert!(doubts(output.done(5, Some(seconds(1)), true)).is_empty());
        assert!(matches!(doubts(output.done(4, Some(seconds(66)), true))[..], [BuildDoubt::OtherCompile { .. }]));
    }

    #[test]
    fn a_build_tool_that_fails_beside_a_go_build_is_doubted() {
        let mut output = BuildOutput::new();
        output.vertex(5, COMPILE);
        output.vertex(6, "[b 5/5] RUN --mount=type=cache,target=/root/.cache/go-build goreleaser build");
        output.line(5, "real\t0m 0.80s");
        assert!(doubts(output.done(5, Some(seconds(1)), true)).is_empty());
        assert!(matches!(doubts(output.done(6, None, false))[..], [BuildDoubt::OtherCompile { .. }]));
    }

    #[test]
    fn a_slow_go_build_without_a_cache_is_doubted_beside_a_fast_one_that_printed_no_time() {
        let mut output = BuildOutput::new();
        output.vertex(4, "[a 1/2] RUN go build ./cmd/product");
        output.vertex(5, "[b 1/2] RUN --mount=type=cache,target=/root/.cache/go-build go build ./cmd/helper");
        assert!(doubts(output.done(4, Some(seconds(66)), true)).is_empty());
        let said = doubts(output.done(5, Some(seconds(1)), true));
        assert!(matches!(said[..], [BuildDoubt::OtherCompile { .. }]), "{said:?}");
    }

    #[test]
    fn sizes_of_another_cache_at_the_same_target_are_doubted() {
        let mut output = BuildOutput::new();
        let mount = "--mount=type=cache,target=/root/.cache/go-build";
        output.vertex(4, &format!("[m 1/2] RUN {mount},id=obj du -sh /root/.cache/go-build"));
        output.vertex(5, &format!("[b 1/2] RUN {mount},id=obj-app time go build ."));
        output.line(4, FULL);
        output.line(5, "real\t0m 0.80s");
        let said = doubts(output.done(5, Some(seconds(1)), true));
        assert!(matches!(said[..], [BuildDoubt::OtherCacheMeasured { .. }]), "{said:?}");
    }
}
