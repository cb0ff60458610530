//! A main step of a plan; [`PlannedStep`] is principal.

use std::sync::Arc;

use super::action::{Action, first_line};
use super::docker_cli::{self, BuildCommand};
use super::given::Given;
use crate::dance::{Behaviour, DanceCode};
use crate::shell::{Script, ShellError};
use crate::source::{Source, Span, Spanned};
use crate::workflow::expr::{Condition, Contexts, ExprError, HashFilesError, JobStatus, Template, Unresolved, Value};
use crate::workflow::{ActionRef, Step, StepAction, WorkflowVariables};

/// Names with their templates, in the order written.
pub type Templates = Vec<(String, Template)>;

/// A main step, ready to be evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedStep {
    /// Its place in the job, from 0; the same as in the plan.
    pub index: usize,
    /// Its `id`, if any.
    pub id: Option<String>,
    /// The name GitHub shows: its `name` as written, or `Run …`.
    pub display_name: String,
    /// What it does.
    pub action: Action,
    /// The action it uses; `None` for a script.
    pub uses: Option<ActionRef>,
    /// Its inputs as given; defaults are not filled in.
    pub with: Templates,
    /// Its own variables.
    pub env: Templates,
    /// When it runs.
    pub condition: Condition,
    /// Its working directory, if any.
    pub working_directory: Option<Template>,
    /// Its `continue-on-error`, if any: the text `true` once evaluated means yes.
    pub continue_on_error: Option<Template>,
    /// The script of a `run` step, before its expressions are evaluated.
    pub script: Option<RunScript>,
    /// How the dance of a dance step behaves.
    pub behaviour: Option<Behaviour>,
    /// Where its expressions stand: an index into the plan's scopes.
    pub scope: usize,
    /// Why the caches may depend on the step although it is not run; `None` where they do not, or where it is run.
    pub doubt: Option<String>,
    /// The file it stands in.
    pub source: Arc<Source>,
    /// The place of the whole step in it.
    pub span: Span,
}

/// A script of a `run` step.
#[derive(Debug, Clone, PartialEq)]
pub struct RunScript {
    /// The script.
    pub text: Template,
    /// The shell that is asked for, if any.
    pub shell: Option<String>,
}

/// An expression of a script that cannot be evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct UnknownText {
    /// The expression as written.
    pub name: String,
    /// Why.
    pub error: ExprError,
}

impl RunScript {
    /// Evaluates the script; what is not known of it is marked for [`Self::builds`].
    pub fn marked(&self, contexts: &dyn Contexts) -> (String, Vec<UnknownText>) {
        let (text, unknown) = self.text.evaluate_marking(contexts);
        (text, unknown.into_iter().map(|(name, error)| UnknownText { name, error }).collect())
    }

    /// Reads the builds that an evaluated script starts. `variable` gives the variables that it finds.
    ///
    /// # Errors
    /// What is not understood.
    pub fn builds(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Vec<BuildCommand>, ShellError> {
        docker_cli::builds(&Script::read(text, variable)?)
    }

    /// Tells whether a POSIX shell reads it, as far as anybody says.
    fn is_posix(&self) -> bool {
        let program = self.shell.as_deref().and_then(|shell| shell.split_whitespace().next());
        matches!(program, None | Some("bash" | "sh" | "dash"))
    }

    /// Tells whether the script starts builds, all of which are understood.
    pub(super) fn starts_builds(&self) -> Result<bool, ShellError> {
        if !self.is_posix() {
            return Ok(false);
        }
        let (text, _) = self.marked(&NothingKnown);
        Self::builds(&text, &|_| None).map(|builds| !builds.is_empty())
    }
}

/// Contexts in which nothing is known.
struct NothingKnown;

impl Contexts for NothingKnown {
    fn lookup(&self, _: &[String]) -> Value {
        Value::Null
    }

    fn resolve(&self, path: &[String]) -> Result<Value, Unresolved> {
        Err(Unresolved::new(path.join("."), "is not known yet"))
    }

    fn hash_files(&self, _: &[String]) -> Result<String, HashFilesError> {
        Err(HashFilesError { message: "the files are not known yet".to_owned() })
    }

    fn status(&self) -> JobStatus {
        JobStatus::Success
    }
}

impl PlannedStep {
    pub(super) fn new(step: &Step, file: &Arc<Source>, scope: usize, given: &Given) -> Result<Self, ExprError> {
        let source = file.text.as_str();
        let optional =
            |text: &Option<Spanned<String>>| text.as_ref().map(|text| Template::parse(text, source)).transpose();
        let condition = step.condition.as_ref().map(|text| Condition::parse(text, source)).transpose()?;
        Ok(Self {
            index: step.index,
            id: step.id.clone(),
            display_name: display_name(step),
            behaviour: Self::behaviour(step, given),
            action: Action::of(step),
            script: match &step.action {
                StepAction::Uses(_) => None,
                StepAction::Run { script } => Some(RunScript {
                    text: Template::parse(script, source)?,
                    shell: step.shell.as_ref().map(|shell| shell.value.clone()),
                }),
            },
            scope,
            doubt: None,
            source: Arc::clone(file),
            uses: match &step.action {
                StepAction::Uses(action) => Some(action.clone()),
                StepAction::Run { .. } => None,
            },
            with: templates(&step.with, source)?,
            env: templates(&step.env, source)?,
            condition: condition.unwrap_or_else(Condition::success),
            working_directory: optional(&step.working_directory)?,
            continue_on_error: optional(&step.continue_on_error)?,
            span: step.span,
        })
    }

    /// Finds out how a dance behaves: as its own code, or as what a person says that it is.
    fn behaviour(step: &Step, given: &Given) -> Option<Behaviour> {
        let StepAction::Uses(action) = &step.action else { return None };
        if !matches!(Action::of(step), Action::Dance(_)) {
            return None;
        }
        let code = DanceCode::of_action(action);
        Some(Behaviour::of(match given.dance_as {
            Some(said) if !code.known => DanceCode { known: true, ..said },
            _ => code,
        }))
    }

    /// Says where the step stands, as `file:line`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.source.name, self.source.place(self.span.start).line)
    }

    /// Returns an input by its name, without regard to case.
    pub fn input(&self, name: &str) -> Option<&Template> {
        self.with.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, template)| template)
    }
}

/// Parses variables into templates.
pub(super) fn templates(variables: &WorkflowVariables, source: &str) -> Result<Templates, ExprError> {
    variables.iter().map(|(name, text)| Ok((name.to_owned(), Template::parse(text, source)?))).collect()
}

fn display_name(step: &Step) -> String {
    if let Some(name) = step.name.as_ref().filter(|name| !name.value.trim().is_empty()) {
        return name.value.trim().to_owned();
    }
    match &step.action {
        StepAction::Uses(action) => format!("Run {}", action.text),
        StepAction::Run { script } => format!("Run {}", first_line(&script.value)),
    }
}
