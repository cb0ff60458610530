//! Reads a Dockerfile: its cache mounts and their identity, and the instrumented copy. Pure.
//!
//! [`Dockerfile`] is principal. It knows stages, `RUN` instructions and what `BuildKit` needs to name a cache mount; it
//! does not know what the other instructions do, and it builds nothing. [`MountOptions`] and [`MountIdentity`] are the
//! one place where the text of a `--mount` flag gets its meaning, whether it stood in a Dockerfile, in a Dancefile or in
//! a vertex name quoted by a CI log.

mod commands;
mod csv;
mod edit;
mod error;
mod flags;
mod identity;
mod ignore;
mod instrument;
mod json;
mod lines;
mod measure;
mod mount;
mod mount_error;
mod parse;
mod path;
mod places;
mod proof;
mod proof_run;
mod scope;
mod shells;
mod steps;
mod vertex_mounts;
mod words;

pub use edit::{Change, ChangeKind, RUNNER_ARG};
pub use error::{DockerfileError, DockerfileProblem};
pub use identity::{MountIdentity, MountOwner};
pub use ignore::{Ignore, IgnoreError};
pub use instrument::{InstrumentOptions, Instrumented, instrument};
pub use measure::{ProofState, StageProofs, proof_states};
pub use mount::{MountOptions, Sharing};
pub use mount_error::MountError;
pub use parse::{CommandForm, Dockerfile, RunFlag, RunInstruction, Stage};
pub use path::clean_path;
pub use proof::{AFTER_MARKER, BEFORE_MARKER, MARK_FILE, PROOF_VERSION, PROOF_WORD, ProofStep, RUN_SECRET, STAMP_FILE};
pub use scope::{CacheMount, platform_args};
pub use steps::{StageStep, StageSteps};
pub use vertex_mounts::parse_run_mounts;
pub use words::WordError;
