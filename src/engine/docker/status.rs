//! Turns the engine's status stream into build events: a fold with no clock of its own. [`StatusFold`] is principal.
//!
//! A status message names vertexes again and again as they change, and a log message may hold several lines or a part
//! of one; events come out once each, in order, with whole lines.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use bollard::moby::buildkit::v1::{StatusResponse, Vertex};

use crate::engine::{BuildEvent, BuildEventKind, WorkSpan};

/// The vertex that takes a build's context.
pub(super) const CONTEXT: &str = "[internal] load remote build context";

/// The vertex that unpacks it.
pub(super) const COPY_OF_CONTEXT: &str = "copy /context /";

/// The state of one build's vertexes.
#[derive(Debug, Default)]
pub(super) struct StatusFold {
    vertexes: HashMap<String, VertexState>,
    count: u64,
    last: Option<SystemTime>,
    work: Vec<WorkSpan>,
}

/// What was seen of one vertex.
#[derive(Debug)]
struct VertexState {
    name: String,
    number: u64,
    started: Option<SystemTime>,
    running: Option<SystemTime>,
    ran: Duration,
    ended: bool,
    rest: Vec<u8>,
}

impl StatusFold {
    /// Takes one message and hands on what is new in it.
    pub(super) fn add(&mut self, status: StatusResponse, out: &mut dyn FnMut(BuildEvent)) {
        for vertex in status.vertexes {
            self.vertex(vertex, out);
        }
        for log in status.logs {
            let at = log
                .timestamp
                .and_then(|stamp| time((stamp.seconds, stamp.nanos)))
                .or(self.last)
                .unwrap_or(SystemTime::UNIX_EPOCH);
            self.last = Some(at);
            let Some(known) = self.vertexes.get_mut(&log.vertex) else { continue };
            known.rest.extend_from_slice(&log.msg);
            while let Some(end) = known.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = known.rest.drain(..=end).collect();
                known.print(at, &line, out);
            }
        }
    }

    /// Hands on lines that never ended.
    pub(super) fn finish(&mut self, out: &mut dyn FnMut(BuildEvent)) {
        let at = self.last.unwrap_or(SystemTime::UNIX_EPOCH);
        for known in self.vertexes.values_mut() {
            known.flush(at, out);
        }
    }

    /// Takes when each vertex worked; one that was not seen to end is taken to have ended at the moment given.
    pub(super) fn work(&mut self, until: SystemTime) -> Vec<WorkSpan> {
        let mut work = std::mem::take(&mut self.work);
        for known in self.vertexes.values().filter(|known| !known.ended) {
            if let Some(from) = known.started {
                work.push(WorkSpan { vertex: known.name.clone(), from, to: until });
            }
        }
        work
    }

    fn vertex(&mut self, vertex: Vertex, out: &mut dyn FnMut(BuildEvent)) {
        let started = vertex.started.and_then(|stamp| time((stamp.seconds, stamp.nanos)));
        let completed = vertex.completed.and_then(|stamp| time((stamp.seconds, stamp.nanos)));
        if started.is_none() && !vertex.cached && vertex.error.is_empty() {
            // Announced but not begun; it may never run.
            return;
        }
        let at = completed.or(started).or(self.last).unwrap_or(SystemTime::UNIX_EPOCH);
        self.last = Some(at);
        if !self.vertexes.contains_key(&vertex.digest) {
            self.count += 1;
            let known = VertexState {
                name: vertex.name.clone(),
                number: self.count,
                started,
                running: None,
                ran: Duration::ZERO,
                ended: false,
                rest: Vec::new(),
            };
            let number = known.number;
            self.vertexes.insert(vertex.digest.clone(), known);
            out(BuildEvent {
                vertex: number,
                at: started.unwrap_or(at),
                kind: BuildEventKind::Named(vertex.name.clone()),
            });
        }
        if let (Some(from), Some(to)) = (started, completed) {
            // One that was looked for first and then made works twice.
            self.work.push(WorkSpan { vertex: vertex.name.clone(), from, to });
        }
        let Some(known) = self.vertexes.get_mut(&vertex.digest) else { return };
        if known.ended {
            return;
        }
        if known.started.is_none() {
            known.started = started;
        }
        match (started, completed) {
            (Some(started), None) => known.running = Some(started),
            (Some(started), Some(completed)) => {
                // A vertex may pause and go on; only the time it ran counts.
                known.ran += completed.duration_since(known.running.take().unwrap_or(started)).unwrap_or_default();
            }
            (None, _) => {}
        }
        if !vertex.error.is_empty() {
            known.end(at, BuildEventKind::Failed(vertex.error), out);
        } else if vertex.cached {
            known.end(at, BuildEventKind::Cached, out);
        } else if completed.is_some() {
            let ran = known.ran;
            known.end(at, BuildEventKind::Done(ran), out);
        }
    }
}

impl VertexState {
    fn end(&mut self, at: SystemTime, kind: BuildEventKind, out: &mut dyn FnMut(BuildEvent)) {
        self.flush(at, out);
        self.ended = true;
        out(BuildEvent { vertex: self.number, at, kind });
    }

    fn flush(&mut self, at: SystemTime, out: &mut dyn FnMut(BuildEvent)) {
        if !self.rest.is_empty() {
            let line = std::mem::take(&mut self.rest);
            self.print(at, &line, out);
        }
    }

    fn print(&self, at: SystemTime, line: &[u8], out: &mut dyn FnMut(BuildEvent)) {
        let since = self.started.and_then(|started| at.duration_since(started).ok()).unwrap_or_default();
        let text = String::from_utf8_lossy(line).trim_end_matches(['\n', '\r']).to_owned();
        out(BuildEvent { vertex: self.number, at, kind: BuildEventKind::Line { since, text } });
    }
}

/// Reads a protobuf timestamp: seconds and nanoseconds since the epoch.
pub(super) fn time(stamp: (i64, i32)) -> Option<SystemTime> {
    let since = Duration::new(u64::try_from(stamp.0).ok()?, u32::try_from(stamp.1).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(since)
}
