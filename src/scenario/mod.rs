//! The catalogue of scenarios and the bundled sample, as data. [`Scenario`] is principal.
//!
//! A scenario is a folder of `scenarios/`: `scenario.toml` says what a person sees, why, and what the verifier must say;
//! `workflow.yml` is the experiment; a `Dockerfile` is there only where the sample's does not serve. The folders are part
//! of the program, so that an installed one needs no checkout.

mod derive;
pub mod modules;
pub mod sample;

pub use derive::healthy_workflow;

use include_dir::{Dir, include_dir};
use serde::Deserialize;

use sample::{Edit, Variant};

use crate::source::Source;

static CATALOGUE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");

/// One experiment of the catalogue.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The folder's name.
    pub name: String,
    /// What it is about.
    pub about: About,
    /// The workflow.
    pub workflow: Source,
    /// The Dockerfile.
    pub dockerfile: Source,
}

/// What `scenario.toml` says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// One line.
    pub title: String,
    /// What a person sees.
    pub sees: String,
    /// Why it is so.
    pub cause: String,
    /// What to do.
    pub fix: String,
    /// How many runs it takes to show.
    #[serde(default = "two")]
    pub runs: u32,
    /// The edit between runs.
    #[serde(default)]
    pub edit: EditName,
    /// Which size of the sample.
    #[serde(default)]
    pub sample: SampleName,
    /// What the verifier must say.
    pub expect: Expect,
    /// Limits that differ from the checklist's, for the small sample.
    #[serde(default)]
    pub thresholds: Limits,
}

/// The verdict and the finding codes a scenario must end in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// `effective`, `ineffective` or `inconclusive`.
    pub verdict: String,
    /// The codes, no more and no fewer.
    #[serde(default)]
    pub codes: Vec<String>,
}

/// Limits in the units of the flags; what is not given stays as it is.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// MB (2^20 bytes) of the restored archive.
    pub min_restore_mb: Option<u64>,
    /// MB of the module mount before the build.
    pub min_mod_mb: Option<u64>,
    /// MB of the build cache mount before the build.
    pub min_build_mb: Option<u64>,
    /// Seconds of `go build`.
    pub max_build_seconds: Option<f64>,
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

impl From<EditName> for Edit {
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

/// Why a scenario cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// No folder has this name.
    #[error("there is no scenario `{name}`")]
    Unknown {
        /// The name asked for.
        name: String,
        /// Names like it.
        alike: Vec<String>,
    },
    /// A folder is not what it should be.
    #[error("scenarios/{name}/{file}: {reason}")]
    Broken {
        /// The scenario.
        name: String,
        /// The file.
        file: &'static str,
        /// What is wrong.
        reason: String,
    },
}

impl ScenarioError {
    /// Says what a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { alike, .. } if !alike.is_empty() => Some(format!("did you mean {}?", alike.join(" or "))),
            Self::Unknown { .. } => Some("`verify-buildkit-cache scenarios list` names them all".to_owned()),
            Self::Broken { .. } => None,
        }
    }
}

/// Lists the names of the catalogue, in order.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = CATALOGUE.dirs().filter_map(|dir| dir.path().to_str()).map(str::to_owned).collect();
    names.sort();
    names
}

/// Finds a scenario.
///
/// # Errors
/// [`ScenarioError`] naming the scenario and the file.
pub fn find(name: &str) -> Result<Scenario, ScenarioError> {
    if !names().iter().any(|known| known == name) {
        let words: Vec<&str> = name.split(['-', '_', ' ']).filter(|word| word.len() > 2).collect();
        let alike = names().into_iter().filter(|known| words.iter().any(|word| known.contains(word))).take(3);
        return Err(ScenarioError::Unknown { name: name.to_owned(), alike: alike.collect() });
    }
    let text = |file: &'static str| {
        let found = CATALOGUE.get_file(format!("{name}/{file}"));
        found.and_then(|found| found.contents_utf8()).map(str::to_owned)
    };
    let broken = |file, reason: String| ScenarioError::Broken { name: name.to_owned(), file, reason };
    let missing = |file| broken(file, "is missing".to_owned());
    let about = text("scenario.toml").ok_or_else(|| missing("scenario.toml"))?;
    let about = toml::from_str(&about).map_err(|error| broken("scenario.toml", error.to_string()))?;
    let workflow = text("workflow.yml").ok_or_else(|| missing("workflow.yml"))?;
    let dockerfile = text("Dockerfile").unwrap_or_else(|| sample::DOCKERFILE.to_owned());
    Ok(Scenario {
        name: name.to_owned(),
        about,
        workflow: Source::new(format!("scenarios/{name}/workflow.yml"), workflow),
        dockerfile: Source::new("Dockerfile", dockerfile),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_of_the_catalogue_is_a_scenario() {
        assert!(names().contains(&"healthy".to_owned()));
        for name in names() {
            find(&name).unwrap_or_else(|error| panic!("{error}"));
        }
    }

    #[test]
    fn a_mistyped_name_gets_a_suggestion() {
        let error = find("cache-dance-after").unwrap_err();
        assert!(error.hint().unwrap().contains("cache-after-dance"), "{error:?}");
    }
}
