//! BuildKit's `--progress=rawjson`: one JSON status per line. [`RawJson`] is principal.
//!
//! It turns vertexes known by digest into numbered ones and joins the pieces of their lines; the rest is [`ProgressReader`]'s.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::Deserialize;

use super::progress::{End, ProgressReader};
use super::sink::{EventLog, LineContext};
use crate::evidence::StepId;

/// How many vertexes are told apart, and how long a line without an end may grow.
const VERTEXES: usize = 4_096;
const PIECE: usize = 16 * 1024;

/// Reads status lines.
#[derive(Debug, Default)]
pub(super) struct RawJson {
    vertexes: BTreeMap<String, KnownVertex>,
}

#[derive(Debug)]
struct KnownVertex {
    id: u64,
    ended: bool,
    piece: Vec<u8>,
}

#[derive(Deserialize)]
struct StatusLine {
    #[serde(default)]
    vertexes: Option<Vec<RawVertex>>,
    #[serde(default)]
    logs: Option<Vec<VertexLog>>,
}

#[derive(Deserialize)]
struct RawVertex {
    digest: String,
    #[serde(default)]
    name: String,
    started: Option<String>,
    completed: Option<String>,
    #[serde(default)]
    cached: bool,
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
struct VertexLog {
    vertex: String,
    #[serde(default)]
    data: String,
}

impl RawJson {
    /// Reads a line that begins with a brace; returns whether it was a status.
    pub(super) fn line(
        &mut self,
        text: &str,
        spot: &LineContext<'_>,
        step: Option<StepId>,
        progress: &mut ProgressReader,
        sink: &mut EventLog,
    ) -> bool {
        let status = ["{\"vertexes\":", "{\"logs\":", "{\"statuses\":", "{\"warnings\":"];
        if !status.iter().any(|start| text.starts_with(start)) {
            return false;
        }
        let Ok(status) = serde_json::from_str::<StatusLine>(text) else { return false };
        for vertex in status.vertexes.unwrap_or_default() {
            let Some(known) = self.known(&vertex.digest) else { continue };
            let id = known.id;
            progress.named(id, &vertex.name, spot, step, sink);
            if vertex.completed.is_some() && !known.ended {
                known.ended = true;
                let piece = std::mem::take(&mut known.piece);
                if !piece.is_empty() {
                    progress.printed(id, &String::from_utf8_lossy(&piece), spot, sink);
                }
                let end = match (vertex.cached, vertex.error.is_empty()) {
                    (_, false) => End::Failed,
                    (true, _) => End::Cached,
                    _ => End::Done(took(vertex.started.as_deref(), vertex.completed.as_deref())),
                };
                progress.ended(id, end, spot, sink);
            }
        }
        for log in status.logs.unwrap_or_default() {
            let Some(known) = self.known(&log.vertex) else { continue };
            known.piece.extend(base64(&log.data));
            while let Some(end) = memchr::memchr(b'\n', &known.piece) {
                let line: Vec<u8> = known.piece.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line[..end]);
                progress.printed(known.id, line.trim_end_matches('\r'), spot, sink);
            }
            known.piece.truncate(PIECE);
        }
        true
    }

    fn known(&mut self, digest: &str) -> Option<&mut KnownVertex> {
        let next = self.vertexes.len();
        if next >= VERTEXES && !self.vertexes.contains_key(digest) {
            return None;
        }
        let id = u64::try_from(next).ok()?;
        Some(self.vertexes.entry(digest.to_owned()).or_insert(KnownVertex { id, ended: false, piece: Vec::new() }))
    }
}

fn took(started: Option<&str>, completed: Option<&str>) -> Option<Duration> {
    let time = |text: &str| humantime::parse_rfc3339_weak(text).ok();
    let (started, completed): (SystemTime, SystemTime) = (time(started?)?, time(completed?)?);
    completed.duration_since(started).ok()
}

/// Decodes standard base64, skipping what is none.
fn base64(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xff) as u8);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Fact, MeasuredAt};
    use std::sync::Arc;

    #[test]
    fn base64_is_decoded_with_and_without_padding() {
        assert_eq!(base64("NC4wSwkvZ28="), b"4.0K\t/go");
        assert_eq!(base64("NC4wSwkvZ28"), b"4.0K\t/go");
        assert_eq!(base64("\u{e9}="), b"");
    }

    #[test]
    fn statuses_show_what_plain_lines_would() {
        let log = [
            r#"{"vertexes":[{"digest":"sha256:a","name":"[b 1/1] RUN --mount=type=cache,target=/go/pkg/mod go build"}]}"#,
            r#"{"logs":[{"vertex":"sha256:a","stream":1,"data":"QkVGT1JFCjQuMEsJL2dvL3Br"},{"vertex":"sha256:a","data":"Zy9tb2QK"}]}"#,
            r#"{"vertexes":[{"digest":"sha256:a","name":"","started":"2026-02-18T12:20:49.5Z","completed":"2026-02-18T12:20:51.5Z"}]}"#,
            r#"{"vertexes":null}"#,
        ];
        let (mut raw, mut progress) = (RawJson::default(), ProgressReader::default());
        let mut sink = EventLog { room: 100, ..EventLog::default() };
        let source = Arc::from("log");
        for (number, text) in log.iter().enumerate() {
            let spot = LineContext { source: &source, number, at: None, shown: text };
            assert!(raw.line(text, &spot, None, &mut progress, &mut sink));
        }
        progress.end(None, &mut sink);
        let facts: Vec<&Fact> = sink.events.iter().map(|event| &event.fact).collect();
        assert!(facts.contains(&&Fact::MountSize {
            moment: MeasuredAt::Before,
            target: "/go/pkg/mod".into(),
            bytes: 4096
        }));
        assert!(matches!(facts.last(), Some(Fact::BuildTime(time)) if time.took == Duration::from_secs(2)));
    }
}
