//! Why a `--mount` flag is refused. [`MountError`] is principal.

use super::words::WordError;

/// Why a `--mount` is refused, in the words of `BuildKit`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MountError {
    /// An option without a value that needs one.
    #[error("invalid field '{0}' must be a key=value pair")]
    Field(String),
    /// An option that does not exist.
    #[error("unexpected key '{0}' in '{1}'")]
    Key(String, String),
    /// A type that does not exist.
    #[error("unsupported mount type \"{0}\"")]
    Type(String),
    /// A sharing mode that does not exist.
    #[error("unsupported sharing value \"{0}\"")]
    Sharing(String),
    /// A number that is none.
    #[error("invalid value {1} for {0}")]
    Number(&'static str, String),
    /// A `true` or `false` that is neither.
    #[error("invalid value for {0}: {1}")]
    Boolean(String, String),
    /// Quotes in the wrong places.
    #[error("failed to parse csv mounts: {0}")]
    Csv(String),
    /// A variable that cannot be expanded.
    #[error(transparent)]
    Word(#[from] WordError),
}

impl MountError {
    /// Says what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Key(..) | Self::Field(_) => Some(
                "the options of a cache mount are id, target, readonly, sharing, from, source, mode, uid, gid".into(),
            ),
            Self::Type(_) => Some("the mount types are bind, cache, tmpfs, secret and ssh".into()),
            Self::Sharing(_) => Some("the sharing modes are shared, private and locked".into()),
            _ => None,
        }
    }
}
