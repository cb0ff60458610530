//! From the flags to the actions that run for real. [`setting`] is principal.

use std::path::{Path, PathBuf};

use crate::actions::DockerTrace;
use crate::cli::args::RunArgs;
use crate::cli::problem::CliProblem;
use crate::cli::say;
use crate::cli::tools;
use crate::runner::{ActionCheckout, RealSetting, RealTools, RunError, check_out_reference};

/// Works out which actions run for real; `None` when all are simulated. What is taken out of a repository goes below
/// `scratch`.
pub(super) fn setting(args: &RunArgs, scratch: &Path, engine: &str) -> Result<Option<RealSetting>, CliProblem> {
    if args.dance.is_none() && args.cache.is_none() {
        return Ok(None);
    }
    let tools = tools()?;
    let place = |text: &Option<String>, name: &str| {
        text.as_ref().map(|text| checkout(text, &scratch.join("actions").join(name))).transpose()
    };
    let (dance, cache) = (place(&args.dance, "dance")?, place(&args.cache, "cache")?);
    Ok(Some(RealSetting { dance, cache, tools, engine: engine.to_owned(), limit: args.action_timeout }))
}

/// Finds all programs, or says which are missing.
fn tools() -> Result<RealTools, CliProblem> {
    let search = tools::search();
    let missing: Vec<String> = search.lines.iter().filter_map(|(_, line)| line.as_ref().err().cloned()).collect();
    search.tools.ok_or_else(|| {
        CliProblem::stopped("this machine lacks what it takes to run an action apart from it")
            .hint(Some(missing.join("; ")))
    })
}

/// Finds an action: a directory, or a ref of a git repository.
fn checkout(text: &str, into: &Path) -> Result<ActionCheckout, CliProblem> {
    let whole = PathBuf::from(text);
    if whole.is_dir() {
        let path = whole.canonicalize().unwrap_or(whole);
        return Ok(ActionCheckout { path, name: text.to_owned() });
    }
    let split = text.rsplit_once('@').filter(|(dir, reference)| Path::new(dir).is_dir() && !reference.is_empty());
    let Some((dir, reference)) = split else {
        return Err(CliProblem::stopped(format!("the action {text} is not a directory"))
            .hint(Some("name a directory that holds an action.yml, or DIR@REF of a git repository".to_owned())));
    };
    let done = check_out_reference(Path::new(dir), reference, into);
    done.map_err(|error: RunError| CliProblem::from_error(&error).hint(error.hint()))?;
    Ok(ActionCheckout { path: into.to_owned(), name: text.to_owned() })
}

/// Shows the docker commands of real actions, with their times and exit codes, as they were recorded beside each job's log.
pub(super) fn tell_trace(evidence: &Path) {
    let dirs = std::fs::read_dir(evidence).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut dirs: Vec<PathBuf> = dirs.filter(|dir| dir.join("docker.jsonl").exists()).collect();
    dirs.sort();
    for dir in dirs {
        let text = std::fs::read_to_string(dir.join("docker.jsonl")).unwrap_or_default();
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for command in text.lines().filter_map(|line| serde_json::from_str::<DockerTrace>(line).ok()) {
            let took = command.ended.saturating_sub(command.began) as f64 / 1e9;
            say(&format!("{name}  {took:>6.2} s  exit {:<3}  docker {}", command.code, command.args.join(" ")));
        }
    }
}
