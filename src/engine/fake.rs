//! An engine that is plain data: cache mounts, images and a layer cache in memory, and a Go compiler that only claims to
//! compile. [`Fake`] is principal.
//!
//! It keeps the contract of `tests/engine_contract.rs`, so that everything above an engine can be tested in milliseconds
//! and without Docker. Its clock is a counter of its own. It deliberately does not run commands: of a `RUN` it follows
//! `echo`, `du`, `ls`, `cat`, `rm`, `exit` and the `go` commands that use a cache, and takes every other command as done.
//! Of a layer it knows what those commands left in it, and `COPY` and its like leave no vertex.

mod build;
mod context;
mod go;
mod proof;
mod run;
mod shell;
mod state;
mod tree;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{
    BuildEvent, BuildOutcome, BuildRequest, ByteStream, Cleaned, Copied, Engine, EngineError, EngineInfo, EngineMount,
    MountCopy, Namespace,
};
use crate::dockerfile::{MountOptions, clean_path};
use crate::evidence::Creator;

use state::FakeState;

/// Bytes of one piece of an extract's stream.
const PIECE: usize = 64 << 10;

/// An engine in memory. Clones share what they hold, as two connections to one engine do.
#[derive(Debug, Clone)]
pub struct Fake {
    /// The images on the engine.
    pub images: BTreeSet<String>,
    /// The images that can be pulled.
    pub registry: BTreeSet<String>,
    /// How many modules a build downloads.
    pub modules: usize,
    /// Bytes that downloading all of them leaves in the module mount.
    pub module_bytes: usize,
    /// Bytes that compiling leaves in the build cache mount.
    pub build_bytes: usize,
    /// By what the sizes are multiplied where they are told, so that small trees can stand for large ones.
    pub scale: u64,
    /// How long a build takes that finds nothing in the build cache.
    pub cold: Duration,
    /// How long a build takes that finds everything.
    pub warm: Duration,
    state: Arc<Mutex<FakeState>>,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            images: BTreeSet::new(),
            registry: BTreeSet::new(),
            modules: 12,
            module_bytes: 120_000,
            build_bytes: 60_000,
            scale: 1_000,
            cold: Duration::from_secs(20),
            warm: Duration::from_secs(1),
            state: Arc::default(),
        }
    }
}

impl Fake {
    /// Makes an engine that has these images and can pull no others.
    pub fn new<I: Into<String>>(images: impl IntoIterator<Item = I>) -> Self {
        Self { images: images.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    fn state(&self) -> MutexGuard<'_, FakeState> {
        // A test that panicked while it held the lock has failed already.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, reference: &str) -> bool {
        self.images.contains(reference) || self.state().has_image(reference)
    }

    /// Has an image on the engine, as a build or a pull would.
    fn resolve(&self, reference: &str) -> Result<(), EngineError> {
        if self.has(reference) {
            return Ok(());
        }
        if self.registry.contains(reference) {
            self.state().pulled.insert(reference.to_owned());
            return Ok(());
        }
        Err(EngineError::Image { image: reference.to_owned(), reason: "not found".to_owned() })
    }
}

impl Engine for Fake {
    async fn describe(&self) -> Result<EngineInfo, EngineError> {
        Ok(EngineInfo {
            name: "Fake Engine 1.0".to_owned(),
            api: "1.0".to_owned(),
            platform: "linux/amd64".to_owned(),
            storage: "memory".to_owned(),
            cpus: 1,
            memory: 1 << 30,
            forgets: false,
        })
    }

    async fn has_image(&self, reference: &str) -> Result<bool, EngineError> {
        Ok(self.has(reference))
    }

    async fn pull(&self, reference: &str, watch: &mut dyn FnMut(&str)) -> Result<(), EngineError> {
        self.resolve(reference)?;
        watch("Pull complete");
        Ok(())
    }

    async fn build(
        &self,
        request: BuildRequest,
        context: ByteStream,
        watch: &mut dyn FnMut(BuildEvent),
    ) -> Result<BuildOutcome, EngineError> {
        let context = collect(context, "building").await?;
        self.run_build(&request, &context, watch)
    }

    async fn inject(&self, copy: &MountCopy, archives: Vec<ByteStream>) -> Result<Copied, EngineError> {
        let mut whole = Vec::with_capacity(archives.len());
        for archive in archives {
            whole.push(collect(archive, "injecting").await?);
        }
        self.resolve(&copy.image)?;
        let options = match options(copy) {
            Ok(options) => options,
            Err(failed) => return Ok(Copied { failed: Some(failed) }),
        };
        let mut state = self.state();
        let now = state.advance(Duration::from_millis(500));
        if options.readonly {
            state.mount(&copy.namespace, &options, Creator::Inject);
            return Ok(Copied { failed: Some("tar: can't open 'buildstamp': Read-only file system".to_owned()) });
        }
        let tree = &mut state.mount(&copy.namespace, &options, Creator::Inject).tree;
        for archive in whole {
            if let Err(error) = tree.unpack(&archive, now) {
                return Ok(Copied { failed: Some(error.to_string()) });
            }
        }
        if let Some(owner) = &copy.owner
            && let Err(failed) = tree.chown(owner)
        {
            return Ok(Copied { failed: Some(failed) });
        }
        Ok(Copied { failed: None })
    }

    async fn extract(
        &self,
        copy: &MountCopy,
        into: mpsc::Sender<std::io::Result<Bytes>>,
    ) -> Result<Copied, EngineError> {
        self.resolve(&copy.image)?;
        let options = match options(copy) {
            Ok(options) => options,
            Err(failed) => return Ok(Copied { failed: Some(failed) }),
        };
        let packed = {
            let mut state = self.state();
            state.advance(Duration::from_millis(500));
            state.mount(&copy.namespace, &options, Creator::Extract).tree.pack()
        };
        let mut packed =
            Bytes::from(packed.map_err(|source| EngineError::Archive { doing: "extracting".to_owned(), source })?);
        while !packed.is_empty() {
            let piece = packed.split_to(packed.len().min(PIECE));
            if into.send(Ok(piece)).await.is_err() {
                break;
            }
        }
        Ok(Copied { failed: None })
    }

    async fn mounts(&self, namespace: &Namespace) -> Result<Vec<EngineMount>, EngineError> {
        Ok(self.state().list(namespace, self.scale))
    }

    async fn drop_mounts(&self, namespace: &Namespace) -> Result<usize, EngineError> {
        Ok(self.state().drop_mounts(namespace))
    }

    async fn clean(&self, namespaces: &[Namespace]) -> Result<Cleaned, EngineError> {
        let mut cleaned = Cleaned::default();
        for namespace in namespaces {
            cleaned.add(self.state().clean(namespace, self.scale));
        }
        Ok(cleaned)
    }
}

/// Reads the mount of a copy, or says in BuildKit's manner why the copy fails inside the engine.
fn options(copy: &MountCopy) -> Result<MountOptions, String> {
    match MountOptions::parse_written(&copy.mount.flag) {
        Ok(Some(options)) if clean_path(&options.target) == clean_path(&copy.mount.target) => Ok(options),
        Ok(_) => Err(format!("can't change directory to '{}': No such file or directory", copy.mount.target)),
        Err(error) => Err(error.to_string()),
    }
}

/// Takes a whole stream. An engine that streams would notice the break no later.
async fn collect(mut stream: ByteStream, doing: &str) -> Result<Vec<u8>, EngineError> {
    let mut bytes = Vec::new();
    while let Some(part) = stream.recv().await {
        let part = part.map_err(|source| EngineError::Archive { doing: doing.to_owned(), source })?;
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}
