//! Removes exactly what was made under a namespace.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, PruneBuildOptionsBuilder, RemoveContainerOptionsBuilder,
    RemoveImageOptionsBuilder,
};

use super::claims::Claims;
use super::status::Work;
use super::usage::Record;
use super::{Docker, LABEL, failed};
use crate::engine::{Cleaned, EngineError, Namespace};

/// How often, and after which pause, records are asked for and removed until none is left.
///
/// The engine passes over a record in use without a word, and one stays in use for a moment after its build was stopped.
const ROUNDS: u32 = 25;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(400);

/// What is remembered of a namespace so that its leavings can be told from everything else.
#[derive(Debug, Default)]
pub(super) struct Made {
    /// The records that were there before its first build.
    pub(super) before: HashSet<String>,
    /// When its vertexes worked.
    pub(super) work: Vec<Work>,
    /// When its last build ended.
    pub(super) ended: Option<Instant>,
}

impl Docker {
    /// Remembers what the build cache holds before the first build of a namespace.
    pub(super) async fn remember_before(&self, namespace: &Namespace) -> Result<(), EngineError> {
        if self.made.lock().is_ok_and(|made| made.contains_key(namespace)) {
            return Ok(());
        }
        let records = self.turn.records(&self.address).await?;
        self.remember_records(namespace, &records);
        Ok(())
    }

    /// Takes a listing for what a namespace found, unless it has built already. Asking the engine costs seconds on a busy
    /// one, so the listing that proves a runner empty serves here too.
    pub(super) fn remember_records(&self, namespace: &Namespace, records: &[Record]) {
        if let Ok(mut made) = self.made.lock() {
            made.entry(namespace.clone()).or_insert_with(|| Made {
                before: records.iter().map(|record| record.id.clone()).collect(),
                ..Made::default()
            });
        }
    }

    /// Remembers when the vertexes of one build worked.
    pub(super) fn remember_work(&self, namespace: &Namespace, work: Vec<Work>) {
        if let Ok(mut made) = self.made.lock() {
            let made = made.entry(namespace.clone()).or_default();
            made.work.extend(work);
            made.ended = Some(Instant::now());
        }
    }

    /// Removes the containers, images, cache mounts and layers of namespaces; see [`Engine::clean`](crate::engine::Engine::clean).
    pub(super) async fn remove_all(&self, namespaces: &[Namespace]) -> Result<Cleaned, EngineError> {
        let mut cleaned = Cleaned::default();
        let mut first: Option<EngineError> = None;
        let mut note = |error| {
            first.get_or_insert(error);
        };
        let named = |labels: &Option<HashMap<String, String>>| {
            let value = labels.as_ref().and_then(|labels| labels.get(LABEL));
            value.is_some_and(|value| namespaces.iter().any(|namespace| namespace.as_str() == value))
        };
        let label = HashMap::from([("label".to_owned(), vec![LABEL.to_owned()])]);
        let list = ListContainersOptionsBuilder::new().all(true).filters(&label).build();
        let containers = self.client.list_containers(Some(list)).await;
        let containers = containers.map_err(|error| failed("listing containers", &error)).map_err(&mut note);
        for container in containers.unwrap_or_default().into_iter().filter(|container| named(&container.labels)) {
            let Some(id) = container.id else { continue };
            let remove = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
            match self.client.remove_container(&id, Some(remove)).await {
                Ok(()) => cleaned.containers += 1,
                Err(error) => note(failed(&format!("removing container {id}"), &error)),
            }
        }
        let list = ListImagesOptionsBuilder::new().all(true).filters(&label).build();
        let images = self.client.list_images(Some(list)).await;
        let images = images.map_err(|error| failed("listing images", &error)).map_err(&mut note);
        for image in images.unwrap_or_default().into_iter().filter(|image| named(&Some(image.labels.clone()))) {
            let remove = RemoveImageOptionsBuilder::new().force(true).build();
            match self.client.remove_image(&image.id, Some(remove), None).await {
                Ok(_) => cleaned.images += 1,
                Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => {}
                Err(error) => note(failed(&format!("removing image {}", image.id), &error)),
            }
        }
        let (made, alone) = self.take_made(namespaces);
        let built = made.iter().filter_map(|(_, made)| made.ended).max();
        let mut left: HashSet<String> = HashSet::new();
        // Who works beside us may build on layers of ours, and for minutes; the last to clean up takes what is left.
        for round in 0..if alone { ROUNDS } else { 2 } {
            if round > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            // What was listed since the last build of ours ended has all of it.
            let listed = built.filter(|_| round == 0).and_then(|ended| self.turn.since(ended));
            let records = match listed {
                Some(records) => records,
                None => self.turn.records(&self.address).await?,
            };
            let put_off = self.put_off.lock().map(|put_off| put_off.clone()).unwrap_or_default();
            let claims = Claims::new(&records, &made, &put_off);
            left = claims.free.iter().map(|record| (*record).to_owned()).collect();
            self.put_off(claims.built_on.iter().copied());
            match self.prune(&claims.free).await {
                Ok((deleted, bytes)) => {
                    cleaned.bytes += bytes;
                    cleaned.mounts += deleted.iter().filter(|record| claims.mounts.contains(record.as_str())).count();
                    cleaned.layers += deleted.iter().filter(|record| !claims.mounts.contains(record.as_str())).count();
                    left.retain(|record| !deleted.contains(record));
                    // What stayed in use once is not waited for again until the last clean-up, which names no namespace.
                    left.retain(|record| namespaces.is_empty() || !put_off.contains(record));
                }
                Err(error) => note(error),
            }
            if left.is_empty() {
                break;
            }
        }
        self.put_off(left.iter().map(String::as_str));
        if alone && !left.is_empty() {
            let count = left.len();
            note(EngineError::from_message("removing build cache records", format!("{count} records stay in use")));
        }
        first.map_or(Ok(cleaned), Err)
    }

    /// Remembers records for a later clean-up.
    fn put_off<'r>(&self, records: impl Iterator<Item = &'r str>) {
        if let Ok(mut put_off) = self.put_off.lock() {
            put_off.extend(records.map(str::to_owned));
        }
    }

    /// Removes the cache mounts of a namespace and leaves its layers; see [`Engine::drop_mounts`](crate::engine::Engine::drop_mounts).
    pub(super) async fn remove_mounts(&self, namespace: &Namespace) -> Result<usize, EngineError> {
        let mut removed = 0;
        for round in 0..ROUNDS {
            if round > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let records = self.turn.records(&self.address).await?;
            let mounts = self.mounts_among(&records, namespace);
            if mounts.is_empty() {
                return Ok(removed);
            }
            let (deleted, _) = self.prune(&mounts).await?;
            removed += deleted.iter().filter(|record| mounts.contains(record.as_str())).count();
        }
        Err(EngineError::from_message("removing cache mounts", format!("those of {} stay in use", namespace.as_str())))
    }

    fn mounts_among<'r>(&self, records: &'r [Record], namespace: &Namespace) -> HashSet<&'r str> {
        let made = self.made.lock().ok();
        let made = made.as_ref().and_then(|made| made.get(namespace));
        let mounts = records.iter().filter(|record| record.mount_of(namespace, made).is_some());
        mounts.map(|record| record.id.as_str()).collect()
    }

    /// Hands out, and forgets, what is remembered of namespaces; tells whether nothing else is remembered.
    fn take_made<'n>(&self, namespaces: &'n [Namespace]) -> (Vec<(&'n Namespace, Made)>, bool) {
        let Ok(mut made) = self.made.lock() else { return (Vec::new(), true) };
        let ours = namespaces.iter().map(|namespace| (namespace, made.remove(namespace).unwrap_or_default())).collect();
        (ours, made.is_empty())
    }

    /// Removes records of the build cache; returns those that went and their bytes.
    ///
    /// One request takes them all: the engine hands the value of the `id` filter on as a regular expression
    /// (`id~=…`, <https://github.com/moby/moby/blob/v20.10.24/builder/builder-next/builder.go#L560>), and asking for one
    /// after the other walks the whole build cache each time.
    async fn prune(&self, records: &HashSet<&str>) -> Result<(Vec<String>, u64), EngineError> {
        let safe = |record: &&&str| !record.is_empty() && record.chars().all(|c| c.is_ascii_alphanumeric());
        let records: Vec<&str> = records.iter().filter(safe).copied().collect();
        if records.is_empty() {
            return Ok((Vec::new(), 0));
        }
        let pattern = format!("/^({})$/", records.join("|"));
        let filters = HashMap::from([("id".to_owned(), vec![pattern])]);
        let options = PruneBuildOptionsBuilder::new().all(true).filters(&filters).build();
        let answer = self.client.prune_build(Some(options)).await;
        let answer = answer.map_err(|error| failed("removing build cache records", &error))?;
        let bytes = answer.space_reclaimed.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0);
        let deleted = answer.caches_deleted.unwrap_or_default();
        self.turn.removed(&deleted);
        Ok((deleted, bytes))
    }
}
