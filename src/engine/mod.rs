//! BuildKit through the Docker API, and a fake that keeps the same contract. [`Engine`] is principal.
//!
//! An engine builds images, moves bytes into and out of cache mounts, lists the cache mounts of one runner and removes
//! what one runner made. It knows nothing of workflows, caches or verdicts. Only `docker` names bollard; the contract
//! both engines keep is `tests/engine_contract.rs`.

mod build;
mod docker;
mod error;
mod fake;
mod witness;

use std::time::SystemTime;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::evidence::Creator;

pub use build::{BuildEvent, BuildEventKind, BuildFailure, BuildOutcome, BuildRequest};
pub use docker::{AbandonedCleaned, ClientFiles, Docker};
pub use error::EngineError;
pub use fake::Fake;
pub use witness::{AbandonedWork, BuildNote, BuildWitness, WorkSpan};

/// A tar stream on its way to or from an engine, in pieces of moderate size.
///
/// A bounded channel: whoever is slower sets the pace, so memory stays constant whatever the archive's size.
pub type ByteStream = mpsc::Receiver<std::io::Result<Bytes>>;

/// The name by which an engine knows everything one runner's builder makes: the namespace of its cache mounts and the
/// label of its images. Unique for each run, runner and builder; only letters, digits and dashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Namespace(String);

impl Namespace {
    /// Makes a namespace; characters an engine would not take become dashes.
    pub fn new(name: &str) -> Self {
        Self(name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What an engine says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// The product and version, such as `Docker Engine 28.5.2`.
    pub name: String,
    /// The API version in use.
    pub api: String,
    /// Operating system and architecture, such as `linux/amd64`.
    pub platform: String,
    /// The storage driver.
    pub storage: String,
    /// Processors the engine may use.
    pub cpus: u64,
    /// Memory in bytes.
    pub memory: u64,
    /// Whether it forgets all steps that it has built when a record of its build cache is removed.
    pub forgets: bool,
}

/// The cache mount of one copy, as a dance's `RUN` would state it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyMount {
    /// Where the mount is mounted.
    pub target: String,
    /// The text after `--mount=`, from `type=cache` on.
    pub flag: String,
}

/// A copy into or out of one cache mount.
#[derive(Debug, Clone)]
pub struct MountCopy {
    /// Whose mount.
    pub namespace: Namespace,
    /// The image whose `tar` does the copying; it must be on the engine.
    pub image: String,
    /// The mount.
    pub mount: CopyMount,
    /// `chown -R` of the mount after an inject, as `uid:gid`.
    pub owner: Option<String>,
    /// A text that makes this copy differ from every other, so that no layer cache answers for it.
    pub stamp: String,
}

/// How a copy went inside the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The message of a copy that failed inside the mount, which upstream's `|| true` would swallow.
    pub failed: Option<String>,
}

/// A cache mount as an engine lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineMount {
    /// The engine's name for the record.
    pub record: String,
    /// The target the creating step mounted it at.
    pub target: String,
    /// The identity without the namespace, where the engine says it.
    pub id: Option<String>,
    /// Who first used it, and so created it.
    pub creator: Creator,
    /// Bytes on disk.
    pub bytes: u64,
    /// When it was created, where the engine says it.
    pub created: Option<SystemTime>,
}

/// What a clean-up removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cleaned {
    /// Cache mounts.
    pub mounts: usize,
    /// Images.
    pub images: usize,
    /// Containers.
    pub containers: usize,
    /// Layers and contexts in the build cache.
    pub layers: usize,
    /// Records of the build cache that stay, because this engine would forget what others have built if they went.
    pub kept: usize,
    /// Bytes of those.
    pub kept_bytes: u64,
    /// Records that stay for as long as a layer of somebody else's stands on them.
    pub held: usize,
    /// Bytes the engine says it got back.
    pub bytes: u64,
}

impl Cleaned {
    /// Adds another clean-up's counts.
    pub fn add(&mut self, other: Self) {
        self.mounts += other.mounts;
        self.images += other.images;
        self.containers += other.containers;
        self.layers += other.layers;
        self.kept += other.kept;
        self.kept_bytes += other.kept_bytes;
        self.held += other.held;
        self.bytes += other.bytes;
    }
}

/// The words by which an engine knows the first user of a cache mount for the inject or the extract of a dance, wherever they
/// stand in its command.
pub const COPY_WORDS: [&str; 2] = ["vbc-inject", "vbc-extract"];

/// A build that somebody else has made under a namespace, on the engine's own machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignBuild {
    /// Its vertexes, nearly as BuildKit names them.
    pub vertexes: Vec<String>,
    /// When it began.
    pub began: SystemTime,
    /// When it ended.
    pub ended: SystemTime,
}

/// Something that builds as BuildKit does.
///
/// The product is generic over it, so that a test, or another kind of engine, takes the place of Docker.
#[expect(async_fn_in_trait, reason = "the crate is the only user and drives every engine on one task")]
pub trait Engine {
    /// Says what the engine is.
    async fn describe(&self) -> Result<EngineInfo, EngineError>;

    /// Tells whether an image is on the engine.
    async fn has_image(&self, reference: &str) -> Result<bool, EngineError>;

    /// Pulls an image, handing on the registry's progress lines.
    async fn pull(&self, reference: &str, watch: &mut dyn FnMut(&str)) -> Result<(), EngineError>;

    /// Builds. A Dockerfile step that fails is an outcome, not an error.
    async fn build(
        &self,
        request: BuildRequest,
        context: ByteStream,
        watch: &mut dyn FnMut(BuildEvent),
    ) -> Result<BuildOutcome, EngineError>;

    /// Unpacks tar streams into a cache mount, one after the other, each over the last.
    async fn inject(&self, copy: &MountCopy, archives: Vec<ByteStream>) -> Result<Copied, EngineError>;

    /// Packs a cache mount into a tar stream. The stream's entries stand below no directory of their own (`./a/b`).
    async fn extract(
        &self,
        copy: &MountCopy,
        into: mpsc::Sender<std::io::Result<Bytes>>,
    ) -> Result<Copied, EngineError>;

    /// Lists the cache mounts of a namespace.
    async fn mounts(&self, namespace: &Namespace) -> Result<Vec<EngineMount>, EngineError>;

    /// Remembers what others have built under a namespace, so that its mounts are listed and all of it is removed.
    /// An engine that nobody else can reach has nothing to remember.
    fn adopt(&self, namespace: &Namespace, build: &ForeignBuild) {
        let _ = (namespace, build);
    }

    /// Removes the cache mounts of a namespace and keeps its layers: what a new machine finds that shares a layer cache
    /// with the one before. Returns how many there were; [`EngineError::Forgets`] where the layers would be lost.
    async fn drop_mounts(&self, namespace: &Namespace) -> Result<usize, EngineError>;

    /// Removes all that was made under namespaces, and nothing else. What fails does not keep the rest from going. Where
    /// removing it would take from others the answers of their layer cache, records stay and are counted.
    async fn clean(&self, namespaces: &[Namespace]) -> Result<Cleaned, EngineError>;
}
