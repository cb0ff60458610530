//! One job as a lint sees it: its plan, and what its cache, dance and build steps say. [`LintJob`] is principal.

use super::build::LintBuild;
use super::triggers;
use super::unread::{builds_unread, is_unread};
use super::values::{Arm, PlanValues, Resolved, UNKNOWN};
use super::{LintFiles, LintPlace, place};
use crate::dance::{Behaviour, CacheMap, CacheMapError, DockerfileInput, MapOrigin, ResolvedInputs, cache_map};
use crate::dockerfile::Dockerfile;
use crate::plan::{Action, CacheStepPart, DanceMode, JobPlan, PlannedStep, Trigger};
use crate::source::{Source, Span};
use crate::workflow::expr::Template;
use crate::workflow::{Job, Workflow};

/// A job to look at.
pub(super) struct LintJob<'a> {
    /// Its plan.
    pub(super) plan: &'a JobPlan,
    /// What surrounds it.
    pub(super) workflow: &'a Workflow,
    /// The files of its repository.
    pub(super) files: &'a dyn LintFiles,
    /// What may start it, the commonest first; never empty.
    pub(super) triggers: Vec<Trigger>,
    /// Its actions/cache steps.
    pub(super) caches: Vec<LintCache<'a>>,
    /// Its dances.
    pub(super) dances: Vec<LintDance<'a>>,
    /// Its builds.
    pub(super) builds: Vec<LintBuild<'a>>,
    /// The cache steps of every job of the repository, for what one job saves and another restores.
    pub(super) elsewhere: &'a [SharedCache],
}

/// An actions/cache step.
pub(super) struct LintCache<'a> {
    /// The step.
    pub(super) step: &'a PlannedStep,
    /// Which part of the action it is.
    pub(super) part: CacheStepPart,
    /// Its paths, line by line.
    pub(super) paths: Vec<String>,
    /// Its key, in a first run.
    pub(super) key: Resolved,
    /// Its restore keys, in a first run.
    pub(super) restore_keys: Vec<String>,
    /// Whether it only looks up.
    pub(super) lookup_only: bool,
}

/// A cache step of any job of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SharedCache {
    /// The workflow's name and the job's key.
    pub(super) job: (String, String),
    /// Which part of the action it is.
    pub(super) part: CacheStepPart,
    /// Its paths.
    pub(super) paths: Vec<String>,
    /// Its key as written.
    pub(super) key: String,
    /// Its key as far as it is known.
    pub(super) resolved: String,
    /// Whether a branch's run may save it, where others read it.
    pub(super) on_branch: bool,
}

/// A dance step.
pub(super) struct LintDance<'a> {
    /// The step.
    pub(super) step: &'a PlannedStep,
    /// Whether it injects, extracts or does both.
    pub(super) mode: DanceMode,
    /// What its version does.
    pub(super) behaviour: Behaviour,
    /// Its inputs, in a first run.
    pub(super) inputs: ResolvedInputs,
    /// Its entries.
    pub(super) map: LintMap,
}

/// The entries of a dance.
pub(super) enum LintMap {
    /// These.
    Entries(CacheMap),
    /// The action would end here.
    Refused(CacheMapError),
    /// They depend on what only a run knows.
    Unknown,
}

impl<'a> LintJob<'a> {
    /// Looks at a job.
    pub(super) fn new(
        plan: &'a JobPlan,
        workflow: &'a Workflow,
        files: &'a dyn LintFiles,
        elsewhere: &'a [SharedCache],
    ) -> Self {
        let triggers = triggers::of(workflow);
        let mut job = Self {
            plan,
            workflow,
            files,
            triggers,
            caches: Vec::new(),
            dances: Vec::new(),
            builds: Vec::new(),
            elsewhere,
        };
        let values = PlanValues { plan, workflow, files, arm: Arm::First, trigger: &job.triggers[0] };
        let arm64 = job.labels().is_none_or(|labels| labels.iter().any(|label| label.contains("arm")));
        let mut builds = Vec::new();
        let (mut caches, mut dances) = (Vec::new(), Vec::new());
        for step in &plan.steps {
            match &step.action {
                Action::Cache(part) => caches.push(cache(&values, step, *part)),
                Action::Dance(mode) => dances.push(dance(&values, step, *mode)),
                Action::BuildPush => builds.push(LintBuild::new(&values, step, arm64)),
                _ => {}
            }
        }
        (job.caches, job.dances, job.builds) = (caches, dances, builds);
        job
    }

    /// Tells whether the job is one to look at: it dances, or it builds with cache mounts.
    pub(super) fn concerns(&self) -> bool {
        !self.dances.is_empty() || self.builds.iter().any(|build| !build.mounts.is_empty() || !build.idle.is_empty())
    }

    /// The workflow's text.
    pub(super) fn source(&self) -> &'a Source {
        self.plan.source()
    }

    /// The values of one run.
    pub(super) fn values<'v>(&'v self, arm: Arm, trigger: &'v Trigger) -> PlanValues<'v> {
        PlanValues { plan: self.plan, workflow: self.workflow, files: self.files, arm, trigger }
    }

    /// The values of the commonest first run.
    pub(super) fn first(&self) -> PlanValues<'_> {
        self.values(Arm::First, &self.triggers[0])
    }

    /// The job as it is written.
    pub(super) fn written(&self) -> Option<&'a Job> {
        self.workflow.jobs.iter().find(|job| job.id == self.plan.job_id)
    }

    /// The labels of the job's runner; `None` where they are not known.
    pub(super) fn labels(&self) -> Option<Vec<&str>> {
        let labels = self.written()?.runs_on.as_ref()?;
        let plain = labels.iter().all(|label| !label.value.contains("${{"));
        plain.then(|| labels.iter().map(|label| label.value.as_str()).collect())
    }

    /// Tells whether the job's runner is one of GitHub's own, which is fresh in every run and has no rights outside home.
    pub(super) fn is_hosted(&self) -> bool {
        let hosted = |label: &&str| ["ubuntu-", "windows-", "macos-"].iter().any(|os| label.starts_with(os));
        self.labels().is_some_and(|labels| labels.len() == 1 && labels.iter().all(hosted))
    }

    /// Tells whether a step that nobody reads here may carry or change what the job caches.
    pub(super) fn has_other_carriers(&self) -> bool {
        self.plan.steps.iter().any(|step| match &step.action {
            Action::NotReproduced { what, .. } => match &step.uses {
                Some(_) => what.starts_with("./") || what.to_ascii_lowercase().contains("cache"),
                None => false,
            },
            _ => false,
        })
    }

    /// Tells whether an action of the repository itself takes part, whose steps are not read here.
    pub(super) fn has_local_actions(&self) -> bool {
        let local =
            |step: &PlannedStep| matches!(&step.action, Action::NotReproduced { what, .. } if what.starts_with("./"));
        self.plan.steps.iter().any(local)
    }

    /// The text of a step.
    pub(super) fn text_of(&self, step: &PlannedStep) -> &'a str {
        self.source().text.get(step.span.start..step.span.end).unwrap_or_default()
    }

    /// Tells whether a step builds, or may build, by other means than docker/build-push-action.
    pub(super) fn builds_otherwise(&self) -> bool {
        self.plan.steps.iter().filter(|step| is_unread(step)).any(|step| {
            let text = self.text_of(step);
            builds_unread(step)
                || step.uses.is_none()
                    && ["docker", "make", "task ", "buildx", "bake"].iter().any(|word| text.contains(word))
        })
    }

    /// Tells whether the stage that a build takes part in is known.
    pub(super) fn knows_target(&self, build: &LintBuild<'_>) -> bool {
        self.first().input(build.step, "target").is_none_or(|target| target.known)
    }

    /// Tells whether the version of every dance is known.
    pub(super) fn knows_dances(&self) -> bool {
        self.dances.iter().all(|dance| dance.behaviour.dance.known)
    }

    /// The host directories of every dance.
    pub(super) fn sources(&self) -> Vec<&str> {
        let entries = self.dances.iter().filter_map(|dance| dance.entries());
        entries.flat_map(|map| &map.entries).map(|entry| entry.source.as_str()).collect()
    }

    /// Tells whether a cache step carries a directory of a dance, as far as that is known.
    pub(super) fn carries(&self, cache: &LintCache<'_>) -> bool {
        let sources = self.sources();
        let covered =
            |path: &String| path.contains(UNKNOWN) || sources.iter().any(|source| crate::verify::covers(path, source));
        !self.dances.is_empty() && cache.paths.iter().any(covered)
    }

    /// Points at an input of a step, or at the step where the input is not given.
    pub(super) fn at_input(&self, step: &PlannedStep, name: &str, label: &'static str) -> LintPlace {
        let span = step
            .input(name)
            .map_or_else(|| step_span(step), |template| place::input_span(self.source(), template.span()));
        LintPlace::new(self.source(), span, label)
    }

    /// Points at a step.
    pub(super) fn at_step(&self, step: &PlannedStep, label: &'static str) -> LintPlace {
        LintPlace::new(self.source(), step_span(step), label)
    }
}

impl LintDance<'_> {
    /// Its entries, where they are known.
    pub(super) fn entries(&self) -> Option<&CacheMap> {
        match &self.map {
            LintMap::Entries(map) => Some(map),
            _ => None,
        }
    }

    /// Tells whether it takes its entries from the Dockerfile.
    pub(super) fn discovers(&self) -> bool {
        self.entries().is_some_and(|map| map.origin == MapOrigin::Dockerfile)
    }
}

/// The place of a step: what it uses, or its first line.
pub(super) fn step_span(step: &PlannedStep) -> Span {
    step.uses.as_ref().map_or(step.span, |uses| uses.span)
}

fn cache<'a>(values: &PlanValues<'_>, step: &'a PlannedStep, part: CacheStepPart) -> LintCache<'a> {
    let text = |template: &Template| values.resolve(step, template);
    let lines = |name: &str| -> Vec<String> {
        let found = step.input(name).map(text).map(|found| found.text).unwrap_or_default();
        found.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    let key = step.input("key").map(text).unwrap_or(Resolved { text: String::new(), known: true });
    LintCache {
        step,
        part,
        paths: lines("path"),
        restore_keys: lines("restore-keys"),
        key,
        lookup_only: values.input(step, "lookup-only").is_some_and(|given| !given.known || given.text == "true"),
    }
}

fn dance<'a>(values: &PlanValues<'_>, step: &'a PlannedStep, mode: DanceMode) -> LintDance<'a> {
    let behaviour = step.uses.as_ref().map_or_else(|| Behaviour::identify("", ""), Behaviour::of_action);
    let given: Vec<(String, Resolved)> =
        step.with.iter().map(|(name, template)| (name.clone(), values.resolve(step, template))).collect();
    let lookup = |name: &str| {
        given.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.text.clone())
    };
    let inputs = ResolvedInputs::from_with(&lookup, &behaviour);
    let known = |name: &str| given.iter().all(|(given, value)| !given.eq_ignore_ascii_case(name) || value.known);
    let map = entries(values, step, &inputs, &behaviour, known("cache-map"), known("dockerfile"));
    LintDance { step, mode, behaviour, inputs, map }
}

fn entries(
    values: &PlanValues<'_>,
    step: &PlannedStep,
    inputs: &ResolvedInputs,
    behaviour: &Behaviour,
    map_known: bool,
    file_known: bool,
) -> LintMap {
    // A map whose values are all unknown may be anything.
    if inputs.cache_map.trim() == UNKNOWN {
        return LintMap::Unknown;
    }
    let path = crate::plan::path_in_repository("", &inputs.dockerfile);
    let text = path.filter(|_| file_known).and_then(|path| values.files.read(&path)).map(|source| source.text);
    let parsed = text.as_ref().map(|text| Dockerfile::parse(&Source::new(inputs.dockerfile.clone(), text.clone())));
    let there = values.checked_out_before(step);
    let dockerfile = match &parsed {
        Some(Ok(file)) if there != Some(false) => DockerfileInput::Parsed(file),
        _ => DockerfileInput::Missing,
    };
    match cache_map(inputs, behaviour, dockerfile) {
        Ok(map) => LintMap::Entries(map),
        Err(_) if !map_known && !inside_names(&inputs.cache_map) => LintMap::Unknown,
        // Without a map it wants the Dockerfile, which another step may bring.
        Err(error) if error.place.is_none() && inputs.cache_map.trim() == "{}" => {
            let sure = file_known
                && there.is_some()
                && (there == Some(false) || parsed.is_none() || matches!(parsed, Some(Ok(_))));
            if sure { LintMap::Refused(error) } else { LintMap::Unknown }
        }
        Err(error) => LintMap::Refused(error),
    }
}

/// Tells whether what is not known stands inside the names and targets of a map only, where no value makes or mends JSON.
fn inside_names(map: &str) -> bool {
    map.match_indices(UNKNOWN).all(|(at, _)| map[..at].replace("\\\"", "").matches('"').count() % 2 == 1)
}
