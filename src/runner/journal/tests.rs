//! Tests of the journal: what a dead process wrote is understood, and a live one's is let alone.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use super::*;
use crate::engine::WorkSpan;

fn engine() -> EngineIdentity {
    EngineIdentity { address: "unix:///run/engine".to_owned(), id: "ABCD".to_owned() }
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn begin(dir: &Path) -> Journal {
    Journal::begin(dir, "word", &engine(), Clock::new(|| at(1000))).unwrap()
}

/// Lets a journal look as if the process that wrote it had died at a moment.
fn die(dir: &Path, journal: Journal, moment: SystemTime) {
    drop(journal);
    let path = dir.join("word.jsonl");
    // The heartbeat lets go of the lock a moment later, and a child of another test at its start.
    File::options().write(true).open(&path).unwrap().lock().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let mut header: JournalHeader = serde_json::from_str(first).unwrap();
    header.process.start = "1".to_owned();
    fs::write(&path, format!("{}\n{rest}", header.line())).unwrap();
    File::options().write(true).open(&path).unwrap().set_modified(moment).unwrap();
}

fn note(journal: &Journal, note: &BuildNote<'_>) {
    journal.witness().unwrap().note(&Namespace::new("vbc-a-r1-b0"), 7, note);
}

#[test]
fn a_journal_stands_on_disk_before_anything_is_made_and_only_its_user_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("state/journal");
    let journal = begin(&dir);
    journal.namespace(&Namespace::new("vbc-a-r1-b0"));
    journal.directory(Path::new("/tmp/verify-buildkit-cache-runners-word"));
    let path = dir.join("word.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.lines().count() == 3 && text.contains("vbc-a-r1-b0") && text.contains("runners-word"), "{text}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
    journal.close().unwrap();
    assert!(!path.exists());
}

#[test]
fn the_journal_of_a_process_that_lives_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let journal = begin(dir.path());
    let found = survey(dir.path()).unwrap();
    assert_eq!((found.dead.len(), found.alive), (0, vec![engine()]));
    // Without the lock the number of the process tells.
    drop(journal);
    let found = survey(dir.path()).unwrap();
    assert_eq!((found.dead.len(), found.alive.len()), (0, 1));
}

#[test]
fn the_lock_tells_that_a_process_lives_whose_number_says_nothing_here() {
    let dir = tempfile::tempdir().unwrap();
    die(dir.path(), begin(dir.path()), at(2000));
    let held = File::options().read(true).open(dir.path().join("word.jsonl")).unwrap();
    held.lock().unwrap();
    assert_eq!(survey(dir.path()).unwrap().dead.len(), 0);
    drop(held);
    assert_eq!(survey(dir.path()).unwrap().dead.len(), 1);
}

#[test]
fn what_a_dead_process_wrote_says_what_worked_and_until_when_it_may_have_worked() {
    let dir = tempfile::tempdir().unwrap();
    let journal = begin(dir.path());
    journal.namespace(&Namespace::new("vbc-a-r1-b0"));
    note(&journal, &BuildNote::Began { at: at(1010) });
    for (name, from, to) in [
        ("[1/4] FROM golang", None, None),
        ("[2/4] COPY . .", None, None),
        ("[3/4] RUN make", None, None),
        ("[4/4] COPY --from=build /a /a", None, None),
        ("[2/4] COPY . .", Some(at(1020)), None),
        ("[2/4] COPY . .", Some(at(1020)), Some(at(1021))),
        ("[3/4] RUN make", Some(at(1021)), None),
    ] {
        note(&journal, &BuildNote::Vertex { name, from, to });
    }
    die(dir.path(), journal, at(1100));
    let found = survey(dir.path()).unwrap();
    let [dead] = &found.dead[..] else { panic!("{found:?}") };
    let [left] = &dead.work[..] else { panic!("{dead:?}") };
    let until = left.until;
    assert!(until > at(1100) && until < at(1120));
    let span = |vertex: &str, from, to| WorkSpan { vertex: vertex.to_owned(), from, to };
    let mut expected = WorkSpan::of_context(at(1010), until);
    expected.extend([
        // What was only announced may have begun since the engine last said something.
        span("[1/4] FROM golang", at(1021), until),
        span("[4/4] COPY --from=build /a /a", at(1021), until),
        span("[2/4] COPY . .", at(1020), at(1021)),
        span("[3/4] RUN make", at(1021), until),
    ]);
    assert_eq!(left.work, expected);
}

#[test]
fn of_a_build_that_ended_the_last_word_counts() {
    let dir = tempfile::tempdir().unwrap();
    let journal = begin(dir.path());
    journal.namespace(&Namespace::new("vbc-a-r1-b0"));
    let work = [WorkSpan { vertex: "[2/4] COPY . .".to_owned(), from: at(1020), to: at(1021) }];
    note(&journal, &BuildNote::Began { at: at(1010) });
    note(&journal, &BuildNote::Vertex { name: "[2/4] COPY . .", from: None, to: None });
    note(&journal, &BuildNote::Ended { work: &work });
    die(dir.path(), journal, at(1100));
    assert_eq!(survey(dir.path()).unwrap().dead[0].work[0].work, work);
}

#[test]
fn builds_of_others_are_not_written_down() {
    let dir = tempfile::tempdir().unwrap();
    let journal = begin(dir.path());
    note(&journal, &BuildNote::Began { at: at(1010) });
    assert_eq!(fs::read_to_string(dir.path().join("word.jsonl")).unwrap().lines().count(), 1);
}

#[test]
fn a_torn_line_hides_no_other_and_damaged_or_newer_files_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let journal = begin(dir.path());
    journal.namespace(&Namespace::new("vbc-a-r1-b0"));
    die(dir.path(), journal, at(1100));
    let path = dir.path().join("word.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}{{\"what\":\"namesp")).unwrap();
    let found = survey(dir.path()).unwrap();
    found.dead[0].stays("1 record is in use").unwrap();
    drop(found);
    let found = survey(dir.path()).unwrap();
    assert_eq!((found.dead[0].work.len(), found.dead[0].stays.as_deref()), (1, Some("1 record is in use")));
    drop(found);
    for (text, why) in [
        (text.replace("\"schema\":1", "\"schema\":2"), "newer version"),
        ("{}\n".to_owned(), "line 1"),
        (String::new(), "empty"),
        ("x".repeat(3 << 20), "longer"),
    ] {
        fs::write(&path, text).unwrap();
        let found = survey(dir.path()).unwrap();
        assert_eq!(found.dead.len(), 0);
        assert!(found.unreadable[0].1.contains(why), "{:?}", found.unreadable);
        assert!(path.exists());
    }
}

#[test]
fn only_directories_that_are_certainly_its_own_are_removed() {
    let (dir, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let journal = begin(dir.path());
    let place = |name: &str| temporary.path().join(name);
    let (own, kept, other, link) = (
        place("verify-buildkit-cache-runners-1"),
        place("verify-buildkit-cache-evidence-1"),
        place("documents"),
        place("verify-buildkit-cache-runners-2"),
    );
    for path in [&own, &kept, &other] {
        fs::create_dir(path).unwrap();
        fs::write(path.join("file"), "text").unwrap();
    }
    std::os::unix::fs::symlink(&other, &link).unwrap();
    for path in [&own, &kept, &other, &link] {
        journal.directory(path);
    }
    journal.kept(&kept);
    die(dir.path(), journal, at(1100));
    assert_eq!(survey(dir.path()).unwrap().dead[0].remove_directories().unwrap(), 1);
    assert!(!own.exists() && kept.join("file").exists() && other.join("file").exists() && link.is_symlink());
}

#[test]
fn the_time_of_a_journal_is_that_of_its_process() {
    let dir = tempfile::tempdir().unwrap();
    let journal = begin(dir.path());
    let path = dir.path().join("word.jsonl");
    let beats = || fs::metadata(&path).unwrap().modified().unwrap() == at(1000);
    let since = std::time::Instant::now();
    while !beats() {
        assert!(since.elapsed() < Duration::from_secs(30), "no heartbeat");
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(journal);
}

#[test]
fn a_state_directory_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Journal::begin(&file.join("journal"), "word", &engine(), Clock::new(|| at(0))).unwrap_err();
    assert!(error.to_string().contains("file/journal"), "{error}");
}
