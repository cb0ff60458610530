//! What an expression may ask its surroundings for; [`Contexts`] is principal.
//!
//! The trait is the only way from an expression to the world: files, variables and step outcomes come in through it.

use super::Value;

/// Answers what expressions refer to.
pub trait Contexts {
    /// Returns what stands at a path such as `["env", "CACHE_DIR"]` or `["steps", "cache", "outputs", "cache-hit"]`.
    ///
    /// The first name is in lower case, the others are as written. A path may be as short as a whole context, for
    /// `toJSON(github)`. What does not exist is [`Value::Null`]. GitHub compares names without regard to case, but on
    /// Linux `env` with it.
    fn lookup(&self, path: &[String]) -> Value;

    /// Returns what stands at a path, or says that nobody here knows it.
    ///
    /// Unless an implementation knows better, `secrets` and `vars` are empty, `job.status` is [`Self::status`], and `matrix`,
    /// `strategy`, `needs` and `jobs` are unknown.
    ///
    /// # Errors
    /// A value that exists on GitHub and that nothing here can tell: it is never taken for an empty text.
    fn resolve(&self, path: &[String]) -> Result<Value, Unresolved> {
        match path {
            [name, ..] if matches!(name.as_str(), "matrix" | "strategy" | "needs" | "jobs") => {
                Err(Unresolved::new(name.clone(), "is not reproduced"))
            }
            [name, ..] if matches!(name.as_str(), "secrets" | "vars") => Ok(Value::Null),
            [job, status] if job == "job" && status.eq_ignore_ascii_case("status") => {
                Ok(Value::from(self.status().as_str()))
            }
            path => Ok(self.lookup(path)),
        }
    }

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

/// A value that an expression needs and that nobody here knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    /// What it is, as the expression names it: `steps.dir.outputs.path`, `secrets.TOKEN`.
    pub name: String,
    /// Why it is not known, as the rest of a sentence that begins with its name.
    pub why: String,
    /// What a person can give to make it known, such as a flag.
    pub supply: Option<String>,
}

impl Unresolved {
    /// Says that a value is not known, and why.
    pub fn new(name: impl Into<String>, why: impl Into<String>) -> Self {
        Self { name: name.into(), why: why.into(), supply: None }
    }

    /// Adds what would make it known.
    #[must_use]
    pub fn supplied_by(mut self, supply: impl Into<String>) -> Self {
        self.supply = Some(supply.into());
        self
    }
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
