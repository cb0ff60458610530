//! What a build shows against the numbers that it prints. [`BuildDoubt`] is principal.
//!
//! A doubt is something that was seen, such as another step at work on the same cache before its size was printed. What
//! follows from it is for the verifier to say.

use std::time::Duration;

/// One thing seen that keeps a number from proving what it seems to prove.
#[derive(Debug, Clone, PartialEq)]
pub enum BuildDoubt {
    /// The size before the build was printed long after its step had begun.
    MeasuredLate {
        /// The mount.
        target: String,
        /// How long after the step's beginning.
        after: Duration,
    },
    /// A command ran in the step before the size was printed, or between a size that another step printed and the compile,
    /// and is not known to leave the cache alone.
    RanBefore {
        /// The mount.
        target: String,
        /// The command, or the line that shows it.
        command: String,
    },
    /// Another step was at work on the same cache before it was measured.
    AtWork {
        /// The mount.
        target: String,
        /// The other step's vertex name.
        vertex: String,
        /// How long it had been at work; zero where that was not seen.
        took: Duration,
    },
    /// The mount begins with the contents of a stage or an image (`from=`), so it is another cache than the dance's.
    SeededFrom {
        /// The mount.
        target: String,
        /// The stage or image.
        from: String,
    },
    /// The size was printed by a step that mounts another cache at this target than the compiling step does.
    OtherCacheMeasured {
        /// The mount.
        target: String,
    },
    /// The command compiles everything again, empties the cache, or keeps it elsewhere.
    CacheNotUsed {
        /// The words of the command.
        command: String,
    },
    /// The printed time is a small part of the time its step took, and nothing that was seen explains the rest.
    TimeUnexplained {
        /// The printed time.
        printed: Duration,
        /// The time of the step.
        took: Duration,
    },
    /// Another step of the build may have compiled the product, and took far longer than the one that was measured.
    OtherCompile {
        /// The other step's vertex name.
        vertex: String,
        /// How long it took.
        took: Duration,
    },
    /// Far more time passed between the proof lines before and after the build than the steps seen between them say they ran.
    SpanUnexplained {
        /// How long those steps say they ran, together.
        known: Duration,
        /// How long it was, by the clock of the builder.
        span: Duration,
    },
    /// A build, or part of one, is printed faster than it says that it ran: these are lines of an earlier build.
    Replayed {
        /// How long its steps say they ran.
        claimed: Duration,
        /// How long the log shows it at work.
        seen: Duration,
    },
}

/// Work of a job before or beside its build that may have been a build itself and did not show what it did.
#[derive(Debug, Clone, PartialEq)]
pub struct HiddenWork {
    /// The command or line that may build.
    pub command: String,
    /// How long it was at work without a word of a build; zero where that was not seen.
    pub took: Duration,
}
