//! Runs a plan on fresh simulated runners: the door to the verifier that does the I/O.

pub mod archive;
pub mod store;
