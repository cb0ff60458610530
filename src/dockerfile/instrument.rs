//! The instrumented copy of a Dockerfile. [`instrument`] is principal.

use std::collections::BTreeMap;

use super::edit::{self, Change, ChangeKind, RUNNER_ARG, TextEdit};
use super::error::DockerfileError;
use super::measure::{self, StagePlan};
use super::parse::{Dockerfile, RunPlace};
use super::scope::CacheMount;
use super::{proof_run, shells};

/// What to put into the copy.
#[derive(Debug, Clone, Default)]
pub struct InstrumentOptions {
    /// Declare [`RUNNER_ARG`] in every stage, so that its value busts the layer cache.
    pub runner_arg: bool,
    /// Make this text part of every shell-form `RUN`'s process arguments; the engine quotes it in its mount records.
    /// Changes the shell of a shell-form `CMD` or `ENTRYPOINT` too, so it is for copies that are never shipped.
    pub shell_marker: Option<String>,
    /// Print proof lines before and after each build: the sizes of its cache mounts, and where their content is from.
    pub measure: bool,
    /// The build arguments the copy will be built with.
    pub build_args: BTreeMap<String, String>,
}

/// A changed copy of a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrumented {
    /// The whole text.
    pub text: String,
    /// What was changed, in file order, and what could not be done.
    pub changes: Vec<Change>,
}

/// Makes the instrumented copy.
///
/// # Errors
/// A cache mount or variable that `BuildKit` would refuse.
pub fn instrument(file: &Dockerfile, options: &InstrumentOptions) -> Result<Instrumented, DockerfileError> {
    let mut edits = Vec::new();
    let mut notes = Vec::new();
    if options.runner_arg {
        for stage in &file.stages {
            let text = format!("ARG {RUNNER_ARG}\n");
            edits.push(TextEdit::after_from(file, stage.index, ChangeKind::RunnerArg, text));
        }
    }
    if let Some(marker) = &options.shell_marker {
        shells::mark_shells(file, marker, &options.build_args, &mut edits, &mut notes)?;
    }
    if options.measure {
        measurements(file, options, &mut edits, &mut notes)?;
    }
    let (text, mut changes) = edit::apply(file, edits);
    changes.extend(notes);
    Ok(Instrumented { text, changes })
}

fn measurements(
    file: &Dockerfile,
    options: &InstrumentOptions,
    edits: &mut Vec<TextEdit>,
    notes: &mut Vec<Change>,
) -> Result<(), DockerfileError> {
    let plans = measure::plan(file, &options.build_args)?;
    let note = |stage: usize, kind| {
        let line = file.source.place(file.stages[stage].span.start).line;
        Change { kind, stage, line, text: String::new() }
    };
    if plans.is_empty() {
        notes.push(note(0, ChangeKind::NotInstrumented("no RUN with a Go cache mount")));
    }
    // Two stages may build on one stage that mounts first: one step there prints for both.
    let mut before: BTreeMap<RunPlace, Vec<CacheMount>> = BTreeMap::new();
    for plan in plans {
        match plan {
            StagePlan::Already { stage } => notes.push(note(stage, ChangeKind::AlreadyMeasured)),
            StagePlan::Not { stage, reason } => notes.push(note(stage, ChangeKind::NotInstrumented(reason))),
            StagePlan::Measure { before: first, after: last, mounts } => {
                for (place, found) in first {
                    let shared = before.entry(place).or_default();
                    for mount in found {
                        if shared.iter().all(|other| other.options.target != mount.options.target) {
                            shared.push(mount);
                        }
                    }
                }
                let instruction = &file.instructions[file.stages[last.0].runs[last.1].instruction];
                if instruction.open {
                    notes.push(note(last.0, ChangeKind::NotInstrumented("the file ends in a line continuation")));
                } else if let Some(text) = proof_run::text(file, true, last, &mounts) {
                    let at = instruction.after;
                    edits.push(TextEdit::new(file, (at, at), last.0, ChangeKind::After(targets(&mounts)), text));
                }
            }
        }
    }
    for (place, mounts) in before {
        if let Some(text) = proof_run::text(file, false, place, &mounts) {
            let at = file.instructions[file.stages[place.0].runs[place.1].instruction].line_start;
            edits.push(TextEdit::new(file, (at, at), place.0, ChangeKind::Before(targets(&mounts)), text));
        }
    }
    Ok(())
}

fn targets(mounts: &[CacheMount]) -> Vec<String> {
    mounts.iter().map(|mount| mount.options.target.clone()).collect()
}

#[cfg(test)]
mod tests;
