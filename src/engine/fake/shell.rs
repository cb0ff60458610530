//! A shell script as a list of simple commands. [`commands`] is principal.
//!
//! It knows quotes, `&&`, `||`, `;`, `|`, and function definitions, which it leaves out. It replaces no variables and
//! knows no loops or conditions: their words are dropped, so that their commands count once.

/// A simple command and what must hold for it to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FakeShellCommand {
    /// When it runs.
    pub(super) when: When,
    /// Its words, quotes removed.
    pub(super) words: Vec<String>,
}

/// When a command runs, by how the one before it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// In any case.
    Always,
    /// After one that succeeded.
    Succeeded,
    /// After one that failed.
    Failed,
    /// Never: it only reads what another prints.
    Never,
}

/// Splits a script.
pub(super) fn commands(script: &str) -> Vec<FakeShellCommand> {
    let mut found = Vec::new();
    let mut current = FakeShellCommand { when: When::Always, words: Vec::new() };
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    // The braces open inside a function definition.
    let mut depth = 0usize;
    let mut chars = script.chars().peekable();
    while let Some(char) = chars.next() {
        if let Some(open) = quote {
            match char {
                _ if char == open => quote = None,
                '\\' if open == '"' => word.get_or_insert_default().extend(chars.next()),
                _ => word.get_or_insert_default().push(char),
            }
            continue;
        }
        match char {
            '\'' | '"' => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            '\\' => match chars.next() {
                Some('\n') | None => {}
                Some(other) => word.get_or_insert_default().push(other),
            },
            '{' if depth > 0 || current.words.last().is_some_and(|last| last.ends_with("()")) => depth += 1,
            '}' if depth > 0 => {
                depth -= 1;
                current.words.clear();
                word = None;
            }
            '&' | '|' | ';' | '\n' => {
                let double = chars.next_if_eq(&char).is_some();
                let when = match (char, double) {
                    ('&', true) => When::Succeeded,
                    ('|', true) => When::Failed,
                    ('|', false) => When::Never,
                    _ => When::Always,
                };
                current.words.extend(word.take());
                if depth == 0 {
                    let done = std::mem::replace(&mut current, FakeShellCommand { when, words: Vec::new() });
                    found.extend(simple(done));
                }
            }
            _ if char.is_whitespace() => current.words.extend(word.take()),
            _ => word.get_or_insert_default().push(char),
        }
    }
    current.words.extend(word);
    found.extend(simple(current));
    found
}

/// Drops what stands before the command itself: keywords, brackets, assignments.
fn simple(mut command: FakeShellCommand) -> Option<FakeShellCommand> {
    let before = |word: &String| {
        matches!(word.as_str(), "do" | "then" | "else" | "done" | "fi" | "{" | "}" | "(" | ")" | "!")
            || word.split_once('=').is_some_and(|(name, _)| {
                !name.is_empty() && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
            })
    };
    let start = command.words.iter().position(|word| !before(word))?;
    command.words.drain(..start);
    Some(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(script: &str) -> Vec<(When, String)> {
        commands(script).into_iter().map(|command| (command.when, command.words.join(" "))).collect()
    }

    #[test]
    fn a_function_definition_runs_nothing() {
        let script = "command -v time >/dev/null || time() { t=$(date) && \"$@\" && echo \"real $t\"; }; echo 'a; b' && go build .";
        assert_eq!(
            texts(script),
            [
                (When::Always, "command -v time >/dev/null".to_owned()),
                (When::Always, "echo a; b".to_owned()),
                (When::Succeeded, "go build .".to_owned()),
            ]
        );
    }

    #[test]
    fn keywords_and_assignments_are_no_commands() {
        let script = "for c in /a; do du -sh \"$c\" || true; done; CGO_ENABLED=0 time go build | tee x";
        assert_eq!(
            texts(script),
            [
                (When::Always, "for c in /a".to_owned()),
                (When::Always, "du -sh $c".to_owned()),
                (When::Failed, "true".to_owned()),
                (When::Always, "time go build".to_owned()),
                (When::Never, "tee x".to_owned()),
            ]
        );
    }

    #[test]
    fn unbalanced_text_is_taken_as_far_as_it_goes() {
        assert_eq!(texts("echo 'open"), [(When::Always, "echo open".to_owned())]);
        assert!(texts("f() { echo").is_empty() || texts("}").len() <= 1);
    }
}
