//! The checks of jobs as tests, for a CI that reads JUnit. [`junit`] is principal.
//!
//! A suite for each job, a case for each check and one for the verdict. What was not seen is skipped, never passed; where the
//! verdict is inconclusive its own case fails, so that nobody takes the file for a proof.

use quick_junit::{NonSuccessKind, Report as JunitReport, TestCase, TestCaseStatus, TestSuite};

use super::quote::plain;
use crate::verify::{CheckStatus, Report, Verdict};

/// Writes the document; each report comes with its job's name.
pub fn junit(reports: &[(&str, &Report)]) -> String {
    let mut document = JunitReport::new(env!("CARGO_PKG_NAME"));
    for (job, report) in reports {
        let name = plain(job);
        let mut suite = TestSuite::new(name.as_str());
        for check in &report.checks {
            let status = match check.status {
                CheckStatus::Pass => TestCaseStatus::success(),
                CheckStatus::Fail => failure("failed", &check.observed, &failing(report, check.id.as_str())),
                CheckStatus::Unobserved => {
                    let mut status = TestCaseStatus::skipped();
                    status.set_message(format!("unobserved: {}", plain(&check.observed)));
                    status
                }
            };
            let mut case = TestCase::new(format!("{} {}", check.id.as_str(), check.title), status);
            case.set_classname(name.as_str());
            suite.add_test_case(case);
        }
        let status = match report.verdict {
            Verdict::Effective => TestCaseStatus::success(),
            other => failure(other.as_str(), other.as_str(), ""),
        };
        let mut case = TestCase::new("verdict", status);
        case.set_classname(name.as_str());
        suite.add_test_case(case);
        document.add_test_suite(suite);
    }
    // It is written to memory, which does not fail.
    document.to_string().unwrap_or_default()
}

/// The findings that fail a check, with what to do.
fn failing(report: &Report, check: &str) -> String {
    let found = report.findings.iter().filter(|finding| finding.code.check().as_str() == check);
    found
        .map(|finding| format!("{}: {}\nfix: {}\n", finding.code, plain(&finding.title), plain(&finding.fix)))
        .collect()
}

fn failure(kind: &str, message: &str, description: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(plain(message)).set_type(kind);
    if !description.is_empty() {
        status.set_description(description);
    }
    status
}
