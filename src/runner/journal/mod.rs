//! What a start of the program makes, written to disk before it is made, so that another start can remove it. [`Journal`] is
//! principal.
//!
//! One file for each start, of lines of JSON, in a directory that only its user can read. The process that writes a file
//! holds a lock on it, and each second renews its time: so a dead one is known, and when it died. The file goes when nothing
//! is left of what it names. What it says is `entry`, how it is read again `abandoned`, who wrote it `process`.

mod abandoned;
mod entry;
mod process;

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::Clock;
use crate::engine::{BuildNote, BuildWitness, Namespace};
pub(crate) use abandoned::DIRECTORY_PREFIX;
pub use abandoned::{Abandoned, JournalSurvey, survey};
use entry::{JournalHeader, JournalLine, LoggedSpan, stamp};
use process::ProcessIdentity;

/// How often a journal is touched while its process lives.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// The ending of a journal's name.
const ENDING: &str = "jsonl";

/// The engine on which things are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineIdentity {
    /// Where it is reached.
    pub address: String,
    /// The name that it gave itself.
    pub id: String,
}

/// A journal that is being written; `None` inside where there is no place to write one. Copies share it.
#[derive(Debug, Clone, Default)]
pub struct Journal(Option<Arc<JournalFile>>);

/// A failure to write a journal.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the journal {}", path.display())]
pub struct JournalError {
    /// The file or directory.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl Journal {
    /// Returns one that writes nothing.
    pub fn none() -> Self {
        Self(None)
    }

    /// Begins a journal in a directory, which is made if it is missing. `word` tells it from all others.
    ///
    /// # Errors
    /// [`JournalError`]; nothing may then be relied on to be removed after a death.
    pub fn begin(dir: &Path, word: &str, engine: &EngineIdentity, clock: Clock) -> Result<Self, JournalError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| JournalError { path, source }
        };
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed(dir))?;
        let path = dir.join(format!("{word}.{ENDING}"));
        // Nobody takes it for a journal before its first line is there.
        let early = dir.join(format!("{word}.new"));
        let open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&early);
        let file = open.map_err(failed(&early))?;
        // Some file systems know no locks; the number of the process then has to do.
        let _ = file.lock();
        let header = JournalHeader::new(word, ProcessIdentity::current(), engine, clock.now());
        let inner = Arc::new(JournalFile {
            path: path.clone(),
            state: Mutex::new(JournalState::new(file)),
            beat: Mutex::new(None),
        });
        inner.write(&header.line(), true).map_err(failed(&early))?;
        fs::rename(&early, &path).map_err(failed(&path))?;
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed(dir))?;
        inner.keep_alive(clock);
        Ok(Self(Some(inner)))
    }

    /// Notes a namespace under which things are about to be made.
    pub fn namespace(&self, namespace: &Namespace) {
        let Some(file) = &self.0 else { return };
        let new = file.state.lock().is_ok_and(|mut state| state.namespaces.insert(namespace.as_str().to_owned()));
        if new {
            file.note(&JournalLine::Namespace { name: namespace.as_str().to_owned() }, true);
        }
    }

    /// Notes a temporary directory that is about to be made.
    pub fn directory(&self, path: &Path) {
        if let Some(file) = &self.0 {
            file.note(&JournalLine::Directory { path: path.to_owned() }, true);
        }
    }

    /// Notes that a temporary directory now belongs to whoever reads it.
    pub fn kept(&self, path: &Path) {
        if let Some(file) = &self.0 {
            file.note(&JournalLine::Kept { path: path.to_owned() }, true);
        }
    }

    /// Notes why something stays, for whoever cleans up later.
    pub fn stays(&self, why: &str) {
        if let Some(file) = &self.0 {
            file.note(&JournalLine::Stays { why: why.to_owned() }, true);
        }
    }

    /// Returns who is to be told what builds make.
    pub fn witness(&self) -> Option<Arc<dyn BuildWitness>> {
        let file = self.0.as_ref()?;
        Some(Arc::clone(file) as Arc<dyn BuildWitness>)
    }

    /// Says what kept a line from being written, the first time that one was not.
    pub fn trouble(&self) -> Option<String> {
        let file = self.0.as_ref()?;
        let state = file.state.lock().ok()?;
        Some(format!("{}: {}", file.path.display(), state.trouble.as_ref()?))
    }

    /// Removes the journal: nothing is left of what it names.
    ///
    /// # Errors
    /// What the system said; the next start then finds nothing to remove, and removes it.
    pub fn close(self) -> io::Result<()> {
        match &self.0 {
            Some(file) => fs::remove_file(&file.path),
            None => Ok(()),
        }
    }
}

/// The open file of a journal.
struct JournalFile {
    path: PathBuf,
    state: Mutex<JournalState>,
    /// Ends the heartbeat when it is dropped.
    beat: Mutex<Option<Sender<()>>>,
}

struct JournalState {
    file: File,
    namespaces: BTreeSet<String>,
    trouble: Option<io::Error>,
}

impl JournalState {
    fn new(file: File) -> Self {
        Self { file, namespaces: BTreeSet::new(), trouble: None }
    }
}

impl JournalFile {
    /// Writes a line in one piece. What is written survives the process; with `sync` it survives the machine, too.
    fn write(&self, line: &str, sync: bool) -> io::Result<()> {
        let mut state = self.state.lock().map_err(|_| io::Error::other("a writer panicked"))?;
        state.file.write_all(format!("{line}\n").as_bytes())?;
        if sync { state.file.sync_data() } else { Ok(()) }
    }

    fn note(&self, line: &JournalLine, sync: bool) {
        if let Err(error) = self.write(&line.line(), sync)
            && let Ok(mut state) = self.state.lock()
        {
            state.trouble.get_or_insert(error);
        }
    }

    /// Renews the file's time until the journal is dropped.
    fn keep_alive(&self, clock: Clock) {
        let Ok(Ok(file)) = self.state.lock().map(|state| state.file.try_clone()) else { return };
        let (beat, over) = channel::<()>();
        if let Ok(mut slot) = self.beat.lock() {
            *slot = Some(beat);
        }
        std::thread::spawn(move || {
            while over.recv_timeout(HEARTBEAT) == Err(RecvTimeoutError::Timeout) {
                // Without it, the last line tells when the process lived.
                let _ = file.set_modified(clock.now());
            }
        });
    }
}

impl fmt::Debug for JournalFile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("JournalFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl BuildWitness for JournalFile {
    fn note(&self, namespace: &Namespace, build: u64, note: &BuildNote<'_>) {
        let known = self.state.lock().is_ok_and(|state| state.namespaces.contains(namespace.as_str()));
        if !known {
            return;
        }
        let namespace = namespace.as_str().to_owned();
        match note {
            BuildNote::Began { at } => {
                self.note(&JournalLine::Began { namespace, build, at: stamp(*at) }, true);
            }
            BuildNote::Vertex { name, from, to } => {
                let (from, to) = (from.map(stamp), to.map(stamp));
                self.note(&JournalLine::Vertex { namespace, build, name: (*name).to_owned(), from, to }, false);
            }
            BuildNote::Ended { work } => {
                let work = work.iter().map(LoggedSpan::from).collect();
                self.note(&JournalLine::Ended { namespace, build, work }, false);
            }
        }
    }
}

#[cfg(test)]
mod tests;
