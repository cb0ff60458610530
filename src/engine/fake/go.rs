//! A Go toolchain that only claims to compile: it downloads what the module cache lacks and leaves in both caches what a
//! build would leave. [`Toolchain`] is principal.
//!
//! It looks for files it wrote itself, not for files as such: a cache filled from the wrong mount does not help it, as it
//! does not help Go. As Go's, its results are of use only to the same release with the same flags.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, SystemTime};

use super::Fake;
use super::tree::FileTree;

/// How many files the build cache gets.
const OBJECTS: u32 = 8;

/// Of those, how many a program of one small package needs.
const OBJECTS_OF_ONE: u32 = 2;

/// What the fake toolchain works with.
#[derive(Debug)]
pub(super) struct Toolchain<'a> {
    /// Its sizes and times.
    pub(super) fake: &'a Fake,
    /// The time of the files it writes.
    pub(super) now: SystemTime,
    /// A number for `go.mod`, if there is one: the first module's version follows it.
    pub(super) requires: Option<u64>,
}

/// What `go build` is to compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CompileGoal {
    /// A number for the sources.
    pub(super) sources: u64,
    /// A number for the release and the flags.
    pub(super) settings: u64,
    /// Whether it is one package: below the project's root, or a file that stands by itself.
    pub(super) one_package: bool,
    /// Whether it needs the project's modules: a file that stands by itself needs none.
    pub(super) modules: bool,
}

impl CompileGoal {
    /// Reads the words after `go build`. `release` names the Go release, `variables` is what GOFLAGS and the like are set to.
    pub(super) fn read(words: &[&str], release: &str, variables: &[&str], sources: u64) -> Self {
        let mut hasher = DefaultHasher::new();
        (release, variables).hash(&mut hasher);
        let mut packages = Vec::new();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "-o" => {
                    words.next();
                }
                flag if flag.starts_with('-') => flag.hash(&mut hasher),
                package => packages.push(package),
            }
        }
        let alone = |package: &&str| package.starts_with('/') && package.ends_with(".go");
        let below = |package: &&str| package.len() > 2 && package.starts_with("./") && !package.contains("...");
        let all = |test: &dyn Fn(&&str) -> bool| !packages.is_empty() && packages.iter().all(test);
        let modules = !all(&alone);
        Self { sources, settings: hasher.finish(), one_package: !modules || all(&below), modules }
    }
}

/// A directory of Go's: in a cache mount, or in the layer at a path.
pub(super) struct GoDirectory<'t> {
    /// The files.
    pub(super) tree: &'t mut FileTree,
    /// Where in it, without a slash at the end.
    pub(super) path: String,
}

impl GoDirectory<'_> {
    pub(super) fn inside(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) }
    }
}

impl Toolchain<'_> {
    /// Downloads the modules that the module cache lacks, and returns its lines.
    pub(super) fn download(&self, home: &mut GoDirectory<'_>) -> Vec<String> {
        let patch = self.requires.map_or(0, |requires| requires % 1_000);
        let version = |number| format!("v1.0.{}", if number == 1 { patch } else { 0 });
        let zip = |number| format!("cache/download/example.com/m{number}/@v/{}.zip", version(number));
        let missing: Vec<usize> =
            (1..=self.fake.modules).filter(|number| !home.tree.contains(&home.inside(&zip(*number)))).collect();
        let half = self.fake.module_bytes / self.fake.modules.max(1) / 2;
        for number in &missing {
            let unpacked = format!("example.com/m{number}@{}/m.go", version(*number));
            let (zip, unpacked) = (home.inside(&zip(*number)), home.inside(&unpacked));
            home.tree.write(&zip, 0o644, noise(half, *number as u64), self.now);
            // Go makes unpacked modules read-only.
            home.tree.write(&unpacked, 0o444, noise(half, *number as u64 + 1_000), self.now);
        }
        missing.iter().map(|number| format!("go: downloading example.com/m{number} {}", version(*number))).collect()
    }

    /// Compiles, and returns how long it took.
    pub(super) fn compile(&self, goal: &CompileGoal, home: &mut GoDirectory<'_>) -> Duration {
        let objects = if goal.one_package { OBJECTS_OF_ONE } else { OBJECTS };
        let object = |number: u32| format!("{number:02x}/{:016x}{number:048x}-d", goal.settings);
        let missing: Vec<u32> =
            (0..objects).filter(|number| !home.tree.contains(&home.inside(&object(*number)))).collect();
        for number in &missing {
            let path = home.inside(&object(*number));
            let bytes = noise(self.fake.build_bytes / OBJECTS as usize, u64::from(*number) ^ goal.settings);
            home.tree.write(&path, 0o644, bytes, self.now);
        }
        // What is compiled from this very source is new in the cache even when all else was there.
        let own = home.inside(&format!("ff/{:064x}-a", goal.sources ^ goal.settings));
        home.tree.write(&own, 0o644, noise(64, goal.sources), self.now);
        let missing = u32::try_from(missing.len()).unwrap_or(OBJECTS);
        self.fake.warm + (self.fake.cold.saturating_sub(self.fake.warm)) * missing / OBJECTS
    }
}

/// Makes bytes that no compressor makes smaller, always the same for the same seed.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goal(words: &[&str], release: &str, flags: &str) -> CompileGoal {
        CompileGoal::read(words, release, &[flags], 7)
    }

    fn took(goal: &CompileGoal, cache: &mut FileTree) -> Duration {
        let fake = Fake::default();
        let toolchain = Toolchain { fake: &fake, now: SystemTime::UNIX_EPOCH, requires: None };
        toolchain.compile(goal, &mut GoDirectory { tree: cache, path: String::new() })
    }

    #[test]
    fn results_are_of_use_only_to_the_same_release_and_flags() {
        let fake = Fake::default();
        let usual = goal(&["-o", "/x", "."], "go:1", "");
        let mut cache = FileTree::default();
        assert_eq!(took(&usual, &mut cache), fake.cold);
        assert_eq!(took(&goal(&["-o", "/other", "."], "go:1", ""), &mut cache), fake.warm);
        for other in [goal(&["."], "go:2", ""), goal(&["-trimpath", "."], "go:1", ""), goal(&["."], "go:1", "-race")] {
            assert_eq!(took(&other, &mut cache), fake.cold);
        }
    }

    #[test]
    fn a_change_of_go_mod_brings_one_module_anew() {
        let (fake, mut tree) = (Fake::default(), FileTree::default());
        let mut download = |requires| {
            let toolchain = Toolchain { fake: &fake, now: SystemTime::UNIX_EPOCH, requires: Some(requires) };
            toolchain.download(&mut GoDirectory { tree: &mut tree, path: String::new() })
        };
        assert_eq!(download(7).len(), fake.modules);
        assert_eq!(download(8), ["go: downloading example.com/m1 v1.0.8"]);
        assert_eq!(download(7), [""; 0]);
    }

    #[test]
    fn a_file_that_stands_by_itself_needs_no_module() {
        let alone = goal(&["-o", "/smoke", "/smoke.go"], "go:1", "");
        assert!(alone.one_package && !alone.modules && goal(&["./a"], "go:1", "").modules);
    }

    #[test]
    fn one_small_package_takes_less() {
        let small = goal(&["-o", "/x", "./internal/hello"], "go:1", "");
        assert!(small.one_package && !goal(&["./..."], "go:1", "").one_package);
        assert!(took(&small, &mut FileTree::default()) < Fake::default().cold / 2);
    }
}
