//! The third door to the rules: a repository's own workflows and Dockerfiles, before any run. [`lint`] is principal.
//!
//! A lint has a plan and no evidence. It asks the verifier's rules about the run that the files declare, and rules of its
//! own about what only files show. What depends on a run is unknown here, and nothing is said about it. It reads no file:
//! whoever calls it brings the texts, and a [`LintFiles`] that answers for the rest.

mod base;
mod build;
mod codes;
mod declare;
mod edit;
mod finding;
mod fix;
mod fixes;
mod ignore;
mod job;
mod place;
mod repository;
mod rules;
mod shared;
mod triggers;
mod unread;
mod values;
mod version;

pub use base::unbumped;
pub use codes::{definition, definitions};
pub use finding::{LintDefinition, LintEdit, LintFinding, LintPlace, LintProblem, LintReport};
pub use fix::{Mended, mend};
pub use repository::{LintFiles, MemoryFiles};
pub use version::{CacheVersion, cache_version_of};

use std::collections::BTreeMap;

use build::BuildFile;
use ignore::Ignores;
use job::{LintJob, SharedCache};

use crate::plan::{Action, JobPlan, PlanOptions};
use crate::source::Source;
use crate::workflow::Workflow;

/// A workflow that could be read.
struct ReadWorkflow {
    workflow: Workflow,
    plans: Vec<JobPlan>,
}

/// Looks at workflows of one repository together: what one of them saves, another may restore.
pub fn lint(workflows: &[Source], files: &dyn LintFiles) -> LintReport {
    let mut report = LintReport { workflows: workflows.len(), ..LintReport::default() };
    let read: Vec<ReadWorkflow> = workflows.iter().filter_map(|source| read(source, &mut report)).collect();
    let shared = shared_caches(&read, files);
    for ReadWorkflow { workflow, plans } in &read {
        for plan in plans {
            let job = LintJob::new(plan, workflow, files, &shared);
            if !job.concerns() {
                continue;
            }
            report.jobs += 1;
            remember(&job, &mut report);
            let mut found = shared::findings(&job);
            found.extend(rules::findings(&job));
            let mut found = rules::root_causes(found);
            found.iter_mut().for_each(|finding| fixes::propose(&job, finding));
            report.findings.extend(found);
        }
    }
    silence(&mut report);
    report.findings.sort_by(|one, other| key(one).cmp(&key(other)));
    report
        .findings
        .dedup_by(|one, other| one.code == other.code && one.places == other.places && one.title == other.title);
    report
}

/// Takes out what a comment in a file silences.
fn silence(report: &mut LintReport) {
    let ignores: BTreeMap<&str, Ignores> =
        report.sources.iter().map(|(name, source)| (name.as_str(), Ignores::of(&source.text))).collect();
    let before = report.findings.len();
    report.findings.retain(|finding| {
        !finding.places.iter().any(|place| {
            ignores.get(place.file.as_str()).is_some_and(|ignores| ignores.silence(finding.code, place.span.start))
        })
    });
    report.ignored = before - report.findings.len();
}

fn key(finding: &LintFinding) -> (String, usize, crate::verify::Severity, &'static str) {
    let first = finding.places.first();
    let place = first.map(|place| (place.file.clone(), place.span.start)).unwrap_or_default();
    (place.0, place.1, finding.severity, finding.code)
}

fn read(source: &Source, report: &mut LintReport) -> Option<ReadWorkflow> {
    let workflow = match Workflow::parse(source) {
        Ok(workflow) => workflow,
        Err(error) => {
            report.unread.push(LintProblem { message: error.to_string(), hint: error.hint() });
            return None;
        }
    };
    let mut plans = Vec::new();
    for job in workflow.jobs.iter().filter(|job| job.calls.is_none()) {
        match JobPlan::listed(&workflow, job, &PlanOptions::default()) {
            Ok(plan) => plans.push(plan),
            Err(error) => report.unread.push(LintProblem { message: error.to_string(), hint: error.hint() }),
        }
    }
    Some(ReadWorkflow { workflow, plans })
}

/// Keeps the texts that findings may point into.
fn remember(job: &LintJob<'_>, report: &mut LintReport) {
    let dockerfiles = job.builds.iter().filter_map(|build| build.dockerfile()).map(|file| file.source());
    for source in dockerfiles.chain([job.source()]) {
        report.sources.entry(source.name.clone()).or_insert_with(|| source.clone());
    }
    for build in &job.builds {
        if let BuildFile::Refused(error) = &build.file {
            let problem = LintProblem { message: error.to_string(), hint: error.hint() };
            if !report.unread.contains(&problem) {
                report.unread.push(problem);
            }
        }
    }
}

/// Lists the cache steps of every job.
fn shared_caches(workflows: &[ReadWorkflow], files: &dyn LintFiles) -> Vec<SharedCache> {
    let mut all = Vec::new();
    for ReadWorkflow { workflow, plans } in workflows {
        for plan in plans {
            if !plan.steps.iter().any(|step| matches!(step.action, Action::Cache(_))) {
                continue;
            }
            let job = LintJob::new(plan, workflow, files, &[]);
            let on_branch = triggers::saves_for_others(workflow);
            for cache in &job.caches {
                all.push(SharedCache {
                    job: (plan.source().name.clone(), plan.job_id.clone()),
                    part: cache.part,
                    paths: cache.paths.clone(),
                    key: cache.step.input("key").map(|key| key.raw().to_owned()).unwrap_or_default(),
                    resolved: cache.key.text.clone(),
                    on_branch,
                });
            }
        }
    }
    all
}
