//! Finds where a piece of a YAML scalar stands in its source; [`Locator`] is principal.
//!
//! YAML folds lines, drops indentation and doubles quotes, so offsets in a value are not offsets in the file. Both
//! texts are walked side by side; where they disagree (escapes), the whole scalar is the honest answer.

use crate::source::{Span, Spanned};

/// Translates offsets in one scalar's value.
pub(super) struct Locator {
    whole: Span,
    /// The source offset of every byte of the value; empty when the value could not be followed.
    offsets: Vec<usize>,
}

impl Locator {
    /// Follows a value through its source; a source that does not hold it gives whole spans only.
    pub(super) fn new(text: &Spanned<String>, source: &str) -> Self {
        let raw = source.get(text.span.start..text.span.end);
        let offsets = raw.and_then(|raw| aligned(&text.value, raw, text.span.start)).unwrap_or_default();
        Self { whole: text.span, offsets }
    }

    /// Returns the source span of the bytes from `start` to `end` of the value.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        let last = end.checked_sub(1).and_then(|last| self.offsets.get(last));
        match (self.offsets.get(start), last) {
            (Some(start), Some(last)) => Span::new(*start, last + 1),
            (None, Some(last)) if start >= self.offsets.len() => Span::new(*last, last + 1),
            _ => self.whole,
        }
    }
}

fn aligned(value: &str, raw: &str, base: usize) -> Option<Vec<usize>> {
    let mut at = match raw.as_bytes().first()? {
        b'|' | b'>' => raw.find('\n')? + 1,
        b'\'' | b'"' => 1,
        _ => 0,
    };
    let mut offsets = Vec::with_capacity(value.len());
    for wanted in value.chars() {
        let blank = wanted.is_whitespace();
        loop {
            let rest = raw.get(at..)?;
            let Some(found) = rest.chars().next() else {
                // Only a final line break may have no counterpart.
                return blank.then(|| offsets.resize(value.len(), base + at)).map(|()| offsets);
            };
            if found == wanted {
                break;
            }
            if blank && !found.is_whitespace() {
                break;
            }
            if !blank && !found.is_whitespace() && found != '\'' && found != '\\' {
                return None;
            }
            at += found.len_utf8();
        }
        offsets.extend((0..wanted.len_utf8()).map(|byte| base + at + byte));
        if raw.get(at..)?.starts_with(wanted) {
            at += wanted.len_utf8();
        }
    }
    Some(offsets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str, scalar: &str, value: &str, piece: &str) -> String {
        let start = source.find(scalar).unwrap();
        let text = Spanned::new(value.to_owned(), Span::new(start, start + scalar.len()));
        let at = value.find(piece).unwrap();
        let span = Locator::new(&text, source).span(at, at + piece.len());
        source[span.start..span.end].to_owned()
    }

    #[test]
    fn pieces_are_found_in_every_style() {
        assert_eq!(found("key: a ${{ b }} c", "a ${{ b }} c", "a ${{ b }} c", "${{ b }}"), "${{ b }}");
        assert_eq!(found("key: 'it''s ${{ b }}'", "'it''s ${{ b }}'", "it's ${{ b }}", "${{ b }}"), "${{ b }}");
        let block = "|\n    first é\n    ${{ b }}\n";
        assert_eq!(found(&format!("key: {block}"), block, "first é\n${{ b }}\n", "${{ b }}"), "${{ b }}");
        let folded = ">-\n    one\n    ${{ b }}\n";
        assert_eq!(found(&format!("key: {folded}"), folded, "one ${{ b }}", "${{ b }}"), "${{ b }}");
    }

    #[test]
    fn what_cannot_be_followed_is_the_whole_scalar() {
        assert_eq!(
            found(r#"key: "\x41 ${{ b }}""#, r#""\x41 ${{ b }}""#, "A ${{ b }}", "${{ b }}"),
            r#""\x41 ${{ b }}""#
        );
    }
}
