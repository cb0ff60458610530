//! Digits that a copy of the web page has turned into links. [`without_links`] is principal.
//!
//! The page numbers its lines, each number a link to its line (`…#step:6:8`). Some ways to copy it write these as Markdown:
//! in front of a line, or in place of the same digits in its text, `19[8](https://…#step:6:8) B`.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::line;

/// Where a link's text ends and its address begins; the search is prepared once, as every line is searched.
static LINK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("](http"));

/// Tells whether any line of a text may hold a link.
pub(super) fn may_have_links(text: &str) -> bool {
    LINK.find(text.as_bytes()).is_some()
}

/// Puts the digits back where links of them stand; a line's own number at its front goes.
pub(super) fn without_links(text: &str) -> Cow<'_, str> {
    let Some(first) = LINK.find(text.as_bytes()) else { return Cow::Borrowed(text) };
    if link(text, first).is_none() && LINK.find(&text.as_bytes()[first + 1..]).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = LINK.find(rest.as_bytes()) {
        let Some((start, digits, after)) = link(rest, at) else {
            out.push_str(&rest[..at + 1]);
            rest = &rest[at + 1..];
            continue;
        };
        out.push_str(&rest[..start]);
        let goes_on = after.starts_with(|char: char| char.is_ascii_digit() || char == '[') && !line::known(after);
        let of_the_line = out.trim().is_empty() && !goes_on;
        if !of_the_line {
            out.push_str(digits);
        }
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Reads the link whose text ends before `at`: where it starts, its digits, and what follows it.
fn link(text: &str, at: usize) -> Option<(usize, &str, &str)> {
    let start = text[..at].rfind('[')?;
    let digits = &text[start + 1..at];
    let (url, after) = text[at + 2..].split_once(')')?;
    let of_the_page = url.contains("#step:") || url.contains("/runs/") || url.contains("/job/");
    (of_the_page && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then_some((start, digits, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://github.com/a/b/actions/runs/1/job/2#step:6:8";

    #[test]
    fn digits_come_back() {
        assert_eq!(without_links(&format!("Size: ~0 MB (19[8]({URL}) B)")), "Size: ~0 MB (198 B)");
        assert_eq!(without_links(&format!("[1]({URL})[0]({URL})0 of 1[0]({URL})0")), "100 of 100");
        assert_eq!(without_links(&format!("x (20[12]({URL})34 B)")), "x (201234 B)");
        let stamp = format!("20[26]({URL})-02-18T12:20:49.8879943Z Cache hit for: a");
        assert_eq!(without_links(&stamp), "2026-02-18T12:20:49.8879943Z Cache hit for: a");
    }

    #[test]
    fn the_number_of_a_line_goes() {
        assert_eq!(without_links(&format!("[8]({URL})Cache hit for: a")), "Cache hit for: a");
        let stamped = format!("[8]({URL})2026-02-18T12:20:49.8879943Z a");
        assert_eq!(without_links(&stamped), "2026-02-18T12:20:49.8879943Z a");
    }

    #[test]
    fn other_links_stay() {
        for text in
            ["see [the page](https://a.example)", "[8](https://a.example/x)", "a](http", "[8](https://github.com/a"]
        {
            assert_eq!(without_links(text), text);
        }
    }
}
