//! Whose turn it is on the engine: builds together, or one look at the build cache alone. [`Turn`] is principal.
//!
//! To size a cache mount, an engine takes hold of it for a moment, and a step that opens the mount in that moment finds it
//! locked and gets a new, empty one. A runner whose neighbour asks for the disk usage would lose its mounts, and the
//! verdict would be a lie. Who asks from another process cannot be kept from it here. Source:
//! <https://github.com/moby/buildkit/issues/883>; moby/buildkit v0.8 `cache/manager.go` (`DiskUsage`) and
//! `solver/llbsolver/mounts/mount.go` (`getRefCacheDirNoCache`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::usage::{self, Record};
use crate::engine::EngineError;

/// How often, and after which pause, an engine is asked again that is answering somebody else: for a minute in all.
const PATIENCE: u32 = 240;
const PAUSE: Duration = Duration::from_millis(250);

/// The order of builds and listings of one engine.
///
/// A build waits only for a listing that is under way, so that its time stays its own; a listing waits for a moment in
/// which nothing is built. Every runner comes to listings of its own, so such a moment comes.
#[derive(Debug)]
pub(super) struct Turn {
    state: watch::Sender<State>,
    /// The last listing, and when it began.
    last: Mutex<Option<(Instant, Arc<Vec<Record>>)>>,
}

#[derive(Debug, Default)]
struct State {
    builds: usize,
    alone: bool,
    /// How many listings there were.
    listings: u64,
}

/// The right to build, or to be alone; it ends when dropped.
#[derive(Debug)]
pub(super) struct Held<'a> {
    turn: &'a Turn,
    alone: bool,
}

impl Default for Turn {
    fn default() -> Self {
        Self { state: watch::Sender::new(State::default()), last: Mutex::default() }
    }
}

/// Connections to one engine share its turn.
static TURNS: Mutex<BTreeMap<String, Arc<Turn>>> = Mutex::new(BTreeMap::new());

impl Turn {
    /// Returns the turn of the engine at an address.
    pub(super) fn of(address: &str) -> Arc<Self> {
        match TURNS.lock() {
            Ok(mut turns) => Arc::clone(turns.entry(address.to_owned()).or_default()),
            Err(_) => Arc::default(),
        }
    }

    /// Waits until nothing is being listed or removed; others may build beside us.
    pub(super) async fn to_build(&self) -> Held<'_> {
        self.hold(false, |state| !state.alone, |state| state.builds += 1).await
    }

    /// Waits until nothing is being built, listed or removed.
    pub(super) async fn alone(&self) -> Held<'_> {
        self.hold(true, |state| !state.alone && state.builds == 0, |state| state.alone = true).await
    }

    /// Lists all records of the build cache while nothing is being built. Several who wait for a listing get the same.
    pub(super) async fn records(&self, address: &str) -> Result<Arc<Vec<Record>>, EngineError> {
        let asked = self.state.borrow().listings;
        for _ in 0..PATIENCE {
            // While another process asks, our builds go on.
            if let Some(records) = self.try_records(address, asked).await? {
                return Ok(records);
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(EngineError::from_message("asking for its disk usage", "others ask all the time".to_owned()))
    }

    async fn try_records(&self, address: &str, asked: u64) -> Result<Option<Arc<Vec<Record>>>, EngineError> {
        let _alone = self.alone().await;
        if self.state.borrow().listings > asked
            && let Some((_, records)) = self.last()
        {
            return Ok(Some(records));
        }
        let began = Instant::now();
        let Some(records) = usage::records(address).await? else { return Ok(None) };
        let records = Arc::new(records);
        self.state.send_modify(|state| state.listings += 1);
        if let Ok(mut last) = self.last.lock() {
            *last = Some((began, Arc::clone(&records)));
        }
        Ok(Some(records))
    }

    /// Returns the last listing if it began after a moment. Waiting for a new one can take as long as a neighbour's build.
    pub(super) fn since(&self, moment: Instant) -> Option<Arc<Vec<Record>>> {
        self.last().filter(|(began, _)| *began > moment).map(|(_, records)| records)
    }

    /// Takes what was removed out of the last listing, so that nobody finds it there.
    pub(super) fn removed(&self, ids: &[String]) {
        if let Ok(mut last) = self.last.lock()
            && let Some((_, records)) = last.as_mut()
        {
            *records = Arc::new(records.iter().filter(|record| !ids.contains(&record.id)).cloned().collect());
        }
    }

    fn last(&self) -> Option<(Instant, Arc<Vec<Record>>)> {
        self.last.lock().ok().and_then(|last| last.clone())
    }

    async fn hold(&self, alone: bool, free: fn(&State) -> bool, take: fn(&mut State)) -> Held<'_> {
        let mut changes = self.state.subscribe();
        loop {
            let taken = self.state.send_if_modified(|state| {
                let now = free(state);
                if now {
                    take(state);
                }
                now
            });
            if taken {
                return Held { turn: self, alone };
            }
            // The sender is ours, so the channel does not close.
            let _ = changes.wait_for(free).await;
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.turn.state.send_modify(|state| match self.alone {
            true => state.alone = false,
            false => state.builds -= 1,
        });
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn builds_bear_company_and_a_listing_does_not() {
        let turn = Turn::default();
        let one = turn.to_build().now_or_never().unwrap();
        let other = turn.to_build().now_or_never().unwrap();
        assert!(turn.alone().now_or_never().is_none());
        drop(one);
        assert!(turn.alone().now_or_never().is_none());
        drop(other);
        let alone = turn.alone().now_or_never().unwrap();
        assert!(turn.to_build().now_or_never().is_none() && turn.alone().now_or_never().is_none());
        drop(alone);
        assert!(turn.to_build().now_or_never().is_some());
    }

    #[test]
    fn who_waits_goes_on_when_the_listing_is_over() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let turn = Turn::default();
            let alone = turn.alone().await;
            let (_, ()) = tokio::join!(turn.to_build(), async { drop(alone) });
        });
    }
}
