//! One line an action prints, with the way it prints it. [`ActionLine`] is principal.
//!
//! Timestamps, groups and masking belong to whoever writes the job log.

/// How an action gives a line to the runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// `core.info` and executed commands: the text as it is.
    Info,
    /// `core.info` of a text that begins with `[warning]`, which is no annotation (`actionUtils.ts`, `logWarning`).
    LogWarning,
    /// `core.warning`: an annotation, `##[warning]` in the raw log.
    Warning,
    /// `core.error` and `core.setFailed`: an annotation, `##[error]` in the raw log.
    Error,
}

/// A line of an action's output. The text may hold newlines; the runner stamps it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionLine {
    /// How it is printed.
    pub channel: Channel,
    /// What it says, without any prefix.
    pub text: String,
}

impl ActionLine {
    /// Makes a plain line.
    pub fn info(text: impl Into<String>) -> Self {
        Self { channel: Channel::Info, text: text.into() }
    }

    /// Makes a `[warning]` line that is no annotation.
    pub fn log_warning(text: impl Into<String>) -> Self {
        Self { channel: Channel::LogWarning, text: text.into() }
    }

    /// Makes a warning.
    pub fn warning(text: impl Into<String>) -> Self {
        Self { channel: Channel::Warning, text: text.into() }
    }

    /// Makes an error.
    pub fn error(text: impl Into<String>) -> Self {
        Self { channel: Channel::Error, text: text.into() }
    }

    /// Renders the line as GitHub's raw log shows it, without the timestamp.
    pub fn raw(&self) -> String {
        match self.channel {
            Channel::Info => self.text.clone(),
            Channel::LogWarning => format!("[warning]{}", self.text),
            Channel::Warning => format!("##[warning]{}", self.text),
            Channel::Error => format!("##[error]{}", self.text),
        }
    }
}
