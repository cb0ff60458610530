//! `completions` and `man`: what shells and `man` know of the program. [`completions`] is principal.

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use super::args::Args;
use super::exit::Exit;
use super::problem::CliProblem;
use super::talk::out;
use crate::suggest::did_you_mean;

/// The program's name.
const PROGRAM: &str = env!("CARGO_PKG_NAME");

/// Prints a completion script.
pub(super) fn completions(shell: Shell) -> Exit {
    // The generator panics when its reader goes away, as `head` does; a buffer never does.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), PROGRAM, &mut script);
    let script = String::from_utf8_lossy(&script);
    out(&match shell {
        Shell::Bash => repaired(&script),
        Shell::Fish => format!("{script}{}", values_for_fish(&Args::command(), &[])),
        _ => script.into_owned(),
    });
    Exit::Effective
}

/// Lets bash find what follows a subcommand.
///
/// clap_complete 4.6 names the states after the program, with each `-` as `__` where it sets them and as `__subcmd__` where it
/// asks for them, so that a program with a `-` in its name completes nothing after its first word.
fn repaired(script: &str) -> String {
    let (set, asked) = (PROGRAM.replace('-', "__"), PROGRAM.replace('-', "__subcmd__"));
    script.replace(&asked, &set)
}

/// Lets fish complete the values of arguments without a flag, which clap_complete 4.6 leaves out.
fn values_for_fish(command: &Command, path: &[&str]) -> String {
    let mut lines = String::new();
    for argument in command.get_positionals() {
        let values: Vec<String> =
            argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
        let function = format!("__fish_{}_using_subcommand", PROGRAM.replace('-', "_"));
        let condition = match path {
            [] => continue,
            [one] => format!("{function} {one}"),
            [one, rest @ ..] => format!("{function} {one}; and __fish_seen_subcommand_from {}", rest.join(" ")),
        };
        if !values.is_empty() {
            lines.push_str(&format!("complete -c {PROGRAM} -n \"{condition}\" -f -a \"{}\"\n", values.join(" ")));
        }
    }
    for below in command.get_subcommands() {
        lines.push_str(&values_for_fish(below, &[path, &[below.get_name()]].concat()));
    }
    lines
}

/// Prints the man page of the program, or of one of its commands.
pub(super) fn man(path: &[String]) -> Result<Exit, CliProblem> {
    let mut command = Args::command();
    command.build();
    for name in path {
        let names: Vec<String> = command.get_subcommands().map(|one| one.get_name().to_owned()).collect();
        let Some(found) = command.find_subcommand(name).cloned() else {
            let hint = did_you_mean(name, names.iter().map(String::as_str));
            return Err(CliProblem::usage(format!("there is no command `{name}`"))
                .hint(hint.or_else(|| Some(format!("the commands are {}", names.join(", "))))));
        };
        command = found;
    }
    // `man` shows the title in its head; a page's name has no spaces.
    let name = std::iter::once(PROGRAM).chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join("-");
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(command).title(name.to_uppercase()).render(&mut page);
    rendered.map_err(|error| CliProblem::from_error(&error))?;
    out(&String::from_utf8_lossy(&page));
    Ok(Exit::Effective)
}
