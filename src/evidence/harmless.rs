//! Commands that cannot fill a cache of Go. [`first_unknown`] is principal.
//!
//! The list is of what is known to leave the caches alone, not of what fills them: a program that nobody has heard of may
//! well compile. Words are split as a shell does, with its quotes; variables keep their names.

/// Commands that neither compile nor download Go code, whatever their arguments.
const HARMLESS: [&str; 83] = [
    "echo",
    "printf",
    "set",
    "cd",
    "mkdir",
    "test",
    "[",
    "[[",
    "true",
    "false",
    ":",
    "export",
    "unset",
    "du",
    "df",
    "ls",
    "cat",
    "pwd",
    "date",
    "uname",
    "env",
    "printenv",
    "id",
    "whoami",
    "hostname",
    "apk",
    "apt-get",
    "apt",
    "dnf",
    "yum",
    "apt-cache",
    "update-ca-certificates",
    "cp",
    "mv",
    "ln",
    "chmod",
    "chown",
    "touch",
    "git",
    "sed",
    "awk",
    "grep",
    "head",
    "tail",
    "tee",
    "sort",
    "uniq",
    "tr",
    "cut",
    "wc",
    "find",
    "stat",
    "which",
    "command",
    "type",
    "sleep",
    "umask",
    "trap",
    "curl",
    "wget",
    "tar",
    "unzip",
    "gzip",
    "sha256sum",
    "time",
    "read",
    "return",
    "exit",
    "sync",
    "addgroup",
    "adduser",
    "useradd",
    "dd",
    "rm",
    "rmdir",
    "basename",
    "dirname",
    "expr",
    "seq",
    "md5sum",
    "base64",
    "mktemp",
    "nproc",
];

/// Words that stand before a command or between commands.
const BEFORE: [&str; 17] = [
    "time", "exec", "env", "sudo", "if", "then", "else", "elif", "do", "while", "until", "!", "{", "(", "fi", "done",
    "nice",
];

/// What `go` does without touching its caches.
const GO: [&str; 3] = ["env", "version", "help"];

/// Returns the first command of a shell line that is not known to leave Go's caches alone.
pub(super) fn first_unknown(line: &str) -> Option<String> {
    simple_commands(line).into_iter().find(|words| !leaves_alone(words)).map(|words| shown(&words))
}

/// Returns the first command that is neither harmless nor one that only brings modules.
pub(super) fn first_compiling(line: &str) -> Option<String> {
    let modules = |words: &[String]| {
        let mut words = words.iter().skip_while(|word| before(word)).map(|word| name(word));
        words.next() == Some("go") && matches!(words.next(), Some("mod" | "work" | "get"))
    };
    let mut commands = simple_commands(line).into_iter();
    commands.find(|words| !leaves_alone(words) && !modules(words)).map(|words| shown(&words))
}

fn shown(words: &[String]) -> String {
    words.join(" ").chars().take(120).collect()
}

fn name(word: &str) -> &str {
    let word = word.trim_start_matches(['(', '{']);
    word.rsplit('/').next().unwrap_or(word)
}

/// Tells whether a word is none of a command yet: an assignment, or what stands before one.
fn before(word: &str) -> bool {
    let assigns = word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    });
    assigns || BEFORE.contains(&word) || word.ends_with("()")
}

fn leaves_alone(words: &[String]) -> bool {
    if words.iter().any(|word| substitutes(word)) {
        return false;
    }
    let mut words = words.iter().map(String::as_str).skip_while(|word| before(word));
    let Some(first) = words.next() else { return true };
    // A function that a line defines for itself, such as a stand-in for `time`, runs what it is given.
    if matches!(first, "}" | ")" | "$@") {
        return true;
    }
    let first = name(first);
    if first == "go" {
        return words.next().is_some_and(|what| GO.contains(&what));
    }
    HARMLESS.contains(&first)
}

/// Tells whether a word holds the output of a command that is not known.
fn substitutes(word: &str) -> bool {
    if word.split('`').skip(1).step_by(2).any(|inner| first_unknown(inner).is_some()) {
        return true;
    }
    let mut rest = word;
    while let Some(at) = rest.find("$(") {
        let inner = &rest[at + 2..];
        let mut depth = 1usize;
        let end = inner.find(|char| {
            depth = match char {
                '(' => depth + 1,
                ')' => depth - 1,
                _ => depth,
            };
            depth == 0
        });
        let text = end.map_or(inner, |end| &inner[..end]);
        // Arithmetic runs no command but those inside it.
        let unknown = match text.strip_prefix('(') {
            Some(sum) => substitutes(sum),
            None => first_unknown(text).is_some(),
        };
        if unknown {
            return true;
        }
        rest = end.map_or("", |end| &inner[end..]);
    }
    false
}

/// Splits a shell line into the words of its simple commands.
fn simple_commands(line: &str) -> Vec<Vec<String>> {
    let (mut commands, mut words, mut word) = (Vec::new(), Vec::new(), String::new());
    let (mut quote, mut depth) = (None, 0usize);
    let mut chars = line.chars().peekable();
    while let Some(char) = chars.next() {
        match (quote, char) {
            (Some(open), char) if open == char => quote = None,
            (Some('"') | None, '\\') => word.extend(chars.next().filter(|next| *next != '\n')),
            (Some(_), char) => word.push(char),
            (None, '"' | '\'') => quote = Some(char),
            (None, '$') if chars.peek() == Some(&'(') => {
                depth += 1;
                word.push_str("$(");
                chars.next();
            }
            (None, ')') if depth > 0 => {
                depth -= 1;
                word.push(')');
            }
            (None, char) if depth > 0 => word.push(char),
            (None, char) if char.is_whitespace() && char != '\n' => end_of(&mut word, &mut words),
            (None, ';' | '&' | '|' | '\n') => {
                end_of(&mut word, &mut words);
                if !words.is_empty() {
                    commands.push(std::mem::take(&mut words));
                }
            }
            (None, char) => word.push(char),
        }
    }
    end_of(&mut word, &mut words);
    if !words.is_empty() {
        commands.push(words);
    }
    commands
}

fn end_of(word: &mut String, words: &mut Vec<String>) {
    if !word.is_empty() {
        // A redirection is no word of the command.
        let taken = std::mem::take(word);
        let bare = taken.trim_start_matches(|char: char| char.is_ascii_digit());
        if !bare.starts_with('>') && !bare.starts_with('<') {
            words.push(taken);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_leaves_the_caches_alone() {
        for line in [
            "echo BEFORE; du -sh /go/pkg/mod",
            "set -eux; apk add --no-cache git make && echo \"make; go build\" ",
            "cd app && CGO_ENABLED=0 du -sh /x 2>/dev/null || true",
            "go env GOCACHE && go version",
            "command -v time >/dev/null || time() { \"$@\"; }; ",
            "if [ -d /x ]; then du -s /x; fi",
            "echo size=$(du -sb /x)",
            "[ -e /x ] || dd if=/dev/urandom of=/x bs=1048576 count=700 2>/dev/null; ",
            "command -v time >/dev/null || time() { t=$(date +%s) && \"$@\" && echo \"real $(($(date +%s) - t)).00\"; }; ",
            "echo `date`",
        ] {
            assert_eq!(first_unknown(line), None, "{line}");
        }
    }

    #[test]
    fn what_is_not_known_may_fill_them() {
        for (line, command) in [
            ("echo a; govulncheck ./... ; du -sh /x", "govulncheck ./..."),
            ("bin/check && du -sh /x", "bin/check"),
            ("go test ./...", "go test ./..."),
            ("FOO=1 time make check", "FOO=1 time make check"),
            ("echo $(go list ./...)", "echo $(go list ./...)"),
            ("echo $((1 + $(bin/check)))", "echo $((1 + $(bin/check)))"),
            ("x=`go vet ./...`", "x=`go vet ./...`"),
            ("sh build.sh", "sh build.sh"),
        ] {
            assert_eq!(first_unknown(line).as_deref(), Some(command), "{line}");
        }
        assert_eq!(first_compiling("go mod download && echo x"), None);
        assert_eq!(first_compiling("go mod download && go vet ./...").as_deref(), Some("go vet ./..."));
    }
}
