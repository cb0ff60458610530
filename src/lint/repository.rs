//! The files of a repository, as far as a lint asks for them. [`LintFiles`] is principal.

use std::path::{Path, PathBuf};

use crate::plan::RepositoryFiles;
use crate::source::Source;

/// Answers what a lint asks about the repository; who implements it does the reading.
///
/// Paths are relative to the repository's root, with `/` between their parts.
pub trait LintFiles: RepositoryFiles {
    /// Returns every file that a checkout would bring; `None` where nobody can tell.
    fn list(&self) -> Option<&[PathBuf]>;
}

/// Files held in memory, for tests and for texts that are not on the disk yet.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles {
    files: Vec<(String, String)>,
    paths: Vec<PathBuf>,
}

impl MemoryFiles {
    /// Holds these files: paths and texts.
    pub fn new(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let files: Vec<_> = files.into_iter().collect();
        let paths = files.iter().map(|(path, _)| Path::new(path).to_owned()).collect();
        Self { files, paths }
    }
}

impl RepositoryFiles for MemoryFiles {
    fn read(&self, path: &str) -> Option<Source> {
        self.files.iter().find(|(known, _)| known == path).map(|(_, text)| Source::new(path, text.clone()))
    }
}

impl LintFiles for MemoryFiles {
    fn list(&self) -> Option<&[PathBuf]> {
        Some(&self.paths)
    }
}
