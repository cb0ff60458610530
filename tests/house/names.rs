//! One word, one thing: type names and finding codes have one place.

use std::collections::BTreeMap;

use verify_buildkit_cache::verify::Code;

use crate::below;
use crate::text::{is_test_file, sources, without_tests, without_words, word_at};

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
            // The command line also names scenarios, some of which bear the name of their code; lint says what its own silence.
            .filter(|(file, _)| !is_test_file(file) && !file.starts_with("cli/") && !file.starts_with("lint/"))
            .filter(|(_, source)| before_tests(source).contains(&text))
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
