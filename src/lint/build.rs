//! One build step with the Dockerfile it names. [`LintBuild`] is principal.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::values::{PlanValues, Resolved, UNKNOWN, WORKSPACE};
use super::{LintFiles, place};
use crate::dockerfile::{CacheMount, Dockerfile, DockerfileError, RunInstruction, StageStep, platform_args};
use crate::evidence::{MountSpec, Quote};
use crate::plan::{Action, PlannedStep, path_in_repository};
use crate::source::Span;

/// A build step and what it builds.
pub(super) struct LintBuild<'a> {
    /// The step.
    pub(super) step: &'a PlannedStep,
    /// The Dockerfile, or why there is none to look at.
    pub(super) file: BuildFile,
    /// The stages that are built; the others take no part.
    pub(super) built: Vec<bool>,
    /// The cache mounts of the stages that are built.
    pub(super) mounts: Vec<CacheMount>,
    /// Those of the other stages.
    pub(super) idle: Vec<CacheMount>,
    /// The `RUN`s of the stages that are built, in file order.
    pub(super) runs: Vec<LintRun>,
    /// The directory of the build context, relative to the repository.
    pub(super) context: Option<String>,
}

/// What a build step says about its Dockerfile.
pub(super) enum BuildFile {
    /// It is there and can be read.
    Read(Box<Dockerfile>),
    /// It depends on what only a run knows, or lies outside the repository.
    Unknown,
    /// There is no such file.
    Missing(String),
    /// BuildKit would refuse it.
    Refused(DockerfileError),
}

/// One `RUN` that is built.
pub(super) struct LintRun {
    /// The place of its stage.
    pub(super) stage: usize,
    /// Its name in the build's progress, its mounts as BuildKit comes to read them.
    pub(super) vertex: String,
    /// What it runs.
    pub(super) command: String,
    /// Its cache mounts.
    pub(super) mounts: Vec<MountSpec>,
    /// The variables in effect.
    pub(super) variables: BTreeMap<String, String>,
    /// The user it runs as, where an instruction of the file says so.
    pub(super) user: Option<String>,
    /// Where it stands.
    pub(super) span: Span,
}

impl<'a> LintBuild<'a> {
    /// Finds what a step builds.
    pub(super) fn new(values: &PlanValues<'_>, step: &'a PlannedStep, arm64: bool) -> Self {
        let mut build = Self {
            step,
            file: BuildFile::Unknown,
            built: Vec::new(),
            mounts: Vec::new(),
            idle: Vec::new(),
            runs: Vec::new(),
            context: None,
        };
        let Some((context, path)) = places(values, step) else { return build };
        build.context = Some(context);
        let Some(source) = values.files.read(&path) else {
            build.file = BuildFile::Missing(path);
            return build;
        };
        let file = match Dockerfile::parse(&source) {
            Ok(file) => file,
            Err(error) => {
                build.file = BuildFile::Refused(error);
                return build;
            }
        };
        let args = arguments(values, step, arm64);
        match file.cache_mounts(&args) {
            Ok(mounts) => {
                build.built = built_stages(&file, &args, values.input(step, "target").as_ref());
                let is_built = |mount: &CacheMount| build.built.get(mount.stage).copied().unwrap_or(true);
                (build.mounts, build.idle) = mounts.into_iter().partition(is_built);
                build.runs = runs(&file, &args, &build.built, &build.mounts);
                build.file = BuildFile::Read(Box::new(file));
            }
            Err(error) => build.file = BuildFile::Refused(error),
        }
        build
    }

    /// The Dockerfile, where it could be read.
    pub(super) fn dockerfile(&self) -> Option<&Dockerfile> {
        match &self.file {
            BuildFile::Read(file) => Some(file),
            _ => None,
        }
    }

    /// Quotes the line of a cache mount.
    pub(super) fn mount_quote(&self, mount: &CacheMount) -> Option<Quote> {
        Some(place::quote(self.dockerfile()?.source(), mount.span))
    }

    /// Quotes the first line of a `RUN`.
    pub(super) fn run_quote(&self, run: &LintRun) -> Option<Quote> {
        Some(place::quote(self.dockerfile()?.source(), run.span))
    }

    /// Names the Dockerfile, for facts.
    pub(super) fn name(&self) -> Arc<str> {
        self.dockerfile().map_or("Dockerfile", |file| &file.source().name).into()
    }
}

impl LintRun {
    /// Tells whether it says `go build`, or `go install` of something in the source.
    pub(super) fn compiles(&self) -> bool {
        let words: Vec<&str> = words(&self.command);
        words.windows(2).enumerate().any(|(at, pair)| match pair {
            ["go", "build"] => true,
            ["go", "install"] => {
                let rest = words[at + 2..].iter().take_while(|word| !matches!(**word, "&&" | ";" | "||"));
                !rest.clone().any(|word| word.contains('@')) && rest.clone().next().is_some()
            }
            _ => false,
        })
    }

    /// Tells whether it fetches modules.
    pub(super) fn downloads(&self) -> bool {
        words(&self.command).windows(3).any(|three| three == ["go", "mod", "download"])
    }
}

/// The words of a command, path and assignments taken off, separators as words of their own.
fn words(command: &str) -> Vec<&str> {
    let blank = |char: char| char.is_whitespace() || "()\"'`{}[],".contains(char);
    command
        .split(blank)
        .flat_map(|word| {
            let body = word.trim_end_matches(';');
            let end = (body.len() < word.len()).then_some(";");
            let name = if body.ends_with("/go") { "go" } else { body };
            [Some(name), end].into_iter().flatten()
        })
        .filter(|word| !word.is_empty())
        .collect()
}

/// Returns the build context and the path of the Dockerfile, both relative to the repository.
fn places(values: &PlanValues<'_>, step: &PlannedStep) -> Option<(String, String)> {
    let checkouts = values.plan.steps[..step.index].iter().filter(|step| step.action == Action::Checkout);
    let mut root = String::new();
    for checkout in checkouts {
        if checkout.input("repository").is_some() {
            return None;
        }
        if let Some(path) = values.input(checkout, "path") {
            root = path.known.then(|| path.text.trim().to_owned())?;
        }
    }
    let given = |name: &str| match values.input(step, name) {
        Some(value) if value.known => Some(Some(value.text.trim().to_owned())),
        Some(_) => None,
        None => Some(None),
    };
    let (context, file) = (given("context")?, given("file")?);
    let in_workspace = |path: &str| {
        let path = path.strip_prefix(WORKSPACE).map_or(path, |rest| rest.trim_start_matches('/'));
        let path = path_in_repository("", path)?;
        let root = root.trim_start_matches("./").trim_end_matches('/');
        if root.is_empty() || root == "." {
            return Some(path);
        }
        path.strip_prefix(root).map(|rest| rest.trim_start_matches('/').to_owned())
    };
    let context = match context.as_deref() {
        // Without a path the action builds from the commit itself.
        None => {
            let file = file.unwrap_or_else(|| "Dockerfile".to_owned());
            return Some((String::new(), path_in_repository("", &file)?));
        }
        Some(git) if git.starts_with("{{") => {
            let sub = git.split_once(':').map_or("", |(_, sub)| sub).to_owned();
            let path = path_in_repository(&sub, &file.unwrap_or_else(|| "Dockerfile".to_owned()))?;
            return Some((sub, path));
        }
        Some(url) if url.contains("://") || url.starts_with("git@") => return None,
        Some(path) => in_workspace(path)?,
    };
    let path = match file {
        Some(file) => in_workspace(&file)?,
        None => path_in_repository(&context, "Dockerfile")?,
    };
    Some((context, path))
}

/// Returns the build arguments that are known.
fn arguments(values: &PlanValues<'_>, step: &PlannedStep, arm64: bool) -> BTreeMap<String, String> {
    let platforms = values.input(step, "platforms");
    let native = platforms.is_none_or(|given| given.known && given.text.trim() == "linux/amd64");
    let mut args = if native && !arm64 { platform_args("linux/amd64") } else { BTreeMap::new() };
    if let Some(given) = values.input(step, "build-args") {
        for line in given.text.lines() {
            if let Some((name, value)) = line.trim().split_once('=') {
                args.insert(name.to_owned(), value.to_owned());
            }
        }
    }
    args
}

/// Tells which stages a build of a target takes part in.
fn built_stages(file: &Dockerfile, args: &BTreeMap<String, String>, target: Option<&Resolved>) -> Vec<bool> {
    let count = file.stages.len();
    let Ok(stages) = file.steps(args) else { return vec![true; count] };
    let find = |name: &str, before: usize| {
        let name = name.to_ascii_lowercase();
        let named = file.stages[..before].iter().rposition(|stage| stage.name.as_deref() == Some(name.as_str()));
        named.or_else(|| name.parse::<usize>().ok().filter(|index| *index < before))
    };
    let from = match target {
        Some(target) if !target.known => return vec![true; count],
        Some(target) => find(target.text.trim(), count),
        None => count.checked_sub(1),
    };
    let Some(from) = from else { return vec![true; count] };
    let mut built = vec![false; count];
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if std::mem::replace(&mut built[at], true) {
            continue;
        }
        open.extend(stages[at].base);
        for step in &stages[at].steps {
            let copies = step.words.iter().filter_map(|word| word.strip_prefix("--from="));
            open.extend(copies.filter_map(|name| find(name, at)));
        }
        for flag in file.stages[at].runs.iter().flat_map(|run| &run.flags) {
            let names = flag.value.split(',').filter_map(|option| option.strip_prefix("from="));
            open.extend(names.filter_map(|name| find(name, at)));
            if flag.value.contains("from=") && flag.value.contains('$') {
                return vec![true; count];
            }
        }
    }
    built
}

fn runs(file: &Dockerfile, args: &BTreeMap<String, String>, built: &[bool], mounts: &[CacheMount]) -> Vec<LintRun> {
    let Ok(steps) = file.steps(args) else { return Vec::new() };
    let mut found = Vec::new();
    let mut users: Vec<Option<String>> = Vec::new();
    for (stage, own) in file.stages.iter().zip(&steps) {
        let mut user = own.base.and_then(|base| users.get(base).cloned().flatten());
        for step in &own.steps {
            if step.keyword == "USER" {
                user = step.words.first().cloned();
            }
            let run = step.run.and_then(|index| stage.runs.get(index));
            if let Some(run) = run.filter(|_| built.get(stage.index).copied().unwrap_or(true)) {
                found.push(one(file, stage.index, run, step, mounts, user.clone()));
            }
        }
        users.push(user);
    }
    found
}

fn one(
    file: &Dockerfile,
    stage: usize,
    run: &RunInstruction,
    step: &StageStep,
    mounts: &[CacheMount],
    user: Option<String>,
) -> LintRun {
    let own: Vec<MountSpec> =
        mounts.iter().filter(|mount| mount.stage == stage && mount.run == run.index).map(MountSpec::from).collect();
    let flag = |mount: &MountSpec| {
        let id = mount.id.as_ref().map(|id| format!(",id={id}")).unwrap_or_default();
        let owner = if mount.owner.is_empty() { String::new() } else { format!(",{}", mount.owner) };
        format!("--mount=type=cache,target={}{id}{owner} ", mount.target)
    };
    let flags: String = own.iter().map(flag).collect();
    let name = file.stages[stage].name.clone().unwrap_or_else(|| format!("stage-{stage}"));
    let command = run.text();
    LintRun {
        stage,
        vertex: format!("[{name} {}/{}] RUN {flags}{command}", run.index + 1, file.stages[stage].runs.len()),
        command,
        mounts: own,
        variables: step.variables.clone(),
        user,
        span: run.span,
    }
}

/// Tells whether a directory of the repository brings its modules along.
pub(super) fn vendors(files: &dyn LintFiles, context: Option<&str>) -> bool {
    let Some(list) = files.list() else { return true };
    let root = context.unwrap_or_default();
    list.iter().any(|file| file.starts_with(root) && file.ends_with("vendor/modules.txt"))
}

/// Tells whether a text holds nothing that is not known.
pub(super) fn is_known(text: &str) -> bool {
    !text.contains(UNKNOWN)
}
