//! Which records of the build cache were made under namespaces and may go. [`OwnedRecords`] is principal.

use std::collections::{HashMap, HashSet};

use super::made::TrackedBuild;
use super::usage::Record;
use crate::engine::Namespace;

/// The records that namespaces made.
#[derive(Debug, Default)]
pub(super) struct OwnedRecords<'r> {
    /// Those that no layer of another namespace stands on. A step such as `COPY` makes one layer for all who copy the same.
    pub(super) free: HashSet<&'r str>,
    /// Those of them that are cache mounts.
    pub(super) mounts: HashSet<&'r str>,
    /// How many have to stay for as long as a layer of another namespace stands on them.
    pub(super) held: usize,
    /// Whether somebody else has built something that is among the records.
    pub(super) beside_others: bool,
}

impl<'r> OwnedRecords<'r> {
    /// Finds the records of namespaces.
    pub(super) fn new(records: &'r [Record], made: &HashMap<Namespace, TrackedBuild>) -> Self {
        let namespaces: Vec<&Namespace> = made.keys().collect();
        let others = of_others(records, &namespaces);
        let mut claims = Self::default();
        let mut ours: HashSet<&str> = HashSet::new();
        for record in records {
            let id = record.id.as_str();
            if made.iter().any(|(namespace, made)| record.mount_of(namespace, Some(made)).is_some()) {
                claims.mounts.insert(id);
                ours.insert(id);
            } else if made.iter().any(|(namespace, made)| made_under(record, namespace, made)) {
                ours.insert(id);
            }
        }
        loop {
            // A layer that stands on one of ours is ours, unless it says whose it is.
            let stands_on_ours = |record: &&Record| {
                let id = record.id.as_str();
                !ours.contains(id) && !others.contains(id) && record.parents().any(|parent| ours.contains(parent))
            };
            let more: Vec<&str> = records.iter().filter(stands_on_ours).map(|record| record.id.as_str()).collect();
            if more.is_empty() {
                break;
            }
            ours.extend(more);
        }
        let all = ours.len();
        claims.free = ours.into_iter().filter(|id| !others.contains(id)).collect();
        claims.held = all - claims.free.len();
        claims.beside_others =
            records.iter().any(|record| record.is_step() && !claims.free.contains(record.id.as_str()));
        claims
    }
}

fn made_under(record: &Record, namespace: &Namespace, made: &TrackedBuild) -> bool {
    record.marked(namespace)
        || (!record.marked_by_another(&[namespace]) && made.work.iter().any(|work| record.made_by(work)))
}

/// Finds the records that are marked by other namespaces, and all that those stand on.
fn of_others<'r>(records: &'r [Record], namespaces: &[&Namespace]) -> HashSet<&'r str> {
    let marked = records.iter().filter(|record| record.marked_by_another(namespaces));
    let mut others: HashSet<&str> = marked.map(|record| record.id.as_str()).collect();
    loop {
        let more: Vec<&str> = records
            .iter()
            .filter(|record| others.contains(record.id.as_str()))
            .flat_map(Record::parents)
            .filter(|parent| !others.contains(parent))
            .collect();
        if more.is_empty() {
            return others;
        }
        others.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use bollard::moby::buildkit::v1::UsageRecord;

    use super::*;

    fn record(id: &str, parent: &str, description: &str) -> Record {
        let parents = Some(parent.to_owned()).filter(|parent| !parent.is_empty()).into_iter().collect();
        let record = UsageRecord {
            id: id.to_owned(),
            record_type: "regular".to_owned(),
            description: description.to_owned(),
            size: 1,
            parents,
            ..UsageRecord::default()
        };
        Record::from(record)
    }

    fn sorted(ids: &HashSet<&str>) -> Vec<String> {
        let mut ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        ids.sort();
        ids
    }

    #[test]
    fn what_another_builds_on_is_not_free_and_what_another_made_is_not_ours() {
        let run = |namespace: &str| format!("mount / from exec /usr/bin/env VBC_RUNNER={namespace} /bin/sh -c make");
        let records = [
            record("base", "", "from local"),
            record("shared", "base", &run("vbc-a-r1-b1")),
            record("mine", "shared", &run("vbc-a-r1-b1")),
            record("on-mine", "mine", "fileop target"),
            record("theirs", "shared", &run("vbc-b-r1-b1")),
            record("on-theirs", "theirs", "fileop target"),
        ];
        let made = HashMap::from([(Namespace::new("vbc-a-r1-b1"), TrackedBuild::default())]);
        assert_eq!(sorted(&OwnedRecords::new(&records, &made).free), ["mine", "on-mine"]);
        assert_eq!(sorted(&OwnedRecords::new(&records[..4], &made).free), ["mine", "on-mine", "shared"]);
    }

    #[test]
    fn what_we_made_and_another_builds_on_is_held() {
        let of = |namespace: &str, id, parent| {
            record(id, parent, &format!("mount / from exec /usr/bin/env VBC_RUNNER={namespace} /bin/sh -c make"))
        };
        let records = [of("vbc-a-r1-b1", "shared", ""), of("vbc-b-r1-b1", "theirs", "shared")];
        let made = HashMap::from([(Namespace::new("vbc-a-r1-b1"), TrackedBuild::default())]);
        let claims = OwnedRecords::new(&records, &made);
        assert_eq!((sorted(&claims.free), claims.held), (vec![], 1));
        let claims = OwnedRecords::new(&records[..1], &made);
        assert_eq!((sorted(&claims.free), claims.held), (vec!["shared".to_owned()], 0));
    }
}
