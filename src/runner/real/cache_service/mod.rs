//! The cache service that actions/cache talks to, on the loopback device of a runner. [`CacheService`] is principal.
//!
//! It speaks the second protocol of GitHub's service and the few calls of its blob store, and knows no rule: each question
//! goes to the job, which has the store ([`CacheCall`]). Archives are files; they are read and written here.
//!
//! Source: actions/toolkit `packages/cache/src/generated/results/api/v1/cache.twirp-client.ts`, and what
//! `@azure/storage-blob` sends for `uploadFile` and `downloadToBuffer`.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio::net::UnixListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::runner::RunError;

/// The port of the loopback device inside.
pub(in crate::runner) const CACHE_PORT: u16 = 41_000;

/// A host that the client takes for GitHub's blob store, and that `/etc/hosts` inside leads to the loopback device.
pub(in crate::runner) const BLOB_HOST: &str = "verifybuildkitcache.blob.core.windows.net";

/// A signature: the client hides it everywhere after, so it must stand nowhere else.
const SIGNATURE: &str = "sig=dmVyaWZ5LWJ1aWxka2l0LWNhY2hlLXNpZ25hdHVyZQ&se=2030-01-01";

/// The time that answers bear; nothing asks for it.
const MODIFIED: &str = "Thu, 01 Jan 2026 00:00:00 GMT";

/// A question of the client's to the store.
#[derive(Debug)]
pub(in crate::runner) enum CacheCall {
    /// Which entry is there?
    Lookup {
        /// The key, and the restore keys behind it.
        keys: Vec<String>,
        /// The version.
        version: String,
        /// The key found and its archive.
        reply: oneshot::Sender<Option<(String, PathBuf)>>,
    },
    /// May this entry be made?
    Reserve {
        /// The key.
        key: String,
        /// The version.
        version: String,
        /// A file to write the archive into, or why not.
        reply: oneshot::Sender<Result<PathBuf, CacheRefusal>>,
    },
    /// The archive is whole.
    Commit {
        /// The key.
        key: String,
        /// The version.
        version: String,
        /// The file.
        archive: PathBuf,
        /// Whether there is an entry now.
        reply: oneshot::Sender<bool>,
    },
}

/// Why an entry cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::runner) enum CacheRefusal {
    /// It exists.
    Exists,
    /// It is not allowed.
    Denied(String),
}

/// A service under way; it ends when dropped.
#[derive(Debug)]
pub(in crate::runner) struct CacheService {
    task: JoinHandle<()>,
    /// The client's questions.
    pub(in crate::runner) calls: mpsc::Receiver<CacheCall>,
}

impl CacheService {
    /// Opens a socket.
    pub(in crate::runner) fn open(socket: &Path) -> Result<Self, RunError> {
        let listener = UnixListener::bind(socket).map_err(RunError::io("open", socket))?;
        let everybody = std::fs::Permissions::from_mode(0o666);
        std::fs::set_permissions(socket, everybody).map_err(RunError::io("open", socket))?;
        let (sender, calls) = mpsc::channel(16);
        let blobs = Arc::new(Blobs { sender, files: Mutex::default() });
        let task = tokio::spawn(async move {
            while let Ok((guest, _)) = listener.accept().await {
                let blobs = Arc::clone(&blobs);
                tokio::spawn(async move {
                    let answer = service_fn(move |request| answer(Arc::clone(&blobs), request));
                    // A client that goes away is no failure of ours.
                    let _ =
                        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(guest), answer).await;
                });
            }
        });
        Ok(Self { task, calls })
    }
}

impl Drop for CacheService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the blob store knows.
#[derive(Debug)]
struct Blobs {
    sender: mpsc::Sender<CacheCall>,
    /// By number: an archive to read, or to write.
    files: Mutex<Vec<PathBuf>>,
}

type Answer = Response<BoxBody<Bytes, io::Error>>;

async fn answer(blobs: Arc<Blobs>, request: Request<Incoming>) -> Result<Answer, Infallible> {
    let path = request.uri().path().to_owned();
    let result = match path.strip_prefix("/twirp/github.actions.results.api.v1.CacheService/") {
        Some(method) => {
            let method = method.to_owned();
            call(&blobs, &method, request).await
        }
        None => blob(&blobs, &path, request).await,
    };
    Ok(result.unwrap_or_else(|error| {
        json_answer(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "code": "internal", "msg": error.to_string() }))
    }))
}

/// One call of the cache service.
async fn call(blobs: &Blobs, method: &str, request: Request<Incoming>) -> io::Result<Answer> {
    let bytes = request.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    let body: Value = serde_json::from_slice(&bytes)?;
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let (key, version) = (text("key"), text("version"));
    let gone = || io::Error::other("the job has ended");
    match method {
        "GetCacheEntryDownloadURL" => {
            let restore = body["restore_keys"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let keys = std::iter::once(key).chain(restore.map(str::to_owned)).collect();
            let (reply, found) = oneshot::channel();
            blobs.sender.send(CacheCall::Lookup { keys, version, reply }).await.map_err(|_| gone())?;
            Ok(match found.await.map_err(|_| gone())? {
                None => json_answer(StatusCode::OK, &json!({ "ok": false })),
                Some((key, archive)) => {
                    let url = blobs.url(archive);
                    json_answer(StatusCode::OK, &json!({ "ok": true, "signed_download_url": url, "matched_key": key }))
                }
            })
        }
        "CreateCacheEntry" => {
            let (reply, granted) = oneshot::channel();
            blobs.sender.send(CacheCall::Reserve { key, version, reply }).await.map_err(|_| gone())?;
            Ok(match granted.await.map_err(|_| gone())? {
                Ok(file) => {
                    let url = blobs.url(file);
                    json_answer(StatusCode::OK, &json!({ "ok": true, "signed_upload_url": url }))
                }
                Err(CacheRefusal::Exists) => {
                    let words = "cache entry with the same key, version, and scope already exists";
                    json_answer(StatusCode::CONFLICT, &json!({ "code": "already_exists", "msg": words }))
                }
                Err(CacheRefusal::Denied(why)) => json_answer(StatusCode::OK, &json!({ "ok": false, "message": why })),
            })
        }
        "FinalizeCacheEntryUpload" => {
            let archive = blobs.last().ok_or_else(|| io::Error::other("nothing was uploaded"))?;
            let said = body["size_bytes"].as_str().and_then(|size| size.parse::<u64>().ok());
            let size = tokio::fs::metadata(&archive).await?.len();
            if said.is_some_and(|said| said != size) {
                return Err(io::Error::other(format!("{said:?} bytes were announced, and {size} came")));
            }
            let (reply, done) = oneshot::channel();
            blobs.sender.send(CacheCall::Commit { key, version, archive, reply }).await.map_err(|_| gone())?;
            let ok = done.await.map_err(|_| gone())?;
            Ok(json_answer(StatusCode::OK, &json!({ "ok": ok, "entry_id": "1" })))
        }
        _ => Ok(json_answer(StatusCode::NOT_FOUND, &json!({ "code": "bad_route", "msg": method }))),
    }
}

impl Blobs {
    fn url(&self, file: PathBuf) -> String {
        let number = self.files.lock().map_or(0, |mut files| {
            files.push(file);
            files.len()
        });
        format!("http://{BLOB_HOST}:{CACHE_PORT}/actions-cache/{number}?{SIGNATURE}")
    }

    fn file(&self, path: &str) -> Option<PathBuf> {
        let number: usize = path.rsplit('/').next()?.parse().ok()?;
        self.files.lock().ok()?.get(number.checked_sub(1)?).cloned()
    }

    fn last(&self) -> Option<PathBuf> {
        self.files.lock().ok()?.last().cloned()
    }
}

/// One call of the blob store.
async fn blob(blobs: &Blobs, path: &str, request: Request<Incoming>) -> io::Result<Answer> {
    let Some(file) = blobs.file(path) else {
        return Ok(json_answer(StatusCode::NOT_FOUND, &json!({ "code": "not_found", "msg": path })));
    };
    let query: HashMap<String, String> = request
        .uri()
        .query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let part = |id: &str| {
        let plain: String = id.bytes().map(|byte| format!("{byte:02x}")).collect();
        PathBuf::from(format!("{}.part-{plain}", file.display()))
    };
    match (request.method(), query.get("comp").map(String::as_str)) {
        (&Method::PUT, Some("block")) => {
            let id = query.get("blockid").map(|id| unescape(id)).unwrap_or_default();
            write(&part(&id), request.into_body()).await?;
            stored()
        }
        (&Method::PUT, Some("blocklist")) => {
            let bytes = request.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let mut whole = File::create(&file).await?;
            for id in text.split("<Latest>").skip(1).filter_map(|rest| rest.split("</Latest>").next()) {
                let part = part(id);
                tokio::io::copy(&mut File::open(&part).await?, &mut whole).await?;
                tokio::fs::remove_file(&part).await?;
            }
            whole.flush().await?;
            stored()
        }
        (&Method::PUT, _) => {
            write(&file, request.into_body()).await?;
            stored()
        }
        (&Method::HEAD, _) => {
            let size = tokio::fs::metadata(&file).await?.len();
            let body = Full::new(Bytes::new()).map_err(|never| match never {}).boxed();
            headers(StatusCode::OK, size).body(body).map_err(io::Error::other)
        }
        (&Method::GET, _) => {
            let size = tokio::fs::metadata(&file).await?.len();
            let asked = ["x-ms-range", "range"].iter().find_map(|name| request.headers().get(*name));
            let range = asked.and_then(|value| value.to_str().ok()).and_then(|text| range(text, size));
            let (from, to) = range.unwrap_or((0, size.saturating_sub(1)));
            let length = if size == 0 { 0 } else { to - from + 1 };
            let mut opened = File::open(&file).await?;
            opened.seek(io::SeekFrom::Start(from)).await?;
            let status = if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
            let mut answer = headers(status, length);
            if range.is_some() {
                answer = answer.header("content-range", format!("bytes {from}-{to}/{size}"));
            }
            answer.body(read(opened, length)).map_err(io::Error::other)
        }
        _ => Ok(json_answer(StatusCode::METHOD_NOT_ALLOWED, &json!({ "code": "bad_route", "msg": path }))),
    }
}

/// Writes a request's body into a file.
async fn write(path: &Path, mut body: Incoming) -> io::Result<()> {
    let mut file = File::create(path).await?;
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame.map_err(io::Error::other)?.into_data() {
            file.write_all(&bytes).await?;
        }
    }
    file.flush().await
}

/// Reads so many bytes of a file, piece by piece.
fn read(file: File, length: u64) -> BoxBody<Bytes, io::Error> {
    let pieces = stream::unfold((file.take(length), vec![0u8; 256 * 1024]), |(mut file, mut buffer)| async move {
        match file.read(&mut buffer).await {
            Ok(0) => None,
            Ok(count) => Some((Ok(Frame::data(Bytes::copy_from_slice(&buffer[..count]))), (file, buffer))),
            Err(error) => Some((Err(error), (file, buffer))),
        }
    });
    BodyExt::boxed(StreamBody::new(pieces))
}

/// Reads `bytes=a-b`.
fn range(text: &str, size: u64) -> Option<(u64, u64)> {
    let (from, to) = text.strip_prefix("bytes=")?.split_once('-')?;
    let from: u64 = from.parse().ok()?;
    let to = to.parse().unwrap_or(u64::MAX).min(size.checked_sub(1)?);
    (from <= to).then_some((from, to))
}

fn headers(status: StatusCode, length: u64) -> hyper::http::response::Builder {
    Response::builder()
        .status(status)
        .header("content-length", length)
        .header("content-type", "application/octet-stream")
        .header("accept-ranges", "bytes")
        .header("etag", "\"0x1\"")
        .header("last-modified", MODIFIED)
        .header("x-ms-blob-type", "BlockBlob")
        .header("x-ms-request-id", "1")
        .header("x-ms-version", "2021-12-02")
}

/// The answer to an upload: 201, or else the client fails.
fn stored() -> io::Result<Answer> {
    let body = Full::new(Bytes::new()).map_err(|never| match never {}).boxed();
    headers(StatusCode::CREATED, 0).body(body).map_err(io::Error::other)
}

fn json_answer(status: StatusCode, body: &Value) -> Answer {
    let bytes = Full::new(Bytes::from(body.to_string())).map_err(|never| match never {}).boxed();
    let mut answer = Response::new(bytes);
    *answer.status_mut() = status;
    answer.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    answer
}

/// Undoes `%3D` and the like.
fn unescape(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digits: Vec<u8> = bytes.by_ref().take(2).collect();
        let digits = String::from_utf8_lossy(&digits).into_owned();
        out.extend(u8::from_str_radix(&digits, 16).ok());
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests;
