//! Every scenario of the catalogue on the engine in memory: what it must say, live and from its logs, with its fault and
//! without it.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

#[path = "support/catalogue.rs"]
mod catalogue;

use catalogue::{Told, run, said};
use verify_buildkit_cache::scenario::{self, Expect, Scenario};
use verify_buildkit_cache::source::Source;

/// Collects what differs, so that one run of the test tells it all.
#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn compare(&mut self, what: &str, wanted: &Expect, got: &Expect) {
        let mut wanted = wanted.clone();
        wanted.codes.sort();
        if wanted != *got {
            self.0.push(format!(
                "{what}\n  expects {} {:?}\n  says    {} {:?}",
                wanted.verdict, wanted.codes, got.verdict, got.codes
            ));
        }
    }

    fn end(self, told: &Told) -> Result<(), String> {
        if self.0.is_empty() {
            return Ok(());
        }
        let logs = match std::env::var_os("SHOW_LOGS") {
            Some(_) => told.logs.join("\n----\n"),
            None => String::new(),
        };
        Err(format!("{logs}{}", self.0.join("\n")))
    }
}

fn holds(scenario: &Scenario, what: &str) -> Result<(), String> {
    let told = run(scenario);
    let about = &scenario.about;
    let mut differences = Differences::default();
    let from_log = about.from_log.as_ref().unwrap_or(&about.expect);
    differences.compare(&format!("{what}, live"), &about.expect, &said(&told.live_after(told.runs())));
    differences.compare(&format!("{what}, from its logs"), from_log, &said(&told.logged_after(told.runs())));
    for (happening, number) in scenario.history().unwrap().iter().zip(1..) {
        if let Some(expect) = &happening.expect {
            differences.compare(&format!("{what}, live after run {number}"), expect, &said(&told.live_after(number)));
            let logged = said(&told.logged_after(number));
            differences.compare(&format!("{what}, from its logs after run {number}"), expect, &logged);
        }
    }
    differences.end(&told)
}

fn chosen() -> Vec<Scenario> {
    let only = std::env::var("ONLY").unwrap_or_default();
    let names =
        scenario::names().into_iter().filter(|name| only.is_empty() || only.split(',').any(|word| word == name));
    names.map(|name| scenario::find(&name).unwrap()).collect()
}

#[test]
fn every_scenario_ends_as_it_says() {
    let failed: Vec<String> = chosen().iter().filter_map(|scenario| holds(scenario, &scenario.name).err()).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn every_scenario_ends_well_without_its_fault() {
    let fixed = chosen().into_iter().filter_map(|scenario| scenario.fixed().unwrap());
    let failed: Vec<String> =
        fixed.filter_map(|scenario| holds(&scenario, &format!("{} without its fault", scenario.name)).err()).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_cache_mode_that_forbids_shows_as_what_it_forbids() {
    let (read, write) = ("cache-restore-failed", "cache-not-saved");
    for (mode, codes) in [("read", vec![write]), ("write-only", vec![read]), ("none", vec![write, read])] {
        let codes: Vec<String> = codes.into_iter().map(str::to_owned).collect();
        let mut scenario = scenario::find("healthy").unwrap();
        let text = scenario.workflow.text.replacen("jobs:", &format!("cache-mode: {mode}\njobs:"), 1);
        scenario.workflow = Source::new("workflow.yml", text);
        let told = run(&scenario);
        for report in [told.live_after(2), told.logged_after(2)] {
            let expected = Expect { verdict: "ineffective".to_owned(), codes: codes.clone() };
            assert_eq!(said(&report), expected, "{mode}\n{}", told.logs[1]);
        }
    }
}

#[test]
fn a_run_days_later_shows_the_days() {
    let told = run(&scenario::find("cache-evicted").unwrap());
    let day = |log: &str| log.trim_start_matches('\u{feff}')[..10].to_owned();
    assert_eq!([day(&told.logs[0]), day(&told.logs[1])], ["2025-10-09", "2025-10-17"]);
    let report = told.live_after(2);
    let quotes = report.findings.iter().flat_map(|finding| &finding.evidence);
    assert!(quotes.map(|quote| &quote.text).any(|text| text.ends_with("evicted, unused for 8 days")), "{report:#?}");
}
