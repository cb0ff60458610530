//! The bundled Go project, as data: its files, the edits between runs, and the images it is built on. [`Variant`] is
//! principal.
//!
//! The modules it depends on come from [`super::modules`]. Nothing here reads or writes files.

pub use super::file::{File, Variant};
use super::modules;

/// The Go release of the base image. `scripts/go-image` reads the same file.
pub const GO_VERSION: &str = include_str!("../../scripts/go-version").trim_ascii();

/// The Go release before it, which a floating tag stood for in a scenario whose Go changes.
pub const PREVIOUS_GO_VERSION: &str = include_str!("../../scripts/go-version-previous").trim_ascii();

/// Where the Dockerfile of the sample expects the module proxy, below the build context.
pub const PROXY_DIR: &str = ".goproxy";

/// The Dockerfile that serves both variants.
pub const DOCKERFILE: &str = include_str!("../../Dockerfile.sample");

/// Returns the official image of the Go release.
pub fn official_go_image() -> String {
    official_image_of(GO_VERSION)
}

/// Returns the image `scripts/go-image` assembles where the official one cannot be pulled.
pub fn local_go_image() -> String {
    local_image_of(GO_VERSION)
}

/// Returns the official image of a Go release.
pub fn official_image_of(version: &str) -> String {
    format!("golang:{version}-alpine")
}

/// Returns the image `scripts/go-image` assembles of a Go release.
pub fn local_image_of(version: &str) -> String {
    format!("verify-buildkit-cache/go:{version}")
}

/// What a commit between two runs changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceChange {
    /// Nothing: the run builds what the one before it built.
    None,
    /// One line of Go, so that the build has something to compile.
    Source,
    /// The version of one dependency, in `go.mod` and `go.sum`: one module has to be downloaded.
    Deps,
}

macro_rules! bundle {
    ($folder:literal: $($path:literal),* $(,)?) => {
        &[$(($path, include_bytes!(concat!("../../", $folder, "/", $path)))),*]
    };
}

type Bundle = &'static [(&'static str, &'static [u8])];

const FULL: Bundle = bundle!("go-sample":
    "go.mod",
    "go.sum",
    "internal/about/about.go",
    "internal/ledger/export.go",
    "internal/ledger/ledger.go",
    "internal/server/server.go",
    "internal/version/version.go",
    "internal/views/pages/about.html",
    "internal/views/pages/invoices.html",
    "internal/views/pages/layout.html",
    "internal/views/views.go",
    "main.go",
);

const SMALL: Bundle = bundle!("go-sample/small":
    "go.mod",
    "go.sum",
    "internal/hello/main.go",
    "internal/report/report.go",
    "internal/version/version.go",
    "main.go",
);

fn bundle(variant: Variant) -> Bundle {
    match variant {
        Variant::Full => FULL,
        Variant::Small => SMALL,
    }
}

/// Returns the Go project as it is committed, which is how the first run sees it.
pub fn project(variant: Variant) -> impl Iterator<Item = File> {
    bundle(variant).iter().map(|(path, bytes)| File { path: (*path).to_owned(), bytes: bytes.to_vec() })
}

/// Returns the files that differ from [`project`] in a run, whole. Runs count from 1, and the first has no edit.
///
/// Every run has an edit of its own; the `deps` edit begins anew after its eighth release.
pub fn edited(variant: Variant, edit: SourceChange, run: u32) -> Vec<File> {
    let before = run.saturating_sub(1);
    if before == 0 {
        return Vec::new();
    }
    match edit {
        SourceChange::None => Vec::new(),
        SourceChange::Source => vec![changed(variant, "internal/version/version.go", "run-1", &format!("run-{run}"))],
        SourceChange::Deps => {
            let (old, new) = (modules::release(variant, 0), modules::release(variant, before));
            let line = |release: &modules::ModuleRelease| format!("{} {}\n", release.path, release.version);
            vec![changed(variant, "go.mod", &line(&old), &line(&new)), changed(variant, "go.sum", &old.sums, &new.sums)]
        }
    }
}

/// Returns a file of the project with one text in it replaced.
fn changed(variant: Variant, path: &str, old: &str, new: &str) -> File {
    let bytes = bundle(variant).iter().find(|(known, _)| *known == path).map_or(&[][..], |(_, bytes)| bytes);
    let text = String::from_utf8_lossy(bytes).replacen(old, new, 1);
    File { path: path.to_owned(), bytes: text.into_bytes() }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    const VARIANTS: [Variant; 2] = [Variant::Full, Variant::Small];

    fn committed(variant: Variant, path: &str) -> File {
        project(variant).find(|file| file.path == path).unwrap()
    }

    /// The lines of a file that its edited form does not have, and those it has instead.
    fn difference(variant: Variant, file: &File) -> (Vec<String>, Vec<String>) {
        let lines = |file: &File| -> Vec<String> {
            String::from_utf8(file.bytes.clone()).unwrap().lines().map(str::to_owned).collect()
        };
        let (old, new) = (lines(&committed(variant, &file.path)), lines(file));
        let only =
            |these: &[String], those: &[String]| these.iter().filter(|line| !those.contains(line)).cloned().collect();
        (only(&old, &new), only(&new, &old))
    }

    #[test]
    fn the_bundle_holds_every_file_of_the_project_on_disk() {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(&path, found) } else { found.push(path) }
            }
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("go-sample");
        let mut on_disk = Vec::new();
        walk(&root, &mut on_disk);
        on_disk.sort();
        let full = FULL.iter().map(|(path, _)| root.join(path));
        let mut bundled: Vec<PathBuf> =
            full.chain(SMALL.iter().map(|(path, _)| root.join("small").join(path))).collect();
        bundled.sort();
        assert_eq!(bundled, on_disk);
    }

    #[test]
    fn the_dockerfile_asks_no_registry_for_a_frontend_and_copies_what_both_variants_have() {
        assert!(!DOCKERFILE.contains("\n# syntax") && !DOCKERFILE.starts_with("# syntax"));
        assert!(DOCKERFILE.contains(&format!("source={PROXY_DIR},")));
        for variant in VARIANTS {
            for copied in ["go.mod", "go.sum", "main.go", "internal/version/version.go"] {
                assert_eq!(committed(variant, copied).path, copied);
            }
        }
    }

    #[test]
    fn the_first_run_has_no_edit() {
        for edit in [SourceChange::None, SourceChange::Source, SourceChange::Deps] {
            assert_eq!(edited(Variant::Small, edit, 1), []);
            assert_eq!(edited(Variant::Small, edit, 0), []);
        }
    }

    #[test]
    fn a_source_edit_changes_one_line() {
        for variant in VARIANTS {
            let files = edited(variant, SourceChange::Source, 3);
            let lines = difference(variant, &files[0]);
            assert_eq!(files.len(), 1);
            assert_eq!(lines.0, [r#"const Revision = "run-1""#]);
            assert_eq!(lines.1, [r#"const Revision = "run-3""#]);
        }
    }

    #[test]
    fn a_deps_edit_moves_one_module_to_its_next_release() {
        for (variant, path) in
            [(Variant::Full, "modules.example/flags"), (Variant::Small, "modules.example/small/flags")]
        {
            let files = edited(variant, SourceChange::Deps, 2);
            let (go_mod, go_sum) = (difference(variant, &files[0]), difference(variant, &files[1]));
            assert_eq!((go_mod.0, go_mod.1), (vec![format!("\t{path} v1.0.9")], vec![format!("\t{path} v1.1.0")]));
            assert_eq!((go_sum.0.len(), go_sum.1.len()), (2, 2));
            assert!(go_sum.1.iter().all(|line| line.starts_with(&format!("{path} v1.1.0"))), "{go_sum:?}");
        }
    }

    #[test]
    fn runs_that_follow_one_another_differ_however_many_there_are() {
        for edit in [SourceChange::Source, SourceChange::Deps] {
            for run in 1..24 {
                let (this, next) = (edited(Variant::Small, edit, run), edited(Variant::Small, edit, run + 1));
                assert_ne!(this, next, "{edit:?} after run {run}");
            }
        }
    }

    #[test]
    fn the_images_are_named_for_one_release() {
        assert!(GO_VERSION.split('.').all(|part| part.parse::<u32>().is_ok()), "{GO_VERSION}");
        assert_eq!(official_go_image(), format!("golang:{GO_VERSION}-alpine"));
        assert_eq!(local_go_image(), format!("verify-buildkit-cache/go:{GO_VERSION}"));
    }
}
