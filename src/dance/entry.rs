//! One entry of a cache map. [`DanceEntry`] is principal.

use serde_json::Value;

use super::behaviour::Behaviour;
use super::js;
use crate::dockerfile::{MountError, MountIdentity, MountOptions};

/// A host directory and the cache mount it is copied into and out of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DanceEntry {
    /// The host directory, relative to the working directory unless absolute.
    pub source: String,
    /// The mount options in the order they are passed, `type` left out.
    pub options: Vec<(String, String)>,
    /// Where the mount stands in the Dancefile.
    pub target: String,
    /// The owner given, or nothing.
    pub uid: String,
    /// The group given, or nothing.
    pub gid: String,
    /// What ends the step at this entry.
    pub problem: Option<EntryProblem>,
}

/// An error the action throws at an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryProblem {
    /// Whether it comes before anything is done for the entry; otherwise source, scratch and stamp exist already.
    pub at_once: bool,
    /// The error as JavaScript prints it.
    pub text: String,
}

impl DanceEntry {
    /// Makes an entry from a target path.
    pub(super) fn plain(source: String, target: String) -> Self {
        let options = vec![("target".to_owned(), target.clone())];
        Self { source, options, target, uid: String::new(), gid: String::new(), problem: None }
    }

    /// Makes an entry from a value of the cache map.
    pub(super) fn from_value(source: String, value: &Value) -> Self {
        let mut entry = Self::plain(source, String::new());
        let pairs = match value {
            Value::String(target) => return Self::plain(entry.source, target.clone()),
            Value::Object(pairs) => pairs,
            Value::Array(_) => {
                entry.options.clear();
                entry.problem = Some(EntryProblem::thrown(no_target(value)));
                return entry;
            }
            other => {
                let text = js::text(other);
                entry.options.clear();
                entry.problem = Some(EntryProblem::thrown(format!(
                    "TypeError: Cannot use 'in' operator to search for 'target' in {text}"
                )));
                return entry;
            }
        };
        entry.options = pairs.iter().map(|(key, value)| (key.clone(), js::text(value))).collect();
        let read = |key: &str| pairs.get(key).map(js::text).unwrap_or_default();
        (entry.target, entry.uid, entry.gid) = (read("target"), read("uid"), read("gid"));
        if !pairs.contains_key("target") {
            entry.problem = Some(EntryProblem::thrown(no_target(value)));
        } else if ["uid", "gid"].iter().any(|key| pairs.get(*key).is_some_and(Value::is_null)) {
            let text = "TypeError: Cannot read properties of null (reading 'toString')".to_owned();
            entry.problem = Some(EntryProblem::thrown(text));
        }
        entry
    }

    /// Adds what a version checks before it uses an entry.
    pub(super) fn checked(mut self, behaviour: &Behaviour) -> Self {
        if behaviour.checks_paths {
            if let Some(text) = unsafe_path(&self.source) {
                self.problem = Some(EntryProblem { at_once: true, text });
            } else if self.problem.is_none() {
                let bad = |text: &&String| {
                    let safe = |char: char| char.is_ascii_alphanumeric() || "/._-=,".contains(char);
                    text.is_empty() || !text.chars().all(safe)
                };
                let args = self.mount_args();
                self.problem = [&self.target, &args].into_iter().find(bad).map(|text| {
                    EntryProblem::thrown(format!("Error: Unsafe characters in value for Dockerfile: {text}"))
                });
            }
        }
        self
    }

    /// Returns the text after `--mount=` in the Dancefile.
    pub fn mount_args(&self) -> String {
        let options: Vec<_> = self.options.iter().map(|(key, value)| format!("{key}={value}")).collect();
        format!("type=cache,{}", options.join(","))
    }

    /// Writes the mount options as `BuildKit` comes to read them. An engine before Docker 23 leaves variables in them as
    /// they are; to that, too, the Dancefile's mount must be the one that it is today.
    pub fn expanded_args(&self, mount: &MountOptions) -> String {
        if !self.options.iter().any(|(_, value)| value.contains('$')) {
            return self.mount_args();
        }
        let replaced = |key: &str, value: &str| match key {
            "id" => mount.id.clone().unwrap_or_default(),
            "target" | "dst" | "destination" => mount.target.clone(),
            _ => value.to_owned(),
        };
        let options: Vec<_> =
            self.options.iter().map(|(key, value)| format!("{key}={}", replaced(key, value))).collect();
        format!("type=cache,{}", options.join(","))
    }

    /// Returns the cache mount the Dancefile names, as `BuildKit` reads it: no variable has a value there.
    ///
    /// # Errors
    /// What `BuildKit` refuses; the action then fails at its build.
    pub fn mount(&self) -> Result<MountOptions, MountError> {
        let args = self.mount_args();
        // A `type` option of the entry's own replaces the cache.
        MountOptions::parse_written(&args)?.ok_or(MountError::Type(args))
    }

    /// Returns the identity of the cache it reaches; `None` when `BuildKit` would refuse it.
    pub fn identity(&self) -> Option<MountIdentity> {
        self.mount().ok().map(|mount| mount.identity())
    }
}

impl EntryProblem {
    fn thrown(text: String) -> Self {
        Self { at_once: false, text }
    }
}

fn no_target(value: &Value) -> String {
    format!("Error: Expected the 'target' key in the cache options, got:\n{}", js::text(value))
}

/// What hiromaily's `validateSafePath` says about a host path.
fn unsafe_path(path: &str) -> Option<String> {
    let clean = crate::dockerfile::clean_path(path);
    if path.starts_with('/') {
        Some(format!("Error: cache source must be a relative path, got absolute path: {path}"))
    } else if clean.starts_with("..") || clean.contains("/..") {
        Some(format!("Error: cache source contains path traversal sequence: {path}"))
    } else if path.contains([
        ';', '|', '&', '$', '`', '\\', '\'', '"', '<', '>', '(', ')', '{', '}', '[', ']', '!', '#', '*', '?', '~',
    ]) {
        Some(format!("Error: cache source contains potentially dangerous characters: {path}"))
    } else {
        None
    }
}
