//! The shells of a Dockerfile's stages, and the copy in which they carry a marker. [`mark_shells`] is principal.

use std::collections::BTreeMap;

use super::edit::{Change, ChangeKind, RUNNER_ARG, TextEdit};
use super::error::DockerfileError;
use super::json::json_words;
use super::parse::{CommandForm, Dockerfile, RunPlace};

fn marked(shell: &[String], marker: &str) -> String {
    let assignment = format!("{RUNNER_ARG}={marker}");
    let words: Vec<&str> = ["/usr/bin/env", &assignment].into_iter().chain(shell.iter().map(String::as_str)).collect();
    serde_json::to_string(&words).unwrap_or_default()
}

/// Puts the marker into every POSIX shell that a shell-form `RUN` has, and says which shells were left.
pub(super) fn mark_shells(
    file: &Dockerfile,
    marker: &str,
    build_args: &BTreeMap<String, String>,
    edits: &mut Vec<TextEdit>,
    notes: &mut Vec<Change>,
) -> Result<(), DockerfileError> {
    let bases = file.base_stages(build_args)?;
    let mut left: Vec<Vec<String>> = Vec::with_capacity(file.stages.len());
    for (stage, base) in file.stages.iter().zip(bases) {
        let mut shell = match base {
            Some(base) => left[base].clone(),
            None => default_shell(&file.base_image(stage.index, build_args)?),
        };
        if stage.runs.iter().any(|run| run.form == CommandForm::Shell) {
            if is_posix(&shell) {
                let text = format!("SHELL {}\n", marked(&shell, marker));
                edits.push(TextEdit::after_from(file, stage.index, ChangeKind::ShellMarked, text));
            } else {
                let line = file.source.place(stage.span.start).line;
                let kind = ChangeKind::ShellLeft;
                notes.push(Change { kind, stage: stage.index, line, text: String::new() });
            }
        }
        for instruction in file.body(stage).iter().filter(|instruction| instruction.keyword == "SHELL") {
            shell = json_words(&instruction.args.text).unwrap_or_default();
            if is_posix(&shell) {
                let place = instruction.args.span(0, instruction.args.text.len());
                let kind = ChangeKind::ShellMarked;
                edits.push(TextEdit::new(file, (place.start, place.end), stage.index, kind, marked(&shell, marker)));
            }
        }
        left.push(shell);
    }
    Ok(())
}

/// The shell that a `RUN` would have at this place, at the end of a chain of stages that start from one another.
pub(super) fn shell_at(
    file: &Dockerfile,
    chain: &[usize],
    place: RunPlace,
    build_args: &BTreeMap<String, String>,
) -> Result<Vec<String>, DockerfileError> {
    let until = file.stages[place.0].runs[place.1].instruction;
    let before = chain.iter().flat_map(|at| {
        let stage = &file.stages[*at];
        let body = file.body(stage).iter().zip(stage.range.0 + 1..);
        body.take_while(move |(_, number)| *number < until).map(|(instruction, _)| instruction)
    });
    let last = before.filter(|instruction| instruction.keyword == "SHELL").last();
    match last.and_then(|instruction| json_words(&instruction.args.text)) {
        Some(words) => Ok(words),
        None => Ok(default_shell(&file.base_image(chain[0], build_args)?)),
    }
}

/// The shell of a stage that starts from this image and sets none: the escape character says nothing of it.
pub(super) fn default_shell(image: &str) -> Vec<String> {
    let windows = ["windows", "nanoserver", "servercore"].iter().any(|part| image.to_ascii_lowercase().contains(part));
    let words: &[&str] = if windows { &["cmd", "/S", "/C"] } else { &["/bin/sh", "-c"] };
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Whether a shell understands `for` and `;` as `sh` does.
pub(super) fn is_posix(shell: &[String]) -> bool {
    shell.iter().any(|word| {
        let name = word.rsplit('/').next().unwrap_or(word);
        matches!(name, "sh" | "ash" | "bash" | "dash" | "ksh" | "mksh" | "zsh")
    })
}
