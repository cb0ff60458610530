//! Splits the arguments of a command into flags with their values, and the rest. [`Flags`] is principal.

/// The flags of `buildx build` that take a value.
pub(super) const OF_BUILDS: [&str; 32] = [
    "-f",
    "--file",
    "-t",
    "--tag",
    "--builder",
    "--build-arg",
    "--label",
    "--target",
    "-o",
    "--output",
    "--platform",
    "--progress",
    "--iidfile",
    "--metadata-file",
    "--network",
    "--cache-from",
    "--cache-to",
    "--secret",
    "--ssh",
    "--build-context",
    "--add-host",
    "--allow",
    "--annotation",
    "--attest",
    "--cgroup-parent",
    "--no-cache-filter",
    "--provenance",
    "--sbom",
    "--shm-size",
    "--ulimit",
    "-m",
    "--memory",
];

/// The flags of `create` and `run` that take a value.
pub(super) const OF_CONTAINERS: [&str; 30] = [
    "--name",
    "-v",
    "--volume",
    "-e",
    "--env",
    "--env-file",
    "-w",
    "--workdir",
    "--mount",
    "-u",
    "--user",
    "--entrypoint",
    "--network",
    "--net",
    "-l",
    "--label",
    "--platform",
    "--pull",
    "-h",
    "--hostname",
    "--pid",
    "--userns",
    "--ipc",
    "--device",
    "--cap-add",
    "--volumes-from",
    "--security-opt",
    "--cgroup-parent",
    "--tmpfs",
    "--restart",
];

/// The flags of commands about containers that take a value.
pub(super) const OF_COMMANDS: [&str; 9] =
    ["-t", "--time", "-s", "--signal", "-o", "--output", "-n", "--tail", "--since"];

/// A word of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word<'a> {
    /// A flag, with its value where it takes one or was given one by `=`.
    Flag(&'a str, Option<&'a str>),
    /// Anything else.
    Plain(&'a str),
}

/// The words of a command, one after the other.
#[derive(Debug)]
pub(super) struct Flags<'a> {
    words: &'a [&'a str],
    with_value: &'a [&'a str],
}

impl<'a> Flags<'a> {
    pub(super) fn new(words: &'a [&'a str], with_value: &'a [&'a str]) -> Self {
        Self { words, with_value }
    }

    /// Returns the words that have not been read.
    pub(super) fn rest(&self) -> &'a [&'a str] {
        self.words
    }
}

impl<'a> Iterator for Flags<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        if !first.starts_with('-') || *first == "-" {
            return Some(Word::Plain(first));
        }
        // `-fName` is `-f Name`.
        if let (Some(flag), Some(value)) = (first.get(..2), first.get(2..))
            && !first.starts_with("--")
            && !value.is_empty()
            && self.with_value.contains(&flag)
        {
            return Some(Word::Flag(flag, Some(value.trim_start_matches('='))));
        }
        if let Some((flag, value)) = first.split_once('=') {
            return Some(Word::Flag(flag, Some(value)));
        }
        if !self.with_value.contains(first) {
            return Some(Word::Flag(first, None));
        }
        let value = rest.first().copied();
        self.words = rest.get(1..).unwrap_or_default();
        Some(Word::Flag(first, value))
    }
}
