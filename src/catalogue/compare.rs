//! One expectation beside one report. [`Comparison`] is principal.

use std::collections::BTreeSet;

use crate::scenario::Expect;
use crate::verify::{Report, Severity, Verdict};

/// What a report comes down to where a scenario is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenResult {
    /// The verdict.
    pub verdict: Verdict,
    /// The codes of errors and warnings, by their public names.
    pub codes: BTreeSet<&'static str>,
}

impl SeenResult {
    /// Takes a report's verdict and codes. Notes are good to know and count for nothing.
    pub fn of(report: &Report) -> Self {
        let counts = report.findings.iter().filter(|finding| finding.severity != Severity::Note);
        Self { verdict: report.verdict, codes: counts.map(|finding| finding.code.as_str()).collect() }
    }
}

/// An expectation and what was seen instead, or the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// What the scenario says.
    pub expected: Expect,
    /// What the verifier said.
    pub seen: SeenResult,
}

impl Comparison {
    /// Tells whether verdict and codes are exactly those expected.
    pub fn agrees(&self) -> bool {
        self.verdict_agrees() && self.missing().is_empty() && self.unexpected().is_empty()
    }

    /// Tells whether the verdict is the one expected.
    pub fn verdict_agrees(&self) -> bool {
        self.expected.verdict == self.seen.verdict.as_str()
    }

    /// Lists the codes that were expected and not seen.
    pub fn missing(&self) -> Vec<&str> {
        let expected = self.expected.codes.iter().map(String::as_str);
        expected.filter(|code| !self.seen.codes.contains(code)).collect()
    }

    /// Lists the codes that were seen and not expected.
    pub fn unexpected(&self) -> Vec<&str> {
        let seen = self.seen.codes.iter().copied();
        seen.filter(|code| !self.expected.codes.iter().any(|expected| expected == code)).collect()
    }

    /// Says each difference in words.
    pub fn differences(&self) -> Vec<String> {
        let verdict = (!self.verdict_agrees())
            .then(|| format!("verdict {}, expected {}", self.seen.verdict.as_str(), self.expected.verdict));
        let missing = self.missing().into_iter().map(|code| format!("missing {code}"));
        let unexpected = self.unexpected().into_iter().map(|code| format!("unexpected {code}"));
        verdict.into_iter().chain(missing).chain(unexpected).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(expected: (&str, &[&str]), seen: (Verdict, &[&'static str])) -> Comparison {
        Comparison {
            expected: Expect {
                verdict: expected.0.to_owned(),
                codes: expected.1.iter().map(|code| (*code).to_owned()).collect(),
            },
            seen: SeenResult { verdict: seen.0, codes: seen.1.iter().copied().collect() },
        }
    }

    #[test]
    fn missing_codes_and_unexpected_ones_both_count() {
        let same = comparison(("ineffective", &["a", "b"]), (Verdict::Ineffective, &["b", "a"]));
        assert!(same.agrees() && same.differences().is_empty());
        let other = comparison(("ineffective", &["a", "b"]), (Verdict::Ineffective, &["b", "c"]));
        assert!(!other.agrees());
        assert_eq!(other.differences(), ["missing a", "unexpected c"]);
    }

    #[test]
    fn another_verdict_is_a_difference_even_with_the_same_codes() {
        let other = comparison(("ineffective", &["a"]), (Verdict::Effective, &["a"]));
        assert_eq!(other.differences(), ["verdict effective, expected ineffective"]);
    }
}
