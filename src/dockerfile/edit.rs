//! The changes that an instrumented copy consists of. [`Change`] is principal.
//!
//! Only whole lines are inserted, and `SHELL` lines get a prefix; every `RUN` of the person's own stays byte for byte.

use super::parse::Dockerfile;

/// The build argument that keeps the layers of one runner from another.
pub const RUNNER_ARG: &str = "VBC_RUNNER";

/// One change, or one thing left undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it is.
    pub kind: ChangeKind,
    /// The stage it concerns, from 0.
    pub stage: usize,
    /// The line of the original in front of which the text stands, from 1.
    pub line: usize,
    /// The text put in; empty when nothing was.
    pub text: String,
}

/// The kinds of change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// [`RUNNER_ARG`] was declared.
    RunnerArg,
    /// The shell was given the marker.
    ShellMarked,
    /// The shell could not be given the marker.
    ShellLeft,
    /// A step prints the sizes of these targets before the build.
    Before(Vec<String>),
    /// A step prints the sizes of these targets after the build.
    After(Vec<String>),
    /// The stage prints sizes around its build already.
    AlreadyMeasured,
    /// The stage was not measured; the reason.
    NotInstrumented(&'static str),
}

/// A change and its place in the text.
pub(super) struct TextEdit {
    at: usize,
    until: usize,
    change: Change,
}

impl TextEdit {
    /// Puts a text in the place of a range.
    pub(super) fn new(
        file: &Dockerfile,
        (at, until): (usize, usize),
        stage: usize,
        kind: ChangeKind,
        text: String,
    ) -> Self {
        let line = file.source.place(at).line;
        Self { at, until, change: Change { kind, stage, line, text } }
    }

    /// Puts lines behind a stage's `FROM`.
    pub(super) fn after_from(file: &Dockerfile, stage: usize, kind: ChangeKind, text: String) -> Self {
        let at = file.instructions[file.stages[stage].range.0].after;
        Self::new(file, (at, at), stage, kind, text)
    }
}

/// Makes the copy, and lists the changes in the order of the file.
pub(super) fn apply(file: &Dockerfile, mut edits: Vec<TextEdit>) -> (String, Vec<Change>) {
    let source = &file.source.text;
    // Nothing can be put behind a continuation that never ends; what stands there has nothing after it to be changed.
    if file.instructions.last().is_some_and(|last| last.open) {
        edits.retain(|edit| edit.at < source.len());
    }
    // A stable sort: what is inserted at one place stays in the order it was made.
    edits.sort_by_key(|edit| edit.at);
    let mut text = String::with_capacity(source.len() + 4096);
    let mut copied = 0;
    let mut changes = Vec::new();
    for edit in edits {
        text.push_str(&source[copied..edit.at]);
        if edit.until == edit.at && !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&edit.change.text);
        copied = edit.until;
        changes.push(edit.change);
    }
    text.push_str(&source[copied..]);
    (text, changes)
}
