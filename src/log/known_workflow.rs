//! Adds what a workflow at hand says to what a log shows. [`with_workflow`] is principal.
//!
//! A log may lack the blocks that show a step's inputs, or its steps altogether. What the workflow says of them is added
//! as facts quoted at its lines; nothing that the log itself shows is changed. Only what needs no run to be known is
//! taken: an input with a hash, an output of a step or a secret in it stays unknown.

use std::cell::Cell;

use super::inputs::{self, StepKind};
use crate::evidence::{BuildInputs, CacheInputs, CacheMode, DanceInputs, Event, Fact, Lookup, Phase, Quote, StepId};
use crate::workflow::expr::{Contexts, HashFilesError, JobStatus, Template, Value, mentions};
use crate::workflow::{Job, Step, StepAction, Workflow, WorkflowVariables};

/// Chooses the job of a workflow that a log shows: by its name, else the only one that builds; `None` when that is open.
pub fn job_of<'a>(workflow: &'a Workflow, name: Option<&str>) -> Option<&'a Job> {
    let jobs = || workflow.jobs.iter().filter(|job| !job.steps.is_empty());
    // `caller / job` of a called workflow, `job (1.25, linux)` of a matrix.
    let bare = name.map(|name| name.rsplit(" / ").next().unwrap_or(name));
    let bare = bare.map(|name| name.split_once(" (").map_or(name, |(name, _)| name));
    let named =
        |job: &&Job| [name, bare].iter().flatten().any(|name| job.id == *name || job.name.as_deref() == Some(name));
    if let Some(job) = jobs().find(named) {
        return Some(job);
    }
    let mut building = jobs().filter(|job| steps(workflow, job).iter().any(|step| step.kind == StepKind::Build));
    building.next().filter(|_| building.next().is_none())
}

/// Adds what a job of a workflow says of the steps whose inputs the log does not show.
pub fn with_workflow(events: Vec<Event>, workflow: &Workflow, job: &Job) -> Vec<Event> {
    let known = steps(workflow, job);
    let shows_steps = events
        .iter()
        .any(|event| matches!(&event.fact, Fact::StepStarted { phase: Phase::Main, name, .. } if named(name, &known)));
    if shows_steps { beside(events, &known) } else { before(events, &known) }
}

fn named(name: &str, known: &[KnownStep]) -> bool {
    known.iter().any(|step| step.is(name))
}

/// Adds inputs to steps that the log shows without them.
fn beside(events: Vec<Event>, known: &[KnownStep]) -> Vec<Event> {
    let mut all = Vec::with_capacity(events.len());
    for event in &events {
        all.push(event.clone());
        let Fact::StepStarted { phase: Phase::Main, name, .. } = &event.fact else { continue };
        let alike = |other: &&Event| matches!(&other.fact, Fact::StepStarted { phase: Phase::Main, name: other, .. } if other == name);
        let mut candidates = known.iter().filter(|step| step.is(name));
        let (shown, written) = (events.iter().filter(alike).count(), known.iter().filter(|step| step.is(name)).count());
        // A step that was skipped would shift all that follow it.
        if shown != written {
            continue;
        }
        let nth = events.iter().filter(alike).position(|other| other.step == event.step).unwrap_or(0);
        let Some(step) = candidates.nth(nth) else { continue };
        let own = || events.iter().filter(|other| other.step == event.step);
        let fact = match step.kind {
            StepKind::Cache(mode) if !own().any(|other| matches!(other.fact, Fact::CacheInputs(_))) => {
                step.cache(mode, key_seen(own())).map(Fact::CacheInputs)
            }
            StepKind::Dance(_) => {
                let seen = own().find_map(|other| match &other.fact {
                    Fact::DanceInputs(inputs) => Some(inputs),
                    _ => None,
                });
                step.missing_in(seen).map(Fact::DanceInputs)
            }
            StepKind::Build if !own().any(|other| matches!(other.fact, Fact::BuildInputs(_))) => {
                step.build().map(Fact::BuildInputs)
            }
            _ => None,
        };
        // After what the step's block shows, so that it is not taken for older.
        all.extend(fact.map(|fact| Event { step: event.step, at: event.at, quote: step.quote.clone(), fact }));
    }
    all
}

/// Puts the steps of the workflow before a log that shows none, and gives them what it shows of caches, dances and builds.
fn before(events: Vec<Event>, known: &[KnownStep]) -> Vec<Event> {
    // Numbers that no step of the log has.
    let free = events.iter().filter_map(|event| event.step).map(|step| step.0 + 1).max().unwrap_or(0);
    let numbered: Vec<(StepId, &KnownStep)> =
        known.iter().enumerate().map(|(at, step)| (StepId(free + at), step)).collect();
    let only = |fits: fn(StepKind) -> bool| {
        let mut fitting = numbered.iter().filter(|(_, step)| fits(step.kind));
        fitting.next().filter(|_| fitting.next().is_none()).map(|(id, _)| *id)
    };
    let restores = only(|kind| matches!(kind, StepKind::Cache(CacheMode::RestoreAndSave | CacheMode::Restore)));
    let cache = only(|kind| matches!(kind, StepKind::Cache(_)));
    let dance = only(|kind| matches!(kind, StepKind::Dance(_)));
    let build = only(|kind| kind == StepKind::Build);
    let Some(first) = events.first() else { return events };
    let mut all = Vec::with_capacity(events.len() + 2 * numbered.len());
    for (id, step) in &numbered {
        let event = |fact| Event { step: Some(*id), at: first.at, quote: step.quote.clone(), fact };
        all.push(event(Fact::StepStarted { phase: Phase::Main, name: step.title(), of: None }));
        let inputs = match step.kind {
            StepKind::Cache(mode) => step.cache(mode, key_seen(events.iter())).map(Fact::CacheInputs),
            StepKind::Dance(_) => step.missing_in(None).map(Fact::DanceInputs),
            // Of a build that the log does not show, nothing is to be judged.
            StepKind::Build if shows_build(&events) => step.build().map(Fact::BuildInputs),
            _ => None,
        };
        all.extend(inputs.map(event));
    }
    for mut event in events {
        let owner = match &event.fact {
            Fact::CacheLookup(_)
            | Fact::CacheSize { .. }
            | Fact::CacheRestored { .. }
            | Fact::CacheRestoreFailed { .. } => restores,
            Fact::CacheSave(_) | Fact::CacheSaveSize { .. } => cache,
            Fact::DanceEntry { .. }
            | Fact::DanceFailed { .. }
            | Fact::DanceCrashed { .. }
            | Fact::DanceHung
            | Fact::DanceExtractSkipped => dance,
            Fact::BuildStarted { .. }
            | Fact::BuildMount(_)
            | Fact::GoPlace(_)
            | Fact::BuildStepFound { .. }
            | Fact::ModulesFetched { .. }
            | Fact::MountNotSeen { .. }
            | Fact::BuildStepCached { .. }
            | Fact::MountSize { .. }
            | Fact::Download { .. }
            | Fact::BuildTime(_)
            | Fact::VertexEnded(_)
            | Fact::BuildDoubt(_)
            | Fact::Proof(_)
            | Fact::ProofIgnored { .. }
            | Fact::HiddenWork(_)
            | Fact::BuildStepEnded { .. }
            | Fact::BuildEnded { .. } => build,
            _ => None,
        };
        event.step = owner.or(event.step);
        all.push(event);
    }
    all
}

fn shows_build(events: &[Event]) -> bool {
    events.iter().any(|event| matches!(event.fact, Fact::BuildStarted { .. }))
}

/// The key that a step's own lines name, for a key that the workflow computes.
fn key_seen<'a>(mut events: impl Iterator<Item = &'a Event>) -> Option<String> {
    events.find_map(|event| match &event.fact {
        Fact::CacheLookup(Lookup::Exact { key }) => Some(key.clone()),
        Fact::CacheLookup(Lookup::Miss) => {
            let keys = event.quote.text.strip_prefix("Cache not found for input keys: ")?;
            Some(keys.split(", ").next().unwrap_or(keys).trim().to_owned())
        }
        _ => None,
    })
}

/// A step of the workflow that matters.
struct KnownStep<'a> {
    step: &'a Step,
    kind: StepKind,
    text: String,
    quote: Quote,
    known: Static<'a>,
}

/// Lists the steps of a job that matter, in order.
fn steps<'a>(workflow: &'a Workflow, job: &'a Job) -> Vec<KnownStep<'a>> {
    let source = workflow.source();
    let list = job.steps.iter().filter_map(|step| {
        let (kind, text, span) = match &step.action {
            StepAction::Uses(action) => (StepKind::of_action(&action.text), action.text.clone(), action.span),
            StepAction::Run { script } => {
                inputs::command(&script.value)?;
                (StepKind::Build, script.value.lines().next().unwrap_or_default().to_owned(), script.span)
            }
        };
        let line = source.place(span.start).line;
        let shown = source.line(line).unwrap_or_default().trim();
        let quote = Quote::line(&source.name.as_str().into(), line, super::sink::harmless(shown));
        let matters = matches!(kind, StepKind::Cache(_) | StepKind::Dance(_) | StepKind::Build);
        let known = Static { levels: [&step.env, &job.env, &workflow.env], level: 0, unknown: Cell::new(false) };
        matters.then_some(KnownStep { step, kind, text, quote, known })
    });
    list.collect()
}

impl KnownStep<'_> {
    /// The name a log gives it when nobody named it.
    fn title(&self) -> String {
        format!("Run {}", self.text)
    }

    /// Tells whether a log calls it by this name.
    fn is(&self, name: &str) -> bool {
        name == self.text
            || name.strip_prefix("Run ") == Some(self.text.as_str())
            || self.step.name.as_ref().is_some_and(|own| own.value.trim() == name)
    }

    /// An input as far as it is known without a run.
    fn input(&self, name: &str) -> Option<String> {
        let text = self.step.with.get(name)?;
        self.known.text(&text.value).filter(|value| !value.trim().is_empty())
    }

    fn cache(&self, mode: CacheMode, seen: Option<String>) -> Option<CacheInputs> {
        let list = |value: String| -> Vec<String> {
            value.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
        };
        Some(CacheInputs {
            mode,
            paths: list(self.input("path")?),
            key: self.input("key").or(seen)?,
            restore_keys: self.input("restore-keys").map(list).unwrap_or_default(),
        })
    }

    /// The inputs of a dance where the log lacks one of them; `None` when it lacks nothing that the workflow knows.
    fn missing_in(&self, seen: Option<&DanceInputs>) -> Option<DanceInputs> {
        let mut inputs = seen.cloned().unwrap_or_else(|| DanceInputs {
            uses: self.text.clone(),
            known: true,
            ..DanceInputs::default()
        });
        let before = inputs.clone();
        let map = self.input("cache-map").filter(|map| !inputs::cache_map(map).is_empty());
        inputs.cache_map = inputs.cache_map.or(map);
        inputs.cache_dir = inputs.cache_dir.or_else(|| self.input("cache-dir"));
        inputs.skip_extraction = inputs.skip_extraction.or_else(|| self.input("skip-extraction"));
        inputs.builder = inputs.builder.or_else(|| self.input("builder"));
        (seen.is_none() || inputs != before).then_some(inputs)
    }

    fn build(&self) -> Option<BuildInputs> {
        if let StepAction::Run { script } = &self.step.action {
            return inputs::command(&script.value);
        }
        Some(BuildInputs {
            no_cache: self.input("no-cache").is_some_and(|value| value.trim().eq_ignore_ascii_case("true")),
            no_cache_filters: self.input("no-cache-filters").as_deref().map(inputs::stages).unwrap_or_default(),
            builder: self.input("builder"),
            cache_from: self.input("cache-from"),
            file: self.input("file").unwrap_or_else(|| "Dockerfile".to_owned()),
        })
    }
}

/// What can be said of a workflow's expressions without a run: its own variables, and the workspace.
struct Static<'a> {
    /// The variables of the step, the job and the workflow.
    levels: [&'a WorkflowVariables; 3],
    /// The first level that counts.
    level: usize,
    /// Something was asked for that only a run knows.
    unknown: Cell<bool>,
}

impl Static<'_> {
    /// Evaluates a text; `None` when only a run could.
    fn text(&self, text: &str) -> Option<String> {
        let template = Template::unplaced(text).ok()?;
        if ["secrets", "vars", "inputs"].iter().any(|context| mentions(&template, context)) {
            return None;
        }
        self.unknown.set(false);
        let value = template.evaluate(self).ok()?;
        (!self.unknown.replace(false)).then_some(value)
    }

    fn env(&self, name: &str) -> Option<String> {
        let (level, value) = (self.level..self.levels.len())
            .find_map(|level| Some((level, self.levels[level].iter().find(|(known, _)| *known == name)?.1)))?;
        // A variable may name others only of the levels above its own, so this ends.
        let above = Static { levels: self.levels, level: level + 1, unknown: Cell::new(false) };
        above.text(&value.value)
    }
}

impl Contexts for Static<'_> {
    fn lookup(&self, path: &[String]) -> Value {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let value = match words.as_slice() {
            ["env", name] => self.env(name),
            ["github", name] if name.eq_ignore_ascii_case("workspace") => Some("/github/workspace".to_owned()),
            _ => None,
        };
        match value {
            Some(value) => Value::String(value),
            None => {
                self.unknown.set(true);
                Value::Null
            }
        }
    }

    fn hash_files(&self, _: &[String]) -> Result<String, HashFilesError> {
        Err(HashFilesError { message: "only a run knows its files".to_owned() })
    }

    fn status(&self) -> JobStatus {
        self.unknown.set(true);
        JobStatus::Success
    }
}
