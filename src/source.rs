//! Named text and spans in it: the ground floor. [`Source`] is principal.
//!
//! Parsers keep byte spans; only whoever shows a place to a person turns a span into a line and column. Nothing here
//! reads files.

use std::fmt;

/// A text with the name a person knows it by (usually the path they gave).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name shown in messages.
    pub name: String,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// Names a text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// Returns the place of a byte offset; an offset past the end gives the last place.
    pub fn place(&self, offset: usize) -> Position {
        let upto = &self.text.as_bytes()[..offset.min(self.text.len())];
        let line = upto.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = upto.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = String::from_utf8_lossy(&upto[start..]).chars().count() + 1;
        Position { line, column }
    }

    /// Returns the text of one line, without its end; `None` when there is no such line. Lines count from 1.
    pub fn line(&self, number: usize) -> Option<&str> {
        self.text.lines().nth(number.checked_sub(1)?)
    }

    /// Says `name:line:column` for a span, the form editors and terminals can follow.
    pub fn cite(&self, span: Span) -> String {
        format!("{}:{}", self.name, self.place(span.start))
    }
}

/// A half-open range of byte offsets in a [`Source`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// Makes a span; an end before the start is taken as the start.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end: end.max(start) }
    }
}

/// A line and column, both counted from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.line, self.column)
    }
}

/// A value with the place it was written at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands in its source.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Joins a value and its place.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// Changes the value and keeps the place.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: change(self.value), span: self.span }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let source = Source::new("a.yml", "é: 1\nkey: é value\n");
        assert_eq!(source.place(0).to_string(), "1:1");
        assert_eq!(source.place(source.text.find("value").unwrap()).to_string(), "2:8");
        assert_eq!(source.place(9_999).to_string(), "3:1");
        assert_eq!(source.line(2), Some("key: é value"));
        assert_eq!(source.line(0), None);
    }
}
