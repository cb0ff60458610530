//! The engine, looked at from outside the program: plain HTTP, none of the product's code. [`Engine`] is principal.
//!
//! What the product says it left behind would be its own word; these answers are the engine's.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::Value;

/// What every namespace of the program begins with; a session's word and the runner follow.
const MARK: &str = "vbc-";

/// An engine at its address.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    address: String,
}

/// One record of the build cache.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) description: String,
}

/// All that an engine holds at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Holdings {
    pub(crate) records: BTreeSet<Record>,
    /// Ids and tags of the images.
    pub(crate) images: BTreeSet<String>,
    /// Ids of the containers.
    pub(crate) containers: BTreeSet<String>,
    /// Namespaces that images and containers are labelled with.
    pub(crate) labels: BTreeSet<String>,
}

impl Engine {
    /// The engine that the environment names.
    pub(crate) fn of_the_environment() -> Self {
        let address = std::env::var("DOCKER_HOST").ok().filter(|address| !address.is_empty());
        Self { address: address.unwrap_or_else(|| "unix:///var/run/docker.sock".to_owned()) }
    }

    /// Its address.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Tells why the engine cannot be used, if it cannot.
    pub(crate) fn missing(&self) -> Option<String> {
        match self.ask("GET", "/version", &[]) {
            Ok(_) => None,
            Err(reason) => Some(format!("no Docker Engine answers at {}: {reason}", self.address)),
        }
    }

    /// Sends a request and returns the answer's body. HTTP/1.0 spares us chunks.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &[u8]) -> Result<String, String> {
        let length = body.len();
        let kind = if path.starts_with("/containers/") { "json" } else { "x-tar" };
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: engine\r\nContent-Type: application/{kind}\r\nContent-Length: {length}\r\n\r\n"
        );
        let mut answer = Vec::new();
        let exchange = |stream: &mut dyn ReadWrite, answer: &mut Vec<u8>| {
            stream.write_all(head.as_bytes())?;
            stream.write_all(body)?;
            stream.read_to_end(answer)
        };
        let done = match self.address.split_once("://") {
            Some(("unix", path)) => UnixStream::connect(path).and_then(|mut stream| exchange(&mut stream, &mut answer)),
            Some((_, host)) => TcpStream::connect(host).and_then(|mut stream| exchange(&mut stream, &mut answer)),
            None => return Err("the address has no scheme".to_owned()),
        };
        done.map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&answer);
        let (head, body) = text.split_once("\r\n\r\n").ok_or("the answer is not HTTP")?;
        match head.split(' ').nth(1) {
            Some(status) if status.starts_with('2') => Ok(body.to_owned()),
            _ => Err(format!("{method} {path}: {head}\n{body}")),
        }
    }

    fn get(&self, path: &str) -> Value {
        let body = loop {
            match self.ask("GET", path, &[]) {
                // Older engines answer one such question at a time, and the program under test asks too.
                Err(busy) if busy.contains("a disk usage operation is already running") => {
                    std::thread::sleep(Duration::from_millis(100));
                }
                answer => break answer.unwrap(),
            }
        };
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("GET {path}: {error}: {body}"))
    }

    pub(crate) fn has_image(&self, name: &str) -> bool {
        self.ask("GET", &format!("/images/{name}/json"), &[]).is_ok()
    }

    /// Tells all that the engine holds now.
    pub(crate) fn holdings(&self) -> Holdings {
        let list = |value: Value| value.as_array().cloned().unwrap_or_default();
        let images = list(self.get("/images/json?all=1"));
        let containers = list(self.get("/containers/json?all=1"));
        let labels = images.iter().chain(&containers);
        let labels = labels.filter_map(|one| one["Labels"]["verify-buildkit-cache.namespace"].as_str());
        let tags = images.iter().flat_map(|image| list(image["RepoTags"].clone()));
        Holdings {
            records: self.records(),
            labels: labels.map(str::to_owned).collect(),
            images: images.iter().map(|image| &image["Id"]).chain(&tags.collect::<Vec<_>>()).map(text).collect(),
            containers: containers.iter().map(|container| text(&container["Id"])).collect(),
        }
    }

    /// Lists the build cache.
    pub(crate) fn records(&self) -> BTreeSet<Record> {
        let usage = self.get("/system/df?type=build-cache");
        let records = usage["BuildCache"].as_array().cloned().unwrap_or_default();
        let record = |record: &Value| Record { id: text(&record["ID"]), description: text(&record["Description"]) };
        records.iter().map(record).collect()
    }

    /// Builds a Dockerfile in the engine's own builder, as `docker build` does.
    pub(crate) fn build(&self, dockerfile: &str) {
        let mut tar = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(dockerfile.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, "Dockerfile", dockerfile.as_bytes()).unwrap();
        let said = self.ask("POST", "/build?version=2", &tar.into_inner().unwrap()).unwrap();
        assert!(!said.contains("\"error\""), "{said}");
    }

    pub(crate) fn tag(&self, image: &str, repository: &str, tag: &str) {
        self.ask("POST", &format!("/images/{image}/tag?repo={repository}&tag={tag}"), &[]).unwrap();
    }

    /// Makes a container and does not start it; returns its id.
    pub(crate) fn container(&self, image: &str) -> String {
        let body = format!("{{\"Image\": \"{image}\", \"Cmd\": [\"true\"]}}");
        let answer = self.ask("POST", "/containers/create", body.as_bytes()).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        text(&answer["Id"])
    }

    pub(crate) fn remove_container(&self, id: &str) {
        let _ = self.ask("DELETE", &format!("/containers/{id}?force=1"), &[]);
    }

    pub(crate) fn untag(&self, name: &str) {
        let _ = self.ask("DELETE", &format!("/images/{name}"), &[]);
    }

    /// Removes one record of the build cache.
    pub(crate) fn prune(&self, id: &str) {
        let filters = format!("%7B%22id%22%3A%5B%22{id}%22%5D%7D");
        let _ = self.ask("POST", &format!("/build/prune?all=true&filters={filters}"), &[]);
    }
}

impl Holdings {
    /// Lists what the program with a process id made. A session's word ends in the process id.
    pub(crate) fn made_by(&self, process: u32) -> Vec<String> {
        let records = self.records.iter().map(|record| &record.description).filter(|text| is_of(text, process));
        records.chain(self.labels.iter().filter(|label| is_of(label, process))).cloned().collect()
    }

    /// Lists the sessions of the program with a process id that have made something.
    pub(crate) fn sessions_of(&self, process: u32) -> BTreeSet<String> {
        let ending = format!("{:05x}", process & 0xf_ffff);
        let made = self.made_by(process);
        let words = made.iter().flat_map(|text| text.split(MARK).skip(1)).filter_map(|rest| rest.split('-').next());
        words.filter(|word| word.ends_with(&ending)).map(str::to_owned).collect()
    }

    /// Tells whether other runs of the program were at work on the engine.
    ///
    /// Where they were, what is new on the engine or gone from it may be theirs.
    pub(crate) fn shared(&self) -> bool {
        !self.labels.is_empty() || self.records.iter().any(|record| record.description.contains("VBC_RUNNER=vbc-"))
    }

    /// Lists what was here and is not there any more.
    pub(crate) fn lost_in(&self, later: &Self) -> Vec<String> {
        let records = self.records.iter().filter(|record| !later.records.iter().any(|other| other.id == record.id));
        let images = self.images.difference(&later.images).chain(self.containers.difference(&later.containers));
        records.map(|record| format!("{} {}", record.id, record.description)).chain(images.cloned()).collect()
    }
}

/// Tells whether a text names a namespace of the program with a process id.
fn is_of(text: &str, process: u32) -> bool {
    let ending = format!("{:05x}-", process & 0xf_ffff);
    let mut rest = text;
    while let Some(at) = rest.find(MARK) {
        rest = &rest[at + MARK.len()..];
        let word = rest.find('-').map_or("", |end| &rest[..=end]);
        if word.ends_with(&ending) {
            return true;
        }
    }
    false
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}
