//! The files of a repository, as far as a lint asks for them. [`LintFiles`] is principal.

use std::path::{Path, PathBuf};

/// Answers what a lint asks about the repository; who implements it does the reading.
///
/// Paths are relative to the repository's root, with `/` between their parts.
pub trait LintFiles {
    /// Returns the text of a file; `None` where there is none, or it is no text.
    fn read(&self, path: &str) -> Option<String>;

    /// Returns every file that a checkout would bring; `None` where nobody can tell.
    fn list(&self) -> Option<&[PathBuf]>;
}

/// Joins paths of a repository and takes `.` and `..` out; `None` where it leads out of the repository.
pub(super) fn join(base: &str, path: &str) -> Option<String> {
    let rooted = path.trim_start().starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    if rooted {
        return None;
    }
    for part in base.split('/').chain(path.split('/')) {
        match part.trim() {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
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

impl LintFiles for MemoryFiles {
    fn read(&self, path: &str) -> Option<String> {
        self.files.iter().find(|(known, _)| known == path).map(|(_, text)| text.clone())
    }

    fn list(&self) -> Option<&[PathBuf]> {
        Some(&self.paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside_the_repository() {
        assert_eq!(join("a/b", "../c/./d").as_deref(), Some("a/c/d"));
        assert_eq!(join("", "./Dockerfile").as_deref(), Some("Dockerfile"));
        assert_eq!(join("a", "../../x"), None);
        assert_eq!(join("a", "/etc/passwd"), None);
    }
}
