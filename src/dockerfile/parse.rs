//! Stages and `RUN` instructions. [`Dockerfile`] is principal.
//!
//! Judges what `BuildKit`'s parser judges: which instructions exist, where they may stand, and the shape of `FROM`,
//! `RUN` and `SHELL`. The arguments of the other instructions pass unread.

use super::error::{DockerfileError, DockerfileProblem};
use super::flags::flags;
use super::json::json_words;
use super::lines::{self, Instruction};
use super::words;
use crate::source::{Source, Span, Spanned};

const INSTRUCTIONS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// A Dockerfile that parses.
#[derive(Debug, Clone)]
pub struct Dockerfile {
    /// The frontend image of a `# syntax=` line; the engine pulls it.
    pub syntax: Option<Spanned<String>>,
    /// The escape and continuation character: a backslash, unless a directive says otherwise.
    pub escape: char,
    /// The stages in order.
    pub stages: Vec<Stage>,
    pub(super) instructions: Vec<Instruction>,
    pub(super) source: Source,
}

/// One `FROM` and what follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The place among the stages, from 0.
    pub index: usize,
    /// The name after `AS`, in lower case.
    pub name: Option<String>,
    /// The image or stage it starts from, as written.
    pub image: String,
    /// The `RUN` instructions in order; those behind `ONBUILD` do not run here and are not among them.
    pub runs: Vec<RunInstruction>,
    /// Where its `FROM` stands.
    pub span: Span,
    /// The index of its `FROM` and one past its last instruction.
    pub(super) range: (usize, usize),
}

/// One `RUN` instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunInstruction {
    /// The place among the `RUN`s of its stage, from 0.
    pub index: usize,
    /// Its flags in order.
    pub flags: Vec<RunFlag>,
    /// What it runs, continuation lines joined.
    pub command: String,
    /// The contents of its here-documents.
    pub heredocs: Vec<String>,
    /// Whether a shell runs it.
    pub form: CommandForm,
    /// Where it stands, here-documents included.
    pub span: Span,
    pub(super) instruction: usize,
}

/// The place of a `RUN`: the stage and its number there.
pub(super) type RunPlace = (usize, usize);

/// Shell form or exec form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandForm {
    /// `RUN command`: the stage's shell runs it.
    Shell,
    /// `RUN ["program", "argument"]`.
    Exec,
}

/// One `--name=value` of a `RUN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFlag {
    /// The name, in lower case, without dashes.
    pub name: String,
    /// The value with its quotes removed; empty when there is none.
    pub value: String,
    /// The value as written.
    pub written: String,
    /// Where the whole flag stands.
    pub span: Span,
}

impl Dockerfile {
    /// Returns the text it was read from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Reads a Dockerfile.
    ///
    /// # Errors
    /// The first thing `BuildKit` would refuse in the parts that are read, with its line.
    pub fn parse(source: &Source) -> Result<Self, DockerfileError> {
        let lines = lines::read(source)?;
        let mut stages: Vec<Stage> = Vec::new();
        for (at, found) in lines.instructions.iter().enumerate() {
            let error = |problem| DockerfileError::in_span(source, found.span, problem);
            if !INSTRUCTIONS.contains(&found.keyword.as_str()) {
                let word = found.keyword.chars().take(60).collect();
                return Err(error(DockerfileProblem::UnknownInstruction(word)));
            }
            if found.keyword == "FROM" {
                let (image, name) =
                    from(&found.args.text, lines.escape).ok_or_else(|| error(DockerfileProblem::From))?;
                let index = stages.len();
                stages.push(Stage { index, name, image, runs: Vec::new(), span: found.span, range: (at, at + 1) });
                continue;
            }
            let Some(stage) = stages.last_mut() else {
                if found.keyword == "ARG" {
                    continue;
                }
                return Err(error(DockerfileProblem::BeforeFrom));
            };
            stage.range.1 = at + 1;
            match found.keyword.as_str() {
                "RUN" => {
                    let run = run(source, found, at, stage.runs.len(), lines.escape)?;
                    stage.runs.push(run);
                }
                "SHELL" if json_words(&found.args.text).is_none_or(|words| words.is_empty()) => {
                    return Err(error(DockerfileProblem::Shell));
                }
                _ => {}
            }
        }
        if stages.is_empty() {
            return Err(DockerfileError::at(source, 0, DockerfileProblem::NoStage));
        }
        let lines::Lines { syntax, escape, instructions } = lines;
        Ok(Self { syntax, escape, stages, instructions, source: source.clone() })
    }

    /// Returns the text at a span of this file.
    pub fn text_at(&self, span: Span) -> &str {
        self.source.text.get(span.start..span.end).unwrap_or("")
    }

    /// Returns the instructions of a stage, its `FROM` left out.
    pub(super) fn body(&self, stage: &Stage) -> &[Instruction] {
        &self.instructions[stage.range.0 + 1..stage.range.1]
    }
}

impl RunInstruction {
    /// Returns the command and the here-documents as one text to search in.
    pub fn text(&self) -> String {
        let mut text = self.command.clone();
        for heredoc in &self.heredocs {
            text.push('\n');
            text.push_str(heredoc);
        }
        text
    }
}

fn from(args: &str, escape: char) -> Option<(String, Option<String>)> {
    let (_, rest) = flags(args, escape);
    let words: Vec<&str> = args[rest..].split_whitespace().collect();
    match words.as_slice() {
        [image] => Some(((*image).to_owned(), None)),
        [image, keyword, name] if keyword.eq_ignore_ascii_case("as") => {
            Some(((*image).to_owned(), Some(name.to_ascii_lowercase())))
        }
        _ => None,
    }
}

fn run(
    source: &Source,
    found: &Instruction,
    at: usize,
    index: usize,
    escape: char,
) -> Result<RunInstruction, DockerfileError> {
    let (flags, rest) = flags(&found.args.text, escape);
    let mut run_flags = Vec::with_capacity(flags.len());
    for flag in flags {
        let span = found.args.span(flag.start, flag.end);
        let (name, value) = flag.text.trim_start_matches("--").split_once('=').unwrap_or((&flag.text[2..], ""));
        let name = name.to_ascii_lowercase();
        if !matches!(name.as_str(), "mount" | "network" | "security" | "device") {
            return Err(DockerfileError::in_span(source, span, DockerfileProblem::UnknownFlag(format!("--{name}"))));
        }
        let written = &found.args.text[flag.start..flag.end];
        let written = written.split_once('=').map_or("", |(_, value)| value).to_owned();
        run_flags.push(RunFlag { name, value: value.to_owned(), written, span });
    }
    let command = found.args.text[rest..].trim().to_owned();
    if command.is_empty() {
        return Err(DockerfileError::in_span(source, found.span, DockerfileProblem::RunWithoutCommand));
    }
    let form = if json_words(&command).is_some() { CommandForm::Exec } else { CommandForm::Shell };
    let heredocs = found.heredocs.iter().map(|at| source.text[at.start..at.end].to_owned()).collect();
    Ok(RunInstruction { index, flags: run_flags, command, heredocs, form, span: found.span, instruction: at })
}

/// Reads the `name=value` pairs of an `ENV`, or its old form `ENV name value`; values keep quotes and variables.
pub(super) fn pairs(args: &str, escape: char) -> Vec<(String, String)> {
    let words = words::split(args, escape);
    if words.first().is_some_and(|first| !first.contains('=')) {
        let mut halves = args.trim().splitn(2, char::is_whitespace);
        let name = halves.next().unwrap_or("").to_owned();
        return vec![(name, halves.next().unwrap_or("").trim_start().to_owned())];
    }
    words.iter().filter_map(|word| word.split_once('=')).map(|(name, value)| (name.into(), value.into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Dockerfile, DockerfileError> {
        Dockerfile::parse(&Source::new("Dockerfile", text))
    }

    #[test]
    fn stages_and_runs_are_numbered_within_their_file() {
        let file = parse(
            "ARG V=1\nFROM --platform=$BUILDPLATFORM golang:$V AS Build\nRUN a\nONBUILD RUN never\nRUN [\"b\", \"c\"]\n\
             FROM scratch\nCOPY --from=build /a /a\n",
        )
        .unwrap();
        assert_eq!(file.stages.len(), 2);
        let build = &file.stages[0];
        assert_eq!((build.name.as_deref(), build.image.as_str()), (Some("build"), "golang:$V"));
        let forms: Vec<_> = build.runs.iter().map(|run| (run.index, run.form)).collect();
        assert_eq!(forms, [(0, CommandForm::Shell), (1, CommandForm::Exec)]);
    }

    #[test]
    fn run_flags_lose_their_quotes_and_keep_their_place() {
        let text = "FROM a\nRUN --mount=type=cache,target=\"/q 3\" \\\n    --network=none go build \"--x\"\n";
        let file = parse(text).unwrap();
        let run = &file.stages[0].runs[0];
        assert_eq!(run.flags[0].value, "type=cache,target=/q 3");
        assert_eq!(run.flags[0].written, "type=cache,target=\"/q 3\"");
        assert_eq!(&text[run.flags[1].span.start..run.flags[1].span.end], "--network=none");
        assert_eq!(run.command, "go build \"--x\"");
    }

    #[test]
    fn what_does_not_parse_is_named_with_its_line() {
        for (text, said) in [
            ("", "D:1: file with no instructions: (empty)"),
            ("# only\n", "D:2: file with no instructions: (empty)"),
            ("ARG a\n", "D:1: no FROM instruction: ARG a"),
            ("RUN a\nFROM b\n", "D:1: no build stage in current context: RUN a"),
            ("FROM a\nGO build\n", "D:2: unknown instruction GO: GO build"),
            ("FROM a b\n", "D:1: FROM requires either one or three arguments: FROM a b"),
            ("FROM a\nRUN\n", "D:2: RUN without a command: RUN"),
            ("FROM a\nRUN --mont=type=cache x\n", "D:2: unknown flag --mont: RUN --mont=type=cache x"),
            ("FROM a\nSHELL sh\n", "D:2: SHELL requires the arguments to be in JSON form: SHELL sh"),
            ("# escape=x\nFROM a\n", "D:1: invalid escape token x: # escape=x"),
        ] {
            assert_eq!(Dockerfile::parse(&Source::new("D", text)).unwrap_err().to_string(), said);
        }
    }

    #[test]
    fn what_newer_frontends_know_is_read_and_what_they_refuse_is_refused() {
        let text = "# syntax=docker/dockerfile:1.7-labs\nARG BASE=golang\nFROM --platform=$BUILDPLATFORM ${BASE}:1 AS build\n\
                    COPY --link --from=ctx --parents a b ./\nADD --checksum=sha256:0 https://example.org/x /x\n\
                    ONBUILD RUN --mount=type=cache,target=/c go build\nCOPY <<-\"EOF\" <<B /etc/\n\tRUN x\n\tEOF\nRUN y\nB\n\
                    RUN --mount=type=secret,id=t,env=T --mount=type=ssh --security=sandbox <<EOF\ngo build ./a\nEOF\n\
                    RUN go build ./b\nHEALTHCHECK NONE\n";
        let file = parse(text).unwrap();
        assert_eq!(file.syntax.as_ref().map(|syntax| syntax.value.as_str()), Some("docker/dockerfile:1.7-labs"));
        let runs: Vec<String> = file.stages[0].runs.iter().map(RunInstruction::text).collect();
        assert_eq!(runs, ["<<EOF\ngo build ./a\n", "go build ./b"]);
        for (text, said) in [
            (
                "FROM a\nRUN --mount=type=disk,target=/c x\n",
                "D:2: unsupported mount type \"disk\": RUN --mount=type=disk,target=/c x",
            ),
            (
                "FROM a\n\nRUN \\\n --mount=type=cache,target=/c,shared=x y\n",
                "D:4: unexpected key 'shared' in 'shared=x': --mount=type=cache,target=/c,shared=x y",
            ),
            (
                "FROM a\nRUN --mount=type=cache,target=/c,id=${A x\n",
                "D:2: syntax error: missing '}': RUN --mount=type=cache,target=/c,id=${A x",
            ),
            ("FROM ${A\n", "D:1: syntax error: missing '}': FROM ${A"),
            ("FROM a\nCOPY <<EOF /x\nRUN y\n", "D:2: unterminated here-document EOF: COPY <<EOF /x"),
        ] {
            let file = Dockerfile::parse(&Source::new("D", text));
            let error = file.and_then(|file| file.cache_mounts(&std::collections::BTreeMap::new())).unwrap_err();
            assert_eq!(error.to_string(), said);
        }
    }

    #[test]
    fn environment_pairs_come_in_both_forms() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(pairs("a=1 b=\"x y\"", '\\'), [pair("a", "1"), pair("b", "\"x y\"")]);
        assert_eq!(pairs("a  x y=z", '\\'), [pair("a", "x y=z")]);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "(FROM a\n)?(.{0,30}\n?){0,6}|[FROMUN<E \\\\\n\"'\\[\\]#=-]{0,60}") {
            if let Ok(file) = parse(&text) {
                let runs = file.stages.iter().flat_map(|stage| &stage.runs);
                let flags = runs.clone().flat_map(|run| &run.flags).map(|flag| flag.span);
                let spans = file.stages.iter().map(|stage| stage.span).chain(runs.map(|run| run.span)).chain(flags);
                for span in spans.chain(file.syntax.iter().map(|syntax| syntax.span)) {
                    prop_assert!(text.get(span.start..span.end).is_some_and(|found| !found.is_empty()), "{:?}", span);
                }
            }
        }
    }
}
