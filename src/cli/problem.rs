//! What stopped the program, for a person to read. [`CliProblem`] is principal.

use anstyle::{AnsiColor, Style};

use super::exit::Exit;
use super::talk::complain;
use crate::plan::Given;
use crate::report::ErrorDocument;

/// An error with its causes, a hint, where it is, and the exit code.
#[derive(Debug)]
pub(super) struct CliProblem {
    /// The code to exit with.
    pub(super) exit: Exit,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
    file: Option<String>,
    line: Option<usize>,
}

impl CliProblem {
    /// The arguments make no sense.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// The environment or an input stopped us.
    pub(super) fn stopped(message: impl Into<String>) -> Self {
        Self::new(Exit::Stopped, message)
    }

    /// A signal ended it; the exit code is the one that a shell gives such a program.
    pub(super) fn signal(name: &str, message: impl Into<String>) -> Self {
        Self::new(Exit::of_signal(name), message)
    }

    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), detail: None, hint: None, file: None, line: None }
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
        self.detail = self.detail.map(|detail| given.masked(&detail));
        self
    }

    /// Adds what is known all the same, between the message and the hint.
    pub(super) fn detail(mut self, detail: Option<String>) -> Self {
        self.detail = detail.or(self.detail);
        self
    }

    /// Says where it is.
    pub(super) fn at(mut self, file: &str, line: Option<usize>) -> Self {
        self.file = Some(file.to_owned());
        self.line = line;
        self
    }

    /// Takes it apart into its message and its hint.
    pub(super) fn into_words(self) -> (String, Option<String>) {
        (self.message, self.hint)
    }

    /// What is written of it for programs.
    pub(super) fn document(&self) -> serde_json::Value {
        let (file, line) = match &self.file {
            Some(file) => (Some(file.as_str()), self.line),
            None => place(&self.message),
        };
        crate::report::error_json(&ErrorDocument {
            code: self.exit.name(),
            exit: self.exit as u8,
            message: &self.message,
            detail: self.detail.as_deref(),
            hint: self.hint.as_deref(),
            file,
            line,
        })
    }

    /// Prints it.
    pub(super) fn print(&self) {
        let error = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let hint = Style::new().bold().fg_color(Some(AnsiColor::Cyan.into()));
        complain(&format!("{error}error{error:#}: {}", self.message));
        if let Some(text) = &self.detail {
            complain(text);
        }
        if let Some(text) = &self.hint {
            complain(&format!("{hint}hint{hint:#}: {text}"));
        }
    }
}

/// Reads the place that a message of a parser begins with: `Dockerfile:12: …`, `ci.yml:3:5: …`.
fn place(message: &str) -> (Option<&str>, Option<usize>) {
    let mut parts = message.splitn(3, ':');
    let (Some(file), Some(line)) = (parts.next(), parts.next()) else { return (None, None) };
    match line.parse() {
        Ok(line) if !file.is_empty() && !file.contains(char::is_whitespace) => (Some(file), Some(line)),
        _ => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_parser_s_message_is_found() {
        assert_eq!(place("ci.yml:3:5: the key `x` stands twice"), (Some("ci.yml"), Some(3)));
        assert_eq!(place("a/Dockerfile:12: unknown instruction: FORM"), (Some("a/Dockerfile"), Some(12)));
        assert_eq!(place("cannot read x.log: no such file"), (None, None));
        assert_eq!(place("error: 12: x"), (None, None));
    }
}
