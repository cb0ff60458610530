//! Caches of other tools than Go, which a Go project may well mount beside its own. [`is_another_tools`] is principal.
//!
//! A target counts only where its name says whose it is; what is not known may be Go's under a name of its own.

/// Tells whether a mount's target is where another tool keeps its cache, such as `/var/cache/apk` or `/root/.cache/pip`.
pub(crate) fn is_another_tools(target: &str) -> bool {
    const SYSTEM: [&str; 5] = ["/var/cache/apk", "/etc/apk/cache", "/var/cache/apt", "/var/lib/apt", "/var/cache/dnf"];
    const NAMES: [&str; 19] = [
        "pip",
        "pypoetry",
        "uv",
        "yarn",
        "npm",
        ".npm",
        "_cacache",
        "pnpm",
        ".pnpm-store",
        "bun",
        "composer",
        ".composer",
        "ccache",
        ".ccache",
        "sccache",
        ".m2",
        ".gradle",
        "nuget",
        "bundle",
    ];
    let parts: Vec<&str> = target.split('/').filter(|part| !part.is_empty()).collect();
    let named = match parts.as_slice() {
        [.., "cargo" | ".cargo", "registry" | "git"] | [.., ".m2", "repository"] => true,
        // `/app/store` may be anything; pnpm's is below its own name.
        [.., "pnpm", "store"] => true,
        [.., last] => NAMES.contains(last),
        [] => false,
    };
    let cleaned = format!("/{}", parts.join("/"));
    named || SYSTEM.iter().any(|system| cleaned == *system || cleaned.starts_with(&format!("{system}/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_is_another_tools_only_where_its_name_says_so() {
        for target in ["/var/cache/apk", "/var/lib/apt/lists/", "/root/.cache/pip", "/usr/local/share/.cache/yarn"] {
            assert!(is_another_tools(target), "{target}");
        }
        for target in ["/go/pkg/mod", "/root/.cache/go-build", "/root/.cache", "/cache", "/app/store", "/", "$GOCACHE"]
        {
            assert!(!is_another_tools(target), "{target}");
        }
    }
}
