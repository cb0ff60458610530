//! Tests of the cache service, over its socket as a client uses it.

use super::*;
use hyper::client::conn::http1;
use tokio::net::UnixStream;

/// One request and its answer: status, headers, body.
async fn send(
    socket: &Path,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> (u16, hyper::HeaderMap, Vec<u8>) {
    let stream = UnixStream::connect(socket).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header("host", "127.0.0.1");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = sender.send_request(request.body(Full::new(Bytes::copy_from_slice(body))).unwrap()).await.unwrap();
    let (parts, body) = answer.into_parts();
    (parts.status.as_u16(), parts.headers, body.collect().await.unwrap().to_bytes().to_vec())
}

async fn ask(socket: &Path, method: &str, body: Value) -> (u16, Value) {
    let path = format!("/twirp/github.actions.results.api.v1.CacheService/{method}");
    let (status, _, body) = send(socket, "POST", &path, &[], body.to_string().as_bytes()).await;
    (status, serde_json::from_slice(&body).unwrap())
}

/// The path and query of a signed URL.
fn path_of(url: &Value) -> String {
    let url = url.as_str().unwrap();
    let rest = url.split_once("://").unwrap().1;
    rest[rest.find('/').unwrap()..].to_owned()
}

/// Answers as a store of one entry does.
async fn store(mut service: CacheService, dir: PathBuf) {
    let mut entry: Option<(String, PathBuf)> = None;
    while let Some(call) = service.calls.recv().await {
        match call {
            CacheCall::Lookup { keys, reply, .. } => {
                let found = entry.clone().filter(|(known, _)| keys.iter().any(|key| known.starts_with(key.as_str())));
                reply.send(found).unwrap();
            }
            CacheCall::Reserve { key, reply, .. } => {
                let answer = match (&entry, key.as_str()) {
                    (_, "read-only") => Err(CacheRefusal::Denied("token has no writable scopes".to_owned())),
                    (Some(_), _) => Err(CacheRefusal::Exists),
                    (None, _) => Ok(dir.join("archive")),
                };
                reply.send(answer).unwrap();
            }
            CacheCall::Commit { key, archive, reply, .. } => {
                entry = Some((key, archive));
                reply.send(true).unwrap();
            }
        }
    }
}

async fn serving() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("socket");
    let service = CacheService::open(&socket).unwrap();
    tokio::spawn(store(service, dir.path().to_owned()));
    (dir, socket)
}

#[tokio::test]
async fn an_entry_is_saved_in_blocks_of_any_order_and_read_in_ranges() {
    let (_dir, socket) = serving().await;
    let lookup = json!({ "key": "go-2", "restore_keys": ["go-"], "version": "v" });
    assert_eq!(ask(&socket, "GetCacheEntryDownloadURL", lookup.clone()).await, (200, json!({ "ok": false })));

    let (status, reserved) = ask(&socket, "CreateCacheEntry", json!({ "key": "go-1", "version": "v" })).await;
    assert_eq!((status, &reserved["ok"]), (200, &json!(true)));
    let upload = path_of(&reserved["signed_upload_url"]);
    for (id, bytes) in [("Yg%3D%3D", "world"), ("YQ%3D%3D", "hello ")] {
        let block = format!("{upload}&comp=block&blockid={id}");
        assert_eq!(send(&socket, "PUT", &block, &[], bytes.as_bytes()).await.0, 201);
    }
    let list = "<?xml version=\"1.0\"?><BlockList><Latest>YQ==</Latest><Latest>Yg==</Latest></BlockList>";
    assert_eq!(send(&socket, "PUT", &format!("{upload}&comp=blocklist"), &[], list.as_bytes()).await.0, 201);
    let finalize = json!({ "key": "go-1", "size_bytes": "11", "version": "v" });
    assert_eq!(ask(&socket, "FinalizeCacheEntryUpload", finalize).await.1["ok"], true);

    let (_, found) = ask(&socket, "GetCacheEntryDownloadURL", lookup).await;
    assert_eq!((&found["ok"], &found["matched_key"]), (&json!(true), &json!("go-1")));
    let download = path_of(&found["signed_download_url"]);
    let (status, headers, _) = send(&socket, "HEAD", &download, &[], b"").await;
    assert_eq!((status, headers["content-length"].to_str().unwrap()), (200, "11"));
    let (status, headers, body) = send(&socket, "GET", &download, &[("x-ms-range", "bytes=6-99")], b"").await;
    assert_eq!((status, body.as_slice()), (206, b"world".as_slice()));
    assert_eq!(headers["content-range"].to_str().unwrap(), "bytes 6-10/11");
    assert_eq!(send(&socket, "GET", &download, &[], b"").await.2, b"hello world");
}

#[tokio::test]
async fn refusals_are_in_the_services_words() {
    let (_dir, socket) = serving().await;
    let (status, denied) = ask(&socket, "CreateCacheEntry", json!({ "key": "read-only", "version": "v" })).await;
    assert_eq!((status, denied), (200, json!({ "ok": false, "message": "token has no writable scopes" })));
    let (_, reserved) = ask(&socket, "CreateCacheEntry", json!({ "key": "a", "version": "v" })).await;
    let upload = path_of(&reserved["signed_upload_url"]);
    assert_eq!(send(&socket, "PUT", &upload, &[("x-ms-blob-type", "BlockBlob")], b"abc").await.0, 201);
    let wrong = json!({ "key": "a", "size_bytes": "4", "version": "v" });
    assert_eq!(ask(&socket, "FinalizeCacheEntryUpload", wrong).await.0, 500);
    let right = json!({ "key": "a", "size_bytes": "3", "version": "v" });
    assert_eq!(ask(&socket, "FinalizeCacheEntryUpload", right).await.0, 200);
    let (status, exists) = ask(&socket, "CreateCacheEntry", json!({ "key": "a", "version": "v" })).await;
    assert_eq!((status, &exists["code"]), (409, &json!("already_exists")));
    assert_eq!(ask(&socket, "Nothing", json!({})).await.0, 404);
    assert_eq!(send(&socket, "GET", "/actions-cache/99?sig=x", &[], b"").await.0, 404);
}

#[test]
fn ranges_end_with_the_file() {
    assert_eq!(range("bytes=0-9", 100), Some((0, 9)));
    assert_eq!(range("bytes=90-199", 100), Some((90, 99)));
    assert_eq!(range("bytes=5-", 10), Some((5, 9)));
    assert_eq!(range("bytes=10-", 10), None);
    assert_eq!(range("items=0-1", 10), None);
}

#[test]
fn a_block_has_one_name_in_its_upload_and_in_the_list() {
    assert_eq!(unescape("YWJj%3D%3D"), "YWJj==");
    assert_eq!(unescape("a%2Fb%2B"), "a/b+");
}
