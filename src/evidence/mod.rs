//! The closed vocabulary in the middle: facts, events, and the fold over them. [`Evidence`] is principal.
//!
//! Two doors emit the same [`Event`]s: a live run on fresh runners, and the parser of CI logs. [`Evidence::fold`] gathers
//! one run's events into what the verifier asks about. What was not seen stays `None`: missing evidence is never a zero.
//! Nothing here reads a clock or a file, and nothing here judges.

mod build_output;
mod doubt;
mod event;
mod fact;
mod fold;
mod go_place;
mod harmless;
mod identity;
mod observe;
mod proof;
mod proven;
mod run_mounts;
mod timing;
mod vertex;

pub use build_output::BuildOutput;
pub use doubt::{BuildDoubt, HiddenWork};
pub use event::{Event, Quote, Seen};
pub use fact::{
    Aspect, BuildInputs, BuildTime, CacheInputs, CacheMode, CompileStep, CopyTally, Creator, DanceInputs, DancePhase,
    EMPTY_MOUNT, Fact, LineSort, Lookup, MeasuredAt, MissCause, MountRecord, NotSaved, Phase, STAND_IN, SaveOutcome,
    StepOutcome, TimeSource, UnplacedLines, VertexEnd, VertexOutcome,
};
pub use fold::{Build, Cache, Carried, Dance, Evidence, MountSizes, StepRecord, same_target};
pub use go_place::{GoCache, GoPlace};
pub use identity::{MountSpec, StepId};
pub use observe::{Observation, Size, parse_size};
pub use proof::{Mark, MountProof, ProofError, ProofLine, Stamp, StepProof, Told};
pub use run_mounts::run_mounts;
pub use timing::parse_duration;
