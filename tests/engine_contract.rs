//! The contract every engine keeps, as one suite that runs against the fake and against Docker. [`Bench`] is principal.
//!
//! Every case has namespaces of its own and removes what it made, also when it fails. Nothing here looks at what others
//! do on the same engine, but for one case: a clean-up must leave theirs alone. A full disk is not tested, because no
//! honest test can fill the disk of somebody's engine.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a test says what it sees and stops where it fails")]

#[path = "engine_contract/bench.rs"]
mod bench;
#[path = "engine_contract/cases.rs"]
mod cases;
#[path = "engine_contract/inventory.rs"]
mod inventory;
#[path = "engine_contract/relay.rs"]
mod relay;
#[path = "engine_contract/trees.rs"]
mod trees;

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use futures_util::FutureExt;
use libtest_mimic::{Arguments, Failed, Trial};
use verify_buildkit_cache::engine::{Docker, Engine, Fake};
use verify_buildkit_cache::scenario::sample;

use bench::Bench;
use inventory::Inventory;
use relay::Relay;

/// Makes a trial that needs Docker. They run one at a time: what one removes by time must not be what another makes
/// meanwhile.
fn alone(name: &str, skip: bool, case: impl AsyncFnOnce() -> Result<(), Failed> + Send + 'static) -> Trial {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let run = move || {
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        runtime().block_on(case())
    };
    Trial::test(name, run).with_ignored_flag(skip)
}

/// Runs the cases of copies against Docker with the way that an engine on another machine needs.
macro_rules! far_cases {
    ($($name:ident,)*) => {
        fn far_trials(skip: bool) -> Vec<Trial> {
            vec![$(
                alone(concat!("docker_from_afar::", stringify!($name)), skip, async || {
                    let docker = docker().await?.from_afar();
                    on(&docker, stringify!($name), async |bench| cases::$name(bench).await).await;
                    Ok(())
                }),
            )*]
        }
    };
}

/// Lists the cases once, and runs each against both engines.
macro_rules! cases {
    ($($name:ident,)*) => {
        fn trials(skip: bool) -> Vec<Trial> {
            let mut trials = Vec::new();
            $(
                trials.push(Trial::test(concat!("fake::", stringify!($name)), || {
                    runtime().block_on(on(&fake(), stringify!($name), async |bench| cases::$name(bench).await));
                    Ok(())
                }));
                trials.push(alone(concat!("docker::", stringify!($name)), skip, async || {
                    let docker = docker().await?;
                    on(&docker, stringify!($name), async |bench| cases::$name(bench).await).await;
                    Ok(())
                }));
            )*
            trials
        }
    };
}

cases! {
    a_new_namespace_has_no_mounts,
    what_is_injected_is_what_is_extracted,
    a_second_inject_lies_over_the_first,
    ids_and_targets_and_owners_make_the_identity,
    two_namespaces_never_see_each_other,
    a_build_sees_what_was_injected,
    what_a_build_leaves_is_extracted,
    mounts_tell_who_created_them,
    a_mount_that_no_shell_opened_is_found_and_goes,
    a_failing_run_is_an_outcome,
    the_layer_cache_answers_the_same_build_of_the_same_namespace,
    the_layer_cache_answers_step_by_step,
    dropping_the_mounts_keeps_the_layers,
    only_what_the_target_needs_is_built,
    a_read_only_mount_takes_nothing,
    no_cache_wipes_the_mounts,
    a_missing_image_is_named,
    a_context_that_breaks_is_an_archive_error,
    an_archive_that_breaks_is_an_archive_error,
    clean_removes_all_of_a_namespace_and_nothing_else,
    vertexes_and_their_lines_arrive_whole_and_in_order,
}

far_cases! {
    what_is_injected_is_what_is_extracted,
    a_second_inject_lies_over_the_first,
    mounts_tell_who_created_them,
    an_archive_that_breaks_is_an_archive_error,
}

/// Copies by connection from the programs of the image alone, as they must go where engine and image allow it.
fn lean_trial(skip: bool) -> Trial {
    alone("docker::a_near_engine_copies_with_no_more_than_the_programs", skip, async || {
        let docker = docker().await?;
        on(&docker, "lean", async |bench| cases::what_is_injected_is_what_is_extracted(bench).await).await;
        if docker.address().starts_with("unix://") {
            let way = docker.copy_way().unwrap_or_default();
            assert!(way.contains("no more than the programs"), "copies went {way}");
        }
        Ok(())
    })
}

/// A session that stays open costs a health check a second, on both sides, for as long as the program runs.
fn session_trial(skip: bool) -> Trial {
    alone("docker::many_builds_leave_one_session_open", skip, async || {
        let relay = Relay::to(docker().await?.address());
        let docker = Docker::connect(Some(&relay.address())).await.map_err(|error| error.to_string())?;
        on(&docker, "session", async |bench| {
            cases::the_layer_cache_answers_the_same_build_of_the_same_namespace(bench).await;
        })
        .await;
        assert_eq!(relay.open_but(1).await, 1, "connections are open after four builds and the clean-up");
        Ok(())
    })
}

/// A layer without a mark, made once for two programs: the one that made it cleans up while the other builds on it.
fn held_trial(skip: bool) -> Trial {
    alone("docker::a_layer_that_another_built_on_goes_in_the_end", skip, async || {
        let (docker, other) = (docker().await?, docker().await?);
        let mut left = Vec::new();
        // Others may make something of their own at any moment; what a clean-up of ours leaves, it leaves every time.
        for _ in 0..3 {
            let before = docker.everything();
            on(&docker, "held", async |bench| {
                on(&other, "holds", async |holder| build_on_one_another(bench, holder).await).await;
            })
            .await;
            docker.clean(&[]).await.map_err(|error| error.to_string())?;
            let after = docker.everything();
            if docker.describe().await.map_err(|error| error.to_string())?.forgets {
                // There all stays that is beside the records of the cases before.
                assert!(after.is_superset(&before), "gone: {:#?}", before.difference(&after));
                return Ok(());
            }
            left = after.difference(&before).cloned().collect();
            if left.is_empty() {
                break;
            }
        }
        assert!(left.is_empty(), "left behind: {left:#?}");
        Ok(())
    })
}

/// What somebody else has built, a clean-up must not take from them: neither the records nor that they answer.
fn answers_trial(skip: bool) -> Trial {
    alone("docker::what_others_have_built_still_answers_after_a_clean_up", skip, async || {
        let (docker, other) = (docker().await?, docker().await?);
        on(&other, "others", async |others| {
            let namespace = others.namespace();
            let step = "RUN echo theirs";
            others.build(others.request(&namespace), step).await;
            on(&docker, "answers", async |bench| {
                let ours = bench.namespace();
                bench.inject(&ours, "target=/x", vec![trees::archive(&[trees::file("f", 0o644, b"ours")])]).await;
                bench.build(bench.request(&ours), "RUN --mount=type=cache,target=/x echo ours").await;
                let cleaned = docker.clean(&[ours]).await.unwrap();
                assert_eq!(cleaned.kept > 0, docker.describe().await.unwrap().forgets, "{cleaned:?}");
            })
            .await;
            assert!(others.build(others.request(&namespace), step).await.cached(step));
        })
        .await;
        Ok(())
    })
}

async fn build_on_one_another(bench: &Bench<'_, Docker>, holder: &Bench<'_, Docker>) {
    let (maker, holds) = (bench.namespace(), holder.namespace());
    let steps = format!("WORKDIR /{}\nRUN echo something", maker.as_str());
    bench.build(bench.request(&maker), &steps).await;
    assert!(holder.build(holder.request(&holds), &steps).await.cached("WORKDIR"));
    bench.engine.clean(&[maker]).await.unwrap();
    holder.engine.clean(&[holds]).await.unwrap();
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let skip = std::env::var("SKIP_ENGINE_TESTS").is_ok_and(|value| !value.is_empty() && value != "0");
    let apart = [lean_trial(skip), session_trial(skip), held_trial(skip), answers_trial(skip)];
    let trials: Vec<Trial> = trials(skip).into_iter().chain(far_trials(skip)).chain(apart).collect();
    let skipped = trials.iter().filter(|trial| trial.has_ignored_flag()).count();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if skipped > 0 && !arguments.list {
        println!("{skipped} engine tests skipped (SKIP_ENGINE_TESTS=1)");
    }
    conclusion.exit_code()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn fake() -> Fake {
    Fake::new([sample::official_go_image()])
}

async fn docker() -> Result<Docker, String> {
    let address = std::env::var("DOCKER_HOST").ok().filter(|address| !address.is_empty());
    Docker::connect(address.as_deref()).await.map_err(|error| {
        format!("{error}\nrun `make setup` to get an engine, or set SKIP_ENGINE_TESTS=1 to do without these tests")
    })
}

/// Runs a case, removes what it made, and only then lets it fail.
async fn on<E: Engine + Inventory>(engine: &E, name: &str, case: impl AsyncFnOnce(&Bench<'_, E>)) {
    let mut image = None;
    for candidate in [sample::official_go_image(), sample::local_go_image()] {
        if image.is_none() && engine.has_image(&candidate).await.unwrap() {
            image = Some(candidate);
        }
    }
    let image = image.expect("the engine has no Go image: run `make setup`, or set SKIP_ENGINE_TESTS=1");
    let bench = Bench::new(engine, image, name);
    let result = AssertUnwindSafe(case(&bench)).catch_unwind().await;
    let mut left = Vec::new();
    for namespace in bench.namespaces() {
        left.extend(engine.clean(std::slice::from_ref(&namespace)).await.err());
    }
    // What was in use a moment ago.
    left.extend(engine.clean(&[]).await.err());
    if let Err(failure) = result {
        std::panic::resume_unwind(failure);
    }
    assert!(left.is_empty(), "the clean-up failed: {left:?}");
}
