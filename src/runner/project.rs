//! The project a job checks out, and the edit between runs. [`Project`] is principal.
//!
//! A person's own project is only ever read: every job works on a copy.

use std::fs;
use std::path::{Path, PathBuf};

use super::RunError;
use crate::scenario::modules;
use crate::scenario::sample::{self, Edit, File, Variant};

/// What actions/checkout puts into the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Project {
    /// The bundled sample with its modules.
    Sample(Variant),
    /// A directory of the person's.
    Directory(PathBuf),
}

impl Project {
    /// Writes the project as it is after some commits into a new directory.
    ///
    /// Of the source edits the last one shows, and so does the last of the dependency edits.
    pub(super) fn check_out(&self, into: &Path, edits: &[Edit], dockerfile: &str) -> Result<(), RunError> {
        let last = |wanted| edits.iter().rposition(|edit| *edit == wanted);
        let source = last(Edit::Source).map(|at| number(at + 2));
        let deps = last(Edit::Deps).map(|_| number(edits.iter().filter(|edit| **edit == Edit::Deps).count() + 1));
        match self {
            Self::Sample(variant) => {
                let proxy = modules::proxy(*variant)
                    .map(|file| File { path: format!("{}/{}", sample::PROXY_DIR, file.path), bytes: file.bytes });
                let source = source.map_or_else(Vec::new, |run| sample::edited(*variant, Edit::Source, run));
                let deps = deps.map_or_else(Vec::new, |run| sample::edited(*variant, Edit::Deps, run));
                for file in sample::project(*variant).chain(proxy).chain(source).chain(deps) {
                    write(&into.join(&file.path), &file.bytes)?;
                }
                write(&into.join("Dockerfile"), dockerfile.as_bytes())
            }
            Self::Directory(from) => {
                copy_tree(from, into)?;
                match (source, deps) {
                    (_, Some(_)) => Err(RunError::DepsEdit),
                    (Some(run), None) => edit_source(into, run),
                    (None, None) => Ok(()),
                }
            }
        }
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Writes a file and the directories above it.
fn write(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(RunError::io("make", parent))?;
    }
    fs::write(path, bytes).map_err(RunError::io("write", path))
}

/// Copies a tree as a checkout would bring it: without `.git`, with modes and symbolic links.
pub(super) fn copy_tree(from: &Path, into: &Path) -> Result<(), RunError> {
    fs::create_dir_all(into).map_err(RunError::io("make", into))?;
    for entry in fs::read_dir(from).map_err(RunError::io("read", from))? {
        let entry = entry.map_err(RunError::io("read", from))?;
        let (source, target) = (entry.path(), into.join(entry.file_name()));
        let kind = entry.file_type().map_err(RunError::io("read", &source))?;
        if entry.file_name() == ".git" {
            continue;
        }
        if kind.is_dir() {
            copy_tree(&source, &target)?;
        } else if kind.is_symlink() {
            let link = fs::read_link(&source).map_err(RunError::io("read", &source))?;
            std::os::unix::fs::symlink(link, &target).map_err(RunError::io("write", &target))?;
        } else if kind.is_file() {
            fs::copy(&source, &target).map_err(RunError::io("copy", &source))?;
        }
    }
    Ok(())
}

/// Changes one Go file of package main, so that the next build has something to compile.
fn edit_source(project: &Path, number: u32) -> Result<(), RunError> {
    let path = main_file(project)?.ok_or_else(|| RunError::NothingToEdit { path: project.to_owned() })?;
    let text = fs::read_to_string(&path).map_err(RunError::io("read", &path))?;
    let text = format!("{}\n\nvar _ = \"edit before run {number}\"\n", text.trim_end());
    fs::write(&path, text).map_err(RunError::io("write", &path))
}

/// Finds the first Go file of package main, nearest to the top.
fn main_file(dir: &Path) -> Result<Option<PathBuf>, RunError> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(dir).map_err(RunError::io("read", dir))? {
        entries.push(entry.map_err(RunError::io("read", dir))?.path());
    }
    entries.sort_by_key(|path| (path.is_dir(), path.clone()));
    for path in entries {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.is_symlink() || name.starts_with(['.', '_']) || name == "vendor" || name == "testdata" {
            continue;
        }
        if path.is_dir() {
            if let Some(found) = main_file(&path)? {
                return Ok(Some(found));
            }
        } else if name.ends_with(".go") && !name.ends_with("_test.go") && is_main(&path) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Tells whether a Go file of package main is built always: no build constraint, no `C`.
fn is_main(path: &Path) -> bool {
    let Ok(text) = fs::read_to_string(path) else { return false };
    let constrained = text.lines().any(|line| line.starts_with("//go:build") || line.starts_with("// +build"));
    !constrained
        && text.lines().any(|line| line.split_whitespace().collect::<Vec<_>>().starts_with(&["package", "main"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_source_edit_and_the_latest_dependency_edit_both_show() {
        let small = Project::Sample(Variant::Small);
        let read = |edits: &[Edit]| {
            let dir = tempfile::tempdir().unwrap();
            small.check_out(dir.path(), edits, "FROM scratch\n").unwrap();
            let text = |path: &str| fs::read_to_string(dir.path().join(path)).unwrap();
            (text("internal/version/version.go"), text("go.mod"))
        };
        let (source, deps) = read(&[Edit::Source, Edit::Deps, Edit::None]);
        assert!(source.contains("\"run-2\"") && deps.contains("flags v1.1.0"), "{source}{deps}");
        let (source, deps) = read(&[Edit::Deps, Edit::Source, Edit::Deps]);
        assert!(source.contains("\"run-3\"") && !deps.contains("flags v1.1.0"), "{source}{deps}");
        let (source, deps) = read(&[]);
        assert!(source.contains("\"run-1\"") && deps.contains("flags v1.0.9"), "{source}{deps}");
    }
}
