//! Every fixture log in `fixtures/logs` shows what `fixtures/logs/shows.txt` says of it.
//!
//! The table names a log, then for each of its jobs what the evidence holds, in words. `verdicts.txt` beside it holds
//! each job's verdict and finding codes. To see the tables as they are made now, run with `SHOWS=write`.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use verify_buildkit_cache::evidence::{
    Aspect, Build, Cache, Dance, Evidence, Lookup, NotSaved, SaveOutcome, StepOutcome, TimeSource,
};
use verify_buildkit_cache::log::{LogReader, LoggedJob};
use verify_buildkit_cache::verify::{Case, CaseSource, Profile, Thresholds, verify};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/logs")
}

fn names() -> Vec<String> {
    let entries = std::fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.filter(|name| name.ends_with(".log")).collect();
    names.sort();
    names
}

fn read(name: &str) -> Vec<LoggedJob> {
    let mut reader = LogReader::new(name);
    reader.feed(&std::fs::read(fixtures().join(name)).unwrap());
    reader.finish()
}

#[test]
fn every_fixture_shows_what_the_table_says() {
    let mut table = String::new();
    for name in names() {
        writeln!(table, "{name}").unwrap();
        for job in read(&name) {
            let evidence = job.evidence();
            writeln!(table, "  job {}", evidence.name).unwrap();
            words(&evidence).iter().for_each(|line| writeln!(table, "    {line}").unwrap());
        }
    }
    compare("shows.txt", &table);
}

#[test]
fn every_fixture_gets_the_verdict_and_the_codes_of_the_table() {
    let mut table = String::new();
    for name in names() {
        let jobs = read(&name);
        if jobs.is_empty() {
            writeln!(table, "{name:<52} no job").unwrap();
        }
        for job in jobs {
            let case = Case {
                runs: vec![job.evidence()],
                source: CaseSource::Logs,
                thresholds: Thresholds::default(),
                profile: Profile::Checklist,
            };
            let report = verify(&case);
            let codes: Vec<&str> = report.findings.iter().map(|finding| finding.code.as_str()).collect();
            writeln!(table, "{name:<52} {:<13} {}", report.verdict.as_str(), codes.join(" ")).unwrap();
        }
    }
    compare("verdicts.txt", &table);
}

/// Compares a table with the one in the fixtures, or writes it there when asked to.
fn compare(name: &str, table: &str) {
    let path = fixtures().join(name);
    if std::env::var_os("SHOWS").is_some_and(|how| how == "write") {
        std::fs::write(&path, table).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    let differing = expected.lines().zip(table.lines()).position(|(one, other)| one != other);
    if let Some(at) = differing {
        let near = |text: &str| text.lines().skip(at.saturating_sub(6)).take(10).collect::<Vec<_>>().join("\n");
        panic!("from line {} on\nexpected:\n{}\n\nfound:\n{}", at + 1, near(&expected), near(table));
    }
    assert_eq!(expected, table);
}

#[test]
fn a_log_cut_into_pieces_anywhere_shows_the_same() {
    for name in names() {
        let bytes = std::fs::read(fixtures().join(&name)).unwrap();
        let whole = read(&name);
        for size in [1, 7, 4096] {
            let mut reader = LogReader::new(&name);
            bytes.chunks(size).for_each(|piece| reader.feed(piece));
            assert_eq!(reader.finish(), whole, "{name} in pieces of {size}");
        }
    }
}

#[test]
fn every_quoted_line_stands_where_the_quote_says() {
    for name in names() {
        let text = decoded(&std::fs::read(fixtures().join(&name)).unwrap());
        let lines: Vec<&str> = text.split('\n').collect();
        for event in read(&name).iter().flat_map(|job| &job.events) {
            let mut line = lines[event.quote.line.unwrap() - 1].to_owned();
            for escape in ["\u{1b}[32m", "\u{1b}[1m", "\u{1b}]0;owned\u{7}", "\u{1b}[2J", "\u{1b}[1;1H", "\u{202e}"] {
                line = line.replace(escape, "");
            }
            assert!(line.contains(&event.quote.text), "{name}: {:?} in {line:?}", event.quote);
        }
    }
}

/// The text of a log in any encoding.
fn decoded(bytes: &[u8]) -> String {
    let units =
        |from: fn([u8; 2]) -> u16| -> Vec<u16> { bytes.chunks_exact(2).map(|pair| from([pair[0], pair[1]])).collect() };
    match bytes {
        [0xff, 0xfe, ..] => String::from_utf16_lossy(&units(u16::from_le_bytes)),
        [0xfe, 0xff, ..] => String::from_utf16_lossy(&units(u16::from_be_bytes)),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Puts the evidence of a job into lines of words.
fn words(evidence: &Evidence) -> Vec<String> {
    let mut lines: Vec<String> = evidence.caches.iter().map(|cache| self::cache(evidence, cache)).collect();
    lines.extend(evidence.dances.iter().map(dance));
    lines.extend(evidence.builds.iter().map(build));
    let failed = evidence
        .steps
        .iter()
        .filter(|step| step.outcome.as_ref().is_some_and(|outcome| outcome.value == StepOutcome::Failure));
    lines.extend(failed.map(|step| format!("failed: {}", step.name)));
    let around = evidence.surroundings.iter().filter(|(aspect, _)| *aspect != Aspect::CompileStep);
    let around: Vec<String> = around.map(|(aspect, value)| format!("{aspect:?} {}", value.value)).collect();
    if !around.is_empty() {
        lines.push(format!("around it: {}", around.join(", ")));
    }
    if evidence.truncated.is_some() {
        lines.push("broken off".to_owned());
    }
    let order = order(evidence);
    if !order.is_empty() {
        lines.push(format!("order: {order}"));
    }
    lines
}

/// Says in which order injects, builds, extracts and saves came.
fn order(evidence: &Evidence) -> String {
    let mut met: Vec<(usize, &str)> = Vec::new();
    met.extend(evidence.caches.iter().filter_map(|cache| Some((cache.lookup.as_ref()?.order, "lookup"))));
    met.extend(evidence.caches.iter().filter_map(|cache| Some((cache.save.as_ref()?.order, "save"))));
    met.extend(evidence.dances.iter().filter_map(|dance| Some((dance.injected.first()?.mount.order, "inject"))));
    met.extend(evidence.dances.iter().filter_map(|dance| Some((dance.extracted.first()?.mount.order, "extract"))));
    met.extend(evidence.builds.iter().filter_map(|build| Some((build.started.as_ref()?.order, "build"))));
    met.sort_unstable();
    met.iter().map(|(_, word)| *word).collect::<Vec<_>>().join(", ")
}

fn cache(evidence: &Evidence, cache: &Cache) -> String {
    let mut words = match &cache.inputs {
        Some(inputs) => format!("cache of {} ", inputs.value.paths.join(" + ")),
        None => "cache ".to_owned(),
    };
    words += &match cache.lookup.as_ref().map(|lookup| &lookup.value) {
        Some(Lookup::Exact { key }) => format!("hit {key} exactly"),
        Some(Lookup::Partial { key }) => format!("hit {key} by prefix"),
        Some(Lookup::Hit { key }) => format!("hit {key}, exact or not"),
        Some(Lookup::LookupOnly { key }) => format!("only looked up {key}"),
        Some(Lookup::Miss) => "missed".to_owned(),
        None => "showed no lookup".to_owned(),
    };
    if let Some(size) = &cache.restore_size {
        write!(words, ", {} bytes", size.value).unwrap();
    }
    if cache.restored.is_some() {
        words += ", restored";
    }
    if cache.restore_failed.is_some() {
        words += ", restore failed";
    }
    match cache.save.as_ref().map(|save| &save.value) {
        Some(SaveOutcome::Saved { key }) => write!(words, ", saved {key}").unwrap(),
        Some(SaveOutcome::NotSaved(why)) => {
            words += match why {
                NotSaved::PrimaryHit { .. } => ", not saved after a primary hit",
                NotSaved::AlreadyExists { .. } => ", not saved since it exists",
                NotSaved::PathMissing => ", not saved for want of the path",
                NotSaved::ReadOnly { .. } => ", not saved since it is read-only",
                NotSaved::Failed { .. } => ", save failed",
            };
        }
        None => {}
    }
    if let Some(size) = &cache.save_size {
        write!(words, " with {} bytes", size.value).unwrap();
    }
    let post = cache.save.is_some() && evidence.steps.iter().any(|step| step.of.is_some() && step.of == cache.step);
    if post { words + ", in its post step" } else { words }
}

fn dance(dance: &Dance) -> String {
    let entries = |carried: &[verify_buildkit_cache::evidence::Carried]| {
        let entry = |entry: &verify_buildkit_cache::evidence::Carried| {
            let mount = &entry.mount.value;
            format!("{} at {}", entry.source.as_deref().unwrap_or("?"), mount.id.as_deref().unwrap_or(&mount.target))
        };
        carried.iter().map(entry).collect::<Vec<_>>().join(" + ")
    };
    let mut words = format!("dance injects [{}] extracts [{}]", entries(&dance.injected), entries(&dance.extracted));
    for (word, seen) in [
        (", extract skipped", dance.extract_skipped.is_some()),
        (", crashed", dance.crashed.is_some()),
        (", hung", dance.hung.is_some()),
        (", copies failed", !dance.failures.is_empty()),
        (", inputs unseen", dance.inputs.is_none()),
    ] {
        words += if seen { word } else { "" };
    }
    words
}

fn build(build: &Build) -> String {
    let mounts = build.mounts.iter().map(|mount| mount.value.id_part()).collect::<Vec<_>>().join(" + ");
    let mut words = format!("build with [{mounts}]");
    for sizes in &build.sizes {
        let mib = |size: &Option<verify_buildkit_cache::evidence::Seen<u64>>| match size {
            Some(size) => format!("{:.1}", size.value as f64 / 1_048_576.0),
            None => "?".to_owned(),
        };
        write!(words, ", {} {}..{} MiB", sizes.target, mib(&sizes.before), mib(&sizes.after)).unwrap();
    }
    match build.time.as_ref().map(|time| time.value) {
        Some(time) if time.source == TimeSource::Printed => write!(words, ", took {:.2} s", time.took.as_secs_f64()),
        Some(time) => write!(words, ", its step took {:.2} s", time.took.as_secs_f64()),
        None => Ok(()),
    }
    .unwrap();
    if !build.downloads.is_empty() {
        write!(words, ", {} downloads", build.downloads.len()).unwrap();
    }
    for (word, seen) in [
        (", cached", build.cached.is_some()),
        (", step ended", build.step_ended.is_some()),
        (", without cache", build.inputs.as_ref().is_some_and(|inputs| inputs.value.no_cache)),
        (", failed", build.ended.as_ref().is_some_and(|ended| ended.value.is_some())),
        (", end unseen", build.ended.is_none()),
    ] {
        words += if seen { word } else { "" };
    }
    words
}
