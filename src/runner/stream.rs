//! Bridges between blocking readers and writers and the engine's byte streams. [`produce`] and [`consume`] are principal.

use std::io::{self, Read, Write};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::RunError;
use crate::engine::ByteStream;

/// Pieces that may wait between the two ends.
const WAITING: usize = 8;

/// Bytes of one piece.
const PIECE: usize = 1 << 20;

/// Runs a writer on a blocking thread and returns what it writes as a stream, and its result.
///
/// A writer that fails breaks the stream with its error, so that no reader takes a part for the whole.
pub fn produce<T, E>(
    write: impl FnOnce(&mut dyn Write) -> Result<T, E> + Send + 'static,
) -> (ByteStream, tokio::task::JoinHandle<Result<T, E>>)
where
    T: Send + 'static,
    E: std::fmt::Display + Send + 'static,
{
    let (sender, stream) = mpsc::channel(WAITING);
    let handle = tokio::task::spawn_blocking(move || {
        let mut writer = io::BufWriter::with_capacity(PIECE, ChannelWriter(sender.clone()));
        let result = write(&mut writer);
        if let Err(error) = &result {
            let _ = sender.blocking_send(Err(io::Error::other(error.to_string())));
        }
        // A reader that went away has its own reason, which is the one to tell.
        let _ = writer.flush();
        result
    });
    (stream, handle)
}

/// Makes a sender for a reader on a blocking thread, and the reader's result.
pub fn consume<T: Send + 'static>(
    read: impl FnOnce(&mut dyn Read) -> T + Send + 'static,
) -> (mpsc::Sender<io::Result<Bytes>>, tokio::task::JoinHandle<T>) {
    let (sender, stream) = mpsc::channel(WAITING);
    let handle = tokio::task::spawn_blocking(move || read(&mut ChannelReader { stream, piece: Bytes::new() }));
    (sender, handle)
}

/// Waits for a worker; one that panicked or was stopped is an error of its own.
pub(super) async fn join<T>(handle: tokio::task::JoinHandle<T>) -> Result<T, RunError> {
    handle.await.map_err(|error| RunError::Worker { reason: error.to_string() })
}

/// Runs blocking work on a thread for it.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, RunError> {
    join(tokio::task::spawn_blocking(work)).await
}

/// Writes into a channel.
struct ChannelWriter(mpsc::Sender<io::Result<Bytes>>);

impl Write for ChannelWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads from a channel.
struct ChannelReader {
    stream: ByteStream,
    piece: Bytes,
}

impl Read for ChannelReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.stream.blocking_recv() {
                Some(piece) => self.piece = piece?,
                None => return Ok(0),
            }
        }
        let count = into.len().min(self.piece.len());
        into[..count].copy_from_slice(&self.piece.split_to(count));
        Ok(count)
    }
}
