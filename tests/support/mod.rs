//! What the end-to-end tests stand on: the engine as anybody else sees it, the program as a person starts it, and
//! a directory as it lies on the disk.

pub(crate) mod engine;
pub(crate) mod own;
pub(crate) mod program;
pub(crate) mod relay;
pub(crate) mod tree;
pub(crate) mod trials;
