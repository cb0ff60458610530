//! Where Go keeps its caches in a build, as the Dockerfile says. [`go_places`] is principal.

use std::collections::{BTreeMap, BTreeSet};

use super::error::DockerfileError;
use super::parse::Dockerfile;
use super::path::clean_path;

/// Returns the directories that `GOMODCACHE`, `GOCACHE` and `GOPATH` name, in an `ENV`, an `ARG` or a command.
pub(super) fn go_places(
    file: &Dockerfile,
    build_args: &BTreeMap<String, String>,
) -> Result<BTreeSet<String>, DockerfileError> {
    let mut places = BTreeSet::new();
    let mut add = |name: &str, value: &str| {
        let value = value.trim_matches(['"', '\'']);
        if value.starts_with('/') && value != "/" {
            match name {
                "GOMODCACHE" | "GOCACHE" => places.insert(clean_path(value)),
                "GOPATH" => places.insert(clean_path(&format!("{value}/pkg/mod"))),
                _ => false,
            };
        }
    };
    for step in file.steps(build_args)?.iter().flat_map(|stage| &stage.steps) {
        for (name, value) in &step.variables {
            add(name, value);
        }
    }
    for run in file.stages.iter().flat_map(|stage| &stage.runs) {
        let text = run.text();
        let words = text.split(|char: char| char.is_whitespace() || ";&|()".contains(char));
        for (name, value) in words.filter_map(|word| word.split_once('=')) {
            add(name, value);
        }
    }
    Ok(places)
}

/// Tells whether a mount at this target holds one of Go's caches: it is one, lies in one or has one inside.
pub(super) fn holds(target: &str, places: &BTreeSet<String>) -> bool {
    let target = clean_path(target);
    let inside = |inner: &str, outer: &str| {
        inner == outer || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
    };
    ["go-build", "pkg/mod"].iter().any(|part| target.contains(part))
        || target.ends_with("/.cache")
        || matches!(target.as_str(), "/go" | "/go/pkg")
        || places.iter().any(|place| inside(place, &target) || inside(&target, place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn a_cache_is_where_the_dockerfile_says_and_not_where_a_name_sounds_like_it() {
        let text = "FROM golang\nENV GOCACHE=/c/build\nRUN GOMODCACHE=\"/c/mod\" go build\n";
        let file = Dockerfile::parse(&Source::new("D", text)).unwrap();
        let places = go_places(&file, &BTreeMap::new()).unwrap();
        for yes in ["/c", "/c/build/", "/c/mod", "/go/pkg/mod", "/root/.cache", "/go"] {
            assert!(holds(yes, &places), "{yes}");
        }
        for no in ["/c/other", "/var/cache/apk", "/root/.npm"] {
            assert!(!holds(no, &places), "{no}");
        }
    }
}
