//! The catalogue held against what the verifier says of it. [`ScenarioResult`] is principal.
//!
//! A scenario states what must be said of its runs; [`judge`] has it said, twice over: of what the runner saw, and of what
//! the written logs alone show. Missing codes and unexpected ones both count. Nothing here runs anything, reads a file or
//! writes for a reader: the entries go up to [`crate::report`].

mod compare;
mod entry;
mod form;
mod matrix;
mod partition;
mod round;
mod selection;

pub use compare::{Comparison, SeenResult};
pub use entry::{Column, JudgedBy, JudgedRuns, ScenarioOutcome, ScenarioResult, judge, thresholds};
pub use form::ScenarioForm;
pub use matrix::{CodeMark, Matrix, MatrixRow, main_code};
pub use partition::{Partition, PartitionError};
pub use round::CatalogueRun;
pub use selection::{SelectedScenario, SelectionError, select};
