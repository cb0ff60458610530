//! The semantics of actions/cache as pure functions: keys, versions, scopes, outcomes and log wording.
//!
//! [`lookup`] is principal: it decides what a restore finds, and why it finds nothing. Around it: what the inputs
//! mean ([`Inputs`]), what a release of the action prints ([`CacheRelease`], [`restore_lines`], [`save_lines`]), whether a
//! save happens ([`before_archive`], [`after_archive`]) and what the service removes ([`evict`]).
//!
//! Nothing here reads a file, a clock or the environment: entries, times and paths come in as values. The store on
//! disk and the archives are the runner's.

mod eviction;
mod inputs;
mod key;
mod line;
mod lookup;
mod outputs;
mod release;
pub mod restore_lines;
mod save;
pub mod save_lines;
mod scope;
mod transfer;
mod version;

pub use eviction::{DEFAULT_LIMIT_BYTES, DEFAULT_MAX_IDLE, evict};
pub use inputs::{InputError, Inputs};
pub use key::{Key, KeyError, Keys};
pub use line::{ActionLine, Channel};
pub use lookup::{EntryId, EntryMeta, Identity, LookupOutcome, LookupRequest, MissReason, lookup};
pub use outputs::{ActionKind, Outputs, is_exact_key_match};
pub use release::CacheRelease;
pub use save::{AfterArchive, BeforeArchive, CacheAccess, ReserveAnswer, after_archive, before_archive};
pub use scope::Scope;
pub use transfer::{cache_size, progress};
pub use version::{Compression, Version};
