//! What the world does to a run, through the whole of a scenario. [`trials`] is the door.

use libtest_mimic::{Failed, Trial};
use verify_buildkit_cache::catalogue::{Column, JudgedBy, ScenarioForm, SelectedScenario, judge, select};
use verify_buildkit_cache::evidence::Evidence;
use verify_buildkit_cache::scenario::Expect;
use verify_buildkit_cache::source::Source;
use verify_buildkit_cache::verify::{Profile, Report};

use crate::support::{self, Told};

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(&str, fn()); 6] = [
        ("a cache mode that forbids shows as what it forbids", cache_modes),
        ("a run days later shows the days", days),
        ("a workflow's paths stay on its runner", paths_stay),
        ("an entry is saved under the key that was asked for", key_of_the_restore),
        ("a directory in hashFiles stands for what lies below it", hashed_directory),
        ("a checkout after the restore empties the workspace", late_checkout),
    ];
    let trial = |(name, test): (&str, fn())| {
        Trial::test(name, move || -> Result<(), Failed> {
            test();
            Ok(())
        })
    };
    tests.into_iter().map(trial).collect()
}

/// A scenario with its workflow changed.
fn changed(name: &str, change: impl Fn(&str) -> String) -> SelectedScenario {
    let mut chosen = select(&[name.to_owned()], ScenarioForm::Faulty, None).unwrap().remove(0);
    chosen.scenario.workflow = Source::new("workflow.yml", change(&chosen.scenario.workflow.text));
    chosen.history = chosen.scenario.history().unwrap();
    chosen
}

/// What is said of all runs.
fn last(chosen: &SelectedScenario, told: &Told, column: Column, runs: &[Evidence]) -> Report {
    let by = JudgedBy { thresholds: told.thresholds, profile: Profile::Checklist };
    judge(chosen, column, runs, &by).pop().unwrap().report
}

fn cache_modes() {
    let (read, write) = ("cache-restore-failed", "cache-not-saved");
    for (mode, codes) in [("read", vec![write]), ("write-only", vec![read]), ("none", vec![write, read])] {
        let codes: Vec<String> = codes.into_iter().map(str::to_owned).collect();
        let mut chosen = changed("healthy", |text| text.replacen("jobs:", &format!("cache-mode: {mode}\njobs:"), 1));
        chosen.scenario.about.expect = Expect { verdict: "ineffective".to_owned(), codes };
        let told = support::run(&chosen);
        for (column, runs) in [(Column::Live, &told.live), (Column::Log, &told.logged)] {
            let by = JudgedBy { thresholds: told.thresholds, profile: Profile::Checklist };
            let judged = judge(&chosen, column, runs, &by).pop().unwrap();
            assert!(judged.comparison.agrees(), "{mode}: {:?}\n{}", judged.comparison.differences(), told.logs[1]);
        }
    }
}

fn days() {
    let chosen = changed("cache-evicted", str::to_owned);
    let told = support::run(&chosen);
    let day = |log: &str| log.trim_start_matches('\u{feff}')[..10].to_owned();
    assert_eq!([day(&told.logs[0]), day(&told.logs[1])], ["2025-10-09", "2025-10-17"]);
    let report = last(&chosen, &told, Column::Live, &told.live);
    let quotes = report.findings.iter().flat_map(|finding| &finding.evidence);
    assert!(quotes.map(|quote| &quote.text).any(|text| text.ends_with("evicted, unused for 8 days")), "{report:#?}");
}

/// Above `/` there is nothing on a runner, and on the machine that simulates it there are a person's files.
fn paths_stay() {
    let outside = tempfile::tempdir().unwrap();
    let own = outside.path().join("dance-cache");
    std::fs::create_dir(&own).unwrap();
    std::fs::write(own.join("own"), "mine").unwrap();
    let climbing = format!("/{}{}", "../".repeat(20).trim_end_matches('/'), outside.path().display());
    let chosen = changed("healthy", |text| {
        text.replacen(
            "          cache-map: |",
            &format!("          scratch-dir: {climbing}\n          cache-map: |"),
            1,
        )
    });
    assert!(chosen.scenario.workflow.text.contains(&climbing), "the workflow names the directory");
    let told = support::run(&chosen);
    assert_eq!(std::fs::read_to_string(own.join("own")).unwrap(), "mine");
    let report = last(&chosen, &told, Column::Live, &told.live);
    assert!(report.findings.is_empty(), "{report:#?}");
}

/// The healthy workflow with another key and no restore keys.
fn keyed(key: &str) -> SelectedScenario {
    changed("healthy", |text| {
        let from = text.find("          key:").unwrap();
        let until = text.find("      - name: Carry").unwrap();
        format!("{}          key: {key}\n\n{}", &text[..from], &text[until..])
    })
}

fn codes(report: &Report) -> Vec<String> {
    report.findings.iter().map(|finding| finding.code.to_string()).collect()
}

/// What the hash takes in is there only after the extract.
fn key_of_the_restore() {
    let chosen = keyed("v1-${{ hashFiles('go-build/**') }}");
    let told = support::run(&chosen);
    assert!(told.logs[0].contains("Cache saved with key: v1-\n"), "{}", told.logs[0]);
    assert!(told.logs[1].contains("Cache restored from key: v1-\n"), "{}", told.logs[1]);
}

fn hashed_directory() {
    let chosen = keyed("v1-${{ hashFiles('internal', '**/{go.mod,go.sum}') }}");
    let told = support::run(&chosen);
    let report = last(&chosen, &told, Column::Live, &told.live);
    assert_eq!(codes(&report), ["cache-key-unique"], "each edit of the source changes the hash: {}", told.logs[1]);
}

fn late_checkout() {
    let chosen = changed("healthy", |text| {
        let checkout = "      - uses: actions/checkout@v4\n";
        let dance = "      - name: Carry";
        let text = text.replacen("${{ hashFiles('go.sum') }}", "x", 2);
        text.replacen(checkout, "", 1).replacen(dance, &format!("{checkout}\n{dance}"), 1)
    });
    let told = support::run(&chosen);
    assert!(told.logs[1].contains("Deleting the contents of '/home/runner/work/app/app'"), "{}", told.logs[1]);
    assert_ne!(last(&chosen, &told, Column::Live, &told.live).verdict.as_str(), "effective");
}
