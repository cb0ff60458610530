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
        // What came into being after the last sign of life of who made these is somebody else's.
        let until = made.values().map(|made| made.until).collect::<Option<Vec<_>>>();
        let until = until.and_then(|moments| moments.into_iter().max());
        let mut others = of_others(records, &namespaces);
        // So is a command without a mark that none of the builds ran.
        let stray = |record: &&Record| {
            record.of_a_command() && !made.iter().any(|(namespace, made)| made_under(record, namespace, made))
        };
        others.extend(records.iter().filter(stray).map(|record| record.id.as_str()));
        others = with_all_below(records, others);
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
        let handles: HashSet<&str> =
            records.iter().filter(|record| record.is_image_handle()).map(|record| record.id.as_str()).collect();
        loop {
            // A layer that stands on one of ours is ours, unless it says whose it is. On the engine's handle on an image all
            // stand who build on that image, whoever asked for it first.
            let stands_on_ours = |record: &&Record| {
                let id = record.id.as_str();
                let late = until.is_some_and(|until| record.created_after(until));
                !late
                    && !ours.contains(id)
                    && !others.contains(id)
                    && record.parents().any(|parent| ours.contains(parent) && !handles.contains(parent))
            };
            let more: Vec<&str> = records.iter().filter(stands_on_ours).map(|record| record.id.as_str()).collect();
            if more.is_empty() {
                break;
            }
            ours.extend(more);
        }
        let all = ours.len();
        let strangers = records.iter().filter(|record| !ours.contains(record.id.as_str())).map(|it| it.id.as_str());
        let others = with_all_below(records, others.iter().copied().chain(strangers).collect());
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
    with_all_below(records, marked.map(|record| record.id.as_str()).collect())
}

/// Adds all that some records stand on.
fn with_all_below<'r>(records: &'r [Record], some: HashSet<&'r str>) -> HashSet<&'r str> {
    let mut others = some;
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
    use crate::engine::WorkSpan;

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
    fn what_a_person_has_built_on_ours_since_we_died_is_theirs_and_holds_it() {
        let at = |seconds| std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        let made_at = |id, parent, description: &str, seconds: i64| {
            let parents =
                Some(parent).filter(|parent: &&str| !parent.is_empty()).into_iter().map(str::to_owned).collect();
            let mut record = UsageRecord {
                id: String::from(id),
                record_type: "regular".to_owned(),
                description: description.to_owned(),
                parents,
                ..UsageRecord::default()
            };
            record.created_at.get_or_insert_default().seconds = seconds;
            Record::from(record)
        };
        let records = [
            made_at("copied", "", "fileop target", 10),
            made_at("built", "copied", "mount / from exec /usr/bin/env VBC_RUNNER=vbc-a-r1-b1 /bin/sh -c make", 11),
            made_at("on-built", "built", "fileop target", 12),
            made_at("their-copy", "copied", "fileop target", 500),
            made_at("their-run", "copied", "mount / from exec /bin/sh -c make", 11),
        ];
        let work = |vertex: &str| WorkSpan { vertex: vertex.to_owned(), from: at(9), to: at(11) };
        let build = TrackedBuild { work: vec![work("[2/3] COPY . .")], done: true, until: Some(at(20)) };
        let made = HashMap::from([(Namespace::new("vbc-a-r1-b1"), build)]);
        let claims = OwnedRecords::new(&records, &made);
        assert_eq!((sorted(&claims.free), claims.held), (vec!["built".to_owned(), "on-built".to_owned()], 1));
        let claims = OwnedRecords::new(&records[..3], &made);
        assert_eq!(sorted(&claims.free), ["built", "copied", "on-built"]);
    }

    #[test]
    fn what_a_person_builds_on_the_same_image_meanwhile_is_theirs() {
        let at = |seconds| std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        let mut handle = UsageRecord {
            id: "handle".to_owned(),
            record_type: "regular".to_owned(),
            description: "from local ".to_owned(),
            ..UsageRecord::default()
        };
        handle.created_at.get_or_insert_default().seconds = 10;
        let records = [
            Record::from(handle),
            record("ours", "handle", "mount / from exec /usr/bin/env VBC_RUNNER=vbc-a-r1-b1 /bin/sh -c make"),
            record("their-copy", "handle", "fileop target"),
            record("their-run", "their-copy", "mount / from exec /bin/sh -c make"),
        ];
        let work = vec![WorkSpan { vertex: "[1/2] FROM golang".to_owned(), from: at(9), to: at(11) }];
        let build = TrackedBuild { work, done: true, until: None };
        let made = HashMap::from([(Namespace::new("vbc-a-r1-b1"), build)]);
        let claims = OwnedRecords::new(&records, &made);
        assert_eq!((sorted(&claims.free), claims.held), (vec!["ours".to_owned()], 1));
        assert_eq!(sorted(&OwnedRecords::new(&records[..2], &made).free), ["handle", "ours"]);
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
