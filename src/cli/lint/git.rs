//! An older state of a repository, as Git has it. [`BaseFiles`] is principal.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::repository::Repository;
use crate::cli::problem::CliProblem;
use crate::lint::LintFiles;
use crate::plan::RepositoryFiles;
use crate::source::Source;

/// The files of one revision.
pub(super) struct BaseFiles {
    root: PathBuf,
    revision: String,
    /// The workflows that are looked at, as they were.
    pub(super) workflows: Vec<Source>,
    files: Vec<PathBuf>,
}

impl BaseFiles {
    /// Reads the workflows of a revision.
    ///
    /// # Errors
    /// No Git, or no such revision.
    pub(super) fn at(repository: &Repository, revision: &str) -> Result<Self, CliProblem> {
        let mut base = Self {
            root: repository.root.clone(),
            revision: revision.to_owned(),
            workflows: Vec::new(),
            files: Vec::new(),
        };
        if revision.starts_with('-') {
            return Err(CliProblem::usage(format!("`{revision}` is no revision")));
        }
        let listed = base.git(&["ls-tree", "-r", "--name-only", "-z", revision])?;
        base.files = listed.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect();
        for workflow in &repository.workflows {
            base.workflows.extend(base.read(&workflow.name));
        }
        Ok(base)
    }

    fn git(&self, args: &[&str]) -> Result<String, CliProblem> {
        let output = Command::new("git").arg("-C").arg(&self.root).args(args).output();
        let output = output.map_err(|error| CliProblem::stopped(format!("cannot run git: {error}")))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.lines().next().unwrap_or_default();
            let hint = "fetch the revision, such as with `fetch-depth: 0` of actions/checkout";
            return Err(CliProblem::stopped(format!("git knows no revision `{}`: {said}", self.revision))
                .hint(Some(hint.to_owned())));
        }
        String::from_utf8(output.stdout).map_err(|_| CliProblem::stopped("git gave no UTF-8 text"))
    }
}

impl RepositoryFiles for BaseFiles {
    fn read(&self, path: &str) -> Option<Source> {
        let known = self.files.iter().any(|file| file == Path::new(path));
        let text = known.then(|| self.git(&["show", &format!("{}:./{path}", self.revision)]).ok()).flatten()?;
        Some(Source::new(path, text))
    }
}

impl LintFiles for BaseFiles {
    fn list(&self) -> Option<&[PathBuf]> {
        Some(&self.files)
    }
}
