//! What a copy has put in front of every line: line numbers, quotation marks, a job's name. [`Wrapping`] is principal.
//!
//! `grep -n` writes `41:`, a mail `> `, and a terminal that shows several jobs `build | `. Such a prefix is found once, in
//! the first lines of a file: it is what most of them have in common, and behind it stand lines that the runner or BuildKit
//! write. Digits in it may differ from line to line. What stands behind the prefix is not this module's affair.

use std::collections::VecDeque;

use super::line;

/// How many lines that are not blank decide.
const SAMPLE: usize = 40;

/// How many bytes of them are held back at most.
const HELD: usize = 256 * 1024;

/// Longest prefix that is looked for, in bytes.
const PREFIX: usize = 120;

/// How many prefixes may stand behind one another, such as a quotation of numbered lines.
const LAYERS: usize = 6;

/// Holds back the first lines of a file until they show what stands in front of them, then takes it off every line.
#[derive(Debug, Default)]
pub(super) struct Wrapping {
    decided: bool,
    layers: Vec<Prefix>,
    held: VecDeque<String>,
    counted: usize,
    bytes: usize,
}

impl Wrapping {
    /// Tells whether lines are still held back.
    pub(super) fn undecided(&self) -> bool {
        !self.decided
    }

    /// Holds a line back.
    pub(super) fn hold(&mut self, line: &str) {
        self.counted += usize::from(!line.trim().is_empty());
        self.bytes += line.len() + 1;
        self.held.push_back(line.to_owned());
        if self.counted >= SAMPLE || self.bytes >= HELD {
            self.decide();
        }
    }

    /// Decides by the lines that were held back, however few.
    pub(super) fn decide(&mut self) {
        if std::mem::replace(&mut self.decided, true) {
            return;
        }
        let lines: Vec<&str> = self.held.iter().map(|line| bare(line)).filter(|line| !line.trim().is_empty()).collect();
        let mut lines = lines;
        for _ in 0..LAYERS {
            let Some(prefix) = Prefix::numbering(&lines).or_else(|| Prefix::of(&lines)) else { return };
            for line in &mut lines {
                *line = prefix.strip(line);
            }
            self.layers.push(prefix);
        }
    }

    /// Returns the next line that was held back, once it is decided.
    pub(super) fn release(&mut self) -> Option<String> {
        if self.decided { self.held.pop_front() } else { None }
    }

    /// Takes the prefixes off a line.
    pub(super) fn strip<'a>(&self, line: &'a str) -> &'a str {
        if self.layers.is_empty() {
            return line;
        }
        self.layers.iter().fold(bare(line), |line, prefix| prefix.strip(line))
    }
}

/// A line without the marks at its two ends.
fn bare(line: &str) -> &str {
    let line = line.trim_end_matches('\r');
    line.strip_prefix('\u{feff}').unwrap_or(line)
}

/// A prefix that lines share.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Prefix(Vec<Piece>);

/// A piece of a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// These characters.
    Text(String),
    /// A number, which may be padded with spaces.
    Number,
}

impl Prefix {
    /// Finds the prefix that most lines share and behind which the most known lines stand.
    fn of(lines: &[&str]) -> Option<Self> {
        let plain = lines.iter().filter(|line| line::known(line)).count();
        let mut candidates: Vec<(Self, usize)> = Vec::new();
        for text in lines {
            for (at, _) in text.char_indices().take_while(|(at, _)| *at <= PREFIX).skip(1) {
                if line::known(&text[at..]) {
                    let prefix = Self::new(&text[..at]);
                    match candidates.iter_mut().find(|(known, _)| *known == prefix) {
                        Some((_, count)) => *count += 1,
                        None => candidates.push((prefix, 1)),
                    }
                    // What follows the first known beginning is that line's own.
                    break;
                }
            }
        }
        // The first of equals: it was found first.
        let (prefix, _) = candidates.into_iter().rev().max_by_key(|(_, count)| *count)?;
        let shared = lines.iter().filter(|line| prefix.matches(line).is_some()).count();
        let behind = lines.iter().filter(|line| line::known(prefix.strip(line))).count();
        (behind > plain && shared * 10 >= lines.len() * 7).then_some(prefix)
    }

    /// Finds numbers that grow from line to line, such as those of `grep -n`, with what stands before and after them.
    ///
    /// What follows says nothing here: the name of a job may follow, which may be any word.
    fn numbering(lines: &[&str]) -> Option<Self> {
        const LEAST: usize = 3;
        let first = lines.first().filter(|line| lines.len() >= LEAST && !line::numbers_itself(line))?;
        let start = first.find(|char: char| char.is_ascii_digit()).filter(|start| *start <= PREFIX)?;
        let head = first[..start].trim_end_matches(' ');
        let mut last = None;
        let mut rests = Vec::with_capacity(lines.len());
        for line in lines {
            let digits = line.strip_prefix(head)?.trim_start_matches(' ');
            let end = digits.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
            let number: u64 = digits[..end].parse().ok()?;
            if last.is_some_and(|last| number <= last) {
                return None;
            }
            last = Some(number);
            rests.push(&digits[end..]);
        }
        let mut mark = rests[0].chars().next().filter(|char| !char.is_alphanumeric() && *char != '.')?.to_string();
        let alike = |char: char, mark: char| char == mark || (matches!(mark, ':' | '-') && matches!(char, ':' | '-'));
        let marked =
            |rest: &&str| rest.is_empty() || rest.starts_with(|char| mark.starts_with(|mark| alike(char, mark)));
        if !rests.iter().all(marked) {
            return None;
        }
        let behind = rests.iter().filter_map(|rest| rest.char_indices().nth(1).map(|(at, _)| &rest[at..]));
        let behind: Vec<&str> = behind.filter(|rest| !rest.trim().is_empty()).collect();
        let shared = |rest: &str| rest.find(|char| !matches!(char, ' ' | '|' | '│' | '\t')).unwrap_or(rest.len());
        let longest = behind.iter().min_by_key(|rest| shared(rest)).map_or("", |rest| &rest[..shared(rest)]);
        if behind.iter().all(|rest| rest.starts_with(longest)) {
            mark.push_str(longest);
        }
        if mark == "-" {
            ":".clone_into(&mut mark);
        }
        let head = Some(Piece::Text(head.to_owned())).filter(|_| !head.is_empty());
        Some(Self(head.into_iter().chain([Piece::Number, Piece::Text(mark)]).collect()))
    }

    fn new(text: &str) -> Self {
        let mut pieces: Vec<Piece> = Vec::new();
        for char in text.chars() {
            match (pieces.last_mut(), char.is_ascii_digit()) {
                (Some(Piece::Number), true) => {}
                (Some(Piece::Text(known)), true) => {
                    known.truncate(known.trim_end_matches(' ').len());
                    if known.is_empty() {
                        pieces.pop();
                    }
                    pieces.push(Piece::Number);
                }
                (None, true) => pieces.push(Piece::Number),
                (Some(Piece::Text(known)), false) => known.push(char),
                (_, false) => pieces.push(Piece::Text(char.to_string())),
            }
        }
        // `grep` parts a match from its number with a colon, and the lines around it with a dash.
        if let [.., Piece::Number, Piece::Text(part)] = pieces.as_mut_slice()
            && part == "-"
        {
            ":".clone_into(part);
        }
        Self(pieces)
    }

    /// Returns what follows the prefix; a line that ends within the blanks at its end has nothing behind it.
    fn matches<'a>(&self, line: &'a str) -> Option<&'a str> {
        let mut rest = line;
        for (at, piece) in self.0.iter().enumerate() {
            rest = match piece {
                Piece::Number => {
                    let digits = rest.trim_start_matches(' ');
                    let end = digits.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
                    if end == 0 {
                        return None;
                    }
                    &digits[end..]
                }
                Piece::Text(text) => match rest.strip_prefix(text.as_str()) {
                    Some(rest) => rest,
                    None if text == ":" && rest.starts_with('-') => &rest[1..],
                    None => {
                        let last = at + 1 == self.0.len();
                        return (last && rest.trim_end() == text.trim_end()).then_some("");
                    }
                },
            };
        }
        Some(rest)
    }

    fn strip<'a>(&self, line: &'a str) -> &'a str {
        self.matches(line).unwrap_or(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines as they come out.
    fn read(lines: &[&str]) -> Vec<String> {
        let mut wrapping = Wrapping::default();
        lines.iter().for_each(|line| wrapping.hold(line));
        wrapping.decide();
        let mut out = Vec::new();
        while let Some(line) = wrapping.release() {
            out.push(wrapping.strip(&line).to_owned());
        }
        out
    }

    /// A part of a copy from the web page.
    const COPY: [&str; 7] = [
        "Run actions/cache@v4",
        "with:",
        "  path: c",
        "",
        "Cache hit for: go-1",
        "Cache Size: ~0 MB (198 B)",
        "Cache restored from key: go-1",
    ];

    fn wrapped(prefix: impl Fn(usize) -> String) -> Vec<String> {
        let lines: Vec<String> = COPY.iter().enumerate().map(|(at, line)| format!("{}{line}", prefix(at))).collect();
        read(&lines.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[test]
    fn whatever_stands_in_front_of_every_line_comes_off() {
        for prefix in ["> ", "> > ", ">> ", "build (linux) | ", "ci: ", "    ", "\t", "| | ", "[2] ", "web-1  | "] {
            assert_eq!(wrapped(|_| prefix.to_owned()), COPY, "{prefix:?}");
        }
        for number in [
            |at| format!("{at}:"),
            |at| format!("{at:6}\t"),
            |at| format!("{}- ", at + 98),
            |at| format!("a.log:{at}:"),
        ] {
            assert_eq!(wrapped(number), COPY);
        }
    }

    #[test]
    fn blanks_at_the_end_of_a_prefix_may_be_lost() {
        let lines = ["> Run actions/cache@v4", ">", "> Cache hit for: go-1", "> Cache Size: ~0 MB (198 B)"];
        assert_eq!(read(&lines), ["Run actions/cache@v4", "", "Cache hit for: go-1", "Cache Size: ~0 MB (198 B)"]);
    }

    #[test]
    fn prefixes_in_front_of_prefixes_come_off_in_turn() {
        let lines =
            ["> 1:build | Cache hit for: a", "> 2:build | Cache Size: ~0 MB (198 B)", "> 3:build | Cache hit for: b"];
        assert_eq!(read(&lines), ["Cache hit for: a", "Cache Size: ~0 MB (198 B)", "Cache hit for: b"]);
    }

    #[test]
    fn lines_around_a_match_of_grep_count_as_numbered() {
        let lines = ["7-Cache hit for: a", "8:Cache Size: ~0 MB (198 B)", "9-Cache restored from key: a", "--"];
        assert_eq!(read(&lines)[..3], ["Cache hit for: a", "Cache Size: ~0 MB (198 B)", "Cache restored from key: a"]);
    }

    #[test]
    fn a_log_without_a_prefix_is_left_as_it_is() {
        let logs: [&[&str]; 5] = [
            &COPY,
            &["2026-02-18T12:20:49.8879943Z ##[group]Run actions/cache@v5", "2026-02-18T12:20:49.8879943Z with:"],
            &["build\tRun x\t2026-02-18T12:20:49.8879943Z with:", "build\tRun x\t2026-02-18T12:20:49.8879943Z env:"],
            &["[CI/build]   | Cache hit for: a", "[CI/build]   | Cache Size: ~0 MB (198 B)"],
            &["#12 0.1 #5 [a 1/2] RUN x", "#12 0.2 #5 DONE 1.0s", "#12 0.3 Cache hit for: a"],
        ];
        for log in logs {
            assert_eq!(read(log), log);
        }
    }

    #[test]
    fn what_is_held_back_is_bounded() {
        let mut wrapping = Wrapping::default();
        for _ in 0..SAMPLE {
            assert!(wrapping.undecided());
            wrapping.hold("no line that anybody knows");
        }
        assert!(!wrapping.undecided());
        let mut wrapping = Wrapping::default();
        wrapping.hold(&"x".repeat(HELD));
        assert!(!wrapping.undecided());
    }
}
