//! `cache-version`: prints a new value for `cache_version`. [`CacheVersionArgs`] is principal.

use std::path::PathBuf;
use std::time::SystemTime;

use super::repository::Repository;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cli::problem::CliProblem;
use crate::lint::{CacheVersion, cache_version_of};

/// The arguments of `cache-version`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct CacheVersionArgs {
    /// The frozen form, for a set-up that works: stable-v1
    #[arg(long)]
    stable: bool,
    /// The value to follow [default: that of the workflows here]
    #[arg(long, value_name = "VERSION")]
    from: Option<String>,
}

/// Prints a version that follows the current one.
pub(in crate::cli) fn cache_version(args: &CacheVersionArgs) -> Result<Exit, CliProblem> {
    let current = args.from.clone().or_else(current);
    let version = match args.stable {
        true => CacheVersion::stable(current.as_deref()),
        false => CacheVersion::debugging(current.as_deref(), now()),
    };
    out(&format!("{version}\n"));
    Ok(Exit::Effective)
}

/// The value that the workflows of this repository have, if any.
fn current() -> Option<String> {
    let repositories = Repository::find(&[PathBuf::from(".")]).ok()?;
    repositories.iter().flat_map(|repository| &repository.workflows).find_map(cache_version_of)
}

/// Month, day, hour and minute, in UTC.
fn now() -> (u8, u8, u8, u8) {
    let text = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let part = |from: usize| text.get(from..from + 2).and_then(|digits| digits.parse().ok()).unwrap_or(0);
    (part(5), part(8), part(11), part(14))
}
