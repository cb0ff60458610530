//! The semantics of buildkit-cache-dance as pure functions: versions, cache maps, Dancefiles and log wording.
//!
//! [`Behaviour`] is principal: what one version does, what it gets wrong included. From it and the inputs of a step come
//! the entries of the cache map, and from an entry the ordered [`DanceStep`]s of its inject and its extract, which
//! somebody else executes. Nothing here touches a file or an engine.

mod behaviour;
mod cache_map;
mod discovery;
mod entry;
mod inputs;
mod js;
mod steps;
mod text;
mod version;
mod wording;

pub use behaviour::{Behaviour, CacheDirUse, DancePostCondition, ExtractMethod, MapSupport, RemoveSource};
pub use cache_map::{CacheMap, CacheMapError, DockerfileInput, MapOrigin, cache_map};
pub use entry::{DanceEntry, EntryProblem};
pub use inputs::{ResolvedInputs, skips_extraction};
pub use steps::{CopyMethod, DanceStep, ExtractMove, extract_steps, inject_steps};
pub use text::{SOURCE_MOUNT, extract_dancefile, inject_dancefile};
pub use version::{DanceCode, DanceVersion, Flavour};
pub use wording::{
    OF_THE_MAP, SKIPPED, cleaning_notice, command_failed, dancefile_lines, docker_build_command, ends_a_copy, fatal,
    opening_lines,
};
