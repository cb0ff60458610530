//! A GitHub made of answers. [`FakeGithub`] is principal: plain data with two skins, a `gh` that reads it from a directory,
//! and a loopback TLS server for the real `gh`.

pub(crate) mod server;

use std::fs;
use std::io::{Cursor, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

/// What a repository's endpoints answer, by their path below `repos/o/app`.
#[derive(Debug, Clone)]
pub(crate) struct FakeGithub {
    answers: Vec<(String, u16, Vec<u8>)>,
}

impl FakeGithub {
    /// A repository without anything in it but its name.
    pub(crate) fn new() -> Self {
        Self { answers: Vec::new() }.with("", &json!({"full_name": "o/app", "default_branch": "main"}))
    }

    /// Answers a path with a document.
    pub(crate) fn with(self, path: &str, document: &Value) -> Self {
        self.answer(path, 200, document.to_string().into_bytes())
    }

    /// Answers a path with bytes.
    pub(crate) fn with_bytes(self, path: &str, bytes: Vec<u8>) -> Self {
        self.answer(path, 200, bytes)
    }

    /// Refuses a path.
    pub(crate) fn refusing(self, path: &str, status: u16, message: &str) -> Self {
        self.answer(path, status, json!({"message": message}).to_string().into_bytes())
    }

    fn answer(mut self, path: &str, status: u16, body: Vec<u8>) -> Self {
        let endpoint = format!("repos/o/app{path}");
        self.answers.retain(|(known, ..)| *known != endpoint);
        self.answers.push((endpoint, status, body));
        self
    }

    /// Finds the answer to a path with its query.
    fn find(&self, endpoint: &str) -> (u16, Vec<u8>) {
        let found = self.answers.iter().find(|(known, ..)| known == endpoint);
        let missing = || (404, br#"{"message":"Not Found"}"#.to_vec());
        found.map_or_else(missing, |(_, status, body)| (*status, body.clone()))
    }

    /// Writes a `gh` into a directory that answers as the real one does, by what lies beside it.
    pub(crate) fn as_program(&self, dir: &Path) {
        let answers = dir.join("answers");
        fs::create_dir_all(&answers).unwrap();
        for (endpoint, status, body) in &self.answers {
            let name = file_name(endpoint);
            fs::write(answers.join(format!("{name}.body")), body).unwrap();
            fs::write(answers.join(format!("{name}.status")), status.to_string()).unwrap();
        }
        let path = dir.join("gh");
        fs::write(&path, SCRIPT.replace("DIR", &answers.display().to_string())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// What `gh api -H ACCEPT ENDPOINT` prints, by a file per endpoint. It expands placeholders as in a clone of o/app.
const SCRIPT: &str = r#"#!/bin/bash
[ "$1" = api ] || exit 2
endpoint=${!#}
echo "$GH_HOST $endpoint" >> 'DIR/asked'
[ -z "$NOT_LOGGED_IN" ] || { echo 'To get started with GitHub CLI, please run:  gh auth login' >&2; exit 4; }
endpoint=${endpoint/'{owner}/{repo}'/o/app}
name=$(printf %s "$endpoint" | tr -c 'A-Za-z0-9' _)
[ -e "DIR/$name.body" ] || { printf '{"message":"Not Found"}'; echo 'gh: Not Found (HTTP 404)' >&2; exit 1; }
cat "DIR/$name.body"
status=$(cat "DIR/$name.status")
[ "$status" = 200 ] || { echo "gh: refused (HTTP $status)" >&2; exit 1; }
"#;

fn file_name(endpoint: &str) -> String {
    endpoint.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '_' }).collect()
}

/// A run as GitHub tells of it.
pub(crate) fn run(id: u64, number: u64, day: u64) -> Value {
    json!({
        "id": id, "name": "CI", "path": ".github/workflows/ci.yml", "head_branch": "main", "head_sha": format!("sha{id}"),
        "event": "push", "status": "completed", "conclusion": "success", "workflow_id": 9, "run_number": number,
        "run_attempt": 1, "created_at": format!("2026-02-{day}T12:20:00Z"), "head_repository": {"full_name": "o/app"},
        "pull_requests": [],
    })
}

/// A page of runs.
pub(crate) fn runs(all: &[Value]) -> Value {
    json!({"total_count": all.len(), "workflow_runs": all})
}

/// An entry of the repository's caches.
pub(crate) fn entry(key: &str, scope: &str, bytes: u64, created: &str) -> Value {
    json!({"id": 1, "ref": scope, "key": key, "version": "v", "size_in_bytes": bytes, "created_at": created,
        "last_accessed_at": created})
}

/// A page of cache entries.
pub(crate) fn caches(all: &[Value]) -> Value {
    json!({"total_count": all.len(), "actions_caches": all})
}

/// The log of a fixture on another day of February.
pub(crate) fn log(name: &str, day: u64) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/logs").join(name);
    fs::read_to_string(path).unwrap().replace("2026-02-18T", &format!("2026-02-{day}T"))
}

/// The archive of a run's logs.
pub(crate) fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        out.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        out.write_all(text.as_bytes()).unwrap();
    }
    out.finish().unwrap().into_inner()
}
