//! What a case works with: an engine, fresh namespaces, and short words for what it does. [`Bench`] is principal.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;

use bytes::Bytes;
use tokio::sync::mpsc;
use verify_buildkit_cache::dockerfile::RUNNER_ARG;
use verify_buildkit_cache::engine::{
    BuildEvent, BuildEventKind, BuildOutcome, BuildRequest, ByteStream, Copied, CopyMount, Engine, EngineError,
    MountCopy, Namespace,
};

use crate::trees::{self, Listing};

/// An engine and the namespaces of one case.
pub(crate) struct Bench<'a, E> {
    pub(crate) engine: &'a E,
    pub(crate) image: String,
    case: String,
    made: RefCell<Vec<Namespace>>,
    stamps: RefCell<u32>,
}

/// One build as it was seen.
pub(crate) struct Built {
    pub(crate) outcome: BuildOutcome,
    pub(crate) events: Vec<BuildEvent>,
}

impl Built {
    /// Returns the printed lines, in order.
    pub(crate) fn lines(&self) -> Vec<&str> {
        let lines = self.events.iter().filter_map(|event| match &event.kind {
            BuildEventKind::Line { text, .. } => Some(text.as_str()),
            _ => None,
        });
        lines.collect()
    }

    /// Returns the number of the vertex whose name has this text in it.
    pub(crate) fn vertex(&self, part: &str) -> u64 {
        let named = |event: &&BuildEvent| matches!(&event.kind, BuildEventKind::Named(name) if name.contains(part));
        self.events.iter().find(named).unwrap_or_else(|| panic!("no vertex for `{part}`: {:#?}", self.events)).vertex
    }

    /// Tells whether a vertex came from the layer cache.
    pub(crate) fn cached(&self, part: &str) -> bool {
        let vertex = self.vertex(part);
        self.events.iter().any(|event| event.vertex == vertex && event.kind == BuildEventKind::Cached)
    }
}

impl<'a, E: Engine> Bench<'a, E> {
    pub(crate) fn new(engine: &'a E, image: String, case: &str) -> Self {
        let case = case.chars().take(24).collect();
        Self { engine, image, case, made: RefCell::default(), stamps: RefCell::default() }
    }

    /// Makes a namespace that nobody had before.
    pub(crate) fn namespace(&self) -> Namespace {
        let random = RandomState::new().build_hasher().finish();
        let namespace = Namespace::new(&format!("contract-{}-{random:016x}", self.case));
        self.made.borrow_mut().push(namespace.clone());
        namespace
    }

    /// Returns all namespaces made so far.
    pub(crate) fn namespaces(&self) -> Vec<Namespace> {
        self.made.borrow().clone()
    }

    pub(crate) fn copy(&self, namespace: &Namespace, options: &str) -> MountCopy {
        let target = options.split(',').find_map(|field| field.strip_prefix("target=")).unwrap();
        *self.stamps.borrow_mut() += 1;
        MountCopy {
            namespace: namespace.clone(),
            image: self.image.clone(),
            mount: CopyMount { target: target.to_owned(), flag: format!("type=cache,{options}") },
            owner: None,
            stamp: format!("{}-{}", namespace.as_str(), self.stamps.borrow()),
        }
    }

    /// Injects archives; the copy must succeed.
    pub(crate) async fn inject(&self, namespace: &Namespace, options: &str, archives: Vec<Vec<u8>>) {
        let streams = archives.into_iter().map(stream).collect();
        let copied = self.engine.inject(&self.copy(namespace, options), streams).await.unwrap();
        assert_eq!(copied, Copied { failed: None });
    }

    /// Extracts a mount; the copy must succeed.
    pub(crate) async fn extract(&self, namespace: &Namespace, options: &str) -> Listing {
        let (sender, mut receiver) = mpsc::channel::<io::Result<Bytes>>(2);
        let copy = self.copy(namespace, options);
        let receive = async {
            let mut bytes = Vec::new();
            while let Some(part) = receiver.recv().await {
                bytes.extend_from_slice(&part.unwrap());
            }
            bytes
        };
        let (copied, bytes) = futures_util::future::join(self.engine.extract(&copy, sender), receive).await;
        assert_eq!(copied.unwrap(), Copied { failed: None });
        trees::listing(&bytes)
    }

    pub(crate) fn request(&self, namespace: &Namespace) -> BuildRequest {
        BuildRequest {
            namespace: namespace.clone(),
            dockerfile: "deploy/Dockerfile".to_owned(),
            build_args: BTreeMap::from([(RUNNER_ARG.to_owned(), namespace.as_str().to_owned())]),
            target: None,
            no_cache: false,
            network: None,
            export: false,
        }
    }

    /// Returns a context with a Dockerfile of one stage on the Go image.
    ///
    /// As in a runner's instrumented copy, the shell's line names the namespace: older engines tell whose a mount is by
    /// the command that created it and by nothing else.
    pub(crate) fn context(&self, namespace: &Namespace, steps: &str) -> Vec<u8> {
        let shell = format!("SHELL [\"/usr/bin/env\", \"{RUNNER_ARG}={}\", \"/bin/sh\", \"-c\"]", namespace.as_str());
        let text = format!("FROM {}\nARG {RUNNER_ARG}\n{shell}\n{steps}\n", self.image);
        trees::archive(&[trees::dir("deploy", 0o755), trees::file("deploy/Dockerfile", 0o644, text.as_bytes())])
    }

    /// Builds; the engine must get to an outcome.
    pub(crate) async fn build(&self, request: BuildRequest, steps: &str) -> Built {
        let context = self.context(&request.namespace, steps);
        self.try_build(request, stream(context)).await.unwrap()
    }

    pub(crate) async fn try_build(&self, request: BuildRequest, context: ByteStream) -> Result<Built, EngineError> {
        let mut events = Vec::new();
        let outcome = self.engine.build(request, context, &mut |event| events.push(event)).await?;
        Ok(Built { outcome, events })
    }
}

/// Sends bytes in pieces.
pub(crate) fn stream(bytes: Vec<u8>) -> ByteStream {
    pieces(bytes.chunks(10_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect())
}

/// Sends some bytes and then breaks.
pub(crate) fn broken(bytes: &[u8]) -> ByteStream {
    pieces(vec![Ok(Bytes::copy_from_slice(bytes)), Err(io::Error::other("the disk went away"))])
}

fn pieces(pieces: Vec<io::Result<Bytes>>) -> ByteStream {
    let (sender, receiver) = mpsc::channel(pieces.len().max(1));
    for piece in pieces {
        sender.try_send(piece).unwrap();
    }
    receiver
}
