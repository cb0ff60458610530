//! `clean`: removes what runs left that were killed before they could clean up. Every start that uses an engine does the same
//! for the engine it uses. [`sweep`] is principal.

use std::path::Path;
use std::time::Duration;

use super::engine::{LiveEngine, reach, tell_kept};
use super::exit::Exit;
use super::problem::CliProblem;
use super::state::journals;
use super::{out, say};
use crate::engine::{AbandonedCleaned, AbandonedWork, Cleaned};
use crate::runner::journal::{Abandoned, EngineIdentity, JournalSurvey, survey};
use crate::verify::size;

/// How long an engine may take to answer and to give back what dead runs made.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long it may take to reach an engine that is not the one in use.
const REACH: Duration = Duration::from_secs(5);

#[derive(Debug, Default, clap::Args)]
pub(super) struct CleanArgs {
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Forget what cannot be removed, because its engine is gone for good
    #[arg(long, conflicts_with = "dry_run")]
    pub(super) forget: bool,
}

/// Runs `clean`.
pub(super) fn run(args: &CleanArgs) -> Result<Exit, CliProblem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliProblem::from_error(&error))?;
    let result = runtime.block_on(clean(args));
    runtime.shutdown_background();
    result
}

async fn clean(args: &CleanArgs) -> Result<Exit, CliProblem> {
    let Some(dir) = journals() else {
        return Err(CliProblem::stopped("neither XDG_STATE_HOME nor HOME is set, so no run has left a journal"));
    };
    let found = look(&dir).map_err(|error| CliProblem::stopped(format!("cannot list {}: {error}", dir.display())))?;
    for (path, why) in &found.unreadable {
        say(&format!("note: {} is left alone: {why}", path.display()));
    }
    if !found.alive.is_empty() {
        out(&format!("{} under way, left alone\n", count(found.alive.len(), "run is", "runs are")));
    }
    if found.dead.is_empty() {
        out("nothing was left by any run\n");
        return Ok(Exit::Effective);
    }
    let mut whole = true;
    for (engine, dead) in by_engine(found.dead) {
        let alone = !found.alive.iter().any(|other| other.id == engine.id);
        let reached = within(REACH, reach(&engine)).await;
        let swept = match reached {
            Ok(live) => within(PATIENCE, engine_part(&live, &dead, alone, args.dry_run)).await,
            Err(why) => Err(why),
        };
        let directories: usize = dead.iter().map(|dead| dead.own_directories().len()).sum();
        let verb = if args.dry_run { "would remove" } else { "removed" };
        let told = swept.as_ref().map_or_else(|_| Cleaned::default(), |swept| swept.cleaned);
        for dead in &dead {
            out(&format!("process {}, begun {}, engine {}\n", dead.process, dead.began, dead.engine.address));
            for directory in dead.own_directories() {
                out(&format!("  {verb} {}\n", directory.display()));
            }
        }
        out(&format!("  {verb} {}\n", words(&told, directories)));
        if args.dry_run {
            continue;
        }
        let forget = args.forget && swept.is_err();
        for why in finish(dead, &swept, alone, forget) {
            whole = false;
            say(&format!("warning: {why}"));
        }
        if let Ok(swept) = &swept {
            tell_kept(&swept.cleaned);
            tell_held(swept);
        }
    }
    Ok(if whole { Exit::Effective } else { Exit::Stopped })
}

/// Removes what dead runs left on the engine in use, and their directories. What fails is told and hinders nothing.
pub(super) async fn sweep(engine: &LiveEngine) {
    let Some(dir) = journals() else { return };
    let found = match look(&dir) {
        Ok(found) => found,
        Err(error) => return say(&format!("warning: cannot list {}: {error}", dir.display())),
    };
    for (identity, dead) in by_engine(found.dead) {
        let alone = !found.alive.iter().any(|other| other.id == identity.id);
        let other;
        // Two engines of one machine may bear one name.
        let live = if identity.id == engine.id() && identity.address == engine.address() {
            engine
        } else {
            // Only what is on this machine is asked unbidden.
            let here = identity.address.strip_prefix("unix://").is_some_and(|path| Path::new(path).exists());
            match if here { within(REACH, reach(&identity)).await } else { Err("not reached".to_owned()) } {
                Ok(live) => {
                    other = live;
                    &other
                }
                // `clean` says what of these stays.
                Err(_) => {
                    for dead in &dead {
                        let _ = dead.remove_directories();
                    }
                    continue;
                }
            }
        };
        let directories: usize = dead.iter().map(|dead| dead.own_directories().len()).sum();
        let swept = within(PATIENCE, engine_part(live, &dead, alone, false)).await;
        let told = swept.as_ref().map_or_else(|_| Cleaned::default(), |swept| swept.cleaned);
        if directories + told.mounts + told.layers + told.images + told.containers > 0 {
            say(&format!("note: removed what an interrupted run left: {}", words(&told, directories)));
        }
        for why in finish(dead, &swept, alone, false) {
            say(&format!("warning: of an interrupted run, {why}; the next start tries again"));
        }
    }
}

/// Looks for the journals of the dead.
fn look(dir: &Path) -> std::io::Result<JournalSurvey> {
    survey(dir)
}

fn by_engine(dead: Vec<Abandoned>) -> Vec<(EngineIdentity, Vec<Abandoned>)> {
    let mut groups: Vec<(EngineIdentity, Vec<Abandoned>)> = Vec::new();
    for one in dead {
        match groups.iter_mut().find(|(engine, _)| *engine == one.engine) {
            Some((_, group)) => group.push(one),
            None => groups.push((one.engine.clone(), vec![one])),
        }
    }
    groups
}

/// Does the engine's part for all dead runs at once: a layer of one may stand on another's.
async fn engine_part(
    engine: &LiveEngine,
    dead: &[Abandoned],
    alone: bool,
    dry_run: bool,
) -> Result<AbandonedCleaned, String> {
    let work: Vec<AbandonedWork> = dead.iter().flat_map(|dead| dead.work.clone()).collect();
    let swept = match dry_run {
        true => engine.count_abandoned(&work, alone).await,
        false => engine.clean_abandoned(&work, alone).await,
    };
    swept.map_err(|error| error.to_string())
}

/// Removes the directories, and the journals of which nothing is left. Returns what stays, in words.
fn finish(dead: Vec<Abandoned>, swept: &Result<AbandonedCleaned, String>, alone: bool, forget: bool) -> Vec<String> {
    let mut all = Vec::new();
    for dead in dead {
        let mut stays = Vec::new();
        if let Err(error) = dead.remove_directories() {
            stays.push(format!("not all directories could be removed: {error}"));
        }
        let made_nothing = dead.work.is_empty();
        match swept {
            _ if made_nothing || forget => {}
            Err(why) => stays.push(format!("what is on the engine {} stays: {why}", dead.engine.address)),
            Ok(swept) if swept.in_use > 0 => {
                stays.push(format!(
                    "{} still in use in the build cache",
                    count(swept.in_use, "record is", "records are")
                ));
            }
            Ok(_) if !alone => {
                stays.push(
                    "what bears no mark stays until no other run is under way, since it could be that run's".to_owned(),
                );
            }
            Ok(_) => {}
        }
        if stays.is_empty() {
            if let Err(error) = dead.forget() {
                all.push(format!("a journal could not be removed: {error}"));
            }
        } else {
            let why = stays.join("; ");
            let _ = dead.stays(&why);
            if !all.contains(&why) {
                all.push(why);
            }
        }
    }
    all
}

fn tell_held(swept: &AbandonedCleaned) {
    if swept.held > 0 {
        say(&format!(
            "note: {} in the build cache, since layers of yours stand on them by now",
            count(swept.held, "record stays", "records stay")
        ));
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let ended = tokio::time::timeout(limit, work).await;
    ended.unwrap_or_else(|_| Err(format!("no answer within {} seconds", limit.as_secs())))
}

/// Says what went.
fn words(cleaned: &Cleaned, directories: usize) -> String {
    let counts = [
        (cleaned.mounts, "cache mount", "cache mounts"),
        (cleaned.layers, "layer", "layers"),
        (cleaned.images, "image", "images"),
        (cleaned.containers, "container", "containers"),
        (directories, "directory", "directories"),
    ];
    let named = counts.iter().filter(|(number, ..)| *number > 0).map(|(number, one, many)| count(*number, one, many));
    match named.collect::<Vec<_>>() {
        none if none.is_empty() => "nothing".to_owned(),
        some if cleaned.bytes > 0 => format!("{} ({} on the engine)", some.join(", "), size(cleaned.bytes)),
        some => some.join(", "),
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_is_told_in_numbers_and_nothing_as_nothing() {
        let cleaned = Cleaned { mounts: 1, layers: 7, bytes: 3 << 20, ..Cleaned::default() };
        assert_eq!(words(&cleaned, 1), "1 cache mount, 7 layers, 1 directory (3.0 MB on the engine)");
        assert_eq!(words(&Cleaned::default(), 0), "nothing");
    }
}
