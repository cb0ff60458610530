//! One build over the API: the context streams in, the status streams out.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::BuildInfoAux;
use bollard::query_parameters::{BuildImageOptions, BuilderVersion};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;

use super::made::BuildLedger;
use super::{Docker, LABEL, words};
use crate::engine::{BuildEvent, BuildEventKind, BuildFailure, BuildOutcome, BuildRequest, ByteStream, EngineError};

/// The build argument by which BuildKit's Dockerfile frontend prefixes the identity of every cache mount.
///
/// Source: <https://github.com/moby/buildkit/blob/v0.8.0/frontend/dockerfile/builder/build.go> (`BUILDKIT_CACHE_MOUNT_NS`).
const NAMESPACE_ARG: &str = "BUILDKIT_CACHE_MOUNT_NS";

/// How often the engine is asked, during a build, whether it still answers, and how long it may take to.
const PING_PAUSE: Duration = Duration::from_secs(10);
const PING_PATIENCE: Duration = Duration::from_secs(30);

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
        let mut seen = BuildLedger::begin(self, &request_namespace);
        let (broken, context) = watched(context);
        let mut outcome = BuildOutcome { image: None, failure: None };
        let mut images: HashMap<u64, String> = HashMap::new();
        let mut unresolved = None;
        let mut step_failed = false;
        let client = if request.export { &self.client } else { &self.without_export };
        let mut stream = client.build_image(options, None, Some(bollard::body_try_stream(context)));
        let mut watchdog = std::pin::pin!(self.falls_silent());
        loop {
            let part = tokio::select! {
                part = stream.next() => part,
                error = &mut watchdog => return Err(error),
            };
            let Some(part) = part else { break };
            let part = match part {
                Ok(part) => part,
                Err(error) if ended(&error) => break,
                Err(error) => {
                    outcome.failure = Some(BuildFailure { message: words(&error) });
                    break;
                }
            };
            if let Some(message) = part.error_detail.and_then(|detail| detail.message) {
                outcome.failure = Some(BuildFailure { message });
            }
            match part.aux {
                Some(BuildInfoAux::BuildKit(status)) => {
                    seen.tell(&status);
                    seen.fold.add(status, &mut |event| {
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
                    });
                }
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

impl Docker {
    /// Waits until the engine no longer answers at all. A build may say nothing for an hour; an engine that works answers.
    async fn falls_silent(&self) -> EngineError {
        loop {
            tokio::time::sleep(PING_PAUSE).await;
            if tokio::time::timeout(PING_PATIENCE, self.client.ping()).await.is_err() {
                let reason = format!("it has not answered for {} seconds", PING_PATIENCE.as_secs());
                return EngineError::Failed { doing: "building".to_owned(), reason };
            }
        }
    }
}

/// Tells whether an answer came to its end, all messages read, but for a line end that the client library keeps back.
///
/// When the last message and its `\r\n` arrive apart, its decoder leaves the `\r` and complains of it at the end. An answer
/// that broke off is another error. Source: bollard 0.21.1 `src/read.rs` (`JsonLineDecoder`).
fn ended(error: &bollard::errors::Error) -> bool {
    matches!(error, bollard::errors::Error::IOError { err } if err.to_string() == "bytes remaining on stream")
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
struct StreamError(std::sync::Arc<std::sync::Mutex<Option<std::io::Error>>>);

impl StreamError {
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
fn watched(context: ByteStream) -> (StreamError, impl stream::Stream<Item = std::io::Result<Bytes>> + Send + 'static) {
    let broken = StreamError::default();
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

#[cfg(test)]
mod tests {
    use bollard::query_parameters::CreateImageOptionsBuilder;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers one request with a message and, a moment later, the rest of the answer.
    async fn answer(listener: TcpListener, rest: &str) {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(format!("{head}10\r\n{{\"status\":\"end\"}}\r\n").as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        stream.write_all(rest.as_bytes()).await.unwrap();
    }

    async fn error_after_a_message(rest: &str) -> Option<bollard::errors::Error> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("tcp://{}", listener.local_addr().unwrap());
        let docker = bollard::Docker::connect_with_http(&address, 10, bollard::API_DEFAULT_VERSION).unwrap();
        let options = CreateImageOptionsBuilder::new().from_image("x").build();
        let read = docker.create_image(Some(options), None, None).collect::<Vec<_>>();
        let (parts, ()) = futures_util::future::join(read, answer(listener, rest)).await;
        assert_eq!(parts.first().unwrap().as_ref().unwrap().status.as_deref(), Some("end"));
        parts.into_iter().find_map(Result::err)
    }

    #[tokio::test]
    async fn a_line_end_that_comes_late_is_no_failure_and_a_broken_answer_is_one() {
        let late = error_after_a_message("2\r\n\r\n\r\n0\r\n\r\n").await;
        // Without an error here, the library has learnt it, and `ended` can go.
        assert!(late.as_ref().is_some_and(ended), "{late:?}");
        let broken = error_after_a_message("").await.unwrap();
        assert!(!ended(&broken), "{broken:?}");
    }
}
