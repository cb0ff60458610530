//! The lines of a journal, as they stand on disk. [`JournalLine`] is principal.
//!
//! A reader of a later schema number is asked to leave older files readable; a file of a later schema is left alone.

use std::path::PathBuf;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::EngineIdentity;
use super::process::ProcessIdentity;
use crate::engine::WorkSpan;

/// The schema that this program writes.
pub(super) const SCHEMA: u32 = 1;

/// The first line: who wrote it, and on which engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct JournalHeader {
    pub(super) schema: u32,
    pub(super) word: String,
    pub(super) process: ProcessIdentity,
    pub(super) engine_address: String,
    pub(super) engine_id: String,
    pub(super) began: String,
}

/// Any further line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub(super) enum JournalLine {
    /// Mounts, images and containers bear this name from now on.
    Namespace { name: String },
    /// A temporary directory.
    Directory { path: PathBuf },
    /// A directory that is to stay.
    Kept { path: PathBuf },
    /// A build begins.
    Began { namespace: String, build: u64, at: String },
    /// A vertex of a build was announced, began or ended.
    Vertex {
        namespace: String,
        build: u64,
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
    },
    /// A build is over; this is all that worked in it.
    Ended { namespace: String, build: u64, work: Vec<LoggedSpan> },
    /// Something could not be removed.
    Stays { why: String },
}

/// A stretch of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LoggedSpan {
    pub(super) name: String,
    pub(super) from: String,
    pub(super) to: String,
}

impl JournalHeader {
    pub(super) fn new(word: &str, process: ProcessIdentity, engine: &EngineIdentity, now: SystemTime) -> Self {
        Self {
            schema: SCHEMA,
            word: word.to_owned(),
            process,
            engine_address: engine.address.clone(),
            engine_id: engine.id.clone(),
            began: stamp(now),
        }
    }

    pub(super) fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl JournalLine {
    pub(super) fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl From<&WorkSpan> for LoggedSpan {
    fn from(span: &WorkSpan) -> Self {
        Self { name: span.vertex.clone(), from: stamp(span.from), to: stamp(span.to) }
    }
}

impl LoggedSpan {
    /// Reads it back; `None` when its times cannot be read.
    pub(super) fn span(&self) -> Option<WorkSpan> {
        Some(WorkSpan { vertex: self.name.clone(), from: moment(&self.from)?, to: moment(&self.to)? })
    }
}

/// Writes a moment.
pub(super) fn stamp(at: SystemTime) -> String {
    humantime::format_rfc3339_nanos(at).to_string()
}

/// Reads a moment.
pub(super) fn moment(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(text).ok()
}
