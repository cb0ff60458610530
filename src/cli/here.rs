//! What the current directory holds: Dockerfiles, workflows, cache mounts. [`Here`] is principal.
//!
//! It looks and starts nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::args::RunArgs;
use super::exit::Exit;
use super::problem::CliProblem;
use super::reading::read;
use super::talk::{out, say};
use crate::dockerfile::Dockerfile;
use crate::workflow::{ActionForm, Job, Step, StepAction, Workflow};

/// How deep below the root Dockerfiles are looked for, and how many directories are opened.
const DEPTH: usize = 3;
const DIRECTORIES: usize = 500;

/// Directories that hold no Dockerfile of the project itself.
const PASSED_OVER: [&str; 5] = ["node_modules", "vendor", "target", "testdata", "dist"];

/// A repository, as far as it matters here.
#[derive(Debug)]
pub(super) struct Here {
    /// Its root, as a person in the current directory names it.
    root: PathBuf,
    dockerfiles: Vec<FoundDockerfile>,
    workflows: Vec<BuildJob>,
    /// What could not be read, in words.
    broken: Vec<String>,
}

/// A Dockerfile, below the root.
#[derive(Debug)]
pub(super) struct FoundDockerfile {
    pub(super) path: PathBuf,
    /// The targets of its cache mounts.
    mounts: Vec<String>,
}

/// A job of a workflow that builds with cache mounts.
#[derive(Debug)]
struct BuildJob {
    path: PathBuf,
    job: String,
    dance: bool,
    /// The only such job of its workflow.
    alone: bool,
    /// The Dockerfile it builds, where the workflow says it.
    dockerfile: Option<PathBuf>,
}

impl Here {
    /// Looks around; `None` where there is neither a repository nor a Dockerfile.
    pub(super) fn look() -> Option<Self> {
        let here = std::env::current_dir().ok()?;
        let root = here.ancestors().find(|dir| dir.join(".git").exists());
        let shown = match root.and_then(|root| here.strip_prefix(root).ok()) {
            Some(below) if below.as_os_str().is_empty() => PathBuf::from("."),
            Some(below) => below.components().map(|_| "..").collect(),
            None if here.join(".github/workflows").is_dir() || here.join("Dockerfile").is_file() => PathBuf::from("."),
            None => return None,
        };
        Some(Self::of(shown))
    }

    fn of(root: PathBuf) -> Self {
        let mut found = Self { root, dockerfiles: Vec::new(), workflows: Vec::new(), broken: Vec::new() };
        let mut left = DIRECTORIES;
        let mut paths = Vec::new();
        dockerfiles(&found.root.clone(), DEPTH, &mut left, &mut paths);
        paths.sort();
        for path in paths {
            let path = path.strip_prefix(&found.root).map_or(path.clone(), Path::to_owned);
            match mounts(&found.root.join(&path)) {
                Ok(mounts) => found.dockerfiles.push(FoundDockerfile { path, mounts }),
                Err(problem) => found.broken.push(problem.into_words().0),
            }
        }
        found.find_workflows();
        found
    }

    fn find_workflows(&mut self) {
        let folder = Path::new(".github/workflows");
        let entries = fs::read_dir(self.root.join(folder)).into_iter().flatten().flatten();
        let mut names: Vec<PathBuf> = entries.map(|entry| folder.join(entry.file_name())).collect();
        names.retain(|path| path.extension().is_some_and(|end| end == "yml" || end == "yaml"));
        names.sort();
        for path in names {
            let parsed = read(&self.root.join(&path))
                .and_then(|source| Workflow::parse(&source).map_err(|error| CliProblem::from_error(&error)));
            match parsed {
                Ok(workflow) => self.take(&path, &workflow),
                Err(problem) => self.broken.push(problem.into_words().0),
            }
        }
    }

    fn take(&mut self, path: &Path, workflow: &Workflow) {
        let first = self.workflows.len();
        for job in &workflow.jobs {
            let Some(build) = job.steps.iter().find(|step| uses(step, "build-push-action")) else { continue };
            let dance = job.steps.iter().any(|step| uses(step, "buildkit-cache-dance"));
            let dockerfile = built(job, build);
            let mounts = self.dockerfiles.iter().find(|known| Some(&known.path) == dockerfile.as_ref());
            if dance || mounts.is_some_and(|known| !known.mounts.is_empty()) {
                let (path, job) = (path.to_owned(), job.id.clone());
                self.workflows.push(BuildJob { path, job, dance, alone: true, dockerfile });
            }
        }
        let several = self.workflows.len() - first > 1;
        self.workflows[first..].iter_mut().for_each(|job| job.alone = !several);
    }

    /// The Dockerfiles that have cache mounts.
    pub(super) fn with_mounts(&self) -> Vec<&FoundDockerfile> {
        self.dockerfiles.iter().filter(|one| !one.mounts.is_empty()).collect()
    }

    /// The root, as the current directory names it.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The command that runs one of its jobs.
    fn command(&self, job: &BuildJob) -> String {
        let mut words = vec!["verify-buildkit-cache run --project".to_owned(), quoted(&self.root)];
        words.extend(["--workflow".to_owned(), quoted(&self.root.join(&job.path))]);
        if !job.alone {
            words.extend(["--job".to_owned(), quoted(Path::new(&job.job))]);
        }
        if let Some(path) = job.dockerfile.as_ref().filter(|path| *path != Path::new("Dockerfile")) {
            words.extend(["--dockerfile".to_owned(), quoted(&self.root.join(path))]);
        }
        words.join(" ")
    }

    /// Writes what is here and what to type.
    fn page(&self) -> String {
        let mut text = format!("In this repository ({}):\n", self.root.display());
        let with_mounts = self.with_mounts();
        for one in &with_mounts {
            let (path, count) = (one.path.display(), one.mounts.len());
            text.push_str(&format!("  {path}  {count} cache mounts: {}\n", one.mounts.join(", ")));
        }
        let without = self.dockerfiles.len() - with_mounts.len();
        if without > 0 {
            text.push_str(&format!("  {without} Dockerfiles without a cache mount\n"));
        }
        for job in &self.workflows {
            let dance =
                if job.dance { "carries cache mounts with buildkit-cache-dance" } else { "carries no cache mounts" };
            text.push_str(&format!("  {}  job `{}` builds, and {dance}\n", job.path.display(), job.job));
        }
        if self.dockerfiles.is_empty() {
            text.push_str("  no Dockerfile\n");
        }
        if self.workflows.is_empty() {
            text.push_str("  no workflow that builds with cache mounts\n");
        }
        self.broken.iter().for_each(|words| text.push_str(&format!("  cannot be read: {words}\n")));
        text.push_str("\nWhat to type:\n");
        let mut type_this = |command: &str, what: &str| text.push_str(&format!("  {command}\n      {what}\n"));
        match self.workflows.as_slice() {
            [] if with_mounts.is_empty() => {}
            [] => {
                type_this(
                    "verify-buildkit-cache init",
                    "shows a workflow that carries these mounts, and what to add to the Dockerfile, as a diff",
                );
                type_this(
                    "verify-buildkit-cache run",
                    "tries that workflow: two builds on fresh runners of this machine, with its Docker Engine; minutes",
                );
            }
            [_] => type_this(
                "verify-buildkit-cache run",
                "runs that workflow twice on fresh runners of this machine, with its Docker Engine; minutes",
            ),
            several => {
                for job in several {
                    type_this(&self.command(job), "runs this one twice on fresh runners of this machine; minutes");
                }
            }
        }
        type_this("verify-buildkit-cache logs OWNER/REPO", "judges what ran on GitHub, through gh; nothing is built");
        type_this(
            "verify-buildkit-cache run --scenario healthy",
            "shows on a bundled sample what it looks like when it works; minutes",
        );
        text
    }
}

/// Runs the program without arguments: says what is here, and what to type.
pub(super) fn tell() -> Exit {
    match Here::look() {
        Some(here) => out(&here.page()),
        None => out("Nothing here to look at: no repository and no Dockerfile.\n\nWhat to type:\n  \
             verify-buildkit-cache run --scenario healthy\n      shows on a bundled sample what it looks like when it works; minutes\n  \
             verify-buildkit-cache logs OWNER/REPO\n      judges what ran on GitHub, through gh; nothing is built\n  \
             verify-buildkit-cache help\n      names the other commands\n"),
    }
    Exit::Effective
}

/// Fills in what `run` without a subject means in a repository: its one workflow that builds with cache mounts.
///
/// # Errors
/// When several could be meant.
pub(super) fn choose(run: &mut RunArgs) -> Result<(), CliProblem> {
    let named = run.scenario.is_some() || run.project.is_some() || run.workflow.is_some() || run.sample.is_some();
    let Some(here) = Here::look().filter(|_| !named) else { return Ok(()) };
    match here.workflows.as_slice() {
        [] => match here.with_mounts().as_slice() {
            [] => return Ok(()),
            [one] => {
                run.project = Some(here.root.clone());
                run.dockerfile = Some(here.root.join(&one.path));
            }
            several => {
                let lines = several.iter().map(|one| {
                    let path = quoted(&here.root.join(&one.path));
                    format!("\n  verify-buildkit-cache run --project {} --dockerfile {path}", quoted(&here.root))
                });
                return Err(CliProblem::usage(format!("{} Dockerfiles here have cache mounts", several.len()))
                    .hint(Some(format!("name one:{}", lines.collect::<String>()))));
            }
        },
        [one] => {
            say(&format!("the workflow is {}, job `{}`", here.root.join(&one.path).display(), one.job));
            run.project = Some(here.root.clone());
            run.workflow = Some(here.root.join(&one.path));
            run.job = Some(one.job.clone());
            run.dockerfile = one.dockerfile.as_ref().map(|path| here.root.join(path));
        }
        several => {
            let lines = several.iter().map(|job| format!("\n  {}", here.command(job)));
            return Err(CliProblem::usage(format!("{} jobs here build with cache mounts", several.len()))
                .hint(Some(format!("name one:{}", lines.collect::<String>()))));
        }
    }
    Ok(())
}

fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    shlex::try_quote(&text).map_or_else(|_| text.clone(), |quoted| quoted.into_owned())
}

fn uses(step: &Step, repository: &str) -> bool {
    match &step.action {
        StepAction::Uses(action) => matches!(&action.form, ActionForm::Repository { repo, .. } if repo == repository),
        StepAction::Run { .. } => false,
    }
}

/// The Dockerfile a build step takes, where the workflow spells it out.
fn built(job: &Job, build: &Step) -> Option<PathBuf> {
    let literal = |name: &str| build.with.get(name).map(|value| value.value.trim().to_owned());
    let plain = |text: String| (!text.contains("${{")).then(|| text.trim_start_matches("./").to_owned());
    // Without a checkout of its own, docker/build-push-action builds the repository as it was pushed.
    let context = literal("context").map_or(Some(String::new()), plain)?;
    let context =
        if context == "." || !job.steps.iter().any(|step| uses(step, "checkout")) { String::new() } else { context };
    let file = match literal("file") {
        Some(file) => PathBuf::from(plain(file)?),
        None => Path::new(&context).join("Dockerfile"),
    };
    Some(file)
}

fn mounts(path: &Path) -> Result<Vec<String>, CliProblem> {
    let source = read(path)?;
    let parsed = Dockerfile::parse(&source).map_err(|error| CliProblem::from_error(&error))?;
    let mounts = parsed.cache_mounts(&BTreeMap::new()).map_err(|error| CliProblem::from_error(&error))?;
    let mut targets: Vec<String> = Vec::new();
    for mount in &mounts {
        if !targets.contains(&mount.options.target) {
            targets.push(mount.options.target.clone());
        }
    }
    Ok(targets)
}

fn dockerfiles(dir: &Path, depth: usize, left: &mut usize, found: &mut Vec<PathBuf>) {
    let Some(rest) = left.checked_sub(1) else { return };
    *left = rest;
    let mut below = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && depth > 0 && !name.starts_with('.') && !PASSED_OVER.contains(&name.as_str()) {
            below.push(entry.path());
        } else if kind.is_file() && is_dockerfile(&name) {
            found.push(entry.path());
        }
    }
    below.sort();
    below.iter().for_each(|dir| dockerfiles(dir, depth - 1, left, found));
}

fn is_dockerfile(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let named = lower == "dockerfile" || lower.starts_with("dockerfile.") || lower.ends_with(".dockerfile");
    named && !lower.ends_with(".dockerignore")
}
