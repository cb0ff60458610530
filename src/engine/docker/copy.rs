//! Inject and extract: one archive each way, unpacked and packed by the `tar` of an image inside a `RUN`.
//!
//! Cache mounts can be reached from nowhere but a `RUN`. An inject sends the archive as the build's context, in parts,
//! because a tar entry states its size before its bytes and the archive's size is not known before it ends. An extract
//! packs the mount into one file of an image and streams that file out of a container that never starts.

use std::io;

use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{
    CreateContainerOptions, DownloadFromContainerOptions, RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder,
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::{Docker, LABEL, MARKER, failed};
use crate::engine::{BuildEventKind, BuildRequest, ByteStream, Copied, Copy, EngineError};
use crate::evidence::Creator;

/// Bytes of one part of an inject's archive.
const PART: usize = 8 << 20;

/// Where an inject finds its archives, by which its command is also known.
const INJECT: &str = "/var/vbc/archive-";

/// How an extract packs the mount, by which its command is also known.
const EXTRACT: &str = "tar -c -f /var/vbc/mount.tar";

/// The line by which a copy says that it failed, before the shell forgets it.
const FAILED: &str = "verify-buildkit-cache: copy failed";

impl Docker {
    /// Unpacks archives into a cache mount; see [`Engine::inject`](crate::engine::Engine::inject).
    pub(super) async fn inject_archives(&self, copy: &Copy, archives: Vec<ByteStream>) -> Result<Copied, EngineError> {
        let target = quote(&copy.mount.target);
        let chown =
            copy.owner.as_ref().map_or(String::new(), |owner| format!(" && chown -R {} {target}", quote(owner)));
        let unpack = |number| format!("cat {INJECT}{number}-* | tar -x -p -f - -C {target}");
        let script = (0..archives.len()).map(unpack).collect::<Vec<_>>().join(" && ") + &chown;
        let dockerfile = dockerfile(copy, "--mount=type=bind,source=.,target=/var/vbc", &script);
        let (sender, context) = mpsc::channel(4);
        let parts = tokio::spawn(async move { send_parts(&dockerfile, archives, sender).await });
        let result = self.run_copy(copy, context, false).await;
        // The build ends the channel; a packer that still has something to send learns it from the closed channel.
        let sent = parts.await.unwrap_or(Ok(()));
        let copied = result?;
        match sent {
            Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
                Err(EngineError::Archive { doing: "injecting".to_owned(), source })
            }
            _ => Ok(copied.0),
        }
    }

    /// Packs a cache mount into an archive; see [`Engine::extract`](crate::engine::Engine::extract).
    pub(super) async fn extract_archive(
        &self,
        copy: &Copy,
        into: mpsc::Sender<io::Result<Bytes>>,
    ) -> Result<Copied, EngineError> {
        let script = format!("mkdir -p /var/vbc && {EXTRACT} -C {} .", quote(&copy.mount.target));
        let dockerfile = dockerfile(copy, "", &script);
        let (sender, context) = mpsc::channel(4);
        let parts = tokio::spawn(async move { send_parts(&dockerfile, Vec::new(), sender).await });
        let (copied, image) = self.run_copy(copy, context, true).await?;
        parts
            .await
            .unwrap_or(Ok(()))
            .map_err(|source| EngineError::Archive { doing: "extracting".to_owned(), source })?;
        let Some(image) = image else { return Ok(copied) };
        let streamed = self.stream_file(copy, &image, &into).await;
        let remove = RemoveImageOptionsBuilder::new().force(true).build();
        let removed = self.client.remove_image(&image, Some(remove), None).await;
        streamed?;
        removed.map_err(|error| failed("removing the image of an extract", &error))?;
        Ok(copied)
    }

    /// Builds the one `RUN` of a copy.
    async fn run_copy(
        &self,
        copy: &Copy,
        context: ByteStream,
        export: bool,
    ) -> Result<(Copied, Option<String>), EngineError> {
        let request = BuildRequest {
            namespace: copy.namespace.clone(),
            dockerfile: "Dancefile".to_owned(),
            build_args: std::collections::BTreeMap::new(),
            target: None,
            no_cache: false,
            network: None,
            export,
        };
        let mut output = Vec::new();
        let mut watch = |event: crate::engine::BuildEvent| {
            if let BuildEventKind::Line { text, .. } = event.kind {
                output.push(text);
                if output.len() > 50 {
                    output.remove(0);
                }
            }
        };
        let outcome = self.build_image(request, context, &mut watch).await?;
        if let Some(failure) = outcome.failure {
            return Ok((Copied { failed: Some(failure.message) }, None));
        }
        let failed = output
            .iter()
            .any(|line| line == FAILED)
            .then(|| output.iter().filter(|line| *line != FAILED).cloned().collect::<Vec<_>>().join("; "));
        Ok((Copied { failed }, outcome.image))
    }

    /// Streams the packed file out of a container made from the image.
    async fn stream_file(
        &self,
        copy: &Copy,
        image: &str,
        into: &mpsc::Sender<io::Result<Bytes>>,
    ) -> Result<(), EngineError> {
        let doing = "extracting";
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            cmd: Some(vec!["true".to_owned()]),
            labels: Some(std::collections::HashMap::from([(LABEL.to_owned(), copy.namespace.as_str().to_owned())])),
            ..ContainerCreateBody::default()
        };
        let container = self
            .client
            .create_container(None::<CreateContainerOptions>, body)
            .await
            .map_err(|error| failed(doing, &error))?;
        let options = DownloadFromContainerOptions { path: "/var/vbc/mount.tar".to_owned() };
        let mut stream = self.client.download_from_container(&container.id, Some(options));
        let mut envelope = Envelope::default();
        let mut result = Ok(());
        while let Some(part) = stream.next().await {
            let part = match part {
                Ok(part) => envelope.open(part),
                Err(error) => {
                    result = Err(failed(doing, &error));
                    break;
                }
            };
            if !part.is_empty() && into.send(Ok(part)).await.is_err() {
                break;
            }
        }
        drop(stream);
        let remove = RemoveContainerOptionsBuilder::new().force(true).build();
        let removed = self.client.remove_container(&container.id, Some(remove)).await;
        result?;
        removed.map_err(|error| failed("removing the container of an extract", &error))
    }
}

/// Writes the Dockerfile of one copy. It ends well even when the copy fails, as upstream's `|| true` does, but says so.
fn dockerfile(copy: &Copy, mount: &str, script: &str) -> String {
    let marker = format!("{MARKER}={}", copy.namespace.as_str());
    format!(
        "FROM {}\nUSER 0:0\nSHELL [\"/usr/bin/env\", \"{marker}\", \"/bin/sh\", \"-c\"]\nRUN --mount={} {mount} : {}; {{ {script}; }} 2>&1 || echo '{FAILED}'\n",
        copy.image, copy.mount.flag, copy.stamp,
    )
}

/// Tells whose command it was that first used a mount.
pub(super) fn creator(command: &str) -> Creator {
    if command.contains(INJECT) {
        Creator::Inject
    } else if command.contains(EXTRACT) {
        Creator::Extract
    } else {
        Creator::Build
    }
}

/// Quotes a word for the shell.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Sends a context that holds the Dockerfile and the archives in numbered parts.
async fn send_parts(
    dockerfile: &str,
    archives: Vec<ByteStream>,
    context: mpsc::Sender<io::Result<Bytes>>,
) -> io::Result<()> {
    let closed = |_| io::Error::from(io::ErrorKind::BrokenPipe);
    context.send(Ok(entry("Dancefile", dockerfile.len())?)).await.map_err(closed)?;
    context.send(Ok(padded(dockerfile.as_bytes()))).await.map_err(closed)?;
    for (number, mut archive) in archives.into_iter().enumerate() {
        let mut part = BytesMut::with_capacity(PART);
        for count in 0u32.. {
            let mut ended = false;
            while part.len() < PART && !ended {
                match archive.recv().await {
                    Some(Ok(bytes)) => part.extend_from_slice(&bytes),
                    Some(Err(error)) => {
                        // The engine must not take a broken archive for a whole one.
                        let _ = context.send(Err(io::Error::new(error.kind(), error.to_string()))).await;
                        return Err(error);
                    }
                    None => ended = true,
                }
            }
            let length = part.len();
            context.send(Ok(entry(&format!("archive-{number}-{count:08}"), length)?)).await.map_err(closed)?;
            context.send(Ok(part.split().freeze())).await.map_err(closed)?;
            context.send(Ok(Bytes::from(vec![0; length.next_multiple_of(512) - length]))).await.map_err(closed)?;
            if ended {
                break;
            }
        }
    }
    context.send(Ok(Bytes::from(vec![0; 1024]))).await.map_err(closed)
}

/// Makes a tar header for a regular file.
fn entry(name: &str, size: usize) -> io::Result<Bytes> {
    let mut header = tar::Header::new_gnu();
    header.set_path(name)?;
    header.set_size(size as u64);
    header.set_mode(0o644);
    header.set_cksum();
    Ok(Bytes::copy_from_slice(header.as_bytes()))
}

/// Fills bytes up to whole tar blocks.
fn padded(bytes: &[u8]) -> Bytes {
    let mut block = bytes.to_vec();
    block.resize(bytes.len().next_multiple_of(512), 0);
    Bytes::from(block)
}

/// Takes the one file out of the archive the engine wraps it in, while it streams.
#[derive(Debug, Default)]
struct Envelope {
    header: BytesMut,
    left: Option<u64>,
}

impl Envelope {
    /// Takes the next bytes of the wrapping archive and returns those of the file in it.
    fn open(&mut self, mut part: Bytes) -> Bytes {
        loop {
            if let Some(left) = self.left.as_mut() {
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(part.len());
                *left -= take as u64;
                return part.split_to(take);
            }
            if part.is_empty() {
                return part;
            }
            let missing = 512 - self.header.len();
            let take = missing.min(part.len());
            self.header.extend_from_slice(&part.split_to(take));
            if self.header.len() == 512 {
                self.read_header();
            }
        }
    }

    /// Reads a whole header block: extension headers are skipped with their data, the file's own size is kept.
    fn read_header(&mut self) {
        let mut header = tar::Header::new_old();
        header.as_mut_bytes().copy_from_slice(&self.header);
        self.header.clear();
        self.left = Some(header.entry_size().unwrap_or(0));
    }
}
