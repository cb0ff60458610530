//! What an expression may ask its surroundings for; [`Contexts`] is principal.
//!
//! The trait is the only way from an expression to the world: files, variables and step outcomes come in through it.

use super::Value;

/// Answers what expressions refer to.
///
/// The evaluator answers itself for `secrets`, `vars` (nothing is defined), `job.status` (from [`Self::status`]) and
/// for `matrix`, `strategy` and `needs` (not reproduced: an error).
pub trait Contexts {
    /// Returns what stands at a path such as `["env", "CACHE_DIR"]` or `["steps", "cache", "outputs", "cache-hit"]`.
    ///
    /// The first name is in lower case, the others are as written. A path may be as short as a whole context, for
    /// `toJSON(github)`. What does not exist is [`Value::Null`]. GitHub compares names without regard to case, but on
    /// Linux `env` with it.
    fn lookup(&self, path: &[String]) -> Value;

    /// Returns the hash of the workspace's files that match the patterns, or the empty text when none does.
    ///
    /// The patterns are those of `hashFiles`: relative to the workspace, `**` for any depth, a leading `!` excludes,
    /// later patterns win. [`super::combine_hashes`] makes the hash of the files' digests.
    ///
    /// # Errors
    /// When a file cannot be read or a pattern is not one.
    fn hash_files(&self, patterns: &[String]) -> Result<String, HashFilesError>;

    /// Returns how the job stands before the step whose expressions are evaluated.
    fn status(&self) -> JobStatus;
}

/// How a job stands so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JobStatus {
    /// Every step so far succeeded, was skipped, or was allowed to fail.
    #[default]
    Success,
    /// A step failed.
    Failure,
    /// The run was cancelled.
    Cancelled,
}

impl JobStatus {
    /// Returns GitHub's word for the status, the value of `job.status`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Why `hashFiles` gave no hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HashFilesError {
    /// What failed, naming the path or pattern.
    pub message: String,
}
