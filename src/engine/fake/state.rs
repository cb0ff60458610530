//! What the fake engine holds: cache mounts, images, layers and the time. [`FakeState`] is principal.
//!
//! It knows nothing of builds; whoever changes it says what happens and how long it takes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use super::tree::FileTree;
use crate::dockerfile::{MountIdentity, MountOptions};
use crate::engine::{Cleaned, EngineMount, Namespace};
use crate::evidence::Creator;

/// When a fake engine's time begins, in seconds since the epoch: in 2025, so that its dates look like dates.
const BEGINNING: u64 = 1_760_000_000;

/// One cache mount.
#[derive(Debug)]
pub(super) struct Mount {
    /// What is in it.
    pub(super) tree: FileTree,
    record: String,
    target: String,
    creator: Creator,
    created: SystemTime,
}

/// All that a fake engine holds.
#[derive(Debug)]
pub(super) struct FakeState {
    /// The images pulled since it began.
    pub(super) pulled: BTreeSet<String>,
    now: SystemTime,
    count: u64,
    mounts: BTreeMap<(Namespace, MountIdentity), Mount>,
    built: BTreeMap<String, Namespace>,
    layers: BTreeMap<(Namespace, u64), FileTree>,
}

impl Default for FakeState {
    fn default() -> Self {
        Self {
            pulled: BTreeSet::new(),
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(BEGINNING),
            count: 0,
            mounts: BTreeMap::new(),
            built: BTreeMap::new(),
            layers: BTreeMap::new(),
        }
    }
}

impl FakeState {
    /// Lets time pass and returns the new time.
    pub(super) fn advance(&mut self, time: Duration) -> SystemTime {
        self.now += time;
        self.now
    }

    /// Returns the cache mount that a step of a namespace gets; the first to ask creates it.
    pub(super) fn mount(&mut self, namespace: &Namespace, options: &MountOptions, creator: Creator) -> &mut Mount {
        let (now, count) = (self.now, &mut self.count);
        self.mounts.entry((namespace.clone(), options.identity())).or_insert_with(|| {
            *count += 1;
            Mount {
                tree: owned(options),
                record: format!("fake-{count}"),
                target: options.target.clone(),
                creator,
                created: now,
            }
        })
    }

    /// Removes one cache mount, if it is there.
    pub(super) fn wipe(&mut self, namespace: &Namespace, options: &MountOptions) {
        self.mounts.remove(&(namespace.clone(), options.identity()));
    }

    /// Tells whether an image was built or pulled here.
    pub(super) fn has_image(&self, reference: &str) -> bool {
        self.pulled.contains(reference) || self.built.contains_key(reference)
    }

    /// Makes an image for a namespace.
    pub(super) fn image(&mut self, namespace: &Namespace) -> String {
        self.count += 1;
        let id = format!("sha256:{:064x}", self.count);
        self.built.insert(id.clone(), namespace.clone());
        id
    }

    /// Returns what the layer cache has for a step: the file system after it.
    pub(super) fn layer(&self, namespace: &Namespace, key: u64) -> Option<FileTree> {
        self.layers.get(&(namespace.clone(), key)).cloned()
    }

    /// Keeps the file system after a step.
    pub(super) fn keep_layer(&mut self, namespace: &Namespace, key: u64, after: &FileTree) {
        self.layers.insert((namespace.clone(), key), after.clone());
    }

    /// Removes the cache mounts of a namespace and nothing else, and counts them.
    pub(super) fn drop_mounts(&mut self, namespace: &Namespace) -> usize {
        let before = self.mounts.len();
        self.mounts.retain(|(owner, _), _| owner != namespace);
        before - self.mounts.len()
    }

    /// Lists the cache mounts of a namespace.
    pub(super) fn list(&self, namespace: &Namespace, scale: u64) -> Vec<EngineMount> {
        let own = self.mounts.iter().filter(|((owner, _), _)| owner == namespace);
        own.map(|((_, identity), mount)| EngineMount {
            record: mount.record.clone(),
            target: mount.target.clone(),
            id: Some(identity.id().to_owned()),
            creator: mount.creator,
            bytes: mount.tree.bytes("").saturating_mul(scale),
            created: Some(mount.created),
        })
        .collect()
    }

    /// Removes what was made under a namespace.
    pub(super) fn clean(&mut self, namespace: &Namespace, scale: u64) -> Cleaned {
        let mut cleaned = Cleaned::default();
        self.mounts.retain(|(owner, _), mount| {
            let keep = owner != namespace;
            if !keep {
                cleaned.mounts += 1;
                cleaned.bytes = cleaned.bytes.saturating_add(mount.tree.bytes("").saturating_mul(scale));
            }
            keep
        });
        let (images, layers) = (self.built.len(), self.layers.len());
        self.built.retain(|_, owner| owner != namespace);
        self.layers.retain(|(owner, _), _| owner != namespace);
        cleaned.images = images - self.built.len();
        cleaned.layers = layers - self.layers.len();
        cleaned
    }
}

/// Makes the directory of a new mount, with the owner and mode it asks for.
fn owned(options: &MountOptions) -> FileTree {
    match options.identity().owner() {
        Some(owner) => FileTree::owned(owner.uid.into(), owner.gid.into(), owner.mode),
        None => FileTree::owned(0, 0, 0o755),
    }
}
