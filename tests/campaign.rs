//! Kills runs at random moments, starts the program once more, and counts what is left. [`Tally`] is principal.
//!
//! `make campaign`; no part of `make test`. CAMPAIGN_KILLS says how many kills of each kind, CAMPAIGN_SIGNALS which kinds,
//! CAMPAIGN_LOCK names a file to hold while the engine is in use, CAMPAIGN_OUT where the figures go as JSON.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a campaign says what it sees and stops where it cannot go on"
)]

#[expect(dead_code, reason = "the end-to-end tests use the rest")]
mod support;

use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use support::engine::{Engine, Holdings};
use support::own::Own;

/// What is run and killed: a build that is cold twice, one with another builder, and a healthy one with every copy.
const SUBJECTS: [&[&str]; 3] = [
    &["--scenario", "cache-map-id-mismatch"],
    &["--scenario", "dance-missing"],
    &["--scenario", "healthy", "--sample", "small"],
];

/// How long a signalled program and the next start may take.
const LIMIT: Duration = Duration::from_secs(90);

/// What was left by the kills of one kind.
#[derive(Debug, Default)]
struct Tally {
    kills: usize,
    /// Kills that came after the program had ended.
    late: usize,
    /// After the kill itself: things on the engine and directories.
    at_once: usize,
    /// Kills that left something at once.
    leaving: usize,
    /// After the next start.
    left: usize,
    /// What was gone that had been there.
    lost: usize,
    /// Of each kill that left something after the next start: what.
    words: Vec<String>,
}

/// Where the program under test writes.
struct Ground {
    dir: tempfile::TempDir,
}

impl Ground {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("tmp")).unwrap();
        Self { dir }
    }

    fn start(&self, args: &[&str]) -> Child {
        let file = |name: &str| File::options().create(true).append(true).open(self.dir.path().join(name)).unwrap();
        Command::new(env!("CARGO_BIN_EXE_verify-buildkit-cache"))
            .args(args)
            .env("TMPDIR", self.dir.path().join("tmp"))
            .env("XDG_STATE_HOME", self.dir.path().join("state"))
            .env_remove("GO_IMAGE")
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn()
            .unwrap()
    }

    /// Lists runners' directories and evidence that nobody was told of, and journals.
    fn leavings(&self) -> Vec<PathBuf> {
        let names = |dir: &Path| -> Vec<PathBuf> {
            fs::read_dir(dir).map(|found| found.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default()
        };
        let said =
            ["err", "out"].map(|name| fs::read_to_string(self.dir.path().join(name)).unwrap_or_default()).concat();
        let mut found = names(&self.dir.path().join("tmp"));
        // Evidence whose place was told, on the way or by the report, is the person's.
        found.retain(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            !(name.contains("evidence") && said.contains(&*name))
        });
        found.extend(names(&self.dir.path().join("state/verify-buildkit-cache/journal")));
        found
    }
}

fn main() -> ExitCode {
    let number = |name: &str, usual: usize| std::env::var(name).map_or(usual, |text| text.parse().unwrap());
    let kills = number("CAMPAIGN_KILLS", 25);
    let signals = std::env::var("CAMPAIGN_SIGNALS").unwrap_or_else(|_| "INT TERM HUP KILL".to_owned());
    let engine = Engine::of_the_environment();
    if let Some(reason) = engine.missing() {
        println!("{reason}");
        return ExitCode::FAILURE;
    }
    // What is made beside the runs of others, those may not tell from their own.
    let own = {
        let _turn = turn();
        Own::make(&engine)
    };
    let span = {
        let _turn = turn();
        whole_run()
    };
    println!("a whole run takes {:.1} s; {kills} kills of each kind in that time", span.as_secs_f64());
    let mut tallies = Vec::new();
    for signal in signals.split_whitespace() {
        let mut tally = Tally::default();
        for round in 0..kills {
            let _turn = turn();
            kill_once(&engine, signal, span, round, &mut tally);
            own.are_all_listed();
        }
        tallies.push((signal.to_owned(), tally));
    }
    own.are_still_there();
    println!("\nsignal  kills  left at once (kills)  left after the next start  gone of others'");
    for (signal, tally) in &tallies {
        let (at_once, leaving) = (tally.at_once, tally.leaving);
        println!("{signal:<6} {:>6} {at_once:>13} ({leaving:>3}) {:>22} {:>21}", tally.kills, tally.left, tally.lost);
    }
    if let Ok(path) = std::env::var("CAMPAIGN_OUT") {
        let rows = tallies.iter().map(|(signal, it)| {
            json!({"signal": signal, "kills": it.kills, "after_the_end": it.late, "left_at_once": it.at_once,
                "kills_that_left": it.leaving, "left": it.left, "lost": it.lost, "what": it.words})
        });
        let document = json!({"schema": 1, "whole_run_s": span.as_secs_f64(), "signals": rows.collect::<Vec<_>>()});
        fs::write(path, format!("{document:#}\n")).unwrap();
    }
    println!("what a person had on the engine is still there");
    match tallies.iter().all(|(_, tally)| tally.left == 0 && tally.lost == 0) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Waits for the file that says whose turn on the engine it is.
fn turn() -> Option<File> {
    let path = std::env::var_os("CAMPAIGN_LOCK")?;
    let file = File::options().create(true).write(true).truncate(false).open(path).unwrap();
    file.lock().unwrap();
    Some(file)
}

/// Measures how long the longest subject takes when nobody kills it.
fn whole_run() -> Duration {
    let ground = Ground::new();
    let began = Instant::now();
    let status = ground.start(&[&["run"], SUBJECTS[2]].concat()).wait().unwrap();
    let said = fs::read_to_string(ground.dir.path().join("err")).unwrap();
    assert_eq!(status.code(), Some(0), "{said}");
    assert!(ground.leavings().is_empty(), "{:?}", ground.leavings());
    began.elapsed()
}

fn kill_once(engine: &Engine, signal: &str, span: Duration, round: usize, tally: &mut Tally) {
    let ground = Ground::new();
    let before = engine.holdings();
    let mut child = ground.start(&[&["run"], SUBJECTS[round % SUBJECTS.len()]].concat());
    let wait = span.mul_f64(RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64);
    std::thread::sleep(wait);
    tally.kills += 1;
    if child.try_wait().unwrap().is_some() {
        tally.late += 1;
    } else {
        let sent = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status().unwrap();
        assert!(sent.success());
    }
    end(&mut child, &ground);
    let between = engine.holdings();
    let left = ground.leavings().len() + new_since(&before, &between).len();
    tally.at_once += left;
    tally.leaving += usize::from(left > 0);
    // The next start, of either kind.
    let command: &[&str] = if round.is_multiple_of(2) { &["clean"] } else { &["doctor"] };
    end(&mut ground.start(command), &ground);
    let after = engine.holdings();
    let mut words = new_since(&before, &after);
    words.extend(ground.leavings().iter().map(|path| path.display().to_string()));
    let lost = before.lost_in(&after);
    println!(
        "{signal} {round} after {:.2} s: {left} left at once, {} after the next start, {} gone",
        wait.as_secs_f64(),
        words.len(),
        lost.len()
    );
    if !words.is_empty() || !lost.is_empty() {
        let said = fs::read_to_string(ground.dir.path().join("err")).unwrap_or_default();
        println!("  left: {words:#?}\n  gone: {lost:#?}\n  said: {said}");
        tally.words.push(words.join("; "));
    }
    tally.left += words.len();
    tally.lost += lost.len();
}

/// Waits for a program to end within the limit.
fn end(child: &mut Child, ground: &Ground) {
    let since = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if since.elapsed() > LIMIT {
            child.kill().unwrap();
            child.wait().unwrap();
            let said = fs::read_to_string(ground.dir.path().join("err")).unwrap_or_default();
            println!("  it still ran after {LIMIT:?}: {said}");
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Lists what is on the engine and was not before.
fn new_since(before: &Holdings, now: &Holdings) -> Vec<String> {
    now.lost_in(before)
}
