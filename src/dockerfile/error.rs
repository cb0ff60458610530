//! Why a Dockerfile cannot be used. [`DockerfileError`] is principal; it holds places as text, so that it outlives the
//! source.

use super::mount_error::MountError;
use super::words::WordError;
use crate::source::{Source, Span};

/// What is wrong with a Dockerfile, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}:{line}: {problem}: {text}")]
pub struct DockerfileError {
    /// The name of the file.
    pub name: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The text of that line.
    pub text: String,
    /// What is wrong, as a lower-case fragment.
    pub problem: DockerfileProblem,
}

impl DockerfileError {
    /// Places a problem in its source.
    pub(super) fn at(source: &Source, offset: usize, problem: DockerfileProblem) -> Self {
        let line = source.place(offset).line;
        let text = source.line(line).unwrap_or("").trim();
        // A pasted binary must not flood the terminal.
        let text = if text.is_empty() { "(empty)".to_owned() } else { text.chars().take(200).collect() };
        Self { name: source.name.clone(), line, text, problem }
    }

    /// Places a problem at the start of a span.
    pub(super) fn in_span(source: &Source, span: Span, problem: DockerfileProblem) -> Self {
        Self::at(source, span.start, problem)
    }

    /// Says what to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match &self.problem {
            DockerfileProblem::Empty | DockerfileProblem::NoStage => {
                "a Dockerfile needs at least one FROM instruction".to_owned()
            }
            DockerfileProblem::UnknownInstruction(word) => {
                format!("if {word} continues the line above, end that line with a backslash")
            }
            DockerfileProblem::UnterminatedHeredoc(word) => format!("add a line that says only {word}"),
            DockerfileProblem::Escape(_) => "use # escape=\\ or # escape=`".to_owned(),
            DockerfileProblem::BeforeFrom => "only ARG may stand before the first FROM".to_owned(),
            DockerfileProblem::Shell => {
                "write SHELL as a JSON array, for example SHELL [\"/bin/sh\", \"-c\"]".to_owned()
            }
            DockerfileProblem::Mount(error) => return error.hint(),
            DockerfileProblem::UnknownVariable(name) => {
                format!(
                    "declare it above with `ARG {name}` or `ENV {name}=…`, or give your own workflow with --workflow"
                )
            }
            DockerfileProblem::Word(_) => "check the ${...} and the quotes of this line".to_owned(),
            DockerfileProblem::From
            | DockerfileProblem::RunWithoutCommand
            | DockerfileProblem::UnknownFlag(_)
            | DockerfileProblem::RepeatedDirective(_) => {
                return None;
            }
        };
        Some(hint)
    }
}

/// The kinds of problem a Dockerfile can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DockerfileProblem {
    /// There is no instruction at all.
    #[error("file with no instructions")]
    Empty,
    /// There are instructions, but no stage.
    #[error("no FROM instruction")]
    NoStage,
    /// A word that is no instruction.
    #[error("unknown instruction {0}")]
    UnknownInstruction(String),
    /// An instruction other than `ARG` before the first `FROM`.
    #[error("no build stage in current context")]
    BeforeFrom,
    /// A `FROM` that is not `FROM image [AS name]`.
    #[error("FROM requires either one or three arguments")]
    From,
    /// A `RUN` with nothing to run.
    #[error("RUN without a command")]
    RunWithoutCommand,
    /// A flag `RUN` does not have.
    #[error("unknown flag {0}")]
    UnknownFlag(String),
    /// A here-document that never ends.
    #[error("unterminated here-document {0}")]
    UnterminatedHeredoc(String),
    /// An `escape` directive with another character.
    #[error("invalid escape token {0}")]
    Escape(String),
    /// A parser directive given twice.
    #[error("only one {0} parser directive can be used")]
    RepeatedDirective(String),
    /// A `SHELL` that is not a JSON array of strings.
    #[error("SHELL requires the arguments to be in JSON form")]
    Shell,
    /// A `--mount` that `BuildKit` refuses.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// A cache mount with a variable that only a base image could set.
    #[error("this cache mount needs ${0}, which the file does not set")]
    UnknownVariable(String),
    /// A variable or quote that cannot be read.
    #[error(transparent)]
    Word(#[from] WordError),
}
