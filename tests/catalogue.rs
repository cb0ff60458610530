//! The catalogue on the engine in memory: every scenario with its fault and without it, live and from its logs; what the
//! catalogue as a whole must be; and the page that is written from it.
//!
//! Each scenario is a test of its own, named after it: `cargo test --test catalogue cache-locked`. `SHOW_LOGS=1` shows the
//! logs of one that fails.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

#[path = "support/catalogue.rs"]
mod support;

#[path = "catalogue/whole.rs"]
mod whole;
#[path = "catalogue/world.rs"]
mod world;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use support::Told;
use verify_buildkit_cache::catalogue::{Column, JudgedBy, ScenarioForm, SelectedScenario, judge, select};
use verify_buildkit_cache::verify::Profile;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = whole::trials();
    trials.extend(world::trials());
    for (form, ending) in [(ScenarioForm::Faulty, ""), (ScenarioForm::Fixed, " without its fault")] {
        trials.extend(select(&[], form, None).unwrap().into_iter().map(|chosen| {
            let name = format!("{}{ending}", chosen.scenario.name);
            Trial::test(name, move || ends_as_it_says(&chosen).map_err(Failed::from))
        }));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Live and by its logs, the verdict and the codes are those the scenario names. A person who has the logs alone judges
/// them by the first run and not by the scenario's numbers, so they are judged so, too.
fn ends_as_it_says(chosen: &SelectedScenario) -> Result<(), String> {
    let told = support::run(chosen);
    let by = |profile| JudgedBy { thresholds: told.thresholds, profile };
    let mut differences = Vec::new();
    let mut answers = Vec::new();
    for (column, runs, profile) in [
        (Column::Live, &told.live, Profile::Checklist),
        (Column::Log, &told.logged, Profile::Checklist),
        (Column::Log, &told.logged, Profile::Auto),
    ] {
        for judged in judge(chosen, column, runs, &by(profile)) {
            if judged.last {
                answers.push(judged.report.checks.iter().map(|check| (check.id, check.status)).collect::<Vec<_>>());
            }
            let place = format!("{} ({}) after run {}", column.as_str(), profile.as_str(), judged.runs);
            let found = judged.comparison.differences();
            if !found.is_empty() {
                differences.extend(found.into_iter().map(|difference| format!("{place}: {difference}")));
                let checks = judged.report.checks.iter();
                differences.extend(
                    checks
                        .map(|check| format!("  {} {}: {}", check.id.as_str(), check.status.as_str(), check.observed)),
                );
            }
        }
    }
    // By the same numbers the log answers each check as the live evidence does, unless it shows less.
    if let ([live, log, _], None) = (answers.as_slice(), &chosen.scenario.about.from_log)
        && live != log
    {
        differences.push(format!("the checks differ: live {live:?}, log {log:?}"));
    }
    if differences.is_empty() { Ok(()) } else { Err(format!("{}{}", shown(&told), differences.join("\n"))) }
}

fn shown(told: &Told) -> String {
    if std::env::var_os("SHOW_LOGS").is_some() { told.logs.join("\n----\n") } else { String::new() }
}
