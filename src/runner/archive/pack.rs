//! Writes a directory tree as a tar stream. [`Packer`] is principal.
//!
//! Members come sorted by name, so that equal trees give equal streams. Each file is looked at once and read once;
//! memory does not grow with the tree but for hard links and, on request, the list of directories.

use std::collections::HashMap;
use std::fs::{self, DirEntry, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tar::EntryType;

use super::header::Member;
pub use super::header::Times;
use super::{ArchiveError, ArchiveTally};

const BUFFER: usize = 1024 * 1024;
/// Tar writers fill up to twenty blocks, and some readers wait for them.
const RECORD: u64 = 20 * 512;

/// Whose files the archive says they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Owner {
    /// Root's, as in a Docker build context.
    #[default]
    Zero,
    /// Those of the tree.
    Keep,
}

/// How a tree is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PackOptions {
    /// Whose files they are.
    pub owner: Owner,
    /// How exact times are, and with it the dialect.
    pub times: Times,
    /// Writes every directory twice: first open to its owner, and once more at the end, deepest first, with its real
    /// mode and time. A tar that applies both on sight, as busybox does, can then fill read-only directories and
    /// leaves their times as they were; but see [`pack_dirs`] for links.
    pub trailing_dirs: bool,
}

/// Writes the content of a directory, and the directory itself as `./`.
///
/// # Errors
/// [`ArchiveError`] naming the path that could not be read, or the stream that broke.
pub fn pack_dir(dir: &Path, writer: impl Write, options: &PackOptions) -> Result<ArchiveTally, ArchiveError> {
    let mut packer = Packer::new(writer, *options);
    packer.add(dir, b".")?;
    packer.finish().map(|(tally, _)| tally)
}

/// Writes only the directories, deepest first, with their modes and times.
///
/// Busybox makes hard links and most symbolic links after it has read the whole archive, which touches the directories
/// they lie in once more. Unpacking this second, small archive over the first gives those their times back.
///
/// # Errors
/// As [`pack_dir`].
pub fn pack_dirs(dir: &Path, writer: impl Write, options: &PackOptions) -> Result<ArchiveTally, ArchiveError> {
    let mut packer = Packer::new(writer, *options);
    let mut stack = vec![(dir.to_owned(), b".".to_vec())];
    while let Some((path, name)) = stack.pop() {
        let meta = fs::symlink_metadata(&path).map_err(ArchiveError::read(&path))?;
        let prefix: &[u8] = if name == b"." { b"" } else { &name };
        stack.extend(
            list(&path, prefix, |entry| Ok(entry.file_type()?.is_dir().then_some(())))?
                .into_iter()
                .map(|DirectoryEntry { path, name, known: () }| (path, name)),
        );
        packer.dirs.push(([&*name, b"/"].concat(), meta));
        packer.tally.dirs += 1;
    }
    packer.finish().map(|(tally, _)| tally)
}

/// A tar stream being written.
pub(super) struct Packer<W> {
    out: Blocks<W>,
    options: PackOptions,
    tally: ArchiveTally,
    /// The first name of each file with several.
    first_names: HashMap<(u64, u64), Vec<u8>>,
    dirs: Vec<(Vec<u8>, Metadata)>,
    scratch: Vec<u8>,
}

/// A directory entry, and what is known of it.
struct DirectoryEntry<T> {
    path: PathBuf,
    name: Vec<u8>,
    known: T,
}

impl<W: Write> Packer<W> {
    pub(super) fn new(writer: W, options: PackOptions) -> Self {
        Self {
            out: Blocks { writer, buffer: Vec::with_capacity(BUFFER), written: 0 },
            options,
            tally: ArchiveTally::default(),
            first_names: HashMap::new(),
            dirs: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Adds a file, link or whole tree under a name. A directory named `.` gives its children bare names.
    pub(super) fn add(&mut self, path: &Path, name: &[u8]) -> Result<(), ArchiveError> {
        let meta = fs::symlink_metadata(path).map_err(ArchiveError::read(path))?;
        // A stack and not recursion: the depth is the tree's to choose. Children are pushed in reverse, so that they
        // come off in order.
        let mut stack = vec![DirectoryEntry { path: path.to_owned(), name: name.to_owned(), known: meta }];
        while let Some(DirectoryEntry { path, name, known: meta }) = stack.pop() {
            if !meta.is_dir() {
                self.add_leaf(&path, name, &meta)?;
                continue;
            }
            let mut children = list(&path, if name == b"." { b"" } else { &name }, |entry| entry.metadata().map(Some))?;
            self.add_dir(name, meta)?;
            stack.append(&mut children);
        }
        Ok(())
    }

    /// Writes the end of the archive; gives the writer back.
    pub(super) fn finish(mut self) -> Result<(ArchiveTally, W), ArchiveError> {
        for (name, meta) in std::mem::take(&mut self.dirs).into_iter().rev() {
            let member = self.member(&name, EntryType::Directory, b"", &meta);
            self.put(&member)?;
        }
        self.out.zeros(2 * 512)?;
        self.out.zeros(self.out.total().next_multiple_of(RECORD) - self.out.total())?;
        self.out.flush()?;
        self.out.writer.flush().map_err(ArchiveError::stream)?;
        Ok((self.tally, self.out.writer))
    }

    fn add_dir(&mut self, mut name: Vec<u8>, meta: Metadata) -> Result<(), ArchiveError> {
        name.push(b'/');
        let mut member = self.member(&name, EntryType::Directory, b"", &meta);
        member.mode |= if self.options.trailing_dirs { 0o700 } else { 0 };
        self.put(&member)?;
        self.tally.dirs += 1;
        if self.options.trailing_dirs {
            self.dirs.push((name, meta));
        }
        Ok(())
    }

    fn add_leaf(&mut self, path: &Path, name: Vec<u8>, meta: &Metadata) -> Result<(), ArchiveError> {
        if meta.is_symlink() {
            let target = fs::read_link(path).map_err(ArchiveError::read(path))?;
            let member = self.member(&name, EntryType::Symlink, target.as_os_str().as_bytes(), meta);
            self.put(&member)?;
            self.tally.links += 1;
            return Ok(());
        }
        if !meta.is_file() {
            self.tally.skipped.push(path.to_owned());
            return Ok(());
        }
        if meta.nlink() > 1 {
            let inode = (meta.dev(), meta.ino());
            if let Some(first) = self.first_names.get(&inode).cloned() {
                let member = self.member(&name, EntryType::Link, &first, meta);
                self.put(&member)?;
                self.tally.links += 1;
                return Ok(());
            }
            self.first_names.insert(inode, name.clone());
        }
        let mut file = File::open(path).map_err(ArchiveError::read(path))?;
        let member = Member { size: meta.len(), ..self.member(&name, EntryType::Regular, b"", meta) };
        self.put(&member)?;
        self.out.copy(path, &mut file, meta.len())?;
        self.tally.files += 1;
        self.tally.bytes += meta.len();
        Ok(())
    }

    fn member<'a>(&self, name: &'a [u8], kind: EntryType, link: &'a [u8], meta: &Metadata) -> Member<'a> {
        Member {
            name,
            kind,
            link,
            mode: meta.mode() & 0o7777,
            owner: match self.options.owner {
                Owner::Zero => (0, 0),
                Owner::Keep => (meta.uid().into(), meta.gid().into()),
            },
            seconds: meta.mtime(),
            nanos: u32::try_from(meta.mtime_nsec()).unwrap_or(0),
            size: 0,
        }
    }

    fn put(&mut self, member: &Member<'_>) -> Result<(), ArchiveError> {
        self.scratch.clear();
        member.encode(self.options.times, &mut self.scratch);
        self.out.put(&self.scratch)
    }
}

/// Lists what `know` keeps of a directory, last name first.
fn list<T>(
    dir: &Path,
    prefix: &[u8],
    know: impl Fn(&DirEntry) -> io::Result<Option<T>>,
) -> Result<Vec<DirectoryEntry<T>>, ArchiveError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(ArchiveError::read(dir))? {
        let entry = entry.map_err(ArchiveError::read(dir))?;
        let path = entry.path();
        let Some(known) = know(&entry).map_err(ArchiveError::read(&path))? else { continue };
        let mut name = Vec::with_capacity(prefix.len() + 40);
        if !prefix.is_empty() {
            name.extend_from_slice(prefix);
            name.push(b'/');
        }
        name.extend_from_slice(&entry.file_name().into_vec());
        found.push(DirectoryEntry { path, name, known });
    }
    found.sort_by(|left, right| right.name.cmp(&left.name));
    Ok(found)
}

/// A buffer that files are read into directly.
struct Blocks<W> {
    writer: W,
    buffer: Vec<u8>,
    /// The bytes already given to the writer.
    written: u64,
}

impl<W: Write> Blocks<W> {
    fn total(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.flush()?;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn zeros(&mut self, count: u64) -> Result<(), ArchiveError> {
        (0..count / 512).try_for_each(|_| self.put(&[0; 512]))
    }

    /// Copies exactly `size` bytes of a file, and fills the last block.
    fn copy(&mut self, path: &Path, file: &mut File, size: u64) -> Result<(), ArchiveError> {
        let mut left = size;
        while left > 0 {
            if self.buffer.len() == BUFFER {
                self.flush()?;
            }
            let start = self.buffer.len();
            let room = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER - start);
            self.buffer.resize(start + room, 0);
            let read = file.read(&mut self.buffer[start..]).map_err(ArchiveError::read(path))?;
            self.buffer.truncate(start + read);
            if read == 0 {
                return Err(ArchiveError::Changed { path: path.to_owned() });
            }
            left -= read as u64;
        }
        let padding = self.total().next_multiple_of(512) - self.total();
        self.buffer.resize(self.buffer.len() + padding as usize, 0);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ArchiveError> {
        self.writer.write_all(&self.buffer).map_err(ArchiveError::stream)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}
