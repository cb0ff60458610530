//! Finds the Go base image. [`go_image`] is principal.

use super::{RunError, RunProgress};
use crate::engine::{Engine, EngineError};
use crate::scenario::{GoRelease, sample};

/// Returns the image to build with: the one asked for, or the official one of a Go release, or the one the set-up
/// assembled, or else pulls the official one.
pub(super) async fn go_image<E: Engine>(
    engine: &E,
    asked: Option<&str>,
    version: &str,
    watch: &mut dyn FnMut(RunProgress),
) -> Result<String, RunError> {
    if let Some(image) = asked {
        ensure(engine, image, watch).await?;
        return Ok(image.to_owned());
    }
    for image in [sample::official_image_of(version), sample::local_image_of(version)] {
        if engine.has_image(&image).await? {
            return Ok(image);
        }
    }
    let image = sample::official_image_of(version);
    match ensure(engine, &image, watch).await {
        Ok(()) => Ok(image),
        Err(RunError::Engine(EngineError::Image { image, reason })) => {
            let reason = format!("{reason}; `make setup` assembles an equivalent image without a registry");
            Err(EngineError::Image { image, reason }.into())
        }
        Err(error) => Err(error),
    }
}

/// The images of the Go releases that the bundled sample is built on.
#[derive(Debug, Clone)]
pub(super) struct GoImages {
    /// The release the sample is built on.
    pub(super) current: String,
    /// The one before it, where a run asks for it.
    pub(super) previous: Option<String>,
}

impl GoImages {
    /// Returns what stands for a reference to the official image: a floating tag is what it was at the time of the run,
    /// a pinned one is itself. `None` for any other image.
    pub(super) fn resolve(&self, reference: &str, at: GoRelease) -> Option<&str> {
        let tag = match reference.strip_prefix("golang")? {
            "" => "latest",
            tag => tag.strip_prefix(':')?,
        };
        let pinned =
            |version: &str| tag == version || tag.strip_prefix(version).is_some_and(|rest| rest.starts_with('-'));
        let previous = match at {
            _ if pinned(sample::GO_VERSION) => false,
            _ if pinned(sample::PREVIOUS_GO_VERSION) => true,
            release => release == GoRelease::Previous,
        };
        Some(self.previous.as_deref().filter(|_| previous).unwrap_or(&self.current))
    }
}

/// Makes sure an image is on the engine.
pub(super) async fn ensure<E: Engine>(
    engine: &E,
    image: &str,
    watch: &mut dyn FnMut(RunProgress),
) -> Result<(), RunError> {
    if !engine.has_image(image).await? {
        engine.pull(image, &mut |line| watch(RunProgress::Pull(format!("{image}: {line}")))).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floating_tag_moves_with_the_releases_and_a_pinned_one_stays() {
        let images = GoImages { current: "new".to_owned(), previous: Some("old".to_owned()) };
        let pinned = format!("golang:{}-alpine", sample::GO_VERSION);
        for floating in ["golang", "golang:alpine", "golang:1.25-alpine", "golang:latest"] {
            assert_eq!(images.resolve(floating, GoRelease::Previous), Some("old"), "{floating}");
            assert_eq!(images.resolve(floating, GoRelease::Current), Some("new"), "{floating}");
        }
        assert_eq!(images.resolve(&pinned, GoRelease::Previous), Some("new"));
        assert_eq!(images.resolve("golangci/golangci-lint", GoRelease::Current), None);
        assert_eq!(images.resolve("alpine", GoRelease::Current), None);
    }
}
