//! One vertex of a build: what its name tells and what it has shown. [`Vertex`] is principal.
//!
//! It guesses what a step does from its name alone; it reads no output.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use super::go_place::{GoCache, GoPlace, asked, places_of, places_of_env};
use super::harmless::{first_compiling, first_unknown};
use super::run_mounts::{run_command, run_mounts, stage_of, without_flags};
use super::{BuildTime, CompileStep, MeasuredAt, MountSpec, TimeSource};
use crate::dockerfile::ProofStep;

/// What is known of one vertex.
#[derive(Debug, Default)]
pub(super) struct Vertex {
    name: Option<String>,
    /// How surely it is the compiling step: 0 not at all; 1 a build tool with a module mount; 2 with
    /// other cache mounts; 3 `go build` without; 4 with.
    pub(super) rank: u8,
    /// Its cache mounts.
    pub(super) mounts: Vec<MountSpec>,
    /// What a bare number of its `du` counts, in bytes, where the command is in sight.
    pub(super) block: Option<u64>,
    /// How many `du` commands its name shows before and after `go build`; `None` when it shows no build.
    pub(super) measures: Option<(usize, usize)>,
    /// Which commands of its name are timed; `None` when its name is not known.
    timed: Timed,
    /// Its name shows a command that fills Go's caches, and whether one stands before the first `du`.
    pub(super) fills: Option<CacheFilling>,
    /// The first command of its name that is not known to leave the caches alone; and the first before its first `du`.
    unknown: Option<String>,
    unknown_head: Option<String>,
    /// The first command before `go build` that may compile.
    compiles_first: Option<String>,
    /// A command between its last `du` and its end that may compile.
    unknown_tail: bool,
    /// What it said of other work before it printed a size: a command in a shell's trace, or a test's result.
    said: Option<(String, Spoken)>,
    /// Its name shows a command that fetches modules, and no cache mount that may keep them.
    pub(super) fetches: bool,
    /// Its command asks `df`, which prints the space of a disk, and never `du`.
    free_space: bool,
    /// How many times it has printed.
    times: usize,
    /// The marker it printed last.
    pub(super) marker: Option<MeasuredAt>,
    /// It printed something.
    pub(super) printed: bool,
    /// It printed something else than sizes and markers, so it is at work.
    pub(super) worked: bool,
    /// It downloaded or timed something.
    pub(super) active: bool,
    /// A later marker or a second measurement showed that the first one was the one before the build.
    pub(super) confirmed: bool,
    /// Its end was seen.
    pub(super) ended: bool,
    /// It came from the layer cache.
    pub(super) cached: bool,
    /// The paths it measured before the build.
    pub(super) found: BTreeSet<String>,
    /// The paths it measured.
    pub(super) measured: BTreeSet<String>,
    /// The mounts into which it said that it may not write.
    refused: BTreeSet<String>,
    /// How long it compiled.
    pub(super) time: Option<BuildTime>,
    /// All times that it printed, together.
    pub(super) printed_time: Duration,
    /// Words of its command that keep it from using what is in its caches.
    pub(super) unused: Option<String>,
    /// Its mounts that begin with the contents of a stage or an image: target and `from`.
    pub(super) seeded: Vec<(String, String)>,
    /// It builds with a tool or a script, or with `go build` and no cache: it may be the build of the product.
    pub(super) product: bool,
    /// Where its command keeps Go's caches.
    pub(super) places: Vec<GoPlace>,
    /// It is a step that `instrument` put in: it prints proof lines and does nothing else.
    pub(super) proof: Option<ProofStep>,
    /// The targets that such a step mounts read-only.
    pub(super) read_only: BTreeSet<String>,
    /// The caches whose places it asks `go env` for and has not printed yet.
    asked: Vec<GoCache>,
    /// When it was named, by the clock of who feeds it.
    pub(super) began: Option<SystemTime>,
    /// How long it had been at work with its last line.
    pub(super) since: Option<Duration>,
    /// How long it ran, once it has ended.
    pub(super) took: Option<Duration>,
}

/// What a line says of work that came before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spoken {
    /// A shell traces the command that it runs.
    Trace,
    /// A test has ended.
    Test,
}

/// What a step's name shows of commands that fill Go's caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CacheFilling {
    /// One stands before the first `du`, so that what it measures is not what came in.
    BeforeMeasuring,
    /// One stands there, after the first `du` or without any.
    Somewhere,
}

/// The timed commands of a shell line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Timed {
    /// None is in sight: a script may time what it likes.
    #[default]
    OutOfSight,
    /// So many; this one, from 0, is the build.
    Build { count: usize, nth: usize },
    /// Some are, and the build is none of them.
    Others,
}

/// How long a step can be at work and still have filled no cache.
pub(super) const QUICK: Duration = Duration::from_secs(1);

/// The most that a step can put into a cache in a second: what it downloads comes over a network and is unpacked, what it
/// compiles takes longer.
const FILLED_A_SECOND: u64 = 100 << 20;

/// How much of a name is kept to be shown.
const SHOWN: usize = 300;

/// What a message says that did not get to write. A `du` that may not look into a directory says none of it.
const WRITES: [&str; 8] = ["mkdir", "create", "open ", "touch", "writ", "rename", "remove", "initialize build cache"];

/// Commands that compile Go code without saying `go build`.
const TOOLS: [&str; 16] = [
    "go install",
    "go test",
    "go run",
    "garble",
    "goreleaser",
    "xx-go",
    "make",
    "mage",
    "task",
    "just",
    "ninja",
    "bazel",
    "build.sh",
    "compile",
    "<<",
    "ko build",
];

impl Vertex {
    /// Tells whether its name is known.
    pub(super) fn named(&self) -> bool {
        self.name.is_some()
    }

    /// Its name, cut to a length fit to be shown.
    pub(super) fn shown(&self) -> &str {
        self.name.as_deref().unwrap_or("")
    }

    /// Returns what its name shows of it as a step that compiles with cache mounts.
    pub(super) fn compile_step(&self) -> Option<CompileStep> {
        let stage = || stage_of(self.name.as_deref()?).map(str::to_owned);
        let compiles = self.rank > 0 && !self.mounts.is_empty();
        compiles.then(|| CompileStep { sure: self.rank, stage: stage(), mounts: self.mounts.clone() })
    }

    /// Returns the target of its cache mount into which a line says that it may not write.
    /// Each mount is told once.
    pub(super) fn refused(&mut self, line: &str) -> Option<String> {
        let line = line.trim_end();
        let refusal = line.ends_with("ermission denied") && WRITES.iter().any(|write| line.contains(write));
        let mut targets = self.mounts.iter().filter(|_| refusal).map(MountSpec::clean_target);
        let target = targets.find(|target| {
            line.match_indices(target.as_str()).any(|(at, found)| {
                line[at + found.len()..].starts_with(|next: char| !(next.is_alphanumeric() || "-_.".contains(next)))
            })
        })?;
        self.refused.insert(target.clone()).then_some(target)
    }

    /// Learns its name.
    pub(super) fn name(&mut self, name: &str) {
        let cut = (0..=SHOWN.min(name.len())).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
        self.name = Some(name[..cut].to_owned());
        // The classic builder shows each instruction.
        if let Some((_, values)) = name.split_once("] ENV ") {
            self.places = places_of_env(values);
        }
        let Some(command) = run_command(name) else { return };
        let command = without_flags(command);
        self.proof = ProofStep::read(command);
        if self.proof.is_some() {
            self.mounts = run_mounts(name);
            let mounts = crate::dockerfile::parse_run_mounts(name);
            let read_only = mounts.iter().filter(|mount| mount.readonly);
            self.read_only = read_only.map(|mount| crate::dockerfile::clean_path(&mount.target)).collect();
            return;
        }
        let exec = exec_words(command);
        let command = opened(exec.as_deref().unwrap_or(command));
        let command = command.as_ref();
        self.mounts = run_mounts(name);
        self.rank = match (command.contains("go build"), self.mounts.is_empty()) {
            (true, false) => 4,
            (true, true) => 3,
            // One that can keep no objects hardly compiles the product.
            (false, false) if TOOLS.iter().any(|tool| command.contains(tool)) => {
                if self.mounts.iter().all(holds_only_modules) { 1 } else { 2 }
            }
            _ => 0,
        };
        self.unused = unused(command, &self.mounts);
        self.seeded = seeded(name);
        self.places = places_of(command, &self.mounts);
        self.asked = asked(command);
        self.product =
            self.rank > 0 && (command.contains("go build") || command.contains(".sh") || builds_with_a_tool(command));
        self.block = block(command);
        self.free_space = prints_only_free_space(command);
        self.timed = timed(command);
        self.fills = fills(command);
        self.unknown = first_unknown(command);
        let du = |text: &str| {
            let words = text.match_indices("du ").map(|(at, _)| at);
            words
                .filter(|at| {
                    *at == 0 || text[..*at].ends_with(|char: char| char.is_whitespace() || ";&|(/`".contains(char))
                })
                .collect::<Vec<_>>()
        };
        let places = du(command);
        self.unknown_head = places.first().and_then(|at| first_unknown(&command[..*at]));
        self.unknown_tail = places.last().is_some_and(|at| first_compiling(&command[*at..]).is_some());
        self.compiles_first = command.split_once("go build").and_then(|(head, _)| {
            // What stands before `go build` in its own command is no command yet.
            let own = head.rfind([';', '&', '|', '\n', '(']).map_or(0, |at| at + 1);
            first_compiling(&head[..own])
        });
        self.fetches = ["go mod download", "go get ", "go mod tidy"].iter().any(|fetch| command.contains(fetch))
            && !self.mounts.iter().any(keeps_modules);
        self.measures = command.split_once("go build").map(|(before, after)| (measures(before), measures(after)));
    }

    /// Tells whether its command installs or runs a tool of its own version: `go install example.org/tool@v1`.
    pub(super) fn installs_a_tool(&self) -> bool {
        let words: Vec<&str> = self.shown().split_whitespace().collect();
        let mut pairs = words.windows(2).enumerate();
        pairs.any(|(at, pair)| {
            matches!(pair, ["go", "install" | "run"]) && words[at..].iter().any(|word| word.contains('@'))
        })
    }

    /// Tells whether its command installs what stands in the source, as some build their product.
    pub(super) fn installs_the_product(&self) -> bool {
        self.shown().contains("go install") && !self.installs_a_tool()
    }

    /// Takes a printed time; returns whether it is the build's.
    pub(super) fn timing(&mut self, took: Duration) -> bool {
        self.printed_time = self.printed_time.saturating_add(took);
        let nth = self.times;
        self.times += 1;
        let ours = match self.timed {
            Timed::Build { count: 2.., nth: build } => nth == build,
            Timed::Build { .. } => true,
            Timed::OutOfSight if nth == 0 => true,
            // A script that times several things does not say which of them is the build.
            Timed::OutOfSight => {
                self.time = None;
                self.timed = Timed::Others;
                false
            }
            Timed::Others => false,
        };
        if ours {
            self.time = Some(BuildTime { took, source: TimeSource::Printed });
        }
        ours
    }

    /// Tells whether what it took is known: its end was seen, and if it prints times, every timed command has printed.
    pub(super) fn settled(&self) -> bool {
        let printed = self.time.is_some_and(|time| time.source == TimeSource::Printed);
        match self.timed {
            Timed::Build { count: count @ 2.., .. } if printed => self.ended && self.times == count,
            _ => self.ended,
        }
    }

    /// Tells whether its command shows that the time it printed is that of `go build`.
    pub(super) fn times_the_build(&self) -> bool {
        matches!(self.timed, Timed::Build { .. })
    }

    /// Returns how long it has been at work at this moment, when another vertex prints, as far as that is known.
    ///
    /// The other's own seconds count, not the moment at which its line came out: BuildKit holds lines back.
    pub(super) fn busy(&self, now: Option<SystemTime>, other: &Self) -> Duration {
        let moment = other.began.zip(other.since).and_then(|(began, since)| began.checked_add(since)).or(now);
        let running = moment.zip(self.began).and_then(|(now, began)| now.duration_since(began).ok());
        let running = running.filter(|_| !self.ended);
        self.took.or(running).max(self.since).unwrap_or_default()
    }

    /// Tells whether it ended so soon, and without a word, that it cannot have brought these bytes into a cache: it found
    /// that it had nothing to do.
    pub(super) fn left_alone(&self, now: Option<SystemTime>, other: &Self, bytes: u64) -> bool {
        let silent = !self.active && !self.worked;
        let Some(took) = self.took.filter(|_| silent).map(|took| took.max(self.busy(now, other))) else { return false };
        let most = (took.as_secs_f64().max(0.1) * FILLED_A_SECOND as f64) as u64;
        took <= QUICK && bytes > most
    }

    /// Takes a path that it printed for the next one that its command asks `go env` for.
    pub(super) fn asked_for(&mut self, path: String) -> Option<GoPlace> {
        let cache = if self.asked.is_empty() { return None } else { self.asked.remove(0) };
        Some(GoPlace { cache, path })
    }

    /// Takes a line for what it says of work before a size that may follow.
    pub(super) fn speaks(&mut self, text: &str) {
        let may = matches!(text.as_bytes().first(), Some(b'+' | b'o' | b'F' | b'-' | b'=' | b'?' | b'P'));
        if !may || self.said.is_some() || !self.measured.is_empty() {
            return;
        }
        let text = text.trim();
        if let Some(command) = text.strip_prefix("+ ") {
            self.said = first_unknown(command).map(|command| (command, Spoken::Trace));
        } else if tells_of_a_test(text) {
            self.said = Some((text.chars().take(120).collect(), Spoken::Test));
        }
    }

    /// Tells whether the `du` that measures before the build stands in its name.
    pub(super) fn measures_in_sight(&self) -> bool {
        self.measures.is_some_and(|(before, _)| before > 0) || self.rank == 0
    }

    /// Returns what ran in this step before it prints that a mount holds these bytes, and may have brought them there.
    pub(super) fn ran_before(&self, bytes: u64) -> Option<String> {
        if let Some((line, Spoken::Test)) = &self.said {
            return Some(line.clone());
        }
        let traced = self.said.as_ref().map(|(command, _)| command);
        let command = self.unknown_head.as_ref().or(traced)?;
        let quick = self.since.is_some_and(|since| {
            since <= QUICK && bytes > (since.as_secs_f64().max(0.1) * FILLED_A_SECOND as f64) as u64
        });
        (!quick).then(|| command.clone())
    }

    /// Returns what its command compiles before `go build`.
    pub(super) fn compiled_first(&self) -> Option<String> {
        self.compiles_first.clone()
    }

    /// Tells whether its command goes on, after its last `du`, with what may compile.
    pub(super) fn ran_after_measuring(&self) -> bool {
        self.unknown_tail
    }

    /// Tells whether its command may compile Go code: it is not known to leave the caches alone.
    pub(super) fn may_compile(&self) -> bool {
        self.unknown.as_ref().is_some_and(|command| first_compiling(command).is_some())
    }

    /// Tells whether its command may have put anything into Go's caches.
    pub(super) fn may_fill(&self) -> bool {
        self.fills.is_some() || self.unknown.is_some()
    }

    /// Returns its mount at a path, or above it.
    pub(super) fn mount_at(&self, path: &str) -> Option<&MountSpec> {
        self.mounts.iter().find(|mount| {
            let target = mount.clean_target();
            path == target || path.strip_prefix(&target).is_some_and(|rest| rest.starts_with('/') || target == "/")
        })
    }

    /// Tells whether a path is one of its cache mounts, or lies in one.
    pub(super) fn mounted(&self, path: &str) -> bool {
        self.mount_at(path).is_some()
    }

    /// Tells whether another vertex mounts the cache at a path that this one mounts there, as far as this one mounts any.
    pub(super) fn shares(&self, other: &Self, path: &str) -> bool {
        let own = self.mount_at(path);
        other.mount_at(path).is_some_and(|mount| own.is_none_or(|own| own.same_cache(mount)))
    }

    /// Tells whether a printed size of this path is one of a cache mount; `target` says that some vertex mounts it.
    pub(super) fn shows(&self, path: &str, target: bool) -> bool {
        if self.free_space {
            return false;
        }
        let mounted = self.mounted(path);
        let variable = self.mounts.iter().any(|mount| mount.target.contains('$') || !mount.target.starts_with('/'));
        let go = ["go-build", "/pkg/mod", "gocache", "gomodcache"].iter().any(|part| path.contains(part));
        match mounted {
            true => go || target,
            false => go && (variable || !self.named()),
        }
    }
}

/// Tells whether a line is one that `go test` prints of a package or a test.
fn tells_of_a_test(text: &str) -> bool {
    const STARTS: [&str; 6] = ["ok  \t", "FAIL\t", "--- PASS: ", "--- FAIL: ", "=== RUN ", "?   \t"];
    matches!(text.as_bytes().first(), Some(b'o' | b'F' | b'-' | b'=' | b'?' | b'P'))
        && (text == "PASS" || STARTS.iter().any(|start| text.starts_with(start)))
}

/// Tells whether a command of [`TOOLS`] may build the product, where a `go build` beside it builds a helper.
fn builds_with_a_tool(command: &str) -> bool {
    const NO_PRODUCT: [&str; 3] = ["go test", "go run", "<<"];
    TOOLS.iter().any(|tool| !NO_PRODUCT.contains(tool) && command.contains(tool))
}

/// Splits a shell line into its simple commands' words.
fn simple_commands(command: &str) -> impl Iterator<Item = Vec<&str>> {
    let quotes = |char: char| matches!(char, '"' | '\'' | '(' | ')' | '{' | '}' | '`');
    command.split([';', '&', '|', '\n']).map(move |part| {
        part.split_whitespace().map(|word| word.trim_matches(quotes)).filter(|word| !word.is_empty()).collect()
    })
}

/// Finds words of a command that keep a build from using what its caches hold: everything is compiled again, the cache is
/// emptied, or it lies elsewhere.
fn unused(command: &str, mounts: &[MountSpec]) -> Option<String> {
    let inside = |path: &str| {
        mounts.iter().any(|mount| {
            let target = mount.clean_target();
            mount.target.contains('$')
                || path == target
                || path.strip_prefix(&target).is_some_and(|rest| rest.starts_with('/'))
        })
    };
    for words in simple_commands(command) {
        let shown = || Some(words.join(" ").chars().take(200).collect());
        for word in &words {
            let elsewhere = ["GOCACHE=", "GOMODCACHE="].iter().find_map(|name| word.strip_prefix(name));
            // A variable may well name the mount.
            if elsewhere.is_some_and(|path| !path.is_empty() && !path.contains('$') && !inside(path)) {
                return shown();
            }
            if word.strip_prefix("GOFLAGS=").is_some_and(|flags| flags.split(['=', ',', ' ']).any(|flag| flag == "-a"))
            {
                return shown();
            }
        }
        let Some(go) = words.iter().position(|word| *word == "go" || word.ends_with("/go")) else {
            let removes = words.first() == Some(&"rm")
                && words[1..].iter().any(|word| word.starts_with('/') && inside(word.trim_end_matches(['*', '/'])));
            if removes {
                return shown();
            }
            continue;
        };
        let again = matches!(words.get(go + 1), Some(&("build" | "install"))) && words[go + 2..].contains(&"-a");
        let cleans = words.get(go + 1) == Some(&"clean")
            && words[go + 2..].iter().any(|word| matches!(*word, "-cache" | "-modcache" | "--cache" | "--modcache"));
        if again || cleans {
            return shown();
        }
    }
    None
}

/// Returns the cache mounts of a vertex that begin with the contents of a stage or an image.
fn seeded(name: &str) -> Vec<(String, String)> {
    let Some(command) = run_command(name).filter(|command| command.starts_with("--")) else { return Vec::new() };
    let mounts = crate::dockerfile::parse_run_mounts(&format!("RUN {command}"));
    let from = |mount: crate::dockerfile::MountOptions| {
        let from = mount.from.clone().filter(|from| from != "scratch")?;
        Some((mount.target, from))
    };
    mounts.into_iter().filter_map(from).collect()
}

/// Tells whether a command asks `df` and never `du`: what it prints are sizes of disks.
fn prints_only_free_space(command: &str) -> bool {
    let has = |name: &str| {
        simple_commands(command)
            .any(|words| words.iter().any(|word| *word == name || word.ends_with(&format!("/{name}"))))
    };
    has("df") && !has("du")
}

/// Tells whether a mount is one for modules alone, by its target.
fn holds_only_modules(mount: &MountSpec) -> bool {
    mount.clean_target().ends_with("pkg/mod")
}

/// Tells whether modules may lie in a mount, by its target and its id.
fn keeps_modules(mount: &MountSpec) -> bool {
    let (target, id) = (mount.clean_target(), mount.id_part().to_lowercase());
    target.ends_with("/go")
        || ["/go/pkg", "mod", "$", "***"].iter().any(|part| target.contains(part))
        || id.contains("mod")
}

/// Returns the words of a `RUN` in exec form as one line; `None` for the shell form.
fn exec_words(command: &str) -> Option<String> {
    let array = command.get(command.find("[\"")?..)?;
    let words: Vec<String> = serde_json::from_str(array.trim_end()).ok()?;
    Some(words.join(" "))
}

/// Puts what stands inside `sh -c "…"` in its place, in brackets: it is what the step runs.
fn opened(command: &str) -> Cow<'_, str> {
    /// How deep a shell in a shell is followed.
    const DEPTH: usize = 3;
    let mut command = Cow::Borrowed(command);
    for _ in 0..DEPTH {
        let Some((before, inner, after)) = shell_text(&command) else { break };
        command = Cow::Owned(format!("{before}( {inner} ){after}"));
    }
    command
}

/// Finds the first `sh -c "…"`: what stands before it, the text it runs, and what follows.
fn shell_text(command: &str) -> Option<(&str, String, &str)> {
    const SHELLS: [&str; 6] = ["sh", "bash", "ash", "dash", "zsh", "busybox sh"];
    let parts = |char: char| char.is_whitespace() || ";&|(){}`".contains(char);
    for (at, _) in command.match_indices("sh ") {
        let start = command[..at].rfind(parts).map_or(0, |end| end + 1);
        let shell = command[start..at + 2].rsplit('/').next().unwrap_or_default();
        if !SHELLS.contains(&shell) {
            continue;
        }
        // Options come before the text: `-c`, `-ec`, `-e -o pipefail -c`.
        let mut rest = command[at + 3..].trim_start();
        let mut runs = false;
        while let Some((word, after)) =
            rest.split_once(' ').filter(|(word, _)| word.starts_with('-') || *word == "pipefail")
        {
            runs = word.starts_with('-') && !word.starts_with("--") && word.contains('c');
            rest = after.trim_start();
            if runs {
                break;
            }
        }
        let Some(quote) = rest.chars().next().filter(|char| runs && matches!(char, '"' | '\'')) else { continue };
        let mut inner = String::new();
        let mut chars = rest.char_indices().skip(1);
        while let Some((end, char)) = chars.next() {
            match char {
                '\\' if quote == '"' => inner.extend(chars.next().map(|(_, escaped)| escaped)),
                char if char == quote => return Some((&command[..start], inner, &rest[end + 1..])),
                char => inner.push(char),
            }
        }
    }
    None
}

/// Counts the `du` commands of a part of a shell line.
fn measures(part: &str) -> usize {
    part.split(|char: char| char.is_whitespace() || ";&|()$`".contains(char)).filter(|word| *word == "du").count()
}

/// Says what a bare number of the command's `du` counts.
fn block(command: &str) -> Option<u64> {
    let mut words = command.split(|char: char| char.is_whitespace() || ";&|()$`".contains(char));
    let mut block = None;
    while let Some(word) = words.next() {
        if word != "du" && !word.ends_with("/du") {
            continue;
        }
        let mut this = 1024;
        for flag in words.by_ref().take_while(|word| word.starts_with('-')) {
            this = match flag {
                "--bytes" | "-B1" | "--block-size=1" => 1,
                "--block-size=1K" | "-B1K" => 1024,
                "-BM" | "-B1M" | "--block-size=M" | "--block-size=1M" => 1 << 20,
                long if long.starts_with("--") => this,
                other if other.starts_with("-B") => return None,
                short if short.contains('b') => 1,
                short if short.contains('m') => 1 << 20,
                _ => this,
            };
        }
        if block.is_some_and(|known| known != this) {
            return None;
        }
        block = Some(this);
    }
    block
}

/// Finds the timed commands of a shell line and says which of them is the build.
fn timed(command: &str) -> Timed {
    let (mut count, mut builds, mut build, mut tool) = (0, 0, None, false);
    let mut untimed = command.to_owned();
    for part in command.split("time ").skip(1).zip(command.match_indices("time ")).filter_map(|(part, (at, _))| {
        let head = command[..at].trim_end_matches('\\');
        let own = head.is_empty() || head.ends_with(|char: char| char.is_whitespace() || ";&|({/".contains(char));
        // Asking whether there is a `time` times nothing.
        let asked = ["command -v", "which", "type"].iter().any(|ask| head.trim_end().ends_with(ask));
        (own && !asked).then_some(part)
    }) {
        let this = part.split([';', '&', '|']).next().unwrap_or(part);
        if this.contains("go build") {
            builds += 1;
            build.get_or_insert(count);
        }
        untimed = untimed.replacen(this, "", 1);
        tool |= !this.trim_start().starts_with("go ");
        count += 1;
    }
    match (count, build) {
        (0, _) => Timed::OutOfSight,
        // Of several builds no printed time is the whole.
        (_, Some(_)) if builds > 1 || unquoted(&untimed).contains("go build") => Timed::Others,
        (count, Some(nth)) => Timed::Build { count, nth },
        // A script or a build tool may be the build, where no `go build` is in sight.
        (1, None) if tool && !command.contains("go build") && !TOOLS.iter().any(|tool| untimed.contains(tool)) => {
            Timed::OutOfSight
        }
        (_, None) => Timed::Others,
    }
}

/// Leaves out what stands in quotes.
fn unquoted(command: &str) -> String {
    let mut open = None;
    let keep = |char: &char| match open {
        Some(quote) if quote == *char => {
            open = None;
            false
        }
        Some(_) => false,
        None if *char == '"' || *char == '\'' => {
            open = Some(*char);
            false
        }
        None => true,
    };
    command.chars().filter(keep).collect()
}

/// Finds a build tool or a script in a shell line: what those do is not in sight, and may fill Go's caches.
fn tool(command: &str) -> Option<usize> {
    const RUNNERS: [&str; 7] = ["make", "mage", "task", "just", "ninja", "bazel", "goreleaser"];
    const BEFORE_ONE: [&str; 12] =
        ["time", "env", "exec", "then", "do", "else", "sudo", "!", "sh", "bash", ".", "source"];
    let parts = |char: char| char.is_whitespace() || ";&|(){}`\"'".contains(char);
    let (mut at, mut first) = (0, true);
    for word in command.split_inclusive(parts) {
        let bare = word.trim_end_matches(parts);
        if first && (RUNNERS.contains(&bare) || bare.ends_with(".sh") || bare.starts_with("./")) {
            return Some(at);
        }
        let passes = bare.is_empty() || bare.contains('=') || bare.starts_with('-') || BEFORE_ONE.contains(&bare);
        first = word.ends_with([';', '&', '|', '(', '{', '`']) || (first && passes);
        at += word.len();
    }
    None
}

/// Says where a shell line fills Go's caches before or without `go build`. What a script or a build tool does is not in
/// sight; it may.
fn fills(command: &str) -> Option<CacheFilling> {
    const COMMANDS: [&str; 12] = [
        "go mod",
        "go get",
        "go install",
        "go test",
        "go vet",
        "go run",
        "go list",
        "go generate",
        "go tool",
        "go work",
        "golangci-lint",
        "staticcheck",
    ];
    let first = |text: &str| COMMANDS.iter().chain(&["go build"]).filter_map(|fill| text.find(fill)).min();
    let measured = command.match_indices("du ").map(|(at, _)| at).find(|at| {
        *at == 0 || command[..*at].ends_with(|char: char| char.is_whitespace() || ";&|()$`/".contains(char))
    });
    let Some(at) = first(command) else {
        let at = tool(command)?;
        let before = measured.is_some_and(|measured| at < measured);
        return Some(if before { CacheFilling::BeforeMeasuring } else { CacheFilling::Somewhere });
    };
    let before_build = COMMANDS.iter().any(|fill| command.find(fill).is_some_and(|fill| fill == at));
    match measured {
        // What `go build` itself left is told apart by the place of `du`.
        Some(measured) if (at < measured && before_build) || tool(&command[..measured]).is_some() => {
            Some(CacheFilling::BeforeMeasuring)
        }
        // A script behind it may measure.
        None if before_build && tool(&command[at..]).is_some() => Some(CacheFilling::BeforeMeasuring),
        _ => Some(CacheFilling::Somewhere),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Vertex {
        let mut vertex = Vertex::default();
        vertex.name(name);
        vertex
    }

    #[test]
    fn the_name_tells_how_surely_a_step_compiles() {
        assert_eq!(named("[b 1/2] RUN --mount=type=cache,target=/c CGO_ENABLED=0 go build .").rank, 4);
        assert_eq!(named("[b 1/2] RUN go build .").rank, 3);
        assert_eq!(named("[b 1/2] RUN --mount=type=cache,target=/c make all").rank, 2);
        assert_eq!(named("[b 1/2] RUN --mount=type=cache,target=/go/pkg/mod make all").rank, 1);
        assert_eq!(named("[b 1/2] RUN --mount=type=cache,target=/c du -sh /c").rank, 0);
        assert_eq!(named("[b 1/2] RUN make all").rank, 0);
        assert_eq!(named("[b 1/2] RUN --mount=type=cache,target=\"/go build\" ls").rank, 0);
        assert_eq!(named("[b 1/2] COPY go build .").rank, 0);
    }

    #[test]
    fn the_du_command_says_what_a_bare_number_counts() {
        assert_eq!(block("du -s /x"), Some(1024));
        assert_eq!(block("echo $(du -sb /x)"), Some(1));
        assert_eq!(block("/usr/bin/du -sm /x; true"), Some(1 << 20));
        assert_eq!(block("du -s /x && du -sb /x"), None);
        assert_eq!(block("go build"), None);
    }

    #[test]
    fn what_a_shell_is_given_as_a_text_is_the_command() {
        assert_eq!(opened("sh -c \"du -s /x; go build .\""), "( du -s /x; go build . )");
        assert_eq!(opened("a && /bin/bash -eo pipefail -c 'go build \"x\"' && b"), "a && ( go build \"x\" ) && b");
        assert_eq!(opened("sh -c \"sh -c 'du -s /x'\""), "( ( du -s /x ) )");
        for plain in ["sh -e test.sh", "sh x -c 'y'", "sh -c \"cut off", "push -c 'x'", "finish -c \"x\""] {
            assert_eq!(opened(plain), plain);
        }
        let step = named("[b 1/1] RUN --mount=type=cache,target=/c sh -c \"du -sk /c; time go build .; du -sk /c\"");
        assert_eq!((step.rank, step.measures, step.block), (4, Some((1, 1)), Some(1024)));
        assert_eq!(step.timed, Timed::Build { count: 1, nth: 0 });
        let whole = named("[b 1/1] RUN --mount=type=cache,target=/c time bash -c 'go build .'");
        assert_eq!(whole.timed, Timed::Build { count: 1, nth: 0 });
    }

    #[test]
    fn timed_commands_are_counted() {
        let built = |count, nth| Timed::Build { count, nth };
        assert_eq!(timed("time go mod download && time -p go build ./... && /usr/bin/time ls"), built(3, 1));
        assert_eq!(timed("runtime go build"), Timed::OutOfSight);
        assert_eq!(timed("command -v time >/dev/null || time() { :; }; time go build ."), built(1, 0));
        assert_eq!(timed("sleep 1; time sh -c 'x'"), Timed::OutOfSight);
        assert_eq!(timed("time go vet ./... && go build ."), Timed::Others);
        assert_eq!(timed("time make"), Timed::OutOfSight);
    }

    #[test]
    fn what_fills_the_caches_before_they_are_measured_is_found() {
        assert_eq!(fills("go mod download && du -sh /go/pkg/mod && go build"), Some(CacheFilling::BeforeMeasuring));
        assert_eq!(fills("du -sh /go/pkg/mod && go mod download"), Some(CacheFilling::Somewhere));
        assert_eq!(fills("go build && du -sh /go/pkg/mod"), Some(CacheFilling::Somewhere));
        assert_eq!(fills("sh measured.sh"), Some(CacheFilling::Somewhere));
        assert_eq!(
            fills("make test && du -sh /go/pkg/mod && time go build ./..."),
            Some(CacheFilling::BeforeMeasuring)
        );
        assert_eq!(fills("cd ./app && du -sh /go/pkg/mod && go build ./..."), Some(CacheFilling::Somewhere));
        assert_eq!(fills("cd app && time ./ci && du -sh /go/pkg/mod && go build"), Some(CacheFilling::BeforeMeasuring));
        assert_eq!(
            fills("time() { \"$@\"; }; du -sh /go/pkg/mod && time go build ./..."),
            Some(CacheFilling::Somewhere)
        );
        for harmless in ["echo makes", "apk add make git", "chmod +x /entry.sh", "echo \"just a check\""] {
            assert_eq!(fills(&format!("{harmless} && du -sh /go/pkg/mod")), None, "{harmless}");
        }
        for tool in ["CI=1 make test", "sh -e test.sh", "cd app; task test", "time ./ci"] {
            assert_eq!(fills(&format!("{tool} && du -sh /go/pkg/mod")), Some(CacheFilling::BeforeMeasuring), "{tool}");
        }
        let beside = named("[b 1/2] RUN --mount=type=cache,target=/root/.cache/staticcheck du -sh /x && go build .");
        assert_eq!(beside.fills, Some(CacheFilling::Somewhere));
    }
}
