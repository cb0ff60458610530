//! Which findings are mere consequences of others. [`root_causes`] is principal.
//!
//! One fault makes a tail of symptoms: a wrong id leaves an empty mount, an empty archive, a frozen entry, a cold build. A
//! person needs the fault. So each cause lists what it suppresses, and what is explained stays silent. Nothing suppresses
//! `cache-empty` and `cache-locked`: an empty entry needs a repair of its own, a new key.

use super::code::Effect;
use super::{Code, Finding, Severity};

/// Removes what another finding suppresses, and sorts the rest: errors first, then in the order of fixing.
///
/// Where the run before had saved real data, what the judged run could not save is trouble of its own and no reason for
/// what it missed.
pub(crate) fn root_causes(findings: Vec<Finding>, missed_what_was_saved: bool) -> Vec<Finding> {
    let errors: Vec<Code> =
        findings.iter().filter(|finding| finding.severity == Severity::Error).map(|finding| finding.code).collect();
    let mut kept: Vec<Finding> = findings
        .into_iter()
        .filter(|finding| {
            let speaks = |cause: &Code| {
                *cause != finding.code
                    && !(missed_what_was_saved
                        && is_of(*cause, Effect::LeavesNothing)
                        && is_of(finding.code, Effect::FindsNothing))
            };
            let explained = errors.iter().any(|cause| speaks(cause) && cause.suppresses().contains(&finding.code));
            // To someone whose caches are broken, that the log could say more is no news.
            let beside_the_point = finding.code == Code::NotInstrumented && !errors.is_empty();
            !explained && !beside_the_point
        })
        .collect();
    kept.sort_by_key(|finding| (finding.severity, finding.code));
    kept
}

fn is_of(code: Code, effect: Effect) -> bool {
    code.definition().effect == effect
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_findings_explain_each_other_away() {
        for a in Code::ALL {
            for b in Code::ALL {
                let both = a != b && a.suppresses().contains(b) && b.suppresses().contains(a);
                assert!(!both, "{a} and {b} would silence one another");
            }
        }
    }
}
