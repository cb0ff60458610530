//! What happens from run to run: the events of a scenario, each with the files as they stand then. [`TriggerEvent`] is
//! principal.

use diffy::Patch;

use super::about::{EditName, Expect, GoRelease, RunAbout};
use super::{Scenario, ScenarioError};
use crate::plan::Trigger;
use crate::source::Source;
use crate::workflow::Workflow;

/// The diff that undoes the fault.
pub(super) const FIX: &str = "fix.diff";

/// An event that starts a run, and the files it finds.
#[derive(Debug, Clone, PartialEq)]
pub struct TriggerEvent {
    /// The event and its ref.
    pub trigger: Trigger,
    /// Days that have passed since the run before.
    pub days: u32,
    /// The commits since the first run, oldest first: this run's is the last.
    pub edits: Vec<EditName>,
    /// The number of the commit the run is of: a push and a pull request bring one, a `schedule` only if the commit
    /// changes something.
    pub commit: u32,
    /// Entries whose key begins so are found damaged by this run.
    pub damage: Option<String>,
    /// What a floating tag of the Go image stands for.
    pub go: GoRelease,
    /// The workflow as it stands then.
    pub workflow: Source,
    /// The Dockerfile as it stands then.
    pub dockerfile: Source,
    /// What the verifier must say of the runs up to this one, where the scenario says so.
    pub expect: Option<Expect>,
}

impl Scenario {
    /// Lists the runs: the events that the workflow listens to, in order.
    ///
    /// # Errors
    /// [`ScenarioError::Broken`] when a patch is missing or does not apply.
    pub fn history(&self) -> Result<Vec<TriggerEvent>, ScenarioError> {
        let events = match self.about.run.as_slice() {
            [] => vec![RunAbout::default(); self.about.runs as usize],
            events => events.to_vec(),
        };
        let mut files = PatchFiles { workflow: self.workflow.clone(), dockerfile: self.dockerfile.clone() };
        let (mut happenings, mut edits, mut days, mut commit) = (Vec::new(), Vec::new(), 0, 1);
        for (at, event) in events.iter().enumerate() {
            if let Some(patch) = &event.patch {
                files = files.patched(self, patch)?;
            }
            days += event.days;
            if at > 0 {
                let edit = event.edit.unwrap_or(self.about.edit);
                commit += u32::from(edit != EditName::None || matches!(event.on.as_str(), "push" | "pull_request"));
                edits.push(edit);
            }
            // A workflow that cannot be read is kept, so that whoever plans it says why.
            let listens = Workflow::parse(&files.workflow).map_or(true, |workflow| workflow.listens_to(&event.on));
            if !listens {
                continue;
            }
            happenings.push(TriggerEvent {
                trigger: event.trigger(),
                days: std::mem::take(&mut days),
                edits: edits.clone(),
                commit,
                damage: event.damage.clone(),
                go: event.go,
                workflow: files.workflow.clone(),
                dockerfile: files.dockerfile.clone(),
                expect: event.expect.clone(),
            });
        }
        Ok(happenings)
    }

    /// Returns the scenario without its fault, as `fix.diff` has it; `None` when it has no `fix.diff`.
    ///
    /// # Errors
    /// [`ScenarioError::Broken`] when the diff does not apply.
    pub fn fixed(&self) -> Result<Option<Self>, ScenarioError> {
        if !self.patches.iter().any(|(name, _)| name == FIX) {
            return Ok(None);
        }
        let files = PatchFiles { workflow: self.workflow.clone(), dockerfile: self.dockerfile.clone() };
        let files = files.patched(self, FIX)?;
        let mut fixed = self.clone();
        fixed.about.expect = self.about.fixed.clone().unwrap_or_else(Expect::effective);
        fixed.about.from_log = None;
        fixed.about.run.iter_mut().for_each(|run| run.expect = None);
        fixed.patches.retain(|(name, _)| name != FIX);
        (fixed.workflow, fixed.dockerfile) = (files.workflow, files.dockerfile);
        Ok(Some(fixed))
    }
}

impl RunAbout {
    fn trigger(&self) -> Trigger {
        match (self.pull_request, &self.branch) {
            (Some(number), _) => Trigger::pull_request(&self.on, number),
            (None, Some(branch)) => Trigger::on_branch(&self.on, branch),
            (None, None) => Trigger::on_branch(&self.on, crate::plan::DEFAULT_BRANCH),
        }
    }
}

/// The files a patch may change.
struct PatchFiles {
    workflow: Source,
    dockerfile: Source,
}

impl PatchFiles {
    /// Applies a diff of `workflow.yml` and `Dockerfile`, each named below `a/` and `b/` as git does.
    fn patched(mut self, scenario: &Scenario, name: &str) -> Result<Self, ScenarioError> {
        let broken =
            |reason: String| ScenarioError::Broken { name: scenario.name.clone(), file: name.to_owned(), reason };
        let (_, text) =
            scenario.patches.iter().find(|(known, _)| known == name).ok_or_else(|| broken("is missing".to_owned()))?;
        for part in parts(text) {
            let patch = Patch::from_str(&part).map_err(|error| broken(error.to_string()))?;
            let file = match patch.original().unwrap_or_default().trim_start_matches("a/") {
                "workflow.yml" => &mut self.workflow,
                "Dockerfile" => &mut self.dockerfile,
                other => return Err(broken(format!("changes `{other}`; only workflow.yml and Dockerfile can change"))),
            };
            file.text = diffy::apply(&file.text, &patch).map_err(|error| broken(error.to_string()))?;
        }
        Ok(self)
    }
}

/// Splits a diff of several files into diffs of one each.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        match parts.last_mut() {
            Some(part) if !line.starts_with("--- ") => part.push_str(line),
            None if !line.starts_with("--- ") => {}
            _ => parts.push(line.to_owned()),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::super::find;
    use super::*;

    fn scenario(patch: &str) -> Scenario {
        let mut scenario = find("healthy").unwrap();
        scenario.patches = vec![("fix.diff".to_owned(), patch.to_owned())];
        scenario
    }

    #[test]
    fn a_scenario_without_events_is_so_many_pushes_to_main() {
        let history = find("healthy").unwrap().history().unwrap();
        assert_eq!(history.len(), 2);
        assert_eq!(history[0].edits, []);
        assert_eq!(history[1].edits, [EditName::Source]);
        assert_eq!(history[1].trigger, Trigger::on_branch("push", "main"));
    }

    #[test]
    fn an_event_that_the_workflow_does_not_listen_to_starts_no_run_but_its_days_and_commits_count() {
        let mut scenario = find("healthy").unwrap();
        let event = |on: &str, days| RunAbout { on: on.to_owned(), days, ..RunAbout::default() };
        scenario.about.run = vec![event("push", 0), event("schedule", 4), event("push", 4)];
        let history = scenario.history().unwrap();
        assert_eq!(history.iter().map(|run| run.days).collect::<Vec<_>>(), [0, 8]);
        assert_eq!(history[1].edits.len(), 2);
    }

    #[test]
    fn a_schedule_without_an_edit_runs_on_the_commit_before() {
        let mut scenario = find("healthy").unwrap();
        scenario.workflow = Source::new("workflow.yml", "on: [push, schedule]\njobs: { a: { uses: ./b } }\n");
        let mut nightly = RunAbout { on: "schedule".to_owned(), edit: Some(EditName::None), ..RunAbout::default() };
        scenario.about.run = vec![RunAbout::default(), nightly.clone(), RunAbout::default()];
        let commits =
            |scenario: &Scenario| scenario.history().unwrap().iter().map(|run| run.commit).collect::<Vec<_>>();
        assert_eq!(commits(&scenario), [1, 1, 2]);
        nightly.edit = Some(EditName::Source);
        scenario.about.run[1] = nightly;
        assert_eq!(commits(&scenario), [1, 2, 3]);
    }

    #[test]
    fn the_fix_changes_the_files_and_what_is_expected() {
        let patch = "--- a/workflow.yml\n+++ b/workflow.yml\n@@ -1,2 +1,2 @@\n-name: build\n+name: mended\n on: push\n";
        let fixed = scenario(patch).fixed().unwrap().unwrap();
        assert!(fixed.workflow.text.starts_with("name: mended\n"));
        assert_eq!(fixed.about.expect, Expect::effective());
        assert_eq!(fixed.fixed().unwrap(), None);
    }

    #[test]
    fn a_patch_that_does_not_apply_or_changes_another_file_names_its_file() {
        for (patch, says) in [
            ("--- a/workflow.yml\n+++ b/workflow.yml\n@@ -1,1 +1,1 @@\n-nothing\n+else\n", "error applying"),
            ("--- a/go.mod\n+++ b/go.mod\n@@ -1,1 +1,1 @@\n-a\n+b\n", "changes `go.mod`"),
        ] {
            let error = scenario(patch).fixed().unwrap_err().to_string();
            assert!(error.starts_with("scenarios/healthy/fix.diff: ") && error.contains(says), "{error}");
        }
    }
}
