//! A job as the run that its files declare: the same facts that a run would give for its inputs, in the order in which its
//! steps would go. [`declare`] is principal.
//!
//! Each fact quotes the line of the file it comes from. Nothing of it was seen: it serves the rules that ask for inputs,
//! orders and names, and no check and no verdict is read from it.

use super::build::LintBuild;
use super::job::{LintDance, LintJob, LintMap, step_span};
use super::place;
use super::unread::is_unread;
use super::values::{Arm, PlanValues, UNKNOWN};
use crate::dance::skips_extraction;
use crate::dockerfile::CacheMount;
use crate::evidence::{
    Aspect, BuildInputs, BuildOutput, CacheInputs, CacheMode, DanceInputs, DancePhase, Event, Evidence, Fact, Lookup,
    MountSpec, NotSaved, Phase, Quote, SaveOutcome, StepId, StepOutcome,
};
use crate::plan::{Action, CacheStepPart, DanceMode, PlannedStep, Trigger};
use crate::workflow::expr::JobStatus;

/// An entry that holds something, where a run is looked at that hits its key.
const SOMETHING: u64 = 256 << 20;

/// Declares one run of a job with one of its builds; `None` where the job has none to look at.
pub(super) fn declare(job: &LintJob<'_>, build: Option<&LintBuild<'_>>, arm: Arm, trigger: &Trigger) -> Evidence {
    let mut run = DeclaredRun {
        job,
        build,
        values: job.values(arm, trigger),
        events: Vec::new(),
        ids: vec![None; job.plan.steps.len()],
        next: 0,
        // The variable chooses a builder for every command.
        active: (!job.source().text.contains("BUILDX_BUILDER")).then(|| "default".to_owned()),
    };
    run.main();
    run.post();
    Evidence::fold(format!("job `{}`", job.plan.job_id), &run.events)
}

/// A run while it is declared.
struct DeclaredRun<'a, 'j> {
    job: &'j LintJob<'a>,
    build: Option<&'j LintBuild<'a>>,
    values: PlanValues<'j>,
    events: Vec<Event>,
    /// By step: the id its facts carry, once it began.
    ids: Vec<Option<StepId>>,
    next: usize,
    /// The builder that commands without `--builder` use; `None` where that is not known.
    active: Option<String>,
}

impl<'a, 'j> DeclaredRun<'a, 'j> {
    fn main(&mut self) {
        for step in &self.job.plan.steps {
            if let (Action::Dance(_), Some(uses)) = (&step.action, &step.uses) {
                self.add(None, self.quote(step), Fact::DanceDownloaded { uses: uses.text.clone() });
            }
        }
        if let Some([label]) = self.job.labels().as_deref() {
            let fact = Fact::Surroundings { aspect: Aspect::RunnerImage, value: (*label).to_owned() };
            self.add(None, Quote::measured("workflow", "runs-on"), fact);
        }
        for step in &self.job.plan.steps {
            if self.values.runs(step) == Some(false) {
                continue;
            }
            let id = self.begin(step, Phase::Main, None);
            self.ids[step.index] = Some(id);
            match &step.action {
                Action::Cache(part) => self.cache(step, id, *part),
                Action::Dance(_) => self.dance(step, id),
                Action::SetupBuildx => self.choose(step, id),
                Action::BuildPush => self.build(step, id),
                Action::BuildScript | Action::Composite(_) | Action::NotReproduced { .. } if self.may_choose(step) => {
                    self.active = None;
                }
                Action::Checkout | Action::BuildScript | Action::Composite(_) | Action::NotReproduced { .. } => {}
            }
            self.add(Some(id), self.quote(step), Fact::StepEnded { outcome: StepOutcome::Success, took: None });
        }
    }

    fn post(&mut self) {
        for post in &self.job.plan.post_steps {
            let (Some(step), Some(of)) = (self.job.plan.steps.get(post.of), self.ids[post.of]) else { continue };
            if !post.condition.holds(JobStatus::Success) {
                continue;
            }
            let id = self.begin(step, Phase::Post, Some(of));
            match &step.action {
                Action::Cache(_) => self.save(step, id),
                Action::Dance(_) => self.extract(step, id),
                _ => {}
            }
            self.add(Some(id), self.quote(step), Fact::StepEnded { outcome: StepOutcome::Success, took: None });
        }
    }

    /// Tells whether a step that nobody reads here may choose another builder.
    fn may_choose(&self, step: &PlannedStep) -> bool {
        let text = self.job.text_of(step);
        match &step.uses {
            Some(uses) => {
                let name = uses.text.to_ascii_lowercase();
                PlanValues::is_opaque(step) && ["build", "docker", "depot", "./"].iter().any(|part| name.contains(part))
            }
            None => ["buildx create", "buildx use", "docker context"].iter().any(|words| text.contains(words)),
        }
    }

    fn add(&mut self, step: Option<StepId>, quote: Quote, fact: Fact) {
        self.events.push(Event { step, at: None, quote, fact });
    }

    fn quote(&self, step: &PlannedStep) -> Quote {
        place::quote(self.job.source(), step_span(step))
    }

    fn begin(&mut self, step: &PlannedStep, phase: Phase, of: Option<StepId>) -> StepId {
        let id = StepId(self.next);
        self.next += 1;
        self.add(Some(id), self.quote(step), Fact::StepStarted { phase, name: step.display_name.clone(), of });
        id
    }

    fn cache(&mut self, step: &PlannedStep, id: StepId, part: CacheStepPart) {
        let quote = self.quote(step);
        let Some(cache) = self.job.caches.iter().find(|cache| cache.step.index == step.index) else { return };
        let mode = match part {
            CacheStepPart::RestoreAndSave => CacheMode::RestoreAndSave,
            CacheStepPart::Restore => CacheMode::Restore,
            CacheStepPart::Save => CacheMode::Save,
        };
        let key = cache.key.text.clone();
        let inputs = CacheInputs {
            mode,
            paths: self.paths(&cache.paths),
            key: key.clone(),
            restore_keys: cache.restore_keys.clone(),
        };
        self.add(Some(id), quote.clone(), Fact::CacheInputs(inputs));
        match (part, self.values.arm) {
            (CacheStepPart::Save, Arm::First) => {
                self.add(Some(id), quote, Fact::CacheSave(SaveOutcome::Saved { key }));
            }
            (CacheStepPart::Save, Arm::Hit) => {}
            (_, Arm::First) => self.add(Some(id), quote, Fact::CacheLookup(Lookup::Miss)),
            (_, Arm::Hit) if cache.lookup_only => {
                self.add(Some(id), quote, Fact::CacheLookup(Lookup::LookupOnly { key }));
            }
            (_, Arm::Hit) => {
                self.add(Some(id), quote.clone(), Fact::CacheLookup(Lookup::Exact { key: key.clone() }));
                self.add(Some(id), quote.clone(), Fact::CacheSize { bytes: SOMETHING });
                self.add(Some(id), quote, Fact::CacheRestored { key });
            }
        }
    }

    /// Returns a step's paths. Where one of them, or a directory of the dance, is not known, the step is taken to save what
    /// the dance moves.
    fn paths(&self, paths: &[String]) -> Vec<String> {
        let sources = self.job.sources();
        let hidden = |text: &&str| text.contains(UNKNOWN);
        let mut paths: Vec<String> = paths.to_vec();
        if paths.iter().any(|path| path.contains(UNKNOWN)) {
            paths.extend(sources.iter().map(|source| (*source).to_owned()));
        } else {
            paths.extend(sources.iter().filter(|source| hidden(source)).map(|source| (*source).to_owned()));
        }
        paths
    }

    fn save(&mut self, step: &PlannedStep, id: StepId) {
        let quote = self.quote(step);
        let Some(cache) = self.job.caches.iter().find(|cache| cache.step.index == step.index) else { return };
        let key = cache.key.text.clone();
        let outcome = match self.values.arm {
            Arm::Hit => SaveOutcome::NotSaved(NotSaved::PrimaryHit { key }),
            Arm::First if self.nothing_there(&cache.paths) => SaveOutcome::NotSaved(NotSaved::PathMissing),
            Arm::First => SaveOutcome::Saved { key },
        };
        self.add(Some(id), quote, Fact::CacheSave(outcome));
    }

    /// Tells whether no step and no checkout can have put anything where a step saves, as far as names tell.
    fn nothing_there(&self, paths: &[String]) -> bool {
        let sources = self.job.sources();
        let Some(files) = self.job.files.list() else { return false };
        let scripts = self.job.plan.steps.iter().any(is_unread);
        let absent = |path: &String| {
            let plain = path.trim_start_matches("./").trim_end_matches('/');
            let relative =
                !plain.starts_with(['/', '~', '!', '$', '.', '*']) || path.starts_with('.') && plain.len() > 1;
            relative
                && !plain.contains(UNKNOWN)
                && !plain.contains('*')
                && !files.iter().any(|file| file.starts_with(plain))
                && !sources
                    .iter()
                    .any(|source| crate::verify::covers(path, source) || crate::verify::covers(source, path))
        };
        !scripts
            && !sources.is_empty()
            && sources.iter().all(|source| !source.contains(UNKNOWN))
            && paths.iter().all(absent)
    }

    fn find_dance(&self, step: &PlannedStep) -> Option<&'j LintDance<'a>> {
        self.job.dances.iter().find(|dance| dance.step.index == step.index)
    }

    fn dance(&mut self, step: &PlannedStep, id: StepId) {
        let quote = self.quote(step);
        let Some(dance) = self.find_dance(step) else { return };
        let skip = self.values.input(step, "skip-extraction");
        let builder = match &dance.inputs.builder {
            Some(name) if name.contains(UNKNOWN) => Some(UNKNOWN.to_owned()),
            Some(name) => Some(name.clone()),
            None => None,
        };
        // The dance takes the active builder; where that is not known, neither is what it works on.
        let builder = if builder.is_none() && self.active.is_none() { Some(UNKNOWN.to_owned()) } else { builder };
        let inputs = DanceInputs {
            uses: step.uses.as_ref().map_or_else(String::new, |uses| uses.text.clone()),
            cache_map: step.input("cache-map").map(|_| dance.inputs.cache_map.clone()),
            cache_dir: dance.inputs.cache_dir.clone(),
            skip_extraction: skip.map(|skip| skip.text),
            builder,
            known: dance.behaviour.dance.known,
        };
        self.add(Some(id), quote.clone(), Fact::DanceInputs(inputs));
        if let LintMap::Refused(error) = &dance.map {
            self.add(Some(id), quote, Fact::DanceCrashed { reason: error.thrown.clone() });
            return;
        }
        if let Some(problem) =
            dance.entries().and_then(|map| map.entries.iter().find_map(|entry| entry.problem.clone()))
        {
            self.add(Some(id), quote, Fact::DanceCrashed { reason: problem.text });
            return;
        }
        let phase = if dance.mode == DanceMode::Extract { DancePhase::Extract } else { DancePhase::Inject };
        self.move_entries(dance, id, phase);
    }

    fn move_entries(&mut self, dance: &LintDance<'a>, id: StepId, phase: DancePhase) {
        let Some(map) = dance.entries() else { return };
        for entry in &map.entries {
            let Ok(mount) = entry.mount() else { continue };
            let mount = MountSpec::from(&mount);
            if self.is_anothers(&mount) {
                continue;
            }
            let quote = self.entry_quote(dance, &entry.source);
            self.add(Some(id), quote, Fact::DanceEntry { phase, source: Some(entry.source.clone()), mount });
        }
    }

    /// Tells whether an entry is there for another build of the job and not for this one.
    fn is_anothers(&self, entry: &MountSpec) -> bool {
        let Some(build) = self.build else { return false };
        let has = |build: &LintBuild<'_>| {
            let specs = build.mounts.iter().chain(&build.idle).map(MountSpec::from);
            specs.into_iter().any(|mount| mount.same_cache(entry) || mount.target.contains('$'))
        };
        !has(build) && self.job.builds.iter().any(|other| other.step.index != build.step.index && has(other))
    }

    /// Quotes the line of the cache map that names a directory.
    fn entry_quote(&self, dance: &LintDance<'a>, source: &str) -> Quote {
        let text = self.job.source();
        let Some(template) = dance.step.input("cache-map") else { return self.quote(dance.step) };
        let span = template.span();
        let inside = text.text.get(span.start..span.end).unwrap_or_default();
        let base = source.rsplit('/').next().unwrap_or(source);
        let found = [format!("\"{source}\""), format!("{base}\"")].into_iter().find_map(|key| inside.find(&key));
        match found {
            Some(at) => {
                let line = inside[at..].lines().next().unwrap_or_default();
                let body = line.trim_end().trim_end_matches(',');
                let start = span.start + at;
                place::quote(text, crate::source::Span::new(start, start + body.len()))
            }
            None => place::quote(text, place::input_span(text, span)),
        }
    }

    fn extract(&mut self, step: &PlannedStep, id: StepId) {
        let Some(dance) = self.find_dance(step) else { return };
        let skip = self.values.input(step, "skip-extraction").filter(|_| dance.behaviour.skip_extraction);
        match skip {
            Some(skip) if !skip.known => {}
            Some(skip) if skips_extraction(skip.text.trim()) => {
                self.add(Some(id), self.quote(step), Fact::DanceExtractSkipped);
            }
            _ => self.move_entries(dance, id, DancePhase::Extract),
        }
    }

    fn choose(&mut self, step: &PlannedStep, id: StepId) {
        let used = self.values.input(step, "use");
        if used.as_ref().is_some_and(|used| used.known && used.text.trim() == "false") {
            return;
        }
        let builder = self.values.builder_of(step).filter(|_| used.is_none_or(|used| used.known));
        // A step that may be left out chooses a builder that may not be the active one.
        self.active = builder.filter(|_| self.values.runs(step) == Some(true));
        self.add(Some(id), self.quote(step), Fact::BuilderChosen { builder: self.active.clone() });
    }

    fn build(&mut self, step: &PlannedStep, id: StepId) {
        let Some(build) = self.build.filter(|build| build.step.index == step.index) else { return };
        let quote = self.quote(step);
        let given = |name: &str| self.values.input(step, name);
        let lines = |name: &str| -> Vec<String> {
            let text = given(name).filter(|given| given.known).map(|given| given.text).unwrap_or_default();
            text.split([',', '\n']).map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
        };
        let named =
            given("builder").map(|name| if name.known { name.text.trim().to_owned() } else { UNKNOWN.to_owned() });
        let builder = named.clone().or_else(|| self.active.clone());
        let inputs = BuildInputs {
            no_cache: given("no-cache")
                .is_some_and(|value| value.known && value.text.trim().eq_ignore_ascii_case("true")),
            no_cache_filters: lines("no-cache-filters"),
            builder: named,
            cache_from: given("cache-from").map(|value| value.text),
            file: build.name().to_string(),
        };
        self.add(Some(id), quote.clone(), Fact::BuildInputs(inputs));
        self.add(Some(id), quote, Fact::BuildStarted { builder: builder.filter(|name| !name.contains(UNKNOWN)) });
        for mount in &build.mounts {
            if let Some(quote) = build.mount_quote(mount) {
                self.add(Some(id), quote, Fact::BuildMount(mount_spec(mount)));
            }
        }
        let mut output = BuildOutput::new();
        for (at, run) in build.runs.iter().enumerate() {
            let Some(quote) = build.run_quote(run) else { continue };
            let at = u64::try_from(at).unwrap_or(u64::MAX);
            let found = output.vertex(at, &run.vertex);
            for fact in found.into_iter().chain(output.compile_step(at).map(Fact::CompileStep)) {
                self.add(Some(id), quote.clone(), fact);
            }
        }
    }
}

/// A mount whose variables nobody here knows stays as it is written, and so does one with a build argument that is not known.
fn mount_spec(mount: &CacheMount) -> MountSpec {
    MountSpec::from(mount)
}
