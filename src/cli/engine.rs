//! The engine of a run: reached, and left without what the run made there.

use std::time::SystemTime;

use super::docker_host::{DockerSettings, find};
use super::folder::Folder;
use super::problem::CliProblem;
use super::talk::say;
use crate::engine::{Cleaned, Docker};
use crate::runner::journal::EngineIdentity;
use crate::runner::{NamespaceLedger, RunError};
use crate::verify::size;

/// Keeps the engine's type in one place of this storey.
pub(super) type LiveEngine = Docker;

/// Connects to the engine that the docker CLI would use, or else the first that answers where engines usually are, and removes
/// from it what dead runs left there.
pub(super) async fn connect() -> Result<LiveEngine, CliProblem> {
    let engine = connect_only().await?;
    super::clean::sweep(&engine).await;
    Ok(engine)
}

async fn connect_only() -> Result<LiveEngine, CliProblem> {
    let found = find(&DockerSettings::of_environment())?;
    let mut tried: Vec<String> = Vec::new();
    let mut first: Option<CliProblem> = None;
    for place in &found {
        match LiveEngine::connect_at(&place.address, place.tls.as_ref()).await {
            Ok(engine) => {
                if !tried.is_empty() {
                    say(&format!("engine: {} ({})", place.address, place.why));
                }
                return Ok(engine);
            }
            Err(error) => {
                tried.push(format!("  {} ({})", place.address, place.why));
                first.get_or_insert(CliProblem::from_error(&error).hint(error.hint()));
            }
        }
    }
    let detail = (tried.len() > 1).then(|| format!("tried:\n{}", tried.join("\n")));
    Err(first.unwrap_or_else(|| CliProblem::stopped("no container engine is known")).detail(detail))
}

/// Connects to an engine that a journal names, if it is still the same.
pub(super) async fn reach(identity: &EngineIdentity) -> Result<LiveEngine, String> {
    let engine = LiveEngine::connect(Some(&identity.address)).await.map_err(|error| error.to_string())?;
    match engine.id() == identity.id {
        true => Ok(engine),
        false => Err(format!("another engine answers at {} now", identity.address)),
    }
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
