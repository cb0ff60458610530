//! What exists in the build cache, from `GET /system/df`. [`Record`] is principal.
//!
//! bollard 0.21.1 reads only the newest shape of that answer (API 1.52), so this file asks for itself: one request on
//! one connection.

use std::io;
use std::path::Path;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};

use super::MARKER;
use super::clean::Made;
use super::status::Work;
use crate::engine::{EngineError, EngineMount, Namespace};

/// One record of the build cache.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Record {
    /// The engine's name for it.
    #[serde(rename = "ID")]
    pub(super) id: String,
    /// The parent, on engines older than API 1.42.
    #[serde(default)]
    parent: String,
    /// The parents, on newer engines.
    #[serde(default)]
    parents: Option<Vec<String>>,
    /// `exec.cachemount`, `regular`, `source.local`, …
    #[serde(rename = "Type")]
    kind: String,
    /// What it is, in the engine's words.
    #[serde(default)]
    description: String,
    /// Bytes on disk.
    size: i64,
    /// RFC 3339.
    #[serde(default)]
    created_at: String,
}

/// The answer, as far as it matters; the first field up to API 1.51, the second from 1.52.
#[derive(Debug, Deserialize)]
struct Usage {
    #[serde(rename = "BuildCache")]
    build_cache: Option<Vec<Record>>,
    #[serde(rename = "BuildCacheUsage")]
    build_cache_usage: Option<BuildCacheUsage>,
}

#[derive(Debug, Deserialize)]
struct BuildCacheUsage {
    #[serde(rename = "Items")]
    items: Option<Vec<Record>>,
}

impl Record {
    /// Reads the record as a cache mount of a namespace; `None` for everything else.
    ///
    /// An engine that says the id shows the namespace there; any engine shows the command that created the mount, and
    /// every command of ours carries the namespace as a marker.
    pub(super) fn mount_of(&self, namespace: &Namespace, made: Option<&Made>) -> Option<EngineMount> {
        if self.kind != "exec.cachemount" {
            return None;
        }
        let rest = self.description.strip_prefix("cached mount ")?;
        let (target, creator) = rest.split_once(" from exec ")?;
        let (creator, id) = match creator.rsplit_once(" with id \"") {
            Some((creator, id)) => (creator, Some(id.trim_end_matches('"'))),
            None => (creator, None),
        };
        let prefix = format!("{}/", namespace.as_str());
        let id = match id {
            Some(id) => Some(id.strip_prefix(&prefix)?.to_owned()),
            None if self.marked(namespace) || made.is_some_and(|made| self.mounted_by(creator, made)) => None,
            None => return None,
        };
        Some(EngineMount {
            record: self.id.clone(),
            target: target.to_owned(),
            id,
            creator: super::copy::creator(creator),
            bytes: u64::try_from(self.size).unwrap_or(0),
            created: humantime::parse_rfc3339_weak(&self.created_at).ok(),
        })
    }

    /// Tells whether a command without a marker was one of a namespace's own builds: it is new since their beginning, and
    /// came into being while a vertex with this very command worked.
    fn mounted_by(&self, creator: &str, made: &Made) -> bool {
        let command = creator.strip_prefix("/bin/sh -c ").unwrap_or(creator);
        let Ok(created) = humantime::parse_rfc3339_weak(&self.created_at) else { return false };
        !made.before.contains(&self.id)
            && made.work.iter().any(|work| {
                work.vertex.contains("RUN ")
                    && work.vertex.contains(command)
                    && (work.from..=work.to).contains(&created)
            })
    }

    /// Tells whether the command that made this record carries the namespace's marker.
    pub(super) fn marked(&self, namespace: &Namespace) -> bool {
        let mark = format!("{MARKER}={}", namespace.as_str());
        self.description.match_indices(&mark).any(|(at, _)| {
            let after = self.description[at + mark.len()..].chars().next();
            after.is_none_or(|next| !next.is_ascii_alphanumeric() && next != '-')
        })
    }

    /// Tells whether the command that made this record carries the marker of any namespace.
    pub(super) fn is_marked(&self) -> bool {
        self.description.contains(&format!("{MARKER}="))
    }

    /// Tells whether this record came into being while a vertex of the right kind worked.
    ///
    /// A context's upload and its unpacking carry no mark of ours, but the engine dates both them and the vertexes.
    pub(super) fn made_by(&self, work: &Work) -> bool {
        let fits = match work.vertex.as_str() {
            "[internal] load remote build context" => self.description.starts_with("http url http://build-context-"),
            "copy /context /" => self.description == "fileop target" || self.description.starts_with("copy /context /"),
            name if name.contains("] COPY ") || name.contains("] ADD ") || name.contains("] WORKDIR ") => {
                self.description == "fileop target" || self.description == name
            }
            name if name.contains("] RUN ") => {
                self.description.starts_with("mount / from exec ") || self.description == name
            }
            _ => false,
        };
        let created = humantime::parse_rfc3339_weak(&self.created_at);
        fits && self.kind == "regular" && created.is_ok_and(|at| (work.from..=work.to).contains(&at))
    }

    /// Returns the records this one builds on.
    pub(super) fn parents(&self) -> impl Iterator<Item = &str> {
        let older = (!self.parent.is_empty()).then_some(self.parent.as_str());
        older.into_iter().chain(self.parents.iter().flatten().map(String::as_str))
    }
}

/// How Docker Engine refuses a second question for its disk usage while it works on the first.
///
/// Source: <https://github.com/moby/moby/blob/v20.10.24/daemon/disk_usage.go>
const BUSY: &str = "a disk usage operation is already running";

/// How often, and after which pause, the question is put again: for a minute in all.
const PATIENCE: u32 = 240;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(250);

/// Lists all records of the build cache.
pub(super) async fn records(address: &str) -> Result<Vec<Record>, EngineError> {
    let doing = "asking for its disk usage";
    let fail = |reason: String| EngineError::from_message(doing, reason);
    let mut tries = 0;
    let body = loop {
        match get(address, "/system/df?type=build-cache").await {
            // Older engines answer one such question at a time, and somebody else may be asking.
            Err(error) if error.to_string().contains(BUSY) && tries < PATIENCE => {
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
            answer => break answer.map_err(|error| fail(error.to_string()))?,
        }
    };
    let usage: Usage =
        serde_json::from_slice(&body).map_err(|error| fail(format!("answer not understood: {error}")))?;
    Ok(usage.build_cache.or(usage.build_cache_usage.and_then(|usage| usage.items)).unwrap_or_default())
}

/// Sends one GET request on a connection of its own.
async fn get(address: &str, path: &str) -> io::Result<Bytes> {
    if let Some(socket) = address.strip_prefix("unix://") {
        let stream = tokio::net::UnixStream::connect(Path::new(socket)).await?;
        return exchange(stream, path).await;
    }
    let host = address.trim_start_matches("tcp://").trim_start_matches("http://").trim_end_matches('/');
    exchange(tokio::net::TcpStream::connect(host).await?, path).await
}

/// Speaks HTTP/1.1 on a fresh connection.
async fn exchange(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, path: &str) -> io::Result<Bytes> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    let driver = tokio::spawn(connection);
    let request =
        hyper::Request::get(path).header("host", "docker").body(Empty::<Bytes>::new()).map_err(io::Error::other)?;
    let response = sender.send_request(request).await.map_err(io::Error::other)?;
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.map_err(io::Error::other)?.to_bytes();
    driver.abort();
    if !parts.status.is_success() {
        return Err(io::Error::other(format!(
            "{path} answered {}: {}",
            parts.status,
            String::from_utf8_lossy(&bytes).trim()
        )));
    }
    Ok(bytes)
}
