//! `logs`: the verdict from CI logs alone.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use super::args::{Format, Logs};
use super::exit::Exit;
use super::judging::{profile, thresholds};
use super::present::{Presented, visible, write_page};
use super::problem::CliProblem;
use super::reading::{ProgressReading, read};
use super::{out, say};
use crate::dockerfile::Dockerfile;
use crate::evidence::{Evidence, MountSpec, Quote};
use crate::log::{self, LogReader, LoggedJob, RunsOfJob};
use crate::report::{self, HtmlSubject};
use crate::scenario::ScenarioLimits;
use crate::verify::{self, Case, CaseSource, Note, Profile, Report, Verdict};
use crate::workflow::Workflow;

/// Bytes read at a time.
const CHUNK: usize = 1 << 18;

/// Runs `logs`.
pub(super) fn run(args: &Logs) -> Result<Exit, CliProblem> {
    let files = SideFiles {
        mounts: args.dockerfile.as_deref().map(dockerfile_mounts).transpose()?,
        workflow: args.workflow.as_deref().map(workflow).transpose()?,
    };
    let mut jobs = Vec::new();
    for input in &args.inputs {
        jobs.extend(read_jobs(input)?);
    }
    // Jobs that build no image are nothing to judge, where another does build one.
    let (judged, idle): (Vec<RunsOfJob>, Vec<RunsOfJob>) = log::in_order(jobs).into_iter().partition(RunsOfJob::builds);
    let (judged, idle) = if judged.is_empty() { (idle, judged) } else { (judged, idle) };
    let mut idle: Vec<Note> =
        idle.iter().map(|group| note(format!("job `{}` builds no image; it is not judged", title(group)))).collect();
    let profile = profile(&args.judging, Profile::Auto);
    let thresholds = thresholds(&args.judging, &ScenarioLimits::default());
    let mut worst: Option<Verdict> = None;
    let mut documents = Vec::new();
    let mut pages: Vec<(String, Report)> = Vec::new();
    for group in &judged {
        let runs = group.runs.iter().map(LoggedJob::evidence).collect();
        let case = Case { runs, source: CaseSource::Logs, thresholds, profile };
        let mut report = match files.any() {
            true => {
                let runs = group.runs.iter().map(|job| files.inform(job)).collect();
                verify::verify_informed(&case, &Case { runs, ..case.clone() })
            }
            false => verify::verify(&case),
        };
        report.notes.extend(group.notes.iter().cloned().map(note));
        report.notes.append(&mut idle);
        let subject = group.runs.iter().map(LoggedJob::title).collect::<Vec<_>>().join(", ");
        let presented = Presented {
            command: "logs",
            subject: &subject,
            scenario: None,
            profile,
            thresholds: &thresholds,
            timing: None,
            evidence: None,
            repeat: None,
            explain: args.explain,
            assumed: &[],
            hidden: None,
        };
        match args.format {
            Format::Json if judged.len() > 1 => documents.push(presented.document(&report)),
            // All jobs are one page.
            Format::Html => {}
            format => presented.print(&report, format),
        }
        worst = Some(worse(worst, report.verdict));
        pages.push((subject, report));
    }
    let page = || {
        let subjects: Vec<HtmlSubject> = pages
            .iter()
            .map(|(subject, report)| HtmlSubject { subject, report, evidence: None, repeat: None })
            .collect();
        report::html(&subjects)
    };
    if matches!(args.format, Format::Html) && !pages.is_empty() {
        out(&page());
    }
    if let Some(path) = args.html.as_deref().filter(|_| !pages.is_empty()) {
        write_page(path, &page())?;
    }
    if let Some(verdict) = worst.filter(|_| judged.len() > 1) {
        match args.format {
            Format::Json => out(&visible(&format!("{:#}\n", report::json_of_jobs("logs", verdict, documents)))),
            Format::Text => out(&format!("\nall {} jobs together: {}\n", judged.len(), verdict.as_str())),
            Format::Github | Format::Markdown | Format::Html => {}
        }
    }
    match worst {
        Some(verdict) => Ok(verdict.into()),
        None => {
            Err(CliProblem::stopped("the logs hold no job").hint(Some("pass the log of a job that builds".to_owned())))
        }
    }
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

fn worse(one: Option<Verdict>, other: Verdict) -> Verdict {
    match (one, other) {
        (Some(Verdict::Ineffective), _) | (_, Verdict::Ineffective) => Verdict::Ineffective,
        (Some(Verdict::Inconclusive), _) | (_, Verdict::Inconclusive) => Verdict::Inconclusive,
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

/// Reads one input: a log, a zip, a directory of logs, or standard input.
pub(super) fn read_jobs(input: &Path) -> Result<Vec<LoggedJob>, CliProblem> {
    if input == Path::new("-") {
        return feed(ProgressReading::new(io::stdin().lock(), "standard input", None), "standard input");
    }
    let name = input.display().to_string();
    let failed = |error: io::Error| CliProblem::stopped(format!("cannot read {name}: {error}"));
    if input.is_dir() {
        return directory(input, &name);
    }
    let file = File::open(input).map_err(failed)?;
    let whole = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|about| about.len());
    let mut file = ProgressReading::new(file, &name, whole);
    let mut magic = [0u8; 4];
    let length = file.read(&mut magic).map_err(failed)?;
    if magic.starts_with(&[0x1f, 0x8b]) {
        let problem = CliProblem::stopped(format!("{name} is compressed"));
        return Err(problem.hint(Some(format!("unpack it: gunzip -c {name} | verify-buildkit-cache logs -"))));
    }
    if magic[..length] == *b"PK\x03\x04" {
        file.rewind().map_err(failed)?;
        let jobs = log::read_archive(&name, file, log::ZipLimits::default());
        return jobs.map_err(|error| CliProblem::from_error(&error).hint(error.hint()));
    }
    feed(io::Cursor::new(&magic[..length]).chain(file), &name)
}

fn feed(from: impl Read, name: &str) -> Result<Vec<LoggedJob>, CliProblem> {
    let mut reader = LogReader::new(name);
    copy(from, &mut reader, name)?;
    Ok(reader.finish())
}

fn copy(mut from: impl Read, reader: &mut LogReader, name: &str) -> Result<(), CliProblem> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match from.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => reader.feed(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(CliProblem::stopped(format!("cannot read {name}: {error}"))),
        }
    }
}

/// Reads an archive that was unpacked.
fn directory(dir: &Path, name: &str) -> Result<Vec<LoggedJob>, CliProblem> {
    let failed = |error: io::Error| CliProblem::stopped(format!("cannot read {name}: {error}"));
    let mut names = Vec::new();
    let mut open: Vec<PathBuf> = vec![dir.to_owned()];
    while let Some(below) = open.pop() {
        for entry in std::fs::read_dir(&below).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            if entry.file_type().map_err(failed)?.is_dir() {
                open.push(path);
            } else if let Some(inside) = path.strip_prefix(dir).ok().and_then(Path::to_str) {
                names.push(inside.to_owned());
            }
        }
    }
    names.sort();
    let mut reader = LogReader::new(name);
    for part in log::arrange(&names) {
        let Some(inside) = names.get(part.index) else { continue };
        reader.file(&format!("{name}/{inside}"), part.job.as_deref(), part.step.as_deref());
        let path = dir.join(inside);
        let file = File::open(&path).map_err(failed)?;
        let whole = file.metadata().ok().map(|about| about.len());
        let name = path.display().to_string();
        copy(ProgressReading::new(file, &name, whole), &mut reader, &name)?;
    }
    Ok(reader.finish())
}
