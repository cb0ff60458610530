//! One run, as checks and rules ask about it. [`RunView`] is principal.

use super::{CacheExt, EMPTY_ARCHIVE, EMPTY_MOUNT, MountKind, covers, covers_surely, is_another_tools};
use crate::evidence::{
    Aspect, Build, BuildTime, Cache, CacheMode, Carried, Dance, DancePhase, Evidence, Lookup, MountSpec, Phase, Quote,
    Seen, StepId, StepOutcome,
};

/// One run of the case.
pub(crate) struct RunView<'a> {
    /// Its place in the case, from 1.
    pub(crate) number: usize,
    /// What is known of it.
    pub(crate) evidence: &'a Evidence,
    /// The actions/cache steps that carry the dance's directories; every one, where that cannot be told.
    pub(crate) caches: Vec<&'a Cache>,
    /// The build to look at: one that compiles Go code, where any does.
    pub(crate) build: Option<&'a Build>,
    /// Other builds of the job were not seen to their end, and may have compiled Go code too.
    pub(crate) unseen_builds: bool,
}

impl<'a> RunView<'a> {
    /// Looks at the `nth` compiling build of a run, counted from 0; at the first where there are fewer.
    pub(crate) fn new(number: usize, evidence: &'a Evidence, nth: usize) -> Self {
        let compiling = compiling(evidence);
        Self {
            number,
            evidence,
            caches: carrying(evidence),
            build: compiling.get(nth).or(compiling.first()).copied().or(evidence.builds.last()),
            unseen_builds: !compiling.is_empty()
                && evidence.builds.iter().any(|build| !shows_compiling(build) && build.ended.is_none()),
        }
    }

    /// Looks at the build of an earlier run that is of the same Dockerfile as the judged one; at the `nth`, where the runs do not
    /// say what they build. Another build is no measure for it.
    pub(crate) fn like(number: usize, evidence: &'a Evidence, nth: usize, judged: &RunView) -> Self {
        let mut view = Self::new(number, evidence, nth);
        let file = |build: &'_ Build| build.inputs.as_ref().map(|inputs| inputs.value.file.clone());
        let Some(wanted) = judged.build.and_then(file) else { return view };
        let of_judged = compiling(judged.evidence);
        let all = compiling(evidence);
        // The only build of a job is the same one under another name.
        if of_judged.len() == 1 && all.len() == 1 {
            return view;
        }
        let before = of_judged.iter().take_while(|build| judged.build.is_none_or(|own| !std::ptr::eq(**build, own)));
        let place = before.filter(|build| file(build).as_ref() == Some(&wanted)).count();
        if all.is_empty() || all.iter().any(|build| build.inputs.is_none()) {
            return view;
        }
        let same: Vec<&Build> = all.into_iter().filter(|build| file(build).as_ref() == Some(&wanted)).collect();
        view.build = same.get(place).or(same.first()).copied();
        view
    }

    /// Tells whether another build of the job ran before this one and left something in the build cache that this one uses: then
    /// its time is no cold one, although the job began without caches.
    pub(crate) fn was_warmed_by_another_build(&self) -> bool {
        let Some(own) = self.build else { return false };
        let mut before = self.evidence.builds.iter().take_while(|build| !std::ptr::eq(*build, own));
        let ran = before.any(|build| build.cached.is_none() && shows_compiling(build));
        let filled = own.sizes.iter().any(|sizes| {
            MountKind::in_build(Some(own), &sizes.target, None) == MountKind::BuildCache
                && sizes.before.as_ref().is_some_and(|before| before.value >= EMPTY_MOUNT)
        });
        ran && filled
    }

    /// Names the run in a sentence.
    pub(crate) fn name(&self) -> String {
        format!("run {}", self.number)
    }

    /// Returns the actions/cache steps that restore, without those in whose place another step restored.
    pub(crate) fn restoring(&self) -> impl Iterator<Item = &'a Cache> {
        self.caches.iter().copied().filter(|cache| cache.restores() && !self.was_made_up_for(cache))
    }

    /// Tells whether what a step did not find, or only looked up, was restored by another step for the same paths before
    /// the inject: as where a branch's own key misses and the key of the main branch hits.
    fn was_made_up_for(&self, cache: &Cache) -> bool {
        let Some(Lookup::Miss | Lookup::LookupOnly { .. }) = cache.lookup.as_ref().map(|lookup| &lookup.value) else {
            return false;
        };
        let Some(asked) = cache.inputs.as_ref().filter(|_| cache.restore_failed.is_none()) else { return false };
        let first_inject = self.carried(DancePhase::Inject).map(|entry| entry.mount.order).min();
        self.caches.iter().any(|other| {
            let in_time =
                other.restored.as_ref().is_some_and(|end| first_inject.is_none_or(|inject| end.order < inject));
            let real = other.restored_bytes().is_some_and(|bytes| bytes >= EMPTY_ARCHIVE);
            let same = other.inputs.as_ref().is_some_and(|inputs| inputs.value.paths == asked.value.paths);
            in_time && real && same
        })
    }

    /// Tells whether the job has no step that saves what the dance extracts: each one that was seen only restores.
    pub(crate) fn only_restores(&self) -> bool {
        let restores = |cache: &Cache| {
            let mode = cache.inputs.as_ref().map(|inputs| inputs.value.mode);
            mode == Some(CacheMode::Restore) && cache.save.is_none()
        };
        !self.evidence.caches.is_empty() && self.evidence.caches.iter().all(restores)
    }

    /// Returns the entries this run wrote: the step, the key and the line that says so.
    pub(crate) fn saves(&self) -> impl Iterator<Item = (&'a Cache, &'a str, &'a Quote)> {
        self.caches.iter().copied().filter_map(|cache| cache.saved().map(|(key, quote)| (cache, key, quote)))
    }

    /// Returns the primary key, where an input or a save names it.
    pub(crate) fn primary_key(&self) -> Option<&'a str> {
        self.restoring().find_map(|cache| cache.inputs.as_ref()).map(|inputs| inputs.value.key.as_str())
    }

    /// Returns the dance steps.
    pub(crate) fn dances(&self) -> &'a [Dance] {
        &self.evidence.dances
    }

    /// Returns every entry of one phase.
    pub(crate) fn carried(&self, phase: DancePhase) -> impl Iterator<Item = &'a Carried> {
        self.dances().iter().flat_map(move |dance| match phase {
            DancePhase::Inject => &dance.injected,
            DancePhase::Extract => &dance.extracted,
        })
    }

    /// Returns what was seen first of one aspect of the run's surroundings.
    pub(crate) fn surrounding(&self, aspect: Aspect) -> Option<&'a Seen<String>> {
        self.evidence.surroundings.iter().find(|(about, _)| *about == aspect).map(|(_, value)| value)
    }

    /// Returns the line that shows that the run had not saved yet when the last one looked up its key.
    pub(crate) fn saved_too_late(&self) -> Option<&'a Seen<String>> {
        self.surrounding(Aspect::SavedTooLate)
    }

    /// Returns the dance steps whose directories an actions/cache step saves; the first one, where that cannot be told.
    pub(crate) fn dances_of(&self, cache: &Cache) -> Vec<&'a Dance> {
        let paths = cache.inputs.iter().flat_map(|inputs| &inputs.value.paths);
        let saves = |source: &String| paths.clone().any(|path| covers(path, source));
        let of = |dance: &&Dance| sources_of(std::slice::from_ref(*dance)).iter().any(saves);
        let found: Vec<&Dance> = self.dances().iter().filter(of).collect();
        if found.is_empty() { self.dances().first().into_iter().collect() } else { found }
    }

    /// Returns the host directories the dance works on.
    pub(crate) fn sources(&self) -> Vec<String> {
        sources(self.evidence)
    }

    /// Tells whether the dance took its entries from the Dockerfile, which it mounts at a place of its own
    /// (upstream `src/opts.ts`).
    pub(crate) fn discovers(&self) -> bool {
        self.carried(DancePhase::Inject).any(|entry| entry.mount.value.target == "/var/cache-target")
    }

    /// Returns the time of `go build`, of a compiling step that ran and succeeded.
    pub(crate) fn build_time(&self) -> Option<&'a Seen<BuildTime>> {
        self.finished_build()?.time.as_ref()
    }

    /// Returns the build whose compiling step ran, was seen to its end, and succeeded.
    pub(crate) fn finished_build(&self) -> Option<&'a Build> {
        self.build.filter(|build| {
            let ended = build.step_ended.as_ref().is_some_and(|ended| ended.value);
            let failed = build.ended.as_ref().is_some_and(|ended| ended.value.is_some());
            ended && !failed && build.cached.is_none() && !self.unseen_builds
        })
    }

    /// Tells whether the run started without caches; `None` when its lookups were not seen.
    pub(crate) fn is_cold(&self) -> Option<bool> {
        self.restored_nothing().map(|nothing| nothing && !self.began_full())
    }

    /// Tells whether the run found full mounts that it had not restored: they had outlived the run before.
    pub(crate) fn was_warm(&self) -> bool {
        self.restored_nothing() == Some(true) && self.began_full()
    }

    /// Tells whether all of Go's mounts were full before the build. One alone may be filled by a step before.
    fn began_full(&self) -> bool {
        // A runner of ours was proven empty, and the engine's records show it.
        let ours = !self.evidence.records.is_empty();
        // What another build of the job left there says nothing about its runner; that build is looked at by itself.
        if self.was_warmed_by_another_build() {
            return false;
        }
        let sizes = self.build.iter().flat_map(|build| &build.sizes);
        let go = sizes.filter(|sizes| MountKind::in_build(self.build, &sizes.target, None) != MountKind::Other);
        let mut before = go.filter_map(|sizes| sizes.before.as_ref()).peekable();
        !ours && before.peek().is_some() && before.all(|before| before.value >= EMPTY_MOUNT)
    }

    fn restored_nothing(&self) -> Option<bool> {
        let mut known = None;
        for cache in self.restoring() {
            if cache.restored_bytes().is_some_and(|bytes| bytes >= EMPTY_ARCHIVE) {
                return Some(false);
            }
            let nothing =
                cache.missed().is_some() || cache.restore_failed.is_some() || cache.restored_bytes().is_some();
            if nothing {
                known = Some(true);
            }
        }
        known
    }

    /// Tells whether the evidence reaches the job's end, as far as it says.
    pub(crate) fn is_whole(&self) -> bool {
        self.evidence.truncated.is_none() && !self.evidence.steps.is_empty()
    }

    /// Tells whether a copy out of a cache mount failed, so that what the build left never got to be saved.
    pub(crate) fn failed_to_extract(&self) -> bool {
        self.dances().iter().flat_map(|dance| &dance.failures).any(|failure| failure.value.0 == DancePhase::Extract)
    }

    /// Returns the line that shows that a step failed and ended the job before the post steps.
    ///
    /// A failure after which the job went on was forgiven, as by `continue-on-error`: only steps with a condition of their own
    /// run after one that was not, and neither a dance nor a build is among them.
    pub(crate) fn broke_off(&self) -> Option<&'a Quote> {
        let saved = self.caches.iter().any(|cache| cache.save.is_some());
        let danced = self.dances().iter().any(|dance| dance.extract_skipped.is_some() || !dance.extracted.is_empty());
        let builds = self.evidence.builds.iter().map(|build| build.step);
        let ours: Vec<StepId> = builds.chain(self.dances().iter().map(|dance| dance.step)).flatten().collect();
        let mains = || self.evidence.steps.iter().filter(|step| step.phase == Phase::Main);
        let forgiven = |order: usize| mains().any(|step| step.started.order > order && ours.contains(&step.id));
        let failures = mains().filter_map(|step| step.outcome.as_ref());
        let mut failures = failures.filter(|outcome| outcome.value == StepOutcome::Failure);
        let ended = failures.find(|outcome| !forgiven(outcome.order)).map(|outcome| &outcome.quote);
        ended.filter(|_| !saved && !danced)
    }
}

/// Returns the builds that compile Go code. One that only repeats from the layer cache what another of them ran before is
/// none.
pub(crate) fn compiling(evidence: &Evidence) -> Vec<&Build> {
    let mut all: Vec<&Build> = evidence.builds.iter().filter(|build| shows_compiling(build)).collect();
    if all.iter().any(|build| !is_another_image(build)) {
        all.retain(|build| !is_another_image(build));
    }
    let repeats = |at: usize, build: &Build| {
        build.cached.is_some() && all[..at].iter().any(|ran| ran.cached.is_none() && same_mounts(ran, build))
    };
    let once: Vec<&Build> =
        all.iter().enumerate().filter(|(at, build)| !repeats(*at, build)).map(|(_, build)| *build).collect();
    if once.is_empty() { all } else { once }
}

/// Tells whether a build shows nothing of Go, and mounts and measures only what other tools name their caches: the job
/// builds an image without Go beside the one to look at.
fn is_another_image(build: &Build) -> bool {
    let nothing_of_go = build.cached.is_none()
        && build.time.is_none()
        && build.step_ended.is_none()
        && build.downloads.is_empty()
        && build.fetched.is_none();
    let mounts = build.mounts.iter().map(|mount| mount.value.target.as_str());
    let mut targets = mounts.chain(build.sizes.iter().map(|sizes| sizes.target.as_str())).peekable();
    nothing_of_go && targets.peek().is_some() && targets.all(is_another_tools)
}

/// Tells whether two builds mount the same caches, as two builds of one Dockerfile do.
fn same_mounts(one: &Build, other: &Build) -> bool {
    let mounts = |build: &Build| {
        let mut mounts: Vec<MountSpec> = build.mounts.iter().map(|mount| mount.value.clone()).collect();
        mounts.sort();
        mounts
    };
    mounts(one) == mounts(other)
}

/// Tells whether a build shows anything of compiling Go code.
fn shows_compiling(build: &Build) -> bool {
    build.cached.is_some()
        || build.time.is_some()
        || build.step_ended.is_some()
        || !build.sizes.is_empty()
        || !build.downloads.is_empty()
}

/// Picks the actions/cache steps that save what the dance moves.
fn carrying(evidence: &Evidence) -> Vec<&Cache> {
    let sources = sources(evidence);
    let carries = |cache: &Cache| {
        cache.inputs.as_ref().is_some_and(|inputs| {
            inputs.value.paths.iter().any(|path| sources.iter().any(|source| covers(path, source)))
        })
    };
    let ours: Vec<&Cache> = evidence.caches.iter().filter(|cache| carries(cache)).collect();
    if ours.is_empty() {
        return before_the_dance(evidence);
    }
    // Where the whole dance is saved for sure, what only ends alike, such as `~/go/mod` and `mod`, is the host's own.
    let surely = |cache: &Cache, source: &str| {
        cache.inputs.as_ref().is_some_and(|inputs| inputs.value.paths.iter().any(|path| covers_surely(path, source)))
    };
    if sources.iter().all(|source| ours.iter().any(|cache| surely(cache, source))) {
        return ours.into_iter().filter(|cache| sources.iter().any(|source| surely(cache, source))).collect();
    }
    ours
}

/// Picks among steps that show no paths: where one restored something before the dance began, one that begins after it is
/// another's, as pip's is not Go's. Without such a step they all may be the dance's.
fn before_the_dance(evidence: &Evidence) -> Vec<&Cache> {
    let all: Vec<&Cache> = evidence.caches.iter().collect();
    let begins = |step: Option<StepId>| Some(evidence.step(step?)?.started.order);
    let dance = evidence.dances.iter().filter_map(|dance| begins(dance.step)).min();
    let Some(dance) = dance.filter(|_| all.iter().all(|cache| cache.inputs.is_none())) else { return all };
    let before = |cache: &&Cache| cache.restored.as_ref().is_some_and(|restored| restored.order < dance);
    if all.iter().any(before) {
        return all.into_iter().filter(|cache| begins(cache.step).is_none_or(|begins| begins < dance)).collect();
    }
    all
}

fn sources(evidence: &Evidence) -> Vec<String> {
    sources_of(&evidence.dances)
}

fn sources_of(dances: &[Dance]) -> Vec<String> {
    let mut sources = Vec::new();
    for dance in dances {
        for entry in dance.injected.iter().chain(&dance.extracted) {
            if let Some(source) = entry.source.clone().filter(|source| !sources.contains(source)) {
                sources.push(source);
            }
        }
    }
    if sources.is_empty() {
        let maps = dances.iter().filter_map(|dance| dance.inputs.as_ref()?.value.cache_map.as_deref());
        for map in maps {
            if let Ok(serde_json::Value::Object(entries)) = serde_json::from_str(map) {
                sources.extend(entries.into_iter().map(|(source, _)| source));
            }
        }
    }
    sources
}
