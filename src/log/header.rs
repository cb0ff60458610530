//! The block with which the runner opens a step: `Run …`, its `with:` and `env:`. [`Header`] is principal.
//!
//! It finds the block's end also where the line that ends it is lost, or where a copy of the web page never had one; what
//! the inputs mean is not its affair.

use super::line::{LineKind, LogLine};
use super::sink::LineContext;
use crate::evidence::Quote;
use std::time::SystemTime;

/// How much text one block may hold.
const ROOM: usize = 128 * 1024;

/// A block that is being read.
#[derive(Debug)]
pub(super) struct Header {
    /// What follows `Run `.
    pub(super) title: String,
    /// Its first line.
    pub(super) quote: Quote,
    /// When it was printed.
    pub(super) at: Option<SystemTime>,
    /// The script, for a `run:` step.
    pub(super) script: String,
    section: Section,
    values: Vec<(String, String)>,
    /// How far a copy has moved the lines under the head to the right.
    indent: usize,
    coloured: bool,
    confirmed: bool,
    /// It begins with a mark of the runner, and not with plain text.
    grouped: bool,
    room: usize,
}

/// The part of the block that is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Script,
    With,
    Env,
}

/// What a line was to the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderFlow {
    /// A part of it.
    Taken,
    /// Its last line.
    Last,
    /// No part of it: the block is over.
    Over,
}

impl Header {
    /// Begins a block where a line opens one. `stamped` says that this log has timestamps.
    pub(super) fn begin(line: &LogLine<'_>, spot: &LineContext<'_>, stamped: bool) -> Option<Self> {
        let title = line.text().strip_prefix("Run ")?;
        let known = is_action(title);
        let opens = match line.channel {
            LineKind::Group => true,
            // The web page shows the group's head as plain text; that of a script is known by the line that follows it.
            LineKind::Plain => !stamped && !line.echo,
            _ => false,
        };
        opens.then(|| Self {
            title: title.chars().take(1_000).collect(),
            quote: spot.quote(),
            at: line.at,
            script: String::new(),
            section: Section::Script,
            values: Vec::new(),
            indent: 0,
            coloured: false,
            confirmed: known,
            grouped: line.channel == LineKind::Group,
            room: ROOM,
        })
    }

    /// The action the step uses, such as `actions/cache@v4`; `None` for a `run:` step.
    pub(super) fn uses(&self) -> Option<&str> {
        is_action(&self.title).then_some(self.title.as_str())
    }

    /// Tells whether it is a step's block after all, and not a group of that name which a program printed.
    pub(super) fn is_step(&self) -> bool {
        self.confirmed
    }

    /// An input of the `with:` block, trimmed; `None` when it is not there or empty.
    pub(super) fn input(&self, name: &str) -> Option<&str> {
        let (_, value) = self.values.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value.trim()).filter(|value| !value.is_empty())
    }

    /// Tells whether it shows any input. The runner prints defaults too, so an action with inputs always shows one.
    pub(super) fn shows_inputs(&self) -> bool {
        !self.values.is_empty()
    }

    /// Takes the next line.
    pub(super) fn feed(&mut self, line: &LogLine<'_>, stamped: bool) -> HeaderFlow {
        match line.channel {
            LineKind::EndGroup => {
                // A group that is named as a step and holds nothing is a step whose script is its name.
                self.confirmed |= self.grouped && self.script.is_empty();
                return HeaderFlow::Last;
            }
            LineKind::Plain => {}
            _ => return HeaderFlow::Over,
        }
        let continues = stamped && line.at.is_none();
        let text = line.text();
        if !continues && self.values.is_empty() && matches!(text.trim_start(), "with:" | "env:") {
            self.indent = text.len() - text.trim_start().len();
        }
        // A part may be less far to the right than the copy's other lines.
        let moved = text.len() - text.trim_start_matches([' ', '\t']).len();
        let text = &text[moved.min(self.indent)..];
        match text {
            "with:" if !continues => return self.enter(Section::With),
            "env:" if !continues => return self.enter(Section::Env),
            _ => {}
        }
        if self.section == Section::Script {
            return self.script_line(line, continues);
        }
        if let Some((name, value)) = value(text).filter(|_| !continues && !self.unbalanced()) {
            self.keep(name, value);
            return HeaderFlow::Taken;
        }
        if continues || (!stamped && self.may_continue(text)) {
            self.append(text);
            return HeaderFlow::Taken;
        }
        HeaderFlow::Over
    }

    fn enter(&mut self, section: Section) -> HeaderFlow {
        self.section = section;
        self.confirmed = true;
        HeaderFlow::Taken
    }

    fn script_line(&mut self, line: &LogLine<'_>, continues: bool) -> HeaderFlow {
        let text = line.text();
        if self.uses().is_some() && !continues {
            return HeaderFlow::Over;
        }
        if text.starts_with("shell: ") {
            return self.enter(Section::Env);
        }
        if self.coloured && !line.echo && !continues {
            return HeaderFlow::Over;
        }
        if line.echo {
            self.coloured = true;
            self.confirmed = true;
        } else if self.script.is_empty() {
            // Without its colours a script is known by its first line, which is the step's name as well.
            let own = text.trim() == self.title.trim();
            if !own && !self.title.starts_with("docker ") {
                return HeaderFlow::Over;
            }
            self.confirmed |= own;
        } else if !continues && ends_a_script(text) {
            return HeaderFlow::Over;
        }
        if let Some(room) = self.room.checked_sub(text.len() + 1) {
            self.room = room;
            self.script.push_str(text);
            self.script.push('\n');
            HeaderFlow::Taken
        } else {
            HeaderFlow::Over
        }
    }

    fn keep(&mut self, name: &str, value: &str) {
        if self.section == Section::With
            && let Some(room) = self.room.checked_sub(name.len() + value.len() + 64)
        {
            self.room = room;
            self.values.push((name.to_owned(), value.to_owned()));
        }
    }

    fn append(&mut self, text: &str) {
        if self.section == Section::With
            && let Some((_, value)) = self.values.last_mut()
            && let Some(room) = self.room.checked_sub(text.len() + 1)
        {
            self.room = room;
            value.push('\n');
            value.push_str(text);
        }
    }

    /// Tells whether the last value is JSON that has not ended.
    fn unbalanced(&self) -> bool {
        let Some((_, value)) = self.values.last().filter(|_| self.section == Section::With) else { return false };
        let text = value.trim_start();
        text.starts_with(['{', '[']) && {
            let count = |marks: [char; 2]| text.matches(marks).count();
            count(['{', '[']) > count(['}', ']'])
        }
    }

    /// Tells, for a log without timestamps, whether a line may continue the last value.
    fn may_continue(&self, text: &str) -> bool {
        if self.unbalanced() {
            return true;
        }
        let Some((name, _)) = self.values.last().filter(|_| self.section == Section::With) else { return false };
        let many = ["path", "restore-keys", "cache-map", "tags", "build-args", "cache-from", "cache-to", "labels"];
        let output = ["Cache ", "Failed ", "Lookup ", "Received ", "#", "FROM ", "Run ", "Post ", "[", "No cache map"];
        many.iter().any(|known| known.eq_ignore_ascii_case(name)) && !output.iter().any(|start| text.starts_with(start))
    }
}

/// Tells whether a line is no line of a script: one of a build's progress, or the beginning of another step.
fn ends_a_script(text: &str) -> bool {
    super::progress::shows_a_build(text)
        || text == "Post job cleanup."
        || text.starts_with("Cache ")
        || text.strip_prefix("Run ").is_some_and(is_action)
}

/// Reads `  name: value`; `None` when the line has another shape.
fn value(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix("  ")?;
    let (name, value) = text.split_once(':')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let ends = value.is_empty() || value.starts_with(' ');
    (ends && !name.is_empty() && name.bytes().all(plain)).then(|| (name, value.strip_prefix(' ').unwrap_or(value)))
}

/// Tells whether a title names an action: `owner/name@ref`, `owner/name/path@ref` or a local path.
pub(super) fn is_action(title: &str) -> bool {
    if title.contains(char::is_whitespace) {
        return false;
    }
    title.starts_with("./") || title.split_once('@').is_some_and(|(name, _)| name.contains('/') && !name.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::super::line::Transport;
    use super::*;
    use std::sync::Arc;

    /// Reads a block; returns it with the number of lines it took.
    fn read(log: &str) -> (Header, usize) {
        let source = Arc::from("log");
        let mut transport = Transport::default();
        let stamped = log.starts_with("2026");
        let mut header: Option<Header> = None;
        for (number, raw) in log.lines().enumerate() {
            let line = transport.read(raw);
            let spot = LineContext { source: &source, number, at: line.at, shown: line.shown() };
            match header.as_mut().map(|header| header.feed(&line, stamped)) {
                None => header = Header::begin(&line, &spot, stamped),
                Some(HeaderFlow::Taken) => {}
                Some(_) => return (header.unwrap(), number),
            }
        }
        (header.unwrap(), log.lines().count())
    }

    #[test]
    fn multi_line_values_continue_without_timestamps() {
        let (header, taken) = read(
            "2026-02-18T12:20:49.8879943Z ##[group]Run actions/cache@v5\n2026-02-18T12:20:49.8880195Z with:\n\
             2026-02-18T12:20:49.8880597Z   path: a\nb/\n\n2026-02-18T12:20:49.8881122Z   key: k: v\n\
             2026-02-18T12:20:49.8882268Z env:\n2026-02-18T12:20:49.8882432Z   key: other\n2026-02-18T12:20:49.8884010Z ##[endgroup]\n",
        );
        assert_eq!(header.uses(), Some("actions/cache@v5"));
        assert_eq!(header.input("path"), Some("a\nb/"));
        assert_eq!(header.input("key"), Some("k: v"));
        assert_eq!(taken, 8);
    }

    #[test]
    fn a_block_whose_end_is_lost_ends_at_the_first_output() {
        let (header, taken) = read(
            "2026-02-18T12:20:49.8879943Z ##[group]Run actions/cache@v5\n2026-02-18T12:20:49.8880195Z with:\n\
             2026-02-18T12:20:49.8881122Z   key: k\n2026-02-18T12:20:49.8881122Z Cache hit for: k\n",
        );
        assert_eq!((header.input("key"), taken), (Some("k"), 3));
    }

    #[test]
    fn the_web_pages_block_needs_no_end() {
        let (header, taken) = read(
            "Run x/buildkit-cache-dance@v3\nwith:\n  cache-map: {\n  \"a\": \"/b\"\n}\n  scratch-dir: scratch\nFROM busybox\n",
        );
        assert_eq!(header.input("cache-map"), Some("{\n  \"a\": \"/b\"\n}"));
        assert_eq!(taken, 6);
    }

    #[test]
    fn a_copy_may_have_moved_the_inputs_to_the_right() {
        for indent in ["  ", "    ", "\t"] {
            let (header, taken) = read(&format!(
                "Run a/buildkit-cache-dance@v3\n{indent}with:\n{indent}  builder: default\n{indent}  cache-map: {{\n\
                 {indent}  \"a\": \"/b\"\n{indent}}}\n{indent}env:\n{indent}  builder: other\nFROM busybox\n"
            ));
            assert_eq!(header.input("builder"), Some("default"));
            assert_eq!(header.input("cache-map"), Some("{\n  \"a\": \"/b\"\n}"));
            assert_eq!(taken, 8);
        }
    }

    #[test]
    fn a_script_that_lost_its_colours_is_known_by_its_first_line() {
        let stamp = "2026-02-18T12:20:49.8879943Z ";
        let log =
            ["##[group]Run task unit", "task unit", "task lint", "shell: bash", "##[endgroup]", "task: [unit] docker"];
        for prefix in [stamp, ""] {
            let text = log.map(|line| format!("{prefix}{line}")).join("\n");
            let text =
                if prefix.is_empty() { text.replacen("##[group]", "", 1).replace("##[endgroup]\n", "") } else { text };
            let (header, _) = read(&text);
            assert!(header.is_step(), "{text}");
            assert_eq!(header.script, "task unit\ntask lint\n");
        }
        let (header, _) = read(&format!("{stamp}##[group]Run task unit\n{stamp}##[endgroup]\n{stamp}x"));
        assert!(header.is_step(), "an empty group");
        let (header, taken) =
            read("Run make image\nmake image\n#0 building with \"default\" instance using docker driver\n");
        assert_eq!((header.script.as_str(), taken), ("make image\n", 2));
        let (header, taken) = read("Run tests of the image\nok\n");
        assert!(!header.is_step() && taken == 1);
    }

    #[test]
    fn a_group_that_a_program_names_run_is_no_step() {
        let (header, _) = read("2026-02-18T12:20:49.8879943Z ##[group]Run tests\n2026-02-18T12:20:49.8879943Z ok 1\n");
        assert!(!header.is_step());
        let (header, _) = read(
            "2026-02-18T12:20:49.8879943Z ##[group]Run docker build .\n\
             2026-02-18T12:20:49.8879943Z \u{1b}[36;1mdocker build .\u{1b}[0m\n2026-02-18T12:20:49.8879943Z shell: bash\n",
        );
        assert!(header.is_step());
        assert_eq!(header.script, "docker build .\n");
    }
}
