//! Tests on the real engine, one after the other. [`on_the_engine`] is principal.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use super::engine::Engine;

/// Runs tests one at a time, since two builds at once on a machine of two cores prove nothing about time.
///
/// Without an engine they fail, with what to do; `SKIP_ENGINE_TESTS` leaves them out and says how many there are. `what` names
/// them, and `beside` adds to the count.
pub(crate) fn on_the_engine(what: &str, beside: &str, tests: &[(&'static str, fn())]) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let skipped = std::env::var("SKIP_ENGINE_TESTS").is_ok_and(|value| !value.is_empty() && value != "0");
    if skipped {
        eprintln!("SKIP_ENGINE_TESTS is set: {} {what} are skipped{beside}", tests.len());
    } else if let (false, Some(reason)) = (arguments.list, Engine::of_the_environment().missing()) {
        eprintln!("{reason}");
        eprintln!("the {what} need one: run `make setup`, or leave them out with SKIP_ENGINE_TESTS=1");
        return ExitCode::FAILURE;
    }
    let trial = |(name, test): &(&'static str, fn())| {
        let test = *test;
        Trial::test(*name, move || -> Result<(), Failed> {
            test();
            Ok(())
        })
        .with_ignored_flag(skipped)
    };
    libtest_mimic::run(&arguments, tests.iter().map(trial).collect()).exit_code()
}
