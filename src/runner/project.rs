//! The project a job checks out, and the edit between runs. [`Project`] is principal.
//!
//! A person's own project is only ever read: every job works on a copy.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use super::RunError;
use crate::scenario::modules as generated;
use crate::scenario::sample::{self, SourceChange, Variant};

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
    /// Of the source edits the last one shows, and so does the last of the dependency edits. The sample's modules, which
    /// no edit changes, are made once, in a directory of the experiment's, and linked from there.
    pub(super) fn check_out(
        &self,
        into: &Path,
        edits: &[SourceChange],
        dockerfile: &str,
        modules: &Path,
    ) -> Result<(), RunError> {
        let last = |wanted| edits.iter().rposition(|edit| *edit == wanted);
        let source = last(SourceChange::Source).map(|at| number(at + 2));
        let deps = last(SourceChange::Deps)
            .map(|_| number(edits.iter().filter(|edit| **edit == SourceChange::Deps).count() + 1));
        match self {
            Self::Sample(variant) => {
                if !modules.exists() {
                    generate(*variant, modules)?;
                }
                link_tree(modules, &into.join(sample::PROXY_DIR))?;
                let source = source.map_or_else(Vec::new, |run| sample::edited(*variant, SourceChange::Source, run));
                let deps = deps.map_or_else(Vec::new, |run| sample::edited(*variant, SourceChange::Deps, run));
                for file in sample::project(*variant).chain(source).chain(deps) {
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

/// Writes the sample's modules, each processor a share of them.
fn generate(variant: Variant, into: &Path) -> Result<(), RunError> {
    let proxies = Mutex::new(generated::proxies(variant));
    let work = || -> Result<(), RunError> {
        loop {
            let next = proxies.lock().ok().and_then(|mut proxies| proxies.next());
            let Some(proxy) = next else { return Ok(()) };
            for file in proxy {
                write(&into.join(&file.path), &file.bytes)?;
            }
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let spawned: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        spawned.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|_| Err(RunError::Worker { reason: "making the modules panicked".to_owned() }))
        })
    })
}

/// Gives every file of a tree of plain files and directories a second name in another.
fn link_tree(from: &Path, into: &Path) -> Result<(), RunError> {
    fs::create_dir_all(into).map_err(RunError::io("make", into))?;
    for entry in fs::read_dir(from).map_err(RunError::io("read", from))? {
        let source = entry.map_err(RunError::io("read", from))?.path();
        let target = into.join(source.file_name().unwrap_or_default());
        if source.is_dir() {
            link_tree(&source, &target)?;
        } else {
            fs::hard_link(&source, &target).map_err(RunError::io("link", &target))?;
        }
    }
    Ok(())
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
        let read = |edits: &[SourceChange]| {
            let dir = tempfile::tempdir().unwrap();
            let checkout = dir.path().join("checkout");
            small.check_out(&checkout, edits, "FROM scratch\n", &dir.path().join("modules")).unwrap();
            let text = |path: &str| fs::read_to_string(checkout.join(path)).unwrap();
            (text("internal/version/version.go"), text("go.mod"))
        };
        let (source, deps) = read(&[SourceChange::Source, SourceChange::Deps, SourceChange::None]);
        assert!(source.contains("\"run-2\"") && deps.contains("flags v1.1.0"), "{source}{deps}");
        let (source, deps) = read(&[SourceChange::Deps, SourceChange::Source, SourceChange::Deps]);
        assert!(source.contains("\"run-3\"") && !deps.contains("flags v1.1.0"), "{source}{deps}");
        let (source, deps) = read(&[]);
        assert!(source.contains("\"run-1\"") && deps.contains("flags v1.0.9"), "{source}{deps}");
    }
}
