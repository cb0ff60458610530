//! What the list of a repository's cache entries adds to its logs. [`CacheList`] is principal.
//!
//! The list is of now, a run was then: an entry may have come, gone or been made anew since. So it names a cause only where
//! no other reading is left; the rest is told in a note. Like any file at hand it never makes a check pass.

use super::answer::{CacheEntry, CachesPage, WorkflowRun};
use super::client::{Gh, GhError};
use super::fetch::encoded;
use crate::cache::Compression;
use crate::evidence::{CacheInputs, Event, Fact, Lookup, MissCause, Quote, SaveOutcome, StepId};
use crate::log::LoggedJob;
use crate::verify::{Note, size};

/// An archive below this prints as `~0 MB`.
const EMPTY: u64 = 524_288;

/// How many entries one answer holds; with more than that the list is not whole.
const PAGE: usize = 100;

/// The entries of the repository's caches, asked for by key.
#[derive(Debug)]
pub(in crate::cli) struct CacheList {
    gh: Gh,
    readable: Vec<String>,
    /// The run reads the default branch's entries alone: what it cannot read, it is there to save.
    on_default: bool,
    /// The number of its pull request is not known, so that any pull request's entries may be its own.
    pull_unknown: bool,
}

/// What the list adds to the judged run.
#[derive(Debug, Default)]
pub(in crate::cli) struct CacheFacts {
    /// To be added to the judged job's events.
    pub(in crate::cli) events: Vec<Event>,
    /// To be told.
    pub(in crate::cli) notes: Vec<Note>,
}

impl CacheList {
    /// Prepares the questions of a run.
    pub(super) fn new(gh: Gh, run: &WorkflowRun, default_branch: &str) -> Self {
        let default = format!("refs/heads/{default_branch}");
        let branch = run.head_branch.as_deref().unwrap_or_default();
        let own = match run.of_pull_request() {
            true => run.pull_requests.iter().map(|pull| format!("refs/pull/{}/merge", pull.number)).collect(),
            // A tag's name stands where else the branch's does.
            false => vec![format!("refs/heads/{branch}"), format!("refs/tags/{branch}")],
        };
        let pull_unknown = run.of_pull_request() && own.is_empty();
        let mut readable = own.clone();
        readable.extend(run.pull_requests.iter().map(|pull| format!("refs/heads/{}", pull.base.name)));
        readable.push(default.clone());
        Self { gh, on_default: !run.of_pull_request() && own.contains(&default), readable, pull_unknown }
    }

    /// Asks for the entries whose key begins so; `None` where the list is longer than one answer.
    fn entries(&self, key: &str) -> Result<Option<Vec<CacheEntry>>, GhError> {
        let page: CachesPage = self.gh.document(&format!("/actions/caches?per_page={PAGE}&key={}", encoded(key)))?;
        let whole = page.total_count <= page.actions_caches.len();
        Ok(whole.then_some(page.actions_caches))
    }

    fn reads(&self, entry: &CacheEntry) -> bool {
        entry.scope.as_deref().is_none_or(|scope| {
            self.readable.iter().any(|known| known == scope) || (self.pull_unknown && scope.starts_with("refs/pull/"))
        })
    }

    /// Finds what the list adds to the last of a job's runs.
    pub(in crate::cli) fn facts(&self, runs: &[LoggedJob]) -> CacheFacts {
        let mut facts = CacheFacts::default();
        let Some((judged, earlier)) = runs.split_last() else { return facts };
        for step in restoring(judged) {
            match self.of_step(&step, earlier, &mut facts) {
                Ok(()) => {}
                Err(error) => {
                    let text = format!("the list of the repository's caches could not be read: {}", error.words());
                    facts.notes.push(Note { text, evidence: Vec::new() });
                    return facts;
                }
            }
        }
        facts
    }

    fn of_step(&self, step: &RestoringStep, earlier: &[LoggedJob], facts: &mut CacheFacts) -> Result<(), GhError> {
        if let Some(key) = step.hit {
            let Some(entries) = self.entries(key)? else { return Ok(()) };
            let same: Vec<&CacheEntry> = entries.iter().filter(|entry| entry.key == key && self.reads(entry)).collect();
            let [entry] = same[..] else {
                let text = match same.len() {
                    0 => format!("`{key}` is not in the repository's list of caches any more"),
                    count => {
                        format!("the repository's list of caches has `{key}` {count} times, for several paths or refs")
                    }
                };
                facts.notes.push(Note { text, evidence: Vec::new() });
                return Ok(());
            };
            let before = |at| entry.created().is_some_and(|created| created <= at);
            if step.size.is_none() && step.at.is_some_and(before) {
                let fact = Fact::CacheSize { bytes: entry.size_in_bytes };
                facts.events.push(Event { step: step.step, at: step.at, quote: quote(entry), fact });
            }
            facts.notes.push(Note { text: told(entry), evidence: vec![quote(entry)] });
            return Ok(());
        }
        if !step.missed {
            return Ok(());
        }
        let Some(inputs) = step.inputs else { return Ok(()) };
        let mut entries = Vec::new();
        for prefix in prefixes(inputs) {
            match self.entries(prefix)? {
                Some(found) => entries.extend(found),
                None => return Ok(()),
            }
        }
        let then: Vec<&CacheEntry> =
            entries.iter().filter(|entry| step.at.zip(entry.created()).is_some_and(|(at, made)| made < at)).collect();
        let (read, closed): (Vec<&CacheEntry>, Vec<&CacheEntry>) =
            then.into_iter().partition(|entry| self.reads(entry));
        if let Some(entry) = read.first() {
            let text = format!(
                "{}; it was there when this run found nothing: another version (other paths or another compression), or the \
                 cache service gave no answer",
                told(entry)
            );
            facts.notes.push(Note { text, evidence: vec![quote(entry)] });
        } else if let Some(entry) = closed.first() {
            let scope = entry.scope.clone().unwrap_or_default();
            if self.on_default {
                let text = format!("{}; runs of the default branch cannot read it", told(entry));
                facts.notes.push(Note { text, evidence: vec![quote(entry)] });
            } else {
                let fact = Fact::CacheMissCause(MissCause::OutOfScope { key: entry.key.clone(), scope });
                facts.events.push(Event { step: step.step, at: step.at, quote: quote(entry), fact });
            }
        } else if let Some((key, saved)) = gone(inputs, earlier, &entries, step.packed) {
            let text =
                format!("`{key}` was saved by an earlier run and is not in the list of caches: evicted, or deleted");
            let fact = Fact::CacheMissCause(MissCause::Evicted { key });
            let listed = Quote::measured("the repository's caches", "no entry of this key");
            facts.events.push(Event { step: step.step, at: step.at, quote: listed, fact });
            facts.notes.push(Note { text, evidence: vec![saved] });
        }
        Ok(())
    }

    /// Says which entries the repository has that hold nothing, for a run whose logs are gone.
    pub(super) fn still_there(&self) -> Option<String> {
        let page: CachesPage = self.gh.document(&format!("/actions/caches?per_page={PAGE}")).ok()?;
        let (empty, full): (Vec<&CacheEntry>, Vec<&CacheEntry>) =
            page.actions_caches.iter().filter(|entry| self.reads(entry)).partition(|entry| entry.size_in_bytes < EMPTY);
        let mut lines =
            vec![format!("the repository's caches that this run can read now: {}", empty.len() + full.len())];
        for entry in empty.iter().take(5) {
            lines.push(format!(
                "  {}: empty; once its key is used again it is restored as it is (see: explain cache-locked)",
                told(entry)
            ));
        }
        lines.extend(full.iter().take(5).map(|entry| format!("  {}", told(entry))));
        Some(lines.join("\n"))
    }
}

/// One step that restores, as its log shows it.
struct RestoringStep<'a> {
    step: Option<StepId>,
    at: Option<std::time::SystemTime>,
    inputs: Option<&'a CacheInputs>,
    hit: Option<&'a str>,
    missed: bool,
    size: Option<u64>,
    packed: Option<Compression>,
}

fn restoring(job: &LoggedJob) -> Vec<RestoringStep<'_>> {
    let mut found: Vec<RestoringStep> = Vec::new();
    for event in &job.events {
        let Fact::CacheLookup(lookup) = &event.fact else { continue };
        if found.iter().any(|known| known.step == event.step) {
            continue;
        }
        let of_step = || job.events.iter().filter(|other| other.step == event.step);
        let restored = of_step().find_map(|other| match &other.fact {
            Fact::CacheRestored { key } => Some(key.as_str()),
            _ => None,
        });
        let looked_up = match lookup {
            Lookup::Exact { key } | Lookup::Partial { key } | Lookup::Hit { key } | Lookup::LookupOnly { key } => {
                Some(key.as_str())
            }
            Lookup::Miss => None,
        };
        found.push(RestoringStep {
            step: event.step,
            at: event.at,
            inputs: of_step().find_map(|other| match &other.fact {
                Fact::CacheInputs(inputs) => Some(inputs),
                _ => None,
            }),
            hit: restored.or(looked_up),
            missed: *lookup == Lookup::Miss,
            size: of_step().find_map(|other| match &other.fact {
                Fact::CacheSize { bytes } => Some(*bytes),
                _ => None,
            }),
            packed: compression(job),
        });
    }
    found
}

fn compression(job: &LoggedJob) -> Option<Compression> {
    job.events.iter().find_map(|event| match event.fact {
        Fact::CacheCompressed(how) => Some(how),
        _ => None,
    })
}

/// The beginnings of keys that a lookup matches, without those that another covers.
fn prefixes(inputs: &CacheInputs) -> Vec<&str> {
    let all: Vec<&str> =
        std::iter::once(inputs.key.as_str()).chain(inputs.restore_keys.iter().map(String::as_str)).collect();
    let mut kept: Vec<&str> = Vec::new();
    for key in &all {
        let covered = all.iter().any(|other| key.starts_with(other) && other.len() < key.len());
        if !covered && !kept.contains(key) {
            kept.push(key);
        }
    }
    kept
}

/// Finds what an earlier run saved for the same paths under a key that matches, and the list lacks.
fn gone(
    asked: &CacheInputs,
    earlier: &[LoggedJob],
    entries: &[CacheEntry],
    packed: Option<Compression>,
) -> Option<(String, Quote)> {
    let matches =
        |key: &str| key == asked.key || asked.restore_keys.iter().any(|prefix| key.starts_with(prefix.as_str()));
    earlier.iter().rev().find_map(|job| {
        let event = job.events.iter().find(|event| {
            matches!(&event.fact, Fact::CacheSave(SaveOutcome::Saved { key }) if matches(key) && entries.iter().all(|entry| entry.key != *key))
        })?;
        let Fact::CacheSave(SaveOutcome::Saved { key }) = &event.fact else { return None };
        let same_paths = job.events.iter().any(
            |other| matches!(&other.fact, Fact::CacheInputs(inputs) if inputs.key == *key && inputs.paths == asked.paths),
        );
        let other_packing = compression(job).zip(packed).is_some_and(|(saved, asked)| saved != asked);
        (same_paths && !other_packing).then(|| (key.clone(), event.quote.clone()))
    })
}

fn told(entry: &CacheEntry) -> String {
    let scope = entry.scope.as_deref().unwrap_or("no ref");
    let at =
        |time: &Option<String>| time.as_deref().map_or("unknown", |time| time.get(..19).unwrap_or(time)).to_owned();
    format!(
        "cache entry `{}`: {}, of {scope}, made {}, last used {}",
        entry.key,
        size(entry.size_in_bytes),
        at(&entry.created_at),
        at(&entry.last_accessed_at)
    )
}

fn quote(entry: &CacheEntry) -> Quote {
    Quote::measured("the repository's caches", told(entry))
}
