//! `doctor`: what this machine has and lacks, and what to do.

use super::engine::connect;
use super::exit::Exit;
use super::out;
use super::problem::CliProblem;
use crate::engine::Engine as _;
use crate::scenario::sample;

/// Runs `doctor`.
pub(super) fn run() -> Result<Exit, CliProblem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliProblem::from_error(&error))?;
    runtime.block_on(examine())
}

async fn examine() -> Result<Exit, CliProblem> {
    let engine = connect().await?;
    let failed = |error: crate::engine::EngineError| CliProblem::from_error(&error).hint(error.hint());
    let info = engine.describe().await.map_err(failed)?;
    out(&format!("engine       {} at {}\n", info.name, engine.address()));
    out(&format!("             API {}, {}, storage {}\n", info.api, info.platform, info.storage));
    let memory = info.memory as f64 / f64::from(1 << 30);
    out(&format!("             {} processors, {memory:.1} GB memory\n", info.cpus));
    if info.forgets {
        out("             containerd image store: a run's records of the build cache stay there, unless nobody\n");
        out("             else has any, since removing one makes this engine forget all it has built\n");
    }
    let asked = super::go_image(None);
    let candidates = match &asked {
        Some(asked) => vec![asked.clone()],
        None => vec![sample::official_go_image(), sample::local_go_image()],
    };
    let mut image = None;
    for name in candidates {
        if image.is_none() && engine.has_image(&name).await.map_err(failed)? {
            image = Some(name);
        }
    }
    match (&image, &asked) {
        (Some(image), _) => out(&format!("Go image     {image}\n")),
        (None, Some(asked)) => out(&format!("Go image     none; `run` pulls {asked}, which GO_IMAGE names\n")),
        (None, None) => out(&format!(
            "Go image     none; `run` pulls {}, or `make setup` assembles {} where no registry can be reached\n",
            sample::official_go_image(),
            sample::local_go_image()
        )),
    }
    let temp = std::env::temp_dir();
    out(&format!("runners in   {} (set TMPDIR to use another disk)\n", temp.display()));
    let search = super::tools::search();
    out("\nTo run actions themselves (`run --dance DIR`):\n");
    for (name, line) in &search.lines {
        match line {
            Ok(path) => out(&format!("{name:<12} {path}\n")),
            Err(install) => out(&format!("{name:<12} missing; {install}\n")),
        }
    }
    out(if image.is_some() { "\nReady to run.\n" } else { "\nReady to run once the Go image is there.\n" });
    Ok(Exit::Effective)
}
