//! What a person says that stands in no file. [`Given`] is principal.

use std::fmt;

use crate::dance::DanceCode;

/// Values for what GitHub, the repository's settings, or steps that do not run here would give.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Given {
    /// `--matrix NAME=VALUE`.
    pub matrix: Vec<(String, String)>,
    /// `--input NAME=VALUE`.
    pub inputs: Vec<(String, String)>,
    /// `--var NAME=VALUE`.
    pub vars: Vec<(String, String)>,
    /// `--secret NAME=VALUE`.
    pub secrets: Vec<(String, Secret)>,
    /// `--set PATH=VALUE`, where a path is what an expression names: `steps.dir.outputs.path`.
    pub values: Vec<(String, String)>,
    /// Steps, by the name GitHub shows, that a person says to be without effect on the caches.
    pub left_out: Vec<String>,
    /// What an unknown fork or version of the dance is to be taken for.
    pub dance_as: Option<DanceCode>,
}

/// A secret: it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a secret.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// Hands it out, to whoever must not show it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

impl Given {
    /// Returns what was said of a path, without regard to case.
    pub(super) fn value(&self, path: &[String]) -> Option<&str> {
        let wanted = path.join(".");
        find(&self.values, &wanted)
    }

    /// Replaces every secret in a text by `***`, as GitHub's log does.
    pub fn masked(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        let lines = self.secrets.iter().flat_map(|(_, secret)| secret.reveal().lines());
        let mut lines: Vec<&str> = lines.filter(|line| !line.trim().is_empty()).collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.len()));
        for line in lines {
            if shown.contains(line) {
                shown = shown.replace(line, "***");
            }
        }
        shown
    }
}

/// Finds a value by its name, without regard to case; of several the last one counts.
pub(super) fn find<'a>(all: &'a [(String, String)], name: &str) -> Option<&'a str> {
    all.iter().rev().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_shown_nowhere() {
        let secret = |text: &str| ("TOKEN".to_owned(), Secret::new(text));
        let given = Given { secrets: vec![secret("abc"), secret("abcdef\n\nxyz")], ..Given::default() };
        assert!(!format!("{given:?}").contains("abc"));
        assert_eq!(given.masked("1 abcdef 2 abc 3 xyz 4"), "1 *** 2 *** 3 *** 4");
    }
}
