//! Every fixture log in `fixtures/logs` gives the checks and findings that `fixtures/logs/checks.txt` says.
//!
//! A line of the table is a log and its job, alone or after a healthy first run; then the verdict, the five checks and the
//! codes. To see the table that the verifier makes now, run with `CHECKS=write`.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use verify_buildkit_cache::evidence::Evidence;
use verify_buildkit_cache::log::LogReader;
use verify_buildkit_cache::verify::{Case, CaseSource, CheckStatus, Profile, Thresholds, verify};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/logs")
}

fn line(name: &str, runs: Vec<Evidence>, profile: Profile) -> String {
    let report = verify(&Case { runs, source: CaseSource::Logs, thresholds: Thresholds::default(), profile });
    let checks: Vec<String> = report
        .checks
        .iter()
        .map(|check| {
            let mark = match check.status {
                CheckStatus::Pass => '+',
                CheckStatus::Fail => '-',
                CheckStatus::Unobserved => '?',
            };
            format!("{}{mark}", check.id.as_str())
        })
        .collect();
    let codes: Vec<&str> = report.findings.iter().map(|finding| finding.code.as_str()).collect();
    format!("{name}: {} [{}] {}", report.verdict.as_str(), checks.join(" "), codes.join(" ")).trim_end().to_owned()
}

fn jobs(name: &str) -> Vec<Evidence> {
    let mut reader = LogReader::new(name);
    reader.feed(&std::fs::read(fixtures().join(name)).unwrap());
    reader.finish().iter().map(|job| job.evidence()).collect()
}

#[test]
fn every_fixture_gives_the_verdict_of_the_table() {
    let entries = std::fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.filter(|name| name.ends_with(".log")).collect();
    names.sort();
    let mut table = String::new();
    for name in &names {
        for evidence in jobs(name) {
            let job = format!("{name} ({})", evidence.name);
            writeln!(table, "{}", line(&job, vec![evidence], Profile::Auto)).unwrap();
        }
    }
    for second in names.iter().filter(|name| *name != "healthy-first-run.log") {
        let runs: Vec<Evidence> = [jobs("healthy-first-run.log"), jobs(second)].concat();
        writeln!(table, "{}", line(&format!("healthy-first-run.log {second}"), runs, Profile::Auto)).unwrap();
    }
    let path = fixtures().join("checks.txt");
    if std::env::var_os("CHECKS").is_some_and(|how| how == "write") {
        std::fs::write(&path, &table).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    for (one, other) in expected.lines().zip(table.lines()) {
        assert_eq!(one, other);
    }
    assert_eq!(expected, table);
}
