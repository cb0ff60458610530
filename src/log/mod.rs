//! Reads CI logs: the door to the verifier for people who have nothing but a log. [`LogReader`] is principal.
//!
//! A log goes through layers: its transport comes off (`line`), its lines are sorted to jobs and steps (`job`), and each
//! step's lines are read by whoever knows its action (`cache_lines`, `dance_lines`, `progress`). Out come the same events
//! that a live run emits. Nothing here opens a file, judges, or grows with the length of the log.

mod archive;
mod builders;
mod cache_lines;
mod dance_lines;
mod encoding;
mod header;
mod hidden;
mod inputs;
mod job;
mod known_mounts;
mod known_workflow;
mod line;
mod links;
mod live;
mod order;
mod posts;
mod progress;
mod rawjson;
mod reader;
mod sink;
mod stamp;
mod surroundings;
mod unplaced;
mod wrapping;

pub use archive::{LogPart, ZipError, ZipLimits, arrange, read_archive};
pub use job::LoggedJob;
pub use known_mounts::with_dockerfile_mounts;
pub use known_workflow::{job_of, with_workflow};
pub use live::LiveReader;
pub use order::{RunsOfJob, in_order};
pub use reader::LogReader;
