//! A socket of our own in front of an engine that is reached by TLS or over ssh. [`EngineRelay`] is principal.
//!
//! Every connection to the socket is one to the engine, so that whoever speaks to an engine here knows sockets alone. Over ssh it is
//! `docker system dial-stdio` on the other side that answers, as with the docker CLI (docker/cli
//! `cli/connhelper/connhelper.go`); `ssh` itself knows keys, hosts and ports.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::process::Command;
use tokio::task::AbortHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use super::ClientFiles;

/// The relay; it ends when dropped.
#[derive(Debug)]
pub(super) struct EngineRelay {
    address: String,
    /// Why the last connection came to nothing.
    failure: Arc<Mutex<Option<String>>>,
    task: AbortHandle,
    _folder: tempfile::TempDir,
}

/// How the engine is reached.
#[derive(Clone)]
enum Way {
    Tls { connector: TlsConnector, name: ServerName<'static>, host: String },
    Ssh { arguments: Vec<String> },
}

impl EngineRelay {
    /// Relays to `tcp://host:port` by TLS.
    pub(super) fn by_tls(address: &str, files: &ClientFiles) -> Result<Self, String> {
        let host = address.split_once("://").map_or(address, |(_, rest)| rest).trim_end_matches('/');
        let (name, _) = host.rsplit_once(':').ok_or_else(|| "it names no port, such as :2376".to_owned())?;
        let name = ServerName::try_from(name.trim_matches(['[', ']']).to_owned()).map_err(|error| error.to_string())?;
        let connector = TlsConnector::from(Arc::new(configured(files)?));
        Self::start(Way::Tls { connector, name, host: host.to_owned() }).map_err(|error| error.to_string())
    }

    /// Relays to `ssh://[user@]host[:port]`.
    pub(super) fn by_ssh(address: &str) -> Result<Self, String> {
        let arguments = ssh_arguments(address)?;
        Self::start(Way::Ssh { arguments }).map_err(|error| error.to_string())
    }

    fn start(way: Way) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("verify-buildkit-cache-engine-").tempdir()?;
        let socket = folder.path().join("docker.sock");
        let listener = UnixListener::bind(&socket)?;
        let failure: Arc<Mutex<Option<String>>> = Arc::default();
        let told = Arc::clone(&failure);
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (way, told) = (way.clone(), Arc::clone(&told));
                tokio::spawn(async move {
                    if let Err(reason) = connection(&way, near).await
                        && let Ok(mut told) = told.lock()
                    {
                        *told = Some(reason);
                    }
                });
            }
        });
        let address = format!("unix://{}", socket.display());
        Ok(Self { address, failure, task: task.abort_handle(), _folder: folder })
    }

    /// The address of the socket.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Why the last connection came to nothing, where one did.
    pub(super) fn failure(&self) -> Option<String> {
        self.failure.lock().ok().and_then(|failure| failure.clone())
    }
}

impl Drop for EngineRelay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connection(way: &Way, near: UnixStream) -> Result<(), String> {
    match way {
        Way::Tls { connector, name, host } => {
            let far = TcpStream::connect(host).await.map_err(|error| error.to_string())?;
            let far = connector.connect(name.clone(), far).await.map_err(|error| error.to_string())?;
            both_ways(near, far).await;
            Ok(())
        }
        Way::Ssh { arguments } => {
            let mut child = Command::new("ssh")
                .args(arguments)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .map_err(|error| format!("cannot run ssh: {error}"))?;
            let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else { return Ok(()) };
            both_ways(near, tokio::io::join(output, input)).await;
            let mut said = String::new();
            if let Some(errors) = child.stderr.take()
                && let Ok(Ok(status)) = tokio::time::timeout(Duration::from_secs(1), child.wait()).await
                && !status.success()
            {
                // What cannot be read is not told.
                let _ = errors.take(4 << 10).read_to_string(&mut said).await;
            }
            match said.lines().rfind(|line| !line.trim().is_empty()) {
                Some(line) => Err(format!("ssh: {}", line.trim())),
                None => Ok(()),
            }
        }
    }
}

/// Copies until either side has ended.
async fn both_ways(near: impl AsyncRead + AsyncWrite, far: impl AsyncRead + AsyncWrite) {
    let (mut from_near, mut to_near) = tokio::io::split(near);
    let (mut from_far, mut to_far) = tokio::io::split(far);
    // An end, in order or not, is seen by whoever speaks.
    tokio::select! {
        _ = tokio::io::copy(&mut from_near, &mut to_far) => {}
        _ = tokio::io::copy(&mut from_far, &mut to_near) => {}
    }
}

fn configured(files: &ClientFiles) -> Result<ClientConfig, String> {
    let unreadable = |path: &Path, error: &dyn std::fmt::Display| format!("cannot read {}: {error}", path.display());
    let certificates = |path: &Path| -> Result<Vec<CertificateDer<'static>>, String> {
        let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        found.map_err(|error| unreadable(path, &error))
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&files.ca)? {
        roots.add(certificate).map_err(|error| unreadable(&files.ca, &error))?;
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| unreadable(&files.key, &error))?;
    ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_client_auth_cert(certificates(&files.cert)?, key)
        .map_err(|error| error.to_string())
}

/// What `ssh` is called with. No part of an address may be taken for an option of it.
fn ssh_arguments(address: &str) -> Result<Vec<String>, String> {
    let rest = address.strip_prefix("ssh://").unwrap_or(address).trim_end_matches('/');
    let (target, port) = match rest.rsplit_once(':') {
        Some((target, port)) if !port.ends_with(']') => (target, Some(port)),
        _ => (rest, None),
    };
    if target.is_empty() || target.contains(['/', ' ']) || target.starts_with('-') || target.contains("@-") {
        return Err("it names no host, as ssh://user@host does".to_owned());
    }
    let mut arguments = vec![
        "-T".to_owned(),
        "-o".to_owned(),
        "BatchMode=yes".to_owned(),
        "-o".to_owned(),
        "ConnectTimeout=30".to_owned(),
    ];
    if let Some(port) = port {
        let port: u16 = port.parse().map_err(|_| format!("`{port}` is no port"))?;
        arguments.extend(["-p".to_owned(), port.to_string()]);
    }
    arguments.extend([
        "--".to_owned(),
        target.to_owned(),
        "docker".to_owned(),
        "system".to_owned(),
        "dial-stdio".to_owned(),
    ]);
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_what_ssh_is_called_with() {
        let words = |address: &str| ssh_arguments(address).map(|words| words[5..].join(" "));
        assert_eq!(words("ssh://me@far:2222").unwrap(), "-p 2222 -- me@far docker system dial-stdio");
        assert_eq!(words("ssh://far").unwrap(), "-- far docker system dial-stdio");
        for refused in ["ssh://", "ssh://-oProxyCommand=x", "ssh://me@-x", "ssh://far:port", "ssh://far/path"] {
            assert!(words(refused).is_err(), "{refused}");
        }
    }

    /// What answers over TLS and says one line.
    async fn answering(text: &'static str) -> (String, ClientFiles, tempfile::TempDir) {
        use rustls::ServerConfig;
        use tokio::io::AsyncWriteExt;
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let file = |name: &str, text: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let (ca, key) = (file("ca.pem", made.cert.pem()), file("key.pem", made.signing_key.serialize_pem()));
        let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], PrivateKeyDer::from_pem_file(&key).unwrap())
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    stream.write_all(text.as_bytes()).await.unwrap();
                    stream.shutdown().await.unwrap();
                }
            }
        });
        (format!("tcp://localhost:{port}"), ClientFiles { cert: ca.clone(), ca, key }, folder)
    }

    async fn heard(relay: &EngineRelay) -> String {
        let mut stream = UnixStream::connect(relay.address().trim_start_matches("unix://")).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    #[tokio::test]
    async fn a_connection_to_the_socket_is_one_to_the_engine() {
        let (address, files, _folder) = answering("hello").await;
        let relay = EngineRelay::by_tls(&address, &files).unwrap();
        assert_eq!((heard(&relay).await.as_str(), relay.failure()), ("hello", None));
        // Who shows a certificate of somebody else is not spoken to.
        let (_, others, _other) = answering("x").await;
        let relay = EngineRelay::by_tls(&address, &others).unwrap();
        assert_eq!(heard(&relay).await, "");
        tokio::task::yield_now().await;
        assert!(relay.failure().is_some_and(|reason| reason.contains("certificate")), "{:?}", relay.failure());
        let missing = ClientFiles { ca: "/nonexistent/ca.pem".into(), ..files };
        assert!(EngineRelay::by_tls(&address, &missing).unwrap_err().contains("/nonexistent/ca.pem"));
    }
}
