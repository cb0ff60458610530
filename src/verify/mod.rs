//! The one verifier: evidence in, report out. [`verify`] is principal.
//!
//! It does no I/O, cannot fail, and does not know who produced the evidence. The last run of a [`Case`] is judged; the
//! earlier ones say what it should have found. Five checks read numbers, and one rule per file names what is wrong.
//! What was not seen is `unobserved`: never a pass, never a zero.

mod amount;
mod case;
mod check;
mod checks;
mod code;
mod comparable;
mod explained;
mod journey;
mod notes;
mod obligations;
mod report;
mod rules;
mod summary;
mod verdict;
mod view;

#[cfg(test)]
mod catalogue_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
pub(crate) mod testing;

pub use amount::{seconds, size};
pub use case::{Case, CaseSource, Profile, Thresholds};
pub use check::{Check, CheckId, CheckStatus};
pub use code::{Code, CodePage, UnknownCode};
pub use journey::{Journey, StationLines, VertexSummary};
pub use obligations::{Obligation, ObligationId, ObligationState, UnknownObligation};
pub use report::{Finding, Measured, MeasuredUnit, Note, Report, Severity, Verdict};
pub(crate) use rules::map_entry;
pub use rules::{Need, Rule, declared, rules};
pub use summary::{
    BuildSummary, CarryTiming, MountSummary, RestoreOutcome, RestoreSummary, RunSummary, SaveSummary, SavedOutcome,
    StepSummary,
};
pub use verdict::{verify, verify_informed};
pub(crate) use view::{MountKind, covers};
