//! Which runs belong to the question, and their logs. [`fetch`] is principal.
//!
//! The run that was named is judged. Before it come the runs of the same workflow whose entries it can read, back to the one
//! that saved what it restored; where it restored nothing, back to one that tried to save.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use super::GithubTarget;
use super::answer::{JobAnswer, JobsPage, RepositoryAnswer, RunsPage, WorkflowAnswer, WorkflowRun, WorkflowsPage};
use super::caches::CacheList;
use super::client::{Gh, GhError};
use super::target::TargetPart;
use crate::cli::problem::CliProblem;
use crate::cli::say;
use crate::evidence::{Fact, Lookup, SaveOutcome};
use crate::log::{self, LogReader, LoggedJob};
use crate::source::Source;

/// What is wanted beside the run that was named.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct RunsWanted<'a> {
    /// How many earlier runs to fetch at most.
    pub(in crate::cli) previous: usize,
    /// Only runs of this branch.
    pub(in crate::cli) branch: Option<&'a str>,
    /// Where to keep the logs.
    pub(in crate::cli) keep: Option<&'a Path>,
}

/// What was fetched.
#[derive(Debug)]
pub(in crate::cli) struct FetchedRuns {
    /// `owner/name`.
    pub(in crate::cli) repository: String,
    /// The jobs of all runs, the oldest run first.
    pub(in crate::cli) jobs: Vec<LoggedJob>,
    /// The workflow's file as the judged run had it.
    pub(in crate::cli) workflow: Option<Source>,
    /// What the repository's cache holds now.
    pub(in crate::cli) caches: CacheList,
    /// What a person should know of how the runs were chosen.
    pub(in crate::cli) notes: Vec<String>,
}

/// Fetches a run and those before it.
///
/// # Errors
/// When `gh` is missing, is not logged in or has no rights, when nothing is there, or when the logs have expired.
pub(in crate::cli) fn fetch(target: &GithubTarget, wanted: &RunsWanted) -> Result<FetchedRuns, CliProblem> {
    let gh = Gh::new(target.host.clone(), target.repository.clone());
    let what = target.repository.clone().unwrap_or_else(|| "this directory's repository".to_owned());
    let repository: RepositoryAnswer = gh.document("").map_err(|error| error.problem(&what))?;
    let gh = gh.of_repository(&repository.full_name);
    let mut fetching = Fetching { gh, repository, wanted: *wanted, notes: Vec::new() };
    let judged = fetching.judged(&target.what)?;
    fetching.all(judged)
}

/// A run to fetch: which attempt, and of which job alone.
#[derive(Debug, Clone)]
struct ChosenRun {
    run: WorkflowRun,
    attempt: u32,
    job: Option<JobAnswer>,
}

/// The fetching under way.
struct Fetching<'a> {
    gh: Gh,
    repository: RepositoryAnswer,
    wanted: RunsWanted<'a>,
    notes: Vec<String>,
}

impl Fetching<'_> {
    /// Finds the run to judge.
    fn judged(&mut self, what: &TargetPart) -> Result<ChosenRun, CliProblem> {
        match what {
            TargetPart::Run { id, attempt } => self.run(*id, *attempt, None),
            TargetPart::Job { run, id } => {
                let job: JobAnswer = self
                    .gh
                    .document(&format!("/actions/jobs/{id}"))
                    .map_err(|error| error.problem(&format!("job {id} of {}", self.repository.full_name)))?;
                self.run(run.unwrap_or(job.run_id), Some(job.run_attempt), Some(job))
            }
            TargetPart::Workflow(file) => self.latest(file),
            TargetPart::Latest => {
                let file = self.the_one_workflow()?;
                self.latest(&file)
            }
        }
    }

    fn run(&self, id: u64, attempt: Option<u32>, job: Option<JobAnswer>) -> Result<ChosenRun, CliProblem> {
        let run: WorkflowRun = self
            .gh
            .document(&format!("/actions/runs/{id}"))
            .map_err(|error| error.problem(&format!("run {id} of {}", self.repository.full_name)))?;
        let attempt = attempt.unwrap_or(run.run_attempt);
        Ok(ChosenRun { run, attempt, job })
    }

    /// The latest run of a workflow that has ended: of the default branch, or else of any.
    fn latest(&self, file: &str) -> Result<ChosenRun, CliProblem> {
        let asked = self.wanted.branch.map(str::to_owned);
        let branches = match &asked {
            Some(branch) => vec![Some(branch.clone())],
            None => vec![Some(self.repository.default_branch.clone()), None],
        };
        for branch in branches {
            let filter = branch.map_or_else(String::new, |branch| format!("&branch={}", encoded(&branch)));
            let path = format!("/actions/workflows/{}/runs?status=completed&per_page=30{filter}", encoded(file));
            let what = format!("the runs of {file} in {}", self.repository.full_name);
            let page: RunsPage = self.gh.document(&path).map_err(|error| error.problem(&what))?;
            let built = |run: &&WorkflowRun| run.worked() && run.conclusion.as_deref() != Some("cancelled");
            if let Some(run) = page.workflow_runs.iter().find(built) {
                return Ok(ChosenRun { attempt: run.run_attempt, run: run.clone(), job: None });
            }
        }
        let of = asked.map_or_else(String::new, |branch| format!(" on branch {branch}"));
        Err(CliProblem::stopped(format!("workflow {file} of {} has no run that ended{of}", self.repository.full_name))
            .hint(Some(
                "name a run: verify-buildkit-cache logs https://github.com/OWNER/REPO/actions/runs/ID".to_owned(),
            )))
    }

    /// Finds the one workflow that carries cache mounts, or else the one that builds images.
    fn the_one_workflow(&self) -> Result<String, CliProblem> {
        let name = &self.repository.full_name;
        let what = format!("the workflows of {name}");
        let page: WorkflowsPage =
            self.gh.document("/actions/workflows?per_page=100").map_err(|error| error.problem(&what))?;
        let mut texts = Vec::new();
        for workflow in page.workflows.iter().filter(|one| one.state == "active" && one.path.starts_with(".github/")) {
            match self.text(&workflow.path, &self.repository.default_branch) {
                Ok(text) => texts.push((workflow, text)),
                // It is on another branch only.
                Err(error) if error.status() == Some(404) => {}
                Err(error) => return Err(error.problem(&format!("{} of {name}", workflow.path))),
            }
        }
        let holding = |word: &str| -> Vec<&WorkflowAnswer> {
            texts.iter().filter(|(_, text)| text.contains(word)).map(|(workflow, _)| *workflow).collect()
        };
        let mut found = holding("buildkit-cache-dance");
        if found.is_empty() {
            found = holding("docker/build-push-action");
        }
        match found[..] {
            [one] => Ok(file_name(&one.path).to_owned()),
            [] => Err(CliProblem::stopped(format!("no workflow of {name} is known to build with cache mounts"))
                .hint(Some(self.addresses("name one", &page.workflows.iter().collect::<Vec<_>>())))),
            _ => Err(CliProblem::stopped(format!("{} workflows of {name} may be meant", found.len()))
                .hint(Some(self.addresses("name one", &found)))),
        }
    }

    fn addresses(&self, what: &str, workflows: &[&WorkflowAnswer]) -> String {
        if workflows.is_empty() {
            return "the repository has no workflow".to_owned();
        }
        let lines = workflows.iter().take(20).map(|workflow| {
            let file = file_name(&workflow.path);
            let host = self.gh.web_host();
            let name = &self.repository.full_name;
            format!(
                "\n  verify-buildkit-cache logs https://{host}/{name}/actions/workflows/{file}  ({})",
                workflow.name
            )
        });
        format!("{what}:{}", lines.collect::<String>())
    }

    /// The text of a file of the repository.
    fn text(&self, path: &str, at: &str) -> Result<String, GhError> {
        let path = path.split('/').map(encoded).collect::<Vec<_>>().join("/");
        let mut file = self.gh.bytes(&format!("/contents/{path}?ref={}", encoded(at)), "application/vnd.github.raw")?;
        let mut bytes = Vec::new();
        // A file that breaks off is one that is not text.
        let _ = file.read_to_end(&mut bytes);
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Fetches the judged run, and those before it until the question is answered.
    fn all(mut self, judged: ChosenRun) -> Result<FetchedRuns, CliProblem> {
        let repository = self.repository.full_name.clone();
        say(&format!("{repository}: run {} ({})", judged.run.id, judged.run.title()));
        let caches = CacheList::new(self.gh.clone(), &judged.run, &self.repository.default_branch);
        let mut all = match self.logs(&judged) {
            Ok(jobs) => vec![jobs],
            Err(error) if error.status() == Some(410) => {
                let still = caches.still_there();
                let problem = error.problem(&format!("the logs of run {}", judged.run.id));
                return Err(problem.detail(still));
            }
            Err(error) => return Err(error.problem(&format!("the logs of run {}", judged.run.id))),
        };
        if all[0].is_empty() {
            return Err(CliProblem::stopped(format!("run {} has no log of a job that ended", judged.run.id))
                .hint(Some("wait until its build job has ended; `gh run watch` shows it".to_owned())));
        }
        for before in self.before(&judged)? {
            if all.len() > self.wanted.previous || answered(&all) {
                break;
            }
            match self.logs(&before) {
                Ok(jobs) if jobs.is_empty() => {}
                Ok(jobs) => {
                    say(&format!("{repository}: run {} ({})", before.run.id, before.run.title()));
                    all.push(jobs);
                }
                Err(error) if error.status() == Some(410) => {
                    self.notes.push(format!("the logs of run {} and of those before it have expired", before.run.id));
                    break;
                }
                Err(error) => {
                    self.notes.push(format!(
                        "the logs of run {} could not be fetched: {}",
                        before.run.id,
                        error.words()
                    ));
                }
            }
        }
        if all.len() == 1 && self.wanted.previous > 0 {
            self.notes.push("no earlier run of this workflow was found whose cache this run could read".to_owned());
        }
        let workflow = judged.run.file();
        let workflow = match workflow.is_empty() || judged.run.head_sha.is_empty() {
            true => None,
            false => self.text(workflow, &judged.run.head_sha).ok().map(|text| Source::new(workflow, text)),
        };
        all.reverse();
        Ok(FetchedRuns { repository, jobs: all.concat(), workflow, caches, notes: self.notes })
    }

    /// Lists what came before a run, newest first: its own attempts, then the runs whose entries it can read.
    fn before(&self, judged: &ChosenRun) -> Result<Vec<ChosenRun>, CliProblem> {
        if self.wanted.previous == 0 {
            return Ok(Vec::new());
        }
        let run = &judged.run;
        let own = |attempt| ChosenRun { run: run.clone(), attempt, job: None };
        let mut found: Vec<ChosenRun> = (1..judged.attempt).rev().map(own).collect();
        let default = &self.repository.default_branch;
        let base = run.pull_requests.first().map_or(default, |pull| &pull.base.name);
        let mut branches: Vec<&str> = run.head_branch.iter().map(String::as_str).collect();
        branches.extend([base.as_str(), default.as_str()]);
        let mut runs: BTreeMap<u64, WorkflowRun> = BTreeMap::new();
        let mut asked: Vec<&str> = Vec::new();
        for branch in branches {
            if asked.contains(&branch) {
                continue;
            }
            asked.push(branch);
            let created = encoded(&format!("<={}", run.created_at));
            let path = format!(
                "/actions/workflows/{}/runs?branch={}&created={created}&per_page=50",
                run.workflow_id,
                encoded(branch)
            );
            let what = format!("the runs before run {}", run.id);
            let page: RunsPage = self.gh.document(&path).map_err(|error| error.problem(&what))?;
            let readable = |other: &WorkflowRun| {
                let of_branch = !other.of_pull_request() && [base, default].contains(&&branch.to_owned());
                other.same_scope(run) || (of_branch && other.head_branch.as_deref() == Some(branch))
            };
            let earlier = |other: &WorkflowRun| other.run_number < run.run_number && other.worked();
            runs.extend(
                page.workflow_runs
                    .into_iter()
                    .filter(|one| earlier(one) && readable(one))
                    .map(|one| (one.run_number, one)),
            );
        }
        found.extend(runs.into_values().rev().map(|run| ChosenRun { attempt: run.run_attempt, run, job: None }));
        Ok(found)
    }

    /// Fetches the logs of a run: its archive, or where it has not ended those of its jobs that have.
    fn logs(&mut self, chosen: &ChosenRun) -> Result<Vec<LoggedJob>, GhError> {
        let (id, attempt) = (chosen.run.id, chosen.attempt);
        if let Some(job) = &chosen.job {
            return self.job_logs(chosen, std::slice::from_ref(job));
        }
        if chosen.run.completed() || attempt < chosen.run.run_attempt {
            let path = format!("/actions/runs/{id}/attempts/{attempt}/logs");
            let file = self.gh.bytes(&path, "application/vnd.github+json")?;
            let name = self.kept(chosen, "logs.zip", &file)?;
            let jobs = log::read_archive(&name, file, log::ZipLimits::default());
            return jobs.map_err(|error| GhError::Stopped(CliProblem::from_error(&error).hint(error.hint())));
        }
        let page: JobsPage = self.gh.document(&format!("/actions/runs/{id}/attempts/{attempt}/jobs?per_page=100"))?;
        let (ended, under_way): (Vec<JobAnswer>, Vec<JobAnswer>) =
            page.jobs.into_iter().partition(|job| job.status == "completed");
        let names: Vec<String> = under_way.iter().map(|job| format!("`{}`", job.name)).collect();
        if !names.is_empty() {
            self.notes.push(format!("run {id} is under way: {} not ended, so not judged", names.join(", ")));
        }
        let ended: Vec<JobAnswer> =
            ended.into_iter().filter(|job| job.conclusion.as_deref() != Some("skipped")).collect();
        self.job_logs(chosen, &ended)
    }

    fn job_logs(&self, chosen: &ChosenRun, jobs: &[JobAnswer]) -> Result<Vec<LoggedJob>, GhError> {
        let mut found = Vec::new();
        for job in jobs {
            let mut file = self.gh.bytes(&format!("/actions/jobs/{}/logs", job.id), "application/vnd.github+json")?;
            let plain: String =
                job.name.chars().map(|char| if matches!(char, '/' | '\\' | ':') { '_' } else { char }).collect();
            let name = self.kept(chosen, &format!("{plain}.log"), &file)?;
            let mut reader = LogReader::new(&name);
            reader.file(&name, Some(&job.name), None);
            let mut chunk = vec![0; 1 << 18];
            loop {
                match file.read(&mut chunk).map_err(|error| cannot("read", &name, &error))? {
                    0 => break,
                    count => reader.feed(&chunk[..count]),
                }
            }
            found.extend(reader.finish());
        }
        Ok(found)
    }

    /// Keeps a log where that is wanted; returns the name it is quoted by.
    fn kept(&self, chosen: &ChosenRun, name: &str, mut file: &File) -> Result<String, GhError> {
        let run = match chosen.attempt {
            1 => format!("run-{}", chosen.run.id),
            attempt => format!("run-{}-attempt-{attempt}", chosen.run.id),
        };
        let Some(dir) = self.wanted.keep else { return Ok(format!("{run}/{name}")) };
        let path = dir.join(run).join(name);
        let shown = path.display().to_string();
        let write = || -> io::Result<()> {
            if let Some(dir) = path.parent() {
                fs::create_dir_all(dir)?;
            }
            io::copy(&mut file, &mut File::create(&path)?)?;
            io::Seek::rewind(&mut file)
        };
        let mut write = write;
        write().map_err(|error| cannot("write", &shown, &error))?;
        Ok(shown)
    }
}

fn cannot(doing: &str, name: &str, error: &io::Error) -> GhError {
    GhError::Stopped(CliProblem::stopped(format!("cannot {doing} {name}: {error}")))
}

/// Tells whether the earlier runs at hand say where the judged run's entry came from, or why there is none.
fn answered(newest_first: &[Vec<LoggedJob>]) -> bool {
    let [judged, earlier @ ..] = newest_first else { return false };
    if earlier.is_empty() {
        return false;
    }
    judged.iter().all(|job| {
        let mut before = earlier.iter().flatten().filter(|other| other.name == job.name).peekable();
        let keys: Vec<&str> = job.events.iter().filter_map(|event| found_key(&event.fact)).collect();
        let missed = job.events.iter().any(|event| matches!(event.fact, Fact::CacheLookup(Lookup::Miss)));
        let saves: Vec<&SaveOutcome> = before
            .by_ref()
            .flat_map(|other| &other.events)
            .filter_map(|event| match &event.fact {
                Fact::CacheSave(save) => Some(save),
                _ => None,
            })
            .collect();
        let saved =
            |key: &str| saves.iter().any(|save| matches!(save, SaveOutcome::Saved { key: other } if other == key));
        match (keys.as_slice(), missed) {
            ([], false) => true,
            ([], true) => !saves.is_empty(),
            (keys, _) => keys.iter().all(|key| saved(key)),
        }
    })
}

fn found_key(fact: &Fact) -> Option<&str> {
    match fact {
        Fact::CacheRestored { key }
        | Fact::CacheLookup(
            Lookup::Exact { key } | Lookup::Partial { key } | Lookup::Hit { key } | Lookup::LookupOnly { key },
        ) => Some(key),
        _ => None,
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Escapes a text for a part of an address.
pub(super) fn encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_an_address_is_escaped() {
        assert_eq!(encoded("feature/a b&c=ü"), "feature%2Fa%20b%26c%3D%C3%BC");
        assert_eq!(encoded("ci-1.yml"), "ci-1.yml");
    }
}
