//! Findings for code scanning, as SARIF 2.1.0. [`sarif`] is principal.
//!
//! Shape: docs.oasis-open.org/sarif/sarif/v2.1.0; GitHub reads `ruleId`, `level`, `message` and the first location.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::github::is_repository_file;
use super::quote::{plain, plain_lines};
use crate::evidence::Quote;
use crate::verify::{Code, CodePage, Finding, Report};

/// Writes the findings of several jobs as one log; each report comes with its job's name.
pub fn sarif(reports: &[(&str, &Report)]) -> Value {
    let codes: BTreeSet<Code> = reports.iter().flat_map(|(_, report)| &report.findings).map(|one| one.code).collect();
    let rules: Vec<Value> = codes.iter().map(|code| rule(code.as_str(), Some(code.docs()))).collect();
    let results: Vec<Value> =
        reports.iter().flat_map(|(job, report)| report.findings.iter().map(|finding| result(job, finding))).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "results": results,
            "properties": {"verdicts": reports.iter().map(|(job, report)| json!({"job": job, "verdict": report.verdict.as_str()})).collect::<Vec<_>>()},
        }],
    })
}

/// Describes a code.
pub(super) fn rule(code: &str, page: Option<CodePage>) -> Value {
    let part = |get: fn(&CodePage) -> &'static str| page.as_ref().map_or("", get);
    json!({
        "id": code,
        "shortDescription": {"text": part(|page| page.what)},
        "fullDescription": {"text": part(|page| page.why)},
        "help": {"text": part(|page| page.fix)},
    })
}

fn result(job: &str, finding: &Finding) -> Value {
    // A file that a person can edit comes before a line of a log.
    let mut places: Vec<&Quote> = finding.evidence.iter().filter(|quote| quote.line.is_some()).collect();
    places.sort_by_key(|quote| !is_repository_file(&quote.source));
    let mut locations: Vec<Value> = places.iter().map(|quote| location(quote, job)).collect();
    if locations.is_empty() {
        locations.push(json!({"logicalLocations": [logical(job)]}));
    }
    let related = locations.split_off(1);
    let words = [plain_lines(&finding.title), plain_lines(&finding.why), plain_lines(&format!("Fix: {}", finding.fix))];
    let mut value = json!({
        "ruleId": finding.code.as_str(),
        "level": finding.severity.as_str(),
        "message": {"text": words.concat().join("\n")},
        "locations": locations,
    });
    if !related.is_empty() {
        value["relatedLocations"] = Value::Array(related);
    }
    value
}

fn location(quote: &Quote, job: &str) -> Value {
    json!({
        "physicalLocation": {
            "artifactLocation": {"uri": uri(&quote.source)},
            "region": {"startLine": quote.line.unwrap_or(1).max(1), "snippet": {"text": plain(&quote.text)}},
        },
        "logicalLocations": [logical(job)],
    })
}

fn logical(job: &str) -> Value {
    json!({"name": plain(job), "kind": "module"})
}

/// Escapes a path for a relative address.
pub(super) fn uri(path: &str) -> String {
    path.bytes().fold(String::with_capacity(path.len()), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Verdict;

    fn report(findings: Vec<Finding>) -> Report {
        Report {
            verdict: Verdict::Ineffective,
            checks: Vec::new(),
            obligations: Vec::new(),
            findings,
            runs: Vec::new(),
            notes: Vec::new(),
            measured: Vec::new(),
        }
    }

    #[test]
    fn a_file_to_edit_comes_before_the_line_of_a_log() {
        let quote =
            |source: &str, line| Quote { source: source.into(), line: Some(line), text: "x\u{1b}[2J".to_owned() };
        let finding = Finding::error(
            Code::CacheLocked,
            "t",
            vec![quote("run 1.log", 41), quote(".github/workflows/ci.yml", 12)],
            "f",
        );
        let document = sarif(&[("build", &report(vec![finding]))]);
        let result = &document["runs"][0]["results"][0];
        assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 12);
        assert_eq!(result["locations"][0]["logicalLocations"][0]["name"], "build");
        assert_eq!(result["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"], "run%201.log");
        assert_eq!(document["runs"][0]["tool"]["driver"]["rules"][0]["id"], "cache-locked");
        assert!(!document.to_string().contains('\u{1b}') && !document.to_string().contains("\\u001b"));
    }
}
