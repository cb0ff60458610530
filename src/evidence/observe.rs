//! What one line of a build's output shows about its caches. [`observe`] is principal.
//!
//! It is strict about shape: a size counts only in a line of the shape `du` prints, a marker only in a line that says
//! nothing else. It knows no state; what a size belongs to is decided where the lines come together.

use std::sync::LazyLock;
use std::time::Duration;

use memchr::memmem::Finder;

use super::go_place::printed_place;
use super::timing::{is_timing_word, timing};
use super::{GoPlace, MeasuredAt};

/// Something a line of build output shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation {
    /// A size and the path it belongs to, as `du` prints them.
    Size {
        /// The size.
        size: Size,
        /// The path.
        path: String,
    },
    /// A line that says what follows was measured before or after the build.
    Marker(MeasuredAt),
    /// A downloaded module.
    Download(String),
    /// Where Go keeps a cache, as `go env` prints it.
    Place(GoPlace),
    /// A path and nothing else, as `go env GOCACHE` prints it.
    Path(String),
    /// A printed duration.
    Time(Duration),
}

/// A printed size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// A size with a unit, in bytes.
    Bytes(u64),
    /// A bare number: its unit is the `du` command's.
    Blocks(u64),
}

/// What `go` prints in front of a module that it downloads; its search is prepared once, as every line is searched.
static DOWNLOADING: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("go: downloading "));

/// How far into a line the words of a download are looked for, with what may stand in front of them.
const PREFIXED: usize = 400;

/// Tells quickly that a line shows nothing, which nearly every line does: what it may show begins with a few words only.
///
/// False for no line in which [`observe`] finds something.
pub(super) fn shows_nothing(text: &str) -> bool {
    let bytes = text.as_bytes();
    if DOWNLOADING.find(&bytes[..bytes.len().min(PREFIXED)]).is_some() {
        return false;
    }
    let Some(start) =
        bytes.iter().position(|byte| !(byte.is_ascii_whitespace() || byte.is_ascii_punctuation() && *byte != b'/'))
    else {
        return true;
    };
    let first = bytes[start];
    if first.is_ascii_digit() || first == b'/' || !first.is_ascii() {
        return false;
    }
    let word = &bytes[start..];
    let end = word.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(word.len());
    let mut lower = [0u8; 12];
    let known = end <= lower.len() && {
        lower[..end].copy_from_slice(&word[..end]);
        lower[..end].make_ascii_lowercase();
        std::str::from_utf8(&lower[..end]).is_ok_and(|word| is_marker_word(word) || is_timing_word(word))
    };
    // zsh begins its line with the command that it timed.
    !known && !bytes.ends_with(b"total") && !text.trim_end().ends_with(" total")
}

/// Tells whether a line about sizes before or after a build may say this word.
fn is_marker_word(word: &str) -> bool {
    matches!(
        word,
        "before"
            | "pre"
            | "after"
            | "post"
            | "cache"
            | "caches"
            | "mount"
            | "mounts"
            | "build"
            | "go"
            | "the"
            | "size"
            | "sizes"
            | "usage"
            | "disk"
            | "du"
            | "of"
            | "state"
            | "status"
            | "compile"
            | "compiling"
            | "compilation"
            | "building"
            | "run"
            | "module"
            | "modules"
            | "mod"
            | "gocache"
            | "gomodcache"
            | "gopath"
            | "content"
            | "contents"
            | "buildkit"
            | "docker"
            | "directory"
            | "directories"
            | "dir"
            | "dirs"
            | "step"
            | "sh"
            | "and"
    )
}

/// Says what a line shows, in its order.
pub(super) fn observe(text: &str) -> Vec<Observation> {
    let line = text.trim();
    let Some(first) = line.bytes().next() else { return Vec::new() };
    // A shell trace names commands; it is not their output.
    if first == b'+' {
        return Vec::new();
    }
    if let Some(module) = downloaded(line) {
        return vec![Observation::Download(module.to_owned())];
    }
    if first == b'G'
        && let Some(place) = printed_place(line)
    {
        return vec![Observation::Place(place)];
    }
    if let Some(sizes) = sizes(line) {
        return sizes;
    }
    if first == b'/' && line.len() < 400 && !line.contains([' ', '\t', '\'', '"', ':', '$']) {
        return vec![Observation::Path(clean(line))];
    }
    if let Some((moment, rest)) = marker(line) {
        let mut found = vec![Observation::Marker(moment)];
        if !rest.is_empty() {
            match sizes(rest) {
                Some(sizes) => found.extend(sizes),
                None => return Vec::new(),
            }
        }
        return found;
    }
    timing(line).map(Observation::Time).into_iter().collect()
}

/// Reads a downloaded module, also behind a prefix that a tool puts before each line: `[app] go: downloading …`.
fn downloaded(line: &str) -> Option<&str> {
    const SAYS: &str = "go: downloading ";
    let at = line.find(SAYS).filter(|at| *at <= 60)?;
    let module = line[at + SAYS.len()..].trim();
    // A module has a path and a version, and nothing else stands on the line.
    let (path, version) = module.split_once(' ')?;
    let plain = !path.is_empty() && version.starts_with('v') && !version.contains(' ');
    let own = at == 0 || line[..at].ends_with(|char: char| char.is_whitespace() || "]>|:)".contains(char));
    (plain && own || at == 0).then_some(module)
}

/// Reads a line of sizes and paths: `4.0K /a`, `4.0K /a 1M /b`, `/a: 4.0K`.
fn sizes(line: &str) -> Option<Vec<Observation>> {
    if line.len() > 2_000 || !matches!(line.as_bytes().first()?, b'0'..=b'9' | b'/') {
        return None;
    }
    if let Some((size, path)) = line.split_once(char::is_whitespace)
        && let Some(size) = printed_size(size)
        && let Some(path) = path.trim().strip_prefix('/')
        && !path.contains(char::is_whitespace)
    {
        return Some(vec![Observation::Size { size, path: clean(&format!("/{path}")) }]);
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut found = Vec::new();
    for pair in words.chunks(2) {
        let (size, path) = match pair {
            [size, path] if path.starts_with('/') => (size, path),
            [path, size] if path.starts_with('/') => (size, path),
            _ => return None,
        };
        found.push(Observation::Size { size: printed_size(size)?, path: clean(path) });
    }
    Some(found)
}

/// Drops what surrounds a printed path.
fn clean(path: &str) -> String {
    let path = path.trim_end_matches([':', ',', '=', ';']);
    match path.trim_end_matches('/') {
        "" => "/".to_owned(),
        path => path.to_owned(),
    }
}

/// Tells whether a line marks what follows as measured before or after the build; returns what follows on the line.
fn marker(line: &str) -> Option<(MeasuredAt, &str)> {
    if line.len() > 400 || !line.bytes().any(|byte| matches!(byte, b'b' | b'B' | b'a' | b'A' | b'p' | b'P')) {
        return None;
    }
    let mut moment = None;
    let mut words = 0;
    let mut rest = line;
    loop {
        rest = rest.trim_start_matches(|char: char| char.is_whitespace() || "=-*#~<>[](){}:|!.,_".contains(char));
        // A size or path ends the words; a dash before a digit would be a number's sign, which no size has.
        if rest.is_empty() || rest.starts_with(|char: char| char == '/' || char.is_ascii_digit()) {
            break;
        }
        let end = rest.find(|char: char| !char.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let said = match word.to_ascii_lowercase().as_str() {
            "before" | "pre" => Some(MeasuredAt::Before),
            "after" | "post" => Some(MeasuredAt::After),
            other if is_marker_word(other) => None,
            _ => return None,
        };
        if said.is_some() && moment.is_some() && said != moment {
            return None;
        }
        moment = moment.or(said);
        words += 1;
        if words > 8 {
            return None;
        }
        rest = after;
    }
    Some((moment?, rest))
}

/// Reads a size as it stands in a line of `du`.
fn printed_size(text: &str) -> Option<Size> {
    match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse().ok().map(Size::Blocks),
        false => parse_size(text).map(Size::Bytes),
    }
}

/// Reads a size as `du -h` prints it into bytes; a bare number counts KiB.
///
/// Units are powers of 1024 (`4.0K`, `118,2M`, `1.1GiB`) except where a lone `B` makes them powers of 1000 (`118MB`).
pub fn parse_size(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',')).count();
    let (number, unit) = text.split_at(digits);
    if unit.is_empty() {
        return number.parse::<u64>().ok()?.checked_mul(1024);
    }
    let (prefix, base) = match unit.split_at_checked(1)? {
        (prefix, "" | "i" | "iB" | "ib") => (prefix, 1024u64),
        (prefix, "B" | "b") => (prefix, 1000),
        _ => return None,
    };
    let power = match prefix {
        "B" if unit == "B" => 0,
        "K" | "k" => 1,
        "M" | "m" => 2,
        "G" | "g" => 3,
        "T" | "t" => 4,
        _ => return None,
    };
    let number: f64 = number.replace(',', ".").parse().ok()?;
    let bytes = number * base.checked_pow(power)? as f64;
    (bytes.is_finite() && bytes < 1e18).then_some(bytes.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn size(bytes: u64, path: &str) -> Observation {
        Observation::Size { size: Size::Bytes(bytes), path: path.into() }
    }

    #[test]
    fn sizes_are_read_as_tools_print_them() {
        assert_eq!(parse_size("4.0K"), Some(4096));
        assert_eq!(parse_size("118.5M"), Some((118.5 * 1048576.0) as u64));
        assert_eq!(parse_size("1,5G"), Some(3 << 29));
        assert_eq!(parse_size("1.5GiB"), Some(3 << 29));
        assert_eq!(parse_size("1.2G"), Some(1_288_490_189), "rounded to the nearest byte");
        assert_eq!(parse_size("1228M"), Some(1228 << 20));
        assert_eq!(parse_size("4.0Ki"), Some(4096));
        assert_eq!(parse_size("2MB"), Some(2_000_000));
        assert_eq!(parse_size("8"), Some(8192));
        assert_eq!(parse_size("0B"), Some(0));
        for odd in ["", "x", "M", "-4K", "4.0.0K", "4 K", "4Kx", "99999999999999999999", "9e9G", "K4", "1é"] {
            assert_eq!(parse_size(odd), None, "{odd}");
        }
    }

    #[test]
    fn du_is_read_in_one_or_many_lines() {
        assert_eq!(observe("118M\t/go/pkg/mod"), [size(118 << 20, "/go/pkg/mod")]);
        assert_eq!(observe("4,0K  /go/pkg/mod/"), [size(4096, "/go/pkg/mod")]);
        assert_eq!(
            observe("118M /go/pkg/mod 64M /root/.cache/go-build"),
            [size(118 << 20, "/go/pkg/mod"), size(64 << 20, "/root/.cache/go-build")]
        );
        assert_eq!(observe("/go/pkg/mod: 118M"), [size(118 << 20, "/go/pkg/mod")]);
        assert_eq!(observe("12 /x"), [Observation::Size { size: Size::Blocks(12), path: "/x".into() }]);
    }

    #[test]
    fn markers_say_nothing_but_before_or_after() {
        let before = [Observation::Marker(MeasuredAt::Before)];
        for line in ["BEFORE", "=== before ===", "cache before:", "--- BEFORE go build ---", "Cache size before build:"]
        {
            assert_eq!(observe(line), before, "{line}");
        }
        for line in ["AFTER", "[after build]", "mounts after:", "post-build cache sizes", "## After go build ##"] {
            assert_eq!(observe(line), [Observation::Marker(MeasuredAt::After)], "{line}");
        }
        assert_eq!(
            observe("BEFORE: 4.0K\t/go/pkg/mod"),
            [Observation::Marker(MeasuredAt::Before), size(4096, "/go/pkg/mod")]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

        #[test]
        fn no_line_that_shows_something_is_passed_over(
            text in r"[ =#*-]{0,3}(BEFORE|after|pre-|Post|4\.0K\t/x|/x 3M|go: downloading a|real|build|Build time|took|12 s|1m2s|go|cache|total|Elapsed|user 1s| cpu )?( ?[a-z=:0-9./]{0,6}){0,3}(12s| 4K /y|4K\t/y| total|before| user 1s cpu 3 total)?[ =]{0,2}",
        ) {
            if !observe(&text).is_empty() {
                prop_assert!(!shows_nothing(&text), "{}", text);
            }
        }
    }

    #[test]
    fn ordinary_output_shows_nothing() {
        for line in [
            "",
            "+ echo BEFORE",
            "after 3 retries",
            "retrying after error",
            "before you continue, read this",
            "cache build",
            "before and after",
            "118M free on /",
            "3 files in /tmp",
            "go: finding module",
            "118M total",
            "/go/x: permission",
        ] {
            assert_eq!(observe(line), [], "{line}");
        }
    }
}
