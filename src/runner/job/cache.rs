//! The actions/cache steps: restore in main, save in post or in main. Semantics and wording are the cache storey's.

use std::time::SystemTime;

use super::{StepContext, StepResult, WORKSPACE};
use crate::cache::{
    ActionKind, ActionLine, AfterArchive, BeforeArchive, CacheRelease, Compression, DEFAULT_MAX_IDLE, EntryId,
    EntryMeta, Identity, Inputs, Key, Keys, LookupOutcome, LookupRequest, MissReason, Outputs, ReserveAnswer, Scope,
    Version, after_archive, before_archive, restore_lines, save_lines,
};
use crate::engine::Engine;
use crate::evidence::{CacheInputs, CacheMode, Fact, Lookup, MissCause, NotSaved, Quote, SaveOutcome, StepOutcome};
use crate::plan::{self, Action, PlannedStep};
use crate::runner::archive::{self, ArchiveError, Manifest};
use crate::runner::store::Store;
use crate::runner::{RunError, stream};

/// The compression of a runner that has zstd, as GitHub's have.
const COMPRESSION: Compression = Compression::Zstd;

/// Where the action keeps a downloaded archive, as its log names it.
const TEMP: &str = "/home/runner/work/_temp/cache";

/// The defaults the header prints.
const DEFAULTS: [(&str, &str); 3] =
    [("enableCrossOsArchive", "false"), ("fail-on-cache-miss", "false"), ("lookup-only", "false")];

/// What a restore leaves for its post step: the key, which is not evaluated again there as the paths are, and the key that
/// it found. Source: actions/cache `src/saveImpl.ts` (`State.CachePrimaryKey`)
#[derive(Debug, Clone)]
pub(super) struct Restored {
    primary: Key,
    matched: Option<String>,
}

/// What a lookup found, without the borrow of the store.
struct FoundEntry {
    id: EntryId,
    key: String,
    size: u64,
    exact: bool,
}

impl<E: Engine> StepContext<'_, E> {
    /// The main step of actions/cache, and actions/cache/restore.
    pub(super) async fn restore(&mut self, step: &PlannedStep) -> StepResult {
        let header = self.header(step, &DEFAULTS)?;
        let release = release(step);
        let Some((inputs, keys)) = self.cache_inputs(step, Some(header))? else { return Ok(StepOutcome::Failure) };
        self.restored.insert(step.index, Restored { primary: keys.primary.clone(), matched: None });
        let request = LookupRequest {
            keys: keys.clone(),
            version: Version::of(&inputs.paths, COMPRESSION),
            scopes: self.readable(),
        };
        let permission = self.plan.permission();
        if !permission.can_read() {
            let line = restore_lines::read_denied(release, permission);
            self.say(&line)?;
            self.recorder.fact(Fact::CacheRestoreFailed { reason: line.text });
            self.say(&restore_lines::missed(&keys, inputs.fail_on_cache_miss))?;
            self.cache_outputs(step, &Outputs::of(&inputs.key, None), action_kind(step));
            let outcome = if inputs.fail_on_cache_miss { StepOutcome::Failure } else { StepOutcome::Success };
            return Ok(outcome);
        }
        let now = self.clock.now();
        let found = match self.store.lookup(&request) {
            LookupOutcome::Miss { reason } => Err((miss_cause(self.store, &reason), words(self.store, &reason))),
            LookupOutcome::Exact { entry } => Ok((entry, true)),
            LookupOutcome::Partial { entry, .. } => Ok((entry, false)),
        };
        let found = found.map(|(entry, exact)| FoundEntry {
            id: entry.id,
            key: entry.identity.key.as_str().to_owned(),
            size: entry.size,
            exact,
        });
        let kind = action_kind(step);
        let found = match found {
            Ok(found) => found,
            Err((cause, words)) => {
                let warning = restore_lines::miss_warning(release, &keys);
                for line in warning.into_iter().chain([restore_lines::missed(&keys, inputs.fail_on_cache_miss)]) {
                    self.say(&line)?;
                }
                self.recorder.fact(Fact::CacheLookup(Lookup::Miss));
                self.recorder.fact_at(Quote::measured("cache store", words), Fact::CacheMissCause(cause));
                self.cache_outputs(step, &Outputs::of(&inputs.key, None), kind);
                let outcome = if inputs.fail_on_cache_miss { StepOutcome::Failure } else { StepOutcome::Success };
                return Ok(outcome);
            }
        };
        self.say(&restore_lines::hit(release, &inputs.key, &found.key))?;
        let lookup = match (inputs.lookup_only, found.exact) {
            (true, _) => Lookup::LookupOnly { key: found.key.clone() },
            (false, true) => Lookup::Exact { key: found.key.clone() },
            (false, false) => Lookup::Partial { key: found.key.clone() },
        };
        self.recorder.fact(Fact::CacheLookup(lookup));
        if inputs.lookup_only {
            self.say(&restore_lines::lookup_only())?;
            self.say(&restore_lines::found(&found.key))?;
            self.cache_outputs(step, &Outputs::of(&inputs.key, Some(&found.key)), kind);
            self.matched(step, found.key);
            return Ok(StepOutcome::Success);
        }
        self.store.touch(found.id, now)?;
        let began = self.clock.now();
        let (path, layout) = (self.store.archive(found.id), self.layout.clone());
        let modes = self.setting.user.modes();
        let result = stream::blocking(move || archive::extract_as(&path, COMPRESSION, &layout, modes)).await?;
        self.copied_since(began);
        self.say(&restore_lines::received(found.size, found.size, self.since(began)))?;
        self.say(&restore_lines::size(found.size))?;
        self.recorder.fact(Fact::CacheSize { bytes: found.size });
        self.say(&restore_lines::command(WORKSPACE, TEMP, COMPRESSION))?;
        if let Err(error) = result {
            if let Some(full) = disk_full(&error) {
                return Err(full(error));
            }
            if matches!(error, ArchiveError::Truncated { .. } | ArchiveError::Stream { .. }) {
                for line in restore_lines::archive_is_cut(COMPRESSION) {
                    self.say(&line)?;
                }
            }
            self.say(&restore_lines::tar_failed())?;
            self.recorder.fact(Fact::CacheRestoreFailed { reason: error.to_string() });
            self.say(&restore_lines::missed(&keys, inputs.fail_on_cache_miss))?;
            self.cache_outputs(step, &Outputs::of(&inputs.key, None), kind);
            return Ok(if inputs.fail_on_cache_miss { StepOutcome::Failure } else { StepOutcome::Success });
        }
        self.say(&restore_lines::unpacked())?;
        self.say(&restore_lines::restored(&found.key))?;
        self.recorder.fact(Fact::CacheRestored { key: found.key.clone() });
        self.cache_outputs(step, &Outputs::of(&inputs.key, Some(&found.key)), kind);
        self.matched(step, found.key);
        Ok(StepOutcome::Success)
    }

    /// A save: the post step of actions/cache, with what its restore left, or actions/cache/save.
    pub(super) async fn save(&mut self, step: &PlannedStep) -> StepResult {
        let in_main = step.action == Action::Cache(plan::CacheStepPart::Save);
        let header = match in_main {
            true => Some(self.header(step, &[("enableCrossOsArchive", "false")])?),
            false => None,
        };
        let release = release(step);
        let Some((inputs, keys)) = self.cache_inputs(step, header)? else { return Ok(StepOutcome::Success) };
        let restored = self.restored.get(&step.index).cloned();
        let restored = restored.unwrap_or(Restored { primary: keys.primary, matched: None });
        let key = restored.primary.as_str().to_owned();
        let permission = self.plan.permission();
        match before_archive(release, &key, restored.matched.as_deref(), permission) {
            BeforeArchive::NotSaving => {
                self.say(&save_lines::not_saving(&key))?;
                return self.not_saved(NotSaved::PrimaryHit { key }, &[]);
            }
            BeforeArchive::ModeForbids => {
                let line = save_lines::mode_forbids(permission);
                self.say(&line)?;
                return self.not_saved(NotSaved::ReadOnly { reason: line.text }, &[]);
            }
            BeforeArchive::Archive => {}
        }
        let began = self.clock.now();
        let staging = self.store.staging(&format!("run-{}-step-{}", self.number, step.index));
        let (layout, paths, file) = (self.layout.clone(), inputs.paths.clone(), staging.clone());
        let made = stream::blocking(move || {
            let manifest = Manifest::resolve(&paths, &layout)?;
            archive::create(&manifest, &layout, COMPRESSION, &file)
        })
        .await?;
        self.copied_since(began);
        let failed = if in_main { save_lines::save_failed(release).into_iter().collect() } else { Vec::new() };
        let made = match made {
            Ok(made) => made,
            Err(error @ ArchiveError::PathValidation) => {
                self.say(&save_lines::rejected(&error))?;
                return self.not_saved(NotSaved::PathMissing, &failed);
            }
            Err(error) => {
                if let Some(full) = disk_full(&error) {
                    return Err(full(error));
                }
                self.say(&save_lines::command(WORKSPACE, COMPRESSION))?;
                self.say(&save_lines::tar_failed())?;
                return self.not_saved(NotSaved::Failed { reason: error.to_string() }, &failed);
            }
        };
        self.say(&save_lines::command(WORKSPACE, COMPRESSION))?;
        let identity =
            Identity { key: restored.primary, version: Version::of(&inputs.paths, COMPRESSION), scope: self.scope() };
        let mut reservation = None;
        let answer = after_archive(release, made.bytes, || {
            if !permission.can_write() {
                return ReserveAnswer::read_only();
            }
            reservation = self.store.reserve(identity);
            if reservation.is_some() { ReserveAnswer::Granted } else { ReserveAnswer::Conflict }
        });
        let Some(reservation) = reservation.filter(|_| answer == AfterArchive::Upload) else {
            let _ = std::fs::remove_file(&staging);
            return self.refused(release, answer, &key, made.bytes, &failed);
        };
        self.store.commit(reservation, &staging, self.clock.now())?;
        self.say(&save_lines::sent(made.bytes, made.bytes, self.since(began)))?;
        self.recorder.fact(Fact::CacheSaveSize { bytes: made.bytes });
        self.say(&save_lines::saved(&key))?;
        self.recorder.fact(Fact::CacheSave(SaveOutcome::Saved { key }));
        Ok(StepOutcome::Success)
    }

    /// An archive that was made in vain.
    fn refused(
        &mut self,
        release: CacheRelease,
        answer: AfterArchive,
        key: &str,
        bytes: u64,
        failed: &[ActionLine],
    ) -> StepResult {
        let (lines, why) = match answer {
            AfterArchive::TooLarge => {
                let line = save_lines::too_large(bytes);
                (vec![line.clone()], NotSaved::Failed { reason: line.text })
            }
            AfterArchive::Denied(reason) => (save_lines::denied(release, key, &reason), NotSaved::ReadOnly { reason }),
            AfterArchive::Conflict | AfterArchive::Upload => {
                (vec![save_lines::conflict(release, key)], NotSaved::AlreadyExists { key: key.to_owned() })
            }
        };
        // The first line gives the service's reason; the second, where there is one, only what became of it.
        let mut reason = None;
        for line in lines {
            reason = reason.or(Some(self.recorder.line(&line.raw())?));
        }
        match reason {
            Some(quote) => self.recorder.fact_at(quote, Fact::CacheSave(SaveOutcome::NotSaved(why))),
            None => self.recorder.fact(Fact::CacheSave(SaveOutcome::NotSaved(why))),
        }
        for line in failed {
            self.say(line)?;
        }
        Ok(StepOutcome::Success)
    }

    fn not_saved(&mut self, why: NotSaved, lines: &[ActionLine]) -> StepResult {
        self.recorder.fact(Fact::CacheSave(SaveOutcome::NotSaved(why)));
        for line in lines {
            self.say(line)?;
        }
        Ok(StepOutcome::Success)
    }

    /// Reads and checks the inputs, and emits them; what is wrong is logged in the action's words.
    fn cache_inputs(&mut self, step: &PlannedStep, header: Option<Quote>) -> Result<Option<(Inputs, Keys)>, RunError> {
        let given = self.inputs(step)?;
        let inputs = match Inputs::parse(given.iter().map(|(name, value)| (name.as_str(), value.as_str()))) {
            Ok(inputs) => inputs,
            Err(error) => {
                self.recorder.error(&error.to_string())?;
                return Ok(None);
            }
        };
        let keys = match Keys::new(inputs.key.clone(), inputs.restore_keys.clone()) {
            Ok(keys) => keys,
            Err(error) => {
                self.recorder.error(&error.to_string())?;
                return Ok(None);
            }
        };
        if let Some(header) = header {
            self.recorder.fact_at(
                header,
                Fact::CacheInputs(CacheInputs {
                    mode: match &step.action {
                        Action::Cache(plan::CacheStepPart::Restore) => CacheMode::Restore,
                        Action::Cache(plan::CacheStepPart::Save) => CacheMode::Save,
                        _ => CacheMode::RestoreAndSave,
                    },
                    paths: inputs.paths.clone(),
                    key: inputs.key.clone(),
                    restore_keys: inputs.restore_keys.clone(),
                }),
            );
        }
        Ok(Some((inputs, keys)))
    }

    fn matched(&mut self, step: &PlannedStep, key: String) {
        if let Some(restored) = self.restored.get_mut(&step.index) {
            restored.matched = Some(key);
        }
    }

    fn cache_outputs(&mut self, step: &PlannedStep, outputs: &Outputs, kind: ActionKind) {
        for (name, value) in outputs.pairs(kind) {
            self.output(step, name, &value);
        }
    }

    fn say(&mut self, line: &ActionLine) -> Result<(), RunError> {
        self.recorder.line(&line.raw()).map(drop)
    }

    pub(super) fn scope(&self) -> Scope {
        Scope::new(self.plan.trigger.git_ref.clone())
    }

    /// Lists the scopes the run may read.
    pub(super) fn readable(&self) -> Vec<Scope> {
        let base = self.plan.trigger.base.as_deref().map(Scope::new);
        Scope::readable(&self.scope(), base.as_ref(), &Scope::new(plan::DEFAULT_BRANCH))
    }

    fn since(&self, began: SystemTime) -> std::time::Duration {
        self.clock.now().duration_since(began).unwrap_or_default()
    }
}

pub(super) fn release(step: &PlannedStep) -> CacheRelease {
    let uses = step.uses.as_ref();
    let reference = uses.and_then(|uses| uses.reference()).unwrap_or_default();
    // A commit with a version comment is that version.
    match uses.and_then(|uses| uses.version()) {
        Some((major, minor, patch)) if !reference.starts_with('v') => {
            let part = |part: Option<u32>| part.map_or(String::new(), |part| format!(".{part}"));
            CacheRelease::from_ref(&format!("v{major}{}{}", part(minor), part(patch)))
        }
        _ => CacheRelease::from_ref(reference),
    }
}

fn action_kind(step: &PlannedStep) -> ActionKind {
    match &step.action {
        Action::Cache(plan::CacheStepPart::Restore) => ActionKind::Restore,
        Action::Cache(plan::CacheStepPart::Save) => ActionKind::Save,
        _ => ActionKind::Cache,
    }
}

/// A full disk stops the harness; every other failure is the step's own.
fn disk_full(error: &ArchiveError) -> Option<fn(ArchiveError) -> RunError> {
    let full = error.hint().is_some_and(|hint| hint.contains("disk is full") || hint.contains("quota"));
    full.then_some(RunError::Archive)
}

pub(super) fn miss_cause(store: &Store, reason: &MissReason) -> MissCause {
    let key = |id| entry(store, id).map_or_else(String::new, |entry| Key::as_str(&entry.identity.key).to_owned());
    match reason {
        MissReason::EmptyStore | MissReason::NoMatchingKey => MissCause::NeverSaved,
        MissReason::Evicted { entry } => MissCause::Evicted { key: key(*entry) },
        MissReason::OtherVersion { entry, .. } => MissCause::OtherVersion { key: key(*entry) },
        MissReason::OutOfScope { entry, scope } => {
            MissCause::OutOfScope { key: key(*entry), scope: scope.as_str().to_owned() }
        }
    }
}

pub(super) fn words(store: &Store, reason: &MissReason) -> String {
    match miss_cause(store, reason) {
        MissCause::NeverSaved => "no entry was ever saved that these keys could match".to_owned(),
        MissCause::OtherVersion { key } => format!("`{key}` exists, saved for other paths or another compression"),
        MissCause::OutOfScope { key, scope } => format!("`{key}` exists, but in {scope}, which this run cannot read"),
        MissCause::Evicted { key } => format!("`{key}` was there and has been evicted{}", why_evicted(store, reason)),
    }
}

/// Says what an entry was evicted for.
fn why_evicted(store: &Store, reason: &MissReason) -> String {
    let MissReason::Evicted { entry: id } = reason else { return String::new() };
    let idle = entry(store, *id).and_then(|entry| entry.evicted?.duration_since(entry.last_used).ok());
    match idle {
        Some(idle) if idle > DEFAULT_MAX_IDLE => {
            format!(", unused for {} days", idle.as_secs() / (24 * 60 * 60))
        }
        Some(_) => ", to keep the repository inside its limit".to_owned(),
        None => String::new(),
    }
}

fn entry(store: &Store, id: EntryId) -> Option<&EntryMeta> {
    store.entries().iter().find(|entry| entry.id == id)
}
