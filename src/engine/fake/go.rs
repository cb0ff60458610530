//! A Go toolchain that only claims to compile: it downloads what the module mount lacks and leaves in both mounts what a
//! build would leave. [`Toolchain`] is principal.
//!
//! It looks for files it wrote itself, not for files as such: a cache filled from the wrong mount does not help it, as it
//! does not help Go.

use std::time::{Duration, SystemTime};

use super::Fake;
use super::tree::Tree;

/// How many files the build cache gets.
const OBJECTS: usize = 4;

/// What the fake toolchain works with.
#[derive(Debug)]
pub(super) struct Toolchain<'a> {
    /// Its sizes and times.
    pub(super) fake: &'a Fake,
    /// A number for what is compiled.
    pub(super) inputs: u64,
    /// The time of the files it writes.
    pub(super) now: SystemTime,
}

impl Toolchain<'_> {
    /// Downloads the modules that a mount lacks, and returns its lines; without a mount, all of them.
    pub(super) fn download(&self, mount: Option<&mut Tree>) -> Vec<String> {
        let zip = |number| format!("cache/download/example.com/m{number}/@v/v1.0.0.zip");
        let missing: Vec<usize> = (1..=self.fake.modules)
            .filter(|number| !mount.as_ref().is_some_and(|tree| tree.contains(&zip(*number))))
            .collect();
        if let Some(tree) = mount {
            let half = self.fake.module_bytes / self.fake.modules.max(1) / 2;
            for number in &missing {
                tree.write(&zip(*number), 0o644, noise(half, *number as u64), self.now);
                let unpacked = format!("example.com/m{number}@v1.0.0/m.go");
                // Go makes unpacked modules read-only.
                tree.write(&unpacked, 0o444, noise(half, *number as u64 + 1_000), self.now);
            }
        }
        missing.iter().map(|number| format!("go: downloading example.com/m{number} v1.0.0")).collect()
    }

    /// Compiles, and returns how long it took.
    pub(super) fn compile(&self, mount: Option<&mut Tree>) -> Duration {
        let Some(tree) = mount else { return self.fake.cold };
        let object = |number| format!("{number:02x}/{number:064x}-d");
        let warm = (0..OBJECTS).all(|number| tree.contains(&object(number)));
        if !warm {
            for number in 0..OBJECTS {
                tree.write(&object(number), 0o644, noise(self.fake.build_bytes / OBJECTS, number as u64), self.now);
            }
        }
        // What is compiled from this very source is new in the cache even when all else was there.
        tree.write(&format!("ff/{:064x}-a", self.inputs), 0o644, noise(64, self.inputs), self.now);
        if warm { self.fake.warm } else { self.fake.cold }
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
