//! The arguments. [`Args`] is principal.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Parser, Subcommand, ValueEnum};

use super::clean::CleanArgs;
use super::code_name::CodeName;
use super::lint::{CacheVersionArgs, LINT_HELP, LintArgs};
use super::scenarios::{ScenarioName, Scenarios};
use crate::dance::DanceCode;
use crate::plan::Secret;

/// Proves whether the RUN --mount=type=cache caches of a Go build survive from one CI run to the next.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Exit codes: 0 effective, 1 ineffective, 2 usage, 3 inconclusive, 4 stopped by the environment or an input, \
                  130 stopped by Ctrl-C"
)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    /// When to use colours; auto asks the terminal, NO_COLOR and CLICOLOR_FORCE
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, global = true, help_heading = "Output")]
    pub(super) color: ColorArg,
    /// Say nothing on standard error but errors
    #[arg(long, short, global = true, conflicts_with = "verbose", help_heading = "Output")]
    pub(super) quiet: bool,
    /// Show everything that the verdict rests on, and which numbers it is judged by
    #[arg(long, short, global = true, help_heading = "Output")]
    pub(super) verbose: bool,
    /// The file with the numbers to judge by [default: verify-buildkit-cache.toml here or above, in the repository]
    #[arg(long, value_name = "FILE", global = true, help_heading = "Judging")]
    pub(super) config: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum ColorArg {
    /// Where they can be shown
    #[default]
    Auto,
    /// Also into a pipe
    Always,
    /// Nowhere
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a workflow on fresh runners and judge it: in a repository the one that builds with cache mounts, elsewhere the
    /// healthy sample
    Run(Box<RunArgs>),
    /// Judge the logs of real CI runs
    #[command(after_help = LOGS_HELP)]
    Logs(Logs),
    /// Say what will fail in a repository's own workflows and Dockerfiles, before any run
    #[command(after_help = LINT_HELP)]
    Lint(LintArgs),
    /// Print a new value for cache_version: v4-0130-0943 while debugging, stable-v1 once it works
    CacheVersion(CacheVersionArgs),
    /// The catalogue of ways the set-up works and fails
    #[command(subcommand)]
    Scenarios(Scenarios),
    /// Replay recorded runs, without Docker: what a person sees, the line that everybody overlooks, the verdict and the fix
    Demo(Demo),
    /// Explain a finding code, or an obligation of an effective verdict
    Explain {
        /// The code, such as cache-locked, or the obligation, such as freshness [default: list them all]
        #[arg(value_parser = CodeName, hide_possible_values = true)]
        code: Option<String>,
    },
    /// Say what this machine has and lacks
    Doctor,
    /// Remove what runs left that were killed before they could clean up
    Clean(CleanArgs),
    /// Print a Dockerfile with steps that prove what its cache mounts hold
    Instrument {
        /// The Dockerfile
        #[arg(default_value = "Dockerfile")]
        dockerfile: PathBuf,
        /// Only say whether it has them: exit code 0 if each stage that can has them, else 1
        #[arg(long)]
        check: bool,
    },
    /// Show a workflow that carries a Dockerfile's cache mounts, and what to add to the Dockerfile, as a diff
    #[command(after_help = "verify-buildkit-cache init | git apply")]
    Init {
        /// The Dockerfile [default: the one here that has cache mounts]
        dockerfile: Option<PathBuf>,
    },
    /// Print the JSON schema of what `--format json` writes
    Schema,
    /// Print a completion script for a shell
    #[command(after_help = COMPLETIONS_HELP)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the man page of the program or of one of its commands
    #[command(after_help = "verify-buildkit-cache man run | man -l -")]
    Man {
        /// The command, such as run, or scenarios list
        #[arg(value_name = "COMMAND")]
        command: Vec<String>,
    },
}

#[derive(Debug, Default, clap::Args)]
pub(super) struct RunArgs {
    /// A scenario of the catalogue
    #[arg(
        long,
        value_name = "NAME",
        value_parser = ScenarioName,
        hide_possible_values = true,
        conflicts_with_all = ["project", "dockerfile", "workflow"],
        help_heading = "What to run"
    )]
    pub(super) scenario: Option<String>,
    /// The scenario with its fault undone, as its fix.diff has it
    #[arg(long, requires = "scenario", help_heading = "What to run")]
    pub(super) fixed: bool,
    /// Your own Go project; it is only read
    #[arg(long, value_name = "DIR", help_heading = "What to run")]
    pub(super) project: Option<PathBuf>,
    /// The project's Dockerfile [default: DIR/Dockerfile]
    #[arg(long, value_name = "FILE", requires = "project", help_heading = "What to run")]
    pub(super) dockerfile: Option<PathBuf>,
    /// A GitHub workflow, run as on pushes to main, on the project or else the bundled sample; a project without one gets a
    /// healthy one, derived from its Dockerfile
    #[arg(long, value_name = "FILE", help_heading = "What to run")]
    pub(super) workflow: Option<PathBuf>,
    /// The job of the workflow, when several could be meant
    #[arg(long, value_name = "NAME", requires = "workflow", help_heading = "What to run")]
    pub(super) job: Option<String>,
    /// The event that starts the runs: push, tag, pull_request, schedule, … [default: the first under `on:` that can, a push to
    /// main before all others]
    #[arg(long, value_name = "EVENT", requires = "workflow", help_heading = "What to run")]
    pub(super) event: Option<String>,
    /// The ref of the runs, such as develop or refs/tags/v1.2.3
    #[arg(long, value_name = "REF", requires = "workflow", help_heading = "What to run")]
    pub(super) r#ref: Option<String>,
    /// A value of the job's matrix; the first combination that has it is run
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair, requires = "workflow", help_heading = "What to run")]
    pub(super) matrix: Vec<(String, String)>,
    /// An input of the workflow
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair, requires = "workflow", help_heading = "What to run")]
    pub(super) input: Vec<(String, String)>,
    /// A variable of the repository (`vars`)
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair, requires = "workflow", help_heading = "What to run")]
    pub(super) var: Vec<(String, String)>,
    /// A secret; without a value it is that of the environment variable of this name. It is written nowhere
    #[arg(long, value_name = "NAME[=VALUE]", requires = "workflow", help_heading = "What to run")]
    pub(super) secret: Vec<SecretArg>,
    /// What an expression gives that only CI knows, such as steps.dir.outputs.path=cache
    #[arg(long, value_name = "PATH=VALUE", value_parser = pair, requires = "workflow", help_heading = "What to run")]
    pub(super) set: Vec<(String, String)>,
    /// Your word that leaving out a step, by its name or id, changes nothing for the caches
    #[arg(long, value_name = "STEP", requires = "workflow", help_heading = "What to run")]
    pub(super) leave_out: Vec<String>,
    /// Your word that a fork or version of the dance whose code is not known does what this one does
    #[arg(long, value_name = "OWNER@VERSION", value_parser = dance, requires = "workflow", help_heading = "What to run")]
    pub(super) dance_as: Option<DanceArg>,
    /// The size of the bundled sample [default: what the scenario says; healthy: full]
    #[arg(long, value_enum, conflicts_with = "project", help_heading = "What to run")]
    pub(super) sample: Option<Sample>,

    /// How many runs, each on a fresh runner [default: 2, or what the scenario says]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=20), help_heading = "How to run")]
    pub(super) runs: Option<u32>,
    /// What changes between runs [default: source, or what the scenario says]; a scenario that lists its runs takes neither
    /// this nor --runs
    #[arg(long, value_enum, help_heading = "How to run")]
    pub(super) edit: Option<EditArg>,
    /// Repeat the last run without the dance; it must be cold
    #[arg(long, help_heading = "How to run")]
    pub(super) control: bool,
    /// The Go image to build with [env: GO_IMAGE]
    #[arg(long, value_name = "REF", value_parser = NonEmptyStringValueParser::new(), help_heading = "How to run")]
    pub(super) go_image: Option<String>,
    /// As which user the steps of the job run: GitHub's hosted runners have an ordinary user, to whom only the home directory,
    /// the workspace and the temporary directory belong; many self-hosted ones run as root [default: runner]
    #[arg(long, value_enum, value_name = "USER", help_heading = "How to run")]
    pub(super) runner_user: Option<RunnerUserArg>,
    /// Run the dance's own code in place of the simulation: a directory that holds its action.yml, or DIR@REF of a git
    /// repository. It is kept apart from this machine
    #[arg(long, value_name = "DIR[@REF]", value_parser = NonEmptyStringValueParser::new(), help_heading = "Real actions")]
    pub(super) dance: Option<String>,
    /// Run the code of actions/cache in place of the simulation, with a cache service of this program: DIR or DIR@REF
    #[arg(long, value_name = "DIR[@REF]", value_parser = NonEmptyStringValueParser::new(), help_heading = "Real actions")]
    pub(super) cache: Option<String>,
    /// How long the main or the post step of a real action may last
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "10m", help_heading = "Real actions")]
    pub(super) action_timeout: Duration,
    /// Show every docker command of a real action, with its time and exit code
    #[arg(long, help_heading = "Real actions")]
    pub(super) trace: bool,
    /// Keep the evidence folder also when the verdict is effective
    #[arg(long, help_heading = "How to run")]
    pub(super) keep: bool,
    /// Where to put the evidence; implies --keep
    #[arg(long, value_name = "DIR", help_heading = "How to run")]
    pub(super) out: Option<PathBuf>,
    /// Replace the evidence that lies in --out; other files there stay
    #[arg(long, requires = "out", help_heading = "How to run")]
    pub(super) force: bool,

    #[command(flatten)]
    pub(super) judging: Judging,
    /// How to say it
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub(super) format: Format,
    /// Also write the report as one HTML page, which needs no network and runs no script
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) html: Option<PathBuf>,
    /// Show what the verdict rests on: each obligation, with the lines that show it or the line that would
    #[arg(long, help_heading = "Output")]
    pub(super) explain: bool,
}

#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Judging")]
pub(super) struct Judging {
    /// Absolute numbers, or relative to the first run [default: checklist for the sample, auto elsewhere]
    #[arg(long, value_enum)]
    pub(super) profile: Option<ProfileArg>,
    /// The least archive that counts as restored, such as 100MB (1 MB is 2^20 bytes); auto asks for it only of a single
    /// run [default: 100MB, or the scenario's]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(super) min_restore: Option<u64>,
    /// Minimum size of the module cache before the build; profile auto uses it only if one run is judged [default: 100MB, or
    /// the scenario's]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(super) min_mod: Option<u64>,
    /// The least build cache before the build; auto asks for it only of a single run [default: 50MB, or the scenario's]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(super) min_build: Option<u64>,
    /// Maximum time of a warm `go build` (example: 10s); used only if there is no cold run to compare with [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(super) max_build_time: Option<Duration>,
    /// The largest warm build time as a part of the first run's [default: 0.5]
    #[arg(long, value_name = "RATIO", value_parser = ratio)]
    pub(super) max_build_ratio: Option<f64>,
    /// The most modules a warm run may download [default: 3]
    #[arg(long, value_name = "COUNT")]
    pub(super) max_downloads: Option<usize>,
}

/// Where the scripts go.
const COMPLETIONS_HELP: &str = "\
  bash: verify-buildkit-cache completions bash > ~/.local/share/bash-completion/completions/verify-buildkit-cache
  zsh:  verify-buildkit-cache completions zsh > \"${fpath[1]}/_verify-buildkit-cache\"
  fish: verify-buildkit-cache completions fish > ~/.config/fish/completions/verify-buildkit-cache.fish";

/// How `logs` is called.
const LOGS_HELP: &str = "\
Examples:
  verify-buildkit-cache logs run.log                    one run
  verify-buildkit-cache logs first.log second.log       consecutive runs, oldest first: compares them
  verify-buildkit-cache logs OWNER/REPO                 from GitHub, through gh: the latest run, and those before it
  verify-buildkit-cache logs https://github.com/OWNER/REPO/actions/runs/123
  verify-buildkit-cache logs --run 123                  in a clone of the repository
  gh run view 123 --log | verify-buildkit-cache logs -  from standard input
  verify-buildkit-cache logs logs_123.zip               the archive that the web page downloads
  verify-buildkit-cache logs --dockerfile Dockerfile --workflow ci.yml run.log

Each job gets a verdict of its own; the exit code is the worst. What a log does not show is
unobserved, never a pass. To make a build show it: verify-buildkit-cache instrument Dockerfile";

#[derive(Debug, clap::Args)]
pub(super) struct Logs {
    /// Logs of consecutive runs (raw, of gh, of act, or copied from the web page), the zip of a run, a directory of it
    /// unpacked, or - for standard input; or OWNER/REPO or the address of a run, a job or a workflow on GitHub
    #[arg(required_unless_present = "run", value_name = "LOG")]
    pub(super) inputs: Vec<PathBuf>,
    /// The run of this number, of OWNER/REPO or of the repository that the current directory is a clone of
    #[arg(long, value_name = "ID", help_heading = "From GitHub (through gh)")]
    pub(super) run: Option<u64>,
    /// The most earlier runs to fetch; it stops at the one that saved what was restored
    #[arg(long, value_name = "COUNT", default_value_t = 5, help_heading = "From GitHub (through gh)")]
    pub(super) previous: usize,
    /// Judge only the job of this name, as GitHub shows it
    #[arg(long, value_name = "NAME")]
    pub(super) job: Option<String>,
    /// The branch whose latest run is judged, where no run is named [default: the repository's default branch]
    #[arg(long, value_name = "NAME", help_heading = "From GitHub (through gh)")]
    pub(super) branch: Option<String>,
    /// Keep the fetched logs here
    #[arg(long, value_name = "DIR", help_heading = "From GitHub (through gh)")]
    pub(super) keep_logs: Option<PathBuf>,
    /// The Dockerfile that was built, for a better diagnosis; it never makes a check pass
    #[arg(long, value_name = "FILE")]
    pub(super) dockerfile: Option<PathBuf>,
    /// The workflow that was run, for a better diagnosis; it never makes a check pass
    #[arg(long, value_name = "FILE")]
    pub(super) workflow: Option<PathBuf>,
    #[command(flatten)]
    pub(super) judging: Judging,
    /// How to say it
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub(super) format: Format,
    /// Also write the report as one HTML page, which needs no network and runs no script
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) html: Option<PathBuf>,
    /// Write the JSON document into this file, too
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) json: Option<PathBuf>,
    /// Show what the verdict rests on: each obligation, with the lines that show it or the line that would
    #[arg(long, help_heading = "Output")]
    pub(super) explain: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    /// A scenario of the catalogue [default: healthy, then cache-locked]
    #[arg(value_name = "SCENARIO", value_parser = ScenarioName, hide_possible_values = true)]
    pub(super) scenario: Option<String>,
    /// Name those that have a recording
    #[arg(long, conflicts_with = "scenario")]
    pub(super) list: bool,
    /// How many times as fast
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = speed)]
    pub(super) speed: f64,
    /// Go on by itself where it would wait for a key
    #[arg(long)]
    pub(super) no_pause: bool,
    /// Also write what it shows as one HTML page
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(super) enum Format {
    /// For people
    #[default]
    Text,
    /// One document on standard output
    Json,
    /// Workflow annotations
    Github,
    /// A summary fit for a step summary
    Markdown,
    /// One page for a browser, which needs no network
    Html,
    /// Findings for code scanning (SARIF 2.1.0)
    Sarif,
    /// A test suite for each job, a case for each check
    Junit,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum ProfileArg {
    /// The absolute numbers of the checklist
    Checklist,
    /// Relative to the first run, absolute where there is none
    Auto,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Sample {
    /// Meets the checklist's numbers
    Full,
    /// Builds in seconds
    Small,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum RunnerUserArg {
    /// An ordinary user
    Runner,
    /// Root
    Root,
}

impl From<RunnerUserArg> for crate::runner::RunnerUser {
    fn from(user: RunnerUserArg) -> Self {
        match user {
            RunnerUserArg::Runner => Self::Runner,
            RunnerUserArg::Root => Self::Root,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum EditArg {
    /// Nothing
    None,
    /// A line of source, as a commit would
    Source,
    /// A dependency (bundled sample only)
    Deps,
}

/// A secret as it is given. It is never shown.
#[derive(Clone)]
pub(super) struct SecretArg {
    /// Its name.
    pub(super) name: String,
    /// Its value; `None` for that of the environment.
    pub(super) value: Option<Secret>,
}

impl std::fmt::Debug for SecretArg {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}=***", self.name)
    }
}

impl std::str::FromStr for SecretArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(Secret::new(value))));
        if name.is_empty() {
            return Err("a secret has a name; write NAME=VALUE".to_owned());
        }
        Ok(Self { name: name.to_owned(), value })
    }
}

/// The dance that an unknown one is taken for.
#[derive(Debug, Clone)]
pub(super) struct DanceArg {
    /// As it was written.
    pub(super) text: String,
    /// What it means.
    pub(super) code: DanceCode,
}

/// Reads `upstream@v3.3.2` or `hiromaily@v4`.
fn dance(text: &str) -> Result<DanceArg, String> {
    let (owner, version) = text.split_once('@').ok_or("write OWNER@VERSION, such as upstream@v3.3.2")?;
    let owner = if owner.eq_ignore_ascii_case("upstream") { "reproducible-containers" } else { owner };
    let code = DanceCode::identify(owner, version);
    match code.known {
        true => Ok(DanceArg { text: text.to_owned(), code }),
        false => {
            Err("this version is not known here; known are upstream@v1.0.0 to v3.4.0 and hiromaily@v4.0.0 to v4.3.0"
                .to_owned())
        }
    }
}

/// Reads `NAME=VALUE`.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

/// Reads a size; MB is 2^20 bytes, as in actions/cache's `Cache Size:`.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim_end();
    let unit = match text[digits.len()..].trim().to_ascii_uppercase().as_str() {
        "" if digits.parse::<f64>().is_ok_and(|number| number > 0.0) => {
            return Err(format!("a size needs its unit: `{digits}MB` if megabytes are meant, `{digits}B` if bytes"));
        }
        "" | "B" => 1.0,
        "K" | "KB" | "KIB" => 1024.0,
        "M" | "MB" | "MIB" => 1_048_576.0,
        "G" | "GB" | "GIB" => 1_073_741_824.0,
        unit => return Err(format!("unknown unit `{unit}`; use B, KB, MB or GB")),
    };
    let number: f64 = digits.parse().map_err(|_| format!("`{digits}` is not a number; write a size such as 100MB"))?;
    if !(number.is_finite() && number >= 0.0) {
        return Err("a size is not negative".to_owned());
    }
    Ok((number * unit) as u64)
}

/// Reads how many times as fast a replay is.
fn speed(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("`{text}` is not a number; write a factor such as 2"))?;
    if (0.1..=1000.0).contains(&number) { Ok(number) } else { Err("a speed is between 0.1 and 1000".to_owned()) }
}

/// Reads a ratio between 0 and 1.
fn ratio(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("`{text}` is not a number; write a ratio such as 0.5"))?;
    if (0.0..=1.0).contains(&number) { Ok(number) } else { Err("a ratio is between 0 and 1".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }

    #[test]
    fn sizes_are_read_with_their_units() {
        assert_eq!(size("100MB"), Ok(100 << 20));
        assert_eq!(size("1.5 G"), Ok(3 << 29));
        assert_eq!((size("42B"), size("0")), (Ok(42), Ok(0)));
        assert!(size("42").unwrap_err().contains("`42MB`"));
        assert!(size("ten").is_err() && size("1TB").is_err() && size("-1").is_err() && size("é").is_err());
    }
}
