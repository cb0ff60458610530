//! Removes exactly what was made under a namespace.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, PruneBuildOptionsBuilder, RemoveContainerOptionsBuilder,
    RemoveImageOptionsBuilder,
};

use super::claims::OwnedRecords;
use super::made::TrackedBuild;
use super::usage::{self, Record, RecordFilter};
use super::{Docker, LABEL, LISTING, failed, in_time};
use crate::engine::{Cleaned, EngineError, Namespace};

/// How often in vain, and after which pause, records are asked for and removed until none is left.
///
/// The engine passes over a record in use without a word, and one stays in use for a moment after its build was stopped.
pub(super) const ROUNDS: u32 = 25;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(400);

/// How many records of namespaces a removal left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct RemainingRecords {
    /// Those that the engine did not remove.
    pub(super) in_use: usize,
    /// Those on which a layer of somebody else's stands.
    pub(super) held: usize,
    /// Those that were not removed for the sake of all that others have built; see [`forgets`](super::image_store::forgets).
    pub(super) kept: usize,
    /// The bytes of those.
    pub(super) kept_bytes: u64,
}

impl Docker {
    /// Lists the records that may be cache mounts of a namespace, under which nothing is built just now.
    pub(super) async fn records_of(&self, namespace: &Namespace) -> Result<Vec<Record>, EngineError> {
        if self.made.lock().is_ok_and(|made| made.get(namespace).is_some_and(TrackedBuild::unmarked)) {
            return self.records(RecordFilter::Mounts).await;
        }
        // Not the layers: an engine takes its time to size one, and sizes those of all runs side by side in the end.
        self.records(RecordFilter::MountsNaming(namespace)).await
    }

    /// Lists records; when no build of ours can mind it, if it has to be so.
    pub(super) async fn records(&self, asked: RecordFilter<'_>) -> Result<Vec<Record>, EngineError> {
        let _alone = if asked.touches_others() { Some(self.turn.alone().await) } else { None };
        in_time(LISTING, "listing build cache records", usage::records(&self.reached, asked)).await
    }

    /// Removes the containers, images, cache mounts and layers of namespaces; see [`Engine::clean`](crate::engine::Engine::clean).
    pub(super) async fn remove_all(&self, namespaces: &[Namespace]) -> Result<Cleaned, EngineError> {
        let mut cleaned = Cleaned::default();
        let first = self.remove_labelled(namespaces, &mut cleaned).await;
        let records = match self.finished(namespaces) {
            Some(made) => self.remove_all_records(made, namespaces.is_empty(), &mut cleaned).await,
            // Others are at work, and the last of them removes these.
            None if namespaces.is_empty() || self.info.forgets => Ok(()),
            None => {
                let marked = namespaces.iter().map(|namespace| (namespace.clone(), TrackedBuild::default())).collect();
                self.remove_records(&marked, RecordFilter::Naming(namespaces), 0, &mut cleaned).await.map(drop)
            }
        };
        match first.or(records.err()) {
            Some(error) => Err(error),
            None => Ok(cleaned),
        }
    }

    /// Removes the containers and images of namespaces; returns the first failure, which does not keep the rest from going.
    pub(super) async fn remove_labelled(&self, namespaces: &[Namespace], cleaned: &mut Cleaned) -> Option<EngineError> {
        let mut first: Option<EngineError> = None;
        let mut note = |error| {
            first.get_or_insert(error);
        };
        for id in self.labelled_containers(namespaces).await.map_err(&mut note).unwrap_or_default() {
            let remove = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
            match self.client.remove_container(&id, Some(remove)).await {
                Ok(()) => cleaned.containers += 1,
                Err(error) => note(failed(&format!("removing container {id}"), &error)),
            }
        }
        for id in self.labelled_images(namespaces).await.map_err(&mut note).unwrap_or_default() {
            let remove = RemoveImageOptionsBuilder::new().force(true).build();
            match self.client.remove_image(&id, Some(remove), None).await {
                Ok(_) => cleaned.images += 1,
                Err(bollard::errors::Error::DockerResponseServerError { status_code: 404, .. }) => {}
                Err(error) => note(failed(&format!("removing image {id}"), &error)),
            }
        }
        first
    }

    /// Lists the containers that bear the label of one of these namespaces, by id.
    pub(super) async fn labelled_containers(&self, namespaces: &[Namespace]) -> Result<Vec<String>, EngineError> {
        let list = ListContainersOptionsBuilder::new().all(true).filters(&by_label()).build();
        let containers = self.client.list_containers(Some(list)).await;
        let containers = containers.map_err(|error| failed("listing containers", &error))?;
        let ours = containers.into_iter().filter(|one| one.labels.as_ref().is_some_and(|it| names(it, namespaces)));
        Ok(ours.filter_map(|container| container.id).collect())
    }

    /// Lists the images that bear the label of one of these namespaces, by id.
    pub(super) async fn labelled_images(&self, namespaces: &[Namespace]) -> Result<Vec<String>, EngineError> {
        let list = ListImagesOptionsBuilder::new().all(true).filters(&by_label()).build();
        let images = self.client.list_images(Some(list)).await;
        let images = images.map_err(|error| failed("listing images", &error))?;
        Ok(images.into_iter().filter(|one| names(&one.labels, namespaces)).map(|image| image.id).collect())
    }

    /// Notes that namespaces are done with. Hands out all that is remembered, and forgets it, when nobody is left who
    /// works beside them.
    ///
    /// Layers such as those of `COPY` bear no mark and are made once for all who copy the same. Whose they are is known when
    /// all have ended; so the last one takes those of all.
    fn finished(&self, namespaces: &[Namespace]) -> Option<HashMap<Namespace, TrackedBuild>> {
        let mut made = self.made.lock().ok()?;
        for namespace in namespaces {
            made.entry(namespace.clone()).or_default().done = true;
        }
        made.values().all(|made| made.done).then(|| std::mem::take(&mut *made))
    }

    /// Removes all records of namespaces. What is in use still, or what a namespace that began meanwhile builds on, is
    /// remembered for the next clean-up, unless this is the last.
    async fn remove_all_records(
        &self,
        made: HashMap<Namespace, TrackedBuild>,
        last: bool,
        cleaned: &mut Cleaned,
    ) -> Result<(), EngineError> {
        let all: Vec<Namespace> = made.keys().cloned().collect();
        if all.is_empty() {
            return Ok(());
        }
        let unmarked = made.values().any(TrackedBuild::unmarked);
        let asked = if unmarked { RecordFilter::All } else { RecordFilter::NamingOrLayers(&all) };
        let left = self.remove_records(&made, asked, if last { ROUNDS } else { 2 }, cleaned).await?;
        (cleaned.kept, cleaned.kept_bytes) = (left.kept, left.kept_bytes);
        if last {
            cleaned.held = left.held;
            return match left.in_use {
                0 => Ok(()),
                count => {
                    let reason = format!("{count} cache records are still in use");
                    Err(EngineError::from_message("removing build cache records", reason))
                }
            };
        }
        if left != RemainingRecords::default()
            && let Ok(mut known) = self.made.lock()
        {
            for (namespace, made) in made {
                match known.entry(namespace) {
                    Entry::Occupied(mut again) => again.get_mut().work.extend(made.work),
                    Entry::Vacant(free) => {
                        free.insert(made);
                    }
                }
            }
        }
        Ok(())
    }

    /// Removes the records of namespaces among those asked for. So many rounds may bring nothing before it gives up.
    pub(super) async fn remove_records(
        &self,
        made: &HashMap<Namespace, TrackedBuild>,
        asked: RecordFilter<'_>,
        patience: u32,
        cleaned: &mut Cleaned,
    ) -> Result<RemainingRecords, EngineError> {
        let mut vain = 0;
        loop {
            let records = self.records(asked).await?;
            let claims = OwnedRecords::new(&records, made);
            if self.info.forgets && claims.beside_others {
                let kept = records.iter().filter(|record| claims.free.contains(record.id.as_str()));
                let kept_bytes = kept.map(Record::bytes).sum();
                return Ok(RemainingRecords { kept: claims.free.len(), kept_bytes, ..RemainingRecords::default() });
            }
            let (deleted, bytes) = self.prune(&claims.free).await?;
            cleaned.bytes += bytes;
            cleaned.mounts += deleted.iter().filter(|record| claims.mounts.contains(record.as_str())).count();
            cleaned.layers += deleted.iter().filter(|record| !claims.mounts.contains(record.as_str())).count();
            let in_use = claims.free.iter().filter(|id| !deleted.iter().any(|gone| gone == *id)).count();
            let left = RemainingRecords { in_use, held: claims.held, ..RemainingRecords::default() };
            // What stood on a removed layer has set it free at once; what is in use takes its time.
            match (in_use, deleted.is_empty()) {
                (0, _) => return Ok(left),
                (_, false) => {}
                (_, true) if vain >= patience => return Ok(left),
                (_, true) => {
                    vain += 1;
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Removes the cache mounts of a namespace and leaves its layers; see [`Engine::drop_mounts`](crate::engine::Engine::drop_mounts).
    pub(super) async fn remove_mounts(&self, namespace: &Namespace) -> Result<usize, EngineError> {
        let mut removed = 0;
        for round in 0..ROUNDS {
            if round > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let records = self.records_of(namespace).await?;
            let mounts = self.mounts_among(&records, namespace);
            if mounts.is_empty() {
                return Ok(removed);
            }
            if self.info.forgets {
                return Err(EngineError::Forgets);
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
        Ok((answer.caches_deleted.unwrap_or_default(), bytes))
    }
}

fn by_label() -> HashMap<String, Vec<String>> {
    HashMap::from([("label".to_owned(), vec![LABEL.to_owned()])])
}

/// Tells whether labels name one of these namespaces.
fn names(labels: &HashMap<String, String>, namespaces: &[Namespace]) -> bool {
    labels.get(LABEL).is_some_and(|value| namespaces.iter().any(|namespace| namespace.as_str() == value))
}
