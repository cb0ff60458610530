//! The kinds of hostile logs that are known still to fool the reader. [`KNOWN`] is principal.

use super::Hostile;
use super::cause::Cause;
use super::disguise::Disguise;

/// A kind that is known still to fool the reader.
pub(crate) struct KnownKind {
    /// The causes, any of which fools.
    pub(crate) causes: &'static [Cause],
    /// The disguises that together fool.
    pub(crate) disguises: &'static [Disguise],
    /// Why it does.
    pub(crate) why: &'static str,
}

/// The kinds that still fool the reader. A kind that is mended leaves the list; none may be added without a reason.
pub(crate) const KNOWN: &[KnownKind] = &[
    KnownKind {
        causes: &[Cause::Misfit, Cause::ModulesOnly, Cause::OtherId],
        disguises: &[Disguise::BuildBefore],
        why: "an earlier build that only tests is no build of Go",
    },
    KnownKind {
        causes: &[Cause::DanceAfter, Cause::DanceBeforeBuildx, Cause::Misfit, Cause::ModulesOnly, Cause::OtherBuilder],
        disguises: &[Disguise::EchoedBuildBefore],
        why: "a copy without times does not show how long a step was silent",
    },
    KnownKind {
        causes: &[Cause::DanceAfter],
        disguises: &[Disguise::QuietBuildBefore, Disguise::OldLog],
        why: "a copy without times does not show how long a step was silent",
    },
    KnownKind {
        causes: &[Cause::Misfit],
        disguises: &[Disguise::StageBefore, Disguise::MeasuredElsewhere],
        why: "a step that measures apart is not held against what works on the cache before the compile",
    },
    KnownKind {
        causes: &[Cause::Misfit],
        disguises: &[Disguise::StageBeside, Disguise::MeasuredElsewhere],
        why: "a step that measures apart is not held against what works on the cache before the compile",
    },
    KnownKind {
        causes: &[Cause::Misfit],
        disguises: &[Disguise::ToolBefore, Disguise::MeasuredElsewhere],
        why: "a step that measures apart is not held against what works on the cache before the compile",
    },
    KnownKind {
        causes: &[Cause::Misfit, Cause::ModulesOnly],
        disguises: &[Disguise::ToolBefore, Disguise::FastMachine],
        why: "a tool that takes less than three seconds is not taken for one that filled the cache",
    },
    KnownKind {
        causes: &[Cause::CleanFirst, Cause::Misfit, Cause::ModulesOnly, Cause::RebuildAll],
        disguises: &[Disguise::ToolBeforeInScript, Disguise::FastMachine],
        why: "a script does not show what it does, and a fast compile leaves no trace of it",
    },
    KnownKind {
        causes: &[Cause::Misfit],
        disguises: &[Disguise::MeasuredElsewhere, Disguise::FastMachine],
        why: "a fast compile leaves no trace of what did not fit, where the step that measures is another",
    },
    KnownKind {
        causes: &[Cause::Misfit],
        disguises: &[Disguise::DrawnBuildBefore, Disguise::LostLines],
        why: "the lines that show the drawn build are lost",
    },
    KnownKind {
        causes: &[Cause::LayerCached],
        disguises: &[Disguise::OldLog],
        why: "an old log that a script prints counts as a build where the job's own came from the layer cache",
    },
    KnownKind {
        causes: &[Cause::Misfit],
        disguises: &[Disguise::HelperMeasured],
        why: "an untimed compile counts less than a timed one",
    },
];

/// Returns the known kind that a case is of.
pub(crate) fn known(case: &Hostile) -> Option<&'static KnownKind> {
    KNOWN.iter().find(|known| {
        let cause = known.causes.iter().any(|cause| case.causes.contains(cause));
        cause && known.disguises.iter().all(|disguise| case.disguises.contains(disguise))
    })
}
