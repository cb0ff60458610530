//! The names of codes and obligations as an argument, so that a shell can complete them. [`CodeName`] is principal.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};

use super::exit::Exit;
use super::problem::CliProblem;
use super::talk::out;
use crate::suggest::did_you_mean;
use crate::verify::{CheckId, Code, ObligationId};
use crate::{lint, report};

/// Takes any text and offers the names of codes and obligations. Who looks the page up knows better what was meant.
#[derive(Debug, Clone, Copy)]
pub(super) struct CodeName;

impl TypedValueParser for CodeName {
    type Value = String;

    fn parse_ref(&self, command: &Command, _: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        value.to_str().map(str::to_owned).ok_or_else(|| Error::new(ErrorKind::InvalidUtf8).with_cmd(command))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(names().into_iter().map(PossibleValue::new)))
    }
}

fn names() -> Vec<&'static str> {
    let codes = Code::ALL.iter().map(|code| code.as_str());
    let of_lint = lint::definitions().iter().map(|definition| definition.code);
    codes.chain(of_lint).chain(ObligationId::ALL.into_iter().map(ObligationId::as_str)).collect()
}

/// Prints the page of a finding code, or of an obligation; without a name a line for each.
pub(super) fn explain(name: Option<&str>) -> Result<Exit, CliProblem> {
    let Some(name) = name else {
        out(&list());
        return Ok(Exit::Effective);
    };
    if let Ok(obligation) = name.parse::<ObligationId>() {
        out(&report::explain_obligation(obligation));
        return Ok(Exit::Effective);
    }
    if let Some(definition) = lint::definition(name) {
        out(&report::explain_lint(definition));
        return Ok(Exit::Effective);
    }
    let code = name.parse::<Code>();
    let hint = || {
        let meant = did_you_mean(name, names());
        Some(meant.unwrap_or_else(|| "`verify-buildkit-cache explain` lists them all".to_owned()))
    };
    out(&report::explain(code.map_err(|error| CliProblem::usage(error.to_string()).hint(hint()))?));
    Ok(Exit::Effective)
}

/// Every code below its check, and the obligations, with the first sentence of each page.
fn list() -> String {
    let wide = names().iter().map(|name| name.len()).max().unwrap_or(0);
    let line = |name: &str, what: &str| {
        let first = what.split_once(". ").map_or(what, |(first, _)| first).trim_end_matches('.');
        format!("  {name:wide$}  {first}\n")
    };
    let mut text = String::new();
    for check in [CheckId::A, CheckId::B, CheckId::C1, CheckId::C2, CheckId::C3] {
        let codes: String = Code::ALL
            .iter()
            .filter(|code| code.check() == check)
            .map(|code| line(code.as_str(), code.docs().what))
            .collect();
        if !codes.is_empty() {
            text.push_str(&format!("{}  {}\n{codes}\n", check.as_str(), check.title()));
        }
    }
    text.push_str("found by lint alone\n");
    lint::definitions().iter().for_each(|one| text.push_str(&line(one.code, one.page.what)));
    text.push_str("\nobligations of an effective verdict\n");
    ObligationId::ALL.into_iter().for_each(|id| text.push_str(&line(id.as_str(), id.page().what)));
    text
}
