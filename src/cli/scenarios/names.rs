//! The names of scenarios as an argument, so that a shell can complete them. [`ScenarioName`] is principal.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};

use crate::scenario;

/// Takes any text and offers the names of the catalogue. Who looks the scenario up knows better what was meant.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct ScenarioName;

impl TypedValueParser for ScenarioName {
    type Value = String;

    fn parse_ref(&self, command: &Command, _: Option<&Arg>, value: &OsStr) -> Result<String, Error> {
        value.to_str().map(str::to_owned).ok_or_else(|| Error::new(ErrorKind::InvalidUtf8).with_cmd(command))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(scenario::names().into_iter().map(PossibleValue::new)))
    }
}
