//! Steps that nobody reads here: whatever they do, they may do. [`is_unread`] is principal.

use crate::plan::{Action, PlannedStep};

/// Tells whether a step is none whose meaning a lint knows. A script that builds is one of them, though a run carries out its
/// builds.
pub(super) fn is_unread(step: &PlannedStep) -> bool {
    matches!(step.action, Action::NotReproduced { .. } | Action::BuildScript)
}

/// Tells whether such a step builds an image.
pub(super) fn builds_unread(step: &PlannedStep) -> bool {
    matches!(step.action, Action::NotReproduced { builds: true, .. } | Action::BuildScript)
}
