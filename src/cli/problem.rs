//! What stopped the program, for a person to read. [`CliProblem`] is principal.

use anstyle::{AnsiColor, Style};

use super::exit::Exit;
use super::say;
use crate::plan::Given;

/// An error with its causes, a hint, and the exit code.
#[derive(Debug)]
pub(super) struct CliProblem {
    /// The code to exit with.
    pub(super) exit: Exit,
    message: String,
    hint: Option<String>,
}

impl CliProblem {
    /// The arguments make no sense.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), hint: None }
    }

    /// The environment or an input stopped us.
    pub(super) fn stopped(message: impl Into<String>) -> Self {
        Self { exit: Exit::Stopped, message: message.into(), hint: None }
    }

    /// As [`Self::stopped`], from an error and all that caused it.
    pub(super) fn from_error(error: &dyn std::error::Error) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let cause_words = cause.to_string();
            if !message.contains(&cause_words) {
                message = format!("{message}: {cause_words}");
            }
            source = cause.source();
        }
        Self::stopped(message)
    }

    /// Adds what to do about it.
    pub(super) fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// Replaces every secret in its words.
    pub(super) fn masked(mut self, given: &Given) -> Self {
        self.message = given.masked(&self.message);
        self.hint = self.hint.map(|hint| given.masked(&hint));
        self
    }

    /// Takes it apart into its message and its hint.
    pub(super) fn into_words(self) -> (String, Option<String>) {
        (self.message, self.hint)
    }

    /// Prints it.
    pub(super) fn print(&self) {
        let error = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let hint = Style::new().bold().fg_color(Some(AnsiColor::Cyan.into()));
        say(&format!("{error}error{error:#}: {}", self.message));
        if let Some(text) = &self.hint {
            say(&format!("{hint}hint{hint:#}: {text}"));
        }
    }
}
