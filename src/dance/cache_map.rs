//! From the inputs to the entries of the cache map. [`cache_map`] and [`CacheMap`] are principal.
//!
//! Exactly as lax as the action: `JSON.parse` without a schema, arrays and strings taken by their indices, an empty
//! object filled from the Dockerfile where the version does that.

use serde_json::Value;

use super::behaviour::{Behaviour, MapSupport};
use super::discovery;
use super::entry::DanceEntry;
use super::inputs::ResolvedInputs;
use super::js::{self, Json};
use crate::dockerfile::Dockerfile;
use crate::source::Position;

/// The Dockerfile at the place the inputs name.
#[derive(Debug, Clone, Copy)]
pub enum DockerfileInput<'a> {
    /// There is no such file; a checkout is missing, for example.
    Missing,
    /// The file.
    Parsed(&'a Dockerfile),
}

/// Where the entries come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapOrigin {
    /// `cache-source` and `cache-target`.
    Pair,
    /// `cache-map`.
    Input,
    /// The Dockerfile.
    Dockerfile,
}

/// The entries of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheMap {
    /// The entries in the order they are worked on.
    pub entries: Vec<DanceEntry>,
    /// Where they come from.
    pub origin: MapOrigin,
    /// What the action prints on standard output while it reads the map.
    pub log: Vec<String>,
}

/// Why there are no entries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct CacheMapError {
    /// What is wrong, in our words.
    pub problem: String,
    /// The place inside the text of `cache-map`, when it is not JSON.
    pub place: Option<Position>,
    /// What to do about it.
    hint: String,
    /// What the action printed on standard output before.
    pub log: Vec<String>,
    /// The exception as JavaScript prints it.
    pub thrown: String,
}

impl CacheMapError {
    /// Says what to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(self.hint.clone())
    }
}

/// Makes the entries of a step.
///
/// # Errors
/// What makes the action itself end: a text that is not JSON, `null`, a missing Dockerfile, a mount it cannot read.
pub fn cache_map(
    inputs: &ResolvedInputs,
    behaviour: &Behaviour,
    dockerfile: DockerfileInput<'_>,
) -> Result<CacheMap, CacheMapError> {
    let raw = inputs.cache_map.as_str();
    if behaviour.map == MapSupport::Pair {
        let entries = vec![DanceEntry::plain(inputs.cache_source.clone(), inputs.cache_target.clone())];
        return Ok(CacheMap { entries, origin: MapOrigin::Pair, log: Vec::new() });
    }
    let json: Json = serde_json::from_str(raw).map_err(|error| not_json(raw, &error))?;
    let pairs = match json {
        Json::Object(pairs) => pairs,
        Json::Other(Value::Array(values)) => {
            values.into_iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        Json::Other(Value::String(text)) => {
            text.chars().enumerate().map(|(index, char)| (index.to_string(), char.to_string().into())).collect()
        }
        Json::Other(Value::Null) => {
            let thrown = "TypeError: Cannot convert undefined or null to object".to_owned();
            let thrown = if behaviour.discovery { wrapped(raw, &thrown) } else { thrown };
            return Err(CacheMapError {
                problem: "cache-map is null".to_owned(),
                place: None,
                hint: "make cache-map an object such as {\"go-mod\": \"/go/pkg/mod\"}".to_owned(),
                log: Vec::new(),
                thrown,
            });
        }
        Json::Other(_) => Vec::new(),
    };
    let pairs = js::entries(pairs);
    let mut log = Vec::new();
    if pairs.is_empty() && behaviour.discovery {
        return discovered(inputs, behaviour, dockerfile, log);
    }
    let mut entries: Vec<DanceEntry> = Vec::with_capacity(pairs.len());
    let prefix = discovery::prefix(inputs.cache_dir.as_deref(), behaviour);
    for (key, value) in pairs {
        let source = match prefix {
            None => key,
            Some(dir) => {
                let base = discovery::under(None, &key);
                if base != key {
                    log.push(format!(
                        "::warning::cache-map key \"{key}\" was normalized to \"{base}\" (path.basename applied for security)"
                    ));
                }
                discovery::under(Some(dir), &key)
            }
        };
        let entry = match behaviour.map {
            MapSupport::Targets => DanceEntry::plain(source, js::text(&value)),
            _ => DanceEntry::from_value(source, &value),
        };
        let entry = entry.checked(behaviour);
        match entries.iter_mut().find(|other| other.source == entry.source) {
            Some(old) => *old = entry,
            None => entries.push(entry),
        }
    }
    if let Some(dir) = prefix {
        log.push(format!("cache-dir applied: cache paths will be under \"{dir}/\""));
    }
    Ok(CacheMap { entries, origin: MapOrigin::Input, log })
}

fn discovered(
    inputs: &ResolvedInputs,
    behaviour: &Behaviour,
    dockerfile: DockerfileInput<'_>,
    mut log: Vec<String>,
) -> Result<CacheMap, CacheMapError> {
    log.push(
        "No cache map provided. Trying to parse the Dockerfile to find the cache mount instructions...".to_owned(),
    );
    let raw = inputs.cache_map.as_str();
    let DockerfileInput::Parsed(file) = dockerfile else {
        let name = &inputs.dockerfile;
        let thrown = wrapped(raw, &format!("Error: ENOENT: no such file or directory, open '{name}'"));
        return Err(CacheMapError {
            problem: format!("no cache-map is given and there is no Dockerfile at {name}"),
            place: None,
            hint: "check out the repository before the dance, set `dockerfile`, or give a cache-map".to_owned(),
            log,
            thrown,
        });
    };
    let map = match discovery::discover(file, inputs.cache_dir.as_deref(), behaviour) {
        Ok(map) => map,
        Err(error) => {
            return Err(CacheMapError {
                problem: format!("the action cannot read a cache mount of {}", inputs.dockerfile),
                place: None,
                hint: "write `target=` instead of `dst=` or `destination=`, or give a cache-map".to_owned(),
                log,
                thrown: wrapped(raw, &error),
            });
        }
    };
    let pairs = js::entries(map.into_iter().collect());
    let shown: serde_json::Map<String, Value> = pairs.iter().cloned().collect();
    log.push(format!("Cache map parsed from Dockerfile: {}", Value::Object(shown)));
    let entry = |(source, value): (String, Value)| DanceEntry::from_value(source, &value).checked(behaviour);
    let entries = pairs.into_iter().map(entry).collect();
    Ok(CacheMap { entries, origin: MapOrigin::Dockerfile, log })
}

fn wrapped(raw: &str, error: &str) -> String {
    format!("Error: Failed to parse cache map. Expected JSON, got:\n{raw}\n{error}")
}

fn not_json(raw: &str, error: &serde_json::Error) -> CacheMapError {
    let source = crate::source::Source::new("cache-map", raw);
    let place = source.place(js::offset_of(raw, error));
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or("");
    CacheMapError {
        problem: format!("cache-map is not JSON: {said} at line {} column {}", place.line, place.column),
        place: Some(place),
        hint: "cache-map is a JSON object such as {\"go-mod\": {\"target\": \"/go/pkg/mod\", \"id\": \"go-mod\"}}"
            .into(),
        log: Vec::new(),
        thrown: wrapped(raw, &js::syntax_error(raw, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;
    use proptest::prelude::*;

    fn map_of(
        owner: &str,
        reference: &str,
        with: &[(&str, &str)],
        dockerfile: Option<&str>,
    ) -> Result<CacheMap, CacheMapError> {
        let behaviour = Behaviour::identify(owner, reference);
        let lookup = |name: &str| with.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let inputs = ResolvedInputs::from_with(&lookup, &behaviour);
        let file = dockerfile.map(|text| Dockerfile::parse(&Source::new("Dockerfile", text)).unwrap());
        cache_map(&inputs, &behaviour, file.as_ref().map_or(DockerfileInput::Missing, DockerfileInput::Parsed))
    }

    fn given(reference: &str, map: &str) -> Result<CacheMap, CacheMapError> {
        map_of("reproducible-containers", reference, &[("cache-map", map)], None)
    }

    fn pairs(map: &CacheMap) -> Vec<(String, String)> {
        map.entries.iter().map(|entry| (entry.source.clone(), entry.mount_args())).collect()
    }

    #[test]
    fn paths_and_objects_become_mount_options_in_their_order() {
        let map = given(
            "v3.3.2",
            "{\"mod\": \"/go/pkg/mod\", \"b\": {\"target\": \"/b\", \"id\": \"x\", \"uid\": 1000, \"ro\": true}}",
        )
        .unwrap();
        insta::assert_debug_snapshot!(pairs(&map), @r#"
        [
            (
                "mod",
                "type=cache,target=/go/pkg/mod",
            ),
            (
                "b",
                "type=cache,target=/b,id=x,uid=1000,ro=true",
            ),
        ]
        "#);
        assert_eq!(map.entries[1].uid, "1000");
        assert_eq!(map.entries[1].identity().unwrap().to_string(), "id=x with uid=1000,gid=0,mode=0755");
        assert!(map.entries[1].mount().unwrap().readonly);
    }

    #[test]
    fn arrays_work_and_null_does_not() {
        assert_eq!(pairs(&given("v3.3.2", "[\"/a\"]").unwrap())[0], ("0".into(), "type=cache,target=/a".into()));
        let error = given("v3.3.2", "null").unwrap_err();
        assert_eq!(
            error.thrown,
            "Error: Failed to parse cache map. Expected JSON, got:\nnull\n\
             TypeError: Cannot convert undefined or null to object"
        );
        assert_eq!(
            given("v3.1.2", "null").unwrap_err().thrown,
            "TypeError: Cannot convert undefined or null to object"
        );
        assert!(given("v3.1.2", "5").unwrap().entries.is_empty());
    }

    #[test]
    fn text_that_is_not_json_is_named_with_its_place() {
        let error = given("v3.3.2", "{\n  \"a\": /x\n}").unwrap_err();
        assert_eq!(error.to_string(), "cache-map is not JSON: expected value at line 2 column 8");
        assert!(error.hint().is_some());
        assert_eq!(
            error.thrown,
            "Error: Failed to parse cache map. Expected JSON, got:\n{\n  \"a\": /x\n}\n\
             SyntaxError: Unexpected token '/', \"{\n  \"a\": /x\n}\" is not valid JSON"
        );
        assert!(given("v3.0.0", "").is_err());
    }

    #[test]
    fn entries_the_action_cannot_use_carry_its_error() {
        let problem = |map: &str| given("v3.3.2", map).unwrap().entries[0].problem.clone().unwrap().text;
        assert_eq!(
            problem("{\"a\": {\"id\": \"x\"}}"),
            "Error: Expected the 'target' key in the cache options, got:\n[object Object]"
        );
        assert_eq!(problem("{\"a\": 5}"), "TypeError: Cannot use 'in' operator to search for 'target' in 5");
    }

    #[test]
    fn version_3_0_0_knows_paths_only() {
        let map = given("v3.0.0", "{\"a\": {\"target\": \"/x\"}}").unwrap();
        assert_eq!(map.entries[0].mount_args(), "type=cache,target=[object Object]");
    }

    #[test]
    fn version_2_reads_one_pair() {
        let map = map_of("reproducible-containers", "v2", &[("cache-source", "c")], None).unwrap();
        assert_eq!(pairs(&map), [("c".into(), "type=cache,target=/root/.cache/go-build".into())]);
        assert_eq!(map.origin, MapOrigin::Pair);
    }

    const FILE: &str = "FROM x\nRUN --mount=type=cache,target=/q2/,uid=7 true\n\
                        RUN --mount=type=cache,target=\"/q3\",id=k-${FOO} --mount=type=cache,target=/q2/ true\n";

    #[test]
    fn discovery_carries_over_id_or_target_only() {
        let map = map_of("reproducible-containers", "v3.3.2", &[("cache-dir", "c")], Some(FILE)).unwrap();
        assert_eq!(map.origin, MapOrigin::Dockerfile);
        insta::assert_snapshot!(map.log.join("\n"), @r#"
        No cache map provided. Trying to parse the Dockerfile to find the cache mount instructions...
        Cache map parsed from Dockerfile: {"c//q2/":{"id":"/q2/","target":"/var/cache-target"},"c/k-${FOO}":{"id":"k-${FOO}","target":"/var/cache-target"}}
        "#);
        let identities: Vec<_> = map.entries.iter().map(|entry| entry.identity().unwrap().to_string()).collect();
        assert_eq!(identities, ["id=/q2/", "id=k-"]);
    }

    #[test]
    fn discovery_fails_on_a_missing_file_and_on_dst() {
        let error = map_of("reproducible-containers", "v3.3.2", &[], None).unwrap_err();
        assert_eq!(
            error.thrown,
            "Error: Failed to parse cache map. Expected JSON, got:\n{}\n\
             Error: ENOENT: no such file or directory, open 'Dockerfile'"
        );
        assert_eq!(error.log.len(), 1);
        let file = "FROM x\nRUN --mount=type=cache,dst=/x go build\n";
        let error = map_of("reproducible-containers", "v3.3.2", &[], Some(file)).unwrap_err();
        assert!(error.thrown.ends_with(
            "Error: cache mount must define id or target: --mount=type=cache,dst=/x in RUN --mount=type=cache,dst=/x go build"
        ));
    }

    #[test]
    fn the_cache_directory_counts_for_a_given_map_only_in_the_fork() {
        let with = [("cache-map", "{\"a/go\": \"/x\", \"b/go\": \"/y\"}"), ("cache-dir", "c")];
        let upstream = map_of("reproducible-containers", "v3.3.2", &with, None).unwrap();
        assert_eq!(upstream.entries[0].source, "a/go");
        let fork = map_of("hiromaily", "v4.3.0", &with, None).unwrap();
        assert_eq!(pairs(&fork), [("c/go".into(), "type=cache,target=/y".into())]);
        insta::assert_snapshot!(fork.log.join("\n"), @r#"
        ::warning::cache-map key "a/go" was normalized to "go" (path.basename applied for security)
        ::warning::cache-map key "b/go" was normalized to "go" (path.basename applied for security)
        cache-dir applied: cache paths will be under "c/"
        "#);
    }

    #[test]
    fn the_fork_refuses_absolute_directories() {
        let with = [("cache-map", "{\"go\": \"/x\"}"), ("cache-dir", "/home/runner/work/c")];
        let problem = map_of("hiromaily", "v4.3.0", &with, None).unwrap().entries[0].problem.clone().unwrap();
        assert_eq!(
            problem.text,
            "Error: cache source must be a relative path, got absolute path: /home/runner/work/c/go"
        );
        assert!(problem.at_once);
        assert!(map_of("hiromaily", "v4.0.0", &with, None).unwrap().entries[0].problem.is_none());
    }

    proptest! {
        #[test]
        fn no_map_makes_it_panic(map in "[{}\\[\\]\",:a1/ ]{0,30}|\\{\"[a-z/.~]{0,5}\": ?(null|[0-9]|\"[^\"]{0,9}\"|\\{\\})\\}") {
            for (owner, reference) in [("x", "v3.0.0"), ("x", "v3.1.2"), ("x", "v3.3.2"), ("hiromaily", "v4")] {
                if let Ok(map) = map_of(owner, reference, &[("cache-map", &map), ("cache-dir", "d")], None) {
                    for entry in map.entries {
                        entry.identity();
                    }
                }
            }
        }
    }
}
