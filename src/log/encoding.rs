//! Takes bytes of any log to UTF-8. [`Encoding`] is principal.
//!
//! Logs are UTF-8, but a Windows shell that redirects `gh run view --log` into a file writes UTF-16. What tells them apart
//! stands at a file's beginning: a byte order mark, or a zero in every second byte. UTF-8 passes through untouched.

/// How many bytes decide.
const HEAD: usize = 4;

/// The encoding of the file that is being read.
#[derive(Debug)]
pub(super) enum Encoding {
    /// Not known yet; the bytes so far.
    Head(Vec<u8>),
    /// UTF-8, or what is read as if it were.
    Utf8,
    /// UTF-16.
    Utf16(Utf16),
}

impl Default for Encoding {
    fn default() -> Self {
        Self::Head(Vec::with_capacity(HEAD))
    }
}

impl Encoding {
    /// Takes the next bytes of the file and hands on UTF-8.
    pub(super) fn feed(&mut self, bytes: &[u8], then: &mut dyn FnMut(&[u8])) {
        match self {
            Self::Utf8 => then(bytes),
            Self::Utf16(utf16) => utf16.feed(bytes, then),
            Self::Head(head) => {
                let (more, rest) = bytes.split_at(bytes.len().min(HEAD - head.len()));
                head.extend_from_slice(more);
                if head.len() == HEAD {
                    self.decide(then);
                    if !rest.is_empty() {
                        self.feed(rest, then);
                    }
                }
            }
        }
    }

    /// The file ends.
    pub(super) fn end(&mut self, then: &mut dyn FnMut(&[u8])) {
        if matches!(self, Self::Head(_)) {
            self.decide(then);
        }
        if let Self::Utf16(utf16) = self {
            utf16.end(then);
        }
        *self = Self::default();
    }

    fn decide(&mut self, then: &mut dyn FnMut(&[u8])) {
        let Self::Head(head) = std::mem::replace(self, Self::Utf8) else { return };
        let big = match head.as_slice() {
            [0xff, 0xfe, ..] => Some(false),
            [0xfe, 0xff, ..] => Some(true),
            [one, 0, two, 0] if *one != 0 && *two != 0 => Some(false),
            [0, one, 0, two] if *one != 0 && *two != 0 => Some(true),
            _ => None,
        };
        if let Some(big) = big {
            *self = Self::Utf16(Utf16 { big, half: None, high: None });
        }
        self.feed(&head, then);
    }
}

/// Decodes UTF-16 piece by piece; what is no character becomes the replacement character.
#[derive(Debug)]
pub(super) struct Utf16 {
    big: bool,
    /// The first byte of a pair cut in two.
    half: Option<u8>,
    /// The first unit of a character that takes two.
    high: Option<u16>,
}

impl Utf16 {
    fn feed(&mut self, bytes: &[u8], then: &mut dyn FnMut(&[u8])) {
        let mut out = String::with_capacity(bytes.len());
        for byte in bytes {
            let Some(first) = self.half.replace(*byte) else { continue };
            self.half = None;
            let unit = if self.big { u16::from_be_bytes([first, *byte]) } else { u16::from_le_bytes([first, *byte]) };
            let units = [self.high.take(), Some(unit)];
            if (0xd800..0xdc00).contains(&unit) && units[0].is_none() {
                self.high = Some(unit);
                continue;
            }
            let decoded = char::decode_utf16(units.into_iter().flatten());
            out.extend(decoded.map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)));
        }
        then(out.as_bytes());
    }

    fn end(&mut self, then: &mut dyn FnMut(&[u8])) {
        if self.half.take().is_some() | self.high.take().is_some() {
            then("\u{fffd}".as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8], piece: usize) -> String {
        let (mut encoding, mut out) = (Encoding::default(), Vec::new());
        bytes.chunks(piece).for_each(|piece| encoding.feed(piece, &mut |text| out.extend_from_slice(text)));
        encoding.end(&mut |text| out.extend_from_slice(text));
        String::from_utf8(out).unwrap()
    }

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    #[test]
    fn a_file_without_a_mark_is_known_by_its_zeros() {
        assert_eq!(read(&utf16("2026", false), 3), "2026");
        assert_eq!(read(&utf16("2026", true), 3), "2026");
        assert_eq!(read(b"abc", 1), "abc");
        assert_eq!(read(b"", 1), "");
    }

    #[test]
    fn half_a_character_at_the_end_is_marked() {
        assert_eq!(read(&[0xff, 0xfe, b'a', 0, b'b'], 2), "\u{feff}a\u{fffd}");
        assert_eq!(read(&[0xff, 0xfe, 0x00, 0xd8, b'a', 0], 1), "\u{feff}\u{fffd}a");
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_in_pieces_of_any_size(text in ".{0,40}", big: bool, piece in 1..9usize) {
            let marked = format!("\u{feff}{text}");
            prop_assert_eq!(read(&utf16(&marked, big), piece), marked);
            prop_assert_eq!(read(format!("é{text}").as_bytes(), 4096), format!("é{text}"));
        }
    }
}
