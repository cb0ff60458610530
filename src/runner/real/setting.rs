//! What running actions for real needs. [`RealSetting`] is principal.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::RealActionError;
use crate::runner::RunError;
use crate::source::Source;
use crate::workflow::{ActionFile, ActionRuns, JavaScriptAction};

/// Which actions run for real, with what, and for how long.
#[derive(Debug, Clone)]
pub struct RealSetting {
    /// The code of the cache-dance; `None` simulates it.
    pub dance: Option<ActionCheckout>,
    /// The code of actions/cache; `None` simulates it.
    pub cache: Option<ActionCheckout>,
    /// The programs it takes.
    pub tools: RealTools,
    /// The engine's address, such as `unix:///var/run/docker.sock`.
    pub engine: String,
    /// How long a phase may last.
    pub limit: Duration,
}

/// Programs of this machine.
#[derive(Debug, Clone)]
pub struct RealTools {
    /// This program, which is also what runs inside.
    pub program: PathBuf,
    /// node, of release 20 or later.
    pub node: PathBuf,
    /// The docker command.
    pub docker: PathBuf,
    /// Its buildx plugin.
    pub buildx: PathBuf,
    /// bubblewrap.
    pub bwrap: PathBuf,
    /// setpriv of util-linux.
    pub setpriv: PathBuf,
    /// A static busybox, from which a utility image is made where the engine has none.
    pub busybox: Option<PathBuf>,
    /// Whether this program runs as root, and so can be two users inside.
    pub root: bool,
}

/// A directory that holds an action.
#[derive(Debug, Clone)]
pub struct ActionCheckout {
    /// The directory.
    pub path: PathBuf,
    /// What a person calls it.
    pub name: String,
}

/// An action that can be run.
#[derive(Debug, Clone)]
pub(in crate::runner) struct LoadedAction {
    pub(in crate::runner) file: ActionFile,
    pub(in crate::runner) script: JavaScriptAction,
    /// Its directory on this machine.
    pub(in crate::runner) dir: PathBuf,
}

impl ActionCheckout {
    /// Reads the release that the checkout says it is, in its `package.json`.
    pub(in crate::runner) fn release(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.path.join("package.json")).ok()?;
        let package: serde_json::Value = serde_json::from_str(&text).ok()?;
        package["version"].as_str().map(|version| format!("v{version}"))
    }

    /// Reads the action below a folder of the checkout.
    pub(in crate::runner) fn load(&self, below: &str) -> Result<LoadedAction, RunError> {
        let dir = if below.is_empty() { self.path.clone() } else { self.path.join(below) };
        let found = ["action.yml", "action.yaml"].iter().map(|name| dir.join(name)).find(|path| path.is_file());
        let path = found.ok_or_else(|| RealActionError::NoActionFile { path: dir.clone() })?;
        let text = std::fs::read_to_string(&path).map_err(RunError::io("read", &path))?;
        let file = ActionFile::parse(&Source::new(path.display().to_string(), text)).map_err(RealActionError::from)?;
        let unsupported = |why: &str| RealActionError::Unsupported { path: dir.clone(), why: why.to_owned() };
        let script = match &file.runs {
            ActionRuns::JavaScript(script) if !(12..=24).contains(&script.node) => {
                return Err(unsupported(&format!("it asks for node {}", script.node)).into());
            }
            ActionRuns::JavaScript(script) if script.pre.is_some() => {
                return Err(unsupported("it has a `pre` script").into());
            }
            ActionRuns::JavaScript(script) => script.clone(),
            ActionRuns::Composite(_) => {
                return Err(unsupported("it is of the kind `composite`, and only JavaScript is run").into());
            }
            ActionRuns::Other(using) => {
                return Err(unsupported(&format!("it is of the kind `{using}`, and only JavaScript is run")).into());
            }
        };
        for named in std::iter::once(&script.main).chain(&script.post) {
            let path = dir.join(named);
            if !path.is_file() {
                return Err(RealActionError::NoScript { path }.into());
            }
        }
        Ok(LoadedAction { file, script, dir })
    }
}

/// Takes a ref of a git repository out into a directory.
///
/// # Errors
/// What git says.
pub fn check_out_reference(repository: &Path, reference: &str, into: &Path) -> Result<(), RunError> {
    let fail = |reason: String| RealActionError::Reference {
        path: repository.to_owned(),
        reference: reference.to_owned(),
        reason,
    };
    // A ref that begins with a dash would be a flag.
    let mut git = std::process::Command::new("git");
    git.arg("-C").arg(repository).args(["archive", "--format=tar", "--end-of-options", reference]);
    let output = git.output().map_err(|error| fail(format!("git cannot be started: {error}")))?;
    if !output.status.success() {
        return Err(fail(String::from_utf8_lossy(&output.stderr).trim().to_owned()).into());
    }
    std::fs::create_dir_all(into).map_err(RunError::io("make", into))?;
    tar::Archive::new(output.stdout.as_slice()).unpack(into).map_err(RunError::io("write", into))
}
