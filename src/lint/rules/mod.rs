//! What only files show, one file per rule. [`findings`] is principal.

mod key_stale;

use super::job::LintJob;
use super::{LintDefinition, LintFinding, LintPlace};
use crate::verify::{Code, Severity};

/// Every code of the lint's own.
pub(super) const DEFINITIONS: &[LintDefinition] = &[];

/// How a rule looks at a job.
type LintRule = fn(&LintJob<'_>) -> Vec<LintFinding>;

const RULES: &[LintRule] = &[key_stale::check];

/// Asks every rule about a job.
pub(super) fn findings(job: &LintJob<'_>) -> Vec<LintFinding> {
    RULES.iter().flat_map(|rule| rule(job)).collect()
}

/// Takes out what follows from another finding of the same job.
pub(super) fn root_causes(found: Vec<LintFinding>) -> Vec<LintFinding> {
    found
}

/// Makes a finding of one of the verifier's codes.
fn of_code(
    job: &LintJob<'_>,
    code: Code,
    severity: Severity,
    title: String,
    places: Vec<LintPlace>,
    help: impl Into<String>,
) -> LintFinding {
    LintFinding {
        code: code.as_str(),
        severity,
        title,
        places,
        why: code.docs().why.to_owned(),
        help: help.into(),
        job: job.plan.job_id.clone(),
        edits: Vec::new(),
    }
}
