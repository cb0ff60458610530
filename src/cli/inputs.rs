//! The logs a person gives: files, archives, directories, standard input. [`read_inputs`] is principal.
//!
//! What holds not one line of a workflow's log is refused here: nobody who passes a login page wants a verdict of it.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use super::problem::CliProblem;
use super::reading::ProgressReading;
use crate::log::{self, LogReader, LoggedJob};

/// Bytes read at a time.
const CHUNK: usize = 1 << 18;

/// How much of a file is kept to say what it is, where it is no log.
const HEAD: usize = 64 << 10;

/// How many loose logs of a directory are taken for runs of one job.
const LOOSE: usize = 20;

/// How to come by a log.
const GET_A_LOG: &str = "a log is what `gh run view RUN --log` prints, or the archive behind the gear of a run's page \
                         (\"Download log archive\"); `verify-buildkit-cache logs OWNER/REPO` fetches it";

/// Reads all inputs.
///
/// # Errors
/// When one cannot be read, or holds no log of a workflow.
pub(super) fn read_inputs(inputs: &[PathBuf]) -> Result<Vec<LoggedJob>, CliProblem> {
    let mut jobs = Vec::new();
    for input in inputs {
        let found = read_jobs(input)?;
        if found.iter().all(is_nothing) && input.is_dir() {
            return Err(no_log(&input.display().to_string(), "no file in it is a log of a workflow"));
        }
        jobs.extend(found);
    }
    Ok(jobs)
}

/// Tells whether nothing of a workflow was recognised in what was read.
fn is_nothing(job: &LoggedJob) -> bool {
    job.events.is_empty()
}

fn no_log(name: &str, what: &str) -> CliProblem {
    CliProblem::stopped(format!("{name}: {what}")).hint(Some(GET_A_LOG.to_owned())).at(name, None)
}

/// Reads one input: a log, a zip, a directory of logs, or standard input.
pub(super) fn read_jobs(input: &Path) -> Result<Vec<LoggedJob>, CliProblem> {
    if input == Path::new("-") {
        return feed(ProgressReading::new(io::stdin().lock(), "standard input", None), "standard input");
    }
    let name = input.display().to_string();
    let failed = |error: io::Error| {
        let hint = (error.kind() == io::ErrorKind::NotFound).then(|| GET_A_LOG.to_owned());
        CliProblem::stopped(format!("cannot read {name}: {error}")).hint(hint).at(&name, None)
    };
    if input.is_dir() {
        return directory(input, &name);
    }
    let file = File::open(input).map_err(failed)?;
    let whole = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|about| about.len());
    let mut file = ProgressReading::new(file, &name, whole);
    let mut magic = [0u8; 4];
    let length = file.read(&mut magic).map_err(failed)?;
    if magic.starts_with(&[0x1f, 0x8b]) {
        let problem = CliProblem::stopped(format!("{name} is compressed")).at(&name, None);
        return Err(problem.hint(Some(format!("unpack it: gunzip -c {name} | verify-buildkit-cache logs -"))));
    }
    if magic[..length] == *b"PK\x03\x04" {
        file.rewind().map_err(failed)?;
        let jobs = log::read_archive(&name, file, log::ZipLimits::default());
        let jobs = jobs.map_err(|error| CliProblem::from_error(&error).hint(error.hint()).at(&name, None))?;
        return match jobs.iter().all(is_nothing) {
            true => Err(no_log(&name, "no file in the archive is a log of a workflow")),
            false => Ok(jobs),
        };
    }
    feed(io::Cursor::new(&magic[..length]).chain(file), &name)
}

fn feed(from: impl Read, name: &str) -> Result<Vec<LoggedJob>, CliProblem> {
    let mut reader = LogReader::new(name);
    let mut head = Vec::new();
    copy(
        from,
        &mut |piece| {
            head.extend_from_slice(&piece[..piece.len().min(HEAD.saturating_sub(head.len()))]);
            reader.feed(piece);
        },
        name,
    )?;
    let jobs = reader.finish();
    if jobs.iter().all(is_nothing) { Err(no_log(name, &kind_of(&head))) } else { Ok(jobs) }
}

fn copy(mut from: impl Read, take: &mut dyn FnMut(&[u8]), name: &str) -> Result<(), CliProblem> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match from.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => take(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(CliProblem::stopped(format!("cannot read {name}: {error}")).at(name, None)),
        }
    }
}

/// Says what a file is that is no log, by its beginning.
fn kind_of(head: &[u8]) -> String {
    let text = String::from_utf8_lossy(head);
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let lower = start.get(..start.len().min(200)).unwrap_or_default().to_ascii_lowercase();
    if start.is_empty() {
        return "it is empty".to_owned();
    }
    if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        return "it is a web page, such as one that asks to sign in, and no log".to_owned();
    }
    if start.starts_with(['{', '[']) {
        let answer: Option<serde_json::Value> = serde_json::from_str(start).ok();
        let message = answer.as_ref().and_then(|answer| answer["message"].as_str());
        return match message {
            Some(message) => {
                let message: String = message.chars().filter(|char| !char.is_control()).take(100).collect();
                format!("it is an error that a server answered (\"{message}\"), and no log")
            }
            None => "it is JSON, and no log".to_owned(),
        };
    }
    if head.contains(&0) && !head.starts_with(&[0xff, 0xfe]) && !head.starts_with(&[0xfe, 0xff]) {
        return "it is no text, and no log".to_owned();
    }
    "not one line of it is of a workflow's log".to_owned()
}

/// Reads a directory: the evidence of a run, the logs that were kept of GitHub's, or an archive that was unpacked.
fn directory(dir: &Path, name: &str) -> Result<Vec<LoggedJob>, CliProblem> {
    let failed = |error: io::Error| CliProblem::stopped(format!("cannot read {name}: {error}")).at(name, None);
    if let Some(logs) = logs_of_runs(dir).map_err(failed)? {
        let mut jobs = Vec::new();
        for log in logs {
            jobs.extend(read_jobs(&log)?);
        }
        return Ok(jobs);
    }
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
    let parts = log::arrange(&names);
    let loose = parts.iter().filter(|part| part.job.is_none()).count();
    let mut reader = LogReader::new(name);
    for part in parts {
        let Some(inside) = names.get(part.index) else { continue };
        reader.file(&format!("{name}/{inside}"), part.job.as_deref(), part.step.as_deref());
        let path = dir.join(inside);
        let file = File::open(&path).map_err(failed)?;
        let whole = file.metadata().ok().map(|about| about.len());
        let name = path.display().to_string();
        copy(ProgressReading::new(file, &name, whole), &mut |piece| reader.feed(piece), &name)?;
    }
    let jobs = reader.finish();
    if loose > 1 {
        unrelated(name, &jobs)?
    }
    Ok(jobs)
}

/// Finds the logs in a folder that `run --out` or `--keep-logs` has written: `run-1/job.log`, `run-123/logs.zip`.
fn logs_of_runs(dir: &Path) -> io::Result<Option<Vec<PathBuf>>> {
    let mut runs: Vec<(u64, u64, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(number) = name.to_str().and_then(|name| name.strip_prefix("run-")) else { continue };
        let (number, attempt) = number.split_once("-attempt-").unwrap_or((number, "1"));
        if let (Ok(number), Ok(attempt), true) = (number.parse(), attempt.parse(), entry.path().is_dir()) {
            runs.push((number, attempt, entry.path()));
        }
    }
    runs.sort();
    let mut logs = Vec::new();
    for (.., run) in runs {
        let mut files: Vec<PathBuf> = std::fs::read_dir(run)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.retain(|path| path.extension().is_some_and(|end| end == "log" || end == "zip"));
        files.sort();
        logs.extend(files);
    }
    Ok((!logs.is_empty()).then_some(logs))
}

/// Refuses loose logs that are not runs of one job: which to judge, and in which order, only a person knows.
fn unrelated(name: &str, jobs: &[LoggedJob]) -> Result<(), CliProblem> {
    let logs: Vec<&LoggedJob> = jobs.iter().filter(|job| !is_nothing(job)).collect();
    let Some(first) = logs.first() else { return Ok(()) };
    let alike = |job: &&&LoggedJob| {
        let apart = job.repository.as_ref().zip(first.repository.as_ref()).is_some_and(|(one, other)| one != other);
        job.name == first.name && !apart
    };
    if logs.len() <= LOOSE && logs.iter().filter(alike).count() == logs.len() {
        return Ok(());
    }
    let line = |job: &&LoggedJob| {
        let of = job.repository.as_ref().map_or_else(String::new, |repository| format!(" of {repository}"));
        let title = job.name.as_ref().map_or_else(|| "a job".to_owned(), |name| format!("job `{name}`"));
        let text = format!("  {}: {title}{of}", job.source);
        text.chars().filter(|char| !char.is_control()).take(150).collect::<String>()
    };
    let mut list: Vec<String> = logs.iter().take(LOOSE).map(line).collect();
    if logs.len() > LOOSE {
        list.push(format!("  (and {} more)", logs.len() - LOOSE));
    }
    let problem = CliProblem::stopped(format!("{name} holds {} logs that are not the runs of one job", logs.len()));
    let hint = format!("name those to judge, oldest first: verify-buildkit-cache logs {name}/FIRST {name}/SECOND");
    Err(problem.detail(Some(list.join("\n"))).hint(Some(hint)).at(name, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_log_is_called_by_its_name() {
        assert_eq!(
            kind_of(b"\n <!DOCTYPE html><title>Sign in"),
            "it is a web page, such as one that asks to sign in, and no log"
        );
        assert_eq!(
            kind_of(br#"{"message": "Not Found", "status": "404"}"#),
            "it is an error that a server answered (\"Not Found\"), and no log"
        );
        assert_eq!(kind_of(b"[1, 2]"), "it is JSON, and no log");
        assert_eq!(kind_of(b"\x7fELF\0\0"), "it is no text, and no log");
        assert_eq!(kind_of(b" \n"), "it is empty");
        assert_eq!(kind_of(b"Dear reader,\n"), "not one line of it is of a workflow's log");
    }
}
