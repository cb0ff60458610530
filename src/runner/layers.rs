//! The layer cache of `cache-from` and `cache-to` with `type=gha`. [`LayerCache`] is principal.
//!
//! GitHub's service keeps layers from run to run, and never what a cache mount holds. Here the engine itself keeps the
//! layers: a run that reads them works in the namespaces of the run that wrote them, after their cache mounts have been
//! removed. Only `mode=max` is reproduced; the default mode leaves out the layers of every stage but the last, and an
//! engine cannot be told to forget those alone. A run without a layer to read simply builds.

use std::sync::Mutex;

use crate::plan::{DEFAULT_BRANCH, Trigger};

/// What earlier runs have written.
#[derive(Debug, Default)]
pub(super) struct LayerCache(Mutex<Vec<SavedLayers>>);

#[derive(Debug)]
struct SavedLayers {
    scope: String,
    git_ref: String,
    /// The run whose namespaces hold the layers.
    run: u32,
}

impl LayerCache {
    /// Remembers that a run has written its layers; `cache_to` is the input of its build step.
    pub(super) fn write(&self, cache_to: &str, trigger: &Trigger, run: u32) {
        let written = caches(cache_to).filter(|cache| cache.keeps_all);
        let written = written.map(|cache| SavedLayers { scope: cache.scope, git_ref: trigger.git_ref.clone(), run });
        if let Ok(mut known) = self.0.lock() {
            known.extend(written);
        }
    }

    /// Returns the run whose layers a build with this `cache-from` finds: as with actions/cache, one on its own ref or on
    /// the default branch.
    pub(super) fn find(&self, cache_from: &str, trigger: &Trigger) -> Option<u32> {
        let known = self.0.lock().ok()?;
        let main = format!("refs/heads/{DEFAULT_BRANCH}");
        let readable = |written: &&SavedLayers| written.git_ref == trigger.git_ref || written.git_ref == main;
        caches(cache_from).find_map(|cache| {
            let found = known.iter().rev().filter(readable).find(|written| written.scope == cache.scope)?;
            Some(found.run)
        })
    }
}

/// One line of `cache-from` or `cache-to`.
struct LayerCacheRef {
    scope: String,
    keeps_all: bool,
}

fn caches(input: &str) -> impl Iterator<Item = LayerCacheRef> {
    input.lines().filter_map(|line| {
        let option =
            |name: &str| line.trim().split(',').filter_map(|field| field.split_once('=')).find(|(key, _)| *key == name);
        let value = |name| option(name).map(|(_, value)| value.trim());
        (value("type") == Some("gha")).then(|| LayerCacheRef {
            // BuildKit's own name for a cache that is given none (cache/remotecache/gha).
            scope: value("scope").unwrap_or("buildkit").to_owned(),
            keeps_all: value("mode") == Some("max"),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_found_by_scope_and_by_ref() {
        let layers = LayerCache::default();
        let (main, request) = (Trigger::default(), Trigger::pull_request("pull_request", 7));
        layers.write("type=gha,mode=max", &main, 1);
        layers.write("type=gha,mode=max,scope=app", &request, 2);
        assert_eq!(layers.find("type=gha", &main), Some(1));
        assert_eq!(layers.find("type=gha", &request), Some(1));
        assert_eq!(layers.find("type=gha,scope=app", &request), Some(2));
        assert_eq!(layers.find("type=gha,scope=app", &main), None);
        assert_eq!(layers.find("type=registry,ref=x", &main), None);
    }

    #[test]
    fn the_default_mode_is_not_reproduced() {
        let layers = LayerCache::default();
        layers.write("type=gha", &Trigger::default(), 1);
        assert_eq!(layers.find("type=gha", &Trigger::default()), None);
    }
}
