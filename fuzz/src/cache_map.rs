//! Any text as a cache map, for every version of the dance that reads one differently, with any Dockerfile beside it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use verify_buildkit_cache::dance::{Behaviour, DockerfileInput, ResolvedInputs, cache_map, extract_steps, inject_steps};
use verify_buildkit_cache::dockerfile::Dockerfile;
use verify_buildkit_cache::source::Source;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (map, dockerfile) = text.split_once('\0').unwrap_or((&text, ""));
    let parsed = Dockerfile::parse(&Source::new("Dockerfile", dockerfile)).ok();
    let versions = [
        ("reproducible-containers", "v1"),
        ("reproducible-containers", "v2.1.4"),
        ("reproducible-containers", "v3.0.0"),
        ("reproducible-containers", "v3.3.2"),
        ("hiromaily", "v4.3.0"),
    ];
    for (owner, reference) in versions {
        let behaviour = Behaviour::identify(owner, reference);
        let lookup = |name: &str| (name == "cache-map").then(|| map.to_owned());
        let inputs = ResolvedInputs::from_with(&lookup, &behaviour);
        let input = parsed.as_ref().map_or(DockerfileInput::Missing, DockerfileInput::Parsed);
        if let Ok(map) = cache_map(&inputs, &behaviour, input) {
            for entry in &map.entries {
                let _ = entry.mount();
                let _ = inject_steps(entry, &inputs, &behaviour);
                let _ = extract_steps(entry, &inputs, &behaviour);
            }
        }
    }
});
