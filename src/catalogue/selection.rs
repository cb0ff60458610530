//! Which scenarios are to be run. [`select`] is the door.

use super::{Partition, ScenarioForm};
use crate::scenario::{self, SampleName, Scenario, ScenarioError, ScenarioLimits, TriggerEvent};
use crate::verify::{CheckId, Code};

/// A scenario to run, in the form asked for, with its runs.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectedScenario {
    /// The scenario; in its fixed form, what it must end in is what the fixed form must end in.
    pub scenario: Scenario,
    /// Its runs.
    pub history: Vec<TriggerEvent>,
}

/// Why scenarios cannot be chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// A scenario is unknown or broken.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// There is no fault to undo.
    #[error("scenario `{0}` has no fix.diff, so it has no fixed form")]
    NoFix(String),
    /// Its events start no run at all.
    #[error("scenario `{0}` starts no run: its workflow listens to none of its events")]
    NoRun(String),
}

impl SelectionError {
    /// Says what a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Scenario(error) => error.hint(),
            Self::NoFix(_) | Self::NoRun(_) => None,
        }
    }
}

impl SelectedScenario {
    /// Tells whether the verdict hangs on how long builds took and on nothing else, so that other work on the machine
    /// could change it. Such a scenario has the engine to itself.
    pub fn hangs_on_time(&self) -> bool {
        let about = &self.scenario.about;
        let last = [Some(&about.expect), about.from_log.as_ref()].into_iter().flatten();
        let stages = self.history.iter().filter_map(|happening| happening.expect.as_ref());
        let codes = last.chain(stages).flat_map(|expect| &expect.codes);
        codes.filter_map(|code| code.parse::<Code>().ok()).any(|code| code.check() == CheckId::C2)
    }
}

/// Chooses by names, all where none is given, and by a part of them. With their fault undone, all are those that have one.
///
/// # Errors
/// [`SelectionError`] for a scenario that cannot be run; nothing is left out silently.
pub fn select(
    names: &[String],
    form: ScenarioForm,
    partition: Option<Partition>,
) -> Result<Vec<SelectedScenario>, SelectionError> {
    let named = !names.is_empty();
    let mut wanted = if named { names.to_vec() } else { scenario::names() };
    wanted.sort();
    wanted.dedup();
    let mut chosen = Vec::new();
    for name in wanted {
        let scenario = scenario::find(&name)?;
        let scenario = match (form, scenario.fixed()?) {
            (ScenarioForm::Faulty, _) => scenario,
            (ScenarioForm::Fixed, Some(fixed)) => fixed,
            (ScenarioForm::Fixed, None) if named => return Err(SelectionError::NoFix(name)),
            (ScenarioForm::Fixed, None) => continue,
        };
        let scenario = small(scenario);
        let history = scenario.history()?;
        if history.is_empty() {
            return Err(SelectionError::NoRun(name));
        }
        chosen.push(SelectedScenario { scenario, history });
    }
    chosen.sort_by(|one, other| {
        (one.scenario.about.group, &one.scenario.name).cmp(&(other.scenario.about.group, &other.scenario.name))
    });
    let Some(partition) = partition else { return Ok(chosen) };
    let weights: Vec<usize> = chosen.iter().map(|chosen| chosen.history.len()).collect();
    let ours = partition.takes(&weights);
    Ok(chosen.into_iter().zip(ours).filter(|(_, ours)| *ours).map(|(chosen, _)| chosen).collect())
}

/// The catalogue is run on the small sample: it tells the faults apart as well as the full one, in a tenth of the time.
fn small(mut scenario: Scenario) -> Scenario {
    if scenario.about.sample == SampleName::Full {
        (scenario.about.sample, scenario.about.thresholds) = (SampleName::Small, ScenarioLimits::small());
    }
    scenario
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(chosen: &[SelectedScenario]) -> Vec<&str> {
        chosen.iter().map(|chosen| chosen.scenario.name.as_str()).collect()
    }

    #[test]
    fn without_names_all_are_chosen_and_the_parts_make_up_the_whole() {
        let all = select(&[], ScenarioForm::Faulty, None).unwrap();
        assert_eq!(all.len(), scenario::names().len());
        let mut parted = Vec::new();
        for part in ["1/3", "2/3", "3/3"] {
            parted.extend(select(&[], ScenarioForm::Faulty, Some(part.parse().unwrap())).unwrap());
        }
        let (mut all, mut parted) = (names(&all), names(&parted));
        all.sort_unstable();
        parted.sort_unstable();
        assert_eq!(all, parted);
    }

    #[test]
    fn an_unknown_name_and_one_without_a_fault_to_undo_are_refused() {
        let error = select(&["cache-afterdance".to_owned()], ScenarioForm::Faulty, None).unwrap_err();
        assert!(error.hint().is_some(), "{error}");
        let error = select(&["healthy".to_owned()], ScenarioForm::Fixed, None).unwrap_err();
        assert_eq!(error, SelectionError::NoFix("healthy".to_owned()));
        assert!(!names(&select(&[], ScenarioForm::Fixed, None).unwrap()).contains(&"healthy"));
    }

    #[test]
    fn a_scenario_whose_verdict_rests_on_time_is_told_apart() {
        let mut chosen = select(&["healthy".to_owned()], ScenarioForm::Faulty, None).unwrap().remove(0);
        assert!(!chosen.hangs_on_time());
        chosen.scenario.about.expect.codes = vec!["build-not-faster".to_owned()];
        assert!(chosen.hangs_on_time());
    }
}
