//! `scenarios`: the catalogue, listed, told and run.

mod args;
mod experiment;
mod names;
mod record;
mod round;
mod view;

pub(super) use args::Scenarios;
pub(super) use names::ScenarioName;

use std::io;
use std::path::Path;

use terminal_size::terminal_size_of;

use super::exit::Exit;
use super::folder::Folder;
use super::present::write_page;
use super::problem::CliProblem;
use super::recorded::JudgedRecording;
use super::{out, say};
use crate::catalogue::{ScenarioForm, SelectedScenario, SelectionError, select};
use crate::report::catalogue::{self as report, SiteScenario};
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
        Scenarios::Html { dir } => html(dir),
        Scenarios::Run(args) => round::run(args),
    }
}

/// Writes the catalogue as a site.
fn html(dir: &Path) -> Result<Exit, CliProblem> {
    let hint = || Some("name a new or empty directory".to_owned());
    let folder =
        Folder::evidence(Some(dir), &crate::runner::Journal::none()).map_err(|problem| problem.hint(hint()))?;
    let catalogue = chosen(&[])?;
    let names = catalogue.iter().map(|chosen| &chosen.scenario.name);
    let recorded = names.map(|name| JudgedRecording::of(name)).collect::<Result<Vec<_>, _>>()?;
    let scenarios: Vec<SiteScenario> = catalogue
        .iter()
        .zip(&recorded)
        .map(|(chosen, recorded)| SiteScenario {
            chosen,
            faulty: recorded.as_ref().map(|recorded| &recorded.faulty.report),
            fixed: recorded.as_ref().and_then(|recorded| recorded.fixed.as_ref()).map(|fixed| &fixed.report),
        })
        .collect();
    let pages = report::site(&scenarios).map_err(|error| refused(&error.into()))?;
    let (count, place) = (pages.len(), folder.keep());
    for page in pages {
        write_page(&place.join(page.name), &page.html)?;
    }
    say(&format!("{count} pages; begin with {}", place.join("index.html").display()));
    Ok(Exit::Effective)
}

fn chosen(names: &[String]) -> Result<Vec<SelectedScenario>, CliProblem> {
    select(names, ScenarioForm::Faulty, None).map_err(|error| refused(&error))
}

fn refused(error: &SelectionError) -> CliProblem {
    CliProblem::usage(error.to_string()).hint(error.hint())
}
