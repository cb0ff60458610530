//! Logs made to fool the reader, from a known truth: what is cold is never called effective, what is healthy always is.
//!
//! `HOSTILE_SECONDS=60 cargo test --test hostile -- --nocapture` goes on for so long and says how many cases it tried;
//! `HOSTILE_SEED` begins elsewhere; `HOSTILE_FOUND` names a directory in which to write each kind that fools, and `HOSTILE_KINDS` lists them.

#[path = "support/hostile/mod.rs"]
mod hostile;
#[path = "support/hostile_judge.rs"]
mod judge;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use hostile::Hostile;
use hostile::chooser::Chooser;
use hostile::known::{KNOWN, known};
use hostile::page::FORMS;
use hostile::play::play;
use hostile::scene::{Scene, Stored};
use judge::{judged, looks_effective};
use verify_buildkit_cache::verify::{Profile, Verdict};

/// Cases in an ordinary test run.
const CASES: u64 = 400;

#[test]
fn a_healthy_log_is_effective_in_every_form() {
    let (warm, truth) = play(&Scene::healthy(), 40_000_000);
    assert!(!truth.is_cold());
    let mut first = Scene::healthy();
    first.stored = Stored::Missing;
    let first = play(&first, 36_000_000).0;
    for form in FORMS {
        for profile in [Profile::Auto, Profile::Checklist] {
            let report = judged(&[warm.page().clone()], form, profile);
            assert_eq!(report.verdict, Verdict::Effective, "{form:?} {profile:?}: {:#?}", report.checks);
            let report = judged(&[first.page().clone(), warm.page().clone()], form, profile);
            assert_eq!(report.verdict, Verdict::Effective, "{form:?} {profile:?}: {:#?}", report.checks);
        }
    }
}

/// Tells whether a case is cold and called effective.
fn fools(case: &Hostile) -> bool {
    let (pages, truth) = case.play();
    truth.is_cold() && looks_effective(&pages, case.form)
}

#[test]
fn a_cold_log_is_never_called_effective() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = number("HOSTILE_SECONDS").map(Duration::from_secs);
    let first = number("HOSTILE_SEED").unwrap_or(1);
    let began = Instant::now();
    let mut cold = 0u64;
    let mut tried = 0u64;
    let mut found: BTreeMap<String, (u64, u64, Hostile)> = BTreeMap::new();
    for seed in first.. {
        let over = match seconds {
            Some(seconds) => began.elapsed() >= seconds,
            None => seed >= first + CASES,
        };
        if over {
            break;
        }
        let case = Hostile::choose(Chooser::seeded(seed));
        let (pages, truth) = case.play();
        tried += 1;
        if !truth.is_cold() {
            continue;
        }
        cold += 1;
        if looks_effective(&pages, case.form) {
            let case = case.smallest(fools);
            found.entry(case.kind()).or_insert((seed, 0, case)).1 += 1;
        }
    }
    if std::env::var_os("HOSTILE_KINDS").is_some() {
        for (kind, (seed, many, _)) in &found {
            println!("{many:>5} times, first seed {seed}: {kind}");
        }
    }
    println!("hostile: {tried} cases, {cold} of them cold, {} kinds called effective", found.len());
    if let Ok(folder) = std::env::var("HOSTILE_FOUND") {
        for (seed, _, case) in found.values() {
            let (pages, _) = case.play();
            for (at, page) in pages.iter().enumerate() {
                let (_, text) = page.files(case.form).remove(0);
                std::fs::write(format!("{folder}/hostile-{seed}-{}.log", at + 1), text).unwrap();
            }
            std::fs::write(format!("{folder}/hostile-{seed}.txt"), case.kind() + "\n").unwrap();
        }
    }
    let left: BTreeSet<&str> = found.values().filter_map(|(_, _, case)| Some(known(case)?.why)).collect();
    println!("hostile: {} of {} known kinds still fool the reader: {left:?}", left.len(), KNOWN.len());
    let told: Vec<String> = found
        .iter()
        .filter(|(_, (_, _, case))| known(case).is_none())
        .map(|(kind, (seed, many, _))| format!("{many:>5} times, first seed {seed}: {kind}"))
        .collect();
    assert!(told.is_empty(), "called effective:\n{}", told.join("\n"));
}
