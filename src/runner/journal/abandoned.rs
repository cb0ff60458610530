//! The journals of processes that died. [`Abandoned`] is principal.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::entry::{JournalHeader, JournalLine, SCHEMA, moment};
use super::process::ProcessIdentity;
use super::{ENDING, EngineIdentity};
use crate::engine::{AbandonedWork, Namespace, WorkSpan};
use crate::runner::archive::{ArchiveError, remove_tree};

/// The most bytes a line may have; a longer one is none of ours.
const LONGEST_LINE: u64 = 1 << 20;

/// How long an engine may go on with what a process had asked for when it died, and a heartbeat may be old.
const AFTERMATH: Duration = Duration::from_secs(12);

/// What every temporary directory of this program is called in the beginning.
pub(crate) const DIRECTORY_PREFIX: &str = "verify-buildkit-cache-";

/// What the journals of a directory tell.
#[derive(Debug, Default)]
pub struct JournalSurvey {
    /// Those whose process is dead.
    pub dead: Vec<Abandoned>,
    /// The engines of those whose process lives, or may live.
    pub alive: Vec<EngineIdentity>,
    /// Files that are left alone, and why.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// What a dead process made. While this exists, no other process of ours takes it up.
#[derive(Debug)]
pub struct Abandoned {
    /// The engine on which it was made.
    pub engine: EngineIdentity,
    /// The number that the process had.
    pub process: u32,
    /// When it began.
    pub began: String,
    /// What it made on the engine, by namespace.
    pub work: Vec<AbandonedWork>,
    /// Its temporary directories.
    pub directories: Vec<PathBuf>,
    /// Why something stayed, the last time.
    pub stays: Option<String>,
    path: PathBuf,
    owner: u32,
    /// Holds the lock.
    _file: File,
}

/// Reads all journals of a directory. One that is missing has none.
///
/// # Errors
/// What the system said when it could not be listed.
pub fn survey(dir: &Path) -> io::Result<JournalSurvey> {
    let mut found = JournalSurvey::default();
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error),
    };
    let here = ProcessIdentity::current();
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension() == Some(OsStr::new(ENDING)));
    paths.sort();
    for path in paths {
        match examine(&path, &here) {
            Ok(Standing::Dead(abandoned)) => found.dead.push(*abandoned),
            Ok(Standing::Alive(engine)) => found.alive.push(engine),
            Ok(Standing::Gone) => {}
            Err(why) => found.unreadable.push((path, why)),
        }
    }
    Ok(found)
}

enum Standing {
    Dead(Box<Abandoned>),
    Alive(EngineIdentity),
    /// Somebody has just removed it.
    Gone,
}

fn examine(path: &Path, here: &ProcessIdentity) -> Result<Standing, String> {
    let file = match OpenOptions::new().read(true).append(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Standing::Gone),
        Err(error) => return Err(error.to_string()),
    };
    let locked = file.try_lock();
    let meta = file.metadata().map_err(|error| error.to_string())?;
    if meta.nlink() == 0 {
        return Ok(Standing::Gone);
    }
    let mut lines = BufReader::new(&file);
    let first = next_line(&mut lines)?.ok_or("it is empty")?;
    let schema = serde_json::from_str::<SchemaOnly>(&first).map_err(|error| format!("line 1: {error}"))?.schema;
    if schema > SCHEMA {
        return Err(format!("it has schema {schema}, written by a newer version of this program"));
    }
    let header: JournalHeader = serde_json::from_str(&first).map_err(|error| format!("line 1: {error}"))?;
    let engine = EngineIdentity { address: header.engine_address, id: header.engine_id };
    if matches!(locked, Err(TryLockError::WouldBlock)) || header.process.lives(here) {
        return Ok(Standing::Alive(engine));
    }
    if header.process.elsewhere(here) {
        return Err("it was written on another machine".to_owned());
    }
    let until = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH) + AFTERMATH;
    let mut replay = Replay::default();
    while let Some(line) = next_line(&mut lines)? {
        // One that its process could not finish says nothing.
        if let Ok(line) = serde_json::from_str(&line) {
            replay.take(line);
        }
    }
    let (directories, stays) = (std::mem::take(&mut replay.directories), replay.stays.take());
    let work = replay.into_work(until);
    drop(lines);
    Ok(Standing::Dead(Box::new(Abandoned {
        engine,
        process: header.process.id,
        began: header.began,
        work,
        directories,
        stays,
        path: path.to_owned(),
        owner: meta.uid(),
        _file: file,
    })))
}

#[derive(serde::Deserialize)]
struct SchemaOnly {
    schema: u32,
}

/// Reads a line; `None` at the end. One that never ends is refused.
fn next_line(lines: &mut impl BufRead) -> Result<Option<String>, String> {
    let mut line = Vec::new();
    let mut limited = io::Read::take(lines, LONGEST_LINE);
    let read = limited.read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
    if read as u64 == LONGEST_LINE {
        return Err("a line of it is longer than any that this program writes".to_owned());
    }
    Ok((read > 0).then(|| String::from_utf8_lossy(&line).into_owned()))
}

/// What the lines come down to.
#[derive(Default)]
struct Replay {
    namespaces: BTreeMap<String, Vec<WorkSpan>>,
    directories: Vec<PathBuf>,
    stays: Option<String>,
    /// Builds that have not ended.
    open: BTreeMap<u64, UnfinishedBuild>,
}

struct UnfinishedBuild {
    namespace: String,
    began: SystemTime,
    /// The last moment at which the engine said something.
    last: SystemTime,
    /// By name: each stretch of work, and whether it was only announced.
    vertexes: Vec<(String, Option<SystemTime>, Option<SystemTime>)>,
}

impl Replay {
    fn take(&mut self, line: JournalLine) {
        match line {
            JournalLine::Namespace { name } => {
                self.namespaces.entry(name).or_default();
            }
            JournalLine::Directory { path } => self.directories.push(path),
            JournalLine::Kept { path } => self.directories.retain(|known| *known != path),
            JournalLine::Stays { why } => self.stays = Some(why),
            JournalLine::Began { namespace, build, at } => {
                let Some(began) = moment(&at) else { return };
                self.open.insert(build, UnfinishedBuild { namespace, began, last: began, vertexes: Vec::new() });
            }
            JournalLine::Vertex { build, name, from, to, .. } => {
                let Some(open) = self.open.get_mut(&build) else { return };
                let (from, to) = (from.as_deref().and_then(moment), to.as_deref().and_then(moment));
                open.last = [Some(open.last), from, to].into_iter().flatten().max().unwrap_or(open.last);
                open.vertexes.push((name, from, to));
            }
            JournalLine::Ended { namespace, build, work } => {
                self.open.remove(&build);
                let work = work.iter().filter_map(super::LoggedSpan::span);
                self.namespaces.entry(namespace).or_default().extend(work);
            }
        }
    }

    /// Puts the work of all builds together; one that had not ended may have gone on until a moment.
    fn into_work(mut self, until: SystemTime) -> Vec<AbandonedWork> {
        for (_, open) in std::mem::take(&mut self.open) {
            let spans = self.namespaces.entry(open.namespace.clone()).or_default();
            spans.extend(open.work(until));
        }
        let all = self.namespaces.into_iter();
        all.map(|(name, work)| AbandonedWork { namespace: Namespace::new(&name), work, until }).collect()
    }
}

impl UnfinishedBuild {
    fn work(self, until: SystemTime) -> Vec<WorkSpan> {
        let mut work = WorkSpan::of_context(self.began, until);
        for (name, from, to) in &self.vertexes {
            // One that was only announced can have begun after the last thing that the engine said, and no earlier.
            let known = self.vertexes.iter().any(|(other, from, _)| other == name && from.is_some());
            let from = match from {
                Some(from) => *from,
                None if known => continue,
                None => self.last,
            };
            let ended =
                self.vertexes.iter().any(|(other, begun, to)| other == name && *begun == Some(from) && to.is_some());
            if to.is_none() && ended {
                continue;
            }
            work.push(WorkSpan { vertex: name.clone(), from, to: to.unwrap_or(until) });
        }
        work
    }
}

impl Abandoned {
    /// Lists those of its directories that are still there and are certainly its own.
    pub fn own_directories(&self) -> Vec<&Path> {
        let own = |path: &&Path| {
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            let meta = fs::symlink_metadata(path);
            path.is_absolute()
                && name.starts_with(DIRECTORY_PREFIX)
                && meta.is_ok_and(|meta| meta.is_dir() && meta.uid() == self.owner)
        };
        self.directories.iter().map(PathBuf::as_path).filter(own).collect()
    }

    /// Removes its directories; returns how many there were.
    ///
    /// # Errors
    /// The first failure, which does not keep the others from going.
    pub fn remove_directories(&self) -> Result<usize, ArchiveError> {
        let mut first = None;
        let mut removed = 0;
        for path in self.own_directories() {
            match remove_tree(path) {
                Ok(()) => removed += 1,
                Err(error) => first = first.or(Some(error)),
            }
        }
        first.map_or(Ok(removed), Err)
    }

    /// Notes why something stays, for the next start.
    ///
    /// # Errors
    /// What the system said.
    pub fn stays(&self, why: &str) -> io::Result<()> {
        if self.stays.as_deref() == Some(why) {
            return Ok(());
        }
        // The time of the last line tells when the process lived.
        let before = fs::metadata(&self.path).and_then(|meta| meta.modified());
        let mut file = OpenOptions::new().append(true).open(&self.path)?;
        io::Write::write_all(
            &mut file,
            format!("\n{}\n", JournalLine::Stays { why: why.to_owned() }.line()).as_bytes(),
        )?;
        before.and_then(|before| file.set_modified(before))
    }

    /// Removes the journal: nothing is left of what it names.
    ///
    /// # Errors
    /// What the system said.
    pub fn forget(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}
