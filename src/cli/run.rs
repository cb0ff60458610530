//! `run`: from the arguments to an experiment, its verdict and its evidence.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::args::{self, Judging};
use super::exit::Exit;
use super::live::Live;
use super::present::Presented;
use super::problem::Problem;
use super::say;
use crate::catalogue;
use crate::dockerfile::Dockerfile;
use crate::engine::{Cleaned, Docker, Engine as _};
use crate::evidence::Evidence;
use crate::plan::Trigger;
use crate::runner::{self, Clock, Experiment, Ledger, Outcome, PlannedRun, Progress, Project, RunError, archive};
use crate::scenario::sample::Variant;
use crate::scenario::{self, EditName, GoRelease, Happening, Limits, SampleName, Scenario};
use crate::source::Source;
use crate::verify::{self, Case, CaseSource, Profile, Thresholds, Verdict};
use crate::workflow::Workflow;

/// What a workflow is called that was derived from a Dockerfile.
const DERIVED: &str = "derived workflow.yml";

/// What the arguments come down to.
struct Subject {
    /// What is run, in words.
    title: String,
    workflow: Source,
    project: Project,
    runs: Vec<PlannedRun>,
    profile: Profile,
    thresholds: Thresholds,
    scenario: Option<Scenario>,
}

/// Runs `run`.
pub(super) fn run(args: args::Run) -> Result<Exit, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Problem::from_error(&error))?;
    let result = runtime.block_on(experiment(args));
    // A blocking read that was abandoned must not hold the exit up.
    runtime.shutdown_background();
    result
}

async fn experiment(args: args::Run) -> Result<Exit, Problem> {
    let subject = subject(&args)?;
    for run in &subject.runs {
        check_dockerfile(&run.dockerfile)?;
    }
    let engine = super::doctor::connect().await?;

    let evidence = Folder::evidence(args.out.as_deref())?;
    let scratch = Folder::scratch()?;
    let session = session(0);
    let experiment = Experiment {
        runs: subject.runs.clone(),
        project: subject.project.clone(),
        control: args.control,
        go_image: super::go_image(args.go_image.as_deref()),
        evidence: evidence.path.clone(),
        scratch: scratch.path.clone(),
        session,
        clock: Clock::new(SystemTime::now),
    };
    say(&format!("{} on {} fresh runners, engine {}", subject.title, subject.runs.len(), engine.address()));
    tell_not_reproduced(&subject);
    let ledger = Ledger::default();
    let mut live = Live::new();
    let ran = {
        let mut watch = |progress| live.show(&progress);
        tokio::select! {
            ran = runner::run(&engine, &experiment, &ledger, &mut watch) => ran.map_err(Stop::Failed),
            signal = interrupted() => Err(Stop::Signal(signal)),
        }
    };
    live.show(&Progress::CleaningUp);
    let began = SystemTime::now();
    let (cleaned, removed) = clear_away(&engine, &ledger, scratch).await;
    // What was in use a moment ago.
    let cleaned = match engine.clean(&[]).await {
        Ok(_) => cleaned,
        Err(error) => cleaned.and(Err(error.into())),
    };
    live.finish();
    let mut outcome = match ran {
        Ok(outcome) => outcome,
        Err(stop) => {
            let kept = evidence.keep();
            tell_leftovers(cleaned.as_ref().err(), removed.as_ref().err());
            say(&format!("evidence so far: {}", kept.display()));
            return Err(stop.problem());
        }
    };
    outcome.timing.wall += began.elapsed().unwrap_or_default();
    tell_leftovers(cleaned.as_ref().err(), removed.as_ref().err());
    refuse_warm_control(&outcome)?;
    conclude(&args, &subject, &outcome, evidence)
}

/// Names, once each, what of the workflows takes no effect here.
fn tell_not_reproduced(subject: &Subject) {
    let mut told = Vec::new();
    for step in subject.runs.iter().flat_map(|run| run.plan.not_reproduced()) {
        if !told.contains(&&step.display_name) {
            say(&format!("note: step `{}` is not reproduced; it does nothing here", step.display_name));
            told.push(&step.display_name);
        }
    }
    if subject.scenario.is_none() && Workflow::parse(&subject.workflow).is_ok_and(|workflow| workflow.filters_events) {
        say("note: the filters under `on:` are not evaluated; every run here is a push to main");
    }
}

/// Judges the runs, prints the report and decides the exit code.
fn conclude(args: &args::Run, subject: &Subject, outcome: &Outcome, evidence: Folder) -> Result<Exit, Problem> {
    let runs = outcome.runs.iter().map(|run| Evidence::fold(run.name.clone(), &run.events)).collect();
    let case = Case { runs, source: CaseSource::Live, thresholds: subject.thresholds, profile: subject.profile };
    let report = verify::verify(&case);
    let repeat = repeat(args, subject);
    let scenario = subject.scenario.as_ref().map(|scenario| scenario.name.as_str());
    let mut presented = Presented {
        command: "run",
        subject: &subject.title,
        scenario,
        profile: subject.profile,
        thresholds: &subject.thresholds,
        timing: Some(outcome.timing),
        evidence: None,
        repeat: Some(&repeat),
    };
    let files = [("report.json", presented.json(&report)), ("workflow.yml", subject.workflow.text.clone())];
    for (name, text) in files {
        let path = evidence.path.join(name);
        fs::write(&path, text)
            .map_err(|error| Problem::stopped(format!("cannot write {}: {error}", path.display())))?;
    }
    tell_failed_build(&case);
    let keep = args.keep || args.out.is_some() || report.verdict != Verdict::Effective;
    let place = if keep { Some(evidence.keep().display().to_string()) } else { None };
    presented.evidence = place.as_deref();
    presented.print(&report, args.format);
    Ok(report.verdict.into())
}

/// Says what a build that failed said, since no verdict explains that.
fn tell_failed_build(case: &Case) {
    for run in &case.runs {
        for ended in run.builds.iter().filter_map(|build| build.ended.as_ref()) {
            if let Some(error) = &ended.value {
                let place = ended.quote.line.map_or(String::new(), |line| format!(" ({}:{line})", ended.quote.source));
                say(&format!("{}: the build failed{place}: {error}", run.name));
            }
        }
    }
}

/// Works out what is to be run.
fn subject(args: &args::Run) -> Result<Subject, Problem> {
    if let Some(dir) = &args.project {
        return own_project(args, dir);
    }
    let name = args.scenario.as_deref().unwrap_or("healthy");
    let scenario = scenario::find(name).map_err(|error| Problem::usage(error.to_string()).hint(error.hint()))?;
    let scenario = if args.fixed { without_its_fault(&scenario)? } else { scenario };
    let variant = match args.sample {
        Some(args::Sample::Full) => Variant::Full,
        Some(args::Sample::Small) => Variant::Small,
        None => scenario.about.sample.into(),
    };
    let limits = match variant {
        Variant::Small if scenario.about.sample == SampleName::Full => Limits::small(),
        _ => scenario.about.thresholds.clone(),
    };
    let title = match (&args.workflow, args.fixed) {
        (Some(path), _) => format!("{} on the bundled sample", path.display()),
        (None, true) => format!("scenario {name} without its fault"),
        (None, false) => format!("scenario {name}"),
    };
    let mut scenario = scenario;
    if let Some(path) = &args.workflow {
        scenario.workflow = read(path)?;
    }
    let runs = history(args, &scenario)?;
    Ok(Subject {
        title,
        workflow: scenario.workflow.clone(),
        project: Project::Sample(variant),
        runs,
        profile: profile(&args.judging, Profile::Checklist),
        thresholds: thresholds(&args.judging, &limits),
        scenario: args.workflow.is_none().then_some(scenario),
    })
}

/// Applies a scenario's fix.
fn without_its_fault(scenario: &Scenario) -> Result<Scenario, Problem> {
    let fixed = scenario.fixed().map_err(|error| Problem::from_error(&error).hint(error.hint()))?;
    fixed.ok_or_else(|| {
        Problem::usage(format!("scenario `{}` has no fix.diff", scenario.name))
            .hint(Some("its runs end well by themselves: run it without --fixed".to_owned()))
    })
}

/// Plans the runs: what happens in a scenario, or with a workflow from outside as many pushes.
fn history(args: &args::Run, scenario: &Scenario) -> Result<Vec<PlannedRun>, Problem> {
    let mut scenario = scenario.clone();
    if !scenario.about.run.is_empty() && (args.runs.is_some() || args.edit.is_some()) {
        let problem = format!("scenario `{}` lists its runs; --runs and --edit cannot change them", scenario.name);
        return Err(Problem::usage(problem).hint(Some("leave the two flags out".to_owned())));
    }
    scenario.about.runs = args.runs.unwrap_or(scenario.about.runs);
    scenario.about.edit = args.edit.map_or(scenario.about.edit, Into::into);
    let history = match &args.workflow {
        Some(_) => pushes(&scenario.workflow, &scenario.dockerfile, scenario.about.runs, scenario.about.edit),
        None => scenario.history().map_err(|error| Problem::from_error(&error).hint(error.hint()))?,
    };
    planned(&history, args.job.as_deref())
}

/// Lists pushes to the default branch, each with a commit of its own.
fn pushes(workflow: &Source, dockerfile: &Source, runs: u32, edit: EditName) -> Vec<Happening> {
    let push = |number: u32| Happening {
        trigger: Trigger::default(),
        days: 0,
        edits: vec![edit; number as usize - 1],
        commit: number,
        damage: None,
        go: GoRelease::Current,
        workflow: workflow.clone(),
        dockerfile: dockerfile.clone(),
        expect: None,
    };
    (1..=runs).map(push).collect()
}

fn planned(history: &[Happening], job: Option<&str>) -> Result<Vec<PlannedRun>, Problem> {
    let runs = history.iter().map(|happening| PlannedRun::new(happening, job));
    runs.collect::<Result<_, _>>().map_err(|error| Problem::from_error(&error).hint(error.hint()))
}

/// A person's own project.
fn own_project(args: &args::Run, dir: &Path) -> Result<Subject, Problem> {
    if !dir.is_dir() {
        return Err(Problem::stopped(format!("project {} is not a directory", dir.display()))
            .hint(Some("name the directory that holds the project's go.mod and Dockerfile".to_owned())));
    }
    let path = args.dockerfile.clone().unwrap_or_else(|| dir.join("Dockerfile"));
    if matches!(args.edit, Some(args::Edit::Deps)) {
        // The runner says so too, but only after a whole cold build.
        return Err(Problem::from_error(&RunError::DepsEdit).hint(RunError::DepsEdit.hint()));
    }
    let absent = !path.exists();
    let hint = absent.then(|| "name the Dockerfile with --dockerfile".to_owned());
    let dockerfile = read(&path).map_err(|problem| problem.hint(hint))?;
    let inside = path.canonicalize().ok().zip(dir.canonicalize().ok());
    let inside = inside.and_then(|(path, dir)| path.strip_prefix(dir).ok().map(Path::to_owned));
    let Some(inside) = inside else {
        return Err(Problem::usage(format!("{} is not inside the project {}", path.display(), dir.display()))
            .hint(Some("copy it into the project; the build sees nothing outside of it".to_owned())));
    };
    let workflow = match &args.workflow {
        Some(path) => read(path)?,
        None => {
            check_dockerfile(&dockerfile)?;
            let parsed = Dockerfile::parse(&dockerfile);
            let parsed = parsed.map_err(|error| Problem::from_error(&error).hint(error.hint()))?;
            let text = scenario::healthy_workflow(&parsed, &inside.to_string_lossy());
            Source::new(DERIVED, text.map_err(|error| Problem::from_error(&error).hint(error.hint()))?)
        }
    };
    let edit = args.edit.map_or(EditName::Source, Into::into);
    let history = pushes(&workflow, &dockerfile, args.runs.unwrap_or(2), edit);
    Ok(Subject {
        title: format!("project {}", dir.display()),
        workflow,
        project: Project::Directory(dir.to_owned()),
        runs: planned(&history, args.job.as_deref())?,
        profile: profile(&args.judging, Profile::Auto),
        thresholds: thresholds(&args.judging, &Limits::default()),
        scenario: None,
    })
}

/// Fails early, before anything is built, when there is nothing to carry.
fn check_dockerfile(source: &Source) -> Result<(), Problem> {
    let parsed = Dockerfile::parse(source).map_err(|error| Problem::from_error(&error).hint(error.hint()))?;
    let mounts = parsed.cache_mounts(&std::collections::BTreeMap::new());
    let mounts = mounts.map_err(|error| Problem::from_error(&error).hint(error.hint()))?;
    if mounts.is_empty() {
        let error = RunError::NoCacheMount { name: source.name.clone() };
        return Err(Problem::from_error(&error).hint(error.hint()));
    }
    Ok(())
}

/// Decides by which numbers to judge.
pub(super) fn profile(judging: &Judging, usual: Profile) -> Profile {
    match judging.profile {
        Some(args::Profile::Checklist) => Profile::Checklist,
        Some(args::Profile::Auto) => Profile::Auto,
        None => usual,
    }
}

/// Puts the flags over the scenario's limits over the checklist's.
pub(super) fn thresholds(judging: &Judging, limits: &Limits) -> Thresholds {
    let usual = catalogue::thresholds(limits);
    Thresholds {
        min_restore: judging.min_restore.unwrap_or(usual.min_restore),
        min_mod: judging.min_mod.unwrap_or(usual.min_mod),
        min_build: judging.min_build.unwrap_or(usual.min_build),
        max_build_time: judging.max_build_time.unwrap_or(usual.max_build_time),
        max_build_ratio: judging.max_build_ratio.unwrap_or(usual.max_build_ratio),
        max_downloads: judging.max_downloads.unwrap_or(usual.max_downloads),
        ..usual
    }
}

/// Reads a text file.
pub(super) fn read(path: &Path) -> Result<Source, Problem> {
    match fs::read(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Source::new(path.display().to_string(), text)),
            Err(_) => Err(Problem::stopped(format!("{} is not UTF-8 text", path.display()))),
        },
        Err(error) => Err(Problem::stopped(format!("cannot read {}: {error}", path.display()))),
    }
}

/// The control arm must be cold: a warm one means that mounts leak between runners, and no number can be trusted.
fn refuse_warm_control(outcome: &Outcome) -> Result<(), Problem> {
    const COLD: u64 = 1 << 20;
    let Some(control) = &outcome.control else { return Ok(()) };
    let evidence = Evidence::fold(control.name.clone(), &control.events);
    let sizes: Vec<_> = evidence.builds.iter().flat_map(|build| &build.sizes).collect();
    let warm = sizes.iter().find_map(|sizes| {
        let before = sizes.before.as_ref()?;
        (before.value > COLD).then(|| format!("{} held {} bytes before the build", sizes.target, before.value))
    });
    match warm {
        Some(what) => Err(Problem::stopped(format!("the control run without the dance was warm: {what}")).hint(Some(
            "mounts leak between runners on this engine, so no verdict here can be trusted; please report it"
                .to_owned(),
        ))),
        None if sizes.iter().all(|sizes| sizes.before.is_none()) => {
            Err(Problem::stopped("the control run printed no sizes before its build, so it proves nothing"))
        }
        None => {
            say("control: without the dance every mount was empty before the build, as it must be");
            Ok(())
        }
    }
}

/// The command that repeats the run.
fn repeat(args: &args::Run, subject: &Subject) -> String {
    let mut words = vec!["verify-buildkit-cache".to_owned(), "run".to_owned()];
    let mut flag = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            words.push(format!("--{name}"));
            words.push(if value.contains(' ') { format!("'{value}'") } else { value });
        }
    };
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    flag("scenario", subject.scenario.as_ref().map(|scenario| scenario.name.clone()));
    flag("project", path(&args.project));
    flag("dockerfile", path(&args.dockerfile));
    flag("workflow", path(&args.workflow));
    flag("job", args.job.clone());
    flag("sample", args.sample.map(|sample| format!("{sample:?}").to_lowercase()));
    flag("runs", args.runs.map(|runs| runs.to_string()));
    flag("edit", args.edit.map(|edit| format!("{edit:?}").to_lowercase()));
    flag("go-image", super::go_image(args.go_image.as_deref()));
    if args.fixed {
        words.push("--fixed".to_owned());
    }
    words.join(" ")
}

/// Why the runs ended before their end.
enum Stop {
    Failed(RunError),
    Signal(&'static str),
}

impl Stop {
    fn problem(&self) -> Problem {
        match self {
            Self::Failed(error) => Problem::from_error(error).hint(error.hint()),
            Self::Signal(name) => Problem::stopped(format!("stopped by {name}; what was made has been removed")),
        }
    }
}

/// Waits for a signal that ends the program.
pub(super) async fn interrupted() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => "Ctrl-C",
        _ = terminate.recv() => "SIGTERM",
    }
}

/// Removes what an experiment made on the engine and, meanwhile, the directories of its runners.
pub(super) async fn clear_away(
    engine: &Engine,
    ledger: &Ledger,
    scratch: Folder,
) -> (Result<Cleaned, RunError>, Result<(), RunError>) {
    let removing = tokio::task::spawn_blocking(move || scratch.remove());
    let cleaned = ledger.clean(engine).await;
    let removed = match removing.await {
        Ok(removed) => removed.map_err(RunError::from),
        Err(error) => Err(RunError::Worker { reason: error.to_string() }),
    };
    (cleaned, removed)
}

/// Says what clean-up could not remove; it never hides what happened before.
fn tell_leftovers(engine: Option<&RunError>, scratch: Option<&RunError>) {
    if let Some(error) = engine {
        say(&format!("warning: not everything could be removed from the engine: {error}"));
    }
    if let Some(error) = scratch {
        say(&format!("warning: not all temporary files could be removed: {error}"));
    }
}

/// A word that no other run on the engine uses, nor any other of so many runs of this process.
pub(super) fn session(number: usize) -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("{:x}{:03x}{:05x}", since.as_millis(), number & 0xfff, std::process::id() & 0xf_ffff)
}

/// A folder of ours, removed unless kept.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    temporary: Option<tempfile::TempDir>,
}

impl Folder {
    pub(super) fn evidence(out: Option<&Path>) -> Result<Self, Problem> {
        let Some(path) = out else { return Self::temporary("verify-buildkit-cache-evidence-") };
        let occupied = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
        if occupied {
            return Err(Problem::usage(format!("{} is not empty", path.display()))
                .hint(Some("name a new or empty directory with --out".to_owned())));
        }
        fs::create_dir_all(path)
            .map_err(|error| Problem::stopped(format!("cannot make {}: {error}", path.display())))?;
        Ok(Self { path: path.to_owned(), temporary: None })
    }

    pub(super) fn scratch() -> Result<Self, Problem> {
        Self::temporary("verify-buildkit-cache-runners-")
    }

    fn temporary(prefix: &str) -> Result<Self, Problem> {
        let dir = tempfile::Builder::new().prefix(prefix).tempdir();
        let dir = dir.map_err(|error| Problem::stopped(format!("cannot make a temporary directory: {error}")))?;
        Ok(Self { path: dir.path().to_owned(), temporary: Some(dir) })
    }

    pub(super) fn keep(self) -> PathBuf {
        if let Some(dir) = self.temporary {
            return dir.keep();
        }
        self.path
    }

    pub(super) fn remove(self) -> Result<(), archive::ArchiveError> {
        let removed = archive::remove_tree(&self.path);
        drop(self.temporary);
        removed
    }
}

impl From<args::Edit> for EditName {
    fn from(edit: args::Edit) -> Self {
        match edit {
            args::Edit::None => Self::None,
            args::Edit::Source => Self::Source,
            args::Edit::Deps => Self::Deps,
        }
    }
}

/// Keeps the engine's type in one place of this storey.
pub(super) type Engine = Docker;
