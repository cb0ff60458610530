//! Where this program keeps what has to outlive it, and the journal of this start there.

use std::path::PathBuf;
use std::time::SystemTime;

use super::engine::{LiveEngine, session};
use super::say;
use crate::engine::Cleaned;
use crate::runner::journal::EngineIdentity;
use crate::runner::{Clock, Journal};

/// The directory of the journals: below `XDG_STATE_HOME`, or else `~/.local/state`. `None` where neither is set.
///
/// Source: <https://specifications.freedesktop.org/basedir-spec/0.8/>; a relative path there counts as none.
pub(super) fn journals() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = variable("XDG_STATE_HOME").or_else(|| Some(variable("HOME")?.join(".local/state")))?;
    Some(state.join("verify-buildkit-cache").join("journal"))
}

/// Begins the journal of this start. Where it cannot be written the run goes on: it still removes all that it makes when it
/// ends, also when a signal ends it.
pub(super) fn begin_journal(engine: &LiveEngine) -> Journal {
    let warn = |why: &str| {
        say(&format!(
            "warning: {why}; should this process be killed outright, what it has made stays on the engine and on the disk \
             (set XDG_STATE_HOME to a directory that can be written)"
        ));
        Journal::none()
    };
    let Some(dir) = journals() else { return warn("neither XDG_STATE_HOME nor HOME is set") };
    let identity = EngineIdentity { address: engine.address().to_owned(), id: engine.id().to_owned() };
    match Journal::begin(&dir, &session(0), &identity, Clock::new(SystemTime::now)) {
        Ok(journal) => {
            if let Some(witness) = journal.witness() {
                engine.watched_by(&witness);
            }
            journal
        }
        Err(error) => warn(&format!("{error}: {}", error.source)),
    }
}

/// Why the journal of a run that a signal stopped stays although nothing was left: an engine has been seen to finish taking the
/// context of a stopped build only after all was removed. The next start looks once more.
pub(super) const WENT_ON: &str = "a signal stopped it, and the engine may have gone on for a moment";

/// Ends the journal: it goes, or says what stays for the next start. `last` is what the last clean-up came to.
pub(super) fn end_journal(journal: Journal, last: &Result<Cleaned, String>, stays: Option<String>) {
    let held = || {
        let held = last.as_ref().map_or(0, |cleaned| cleaned.held);
        (held > 0).then(|| format!("{held} records stay for as long as a layer of somebody else's stands on them"))
    };
    let stays = stays.or_else(|| last.as_ref().err().cloned()).or_else(held);
    let stays = stays.as_deref();
    if let Some(trouble) = journal.trouble() {
        say(&format!("warning: the journal of this run is not whole ({trouble})"));
    }
    match stays {
        Some(why) => journal.stays(why),
        None => {
            if let Err(error) = journal.close() {
                say(&format!("warning: the journal of this run could not be removed: {error}"));
            }
        }
    }
}
