//! Runs plans on fresh simulated runners: the door to the verifier that does the I/O. [`Experiment`] is principal.
//!
//! An experiment is a list of runs, each with its plan. Each run is a job on a fresh runner; between runs only what actions/cache saved
//! survives, in a store on disk. A job writes its log in GitHub's raw format and emits facts as it goes. Nothing here
//! judges, and nothing here prints: whoever watches gets [`RunProgress`].

pub mod archive;
mod error;
mod experiment;
mod image;
mod job;
mod joblog;
pub mod journal;
mod layers;
mod plain;
mod planned;
mod project;
mod real;
pub mod store;
pub mod stream;
mod user;

pub use error::RunError;
pub use experiment::{CompletedRun, Experiment, ExperimentOutcome, ExperimentTiming, NamespaceLedger, run};
pub use journal::Journal;
pub use planned::{PlannedRun, PlanningError, RepositoryDir, dockerfile_of};
pub use project::Project;
pub use real::{ActionCheckout, INSIDE_NAME, RealActionError, RealSetting, RealTools, check_out_reference};
pub use user::RunnerUser;

use std::time::{Duration, SystemTime};

use crate::evidence::{Phase, StepOutcome};

/// What a run shows while it is under way.
#[derive(Debug, Clone, PartialEq)]
pub enum RunProgress {
    /// An image is being pulled; the registry's words.
    Pull(String),
    /// A job began on a fresh runner.
    Job {
        /// What it is called, such as `run 1`.
        name: String,
        /// How many steps it has, main and post.
        steps: usize,
    },
    /// A step began.
    Step {
        /// Main or post.
        phase: Phase,
        /// Its name.
        name: String,
    },
    /// A line the step wrote.
    Line(String),
    /// The step ended.
    StepEnded {
        /// How.
        outcome: StepOutcome,
        /// After how long.
        took: Duration,
    },
    /// What was made is being removed.
    CleaningUp,
}

/// The clock a run reads: the real one in the product, one of its own in a test, later by the days that passed before.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    read: fn() -> SystemTime,
    later: Duration,
}

impl Clock {
    /// Makes a clock of what tells the time.
    pub fn new(read: fn() -> SystemTime) -> Self {
        Self { read, later: Duration::ZERO }
    }

    /// Returns the clock some days later.
    pub(crate) fn days_later(self, days: u32) -> Self {
        Self { later: self.later + Duration::from_secs(24 * 60 * 60) * days, ..self }
    }

    /// Tells the time.
    pub(crate) fn now(&self) -> SystemTime {
        (self.read)() + self.later
    }
}
