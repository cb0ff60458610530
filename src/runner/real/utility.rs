//! The image in which a dance copies, where the engine has none and no registry can be reached. [`make_utility`] is principal.

use std::path::Path;
use std::process::Stdio;

use super::{RealActionError, RealTools};
use crate::actions::LABEL;
use crate::engine::Namespace;
use crate::runner::RunError;

/// The programs that the image has; all of them are busybox.
const APPLETS: [&str; 34] = [
    "sh",
    "ash",
    "cp",
    "mkdir",
    "rm",
    "mv",
    "ls",
    "cat",
    "echo",
    "true",
    "false",
    "chown",
    "chmod",
    "du",
    "find",
    "tar",
    "stat",
    "touch",
    "ln",
    "env",
    "test",
    "sleep",
    "date",
    "id",
    "head",
    "tail",
    "grep",
    "sed",
    "sort",
    "wc",
    "xargs",
    "tee",
    "sha256sum",
    "readlink",
];

/// Makes a utility image under a name, marked as made under a namespace, so that the clean-up removes it.
///
/// # Errors
/// What the docker command says.
pub(in crate::runner) async fn make_utility(
    tools: &RealTools,
    engine: &str,
    busybox: &Path,
    name: &str,
    namespace: &Namespace,
    config: &Path,
) -> Result<(), RunError> {
    let archive = pack(busybox).map_err(RunError::io("read", busybox))?;
    let fail = |reason: String| RealActionError::Utility { reason };
    let mut command = tokio::process::Command::new(&tools.docker);
    command.args(["import", "--change", "CMD [\"sh\"]", "--change"]);
    command.arg(format!("LABEL {LABEL}={}", namespace.as_str()));
    command.args(["-", name]).env_clear().env("DOCKER_HOST", engine).env("DOCKER_CONFIG", config);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| fail(error.to_string()))?;
    if let Some(mut input) = child.stdin.take() {
        use tokio::io::AsyncWriteExt;
        // A docker that ends early says why.
        let _ = input.write_all(&archive).await;
    }
    let output = child.wait_with_output().await.map_err(|error| fail(error.to_string()))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(fail(String::from_utf8_lossy(&output.stderr).trim().to_owned()).into()),
    }
}

/// Packs a file system of one busybox and its links.
fn pack(busybox: &Path) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    let header = |kind: tar::EntryType, mode: u32, size: u64| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(size);
        header.set_mtime(0);
        header
    };
    for (dir, mode) in
        [("bin", 0o755), ("usr", 0o755), ("usr/bin", 0o755), ("var", 0o755), ("tmp", 0o1777), ("etc", 0o755)]
    {
        archive.append_data(&mut header(tar::EntryType::Directory, mode, 0), dir, std::io::empty())?;
    }
    let bytes = std::fs::read(busybox)?;
    archive.append_data(
        &mut header(tar::EntryType::Regular, 0o755, bytes.len() as u64),
        "bin/busybox",
        bytes.as_slice(),
    )?;
    let passwd = b"root:x:0:0:root:/:/bin/sh\n";
    archive.append_data(&mut header(tar::EntryType::Regular, 0o644, passwd.len() as u64), "etc/passwd", &passwd[..])?;
    for applet in APPLETS {
        archive.append_link(&mut header(tar::EntryType::Symlink, 0o777, 0), format!("bin/{applet}"), "busybox")?;
    }
    archive.append_link(&mut header(tar::EntryType::Symlink, 0o777, 0), "usr/bin/env", "../../bin/busybox")?;
    archive.into_inner()
}
