//! Whose turn it is on the engine: builds together, or one look at the whole build cache alone. [`EngineLock`] is principal.
//!
//! To size a cache mount, an engine takes hold of it for a moment, and a step that opens the mount in that moment finds it
//! locked and gets a new, empty one. A runner whose neighbour asks for the whole disk usage would lose its mounts, and the
//! verdict would be a lie. So almost every listing here leaves out the cache mounts of others; one that cannot takes a
//! turn. Other programs that ask cannot be kept from it. Source: <https://github.com/moby/buildkit/issues/883>; moby/buildkit v0.8
//! `cache/manager.go` (`DiskUsage`) and `solver/llbsolver/mounts/mount.go` (`getRefCacheDirNoCache`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

/// The order of builds and listings of one engine.
///
/// A build waits only for a listing that is under way, so that its time stays its own; a listing waits for a moment in
/// which nothing is built. Few have to: of most listings a namespace is the subject.
#[derive(Debug)]
pub(super) struct EngineLock {
    state: watch::Sender<LockState>,
}

#[derive(Debug, Default)]
struct LockState {
    builds: usize,
    alone: bool,
}

/// The right to build, or to be alone; it ends when dropped.
#[derive(Debug)]
pub(super) struct EngineLockGuard<'a> {
    turn: &'a EngineLock,
    alone: bool,
}

impl Default for EngineLock {
    fn default() -> Self {
        Self { state: watch::Sender::new(LockState::default()) }
    }
}

/// Connections to one engine share its turn.
static TURNS: Mutex<BTreeMap<String, Arc<EngineLock>>> = Mutex::new(BTreeMap::new());

impl EngineLock {
    /// Returns the turn of the engine at an address.
    pub(super) fn of(address: &str) -> Arc<Self> {
        match TURNS.lock() {
            Ok(mut turns) => Arc::clone(turns.entry(address.to_owned()).or_default()),
            Err(_) => Arc::default(),
        }
    }

    /// Waits until nothing is being listed; others may build beside us.
    pub(super) async fn to_build(&self) -> EngineLockGuard<'_> {
        self.hold(false, |state| !state.alone, |state| state.builds += 1).await
    }

    /// Waits until nothing is being built or listed.
    pub(super) async fn alone(&self) -> EngineLockGuard<'_> {
        self.hold(true, |state| !state.alone && state.builds == 0, |state| state.alone = true).await
    }

    async fn hold(&self, alone: bool, free: fn(&LockState) -> bool, take: fn(&mut LockState)) -> EngineLockGuard<'_> {
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
                return EngineLockGuard { turn: self, alone };
            }
            // The sender is ours, so the channel does not close.
            let _ = changes.wait_for(free).await;
        }
    }
}

impl Drop for EngineLockGuard<'_> {
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
        let turn = EngineLock::default();
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
            let turn = EngineLock::default();
            let alone = turn.alone().await;
            let (_, ()) = tokio::join!(turn.to_build(), async { drop(alone) });
        });
    }
}
