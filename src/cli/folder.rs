//! Directories for evidence and for runners. [`Folder`] is principal.

use std::fs;
use std::path::{Path, PathBuf};

use super::problem::CliProblem;
use crate::runner::archive;

/// A folder of ours, removed unless kept.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    temporary: Option<tempfile::TempDir>,
}

impl Folder {
    pub(super) fn evidence(out: Option<&Path>) -> Result<Self, CliProblem> {
        let Some(path) = out else { return Self::temporary("verify-buildkit-cache-evidence-") };
        let occupied = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
        if occupied {
            return Err(CliProblem::usage(format!("{} is not empty", path.display()))
                .hint(Some("name a new or empty directory with --out".to_owned())));
        }
        fs::create_dir_all(path)
            .map_err(|error| CliProblem::stopped(format!("cannot make {}: {error}", path.display())))?;
        Ok(Self { path: path.to_owned(), temporary: None })
    }

    pub(super) fn scratch() -> Result<Self, CliProblem> {
        Self::temporary("verify-buildkit-cache-runners-")
    }

    fn temporary(prefix: &str) -> Result<Self, CliProblem> {
        let dir = tempfile::Builder::new().prefix(prefix).tempdir();
        let dir = dir.map_err(|error| CliProblem::stopped(format!("cannot make a temporary directory: {error}")))?;
        Ok(Self { path: dir.path().to_owned(), temporary: Some(dir) })
    }

    pub(super) fn keep(self) -> PathBuf {
        if let Some(dir) = self.temporary {
            return dir.keep();
        }
        self.path
    }

    pub(super) fn remove(self) -> Result<(), archive::ArchiveError> {
        let removed = archive::remove_tree(&self.path);
        drop(self.temporary);
        removed
    }
}
