//! Strips what transport has put around a line of a log. [`Transport`] is principal.
//!
//! Timestamps, byte order marks, colours, and the prefixes of `gh run view --log` and of act come off; the runner's tags
//! (`##[group]`, and the forms the web page and act show them in) become a [`LineKind`]. What the text means is not its
//! affair.

use std::borrow::Cow;
use std::time::SystemTime;

use super::stamp;

/// One line of a log without its wrapping.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LogLine<'a> {
    /// It comes from act, which runs a workflow on the machine at hand.
    pub(super) act: bool,
    /// The job that the line names; `None` when it names none.
    pub(super) job: Option<&'a str>,
    /// The step that the line names, such as `Restore cache` or `Post Restore cache`.
    pub(super) step: Option<&'a str>,
    /// Its timestamp.
    pub(super) at: Option<SystemTime>,
    /// What kind of line it is.
    pub(super) channel: LineKind,
    /// It is one line of a script that the runner echoes.
    pub(super) echo: bool,
    shown: Cow<'a, str>,
    skip: usize,
}

impl LogLine<'_> {
    /// The text, without the tag.
    pub(super) fn text(&self) -> &str {
        &self.shown[self.skip..]
    }

    /// The text as it is quoted, with the tag.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }
}

/// The kind of a line, as the runner tags it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineKind {
    /// Output.
    Plain,
    /// The head of a group.
    Group,
    /// The end of a group.
    EndGroup,
    /// A command that an action runs.
    Command,
    /// A warning.
    Warning,
    /// An error.
    Error,
    /// A notice.
    Notice,
    /// A debug line.
    Debug,
}

/// The tags and their channels.
const TAGS: [(&str, LineKind); 20] = [
    ("##[group]", LineKind::Group),
    ("##[endgroup]", LineKind::EndGroup),
    ("##[command]", LineKind::Command),
    ("##[warning]", LineKind::Warning),
    ("##[error]", LineKind::Error),
    ("##[notice]", LineKind::Notice),
    ("##[debug]", LineKind::Debug),
    ("[command]", LineKind::Command),
    ("[warning]", LineKind::Warning),
    ("::group::", LineKind::Group),
    ("::endgroup::", LineKind::EndGroup),
    ("::warning::", LineKind::Warning),
    ("::error::", LineKind::Error),
    ("::notice::", LineKind::Notice),
    ("::debug::", LineKind::Debug),
    ("Warning: ", LineKind::Warning),
    ("Error: ", LineKind::Error),
    ("Notice: ", LineKind::Notice),
    ("Debug: ", LineKind::Debug),
    ("[debug]", LineKind::Debug),
];

/// A line without its prefixes.
struct Unwrapped<'a> {
    /// The prefix was one of act's.
    act: bool,
    job: Option<&'a str>,
    step: Option<&'a str>,
    at: Option<SystemTime>,
    text: &'a str,
}

/// Longest prefix of job and step names that is looked at.
const PREFIX: usize = 400;

/// Unwraps the lines of one file, remembering the prefix that continuation lines share.
#[derive(Debug, Default)]
pub(super) struct Transport {
    stamps: stamp::Stamps,
    /// The prefix of the last line that had one, up to and with its last tab or space.
    prefix: String,
    /// Where the job's name ends in it; `None` when the step cannot be told from the job.
    job_end: Option<usize>,
    /// A job name learnt from a line that shows where it ends.
    job: String,
}

impl Transport {
    /// Unwraps one line; `raw` has no line feed.
    pub(super) fn read<'a>(&mut self, raw: &'a str) -> LogLine<'a> {
        let raw = raw.trim_end_matches('\r');
        let raw = raw.strip_prefix('\u{feff}').unwrap_or(raw);
        if let Some((at, text)) = self.stamps.split(raw) {
            return line(Unwrapped { act: false, job: None, step: None, at: Some(at), text });
        }
        let prefixed = self.prefixed(raw).or_else(|| act(raw));
        line(prefixed.unwrap_or(Unwrapped { act: false, job: None, step: None, at: None, text: raw }))
    }

    /// Splits the prefix of `gh run view --log`: `job TAB step TAB timestamp`, or the same pasted with spaces.
    fn prefixed<'a>(&mut self, raw: &'a str) -> Option<Unwrapped<'a>> {
        // Only a continuation line of a value has the prefix without a timestamp.
        if let Some(rest) = raw.strip_prefix(self.prefix.as_str()).filter(|_| !self.prefix.is_empty()) {
            let rest = rest.strip_prefix('\u{feff}').unwrap_or(rest);
            let (at, text) = self.stamps.split(rest).map_or((None, rest), |(at, text)| (Some(at), text));
            let (job, step) = self.names(raw);
            return Some(Unwrapped { act: false, job, step, at, text });
        }
        let head = raw.get(..PREFIX.min(raw.len())).unwrap_or_else(|| {
            let cut = (0..PREFIX).rev().find(|at| raw.is_char_boundary(*at)).unwrap_or(0);
            &raw[..cut]
        });
        if let Some(first) = memchr::memchr(b'\t', head.as_bytes())
            && let Some(second) = memchr::memchr(b'\t', &head.as_bytes()[first + 1..])
        {
            let rest = &raw[first + second + 2..];
            if let Some((at, text)) = stamp::split(rest.strip_prefix('\u{feff}').unwrap_or(rest)) {
                self.prefix.clear();
                self.prefix.push_str(&raw[..first + second + 2]);
                self.job_end = Some(first);
                let (job, step) = self.names(raw);
                return Some(Unwrapped { act: false, job, step, at: Some(at), text });
            }
        }
        let (start, at, text) = inner_stamp(raw, head.len())?;
        let prefix = raw[..start].trim_end_matches('\u{feff}');
        let names = prefix.trim_end();
        self.job_end = ["UNKNOWN STEP", "Set up job", "Complete job"]
            .iter()
            .find_map(|step| names.strip_suffix(step))
            .map(str::trim_end)
            .or_else(|| Some(self.job.as_str()).filter(|job| !job.is_empty() && names.starts_with(&format!("{job} "))))
            .map(str::len);
        if let Some(end) = self.job_end {
            self.job.clear();
            self.job.push_str(&raw[..end]);
        }
        self.prefix.clear();
        self.prefix.push_str(prefix);
        let (job, step) = self.names(raw);
        Some(Unwrapped { act: false, job, step, at: Some(at), text })
    }

    /// The job and the step in the current prefix of a line.
    fn names<'a>(&self, raw: &'a str) -> (Option<&'a str>, Option<&'a str>) {
        let prefix = &raw[..self.prefix.len()];
        let (job, step) = match self.job_end {
            Some(end) => (Some(prefix[..end].trim()), prefix[end..].trim()),
            None => (None, prefix.trim()),
        };
        (job, Some(step).filter(|step| *step != "UNKNOWN STEP" && !step.is_empty()))
    }
}

/// Finds a timestamp that follows names and a space; returns where it begins, the time and the text after it.
fn inner_stamp(raw: &str, within: usize) -> Option<(usize, SystemTime, &str)> {
    let bytes = raw.as_bytes();
    for at in memchr::memchr_iter(b'T', &bytes[..within]) {
        let Some(start) = at.checked_sub(10).filter(|start| *start > 0) else { continue };
        let parted = bytes[start - 1].is_ascii_whitespace() || bytes[..start].ends_with("\u{feff}".as_bytes());
        if parted
            && bytes[start].is_ascii_digit()
            && let Some((time, text)) = raw.get(start..).and_then(stamp::split)
        {
            return Some((start, time, text));
        }
    }
    None
}

/// Strips act's prefixes: `[workflow/job]   | text`, `| text`, and its own lines about steps.
fn act(raw: &str) -> Option<Unwrapped<'_>> {
    let raw = raw.trim_start_matches("\u{1b}[0m");
    if let Some(rest) = raw.strip_prefix("| ") {
        return Some(Unwrapped { act: false, job: None, step: None, at: None, text: rest });
    }
    let mut inner = raw;
    // act colours its prefix.
    if raw.starts_with('\u{1b}') {
        inner = raw.split_once('m')?.1;
    }
    let (job, rest) = inner.strip_prefix('[')?.split_once(']')?;
    if !job.contains('/') || job.len() > PREFIX {
        return None;
    }
    let rest = rest.trim_start_matches("\u{1b}[0m").strip_prefix(' ')?.trim_start();
    if rest == "|" {
        return Some(Unwrapped { act: true, job: Some(job), step: None, at: None, text: "" });
    }
    if let Some(text) = rest.strip_prefix("| ") {
        return Some(Unwrapped { act: true, job: Some(job), step: None, at: None, text });
    }
    let (mark, said) = rest.split_once(' ')?;
    if mark.is_ascii() {
        return None;
    }
    let said = said.trim_start();
    let step = match said.split_once(' ') {
        Some(("Run", name)) => match name.split_once(' ') {
            Some(("Main", name)) => Some(name),
            Some(("Post", _)) => Some(name),
            _ => None,
        },
        _ => None,
    };
    Some(Unwrapped { act: true, job: Some(job), step, at: None, text: said })
}

/// Tells whether a line begins as lines of the runner, of a cache, of a dance or of a build do, with nothing before it.
pub(super) fn known(text: &str) -> bool {
    const STARTS: [&str; 23] = [
        "##[",
        "::group::",
        "::endgroup::",
        "[command]",
        "\u{1b}[36;1m",
        "^[[36;1m",
        "Cache hit for",
        "Cache hit occurred on the primary key ",
        "Cache Size: ~",
        "Cache restored ",
        "Cache not found for input keys: ",
        "Cache saved ",
        "Post job cleanup.",
        "Current runner version: ",
        "Complete job name: ",
        "Cleaning up orphan processes",
        "Received ",
        "Sent ",
        "FROM ghcr.io/containerd/busybox",
        "COPY buildstamp ",
        "RUN --mount=type=cache",
        "{\"vertexes\":",
        "shell: /",
    ];
    let Some(first) = text.as_bytes().first() else { return false };
    match first {
        b'0'..=b'9' | b'M' | b'T' | b'W' | b'F' | b'S' if stamp::split(text).is_some() => return true,
        b'#' if vertex_line(text) => return true,
        b'R' if text.strip_prefix("Run ").is_some_and(|title| super::header::is_action(title.trim_end())) => {
            return true;
        }
        b'w' if text.trim_end() == "with:" => return true,
        b'e' if text.trim_end() == "env:" => return true,
        _ => {}
    }
    STARTS.iter().any(|start| text.starts_with(start)) || (!text.starts_with('|') && act(text).is_some()) || gh(text)
}

/// Tells whether the number that a line begins with is its own: a time, or that of a vertex.
pub(super) fn numbers_itself(text: &str) -> bool {
    stamp::split(text).is_some() || (text.starts_with('#') && vertex_line(text))
}

/// Tells whether a line is one of a vertex: `#5 [build 2/3] …`, `#5 0.123 …`, `#5 DONE 1.0s`.
fn vertex_line(text: &str) -> bool {
    let rest = &text[1..];
    let end = rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let Some(said) = rest[end..].strip_prefix(' ').filter(|_| (1..=6).contains(&end)) else { return false };
    said.starts_with(|char: char| char == '[' || char.is_ascii_digit())
        || ["DONE ", "CACHED", "ERROR", "building with "].iter().any(|start| said.starts_with(start))
}

/// Tells whether a line has the prefix of `gh run view --log`, or the same pasted with spaces.
fn gh(text: &str) -> bool {
    let mut parts = text.splitn(3, '\t');
    if let (Some(job), Some(_), Some(rest)) = (parts.next(), parts.next(), parts.next())
        && job.starts_with(|char: char| !char.is_ascii_digit())
        && stamp::split(rest.strip_prefix('\u{feff}').unwrap_or(rest)).is_some()
    {
        return true;
    }
    ["UNKNOWN STEP ", "Set up job "].iter().any(|step| {
        text.find(step).is_some_and(|at| at > 0 && text.get(at + step.len()..).and_then(stamp::split).is_some())
    })
}

/// Finishes a line: colours off, tag read.
fn line(Unwrapped { act, job, step, at, text }: Unwrapped<'_>) -> LogLine<'_> {
    let echo = text.starts_with("\u{1b}[36;1m") || text.starts_with("^[[36;1m");
    let shown = plain(text);
    let (channel, skip) = if echo { (LineKind::Plain, 0) } else { tag(&shown) };
    LogLine { act, job, step, at, channel, echo, shown, skip }
}

/// Reads the tag at the front of a text.
fn tag(text: &str) -> (LineKind, usize) {
    // Nearly every line is settled by its first two bytes.
    let tagged = match text.as_bytes() {
        [b'#', second, ..] => *second == b'#',
        [b':', second, ..] => *second == b':',
        [b'[', second, ..] => matches!(second, b'c' | b'w' | b'd'),
        [b'W', second, ..] => *second == b'a',
        [b'E', second, ..] => *second == b'r',
        [b'N', second, ..] => *second == b'o',
        [b'D', second, ..] => *second == b'e',
        _ => false,
    };
    if !tagged {
        return (LineKind::Plain, 0);
    }
    if let Some((tag, channel)) = TAGS.iter().find(|(tag, _)| text.starts_with(tag)) {
        return (*channel, tag.len());
    }
    // Workflow commands may carry properties: `::error file=a.go,line=3::text`.
    for (word, channel) in
        [("::warning ", LineKind::Warning), ("::error ", LineKind::Error), ("::notice ", LineKind::Notice)]
    {
        if let Some(rest) = text.strip_prefix(word)
            && let Some(at) = rest.find("::")
        {
            return (channel, word.len() + at + 2);
        }
    }
    (LineKind::Plain, 0)
}

/// Takes terminal escape sequences out, also where a paste has made `^[[` of them.
fn plain(text: &str) -> Cow<'_, str> {
    if memchr::memchr2(0x1b, b'^', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr2(0x1b, b'^', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let tail = &rest[at..];
        rest = match tail
            .strip_prefix('\u{1b}')
            .or_else(|| tail.strip_prefix("^[").filter(|tail| tail.starts_with('[')))
        {
            Some(sequence) => after_escape(sequence),
            None => {
                out.push('^');
                &tail[1..]
            }
        };
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Returns what follows an escape sequence; `text` begins after the escape.
fn after_escape(text: &str) -> &str {
    match text.as_bytes().first() {
        Some(b'[') => {
            let end = text.bytes().skip(1).position(|byte| !(0x20..=0x3f).contains(&byte)).map(|at| at + 1);
            match end {
                // A final byte ends the sequence; anything else was no part of it.
                Some(at) if text.as_bytes()[at].is_ascii() && text.as_bytes()[at] >= 0x40 => &text[at + 1..],
                Some(at) => &text[at..],
                None => "",
            }
        }
        Some(b']') => match text.find(['\u{7}', '\u{1b}']) {
            Some(at) => text[at + 1..].trim_start_matches('\\'),
            None => "",
        },
        Some(byte) if byte.is_ascii() => &text[1..],
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> LogLine<'_> {
        Transport::default().read(raw)
    }

    #[test]
    fn raw_lines_lose_mark_timestamp_and_carriage_return() {
        let line = read("\u{feff}2026-02-18T12:20:49.8879943Z ##[group]Run actions/cache@v5\r");
        assert_eq!((line.channel, line.text()), (LineKind::Group, "Run actions/cache@v5"));
        assert_eq!(line.shown(), "##[group]Run actions/cache@v5");
        assert!(line.at.is_some());
    }

    #[test]
    fn prefixes_of_gh_name_job_and_step() {
        let mut transport = Transport::default();
        let line = transport.read("build / go\tRestore: a/b\t\u{feff}2026-02-18T12:20:49.8879943Z   path: a");
        assert_eq!((line.job, line.step, line.text()), (Some("build / go"), Some("Restore: a/b"), "  path: a"));
        let next = transport.read("build / go\tRestore: a/b\tb");
        assert_eq!((next.job, next.at, next.text()), (Some("build / go"), None, "b"));
        let unknown = transport.read("build\tUNKNOWN STEP\t2026-02-18T12:20:49.8879943Z x");
        assert_eq!((unknown.job, unknown.step), (Some("build"), None));
    }

    #[test]
    fn prefixes_of_gh_pasted_with_spaces_are_told_apart_by_known_names() {
        let mut transport = Transport::default();
        let line = transport.read("go build UNKNOWN STEP 2026-02-18T12:20:49.8879943Z x");
        assert_eq!((line.job, line.step, line.text()), (Some("go build"), None, "x"));
        let line = transport.read("go build Post Cache 2026-02-18T12:20:49.8879943Z y");
        assert_eq!((line.job, line.step, line.text()), (Some("go build"), Some("Post Cache"), "y"));
    }

    #[test]
    fn act_prefixes_come_off() {
        let line = read("[CI/build]   | Cache Size: ~0 MB (198 B)");
        assert_eq!((line.job, line.text()), (Some("CI/build"), "Cache Size: ~0 MB (198 B)"));
        assert_eq!(read("| Cache Size: ~0 MB (198 B)").text(), "Cache Size: ~0 MB (198 B)");
        assert_eq!(read("[CI/build] \u{2b50} Run Main actions/cache@v4").step, Some("actions/cache@v4"));
        assert_eq!(read("[CI/build] \u{2b50} Run Post actions/cache@v4").step, Some("Post actions/cache@v4"));
        assert_eq!(read("[warning]Path Validation Error").channel, LineKind::Warning);
    }

    #[test]
    fn escape_sequences_come_off_in_every_form() {
        assert_eq!(read("\u{1b}[36;1mgo build\u{1b}[0m").text(), "go build");
        assert!(read("^[[36;1mgo build^[[0m").echo);
        assert_eq!(read("a\u{1b}]0;title\u{7}b\u{1b}[2Jc^d\u{1b}").text(), "abc^d");
        assert_eq!(read("\u{1b}[36é").text(), "é");
    }

    #[test]
    fn tags_are_read_in_every_form() {
        for raw in ["##[warning]x", "::warning::x", "Warning: x", "[warning]x", "::warning file=a,line=1::x"] {
            let line = read(raw);
            assert_eq!((line.channel, line.text()), (LineKind::Warning, "x"), "{raw}");
        }
        assert_eq!(read("#1 [internal] load").channel, LineKind::Plain);
    }
}
