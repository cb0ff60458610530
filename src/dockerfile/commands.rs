//! What the commands of a `RUN` do, as far as their words tell: compile, perhaps compile, install a tool. [`compiling`] is
//! principal.

use super::parse::RunInstruction;
use super::proof::ProofStep;

/// How surely a `RUN` compiles the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compiling {
    /// It says `go build` or `go install` of a package here.
    Surely,
    /// A script or a build tool runs, which may compile.
    Perhaps,
    /// It installs a tool of a given version, which is no part of the project.
    Tool,
    /// Nothing of it compiles.
    No,
}

/// Commands that are known not to compile.
const NO_BUILD: [&str; 45] = [
    "for",
    "done",
    "fi",
    "case",
    "esac",
    "",
    "echo",
    "printf",
    "du",
    "ls",
    "cd",
    "set",
    "export",
    "unset",
    "true",
    "false",
    "date",
    "mkdir",
    "cp",
    "rm",
    "mv",
    "ln",
    "chmod",
    "chown",
    "cat",
    "test",
    "[",
    "touch",
    "apk",
    "apt",
    "apt-get",
    "dnf",
    "yum",
    "git",
    "curl",
    "wget",
    "tar",
    "golangci-lint",
    "staticcheck",
    "govulncheck",
    "exit",
    "command",
    "tee",
    "sleep",
    "find",
];

/// Words in front of a command that are not the command.
const BEFORE_ONE: [&str; 15] =
    ["time", "env", "exec", "then", "do", "else", "if", "while", "!", "sudo", "sh", "bash", "ash", "dash", "nice"];

/// Says how surely a `RUN` compiles the project.
pub(super) fn compiling(run: &RunInstruction) -> Compiling {
    let text = run.text();
    if builds(&text) {
        return Compiling::Surely;
    }
    if ProofStep::version(&text).is_some() {
        return Compiling::No;
    }
    let mut found = Compiling::No;
    for command in text.split(|char: char| ";&|()\"'`{}\n[],".contains(char)) {
        let mut words = command.split_whitespace();
        let before = |word: &str| word.contains('=') || word.starts_with('-') || BEFORE_ONE.contains(&word);
        let first = words.find(|word| !before(word)).unwrap_or_default();
        let program = first.rsplit('/').next().unwrap_or(first);
        let next = words.next();
        // The rest of a command that was cut at a quote: a redirection, a variable by itself.
        let rest = !first.starts_with(|char: char| char.is_alphabetic() || "./_$".contains(char))
            || (first.starts_with('$') && next.is_none_or(|word| word.contains('>')));
        match (program, next) {
            _ if rest => {}
            ("go", Some("install")) => found = if found == Compiling::Perhaps { found } else { Compiling::Tool },
            ("go", Some("run")) => found = Compiling::Perhaps,
            ("go", _) => {}
            (program, _) if NO_BUILD.contains(&program) => {}
            _ => found = Compiling::Perhaps,
        }
    }
    found
}

/// Tells whether a text has a command that builds a package of the project.
fn builds(text: &str) -> bool {
    let separators = |char: char| char.is_whitespace() || ";&|()\"',[]{}`=".contains(char);
    let words: Vec<&str> = text.split(separators).filter(|word| !word.is_empty() && *word != "\\").collect();
    words.iter().enumerate().filter(|(_, word)| word.rsplit('/').next() == Some("go")).any(|(at, _)| {
        let mut rest = words[at + 1..].iter().copied().peekable();
        if rest.next_if_eq(&"-C").is_some() {
            rest.next();
        }
        match rest.next() {
            Some("build") => true,
            // With a version it installs a tool from elsewhere.
            Some("install") => !rest.find(|word| !word.starts_with('-')).is_some_and(|word| word.contains('@')),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::Dockerfile;
    use crate::source::Source;

    fn of(command: &str) -> Compiling {
        let text = format!("FROM a\nRUN {command}\n");
        compiling(&Dockerfile::parse(&Source::new("D", text)).unwrap().stages[0].runs[0])
    }

    #[test]
    fn go_build_is_recognised_in_its_usual_spellings() {
        for yes in [
            "CGO_ENABLED=0 go build -o /x .",
            "set -e; (cd a && /usr/local/go/bin/go build)",
            "[\"go\", \"install\", \"./...\"]",
            "go -C sub build",
            "time go build",
            "sh -c 'go build ./...'",
        ] {
            assert_eq!(of(yes), Compiling::Surely, "{yes}");
        }
        for no in ["go mod download", "go vet build", "echo cargo", "go test ./...", "apk add git"] {
            assert_eq!(of(no), Compiling::No, "{no}");
        }
    }

    #[test]
    fn what_may_build_is_told_from_what_installs_a_tool() {
        for perhaps in ["make build", "cd a && ./build.sh", "sh -c 'task build'", "go run mage.go", "goreleaser build"]
        {
            assert_eq!(of(perhaps), Compiling::Perhaps, "{perhaps}");
        }
        for tool in ["go install gotest.tools/gotestsum@latest", "GOBIN=/bin go install -trimpath a.example/b@v1"] {
            assert_eq!(of(tool), Compiling::Tool, "{tool}");
        }
    }
}
