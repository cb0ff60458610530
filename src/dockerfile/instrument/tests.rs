//! Instrumented copies, and what may not change in them.

use super::super::parse::Dockerfile;
use super::*;
use crate::dockerfile::ProofStep;
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

/// The text of a copy, with a word in the place of each script of proof lines.
fn shape(copy: &Instrumented) -> String {
    let file = parse(&copy.text);
    let mut text = copy.text.clone();
    for step in file.stages.iter().flat_map(|stage| &stage.runs).filter_map(|run| ProofStep::read(&run.text())) {
        let moment = if step.after { "AFTER" } else { "BEFORE" };
        let script = step.script(&format!(" {}\n    ", file.escape));
        text = text.replace(&script, &format!("{moment} {}", step.targets.join(" ")));
    }
    let about = |line: &&str| !line.starts_with("# What Go ");
    text.lines().filter(about).map(|line| format!("{line}\n")).collect()
}

const SECRET: &str = "--mount=type=secret,id=vbc_run,target=/dev/.vbc-run,mode=0444";

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
    insta::assert_snapshot!(shape(&copy).replace(SECRET, "SECRET"), @r##"
    # syntax=docker/dockerfile:1
    ARG GO=1.25
    FROM golang:${GO} AS deps
    ARG VBC_RUNNER
    SHELL ["/usr/bin/env","VBC_RUNNER=run-1","/bin/sh","-c"]
    WORKDIR /src
    COPY go.mod go.sum ./
    # modules first
    RUN --mount=type=cache,id=go-mod,target=/go/pkg/mod \
        BEFORE /go/pkg/mod
    RUN --mount=type=cache,id=go-mod,target=/go/pkg/mod go mod download

    FROM deps AS build
    ARG VBC_RUNNER
    SHELL ["/usr/bin/env","VBC_RUNNER=run-1","/bin/sh","-c"]
    COPY . .
    RUN --mount=type=cache,id=go-mod,target=/go/pkg/mod \
        --mount=type=cache,target=/root/.cache/go-build,sharing=locked \
        BEFORE /go/pkg/mod /root/.cache/go-build
    RUN --mount=type=cache,id=go-mod,target=/go/pkg/mod \
        --mount=type=cache,target=/root/.cache/go-build,sharing=locked \
        go build -o /out/app ./cmd/app
    RUN --mount=type=cache,id=go-mod,target=/go/pkg/mod \
        --mount=type=cache,target=/root/.cache/go-build,sharing=locked \
        SECRET \
        AFTER /go/pkg/mod /root/.cache/go-build
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
fn sizes_that_a_dockerfile_prints_itself_are_no_proof_lines() {
    let own =
        "FROM x\nRUN --mount=type=cache,target=/c echo BEFORE && du -sh /c && go build && echo AFTER && du -sh /c\n";
    assert!(matches!(measured(own).changes[0].kind, ChangeKind::Before(_)));
}

#[test]
fn a_build_that_was_added_later_is_not_measured_by_lines_around_another() {
    let once = measured("FROM golang\nRUN --mount=type=cache,target=/c,id=a go build ./a\n").text;
    let copy = measured(&format!("{once}RUN --mount=type=cache,target=/c,id=a go build ./b\n"));
    assert!(matches!(copy.changes[..], [Change { kind: ChangeKind::NotInstrumented(_), .. }]), "{:?}", copy.changes);
    assert_eq!(measured(&once).changes[0].kind, ChangeKind::AlreadyMeasured);
}

#[test]
fn measuring_twice_changes_nothing_more() {
    let once = measured(TWO_STAGES);
    assert_eq!(measured(&once.text).text, once.text);
}

#[test]
fn what_was_put_in_is_written_line_by_line() {
    let copy = measured("FROM golang\nARG ID=a\nRUN --mount=type=cache,target=$GOPATH/pkg/mod,id=$ID go build");
    insta::assert_snapshot!(copy.text, @r##"
    FROM golang
    ARG ID=a
    # What Go finds before the build in its caches (verify-buildkit-cache, proof lines v1).
    RUN --mount=type=cache,target=$GOPATH/pkg/mod,id=$ID \
        exec 2>/dev/null; set +eu; echo "=== BEFORE ==="; \
        q() { case "$1" in ""|*[!-A-Za-z0-9/._:,@+]*) echo unknown;; *) echo "$1";; esac; }; \
        e() { cd / && GOTOOLCHAIN=local TEST_TELEMETRY_DIR=/dev/null/x go env "$1"; }; \
        read -r up x </proc/uptime; echo "vbc-proof v1 before step at=$(q "$(date +%s)") up=$(q "$up") user=$(q "$(id -u)") group=$(q "$(id -g)") gomodcache=$(q "$(e GOMODCACHE)") gocache=$(q "$(e GOCACHE)") end"; \
        for m in /go/pkg/mod; \
        do du -sh "$m"; w=unknown; command -v rm >/dev/null && { w=no; (: >"$m/.vbc-write") && rm -f "$m/.vbc-write" && w=yes; }; \
        k=$(du -sk "$m") || k=unknown; set -- $(echo "$k"); k=$1; f=unknown; \
        [ "$k" != unknown ] && command -v find >/dev/null && command -v wc >/dev/null && f=$(find "$m" -type f ! -name .vbc-mark ! -name buildstamp | wc -l); \
        s=none; t=none; [ -x "$m" ] || s=unknown; if [ -e "$m/buildstamp" ]; then s=; read -r s <"$m/buildstamp"; t=$(date -r "$m/buildstamp" +%s); fi; \
        i=none; r=none; a=none; b=none; c=none; o=none; [ -x "$m" ] || i=unknown; if [ -e "$m/.vbc-mark" ]; then i=; read -r y i r a b c o <"$m/.vbc-mark"; [ "$y" = v1 ] || i=unknown; fi; \
        echo "vbc-proof v1 before mount=$(q "$m") kib=$(q "$k") files=$(q $f) write=$w stamp=$(q "$s") stamped=$(q "$t") mark=$(q "$i") mark-run=$(q "$r") mark-at=$(q "$a") mark-kib=$(q "$b") mark-files=$(q "$c") mark-mount=$(q "$o") end"; done; true
    RUN --mount=type=cache,target=$GOPATH/pkg/mod,id=$ID go build
    # What Go leaves after the build in its caches (verify-buildkit-cache, proof lines v1).
    RUN --mount=type=cache,target=$GOPATH/pkg/mod,id=$ID \
        --mount=type=secret,id=vbc_run,target=/dev/.vbc-run,mode=0444 \
        exec 2>/dev/null; set +eu; echo "=== AFTER ==="; \
        q() { case "$1" in ""|*[!-A-Za-z0-9/._:,@+]*) echo unknown;; *) echo "$1";; esac; }; \
        e() { cd / && GOTOOLCHAIN=local TEST_TELEMETRY_DIR=/dev/null/x go env "$1"; }; \
        read -r up x </proc/uptime; echo "vbc-proof v1 after step at=$(q "$(date +%s)") up=$(q "$up") user=$(q "$(id -u)") group=$(q "$(id -g)") gomodcache=$(q "$(e GOMODCACHE)") gocache=$(q "$(e GOCACHE)") end"; \
        read -r i </proc/sys/kernel/random/uuid; r=; eval 'r=$VBC_RUNNER'; read -r r </dev/.vbc-run; r=$(q "$r"); a=$(q "$(date +%s)"); \
        for m in /go/pkg/mod; \
        do du -sh "$m"; w=unknown; command -v rm >/dev/null && { w=no; (: >"$m/.vbc-write") && rm -f "$m/.vbc-write" && w=yes; }; \
        k=$(du -sk "$m") || k=unknown; set -- $(echo "$k"); k=$1; f=unknown; \
        [ "$k" != unknown ] && command -v find >/dev/null && command -v wc >/dev/null && f=$(find "$m" -type f ! -name .vbc-mark ! -name buildstamp | wc -l); \
        s=none; t=none; [ -x "$m" ] || s=unknown; if [ -e "$m/buildstamp" ]; then s=; read -r s <"$m/buildstamp"; t=$(date -r "$m/buildstamp" +%s); fi; \
        n=none; [ "$w" = yes ] && [ -n "$i" ] && (echo v1 $i $r $a $k $f "$m" >"$m/.vbc-mark") && n=$i; \
        echo "vbc-proof v1 after mount=$(q "$m") kib=$(q "$k") files=$(q $f) write=$w stamp=$(q "$s") stamped=$(q "$t") mark=$(q "$n") mark-run=$(q "$r") end"; done; true
    "##);
}

#[test]
fn a_mount_with_a_variable_is_measured_where_the_variable_is_known() {
    let copy = measured(
        "FROM golang\nRUN --mount=type=cache,target=/go/pkg/mod go mod download\nARG ID=a\n\
         RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/c,id=b-$ID go build\n",
    );
    insta::assert_snapshot!(shape(&copy).replace(SECRET, "SECRET"), @r##"
    FROM golang
    RUN --mount=type=cache,target=/go/pkg/mod \
        BEFORE /go/pkg/mod
    RUN --mount=type=cache,target=/go/pkg/mod go mod download
    ARG ID=a
    RUN --mount=type=cache,target=/go/pkg/mod \
        --mount=type=cache,target=/c,id=b-$ID \
        BEFORE /go/pkg/mod /c
    RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/c,id=b-$ID go build
    RUN --mount=type=cache,target=/go/pkg/mod \
        --mount=type=cache,target=/c,id=b-$ID \
        SECRET \
        AFTER /go/pkg/mod /c
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
fn a_stage_beside_the_build_is_measured_where_it_shares_its_caches() {
    let mount = "--mount=type=cache,target=/root/.cache/go-build";
    let build = format!("FROM golang AS build\nRUN {mount} go build\n");
    let kinds = |first: &str| {
        let copy = measured(&format!("FROM golang AS first\n{first}\n{build}"));
        let of_first = copy.changes.into_iter().filter(|change| change.stage == 0);
        of_first.map(|change| matches!(change.kind, ChangeKind::NotInstrumented(_))).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&format!("RUN {mount} go test ./...")), [false, false]);
    assert_eq!(kinds(&format!("RUN {mount} go install example.org/a@v1")), [false, false]);
    assert_eq!(kinds(&format!("RUN {mount},id=lint golangci-lint run")), [true]);
    assert_eq!(kinds("RUN --mount=type=cache,target=/root/.cache go install example.org/a@v1"), [true]);
}

#[test]
fn a_stage_that_only_fetches_is_measured_where_it_is_built_on() {
    let fetch = "FROM golang AS deps\nRUN --mount=type=cache,target=/go/pkg/mod go mod download\n";
    let places =
        |text: &str| measured(text).changes.iter().map(|change| (change.stage, change.line)).collect::<Vec<_>>();
    let build = "FROM deps\nRUN --mount=type=cache,target=/go/pkg/mod go build\n";
    assert_eq!(places(&format!("{fetch}{build}")), [(0, 2), (1, 4), (1, 5)]);
    assert_eq!(places(fetch), [(0, 2), (0, 3)], "without a build, around what there is");
}

#[test]
fn several_builds_of_a_stage_are_measured_around_them_all() {
    let mount = "RUN --mount=type=cache,target=/root/.cache/go-build";
    let copy =
        measured(&format!("FROM golang\n{mount} go build ./a\n{mount} <<EOF\ngo build ./b\nEOF\n{mount} rm -rf /x\n"));
    assert_eq!(copy.changes.iter().map(|change| change.line).collect::<Vec<_>>(), [2, 6], "{}", copy.text);
}

#[test]
fn steps_that_stand_behind_onbuild_are_said_not_to_be_measured() {
    let mount = "RUN --mount=type=cache,target=/root/.cache/go-build go build";
    let copy = measured(&format!("FROM golang AS base\nONBUILD {mount}\nFROM base\n{mount}\n"));
    let said = copy.changes.iter().filter(|change| matches!(change.kind, ChangeKind::NotInstrumented(_)));
    assert_eq!(said.map(|change| (change.stage, change.line)).collect::<Vec<_>>(), [(1, 3)]);
}

#[test]
fn the_shell_counts_that_is_in_force_at_the_step() {
    let build = "RUN --mount=type=cache,target=/root/.cache/go-build go build\n";
    let first = measured(&format!("FROM golang\n{build}SHELL [\"pwsh\", \"-c\"]\nRUN x\n"));
    assert_eq!(first.changes.len(), 2, "a shell that is set later says nothing of the build: {}", first.text);
    let later =
        measured(&format!("FROM golang\nSHELL [\"pwsh\", \"-c\"]\nRUN x\nSHELL [\"/bin/sh\", \"-c\"]\n{build}"));
    assert_eq!(later.changes.len(), 2, "{}", later.text);
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
    assert!(shape(&copy).contains("target=/go/pkg/mod `\n    BEFORE"), "{}", copy.text);
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
    let once = measured(text).text;
    prop_assert_eq!(&measured(&once).text, &once, "instrumented twice");
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
