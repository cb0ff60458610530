//! Which logs are runs of one job, and in which order. [`in_order`] is principal.
//!
//! People give logs newest first, one log twice, logs of two repositories, or runs that overlap in time. What the logs' own
//! times and texts say of that is decided here, and said; what it means is the verifier's affair.

use std::time::SystemTime;

use super::LoggedJob;
use super::sink::harmless;
use crate::evidence::{Aspect, Event, Fact, SaveOutcome};

/// The runs of one job, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct RunsOfJob {
    /// The job's name; empty where no log says one.
    pub name: String,
    /// The repository, where a log says it.
    pub repository: Option<String>,
    /// Its runs, oldest first, each once.
    pub runs: Vec<LoggedJob>,
    /// What was done to the logs as they were given, in words.
    pub notes: Vec<String>,
}

impl RunsOfJob {
    /// Tells whether any of its runs builds an image, or carries cache mounts for a build.
    pub fn builds(&self) -> bool {
        self.runs
            .iter()
            .map(LoggedJob::evidence)
            .any(|evidence| !evidence.builds.is_empty() || !evidence.dances.is_empty())
    }
}

/// Sorts the jobs of all logs into the runs of each job: by name and repository, each run once, by their times.
pub fn in_order(jobs: Vec<LoggedJob>) -> Vec<RunsOfJob> {
    let mut groups: Vec<RunsOfJob> = Vec::new();
    for job in jobs {
        let name = job.name.clone().unwrap_or_default();
        let alike = |group: &RunsOfJob| {
            let apart = group.repository.as_ref().zip(job.repository.as_ref()).is_some_and(|(one, other)| one != other);
            group.name == name && !apart
        };
        match groups.iter_mut().find(|group| alike(group)) {
            Some(group) => {
                group.repository = group.repository.take().or_else(|| job.repository.clone());
                group.runs.push(job);
            }
            None => {
                groups.push(RunsOfJob { name, repository: job.repository.clone(), runs: vec![job], notes: Vec::new() })
            }
        }
    }
    for at in 0..groups.len() {
        let other =
            groups.iter().any(|other| other.name == groups[at].name && other.repository != groups[at].repository);
        let group = &mut groups[at];
        if let Some(repository) = group.repository.as_ref().filter(|_| other) {
            let shown = harmless(repository);
            group.notes.push(format!("the logs are of several repositories; this is about {shown} alone"));
        }
        once(group);
        by_time(group);
        overlap(&mut group.runs);
    }
    groups
}

/// Takes a log out that is there already.
fn once(group: &mut RunsOfJob) {
    let mut kept: Vec<LoggedJob> = Vec::new();
    for run in std::mem::take(&mut group.runs) {
        match kept.iter().find(|known| same(known, &run)) {
            Some(known) => group.notes.push(format!(
                "`{}` and `{}` are the same log of one run; it counts once",
                harmless(&known.source),
                harmless(&run.source)
            )),
            None => kept.push(run),
        }
    }
    group.runs = kept;
}

/// Tells whether two logs are the same, whatever their files are called. Those that show nothing cannot be told apart.
fn same(one: &LoggedJob, other: &LoggedJob) -> bool {
    let alike = |one: &Event, other: &Event| {
        (one.step, one.at, &one.fact, &one.quote.text) == (other.step, other.at, &other.fact, &other.quote.text)
    };
    one.began == other.began
        && one.ended == other.ended
        && one.lines == other.lines
        && !one.events.is_empty()
        && one.events.len() == other.events.len()
        && one.events.iter().zip(&other.events).all(|(one, other)| alike(one, other))
}

/// Puts the runs in the order of their times, where every log has them.
fn by_time(group: &mut RunsOfJob) {
    if group.runs.iter().any(|run| run.began.is_none()) || group.runs.is_sorted_by_key(|run| run.began) {
        return;
    }
    group.runs.sort_by_key(|run| run.began);
    group.notes.push("the logs were not given oldest first; their times put them in order".to_owned());
}

/// Marks the runs that had not saved when the last one looked up its key: it could not find what they left.
fn overlap(runs: &mut [LoggedJob]) {
    let Some((last, earlier)) = runs.split_last_mut() else { return };
    let Some(asked) = last.events.iter().find(|event| looks_up(&event.fact)).and_then(|event| event.at).or(last.began)
    else {
        return;
    };
    for run in earlier {
        let saved = run.events.iter().rev().find(|event| saves(&event.fact));
        let done: Option<SystemTime> = saved.map_or(run.ended, |event| event.at);
        let Some(quote) = saved.or(run.events.last()).map(|event| event.quote.clone()) else { continue };
        if done.is_some_and(|done| done > asked) {
            let fact = Fact::Surroundings { aspect: Aspect::SavedTooLate, value: last.title() };
            run.events.push(Event { step: None, at: done, quote, fact });
        }
    }
}

fn looks_up(fact: &Fact) -> bool {
    matches!(fact, Fact::CacheLookup(_) | Fact::CacheRestored { .. } | Fact::CacheRestoreFailed { .. })
}

fn saves(fact: &Fact) -> bool {
    matches!(fact, Fact::CacheSave(SaveOutcome::Saved { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::LogReader;

    /// A run of a job that began at this minute, looked up its key then, and saved two minutes later.
    fn run(source: &str, job: &str, minute: usize, repository: &str) -> Vec<LoggedJob> {
        let stamp = |after: usize| format!("2026-05-06T10:{:02}:00.0000000Z", minute + after);
        let log = format!(
            "{0} Current runner version: '2.331.0'\n{0} Complete job name: {job}\n{0} ##[group]Run actions/checkout@v4\n{0} with:\n\
             {0}   repository: {repository}\n{0} ##[endgroup]\n{0} ##[group]Run actions/cache@v4\n{0} with:\n{0}   path: c\n\
             {0}   key: k\n{0} ##[endgroup]\n{0} Cache not found for input keys: k\n{1} Post job cleanup.\n\
             {1} Cache saved with key: k\n{1} Cleaning up orphan processes\n",
            stamp(0),
            stamp(2)
        );
        let mut reader = LogReader::new(source);
        reader.feed(log.as_bytes());
        reader.finish()
    }

    fn too_late(run: &LoggedJob) -> bool {
        run.events.iter().any(|event| matches!(event.fact, Fact::Surroundings { aspect: Aspect::SavedTooLate, .. }))
    }

    fn sources(group: &RunsOfJob) -> Vec<&str> {
        group.runs.iter().map(|run| &*run.source).collect()
    }

    #[test]
    fn runs_go_by_their_times() {
        let groups = in_order([run("b", "j", 30, "a/a"), run("a", "j", 10, "a/a")].concat());
        assert_eq!(sources(&groups[0]), ["a", "b"]);
        assert_eq!(groups[0].notes.len(), 1);
        assert!(!too_late(&groups[0].runs[0]));
        let groups = in_order([run("a", "j", 10, "a/a"), run("b", "j", 30, "a/a")].concat());
        assert!(groups[0].notes.is_empty());
    }

    #[test]
    fn a_log_that_is_given_twice_counts_once() {
        let groups = in_order([run("a", "j", 10, "a/a"), run("copy of a", "j", 10, "a/a")].concat());
        assert_eq!((sources(&groups[0]), groups[0].notes.len()), (vec!["a"], 1));
        let groups = in_order([run("a", "j", 10, "a/a"), run("b", "j", 11, "a/a")].concat());
        assert_eq!(groups[0].runs.len(), 2);
    }

    #[test]
    fn a_run_that_had_not_saved_when_the_next_looked_up_is_marked() {
        let groups = in_order([run("a", "j", 10, "a/a"), run("b", "j", 11, "a/a")].concat());
        assert!(too_late(&groups[0].runs[0]) && !too_late(&groups[0].runs[1]));
    }

    #[test]
    fn logs_of_two_repositories_are_no_runs_of_one_job() {
        let groups = in_order([run("a", "j", 10, "a/a"), run("b", "j", 30, "a/b")].concat());
        assert_eq!(groups.iter().map(sources).collect::<Vec<_>>(), [["a"], ["b"]]);
        assert!(groups.iter().all(|group| group.notes.len() == 1));
        let masked = in_order([run("a", "j", 10, "a/a"), run("b", "j", 30, "***/b")].concat());
        assert_eq!(masked.len(), 1, "a mask hides whose it is");
    }

    #[test]
    fn jobs_of_other_names_are_other_jobs() {
        assert_eq!(in_order([run("a", "j", 10, "a/a"), run("a", "k", 10, "a/a")].concat()).len(), 2);
    }
}
