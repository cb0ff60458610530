//! Durations as shells and scripts print them. [`timing`] is principal.
//!
//! Reads single lines and is strict about their shape: a number in ordinary output is not a time.

use std::time::Duration;

/// Returns the wall time that a line of timing output shows.
///
/// Knows `time` of bash, sh, busybox and `-p` (`real …`), of GNU (`0:17.43elapsed`), of BSD (`17.43 real …`), of zsh (`… 17,483 total`) and of
/// fish (`Executed in …`), and plain sentences such as `go build seconds=42` or `build took 12.3s`.
pub(super) fn timing(line: &str) -> Option<Duration> {
    let first = *line.as_bytes().first()?;
    if matches!(first, b'r' | b'R')
        && let Some(rest) = line.get(4..).filter(|_| line.is_char_boundary(4) && line[..4].eq_ignore_ascii_case("real"))
        && rest.starts_with([' ', '\t', ':'])
    {
        let time = rest.trim_start_matches(':').trim();
        return parse_duration(time).filter(|_| whole(time));
    }
    if line.len() > 400 {
        return None;
    }
    if first.is_ascii_digit()
        && let Some((before, rest)) = line.split_once("elapsed")
        && rest.starts_with(' ')
        && rest.contains("%CPU")
        && before.contains("user ")
    {
        return parse_duration(before.rsplit(' ').next()?);
    }
    if first.is_ascii_digit()
        && line.contains(" real ")
        && let [took, "real", user, "user", system, "sys"] = line.split_whitespace().collect::<Vec<_>>()[..]
        && seconds(user).is_some()
        && seconds(system).is_some()
    {
        return parse_duration(took).filter(|_| whole(took));
    }
    if let Some(rest) = line.strip_prefix("Elapsed (wall clock) time (h:mm:ss or m:ss): ") {
        return parse_duration(rest.trim());
    }
    if let Some(rest) = line.strip_suffix(" total")
        && rest.contains(" cpu ")
        && rest.contains("s user ")
    {
        return parse_duration(rest.rsplit(' ').next()?);
    }
    if let Some(rest) = line.strip_prefix("Executed in ") {
        let mut words = rest.split_whitespace();
        let (number, unit) = (words.next()?, words.next()?);
        return parse_duration(number)?.checked_mul(match unit {
            "secs" => 1,
            "mins" => 60,
            _ => return None,
        });
    }
    sentence(line)
}

/// Tells whether a line that [`timing`] understands may begin with this word.
pub(super) fn is_timing_word(word: &str) -> bool {
    matches!(
        word,
        "real"
            | "elapsed"
            | "executed"
            | "go"
            | "the"
            | "total"
            | "step"
            | "done"
            | "cold"
            | "warm"
            | "build"
            | "compile"
            | "built"
            | "compiled"
            | "building"
            | "compilation"
            | "took"
            | "time"
            | "duration"
            | "in"
            | "finished"
            | "completed"
            | "wall"
            | "seconds"
            | "second"
            | "secs"
            | "sec"
            | "s"
            | "ms"
            | "milliseconds"
            | "millis"
            | "minutes"
            | "minute"
            | "mins"
            | "min"
            | "m"
    )
}

/// Tells whether a time of a `real` line is there to its last character: a line cut short must not make a build quick.
///
/// Every `time` ends it with `s`, or with two decimals under `-p`.
fn whole(time: &str) -> bool {
    let decimals = time.rsplit(['.', ',']).next().unwrap_or("");
    let clear = time.is_ascii() && !time.contains("  ");
    clear && (time.ends_with('s') || (decimals.len() >= 2 && decimals.len() < time.len()))
}

/// Reads a sentence that says how long the build took: one duration, and no word that means anything else.
fn sentence(line: &str) -> Option<Duration> {
    if line.len() > 80 || !line.is_ascii() || !line.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (mut took, mut build, mut time, mut unit) = (None, false, false, 1.0);
    for word in line.split(|char: char| char.is_whitespace() || "=:_()[]>-".contains(char)) {
        let word = word.trim_matches(|char: char| "*#,;!.".contains(char));
        match word.to_ascii_lowercase().as_str() {
            "" | "go" | "the" | "total" | "step" | "done" | "cold" | "warm" => {}
            "build" | "compile" | "built" | "compiled" | "building" | "compilation" => build = true,
            "took" | "time" | "elapsed" | "duration" | "in" | "finished" | "completed" | "real" | "wall" => time = true,
            "seconds" | "second" | "secs" | "sec" | "s" => time = true,
            "ms" | "milliseconds" | "millis" => (time, unit) = (true, 0.001),
            "minutes" | "minute" | "mins" | "min" | "m" => (time, unit) = (true, 60.0),
            other if took.is_none() && other.starts_with(|char: char| char.is_ascii_digit()) => {
                took = Some(parse_duration(other)?);
                time |= other.ends_with('s');
            }
            _ => return None,
        }
    }
    let took = took.filter(|_| build && time)?;
    Duration::try_from_secs_f64(took.as_secs_f64() * unit).ok()
}

/// Reads a duration as shells print it: `0m 17.43s`, `0m17,431s`, `1:02.5`, `1h2m3s`, `17.43`, `900ms`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    if text.is_empty() || text.len() > 40 {
        return None;
    }
    if let Some(number) = text.strip_suffix("ms") {
        return Duration::try_from_secs_f64(seconds(number)? / 1000.0).ok();
    }
    let mut total = 0.0;
    if text.contains(':') {
        for part in text.split(':') {
            total = total * 60.0 + seconds(part)?;
        }
    } else {
        let (hours, rest) = text.split_once('h').unwrap_or(("0", text));
        let (minutes, rest) = rest.split_once('m').unwrap_or(("0", rest));
        let rest = rest.trim().strip_suffix('s').unwrap_or(rest).trim();
        let tail = if rest.is_empty() && text.ends_with(['m', 'h']) { 0.0 } else { seconds(rest)? };
        total = seconds(hours)? * 3600.0 + seconds(minutes)? * 60.0 + tail;
    }
    // Ten years: beyond that it is no build, and sums of such times would overflow.
    (total < 315_360_000.0).then(|| Duration::try_from_secs_f64(total).ok()).flatten()
}

/// Reads a plain number with a decimal point or comma; no sign, no exponent.
fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','));
    if !plain || text.is_empty() {
        return None;
    }
    match text.contains(',') {
        true => text.replace(',', ".").parse().ok(),
        false => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(line: &str) -> Option<u128> {
        timing(line).map(|took| took.as_millis())
    }

    #[test]
    fn every_time_command_is_understood() {
        assert_eq!(millis("real\t0m17.431s"), Some(17_431), "bash");
        assert_eq!(millis("real\t0m 17.43s"), Some(17_430), "busybox");
        assert_eq!(millis("real 17.43"), Some(17_430), "time -p");
        assert_eq!(millis("real\t0m17,431s"), Some(17_431), "comma decimals");
        assert_eq!(millis("go build ./...  12,34s user 3,21s system 88% cpu 17,483 total"), Some(17_483), "zsh");
        assert_eq!(millis("go build ./...  12.34s user 3.21s system 88% cpu 1:17.48 total"), Some(77_480), "zsh");
        assert_eq!(millis("16.02user 3.01system 0:17.43elapsed 109%CPU (0avgtext+0avgdata 99k)"), Some(17_430), "GNU");
        assert_eq!(millis("       17.43 real        16.02 user         3.01 sys".trim()), Some(17_430), "BSD");
        assert_eq!(millis("17.43 real 16.02 user"), None, "BSD, cut off");
        assert_eq!(millis("Elapsed (wall clock) time (h:mm:ss or m:ss): 1:00:17"), Some(3_617_000), "GNU -v");
        assert_eq!(millis("Executed in   17.48 secs    fish           external"), Some(17_480), "fish");
        assert_eq!(millis("go build seconds=42"), Some(42_000));
        assert_eq!(millis("=== go build took 42s ==="), Some(42_000));
        assert_eq!(millis("BUILD_SECONDS=7"), Some(7_000));
        assert_eq!(millis("Build time: 1m2.5s"), Some(62_500));
        assert_eq!(millis("build finished in 900 ms"), Some(900));
    }

    #[test]
    fn ordinary_output_is_no_time() {
        for line in [
            "user\t0m12.34s",
            "sys 0.5",
            "realistic 3",
            "real world 3",
            "after 3 retries",
            "build 42",
            "build 2 of 7 took 3s",
            "go: downloading golang.org/x/time v0.5.0",
            "building package 3s",
            "real 4",
            "real\t0m4",
            "real 41.4",
            "real -1",
            "real 1e9",
            "real NaN",
            "seconds=42",
        ] {
            assert_eq!(millis(line), None, "{line}");
        }
    }

    #[test]
    fn durations_that_cannot_be_are_refused() {
        for text in ["", "s", "99999999999999999999999999999h", "1:2:x", "-3", "inf", "é"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
