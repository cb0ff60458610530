//! When a mount has grown so much in a build that most of it came with it. [`outgrown`] is principal.

/// How often what was there before may fit into what is there after: from 3 halves on, most of it came with this build.
const GROWN: (u64, u64) = (3, 2);

/// Tells whether a mount holds so much more after the build than before it that most of it came with this build.
pub(crate) fn outgrown(before: u64, after: u64) -> bool {
    let (times, of) = GROWN;
    after / times >= before / of
}
