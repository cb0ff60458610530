//! The five checks of the checklist, one per file. [`Reading`] is principal.
//!
//! A check reads numbers and nothing else; what broke, and why, is for the rules to say.

pub(crate) mod a;
mod alone;
pub(crate) mod b;
pub(crate) mod c1;
pub(crate) mod c2;
pub(crate) mod c3;
mod growth;
pub(crate) mod numbers;

pub(crate) use growth::outgrown;

use super::view::CaseView;
use super::{Check, CheckId, CheckStatus};
use crate::evidence::Quote;

/// The answer of one check before the findings are weighed in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    pub(crate) status: CheckStatus,
    pub(crate) observed: String,
    pub(crate) threshold: String,
    pub(crate) evidence: Vec<Quote>,
}

impl Reading {
    pub(crate) fn unobserved(observed: impl Into<String>, threshold: impl Into<String>) -> Self {
        Self {
            status: CheckStatus::Unobserved,
            observed: observed.into(),
            threshold: threshold.into(),
            evidence: Vec::new(),
        }
    }

    pub(crate) fn resting_on(mut self, evidence: Vec<Quote>) -> Self {
        self.evidence = evidence;
        self
    }

    fn into_check(self, id: CheckId) -> Check {
        Check {
            id,
            title: id.title().to_owned(),
            status: self.status,
            observed: self.observed,
            threshold: self.threshold,
            evidence: self.evidence,
        }
    }
}

/// Reads all five.
pub(crate) fn read(view: &CaseView) -> Vec<Check> {
    vec![
        a::read(view).into_check(CheckId::A),
        b::read(view).into_check(CheckId::B),
        c1::read(view).into_check(CheckId::C1),
        c2::read(view).into_check(CheckId::C2),
        c3::read(view).into_check(CheckId::C3),
    ]
}

/// Answers every check with "nothing was seen".
pub(crate) fn blank() -> Vec<Check> {
    [CheckId::A, CheckId::B, CheckId::C1, CheckId::C2, CheckId::C3]
        .map(|id| Reading::unobserved("no run to judge", "").into_check(id))
        .into()
}

/// Passes or fails.
fn judged(good: bool) -> CheckStatus {
    if good { CheckStatus::Pass } else { CheckStatus::Fail }
}
