//! What a build makes, told while it makes it. [`BuildWitness`] is principal.
//!
//! Not all that a build leaves on an engine says whose it is. The rest is known by what was at work when it came into being,
//! and whoever is to remove it after this process has died needs that in writing.

use std::fmt::Debug;
use std::time::SystemTime;

use super::Namespace;

/// A stretch of time in which one vertex worked, by the engine's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkSpan {
    /// The vertex name.
    pub vertex: String,
    /// When it began.
    pub from: SystemTime,
    /// When it ended.
    pub to: SystemTime,
}

/// One thing that happened in a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildNote<'a> {
    /// The engine is about to be asked for the build.
    Began {
        /// When, by our clock.
        at: SystemTime,
    },
    /// The engine told of a vertex.
    Vertex {
        /// Its name.
        name: &'a str,
        /// When it began; `None` while it is only announced.
        from: Option<SystemTime>,
        /// When it ended.
        to: Option<SystemTime>,
    },
    /// The build is over, or was given up; this is all that worked in it.
    Ended {
        /// Which vertexes worked when.
        work: &'a [WorkSpan],
    },
}

/// Somebody who writes down what builds make.
pub trait BuildWitness: Debug + Send + Sync {
    /// Takes a note. `build` tells the builds of one process apart. When [`BuildNote::Began`] returns, it must have been
    /// written.
    fn note(&self, namespace: &Namespace, build: u64, note: &BuildNote<'_>);
}

/// What a process made under one namespace and did not remove, as far as it could write it down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbandonedWork {
    /// The namespace.
    pub namespace: Namespace,
    /// Which vertexes worked when.
    pub work: Vec<WorkSpan>,
    /// The moment after which nothing can have been made under it.
    pub until: SystemTime,
}
