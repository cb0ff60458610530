//! Words as `BuildKit` reads them: quotes, escapes and variables. [`expand`] and [`split`] are principal.
//!
//! Follows `frontend/dockerfile/shell/lex.go` of moby/buildkit. It is not a shell: no globbing, no command
//! substitution, no arithmetic.

use std::collections::BTreeSet;

/// How deep `${a:-${b:-…}}` may nest; real files use one or two.
const DEPTH: usize = 32;

/// Why a word cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordError {
    /// A quote without its partner.
    #[error("unexpected end of statement while looking for matching {0}-quote")]
    Quote(&'static str),
    /// A `${` without `}`.
    #[error("syntax error: missing '}}'")]
    Brace,
    /// `${}` and the like.
    #[error("syntax error: bad substitution")]
    Substitution,
    /// `${name@…}` and other forms that are not supported.
    #[error("unsupported modifier ({0}) in substitution")]
    Modifier(String),
    /// `${name:?message}` of a variable that is missing.
    #[error("{0}: {1}")]
    Required(String, String),
    /// Nesting deeper than any real file has.
    #[error("substitutions nested too deeply")]
    Depth,
}

/// A word after expansion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Expanded {
    /// The text.
    pub(super) text: String,
    /// The variables it used that were not set.
    pub(super) unset: BTreeSet<String>,
}

/// Removes quotes and escapes from a word and replaces its variables.
pub(super) fn expand(word: &str, escape: char, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Expanded, WordError> {
    let mut lexer = Lexer { chars: word.chars().collect(), at: 0, escape, lookup, unset: BTreeSet::new() };
    let text = lexer.until(None, false, 0)?;
    Ok(Expanded { text, unset: lexer.unset })
}

/// Splits at white space outside quotes; quotes and escapes stay as written.
pub(super) fn split(text: &str, escape: char) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char == escape && quote != Some('\'') {
            word.push(char);
            word.extend(chars.next());
        } else if let Some(open) = quote {
            word.push(char);
            if char == open {
                quote = None;
            }
        } else if char.is_whitespace() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        } else {
            if matches!(char, '"' | '\'') {
                quote = Some(char);
            }
            word.push(char);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

struct Lexer<'a> {
    chars: Vec<char>,
    at: usize,
    escape: char,
    lookup: &'a dyn Fn(&str) -> Option<String>,
    unset: BTreeSet<String>,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.at += 1;
        Some(char)
    }

    fn get(&mut self, name: &str) -> Option<String> {
        let value = (self.lookup)(name);
        if value.is_none() {
            self.unset.insert(name.to_owned());
        }
        value
    }

    fn until(&mut self, stop: Option<char>, raw_escapes: bool, depth: usize) -> Result<String, WordError> {
        if depth > DEPTH {
            return Err(WordError::Depth);
        }
        let mut out = String::new();
        while let Some(char) = self.peek() {
            if Some(char) == stop {
                self.at += 1;
                return Ok(out);
            }
            match char {
                '\'' => out.push_str(&self.single_quoted()?),
                '"' => out.push_str(&self.double_quoted(depth)?),
                '$' => out.push_str(&self.dollar(depth)?),
                _ => {
                    self.at += 1;
                    if char == self.escape {
                        if raw_escapes {
                            out.push(char);
                        }
                        out.extend(self.next());
                    } else {
                        out.push(char);
                    }
                }
            }
        }
        if stop.is_some() { Err(WordError::Brace) } else { Ok(out) }
    }

    fn single_quoted(&mut self) -> Result<String, WordError> {
        self.at += 1;
        let mut out = String::new();
        loop {
            match self.next() {
                None => return Err(WordError::Quote("single")),
                Some('\'') => return Ok(out),
                Some(char) => out.push(char),
            }
        }
    }

    fn double_quoted(&mut self, depth: usize) -> Result<String, WordError> {
        self.at += 1;
        let mut out = String::new();
        loop {
            match self.peek() {
                None => return Err(WordError::Quote("double")),
                Some('"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some('$') => out.push_str(&self.dollar(depth)?),
                Some(char) => {
                    self.at += 1;
                    if char == self.escape {
                        match self.peek() {
                            None => continue,
                            Some(next) if next == '"' || next == '$' || next == self.escape => {
                                self.at += 1;
                                out.push(next);
                                continue;
                            }
                            Some(_) => {}
                        }
                    }
                    out.push(char);
                }
            }
        }
    }

    fn dollar(&mut self, depth: usize) -> Result<String, WordError> {
        self.at += 1;
        if self.peek() != Some('{') {
            let name = self.name();
            return Ok(if name.is_empty() { "$".to_owned() } else { self.get(&name).unwrap_or_default() });
        }
        self.at += 1;
        match self.peek() {
            None => return Err(WordError::Brace),
            Some('{' | '}' | ':') => return Err(WordError::Substitution),
            Some(_) => {}
        }
        let name = self.name();
        let mut operator = self.next().ok_or(WordError::Brace)?;
        let mut written = operator.to_string();
        let empty_is_unset = operator == ':';
        if empty_is_unset {
            operator = self.next().ok_or(WordError::Brace)?;
            written.push(operator);
        }
        match operator {
            '}' if !empty_is_unset => Ok(self.get(&name).unwrap_or_default()),
            '-' | '+' | '?' | '#' | '%' => {
                let word = self.until(Some('}'), matches!(operator, '#' | '%'), depth + 1)?;
                self.modified(&name, operator, empty_is_unset, &word)
            }
            '/' if !empty_is_unset => self.replaced(&name, depth),
            _ => Err(WordError::Modifier(written)),
        }
    }

    fn modified(&mut self, name: &str, operator: char, empty_is_unset: bool, word: &str) -> Result<String, WordError> {
        // A default makes an unset variable a choice, not a gap in what we know.
        let value = if matches!(operator, '-' | '+') { (self.lookup)(name) } else { self.get(name) };
        let present = value.as_deref().is_some_and(|value| !empty_is_unset || !value.is_empty());
        let value = value.unwrap_or_default();
        Ok(match operator {
            '-' => {
                if present {
                    value
                } else {
                    word.to_owned()
                }
            }
            '+' => {
                if present {
                    word.to_owned()
                } else {
                    String::new()
                }
            }
            '?' if present => value,
            '?' => {
                let said = if word.is_empty() { "is not allowed to be unset" } else { word };
                return Err(WordError::Required(name.to_owned(), said.to_owned()));
            }
            _ => {
                let (longest, pattern) = match word.strip_prefix(operator) {
                    Some(rest) => (true, rest),
                    None => (false, word),
                };
                trim(&value, pattern, operator == '#', longest)
            }
        })
    }

    fn replaced(&mut self, name: &str, depth: usize) -> Result<String, WordError> {
        let all = self.peek() == Some('/');
        if all {
            self.at += 1;
        }
        let pattern = self.until(Some('/'), true, depth + 1)?;
        let replacement = self.until(Some('}'), true, depth + 1)?;
        let value: Vec<char> = self.get(name).unwrap_or_default().chars().collect();
        let pattern = glob(&pattern);
        let mut out = String::new();
        let mut at = 0;
        let mut done = false;
        while at < value.len() {
            let end = (at + 1..=value.len()).rev().find(|end| !done && matches(&pattern, &value[at..*end]));
            if let Some(end) = end {
                out.push_str(&replacement);
                at = end;
                done = !all;
            } else {
                out.push(value[at]);
                at += 1;
            }
        }
        Ok(out)
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(char) = self.peek() {
            if name.is_empty() && char.is_numeric() {
                while let Some(digit) = self.peek().filter(|char| char.is_numeric()) {
                    name.push(digit);
                    self.at += 1;
                }
                return name;
            }
            if name.is_empty() && matches!(char, '@' | '*' | '#' | '?' | '-' | '$' | '!') {
                self.at += 1;
                return char.to_string();
            }
            if !char.is_alphanumeric() && char != '_' {
                break;
            }
            name.push(char);
            self.at += 1;
        }
        name
    }
}

/// One element of a `*`/`?` pattern.
#[derive(Clone, Copy)]
enum GlobPiece {
    Exactly(char),
    Any,
    Many,
}

fn glob(pattern: &str) -> Vec<GlobPiece> {
    let mut pieces = Vec::new();
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        pieces.push(match char {
            '*' => GlobPiece::Many,
            '?' => GlobPiece::Any,
            '\\' => GlobPiece::Exactly(chars.next().unwrap_or('\\')),
            char => GlobPiece::Exactly(char),
        });
    }
    pieces
}

/// Whether a pattern matches the whole text; linear backtracking over the last star.
fn matches(pattern: &[GlobPiece], text: &[char]) -> bool {
    let (mut at, mut in_text, mut star) = (0, 0, None);
    while in_text < text.len() {
        match pattern.get(at) {
            Some(GlobPiece::Many) => {
                star = Some((at, in_text));
                at += 1;
            }
            Some(GlobPiece::Any) => {
                at += 1;
                in_text += 1;
            }
            Some(GlobPiece::Exactly(char)) if *char == text[in_text] => {
                at += 1;
                in_text += 1;
            }
            _ => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                at = star_at + 1;
                in_text = taken + 1;
            }
        }
    }
    pattern[at.min(pattern.len())..].iter().all(|piece| matches!(piece, GlobPiece::Many))
}

fn trim(value: &str, pattern: &str, front: bool, longest: bool) -> String {
    let text: Vec<char> = value.chars().collect();
    let pattern = glob(pattern);
    let cut = |length: &usize| {
        let part = if front { &text[..*length] } else { &text[text.len() - *length..] };
        matches(&pattern, part)
    };
    let found = if longest { (0..=text.len()).rev().find(cut) } else { (0..=text.len()).find(cut) };
    match found {
        Some(length) if front => text[length..].iter().collect(),
        Some(length) => text[..text.len() - length].iter().collect(),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn with(word: &str) -> Result<String, WordError> {
        let lookup = |name: &str| match name {
            "A" => Some("alpha".to_owned()),
            "E" => Some(String::new()),
            "P" => Some("a/b/c.tar.gz".to_owned()),
            _ => None,
        };
        expand(word, '\\', &lookup).map(|expanded| expanded.text)
    }

    #[test]
    fn variables_expand_as_buildkit_expands_them() {
        for (word, text) in [
            ("k-$A", "k-alpha"),
            ("k-${A}x", "k-alphax"),
            ("${X:-y}", "y"),
            ("${E:-y}|${E-y}", "y|"),
            ("${A:+set}|${X:+set}|${E+set}", "set||set"),
            ("${X:-${A}}", "alpha"),
            ("'$A'", "$A"),
            ("\"$A\"", "alpha"),
            ("\\$A", "$A"),
            ("a$", "a$"),
            ("${P#*/}|${P##*/}|${P%.*}|${P%%.*}", "b/c.tar.gz|c.tar.gz|a/b/c.tar|a/b/c"),
            ("${P/b/x}|${P//[/]/x}", "a/x/c.tar.gz|a/b/c.tar.gz"),
        ] {
            assert_eq!(with(word).as_deref(), Ok(text), "{word}");
        }
    }

    #[test]
    fn a_variable_nobody_set_is_reported_unless_it_has_a_default() {
        let nothing = |_: &str| None;
        assert!(expand("$X${Y}", '\\', &nothing).unwrap().unset.iter().eq(["X", "Y"]));
        assert!(expand("${X:-y}", '\\', &nothing).unwrap().unset.is_empty());
    }

    #[test]
    fn bad_substitutions_are_errors() {
        assert_eq!(with("${A"), Err(WordError::Brace));
        assert_eq!(with("${}"), Err(WordError::Substitution));
        assert_eq!(with("${A@Q}"), Err(WordError::Modifier("@".to_owned())));
        assert_eq!(with("${X:?no}"), Err(WordError::Required("X".to_owned(), "no".to_owned())));
        assert_eq!(with("'a"), Err(WordError::Quote("single")));
        assert_eq!(with(&"${X:-".repeat(100)), Err(WordError::Depth));
    }

    #[test]
    fn words_keep_their_quotes_and_split_outside_them() {
        assert_eq!(split("a=\"b c\"  d='e f' g\\ h", '\\'), ["a=\"b c\"", "d='e f'", "g\\ h"]);
    }

    proptest! {
        #[test]
        fn no_text_makes_expansion_panic(word in ".{0,80}|[${}:/#%*'\"\\\\Aa-]{0,40}") {
            let _ = with(&word);
            let _ = split(&word, '\\');
        }
    }
}
