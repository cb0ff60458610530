//! Measures `logs` on a large log, beside `grep -cE` with the same phrases alternated, and its memory.
//!
//! Two logs are made, always the same: one in which a step prints tests and linters' noise, and one in which a build prints
//! its packages, layers and downloads. In the middle of both stands what a warm run prints, so that the verdict must be
//! `effective`, or the measurement is refused. The two programs take turns, and the median of the rounds counts. `LOGS_BYTES`
//! changes the size (1 GiB), `LOGS_ROUNDS` the five rounds; with `LOGS_KEEP=DIR` the logs stay there.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to the person who started it")]

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// Reading may take this many times as long as grep.
const MOST_RATIO: f64 = 3.0;
/// And hold this many bytes.
const MOST_MEMORY: u64 = 50 << 20;

/// What the reader looks for, as a person would ask grep for it.
const PHRASES: [&str; 24] = [
    "Cache hit for",
    "Cache Size: ~",
    "Cache restored from key",
    "Cache not found for input keys",
    "Cache saved with key",
    "not saving cache",
    "Failed to (restore|save)",
    "Sent [0-9]+ of",
    "Post job cleanup",
    "##\\[group\\]Run",
    "##\\[(error|warning)\\]",
    "RUN --mount=type=cache",
    "Dancefile",
    "skip-extraction",
    "Error running command",
    "go: downloading",
    "BEFORE",
    "AFTER",
    "/go/pkg/mod",
    "/root/.cache/go-build",
    "real[[:space:]]",
    "DONE [0-9.]+s",
    "CACHED",
    "Current runner version",
];

/// A shape of log.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// A step's output that is none of a build.
    Noise,
    /// The output of a build.
    Build,
}

fn main() -> Result<()> {
    let number =
        |name: &str, default: u64| std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default);
    let (bytes, rounds) = (number("LOGS_BYTES", 1 << 30), number("LOGS_ROUNDS", 5).max(1));
    let kept = std::env::var_os("LOGS_KEEP").map(PathBuf::from);
    let made = tempfile::Builder::new().prefix("verify-buildkit-cache-bench-").tempdir()?;
    let dir = kept.as_deref().unwrap_or(made.path());
    println!("{} MiB a log; {rounds} rounds, medians\n", bytes >> 20);
    println!(
        "{:8} {:>10} {:>14} {:>14} {:>8} {:>8} {:>9}",
        "", "logs", "grep (C)", "grep (locale)", "to C", "to loc.", "memory"
    );
    let mut missed = Vec::new();
    for (name, shape) in [("noise", Shape::Noise), ("build", Shape::Build)] {
        let log = dir.join(format!("{name}.log"));
        write(&log, shape, bytes).with_context(|| format!("cannot write {}", log.display()))?;
        let (mut ours, mut bare, mut local, mut memory) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for round in 0..rounds {
            eprintln!("({name}) round {} of {rounds}", round + 1);
            let (took, peak) = logs(&log)?;
            ours.push(took);
            memory = memory.max(peak);
            bare.push(grep(&log, Some("C"))?);
            local.push(grep(&log, None)?);
        }
        let (ours, bare, local) = (median(ours), median(bare), median(local));
        let to = |other: Duration| ours.as_secs_f64() / other.as_secs_f64();
        println!(
            "{name:8} {:>8.2} s {:>12.2} s {:>12.2} s {:>8.2} {:>8.2} {:>6} MB",
            ours.as_secs_f64(),
            bare.as_secs_f64(),
            local.as_secs_f64(),
            to(bare),
            to(local),
            memory >> 20
        );
        if to(bare) > MOST_RATIO {
            missed.push(format!("{name}: {:.2} times grep, at most {MOST_RATIO}", to(bare)));
        }
        if memory > MOST_MEMORY {
            missed.push(format!("{name}: {} MB, at most {} MB", memory >> 20, MOST_MEMORY >> 20));
        }
        if kept.is_none() {
            fs::remove_file(&log)?;
        }
    }
    ensure!(missed.is_empty(), "{}", missed.join("; "));
    Ok(())
}

/// Judges the log; returns the time and the most memory held.
fn logs(log: &Path) -> Result<(Duration, u64)> {
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_verify-buildkit-cache"))
        .args(["logs", "--format", "json"])
        .arg(log)
        .stdout(Stdio::piped())
        .spawn()?;
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = 0;
    while child.try_wait()?.is_none() {
        // The high water mark only rises, so the last look before the end is near enough.
        peak = high_water(&status).unwrap_or(0).max(peak);
        std::thread::sleep(Duration::from_millis(3));
    }
    let took = began.elapsed();
    let output = child.wait_with_output()?;
    let document: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    ensure!(document["verdict"] == "effective", "the verdict on {} is {}", log.display(), document["verdict"]);
    Ok((took, peak))
}

fn high_water(status: &Path) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(peak.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? << 10)
}

/// Counts the lines with one of the phrases.
fn grep(log: &Path, locale: Option<&str>) -> Result<Duration> {
    let began = Instant::now();
    let mut command = Command::new("grep");
    // Into a pipe: with its output thrown away, grep stops at the first line it finds.
    command.arg("-cE").arg(PHRASES.join("|")).arg(log).stdout(Stdio::piped());
    if let Some(locale) = locale {
        command.env("LC_ALL", locale);
    }
    let output = command.output()?;
    let took = began.elapsed();
    let count = String::from_utf8_lossy(&output.stdout).trim().parse::<u64>()?;
    ensure!(count > 10, "grep found {count} lines");
    Ok(took)
}

fn median(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    took[took.len() / 2]
}

/// Writes a log of about this many bytes.
fn write(path: &Path, shape: Shape, bytes: u64) -> Result<()> {
    let warm = include_str!("../tests/fixtures/logs/healthy-second-run.log");
    let mut out = Stamped { out: BufWriter::with_capacity(1 << 20, File::create(path)?), written: 0, ticks: 0 };
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut lines = warm.lines().map(|line| line.trim_start_matches('\u{feff}'));
    let until = match shape {
        Shape::Noise => "##[group]Run actions/cache",
        // The compile speaks once the sizes before it are printed; sizes that come late prove nothing.
        Shape::Build => " real\t",
    };
    let mut filled = false;
    for line in lines.by_ref() {
        if line.contains(until) {
            if let Shape::Noise = shape {
                for text in [
                    "##[group]Run go test ./...",
                    "\u{1b}[36;1mgo test ./...\u{1b}[0m",
                    "shell: /usr/bin/bash -e {0}",
                    "##[endgroup]",
                ] {
                    out.line(text)?;
                }
            }
            while out.written < bytes {
                match shape {
                    Shape::Noise => out.line(&noise(&mut random))?,
                    Shape::Build => out.line(&build(&mut random))?,
                }
            }
            filled = true;
        }
        // Continuation lines have no timestamp of their own.
        match line.split_once(' ').filter(|(stamp, _)| stamp.starts_with("2026-") && stamp.ends_with('Z')) {
            Some((_, text)) => {
                // A build is not printed faster than it says that it ran.
                out.ticks += 10_000;
                out.line(text)?;
            }
            None => writeln!(out.out, "{line}")?,
        }
    }
    ensure!(filled, "the warm log has no line with `{until}`");
    out.out.flush()?;
    Ok(())
}

/// A line of a step that tests and lints.
fn noise(random: &mut Random) -> String {
    let (a, b) = (random.below(10_000), random.below(900));
    match random.below(8) {
        0 => format!("=== RUN   TestHandler/case_{a}"),
        1 => format!("--- PASS: TestHandler/case_{a} (0.{b:03}s)"),
        2 => format!("ok  \texample.com/service/internal/pkg{a}\t0.{b:03}s\tcoverage: 81.{}% of statements", b % 10),
        3 => format!("    handler_test.go:{b}: GET /v1/accounts/{a}?limit=50 200 in {b}\u{b5}s"),
        4 => format!("{{\"level\":\"info\",\"ts\":17{a:05}.{b},\"msg\":\"request served\",\"path\":\"/api/{a}\"}}"),
        5 => format!("added {b} packages, and audited {a} packages in {}s", b % 60),
        6 => format!("internal/store/query.go:{b}:12: warning: parameter 'ctx{a}' is unused (unparam)"),
        _ => format!("2026/02/18 12:20:{:02} worker {a} picked up job {b} from queue default", b % 60),
    }
}

/// A line of a build.
fn build(random: &mut Random) -> String {
    let (a, b) = (random.below(10_000), random.below(900));
    match random.below(8) {
        0 => format!("#5 sha256:{a:08x}{b:08x}c0ffee {b}.58MB / {}.20MB {}.3s", b + 30, b % 60),
        1 => format!(
            "#6 {b}.{:03} Get:{a} http://deb.debian.org/debian bookworm/main amd64 lib{a} amd64 1.{b} [{b} kB]",
            b % 1000
        ),
        2 => format!("#8 {b}.14 example.com/vendor/module{a}/internal/pkg{b}"),
        3 => format!("#8 {b}.15 runtime/internal/atomic{a}"),
        4 => format!("#7 {b}.33 npm warn deprecated package{a}@{b}.0.0: this version is no longer supported"),
        5 => format!("#9 {b}.71   CC      build/obj/src/module_{a}/file_{b}.o"),
        6 => format!("#8 {b}.16 WORK=/tmp/go-build{a}{b}"),
        _ => format!("#10 {b}.02 Unpacking lib{a}-dev:amd64 (1.{b}-3+deb12u1) ..."),
    }
}

/// Lines with timestamps that go on by a tenth of a millisecond.
struct Stamped {
    out: BufWriter<File>,
    written: u64,
    ticks: u64,
}

impl Stamped {
    fn line(&mut self, text: &str) -> Result<()> {
        self.ticks += 1;
        let seconds = self.ticks / 10_000;
        let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
        let tail = self.ticks % 10_000 * 1_000;
        writeln!(self.out, "2026-02-18T{hour:02}:{minute:02}:{second:02}.{tail:07}Z {text}")?;
        self.written += 30 + text.len() as u64;
        Ok(())
    }
}

/// Numbers that look random and are always the same (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % end
    }
}
