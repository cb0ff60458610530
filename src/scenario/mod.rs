//! The catalogue of scenarios and the bundled sample, as data. [`Scenario`] is principal.
//!
//! A scenario is a folder of `scenarios/`: `scenario.toml` says what a person sees, why, and what the verifier must say;
//! `workflow.yml` is the experiment; a `Dockerfile` is there only where the sample's does not serve. The folders are part
//! of the program, so that an installed one needs no checkout.

mod about;
mod derive;
mod fault;
mod file;
mod history;
pub mod modules;
pub mod recording;
pub mod sample;

pub use about::{About, EditName, Expect, GoRelease, Group, RunAbout, SampleName, ScenarioLimits};
pub use derive::healthy_workflow;
pub use fault::{FaultLine, Touch};
pub use history::TriggerEvent;

use include_dir::{Dir, include_dir};

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
    /// The unified diffs of the folder by file name: `fix.diff`, and what changes between runs.
    pub patches: Vec<(String, String)>,
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
        file: String,
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
        let names = names();
        let alike =
            crate::suggest::meant(name, names.iter().map(String::as_str)).into_iter().map(str::to_owned).collect();
        return Err(ScenarioError::Unknown { name: name.to_owned(), alike });
    }
    let text = |file: &str| {
        let found = CATALOGUE.get_file(format!("{name}/{file}"));
        found.and_then(|found| found.contents_utf8()).map(str::to_owned)
    };
    let broken = |file: &str, reason| ScenarioError::Broken { name: name.to_owned(), file: file.to_owned(), reason };
    let missing = |file| broken(file, "is missing".to_owned());
    let about = text("scenario.toml").ok_or_else(|| missing("scenario.toml"))?;
    let about = toml::from_str(&about).map_err(|error| broken("scenario.toml", error.to_string()))?;
    let workflow = text("workflow.yml").ok_or_else(|| missing("workflow.yml"))?;
    let dockerfile = text("Dockerfile").unwrap_or_else(|| sample::DOCKERFILE.to_owned());
    let dir = CATALOGUE.get_dir(name);
    let diffs = dir.into_iter().flat_map(Dir::files).filter_map(|file| {
        let known = file.path().file_name()?.to_str()?;
        known.ends_with(".diff").then(|| Some((known.to_owned(), file.contents_utf8()?.to_owned())))?
    });
    Ok(Scenario {
        name: name.to_owned(),
        about,
        workflow: Source::new(format!("scenarios/{name}/workflow.yml"), workflow),
        dockerfile: Source::new("Dockerfile", dockerfile),
        patches: diffs.collect(),
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
