//! A log that was numbered, quoted or put behind a prefix says what it said before.

use proptest::prelude::*;

use super::{NAMES, judged, read, text};

/// The verdict and the codes of each job.
fn said(log: &str) -> Vec<(String, Vec<String>)> {
    let told = |job: &verify_buildkit_cache::log::LoggedJob| {
        let report = judged(&job.evidence());
        let codes = report.findings.iter().map(|finding| finding.code.as_str().to_owned()).collect();
        (report.verdict.as_str().to_owned(), codes)
    };
    read(log.as_bytes()).iter().map(told).collect()
}

/// Puts something in front of every line.
fn wrapped(log: &str, prefix: impl Fn(usize) -> String) -> String {
    log.lines().enumerate().map(|(at, line)| format!("{}{line}\n", prefix(at + 1))).collect()
}

#[test]
fn every_fixture_says_the_same_numbered_or_quoted() {
    type Prefix = (&'static str, fn(usize) -> String);
    let prefixes: [Prefix; 9] = [
        ("grep -n", |at| format!("{at}:")),
        ("cat -n", |at| format!("{at:6}\t")),
        ("grep -n of several files", |at| format!("log.txt:{at}:")),
        ("a quotation", |_| "> ".to_owned()),
        ("a quotation in a quotation", |_| "> > ".to_owned()),
        ("a numbered quotation", |at| format!("> {at}: ")),
        ("a job's name", |_| "build (1.25, linux) | ".to_owned()),
        ("indented", |_| "    ".to_owned()),
        ("a name in brackets", |_| "[ci] ".to_owned()),
    ];
    let mut wrong = Vec::new();
    for name in NAMES.iter() {
        let log = text(name);
        let bare = said(&log);
        for (what, prefix) in prefixes {
            let now = said(&wrapped(&log, prefix));
            if now != bare {
                wrong.push(format!("{name}, {what}: {now:?} and not {bare:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    #[test]
    fn any_prefix_of_every_line_is_seen_through(
        at in any::<prop::sample::Index>(),
        prefix in "[ -~]{0,30}[|:>\\])a-z-] ?",
    ) {
        let log = text(&NAMES[at.index(NAMES.len())]);
        prop_assert_eq!(said(&wrapped(&log, |_| prefix.clone())), said(&log), "{:?}", prefix);
    }
}
