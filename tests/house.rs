//! Holds the order of the storeys and what each storey may not do. [`Breach`] is principal.
//!
//! It reads the sources as text: lines of code without comments, strings and test code. It is no compiler; a name made
//! by a macro or hidden behind a re-export escapes it.

#![expect(clippy::unwrap_used, reason = "a test says what it sees and stops where it fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::LazyLock;

use verify_buildkit_cache::verify::Code;

/// The storeys from the ground up; those of one line do not use one another.
const STOREYS: [&[&str]; 12] = [
    &["source"],
    &["workflow", "dockerfile"],
    &["cache", "dance"],
    &["plan"],
    &["scenario"],
    &["evidence"],
    &["engine"],
    &["runner", "log"],
    &["verify"],
    &["catalogue"],
    &["report"],
    &["cli"],
];

/// What the verifier does not know although it stands above: who produced the evidence.
const HIDDEN_FROM_VERIFY: [&str; 3] = ["runner", "log", "engine"];

/// The storeys that do no I/O.
const PURE: [&str; 11] =
    ["source", "workflow", "dockerfile", "cache", "dance", "plan", "evidence", "log", "verify", "catalogue", "report"];

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

/// Test code may do what it likes; besides `tests.rs` a folder of tests and files that are compiled for tests only.
fn is_test_file(file: &str) -> bool {
    let parts: Vec<&str> = file.split('/').collect();
    parts.iter().any(|part| *part == "tests" || *part == "tests.rs" || part.ends_with("_tests.rs"))
        || TEST_MODULES.contains(file)
}

/// Files that `mod` lines under `#[cfg(test)]` bring in, by path below `src`.
static TEST_MODULES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let mut found = BTreeSet::new();
    for (file, text) in sources() {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let folder = match file.strip_suffix("/mod.rs") {
            Some(folder) => folder.to_owned(),
            None => file.trim_end_matches(".rs").to_owned(),
        };
        for pair in lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]") {
            let name = pair[1].rsplit(' ').next().and_then(|name| name.strip_suffix(';'));
            if let Some(name) = name.filter(|_| pair[1].contains("mod ")) {
                found.insert(format!("{folder}/{name}.rs"));
            }
        }
    }
    found
});

/// Tells whether a line has a word that is not a part of a longer one.
fn names(line: &str, word: &str) -> bool {
    let part = |char: char| char.is_alphanumeric() || char == '_';
    line.match_indices(word).any(|(at, _)| {
        let starts = !word.starts_with(part) || !line[..at].ends_with(part);
        let ends = !word.ends_with(part) || !line[at + word.len()..].starts_with(part);
        starts && ends
    })
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

fn word_at(text: &str) -> String {
    text.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect()
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Blanks comments, strings and character literals; lines stay where they are.
fn without_words(text: &str) -> String {
    let bytes: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    // Copies line ends and blanks everything else up to an index.
    let blank = |out: &mut String, from: usize, to: usize| {
        out.extend(bytes[from..to.min(bytes.len())].iter().map(|char| if *char == '\n' { '\n' } else { ' ' }));
    };
    let find = |from: usize, what: &str| {
        let what: Vec<char> = what.chars().collect();
        (from..bytes.len()).find(|at| bytes[*at..].starts_with(&what)).unwrap_or(bytes.len())
    };
    while at < bytes.len() {
        let word_before = at > 0 && (bytes[at - 1].is_alphanumeric() || bytes[at - 1] == '_');
        let raw = !word_before && matches!(bytes[at], 'r' | 'b' | 'c');
        let hashes_at = if raw && bytes[at] != 'r' && bytes.get(at + 1) == Some(&'r') { at + 2 } else { at + 1 };
        let hashes = bytes[hashes_at.min(bytes.len())..].iter().take_while(|char| **char == '#').count();
        let end = match bytes[at] {
            '/' if bytes.get(at + 1) == Some(&'/') => find(at, "\n"),
            '/' if bytes.get(at + 1) == Some(&'*') => find(at + 2, "*/") + 2,
            _ if raw && bytes[hashes_at - 1] == 'r' && bytes.get(hashes_at + hashes) == Some(&'"') => {
                find(hashes_at + hashes + 1, &format!("\"{}", "#".repeat(hashes))) + 1 + hashes
            }
            '"' => {
                let mut end = at + 1;
                while end < bytes.len() && bytes[end] != '"' {
                    end += if bytes[end] == '\\' { 2 } else { 1 };
                }
                end + 1
            }
            '\'' if bytes.get(at + 1) == Some(&'\\') => find(at + 3, "'") + 1,
            '\'' if bytes.get(at + 2) == Some(&'\'') => at + 3,
            char => {
                out.push(char);
                at += 1;
                continue;
            }
        };
        blank(&mut out, at, end);
        at = end;
    }
    out
}

/// Blanks every item under `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(at) = out.find("#[cfg(test)]") {
        let rest = &out[at..];
        let brace = rest.find('{').unwrap_or(rest.len());
        let semicolon = rest.find(';').unwrap_or(rest.len());
        let mut end = semicolon.min(rest.len());
        if brace < semicolon {
            let mut depth = 0usize;
            end = rest.len();
            for (offset, char) in rest.char_indices().skip_while(|(offset, _)| *offset < brace) {
                match char {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    end = offset + 1;
                    break;
                }
            }
        }
        let end = at + end;
        let blank: String = out[at..end].chars().map(|char| if char == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(at..end, &blank);
    }
    out
}

/// Reads every source file, by its path below `src`.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let file = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                found.push((file, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
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
    let text = "//! X.\nuse crate::engine::Engine;\nuse crate::{\n    evidence::{Fact, Run},\n    log,\n};\nfn f() -> crate::cli::X {}\n";
    assert_eq!(
        rules("runner/x.rs", text),
        [
            "src/runner/x.rs:5: runner and log stand side by side and do not use one another",
            "src/runner/x.rs:7: runner stands below cli and must not use it",
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

/// A type of one name in two places, and why that is right.
const DEFINED_TWICE: [(&str, &str); 0] = [];

#[test]
fn a_type_name_is_defined_once() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (file, text) in sources() {
        if is_test_file(&file) {
            continue;
        }
        let code = without_tests(&without_words(&text));
        for (number, line) in code.lines().enumerate() {
            for name in defined_types(line) {
                places.entry(name).or_default().push(format!("src/{file}:{}", number + 1));
            }
        }
    }
    assert!(places.len() > 300, "only {} types were found", places.len());
    let excepted = |name: &str| DEFINED_TWICE.iter().any(|(known, _)| *known == name);
    let twice: Vec<String> = places
        .iter()
        .filter(|(name, places)| places.len() > 1 && !excepted(name))
        .map(|(name, places)| format!("{name}: {}", places.join(", ")))
        .collect();
    assert!(twice.is_empty(), "one word, one thing; these types are defined more than once:\n{}", twice.join("\n"));
}

/// Returns the names of the structs, enums, traits and aliases that a line of code defines at the level of its module.
fn defined_types(line: &str) -> Vec<String> {
    // What stands deeper is an associated type, or the private helper of one function.
    let line = if line.starts_with(' ') { "" } else { line };
    let mut words = line.split_whitespace().skip_while(|word| word.starts_with("pub"));
    let (Some(kind), Some(name)) = (words.next(), words.next()) else { return Vec::new() };
    let defines = matches!(kind, "struct" | "enum" | "trait" | "type" | "union");
    defines.then(|| word_at(name)).into_iter().collect()
}

#[test]
fn a_finding_code_is_told_in_one_file() {
    let sources = sources();
    for code in Code::ALL {
        let text = format!("\"{code}\"");
        let files: Vec<&str> = sources
            .iter()
            .filter(|(file, source)| !is_test_file(file) && before_tests(source).contains(&text))
            .map(|(file, _)| file.as_str())
            .collect();
        assert!(
            matches!(files[..], [file] if below(file, "verify/rules") || file.starts_with("verify/rules/")),
            "`{code}` belongs into the file of its rule and nowhere else, but stands in {files:?}"
        );
    }
}

/// Returns a file's text up to its tests.
fn before_tests(source: &str) -> &str {
    source.split("#[cfg(test)]").next().unwrap_or(source)
}
