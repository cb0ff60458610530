//! The catalogue of scenarios and the bundled sample, as data.
