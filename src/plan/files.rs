//! The files of the repository that a plan may need. [`RepositoryFiles`] is principal.
//!
//! Local actions and called workflows stand in files of their own. Whoever plans hands them in, since a plan reads nothing
//! by itself.

use crate::source::Source;

/// Where a plan finds the text of local actions and called workflows.
pub trait RepositoryFiles {
    /// Returns a file by its path from the root of the repository, with slashes; `None` when there is none.
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

/// Returns the place of the file that a local `uses:` names, from the root of the repository; `None` when it leads out of it.
pub(super) fn local_path(uses: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in uses.split('/') {
        match part {
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
        assert_eq!(local_path("./.github/actions/x/").as_deref(), Some(".github/actions/x"));
        assert_eq!(local_path("./a/../b").as_deref(), Some("b"));
        assert_eq!(local_path("../x"), None);
        assert_eq!(local_path("./").as_deref(), Some(""));
    }
}
