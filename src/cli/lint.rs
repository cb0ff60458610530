//! `lint`: finds the workflows of a repository, has them looked at, and prints what is wrong. [`LintArgs`] is principal.

mod git;
mod repository;
mod version;

pub(super) use version::{CacheVersionArgs, cache_version};

use std::path::PathBuf;

use clap::ValueEnum;

use super::exit::Exit;
use super::out;
use super::present::visible;
use super::problem::CliProblem;
use super::say;
use crate::lint::{LintReport, lint, mend, unbumped};
use crate::report::lint::{self as output, TextStyle};
use git::BaseFiles;
use repository::Repository;

/// How `lint` is called.
pub(super) const LINT_HELP: &str = "\
Examples:
  verify-buildkit-cache lint                            every workflow of this repository
  verify-buildkit-cache lint .github/workflows/ci.yml   one workflow, with the Dockerfiles it names
  verify-buildkit-cache lint --format sarif >lint.sarif for code scanning

Exit codes: 0 no error, 1 errors, 2 usage, 4 something could not be read. A comment
`# verify-buildkit-cache: ignore[CODE]` on a line, or above it, silences a finding there.";

/// The arguments of `lint`.
#[derive(Debug, clap::Args)]
pub(super) struct LintArgs {
    /// Workflow files, or directories of repositories [default: the repository here]
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Mend what can be, in place; each edit is kept only where the changed file is judged clean of the fault
    #[arg(long, conflicts_with = "diff")]
    pub(super) fix: bool,
    /// Show what --fix would change, as a diff, and change nothing
    #[arg(long)]
    pub(super) diff: bool,
    /// Also compare with this revision of Git: what is carried changed, and the cache keys did not
    #[arg(long, value_name = "REV")]
    pub(super) base: Option<String>,
    /// How to say it
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: LintFormat,
}

/// The formats of a lint's report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum LintFormat {
    /// For people, with the lines
    #[default]
    Text,
    /// One document on standard output
    Json,
    /// For code scanning (SARIF 2.1.0)
    Sarif,
    /// Workflow annotations
    Github,
}

/// The width to write for.
const WIDTH: usize = 110;

/// Looks at what the arguments name.
pub(super) fn run(args: &LintArgs) -> Result<Exit, CliProblem> {
    let mut report = LintReport::default();
    for repository in Repository::find(&args.paths)? {
        let mut found = match args.fix || args.diff {
            true => mended(&repository, args)?,
            false => lint(&repository.workflows, &repository),
        };
        if let Some(revision) = &args.base {
            let base = BaseFiles::at(&repository, revision)?;
            merge(&mut found, unbumped((&base.workflows, &base), (&repository.workflows, &repository)));
        }
        repository.name_from_here(&mut found);
        found.unread.extend(repository.unread.iter().cloned());
        merge(&mut report, found);
    }
    if !args.diff {
        print(&report, args.format);
    }
    Ok(exit(&report))
}

/// Mends what can be, or shows how, and returns what is left to say.
fn mended(repository: &Repository, args: &LintArgs) -> Result<LintReport, CliProblem> {
    let mended = mend(&repository.workflows, repository);
    for (code, title) in &mended.fixed {
        say(&format!("{}: {code}: {title}", if args.diff { "would fix" } else { "fixed" }));
    }
    for (name, text) in &mended.files {
        if args.diff {
            out(&repository.diff(name, text));
        } else {
            repository.write(name, text)?;
        }
    }
    Ok(mended.report)
}

fn exit(report: &LintReport) -> Exit {
    match () {
        () if !report.unread.is_empty() => Exit::Stopped,
        () if report.has_errors() => Exit::Ineffective,
        () => Exit::Effective,
    }
}

fn print(report: &LintReport, format: LintFormat) {
    match format {
        LintFormat::Text => out(&output::text(report, TextStyle { color: true, width: WIDTH })),
        LintFormat::Json => out(&visible(&output::json(report))),
        LintFormat::Sarif => out(&visible(&output::sarif(report))),
        LintFormat::Github => out(&output::github(report)),
    }
    for problem in &report.unread {
        CliProblem::stopped(problem.message.clone()).hint(problem.hint.clone()).print();
    }
}

fn merge(report: &mut LintReport, other: LintReport) {
    report.findings.extend(other.findings);
    report.sources.extend(other.sources);
    report.unread.extend(other.unread);
    report.workflows += other.workflows;
    report.jobs += other.jobs;
    report.ignored += other.ignored;
}
