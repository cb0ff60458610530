//! A build context as the fake engine sees it. [`Context`] is principal.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};

use crate::engine::BuildRequest;

/// The files of a context, by cleaned path.
#[derive(Debug, Hash)]
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

    /// Returns a number that differs when a build of this context may come out differently.
    ///
    /// As in BuildKit, the times of the files do not count.
    pub(super) fn inputs(&self, request: &BuildRequest) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        (&request.dockerfile, &request.build_args, &request.target, &request.network).hash(&mut hasher);
        hasher.finish()
    }
}
