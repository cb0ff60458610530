//! The namespaces in which an action runs. [`ActionSandbox`] is principal.
//!
//! bubblewrap makes them: the runner's directory is `/`, the machine's `/usr` can only be read, there is no network but the
//! loopback device, and every process ends with the phase. As on GitHub's runners the action is a user who owns its home
//! only, and `sudo` is there.

use std::fs;
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

use super::cache_service::BLOB_HOST;
use super::engine_door::EngineDoor;
use super::{INSIDE_NAME, RealTools};
use crate::actions::PhaseRequest;
use crate::runner::RunError;
use crate::runner::archive::Layout;

/// Where this program's own files lie inside.
pub(in crate::runner) const INSIDE: &str = "/opt/verify-buildkit-cache";

/// The user and the group of the runner, as on GitHub's.
const RUNNER_UID: u32 = 1001;

/// The capabilities of `sudo` inside, where this program is root: what removing and owning files takes, and to become the
/// runner's user.
const ROOT_CAPABILITIES: [&str; 8] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
];

/// Those where this program is an ordinary user.
const USER_CAPABILITIES: [&str; 3] = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER"];

/// Directories of the runner's that its user may only read.
const ROOTS: [&str; 7] = ["", "mnt", "home", "opt", "etc", "var", "root"];

/// What the machine's `/etc` has that programs of `/usr` need.
const FROM_ETC: [&str; 5] = ["/etc/alternatives", "/etc/ld.so.cache", "/etc/ssl/certs", "/etc/localtime", "/etc/magic"];

/// The private place of one runner's actions.
#[derive(Debug)]
pub(in crate::runner) struct ActionSandbox {
    tools: RealTools,
    layout: Layout,
    /// Where this program's files for the inside lie on this machine.
    pub(in crate::runner) private: PathBuf,
    _door: EngineDoor,
}

/// A directory of the machine's that the inside can read.
#[derive(Debug, Clone)]
pub(in crate::runner) struct PhaseMount {
    /// On this machine.
    pub(in crate::runner) from: PathBuf,
    /// Inside.
    pub(in crate::runner) at: String,
}

impl ActionSandbox {
    /// Makes the runner's directories fit to be a `/`, and opens the door to the engine.
    pub(in crate::runner) fn new(
        tools: &RealTools,
        engine: &str,
        layout: &Layout,
        private: PathBuf,
    ) -> Result<Self, RunError> {
        let root = &layout.root;
        let make = |dir: PathBuf| fs::create_dir_all(&dir).map_err(RunError::io("make", dir));
        for dir in
            ["usr", "proc", "dev", "run", "tmp", "var/tmp", "var/cache", "mnt", "opt/verify-buildkit-cache", "root"]
        {
            make(root.join(dir))?;
        }
        make(root.join("etc/ssl/certs"))?;
        for dir in ["", "bin", "lib", "docker-config/cli-plugins", "trace"] {
            make(private.join(dir))?;
        }
        let mode = |dir: &str, bits: u32| {
            let dir = root.join(dir);
            fs::set_permissions(&dir, fs::Permissions::from_mode(bits)).map_err(RunError::io("make", dir))
        };
        mode("tmp", 0o1777)?;
        mode("var/tmp", 0o1777)?;
        mode("root", 0o700)?;
        for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
            let (link, to) = (root.join(name), Path::new("usr").join(name));
            if Path::new("/").join(&to).exists() && !link.is_symlink() {
                symlink(&to, &link).map_err(RunError::io("make", link))?;
            }
        }
        let texts = [
            ("passwd", "root:x:0:0:root:/root:/bin/bash\nrunner:x:1001:1001::/home/runner:/bin/bash\n"),
            ("group", "root:x:0:\nrunner:x:1001:\ndocker:x:127:runner\n"),
            ("hosts", &format!("127.0.0.1 localhost\n127.0.0.1 {BLOB_HOST}\n")),
            ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
        ];
        for (name, text) in texts {
            let path = root.join("etc").join(name);
            fs::write(&path, text).map_err(RunError::io("write", path))?;
        }
        let door = EngineDoor::open(&private.join("engine.sock"), engine)?;
        let sandbox = Self { tools: tools.clone(), layout: layout.clone(), private, _door: door };
        for dir in ["trace", "docker-config", "docker-config/cli-plugins"] {
            sandbox.give(&sandbox.private.join(dir))?;
        }
        Ok(sandbox)
    }

    /// Gives a tree to the runner's user, as far as this program is root.
    pub(in crate::runner) fn give_tree(&self, path: &Path) -> Result<(), RunError> {
        if !self.tools.root {
            return Ok(());
        }
        self.give(path)?;
        let kind = fs::symlink_metadata(path).map_err(RunError::io("read", path))?;
        if kind.is_dir() {
            for entry in fs::read_dir(path).map_err(RunError::io("read", path))? {
                self.give_tree(&entry.map_err(RunError::io("read", path))?.path())?;
            }
        }
        Ok(())
    }

    fn give(&self, path: &Path) -> Result<(), RunError> {
        if !self.tools.root {
            return Ok(());
        }
        lchown(path, Some(RUNNER_UID), Some(RUNNER_UID)).map_err(RunError::io("own", path))
    }

    /// Returns the words before a command that make it the runner's user, without any right.
    pub(in crate::runner) fn as_user(&self) -> Vec<String> {
        let words: &[&str] = match self.tools.root {
            true => &["--reuid=1001", "--regid=1001", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"],
            false => &["--ambient-caps=-all", "--inh-caps=-all"],
        };
        [format!("{INSIDE}/lib/setpriv")].into_iter().chain(words.iter().map(|word| (*word).to_owned())).collect()
    }

    /// Makes what its user may only read so, or no longer. Only an ordinary user owns these directories.
    pub(super) fn shut(&self, shut: bool) -> Result<(), RunError> {
        if self.tools.root {
            return Ok(());
        }
        for dir in ROOTS {
            let (dir, bits) = (self.layout.root.join(dir), if shut { 0o555 } else { 0o755 });
            fs::set_permissions(&dir, fs::Permissions::from_mode(bits)).map_err(RunError::io("make", dir))?;
        }
        Ok(())
    }

    /// Returns the command that carries a request out inside.
    pub(super) fn command(&self, request: &PhaseRequest, mounts: &[PhaseMount]) -> Result<Vec<String>, RunError> {
        let path = self.private.join("request.json");
        let text = serde_json::to_vec(request).unwrap_or_default();
        fs::write(&path, text).map_err(RunError::io("write", path))?;
        let mut words: Vec<String> =
            ["--die-with-parent", "--new-session", "--unshare-net", "--unshare-pid", "--unshare-ipc"]
                .iter()
                .chain(&["--unshare-uts", "--unshare-cgroup-try", "--hostname", "runner", "--cap-drop", "ALL"])
                .map(|word| (*word).to_owned())
                .collect();
        let mut push = |more: &[&str]| words.extend(more.iter().map(|word| (*word).to_owned()));
        let capabilities: &[&str] = if self.tools.root { &ROOT_CAPABILITIES } else { &USER_CAPABILITIES };
        if !self.tools.root {
            let id = RUNNER_UID.to_string();
            push(&["--unshare-user", "--uid", &id, "--gid", &id]);
        }
        for capability in capabilities {
            push(&["--cap-add", capability]);
        }
        let outside = |path: &Path| path.display().to_string();
        push(&["--bind", &outside(&self.layout.root), "/", "--ro-bind", "/usr", "/usr"]);
        push(&["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/run"]);
        for path in FROM_ETC {
            push(&["--ro-bind-try", path, path]);
        }
        push(&["--bind", &outside(&self.private), INSIDE]);
        let tools = &self.tools;
        for (from, to) in [
            (&tools.program, "bin/docker"),
            (&tools.program, "bin/sudo"),
            (&tools.program, &*format!("lib/{INSIDE_NAME}")),
            (&tools.node, "bin/node"),
            (&tools.docker, "lib/docker"),
            (&tools.setpriv, "lib/setpriv"),
            (&tools.buildx, "docker-config/cli-plugins/docker-buildx"),
        ] {
            push(&["--ro-bind", &outside(from), &format!("{INSIDE}/{to}")]);
        }
        // Whoever calls docker by its whole name is not to get past the one of this run.
        for hidden in ["/usr/bin/docker", "/usr/local/bin/docker"] {
            if Path::new(hidden).is_file() && !Path::new(hidden).is_symlink() {
                push(&["--ro-bind", &outside(&tools.program), hidden]);
            }
        }
        for mount in mounts {
            // bubblewrap would make it, for its own user only.
            let at = self.layout.root.join(mount.at.trim_start_matches('/'));
            fs::create_dir_all(&at).map_err(RunError::io("make", at))?;
            push(&["--ro-bind", &outside(&mount.from), &mount.at]);
        }
        push(&["--chdir", "/", "--", &format!("{INSIDE}/lib/{INSIDE_NAME}"), &format!("{INSIDE}/request.json")]);
        Ok(words)
    }

    /// Returns bubblewrap.
    pub(super) fn bubblewrap(&self) -> &Path {
        &self.tools.bwrap
    }
}
