//! A build context as the fake engine sees it. [`Context`] is principal.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash};
use std::io::{self, Read};

/// The files of a context, by cleaned path.
#[derive(Debug)]
pub(super) struct Context {
    files: BTreeMap<Vec<u8>, (u32, Vec<u8>)>,
}

impl Context {
    /// Reads a tar archive.
    pub(super) fn read(archive: &[u8]) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        let mut archive = tar::Archive::new(archive);
        for entry in archive.entries()? {
            let mut entry = entry?;
            let mode = entry.header().mode()?;
            let path = entry.path_bytes();
            let path = path.strip_prefix(b"./").unwrap_or(&path).to_vec();
            let mut bytes = entry.link_name_bytes().map_or_else(Vec::new, |link| link.into_owned());
            entry.read_to_end(&mut bytes)?;
            files.insert(path, (mode, bytes));
        }
        Ok(Self { files })
    }

    /// Returns a file as text.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        let path = path.trim_start_matches("./").trim_start_matches('/');
        self.files.get(path.as_bytes()).map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned())
    }

    /// Hashes the files that a path of a `COPY` or of a bind mount names: a file, a directory, or a pattern.
    ///
    /// As in BuildKit, the times of the files do not count. Of a pattern, only what stands before its first wildcard is
    /// looked at.
    pub(super) fn hash(&self, path: &str, hasher: &mut DefaultHasher) {
        let path = path.trim_start_matches("./").trim_matches('/');
        let (path, exact) = match path.find(['*', '?', '[']) {
            Some(at) => (&path[..at], false),
            None => (if path == "." { "" } else { path }, true),
        };
        for (name, contents) in &self.files {
            let below = name.strip_prefix(path.as_bytes());
            let named = |rest: &[u8]| !exact || path.is_empty() || rest.is_empty() || rest.starts_with(b"/");
            if below.is_some_and(named) {
                (name, contents).hash(hasher);
            }
        }
    }
}
