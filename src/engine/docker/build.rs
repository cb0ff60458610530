//! One build over the API: the context streams in, the status streams out.

use std::collections::HashMap;

use bollard::models::BuildInfoAux;
use bollard::query_parameters::{BuildImageOptions, BuilderVersion};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;

use super::made::Remembered;
use super::{Docker, LABEL, words};
use crate::engine::{BuildEvent, BuildEventKind, BuildFailure, BuildOutcome, BuildRequest, ByteStream, EngineError};

/// The build argument by which BuildKit's Dockerfile frontend prefixes the identity of every cache mount.
///
/// Source: <https://github.com/moby/buildkit/blob/v0.8.0/frontend/dockerfile/builder/build.go> (`BUILDKIT_CACHE_MOUNT_NS`).
const NAMESPACE_ARG: &str = "BUILDKIT_CACHE_MOUNT_NS";

impl Docker {
    /// Builds an image; see [`Engine::build`](crate::engine::Engine::build).
    pub(super) async fn build_image(
        &self,
        request: BuildRequest,
        context: ByteStream,
        watch: &mut dyn FnMut(BuildEvent),
    ) -> Result<BuildOutcome, EngineError> {
        let doing = "building";
        let request_namespace = request.namespace;
        let namespace = request_namespace.as_str();
        let mut args: HashMap<String, String> = request.build_args.into_iter().collect();
        args.insert(NAMESPACE_ARG.to_owned(), namespace.to_owned());
        let options = BuildImageOptions {
            dockerfile: request.dockerfile,
            version: BuilderVersion::BuilderBuildKit,
            session: Some(self.session.get_or_init(|| namespace.to_owned()).clone()),
            buildargs: Some(args),
            labels: Some(HashMap::from([(LABEL.to_owned(), namespace.to_owned())])),
            target: request.target.unwrap_or_default(),
            nocache: request.no_cache,
            networkmode: request.network,
            rm: true,
            ..BuildImageOptions::default()
        };
        let _turn = self.turn.to_build().await;
        let mut seen = Remembered::begin(self, &request_namespace);
        let (broken, context) = watched(context);
        let mut outcome = BuildOutcome { image: None, failure: None };
        let mut images: HashMap<u64, String> = HashMap::new();
        let mut unresolved = None;
        let mut step_failed = false;
        let client = if request.export { &self.client } else { &self.without_export };
        let mut stream = client.build_image(options, None, Some(bollard::body_try_stream(context)));
        while let Some(part) = stream.next().await {
            let part = match part {
                Ok(part) => part,
                Err(error) => {
                    outcome.failure = Some(BuildFailure { message: words(&error) });
                    break;
                }
            };
            if let Some(message) = part.error_detail.and_then(|detail| detail.message) {
                outcome.failure = Some(BuildFailure { message });
            }
            match part.aux {
                Some(BuildInfoAux::BuildKit(status)) => seen.fold.add(status, &mut |event| {
                    match &event.kind {
                        BuildEventKind::Named(name) => {
                            if let Some(image) = name.strip_prefix("[internal] load metadata for ") {
                                images.insert(event.vertex, image.to_owned());
                            }
                        }
                        BuildEventKind::Failed(_) => {
                            step_failed = true;
                            unresolved = unresolved.take().or_else(|| images.get(&event.vertex).cloned());
                        }
                        _ => {}
                    }
                    watch(event);
                }),
                Some(BuildInfoAux::Default(image)) => outcome.image = image.id,
                None => {}
            }
        }
        seen.fold.finish(watch);
        seen.went_well = outcome.failure.is_none();
        drop(seen);
        if let Some(source) = broken.take() {
            return Err(EngineError::Archive { doing: doing.to_owned(), source });
        }
        match outcome.failure {
            Some(failure) => sort_failure(failure, step_failed, unresolved.as_deref())
                .map(|failure| BuildOutcome { image: None, failure: Some(failure) }),
            None => Ok(outcome),
        }
    }
}

/// Tells a failed Dockerfile step, an outcome, from what stopped the engine, an error.
fn sort_failure(
    failure: BuildFailure,
    step_failed: bool,
    unresolved: Option<&str>,
) -> Result<BuildFailure, EngineError> {
    let message = &failure.message;
    if message.contains("no space left on device") {
        return Err(EngineError::from_message("building", message.clone()));
    }
    if let Some(image) = unresolved {
        let image = image.trim_start_matches("docker.io/").trim_start_matches("library/").to_owned();
        return Err(EngineError::Image { image, reason: failure.message });
    }
    if step_failed || message.contains("dockerfile parse error") || message.contains("failed to solve") {
        return Ok(failure);
    }
    Err(EngineError::from_message("building", failure.message))
}

/// Where a broken context leaves its error, for the caller to find after the engine has complained in its own words.
#[derive(Debug, Clone, Default)]
struct Broken(std::sync::Arc<std::sync::Mutex<Option<std::io::Error>>>);

impl Broken {
    /// Takes the error, if there was one.
    fn take(&self) -> Option<std::io::Error> {
        self.0.lock().ok().and_then(|mut slot| slot.take())
    }

    /// Keeps the first error.
    fn put(&self, error: std::io::Error) {
        if let Ok(mut slot) = self.0.lock() {
            slot.get_or_insert(error);
        }
    }
}

/// Turns a channel into a stream that keeps its first error aside.
fn watched(context: ByteStream) -> (Broken, impl stream::Stream<Item = std::io::Result<Bytes>> + Send + 'static) {
    let broken = Broken::default();
    let slot = broken.clone();
    let stream = stream::unfold(context, |mut context| async { context.recv().await.map(|part| (part, context)) });
    let stream = stream.map(move |part| {
        part.map_err(|error| {
            let kind = error.kind();
            slot.put(error);
            std::io::Error::new(kind, "the context broke off")
        })
    });
    (broken, stream)
}
