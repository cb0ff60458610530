//! Which paths a save archives. [`Manifest`] is principal.
//!
//! Resolves the patterns of actions/cache on a runner's own file system. As in the action, only what a pattern names is
//! listed: `dir` lists the directory and tar takes all of it, so that `!dir/sub` beside it takes nothing away. Foreign
//! facts: actions/toolkit `packages/cache/src/internal/cacheUtils.ts` (`resolvePaths`) and `packages/glob`.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use super::ArchiveError;
use super::layout::{Layout, below_root};
use super::pattern::PathPattern;

/// The paths to archive, relative to the workspace: `.` for itself, `../` for what lies outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The paths, in the order the patterns gave them.
    pub paths: Vec<PathBuf>,
}

impl Manifest {
    /// Resolves patterns, as split and trimmed from the `path` input.
    ///
    /// # Errors
    /// [`ArchiveError::Pattern`] and [`ArchiveError::PathValidation`] with the action's own words, or the path that
    /// could not be read.
    pub fn resolve<S: AsRef<str>>(patterns: &[S], layout: &Layout) -> Result<Self, ArchiveError> {
        let parse = |line: &S| PathPattern::parse(line.as_ref().trim(), &layout.workspace, &layout.home).transpose();
        let patterns = patterns.iter().filter_map(parse).collect::<Result<Vec<_>, _>>()?;
        let search =
            Search { root: fs::canonicalize(&layout.root).map_err(ArchiveError::read(&layout.root))?, patterns };
        let mut found = Vec::new();
        for start in search.starts() {
            search.walk(start, &mut found)?;
        }
        if found.is_empty() {
            return Err(ArchiveError::PathValidation);
        }
        Ok(Self { paths: found.iter().map(|path| relative(path, &layout.workspace)).collect() })
    }

    /// Lists the paths without those that a listed directory already contains: archiving them twice changes nothing.
    pub(super) fn without_nested(&self, layout: &Layout) -> Vec<&Path> {
        let workspace = layout.real(&layout.workspace);
        let seen = |path: &Path| join(below_root(&layout.workspace), path);
        let dirs: HashSet<PathBuf> = self
            .paths
            .iter()
            .filter(|path| fs::symlink_metadata(workspace.join(path)).is_ok_and(|meta| meta.is_dir()))
            .map(|path| seen(path))
            .collect();
        let contained = |path: &Path| seen(path).ancestors().skip(1).any(|above| dirs.contains(above));
        self.paths.iter().map(PathBuf::as_path).filter(|path| !contained(path)).collect()
    }
}

struct Search {
    root: PathBuf,
    patterns: Vec<PathPattern>,
}

/// The real directories above an entry: a link back to one of them is not followed.
struct Chain {
    real: PathBuf,
    above: Option<Rc<Chain>>,
}

impl Search {
    /// Returns where to start: the paths of all positive patterns, without those below another.
    fn starts(&self) -> Vec<PathBuf> {
        let mut starts: Vec<PathBuf> = Vec::new();
        for path in self.patterns.iter().filter(|pattern| !pattern.negate).map(PathPattern::search_path) {
            if !starts.contains(&path) {
                starts.push(path);
            }
        }
        let all: HashSet<PathBuf> = starts.iter().cloned().collect();
        starts.retain(|path| !path.ancestors().skip(1).any(|above| all.contains(above)));
        starts
    }

    fn walk(&self, start: PathBuf, found: &mut Vec<PathBuf>) -> Result<(), ArchiveError> {
        let mut stack = vec![(start, None)];
        while let Some((seen, above)) = stack.pop() {
            let (as_dir, as_file, leads_on) = self.standing(&seen);
            if !as_dir && !leads_on {
                continue;
            }
            let path = self.root.join(below_root(&seen));
            let meta = match fs::metadata(&path) {
                Ok(meta) => meta,
                // Nothing there, or a broken link: neither is listed.
                Err(error) if is_absent(&error) => continue,
                Err(source) => return Err(ArchiveError::Read { path, source }),
            };
            if !meta.is_dir() {
                if as_file {
                    found.push(seen);
                }
                continue;
            }
            let real = fs::canonicalize(&path).map_err(ArchiveError::read(&path))?;
            if !real.starts_with(&self.root) || is_above(&real, above.as_ref()) {
                continue;
            }
            if leads_on {
                let chain = Rc::new(Chain { real, above });
                stack.extend(children(&path)?.into_iter().map(|name| (seen.join(name), Some(Rc::clone(&chain)))));
            }
            if as_dir {
                found.push(seen);
            }
        }
        Ok(())
    }

    /// Says whether a path is listed if it is a directory, and if it is a file, and whether to look below it. Later
    /// patterns overrule earlier ones.
    fn standing(&self, path: &Path) -> (bool, bool, bool) {
        let (mut as_dir, mut as_file, mut leads_on) = (false, false, false);
        for pattern in &self.patterns {
            let standing = pattern.standing(path);
            if standing.matches {
                as_dir = !pattern.negate;
                as_file = if pattern.dirs_only { as_file && !pattern.negate } else { !pattern.negate };
            }
            leads_on |= standing.leads_on && !pattern.negate;
        }
        (as_dir, as_file, leads_on)
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn is_above(real: &Path, mut chain: Option<&Rc<Chain>>) -> bool {
    while let Some(link) = chain {
        if link.real == real {
            return true;
        }
        chain = link.above.as_ref();
    }
    false
}

/// Lists the names in a directory, the last one first.
fn children(dir: &Path) -> Result<Vec<std::ffi::OsString>, ArchiveError> {
    let names =
        fs::read_dir(dir).and_then(|entries| entries.map(|entry| entry.map(|entry| entry.file_name())).collect());
    let mut names: Vec<_> = names.map_err(ArchiveError::read(dir))?;
    names.sort_by(|left, right| right.cmp(left));
    Ok(names)
}

/// Does `path.relative`.
fn relative(path: &Path, from: &Path) -> PathBuf {
    let shared = path.components().zip(from.components()).take_while(|(left, right)| left == right).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    let relative: PathBuf = up.chain(path.components().skip(shared)).collect();
    if relative.as_os_str().is_empty() { PathBuf::from(".") } else { relative }
}

/// Joins a relative path and resolves its `..` by text.
fn join(base: &Path, path: &Path) -> PathBuf {
    let mut joined = base.to_owned();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                joined.pop();
            }
            Component::Normal(part) => joined.push(part),
            _ => {}
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(files: &[&str]) -> (tempfile::TempDir, Layout) {
        let temp = tempfile::tempdir().unwrap();
        let layout = Layout {
            root: temp.path().to_owned(),
            workspace: "/home/runner/work/app/app".into(),
            home: "/home/runner".into(),
        };
        for file in files {
            let path = layout.real(&layout.workspace).join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if !file.ends_with('/') {
                fs::write(path, file).unwrap();
            }
        }
        (temp, layout)
    }

    fn resolved(patterns: &[&str], layout: &Layout) -> Vec<String> {
        let manifest = Manifest::resolve(patterns, layout).unwrap();
        manifest.paths.iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn paths_are_relative_to_the_workspace() {
        let (_temp, layout) = layout(&["c/f", "../../../.cache/go/g", "../../../../../var/x/h"]);
        assert_eq!(
            resolved(&["c", "~/.cache", "/var/x", "gone"], &layout),
            ["c", "../../../.cache", "../../../../../var/x"]
        );
        assert_eq!(resolved(&["."], &layout), ["."]);
    }

    #[test]
    fn an_exclusion_takes_nothing_out_of_a_directory_listed_as_a_whole() {
        let (_temp, layout) = layout(&["c/keep", "c/drop"]);
        assert_eq!(resolved(&["c", "!c/drop"], &layout), ["c"]);
        assert_eq!(resolved(&["c/*", "!c/drop"], &layout), ["c/keep"]);
        assert_eq!(resolved(&["c/**"], &layout), ["c", "c/drop", "c/keep"]);
    }

    #[test]
    fn a_trailing_slash_wants_a_directory() {
        let (_temp, layout) = layout(&["f", "d/x"]);
        assert_eq!(resolved(&["*/"], &layout), ["d"]);
        assert!(matches!(Manifest::resolve(&["f/"], &layout), Err(ArchiveError::PathValidation)));
    }

    #[test]
    fn nothing_matched_is_the_path_validation_error_and_an_empty_directory_is_not() {
        let (_temp, layout) = layout(&["empty/"]);
        fs::create_dir_all(layout.real(&layout.workspace).join("empty")).unwrap();
        assert_eq!(resolved(&["empty"], &layout), ["empty"]);
        assert_eq!(
            Manifest::resolve(&["gone", "f*"], &layout).unwrap_err().to_string(),
            "Path Validation Error: Path(s) specified in the action for caching do(es) not exist, \
             hence no cache is being saved."
        );
    }

    #[test]
    fn links_are_followed_but_not_in_circles_and_not_out_of_the_root() {
        let (_temp, layout) = layout(&["d/f"]);
        let workspace = layout.real(&layout.workspace);
        std::os::unix::fs::symlink(".", workspace.join("d/loop")).unwrap();
        std::os::unix::fs::symlink("/", workspace.join("d/out")).unwrap();
        std::os::unix::fs::symlink("nowhere", workspace.join("d/broken")).unwrap();
        assert_eq!(resolved(&["d/**"], &layout), ["d", "d/f"]);
    }

    #[test]
    fn what_a_listed_directory_contains_is_archived_once() {
        let (_temp, layout) = layout(&["c/a/x", "b"]);
        let manifest = Manifest::resolve(&["c/**", "b"], &layout).unwrap();
        assert_eq!(manifest.without_nested(&layout), [Path::new("c"), Path::new("b")]);
    }
}
