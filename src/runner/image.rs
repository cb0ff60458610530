//! Finds the Go base image. [`go_image`] is principal.

use super::{Progress, RunError};
use crate::engine::{Engine, EngineError};
use crate::scenario::sample;

/// Returns the image to build with: the one asked for, or the official one, or the one the set-up assembled, or else
/// pulls the official one.
pub(super) async fn go_image<E: Engine>(
    engine: &E,
    asked: Option<&str>,
    watch: &mut dyn FnMut(Progress),
) -> Result<String, RunError> {
    if let Some(image) = asked {
        ensure(engine, image, watch).await?;
        return Ok(image.to_owned());
    }
    for image in [sample::official_go_image(), sample::local_go_image()] {
        if engine.has_image(&image).await? {
            return Ok(image);
        }
    }
    let image = sample::official_go_image();
    match ensure(engine, &image, watch).await {
        Ok(()) => Ok(image),
        Err(RunError::Engine(EngineError::Image { image, reason })) => {
            let reason = format!("{reason}; `make setup` assembles an equivalent image without a registry");
            Err(EngineError::Image { image, reason }.into())
        }
        Err(error) => Err(error),
    }
}

/// Makes sure an image is on the engine.
pub(super) async fn ensure<E: Engine>(
    engine: &E,
    image: &str,
    watch: &mut dyn FnMut(Progress),
) -> Result<(), RunError> {
    if !engine.has_image(image).await? {
        engine.pull(image, &mut |line| watch(Progress::Pull(format!("{image}: {line}")))).await?;
    }
    Ok(())
}
