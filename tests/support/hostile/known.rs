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
pub(crate) const KNOWN: &[KnownKind] = &[];

/// Returns the known kind that a case is of.
pub(crate) fn known(case: &Hostile) -> Option<&'static KnownKind> {
    KNOWN.iter().find(|known| {
        let cause = known.causes.iter().any(|cause| case.causes.contains(cause));
        cause && known.disguises.iter().all(|disguise| case.disguises.contains(disguise))
    })
}
