//! `instrument`: a Dockerfile with the lines that prove what its cache mounts hold, and whether it has them. [`run`] is
//! principal.

use std::collections::BTreeMap;
use std::path::Path;

use super::exit::Exit;
use super::problem::CliProblem;
use super::reading::read;
use super::{out, say};
use crate::dockerfile::{
    ChangeKind, Dockerfile, DockerfileError, InstrumentOptions, PROOF_VERSION, ProofState, instrument, proof_states,
};

/// Prints the instrumented copy of a Dockerfile.
pub(super) fn run(path: &Path) -> Result<Exit, CliProblem> {
    let parsed = parse(path)?;
    let options = InstrumentOptions { measure: true, ..InstrumentOptions::default() };
    let copy = instrument(&parsed, &options).map_err(problem)?;
    for change in &copy.changes {
        let stage = name(&parsed, change.stage);
        match &change.kind {
            ChangeKind::NotInstrumented(why) => say(&format!("note: {stage} is not measured: {why}")),
            ChangeKind::AlreadyMeasured => say(&format!("note: {stage} prints its proof lines already")),
            _ => {}
        }
    }
    out(&copy.text);
    Ok(Exit::Effective)
}

/// Says whether a Dockerfile prints proof lines: exit code 0 where each stage that can does, else 1.
pub(super) fn check(path: &Path) -> Result<Exit, CliProblem> {
    let parsed = parse(path)?;
    let states = proof_states(&parsed, &BTreeMap::new()).map_err(problem)?;
    let lacking = |state: ProofState| matches!(state, ProofState::Unproven | ProofState::OtherVersion);
    let proven = states.iter().any(|found| found.state == ProofState::Proven);
    let whole = proven && !states.iter().any(|found| lacking(found.state));
    let answer = if whole { "instrumented" } else { "not instrumented" };
    out(&format!("{}: {answer}\n", path.display()));
    for found in &states {
        let stage = name(&parsed, found.stage);
        out(&match found.state {
            ProofState::Proven => format!("  {stage}: proof lines {PROOF_VERSION} before and after its builds\n"),
            ProofState::Unproven => format!("  {stage}: no proof lines\n"),
            ProofState::OtherVersion => {
                format!(
                    "  {stage}: lines of another version: take them out, then run `verify-buildkit-cache instrument`\n"
                )
            }
            ProofState::Unmeasurable(why) => format!("  {stage}: not measured: {why}\n"),
        });
    }
    if states.is_empty() {
        out("  no RUN with a Go cache mount\n");
    }
    Ok(if whole { Exit::Effective } else { Exit::Ineffective })
}

fn parse(path: &Path) -> Result<Dockerfile, CliProblem> {
    Dockerfile::parse(&read(path)?).map_err(problem)
}

fn problem(error: DockerfileError) -> CliProblem {
    CliProblem::from_error(&error).hint(error.hint())
}

/// How a person knows a stage: by its number, and its name where it has one.
fn name(file: &Dockerfile, stage: usize) -> String {
    match file.stages.get(stage).and_then(|stage| stage.name.as_deref()) {
        Some(name) => format!("stage {} ({name})", stage + 1),
        None => format!("stage {}", stage + 1),
    }
}
