//! The sources as text: without comments, strings and test code. [`sources`] is principal.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

/// Test code may do what it likes; besides `tests.rs` a folder of tests and files that are compiled for tests only.
pub(crate) fn is_test_file(file: &str) -> bool {
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
pub(crate) fn names(line: &str, word: &str) -> bool {
    let part = |char: char| char.is_alphanumeric() || char == '_';
    line.match_indices(word).any(|(at, _)| {
        let starts = !word.starts_with(part) || !line[..at].ends_with(part);
        let ends = !word.ends_with(part) || !line[at + word.len()..].starts_with(part);
        starts && ends
    })
}

pub(crate) fn word_at(text: &str) -> String {
    text.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect()
}

pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Blanks comments, strings and character literals; lines stay where they are.
pub(crate) fn without_words(text: &str) -> String {
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
pub(crate) fn without_tests(code: &str) -> String {
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
pub(crate) fn sources() -> Vec<(String, String)> {
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
