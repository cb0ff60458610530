//! No circle in any room: the files of one folder use one another in one direction. [`circles`] is principal.
//!
//! Like the rest of the house's tests it reads text: `use super::…`, `super::…` and `crate::…` paths, and what a room's `mod.rs` hands on.

use std::collections::{BTreeMap, BTreeSet};

use crate::text::{is_test_file, sources, without_tests, without_words};

/// Circles that stand, each with its reason; one that is gone must be struck out here.
const STANDING: [(&str, &[&str], &str); 15] = [
    (
        "verify",
        &["checks", "code", "explained", "obligations", "report", "rules"],
        "the list of codes names each rule's definition, and a rule reports codes",
    ),
    ("cli", &["args", "judging", "lint", "logs", "present", "scenarios"], "to be untied"),
    ("cli", &["clean", "engine", "folder", "state"], "to be untied"),
    ("cli/gh", &["caches", "fetch"], "to be untied"),
    ("engine/fake", &["build", "run"], "one type in two files: a build, and how it carries out a step"),
    ("evidence", &["build_output", "proven"], "one type in two files: a build's output, and how it reads proof lines"),
    ("lint", &["base", "rules"], "to be untied"),
    ("lint/rules", &["hash_files", "key_stale"], "to be untied"),
    ("log", &["header", "inputs", "line", "progress", "surroundings"], "to be untied"),
    ("runner", &["error", "real"], "to be untied"),
    ("runner", &["experiment", "job", "planned"], "to be untied"),
    ("runner/job", &["builders", "cache", "context"], "one type in several files: what the steps of a job work with"),
    ("verify/view", &["mounts", "run"], "a run is seen by its mounts, and a mount among its runs"),
    ("workflow", &["action_file", "model", "read"], "to be untied"),
    ("workflow/expr", &["survey", "template"], "to be untied"),
];

#[test]
fn the_files_of_a_room_use_one_another_in_one_direction() {
    let files: BTreeMap<String, String> = sources()
        .into_iter()
        .filter(|(file, _)| !is_test_file(file))
        .map(|(file, text)| (file, without_tests(&without_words(&text))))
        .collect();
    let mut found: BTreeSet<(String, Vec<String>)> = BTreeSet::new();
    for room in rooms(&files) {
        found.extend(circles(&uses(&files, &room)).into_iter().map(|circle| (room.clone(), circle)));
    }
    let standing: BTreeSet<(String, Vec<String>)> = STANDING
        .iter()
        .map(|(room, circle, _)| ((*room).to_owned(), circle.iter().map(|name| (*name).to_owned()).collect()))
        .collect();
    let new: Vec<_> = found.difference(&standing).collect();
    assert!(new.is_empty(), "these files of one folder need one another: {new:?}");
    let gone: Vec<_> = standing.difference(&found).collect();
    assert!(gone.is_empty(), "these circles are gone; strike them out in tests/house/rooms.rs: {gone:?}");
}

/// Returns the folders with a `mod.rs`, and those beside a file of their name.
fn rooms(files: &BTreeMap<String, String>) -> BTreeSet<String> {
    files.keys().filter_map(|file| Some(file.rsplit_once('/')?.0.to_owned())).collect()
}

/// Returns which modules of a room use which others of it.
fn uses(files: &BTreeMap<String, String>, room: &str) -> BTreeMap<String, BTreeSet<String>> {
    let below = format!("{room}/");
    let inside = || files.iter().filter_map(|(file, text)| Some((file.strip_prefix(&below)?, text)));
    let module_of = |file: &str| file.split('/').next().unwrap_or(file).trim_end_matches(".rs").to_owned();
    let modules: BTreeSet<String> = inside().map(|(file, _)| module_of(file)).filter(|name| name != "mod").collect();
    let root = files.get(&format!("{room}/mod.rs")).or_else(|| files.get(&format!("{room}.rs")));
    let handed_on = root.map(|text| handed_on(text, &modules)).unwrap_or_default();
    let mut graph: BTreeMap<String, BTreeSet<String>> =
        modules.iter().map(|module| (module.clone(), BTreeSet::new())).collect();
    for (file, text) in inside().filter(|(file, _)| *file != "mod.rs") {
        let from = module_of(file);
        let depth = file.split('/').filter(|part| *part != "mod.rs").count();
        for path in paths(text) {
            let ups = path.iter().take_while(|part| *part == "super").count();
            let name = match path.first().map(String::as_str) {
                Some("super") if ups == depth => path.get(ups),
                Some("crate") => within(&path, room),
                _ => None,
            };
            let to = name.and_then(|name| if modules.contains(name) { Some(name) } else { handed_on.get(name) });
            if let Some(to) = to.filter(|to| **to != from) {
                graph.entry(from.clone()).or_default().insert(to.clone());
            }
        }
    }
    graph
}

/// Returns the part of a `crate::…` path that follows a room's own.
fn within<'p>(path: &'p [String], room: &str) -> Option<&'p String> {
    let room: Vec<&str> = room.split('/').collect();
    let inside =
        path.len() > room.len() + 1 && path[1..=room.len()].iter().map(String::as_str).eq(room.iter().copied());
    inside.then(|| &path[room.len() + 1])
}

/// Returns the names that a `mod.rs` takes from its modules, each with its module.
fn handed_on(text: &str, modules: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for path in paths(text) {
        let path: Vec<&String> = path.iter().filter(|part| *part != "self").collect();
        if let (Some(module), Some(name)) = (path.first().filter(|module| modules.contains(**module)), path.last()) {
            found.insert((*name).clone(), (*module).clone());
        }
    }
    found
}

/// Returns the paths of all `use` lines, and those that begin with `super` or `crate` elsewhere.
fn paths(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("use ") {
        let starts = text[..at].chars().next_back().is_none_or(|before| before == ' ' || before == '\n');
        if let Some(tree) = text[at + 4..].split(';').next().filter(|_| starts) {
            expand(&[], tree, &mut found);
        }
    }
    for start in ["super::", "crate::"] {
        for (at, _) in text.match_indices(start) {
            if !text[..at].ends_with(|before: char| before.is_alphanumeric() || before == ':' || before == '_') {
                let end = text[at..].find(|char: char| !(char.is_alphanumeric() || char == '_' || char == ':'));
                let path = &text[at..end.map_or(text.len(), |end| at + end)];
                found.push(path.split("::").map(str::to_owned).collect());
            }
        }
    }
    found
}

/// Writes out a `use` tree: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn expand(before: &[String], tree: &str, found: &mut Vec<Vec<String>>) {
    let tree = tree.trim();
    let Some((head, group)) = tree.split_once('{') else {
        let tree = tree.split(" as ").next().unwrap_or(tree);
        let parts = tree.split("::").map(|part| part.trim().to_owned());
        found.push(before.iter().cloned().chain(parts).collect());
        return;
    };
    let head = head.trim().trim_end_matches("::");
    let mut path = before.to_vec();
    path.extend(head.split("::").filter(|part| !part.is_empty()).map(str::to_owned));
    let group = group.trim_end();
    let group = group.strip_suffix('}').unwrap_or(group);
    let (mut depth, mut start) = (0usize, 0);
    for (at, char) in group.char_indices().chain([(group.len(), ',')]) {
        match char {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                if !group[start..at].trim().is_empty() {
                    expand(&path, &group[start..at], found);
                }
                start = (at + 1).min(group.len());
            }
            _ => {}
        }
    }
}

/// Returns the groups of modules each of which leads to every other, in the order of their names.
fn circles(graph: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reached = |from: &String| {
        let mut seen: BTreeSet<&String> = BTreeSet::new();
        let mut open: Vec<&String> = graph.get(from).into_iter().flatten().collect();
        while let Some(next) = open.pop() {
            if seen.insert(next) {
                open.extend(graph.get(next).into_iter().flatten());
            }
        }
        seen
    };
    let all: BTreeMap<&String, BTreeSet<&String>> = graph.keys().map(|module| (module, reached(module))).collect();
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for (module, reaches) in all.iter().filter(|(module, reaches)| reaches.contains(**module)) {
        let circle = reaches.iter().filter(|other| all.get(**other).is_some_and(|back| back.contains(*module)));
        found.insert(circle.map(|other| (*other).clone()).collect());
    }
    found.into_iter().collect()
}

#[test]
fn a_circle_is_found_in_every_form_of_use() {
    let files: BTreeMap<String, String> = [
        ("room/mod.rs", "pub use b::{Beta, Gamma};\n"),
        ("room/a.rs", "use super::Beta;\n"),
        ("room/b.rs", "fn f() { super::c::go() }\n"),
        ("room/c/mod.rs", "use crate::{other, room::{a::X}};\n"),
        ("room/d.rs", "use super::a;\n"),
    ]
    .map(|(file, text)| (file.to_owned(), text.to_owned()))
    .into();
    assert_eq!(circles(&uses(&files, "room")), [["a", "b", "c"]]);
}
