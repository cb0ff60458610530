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
        Self::evidence_over(out, false)
    }

    /// As [`Self::evidence`], in place of the evidence that lies there where `force` is given. What else lies there stays.
    pub(super) fn evidence_over(out: Option<&Path>, force: bool) -> Result<Self, CliProblem> {
        let Some(path) = out else { return Self::temporary("verify-buildkit-cache-evidence-") };
        let occupied = || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
        if occupied() && force {
            remove_evidence(path).map_err(|error| {
                CliProblem::stopped(format!("cannot replace what is in {}: {error}", path.display()))
            })?;
        } else if occupied() {
            return Err(CliProblem::usage(format!("{} is not empty", path.display())).hint(Some(
                "name a new or empty directory with --out, or replace older evidence with --force".to_owned(),
            )));
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

/// Removes what an earlier run has written into its folder of evidence, by its names.
fn remove_evidence(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str().unwrap_or_default();
        if name.starts_with("run-") || name == "control" {
            if entry.path().join("job.log").is_file() {
                fs::remove_dir_all(entry.path())?;
            }
        } else if WRITTEN.contains(&name) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The files that a run writes beside the folders of its runs.
const WRITTEN: [&str; 5] = ["report.json", "report.txt", "report.html", "workflow.yml", "README.md"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_evidence_is_replaced_and_only_when_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("run-1")).unwrap();
        for file in ["run-1/job.log", "report.json", "mine.txt"] {
            fs::write(dir.path().join(file), "x").unwrap();
        }
        assert!(Folder::evidence(Some(dir.path())).is_err());
        assert!(dir.path().join("report.json").exists());
        Folder::evidence_over(Some(dir.path()), true).unwrap();
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["mine.txt"]);
    }
}
