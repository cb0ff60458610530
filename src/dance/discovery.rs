//! The cache map that newer versions make from the Dockerfile. [`discover`] is principal.
//!
//! It reads a Dockerfile as the action does and not as `BuildKit` does: quotes stay, variables stay, `dst` is unknown,
//! and of all options only id and target are carried over.

use serde_json::{Map, Value, json};

use super::behaviour::{Behaviour, CacheDirUse};
use crate::dockerfile::Dockerfile;

/// Finds the entries; the error is the text of the exception.
pub(super) fn discover(
    file: &Dockerfile,
    cache_dir: Option<&str>,
    behaviour: &Behaviour,
) -> Result<Map<String, Value>, String> {
    let mut map = Map::new();
    for run in file.stages.iter().flat_map(|stage| &stage.runs) {
        for flag in run.flags.iter().filter(|flag| flag.name == "mount") {
            let option = |name: &str| {
                let pairs = flag.written.split(',').filter_map(|pair| pair.split_once('='));
                pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
            };
            if option("type") != Some("cache") {
                continue;
            }
            let Some(id) = option("id").filter(|id| !id.is_empty()).or_else(|| option("target")) else {
                let flag = format!("--mount={}", flag.written);
                let run = file.text_at(run.span);
                return Err(format!("Error: cache mount must define id or target: {flag} in {run}"));
            };
            map.insert(directory(id, cache_dir, behaviour), json!({"id": id, "target": "/var/cache-target"}));
        }
    }
    Ok(map)
}

fn directory(id: &str, cache_dir: Option<&str>, behaviour: &Behaviour) -> String {
    let fork = behaviour.dance.flavour == super::version::Flavour::Hiromaily;
    match (cache_dir, fork) {
        (Some(dir), false) => format!("{dir}/{id}"),
        (None, false) => id.to_owned(),
        (dir, true) => under(dir, id),
    }
}

/// Puts the last part of a name under a directory, as hiromaily's fork does.
pub(super) fn under(dir: Option<&str>, name: &str) -> String {
    let base = name.trim_end_matches('/').rsplit('/').next().unwrap_or("");
    match dir {
        Some(dir) => crate::dockerfile::clean_path(&format!("{dir}/{base}")),
        None => base.to_owned(),
    }
}

/// Returns the directory that goes in front of the keys of a given cache map.
pub(super) fn prefix<'a>(cache_dir: Option<&'a str>, behaviour: &Behaviour) -> Option<&'a str> {
    cache_dir.filter(|_| behaviour.cache_dir == CacheDirUse::Everywhere)
}
