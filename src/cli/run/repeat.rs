//! The command that repeats a run.

use std::fmt::Display;
use std::path::Path;

use clap::ValueEnum;

use crate::cli::args::{Judging, RunArgs};

/// Writes the command that runs the same and judges it the same, for a shell. `scenario` is the one that was run.
///
/// Left out is what changes neither: where the evidence goes, and how the report is written.
pub(super) fn repeat(args: &RunArgs, scenario: Option<&str>, go_image: Option<&str>) -> String {
    let path = |path: &'_ Option<std::path::PathBuf>| path.as_deref().map(Path::display).map(|path| path.to_string());
    let mut command = RepeatCommand(vec!["verify-buildkit-cache".to_owned(), "run".to_owned()]);
    command.option("--scenario", scenario);
    command.flag("--fixed", args.fixed);
    command.option("--project", path(&args.project));
    command.option("--dockerfile", path(&args.dockerfile));
    command.option("--workflow", path(&args.workflow));
    command.option("--job", args.job.as_ref());
    command.option("--event", args.event.as_ref());
    command.option("--ref", args.r#ref.as_ref());
    let pairs = [("--matrix", &args.matrix), ("--input", &args.input), ("--var", &args.var), ("--set", &args.set)];
    for (flag, values) in pairs {
        values.iter().for_each(|(name, value)| command.option(flag, Some(format!("{name}={value}"))));
    }
    // Its value stays with whoever gave it.
    args.secret.iter().for_each(|secret| command.option("--secret", Some(&secret.name)));
    args.leave_out.iter().for_each(|step| command.option("--leave-out", Some(step)));
    command.option("--dance-as", args.dance_as.as_ref().map(|dance| &dance.text));
    command.option("--sample", name(args.sample));
    command.option("--runs", args.runs);
    command.option("--edit", name(args.edit));
    command.flag("--control", args.control);
    command.option("--runner-user", name(args.runner_user));
    command.option("--go-image", go_image);
    command.option("--dance", args.dance.as_ref());
    command.option("--cache", args.cache.as_ref());
    if args.dance.is_some() || args.cache.is_some() {
        command.option("--action-timeout", Some(humantime::format_duration(args.action_timeout)));
    }
    command.judging(&args.judging);
    command.0.join(" ")
}

/// The words of a command, quoted.
struct RepeatCommand(Vec<String>);

impl RepeatCommand {
    fn flag(&mut self, name: &str, given: bool) {
        if given {
            self.0.push(name.to_owned());
        }
    }

    fn option(&mut self, name: &str, value: Option<impl Display>) {
        let Some(value) = value.map(|value| value.to_string()) else { return };
        // Only a NUL cannot be quoted, and no argument holds one.
        let quoted = shlex::try_quote(&value).map_or_else(|_| value.clone(), |quoted| quoted.into_owned());
        self.0.extend([name.to_owned(), quoted]);
    }

    fn judging(&mut self, judging: &Judging) {
        self.option("--profile", name(judging.profile));
        self.option("--min-restore", judging.min_restore.map(|bytes| format!("{bytes}B")));
        self.option("--min-mod", judging.min_mod.map(|bytes| format!("{bytes}B")));
        self.option("--min-build", judging.min_build.map(|bytes| format!("{bytes}B")));
        self.option("--max-build-time", judging.max_build_time.map(humantime::format_duration));
        self.option("--max-build-ratio", judging.max_build_ratio);
        self.option("--max-downloads", judging.max_downloads);
    }
}

/// The name of a value as the command line takes it.
fn name(value: Option<impl ValueEnum>) -> Option<String> {
    value.and_then(|value| value.to_possible_value()).map(|value| value.get_name().to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::{Args, Command as Subcommand};

    fn again(command: &str) -> String {
        let words = shlex::split(command).unwrap();
        let Some(Subcommand::Run(run)) = Args::try_parse_from(words).unwrap().command else { panic!("{command}") };
        let go_image = run.go_image.clone();
        repeat(&run, run.scenario.as_deref(), go_image.as_deref())
    }

    #[test]
    fn every_flag_that_changes_the_verdict_is_repeated() {
        for command in [
            "verify-buildkit-cache run --scenario cache-locked --fixed --sample small --control --runner-user root --go-image my/golang:1",
            "verify-buildkit-cache run --project . --dockerfile ./Dockerfile --workflow ci.yml --job build --runs 3 --edit none",
            "verify-buildkit-cache run --workflow ci.yml --event tag --ref refs/tags/v1 --matrix 'go=1.25' --input 'push=true' --var 'A=b' --set \
             'steps.a.outputs.b=c' --secret TOKEN --leave-out 'Free disk' --dance-as upstream@v3.3.2",
            "verify-buildkit-cache run --dance ./fork@v3.3.2 --cache ./cache --action-timeout 10m",
            "verify-buildkit-cache run --profile auto --min-restore 104857600B --min-mod 1B --min-build 2B --max-build-time 1m 30s \
             --max-build-ratio 0.25 --max-downloads 0",
        ] {
            let command = command.replace("1m 30s", "'1m 30s'");
            assert_eq!(again(&command), command);
        }
    }

    #[test]
    fn a_path_is_quoted_for_a_shell() {
        let command = again(r#"verify-buildkit-cache run --project "it's my \$HOME" --keep --format json"#);
        assert_eq!(shlex::split(&command).unwrap()[2..], ["--project", "it's my $HOME"]);
    }
}
