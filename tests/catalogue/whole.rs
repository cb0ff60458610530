//! What the catalogue as a whole must be. [`trials`] is the door.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use libtest_mimic::{Failed, Trial};
use verify_buildkit_cache::catalogue::{Matrix, ScenarioForm, SelectedScenario, select};
use verify_buildkit_cache::report::catalogue::page;
use verify_buildkit_cache::scenario::{Expect, Group};
use verify_buildkit_cache::verify::Code;

/// The command that writes the page.
const HOW: &str = "UPDATE_DOCS=1 cargo test --test catalogue docs";

/// The codes that no scenario has to show.
const NOT_SHOWN: [(&str, &str); 5] = [
    ("mount-not-writable", "a build that fails for its user's lack of rights: logs of real runs show it"),
    ("dance-crashed", "a cache-map that is no JSON: tests/end_to_end.rs shows it"),
    ("dance-hung", "no engine of ours hangs: logs of real runs show it"),
    (
        "inject-empty",
        "an inject of nothing: only a live run measures it, and each known cause of it has a code of its own",
    ),
    ("mounts-empty-before-build", "a cold build without a known cause: a scenario knows its cause"),
];

type Check = fn() -> Result<(), String>;

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(&str, Check); 6] = [
        ("every code is known", every_code_is_known),
        ("every fault has a fix and works without it", every_fault_has_a_fix),
        ("every code is shown by a scenario", every_code_is_shown),
        ("the matrix is diagonal", the_matrix_is_diagonal),
        ("logs that show less never look effective", logs_never_look_effective),
        ("docs/catalogue.md is what the scenarios say", docs),
    ];
    tests.into_iter().map(|(name, test)| Trial::test(name, move || test().map_err(Failed::from))).collect()
}

fn all() -> Vec<SelectedScenario> {
    select(&[], ScenarioForm::Faulty, None).unwrap()
}

/// Fails with all that is wrong at once.
fn none(wrong: Vec<String>) -> Result<(), String> {
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// A mistyped code or verdict could never be seen.
fn every_code_is_known() -> Result<(), String> {
    let mut wrong = Vec::new();
    for SelectedScenario { scenario, history } in all() {
        let about = &scenario.about;
        let said = [Some(&about.expect), about.from_log.as_ref(), about.fixed.as_ref()].into_iter().flatten();
        for expect in said.chain(history.iter().filter_map(|run| run.expect.as_ref())) {
            if !["effective", "ineffective", "inconclusive"].contains(&expect.verdict.as_str()) {
                wrong.push(format!("{}: no verdict `{}`", scenario.name, expect.verdict));
            }
            let unknown = expect.codes.iter().filter_map(|code| code.parse::<Code>().err());
            wrong.extend(unknown.map(|error| format!("{}: {error}", scenario.name)));
        }
    }
    none(wrong)
}

/// The mutation check needs something to undo; only a set-up that works, or one that is mended run by run, has nothing.
fn every_fault_has_a_fix() -> Result<(), String> {
    let mut wrong = Vec::new();
    for SelectedScenario { scenario, .. } in all() {
        let about = &scenario.about;
        let excused = matches!(about.group, Group::Healthy | Group::Stacked);
        match scenario.fixed().unwrap() {
            None if excused || about.expect == Expect::effective() => {}
            None => wrong.push(format!("{} has no fix.diff, and is neither healthy nor stacked", scenario.name)),
            Some(fixed) if fixed.about.expect == about.expect => {
                wrong.push(format!("{} ends without its fault as it does with it", scenario.name));
            }
            Some(fixed) if fixed.about.expect.verdict == "ineffective" => {
                wrong.push(format!("{} is ineffective without its fault", scenario.name));
            }
            Some(_) => {}
        }
    }
    none(wrong)
}

fn every_code_is_shown() -> Result<(), String> {
    let scenarios: Vec<_> = all().into_iter().map(|chosen| chosen.scenario).collect();
    let without: BTreeSet<&str> = Matrix::of_scenarios(&scenarios).without().into_iter().collect();
    let excused: BTreeSet<&str> = NOT_SHOWN.iter().map(|(code, _)| *code).collect();
    let missing = without.difference(&excused).map(|code| format!("no scenario shows {code}"));
    let shown = excused.difference(&without).map(|code| format!("{code} is shown: take it from NOT_SHOWN"));
    none(missing.chain(shown).collect())
}

/// Two scenarios end in the same codes only where one of them says so.
fn the_matrix_is_diagonal() -> Result<(), String> {
    let mut by_codes: BTreeMap<BTreeSet<String>, Vec<(String, Vec<String>)>> = BTreeMap::new();
    let mut wrong = Vec::new();
    let all = all();
    for SelectedScenario { scenario, .. } in &all {
        let about = &scenario.about;
        for other in &about.same_codes_as {
            match all.iter().find(|chosen| chosen.scenario.name == *other) {
                None => wrong.push(format!("{}: there is no scenario `{other}`", scenario.name)),
                Some(other) if codes(other) != about.expect.codes.iter().cloned().collect() => {
                    wrong.push(format!("{} and {} end in different codes", scenario.name, other.scenario.name));
                }
                Some(_) => {}
            }
        }
        if let Ok(code) = scenario.name.parse::<Code>()
            && !about.expect.codes.iter().any(|known| known == code.as_str())
        {
            wrong.push(format!("{} does not end in the code it is named after", scenario.name));
        }
        if !about.expect.codes.is_empty() {
            let codes = about.expect.codes.iter().cloned().collect();
            by_codes.entry(codes).or_default().push((scenario.name.clone(), about.same_codes_as.clone()));
        }
    }
    for (codes, same) in by_codes {
        // One of them is the plain case; each of the others names it, or is named.
        let named = |name: &String| same.iter().any(|(_, others)| others.contains(name));
        let unexplained: Vec<&str> = same
            .iter()
            .filter(|(name, others)| !named(name) && !same.iter().any(|(other, _)| others.contains(other)))
            .map(|(name, _)| name.as_str())
            .collect();
        if same.len() > 1 && !unexplained.is_empty() {
            wrong.push(format!(
                "{} end in the same codes as others ({codes:?}): say so by same_codes_as",
                unexplained.join(", ")
            ));
        }
    }
    none(wrong)
}

fn codes(chosen: &SelectedScenario) -> BTreeSet<String> {
    chosen.scenario.about.expect.codes.iter().cloned().collect()
}

/// Where a log cannot show the cause, the verdict is still not effective.
fn logs_never_look_effective() -> Result<(), String> {
    let wrong = all().into_iter().filter(|chosen| {
        let about = &chosen.scenario.about;
        let effective = |expect: &Expect| expect.verdict == "effective";
        !effective(&about.expect) && about.from_log.as_ref().is_some_and(effective)
    });
    none(wrong.map(|chosen| format!("{} looks effective in its logs", chosen.scenario.name)).collect())
}

fn docs() -> Result<(), String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/catalogue.md");
    let wanted = page(&all(), HOW);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, wanted).unwrap();
        return Ok(());
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    if found == wanted {
        return Ok(());
    }
    let line = found.lines().zip(wanted.lines()).take_while(|(found, wanted)| found == wanted).count() + 1;
    Err(format!("docs/catalogue.md differs from the scenarios from line {line} on; `{HOW}` writes it anew"))
}
