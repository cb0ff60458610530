//! Actions run for real, apart from this machine. [`ActionSandbox`] is principal.
//!
//! A phase of an action is a process in namespaces of its own (`sandbox`): its `/` is the runner's, so `/root`, `/home`, `/go`,
//! `/tmp` and `/var` are not this machine's, it sees no network and none of the user's settings, and all of its processes end
//! with it. The engine is reached through a door (`engine_door`) by the `docker` that this program is inside, and actions/cache finds a cache service
//! (`cache_service`) on the loopback device. What the action
//! prints comes out line by line (`phase`); what the lines mean is for others to say.

mod cache_service;
mod engine_door;
mod error;
mod phase;
mod sandbox;
mod setting;
mod utility;

pub(super) use cache_service::{CACHE_PORT, CacheCall, CacheRefusal, CacheService};
pub use error::RealActionError;
pub(super) use phase::{PhaseWatch, commands};
pub(super) use sandbox::{ActionSandbox, INSIDE, PhaseMount};
pub(super) use setting::LoadedAction;
pub use setting::{ActionCheckout, RealSetting, RealTools, check_out_reference};
pub(super) use utility::make_utility;

/// The name under which this program runs inside a runner.
pub const INSIDE_NAME: &str = "verify-buildkit-cache-inside";
