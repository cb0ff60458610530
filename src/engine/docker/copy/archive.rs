//! A copy by one archive: as parts of the build's context into the mount, as one file of the image out of it.
//!
//! The archive of an inject goes in parts, because a tar entry states its size before its bytes and the archive's size
//! is not known before it ends. An extract packs the mount into one file of an image and streams that file out of a
//! container that never starts.

use std::io;

use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{
    CreateContainerOptions, DownloadFromContainerOptions, RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder,
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::{CopyBase, DANCEFILE, EXTRACT, INJECT, chown, dockerfile, entry, quote, send, send_file, send_files};
use crate::engine::docker::{Docker, LABEL, failed};
use crate::engine::{ByteStream, Copied, EngineError, MountCopy};

/// Bytes of one part of an inject's archive.
const PART: usize = 8 << 20;

/// Where an extract leaves the archive in its image.
const PACKED: &str = "/var/vbc/mount.tar";

impl Docker {
    /// Unpacks archives into a cache mount, by way of the context.
    pub(super) async fn inject_by_archive(
        &self,
        copy: &MountCopy,
        archives: Vec<ByteStream>,
    ) -> Result<Copied, EngineError> {
        let target = quote(&copy.mount.target);
        let unpack = |number| format!("cat /var/vbc/archive-{number}-* | tar -x -p -f - -C {target}");
        let script = (0..archives.len()).map(unpack).collect::<Vec<_>>().join(" && ") + &chown(copy);
        let dockerfile = dockerfile(copy, INJECT, CopyBase::Image, true, &script);
        let (sender, context) = mpsc::channel(4);
        let parts = tokio::spawn(async move { send_parts(&dockerfile, archives, sender).await });
        let result = self.run_copy(copy, context, None, false).await;
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

    /// Packs a cache mount into an archive, by way of an image.
    pub(super) async fn extract_by_archive(
        &self,
        copy: &MountCopy,
        into: mpsc::Sender<io::Result<Bytes>>,
    ) -> Result<Copied, EngineError> {
        let script = format!("mkdir -p /var/vbc && tar -c -f {PACKED} -C {} .", quote(&copy.mount.target));
        let dockerfile = dockerfile(copy, EXTRACT, CopyBase::Image, false, &script);
        let (sender, context) = mpsc::channel(4);
        let sent = tokio::spawn(async move { send_files(&[(DANCEFILE, &dockerfile)], &sender).await });
        let (copied, image) = self.run_copy(copy, context, None, true).await?;
        sent.await
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

    /// Streams the packed file out of a container made from the image.
    async fn stream_file(
        &self,
        copy: &MountCopy,
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
        let options = DownloadFromContainerOptions { path: PACKED.to_owned() };
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

/// Sends a context that holds the Dockerfile and the archives in numbered parts.
async fn send_parts(
    dockerfile: &str,
    archives: Vec<ByteStream>,
    context: mpsc::Sender<io::Result<Bytes>>,
) -> io::Result<()> {
    send_file(DANCEFILE, dockerfile.as_bytes(), &context).await?;
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
            send(&context, entry(&format!("archive-{number}-{count:08}"), length)?).await?;
            send(&context, part.split().freeze()).await?;
            send(&context, Bytes::from(vec![0; length.next_multiple_of(512) - length])).await?;
            if ended {
                break;
            }
        }
    }
    send(&context, Bytes::from(vec![0; 1024])).await
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
