//! The catalogue of scenarios and the bundled sample, as data.

pub mod modules;
pub mod sample;
