//! A socket before the engine's, which counts the connections that are open through it. [`Relay`] is principal.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::task::JoinHandle;

/// What the engine is reached through; it ends when dropped.
pub(crate) struct Relay {
    folder: tempfile::TempDir,
    open: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Relay {
    /// Listens for connections to the engine at an address.
    pub(crate) fn to(engine: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("engine")).unwrap();
        let (open, engine) = (Arc::new(AtomicUsize::new(0)), engine.to_owned());
        let count = Arc::clone(&open);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                let (count, engine) = (Arc::clone(&count), engine.clone());
                tokio::spawn(async move {
                    pass_on(stream, &engine).await;
                    count.fetch_sub(1, Ordering::Relaxed);
                });
            }
        });
        Self { folder, open, accepting }
    }

    /// Returns the address to use in place of the engine's.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.folder.path().join("engine").display())
    }

    /// Counts the open connections once there are no more than some, or after ten seconds.
    pub(crate) async fn open_but(&self, few: usize) -> usize {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.open.load(Ordering::Relaxed) > few && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.open.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// How a connection ends, by either side, is no matter here.
async fn pass_on(mut near: UnixStream, engine: &str) {
    if let Some(path) = engine.strip_prefix("unix://") {
        if let Ok(mut far) = UnixStream::connect(path).await {
            let _ = copy_bidirectional(&mut near, &mut far).await;
        }
    } else if let Some((_, host)) = engine.split_once("://")
        && let Ok(mut far) = TcpStream::connect(host.trim_end_matches('/')).await
    {
        let _ = copy_bidirectional(&mut near, &mut far).await;
    }
}
