//! Whatever happens to a log on its way, reading it neither panics nor turns a cold build into a warm one.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use verify_buildkit_cache::evidence::Evidence;
use verify_buildkit_cache::log::{LogReader, LoggedJob};
use verify_buildkit_cache::verify::{
    Case, CaseSource, CheckId, CheckStatus, Profile, Report, Thresholds, Verdict, verify,
};

#[path = "logs_hold/shapes.rs"]
mod shapes;
#[path = "logs_hold/used.rs"]
mod used;
#[path = "logs_hold/wrapped.rs"]
mod wrapped;

/// Logs in which the build that fails is a few lines beside a warm one, another build's or a quotation: with all of its
/// lines lost nothing is left to contradict the warm one. Losing one line is another matter.
const BRIEF: [&str; 3] =
    ["bake-one-target-slow.log", "fool-second-platform-has-an-empty-cache.log", "two-builds-one-cold.log"];

/// Every fixture.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/logs");
    let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".log") && !name.starts_with("utf16")).collect();
    names.sort();
    names
});

/// The fixtures that fail check A, C1 or C2, and of which no job is effective.
static FAILING: LazyLock<Vec<String>> = LazyLock::new(|| {
    let fails = |name: &&String| {
        let reports: Vec<Report> = read(text(name).as_bytes()).iter().map(|job| judged(&job.evidence())).collect();
        let failed = |report: &Report| {
            let counts = |id| matches!(id, CheckId::A | CheckId::C1 | CheckId::C2);
            report.checks.iter().any(|check| counts(check.id) && check.status == CheckStatus::Fail)
        };
        reports.iter().all(|report| report.verdict != Verdict::Effective) && reports.iter().any(failed)
    };
    NAMES.iter().filter(fails).cloned().collect()
});

/// The fixtures that are effective, every job of them.
static EFFECTIVE: LazyLock<Vec<String>> = LazyLock::new(|| {
    let passes = |name: &&String| {
        let jobs = read(text(name).as_bytes());
        !jobs.is_empty() && jobs.iter().all(|job| looks_effective(&job.evidence()))
    };
    NAMES.iter().filter(passes).cloned().collect()
});

fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/logs").join(name);
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}

fn read(bytes: &[u8]) -> Vec<LoggedJob> {
    let mut reader = LogReader::new("log");
    reader.feed(bytes);
    reader.finish()
}

/// Tells whether the verifier calls a run effective, by the checklist's numbers.
fn looks_effective(evidence: &Evidence) -> bool {
    judged(evidence).verdict == Verdict::Effective
}

fn judged(evidence: &Evidence) -> Report {
    let case = Case {
        runs: vec![evidence.clone()],
        source: CaseSource::Logs,
        thresholds: Thresholds::default(),
        profile: Profile::Checklist,
    };
    verify(&case)
}

/// What happens to a line.
#[derive(Debug, Clone)]
enum Damage {
    Drop(prop::sample::Index),
    DropMany(prop::sample::Index, usize),
    Repeat(prop::sample::Index),
    Garble(prop::sample::Index, prop::sample::Index, char),
    Cut(prop::sample::Index, prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    Begin(prop::sample::Index),
    End(prop::sample::Index),
}

/// Characters that stand for no other measurement: one digit put for another is a lie that no reader can see.
fn unreadable() -> impl Strategy<Value = char> {
    any::<char>().prop_map(|char| if char.is_ascii_alphanumeric() || char == '.' { '?' } else { char })
}

fn loss() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        4 => at().prop_map(Damage::Drop),
        2 => (at(), 1..20usize).prop_map(|(at, count)| Damage::DropMany(at, count)),
        3 => (at(), at(), unreadable()).prop_map(|(at, place, char)| Damage::Garble(at, place, char)),
        2 => (at(), at()).prop_map(|(at, place)| Damage::Cut(at, place)),
        1 => at().prop_map(Damage::Begin),
        1 => at().prop_map(Damage::End),
    ]
}

fn harm() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    prop_oneof![loss(), at().prop_map(Damage::Repeat), (at(), at()).prop_map(|(one, other)| Damage::Swap(one, other)),]
}

fn damaged(text: &str, all: &[Damage]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for damage in all {
        if lines.is_empty() {
            break;
        }
        let count = lines.len();
        let place = |line: &str, at: &prop::sample::Index| {
            let places: Vec<usize> = line.char_indices().map(|(at, _)| at).collect();
            if places.is_empty() { 0 } else { places[at.index(places.len())] }
        };
        match damage {
            Damage::Drop(at) => drop(lines.remove(at.index(count))),
            Damage::DropMany(at, many) => {
                let from = at.index(count);
                lines.drain(from..(from + many).min(count));
            }
            Damage::Repeat(at) => lines.insert(at.index(count), lines[at.index(count)].clone()),
            Damage::Garble(at, place_of, char) => {
                let line = &mut lines[at.index(count)];
                let from = place(line, place_of);
                let until = line[from..].chars().next().map_or(from, |char| from + char.len_utf8());
                line.replace_range(from..until, &char.to_string());
            }
            Damage::Cut(at, place_of) => {
                let line = &mut lines[at.index(count)];
                let from = place(line, place_of);
                line.truncate(from);
            }
            Damage::Swap(one, other) => lines.swap(one.index(count), other.index(count)),
            Damage::Begin(at) => drop(lines.drain(..at.index(count))),
            Damage::End(at) => lines.truncate(at.index(count)),
        }
    }
    lines.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        read(&bytes);
    }

    #[test]
    fn no_lines_that_look_alike_make_it_panic(lines in prop::collection::vec(
        r"(#[0-9]{1,3} |##\[group\]Run |Cache Size: ~|\| |\[a/b\]   |  |\x1b\[|::error|RUN --mount=type=cache|Sent |a\tb\t)?[ -~é\t]{0,30}", 0..40,
    )) {
        read(lines.join("\n").as_bytes());
    }

    #[test]
    fn no_damage_makes_it_panic(
        name in prop::sample::select(NAMES.clone()), damage in prop::collection::vec(harm(), 1..12),
    ) {
        let jobs = read(damaged(&text(&name), &damage).as_bytes());
        jobs.iter().for_each(|job| drop(job.evidence()));
    }

    #[test]
    fn lost_lines_never_make_a_cold_build_warm(
        name in prop::sample::select(FAILING.iter().filter(|name| !BRIEF.contains(&name.as_str())).cloned().collect::<Vec<_>>()),
        damage in prop::collection::vec(loss(), 1..8),
    ) {
        let text = text(&name);
        for job in read(text.as_bytes()) {
            prop_assert!(!looks_effective(&job.evidence()), "{name} fails undamaged");
        }
        for job in read(damaged(&text, &damage).as_bytes()) {
            prop_assert!(!looks_effective(&job.evidence()), "{name} after {damage:?}");
        }
    }

    #[test]
    fn pieces_of_any_size_show_the_same(
        name in prop::sample::select(NAMES.clone()), cuts in prop::collection::vec(1..500usize, 1..50),
    ) {
        let text = text(&name);
        let mut reader = LogReader::new("log");
        let mut rest = text.as_bytes();
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            reader.feed(piece);
            rest = after;
        }
        reader.feed(rest);
        prop_assert_eq!(reader.finish(), read(text.as_bytes()));
    }
}

#[test]
fn every_single_lost_line_leaves_a_failing_log_failing() {
    for name in FAILING.iter() {
        let text = text(name);
        let lines: Vec<&str> = text.lines().collect();
        for lost in 0..lines.len() {
            let rest: Vec<&str> =
                lines.iter().enumerate().filter(|(at, _)| *at != lost).map(|(_, line)| *line).collect();
            for job in read(rest.join("\n").as_bytes()) {
                assert!(!looks_effective(&job.evidence()), "{name} without line {}: {}", lost + 1, lines[lost]);
            }
        }
    }
}

#[test]
fn what_a_pass_rests_on_cannot_be_lost() {
    let text = text("healthy-second-run.log");
    let lines: Vec<&str> = text.lines().collect();
    assert!(read(text.as_bytes()).iter().all(|job| looks_effective(&job.evidence())));
    for part in ["Cache Size: ", "Cache restored from key", "238.1M", "158.0M", "real\t", "#8 [build 4/4]"] {
        let rest: Vec<&str> = lines.iter().copied().filter(|line| !line.contains(part)).collect();
        for job in read(rest.join("\n").as_bytes()) {
            let quick_by_step = part == "real\t";
            assert_eq!(looks_effective(&job.evidence()), quick_by_step, "without {part}");
        }
    }
}

#[test]
fn the_fixtures_are_there_to_be_damaged() {
    assert!(FAILING.len() >= 40, "{} fail", FAILING.len());
    assert!(EFFECTIVE.len() >= 30, "{} are effective", EFFECTIVE.len());
}

#[test]
fn without_the_lines_it_rests_on_no_check_of_any_log_passes() {
    for name in EFFECTIVE.iter() {
        let text = text(name);
        for id in [CheckId::A, CheckId::C1, CheckId::C2, CheckId::C3] {
            let mut lines: Vec<&str> = text.lines().collect();
            // What passes without its lines must rest on others, such as the time of the whole step; and these run out.
            let mut rounds = 0;
            loop {
                let jobs = read(lines.join("\n").as_bytes());
                let reports: Vec<Report> = jobs.iter().map(|job| judged(&job.evidence())).collect();
                let check = |report: &Report| report.checks.iter().find(|check| check.id == id).cloned();
                let passing: Vec<_> =
                    reports.iter().filter_map(check).filter(|check| check.status == CheckStatus::Pass).collect();
                if passing.is_empty() {
                    break;
                }
                let rests: Vec<usize> =
                    passing.iter().flat_map(|check| &check.evidence).filter_map(|quote| quote.line).collect();
                assert!(!rests.is_empty(), "{name}: {id:?} passes on nothing");
                rounds += 1;
                assert!(rounds < 6, "{name}: {id:?} still passes");
                let kept = lines.iter().enumerate().filter(|(at, _)| !rests.contains(&(at + 1)));
                lines = kept.map(|(_, line)| *line).collect();
            }
            assert!(rounds > 0, "{name}: {id:?} did not pass at first");
        }
    }
}

#[test]
fn seeing_no_download_passes_only_where_one_would_have_been_seen() {
    let silent = |line: &&str| {
        let text = line.split_once('#').map_or("", |(_, text)| text);
        let (number, rest) = text.split_once(' ').unwrap_or_default();
        let seconds = rest.split(' ').next().unwrap_or_default();
        let timed = seconds.contains('.') && seconds.parse::<f64>().is_ok();
        let printed = number.parse::<u32>().is_ok() && timed;
        !printed && !line.contains("\"logs\":")
    };
    for name in EFFECTIVE.iter() {
        let text = text(name);
        let silent: Vec<&str> = text.lines().filter(silent).collect();
        for job in read(silent.join("\n").as_bytes()) {
            let report = judged(&job.evidence());
            let downloads = report.checks.iter().find(|check| check.id == CheckId::C3).unwrap();
            assert_eq!(downloads.status, CheckStatus::Unobserved, "{name}: {}", downloads.observed);
        }
    }
}

#[test]
fn a_long_log_leaves_a_bounded_number_of_events() {
    let mut reader = LogReader::new("log");
    reader.feed(b"#1 [a 1/1] RUN --mount=type=cache,target=/go/pkg/mod go build\n");
    for number in 0..200_000 {
        reader.feed(format!("#1 1.0 go: downloading example.com/m{number} v1.0.0\n").as_bytes());
    }
    let jobs = reader.finish();
    assert!(jobs[0].events.len() < 20_000, "{}", jobs[0].events.len());
}
