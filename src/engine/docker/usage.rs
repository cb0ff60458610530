//! What exists in the build cache, from BuildKit's own `Control.DiskUsage`. [`Record`] is principal.
//!
//! `GET /system/df` has the same, but takes no filter. A filter matters: to tell a record's size an engine takes hold of
//! it, compares whole layers on some storage drivers, and does so only for the records it is asked for. Source:
//! <https://github.com/moby/buildkit/blob/v0.8.3/cache/manager.go> (`DiskUsage`).

use std::io;
use std::path::Path;
use std::time::SystemTime;

use bollard::moby::buildkit::v1::control_client::ControlClient;
use bollard::moby::buildkit::v1::{DiskUsageRequest, UsageRecord};
use bytes::Bytes;
use http_body_util::Empty;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::transport::{Channel, Endpoint};

use super::MARKER;
use super::made::TrackedBuild;
use super::status::{CONTEXT, COPY_OF_CONTEXT, time};
use crate::engine::{EngineError, EngineMount, Namespace, WorkSpan};

/// One record of the build cache.
#[derive(Debug, Clone)]
pub(super) struct Record {
    /// The engine's name for it.
    pub(super) id: String,
    parents: Vec<String>,
    /// `exec.cachemount`, `regular`, `source.local`, …
    kind: String,
    /// What it is, in the engine's words.
    description: String,
    /// Bytes on disk.
    size: i64,
    created: Option<SystemTime>,
}

impl From<UsageRecord> for Record {
    fn from(record: UsageRecord) -> Self {
        // Older engines know one parent, newer ones any number.
        #[expect(deprecated, reason = "engines older than API 1.42 say it there")]
        let older = Some(record.parent).filter(|parent| !parent.is_empty());
        Self {
            id: record.id,
            parents: older.into_iter().chain(record.parents).collect(),
            kind: record.record_type,
            description: record.description,
            size: record.size,
            created: record.created_at.and_then(|stamp| time((stamp.seconds, stamp.nanos))),
        }
    }
}

/// Which records are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum RecordFilter<'a> {
    /// All there are, the cache mounts of everybody too.
    All,
    /// All cache mounts.
    Mounts,
    /// The cache mounts whose description names a namespace.
    MountsNaming(&'a Namespace),
    /// Those whose description names one of these namespaces.
    Naming(&'a [Namespace]),
    /// Those, and everything that is no cache mount.
    NamingOrLayers(&'a [Namespace]),
}

impl RecordFilter<'_> {
    /// Spells it as BuildKit's filters, any one of which a record has to match, with all its conditions. Namespaces are
    /// letters, digits and dashes.
    fn filters(self) -> Vec<String> {
        match self {
            Self::All => Vec::new(),
            Self::Mounts => vec!["type==exec.cachemount".to_owned()],
            Self::MountsNaming(namespace) => {
                vec![format!("type==exec.cachemount,description~={}", namespace.as_str())]
            }
            Self::Naming(namespaces) => {
                namespaces.iter().map(|namespace| format!("description~={}", namespace.as_str())).collect()
            }
            Self::NamingOrLayers(namespaces) => {
                let mut filters = Self::Naming(namespaces).filters();
                filters.push("type!=exec.cachemount".to_owned());
                filters
            }
        }
    }

    /// Tells whether the cache mounts of others are among them, which a look at them takes hold of.
    pub(super) fn touches_others(self) -> bool {
        matches!(self, Self::All | Self::Mounts)
    }
}

impl Record {
    /// Reads the record as a cache mount of a namespace; `None` for everything else.
    ///
    /// An engine that says the id shows the namespace there; any engine shows the command that created the mount, and
    /// every command of ours carries the namespace as a marker.
    pub(super) fn mount_of(&self, namespace: &Namespace, made: Option<&TrackedBuild>) -> Option<EngineMount> {
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
            bytes: self.bytes(),
            created: self.created,
        })
    }

    /// Tells whether a command without a marker was one of a namespace's own builds: the mount came into being while a
    /// vertex with this very command worked.
    fn mounted_by(&self, creator: &str, made: &TrackedBuild) -> bool {
        made.work.iter().any(|work| ran(&work.vertex, creator) && self.created_within(work))
    }

    fn created_within(&self, work: &WorkSpan) -> bool {
        self.created.is_some_and(|at| (work.from..=work.to).contains(&at))
    }

    /// Tells whether the command that made this record carries the namespace's marker.
    pub(super) fn marked(&self, namespace: &Namespace) -> bool {
        let mark = format!("{MARKER}={}", namespace.as_str());
        self.description.match_indices(&mark).any(|(at, _)| {
            let after = self.description[at + mark.len()..].chars().next();
            after.is_none_or(|next| !next.is_ascii_alphanumeric() && next != '-')
        })
    }

    /// Tells whether the command that made this record carries the marker of a namespace that is none of these.
    pub(super) fn marked_by_another(&self, namespaces: &[&Namespace]) -> bool {
        self.description.contains(&format!("{MARKER}=")) && !namespaces.iter().any(|namespace| self.marked(namespace))
    }

    /// Tells whether this record came into being while a vertex of the right kind worked.
    ///
    /// A context's upload and its unpacking carry no mark of ours, but the engine dates both them and the vertexes.
    pub(super) fn made_by(&self, work: &WorkSpan) -> bool {
        // What a client's own upload leaves, which is no layer.
        let local = match work.vertex.as_str() {
            "[internal] load build context" => self.description == "local source for context",
            name if name.starts_with("[internal] load build definition") => {
                self.description == "local source for dockerfile"
            }
            _ => false,
        };
        if local && self.kind == "source.local" && self.created_within(work) {
            return true;
        }
        let fits = match work.vertex.as_str() {
            CONTEXT => self.description.starts_with("http url http://build-context-"),
            // The copy stands on nothing, unlike a layer that somebody copies meanwhile.
            COPY_OF_CONTEXT => {
                self.description.starts_with("copy /context /")
                    || (self.description == "fileop target" && self.parents.is_empty())
            }
            name if name.contains("] COPY ") || name.contains("] ADD ") || name.contains("] WORKDIR ") => {
                self.description == "fileop target" || self.description == name
            }
            // The owner and mode of a cache mount; older frontends say `settings`.
            name if name.starts_with("[internal] setting") => {
                self.description == "fileop target" || self.description == name
            }
            // The engine's handle on an image of its own, made by who first builds on it.
            name if name.contains("] FROM ") => self.description.trim_end() == "from local",
            // The work of a `RUN` may take minutes, in which others build.
            name if name.contains("] RUN ") => {
                let creator = self.description.strip_prefix("mount / from exec ");
                self.description == name || creator.is_some_and(|creator| ran(name, creator))
            }
            _ => false,
        };
        fits && self.kind == "regular" && self.created_within(work)
    }

    /// Tells whether this came into being after a moment.
    pub(super) fn created_after(&self, moment: SystemTime) -> bool {
        self.created.is_some_and(|at| at > moment)
    }

    /// Tells whether this is the engine's handle on an image of its own.
    pub(super) fn is_image_handle(&self) -> bool {
        self.kind == "regular" && self.description.trim_end() == "from local"
    }

    /// Tells whether the command of a `RUN` made this.
    pub(super) fn of_a_command(&self) -> bool {
        self.kind == "regular"
            && (self.description.starts_with("mount / from exec ") || self.description.contains("] RUN "))
    }

    /// Tells whether a step made this: it is neither a cache mount nor a layer of an image.
    pub(super) fn is_step(&self) -> bool {
        let description = self.description.trim_end();
        let of_image = description.is_empty() || description == "from local" || description.starts_with("pulled from ");
        self.kind != "exec.cachemount" && !(of_image && self.kind == "regular")
    }

    /// Returns the bytes on disk.
    pub(super) fn bytes(&self) -> u64 {
        u64::try_from(self.size).unwrap_or(0)
    }

    /// Returns the records this one builds on.
    pub(super) fn parents(&self) -> impl Iterator<Item = &str> {
        self.parents.iter().map(String::as_str)
    }
}

/// Tells whether the command in a record's description is that of a `RUN`, as its vertex is named.
fn ran(vertex: &str, creator: &str) -> bool {
    let ran = creator.strip_prefix("/bin/sh -c ").unwrap_or(creator);
    let command = vertex.split_once("] RUN ").map_or("", |(_, command)| command);
    let exec = command.find('[').and_then(|at| serde_json::from_str::<Vec<String>>(&command[at..]).ok());
    !ran.is_empty() && (command.ends_with(ran) || exec.is_some_and(|words| words.join(" ") == ran))
}

/// The most bytes an answer may have: a record takes a few hundred, and an engine may hold ten thousands of them.
const MOST_ANSWER: usize = 256 << 20;

/// Lists records of the build cache, and so has the engine size those whose size it does not know.
///
/// # Errors
/// [`EngineError`] when the engine cannot be asked.
pub(super) async fn records(address: &str, asked: RecordFilter<'_>) -> Result<Vec<Record>, EngineError> {
    let fail = |reason: String| EngineError::from_message("asking for its disk usage", reason);
    let channel = connect(address).await.map_err(|error| fail(error.to_string()))?;
    let mut client = ControlClient::new(channel).max_decoding_message_size(MOST_ANSWER);
    let request = DiskUsageRequest { filter: asked.filters(), ..DiskUsageRequest::default() };
    let answer = client.disk_usage(request).await.map_err(|status| fail(status.message().to_owned()))?;
    Ok(answer.into_inner().record.into_iter().map(Record::from).collect())
}

/// Opens a gRPC channel to the BuildKit inside Docker Engine, as its clients do: an upgrade of `POST /grpc`.
///
/// Source: <https://github.com/moby/moby/blob/v20.10.24/api/server/router/grpc/grpc_routes.go>
async fn connect(address: &str) -> Result<Channel, Box<dyn std::error::Error + Send + Sync>> {
    let mut stream = Some(if let Some(socket) = address.strip_prefix("unix://") {
        upgrade(tokio::net::UnixStream::connect(Path::new(socket)).await?).await?
    } else {
        let host = address.trim_start_matches("tcp://").trim_start_matches("http://").trim_end_matches('/');
        upgrade(tokio::net::TcpStream::connect(host).await?).await?
    });
    // The channel asks for its one connection, which is there already.
    let connector = tower::service_fn(move |_| {
        std::future::ready(stream.take().ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected)))
    });
    Ok(Endpoint::from_static("http://docker").connect_with_connector(connector).await?)
}

async fn upgrade(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> io::Result<Upgraded> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    tokio::spawn(connection.with_upgrades());
    let request = hyper::Request::post("/grpc").header("host", "docker").header("connection", "Upgrade");
    let request = request.header("upgrade", "h2c").body(Empty::<Bytes>::new()).map_err(io::Error::other)?;
    let response = sender.send_request(request).await.map_err(io::Error::other)?;
    if response.status() != hyper::StatusCode::SWITCHING_PROTOCOLS {
        return Err(io::Error::other(format!("POST /grpc answered {}", response.status())));
    }
    hyper::upgrade::on(response).await.map_err(io::Error::other)
}
