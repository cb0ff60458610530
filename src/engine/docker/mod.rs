//! Docker Engine: BuildKit through its HTTP API, with no docker CLI and no buildx. [`Docker`] is principal.
//!
//! This folder alone names bollard. Images go through it here, builds in `build`, copies in `copy`, the disk usage that
//! proves what exists in `usage`, what is remembered of it in `made`, and the removal of exactly that in `clean`, as far
//! as `image_store` lets it.

mod abandoned;
mod build;
mod claims;
mod clean;
mod copy;
mod image_store;
mod made;
mod relay;
mod status;
mod turn;
mod usage;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use bollard::query_parameters::CreateImageOptionsBuilder;
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::{
    BuildEvent, BuildOutcome, BuildRequest, BuildWitness, ByteStream, Cleaned, Copied, Engine, EngineError, EngineInfo,
    EngineMount, ForeignBuild, MountCopy, Namespace,
};

pub use abandoned::AbandonedCleaned;
use made::TrackedBuild;
use relay::EngineRelay;
use turn::EngineLock;

/// The label that says an image or container is ours, with the namespace as its value.
const LABEL: &str = "verify-buildkit-cache.namespace";

/// The environment variable whose value, the namespace, marks the commands of a runner's builds.
pub(super) const MARKER: &str = "VBC_RUNNER";

/// Seconds until a request that got no answer is given up. A large context takes its time to arrive.
const TIMEOUT: u64 = 4 * 60 * 60;

/// How long an engine may take to say what it is.
const REACHING: Duration = Duration::from_secs(30);

/// How long it may take to answer a question, and to list records of its build cache, which it has to size for that.
const ANSWERING: Duration = Duration::from_secs(120);
const LISTING: Duration = Duration::from_secs(15 * 60);

/// How long it may take to remove what was made.
const REMOVING: Duration = Duration::from_secs(15 * 60);

/// The first API (Docker 26) whose engine takes `cacheonly`, by mistake, for the name of no exporter, and fails.
///
/// Source: <https://github.com/moby/moby/blob/v26.0.0/builder/builder-next/builder.go#L393>
const ALWAYS_EXPORTS: (u32, u32) = (1, 45);

/// A Docker Engine.
#[derive(Debug, Clone)]
pub struct Docker {
    client: bollard::Docker,
    /// The same client for builds whose image nobody needs: exporting one takes seconds on some storage drivers. Where an
    /// engine exports always, the image goes with the clean-up.
    without_export: bollard::Docker,
    address: String,
    /// The address its connections go to: a relay's socket, where one stands before it.
    reached: String,
    _relay: Option<Arc<EngineRelay>>,
    /// The name that the engine gave itself when it was installed.
    id: Arc<str>,
    /// What it said of itself when it was reached.
    info: Arc<EngineInfo>,
    way: Arc<copy::CopyTransport>,
    made: Arc<Mutex<HashMap<Namespace, TrackedBuild>>>,
    turn: Arc<EngineLock>,
    /// The session of all its builds, named after the first namespace. The client library opens one for every build and
    /// never closes it; of a name that is open already the engine refuses another, and the build uses the one there is.
    /// Each costs both sides a health check a second.
    ///
    /// Source: <https://github.com/moby/buildkit/blob/v0.8.3/session/manager.go> (`HandleHTTPRequest`)
    session: Arc<OnceLock<String>>,
    /// Who writes down what its builds make.
    witnesses: Arc<Mutex<Vec<Weak<dyn BuildWitness>>>>,
    /// How many builds there were.
    builds: Arc<AtomicU64>,
}

/// The files by which a client and an engine know each other over TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFiles {
    /// The certificate of who signed the engine's.
    pub ca: PathBuf,
    /// The client's certificate.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Docker {
    /// Connects to the engine at an address (`unix://…`, `tcp://…` or `ssh://…`); `None` is Docker's usual socket.
    ///
    /// Fails when nothing answers there, or when what answers builds without BuildKit.
    pub async fn connect(address: Option<&str>) -> Result<Self, EngineError> {
        Self::connect_at(address.unwrap_or("unix:///var/run/docker.sock"), None).await
    }

    /// As [`Self::connect`], by TLS where the files of a client are given. Over ssh, `ssh` itself is called and must need no
    /// password.
    pub async fn connect_at(address: &str, tls: Option<&ClientFiles>) -> Result<Self, EngineError> {
        let reached = tokio::time::timeout(REACHING, Self::reach(address.to_owned(), tls)).await;
        reached.unwrap_or_else(|_| {
            let reason = format!("it has not answered for {} seconds", REACHING.as_secs());
            Err(EngineError::Unreachable { address: address.to_owned(), reason })
        })
    }

    async fn reach(address: String, tls: Option<&ClientFiles>) -> Result<Self, EngineError> {
        let unreachable = |reason: String| EngineError::Unreachable { address: address.clone(), reason };
        let relay = match tls {
            Some(files) => Some(EngineRelay::by_tls(&address, files)),
            None if address.starts_with("ssh://") => Some(EngineRelay::by_ssh(&address)),
            None => None,
        };
        let relay = relay.transpose().map_err(unreachable)?.map(Arc::new);
        let reached = relay.as_ref().map_or_else(|| address.clone(), |relay| relay.address().to_owned());
        let unreachable = |reason: String| {
            let far = relay.as_ref().and_then(|relay| relay.failure());
            EngineError::Unreachable { address: address.clone(), reason: far.unwrap_or(reason) }
        };
        let client = if reached.starts_with("unix://") {
            bollard::Docker::connect_with_unix(&reached, TIMEOUT, bollard::API_DEFAULT_VERSION)
        } else if reached.starts_with("tcp://") || reached.starts_with("http://") {
            bollard::Docker::connect_with_http(&reached, TIMEOUT, bollard::API_DEFAULT_VERSION)
        } else {
            return Err(EngineError::Address { address, reason: "only unix, tcp and ssh are spoken here".to_owned() });
        };
        let client = client.map_err(|error| unreachable(words(&error)))?;
        let client = client.negotiate_version().await.map_err(|error| unreachable(words(&error)))?;
        let version = client.version().await.map_err(|error| unreachable(words(&error)))?;
        if let Some(engine) = without_buildkit(&version) {
            return Err(EngineError::NoBuildKit { engine, address });
        }
        let skips = version.api_version.as_deref().and_then(api).is_some_and(|api| api < ALWAYS_EXPORTS);
        let without_export = if skips { client.clone().with_request_modifier(skip_export) } else { client.clone() };
        let info = client.info().await.map_err(|error| unreachable(words(&error)))?;
        let id = info.id.clone().unwrap_or_default().into();
        let info = Arc::new(about(client.client_version().to_string(), version, info));
        let way = Arc::new(copy::CopyTransport::of(&address));
        let turn = EngineLock::of(&address);
        Ok(Self {
            client,
            without_export,
            address,
            reached,
            _relay: relay,
            id,
            info,
            way,
            made: Arc::default(),
            turn,
            session: Arc::default(),
            witnesses: Arc::default(),
            builds: Arc::default(),
        })
    }

    /// Copies as with an engine on another machine, which cannot open a connection to this one.
    #[must_use]
    pub fn from_afar(self) -> Self {
        Self { way: Arc::new(copy::CopyTransport::by_archive()), ..self }
    }

    /// Says how copies go; `None` before the first.
    pub fn copy_way(&self) -> Option<&'static str> {
        self.way.words()
    }

    /// Returns the address it was reached at.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the name that the engine gave itself when it was installed; empty where it says none.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Has somebody write down what every build makes, for as long as that somebody exists.
    pub fn watched_by(&self, witness: &Arc<dyn BuildWitness>) {
        if let Ok(mut witnesses) = self.witnesses.lock() {
            witnesses.push(Arc::downgrade(witness));
        }
    }
}

impl Engine for Docker {
    async fn describe(&self) -> Result<EngineInfo, EngineError> {
        Ok((*self.info).clone())
    }

    async fn has_image(&self, reference: &str) -> Result<bool, EngineError> {
        let doing = format!("looking for image `{reference}`");
        match in_time(ANSWERING, &doing, async { Ok(self.client.inspect_image(reference).await) }).await? {
            Ok(_) => Ok(true),
            Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => Ok(false),
            Err(error) => Err(failed(&doing, &error)),
        }
    }

    async fn pull(&self, reference: &str, watch: &mut dyn FnMut(&str)) -> Result<(), EngineError> {
        // Without a tag an engine pulls every one there is; it is its clients that mean the latest.
        let name = reference.rsplit('/').next().unwrap_or(reference);
        let tagged = if name.contains([':', '@']) { reference.to_owned() } else { format!("{reference}:latest") };
        let options = CreateImageOptionsBuilder::new().from_image(&tagged).build();
        let mut stream = self.client.create_image(Some(options), None, None);
        while let Some(part) = stream.next().await {
            let part =
                part.map_err(|error| EngineError::Image { image: reference.to_owned(), reason: words(&error) })?;
            if let Some(error) = part.error_detail.and_then(|detail| detail.message) {
                return Err(EngineError::Image { image: reference.to_owned(), reason: error });
            }
            if let Some(status) = part.status {
                watch(&status);
            }
        }
        Ok(())
    }

    async fn build(
        &self,
        request: BuildRequest,
        context: ByteStream,
        watch: &mut dyn FnMut(BuildEvent),
    ) -> Result<BuildOutcome, EngineError> {
        self.build_image(request, context, watch).await
    }

    async fn inject(&self, copy: &MountCopy, archives: Vec<ByteStream>) -> Result<Copied, EngineError> {
        self.inject_archives(copy, archives).await
    }

    async fn extract(
        &self,
        copy: &MountCopy,
        into: mpsc::Sender<std::io::Result<Bytes>>,
    ) -> Result<Copied, EngineError> {
        self.extract_archive(copy, into).await
    }

    async fn mounts(&self, namespace: &Namespace) -> Result<Vec<EngineMount>, EngineError> {
        let records = self.records_of(namespace).await?;
        let made = self.made.lock().ok();
        let made = made.as_ref().and_then(|made| made.get(namespace));
        Ok(records.iter().filter_map(|record| record.mount_of(namespace, made)).collect())
    }

    fn adopt(&self, namespace: &Namespace, build: &ForeignBuild) {
        self.remember_foreign(namespace, build);
    }

    async fn drop_mounts(&self, namespace: &Namespace) -> Result<usize, EngineError> {
        self.remove_mounts(namespace).await
    }

    async fn clean(&self, namespaces: &[Namespace]) -> Result<Cleaned, EngineError> {
        in_time(REMOVING, "removing what was made", self.remove_all(namespaces)).await
    }
}

/// Waits for an answer, but no longer than it may take.
async fn in_time<T>(
    limit: Duration,
    doing: &str,
    work: impl Future<Output = Result<T, EngineError>>,
) -> Result<T, EngineError> {
    let reason = || format!("it has not answered for {} seconds", limit.as_secs());
    let answered = tokio::time::timeout(limit, work).await;
    answered.unwrap_or_else(|_| Err(EngineError::Failed { doing: doing.to_owned(), reason: reason() }))
}

/// Puts together what an engine says of itself.
fn about(api: String, version: bollard::models::SystemVersion, info: bollard::models::SystemInfo) -> EngineInfo {
    EngineInfo {
        forgets: image_store::forgets(&info),
        name: format!("Docker Engine {}", info.server_version.unwrap_or_else(|| "?".to_owned())),
        api,
        platform: format!("{}/{}", version.os.unwrap_or_default(), version.arch.unwrap_or_default()),
        storage: info.driver.unwrap_or_default(),
        cpus: info.ncpu.and_then(|count| u64::try_from(count).ok()).unwrap_or(0),
        memory: info.mem_total.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0),
    }
}

/// Asks a build to export nothing; `cacheonly` is the output type by which the engine skips every exporter.
///
/// bollard has no name for it. Source: <https://github.com/moby/moby/blob/v20.10.24/builder/builder-next/builder.go#L345>
fn skip_export(mut request: bollard::BollardRequest) -> bollard::BollardRequest {
    if !request.uri().path().ends_with("/build") {
        return request;
    }
    let mut parts = request.uri().clone().into_parts();
    if let Some(path) = &parts.path_and_query {
        let joined = format!("{path}&outputs=%5B%7B%22Type%22%3A%22cacheonly%22%7D%5D");
        parts.path_and_query = joined.parse().ok().or_else(|| parts.path_and_query.clone());
    }
    if let Ok(uri) = hyper::Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    request
}

/// Returns what the engine calls itself when it cannot build with BuildKit: not Linux, older than Docker 18.09, or Podman,
/// which speaks the same API and builds with Buildah.
fn without_buildkit(version: &bollard::models::SystemVersion) -> Option<String> {
    let podman = version.components.iter().flatten().any(|component| component.name.starts_with("Podman"));
    let os = version.os.as_deref().unwrap_or("linux");
    let old = version.api_version.as_deref().and_then(api).is_some_and(|api| api < (1, 39));
    let number = version.version.as_deref().unwrap_or("of unknown version");
    (podman || os != "linux" || old)
        .then(|| format!("{} {number} on {os}", if podman { "Podman" } else { "Docker Engine" }))
}

/// Reads an API version such as `1.41`.
fn api(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Says an error of the client in words, with what the engine itself said where it said something.
fn words(error: &bollard::errors::Error) -> String {
    match error {
        bollard::errors::Error::DockerResponseServerError { message, .. } => message.clone(),
        other => {
            let mut text = other.to_string();
            let mut source = std::error::Error::source(other);
            while let Some(cause) = source {
                text = format!("{text}: {cause}");
                source = cause.source();
            }
            text
        }
    }
}

/// Sorts an error of the client.
fn failed(doing: &str, error: &bollard::errors::Error) -> EngineError {
    EngineError::from_message(doing, words(error))
}
