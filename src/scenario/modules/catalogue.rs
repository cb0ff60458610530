//! Which modules there are: names, versions, what they need and how large they are. [`Module`] is principal.
//!
//! The set is what a service of some years has: a few modules it uses itself, more that came with those, and some that
//! carry test data, fonts or tables far larger than their code. Nothing is generated here.

use super::super::file::Variant;

/// One module, from which everything in it follows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Module {
    /// The module path without the domain all of them share.
    name: &'static str,
    /// Its version.
    version: &'static str,
    /// The hand-written part: the name of a file in `features/`.
    pub(super) feature: &'static str,
    /// How many generated messages its schema holds.
    pub(super) messages: usize,
    /// The names of the modules it imports; all stand before it in the list.
    needs: &'static [&'static str],
    /// Its data, if it has any.
    pub(super) data: Option<Data>,
}

/// A file that is downloaded with a module and never compiled: test data, a font, a dictionary.
#[derive(Debug, Clone, Copy)]
pub(super) struct Data {
    /// The name of the file.
    pub(super) name: &'static str,
    /// Its size.
    pub(super) kib: usize,
    /// What is in it.
    pub(super) kind: DataKind,
}

/// What data is, which decides how far it can be compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DataKind {
    /// Compressed already, as pictures and sounds are.
    Packed,
    /// Rows of text that differ a little.
    Rows,
}

impl Module {
    /// Returns the module path.
    pub(super) fn path(&self) -> String {
        format!("modules.example/{}", self.name)
    }

    /// Returns the name of the module's package.
    pub(super) fn package(&self) -> String {
        let is_major = |part: &&str| part.strip_prefix('v').is_some_and(|digits| digits.parse::<u32>().is_ok());
        let last = self.name.rsplit('/').find(|part| !is_major(part)).unwrap_or(self.name);
        last.replace('-', "")
    }

    /// Returns the version of a release; release 0 is the one the committed `go.mod` names.
    pub(super) fn version(&self, release: u32) -> String {
        if release == 0 { self.version.to_owned() } else { format!("v1.{release}.0") }
    }

    /// Returns the modules this one imports.
    pub(super) fn imports(&self, all: &'static [Module]) -> Vec<&'static Module> {
        all.iter().filter(|other| self.needs.contains(&other.name)).collect()
    }

    /// Returns every module this one is built from, without itself, in the order of the list.
    pub(super) fn closure(&self, all: &'static [Module]) -> Vec<&'static Module> {
        let mut names: Vec<&str> = self.needs.to_vec();
        // A module's needs stand before it, so that one pass backwards meets every one of them.
        for other in all.iter().rev() {
            if names.contains(&other.name) {
                names.extend(other.needs);
            }
        }
        all.iter().filter(|other| names.contains(&other.name)).collect()
    }
}

const fn module(
    name: &'static str,
    version: &'static str,
    feature: &'static str,
    messages: usize,
    needs: &'static [&'static str],
) -> Module {
    Module { name, version, feature, messages, needs, data: None }
}

const fn with_data(module: Module, name: &'static str, kib: usize) -> Module {
    Module { data: Some(Data { name, kib, kind: DataKind::Packed }), ..module }
}

const fn with_rows(module: Module, name: &'static str, kib: usize) -> Module {
    Module { data: Some(Data { name, kib, kind: DataKind::Rows }), ..module }
}

/// The modules that have more than one release, for the `deps` edit; nothing else in the lists needs them.
const FLAGS: Module = module("flags", "v1.0.9", "text", 8, &["text"]);
const SMALL_FLAGS: Module = module("small/flags", "v1.0.9", "text", 2, &["small/text"]);

/// How many releases [`released`] has after the one the committed `go.mod` names.
pub(super) const LATER_RELEASES: u32 = 8;

/// The modules of the sample.
const FULL: &[Module] = &[
    module("text", "v1.4.2", "text", 8, &[]),
    module("log", "v1.9.0", "log", 8, &["text"]),
    module("numbers", "v0.14.1", "numbers", 8, &[]),
    with_data(module("unicode-tables", "v0.22.0", "search", 8, &["text"]), "testdata/normalization.bin", 3072),
    module("codec", "v1.17.3", "codec", 16, &["text"]),
    module("sign", "v0.41.0", "sign", 8, &["codec"]),
    module("certs", "v1.2.8", "tls", 8, &["sign"]),
    module("bundle", "v1.18.2", "bundle", 8, &[]),
    module("retry", "v1.1.0", "numbers", 8, &["log"]),
    with_data(module("fonts", "v0.7.0", "text", 4, &[]), "ttf/sans.ttf", 5120),
    with_data(module("picture", "v0.25.0", "picture", 8, &["fonts"]), "testdata/photographs.bin", 8192),
    with_data(module("geo/v2", "v2.3.1", "search", 12, &["text", "numbers"]), "data/cities.mmdb", 10240),
    with_rows(module("timezones", "v1.25.2", "numbers", 4, &[]), "data/transitions.csv", 8192),
    with_rows(module("schema", "v1.36.5", "codec", 32, &["text", "codec"]), "testdata/conformance.csv", 10240),
    module("pages", "v1.3.4", "pages", 8, &["text"]),
    module("mail", "v0.8.1", "mail", 8, &["log", "certs"]),
    module("rpc", "v1.71.0", "rpc", 28, &["log", "certs", "schema"]),
    module("router", "v1.8.1", "router", 8, &["log", "codec"]),
    module("problem", "v1.0.3", "codec", 8, &["router"]),
    module("sqldriver", "v1.14.0", "sql", 12, &["log", "numbers", "certs"]),
    module("migrate", "v0.18.4", "sql", 8, &["sqldriver"]),
    with_rows(module("store", "v1.10.2", "sql", 12, &["sqldriver", "migrate"]), "testdata/rows.csv", 10240),
    module("rules", "v0.27.0", "rules", 12, &["text"]),
    module("metrics", "v1.21.0", "rpc", 16, &["log", "schema"]),
    module("trace", "v1.35.0", "log", 20, &["log", "rpc"]),
    with_data(
        module("objects", "v1.88.0", "router", 28, &["codec", "certs", "retry"]),
        "testdata/recordings.bin",
        6144,
    ),
    module("queue", "v1.43.1", "rpc", 20, &["retry", "rpc"]),
    with_rows(module("search", "v1.4.0", "search", 12, &["unicode-tables"]), "testdata/corpus.csv", 12288),
    with_rows(module("spelling", "v0.3.0", "search", 8, &["unicode-tables", "search"]), "dictionaries/en.csv", 10240),
    module("session", "v1.3.0", "sign", 8, &["sign", "router"]),
    FLAGS,
    module("config/v3", "v3.2.0", "codec", 8, &["codec"]),
    module("jobs", "v0.11.4", "rules", 12, &["retry", "queue"]),
    with_data(
        module("invoices", "v0.6.0", "bundle", 16, &["bundle", "picture", "schema"]),
        "testdata/golden.bin",
        4096,
    ),
];

/// The modules of the sample for tests: little to compile, a few megabytes to carry.
const SMALL: &[Module] = &[
    module("small/text", "v1.4.2", "text", 2, &[]),
    module("small/units", "v1.0.1", "text", 2, &["small/text"]),
    with_data(module("small/tables", "v0.22.0", "text", 2, &["small/text"]), "testdata/tables.bin", 2048),
    module("small/schema", "v1.36.5", "text", 4, &["small/text"]),
    with_data(
        module("small/records", "v0.9.3", "text", 4, &["small/units", "small/schema"]),
        "testdata/golden.bin",
        1024,
    ),
    SMALL_FLAGS,
];

/// Returns the modules of a variant; each stands after the ones it needs.
pub(super) fn modules(variant: Variant) -> &'static [Module] {
    match variant {
        Variant::Full => FULL,
        Variant::Small => SMALL,
    }
}

/// Returns the module that has later releases.
pub(super) fn released(variant: Variant) -> Module {
    match variant {
        Variant::Full => FLAGS,
        Variant::Small => SMALL_FLAGS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_stands_after_the_ones_it_needs_and_nothing_needs_the_released_one() {
        for variant in [Variant::Full, Variant::Small] {
            let all = modules(variant);
            for (place, module) in all.iter().enumerate() {
                for need in module.needs {
                    let found = all.iter().position(|other| other.name == *need);
                    assert!(found.is_some_and(|found| found < place), "{} needs {need}", module.name);
                    assert_ne!(*need, released(variant).name);
                }
            }
        }
    }

    #[test]
    fn the_closure_holds_what_the_needs_need() {
        let migrate = FULL.iter().find(|module| module.name == "migrate").unwrap();
        let names: Vec<_> = migrate.closure(FULL).iter().map(|module| module.name).collect();
        assert_eq!(names, ["text", "log", "numbers", "codec", "sign", "certs", "sqldriver"]);
    }

    #[test]
    fn a_package_is_named_for_its_path_without_the_major_version() {
        let names = [module("geo/v2", "", "", 0, &[]), module("unicode-tables", "", "", 0, &[])];
        assert_eq!(names.map(|module| module.package()), ["geo", "unicodetables"]);
    }
}
