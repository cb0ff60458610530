//! The arguments of `scenarios`. [`Scenarios`] is principal.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Subcommand, ValueEnum};

use super::ScenarioName;
use crate::catalogue::Partition;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Scenarios {
    /// Name them all
    List {
        /// How to say it
        #[arg(long, value_enum, default_value_t)]
        format: ListFormat,
    },
    /// Tell one: what a person sees, why, the workflow with the faulty lines marked, the fix
    Show {
        /// Its name
        #[arg(value_parser = ScenarioName, hide_possible_values = true)]
        name: String,
    },
    /// Write them as a small site with a page for each, with the recorded runs; no network and no script is needed to read it
    Html {
        /// Where to put it: a new or empty directory
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
    /// Run them on this machine's engine, and fail unless each ends as it says
    #[command(after_help = "Exit codes: 0 all ended as they say, 1 some did not, 2 usage, 4 some came to no verdict")]
    Run(RunArgs),
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RunArgs {
    /// Their names [default: all]
    #[arg(value_name = "NAME", value_parser = ScenarioName, hide_possible_values = true)]
    pub(super) names: Vec<String>,
    /// How many to run at a time; one whose verdict rests on time alone has the engine to itself
    #[arg(long, value_name = "N", default_value_t = JOBS, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(super) jobs: u16,
    /// Run part K of M: each machine computes the same, similarly long parts
    #[arg(long, value_name = "K/M")]
    pub(super) partition: Option<Partition>,
    /// Undo the fault of each first; what has none is left out
    #[arg(long)]
    pub(super) fixed: bool,
    /// The Go image to build with [env: GO_IMAGE]
    #[arg(long, value_name = "REF", value_parser = NonEmptyStringValueParser::new())]
    pub(super) go_image: Option<String>,
    /// Keep all evidence here, a folder for each scenario; else only that of scenarios that did not end as they say is kept
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Also write the logs of each scenario that ends as it says into DIR/NAME.tar.zst, for `demo` to replay
    #[arg(long, value_name = "DIR")]
    pub(super) record: Option<PathBuf>,
    /// Show the confusion matrix: scenarios by finding codes, by live evidence and by the logs alone
    #[arg(long)]
    pub(super) matrix: bool,
    /// How to say it
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: RoundFormat,
}

/// Two builds at a time keep two processors busy while copies and clean-ups wait for the disk.
const JOBS: u16 = 2;

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(in crate::cli) enum ListFormat {
    /// For people
    #[default]
    Text,
    /// One document on standard output
    Json,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(in crate::cli) enum RoundFormat {
    /// For people
    #[default]
    Text,
    /// One document on standard output, with the confusion matrix
    Json,
    /// A JUnit document on standard output; those of all parts read as one
    Junit,
    /// One page for a browser, with the report of each scenario
    Html,
}
