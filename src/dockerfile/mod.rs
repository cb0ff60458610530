//! Reads a Dockerfile: its cache mounts and their identity, and the instrumented copy. Pure.
//!
//! [`Dockerfile`] is principal. It knows stages, `RUN` instructions and what `BuildKit` needs to name a cache mount; it
//! does not know what the other instructions do, and it builds nothing. [`MountOptions`] and [`MountIdentity`] are the
//! one place where the text of a `--mount` flag gets its meaning, whether it stood in a Dockerfile, in a Dancefile or in
//! a vertex name quoted by a CI log.

mod commands;
mod csv;
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
mod scope;
mod steps;
mod vertex_mounts;
mod words;

pub use error::{DockerfileError, DockerfileProblem};
pub use identity::{MountIdentity, MountOwner};
pub use ignore::{Ignore, IgnoreError};
pub use instrument::{Change, ChangeKind, InstrumentOptions, Instrumented, RUNNER_ARG, instrument};
pub use measure::{AFTER_MARKER, BEFORE_MARKER};
pub use mount::{MountOptions, Sharing};
pub use mount_error::MountError;
pub use parse::{CommandForm, Dockerfile, RunFlag, RunInstruction, Stage};
pub use path::clean_path;
pub use scope::{CacheMount, platform_args};
pub use steps::{StageStep, StageSteps};
pub use vertex_mounts::parse_run_mounts;
pub use words::WordError;
