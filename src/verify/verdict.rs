//! From a case to a report. [`verify`] is principal.

use super::view::CaseView;
use super::{
    Case, Check, CheckId, CheckStatus, Code, Finding, Obligation, ObligationState, Report, Severity, Verdict, checks,
    explained, notes, obligations, rules, summary,
};

/// Judges the last run of a case against the earlier ones.
///
/// Total: whatever the evidence, there is a report. Missing evidence makes a check `unobserved`, and the verdict then
/// `inconclusive` at best.
pub fn verify(case: &Case) -> Report {
    let Some(view) = most_doubtful(CaseView::each_build(case)) else {
        return Report {
            verdict: Verdict::Inconclusive,
            checks: checks::blank(),
            obligations: Vec::new(),
            findings: Vec::new(),
            runs: Vec::new(),
            notes: Vec::new(),
            measured: Vec::new(),
        };
    };
    let mut checks = checks::read(&view);
    let found = rules().iter().flat_map(|rule| (rule.check)(&view)).collect();
    let mut findings = explained::root_causes(found, view.missed_what_was_saved());
    apply_findings(&mut checks, &findings);
    let obligations = obligations::read(&view);
    // What stood in for what CI runs condemns nothing; nor does a dance of which nothing is known.
    if view.stand_ins().next().is_some() {
        withhold(&mut checks, &mut findings, |_| true);
    } else if !view.unseen_forks().is_empty() {
        withhold(&mut checks, &mut findings, |check| check == CheckId::B);
    }
    let verdict = verdict(&checks, &obligations);
    let notes = notes::notes(&view, case, verdict);
    let measured = checks::numbers::measured(&view);
    Report { verdict, checks, obligations, findings, runs: view.runs().map(summary::of).collect(), notes, measured }
}

/// Judges a case with what files at hand add to it.
///
/// Files say what was meant, not what happened: they can name a cause and fail a check, and they can neither pass one that
/// the runs alone do not pass nor take a pass away for want of evidence.
pub fn verify_informed(seen: &Case, informed: &Case) -> Report {
    let bare = verify(seen);
    let mut report = verify(informed);
    for (check, bare) in report.checks.iter_mut().zip(bare.checks.iter().cloned()) {
        let passes = |check: &Check| check.status == CheckStatus::Pass;
        let unproven = passes(check) && !passes(&bare);
        let doubted = passes(&bare) && check.status == CheckStatus::Unobserved;
        if unproven || doubted {
            *check = bare;
        }
    }
    // What a file says was meant shows none of them.
    report.obligations = bare.obligations;
    report.verdict = verdict(&report.checks, &report.obligations);
    report
}

/// Picks the build to judge where a job has several: one cold build among warm ones is enough for a cold job.
fn most_doubtful(views: Vec<CaseView>) -> Option<CaseView> {
    let doubts = |view: &CaseView| {
        let checks = checks::read(view);
        let count = |status: CheckStatus| checks.iter().filter(|check| check.status == status).count();
        let missing = obligations::read(view).iter().filter(|one| one.state == ObligationState::Missing).count();
        (count(CheckStatus::Fail), count(CheckStatus::Unobserved), missing)
    };
    // The first of equals: a later build of the job is warm from it.
    views.into_iter().rev().max_by_key(doubts)
}

/// Lets each error fail its check, so that no error ever stands beside a pass.
fn apply_findings(checks: &mut [Check], findings: &[Finding]) {
    for finding in findings.iter().filter(|finding| finding.severity == Severity::Error) {
        let of_build = |id: CheckId| matches!(id, CheckId::C1 | CheckId::C2 | CheckId::C3);
        let id = finding.code.check();
        let already =
            checks.iter().any(|check| of_build(check.id) && of_build(id) && check.status == CheckStatus::Fail);
        if already {
            continue;
        }
        if let Some(check) = checks.iter_mut().find(|check| check.id == id && check.status != CheckStatus::Fail) {
            check.status = CheckStatus::Fail;
            check.observed.clone_from(&finding.title);
            check.evidence.clone_from(&finding.evidence);
        }
    }
}

/// Takes back the failures of some checks: what was seen is not known to be what CI does.
fn withhold(checks: &mut [Check], findings: &mut Vec<Finding>, of: fn(CheckId) -> bool) {
    for check in checks.iter_mut().filter(|check| of(check.id) && check.status == CheckStatus::Fail) {
        check.status = CheckStatus::Unobserved;
        check.observed.push_str("; not known to be so in CI");
    }
    // A dance may hide in what was not run.
    findings.retain(|finding| finding.code != Code::DanceMissing);
    for finding in findings.iter_mut().filter(|one| of(one.code.check()) && one.severity == Severity::Error) {
        finding.severity = Severity::Warning;
    }
}

/// Effective when A, C1, C2 and C3 pass, nothing failed, and everything that this rests on was shown.
fn verdict(checks: &[Check], obligations: &[Obligation]) -> Verdict {
    if checks.iter().any(|check| check.status == CheckStatus::Fail) {
        return Verdict::Ineffective;
    }
    let proven = checks.iter().filter(|check| check.id != CheckId::B).all(|check| check.status == CheckStatus::Pass);
    if proven && obligations::all_shown(obligations) { Verdict::Effective } else { Verdict::Inconclusive }
}
