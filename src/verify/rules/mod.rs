//! What can be wrong, one file per rule. [`Rule`] is principal, [`rules`] the list.
//!
//! A rule looks at the whole case and says what it knows to be wrong. It does not hold back because another rule may
//! know better: `explained` silences symptoms once a cause has spoken.

pub(super) mod archive;
pub(super) mod builder;
pub(super) mod collision;
pub(super) mod dance_ended;
mod dance_message;
pub(super) mod dance_missing;
pub(super) mod dance_skipped;
mod declared;
pub(super) mod extract;
pub(super) mod host_paths;
pub(super) mod identity;
pub(super) mod inject;
pub(super) mod job_failed;
pub(super) mod key_stale;
pub(super) mod missed;
pub(super) mod mount_refused;
pub(super) mod mounts;
pub(super) mod net_loss;
pub(super) mod no_cache;
pub(super) mod not_faster;
pub(super) mod not_saved;
pub(super) mod restore_failed;
pub(super) mod save_order;
mod symptoms;
pub(super) mod unseen;

pub use declared::declared;
pub(crate) use declared::map_entry;

use super::view::CaseView;
use super::{Code, Finding};

/// One rule: the codes it can report, what it needs to see, and how it looks.
pub struct Rule {
    /// The codes it can report.
    pub codes: &'static [Code],
    /// What it looks at.
    pub needs: &'static [Need],
    /// How it looks.
    pub(crate) check: fn(&CaseView) -> Vec<Finding>,
}

/// What a rule looks at. A lint, which has a plan and no runs, will ask for the rules that need no evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// What was seen of the runs.
    Evidence,
}

/// Returns every rule.
pub fn rules() -> &'static [Rule] {
    const RULES: &[Rule] = &[
        job_failed::RULE,
        dance_missing::RULE,
        dance_skipped::RULE,
        dance_ended::RULE,
        no_cache::RULE,
        builder::RULE,
        identity::RULE,
        collision::RULE,
        save_order::RULE,
        host_paths::RULE,
        inject::RULE,
        extract::RULE,
        archive::RULE,
        not_saved::RULE,
        restore_failed::RULE,
        missed::RULE,
        key_stale::RULE,
        mount_refused::RULE,
        mounts::RULE,
        not_faster::RULE,
        unseen::RULE,
        net_loss::RULE,
    ];
    RULES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_belongs_to_exactly_one_rule() {
        for code in Code::ALL {
            let owners = rules().iter().filter(|rule| rule.codes.contains(code)).count();
            assert_eq!(owners, 1, "{code}");
        }
    }
}
