//! What can stop work with an engine. [`EngineError`] is principal.

use thiserror::Error;

/// What stopped the engine, or us on the way to it.
#[derive(Debug, Error)]
pub enum EngineError {
    /// Nothing answers at the engine's address.
    #[error("no container engine answers at {address}: {reason}")]
    Unreachable {
        /// The address tried.
        address: String,
        /// What the attempt said.
        reason: String,
    },
    /// An address this program cannot use.
    #[error("engine address `{address}` is not supported: {reason}")]
    Address {
        /// The address.
        address: String,
        /// Why.
        reason: String,
    },
    /// The engine builds without BuildKit.
    #[error("{engine} at {address} builds without BuildKit, so it has no cache mounts")]
    NoBuildKit {
        /// What the engine calls itself.
        engine: String,
        /// Its address.
        address: String,
    },
    /// An image is neither on the engine nor to be had.
    #[error("cannot get image `{image}`: {reason}")]
    Image {
        /// The image.
        image: String,
        /// What the engine or the registry said.
        reason: String,
    },
    /// The engine loses its layer cache with the first record that is removed.
    #[error(
        "this engine forgets all steps it has built when one cache mount is removed, so no layer cache can outlive a runner on it"
    )]
    Forgets,
    /// The engine's disk is full.
    #[error("the engine's disk is full while {doing}: {reason}")]
    DiskFull {
        /// What was being done.
        doing: String,
        /// What the engine said.
        reason: String,
    },
    /// The engine refused or broke off.
    #[error("the engine failed while {doing}: {reason}")]
    Failed {
        /// What was being done.
        doing: String,
        /// What the engine said.
        reason: String,
    },
    /// The archive on its way to or from the engine broke.
    #[error("the archive broke off while {doing}")]
    Archive {
        /// What was being done.
        doing: String,
        /// The first failure.
        #[source]
        source: std::io::Error,
    },
}

impl EngineError {
    /// Says what a person can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreachable { .. } => {
                "start Docker (`sudo systemctl start docker`, or `dockerd` as root), set DOCKER_HOST, or run `make setup`; \
                 if the socket refuses, add yourself to the `docker` group"
                    .to_owned()
            }
            Self::Address { .. } => "use unix:///path/to/docker.sock, tcp://host:port or ssh://user@host".to_owned(),
            Self::NoBuildKit { .. } => "use Docker Engine 20.10 or newer on Linux".to_owned(),
            Self::Image { image, .. } => {
                format!("check the network or the name, `docker pull {image}` by hand, or name a local image with --go-image")
            }
            Self::Forgets => {
                "run it on an engine that does not use the containerd image store (`\"features\": \
                 {\"containerd-snapshotter\": false}` in its daemon.json), or without cache-from"
                    .to_owned()
            }
            Self::DiskFull { .. } => {
                "free space on the engine's disk (`docker system df` shows who uses it) and run again".to_owned()
            }
            Self::Failed { .. } | Self::Archive { .. } => return None,
        })
    }

    /// Sorts an engine's message: a full disk has its own remedy.
    pub(crate) fn from_message(doing: &str, reason: impl Into<String>) -> Self {
        let (doing, reason) = (doing.to_owned(), reason.into());
        if reason.contains("no space left on device") {
            Self::DiskFull { doing, reason }
        } else {
            Self::Failed { doing, reason }
        }
    }
}
