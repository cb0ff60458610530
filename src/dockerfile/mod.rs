//! Reads a Dockerfile: its cache mounts and their identity, and the instrumented copy. Pure.
//!
//! [`Dockerfile`] is principal. It knows stages, `RUN` instructions and what `BuildKit` needs to name a cache mount; it
//! does not know what the other instructions do, and it builds nothing. [`MountOptions`] and [`MountIdentity`] are the
//! one place where the text of a `--mount` flag gets its meaning, whether it stood in a Dockerfile, in a Dancefile or in
//! a vertex name quoted by a CI log.

mod commands;
mod error;
mod ignore;
mod instrument;
mod lines;
mod measure;
mod mount;
mod parse;
mod places;
mod scope;
mod steps;
mod words;

pub use error::{DockerfileError, DockerfileProblem};
pub use ignore::{Ignore, IgnoreError};
pub use instrument::{Change, ChangeKind, InstrumentOptions, Instrumented, RUNNER_ARG, instrument};
pub use measure::{AFTER_MARKER, BEFORE_MARKER};
pub use mount::{MountError, MountIdentity, MountOptions, MountOwner, Sharing, clean_path, parse_run_mounts};
pub use parse::{CommandForm, Dockerfile, RunFlag, RunInstruction, Stage};
pub use scope::{CacheMount, platform_args};
pub use steps::{StageStep, StageSteps};
pub use words::WordError;
