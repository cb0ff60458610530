//! Timestamps at the front of log lines. [`split`] is principal.
//!
//! Parsed by hand because every line of a log goes through here.

use std::time::{Duration, SystemTime};

/// Reads timestamps, remembering the last one: the next differs only in its seconds, nearly always.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    /// The text up to the minute, `2026-02-18T12:20:`, and its time.
    minute: Option<([u8; MINUTE], SystemTime)>,
}

/// How long the text up to the minute is.
const MINUTE: usize = 17;

impl Stamps {
    /// As [`split`].
    pub(super) fn split<'a>(&mut self, line: &'a str) -> Option<(SystemTime, &'a str)> {
        let bytes = line.as_bytes();
        if let Some((minute, at)) = &self.minute
            && bytes.starts_with(minute)
            && let Some(&[tens, ones, b'.', b0, b1, b2, b3, b4, b5, b6, b'Z', b' ']) = bytes.get(MINUTE..MINUTE + 12)
        {
            let digits = [b0, b1, b2, b3, b4, b5, b6];
            if (b'0'..=b'5').contains(&tens) && ones.is_ascii_digit() && digits.iter().all(u8::is_ascii_digit) {
                let seconds = u64::from(tens - b'0') * 10 + u64::from(ones - b'0');
                let fraction = digits.iter().fold(0u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
                // The twelve bytes are ASCII, so the rest begins at a character.
                return Some((at.checked_add(Duration::new(seconds, fraction * 100))?, line.get(MINUTE + 12..)?));
            }
        }
        let (at, rest) = split(line)?;
        if let Some(minute) = bytes.first_chunk::<MINUTE>().filter(|_| bytes[0].is_ascii_digit())
            && let Some(seconds) = bytes.get(MINUTE..MINUTE + 2).and_then(number).filter(|seconds| *seconds < 60)
        {
            let since = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
            let whole =
                SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(since.as_secs().checked_sub(seconds)?))?;
            self.minute = Some((*minute, whole));
        }
        Some((at, rest))
    }
}

/// Splits a line that begins with a timestamp; returns the time and the text after one space.
///
/// Knows the runner's form (`2026-02-18T12:20:49.8879943Z `) and the web page's (`Tue, 10 Mar 2026 18:29:08 GMT `).
pub(super) fn split(line: &str) -> Option<(SystemTime, &str)> {
    match line.as_bytes().first()? {
        b'0'..=b'9' => runner(line),
        b'M' | b'T' | b'W' | b'F' | b'S' => web(line),
        _ => None,
    }
}

fn runner(line: &str) -> Option<(SystemTime, &str)> {
    let bytes = line.as_bytes();
    let shape = bytes.get(..20)?;
    if (shape[4], shape[7], shape[10], shape[13], shape[16]) != (b'-', b'-', b'T', b':', b':') {
        return None;
    }
    let mut end = 19;
    let mut nanos = 0;
    if bytes[19] == b'.' {
        end = 20;
        while let Some(digit) = bytes.get(end).filter(|byte| byte.is_ascii_digit()) {
            if end < 29 {
                nanos += u32::from(digit - b'0') * 10u32.pow(28 - end as u32);
            }
            end += 1;
        }
    }
    if bytes.get(end) != Some(&b'Z') {
        return None;
    }
    let rest = line.get(end + 1..)?;
    let rest = match rest.strip_prefix(' ') {
        Some(rest) => rest,
        None if rest.is_empty() => rest,
        None => return None,
    };
    let at = time(
        [number(&bytes[..4])?, number(&bytes[5..7])?, number(&bytes[8..10])?],
        [number(&bytes[11..13])?, number(&bytes[14..16])?, number(&bytes[17..19])?],
    )?;
    Some((at.checked_add(Duration::from_nanos(nanos.into()))?, rest))
}

fn web(line: &str) -> Option<(SystemTime, &str)> {
    let (date, rest) = line.split_at_checked(29)?;
    let bytes = date.as_bytes();
    let rest = rest.strip_prefix(' ').or(rest.is_empty().then_some(rest))?;
    if !date.is_ascii() || &bytes[3..5] != b", " || &bytes[25..] != b" GMT" || bytes[19] != b':' || bytes[22] != b':' {
        return None;
    }
    let months = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let month = months.chunks(3).position(|name| name == &bytes[8..11])? as u64 + 1;
    let at = time(
        [number(&bytes[12..16])?, month, number(&bytes[5..7])?],
        [number(&bytes[17..19])?, number(&bytes[20..22])?, number(&bytes[23..25])?],
    )?;
    Some((at, rest))
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u64::from(digit - b'0')))
}

/// The time of a date after 1970, by the civil calendar (Howard Hinnant, `days_from_civil`).
fn time([year, month, day]: [u64; 3], [hour, minute, second]: [u64; 3]) -> Option<SystemTime> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (shifted / 400, shifted % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = (era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year).checked_sub(719_468)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(days * 86_400 + hour * 3_600 + minute * 60 + second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runners_timestamps_are_read_to_the_last_digit() {
        let (at, rest) = split("2026-02-18T12:20:49.8879943Z ##[group]Run").unwrap();
        assert_eq!(at, humantime::parse_rfc3339("2026-02-18T12:20:49.887994300Z").unwrap());
        assert_eq!(rest, "##[group]Run");
        assert_eq!(split("2026-02-18T12:20:49Z").unwrap().1, "");
        assert_eq!(split("2026-02-18T12:20:49.8879943Z   key: x").unwrap().1, "  key: x");
    }

    #[test]
    fn remembered_timestamps_are_the_same_as_read_ones() {
        let mut stamps = Stamps::default();
        for line in [
            "2026-02-18T12:20:49.8879943Z a",
            "2026-02-18T12:20:50.0000001Z b",
            "2026-02-18T12:20:5x.0000001Z b",
            "2026-02-18T12:20:51.000001Z c",
            "2026-02-18T12:20:60.5000000Z leap",
            "2026-02-18T12:21:00.1234567Z \u{e9}",
            "2026-02-18T12:21:01.1234567Z\u{e9}",
            "2026-02-18T12:21:02.1234567Z",
            "Tue, 10 Mar 2026 18:29:08 GMT x",
            "2026-02-18T12:21:03.1234567Z d",
            "2025-12-31T23:59:59.9999999Z e",
        ] {
            assert_eq!(stamps.split(line), split(line), "{line}");
        }
    }

    #[test]
    fn the_web_pages_timestamps_are_read() {
        let (at, rest) = split("Tue, 10 Mar 2026 18:29:08 GMT Cache saved with key: k").unwrap();
        assert_eq!(at, humantime::parse_rfc3339("2026-03-10T18:29:08Z").unwrap());
        assert_eq!(rest, "Cache saved with key: k");
    }

    #[test]
    fn what_is_no_timestamp_stays_text() {
        for line in [
            "",
            "2026",
            "2026-02-18T12:20:49.8879943Zx",
            "2026-13-18T12:20:49Z x",
            "1969-12-31T00:00:00Z x",
            "2026-02-18 12:20:49Z x",
            "Tue, 10 Mär 2026 18:29:08 GMT x",
            "2026-02-18T12:20:4éZ",
        ] {
            assert_eq!(split(line), None, "{line}");
        }
    }
}
