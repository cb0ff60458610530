//! One path pattern of actions/cache, as @actions/glob understands it. [`Pattern`] is principal.
//!
//! A pattern is absolute once `~`, `.` and the workspace are put in, and matches path by path component. Foreign
//! facts: actions/toolkit `packages/glob/src/internal-pattern.ts` and its minimatch options (dot, nobrace, noext).

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use super::ArchiveError;

/// A compiled pattern.
#[derive(Debug)]
pub struct PathPattern {
    /// Whether it takes matches away.
    pub negate: bool,
    /// Whether it matches only directories: it ended in a slash.
    pub dirs_only: bool,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone)]
enum Segment {
    Literal(OsString),
    Glob(GlobMatcher),
    /// `**`: any number of components.
    Deep,
}

/// How a path stands to a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathMatch {
    /// The pattern matches the path.
    pub matches: bool,
    /// The pattern may match something below it.
    pub leads_on: bool,
}

impl PathPattern {
    /// Compiles one trimmed line; `None` for a comment.
    pub fn parse(line: &str, workspace: &Path, home: &Path) -> Result<Option<Self>, ArchiveError> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        let mut text = line;
        let mut negate = false;
        while let Some(rest) = text.strip_prefix('!') {
            negate = !negate;
            text = rest.trim();
        }
        let refused = |reason| ArchiveError::Pattern { pattern: text.to_owned(), reason };
        if text.is_empty() {
            return Err(refused("pattern cannot be empty"));
        }
        let mut parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
        let literals: Vec<_> = parts.iter().map(|part| literal(part)).collect();
        let relative = |(at, part): (usize, &Option<String>)| match part.as_deref() {
            Some("..") => true,
            Some(".") => at > 0 || text.starts_with('/'),
            _ => false,
        };
        if literals.iter().enumerate().any(relative) {
            return Err(refused("Relative pathing '.' and '..' is not allowed."));
        }
        let start = match (text.starts_with('/'), parts.first()) {
            (true, _) => Path::new("/"),
            (false, Some(&"~")) => {
                parts.remove(0);
                home
            }
            (false, Some(&".")) => {
                parts.remove(0);
                workspace
            }
            (false, _) => workspace,
        };
        let before = start.components().filter_map(|part| match part {
            Component::Normal(part) => Some(Segment::Literal(part.to_owned())),
            _ => None,
        });
        let segments = before.chain(parts.into_iter().map(segment)).collect();
        Ok(Some(Self { negate, dirs_only: text.ends_with('/'), segments }))
    }

    /// Returns the pattern of all that lies below what this one matches.
    pub fn below(&self) -> Self {
        let segments = self.segments.iter().cloned().chain([Segment::Deep]).collect();
        Self { negate: self.negate, dirs_only: false, segments }
    }

    /// Returns the path a search for matches starts from: all components before the first glob.
    pub(super) fn search_path(&self) -> PathBuf {
        let literals = self.segments.iter().map_while(|segment| match segment {
            Segment::Literal(part) => Some(part),
            _ => None,
        });
        Path::new("/").components().map(|part| part.as_os_str()).chain(literals.map(OsString::as_os_str)).collect()
    }

    /// Compares an absolute path with the pattern. Works on the set of positions reached, so that many `**` cost no
    /// more than one.
    pub fn standing(&self, path: &Path) -> PathMatch {
        let end = self.segments.len();
        let mut reached = vec![false; end + 1];
        reached[0] = true;
        self.skip_deep(&mut reached);
        for part in path.components() {
            let Component::Normal(part) = part else { continue };
            let mut next = vec![false; end + 1];
            for (at, segment) in self.segments.iter().enumerate().filter(|(at, _)| reached[*at]) {
                match segment {
                    Segment::Literal(literal) => next[at + 1] |= literal == part,
                    Segment::Glob(glob) => next[at + 1] |= glob.is_match(part),
                    Segment::Deep => next[at] = true,
                }
            }
            self.skip_deep(&mut next);
            reached = next;
        }
        PathMatch { matches: reached[end], leads_on: reached[..end].contains(&true) }
    }

    /// `**` matches nothing at all, too.
    fn skip_deep(&self, reached: &mut [bool]) {
        for (at, segment) in self.segments.iter().enumerate() {
            if reached[at] && matches!(segment, Segment::Deep) {
                reached[at + 1] = true;
            }
        }
    }
}

fn segment(part: &str) -> Segment {
    if let Some(literal) = literal(part) {
        return Segment::Literal(OsString::from_vec(literal.into_bytes()));
    }
    if part == "**" {
        return Segment::Deep;
    }
    let build = |text: &str| GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build();
    // A set that is never closed is no set.
    match build(&glob_text(part)).or_else(|_| build(&glob_text(part).replace('[', "\\["))) {
        Ok(glob) => Segment::Glob(glob.compile_matcher()),
        Err(_) => Segment::Literal(part.into()),
    }
}

/// Escapes what globset reads and minimatch, as configured, does not: braces.
fn glob_text(part: &str) -> String {
    let mut text = String::with_capacity(part.len() + 4);
    let mut in_set = false;
    let mut chars = part.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => {
                text.push('\\');
                text.extend(chars.next().or(Some('\\')));
                continue;
            }
            '[' => in_set = true,
            ']' => in_set = false,
            '{' | '}' if !in_set => text.push('\\'),
            _ => {}
        }
        text.push(char);
    }
    text
}

/// Returns what a component says if it is no glob: escapes resolved, `[x]` taken as `x`.
fn literal(part: &str) -> Option<String> {
    let chars: Vec<char> = part.chars().collect();
    let mut text = String::with_capacity(part.len());
    let mut at = 0;
    while let Some(&char) = chars.get(at) {
        match char {
            '\\' if at + 1 < chars.len() => {
                at += 1;
                text.push(chars[at]);
            }
            '*' | '?' => return None,
            '[' => match closed_set(&chars[at + 1..]) {
                Some((set, _)) if set.len() > 1 => return None,
                Some((set, length)) if set.len() == 1 => {
                    text.push(set[0]);
                    at += length;
                }
                _ => text.push('['),
            },
            char => text.push(char),
        }
        at += 1;
    }
    Some(text)
}

/// Reads a set up to its `]`: its characters, and how many were read.
fn closed_set(chars: &[char]) -> Option<(Vec<char>, usize)> {
    let mut set = Vec::new();
    let mut at = 0;
    while let Some(&char) = chars.get(at) {
        match char {
            ']' => return Some((set, at + 1)),
            '\\' if at + 1 < chars.len() => {
                at += 1;
                set.push(chars[at]);
            }
            char => set.push(char),
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(line: &str) -> PathPattern {
        PathPattern::parse(line, Path::new("/w"), Path::new("/h")).unwrap().unwrap()
    }

    fn matches(line: &str, path: &str) -> bool {
        pattern(line).standing(Path::new(path)).matches
    }

    #[test]
    fn relative_home_and_absolute_patterns_have_their_own_start() {
        assert!(matches("a/b", "/w/a/b"));
        assert!(matches("./a", "/w/a"));
        assert!(matches(".", "/w"));
        assert!(matches("~/.cache", "/h/.cache"));
        assert!(matches("~", "/h"));
        assert!(matches("/x//y/", "/x/y"));
        assert!(matches("~user", "/w/~user"));
        assert_eq!(pattern("a/*/c").search_path(), Path::new("/w/a"));
    }

    #[test]
    fn stars_stay_in_their_component_and_double_stars_do_not() {
        assert!(matches("*", "/w/.hidden"));
        assert!(!matches("*", "/w/a/b"));
        assert!(matches("a/**", "/w/a"), "dir/** is also dir itself");
        assert!(matches("a/**", "/w/a/b/c"));
        assert!(matches("a/**/z", "/w/a/z"));
        assert!(matches("**/z", "/w/a/b/z"));
        assert!(matches("a?c[0-9]", "/w/abc7"));
        assert!(!matches("a[!b]", "/w/ab"));
        assert!(matches("{a,b}*", "/w/{a,b}c"), "braces are only characters");
        assert!(matches("a\\*", "/w/a*"));
        assert!(!matches("a\\*", "/w/ab"));
        assert!(matches("[*]x", "/w/*x"));
        assert!(matches("a*[b", "/w/a1[b"), "an open bracket is a character");
    }

    #[test]
    fn a_path_on_the_way_to_a_match_leads_on() {
        let standing = |path| pattern("a/*/c").standing(Path::new(path));
        assert_eq!(standing("/w/a"), PathMatch { matches: false, leads_on: true });
        assert_eq!(standing("/w/a/b/c"), PathMatch { matches: true, leads_on: false });
        assert_eq!(standing("/w/b"), PathMatch { matches: false, leads_on: false });
    }

    #[test]
    fn dots_inside_a_pattern_are_refused_in_the_words_of_the_action() {
        for bad in ["../x", "a/../b", "a/./b", "~/.."] {
            let error = PathPattern::parse(bad, Path::new("/w"), Path::new("/h")).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("Invalid pattern '{bad}'. Relative pathing '.' and '..' is not allowed.")
            );
        }
    }

    #[test]
    fn exclamation_marks_negate_and_hashes_comment() {
        assert!(pattern("!a").negate);
        assert!(!pattern("!!a").negate);
        assert!(PathPattern::parse("# a", Path::new("/w"), Path::new("/h")).unwrap().is_none());
    }

    proptest! {
        #[test]
        fn any_line_and_path_are_compared_without_a_panic(line in ".*", globs in "[a*?\\[\\]\\\\{}/!^-]{0,12}", path in ".*") {
            for line in [line, globs] {
                if let Ok(Some(pattern)) = PathPattern::parse(line.trim(), Path::new("/w"), Path::new("/h")) {
                    let _ = pattern.standing(&Path::new("/w").join(&path));
                    let _ = pattern.search_path();
                }
            }
        }
    }
}
