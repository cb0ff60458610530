//! The cache store on disk: what survives between runs, as the service of actions/cache does. [`Store`] is principal.
//!
//! One directory holds an archive and a small description for each entry. An entry appears at once and whole: its
//! archive is moved in first, and its description written last, by rename. The store knows no clock and no rule: times
//! come from the caller, and what is found or evicted is decided by [`crate::cache`]. One process uses it at a time.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::archive::io_hint;
use crate::cache::{EntryId, EntryMeta, Identity, LookupOutcome, LookupRequest, evict, lookup};

mod description;

/// A store of cache entries.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    entries: Vec<EntryMeta>,
    reserved: Vec<Identity>,
    next: u64,
}

/// The right to make one entry. Give it back to [`Store::commit`] or [`Store::abandon`]; until then nobody else gets it.
#[derive(Debug)]
pub struct Reservation {
    identity: Identity,
}

impl Store {
    /// Opens a store, or makes an empty one. What an interrupted commit left is removed.
    ///
    /// # Errors
    /// [`StoreError`] naming the path that could not be made or read.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let staging = dir.join("staging");
        match fs::remove_dir_all(&staging) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(StoreError::write(&staging)(error)),
            _ => fs::create_dir_all(&staging).map_err(StoreError::write(&staging))?,
        }
        let mut entries = Vec::new();
        let mut archives = Vec::new();
        for found in fs::read_dir(dir).map_err(StoreError::read(dir))? {
            let path = found.map_err(StoreError::read(dir))?.path();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("json") => entries.push(description::read(&path)?),
                Some("archive") => archives.push(path),
                _ => {}
            }
        }
        entries.sort_by_key(|entry| entry.id);
        let next = entries.last().map_or(1, |entry: &EntryMeta| entry.id.0.saturating_add(1));
        let store = Self { dir: dir.to_owned(), entries, reserved: Vec::new(), next };
        for stray in archives.into_iter().filter(|path| !store.owns(path)) {
            fs::remove_file(&stray).map_err(StoreError::write(&stray))?;
        }
        Ok(store)
    }

    /// Lists all entries, oldest first, with those that were evicted.
    pub fn entries(&self) -> &[EntryMeta] {
        &self.entries
    }

    /// Looks for an entry. Nothing counts as used yet: see [`Store::touch`].
    pub fn lookup(&self, request: &LookupRequest) -> LookupOutcome<'_> {
        lookup(&self.entries, request)
    }

    /// Returns a path on the store's own disk to make an archive at, so that [`Store::commit`] only has to rename it.
    pub fn staging(&self, name: &str) -> PathBuf {
        self.dir.join("staging").join(name)
    }

    /// Reserves the making of an entry; `None` when it exists or somebody else is making it.
    pub fn reserve(&mut self, identity: Identity) -> Option<Reservation> {
        let exists = self.entries.iter().any(|entry| entry.evicted.is_none() && entry.identity == identity);
        if exists || self.reserved.contains(&identity) {
            return None;
        }
        self.reserved.push(identity.clone());
        Some(Reservation { identity })
    }

    /// Gives a reservation up.
    pub fn abandon(&mut self, reservation: Reservation) {
        self.reserved.retain(|identity| *identity != reservation.identity);
    }

    /// Makes the reserved entry from an archive, which is moved and not copied; it must lie on the store's own disk.
    ///
    /// # Errors
    /// [`StoreError`] naming the path; the entry then does not exist, and the reservation is given up.
    pub fn commit(
        &mut self,
        reservation: Reservation,
        archive: &Path,
        now: SystemTime,
    ) -> Result<EntryMeta, StoreError> {
        let identity = reservation.identity.clone();
        self.abandon(reservation);
        let size = fs::metadata(archive).map_err(StoreError::read(archive))?.len();
        let id = EntryId(self.next);
        let entry = EntryMeta { id, identity, size, created: now, last_used: now, evicted: None };
        let place = self.archive(id);
        fs::rename(archive, &place).map_err(StoreError::write(&place))?;
        if let Err(error) = self.describe(&entry) {
            // The first failure is the one to tell; `open` removes what stays.
            let _ = fs::remove_file(&place);
            return Err(error);
        }
        self.next += 1;
        self.entries.push(entry.clone());
        Ok(entry)
    }

    /// Marks an entry as used, which keeps it from being evicted. An unknown or evicted entry is left alone.
    ///
    /// # Errors
    /// [`StoreError`] naming the description that could not be written.
    pub fn touch(&mut self, id: EntryId, now: SystemTime) -> Result<(), StoreError> {
        let Some(at) = self.entries.iter().position(|entry| entry.id == id && entry.evicted.is_none()) else {
            return Ok(());
        };
        self.replace(at, EntryMeta { last_used: now, ..self.entries[at].clone() })
    }

    /// Evicts what is idle for too long or over the limit; returns the entries as they were. Their descriptions stay,
    /// so that a later miss can be explained.
    ///
    /// # Errors
    /// [`StoreError`] naming the path; entries evicted before stay evicted.
    pub fn evict(
        &mut self,
        limit_bytes: u64,
        now: SystemTime,
        max_idle: Duration,
    ) -> Result<Vec<EntryMeta>, StoreError> {
        let mut gone = Vec::new();
        for id in evict(&self.entries, limit_bytes, now, max_idle) {
            let Some(at) = self.entries.iter().position(|entry| entry.id == id) else { continue };
            let entry = self.entries[at].clone();
            // First the description: an archive without one is removed at the next opening, the opposite never heals.
            self.replace(at, EntryMeta { evicted: Some(now), ..entry.clone() })?;
            let archive = self.archive(id);
            fs::remove_file(&archive).map_err(StoreError::write(&archive))?;
            gone.push(entry);
        }
        Ok(gone)
    }

    /// Cuts the archives of the entries whose key begins so to two thirds, as a transfer that broke leaves them; returns
    /// how many. The service then hands out, and tells the size of, what is left.
    ///
    /// That is behind the modules of the sample, which come first: of half a module `go build` makes an error.
    ///
    /// # Errors
    /// [`StoreError`] naming the archive.
    pub fn damage(&mut self, prefix: &str) -> Result<usize, StoreError> {
        let mut damaged = 0;
        for at in 0..self.entries.len() {
            let entry = self.entries[at].clone();
            if entry.evicted.is_some() || !entry.identity.key.as_str().starts_with(prefix) {
                continue;
            }
            let (path, size) = (self.archive(entry.id), entry.size / 3 * 2);
            let cut = File::options().write(true).open(&path).and_then(|file| file.set_len(size));
            cut.map_err(StoreError::write(&path))?;
            self.replace(at, EntryMeta { size, ..entry })?;
            damaged += 1;
        }
        Ok(damaged)
    }

    /// Returns where an entry's archive lies.
    pub fn archive(&self, id: EntryId) -> PathBuf {
        self.dir.join(format!("{:06}.archive", id.0))
    }

    fn owns(&self, archive: &Path) -> bool {
        self.entries.iter().any(|entry| entry.evicted.is_none() && self.archive(entry.id) == archive)
    }

    fn replace(&mut self, at: usize, entry: EntryMeta) -> Result<(), StoreError> {
        self.describe(&entry)?;
        self.entries[at] = entry;
        Ok(())
    }

    fn describe(&self, entry: &EntryMeta) -> Result<(), StoreError> {
        let name = format!("{:06}.json", entry.id.0);
        description::write(entry, &self.staging(&name), &self.dir.join(name))
    }
}

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A path in the store could not be read.
    #[error("cannot read {} in the cache store", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A path in the store could not be written, moved or removed.
    #[error("cannot write {} in the cache store", path.display())]
    Write {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A description is not what this program writes.
    #[error("cannot understand the entry {} of the cache store", path.display())]
    Corrupt {
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl StoreError {
    /// Says what to do about it, where something can be done.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Write { source, .. } if source.kind() == io::ErrorKind::CrossesDevices => {
                Some("make the archive on the disk of the cache store, where it can be moved in".to_owned())
            }
            Self::Read { source, .. } | Self::Write { source, .. } => io_hint(source),
            Self::Corrupt { path, .. } => {
                Some(format!("remove {}; the next run saves the entry again", path.display()))
            }
        }
    }

    fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Read { path: path.to_owned(), source }
    }

    fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Write { path: path.to_owned(), source }
    }
}

#[cfg(test)]
mod tests;
