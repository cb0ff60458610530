//! Where a runner's file system lies on this machine's. [`Layout`] is principal.
//!
//! What a workflow or a project names stays inside: as on a real runner, nothing lies above `/`, and a symbolic link leads
//! to where it leads on the runner, never to this machine's own files.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// A runner's file system: where it lies, and what the job knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The directory that stands for the runner's `/`. Nothing outside it is read or written.
    pub root: PathBuf,
    /// The workspace as the job sees it, for example `/home/runner/work/app/app`; it lies below the root.
    pub workspace: PathBuf,
    /// The home directory as the job sees it.
    pub home: PathBuf,
}

/// How many links a path may lead over, as in Linux.
const MOST_LINKS: usize = 40;

impl Layout {
    /// Returns where one of our own paths lies: one without links or `..`.
    pub fn real(&self, seen: &Path) -> PathBuf {
        self.root.join(below_root(seen))
    }

    /// Returns where a path that somebody else has named leads, over all its links; a relative one counts from the
    /// workspace.
    pub fn target(&self, named: &Path) -> PathBuf {
        self.walk(named, true)
    }

    /// Returns where a path that somebody else has named lies; if that is a link, the link itself.
    pub fn place(&self, named: &Path) -> PathBuf {
        self.walk(named, false)
    }

    fn walk(&self, named: &Path, follow_last: bool) -> PathBuf {
        let mut todo = parts(&self.workspace.join(named));
        let (mut below, mut links) = (PathBuf::new(), 0);
        while let Some(part) = todo.pop() {
            match part {
                PathPart::Root => below.clear(),
                PathPart::Up => {
                    below.pop();
                }
                PathPart::Name(name) => {
                    below.push(name);
                    if todo.is_empty() && !follow_last {
                        break;
                    }
                    if let Ok(to) = fs::read_link(self.root.join(&below)) {
                        links += 1;
                        if links > MOST_LINKS {
                            // As the system refuses such a path, this one names nothing.
                            return self.root.join("\0");
                        }
                        below.pop();
                        todo.extend(parts(&to));
                    }
                }
            }
        }
        self.root.join(below)
    }
}

enum PathPart {
    Root,
    Up,
    Name(std::ffi::OsString),
}

/// Splits a path, the last part first.
fn parts(path: &Path) -> Vec<PathPart> {
    let part = |component| match component {
        Component::RootDir | Component::Prefix(_) => Some(PathPart::Root),
        Component::ParentDir => Some(PathPart::Up),
        Component::CurDir => None,
        Component::Normal(name) => Some(PathPart::Name(name.to_owned())),
    };
    path.components().rev().filter_map(part).collect()
}

/// Removes the leading slash.
pub(super) fn below_root(seen: &Path) -> &Path {
    seen.strip_prefix("/").unwrap_or(seen)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn layout(root: &Path) -> Layout {
        let layout = Layout { root: root.to_owned(), workspace: "/work/app".into(), home: "/home".into() };
        fs::create_dir_all(layout.real(&layout.workspace)).unwrap();
        layout
    }

    #[test]
    fn nothing_lies_above_the_root() {
        let dir = tempfile::tempdir().unwrap();
        let layout = layout(dir.path());
        for (named, below) in [
            ("a/b", "work/app/a/b"),
            ("./a//b/", "work/app/a/b"),
            ("../x", "work/x"),
            ("../../../../../etc", "etc"),
            ("/../../home/me", "home/me"),
            ("/a/../../b", "b"),
            ("/", ""),
        ] {
            assert_eq!(layout.target(Path::new(named)), dir.path().join(below), "{named}");
        }
    }

    #[test]
    fn links_lead_where_they_lead_on_the_runner() {
        let dir = tempfile::tempdir().unwrap();
        let layout = layout(dir.path());
        let workspace = layout.real(&layout.workspace);
        symlink("/home/me/.cache", workspace.join("cache")).unwrap();
        symlink("cache/go", workspace.join("go")).unwrap();
        symlink("../../../../../../../../etc", workspace.join("etc")).unwrap();
        symlink("loop", workspace.join("loop")).unwrap();
        for (named, target, place) in [
            ("cache", "home/me/.cache", "work/app/cache"),
            ("cache/go-build", "home/me/.cache/go-build", "home/me/.cache/go-build"),
            ("go", "home/me/.cache/go", "work/app/go"),
            ("etc/passwd", "etc/passwd", "etc/passwd"),
            ("cache/../x", "home/me/x", "home/me/x"),
        ] {
            assert_eq!(layout.target(Path::new(named)), dir.path().join(target), "{named}");
            assert_eq!(layout.place(Path::new(named)), dir.path().join(place), "{named}");
        }
        for link in 0..60 {
            symlink(format!("link-{}", link + 1), workspace.join(format!("link-{link}"))).unwrap();
        }
        symlink(dir.path(), workspace.join("link-60")).unwrap();
        for endless in ["loop/x", "link-0/x"] {
            assert!(fs::write(layout.target(Path::new(endless)), "").is_err(), "{endless}");
        }
    }
}
