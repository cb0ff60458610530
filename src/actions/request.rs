//! What the program inside a runner is asked for. [`PhaseRequest`] is principal.

use serde::{Deserialize, Serialize};

/// One phase of an action: the command, and what it finds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseRequest {
    /// The command, its program first.
    pub command: Vec<String>,
    /// The whole environment. Names may hold hyphens, which no shell can set.
    pub env: Vec<(String, String)>,
    /// The working directory.
    pub directory: String,
    /// The socket at which `sudo` is served.
    pub sudo: String,
    /// A port of the loopback device that leads to a socket of the runner's, if any.
    pub forward: Option<Forward>,
}

/// A port that leads to a socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    /// The port.
    pub port: u16,
    /// The socket.
    pub socket: String,
}

/// A command that `sudo` runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SudoRequest {
    /// The command, its program first.
    pub command: Vec<String>,
    /// The variables it is given.
    pub env: Vec<(String, String)>,
    /// The working directory.
    pub directory: String,
}

/// What a frame between `sudo` and its server holds, as its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum SudoReply {
    /// Bytes for standard input; none means that it has ended.
    Input = 0,
    /// Bytes of standard output.
    Output = 1,
    /// Bytes of standard error.
    Error = 2,
    /// The exit code, in decimal.
    Exit = 3,
}

impl SudoReply {
    /// Reads the first byte of a frame.
    pub fn of(byte: u8) -> Option<Self> {
        [Self::Input, Self::Output, Self::Error, Self::Exit].into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// Returns the variable that holds an input: in upper case, blanks replaced, hyphens kept.
///
/// Source: actions/toolkit `packages/core/src/core.ts` (`getInput`).
pub fn input_variable(name: &str) -> String {
    format!("INPUT_{}", name.replace(' ', "_").to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hyphens_of_inputs_are_kept() {
        assert_eq!(input_variable("cache-map"), "INPUT_CACHE-MAP");
        assert_eq!(input_variable("two words"), "INPUT_TWO_WORDS");
    }
}
