//! Directories for evidence and for runners. [`Folder`] is principal.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::engine::session;
use super::problem::CliProblem;
use crate::runner::journal::DIRECTORY_PREFIX;
use crate::runner::{Journal, archive};

/// A folder of ours, removed unless kept.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    temporary: Option<tempfile::TempDir>,
    journal: Journal,
}

impl Folder {
    /// Makes the folder for evidence: the one asked for, or a temporary one that stands in the journal.
    pub(super) fn evidence(out: Option<&Path>, journal: &Journal) -> Result<Self, CliProblem> {
        Self::evidence_over(out, false, journal)
    }

    /// As [`Self::evidence`], in place of the evidence that lies there where `force` is given. What else lies there stays.
    pub(super) fn evidence_over(out: Option<&Path>, force: bool, journal: &Journal) -> Result<Self, CliProblem> {
        let Some(path) = out else { return Self::temporary("evidence", &session(0), journal) };
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
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|error| CliProblem::stopped(format!("cannot make {}: {error}", path.display())))?;
        Ok(Self { path: path.to_owned(), temporary: None, journal: Journal::none() })
    }

    /// Makes the folder for the runners of the experiment with this word.
    pub(super) fn scratch(word: &str, journal: &Journal) -> Result<Self, CliProblem> {
        Self::temporary("runners", word, journal)
    }

    /// Makes a temporary folder that only its user may enter. The journal knows its name before it is there.
    fn temporary(what: &str, word: &str, journal: &Journal) -> Result<Self, CliProblem> {
        let (name, above) = (format!("{DIRECTORY_PREFIX}{what}-{word}"), std::env::temp_dir());
        journal.directory(&above.join(&name));
        let private = Permissions::from_mode(0o700);
        let mut builder = tempfile::Builder::new();
        let dir = builder.prefix(&name).rand_bytes(0).permissions(private).tempdir_in(&above);
        let dir = dir.map_err(|error| {
            CliProblem::stopped(format!("cannot make a temporary directory: {error}"))
                .hint(crate::runner::archive::io_hint(&error))
        })?;
        Ok(Self { path: dir.path().to_owned(), temporary: Some(dir), journal: journal.clone() })
    }

    pub(super) fn keep(self) -> PathBuf {
        if let Some(dir) = self.temporary {
            self.journal.kept(&self.path);
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
        assert!(Folder::evidence(Some(dir.path()), &Journal::none()).is_err());
        assert!(dir.path().join("report.json").exists());
        Folder::evidence_over(Some(dir.path()), true, &Journal::none()).unwrap();
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["mine.txt"]);
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_its_user_enters_a_folder_of_evidence_or_runners() {
        let dir = tempfile::tempdir().unwrap();
        let word = session(7);
        let scratch = Folder::scratch(&word, &Journal::none()).unwrap();
        assert_eq!(mode(&scratch.path), 0o700);
        let asked = dir.path().join("new/evidence");
        let evidence = Folder::evidence(Some(&asked), &Journal::none()).unwrap();
        assert_eq!((mode(&evidence.path), mode(&dir.path().join("new"))), (0o700, 0o700));
        let path = scratch.path.clone();
        scratch.remove().unwrap();
        assert!(!path.exists() && path.to_str().unwrap().contains(&word));
    }
}
