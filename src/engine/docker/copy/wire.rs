//! A copy over a connection that the `RUN` opens to us, so that every byte is written once. [`Wire`] is principal.
//!
//! The `RUN` gets the engine's own network and connects to a port of this machine that listens only while it runs, with
//! bash or with the `nc` of busybox, one of which every official Go image has. It proves by a token from its build
//! context that it is the one expected. When nobody comes before the build has ended there is no way from there to
//! here; the archives are then untouched, and the caller takes another way.

use std::cell::Cell;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::{CopyBase, DANCEFILE, EXTRACT, INJECT, chown, dockerfile, loader, quote, send, send_files};
use crate::engine::docker::Docker;
use crate::engine::{ByteStream, Copied, EngineError, MountCopy};

/// Bytes read from a connection at a time.
const PIECE: usize = 256 << 10;

/// How long a connection may take to say its token.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many connections may be open that have not said the token.
const MOST_STRANGERS: usize = 256;

/// What the command of a copy runs: a file of its context, so that port and token stand in no command line.
const SCRIPT: &str = ". /var/vbc/copy.sh";

/// Unpacks one archive from a connection.
const RECEIVE: &str = r#"
receive() {
    if command -v bash >/dev/null; then
        bash -c 'exec 3<>/dev/tcp/127.0.0.1/$port && cat /var/vbc/token >&3 && tar -x -p -f - -C "$target" <&3'
    elif nc --help 2>&1 | grep -q BusyBox; then
        nc 127.0.0.1 "$port" </var/vbc/token | tar -x -p -f - -C "$target"
    else
        return 1
    fi
}
"#;

/// Packs the mount into a connection. A pipe hides how `tar` ended, so a file tells.
const GIVE: &str = r#"
give() {
    if command -v bash >/dev/null; then
        bash -c 'exec 3<>/dev/tcp/127.0.0.1/$port && cat /var/vbc/token >&3 && tar -c -f - -C "$target" . >&3'
    elif nc --help 2>&1 | grep -q BusyBox; then
        { cat /var/vbc/token && tar -c -f - -C "$target" . || : >/vbc-failed; } | nc 127.0.0.1 "$port"
        [ ! -e /vbc-failed ]
    else
        return 1
    fi
}
"#;

impl Docker {
    /// Unpacks archives into a cache mount; `None` when the `RUN` could not reach us.
    pub(super) async fn inject_by_wire(
        &self,
        copy: &MountCopy,
        base: CopyBase,
        archives: &mut [ByteStream],
    ) -> Result<Option<Copied>, EngineError> {
        let Ok((listener, wire)) = Wire::open().await else { return Ok(None) };
        let receive = vec!["receive"; archives.len()].join(" && ");
        let script = format!("{}{RECEIVE}{receive}{}\n", wire.variables(copy), chown(copy));
        let reached = Cell::new(false);
        let serving = async {
            let (mut listener, count) = (Some(listener), archives.len());
            for (archive, number) in archives.iter_mut().zip(1..) {
                let Some(open) = &listener else { break };
                let connection = wire.accept(open).await;
                reached.set(true);
                if number == count {
                    listener = None;
                }
                give(archive, connection).await?;
            }
            Ok(())
        };
        let (copied, served) = self.run_wired(copy, (INJECT, base), &wire, &script, serving).await?;
        match served {
            // What an archive could not read is no fault of the engine's.
            Some(Err(source)) => Err(EngineError::Archive { doing: "injecting".to_owned(), source }),
            _ => Ok(reached.get().then_some(copied)),
        }
    }

    /// Packs a cache mount into an archive; `None` when the `RUN` could not reach us.
    pub(super) async fn extract_by_wire(
        &self,
        copy: &MountCopy,
        base: CopyBase,
        into: &mpsc::Sender<io::Result<Bytes>>,
    ) -> Result<Option<Copied>, EngineError> {
        let Ok((listener, wire)) = Wire::open().await else { return Ok(None) };
        let script = format!("{}{GIVE}give\n", wire.variables(copy));
        let reached = Cell::new(false);
        let mut serving = pin!(async {
            let connection = wire.accept(&listener).await;
            drop(listener);
            reached.set(true);
            take(connection, into).await
        });
        let (copied, mut served) = self.run_wired(copy, (EXTRACT, base), &wire, &script, serving.as_mut()).await?;
        if reached.get() && served.is_none() {
            // The build has ended, but what it sent may still be on the way.
            served = Some(serving.await);
        }
        match served {
            Some(Err(source)) => Err(EngineError::Archive { doing: "extracting".to_owned(), source }),
            _ => Ok(reached.get().then_some(copied)),
        }
    }

    /// Builds the one `RUN` of a copy and serves its connections meanwhile; what was served is `None` when the build
    /// ended first.
    async fn run_wired(
        &self,
        copy: &MountCopy,
        (word, base): (&str, CopyBase),
        wire: &Wire,
        script: &str,
        serving: impl Future<Output = io::Result<()>>,
    ) -> Result<(Copied, Option<io::Result<()>>), EngineError> {
        let (sender, context) = mpsc::channel(4);
        let dockerfile = dockerfile(copy, word, base, true, SCRIPT);
        let (script, token) = (script.to_owned(), wire.token.clone());
        tokio::spawn(async move {
            let files = [(DANCEFILE, dockerfile.as_str()), ("copy.sh", &script), ("token", &token)];
            // An engine that no longer listens says so itself.
            if base == CopyBase::Programs {
                let _ = send(&sender, loader()?).await;
            }
            let _ = send_files(&files, &sender).await;
            io::Result::Ok(())
        });
        let (mut building, mut serving) = (pin!(self.run_copy(copy, context, Some("host"), false)), pin!(serving));
        let mut served = None;
        loop {
            tokio::select! {
                built = &mut building => return Ok((built?.0, served)),
                result = &mut serving, if served.is_none() => served = Some(result),
            }
        }
    }
}

/// A port of this machine that waits for the `RUN` of one copy.
///
/// Only programs of this machine, and what runs in the engine's host network, can reach it. Whoever connects has a few seconds to
/// say the token; others wait for nobody meanwhile. The port is closed as soon as the last connection is there.
#[derive(Debug)]
struct Wire {
    port: u16,
    token: String,
}

impl Wire {
    async fn open() -> io::Result<(TcpListener, Self)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        // The keys of a hasher come from the system's source of random numbers.
        let word = || RandomState::new().hash_one(port);
        Ok((listener, Self { port, token: format!("{:016x}{:016x}", word(), word()) }))
    }

    /// What the script of a copy has to know.
    fn variables(&self, copy: &MountCopy) -> String {
        format!("export port={} target={}\n", self.port, quote(&copy.mount.target))
    }

    /// Waits for a connection that knows the token; others are closed.
    async fn accept(&self, listener: &TcpListener) -> TcpStream {
        let mut strangers = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some(known) = strangers.next(), if !strangers.is_empty() => {
                    if let Some(connection) = known {
                        return connection;
                    }
                }
                // Beyond so many, whoever comes next waits until one has been sent away.
                accepted = listener.accept(), if strangers.len() < MOST_STRANGERS => match accepted {
                    Ok((connection, _)) => strangers.push(self.examine(connection)),
                    // Too many open files, for example: others may be closed meanwhile.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                },
            }
        }
    }

    /// Returns a connection that says the token in time.
    async fn examine(&self, mut connection: TcpStream) -> Option<TcpStream> {
        let mut said = vec![0; self.token.len()];
        let heard = tokio::time::timeout(PATIENCE, connection.read_exact(&mut said)).await;
        (matches!(heard, Ok(Ok(_))) && said == self.token.as_bytes()).then_some(connection)
    }
}

/// Sends an archive. The `RUN` says itself why it stopped to listen; only an archive that breaks off is an error here.
async fn give(archive: &mut ByteStream, mut connection: TcpStream) -> io::Result<()> {
    while let Some(part) = archive.recv().await {
        if connection.write_all(&part?).await.is_err() {
            return Ok(());
        }
    }
    let _ = connection.shutdown().await;
    Ok(())
}

/// Takes an archive to its end, or until nobody wants more of it.
async fn take(mut connection: TcpStream, into: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    loop {
        let mut piece = BytesMut::with_capacity(PIECE);
        if connection.read_buf(&mut piece).await? == 0 || into.send(Ok(piece.freeze())).await.is_err() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_who_knows_the_token_is_served() {
        let (listener, wire) = Wire::open().await.unwrap();
        assert!(listener.local_addr().unwrap().ip().is_loopback());
        let mut stranger = TcpStream::connect((Ipv4Addr::LOCALHOST, wire.port)).await.unwrap();
        stranger.write_all("x".repeat(wire.token.len()).as_bytes()).await.unwrap();
        let mut expected = TcpStream::connect((Ipv4Addr::LOCALHOST, wire.port)).await.unwrap();
        expected.write_all(wire.token.as_bytes()).await.unwrap();
        let mut connection = wire.accept(&listener).await;
        connection.write_all(b"welcome").await.unwrap();
        drop(connection);
        let (mut to_stranger, mut to_expected) = (Vec::new(), Vec::new());
        let _ = stranger.read_to_end(&mut to_stranger).await;
        expected.read_to_end(&mut to_expected).await.unwrap();
        assert_eq!((to_stranger, to_expected), (Vec::new(), b"welcome".to_vec()));
    }

    #[tokio::test]
    async fn strangers_who_say_nothing_hold_up_nobody_and_get_nothing() {
        let (listener, wire) = Wire::open().await.unwrap();
        let port = wire.port;
        let mut strangers = Vec::new();
        for number in 0..50 {
            let mut stranger = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
            // Some know the beginning.
            stranger.write_all(&wire.token.as_bytes()[..number % 8]).await.unwrap();
            strangers.push(stranger);
        }
        let mut expected = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        expected.write_all(wire.token.as_bytes()).await.unwrap();
        let accepted = tokio::time::timeout(PATIENCE / 2, wire.accept(&listener)).await;
        let mut connection = accepted.expect("held up by strangers");
        drop(listener);
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err(), "the port is still open");
        connection.write_all(b"welcome").await.unwrap();
        for mut stranger in strangers {
            let mut heard = Vec::new();
            let _ = stranger.read_to_end(&mut heard).await;
            assert!(heard.is_empty());
        }
    }

    #[tokio::test]
    async fn tokens_differ() {
        let ((_, one), (_, other)) = (Wire::open().await.unwrap(), Wire::open().await.unwrap());
        assert_ne!(one.token, other.token);
    }
}
