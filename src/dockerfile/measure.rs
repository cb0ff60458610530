//! Where the proof lines about cache mounts must be printed. [`plan`] is principal.
//!
//! A measurement is a `RUN` of its own with the same cache mounts, before the first and after the last step that uses
//! them. The person's own steps stay byte for byte what they were: a wrapped command could change its exit status, its
//! quoting or what it builds. Every stage that uses Go's caches is measured, so that a tool that one stage installs takes
//! nothing away from the stage that builds; what cannot be measured is said.

use std::collections::BTreeMap;

use super::commands::{self, Compiling};
use super::error::DockerfileError;
use super::lines::Instruction;
use super::parse::{CommandForm, Dockerfile, RunInstruction, RunPlace};
use super::proof::ProofStep;
use super::scope::CacheMount;
use super::shells::{is_posix, shell_at};
use super::vertex_mounts::parse_run_mounts;
use super::{places, words};

/// What to do about one stage that uses Go's caches.
pub(super) enum StagePlan {
    /// Print proof lines for these mounts in front of these `RUN`s, and for all of them behind the last.
    Measure { before: Vec<(RunPlace, Vec<CacheMount>)>, after: RunPlace, mounts: Vec<CacheMount> },
    /// The Dockerfile does it already.
    Already { stage: usize },
    /// It cannot be done.
    Not { stage: usize, reason: &'static str },
}

/// Finds the stages that use Go's caches and says how to measure each.
pub(super) fn plan(
    file: &Dockerfile,
    build_args: &BTreeMap<String, String>,
) -> Result<Vec<StagePlan>, DockerfileError> {
    let mounts = file.cache_mounts(build_args)?;
    let unknown = with_unknown_arguments(file, build_args, &mounts);
    let bases = file.base_stages(build_args)?;
    let go_places = places::go_places(file, build_args)?;
    let is_go = |mount: &CacheMount| places::holds(&mount.options.target, &go_places);
    let mounts_of = |place: RunPlace| mounts.iter().filter(move |mount| (mount.stage, mount.run) == place);
    // One cache at two places: by what is known, and whatever the arguments are that the build may be given.
    let cache = |mount: &CacheMount| {
        let at = mounts.iter().position(|other| other.span == mount.span).unwrap_or_default();
        (mount.identity(), unknown[at].identity())
    };
    let chain_of = |stage: usize| {
        let mut chain = vec![stage];
        while let Some(base) = bases[chain[0]] {
            chain.insert(0, base);
        }
        chain
    };
    let runs =
        || file.stages.iter().flat_map(|stage| stage.runs.iter().map(move |run| ((stage.index, run.index), run)));
    let go_mount = |place: RunPlace| mounts_of(place).any(is_go);
    // A `RUN` that builds with cache mounts; a build tool such as `make` only with those of Go.
    let builds = |place: RunPlace, run: &RunInstruction| match commands::compiling(run) {
        Compiling::Surely | Compiling::Tool => mounts_of(place).next().is_some(),
        Compiling::Perhaps => go_mount(place),
        Compiling::No => false,
    };
    let building: Vec<RunPlace> = runs().filter(|(place, run)| builds(*place, run)).map(|(place, _)| place).collect();
    let uses = |(place, run): &(RunPlace, &RunInstruction)| ProofStep::read(&run.text()).is_none() && go_mount(*place);
    let mut stages: Vec<usize> =
        runs().filter(|found| uses(found) || building.contains(&found.0)).map(|((stage, _), _)| stage).collect();
    stages.dedup();
    // A stage that only gets the modules is measured where the stage that starts from it builds.
    let all = stages.clone();
    stages.retain(|stage| {
        let covered = all.iter().any(|other| other != stage && chain_of(*other).contains(stage));
        !covered || building.iter().any(|(at, _)| at == stage)
    });
    // A stage that builds nothing of the project, such as one that installs a tool or lints, is measured as far as it
    // shares caches with one that does: what it finds in others says nothing of the build.
    let of_project = |(place, run): &(RunPlace, &RunInstruction)| {
        building.contains(place) && commands::compiling(run) != Compiling::Tool
    };
    let projects: Vec<RunPlace> = runs().filter(of_project).map(|(place, _)| place).collect();
    let beside = |stage: usize| !projects.is_empty() && projects.iter().all(|(at, _)| *at != stage);
    let shared = |mount: &CacheMount| {
        projects.iter().flat_map(|place| mounts_of(*place)).any(|other| cache(other) == cache(mount))
    };
    let mut plans = Vec::new();
    for stage in stages {
        let chain = chain_of(stage);
        let chain_runs: Vec<(RunPlace, &RunInstruction)> = runs().filter(|((at, _), _)| chain.contains(at)).collect();
        match proven(&chain_runs, stage, &building) {
            Proven::No => {}
            Proven::Whole => {
                plans.push(StagePlan::Already { stage });
                continue;
            }
            Proven::Part => {
                let reason = "it has proof lines that do not stand before and after each build: take them out first";
                plans.push(StagePlan::Not { stage, reason });
                continue;
            }
        }
        if !chain_runs.iter().any(|(_, run)| run.form == CommandForm::Shell) {
            plans.push(StagePlan::Not { stage, reason: "every RUN is in exec form, so the stage may have no shell" });
            continue;
        }
        // The mounts of the stage's build steps, and the Go caches of the stages below it; one for each target.
        let own = mounts.iter().filter(|mount| mount.stage == stage && building.contains(&(mount.stage, mount.run)));
        let below = mounts.iter().filter(|mount| chain.contains(&mount.stage) && is_go(mount));
        let mut wanted: Vec<CacheMount> = Vec::new();
        for mount in own.chain(below) {
            let counts = !beside(stage) || shared(mount);
            if counts && wanted.iter().all(|other| other.options.target != mount.options.target) {
                wanted.push(mount.clone());
            }
        }
        if wanted.is_empty() {
            let reason = "it builds nothing of the project, and shares no cache with a stage that does";
            plans.push(StagePlan::Not { stage, reason });
            continue;
        }
        // Each is measured where it is first used, as it is written there: only there its variables surely have the
        // values they have there.
        let mut before: Vec<(RunPlace, Vec<CacheMount>)> = Vec::new();
        let mut last = None;
        for (place, _) in &chain_runs {
            let used: Vec<&CacheMount> =
                mounts_of(*place).filter(|own| wanted.iter().any(|one| cache(one) == cache(own))).collect();
            // A later step may use them as well, or empty them; what the build left stands right behind it.
            let ends = building.contains(place) || !building.iter().any(|(at, _)| *at == stage);
            if place.0 == stage && !used.is_empty() && ends {
                last = Some(*place);
            }
            let known = |mount: &CacheMount| {
                before.iter().any(|(_, others)| others.iter().any(|one| cache(one) == cache(mount)))
            };
            // What an earlier step filled shows nothing, unless that step came from the layer cache: then only a
            // measurement next to the build is printed at all.
            let compiles = building.contains(place)
                && place.0 == stage
                && before.iter().all(|(other, _)| !building.contains(other));
            let news: Vec<CacheMount> = used.into_iter().filter(|mount| compiles || !known(mount)).cloned().collect();
            if !news.is_empty() {
                before.push((*place, news));
            }
        }
        let Some(after) = last else { continue };
        let mut places = before.iter().map(|(place, _)| *place).chain([after]);
        let posix = |place| Ok(is_posix(&shell_at(file, &chain, place, build_args)?));
        plans.push(match places.try_fold(true, |all, place| posix(place).map(|one: bool| all && one))? {
            true => StagePlan::Measure { before, after, mounts: wanted },
            false => StagePlan::Not { stage, reason: "its SHELL is not a POSIX shell" },
        });
    }
    for (stage, base) in bases.iter().enumerate() {
        let onbuild = |base: usize| file.body(&file.stages[base]).iter().any(is_cached_trigger);
        if base.is_some_and(onbuild) {
            let reason = "it runs ONBUILD steps with cache mounts, which stand in the stage it starts from";
            plans.push(StagePlan::Not { stage, reason });
        }
    }
    Ok(plans)
}

/// Tells whether an instruction is a `RUN` with a cache mount that runs only where a stage starts from this one.
fn is_cached_trigger(instruction: &Instruction) -> bool {
    instruction.keyword == "ONBUILD" && !parse_run_mounts(&instruction.args.text).is_empty()
}

/// How far a stage prints proof lines already.
enum Proven {
    /// Nowhere.
    No,
    /// Before and after each of its builds.
    Whole,
    /// Somewhere else.
    Part,
}

fn proven(chain: &[(RunPlace, &RunInstruction)], stage: usize, building: &[RunPlace]) -> Proven {
    let steps: Vec<Option<ProofStep>> = chain.iter().map(|(_, run)| ProofStep::read(&run.text())).collect();
    if steps.iter().all(Option::is_none) {
        return Proven::No;
    }
    let has = |steps: &[Option<ProofStep>], after: bool| steps.iter().flatten().any(|step| step.after == after);
    let own = |at: usize| chain[at].0.0 == stage && building.contains(&chain[at].0);
    let mut builds = (0..chain.len()).filter(|at| own(*at)).peekable();
    let whole = match builds.peek() {
        None => has(&steps, false) && has(&steps, true),
        Some(_) => builds.all(|at| has(&steps[..at], false) && has(&steps[at..], true)),
    };
    if whole { Proven::Whole } else { Proven::Part }
}

/// The same mounts, had every `ARG` of a stage a value that nobody knows; two that differ then may differ in a build.
fn with_unknown_arguments(
    file: &Dockerfile,
    build_args: &BTreeMap<String, String>,
    mounts: &[CacheMount],
) -> Vec<CacheMount> {
    let in_from = |name: &str| file.stages.iter().any(|stage| stage.image.contains(name));
    let mut given = build_args.clone();
    for stage in &file.stages {
        for instruction in file.body(stage).iter().filter(|instruction| instruction.keyword == "ARG") {
            for word in words::split(&instruction.args.text, file.escape) {
                let name = word.split('=').next().unwrap_or_default().to_owned();
                if !in_from(&name) && !given.contains_key(&name) {
                    // A number may stand for an owner and a mode, too.
                    let value = format!("7{:o}", given.len());
                    given.insert(name, value);
                }
            }
        }
    }
    file.cache_mounts(&given).ok().filter(|unknown| unknown.len() == mounts.len()).unwrap_or_else(|| mounts.to_vec())
}

/// How far one stage that uses Go's caches is instrumented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageProofs {
    /// The stage, from 0.
    pub stage: usize,
    /// What was found.
    pub state: ProofState,
}

/// What a stage has of proof lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofState {
    /// It prints them before and after each of its builds.
    Proven,
    /// It prints none.
    Unproven,
    /// It prints lines of another version of `instrument`, or of a script that somebody changed.
    OtherVersion,
    /// It cannot print any; the reason.
    Unmeasurable(&'static str),
}

/// Says of each stage that uses Go's caches whether it prints proof lines.
///
/// # Errors
/// A cache mount or variable that `BuildKit` would refuse.
pub fn proof_states(
    file: &Dockerfile,
    build_args: &BTreeMap<String, String>,
) -> Result<Vec<StageProofs>, DockerfileError> {
    let other = |stage: usize| {
        let mut runs = file.stages[stage].runs.iter();
        runs.any(|run| ProofStep::version(&run.text()) == Some(None))
    };
    let states = plan(file, build_args)?.into_iter().map(|plan| match plan {
        StagePlan::Already { stage } => StageProofs { stage, state: ProofState::Proven },
        StagePlan::Not { stage, reason } => StageProofs { stage, state: ProofState::Unmeasurable(reason) },
        StagePlan::Measure { after: (stage, _), .. } => {
            let state = if other(stage) { ProofState::OtherVersion } else { ProofState::Unproven };
            StageProofs { stage, state }
        }
    });
    Ok(states.collect())
}
