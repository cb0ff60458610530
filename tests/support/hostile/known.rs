//! The kinds of hostile logs that are known still to fool the reader. [`KNOWN`] is principal.

use super::Hostile;
use super::cause::Cause;
use super::disguise::Disguise;

/// A kind that is known still to fool the reader.
pub(crate) struct KnownKind {
    /// The cause, or any.
    pub(crate) cause: Option<Cause>,
    /// The disguises that together fool.
    pub(crate) disguises: &'static [Disguise],
    /// Why it does.
    pub(crate) why: &'static str,
}

/// The kinds that still fool the reader. A kind that is mended leaves the list; none may be added without a reason.
pub(crate) const KNOWN: &[KnownKind] = &[
    KnownKind {
        cause: None,
        disguises: &[Disguise::BuildBefore],
        why: "an earlier build that only tests is no build of Go",
    },
    KnownKind { cause: None, disguises: &[Disguise::EchoedBuildBefore], why: "an echoed command is not read" },
    KnownKind { cause: None, disguises: &[Disguise::DrawnBuildBefore], why: "drawn progress is not read" },
    KnownKind { cause: None, disguises: &[Disguise::StageBefore], why: "tools are known by a list" },
    KnownKind { cause: None, disguises: &[Disguise::StageBeside], why: "steps at work at the same time are not seen" },
    KnownKind { cause: None, disguises: &[Disguise::ToolBefore], why: "tools are known by a list" },
    KnownKind { cause: None, disguises: &[Disguise::ToolBeforeInScript], why: "late sizes count as before" },
    KnownKind {
        cause: None,
        disguises: &[Disguise::MeasuredElsewhere],
        why: "measured and compiled mounts are not held together",
    },
    KnownKind {
        cause: None,
        disguises: &[Disguise::HelperMeasured],
        why: "an untimed compile counts less than a timed one",
    },
    KnownKind { cause: None, disguises: &[Disguise::OldLog], why: "a printed log counts as a build" },
    KnownKind {
        cause: None,
        disguises: &[Disguise::FastMachine],
        why: "nothing but the time shows a compile that reads no cache",
    },
    KnownKind {
        cause: None,
        disguises: &[Disguise::TimeOfAnother],
        why: "a time is not held against the step's duration",
    },
];

/// Returns the known kind that a case is of.
pub(crate) fn known(case: &Hostile) -> Option<&'static KnownKind> {
    KNOWN.iter().find(|known| {
        let cause = known.cause.is_none_or(|cause| case.causes.contains(&cause));
        cause && known.disguises.iter().all(|disguise| case.disguises.contains(disguise))
    })
}
