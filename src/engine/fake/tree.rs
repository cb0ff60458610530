//! The files of one fake cache mount, filled from tar archives and packed into one. [`FileTree`] is principal.
//!
//! It keeps what `tar` keeps for root: kind, mode, owner, time, links and bytes. It follows no symbolic links.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use tar::{EntryType, Header};

/// A tree of files below one directory.
#[derive(Debug, Clone, Default)]
pub(super) struct FileTree {
    root: Attributes,
    nodes: BTreeMap<PathBuf, FileNode>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Attributes {
    mode: u32,
    uid: u64,
    gid: u64,
    /// Seconds since the epoch.
    modified: u64,
}

impl Default for Attributes {
    fn default() -> Self {
        Self { mode: 0o755, uid: 0, gid: 0, modified: 0 }
    }
}

#[derive(Debug, Clone)]
struct FileNode {
    attributes: Attributes,
    kind: FileKind,
}

#[derive(Debug, Clone)]
enum FileKind {
    Directory,
    /// Names that share the bytes are hard links of one file.
    File(Arc<Vec<u8>>),
    Symlink(PathBuf),
    /// A pipe or the like, which has no bytes.
    Special(EntryType),
}

impl FileTree {
    /// Makes an empty tree whose own directory belongs to somebody and has a mode.
    pub(super) fn owned(uid: u64, gid: u64, mode: u32) -> Self {
        Self { root: Attributes { mode, uid, gid, modified: 0 }, nodes: BTreeMap::new() }
    }

    /// Tells whether a user may make files in the tree's own directory.
    pub(super) fn writable_by(&self, uid: u64) -> bool {
        uid == 0 || self.root.uid == uid || self.root.mode & 0o002 != 0
    }

    /// Counts the bytes of the files in a directory, each file once; the empty path is the whole tree.
    pub(super) fn bytes(&self, directory: &str) -> u64 {
        let mut files: Vec<(*const Vec<u8>, usize)> = self
            .nodes
            .iter()
            .filter(|(path, _)| path.starts_with(directory))
            .filter_map(|(_, node)| match &node.kind {
                FileKind::File(bytes) => Some((Arc::as_ptr(bytes), bytes.len())),
                _ => None,
            })
            .collect();
        files.sort_unstable();
        files.dedup();
        files.iter().map(|(_, length)| *length as u64).sum()
    }

    /// Counts the files in a directory; the empty path is the whole tree.
    pub(super) fn files(&self, directory: &str) -> usize {
        let inside = self.nodes.iter().filter(|(path, _)| path.starts_with(directory));
        inside.filter(|(_, node)| matches!(node.kind, FileKind::File(_))).count()
    }

    /// Tells whether a path exists.
    pub(super) fn contains(&self, path: &str) -> bool {
        self.nodes.contains_key(Path::new(path))
    }

    /// Returns the bytes of a file.
    pub(super) fn read(&self, path: &str) -> Option<&[u8]> {
        match &self.nodes.get(Path::new(path))?.kind {
            FileKind::File(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Lists the names in a directory, sorted; the empty path is the whole mount.
    pub(super) fn names(&self, directory: &str) -> Vec<String> {
        let directory = Path::new(directory);
        let inside = self.nodes.keys().filter(|path| path.parent() == Some(directory));
        inside.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect()
    }

    /// Writes a file as a build does, with its directories.
    pub(super) fn write(&mut self, path: &str, mode: u32, bytes: Vec<u8>, now: SystemTime) {
        let path = PathBuf::from(path);
        let attributes = Attributes { mode, modified: seconds(now), ..Attributes::default() };
        self.make_parents(&path, seconds(now));
        self.nodes.insert(path, FileNode { attributes, kind: FileKind::File(Arc::new(bytes)) });
    }

    /// Removes a path and what is below it, and with `inside` only what is below it and has no leading dot.
    pub(super) fn remove(&mut self, path: &str, inside: bool) {
        let path = Path::new(path);
        self.nodes.retain(|node, _| {
            let Ok(below) = node.strip_prefix(path) else { return true };
            let first = below.components().next().map(|part| part.as_os_str().to_string_lossy().starts_with('.'));
            inside && first.unwrap_or(true)
        });
    }

    /// Unpacks an archive over what is there.
    pub(super) fn unpack(&mut self, archive: &[u8], now: SystemTime) -> io::Result<()> {
        let mut archive = tar::Archive::new(archive);
        for entry in archive.entries()? {
            self.add(&mut entry?, now)?;
        }
        Ok(())
    }

    fn add<R: io::Read>(&mut self, entry: &mut tar::Entry<'_, R>, now: SystemTime) -> io::Result<()> {
        let path = inside(&entry.path()?)?;
        let header = entry.header();
        let kind = header.entry_type();
        let mut attributes = Attributes {
            mode: header.mode()? & 0o7777,
            uid: header.uid()?,
            gid: header.gid()?,
            modified: header.mtime()?,
        };
        if path.as_os_str().is_empty() {
            self.root = attributes;
            return Ok(());
        }
        self.make_parents(&path, seconds(now));
        let there = self.nodes.get(&path).is_some_and(|node| matches!(node.kind, FileKind::Directory));
        if there != kind.is_dir() && there {
            return Err(io::Error::other(format!("can't remove old file {}: Is a directory", path.display())));
        }
        let kind = match kind {
            EntryType::Directory => FileKind::Directory,
            EntryType::Symlink => FileKind::Symlink(link(entry)?),
            EntryType::Link => {
                let target = inside(&link(entry)?)?;
                match self.nodes.get(&target) {
                    Some(FileNode { kind: FileKind::File(bytes), attributes: of_file }) => {
                        // Another name of the file has no mode, owner or time of its own.
                        attributes = *of_file;
                        FileKind::File(Arc::clone(bytes))
                    }
                    _ => {
                        let text = format!("can't create hard link {} to {}", path.display(), target.display());
                        return Err(io::Error::other(text));
                    }
                }
            }
            EntryType::Fifo | EntryType::Char | EntryType::Block => FileKind::Special(kind),
            EntryType::XGlobalHeader => return Ok(()),
            _ => {
                let mut bytes = Vec::new();
                io::Read::read_to_end(entry, &mut bytes)?;
                if (bytes.len() as u64) < entry.size() {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "short read"));
                }
                FileKind::File(Arc::new(bytes))
            }
        };
        self.nodes.insert(path, FileNode { attributes, kind });
        Ok(())
    }

    fn make_parents(&mut self, path: &Path, modified: u64) {
        for parent in path.ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty()) {
            let attributes = Attributes { modified, ..Attributes::default() };
            self.nodes.entry(parent.to_owned()).or_insert(FileNode { attributes, kind: FileKind::Directory });
        }
    }

    /// Gives everything to `uid:gid`.
    pub(super) fn chown(&mut self, owner: &str) -> Result<(), String> {
        let numbers = owner.split_once(':').and_then(|(uid, gid)| Some((uid.parse().ok()?, gid.parse().ok()?)));
        let (uid, gid) = numbers.ok_or_else(|| format!("chown: unknown user/group {owner}"))?;
        for attributes in self.nodes.values_mut().map(|node| &mut node.attributes).chain([&mut self.root]) {
            (attributes.uid, attributes.gid) = (uid, gid);
        }
        Ok(())
    }

    /// Packs everything into one archive.
    pub(super) fn pack(&self) -> io::Result<Vec<u8>> {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = header(&self.root, EntryType::Directory, 0);
        archive.append_data(&mut header, "./", io::empty())?;
        let mut files: BTreeMap<*const Vec<u8>, &Path> = BTreeMap::new();
        for (path, node) in &self.nodes {
            match &node.kind {
                FileKind::Directory => {
                    let mut header = self::header(&node.attributes, EntryType::Directory, 0);
                    archive.append_data(&mut header, path, io::empty())?;
                }
                FileKind::Symlink(target) => {
                    let mut header = self::header(&node.attributes, EntryType::Symlink, 0);
                    archive.append_link(&mut header, path, target)?;
                }
                FileKind::Special(kind) => {
                    let mut header = self::header(&node.attributes, *kind, 0);
                    archive.append_data(&mut header, path, io::empty())?;
                }
                FileKind::File(bytes) => {
                    if let Some(first) = files.get(&Arc::as_ptr(bytes)) {
                        let mut header = self::header(&node.attributes, EntryType::Link, 0);
                        archive.append_link(&mut header, path, first)?;
                        continue;
                    }
                    files.insert(Arc::as_ptr(bytes), path);
                    let mut header = self::header(&node.attributes, EntryType::Regular, bytes.len() as u64);
                    archive.append_data(&mut header, path, bytes.as_slice())?;
                }
            }
        }
        archive.into_inner()
    }
}

fn header(attributes: &Attributes, kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(attributes.mode);
    header.set_uid(attributes.uid);
    header.set_gid(attributes.gid);
    header.set_mtime(attributes.modified);
    header.set_size(size);
    header
}

/// Returns a path below the mount, without `./` and `/` in front.
fn inside(path: &Path) -> io::Result<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => clean.push(part),
            Component::ParentDir => {
                return Err(io::Error::other(format!("{} leads out of the mount", path.display())));
            }
            _ => {}
        }
    }
    Ok(clean)
}

fn link<R: io::Read>(entry: &tar::Entry<'_, R>) -> io::Result<PathBuf> {
    let name = entry.link_name()?.ok_or_else(|| io::Error::other("a link to nowhere"))?;
    Ok(name.into_owned())
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
