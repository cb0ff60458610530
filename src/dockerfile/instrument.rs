//! The instrumented copy of a Dockerfile. [`instrument`] is principal.
//!
//! Only whole lines are inserted, and `SHELL` lines get a prefix; every `RUN` of the person's own stays byte for byte.

use std::collections::BTreeMap;

use super::error::DockerfileError;
use super::json::json_words;
use super::measure::{self, AFTER_MARKER, BEFORE_MARKER, RunPlace, StagePlan};
use super::parse::{CommandForm, Dockerfile};
use super::scope::CacheMount;

/// The build argument that keeps the layers of one runner from another.
pub const RUNNER_ARG: &str = "VBC_RUNNER";

/// What to put into the copy.
#[derive(Debug, Clone, Default)]
pub struct InstrumentOptions {
    /// Declare [`RUNNER_ARG`] in every stage, so that its value busts the layer cache.
    pub runner_arg: bool,
    /// Make this text part of every shell-form `RUN`'s process arguments; the engine quotes it in its mount records.
    /// Changes the shell of a shell-form `CMD` or `ENTRYPOINT` too, so it is for copies that are never shipped.
    pub shell_marker: Option<String>,
    /// Print the sizes of the cache mounts before and after the build.
    pub measure: bool,
    /// The build arguments the copy will be built with.
    pub build_args: BTreeMap<String, String>,
}

/// A changed copy of a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrumented {
    /// The whole text.
    pub text: String,
    /// What was changed, in file order, and what could not be done.
    pub changes: Vec<Change>,
}

/// One change, or one thing left undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it is.
    pub kind: ChangeKind,
    /// The stage it concerns, from 0.
    pub stage: usize,
    /// The line of the original in front of which the text stands, from 1.
    pub line: usize,
    /// The text put in; empty when nothing was.
    pub text: String,
}

/// The kinds of change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// [`RUNNER_ARG`] was declared.
    RunnerArg,
    /// The shell was given the marker.
    ShellMarked,
    /// The shell could not be given the marker.
    ShellLeft,
    /// A step prints the sizes of these targets before the build.
    Before(Vec<String>),
    /// A step prints the sizes of these targets after the build.
    After(Vec<String>),
    /// The stage prints sizes around its build already.
    AlreadyMeasured,
    /// The stage was not measured; the reason.
    NotInstrumented(&'static str),
}

struct TextEdit {
    at: usize,
    until: usize,
    change: Change,
}

/// Makes the instrumented copy.
///
/// # Errors
/// A cache mount or variable that `BuildKit` would refuse.
pub fn instrument(file: &Dockerfile, options: &InstrumentOptions) -> Result<Instrumented, DockerfileError> {
    let mut edits = Vec::new();
    let mut notes = Vec::new();
    if options.runner_arg {
        for stage in &file.stages {
            edits.push(after_from(file, stage.index, ChangeKind::RunnerArg, format!("ARG {RUNNER_ARG}\n")));
        }
    }
    if let Some(marker) = &options.shell_marker {
        shells(file, marker, options, &mut edits, &mut notes)?;
    }
    if options.measure {
        measurements(file, options, &mut edits, &mut notes)?;
    }
    // Nothing can be put behind a continuation that never ends; what stands there has nothing after it to be changed.
    if file.instructions.last().is_some_and(|last| last.open) {
        edits.retain(|edit| edit.at < file.source.text.len());
    }
    // A stable sort: what is inserted at one place stays in the order it was made.
    edits.sort_by_key(|edit| edit.at);
    let source = &file.source.text;
    let mut text = String::with_capacity(source.len() + 1024);
    let mut copied = 0;
    let mut changes = Vec::new();
    for edit in edits {
        text.push_str(&source[copied..edit.at]);
        if edit.until == edit.at && !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&edit.change.text);
        copied = edit.until;
        changes.push(edit.change);
    }
    text.push_str(&source[copied..]);
    changes.extend(notes);
    Ok(Instrumented { text, changes })
}

fn edit(file: &Dockerfile, (at, until): (usize, usize), stage: usize, kind: ChangeKind, text: String) -> TextEdit {
    let line = file.source.place(at).line;
    TextEdit { at, until, change: Change { kind, stage, line, text } }
}

fn after_from(file: &Dockerfile, stage: usize, kind: ChangeKind, text: String) -> TextEdit {
    let at = file.instructions[file.stages[stage].range.0].after;
    edit(file, (at, at), stage, kind, text)
}

fn marked(shell: &[String], marker: &str) -> String {
    let assignment = format!("{RUNNER_ARG}={marker}");
    let words: Vec<&str> = ["/usr/bin/env", &assignment].into_iter().chain(shell.iter().map(String::as_str)).collect();
    serde_json::to_string(&words).unwrap_or_default()
}

fn shells(
    file: &Dockerfile,
    marker: &str,
    options: &InstrumentOptions,
    edits: &mut Vec<TextEdit>,
    notes: &mut Vec<Change>,
) -> Result<(), DockerfileError> {
    let bases = file.base_stages(&options.build_args)?;
    let mut left: Vec<Vec<String>> = Vec::with_capacity(file.stages.len());
    for (stage, base) in file.stages.iter().zip(bases) {
        let mut shell = match base {
            Some(base) => left[base].clone(),
            None => measure::default_shell(&file.base_image(stage.index, &options.build_args)?),
        };
        if stage.runs.iter().any(|run| run.form == CommandForm::Shell) {
            if measure::is_posix(&shell) {
                let text = format!("SHELL {}\n", marked(&shell, marker));
                edits.push(after_from(file, stage.index, ChangeKind::ShellMarked, text));
            } else {
                let line = file.source.place(stage.span.start).line;
                let kind = ChangeKind::ShellLeft;
                notes.push(Change { kind, stage: stage.index, line, text: String::new() });
            }
        }
        for instruction in file.body(stage).iter().filter(|instruction| instruction.keyword == "SHELL") {
            shell = json_words(&instruction.args.text).unwrap_or_default();
            if measure::is_posix(&shell) {
                let place = instruction.args.span(0, instruction.args.text.len());
                let kind = ChangeKind::ShellMarked;
                edits.push(edit(file, (place.start, place.end), stage.index, kind, marked(&shell, marker)));
            }
        }
        left.push(shell);
    }
    Ok(())
}

fn measurements(
    file: &Dockerfile,
    options: &InstrumentOptions,
    edits: &mut Vec<TextEdit>,
    notes: &mut Vec<Change>,
) -> Result<(), DockerfileError> {
    let plans = measure::plan(file, &options.build_args)?;
    let note = |stage: usize, kind| {
        let line = file.source.place(file.stages[stage].span.start).line;
        Change { kind, stage, line, text: String::new() }
    };
    if plans.is_empty() {
        notes.push(note(0, ChangeKind::NotInstrumented("no RUN with a Go cache mount")));
    }
    // Two stages may build on one stage that mounts first: one step there prints for both.
    let mut before: BTreeMap<RunPlace, Vec<CacheMount>> = BTreeMap::new();
    for plan in plans {
        match plan {
            StagePlan::Already { stage } => notes.push(note(stage, ChangeKind::AlreadyMeasured)),
            StagePlan::Not { stage, reason } => notes.push(note(stage, ChangeKind::NotInstrumented(reason))),
            StagePlan::Measure { before: first, after: last, mounts } => {
                for (place, found) in first {
                    let shared = before.entry(place).or_default();
                    for mount in found {
                        if shared.iter().all(|other| other.options.target != mount.options.target) {
                            shared.push(mount);
                        }
                    }
                }
                let instruction = &file.instructions[file.stages[last.0].runs[last.1].instruction];
                if instruction.open {
                    notes.push(note(last.0, ChangeKind::NotInstrumented("the file ends in a line continuation")));
                } else if let Some(text) = measure::step(file, AFTER_MARKER, last, &mounts) {
                    let at = instruction.after;
                    edits.push(edit(file, (at, at), last.0, ChangeKind::After(targets(&mounts)), text));
                }
            }
        }
    }
    for (place, mounts) in before {
        if let Some(text) = measure::step(file, BEFORE_MARKER, place, &mounts) {
            let at = file.instructions[file.stages[place.0].runs[place.1].instruction].line_start;
            edits.push(edit(file, (at, at), place.0, ChangeKind::Before(targets(&mounts)), text));
        }
    }
    Ok(())
}

fn targets(mounts: &[CacheMount]) -> Vec<String> {
    mounts.iter().map(|mount| mount.options.target.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;
    use proptest::prelude::*;

    fn parse(text: &str) -> Dockerfile {
        Dockerfile::parse(&Source::new("Dockerfile", text)).unwrap()
    }

    fn everything() -> InstrumentOptions {
        InstrumentOptions {
            runner_arg: true,
            shell_marker: Some("run-1".into()),
            measure: true,
            build_args: BTreeMap::new(),
        }
    }

    fn measured(text: &str) -> Instrumented {
        let options = InstrumentOptions { measure: true, ..InstrumentOptions::default() };
        instrument(&parse(text), &options).unwrap()
    }

    const TWO_STAGES: &str = "# syntax=docker/dockerfile:1
ARG GO=1.25
FROM golang:${GO} AS deps
WORKDIR /src
COPY go.mod go.sum ./
# modules first
RUN --mount=type=cache,id=go-mod,target=/go/pkg/mod go mod download

FROM deps AS build
COPY . .
RUN --mount=type=cache,id=go-mod,target=/go/pkg/mod \\
    --mount=type=cache,target=/root/.cache/go-build,sharing=locked \\
    go build -o /out/app ./cmd/app
RUN /out/app --version

FROM scratch
COPY --from=build /out/app /app
";

    #[test]
    fn the_copy_measures_around_the_first_and_last_use_of_the_mounts() {
        let copy = instrument(&parse(TWO_STAGES), &everything()).unwrap();
        insta::assert_snapshot!(copy.text, @r##"
        # syntax=docker/dockerfile:1
        ARG GO=1.25
        FROM golang:${GO} AS deps
        ARG VBC_RUNNER
        SHELL ["/usr/bin/env","VBC_RUNNER=run-1","/bin/sh","-c"]
        WORKDIR /src
        COPY go.mod go.sum ./
        # modules first
        RUN --mount=type=cache,id=go-mod,target=/go/pkg/mod \
            echo "=== BEFORE ==="; for cache in /go/pkg/mod; do du -sh "$cache" 2>/dev/null || true; done
        RUN --mount=type=cache,id=go-mod,target=/go/pkg/mod go mod download

        FROM deps AS build
        ARG VBC_RUNNER
        SHELL ["/usr/bin/env","VBC_RUNNER=run-1","/bin/sh","-c"]
        COPY . .
        RUN --mount=type=cache,id=go-mod,target=/go/pkg/mod \
            --mount=type=cache,target=/root/.cache/go-build,sharing=locked \
            echo "=== BEFORE ==="; for cache in /go/pkg/mod /root/.cache/go-build; do du -sh "$cache" 2>/dev/null || true; done
        RUN --mount=type=cache,id=go-mod,target=/go/pkg/mod \
            --mount=type=cache,target=/root/.cache/go-build,sharing=locked \
            go build -o /out/app ./cmd/app
        RUN --mount=type=cache,id=go-mod,target=/go/pkg/mod \
            --mount=type=cache,target=/root/.cache/go-build,sharing=locked \
            echo "=== AFTER ==="; for cache in /go/pkg/mod /root/.cache/go-build; do du -sh "$cache" 2>/dev/null || true; done
        RUN /out/app --version

        FROM scratch
        ARG VBC_RUNNER
        COPY --from=build /out/app /app
        "##);
        let kinds: Vec<_> = copy.changes.iter().map(|change| format!("{} {:?}", change.line, change.kind)).collect();
        insta::assert_snapshot!(kinds.join("\n"), @r##"
        4 RunnerArg
        4 ShellMarked
        7 Before(["/go/pkg/mod"])
        10 RunnerArg
        10 ShellMarked
        11 Before(["/go/pkg/mod", "/root/.cache/go-build"])
        14 After(["/go/pkg/mod", "/root/.cache/go-build"])
        17 RunnerArg
        "##);
    }

    #[test]
    fn a_dockerfile_that_prints_sizes_itself_is_not_measured_again() {
        let copy = measured(
            "FROM x\nRUN --mount=type=cache,target=/c echo BEFORE && du -sh /c && go build && echo AFTER && du -sh /c\n",
        );
        assert_eq!(copy.changes[0].kind, ChangeKind::AlreadyMeasured);
        let separate =
            "FROM x\nRUN --mount=type=cache,target=/c du -sh /c\nRUN --mount=type=cache,target=/c go build\n";
        assert!(matches!(measured(separate).changes[0].kind, ChangeKind::Before(_)));
        let separate = format!("{separate}RUN --mount=type=cache,target=/c du -s /c\n");
        assert_eq!(measured(&separate).changes[0].kind, ChangeKind::AlreadyMeasured);
    }

    #[test]
    fn measuring_twice_changes_nothing_more() {
        let once = measured(TWO_STAGES);
        assert_eq!(measured(&once.text).text, once.text);
    }

    #[test]
    fn a_person_can_read_what_was_put_in() {
        let copy = measured("FROM golang\nARG ID=a\nRUN --mount=type=cache,target=$GOPATH/pkg/mod,id=$ID go build");
        insta::assert_snapshot!(copy.text, @r##"
        FROM golang
        ARG ID=a
        RUN --mount=type=cache,target=$GOPATH/pkg/mod,id=$ID \
            echo "=== BEFORE ==="; for cache in /go/pkg/mod; do du -sh "$cache" 2>/dev/null || true; done
        RUN --mount=type=cache,target=$GOPATH/pkg/mod,id=$ID go build
        RUN --mount=type=cache,target=$GOPATH/pkg/mod,id=$ID \
            echo "=== AFTER ==="; for cache in /go/pkg/mod; do du -sh "$cache" 2>/dev/null || true; done
        "##);
    }

    #[test]
    fn a_mount_with_a_variable_is_measured_where_the_variable_is_known() {
        let copy = measured(
            "FROM golang\nRUN --mount=type=cache,target=/go/pkg/mod go mod download\nARG ID=a\n\
             RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/c,id=b-$ID go build\n",
        );
        insta::assert_snapshot!(copy.text, @r##"
        FROM golang
        RUN --mount=type=cache,target=/go/pkg/mod \
            echo "=== BEFORE ==="; for cache in /go/pkg/mod; do du -sh "$cache" 2>/dev/null || true; done
        RUN --mount=type=cache,target=/go/pkg/mod go mod download
        ARG ID=a
        RUN --mount=type=cache,target=/go/pkg/mod \
            --mount=type=cache,target=/c,id=b-$ID \
            echo "=== BEFORE ==="; for cache in /go/pkg/mod /c; do du -sh "$cache" 2>/dev/null || true; done
        RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/c,id=b-$ID go build
        RUN --mount=type=cache,target=/go/pkg/mod \
            --mount=type=cache,target=/c,id=b-$ID \
            echo "=== AFTER ==="; for cache in /go/pkg/mod /c; do du -sh "$cache" 2>/dev/null || true; done
        "##);
    }

    #[test]
    fn a_tool_that_another_stage_installs_does_not_stand_for_the_build() {
        let build = "FROM golang AS build\nCOPY --from=tools /go/bin /bin/\n\
                     RUN --mount=type=cache,target=/root/.cache/go-build make build\n";
        for tools in [
            "RUN --mount=type=cache,target=/root/.cache go install gotest.tools/gotestsum@latest",
            "RUN --mount=type=cache,target=/go/pkg/mod go build -o /bin/lint example.org/lint",
        ] {
            let copy = measured(&format!("FROM golang AS tools\n{tools}\n{build}"));
            let measured = |change: &Change| matches!(change.kind, ChangeKind::Before(_)) && change.stage == 1;
            assert!(copy.changes.iter().any(measured), "{tools}: {}", copy.text);
        }
    }

    #[test]
    fn an_argument_that_only_a_later_stage_declares_keeps_its_mounts_apart() {
        let mount = "RUN --mount=type=cache,target=/root/.cache/go-build,id=b-${TARGETPLATFORM}";
        let copy = measured(&format!(
            "FROM golang AS deps\n{mount} go vet ./...\nFROM deps\nARG TARGETPLATFORM\n{mount} go build ./...\n"
        ));
        let places: Vec<usize> = copy.changes.iter().map(|change| change.line).collect();
        assert_eq!(places, [5, 6], "{}", copy.text);
    }

    #[test]
    fn the_escape_character_says_nothing_of_the_shell() {
        let run = "RUN --mount=type=cache,target=/go/pkg/mod go build";
        let copy = measured(&format!("# escape=`\nFROM golang:alpine\n{run}\n"));
        assert!(copy.text.contains("target=/go/pkg/mod `\n    echo"), "{}", copy.text);
        let copy = measured(&format!("# escape=`\nFROM golang:1.26-nanoserver\n{run}\n"));
        assert!(matches!(copy.changes[0].kind, ChangeKind::NotInstrumented(_)));
    }

    #[test]
    fn what_cannot_be_measured_says_why() {
        for (text, said) in [
            ("FROM x\nRUN true\n", "no RUN with a Go cache mount"),
            (
                "FROM x\nRUN --mount=type=cache,target=/c [\"go\", \"build\"]\n",
                "every RUN is in exec form, so the stage may have no shell",
            ),
            (
                "FROM x\nSHELL [\"pwsh\", \"-Command\"]\nRUN --mount=type=cache,target=/c go build\n",
                "its SHELL is not a POSIX shell",
            ),
        ] {
            let copy = measured(text);
            assert_eq!(copy.text, text);
            assert_eq!(copy.changes[0].kind, ChangeKind::NotInstrumented(said));
        }
    }

    #[test]
    fn a_shell_of_the_persons_own_keeps_its_words_behind_the_marker() {
        let text = "FROM x AS a\nSHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]\nRUN a\nFROM a\nRUN b\n\
                    FROM y\nSHELL [\"powershell\"]\nRUN c\n";
        let options = InstrumentOptions { shell_marker: Some("m".into()), ..InstrumentOptions::default() };
        insta::assert_snapshot!(instrument(&parse(text), &options).unwrap().text, @r##"
        FROM x AS a
        SHELL ["/usr/bin/env","VBC_RUNNER=m","/bin/sh","-c"]
        SHELL ["/usr/bin/env","VBC_RUNNER=m","/bin/bash","-o","pipefail","-c"]
        RUN a
        FROM a
        SHELL ["/usr/bin/env","VBC_RUNNER=m","/bin/bash","-o","pipefail","-c"]
        RUN b
        FROM y
        SHELL ["/usr/bin/env","VBC_RUNNER=m","/bin/sh","-c"]
        SHELL ["powershell"]
        RUN c
        "##);
    }

    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("FROM golang AS a\n"),
            Just("FROM a AS b\r\n"),
            Just("FROM a"),
            Just("RUN --mount=type=cache,target=/go/pkg/mod go mod download\n"),
            Just("RUN --mount=type=cache,target=/c,id=$X \\\n # why\n  go build \\\n\n  ./...\n"),
            Just("RUN --mount=type=cache,target=\"/q r\" <<EOF\nFROM x\ngo build\nEOF\n"),
            Just("RUN [\"go\", \"build\"]\n"),
            Just("SHELL [\"/bin/bash\", \"-c\"]\n"),
            Just("SHELL [\"sh\", \\\n \"-c\"]\n"),
            Just("ENV X=1 Y=\"2 3\"\n"),
            Just("ARG X=y\n"),
            Just("  # comment\n"),
            Just("\n"),
            Just("RUN du -sh /c; go build; du -sh /c\n"),
            Just("USER 1000\n"),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| format!("FROM golang\n{}", pieces.concat()))
    }

    /// Checks that a copy of whatever parses parses again and has the same stages and `RUN`s.
    fn keeps_everything(text: &str) -> Result<(), TestCaseError> {
        let Ok(file) = Dockerfile::parse(&Source::new("Dockerfile", text)) else { return Ok(()) };
        let Ok(copy) = instrument(&file, &everything()) else { return Ok(()) };
        let again = parse(&copy.text);
        prop_assert_eq!(file.stages.len(), again.stages.len());
        for (stage, new) in file.stages.iter().zip(&again.stages) {
            prop_assert_eq!(&stage.image, &new.image);
            prop_assert_eq!(&stage.name, &new.name);
            let mut runs = new.runs.iter().map(|run| &copy.text[run.span.start..run.span.end]);
            for run in &stage.runs {
                let own = &text[run.span.start..run.span.end];
                prop_assert!(runs.any(|new| new == own), "lost {:?} in {}", own, copy.text);
            }
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn the_copy_parses_and_keeps_every_stage_and_run(text in pieces()) {
            keeps_everything(&text)?;
        }

        #[test]
        fn a_damaged_dockerfile_is_refused_or_kept(
            cut in 0..TWO_STAGES.len(),
            drop in 0..20_usize,
            twice in 0..20_usize,
            noise in "[ \\\\\n\"'$<{}A-Z#=-]{0,4}",
            at in 0..TWO_STAGES.len(),
        ) {
            let mut text = String::new();
            for (number, line) in TWO_STAGES[..cut].split_inclusive('\n').enumerate() {
                let times = if number == drop { 0 } else if number == twice { 2 } else { 1 };
                text.push_str(&line.repeat(times));
            }
            text.insert_str(at.min(text.len()), &noise);
            keeps_everything(&text)?;
        }
    }
}
