//! From the arguments to what is run. [`RunSubject`] is principal.

use std::path::{Path, PathBuf};

use super::given::given;
use crate::cli::args;
use crate::cli::judging::{profile, thresholds};
use crate::cli::problem::CliProblem;
use crate::cli::reading::read;
use crate::dockerfile::Dockerfile;
use crate::plan::{self, Trigger};
use crate::runner::{PlannedRun, Project, RepositoryDir, RunError, dockerfile_of};
use crate::scenario::sample::Variant;
use crate::scenario::{self, EditName, GoRelease, SampleName, Scenario, ScenarioLimits, TriggerEvent};
use crate::source::Source;
use crate::verify::{Note, Profile, Thresholds};
use crate::workflow::Workflow;

/// What a workflow is called that was derived from a Dockerfile.
const DERIVED: &str = "derived workflow.yml";

/// What the arguments come down to.
pub(super) struct RunSubject {
    /// What is run, in words.
    pub(super) title: String,
    pub(super) workflow: Source,
    pub(super) project: Project,
    pub(super) runs: Vec<PlannedRun>,
    pub(super) profile: Profile,
    pub(super) thresholds: Thresholds,
    pub(super) scenario: Option<Scenario>,
}

/// Works out what is to be run, on an engine of a platform such as `linux/amd64`.
pub(super) fn subject(args: &args::RunArgs, platform: &str) -> Result<RunSubject, CliProblem> {
    if let Some(dir) = &args.project {
        return own_project(args, dir, platform);
    }
    let name = args.scenario.as_deref().unwrap_or("healthy");
    let scenario = scenario::find(name).map_err(|error| CliProblem::usage(error.to_string()).hint(error.hint()))?;
    let scenario = if args.fixed { without_its_fault(&scenario)? } else { scenario };
    let variant = match args.sample {
        Some(args::Sample::Full) => Variant::Full,
        Some(args::Sample::Small) => Variant::Small,
        None => scenario.about.sample.into(),
    };
    let limits = match variant {
        Variant::Small if scenario.about.sample == SampleName::Full => ScenarioLimits::small(),
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
    Ok(RunSubject {
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
fn without_its_fault(scenario: &Scenario) -> Result<Scenario, CliProblem> {
    let fixed = scenario.fixed().map_err(|error| CliProblem::from_error(&error).hint(error.hint()))?;
    fixed.ok_or_else(|| {
        CliProblem::usage(format!("scenario `{}` has no fix.diff", scenario.name))
            .hint(Some("its runs end well by themselves: run it without --fixed".to_owned()))
    })
}

/// Plans the runs: what happens in a scenario, or with a workflow from outside as many pushes.
fn history(args: &args::RunArgs, scenario: &Scenario) -> Result<Vec<PlannedRun>, CliProblem> {
    let mut scenario = scenario.clone();
    if !scenario.about.run.is_empty() && (args.runs.is_some() || args.edit.is_some()) {
        let problem = format!("scenario `{}` lists its runs; --runs and --edit cannot change them", scenario.name);
        return Err(CliProblem::usage(problem).hint(Some("leave the two flags out".to_owned())));
    }
    scenario.about.runs = args.runs.unwrap_or(scenario.about.runs);
    scenario.about.edit = args.edit.map_or(scenario.about.edit, Into::into);
    let Some(path) = &args.workflow else {
        let history = scenario.history().map_err(|error| CliProblem::from_error(&error).hint(error.hint()))?;
        return planned(&history, args.job.as_deref());
    };
    let workflow = Workflow::parse(&scenario.workflow);
    let workflow = workflow.map_err(|error| CliProblem::from_error(&error).hint(error.hint()))?;
    let (given, files) = (given(args)?, RepositoryDir(repository_of(path)));
    let all = pushes(&scenario.workflow, &scenario.dockerfile, scenario.about.runs, scenario.about.edit);
    let run = |happening: TriggerEvent| {
        let (event, git_ref) = (args.event.as_deref(), args.r#ref.as_deref());
        let trigger = plan::choose_event(&workflow, event, git_ref, happening.commit);
        let trigger = trigger.map_err(|error| CliProblem::from_error(&error))?;
        let happening = TriggerEvent { trigger, ..happening };
        let run = PlannedRun::with(&happening, args.job.as_deref(), &given, &files);
        run.map_err(|error| CliProblem::from_error(&error).hint(error.hint()))
    };
    all.into_iter().map(run).collect()
}

/// Returns the root of the repository that a workflow lies in: what holds its `.github`, or else its directory.
fn repository_of(workflow: &Path) -> PathBuf {
    let root = workflow.ancestors().find(|dir| dir.file_name().is_some_and(|name| name == ".github"));
    root.and_then(Path::parent).or(workflow.parent()).map_or_else(PathBuf::new, Path::to_owned)
}

/// Lists pushes to the default branch, each with a commit of its own.
fn pushes(workflow: &Source, dockerfile: &Source, runs: u32, edit: EditName) -> Vec<TriggerEvent> {
    let push = |number: u32| TriggerEvent {
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

fn planned(history: &[TriggerEvent], job: Option<&str>) -> Result<Vec<PlannedRun>, CliProblem> {
    let runs = history.iter().map(|happening| PlannedRun::new(happening, job));
    runs.collect::<Result<_, _>>().map_err(|error| CliProblem::from_error(&error).hint(error.hint()))
}

/// A person's own project.
fn own_project(args: &args::RunArgs, dir: &Path, platform: &str) -> Result<RunSubject, CliProblem> {
    if !dir.is_dir() {
        return Err(CliProblem::stopped(format!("project {} is not a directory", dir.display()))
            .hint(Some("name the directory that holds the project's go.mod and Dockerfile".to_owned())));
    }
    if matches!(args.edit, Some(args::EditArg::Deps)) {
        // The runner says so too, but only after a whole cold build.
        return Err(CliProblem::from_error(&RunError::DepsEdit).hint(RunError::DepsEdit.hint()));
    }
    let edit = args.edit.map_or(EditName::Source, Into::into);
    let runs = args.runs.unwrap_or(2);
    let (workflow, runs) = match &args.workflow {
        Some(path) => own_workflow(args, dir, read(path)?, runs, edit)?,
        None => {
            let (dockerfile, inside) = own_dockerfile(args, dir)?;
            check_dockerfile(&dockerfile)?;
            let parsed = Dockerfile::parse(&dockerfile);
            let parsed = parsed.map_err(|error| CliProblem::from_error(&error).hint(error.hint()))?;
            let text = scenario::healthy_workflow(&parsed, &inside.to_string_lossy(), platform);
            let workflow =
                Source::new(DERIVED, text.map_err(|error| CliProblem::from_error(&error).hint(error.hint()))?);
            let history = pushes(&workflow, &dockerfile, runs, edit);
            (workflow, planned(&history, args.job.as_deref())?)
        }
    };
    Ok(RunSubject {
        title: match &args.workflow {
            Some(_) => format!("project {}", dir.display()),
            None => format!("project {}, with a workflow of this program's own and not yours", dir.display()),
        },
        workflow,
        project: Project::Directory(dir.to_owned()),
        runs,
        profile: profile(&args.judging, Profile::Auto),
        thresholds: thresholds(&args.judging, &ScenarioLimits::default()),
        scenario: None,
    })
}

/// Reads the project's Dockerfile, the one that was asked for or the usual one, and says where in the project it lies.
fn own_dockerfile(args: &args::RunArgs, dir: &Path) -> Result<(Source, PathBuf), CliProblem> {
    let path = args.dockerfile.clone().unwrap_or_else(|| dir.join("Dockerfile"));
    let absent = !path.exists();
    let hint = absent.then(|| "name the Dockerfile with --dockerfile".to_owned());
    let dockerfile = read(&path).map_err(|problem| problem.hint(hint))?;
    let inside = path.canonicalize().ok().zip(dir.canonicalize().ok());
    let inside = inside.and_then(|(path, dir)| path.strip_prefix(dir).ok().map(Path::to_owned));
    let Some(inside) = inside else {
        return Err(CliProblem::usage(format!("{} is not inside the project {}", path.display(), dir.display()))
            .hint(Some("copy it into the project; the build sees nothing outside of it".to_owned())));
    };
    Ok((dockerfile, inside))
}

/// Plans the runs of a workflow of the project's: as many of the event that was chosen, each with a commit of its own, on the
/// Dockerfile that its job builds.
fn own_workflow(
    args: &args::RunArgs,
    dir: &Path,
    source: Source,
    runs: u32,
    edit: EditName,
) -> Result<(Source, Vec<PlannedRun>), CliProblem> {
    let stopped = |error: &dyn std::error::Error, hint| CliProblem::from_error(error).hint(hint);
    let workflow = Workflow::parse(&source).map_err(|error| stopped(&error, error.hint()))?;
    let (given, files) = (given(args)?, RepositoryDir(dir.to_owned()));
    let mut planned: Vec<PlannedRun> = Vec::new();
    for happening in pushes(&source, &source, runs, edit) {
        let (event, git_ref) = (args.event.as_deref(), args.r#ref.as_deref());
        let trigger = plan::choose_event(&workflow, event, git_ref, happening.commit);
        let trigger = trigger.map_err(|error| stopped(&error, None))?;
        let happening = TriggerEvent { trigger, ..happening };
        let run = PlannedRun::with(&happening, args.job.as_deref(), &given, &files);
        planned.push(run.map_err(|error| stopped(&error, error.hint()))?);
    }
    // What the job builds, where that is known before it runs; else what was asked for, or the usual one.
    let found = planned.first().and_then(|run| dockerfile_of(&run.plan, dir)).filter(|_| args.dockerfile.is_none());
    let dockerfile = match found {
        Some(found) => found,
        None => own_dockerfile(args, dir)?.0,
    };
    for run in &mut planned {
        run.dockerfile = dockerfile.clone();
    }
    Ok((source, planned))
}

/// Says that the verdict is not about a workflow of the person's, where none was run.
pub(super) fn not_your_workflow(subject: &RunSubject) -> Option<Note> {
    let text = "the workflow that was run is this program's own, derived from the Dockerfile: the verdict says nothing of yours. \
                `verify-buildkit-cache init` prints it; --workflow FILE runs yours";
    (subject.workflow.name == DERIVED).then(|| Note { text: text.to_owned(), evidence: Vec::new() })
}

/// Fails early, before anything is built, when there is nothing to carry.
pub(super) fn check_dockerfile(source: &Source) -> Result<(), CliProblem> {
    let parsed = Dockerfile::parse(source).map_err(|error| CliProblem::from_error(&error).hint(error.hint()))?;
    let mounts = parsed.cache_mounts(&std::collections::BTreeMap::new());
    let mounts = mounts.map_err(|error| CliProblem::from_error(&error).hint(error.hint()))?;
    if mounts.is_empty() {
        let error = RunError::NoCacheMount { name: source.name.clone() };
        return Err(CliProblem::from_error(&error).hint(error.hint()));
    }
    Ok(())
}

impl From<args::EditArg> for EditName {
    fn from(edit: args::EditArg) -> Self {
        match edit {
            args::EditArg::None => Self::None,
            args::EditArg::Source => Self::Source,
            args::EditArg::Deps => Self::Deps,
        }
    }
}
