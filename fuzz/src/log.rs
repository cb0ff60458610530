//! Any bytes as a log: reading, judging and printing must not panic, must remember a bounded amount, and must not depend on
//! how the bytes came in pieces.

#![no_main]

use libfuzzer_sys::fuzz_target;
use verify_buildkit_cache::log::{LogReader, LoggedJob};
use verify_buildkit_cache::report::{self, TextOptions};
use verify_buildkit_cache::verify::{Case, CaseSource, Profile, Thresholds, verify};

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<LoggedJob> {
    let mut reader = LogReader::new("log");
    pieces.for_each(|piece| reader.feed(piece));
    reader.finish()
}

fuzz_target!(|bytes: &[u8]| {
    let jobs = read(std::iter::once(bytes));
    // The pieces are cut where the bytes themselves say, so that a case that fails is one file.
    let piece = 1 + bytes.first().map_or(6, |byte| usize::from(*byte) % 97);
    assert_eq!(jobs, read(bytes.chunks(piece)), "pieces of {piece}");
    let events: usize = jobs.iter().map(|job| job.events.len()).sum();
    // Steps end and builds are told at the end, beyond the room that a line's facts have.
    assert!(events <= 60_000, "{events} events");
    assert!(jobs.len() <= 1_000, "{} jobs", jobs.len());
    for job in jobs.iter().take(8) {
        let case = Case {
            runs: vec![job.evidence()],
            source: CaseSource::Logs,
            thresholds: Thresholds::default(),
            profile: Profile::Auto,
        };
        let judged = verify(&case);
        let options =
            TextOptions { color: false, width: 80, subject: "log", evidence: None, repeat: None, explain: true };
        let pages = [report::text(&judged, &options), report::markdown(&judged, "log"), report::github(&judged)];
        for page in pages {
            assert!(!page.chars().any(|char| char.is_control() && char != '\n'), "a control character in {page:?}");
        }
    }
});
