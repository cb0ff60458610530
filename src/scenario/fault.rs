//! Where the fault stands: the lines that `fix.diff` touches. [`Line`] is principal.

use diffy::Line as Change;

use super::{Scenario, ScenarioError};
use crate::source::Source;

/// A line of a scenario's file, beside what the fix does to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultLine {
    /// The line without its end.
    pub text: String,
    /// What the fix does here.
    pub touch: Touch,
}

/// What the fix does to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch {
    /// Nothing.
    None,
    /// It takes it away or changes it: the fault stands here.
    Faulty,
    /// It adds lines after it: the fault is that they are missing.
    AddsAfter,
}

impl Scenario {
    /// Returns the text of `fix.diff`.
    pub fn fix(&self) -> Option<&str> {
        self.patches.iter().find(|(name, _)| name == super::history::FIX).map(|(_, text)| text.as_str())
    }

    /// Tells whether it brings a Dockerfile of its own in place of the sample's.
    pub fn own_dockerfile(&self) -> bool {
        self.dockerfile.text != super::sample::DOCKERFILE
    }

    /// Returns the lines of the workflow and of the Dockerfile, with what the fix does to each.
    ///
    /// # Errors
    /// [`ScenarioError::Broken`] when the fix does not apply.
    pub fn touched(&self) -> Result<[Vec<FaultLine>; 2], ScenarioError> {
        let fixed = self.fixed()?;
        let fixed = fixed.as_ref().unwrap_or(self);
        Ok([touched(&self.workflow, &fixed.workflow), touched(&self.dockerfile, &fixed.dockerfile)])
    }
}

fn touched(before: &Source, after: &Source) -> Vec<FaultLine> {
    let mut lines: Vec<FaultLine> =
        before.text.lines().map(|text| FaultLine { text: text.to_owned(), touch: Touch::None }).collect();
    let patch = diffy::create_patch(&before.text, &after.text);
    for hunk in patch.hunks() {
        let mut at = hunk.old_range().start().saturating_sub(1);
        // Lines that stand in the place of others are a change; those that stand in nobody's place were missing.
        let (mut replaces, mut added) = (false, false);
        let mut settle = |at: usize, replaces: bool, added: bool| {
            if added
                && !replaces
                && let Some(line) = at.checked_sub(1).and_then(|at| lines.get_mut(at))
            {
                line.touch = Touch::AddsAfter;
            }
        };
        for change in hunk.lines() {
            match change {
                Change::Insert(_) => added = true,
                Change::Delete(_) => {
                    replaces = true;
                    at += 1;
                }
                Change::Context(_) => {
                    settle(at, replaces, added);
                    (replaces, added) = (false, false);
                    at += 1;
                }
            }
        }
        settle(at, replaces, added);
        let mut at = hunk.old_range().start().saturating_sub(1);
        for change in hunk.lines() {
            if matches!(change, Change::Delete(_))
                && let Some(line) = lines.get_mut(at)
            {
                line.touch = Touch::Faulty;
            }
            at += usize::from(!matches!(change, Change::Insert(_)));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touches(before: &str, after: &str) -> String {
        let lines = touched(&Source::new("x", before), &Source::new("x", after));
        lines
            .iter()
            .map(|line| match line.touch {
                Touch::None => '.',
                Touch::Faulty => '!',
                Touch::AddsAfter => '+',
            })
            .collect()
    }

    #[test]
    fn changed_lines_are_faulty_and_missing_ones_are_marked_where_they_belong() {
        assert_eq!(touches("a\nb\nc\n", "a\nB\nc\n"), ".!.");
        assert_eq!(touches("a\nb\nc\n", "a\nb\nx\ny\nc\n"), ".+.");
        assert_eq!(touches("a\nb\nc\n", "b\nc\nd\n"), "!.+");
        assert_eq!(touches("a\nb\nc\n", "a\nb\nc\n"), "...");
    }
}
