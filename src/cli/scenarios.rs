//! `scenarios`: the catalogue, listed and told.

use super::args::Scenarios;
use super::exit::Exit;
use super::out;
use super::problem::Problem;
use crate::scenario;

/// Runs `scenarios`.
pub(super) fn run(command: &Scenarios) -> Result<Exit, Problem> {
    let find = |name: &str| scenario::find(name).map_err(|error| Problem::usage(error.to_string()).hint(error.hint()));
    match command {
        Scenarios::List => {
            let names = scenario::names();
            let width = names.iter().map(String::len).max().unwrap_or(0);
            for name in names {
                let scenario = find(&name)?;
                out(&format!("{name:<width$}  {:<12}  {}\n", scenario.about.expect.verdict, scenario.about.title));
            }
        }
        Scenarios::Show { name } => {
            let scenario = find(name)?;
            let about = &scenario.about;
            out(&format!("{name}: {}\n\n", about.title));
            out(&format!(
                "What a person sees\n  {}\n\nCause\n  {}\n\nFix\n  {}\n\n",
                about.sees, about.cause, about.fix
            ));
            let codes = if about.expect.codes.is_empty() { "none".to_owned() } else { about.expect.codes.join(", ") };
            out(&format!("Verdict after {} runs: {}; findings: {codes}\n\n", about.runs, about.expect.verdict));
            out(&format!("{}\n{}", scenario.workflow.name, indented(&scenario.workflow.text)));
        }
    }
    Ok(Exit::Effective)
}

fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") }).collect()
}
