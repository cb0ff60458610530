//! This program inside a runner, where an action runs: under the names `docker`, `sudo` and that of the first process.
//! [`main`] decides by the name.
//!
//! Nothing here judges; what a command comes down to is decided in `actions`.

mod docker;
mod first;
mod sudo;

use std::process::ExitCode;

use crate::runner::INSIDE_NAME;

/// Where this program's files lie inside.
const INSIDE: &str = "/opt/verify-buildkit-cache";

/// Does what the program's name asks for; `None` under every other name.
pub(super) fn main() -> Option<ExitCode> {
    let mut args = std::env::args();
    let name = args.next()?;
    let args: Vec<String> = args.collect();
    // Only inside does the directory exist.
    let name = name.rsplit('/').next()?;
    let code = match name {
        "docker" if inside() => docker::run(&args),
        "sudo" if inside() => sudo::run(&args),
        INSIDE_NAME => first::run(&args),
        _ => return None,
    };
    Some(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

fn inside() -> bool {
    std::path::Path::new(INSIDE).join("request.json").exists()
}

/// The exit code of a process, as a shell has it.
fn code_of(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1)
}
