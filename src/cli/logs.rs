//! `logs`: the verdict from CI logs alone.

use std::path::{Path, PathBuf};

use super::args::Logs;
use super::exit::Exit;
use super::gh::{GithubTarget, RunsWanted, fetch};
use super::inputs::read_inputs;
pub(super) use super::inputs::read_jobs;
use super::judging::{profile, thresholds};
use super::present::{Presented, document, page, print_all, write_page};
use super::problem::CliProblem;
use super::reading::read;
use super::talk::say;
use crate::dockerfile::Dockerfile;
use crate::evidence::{Evidence, MountSpec, Quote};
use crate::log::{self, LoggedJob, RunsOfJob};
use crate::scenario::ScenarioLimits;
use crate::suggest::did_you_mean;
use crate::verify::{self, Case, CaseSource, Note, Profile, Report, Verdict};
use crate::workflow::Workflow;

/// Runs `logs`.
pub(super) fn run(args: &Logs) -> Result<Exit, CliProblem> {
    let mut files = SideFiles {
        mounts: args.dockerfile.as_deref().map(dockerfile_mounts).transpose()?,
        workflow: args.workflow.as_deref().map(workflow).transpose()?,
    };
    let fetched = github_target(args)?.map(|target| fetch(&target, &runs_wanted(args))).transpose()?;
    let mut jobs = Vec::new();
    match &fetched {
        Some(fetched) => {
            jobs.extend(fetched.jobs.iter().cloned());
            if let Some(source) = fetched.workflow.as_ref().filter(|_| args.workflow.is_none()) {
                files.workflow = Workflow::parse(source).ok();
            }
        }
        None => jobs = read_inputs(&args.inputs)?,
    }
    if let Some(name) = &args.job {
        let known: Vec<String> = jobs.iter().filter_map(|job| job.name.clone()).collect();
        jobs.retain(|job| job.name.as_ref() == Some(name));
        if jobs.is_empty() {
            let hint = did_you_mean(name, known.iter().map(String::as_str));
            return Err(CliProblem::usage(format!("no log is of a job `{name}`"))
                .hint(hint.or_else(|| Some(format!("the jobs are {}", known.join(", "))))));
        }
    }
    // Jobs that build no image are nothing to judge, where another does build one.
    let (judged, idle): (Vec<RunsOfJob>, Vec<RunsOfJob>) = log::in_order(jobs).into_iter().partition(RunsOfJob::builds);
    let (judged, idle) = if judged.is_empty() { (idle, judged) } else { (judged, idle) };
    let mut idle: Vec<Note> =
        idle.iter().map(|group| note(format!("job `{}` builds no image; it is not judged", title(group)))).collect();
    let profile = profile(&args.judging, Profile::Auto);
    let thresholds = thresholds(&args.judging, &ScenarioLimits::default());
    let mut reports: Vec<(String, Report)> = Vec::new();
    for group in &judged {
        let runs = group.runs.iter().map(LoggedJob::evidence).collect();
        let case = Case { runs, source: CaseSource::Logs, thresholds, profile };
        let listed = fetched.as_ref().map(|fetched| fetched.caches.facts(&group.runs)).unwrap_or_default();
        let mut report = match files.any() || !listed.events.is_empty() {
            true => {
                let mut runs = group.runs.clone();
                if let Some(judged) = runs.last_mut() {
                    judged.events.extend(listed.events);
                }
                let runs = runs.iter().map(|job| files.inform(job)).collect();
                verify::verify_informed(&case, &Case { runs, ..case.clone() })
            }
            false => verify::verify(&case),
        };
        report.notes.extend(group.notes.iter().cloned().map(note));
        report.notes.extend(listed.notes);
        report.notes.extend(fetched.iter().flat_map(|fetched| fetched.notes.iter().cloned().map(note)));
        report.notes.append(&mut idle);
        let subject = match &fetched {
            Some(fetched) => format!("{} of {}, {} runs", title(group), fetched.repository, group.runs.len()),
            None => group.runs.iter().map(LoggedJob::title).collect::<Vec<_>>().join(", "),
        };
        reports.push((subject, report));
    }
    let Some(worst) = reports.iter().map(|(_, report)| report.verdict).reduce(worse) else {
        return Err(
            CliProblem::stopped("the logs hold no job").hint(Some("pass the log of a job that builds".to_owned()))
        );
    };
    let presented: Vec<Presented> = reports
        .iter()
        .map(|(subject, _)| Presented {
            command: "logs",
            subject,
            scenario: None,
            profile,
            thresholds: &thresholds,
            timing: None,
            evidence: None,
            repeat: None,
            explain: args.explain,
            assumed: &[],
            hidden: None,
        })
        .collect();
    let told: Vec<(&Presented, &Report)> = presented.iter().zip(reports.iter().map(|(_, report)| report)).collect();
    print_all("logs", &told, worst, args.format);
    if let Some(path) = &args.html {
        write_page(path, &page(&told))?;
    }
    if let Some(path) = &args.json {
        let written = std::fs::write(path, document("logs", &told, worst));
        written.map_err(|error| CliProblem::stopped(format!("cannot write {}: {error}", path.display())))?;
    }
    Ok(worst.into())
}

/// Tells what of GitHub is asked for, where the arguments name no file.
fn github_target(args: &Logs) -> Result<Option<GithubTarget>, CliProblem> {
    let of_input = |input: &PathBuf| input.to_str().and_then(GithubTarget::of_input);
    match (args.run, args.inputs.as_slice()) {
        (None, [one]) => Ok(of_input(one)),
        (None, several) => match several.iter().find(|input| of_input(input).is_some()) {
            None => Ok(None),
            Some(input) => {
                Err(CliProblem::usage(format!("{} is on GitHub, and there are other inputs", input.display())).hint(
                    Some("name one run; those before it are fetched with it (--previous says how many)".to_owned()),
                ))
            }
        },
        (Some(id), []) => Ok(Some(GithubTarget::of_run(id, None))),
        (Some(id), [one]) => match of_input(one) {
            Some(target) => Ok(Some(GithubTarget::of_run(id, Some(target)))),
            None => Err(not_with_run(one)),
        },
        (Some(_), [one, ..]) => Err(not_with_run(one)),
    }
}

fn not_with_run(input: &Path) -> CliProblem {
    CliProblem::usage(format!("--run fetches a run from GitHub, and {} is no repository there", input.display()))
        .hint(Some("give --run with OWNER/REPO, or alone in a clone of the repository".to_owned()))
}

fn runs_wanted(args: &Logs) -> RunsWanted<'_> {
    RunsWanted { previous: args.previous, branch: args.branch.as_deref(), keep: args.keep_logs.as_deref() }
}

/// The name of a job, or of the file it stands in.
fn title(group: &RunsOfJob) -> String {
    group.runs.first().map(LoggedJob::title).unwrap_or_default()
}

fn note(text: String) -> Note {
    Note { text, evidence: Vec::new() }
}

/// The files at hand beside the logs.
struct SideFiles {
    mounts: Option<(Vec<MountSpec>, Quote)>,
    workflow: Option<Workflow>,
}

impl SideFiles {
    fn any(&self) -> bool {
        self.mounts.is_some() || self.workflow.is_some()
    }

    /// Adds to a job what the files say of it.
    fn inform(&self, job: &LoggedJob) -> Evidence {
        let mut events = job.events.clone();
        if let Some((mounts, quote)) = &self.mounts {
            events = log::with_dockerfile_mounts(events, mounts, quote);
        }
        if let Some(workflow) = &self.workflow {
            match log::job_of(workflow, job.name.as_deref()) {
                Some(of) => events = log::with_workflow(events, workflow, of),
                None => {
                    say(&format!("{}: no job of the workflow is known to be this one; it adds nothing", job.title()))
                }
            }
        }
        Evidence::fold(job.title(), &events)
    }
}

fn workflow(path: &Path) -> Result<Workflow, CliProblem> {
    let source = read(path)?;
    Workflow::parse(&source).map_err(|error| CliProblem::from_error(&error).hint(error.hint()))
}

fn worse(one: Verdict, other: Verdict) -> Verdict {
    match (one, other) {
        (Verdict::Ineffective, _) | (_, Verdict::Ineffective) => Verdict::Ineffective,
        (Verdict::Inconclusive, _) | (_, Verdict::Inconclusive) => Verdict::Inconclusive,
        _ => Verdict::Effective,
    }
}

fn dockerfile_mounts(path: &Path) -> Result<(Vec<MountSpec>, Quote), CliProblem> {
    let source = read(path)?;
    let parsed = Dockerfile::parse(&source).map_err(|error| CliProblem::from_error(&error).hint(error.hint()))?;
    let mounts = parsed.cache_mounts(&std::collections::BTreeMap::new());
    let mounts = mounts.map_err(|error| CliProblem::from_error(&error).hint(error.hint()))?;
    let quote = match mounts.first() {
        Some(mount) => {
            let line = source.place(mount.span.start).line;
            let text = source.line(line).unwrap_or_default().trim().to_owned();
            Quote { source: source.name.as_str().into(), line: Some(line), text }
        }
        None => Quote::measured(&source.name, "no cache mount"),
    };
    Ok((mounts.iter().map(MountSpec::from).collect(), quote))
}
