//! Reads plain shell scripts: lists of simple commands whose words are known. [`Script`] is principal.
//!
//! Nothing is carried out. Understood are words with their quotes, `&&`, `;` and line ends, continuation lines, comments, here-documents,
//! redirections, assignments, `export`, and variables whose values are known. Whatever else a POSIX shell knows (pipes, `||`, loops,
//! functions, groups) is said not to be understood; what a substitution gives makes its word unknown.
//!
//! Source: POSIX.1-2024, "Shell Command Language".

use std::collections::BTreeMap;

/// The commands of a script, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    /// The commands.
    pub commands: Vec<ShellCommand>,
}

/// One simple command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShellCommand {
    /// The variables set for this command alone.
    pub assignments: Vec<(String, ShellWord)>,
    /// Its words, the name first.
    pub words: Vec<ShellWord>,
    /// Its line in the script, from 1.
    pub line: usize,
}

/// One word after its quotes are removed and its variables replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShellWord {
    /// Its text is known.
    Known(String),
    /// It is not: what of it, such as `$(date)`.
    Unknown(String),
}

/// A script that is not understood, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the script: {what} is not understood")]
pub struct ShellError {
    /// The line, from 1.
    pub line: usize,
    /// What is not understood.
    pub what: String,
}

impl ShellWord {
    /// Returns the text, where it is known.
    pub fn known(&self) -> Option<&str> {
        match self {
            Self::Known(text) => Some(text),
            Self::Unknown(_) => None,
        }
    }
}

/// Words that begin what is more than a list of simple commands.
const RESERVED: [&str; 18] = [
    "if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "function", "select",
    "{", "}", "!", "[[",
];

impl Script {
    /// Reads a script. `variable` gives the values of variables that are set before it; what a command of the script itself
    /// assigns goes before them. A text between `\u{E000}` and `\u{E001}` stands for something unknown.
    ///
    /// # Errors
    /// What is not understood.
    pub fn read(script: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, ShellError> {
        let mut reader = Reader {
            rest: script.replace("\r\n", "\n").replace("\\\n", "\u{E002}").chars().collect(),
            at: 0,
            line: 1,
            variable,
            own: BTreeMap::new(),
            heredocs: Vec::new(),
        };
        let mut script = Self::default();
        while let Some(command) = reader.command()? {
            script.commands.push(command);
        }
        Ok(script)
    }
}

/// A script under way. A continued line is the one character `\u{E002}`.
struct Reader<'a> {
    rest: Vec<char>,
    at: usize,
    line: usize,
    variable: &'a dyn Fn(&str) -> Option<String>,
    /// What the script has assigned so far; `None` where the value is not known.
    own: BTreeMap<String, Option<String>>,
    /// Here-documents whose bodies are still to come: their ends, and whether tabs before it do not count.
    heredocs: Vec<(String, bool)>,
}

/// A word under way.
#[derive(Default)]
struct WordText {
    text: String,
    unknown: Option<String>,
    /// Something of it was quoted, so that it is a word although it is empty.
    quoted: bool,
    /// An unquoted variable stood in it, so that blanks in its value would make several words.
    splits: bool,
}

impl Reader<'_> {
    fn error<T>(&self, what: impl Into<String>) -> Result<T, ShellError> {
        Err(ShellError { line: self.line, what: what.into() })
    }

    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += 1;
        self.line += usize::from(matches!(next, '\n' | '\u{E002}'));
        Some(next)
    }

    /// Reads the next simple command; `None` at the end.
    fn command(&mut self) -> Result<Option<ShellCommand>, ShellError> {
        let mut command = ShellCommand::default();
        loop {
            self.blanks();
            let begun = !command.words.is_empty() || !command.assignments.is_empty();
            match self.peek() {
                None if begun => break,
                None => return Ok(None),
                Some('#') => {
                    while self.peek().is_some_and(|next| next != '\n') {
                        self.next();
                    }
                }
                Some('\n') => {
                    self.next();
                    self.bodies();
                    if begun {
                        break;
                    }
                }
                Some(';') => {
                    self.next();
                    if self.peek() == Some(';') {
                        return self.error("`;;`");
                    }
                    if begun {
                        break;
                    }
                }
                Some('&') => {
                    self.next();
                    match self.next() {
                        Some('&') if begun => break,
                        Some('>') => self.redirection(false)?,
                        _ => return self.error("`&`"),
                    }
                }
                Some('|') if self.rest.get(self.at + 1) == Some(&'|') => return self.error("`||`"),
                Some('|') => return self.error("`|`"),
                Some('(' | ')') => return self.error("a group in parentheses"),
                Some('<' | '>') => self.redirection(false)?,
                Some(digit @ '0'..='9') if matches!(self.rest.get(self.at + 1), Some('<' | '>')) => {
                    let _ = digit;
                    self.next();
                    self.redirection(false)?;
                }
                Some(_) => self.word_of(&mut command)?,
            }
        }
        self.remember(&command);
        Ok(Some(command))
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|next| matches!(next, ' ' | '\t' | '\u{E002}')) {
            self.next();
        }
    }

    fn word_of(&mut self, command: &mut ShellCommand) -> Result<(), ShellError> {
        if command.words.is_empty() {
            command.line = self.line;
        }
        let first = command.words.is_empty() && command.assignments.is_empty();
        let begin = self.at;
        let word = self.word()?;
        let raw: String = self.rest[begin..self.at].iter().collect();
        if first && RESERVED.contains(&raw.as_str()) {
            return self.error(format!("`{raw}`"));
        }
        if command.words.is_empty() && self.peek() == Some('(') {
            return self.error("a function");
        }
        let name = raw.split_once('=').map(|(name, _)| name.to_owned()).filter(|name| is_name(name));
        if let Some(name) = name.filter(|_| command.words.is_empty()) {
            let value = match finished(word) {
                ShellWord::Known(text) => ShellWord::Known(text[name.len() + 1..].to_owned()),
                unknown => unknown,
            };
            command.assignments.push((name, value));
            return Ok(());
        }
        if word.text.is_empty() && !word.quoted && word.unknown.is_none() {
            return Ok(());
        }
        let blank = word.text.contains([' ', '\t', '\n']);
        if word.splits && blank && word.unknown.is_none() {
            command.words.extend(word.text.split_whitespace().map(|text| ShellWord::Known(text.to_owned())));
            return Ok(());
        }
        if !word.quoted && word.text.contains(['*', '?', '[']) && word.unknown.is_none() {
            command.words.push(ShellWord::Unknown(raw));
            return Ok(());
        }
        command.words.push(finished(word));
        Ok(())
    }

    /// Reads one word up to a blank or an operator.
    fn word(&mut self) -> Result<WordText, ShellError> {
        let mut word = WordText::default();
        while let Some(next) = self.peek() {
            match next {
                ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')' => break,
                '\u{E002}' => {
                    self.next();
                }
                '\'' => self.single(&mut word)?,
                '"' => self.double(&mut word)?,
                '\\' => {
                    self.next();
                    word.text.extend(self.next());
                    word.quoted = true;
                }
                '$' => self.dollar(&mut word, false)?,
                '`' => return self.error("a command substitution in backquotes"),
                '\u{E000}' => self.marked(&mut word),
                '~' if word.text.is_empty() && !word.quoted => {
                    self.next();
                    match (self.variable)("HOME") {
                        Some(home) if self.peek().is_none_or(|next| matches!(next, '/' | ' ' | '\t' | '\n')) => {
                            word.text.push_str(&home);
                        }
                        _ => word.unknown = Some("~".to_owned()),
                    }
                }
                _ => word.text.extend(self.next()),
            }
        }
        Ok(word)
    }

    fn single(&mut self, word: &mut WordText) -> Result<(), ShellError> {
        self.next();
        word.quoted = true;
        loop {
            match self.next() {
                Some('\'') => return Ok(()),
                // In single quotes a continued line is two characters.
                Some('\u{E002}') => word.text.push_str("\\\n"),
                Some('\u{E000}') => {
                    self.at -= 1;
                    self.marked(word);
                }
                Some(next) => word.text.push(next),
                None => return self.error("a quote that never ends"),
            }
        }
    }

    fn double(&mut self, word: &mut WordText) -> Result<(), ShellError> {
        self.next();
        word.quoted = true;
        loop {
            match self.peek() {
                Some('"') => {
                    self.next();
                    return Ok(());
                }
                Some('\\') => {
                    self.next();
                    match self.next() {
                        Some(next @ ('$' | '`' | '"' | '\\')) => word.text.push(next),
                        Some(next) => word.text.extend(['\\', next]),
                        None => return self.error("a quote that never ends"),
                    }
                }
                Some('$') => self.dollar(word, true)?,
                Some('`') => return self.error("a command substitution in backquotes"),
                Some('\u{E000}') => self.marked(word),
                Some('\u{E002}') => {
                    self.next();
                }
                Some(_) => word.text.extend(self.next()),
                None => return self.error("a quote that never ends"),
            }
        }
    }

    /// Reads `$NAME`, `${NAME}` and what else may follow a dollar.
    fn dollar(&mut self, word: &mut WordText, quoted: bool) -> Result<(), ShellError> {
        let begin = self.at;
        self.next();
        let name = match self.peek() {
            Some('(') => {
                self.nested('(', ')')?;
                None
            }
            Some('{') => {
                self.nested('{', '}')?;
                let inside: String = self.rest[begin + 2..self.at - 1].iter().collect();
                Some(inside).filter(|name| is_name(name))
            }
            Some(next) if next.is_ascii_alphabetic() || next == '_' => {
                let start = self.at;
                while self.peek().is_some_and(|next| next.is_ascii_alphanumeric() || next == '_') {
                    self.next();
                }
                Some(self.rest[start..self.at].iter().collect())
            }
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!' | '0'..='9') => {
                self.next();
                None
            }
            _ => {
                word.text.push('$');
                return Ok(());
            }
        };
        let value = name.as_ref().and_then(|name| match self.own.get(name) {
            Some(own) => own.clone(),
            None => (self.variable)(name),
        });
        match value {
            Some(value) => word.text.push_str(&value),
            None => {
                let raw: String = self.rest[begin..self.at].iter().collect();
                word.unknown.get_or_insert(raw);
            }
        }
        word.splits |= !quoted;
        Ok(())
    }

    /// Passes over what stands between two brackets, quotes and brackets in it included.
    fn nested(&mut self, open: char, close: char) -> Result<(), ShellError> {
        let mut depth = 0;
        while let Some(next) = self.next() {
            if next == '\'' && open == '(' {
                while self.next().is_some_and(|next| next != '\'') {}
            } else if next == '\\' {
                self.next();
            } else if next == open {
                depth += 1;
            } else if next == close {
                depth -= 1;
                if depth == 0 {
                    return Ok(());
                }
            }
        }
        self.error("a substitution that never ends")
    }

    /// Reads something unknown that was marked before.
    fn marked(&mut self, word: &mut WordText) {
        let begin = self.at + 1;
        while self.next().is_some_and(|next| next != '\u{E001}') {}
        let end = self.at.saturating_sub(1).max(begin);
        let name: String = self.rest[begin..end].iter().collect();
        word.unknown.get_or_insert(name);
    }

    /// Passes over a redirection, and notes a here-document.
    fn redirection(&mut self, _: bool) -> Result<(), ShellError> {
        let here = self.peek() == Some('<') && self.rest.get(self.at + 1) == Some(&'<');
        let text = here && self.rest.get(self.at + 2) == Some(&'<');
        while self.peek().is_some_and(|next| matches!(next, '<' | '>')) {
            self.next();
        }
        let tabs = here && self.peek() == Some('-');
        if tabs || self.peek() == Some('&') || self.peek() == Some('|') {
            self.next();
        }
        self.blanks();
        if self.peek() == Some('(') {
            return self.error("a process substitution");
        }
        let target = self.word()?;
        if here && !text {
            self.heredocs.push((target.text, tabs));
        }
        Ok(())
    }

    /// Passes over the bodies of here-documents, after the line that names them.
    fn bodies(&mut self) {
        for (end, tabs) in std::mem::take(&mut self.heredocs) {
            loop {
                let mut line = String::new();
                let mut over = true;
                while let Some(next) = self.next() {
                    if next == '\n' {
                        over = false;
                        break;
                    }
                    line.push(next);
                }
                let line = if tabs { line.trim_start_matches('\t') } else { &line };
                if line == end || over {
                    break;
                }
            }
        }
    }

    /// Keeps what a command assigns for those after it.
    fn remember(&mut self, command: &ShellCommand) {
        let known = |word: &ShellWord| word.known().map(str::to_owned);
        match command.words.first().map(ShellWord::known) {
            None => {
                let values = command.assignments.iter().map(|(name, value)| (name.clone(), known(value)));
                self.own.extend(values);
            }
            Some(Some("export" | "readonly" | "local" | "declare")) => {
                for word in &command.words[1..] {
                    match word {
                        ShellWord::Known(text) => {
                            if let Some((name, value)) = text.split_once('=') {
                                self.own.insert(name.to_owned(), Some(value.to_owned()));
                            }
                        }
                        // Which variable it sets may not be known either; of the usual form the name is.
                        ShellWord::Unknown(_) => {}
                    }
                }
            }
            Some(Some("unset")) => {
                for name in command.words[1..].iter().filter_map(ShellWord::known) {
                    self.own.insert(name.to_owned(), Some(String::new()));
                }
            }
            Some(Some("read" | "source" | "." | "eval" | "mapfile")) => {
                // They may set any variable.
                for value in self.own.values_mut() {
                    *value = None;
                }
            }
            Some(_) => {}
        }
    }
}

fn finished(word: WordText) -> ShellWord {
    match word.unknown {
        Some(what) => ShellWord::Unknown(what),
        None => ShellWord::Known(word.text),
    }
}

fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(script: &str) -> Result<String, ShellError> {
        let variable = |name: &str| match name {
            "TAG" => Some("v1".to_owned()),
            "TWO" => Some("a b".to_owned()),
            "HOME" => Some("/home/runner".to_owned()),
            _ => None,
        };
        let script = Script::read(script, &variable)?;
        let word = |word: &ShellWord| match word {
            ShellWord::Known(text) => format!("[{text}]"),
            ShellWord::Unknown(what) => format!("?{what}?"),
        };
        let command = |command: &ShellCommand| {
            let set = command.assignments.iter().map(|(name, value)| format!("{name}={}", word(value)));
            set.chain(command.words.iter().map(word)).collect::<Vec<_>>().join(" ")
        };
        Ok(script.commands.iter().map(command).collect::<Vec<_>>().join("; "))
    }

    #[test]
    fn plain_commands_are_read_as_a_shell_reads_them() {
        for (script, words) in [
            ("docker build -t x .", "[docker] [build] [-t] [x] [.]"),
            (
                "set -e\n  docker build \\\n --target 'a b' . # note",
                "[set] [-e]; [docker] [build] [--target] [a b] [.]",
            ),
            ("cd x && A=1 go build; ls", "[cd] [x]; A=[1] [go] [build]; [ls]"),
            ("echo \"$TAG-${TAG}\" '$TAG' \\$TAG a\"b c\"d", "[echo] [v1-v1] [$TAG] [$TAG] [ab cd]"),
            ("x $TWO \"$TWO\" $NONE \"$(date)\"", "[x] [a] [b] [a b] ?$NONE? ?$(date)?"),
            (
                "V=1\nx $V\nexport V=2\nx ${V}\nW=$(y)\nx $W",
                "V=[1]; [x] [1]; [export] [V=2]; [x] [2]; W=?$(y)?; [x] ?$W?",
            ),
            ("x > out 2>&1 < in\ny >> $GITHUB_OUTPUT", "[x]; [y]"),
            ("cat <<EOF > f\ndocker build .\nEOF\nz", "[cat]; [z]"),
            ("cat <<-'E'\n\tif x\n\tE\nz", "[cat]; [z]"),
            ("x ~/a ${TAG:-y} *.go", "[x] [/home/runner/a] ?${TAG:-y}? ?*.go?"),
            ("x ''", "[x] []"),
            ("x a\u{E000}matrix.go\u{E001}b", "[x] ?matrix.go?"),
            ("", ""),
        ] {
            assert_eq!(read(script).as_deref(), Ok(words), "{script}");
        }
    }

    #[test]
    fn what_is_more_than_a_list_of_commands_is_not_understood() {
        for (script, what) in [
            ("a | b", "`|`"),
            ("a || b", "`||`"),
            ("a &", "`&`"),
            ("\nif a; then b; fi", "`if`"),
            ("for x in a; do b; done", "`for`"),
            ("(a)", "a group in parentheses"),
            ("f() { a; }", "a function"),
            ("x `date`", "a command substitution in backquotes"),
            ("x 'a", "a quote that never ends"),
            ("x $(a", "a substitution that never ends"),
            ("x <(a)", "a process substitution"),
        ] {
            assert_eq!(read(script).unwrap_err().what, what, "{script}");
        }
        assert_eq!(read("a\nb | c").unwrap_err().line, 2);
    }

    proptest! {
        #[test]
        fn no_script_makes_it_panic(script in "[a-z$ \\\\{}()'\"`|&;<>#~=\n\u{E000}\u{E001}-]{0,60}|.{0,40}") {
            let _ = Script::read(&script, &|_| None);
        }

        #[test]
        fn quoted_words_come_back_as_they_are(words in prop::collection::vec("[ -~]{1,12}", 1..5)) {
            let script = shlex::try_join(words.iter().map(String::as_str)).unwrap();
            let read = Script::read(&script, &|_| None).unwrap();
            let found: Vec<_> = read.commands.iter().flat_map(|command| &command.words).filter_map(ShellWord::known).collect();
            prop_assume!(!words[0].contains('=') && !RESERVED.contains(&words[0].as_str()));
            prop_assert_eq!(found, words.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
}
