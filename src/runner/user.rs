//! As which user the steps of a job run, and what that user may not do. [`RunnerUser`] is principal.
//!
//! On GitHub's hosted runners steps run as `runner` (1001, umask 022), to whom only the home directory, with the workspace
//! and the temporary directory in it, and a few places for everybody belong. What needs more fails there at once. Seen with the
//! unmodified actions as such a user; that `/`, `/mnt` and `/root` are root's is what GitHub's image says
//! (<https://github.com/actions/runner-images/blob/main/images/ubuntu/scripts/build/configure-environment.sh>).

use std::path::{Component, Path, PathBuf};

use super::archive::{Layout, UnpackedModes};

/// As which user steps run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunnerUser {
    /// An ordinary user, as on a hosted runner.
    #[default]
    Runner,
    /// Root, as on many self-hosted runners.
    Root,
}

/// What everybody may write to, besides the runner's home.
const FOR_ALL: [&str; 5] = ["/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/opt/hostedtoolcache"];

/// What an Ubuntu runner has and only root may write to.
const OF_ROOT: [&str; 21] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/run",
    "/sbin",
    "/srv",
    "/sys",
    "/usr",
    "/usr/local",
    "/var",
    "/var/lib",
    "/var/cache",
    "/var/log",
];

impl RunnerUser {
    /// Returns what the modes in an archive become when this user's `tar` unpacks it.
    pub(super) fn modes(self) -> UnpackedModes {
        match self {
            Self::Runner => UnpackedModes::OfUser,
            Self::Root => UnpackedModes::Kept,
        }
    }

    /// Returns the error of node's `mkdir` with `recursive`, if this user may not make a directory; `scripts` are those that
    /// ran before and may have given it a place of its own.
    pub(super) fn refuses(self, layout: &Layout, named: &str, scripts: &[&str]) -> Option<String> {
        if self == Self::Root {
            return None;
        }
        let real = layout.target(Path::new(named));
        let seen = Path::new("/").join(real.strip_prefix(&layout.root).ok()?);
        let granted = granted(scripts);
        let owned = |path: &Path| {
            let own = FOR_ALL.iter().map(Path::new).chain([layout.home.as_path()]);
            own.chain(granted.iter().map(PathBuf::as_path)).any(|own| path.starts_with(own))
        };
        if owned(&seen) {
            return None;
        }
        // Nobody but root enters its home.
        if seen.starts_with("/root") {
            return Some(refusal("mkdir", &seen));
        }
        let mut made = PathBuf::new();
        for part in seen.components() {
            made.push(part);
            let there = part == Component::RootDir || OF_ROOT.iter().any(|known| made == Path::new(known));
            if !there {
                return Some(refusal("mkdir", &made));
            }
        }
        // It is there, and cannot be written in.
        Some(refusal("open", &seen.join("buildstamp")))
    }
}

fn refusal(call: &str, path: &Path) -> String {
    format!("Error: EACCES: permission denied, {call} '{}'", path.display())
}

/// Finds the places that a script gives to everybody, or to the runner's user, with root's rights.
fn granted(scripts: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for line in scripts.iter().flat_map(|script| script.lines()) {
        for command in line.split(['&', ';', '|']) {
            let Some(words) = shlex::split(command) else { continue };
            let words: Vec<&str> =
                words.iter().map(String::as_str).skip_while(|word| *word != "sudo").skip(1).collect();
            let gives = match words.first() {
                Some(&"chown") => true,
                Some(&"chmod") => words.iter().any(|word| {
                    word.trim_start_matches('0').ends_with('7')
                        || word.contains("o+")
                        || word.starts_with("a+")
                        || word.starts_with("+")
                }),
                Some(&"install" | &"mkdir") => words
                    .iter()
                    .any(|word| word.contains("777") || word.starts_with("-o") || word.starts_with("--owner")),
                _ => false,
            };
            if gives {
                found.extend(words[1..].iter().filter(|word| word.starts_with('/')).map(PathBuf::from));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> (tempfile::TempDir, Layout) {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout {
            root: dir.path().to_owned(),
            workspace: "/home/runner/work/app/app".into(),
            home: "/home/runner".into(),
        };
        (dir, layout)
    }

    #[test]
    fn only_root_makes_directories_outside_of_the_runners_own() {
        let (_dir, layout) = layout();
        for (named, error) in [
            ("/go/pkg/mod", "mkdir '/go'"),
            ("/mnt/a", "mkdir '/mnt/a'"),
            ("/mnt/a/b", "mkdir '/mnt/a'"),
            ("/root/.cache/go-build", "mkdir '/root/.cache/go-build'"),
            ("../../../../x", "mkdir '/home/x'"),
            ("/mnt", "open '/mnt/buildstamp'"),
            ("/usr/local/go", "mkdir '/usr/local/go'"),
        ] {
            let refused = RunnerUser::Runner.refuses(&layout, named, &[]);
            assert_eq!(refused, Some(format!("Error: EACCES: permission denied, {error}")), "{named}");
            assert_eq!(RunnerUser::Root.refuses(&layout, named, &[]), None, "{named}");
        }
        for own in ["cache", "./a/b", "../c", "/home/runner/.cache/x", "/tmp/x", "/home/runner/work/_temp/y"] {
            assert_eq!(RunnerUser::Runner.refuses(&layout, own, &[]), None, "{own}");
        }
    }

    #[test]
    fn a_link_in_the_workspace_opens_nothing() {
        let (_dir, layout) = layout();
        let workspace = layout.real(&layout.workspace);
        std::fs::create_dir_all(&workspace).unwrap();
        std::os::unix::fs::symlink("/go", workspace.join("cache")).unwrap();
        let refused = RunnerUser::Runner.refuses(&layout, "cache/mod", &[]);
        assert_eq!(refused.as_deref(), Some("Error: EACCES: permission denied, mkdir '/go'"));
    }

    #[test]
    fn a_script_with_roots_rights_can_give_a_place_away() {
        let (_dir, layout) = layout();
        let allowed = |script: &str| RunnerUser::Runner.refuses(&layout, "/mnt/scratch", &[script]).is_none();
        for script in [
            "sudo chown \"$USER\" /mnt",
            "df -h\nsudo chown -R runner:docker /mnt/scratch",
            "sudo mkdir -p /mnt/scratch && sudo chmod 777 /mnt/scratch",
            "sudo chmod a+rwx /mnt",
            "sudo install -d -o runner /mnt/scratch",
        ] {
            assert!(allowed(script), "{script}");
        }
        for script in [
            "sudo mkdir -p /mnt/scratch",
            "chown runner /mnt",
            "sudo chmod 755 /mnt",
            "sudo chown runner /mnt/other",
            "ls /mnt",
        ] {
            assert!(!allowed(script), "{script}");
        }
    }
}
