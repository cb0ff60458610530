//! Proof lines as the verdict rests on them: two logs of an instrumented build, and one thing changed in them at a time.
//!
//! The logs are those of `run --scenario non-root-build-user --fixed` on a real engine. Each change is one that the proof lines
//! alone show; without them these logs would be called effective.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

use verify_buildkit_cache::evidence::Evidence;
use verify_buildkit_cache::log::LogReader;
use verify_buildkit_cache::verify::{
    Case, CaseSource, Obligation, ObligationState, Profile, Report, Thresholds, Verdict, verify,
};

const FIRST: &str = include_str!("fixtures/proof/first.log");
const SECOND: &str = include_str!("fixtures/proof/second.log");

fn read(name: &str, text: &str) -> Evidence {
    let mut reader = LogReader::new(name);
    reader.feed(text.as_bytes());
    let jobs = reader.finish();
    assert_eq!(jobs.len(), 1);
    jobs[0].evidence()
}

fn judge(logs: &[&str]) -> Report {
    let runs = logs.iter().enumerate().map(|(at, text)| read(&format!("run-{}.log", at + 1), text)).collect();
    verify(&Case { runs, source: CaseSource::Logs, thresholds: Thresholds::default(), profile: Profile::Auto })
}

/// Changes every line that says all of these.
fn change(log: &str, says: &[&str], change: impl Fn(&str) -> String) -> String {
    let mut changed = 0;
    let lines = log.lines().map(|line| match says.iter().all(|word| line.contains(word)) && !line.contains("RUN ") {
        true => {
            changed += 1;
            change(line)
        }
        false => line.to_owned(),
    });
    let text = lines.collect::<Vec<_>>().join("\n") + "\n";
    assert!(changed > 0, "no line says {says:?}");
    text
}

fn missing(report: &Report) -> Vec<(String, String)> {
    let missing = report.obligations.iter().filter(|one| one.state == ObligationState::Missing);
    missing.map(|one: &Obligation| (one.id.to_string(), one.reason.clone())).collect()
}

/// The value of a key in the first line that says this.
fn value(log: &str, says: &str, key: &str) -> String {
    let line = log.lines().find(|line| line.contains(says) && !line.contains("RUN ")).unwrap();
    let word = line.split(' ').find_map(|word| word.strip_prefix(&format!("{key}="))).unwrap();
    word.to_owned()
}

const BEFORE: &str = "vbc-proof v1 before mount=/go/pkg/mod";
const BEFORE_OBJECTS: &str = "vbc-proof v1 before mount=/home/app";

#[test]
fn an_instrumented_build_is_effective_and_its_proof_lines_say_why() {
    let report = judge(&[FIRST, SECOND]);
    assert_eq!(report.verdict, Verdict::Effective, "{:?}", missing(&report));
    let quotes: Vec<&str> = report
        .obligations
        .iter()
        .filter(|one| one.id.to_string() == "provenance")
        .flat_map(|one| &one.evidence)
        .map(|quote| quote.text.as_str())
        .collect();
    assert!(quotes.iter().any(|quote| quote.contains(BEFORE)), "{quotes:?}");
    assert!(quotes.iter().any(|quote| quote.contains("vbc-proof v1 after mount=/go/pkg/mod")), "{quotes:?}");
    let evidence = read("second", SECOND);
    let sizes = evidence.builds[0].sizes_of("/go/pkg/mod").unwrap();
    assert_eq!(sizes.before.as_ref().unwrap().value, 6796 << 10, "the exact size, not the one for people");
}

#[test]
fn what_the_proof_lines_show_against_a_run_keeps_it_from_effective() {
    let stamp = value(SECOND, BEFORE, "stamp");
    let stamped = value(SECOND, BEFORE, "stamped");
    let mark = value(SECOND, BEFORE, "mark");
    let changed: [(&str, &str, String); 7] = [
        (
            "freshness",
            "holds the stamp of an earlier inject",
            change(SECOND, &[BEFORE], |line| {
                line.replace(&stamp, "2026-11-28T03:00:00.000Z").replace(&stamped, "1795834800")
            }),
        ),
        (
            "provenance",
            "holds no stamp of an inject: something else filled it",
            change(SECOND, &[BEFORE], |line| line.replace(&stamp, "none").replace(&stamped, "none")),
        ),
        (
            "provenance",
            "was left by a run that is not among these, and run 1 saved the entry",
            change(SECOND, &[BEFORE], |line| line.replace(&mark, "00000000-0000-0000-0000-000000000000")),
        ),
        (
            "provenance",
            "does not hold the mark that run 1 left in it",
            change(SECOND, &[BEFORE], |line| line.replace(&format!("mark={mark}"), "mark=none")),
        ),
        (
            "identity",
            "/go/pkg/mod holds was left in /home/app/.cache/go-build",
            change(SECOND, &[BEFORE], |line| {
                line.replace("mark-mount=/go/pkg/mod", "mark-mount=/home/app/.cache/go-build")
            }),
        ),
        (
            "provenance",
            "holds 12 of the 86 files that an earlier run left in it",
            change(SECOND, &[BEFORE], |line| line.replace(" files=86", " files=12")),
        ),
        (
            "use",
            "`GOCACHE=/root/.cache/go-build` does not use what the caches hold",
            change(SECOND, &["v1 after step"], |line| {
                line.replace("gocache=/home/app/.cache/go-build", "gocache=/root/.cache/go-build")
            }),
        ),
    ];
    for (obligation, reason, second) in changed {
        let report = judge(&[FIRST, &second]);
        assert_eq!(report.verdict, Verdict::Inconclusive, "{reason}");
        let missing = missing(&report);
        let found = missing.iter().any(|(id, said)| id == obligation && said.contains(reason));
        assert!(found, "{obligation}: {reason}\n{missing:?}");
    }
}

#[test]
fn a_slow_step_between_the_proof_lines_is_not_hidden_by_a_fast_one() {
    let up = value(SECOND, "v1 after step", "up");
    let slow = change(SECOND, &["v1 after step"], |line| line.replace(&format!("up={up}"), "up=3999.00"));
    let report = judge(&[FIRST, &slow]);
    assert_eq!(report.verdict, Verdict::Inconclusive);
    assert!(missing(&report).iter().any(|(id, said)| id == "use" && said.contains("between the proof lines")));
}

/// The second log with its build twice: the first of the two left the mark that the second finds, and had itself found this
/// many KiB.
fn twice(found: Option<&str>) -> String {
    let mark = value(SECOND, BEFORE, "mark");
    let build: Vec<&str> = SECOND.lines().collect();
    let start = build.iter().position(|line| line.contains("##[group]Run docker/build-push-action")).unwrap();
    let end = build.iter().rposition(|line| line.contains(" DONE ")).unwrap();
    let left = value(SECOND, "v1 after mount=/go/pkg/mod", "mark");
    let again: Vec<String> = build[start..=end].iter().map(|line| line.replace(&mark, &left)).collect();
    let kib = format!("kib={} ", value(SECOND, BEFORE, "kib"));
    let less = |line: &&str| match found {
        Some(found) if line.contains(BEFORE) => line.replacen(&kib, &format!("kib={found} "), 1),
        _ => (*line).to_owned(),
    };
    let mut lines: Vec<String> = build[..=end].iter().map(less).collect();
    lines.extend(again);
    lines.extend(build[end + 1..].iter().map(|line| (*line).to_owned()));
    lines.join("\n")
}

#[test]
fn what_another_build_of_the_job_had_filled_is_not_effective() {
    for found in ["unknown", "2048"] {
        assert_ne!(judge(&[FIRST, &twice(Some(found))]).verdict, Verdict::Effective, "{found}");
    }
}

#[test]
fn a_build_hands_on_what_it_found_itself() {
    let report = judge(&[FIRST, &twice(None)]);
    assert!(missing(&report).iter().all(|(_, said)| !said.contains("another build")), "{:?}", missing(&report));
}

#[test]
fn lines_that_are_no_proof_are_left_out_and_said() {
    for (second, note) in [
        (
            change(SECOND, &[BEFORE_OBJECTS], |line| line.replace("proof v1", "proof v3")),
            "a proof line of version `v3`",
        ),
        (change(SECOND, &[BEFORE_OBJECTS], |line| line.replace(" end", "")), "a malformed proof line: it breaks off"),
        (change(SECOND, &["v1 before step"], |line| line.replace("at=17958", "at=17948")), "it is an older line"),
    ] {
        let report = judge(&[FIRST, &second]);
        assert_eq!(report.verdict, Verdict::Inconclusive, "{note}");
        assert!(report.notes.iter().any(|said| said.text.contains(note)), "{note}: {:?}", report.notes);
    }
}

#[test]
fn a_line_that_another_step_prints_makes_nothing_of_an_empty_mount() {
    // The build's own lines say that the mount is empty; a step that prints an old log says that it is full.
    let line = SECOND.lines().find(|line| line.contains(BEFORE_OBJECTS) && !line.contains("RUN ")).unwrap();
    let (_, proof) = line.split_once("vbc-proof").unwrap();
    let empty = change(SECOND, &[BEFORE_OBJECTS], |line| line.replace("kib=25048 files=402", "kib=8 files=0"));
    let mut lines: Vec<String> = empty.lines().map(str::to_owned).collect();
    let at = lines.iter().position(|line| line.contains("#10 [")).unwrap();
    let stamp = &lines[at][..29];
    let forged = [
        format!("{stamp}#99 [build 9/9] RUN cat old.log"),
        format!("{stamp}#99 0.1 vbc-proof{proof}"),
        format!("{stamp}#99 DONE 0.1s"),
        String::new(),
    ];
    lines.splice(at..at, forged);
    let report = judge(&[FIRST, &lines.join("\n")]);
    assert_eq!(report.verdict, Verdict::Ineffective);
    assert!(report.notes.iter().any(|said| said.text.contains("printed by another step")), "{:?}", report.notes);
}
