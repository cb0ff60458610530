//! What a build is asked for, what it shows while it runs, and how it ends. [`BuildEvent`] is principal.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::Namespace;

/// One build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildRequest {
    /// Whose cache mounts it sees, and whose its image is.
    pub namespace: Namespace,
    /// The Dockerfile's path inside the context.
    pub dockerfile: String,
    /// Build arguments; the engine adds the one that carries the namespace.
    pub build_args: BTreeMap<String, String>,
    /// The stage to stop at.
    pub target: Option<String>,
    /// Whether to ignore the layer cache; BuildKit then wipes the cache mounts too.
    pub no_cache: bool,
    /// The network of `RUN` steps, such as `host`.
    pub network: Option<String>,
    /// Whether an image is wanted; without one only the build cache keeps the result.
    pub export: bool,
}

/// Something a build showed, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildEvent {
    /// The vertex, numbered from 1 in the order of first showing.
    pub vertex: u64,
    /// When, by the engine's clock.
    pub at: SystemTime,
    /// What.
    pub kind: BuildEventKind,
}

/// What a vertex showed.
#[derive(Debug, Clone, PartialEq)]
pub enum BuildEventKind {
    /// It was first seen, with this name.
    Named(String),
    /// It printed a line, this long after it began.
    Line {
        /// Time since the vertex started.
        since: Duration,
        /// The line without its end.
        text: String,
    },
    /// It came from the layer cache.
    Cached,
    /// It ended well, after this time of running.
    Done(Duration),
    /// It ended with an error.
    Failed(String),
}

/// How a build ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildOutcome {
    /// The image, if one was made.
    pub image: Option<String>,
    /// The failure of a Dockerfile step.
    pub failure: Option<BuildFailure>,
}

/// A Dockerfile step that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildFailure {
    /// The engine's message.
    pub message: String,
}
