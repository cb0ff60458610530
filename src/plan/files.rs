//! The files of the repository that a plan may need. [`RepositoryFiles`] is principal.
//!
//! Local actions and called workflows stand in files of their own. Whoever plans hands them in, since a plan reads nothing
//! by itself.

use crate::source::Source;

/// Where a plan finds the text of local actions and called workflows, and a lint that of Dockerfiles.
pub trait RepositoryFiles {
    /// Returns a file by its path from the root of the repository, with slashes, which is its name; `None` when there is none,
    /// or it is no text.
    fn read(&self, path: &str) -> Option<Source>;
}

/// A repository of which no file is at hand.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFiles;

impl RepositoryFiles for NoFiles {
    fn read(&self, _: &str) -> Option<Source> {
        None
    }
}

/// Joins paths of a repository and takes `.` and `..` out; `None` where it leads out of the repository.
pub fn path_in_repository(base: &str, path: &str) -> Option<String> {
    if path.trim_start().starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_action_lies_below_the_root() {
        let local_path = |uses: &str| path_in_repository("", uses);
        assert_eq!(local_path("./.github/actions/x/").as_deref(), Some(".github/actions/x"));
        assert_eq!(local_path("./a/../b").as_deref(), Some("b"));
        assert_eq!(local_path("../x"), None);
        assert_eq!(local_path("./").as_deref(), Some(""));
    }

    #[test]
    fn paths_stay_inside_the_repository() {
        assert_eq!(path_in_repository("a/b", "../c/./d").as_deref(), Some("a/c/d"));
        assert_eq!(path_in_repository("", "./Dockerfile").as_deref(), Some("Dockerfile"));
        assert_eq!(path_in_repository("a", "../../x"), None);
        assert_eq!(path_in_repository("a", "/etc/passwd"), None);
    }
}
