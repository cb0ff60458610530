//! The JSON schema of the documents for programs. [`REPORT_SCHEMA`] is principal.

/// The schema of what `--format json` writes: one report, those of several jobs, or why there is none.
pub const REPORT_SCHEMA: &str = include_str!("../../docs/report.schema.json");
