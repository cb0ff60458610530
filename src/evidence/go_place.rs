//! Where Go keeps its caches in a build, as its steps say and as they use them. [`GoPlace`] is principal.

use super::MountSpec;

/// One of Go's two caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoCache {
    /// The module cache, GOMODCACHE.
    Modules,
    /// The build cache, GOCACHE.
    Objects,
}

/// A directory in which a step of a build keeps one of Go's caches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoPlace {
    /// Which cache.
    pub cache: GoCache,
    /// The directory, as an absolute path.
    pub path: String,
}

/// Returns the places that a step's command names, and those that its use of its mounts shows.
pub(super) fn places_of(command: &str, mounts: &[MountSpec]) -> Vec<GoPlace> {
    let separates = |char: char| char.is_whitespace() || ";&|()".contains(char);
    let mut places: Vec<GoPlace> = command.split(separates).filter_map(assigned).collect();
    // Its name says no more than its use: `go mod download` fills the module cache and nothing else.
    let downloads = command.contains("go mod download") && !command.contains("go build");
    let named = places.iter().any(|place| place.cache == GoCache::Modules);
    if let [only] = mounts
        && downloads
        && !named
        && !only.clean_target().ends_with("go-build")
    {
        places.push(GoPlace { cache: GoCache::Modules, path: only.clean_target() });
    }
    places
}

/// Returns the places that an `ENV` of a Dockerfile names: `ENV GOCACHE=/o GOMODCACHE=/m`, or `ENV GOCACHE /o`.
pub(super) fn places_of_env(values: &str) -> Vec<GoPlace> {
    let pairs = values.split_whitespace().filter_map(assigned).collect::<Vec<_>>();
    let old = values.trim().split_once(char::is_whitespace).filter(|(name, _)| !name.contains('='));
    let old = old.and_then(|(name, value)| assigned(&format!("{name}={}", value.trim())));
    pairs.into_iter().chain(old).collect()
}

/// Returns the caches whose places a command asks `go env` for, in the order in which it prints them; none where it prints
/// anything else between them.
pub(super) fn asked(command: &str) -> Vec<GoCache> {
    let Some((_, rest)) = command.split_once("go env ") else { return Vec::new() };
    let rest = rest.split([';', '&', '|', ')', '\n', '"', '`']).next().unwrap_or_default();
    let caches = rest.split_whitespace().map(|name| match name {
        "GOMODCACHE" => Some(GoCache::Modules),
        "GOCACHE" => Some(GoCache::Objects),
        _ => None,
    });
    caches.collect::<Option<Vec<_>>>().filter(|_| command.matches("go env ").count() == 1).unwrap_or_default()
}

/// Reads a line of `go env`: `GOMODCACHE='/data/m'`.
pub(super) fn printed_place(line: &str) -> Option<GoPlace> {
    let line = line.trim();
    let line = line.strip_prefix("set ").unwrap_or(line);
    assigned(line).filter(|_| !line.contains(char::is_whitespace))
}

/// Reads an assignment of one of Go's variables.
fn assigned(word: &str) -> Option<GoPlace> {
    let (name, value) = word.trim_matches(['"', '\'']).split_once('=')?;
    let value = value.trim_matches(['"', '\'']).trim_end_matches('/');
    let plain = value.starts_with('/') && !value.contains(['$', '`', '"', '\'']);
    let (cache, path) = match name {
        "GOMODCACHE" => (GoCache::Modules, value.to_owned()),
        "GOPATH" => (GoCache::Modules, format!("{value}/pkg/mod")),
        "GOCACHE" => (GoCache::Objects, value.to_owned()),
        _ => return None,
    };
    plain.then_some(GoPlace { cache, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(target: &str) -> MountSpec {
        MountSpec { target: target.into(), id: None, owner: String::new() }
    }

    fn modules(path: &str) -> GoPlace {
        GoPlace { cache: GoCache::Modules, path: path.into() }
    }

    fn objects(path: &str) -> GoPlace {
        GoPlace { cache: GoCache::Objects, path: path.into() }
    }

    #[test]
    fn a_command_names_the_places_of_its_caches() {
        let command = "export GOMODCACHE=/data/m GOCACHE=\"/data/o/\"; go build";
        assert_eq!(places_of(command, &[]), [modules("/data/m"), objects("/data/o")]);
        assert_eq!(places_of("GOPATH=/w go build", &[]), [modules("/w/pkg/mod")]);
        assert!(places_of("GOCACHE=$HOME/o GOFLAGS=-v go build", &[]).is_empty());
    }

    #[test]
    fn the_only_mount_of_a_download_is_the_module_cache() {
        assert_eq!(places_of("go mod download", &[mount("/c/deps/")]), [modules("/c/deps")]);
        assert_eq!(places_of("GOMODCACHE=/m go mod download", &[mount("/c")]), [modules("/m")]);
        assert!(places_of("go mod download", &[mount("/a"), mount("/b")]).is_empty());
        assert!(places_of("go mod download && go build", &[mount("/a")]).is_empty());
        assert!(places_of("go mod download", &[mount("/root/.cache/go-build")]).is_empty());
    }

    #[test]
    fn an_env_of_the_dockerfile_names_them_too() {
        assert_eq!(places_of_env("GOCACHE=/o GOMODCACHE=\"/m\" X=1"), [objects("/o"), modules("/m")]);
        assert_eq!(places_of_env("GOCACHE /o"), [objects("/o")]);
        assert!(places_of_env("PATH=/go/bin:$PATH").is_empty());
    }

    #[test]
    fn what_go_env_is_asked_for_it_prints_in_that_order() {
        assert_eq!(asked("go env GOMODCACHE GOCACHE && du -sh /m"), [GoCache::Modules, GoCache::Objects]);
        assert_eq!(asked("go env GOCACHE"), [GoCache::Objects]);
        for other in ["go env", "go env GOFLAGS GOCACHE", "go env GOCACHE; go env GOMODCACHE", "echo go"] {
            assert!(asked(other).is_empty(), "{other}");
        }
    }

    #[test]
    fn go_env_prints_the_places_of_its_caches() {
        assert_eq!(printed_place("GOMODCACHE='/data/m'"), Some(modules("/data/m")));
        assert_eq!(printed_place("GOCACHE=\"/data/o\""), Some(objects("/data/o")));
        assert_eq!(printed_place("GOCACHE=/data/o is where it lies"), None);
        assert_eq!(printed_place("GOCACHE='off'"), None);
    }
}
