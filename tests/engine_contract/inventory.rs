//! What exists on an engine, for everyone, asked without the code under test. [`Inventory`] is principal.

use std::collections::BTreeSet;
use std::io::{Read, Write};

use serde_json::Value;
use verify_buildkit_cache::engine::{Docker, Fake, Namespace};

/// What is on an engine.
pub(crate) trait Inventory {
    /// Names everything that existed whoever made it: images, containers, build cache records.
    fn everything(&self) -> BTreeSet<String>;

    /// Names what says by label or description that it was made under a namespace.
    fn marked(&self, namespace: &Namespace) -> Vec<String>;
}

impl Inventory for Fake {
    // What a fake holds, its own methods tell.
    fn everything(&self) -> BTreeSet<String> {
        self.images.clone()
    }

    fn marked(&self, _: &Namespace) -> Vec<String> {
        Vec::new()
    }
}

/// The lists that hold what an engine has, and the name of each thing in it.
const LISTS: [(&str, &str, &str); 3] = [
    ("/images/json", "", "Id"),
    ("/containers/json?all=1", "", "Id"),
    ("/system/df?type=build-cache", "/BuildCache", "ID"),
];

impl Inventory for Docker {
    fn everything(&self) -> BTreeSet<String> {
        items(self).into_iter().map(|(name, _)| name).collect()
    }

    fn marked(&self, namespace: &Namespace) -> Vec<String> {
        let ours = |text: &String| text.contains(namespace.as_str());
        items(self).into_iter().filter(|(_, text)| ours(text)).map(|(name, text)| format!("{name}: {text}")).collect()
    }
}

fn items(docker: &Docker) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (path, list, name) in LISTS {
        let answer = get(docker.address(), path);
        let items = answer.pointer(list).and_then(Value::as_array).or_else(|| {
            // From API 1.52 on the records stand elsewhere.
            answer.pointer("/BuildCacheUsage/Items").and_then(Value::as_array)
        });
        for item in items.into_iter().flatten() {
            found.push((format!("{path} {}", item[name].as_str().unwrap()), item.to_string()));
        }
    }
    found
}

/// Sends a request until it is answered: Docker 20.10 refuses to count its disk usage for two at once.
fn get(address: &str, path: &str) -> Value {
    for _ in 0..100 {
        let (head, body) = exchange(address, path);
        if head.contains(" 200") {
            return serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"));
        }
        assert!(body.contains("disk usage operation is already running"), "{path}: {head}: {body}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("{path}: the engine is busy counting its disk usage");
}

/// Sends one request; HTTP 1.0 answers in one piece.
fn exchange(address: &str, path: &str) -> (String, String) {
    let request = format!("GET {path} HTTP/1.0\r\nHost: docker\r\n\r\n");
    let mut answer = Vec::new();
    if let Some(socket) = address.strip_prefix("unix://") {
        let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.read_to_end(&mut answer).unwrap();
    } else {
        let host = address.trim_start_matches("tcp://").trim_start_matches("http://").trim_end_matches('/');
        let mut stream = std::net::TcpStream::connect(host).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.read_to_end(&mut answer).unwrap();
    }
    let text = String::from_utf8(answer).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap_or_default().to_owned(), body.to_owned())
}
