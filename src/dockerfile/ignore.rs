//! What a `.dockerignore` leaves out of a build context. [`Ignore`] is principal.
//!
//! Follows moby/patternmatcher: patterns are anchored at the root, the last one that matches decides, and a pattern that
//! matches a directory covers everything below it. Which ignore file applies is for whoever reads files to decide.

/// A pattern that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(".dockerignore line {line}: {problem}: {pattern}")]
pub struct IgnoreError {
    /// The line, counted from 1.
    pub line: usize,
    /// The pattern.
    pub pattern: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// The patterns of a `.dockerignore`.
#[derive(Debug, Clone, Default)]
pub struct Ignore {
    patterns: Vec<IgnorePattern>,
}

#[derive(Debug, Clone)]
struct IgnorePattern {
    exception: bool,
    shape: Shape,
}

#[derive(Debug, Clone)]
enum Shape {
    Exactly(String),
    /// A literal followed by `**`.
    Prefix(String),
    /// `**` followed by a literal.
    Suffix(String),
    Pieces(Vec<IgnorePiece>),
}

#[derive(Debug, Clone)]
enum IgnorePiece {
    Char(char),
    /// `?`
    One,
    /// `*`
    Some,
    /// `**/`: nothing, or anything that ends in a slash. Always followed by [`IgnorePiece::InFolders`].
    Folders,
    InFolders,
    /// `**` at the end.
    Rest,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Ignore {
    /// Reads the text of a `.dockerignore`.
    ///
    /// # Errors
    /// A pattern with an open bracket, a trailing backslash, or only an exclamation mark.
    pub fn parse(text: &str) -> Result<Self, IgnoreError> {
        let mut ignore = Self::default();
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let pattern = line.trim();
            if line.starts_with('#') || pattern.is_empty() {
                continue;
            }
            let error = |problem| IgnoreError { line: index + 1, pattern: pattern.to_owned(), problem };
            ignore.patterns.push(IgnorePattern::parse(pattern).map_err(error)?);
        }
        Ok(ignore)
    }

    /// Adds an exception for a path that must be sent whatever the file says, such as the Dockerfile itself.
    #[must_use]
    pub fn keeping(mut self, path: &str) -> Self {
        self.patterns.push(IgnorePattern { exception: true, shape: Shape::Exactly(super::path::clean_path(path)) });
        self
    }

    /// Says whether a path, relative to the context and separated by slashes, is left out.
    pub fn excludes(&self, path: &str) -> bool {
        let path = super::path::clean_path(path);
        let path = path.trim_start_matches('/');
        if path.is_empty() || path == "." {
            return false;
        }
        let mut excluded = false;
        for pattern in &self.patterns {
            if pattern.exception == excluded && pattern.covers(path) {
                excluded = !pattern.exception;
            }
        }
        excluded
    }

    /// Says whether a directory need not even be looked into: it is left out, and no exception can bring back what is
    /// below it.
    pub fn prunes(&self, directory: &str) -> bool {
        !self.patterns.iter().any(|pattern| pattern.exception) && self.excludes(directory)
    }
}

impl IgnorePattern {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let (exception, text) = match text.strip_prefix('!') {
            Some(rest) => (true, rest.trim()),
            None => (false, text),
        };
        if text.is_empty() {
            return Err("illegal exclusion pattern");
        }
        let clean = super::path::clean_path(text);
        let clean = if clean.len() > 1 { clean.trim_start_matches('/') } else { &clean };
        Ok(Self { exception, shape: Shape::parse(clean)? })
    }

    /// Whether it matches a path or a directory above it.
    fn covers(&self, path: &str) -> bool {
        let above = path.match_indices('/').map(|(at, _)| &path[..at]);
        above.chain([path]).any(|path| self.shape.matches(path))
    }
}

impl Shape {
    fn parse(pattern: &str) -> Result<Self, &'static str> {
        let literal = |text: &str| !text.contains(['*', '?', '[', ']', '\\']);
        if literal(pattern) {
            return Ok(Self::Exactly(pattern.to_owned()));
        }
        if let Some(rest) = pattern.strip_prefix("**").filter(|rest| literal(rest)) {
            return Ok(Self::Suffix(rest.to_owned()));
        }
        if let Some(rest) = pattern.strip_suffix("**").filter(|rest| literal(rest)) {
            return Ok(Self::Prefix(rest.to_owned()));
        }
        let mut pieces = Vec::new();
        let mut chars = pattern.chars().peekable();
        while let Some(char) = chars.next() {
            let piece = match char {
                '*' if chars.next_if_eq(&'*').is_some() => {
                    chars.next_if_eq(&'/');
                    if chars.peek().is_some() {
                        pieces.push(IgnorePiece::Folders);
                        IgnorePiece::InFolders
                    } else {
                        IgnorePiece::Rest
                    }
                }
                '*' => IgnorePiece::Some,
                '?' => IgnorePiece::One,
                '\\' => IgnorePiece::Char(chars.next().ok_or("syntax error in pattern")?),
                '[' => class(&mut chars)?,
                char => IgnorePiece::Char(char),
            };
            pieces.push(piece);
        }
        Ok(Self::Pieces(pieces))
    }

    fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exactly(text) => path == text,
            Self::Prefix(text) => path.starts_with(text.as_str()),
            Self::Suffix(text) => path.ends_with(text.as_str()) || text.strip_prefix('/') == Some(path),
            Self::Pieces(pieces) => matches(pieces, path),
        }
    }
}

fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<IgnorePiece, &'static str> {
    const BAD: &str = "syntax error in pattern";
    let negated = chars.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    let one = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| match chars.next() {
        None | Some('-' | ']') => Err(BAD),
        Some('\\') => chars.next().ok_or(BAD),
        Some(char) => Ok(char),
    };
    loop {
        if !ranges.is_empty() && chars.next_if_eq(&']').is_some() {
            return Ok(IgnorePiece::Class { negated, ranges });
        }
        let low = one(chars)?;
        let high = if chars.next_if_eq(&'-').is_some() { one(chars)? } else { low };
        ranges.push((low, high));
    }
}

/// Follows every way a pattern can match at once; the work is bounded by pattern times path.
fn matches(pieces: &[IgnorePiece], path: &str) -> bool {
    // `at[i]`: the first `i` pieces match what was read so far.
    let mut at = vec![false; pieces.len() + 1];
    at[0] = true;
    pass(pieces, &mut at);
    for char in path.chars() {
        let mut next = vec![false; pieces.len() + 1];
        for (index, piece) in pieces.iter().enumerate().filter(|(index, _)| at[*index]) {
            match piece {
                IgnorePiece::Char(one) => next[index + 1] |= *one == char,
                IgnorePiece::One => next[index + 1] |= char != '/',
                IgnorePiece::Some => next[index] |= char != '/',
                IgnorePiece::Rest => next[index] = true,
                IgnorePiece::Folders => {}
                IgnorePiece::InFolders => {
                    next[index] = true;
                    next[index + 1] |= char == '/';
                }
                IgnorePiece::Class { negated, ranges } => {
                    let inside = ranges.iter().any(|(low, high)| (*low..=*high).contains(&char));
                    next[index + 1] |= inside != *negated;
                }
            }
        }
        pass(pieces, &mut next);
        at = next;
    }
    at[pieces.len()]
}

/// Passes the pieces that may match nothing.
fn pass(pieces: &[IgnorePiece], at: &mut [bool]) {
    for (index, piece) in pieces.iter().enumerate() {
        if !at[index] {
            continue;
        }
        match piece {
            IgnorePiece::Some | IgnorePiece::Rest => at[index + 1] = true,
            IgnorePiece::Folders => {
                at[index + 1] = true;
                at[index + 2] = true;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn excludes(text: &str, path: &str) -> bool {
        Ignore::parse(text).unwrap().excludes(path)
    }

    #[test]
    fn patterns_match_as_moby_matches_them() {
        for (pattern, path, excluded) in [
            ("a", "a", true),
            ("a", "a/b/c", true),
            ("a", "x/a", false),
            ("/a/", "a/b", true),
            ("./a", "a", true),
            ("*.go", "x.go", true),
            ("*.go", "a/x.go", false),
            ("**/*.go", "x.go", true),
            ("**/*.go", "a/b/x.go", true),
            ("**/b", "a/b", true),
            ("**/b", "ab", false),
            ("**b", "ab", true),
            ("a/**", "a/b", true),
            ("a/**", "a", false),
            ("**", "a/b", true),
            ("a/**/d", "a/d", true),
            ("a/**/d", "a/b/c/d", true),
            ("a/**/d", "a/bd", false),
            ("a*/**/x?", "ab/c/xy", true),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("*", "a/b", true),
            ("# a", "# a", false),
            ("a\r\n\nb", "b", true),
        ] {
            let pattern = pattern.replace("\\r", "\r").replace("\\n", "\n");
            assert_eq!(excludes(&pattern, path), excluded, "{pattern} {path}");
        }
    }

    #[test]
    fn the_last_pattern_that_matches_decides() {
        assert!(!excludes("*.md\n!README.md", "README.md"));
        assert!(excludes("!README.md\n*.md", "README.md"));
        assert!(!excludes("a\n!a/keep", "a/keep/x"));
        assert!(!Ignore::parse("a\n!a/keep").unwrap().prunes("a"));
        assert!(Ignore::parse("a").unwrap().prunes("a"));
    }

    #[test]
    fn the_dockerfile_is_kept_on_request() {
        let ignore = Ignore::parse("*").unwrap().keeping("Dockerfile");
        assert!(!ignore.excludes("Dockerfile"));
        assert!(ignore.excludes("main.go"));
    }

    #[test]
    fn bad_patterns_are_named_with_their_line() {
        let error = Ignore::parse("ok\n[a").unwrap_err();
        assert_eq!(error.to_string(), ".dockerignore line 2: syntax error in pattern: [a");
        Ignore::parse("!").unwrap_err();
        Ignore::parse("a\\").unwrap_err();
    }

    proptest! {
        #[test]
        fn no_text_makes_the_matcher_panic(text in "[!*?/a\\[\\]^\\\\-]{0,12}", path in "[a/]{0,12}") {
            if let Ok(ignore) = Ignore::parse(&text) {
                ignore.excludes(&path);
            }
        }
    }
}
