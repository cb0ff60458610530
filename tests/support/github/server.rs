//! A loopback server that speaks TLS and GitHub's endpoints. [`Server`] is principal.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::FakeGithub;

/// The server under way; it ends with the process.
#[derive(Debug)]
pub(crate) struct Server {
    /// `localhost:PORT`, as `GH_HOST` takes it.
    pub(crate) host: String,
    /// The file of its certificate, for `SSL_CERT_FILE`.
    pub(crate) certificate: PathBuf,
    /// Each request: its path, and whether it bore a token.
    pub(crate) asked: Arc<Mutex<Vec<(String, bool)>>>,
}

impl Server {
    /// Serves the answers below `/api/v3/`, as a GitHub Enterprise Server does; logs by a redirect, as GitHub does.
    pub(crate) fn start(github: FakeGithub, dir: &Path) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = dir.join("certificate.pem");
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = format!("localhost:{}", listener.local_addr().unwrap().port());
        let asked: Arc<Mutex<Vec<(String, bool)>>> = Arc::default();
        let (log, name) = (Arc::clone(&asked), host.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, github, log, name) = (Arc::clone(&config), github.clone(), Arc::clone(&log), name.clone());
                std::thread::spawn(move || answer(stream, config, &github, &log, &name));
            }
        });
        Self { host, certificate, asked }
    }
}

fn answer(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    github: &FakeGithub,
    log: &Mutex<Vec<(String, bool)>>,
    host: &str,
) -> Option<()> {
    let mut stream = StreamOwned::new(ServerConnection::new(config).ok()?, stream);
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(count) => request.extend(&chunk[..count]),
        }
    }
    let request = String::from_utf8(request).ok()?;
    let path = request.split_whitespace().nth(1)?;
    let token = request.to_ascii_lowercase().contains("authorization: token secret");
    log.lock().ok()?.push((path.to_owned(), token));
    let (status, body, more) = match (path.strip_prefix("/api/v3/"), path.strip_prefix("/blob/")) {
        _ if !token && !path.starts_with("/blob/") => {
            (401, br#"{"message":"Bad credentials"}"#.to_vec(), String::new())
        }
        (Some(endpoint), _) if endpoint.ends_with("/logs") && github.find(endpoint).0 == 200 => {
            (302, Vec::new(), format!("Location: https://{host}/blob/{endpoint}\r\n"))
        }
        (Some(endpoint), _) => {
            let (status, body) = github.find(endpoint);
            (status, body, "Content-Type: application/json; charset=utf-8\r\n".to_owned())
        }
        (None, Some(endpoint)) => (200, github.find(endpoint).1, "Content-Type: application/zip\r\n".to_owned()),
        (None, None) => (404, Vec::new(), String::new()),
    };
    let head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n{more}\r\n", body.len());
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&body).ok()?;
    stream.conn.send_close_notify();
    stream.flush().ok()
}
