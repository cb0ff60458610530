//! Holds the order of the storeys and what each storey may not do. [`Breach`] is principal.
//!
//! It reads the sources as text: lines of code without comments, strings and test code. It is no compiler; a name made
//! by a macro or hidden behind a re-export escapes it.

#![expect(clippy::unwrap_used, reason = "a test says what it sees and stops where it fails")]

mod names;
mod rooms;
mod text;

use std::collections::BTreeSet;
use std::fmt;

use text::{is_test_file, line_of, names, sources, without_tests, without_words, word_at};

/// The storeys from the ground up; those of one line do not use one another.
const STOREYS: [&[&str]; 14] = [
    &["source", "shell", "suggest"],
    &["workflow", "dockerfile"],
    &["cache", "dance", "actions"],
    &["plan"],
    &["scenario"],
    &["evidence"],
    &["engine"],
    &["log"],
    &["runner"],
    &["verify"],
    &["lint"],
    &["catalogue"],
    &["report"],
    &["cli"],
];

/// What the verifier does not know although it stands above: who produced the evidence.
const HIDDEN_FROM_VERIFY: [&str; 3] = ["runner", "log", "engine"];

/// The storeys that do no I/O.
const PURE: [&str; 15] = [
    "source",
    "shell",
    "suggest",
    "workflow",
    "dockerfile",
    "cache",
    "dance",
    "actions",
    "plan",
    "evidence",
    "log",
    "verify",
    "lint",
    "catalogue",
    "report",
];

/// A rule about words: where they may stand, and why nowhere else.
struct Words {
    words: &'static [&'static str],
    allowed: fn(&str) -> bool,
    rule: &'static str,
}

const WORDS: [Words; 5] = [
    Words {
        words: &["bollard"],
        allowed: |file| below(file, "engine/docker"),
        rule: "only src/engine/docker names bollard",
    },
    Words {
        words: &[
            "println!",
            "print!",
            "eprintln!",
            "eprint!",
            "dbg!",
            "io::stdout",
            "io::stderr",
            "process::exit",
            "process::abort",
            "anstream",
        ],
        allowed: in_cli,
        rule: "only src/cli prints or exits",
    },
    Words {
        words: &["std::env", "env::var", "env::args", "env::vars", "env::current_dir", "env::temp_dir"],
        allowed: in_cli,
        rule: "only src/cli reads the environment",
    },
    Words {
        words: &["SystemTime::now", "Instant::now", "now_utc", "now_local", ".elapsed()"],
        allowed: |file| in_cli(file) || below(file, "engine/docker"),
        rule: "only src/cli and src/engine/docker ask the clock",
    },
    Words {
        words: &["std::fs", "std::net", "std::process", "tokio", "fs::read", "fs::write", "File::open", "tempfile"],
        allowed: |file| !PURE.contains(&storey_of(file)),
        rule: "a pure storey does no I/O",
    },
];

fn in_cli(file: &str) -> bool {
    file == "main.rs" || below(file, "cli")
}

fn below(file: &str, module: &str) -> bool {
    file.strip_prefix(module).is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
}

/// A line that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Breach {
    file: String,
    line: usize,
    rule: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "src/{}:{}: {}", self.file, self.line, self.rule)
    }
}

/// Returns the storey a file belongs to: the first part of its path below `src`.
fn storey_of(file: &str) -> &str {
    file.split('/').next().unwrap_or(file).trim_end_matches(".rs")
}

fn level(storey: &str) -> Option<usize> {
    STOREYS.iter().position(|storeys| storeys.contains(&storey))
}

/// Says why one storey may not use another, if it may not.
fn forbidden(from: &str, to: &str) -> Option<String> {
    if from == to {
        return None;
    }
    let (Some(above), Some(below)) = (level(from), level(to)) else { return None };
    if from == "verify" && HIDDEN_FROM_VERIFY.contains(&to) {
        return Some(format!("verify does not know who produced the evidence, but names crate::{to}"));
    }
    match above.cmp(&below) {
        std::cmp::Ordering::Greater => None,
        std::cmp::Ordering::Equal => Some(format!("{from} and {to} stand side by side and do not use one another")),
        std::cmp::Ordering::Less => Some(format!("{from} stands below {to} and must not use it")),
    }
}

/// Checks one file; `file` is its path below `src`.
fn breaches(file: &str, text: &str) -> Vec<Breach> {
    let mut found = Vec::new();
    let mut breach = |line: usize, rule: String| found.push(Breach { file: file.to_owned(), line, rule });
    if !text.trim_start().starts_with("//!") {
        breach(1, "every module opens with `//!`".to_owned());
    }
    if is_test_file(file) {
        return found;
    }
    let code = without_tests(&without_words(text));
    let storey = storey_of(file);
    for (at, to) in crate_uses(&code) {
        if let Some(rule) = forbidden(storey, &to) {
            breach(line_of(&code, at), rule);
        }
    }
    for (number, line) in code.lines().enumerate() {
        for words in WORDS.iter().filter(|words| !(words.allowed)(file)) {
            if let Some(word) = words.words.iter().find(|word| names(line, word)) {
                breach(number + 1, format!("{} (`{word}`)", words.rule));
            }
        }
    }
    found.sort_by_key(|breach| breach.line);
    found
}

/// Finds `crate::<module>` and every module of `use crate::{…}`, with their offsets.
fn crate_uses(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.trim_start().strip_prefix('{') else {
            found.push((at, word_at(rest)));
            continue;
        };
        let start = code.len() - group.len();
        let mut depth = 0usize;
        let mut fresh = true;
        for (offset, char) in group.char_indices() {
            match char {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => fresh = true,
                _ if fresh && !char.is_whitespace() => {
                    fresh = false;
                    found.push((start + offset, word_at(&group[offset..])));
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn every_file_keeps_the_rules_of_its_storey() {
    let found: Vec<String> =
        sources().iter().flat_map(|(file, text)| breaches(file, text)).map(|breach| breach.to_string()).collect();
    assert!(found.is_empty(), "the house is broken in {} places:\n{}", found.len(), found.join("\n"));
}

#[test]
fn every_storey_of_the_crate_has_its_place_in_the_order() {
    let (_, root) = sources().into_iter().find(|(file, _)| file == "lib.rs").expect("src/lib.rs");
    let modules: BTreeSet<&str> =
        root.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let known: BTreeSet<&str> = STOREYS.iter().flat_map(|storeys| storeys.iter().copied()).collect();
    assert_eq!(modules, known, "src/lib.rs and the order in this file differ");
}

fn rules(file: &str, text: &str) -> Vec<String> {
    breaches(file, text).iter().map(ToString::to_string).collect()
}

#[test]
fn a_storey_that_uses_one_above_or_beside_it_is_found() {
    let text = "//! X.\nuse crate::engine::Engine;\nuse crate::{\n    evidence::{Fact, Run},\n    runner,\n};\nfn f() -> crate::cli::X {}\n";
    assert_eq!(
        rules("log/x.rs", text),
        [
            "src/log/x.rs:5: log stands below runner and must not use it",
            "src/log/x.rs:7: log stands below cli and must not use it",
        ]
    );
    assert_eq!(
        rules("verify/x.rs", "//! X.\nuse crate::log::Log;\nuse crate::plan::Plan;\n"),
        ["src/verify/x.rs:2: verify does not know who produced the evidence, but names crate::log"]
    );
    assert_eq!(
        rules("source.rs", "//! X.\nuse crate::plan;\n"),
        ["src/source.rs:2: source stands below plan and must not use it"]
    );
}

#[test]
fn what_only_some_places_may_do_is_found_elsewhere() {
    let text = "//! X.\nfn f() {\n    println!(\"{}\", 1);\n    let now = std::time::Instant::now();\n}\n";
    assert_eq!(
        rules("runner/x.rs", text),
        [
            "src/runner/x.rs:3: only src/cli prints or exits (`println!`)",
            "src/runner/x.rs:4: only src/cli and src/engine/docker ask the clock (`Instant::now`)",
        ]
    );
    assert_eq!(rules("cli/x.rs", text), [""; 0]);
    let text = "//! X.\nuse bollard::Docker;\nuse std::env;\n";
    assert_eq!(
        rules("engine/docker/x.rs", text),
        ["src/engine/docker/x.rs:3: only src/cli reads the environment (`std::env`)"]
    );
    assert_eq!(rules("engine/fake.rs", text).len(), 2);
    let text = "//! X.\nuse std::fs;\nuse tokio::sync::mpsc;\n";
    assert_eq!(rules("log/x.rs", text).len(), 2);
    assert_eq!(rules("runner/x.rs", text), [""; 0]);
}

#[test]
fn comments_strings_and_test_code_are_exempt() {
    let text = "//! Not println! here.\n/* std::fs */\nconst A: &str = \"tokio \\\" println!\"; const Q: char = '\"';\n\
                const R: &str = r#\"use bollard \"x\" std::env\"#;\nfn life<'a>(x: &'a str) {}\n\
                #[cfg(test)]\nmod tests {\n    use std::fs;\n    fn f() { println!(\"}\"); }\n}\n";
    assert_eq!(rules("plan/x.rs", text), [""; 0]);
    let after = format!("{text}fn g() {{ dbg!(1); }}\n");
    assert_eq!(rules("plan/x.rs", &after), ["src/plan/x.rs:11: only src/cli prints or exits (`dbg!`)"]);
    assert_eq!(rules("plan/tests.rs", "//! X.\nuse std::fs;\n"), [""; 0]);
}

#[test]
fn a_file_without_its_opening_words_is_found() {
    assert_eq!(rules("plan/tests.rs", "use std::fs;\n"), ["src/plan/tests.rs:1: every module opens with `//!`"]);
}
