//! Entries of one cache map that harm one another. [`collisions`] is principal.

use super::cache_map::CacheMap;
use crate::dockerfile::clean_path;

/// Two entries that harm one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collision {
    /// What happens.
    pub kind: CollisionKind,
    /// The host directory of the first.
    pub first: String,
    /// The host directory of the second.
    pub second: String,
}

/// The ways two entries can harm one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollisionKind {
    /// Two keys ended up as one: the first has no effect.
    Replaced,
    /// The same directory in two spellings: each inject deletes what the next needs.
    SameSource,
    /// The second lies inside the first: the inject of the first deletes it, or takes it along.
    Nested,
    /// Two directories for one cache mount: both get the content of both.
    SameMount,
}

/// Finds the entries that harm one another.
pub fn collisions(map: &CacheMap) -> Vec<Collision> {
    let mut found: Vec<Collision> = map
        .replaced
        .iter()
        .map(|key| Collision { kind: CollisionKind::Replaced, first: key.clone(), second: key.clone() })
        .collect();
    for (at, one) in map.entries.iter().enumerate() {
        for other in &map.entries[at + 1..] {
            let (a, b) = (clean_path(&one.source), clean_path(&other.source));
            let same_mount = || one.identity().is_some_and(|identity| Some(identity) == other.identity());
            let (kind, first, second) = if a == b {
                (CollisionKind::SameSource, one, other)
            } else if contains(&a, &b) {
                (CollisionKind::Nested, one, other)
            } else if contains(&b, &a) {
                (CollisionKind::Nested, other, one)
            } else if same_mount() {
                (CollisionKind::SameMount, one, other)
            } else {
                continue;
            };
            found.push(Collision { kind, first: first.source.clone(), second: second.source.clone() });
        }
    }
    found
}

fn contains(outer: &str, inner: &str) -> bool {
    match outer {
        "." => !inner.starts_with('/') && !inner.starts_with(".."),
        "/" => inner.starts_with('/'),
        outer => inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Behaviour, DanceInputs, DockerfileInput, cache_map};
    use super::*;

    fn kinds(map: &str) -> Vec<CollisionKind> {
        let behaviour = Behaviour::identify("reproducible-containers", "v3.3.2");
        let lookup = |name: &str| (name == "cache-map").then(|| map.to_owned());
        let inputs = DanceInputs::from_with(&lookup, &behaviour);
        let map = cache_map(&inputs, &behaviour, DockerfileInput::Missing).unwrap();
        collisions(&map).into_iter().map(|found| found.kind).collect()
    }

    #[test]
    fn harmful_pairs_are_told_apart() {
        assert_eq!(kinds("{\"a\": \"/a\", \"ab\": \"/b\"}"), []);
        assert_eq!(kinds("{\"a/go\": \"/a\", \"b/go\": \"/b\"}"), []);
        assert_eq!(kinds("{\"a\": \"/a\", \"a/b\": \"/b\"}"), [CollisionKind::Nested]);
        assert_eq!(kinds("{\"a\": \"/a\", \".\": \"/b\"}"), [CollisionKind::Nested]);
        assert_eq!(kinds("{\"a\": \"/a\", \"./a/\": \"/b\"}"), [CollisionKind::SameSource]);
        assert_eq!(kinds("{\"a\": \"/a\", \"b\": \"/a/\"}"), [CollisionKind::SameMount]);
        assert_eq!(kinds("{\"a\": \"/a\", \"a\": \"/b\"}"), [CollisionKind::Replaced]);
    }
}
