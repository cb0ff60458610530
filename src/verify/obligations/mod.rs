//! What an effective verdict rests on, one obligation per file. [`Obligation`] is principal.
//!
//! A check reads a number; an obligation says why the number means what it seems to mean. Each is shown by evidence that
//! is there, never by the absence of something bad; where it is not shown, it names the line of a log that would show it.
//! One missing obligation is enough for an inconclusive verdict, and none of them ever fails a check.

mod before;
mod carry_on;
mod freshness;
mod identity;
mod proof;
mod provenance;
mod reproduction;
mod usage;

use std::fmt;
use std::str::FromStr;

use super::CodePage;
use super::view::{CaseView, ExpectedMount};
use crate::evidence::Quote;

/// One thing that has to be shown before a verdict may be effective.
#[derive(Debug, Clone, PartialEq)]
pub struct Obligation {
    /// Which one.
    pub id: ObligationId,
    /// The Go cache mount it is about, by its target; `None` where it is about the whole job.
    pub mount: Option<String>,
    /// Whether it was shown.
    pub state: ObligationState,
    /// The lines or measurements that show it, or that bring it into doubt.
    pub evidence: Vec<Quote>,
    /// Why it is missing; empty where it is shown.
    pub reason: String,
    /// The one line of a log that would show it; empty where it is shown.
    pub would_show: String,
}

/// Whether an obligation was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObligationState {
    /// The evidence is there.
    Shown,
    /// It is not, or something stands against it.
    Missing,
}

impl ObligationState {
    /// Returns the public name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Missing => "missing",
        }
    }
}

/// The obligations of an effective verdict, in the order in which they are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObligationId {
    /// The mount that was measured, the one that was injected and the one that the build used are one.
    Identity,
    /// Nothing else could have filled the mount in this job before it was measured.
    Freshness,
    /// What was measured before the build was measured before the build.
    BeforeMeansBefore,
    /// The content came by this run's inject from an entry that an earlier run had saved.
    Provenance,
    /// The build read it.
    Use,
    /// What the run should have extracted and saved, it did.
    CarryOn,
    /// All that matters ran as it does in CI. It is asked for only where something did not.
    Reproduction,
}

impl ObligationId {
    /// Every obligation, in order.
    pub const ALL: [Self; 7] = [
        Self::Identity,
        Self::Freshness,
        Self::BeforeMeansBefore,
        Self::Provenance,
        Self::Use,
        Self::CarryOn,
        Self::Reproduction,
    ];

    /// Returns the public name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Freshness => "freshness",
            Self::BeforeMeansBefore => "before-means-before",
            Self::Provenance => "provenance",
            Self::Use => "use",
            Self::CarryOn => "carry-on",
            Self::Reproduction => "reproduction",
        }
    }

    /// Returns the page that `explain` shows.
    pub fn page(self) -> CodePage {
        match self {
            Self::Identity => identity::PAGE,
            Self::Freshness => freshness::PAGE,
            Self::BeforeMeansBefore => before::PAGE,
            Self::Provenance => provenance::PAGE,
            Self::Use => usage::PAGE,
            Self::CarryOn => carry_on::PAGE,
            Self::Reproduction => reproduction::PAGE,
        }
    }
}

impl fmt::Display for ObligationId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// A text that names no obligation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no obligation `{0}`")]
pub struct UnknownObligation(pub String);

impl FromStr for ObligationId {
    type Err = UnknownObligation;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|id| id.as_str() == text).ok_or_else(|| UnknownObligation(text.to_owned()))
    }
}

/// Reads every obligation of the build that is judged, in order.
pub(crate) fn read(view: &CaseView) -> Vec<Obligation> {
    let all = [
        identity::read,
        freshness::read,
        before::read,
        provenance::read,
        usage::read,
        carry_on::read,
        reproduction::read,
    ];
    all.iter().flat_map(|read| read(view)).collect()
}

/// Tells whether an effective verdict may rest on these.
pub(crate) fn all_shown(obligations: &[Obligation]) -> bool {
    obligations.iter().all(|obligation| obligation.state == ObligationState::Shown)
}

/// What one obligation's file found out about one mount, or about the job.
enum Proof {
    /// Shown by these lines.
    Shown(Vec<Quote>),
    /// Not shown.
    Missing {
        /// Why, in plain English.
        reason: String,
        /// What brings it into doubt, where anything does.
        evidence: Vec<Quote>,
        /// The one line of a log that would show it.
        would_show: String,
    },
}

impl Proof {
    /// Says that it is not shown, why, and which line would show it.
    fn missing(reason: impl Into<String>, evidence: Vec<Quote>, would_show: impl Into<String>) -> Self {
        Self::Missing { reason: reason.into(), evidence, would_show: would_show.into() }
    }

    fn of(self, id: ObligationId, mount: Option<&ExpectedMount>) -> Obligation {
        let mount = mount.map(|mount| mount.target.clone());
        match self {
            Self::Shown(evidence) => Obligation {
                id,
                mount,
                state: ObligationState::Shown,
                evidence,
                reason: String::new(),
                would_show: String::new(),
            },
            Self::Missing { reason, evidence, would_show } => {
                Obligation { id, mount, state: ObligationState::Missing, evidence, reason, would_show }
            }
        }
    }
}

/// Asks for an obligation of each Go cache mount that the judged build uses.
fn of_each_mount(id: ObligationId, view: &CaseView, prove: impl Fn(&ExpectedMount) -> Proof) -> Vec<Obligation> {
    view.wanted().iter().map(|mount| prove(mount).of(id, Some(mount))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_obligation_reads_back_and_has_a_full_page() {
        for id in ObligationId::ALL {
            assert_eq!(id.as_str().parse(), Ok(id));
            let page = id.page();
            for part in [page.what, page.why, page.example, page.fix] {
                assert!(part.len() > 20 && part.trim() == part, "{id}: {part:?}");
            }
        }
        assert_eq!("before".parse::<ObligationId>().unwrap_err().to_string(), "no obligation `before`");
    }
}
