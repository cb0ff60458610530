//! From physical lines to instructions: parser directives, comments, continuations and here-documents.
//! [`read`] and [`Instruction`] are principal.
//!
//! Follows `frontend/dockerfile/parser/parser.go` of moby/buildkit. It knows no instruction but those that may carry a
//! here-document.

use super::error::{DockerfileError, DockerfileProblem};
use super::words;
use crate::source::{Source, Span, Spanned};

/// The lines of a Dockerfile, put together.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    /// The value of `# syntax=`.
    pub(super) syntax: Option<Spanned<String>>,
    /// The escape and continuation character.
    pub(super) escape: char,
    /// The instructions in order.
    pub(super) instructions: Vec<Instruction>,
}

/// One instruction, with its continuation lines joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Instruction {
    /// The first word, in capitals.
    pub(super) keyword: String,
    /// Everything after the first word, continuation lines joined and comments left out.
    pub(super) args: Joined,
    /// The here-documents that follow, without their terminators.
    pub(super) heredocs: Vec<Span>,
    /// From the first letter to the end of the last line, here-documents included, the last line end not.
    pub(super) span: Span,
    /// Where the first physical line starts: the place to insert something before the instruction.
    pub(super) line_start: usize,
    /// Where the line after the instruction starts: the place to insert something after it.
    pub(super) after: usize,
    /// Whether the file ends while a continuation goes on, so that anything put after it would become part of it.
    pub(super) open: bool,
}

/// Text gathered from several places of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Joined {
    /// The text.
    pub(super) text: String,
    /// Where each part of the text came from: offset in the text, offset in the source.
    parts: Vec<(usize, usize)>,
}

impl Joined {
    fn push(&mut self, text: &str, source_offset: usize) {
        self.parts.push((self.text.len(), source_offset));
        self.text.push_str(text);
    }

    /// Returns the source offset of an offset in the text.
    pub(super) fn source_offset(&self, offset: usize) -> usize {
        let part = self.parts.partition_point(|(at, _)| *at <= offset).saturating_sub(1);
        self.parts.get(part).map_or(0, |(at, source)| source + offset.saturating_sub(*at))
    }

    /// Returns where a range of the text stands in the source.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        let last = end.saturating_sub(1).max(start);
        Span::new(self.source_offset(start), self.source_offset(last) + (end - last.min(end)))
    }

    /// Leaves out the first bytes.
    fn skip(mut self, bytes: usize) -> Self {
        let source = self.source_offset(bytes);
        self.parts.retain(|(at, _)| *at > bytes);
        self.parts.insert(0, (bytes, source));
        for (at, _) in &mut self.parts {
            *at -= bytes;
        }
        self.text.drain(..bytes);
        self
    }
}

/// A physical line.
#[derive(Clone, Copy)]
struct SourceLine<'a> {
    start: usize,
    /// Without its line end.
    text: &'a str,
    next: usize,
}

/// Reads the instructions of a Dockerfile.
pub(super) fn read(source: &Source) -> Result<Lines, DockerfileError> {
    let mut reader = InstructionReader { source, at: 0, directives: Directives::default() };
    let mut instructions = Vec::new();
    while let Some(instruction) = reader.instruction()? {
        instructions.push(instruction);
    }
    if instructions.is_empty() {
        return Err(DockerfileError::at(source, source.text.len(), DockerfileProblem::Empty));
    }
    let Directives { escape, syntax, .. } = reader.directives;
    Ok(Lines { syntax, escape: escape.unwrap_or('\\'), instructions })
}

struct InstructionReader<'a> {
    source: &'a Source,
    at: usize,
    directives: Directives,
}

#[derive(Default)]
struct Directives {
    done: bool,
    syntax: Option<Spanned<String>>,
    escape: Option<char>,
    check: bool,
}

impl<'a> InstructionReader<'a> {
    fn line(&mut self) -> Option<SourceLine<'a>> {
        let rest = self.source.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let length = rest.find('\n').map_or(rest.len(), |at| at + 1);
        let mut start = self.at;
        self.at += length;
        let mut text = rest[..length].trim_end_matches(['\r', '\n']);
        if let Some(without) = text.strip_prefix('\u{feff}').filter(|_| self.at == length) {
            start += text.len() - without.len();
            text = without;
        }
        Some(SourceLine { start, text, next: self.at })
    }

    fn instruction(&mut self) -> Result<Option<Instruction>, DockerfileError> {
        while let Some(first) = self.line() {
            let text = first.text.trim_start();
            let start = first.start + (first.text.len() - text.len());
            self.directive(text, start)?;
            if text.starts_with('#') {
                continue;
            }
            let escape = self.directives.escape.unwrap_or('\\');
            let (text, mut more) = without_continuation(text, escape);
            if !more && text.is_empty() {
                continue;
            }
            let mut joined = Joined::default();
            joined.push(text, start);
            let mut last = first;
            while more {
                let Some(line) = self.line() else { break };
                last = line;
                let trimmed = line.text.trim_start();
                if trimmed.starts_with('#') || trimmed.is_empty() {
                    continue;
                }
                let (text, goes_on) = without_continuation(line.text, escape);
                joined.push(text, line.start);
                more = goes_on;
            }
            return self.finish(joined, first, start, last, more).map(Some);
        }
        Ok(None)
    }

    fn finish(
        &mut self,
        joined: Joined,
        first: SourceLine<'a>,
        start: usize,
        mut last: SourceLine<'a>,
        open: bool,
    ) -> Result<Instruction, DockerfileError> {
        let lead = joined.text.len() - joined.text.trim_start().len();
        let joined = joined.skip(lead);
        let end = joined.text.find(char::is_whitespace).unwrap_or(joined.text.len());
        let keyword = joined.text[..end].to_ascii_uppercase();
        let gap = joined.text[end..].len() - joined.text[end..].trim_start().len();
        let args = joined.skip(end + gap);
        let mut heredocs = Vec::new();
        for (name, chomp) in self.heredocs(&keyword, &args.text) {
            let from = self.at;
            let ended = loop {
                let Some(line) = self.line() else { break None };
                last = line;
                let text = if chomp { line.text.trim_start_matches('\t') } else { line.text };
                if text == name {
                    break Some(line.start);
                }
            };
            let Some(to) = ended else {
                return Err(DockerfileError::at(self.source, start, DockerfileProblem::UnterminatedHeredoc(name)));
            };
            heredocs.push(Span::new(from, to));
        }
        let span = Span::new(start, last.start + last.text.len());
        Ok(Instruction { keyword, args, heredocs, span, line_start: first.start, after: last.next, open })
    }

    /// The names of the here-documents an instruction announces, and whether their leading tabs go.
    fn heredocs(&self, keyword: &str, args: &str) -> Vec<(String, bool)> {
        let (keyword, args) = if keyword == "ONBUILD" {
            let mut words = args.splitn(2, char::is_whitespace);
            (words.next().unwrap_or("").to_ascii_uppercase(), words.next().unwrap_or("").trim_start())
        } else {
            (keyword.to_owned(), args)
        };
        if !matches!(keyword.as_str(), "RUN" | "COPY" | "ADD") || !args.contains("<<") {
            return Vec::new();
        }
        let escape = self.directives.escape.unwrap_or('\\');
        let (_, command) = super::flags::flags(args, escape);
        if super::json::json_words(&args[command..]).is_some() {
            return Vec::new();
        }
        words::split(args, '\\').iter().filter_map(|word| heredoc(word)).collect()
    }

    fn directive(&mut self, line: &str, start: usize) -> Result<(), DockerfileError> {
        if self.directives.done {
            return Ok(());
        }
        let Some((key, value)) = directive(line) else {
            self.directives.done = true;
            return Ok(());
        };
        let error = |problem| Err(DockerfileError::at(self.source, start, problem));
        let repeated = || DockerfileProblem::RepeatedDirective(key.clone());
        match key.as_str() {
            "escape" => {
                if self.directives.escape.is_some() {
                    return error(repeated());
                }
                match value {
                    "\\" => self.directives.escape = Some('\\'),
                    "`" => self.directives.escape = Some('`'),
                    other => return error(DockerfileProblem::Escape(other.to_owned())),
                }
            }
            "syntax" => {
                if self.directives.syntax.is_some() {
                    return error(repeated());
                }
                let at = start + line.rfind(value).unwrap_or(0);
                self.directives.syntax = Some(Spanned::new(value.to_owned(), Span::new(at, at + value.len())));
            }
            "check" => {
                if self.directives.check {
                    return error(repeated());
                }
                self.directives.check = true;
            }
            _ => self.directives.done = true,
        }
        Ok(())
    }
}

/// Reads `# key=value`.
fn directive(line: &str) -> Option<(String, &str)> {
    let (key, value) = line.strip_prefix('#')?.split_once('=')?;
    let key = key.trim();
    let named = key.starts_with(|first: char| first.is_ascii_alphabetic())
        && key.chars().all(|char| char.is_ascii_alphanumeric());
    let value = value.trim();
    (named && !value.is_empty()).then(|| (key.to_ascii_lowercase(), value))
}

/// Takes the continuation character off the end of a line; says whether there was one. Two in a row are not one.
fn without_continuation(line: &str, escape: char) -> (&str, bool) {
    let trimmed = line.trim_end_matches([' ', '\t']);
    match trimmed.strip_suffix(escape) {
        Some(text) if !text.ends_with(escape) => (text, true),
        _ => (line, false),
    }
}

/// Reads a word such as `<<EOF`, `3<<-"EOF"`.
fn heredoc(word: &str) -> Option<(String, bool)> {
    let word = word.trim_start_matches(|char: char| char.is_ascii_digit());
    let rest = word.strip_prefix("<<")?;
    let (chomp, rest) = match rest.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    if rest.is_empty() || rest.contains('<') {
        return None;
    }
    let keep = |name: &str| Some(format!("${name}"));
    let name = words::expand(rest, '\\', &keep).ok()?.text;
    (!name.is_empty()).then_some((name, chomp))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Vec<(String, String)> {
        let lines = read(&Source::new("Dockerfile", text)).unwrap();
        lines.instructions.into_iter().map(|found| (found.keyword, found.args.text)).collect()
    }

    fn pair(keyword: &str, args: &str) -> (String, String) {
        (keyword.to_owned(), args.to_owned())
    }

    #[test]
    fn continuations_skip_comments_and_empty_lines() {
        let text = "FROM a\nRUN one \\\n  # why\n\n  two \\  \n three\nRUN four\\\\\nUSER x";
        assert_eq!(
            read_text(text),
            [pair("FROM", "a"), pair("RUN", "one   two  three"), pair("RUN", "four\\\\"), pair("USER", "x")]
        );
    }

    #[test]
    fn the_escape_directive_changes_the_continuation_character() {
        let text = "# escape=`\nFROM a\nRUN dir c:\\\nRUN b `\n c\n";
        assert_eq!(read_text(text), [pair("FROM", "a"), pair("RUN", "dir c:\\"), pair("RUN", "b  c")]);
    }

    #[test]
    fn a_directive_counts_only_before_everything_else() {
        let source = Source::new("Dockerfile", "#\n# escape=`\n# syntax=x\nFROM a\n");
        let lines = read(&source).unwrap();
        assert_eq!((lines.escape, lines.syntax), ('\\', None));
        let source = Source::new("Dockerfile", "\u{feff}# Syntax = docker/dockerfile:1 \n# escape = ` \nFROM a\n");
        let lines = read(&source).unwrap();
        let syntax = lines.syntax.unwrap();
        assert_eq!(&source.text[syntax.span.start..syntax.span.end], "docker/dockerfile:1");
        assert_eq!(lines.escape, '`');
    }

    #[test]
    fn here_documents_belong_to_their_instruction() {
        let text = "FROM a\nRUN cat <<EOF >/x && sh <<-'END'\nFROM b\nEOF\n\tRUN c\n\tEND\nUSER x\n";
        let source = Source::new("Dockerfile", text);
        let lines = read(&source).unwrap();
        assert_eq!(lines.instructions.len(), 3);
        let bodies: Vec<_> = lines.instructions[1].heredocs.iter().map(|at| &text[at.start..at.end]).collect();
        assert_eq!(bodies, ["FROM b\n", "\tRUN c\n"]);
        assert_eq!(&text[lines.instructions[1].after..], "USER x\n");
    }

    #[test]
    fn arithmetic_and_here_strings_are_no_here_documents() {
        assert_eq!(read_text("FROM a\nRUN cat <<<word && echo $((1<<2))\nUSER x\n").len(), 3);
        assert_eq!(read_text("FROM a\nRUN [\"cat\", \"<<EOF\"]\nUSER x\n").len(), 3);
    }

    #[test]
    fn offsets_in_joined_text_lead_back_to_the_source() {
        let text = "FROM a\nRUN --one \\\n   --two three\n";
        let source = Source::new("Dockerfile", text);
        let args = &read(&source).unwrap().instructions[1].args;
        let at = args.text.find("--two").unwrap();
        let span = args.span(at, at + 5);
        assert_eq!(&text[span.start..span.end], "--two");
    }

    #[test]
    fn an_endless_here_document_is_an_error_at_its_instruction() {
        let error = read(&Source::new("Dockerfile", "FROM a\nRUN <<EOF\nx\n")).unwrap_err();
        assert_eq!(error.to_string(), "Dockerfile:2: unterminated here-document EOF: RUN <<EOF");
    }
}
