//! Proof lines in the output of builds, and lines that only look like them.

use super::*;
use crate::dockerfile::{Dockerfile, InstrumentOptions, instrument};
use crate::source::Source;
use std::time::SystemTime;

const MOUNTS: &str = "--mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build";

/// The names that BuildKit gives the two proof steps around a build with these mounts.
fn names(mounts: &str) -> [String; 2] {
    let file = Dockerfile::parse(&Source::new("D", format!("FROM golang\nRUN {mounts} go build\n"))).unwrap();
    let options = InstrumentOptions { measure: true, ..InstrumentOptions::default() };
    let copy = Dockerfile::parse(&Source::new("D", instrument(&file, &options).unwrap().text)).unwrap();
    let name = |at: usize| {
        let run = &copy.stages[0].runs[at];
        format!("[stage-0 {}/4] {}", at + 2, copy.text_at(run.span).replace("\\\n", ""))
    };
    [name(0), name(2)]
}

fn build(mounts: &str) -> BuildOutput {
    let mut output = BuildOutput::new();
    let [before, after] = names(mounts);
    output.vertex(5, &before);
    output.vertex(6, &format!("[stage-0 3/4] RUN {mounts} go build"));
    output.vertex(7, &after);
    output
}

fn step(moment: &str, at: &str, up: f64, gocache: &str) -> String {
    format!("vbc-proof v1 {moment} step at={at} up={up:.2} user=0 group=0 gomodcache=/go/pkg/mod gocache={gocache} end")
}

fn found(target: &str, kib: &str, write: &str) -> String {
    format!(
        "vbc-proof v1 before mount={target} kib={kib} files=9 write={write} stamp=none stamped=none mark=none mark-run=none \
         mark-at=none mark-kib=none mark-files=none mark-mount=none end"
    )
}

fn left(target: &str, kib: &str, write: &str) -> String {
    format!(
        "vbc-proof v1 after mount={target} kib={kib} files=9 write={write} stamp=none stamped=none mark=none mark-run=none end"
    )
}

const OBJECTS: &str = "/root/.cache/go-build";

fn ignored(facts: &[Fact]) -> Option<&str> {
    match facts {
        [Fact::ProofIgnored { reason }] => Some(reason),
        _ => None,
    }
}

#[test]
fn proof_lines_tell_sizes_and_places_and_what_is_printed_beside_them_does_not() {
    let mut output = build(MOUNTS);
    assert_eq!(output.line(5, "=== BEFORE ==="), []);
    let facts = output.line(5, &step("before", "unknown", 10.0, OBJECTS));
    let places: Vec<&str> = facts
        .iter()
        .filter_map(|fact| if let Fact::GoPlace(place) = fact { Some(place.path.as_str()) } else { None })
        .collect();
    assert_eq!(places, ["/go/pkg/mod", OBJECTS]);
    assert_eq!(output.line(5, "9G\t/go/pkg/mod"), [], "the size for people");
    let facts = output.line(5, &found("/go/pkg/mod", "2048", "yes"));
    let size = |moment, bytes| Fact::MountSize { moment, target: "/go/pkg/mod".into(), bytes };
    assert!(facts.contains(&size(MeasuredAt::Before, 2 << 20)), "{facts:?}");
    let facts = output.line(7, &left("/go/pkg/mod", "4096", "yes"));
    assert!(facts.contains(&size(MeasuredAt::After, 4 << 20)), "{facts:?}");
    let facts = output.line(5, &found(OBJECTS, "unknown", "yes"));
    assert_eq!(facts.len(), 1, "what is unknown is no size: {facts:?}");
}

#[test]
fn a_line_of_any_other_step_is_no_proof() {
    let line = found("/go/pkg/mod", "2048", "yes");
    for name in [
        "[b 1/2] RUN cat old.log".to_owned(),
        format!("[b 1/2] RUN {MOUNTS} echo \"{line}\""),
        format!("{}; cat old.log", names(MOUNTS)[0]),
        names(MOUNTS)[0].replace("v1 before", "v2 before"),
        "[b 1/2] COPY a b".to_owned(),
    ] {
        let mut output = build(MOUNTS);
        output.vertex(9, &name);
        let said = ProofError::NotOurStep.to_string();
        assert_eq!(ignored(&output.line(9, &line)), Some(said.as_str()), "{name}");
        assert_eq!(output.line(9, &line), [], "told once");
    }
    let mut output = BuildOutput::new();
    assert!(ignored(&output.line(9, &line)).is_some(), "a step whose name was lost");
}

#[test]
fn a_line_that_its_step_cannot_have_printed_is_no_proof() {
    for (id, line) in [
        (5, left("/go/pkg/mod", "1", "yes")),
        (7, found("/go/pkg/mod", "1", "yes")),
        (5, found("/other", "1", "yes")),
        (5, found("/go/pkg/mod", "1", "yes").replace(" v1 ", " v2 ")),
        (5, found("/go/pkg/mod", "1M", "yes")),
        (5, "vbc-proof v1 before".to_owned()),
    ] {
        let mut output = build(MOUNTS);
        assert!(ignored(&output.line(id, &line)).is_some(), "{line}");
    }
}

#[test]
fn lines_of_another_time_are_an_old_builds() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_857_133);
    for (at, kept) in [("1795857130", true), ("unknown", true), ("1795850000", false), ("1795870000", false)] {
        let mut output = build(MOUNTS);
        output.tick(5, Some(now), None);
        assert_eq!(ignored(&output.line(5, &step("before", at, 1.0, OBJECTS))).is_none(), kept, "{at}");
        assert_eq!(ignored(&output.line(5, &found("/go/pkg/mod", "2048", "yes"))).is_none(), kept, "{at}");
    }
}

#[test]
fn a_cache_that_go_keeps_elsewhere_is_doubted_unless_the_build_says_so_itself() {
    let doubted = |gocache: &str, command: &str| {
        let [_, after] = names(MOUNTS);
        let mut output = BuildOutput::new();
        output.vertex(6, &format!("[stage-0 3/4] RUN {MOUNTS} {command}"));
        output.vertex(7, &after);
        let facts = output.line(7, &step("after", "unknown", 1.0, gocache));
        facts.iter().any(|fact| matches!(fact, Fact::BuildDoubt(BuildDoubt::CacheNotUsed { .. })))
    };
    assert!(!doubted(OBJECTS, "go build"));
    assert!(doubted("/home/app/.cache/go-build", "go build"));
    assert!(!doubted("/home/app/.cache/go-build", "GOCACHE=/root/.cache/go-build go build"));
    assert!(!doubted("unknown", "go build"));
}

#[test]
fn a_mount_that_go_may_not_write_is_told_once_both_sides_say_so() {
    let refused = |mounts: &str, gocache: &str, before: &str, after: &str| {
        let mut output = build(mounts);
        output.line(5, &found(OBJECTS, "8", before));
        output.line(7, &step("after", "unknown", 1.0, gocache));
        let facts = output.line(7, &left(OBJECTS, "8", after));
        facts.contains(&Fact::MountRefused { target: OBJECTS.into() })
    };
    assert!(refused(MOUNTS, OBJECTS, "no", "no"));
    assert!(!refused(MOUNTS, OBJECTS, "yes", "no"), "another user before the build");
    assert!(!refused(MOUNTS, OBJECTS, "no", "yes"));
    assert!(!refused(MOUNTS, "/elsewhere", "no", "no"), "Go keeps nothing there");
    assert!(!refused(&format!("{MOUNTS},ro"), OBJECTS, "no", "no"), "as the Dockerfile wants it");
}

#[test]
fn time_that_no_step_explains_is_doubted() {
    let doubted = |up: f64, took: u64| {
        let mut output = build(MOUNTS);
        output.line(5, &step("before", "unknown", 100.0, OBJECTS));
        output.done(5, Some(Duration::from_secs(1)), true);
        output.done(6, Some(Duration::from_secs(took)), true);
        output.line(7, &step("after", "unknown", up, OBJECTS));
        let facts = output.done(7, Some(Duration::from_secs(1)), true);
        facts.iter().any(|fact| matches!(fact, Fact::BuildDoubt(BuildDoubt::SpanUnexplained { .. })))
    };
    assert!(!doubted(104.0, 3));
    assert!(!doubted(190.0, 88));
    assert!(!doubted(125.0, 3), "storing layers takes a while");
    assert!(doubted(190.0, 3));
}

#[test]
fn lines_without_end_are_told_a_few_times_only() {
    let mut output = build(MOUNTS);
    let odd = (0..100).map(|number| found("/go/pkg/mod", &format!("{number}x"), "yes"));
    let told = odd.flat_map(|line| output.line(5, &line)).count();
    assert_eq!(told, REASONS);
}
