//! Reads a tar stream into a directory tree. [`unpack_dir`] is principal.
//!
//! Every entry's parent is made or checked step by step before anything is written in it, so that neither `..` nor a
//! symbolic link, from the archive or on the disk, leads outside the root. Modes and times of directories are applied
//! at the end, because filling a directory changes its time and needs the right to write. Owners are not restored.

use std::cell::Cell;
use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use filetime::FileTime;
use tar::{Archive, Entry};

use super::guard::HeaderGuard;
use super::header::parse_decimal;
use super::{ArchiveError, ArchiveTally};

const BUFFER: usize = 1024 * 1024;

/// Unpacks a tar stream into a directory, which is made if it is missing and is the root nothing leaves.
///
/// # Errors
/// [`ArchiveError`] naming the entry or path; what was unpacked before stays.
pub fn unpack_dir(reader: impl Read, dir: &Path) -> Result<ArchiveTally, ArchiveError> {
    unpack_dir_as(reader, dir, UnpackedModes::Kept)
}

/// As [`unpack_dir`], with the modes that somebody's `tar` gives.
///
/// # Errors
/// As [`unpack_dir`].
pub fn unpack_dir_as(reader: impl Read, dir: &Path, modes: UnpackedModes) -> Result<ArchiveTally, ArchiveError> {
    fs::create_dir_all(dir).map_err(ArchiveError::write(dir))?;
    unpack(reader, dir, Path::new(""), modes)
}

/// What becomes of the modes in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnpackedModes {
    /// They stay, as when root unpacks with `tar`.
    #[default]
    Kept,
    /// As when an ordinary user with umask 022 unpacks: nobody else may write, and setuid, setgid and sticky are gone.
    OfUser,
}

impl UnpackedModes {
    fn apply(self, mode: u32) -> u32 {
        match self {
            Self::Kept => mode & 0o7777,
            Self::OfUser => mode & 0o755,
        }
    }
}

/// Unpacks entries into `root`; their names count from `base`, a path relative to the root.
pub(super) fn unpack(
    reader: impl Read,
    root: &Path,
    base: &Path,
    modes: UnpackedModes,
) -> Result<ArchiveTally, ArchiveError> {
    let root = fs::canonicalize(root).map_err(ArchiveError::read(root))?;
    let ended = Rc::new(Cell::new(false));
    let inner = HeaderGuard::new(BufReader::with_capacity(BUFFER, reader));
    let mut archive = Archive::new(SourceReader { inner, ended: Rc::clone(&ended) });
    let mut unpacker = Unpacker::new(&root, base, modes);
    for entry in archive.entries().map_err(ArchiveError::stream)? {
        let entry = entry.map_err(|source| broken(source, ended.get(), None))?;
        unpacker.take(entry, &ended)?;
    }
    // The reader of entries is content with a stream that simply stops between two of them; we are not.
    if ended.get() {
        return Err(ArchiveError::Truncated { after: None });
    }
    // Read what pads the stream, so that whoever writes it can end, and a checksum at its end is seen.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(|source| broken(source, false, None))?;
    unpacker.finish()
}

fn broken(source: io::Error, ended: bool, after: Option<String>) -> ArchiveError {
    if ended || source.kind() == io::ErrorKind::UnexpectedEof {
        ArchiveError::Truncated { after }
    } else {
        ArchiveError::Stream { source }
    }
}

/// A reader that remembers whether it was read to its end.
struct SourceReader<R> {
    inner: R,
    ended: Rc<Cell<bool>>,
}

impl<R: Read> Read for SourceReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        if read == 0 && !into.is_empty() {
            self.ended.set(true);
        }
        Ok(read)
    }
}

struct Unpacker<'a> {
    root: &'a Path,
    base: &'a Path,
    modes: UnpackedModes,
    /// Directories known to be inside the root.
    safe: HashSet<PathBuf>,
    /// The one of them used last: most entries follow their siblings.
    current: PathBuf,
    /// What directories get at the end.
    dirs: BTreeMap<PathBuf, (u32, FileTime)>,
    /// Whether a link or directory was replaced, so that known directories may have moved.
    replaced: bool,
    tally: ArchiveTally,
    buffer: Vec<u8>,
}

impl<'a> Unpacker<'a> {
    fn new(root: &'a Path, base: &'a Path, modes: UnpackedModes) -> Self {
        Self {
            root,
            base,
            modes,
            safe: HashSet::from([root.to_owned()]),
            current: root.to_owned(),
            dirs: BTreeMap::new(),
            replaced: false,
            tally: ArchiveTally::default(),
            buffer: vec![0; BUFFER / 4],
        }
    }

    fn take<R: Read>(&mut self, mut entry: Entry<'_, R>, ended: &Cell<bool>) -> Result<(), ArchiveError> {
        let kind = entry.header().entry_type();
        if kind.is_pax_global_extensions() {
            return Ok(());
        }
        let name = entry.path_bytes().into_owned();
        let path = self.locate(&name)?;
        let mode = self.modes.apply(entry.header().mode().map_err(ArchiveError::stream)?);
        let time = modified(&mut entry)?;
        // The oldest tars mark a directory by its slash alone.
        if kind.is_dir() || (kind.is_file() && name.ends_with(b"/")) {
            return self.add_dir(path, mode, time);
        }
        if path == self.root {
            return Err(self.escape(&name));
        }
        if let Some(parent) = path.parent() {
            self.ensure_dir(parent)?;
        }
        if kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse() {
            let file =
                self.make(&path, |path| OpenOptions::new().write(true).create_new(true).mode(0o600).open(path))?;
            let size = entry.size();
            self.fill(file, size, &mut entry, (mode, time)).map_err(|failure| match failure {
                FillFailure::Disk(source) => ArchiveError::Write { path: path.clone(), source },
                FillFailure::Stream(source) => broken(source, ended.get(), Some(lossy(&name))),
            })?;
            self.tally.files += 1;
            self.tally.bytes += size;
        } else if kind.is_symlink() {
            let target = entry.link_name_bytes().unwrap_or_default().into_owned();
            self.make(&path, |path| symlink(OsStr::from_bytes(&target), path))?;
            filetime::set_symlink_file_times(&path, time, time).map_err(ArchiveError::write(&path))?;
            self.tally.links += 1;
        } else if kind.is_hard_link() {
            let target = entry.link_name_bytes().unwrap_or_default().into_owned();
            let first = self.locate(&target)?;
            self.check_inside(first.parent().unwrap_or(self.root), &target)?;
            if first != path {
                self.make(&path, |path| fs::hard_link(&first, path))?;
            }
            self.tally.links += 1;
        } else {
            self.tally.skipped.push(path);
        }
        Ok(())
    }

    /// Applies what waited: the deepest directories first, so that each is still open when its turn comes.
    fn finish(self) -> Result<ArchiveTally, ArchiveError> {
        for (path, (mode, time)) in self.dirs.iter().rev() {
            if self.replaced && !fs::canonicalize(path).is_ok_and(|real| real.starts_with(self.root)) {
                continue;
            }
            fs::set_permissions(path, Permissions::from_mode(*mode)).map_err(ArchiveError::write(path))?;
            filetime::set_file_mtime(path, *time).map_err(ArchiveError::write(path))?;
        }
        Ok(self.tally)
    }

    /// Finds where an entry's name lands, by its text alone.
    fn locate(&self, name: &[u8]) -> Result<PathBuf, ArchiveError> {
        let mut parts: Vec<&[u8]> = self
            .base
            .components()
            .filter_map(|part| if let Component::Normal(part) = part { Some(part.as_bytes()) } else { None })
            .collect();
        if name.starts_with(b"/") {
            return Err(self.escape(name));
        }
        for part in name.split(|byte| *byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => {
                    parts.pop().ok_or_else(|| self.escape(name))?;
                }
                part => parts.push(part),
            }
        }
        let mut path = self.root.to_owned();
        path.extend(parts.into_iter().map(OsStr::from_bytes));
        Ok(path)
    }

    fn add_dir(&mut self, path: PathBuf, mode: u32, time: FileTime) -> Result<(), ArchiveError> {
        if path != self.root {
            self.ensure_dir(path.parent().unwrap_or(self.root))?;
            match fs::symlink_metadata(&path) {
                Ok(meta) if meta.is_dir() => {
                    let open = meta.permissions().mode() | 0o700;
                    if meta.permissions().mode() != open {
                        let permissions = Permissions::from_mode(open);
                        fs::set_permissions(&path, permissions).map_err(ArchiveError::write(&path))?;
                    }
                }
                _ => self.make(&path, |path| DirBuilder::new().mode(0o700).create(path))?,
            }
            self.safe.insert(path.clone());
        }
        if self.dirs.insert(path, (mode, time)).is_none() {
            self.tally.dirs += 1;
        }
        Ok(())
    }

    /// Makes sure that a directory exists and lies inside the root.
    fn ensure_dir(&mut self, dir: &Path) -> Result<(), ArchiveError> {
        if self.current == dir {
            return Ok(());
        }
        let unknown: Vec<_> = dir.ancestors().take_while(|step| !self.safe.contains(*step)).collect();
        for step in unknown.into_iter().rev() {
            match fs::create_dir(step) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    self.check_inside(step, step.as_os_str().as_bytes())?;
                }
                Err(source) => return Err(ArchiveError::Write { path: step.to_owned(), source }),
            }
            self.safe.insert(step.to_owned());
        }
        self.current = dir.to_owned();
        Ok(())
    }

    fn check_inside(&self, dir: &Path, name: &[u8]) -> Result<(), ArchiveError> {
        if self.safe.contains(dir) {
            return Ok(());
        }
        let real = fs::canonicalize(dir).map_err(ArchiveError::write(dir))?;
        if real.starts_with(self.root) { Ok(()) } else { Err(self.escape(name)) }
    }

    /// Makes something at a path; what stands in the way goes first.
    fn make<T>(&mut self, path: &Path, how: impl Fn(&Path) -> io::Result<T>) -> Result<T, ArchiveError> {
        match how(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.clear(path).and_then(|()| how(path)).map_err(ArchiveError::write(path))
            }
            made => made.map_err(ArchiveError::write(path)),
        }
    }

    fn clear(&mut self, path: &Path) -> io::Result<()> {
        let meta = fs::symlink_metadata(path)?;
        if meta.is_dir() {
            fs::remove_dir(path)?
        } else {
            fs::remove_file(path)?
        }
        if !meta.is_file() {
            // A known directory may have led through what is gone now.
            self.safe = HashSet::from([self.root.to_owned()]);
            self.current = self.root.to_owned();
            self.dirs.remove(path);
            self.replaced = true;
        }
        Ok(())
    }

    fn fill(
        &mut self,
        mut file: File,
        size: u64,
        data: &mut impl Read,
        (mode, time): (u32, FileTime),
    ) -> Result<(), FillFailure> {
        let mut left = size;
        while left > 0 {
            let room = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
            let read = data.read(&mut self.buffer[..room]).map_err(FillFailure::Stream)?;
            if read == 0 {
                return Err(FillFailure::Stream(io::ErrorKind::UnexpectedEof.into()));
            }
            file.write_all(&self.buffer[..read]).map_err(FillFailure::Disk)?;
            left -= read as u64;
        }
        file.set_permissions(Permissions::from_mode(mode)).map_err(FillFailure::Disk)?;
        filetime::set_file_handle_times(&file, None, Some(time)).map_err(FillFailure::Disk)?;
        Ok(())
    }

    fn escape(&self, name: &[u8]) -> ArchiveError {
        ArchiveError::Escape { name: lossy(name), root: self.root.to_owned() }
    }
}

/// Which side failed while a file was filled.
enum FillFailure {
    Disk(io::Error),
    Stream(io::Error),
}

fn lossy(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// Reads an entry's time: the extended one where there is one.
fn modified<R: Read>(entry: &mut Entry<'_, R>) -> Result<FileTime, ArchiveError> {
    let extended = entry.pax_extensions().map_err(ArchiveError::stream)?.and_then(|records| {
        let mut records = records.filter_map(Result::ok);
        let record = records.find(|record| record.key_bytes() == b"mtime")?;
        parse_decimal(record.value().ok()?)
    });
    if let Some((seconds, nanos)) = extended {
        return Ok(FileTime::from_unix_time(seconds, nanos));
    }
    let seconds = entry.header().mtime().map_err(ArchiveError::stream)?;
    Ok(FileTime::from_unix_time(i64::try_from(seconds).unwrap_or(i64::MAX), 0))
}
