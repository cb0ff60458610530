//! What keeps an action from being run. [`RealActionError`] is principal.

use std::path::PathBuf;

use crate::actions::CommandRefusal;
use crate::workflow::WorkflowError;

/// Why an action could not be run, which says nothing of the action.
#[derive(Debug, thiserror::Error)]
pub enum RealActionError {
    /// There is no `action.yml`.
    #[error("{} holds no action.yml", path.display())]
    NoActionFile {
        /// The directory.
        path: PathBuf,
    },
    /// The `action.yml` cannot be read as one.
    #[error(transparent)]
    ActionFile(#[from] WorkflowError),
    /// The action is of a kind that is not run here.
    #[error("the action in {} is not supported, because {why}", path.display())]
    Unsupported {
        /// The directory.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A file that `action.yml` names is missing.
    #[error("{}, which action.yml names, is not there", path.display())]
    NoScript {
        /// The file.
        path: PathBuf,
    },
    /// An expression in an input's default or in `post-if`.
    #[error("{field} of {}: {reason}", path.display())]
    Expression {
        /// The directory.
        path: PathBuf,
        /// Where it stands.
        field: String,
        /// Why it cannot be evaluated.
        reason: String,
    },
    /// The private namespaces could not be made.
    #[error("the action cannot be kept apart from this machine: {reason}")]
    Sandbox {
        /// What bubblewrap said.
        reason: String,
    },
    /// The action asked Docker for something that is refused.
    #[error("the action was stopped short: {0}")]
    Docker(CommandRefusal),
    /// The engine could not carry out a build of the action's.
    #[error("the engine could not carry out a build of the action's, which says nothing of the action: {error}")]
    Engine {
        /// What the engine said.
        error: String,
    },
    /// The image in which a dance copies cannot be had.
    #[error("the utility image could not be made: {reason}")]
    Utility {
        /// What the engine said.
        reason: String,
    },
    /// A ref of a repository cannot be taken out.
    #[error("cannot take {reference} out of {}: {reason}", path.display())]
    Reference {
        /// The repository.
        path: PathBuf,
        /// The tag, branch or commit.
        reference: String,
        /// What git said.
        reason: String,
    },
}

impl RealActionError {
    /// Says what a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoActionFile { .. } => {
                Some("name the directory of the action's checkout, or of its git repository with @REF behind it".to_owned())
            }
            Self::Unsupported { .. } => {
                Some("an action of JavaScript (node16 to node24) without a pre script can be run".to_owned())
            }
            Self::NoScript { .. } => Some("commit what the action's build writes, as its users run it".to_owned()),
            Self::Sandbox { .. } => Some(
                "bubblewrap needs user namespaces (sysctl kernel.unprivileged_userns_clone, or AppArmor's profile for bwrap), or root"
                    .to_owned(),
            ),
            Self::Docker(_) => Some("what the action did until then is in its log; it is not judged".to_owned()),
            Self::Engine { .. } => {
                Some("pull or build the image that the action names onto the engine first, and see that its network works".to_owned())
            }
            Self::Utility { .. } => Some("install busybox-static, or pull the image that the action names".to_owned()),
            Self::Reference { .. } => Some("git tag and git branch -a list what there is".to_owned()),
            Self::ActionFile(_) | Self::Expression { .. } => None,
        }
    }
}
