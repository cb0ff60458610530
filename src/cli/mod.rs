//! Arguments, printing, exit codes and the environment: the only place that prints, exits or reads the environment.
//!
//! [`main`] is the whole program. Data goes to standard output, talk to standard error.

mod args;
mod clean;
mod code_name;
mod config;
mod demo;
mod docker_host;
mod doctor;
mod engine;
mod exit;
mod explained;
mod folder;
mod gh;
mod here;
mod init;
mod inputs;
mod inside;
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
mod shell;
mod signal;
mod state;
mod talk;
mod tools;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use args::{Args, ColorArg, Command};
use config::Config;
use exit::Exit;
use problem::CliProblem;
use talk::{Loudness, out, say, set_loudness};

/// Runs the program on its arguments.
pub fn main() -> ExitCode {
    if let Some(code) = inside::main() {
        return code;
    }
    let words: Vec<OsString> = std::env::args_os().collect();
    let args = match Args::try_parse_from(&words) {
        Ok(args) => args,
        Err(error) if error.use_stderr() => {
            if asks_for_json(&words) {
                let text = error.render().to_string();
                let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
                print_document(&CliProblem::usage(message).hint(Some(text.trim_end().to_owned())));
            }
            let _ = error.print();
            return Exit::Usage.into();
        }
        Err(error) => {
            let _ = error.print();
            return Exit::Effective.into();
        }
    };
    match args.color {
        ColorArg::Auto => {}
        ColorArg::Always => anstream::ColorChoice::Always.write_global(),
        ColorArg::Never => anstream::ColorChoice::Never.write_global(),
    }
    set_loudness(if args.quiet { Loudness::Quiet } else { Loudness::Usual });
    match carry_out(args) {
        Ok(exit) => exit.into(),
        Err(problem) => {
            if asks_for_json(&words) {
                print_document(&problem);
            }
            problem.print();
            problem.exit.into()
        }
    }
}

fn carry_out(args: Args) -> Result<Exit, CliProblem> {
    let config = args.config.as_deref();
    let Some(command) = args.command else { return Ok(here::tell()) };
    match command {
        Command::Run(mut run) => {
            here::choose(&mut run)?;
            run.explain |= args.verbose;
            // The bundled sample and the scenarios are judged by their own numbers.
            if config.is_some() || run.project.is_some() {
                judged_by(&Config::find(config)?, &mut run.judging, args.verbose);
            }
            run::run(*run)
        }
        Command::Logs(mut logs) => {
            logs.explain |= args.verbose;
            judged_by(&Config::find(config)?, &mut logs.judging, args.verbose);
            logs::run(&logs)
        }
        Command::Scenarios(command) => scenarios::run(&command),
        Command::Explain { code } => code_name::explain(code.as_deref()),
        Command::Doctor => doctor::run(),
        Command::Clean(clean) => clean::run(&clean),
        Command::Lint(lint) => lint::run(&lint),
        Command::CacheVersion(args) => lint::cache_version(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Instrument { dockerfile, check: false } => instrument::run(&dockerfile),
        Command::Instrument { dockerfile, check: true } => instrument::check(&dockerfile),
        Command::Init { dockerfile } => init::run(dockerfile.as_deref()),
        Command::Schema => {
            out(crate::report::REPORT_SCHEMA);
            Ok(Exit::Effective)
        }
        Command::Completions { shell } => Ok(shell::completions(shell)),
        Command::Man { command } => shell::man(&command),
    }
}

/// Puts the configuration below the flags, and says so.
fn judged_by(config: &Config, judging: &mut args::Judging, verbose: bool) {
    config.below(judging);
    match config.path() {
        Some(path) => say(&format!("judged by the numbers of {}", path.display())),
        None if verbose => say("judged by the usual numbers: no configuration file was found"),
        None => {}
    }
}

/// Tells whether a program reads what is written, however the arguments are to be understood.
fn asks_for_json(words: &[OsString]) -> bool {
    let asked = |pair: &[OsString]| pair[0] == "--format" && pair[1] == "json";
    words.windows(2).any(asked) || words.iter().any(|word| word == "--format=json")
}

fn print_document(problem: &CliProblem) {
    out(&present::visible(&format!("{:#}\n", problem.document())));
}

/// The Go image asked for by the flag, or else by `GO_IMAGE`. A variable set to nothing asks for none.
fn go_image(flag: Option<&str>) -> Option<String> {
    let variable = || std::env::var("GO_IMAGE").ok().filter(|image| !image.is_empty());
    flag.map(str::to_owned).or_else(variable)
}
