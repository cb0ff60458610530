//! The engine of a run: reached, and left without what the run made there.

use std::time::SystemTime;

use super::folder::Folder;
use super::problem::CliProblem;
use super::say;
use crate::engine::{Cleaned, Docker};
use crate::runner::{NamespaceLedger, RunError};
use crate::verify::size;

/// Keeps the engine's type in one place of this storey.
pub(super) type LiveEngine = Docker;

/// Connects to the engine that the environment names.
pub(super) async fn connect() -> Result<LiveEngine, CliProblem> {
    let address = std::env::var("DOCKER_HOST").ok().filter(|address| !address.is_empty());
    let engine = LiveEngine::connect(address.as_deref()).await;
    engine.map_err(|error| CliProblem::from_error(&error).hint(error.hint()))
}

/// A word that no other run on the engine uses, nor any other of so many runs of this process.
pub(super) fn session(number: usize) -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("{:x}{:03x}{:05x}", since.as_millis(), number & 0xfff, std::process::id() & 0xf_ffff)
}

/// Removes what an experiment made on the engine and, meanwhile, the directories of its runners.
pub(super) async fn clear_away(
    engine: &LiveEngine,
    ledger: &NamespaceLedger,
    scratch: Folder,
) -> (Result<Cleaned, RunError>, Result<(), RunError>) {
    let removing = tokio::task::spawn_blocking(move || scratch.remove());
    let cleaned = ledger.clean(engine).await;
    let removed = match removing.await {
        Ok(removed) => removed.map_err(RunError::from),
        Err(error) => Err(RunError::Worker { reason: error.to_string() }),
    };
    (cleaned, removed)
}

/// Says what stays in the build cache for the sake of what others have built.
pub(super) fn tell_kept(cleaned: &Cleaned) {
    if cleaned.kept > 0 {
        say(&format!(
            "note: {} records ({}) of these runs stay in the build cache: this engine uses the containerd image store, and \
             forgets all steps it has built, yours too, when one record is removed. `docker builder prune --all` removes \
             them with all the rest",
            cleaned.kept,
            size(cleaned.kept_bytes)
        ));
    }
}

/// Says what clean-up could not remove; it never hides what happened before.
pub(super) fn tell_leftovers(engine: Option<&RunError>, scratch: Option<&RunError>) {
    if let Some(error) = engine {
        say(&format!("warning: not everything could be removed from the engine: {error}"));
    }
    if let Some(error) = scratch {
        say(&format!("warning: not all temporary files could be removed: {error}"));
    }
}
