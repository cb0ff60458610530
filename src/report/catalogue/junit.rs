//! What came of a run of the catalogue, for a CI that reads JUnit. [`junit`] is principal.
//!
//! One suite for each kind of evidence, one case for each scenario. Names hold nothing of the machine or of the part, so
//! that the files of all parts together read as one run of the catalogue.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::catalogue::{CatalogueRun, Column, ScenarioForm, ScenarioOutcome, ScenarioResult};

/// Writes the document.
pub fn junit(round: &CatalogueRun) -> String {
    let mut report = Report::new(env!("CARGO_PKG_NAME"));
    report.set_time(round.wall);
    for column in Column::ALL {
        let name = match round.form {
            ScenarioForm::Faulty => format!("scenarios.{}", column.as_str()),
            ScenarioForm::Fixed => format!("scenarios.fixed.{}", column.as_str()),
        };
        let mut suite = TestSuite::new(name.as_str());
        suite.add_test_cases(round.entries.iter().map(|entry| case(entry, column, &name)));
        report.add_test_suite(suite);
    }
    // It is written to memory, which does not fail.
    report.to_string().unwrap_or_default()
}

fn case(entry: &ScenarioResult, column: Column, suite: &str) -> TestCase {
    let differences = entry.differences(column);
    let status = match &entry.outcome {
        ScenarioOutcome::Stopped { reason, hint } => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(reason.as_str()).set_type("stopped");
            if let Some(hint) = hint {
                status.set_description(hint.as_str());
            }
            status
        }
        ScenarioOutcome::Judged(_) if entry.column(column).next().is_none() => {
            failure(&["nothing was judged".to_owned()])
        }
        ScenarioOutcome::Judged(_) if differences.is_empty() => TestCaseStatus::success(),
        ScenarioOutcome::Judged(_) => failure(&differences),
    };
    let mut case = TestCase::new(entry.name.as_str(), status);
    case.set_classname(suite);
    // The scenario is run once for both kinds of evidence; its time counts where it was run.
    case.set_time(if column == Column::Live { entry.took } else { Duration::ZERO });
    if let Some(place) = &entry.evidence {
        case.set_system_out(format!("evidence: {place}"));
    }
    case
}

fn failure(differences: &[String]) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(differences.join("; ")).set_type("different").set_description(differences.join("\n"));
    status
}
