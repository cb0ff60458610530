//! The modules the sample depends on, generated, so that a build needs no network and `go.sum` holds. [`proxies`] is
//! principal.
//!
//! Everything here follows from constants: the same bytes on every machine. Nothing is written anywhere.

mod archive;
mod catalogue;
mod contents;
mod messages;
mod random;

use catalogue::Module;

use super::file::{File, Variant};

/// Generates the files of a Go module proxy that holds every module of a variant, in the layout `GOPROXY=file://…` reads.
///
/// They come module by module, so that the work can be shared out, and who takes one never holds more in memory.
pub fn proxies(variant: Variant) -> impl Iterator<Item = impl Iterator<Item = File> + Send> + Send {
    let all = catalogue::modules(variant);
    let released = catalogue::released(variant).path();
    all.iter().map(move |module| {
        let last = if module.path() == released { catalogue::LATER_RELEASES } else { 0 };
        let versions: String = (0..=last).map(|release| module.version(release) + "\n").collect();
        let list = File { path: format!("{}/@v/list", module.path()), bytes: versions.into_bytes() };
        std::iter::once(list).chain((0..=last).flat_map(move |release| served(module, release, all)))
    })
}

/// Returns the version of the module that the `deps` edit moves, and its two lines of `go.sum`.
pub(super) fn release(variant: Variant, release: u32) -> ModuleRelease {
    let module = catalogue::released(variant);
    let release = if release == 0 { 0 } else { (release - 1) % catalogue::LATER_RELEASES + 1 };
    ModuleRelease {
        path: module.path(),
        version: module.version(release),
        sums: sums(&module, release, catalogue::modules(variant)),
    }
}

/// A release of the module that has several.
pub(super) struct ModuleRelease {
    /// The module path.
    pub(super) path: String,
    /// The version.
    pub(super) version: String,
    /// The module's lines of `go.sum`.
    pub(super) sums: String,
}

/// The three files of one version.
fn served(module: &Module, release: u32, all: &'static [Module]) -> [File; 3] {
    let (path, version) = (module.path(), module.version(release));
    let place = format!("{path}/@v/{version}");
    let info = format!("{{\"Version\":\"{version}\",\"Time\":\"2025-01-01T00:00:00Z\"}}\n");
    let zip = archive::zip(&format!("{path}@{version}"), &contents::files(module, release, all));
    [
        File { path: format!("{place}.info"), bytes: info.into_bytes() },
        File { path: format!("{place}.mod"), bytes: contents::go_mod(module, all).into_bytes() },
        File { path: format!("{place}.zip"), bytes: zip },
    ]
}

/// The two lines of one version in `go.sum`.
fn sums(module: &Module, release: u32, all: &'static [Module]) -> String {
    let (path, version) = (module.path(), module.version(release));
    let files = contents::files(module, release, all);
    let names = files.iter().map(|(name, bytes)| (format!("{path}@{version}/{name}"), bytes.as_slice()));
    let go_mod = contents::go_mod(module, all);
    let go_mod_hash = archive::hash([("go.mod".to_owned(), go_mod.as_bytes())].into_iter());
    format!("{path} {version} {}\n{path} {version}/go.mod {go_mod_hash}\n", archive::hash(names))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::sample;

    /// The `go.sum` that fits the generated modules, in the order `go mod tidy` writes.
    fn go_sum(variant: Variant) -> String {
        let all = catalogue::modules(variant);
        let mut lines: Vec<String> = all.iter().map(|module| sums(module, 0, all)).collect();
        lines.sort();
        lines.concat()
    }

    #[test]
    fn the_committed_go_sum_is_the_one_the_generated_modules_have() {
        for variant in [Variant::Full, Variant::Small] {
            let committed = sample::project(variant).find(|file| file.path == "go.sum").unwrap();
            assert_eq!(String::from_utf8(committed.bytes).unwrap(), go_sum(variant), "{variant:?}");
        }
    }

    #[test]
    fn the_proxy_serves_every_version_it_lists() {
        let files: Vec<String> = proxies(Variant::Small).flatten().map(|file| file.path).collect();
        for version in ["v1.0.9", "v1.1.0", "v1.8.0"] {
            for kind in ["info", "mod", "zip"] {
                assert!(
                    files.contains(&format!("modules.example/small/flags/@v/{version}.{kind}")),
                    "{version}.{kind}"
                );
            }
        }
        assert!(files.contains(&"modules.example/small/flags/@v/list".to_owned()));
    }
}
