//! Removes exactly what was made under a namespace.

use std::collections::{HashMap, HashSet};

use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, PruneBuildOptionsBuilder, RemoveContainerOptionsBuilder,
    RemoveImageOptionsBuilder,
};

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
}

impl Docker {
    /// Remembers what the build cache holds before the first build of a namespace.
    pub(super) async fn remember_before(&self, namespace: &Namespace) -> Result<(), EngineError> {
        if self.made.lock().is_ok_and(|made| made.contains_key(namespace)) {
            return Ok(());
        }
        let records = self.records().await?;
        self.remember_records(namespace, &records);
        Ok(())
    }

    /// Takes a listing for what a namespace found, unless it has built already. Asking the engine costs seconds on a busy
    /// one, so the listing that proves a runner empty serves here too.
    pub(super) fn remember_records(&self, namespace: &Namespace, records: &[Record]) {
        if let Ok(mut made) = self.made.lock() {
            made.entry(namespace.clone()).or_insert_with(|| Made {
                before: records.iter().map(|record| record.id.clone()).collect(),
                work: Vec::new(),
            });
        }
    }

    /// Remembers when the vertexes of one build worked.
    pub(super) fn remember_work(&self, namespace: &Namespace, work: Vec<Work>) {
        if let Ok(mut made) = self.made.lock() {
            made.entry(namespace.clone()).or_default().work.extend(work);
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
        let made = self.take_made(namespaces);
        let mut left = 0;
        for round in 0..ROUNDS {
            if round > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let records = self.records().await?;
            let (ours, mounts) = self.ours(&records, &made);
            left = ours.len();
            if left == 0 {
                break;
            }
            match self.prune(&ours).await {
                Ok((deleted, bytes)) => {
                    cleaned.bytes += bytes;
                    cleaned.mounts += deleted.iter().filter(|record| mounts.contains(record.as_str())).count();
                    cleaned.layers += deleted.iter().filter(|record| !mounts.contains(record.as_str())).count();
                    left = ours.iter().filter(|record| !deleted.iter().any(|gone| gone == *record)).count();
                    if left == 0 {
                        break;
                    }
                }
                Err(error) => note(error),
            }
        }
        if left > 0 {
            note(EngineError::from_message("removing build cache records", format!("{left} records stay in use")));
        }
        first.map_or(Ok(cleaned), Err)
    }

    /// Removes the cache mounts of a namespace and leaves its layers; see [`Engine::drop_mounts`](crate::engine::Engine::drop_mounts).
    pub(super) async fn remove_mounts(&self, namespace: &Namespace) -> Result<usize, EngineError> {
        let mut removed = 0;
        for round in 0..ROUNDS {
            if round > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let records = self.records().await?;
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

    /// Hands out, and forgets, what is remembered of namespaces.
    fn take_made<'n>(&self, namespaces: &'n [Namespace]) -> Vec<(&'n Namespace, Made)> {
        let Ok(mut made) = self.made.lock() else { return Vec::new() };
        namespaces.iter().map(|namespace| (namespace, made.remove(namespace).unwrap_or_default())).collect()
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

impl Docker {
    /// Finds the records to remove: those of the namespaces, and those that an earlier clean-up had to leave.
    ///
    /// Two runners at work at once share layers that carry no mark, such as a `COPY` of the same files. As long as a layer
    /// of another runner stands on one, it stays, and whoever cleans up later takes it.
    fn ours<'r>(&self, records: &'r [Record], made: &[(&Namespace, Made)]) -> (HashSet<&'r str>, HashSet<&'r str>) {
        let namespaces: Vec<&Namespace> = made.iter().map(|(namespace, _)| *namespace).collect();
        let foreign = foreign(records, &namespaces);
        let (mut found, mounts) = ours(records, made);
        if let Ok(mut left) = self.left.lock() {
            found.extend(records.iter().map(|record| record.id.as_str()).filter(|id| left.contains(*id)));
            left.retain(|id| records.iter().any(|record| record.id == *id) && foreign.contains(id.as_str()));
            left.extend(found.intersection(&foreign).map(|id| (*id).to_owned()));
        }
        (found.difference(&foreign).copied().collect(), mounts)
    }
}

/// Finds the records that carry the mark of another namespace, and all that these stand on.
fn foreign<'r>(records: &'r [Record], namespaces: &[&Namespace]) -> HashSet<&'r str> {
    let by_id: HashMap<&str, &Record> = records.iter().map(|record| (record.id.as_str(), record)).collect();
    let others = records
        .iter()
        .filter(|record| record.is_marked() && !namespaces.iter().any(|namespace| record.marked(namespace)));
    let mut open: Vec<&Record> = others.collect();
    let mut foreign = HashSet::new();
    while let Some(record) = open.pop() {
        if foreign.insert(record.id.as_str()) {
            open.extend(record.parents().filter_map(|parent| by_id.get(parent)));
        }
    }
    foreign
}

/// Finds the records that namespaces made, and which of them are cache mounts.
fn ours<'r>(records: &'r [Record], made: &[(&Namespace, Made)]) -> (HashSet<&'r str>, HashSet<&'r str>) {
    let mut ours: HashSet<&str> = HashSet::new();
    let mut mounts: HashSet<&str> = HashSet::new();
    for (namespace, made) in made {
        for record in records {
            let new = !made.before.contains(&record.id);
            if record.mount_of(namespace, Some(made)).is_some() {
                mounts.insert(&record.id);
            } else if record.marked(namespace) || (new && made.work.iter().any(|work| record.made_by(work))) {
                ours.insert(&record.id);
            }
        }
    }
    ours.extend(&mounts);
    loop {
        // A layer that stands on one of ours is ours.
        let stands_on_ours = |record: &&Record| {
            !ours.contains(record.id.as_str()) && record.parents().any(|parent| ours.contains(parent))
        };
        let more: Vec<&str> = records.iter().filter(stands_on_ours).map(|record| record.id.as_str()).collect();
        if more.is_empty() {
            return (ours, mounts);
        }
        ours.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, parent: &str, description: &str) -> Record {
        let value = serde_json::json!({ "ID": id, "Parent": parent, "Type": "regular", "Description": description,
            "Size": 0, "CreatedAt": "" });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_another_runners_layers_stand_on_is_foreign() {
        let records = [
            record("base", "", "pulled from somewhere"),
            record("copy", "base", "fileop target"),
            record("one", "copy", "mount / from exec /usr/bin/env VBC_RUNNER=r1 /bin/sh -c go build"),
            record("two", "copy", "mount / from exec /usr/bin/env VBC_RUNNER=r2 /bin/sh -c go build"),
            record("end", "one", "fileop target"),
        ];
        let (one, two) = (Namespace::new("r1"), Namespace::new("r2"));
        let sorted = |namespaces: &[&Namespace]| {
            let mut ids: Vec<&str> = foreign(&records, namespaces).into_iter().collect();
            ids.sort_unstable();
            ids
        };
        assert_eq!(sorted(&[&one]), ["base", "copy", "two"]);
        assert_eq!(sorted(&[&one, &two]), [""; 0]);
    }
}
