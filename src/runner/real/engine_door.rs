//! The socket by which what runs inside reaches the engine, wherever that is. [`EngineDoor`] is principal.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::task::JoinHandle;

use crate::runner::RunError;

/// An open door; it shuts when dropped.
#[derive(Debug)]
pub(super) struct EngineDoor(JoinHandle<()>);

impl EngineDoor {
    /// Opens a socket that leads to an engine.
    pub(super) fn open(socket: &Path, engine: &str) -> Result<Self, RunError> {
        let listener = UnixListener::bind(socket).map_err(RunError::io("open", socket))?;
        let everybody = std::fs::Permissions::from_mode(0o666);
        std::fs::set_permissions(socket, everybody).map_err(RunError::io("open", socket))?;
        let engine = engine.to_owned();
        Ok(Self(tokio::spawn(async move {
            while let Ok((guest, _)) = listener.accept().await {
                tokio::spawn(lead(guest, engine.clone()));
            }
        })))
    }
}

impl Drop for EngineDoor {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Carries bytes both ways until both sides have ended. An engine that cannot be reached ends the guest's connection, and the
/// guest says so.
async fn lead(guest: UnixStream, engine: String) {
    if let Some(path) = engine.strip_prefix("unix://") {
        if let Ok(host) = UnixStream::connect(path).await {
            carry(guest, host).await;
        }
    } else {
        let address = engine.trim_start_matches("tcp://").trim_start_matches("http://").trim_end_matches('/');
        if let Ok(host) = TcpStream::connect(address).await {
            carry(guest, host).await;
        }
    }
}

async fn carry(mut guest: UnixStream, mut host: impl AsyncRead + AsyncWrite + Unpin) {
    let _ = copy_bidirectional(&mut guest, &mut host).await;
}
