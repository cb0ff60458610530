//! Arguments, printing, exit codes and the environment: the only place that prints, exits or reads the environment.
//!
//! [`main`] is the whole program. Data goes to standard output, talk to standard error.

mod args;
mod demo;
mod doctor;
mod engine;
mod exit;
mod explained;
mod folder;
mod instrument;
mod judging;
mod lint;
mod live;
mod logs;
mod present;
mod problem;
mod reading;
mod recorded;
mod run;
mod scenarios;
mod signal;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Args, Command};
use exit::Exit;
use problem::CliProblem;

/// Runs the program on its arguments.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Effective };
            let _ = error.print();
            return code.into();
        }
    };
    let result = match args.command.unwrap_or_default() {
        Command::Run(run) => run::run(*run),
        Command::Logs(logs) => logs::run(&logs),
        Command::Lint(lint) => lint::run(&lint),
        Command::CacheVersion(args) => lint::cache_version(&args),
        Command::Scenarios(command) => scenarios::run(&command),
        Command::Demo(args) => demo::run(&args),
        Command::Explain { code } => explain(&code),
        Command::Doctor => doctor::run(),
        Command::Instrument { dockerfile, check: false } => instrument::run(&dockerfile),
        Command::Instrument { dockerfile, check: true } => instrument::check(&dockerfile),
        Command::Completions { shell } => {
            // The generator panics when its reader goes away, as `head` does; a buffer never does.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "verify-buildkit-cache", &mut script);
            out(&String::from_utf8_lossy(&script));
            Ok(Exit::Effective)
        }
    };
    match result {
        Ok(exit) => exit.into(),
        Err(problem) => {
            problem.print();
            problem.exit.into()
        }
    }
}

/// Prints the page of a finding code, or of an obligation.
fn explain(code: &str) -> Result<Exit, CliProblem> {
    if let Ok(obligation) = code.parse::<crate::verify::ObligationId>() {
        out(&crate::report::explain_obligation(obligation));
        return Ok(Exit::Effective);
    }
    if let Some(definition) = crate::lint::definition(code) {
        out(&crate::report::explain_lint(definition));
        return Ok(Exit::Effective);
    }
    let code = code.parse::<crate::verify::Code>();
    let code = code.map_err(|error| CliProblem::usage(error.to_string()).hint(error.hint()))?;
    out(&crate::report::explain(code));
    Ok(Exit::Effective)
}

/// The Go image asked for by the flag, or else by `GO_IMAGE`. A variable set to nothing asks for none.
fn go_image(flag: Option<&str>) -> Option<String> {
    let variable = || std::env::var("GO_IMAGE").ok().filter(|image| !image.is_empty());
    flag.map(str::to_owned).or_else(variable)
}

/// Writes data to standard output; a reader that went away is no reason to complain.
fn out(text: &str) {
    use std::io::Write;
    let _ = anstream::stdout().write_all(text.as_bytes());
}

/// Writes a line of talk to standard error.
fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(anstream::stderr(), "{text}");
}
