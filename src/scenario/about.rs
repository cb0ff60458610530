//! What `scenario.toml` says. [`About`] is principal.

use serde::Deserialize;

use super::sample::{SourceChange, Variant};

/// What a scenario is about, and what the verifier must say of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The part of the catalogue it belongs to.
    pub group: Group,
    /// One line.
    pub title: String,
    /// What a person sees.
    pub sees: String,
    /// Why it is so.
    pub cause: String,
    /// What to do.
    pub fix: String,
    /// How many runs it takes to show, where `[[run]]` does not list them.
    #[serde(default = "two")]
    pub runs: u32,
    /// The commit between runs.
    #[serde(default)]
    pub edit: EditName,
    /// Which size of the sample.
    #[serde(default)]
    pub sample: SampleName,
    /// What the verifier must say.
    pub expect: Expect,
    /// What it must say of the logs alone, where they cannot show the cause.
    pub from_log: Option<Expect>,
    /// What it must say once `fix.diff` is applied: effective without a code, unless the fault hides something else.
    pub fixed: Option<Expect>,
    /// Scenarios that end in the same codes, where one fault has several causes that cannot be told apart.
    #[serde(default)]
    pub same_codes_as: Vec<String>,
    /// Limits that differ from the checklist's, for the small sample.
    #[serde(default)]
    pub thresholds: ScenarioLimits,
    /// What happens from run to run, where two pushes to `main` do not tell the story.
    #[serde(default)]
    pub run: Vec<RunAbout>,
}

/// The parts of the catalogue, after the checks that fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Set-ups that work.
    Healthy,
    /// A: what actions/cache restores and saves.
    Cache,
    /// B: what cache-dance carries.
    Dance,
    /// C: what the build finds and makes of it.
    Build,
    /// Several faults, one behind the other.
    Stacked,
}

impl Group {
    /// Returns the name that `scenario.toml` and documents use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Cache => "cache",
            Self::Dance => "dance",
            Self::Build => "build",
            Self::Stacked => "stacked",
        }
    }

    /// Returns the heading of the group.
    pub fn title(self) -> &'static str {
        match self {
            Self::Healthy => "Set-ups that work",
            Self::Cache => "A: actions/cache restores or saves nothing of use",
            Self::Dance => "B: cache-dance does not carry it",
            Self::Build => "C: the build does not profit",
            Self::Stacked => "Several faults, one behind the other",
        }
    }
}

/// The verdict and the finding codes a scenario must end in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// `effective`, `ineffective` or `inconclusive`.
    pub verdict: String,
    /// The codes of errors and warnings, no more and no fewer.
    #[serde(default)]
    pub codes: Vec<String>,
}

impl Expect {
    /// Returns what a set-up without a fault ends in.
    pub fn effective() -> Self {
        Self { verdict: "effective".to_owned(), codes: Vec::new() }
    }
}

/// One event that may start a run. It starts none when the workflow does not listen to it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RunAbout {
    /// The event, as in a workflow's `on`.
    #[serde(default = "push")]
    pub on: String,
    /// The branch pushed to.
    pub branch: Option<String>,
    /// The number of the pull request, which is based on `main`.
    pub pull_request: Option<u32>,
    /// Days that have passed since the event before.
    #[serde(default)]
    pub days: u32,
    /// The commit before this event; the scenario's own where not given.
    pub edit: Option<EditName>,
    /// A unified diff in the scenario's folder that changes its files from this run on.
    pub patch: Option<String>,
    /// Entries whose key begins so are found damaged in the cache service by this run.
    pub damage: Option<String>,
    /// The Go release that a floating tag such as `golang:alpine` stands for at that time.
    #[serde(default)]
    pub go: GoRelease,
    /// What the verifier must say after this run, of the runs so far.
    pub expect: Option<Expect>,
}

/// The Go release of the base image, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GoRelease {
    /// The one the sample is built on.
    #[default]
    Current,
    /// The one before it.
    Previous,
}

/// Limits in the units of the flags; what is not given stays as it is.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScenarioLimits {
    /// MB (2^20 bytes) of the restored archive.
    pub min_restore_mb: Option<u64>,
    /// MB of the module mount before the build.
    pub min_mod_mb: Option<u64>,
    /// MB of the build cache mount before the build.
    pub min_build_mb: Option<u64>,
    /// Seconds of `go build`.
    pub max_build_seconds: Option<f64>,
}

impl ScenarioLimits {
    /// The limits of a scenario of the full sample when it is run on the small one.
    pub fn small() -> Self {
        Self { min_restore_mb: Some(5), min_mod_mb: Some(5), min_build_mb: Some(10), max_build_seconds: None }
    }
}

/// The edit between runs, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EditName {
    /// Nothing changes.
    None,
    /// One line of source changes.
    #[default]
    Source,
    /// A dependency changes.
    Deps,
}

/// The size of the sample, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SampleName {
    /// The one that meets the checklist's numbers.
    Full,
    /// The one that keeps tests and the catalogue fast.
    #[default]
    Small,
}

impl From<EditName> for SourceChange {
    fn from(name: EditName) -> Self {
        match name {
            EditName::None => Self::None,
            EditName::Source => Self::Source,
            EditName::Deps => Self::Deps,
        }
    }
}

impl From<SampleName> for Variant {
    fn from(name: SampleName) -> Self {
        match name {
            SampleName::Full => Self::Full,
            SampleName::Small => Self::Small,
        }
    }
}

fn two() -> u32 {
    2
}

fn push() -> String {
    "push".to_owned()
}

impl Default for RunAbout {
    fn default() -> Self {
        Self {
            on: push(),
            branch: None,
            pull_request: None,
            days: 0,
            edit: None,
            patch: None,
            damage: None,
            go: GoRelease::Current,
            expect: None,
        }
    }
}
