//! Tar headers, written by hand on [`tar::Header`]. [`Member`] is principal.
//!
//! Two dialects: GNU, which busybox and every other tar reads, with whole seconds; and POSIX as `tar --posix` writes it,
//! with fractions of seconds in an extended header. User names are never written, and file data is not this module's.

use tar::{EntryType, Header};

/// The longest name or link target that stands in the header itself, with its closing zero.
const NAME_ROOM: usize = 99;

/// How exactly times are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Times {
    /// GNU format: whole seconds.
    #[default]
    WholeSeconds,
    /// POSIX format: nanoseconds where a time has them.
    Nanoseconds,
}

/// One member of an archive, before its data.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) name: &'a [u8],
    pub(super) kind: EntryType,
    pub(super) link: &'a [u8],
    pub(super) mode: u32,
    pub(super) owner: (u64, u64),
    pub(super) seconds: i64,
    pub(super) nanos: u32,
    pub(super) size: u64,
}

impl Member<'_> {
    /// Writes the blocks that come before the data, padded to whole blocks.
    pub(super) fn encode(&self, times: Times, into: &mut Vec<u8>) {
        // Long names go the GNU way in both dialects: readers of the POSIX record exist that end it at a newline.
        for (text, kind) in [(self.link, EntryType::GNULongLink), (self.name, EntryType::GNULongName)] {
            if text.len() > NAME_ROOM {
                extension(b"././@LongLink", kind, &[text, b"\0"].concat(), into);
            }
        }
        if times == Times::WholeSeconds {
            into.extend_from_slice(self.header(Header::new_gnu()).as_bytes());
            return;
        }
        if self.nanos != 0 || self.seconds < 0 {
            let record = record("mtime", &decimal(self.seconds, self.nanos));
            extension(b"PaxHeaders/x", EntryType::XHeader, record.as_bytes(), into);
        }
        into.extend_from_slice(self.header(Header::new_ustar()).as_bytes());
    }

    fn header(&self, mut header: Header) -> Header {
        let old = header.as_old_mut();
        copy(self.name, &mut old.name);
        copy(self.link, &mut old.linkname);
        header.set_entry_type(self.kind);
        header.set_mode(self.mode);
        header.set_uid(self.owner.0);
        header.set_gid(self.owner.1);
        header.set_mtime(u64::try_from(self.seconds).unwrap_or(0));
        header.set_size(self.size);
        header.set_cksum();
        header
    }
}

fn copy(text: &[u8], field: &mut [u8; 100]) {
    let room = text.len().min(NAME_ROOM);
    field[..room].copy_from_slice(&text[..room]);
}

/// Writes a member whose data describes the next one.
fn extension(name: &[u8], kind: EntryType, data: &[u8], into: &mut Vec<u8>) {
    let member =
        Member { name, kind, link: b"", mode: 0o644, owner: (0, 0), seconds: 0, nanos: 0, size: data.len() as u64 };
    let dialect = if kind.is_pax_local_extensions() { Header::new_ustar() } else { Header::new_gnu() };
    into.extend_from_slice(member.header(dialect).as_bytes());
    into.extend_from_slice(data);
    into.resize(into.len().next_multiple_of(512), 0);
}

/// Writes `length key=value\n`, where the length counts itself.
fn record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    format!("{length} {key}={value}\n")
}

/// Writes seconds since the epoch; a time before it counts down from the second below.
fn decimal(seconds: i64, nanos: u32) -> String {
    if seconds < 0 && nanos > 0 {
        // -1 s + 0.25 s is written as -0.75.
        return format!("-{}.{:09}", (seconds + 1).unsigned_abs(), 1_000_000_000 - nanos.min(999_999_999));
    }
    format!("{seconds}.{nanos:09}")
}

/// Reads what [`decimal`] writes; `None` for anything else.
pub(super) fn parse_decimal(text: &str) -> Option<(i64, u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let negative = whole.starts_with('-');
    let seconds: i64 = whole.parse().ok()?;
    if !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanos: u32 = digits.parse().ok()?;
    if negative && nanos > 0 { Some((seconds.checked_sub(1)?, 1_000_000_000 - nanos)) } else { Some((seconds, nanos)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_records_length_counts_its_own_digits() {
        assert_eq!(record("path", "x"), "9 path=x\n");
        for length in [1, 88, 89, 90, 91, 988, 989, 990, 991] {
            let text = record("path", &"x".repeat(length));
            assert!(text.starts_with(&format!("{} path=", text.len())), "{length}");
        }
    }

    #[test]
    fn times_before_the_epoch_keep_their_fraction() {
        assert_eq!(decimal(-1, 250_000_000), "-0.750000000");
        assert_eq!(parse_decimal("-0.75"), Some((-1, 250_000_000)));
        assert_eq!(parse_decimal("1763000000.123456789"), Some((1_763_000_000, 123_456_789)));
        assert_eq!(parse_decimal("7"), Some((7, 0)));
        assert_eq!(parse_decimal("seven"), None);
        assert_eq!(parse_decimal("7.-1"), None);
    }

    proptest! {
        #[test]
        fn a_written_time_reads_back(seconds in -10_000_000_000i64..10_000_000_000, nanos in 0u32..1_000_000_000) {
            prop_assert_eq!(parse_decimal(&decimal(seconds, nanos)), Some((seconds, nanos)));
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in ".*") {
            let _ = parse_decimal(&text);
        }
    }
}
