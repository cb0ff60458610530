//! `scenarios`: the catalogue, listed, told and run.

mod args;
mod experiment;
mod names;
mod round;
mod view;

pub(super) use args::Scenarios;
pub(super) use names::ScenarioName;

use std::io;

use terminal_size::terminal_size_of;

use super::exit::Exit;
use super::out;
use super::problem::CliProblem;
use crate::catalogue::{ScenarioForm, SelectedScenario, SelectionError, select};
use crate::report::catalogue as report;
use args::ListFormat;

/// Runs `scenarios`.
pub(super) fn run(command: &Scenarios) -> Result<Exit, CliProblem> {
    match command {
        Scenarios::List { format } => {
            let catalogue = chosen(&[])?;
            // A pipe gets the whole titles.
            let width = terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
            out(&match format {
                ListFormat::Text => report::list(&catalogue, width, true),
                ListFormat::Json => report::list_json(&catalogue),
            });
            Ok(Exit::Effective)
        }
        Scenarios::Show { name } => {
            for chosen in chosen(std::slice::from_ref(name))? {
                out(&report::show(&chosen, true).map_err(|error| refused(&error.into()))?);
            }
            Ok(Exit::Effective)
        }
        Scenarios::Run(args) => round::run(args),
    }
}

fn chosen(names: &[String]) -> Result<Vec<SelectedScenario>, CliProblem> {
    select(names, ScenarioForm::Faulty, None).map_err(|error| refused(&error))
}

fn refused(error: &SelectionError) -> CliProblem {
    CliProblem::usage(error.to_string()).hint(error.hint())
}
