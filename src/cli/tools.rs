//! The programs that running actions for real takes: found, or named with what to install. [`ToolSearch`] is principal.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::runner::RealTools;

/// The oldest node that serves all actions.
const NODE: u32 = 20;

/// Where docker looks for plugins, besides the user's own directory.
const PLUGINS: [&str; 5] = [
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
    "/usr/share/docker/cli-plugins",
];

/// What was looked for.
#[derive(Debug)]
pub(super) struct ToolSearch {
    /// A line for each program: its name, and where it is or what to install.
    pub(super) lines: Vec<(&'static str, Result<String, String>)>,
    /// All of it, when nothing is missing.
    pub(super) tools: Option<RealTools>,
}

/// Looks for all programs.
pub(super) fn search() -> ToolSearch {
    let mut lines = Vec::new();
    let mut found = |name: &'static str, place: Option<PathBuf>, install: &str| {
        let line = place.as_ref().map(|path| path.display().to_string());
        lines.push((name, line.ok_or_else(|| install.to_owned())));
        place
    };
    let node = newest_node();
    let node = found("node", node, &format!("install node {NODE} or newer (nodejs.org, or nodejs of Debian 13)"));
    let docker = found("docker", on_path("docker"), "install the docker command (docker.io or docker-cli of Debian)");
    let plugin =
        found("buildx", buildx(), "install docker's buildx plugin (docker-buildx of Debian 13, or scripts/buildx)");
    let bwrap = found("bubblewrap", on_path("bwrap"), "install bubblewrap");
    let setpriv = found("setpriv", on_path("setpriv"), "install util-linux");
    found("tar", on_path("tar"), "install tar");
    found("zstd", on_path("zstd"), "install zstd");
    let busybox = on_path("busybox").filter(|path| is_static(path));
    let words = "install busybox-static, unless the engine has the dance's utility image";
    let busybox = found("busybox", busybox, words);
    let program = std::env::current_exe().ok();
    let tools = (|| {
        Some(RealTools {
            program: program?,
            node: node?,
            docker: docker?,
            buildx: plugin?,
            bwrap: bwrap?,
            setpriv: setpriv?,
            busybox,
            root: std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0),
        })
    })();
    ToolSearch { lines, tools }
}

/// Finds a program on the PATH, over all its links.
fn on_path(name: &str) -> Option<PathBuf> {
    all_on_path(name).into_iter().next()
}

fn all_on_path(name: &str) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join(name)).filter(|path| is_program(path));
    found.filter_map(|path| path.canonicalize().ok()).collect()
}

fn is_program(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// Finds the first node that is new enough.
fn newest_node() -> Option<PathBuf> {
    all_on_path("node").into_iter().find(|path| {
        let version = Command::new(path).arg("--version").output().ok();
        let text = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        let major = text.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
        major.is_some_and(|major| major >= NODE)
    })
}

fn buildx() -> Option<PathBuf> {
    let own = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let own = own.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".docker")));
    let own = own.map(|dir| dir.join("cli-plugins"));
    let dirs = own.into_iter().chain(PLUGINS.iter().map(PathBuf::from));
    let found = dirs.map(|dir| dir.join("docker-buildx")).find(|path| is_program(path));
    found.and_then(|path| path.canonicalize().ok())
}

/// Tells whether a program names no interpreter, and so runs where there is no library.
fn is_static(path: &Path) -> bool {
    let Ok(bytes) = std::fs::read(path) else { return false };
    let head = &bytes[..bytes.len().min(4096)];
    head.starts_with(b"\x7fELF") && !head.windows(5).any(|window| window == b"ld-li" || window == b"ld-mu")
}
