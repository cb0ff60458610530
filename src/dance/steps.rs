//! What an inject and an extract do, in order. [`DanceStep`] is principal.
//!
//! Whoever executes the steps keeps what the action does wrong: a copy in a Dancefile ends in `|| true`, so its failure
//! is silent and the steps after it run.

use super::behaviour::{Behaviour, ExtractMethod, RemoveSource};
use super::entry::DanceEntry;
use super::inputs::ResolvedInputs;
use super::text::{chown, extract_dancefile, inject_dancefile};
use super::wording::docker_build_command;
use crate::dockerfile::MountOptions;

/// How files get into the mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyMethod {
    /// `cp -p -R`: everything, over what is there. Everything belongs to root before a `chown`, because a build
    /// context does not carry owners; times are whole seconds.
    All,
    /// `rsync -a --ignore-existing`: only what is not there yet. Needs an image with rsync; without it nothing is copied.
    Missing,
}

/// How files get out of the mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExtractMove {
    /// Into `scratch/dance-cache`: modes, links and whole-second times survive.
    Scratch,
    /// Into the source directory, over what is there: [`ExtractMethod::Local`].
    Local,
    /// Into the source directory: [`ExtractMethod::Rsync`].
    Rsync {
        /// Whether what is not in the mount is deleted.
        delete: bool,
    },
}

/// One thing an inject or an extract does. Paths are relative to the working directory unless absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DanceStep {
    /// Removes the scratch directory with everything in it and makes it again.
    ClearScratch(String),
    /// Makes the scratch directory and its parents unless it is there.
    MakeScratch(String),
    /// Makes the source directory and its parents unless it is there.
    MakeSource(String),
    /// Writes the time as ISO text into `buildstamp` of a directory; fails when the directory is missing. The stamp in a
    /// source directory goes into the mount and comes back out.
    Stamp(String),
    /// Writes a Dancefile into the scratch directory and prints it.
    Dancefile {
        /// The file name.
        name: &'static str,
        /// The text.
        text: String,
    },
    /// Copies the source directory, its `buildstamp` too, into the mount. Fails when a `.dockerignore` in the source
    /// leaves out the stamp. A read-only mount takes nothing, silently.
    CopyIn {
        /// The source directory, which is the build context.
        source: String,
        /// The mount.
        mount: MountOptions,
        /// How.
        copy: CopyMethod,
        /// Who owns everything in the mount afterwards: `uid:gid`, `uid:` or `:gid`.
        chown: Option<String>,
        /// The command the action runs.
        command: Vec<String>,
    },
    /// Removes the source directory. As the runner's user, entries of read-only directories cannot be removed.
    RemoveSource {
        /// The directory.
        source: String,
        /// As whom, and what a failure means.
        how: RemoveSource,
    },
    /// Copies the content of the mount to the host.
    CopyOut {
        /// The mount.
        mount: MountOptions,
        /// Where to and how.
        into: ExtractMove,
        /// The source directory.
        source: String,
        /// The command the action runs.
        command: Vec<String>,
    },
    /// Removes the source directory before the new one takes its place.
    ClearSource {
        /// The directory.
        source: String,
        /// Whether as root.
        sudo: bool,
    },
    /// Renames `dance-cache` of the scratch directory to the source. Fails when the parent of the source is missing
    /// (ENOENT) or on another file system (EXDEV).
    MoveIntoPlace {
        /// The scratch directory.
        scratch: String,
        /// The source directory.
        source: String,
    },
    /// The build is refused by `BuildKit`, and the step ends.
    Refused {
        /// The command the action runs.
        command: Vec<String>,
        /// Why.
        why: String,
    },
    /// The action throws, and the step ends.
    Fail(String),
}

/// Lists what the inject of one entry does.
pub fn inject_steps(entry: &DanceEntry, inputs: &ResolvedInputs, behaviour: &Behaviour) -> Vec<DanceStep> {
    let source = || entry.source.clone();
    if let Some(problem) = entry.problem.as_ref().filter(|problem| problem.at_once) {
        return vec![DanceStep::Fail(problem.text.clone())];
    }
    let mut steps = vec![
        DanceStep::ClearScratch(inputs.scratch_dir.clone()),
        DanceStep::MakeSource(source()),
        DanceStep::Stamp(source()),
    ];
    if let Some(problem) = &entry.problem {
        steps.push(DanceStep::Fail(problem.text.clone()));
        return steps;
    }
    let text = inject_dancefile(entry, inputs, behaviour);
    steps.push(DanceStep::Dancefile { name: "Dancefile.inject", text });
    let command = docker_build_command("inject", entry, inputs, behaviour);
    match entry.mount() {
        Err(error) => steps.push(DanceStep::Refused { command, why: error.to_string() }),
        Ok(mount) => {
            let copy = if inputs.rsync { CopyMethod::Missing } else { CopyMethod::All };
            let chown = chown(entry, behaviour);
            steps.push(DanceStep::CopyIn { source: source(), mount, copy, chown, command });
            steps.push(DanceStep::RemoveSource { source: source(), how: behaviour.remove_source });
        }
    }
    steps
}

/// Lists what the extract of one entry does. Whether it is skipped is for the caller to ask.
pub fn extract_steps(entry: &DanceEntry, inputs: &ResolvedInputs, behaviour: &Behaviour) -> Vec<DanceStep> {
    let source = || entry.source.clone();
    let scratch = || inputs.scratch_dir.clone();
    if let Some(problem) = entry.problem.as_ref().filter(|problem| problem.at_once) {
        return vec![DanceStep::Fail(problem.text.clone())];
    }
    let mut steps = Vec::new();
    if behaviour.clears_scratch {
        steps.push(DanceStep::ClearScratch(scratch()));
    } else if behaviour.makes_scratch {
        steps.push(DanceStep::MakeScratch(scratch()));
    }
    steps.push(DanceStep::Stamp(scratch()));
    if let Some(problem) = &entry.problem {
        steps.push(DanceStep::Fail(problem.text.clone()));
        return steps;
    }
    let text = extract_dancefile(entry, inputs, behaviour);
    steps.push(DanceStep::Dancefile { name: "Dancefile.extract", text });
    let command = docker_build_command("extract", entry, inputs, behaviour);
    let mount = match entry.mount() {
        Ok(mount) => mount,
        Err(error) => {
            steps.push(DanceStep::Refused { command, why: error.to_string() });
            return steps;
        }
    };
    match inputs.extract_method(behaviour) {
        ExtractMethod::Container { sudo } => steps.extend([
            DanceStep::CopyOut { mount, into: ExtractMove::Scratch, source: source(), command },
            DanceStep::ClearSource { source: source(), sudo },
            DanceStep::MoveIntoPlace { scratch: scratch(), source: source() },
        ]),
        ExtractMethod::Local => {
            steps.push(DanceStep::CopyOut { mount, into: ExtractMove::Local, source: source(), command });
        }
        ExtractMethod::Rsync { delete } => steps.extend([
            DanceStep::MakeSource(source()),
            DanceStep::CopyOut { mount, into: ExtractMove::Rsync { delete }, source: source(), command },
        ]),
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::super::{DockerfileInput, cache_map};
    use super::*;

    fn names(owner: &str, reference: &str, map: &str, extract: bool) -> String {
        let behaviour = Behaviour::identify(owner, reference);
        let lookup = |name: &str| (name == "cache-map").then(|| map.to_owned());
        let inputs = ResolvedInputs::from_with(&lookup, &behaviour);
        let map = cache_map(&inputs, &behaviour, DockerfileInput::Missing).unwrap();
        let list = if extract { extract_steps } else { inject_steps };
        let name = |step: &DanceStep| {
            let text = format!("{step:?}");
            text.split([' ', '(']).next().unwrap_or("").to_owned()
        };
        list(&map.entries[0], &inputs, &behaviour).iter().map(name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_source_goes_after_the_inject_and_is_renamed_into_place_by_the_extract() {
        let map = "{\"a\": \"/a\"}";
        assert_eq!(
            names("reproducible-containers", "v3.3.2", map, false),
            "ClearScratch MakeSource Stamp Dancefile CopyIn RemoveSource"
        );
        assert_eq!(
            names("reproducible-containers", "v3.3.2", map, true),
            "MakeScratch Stamp Dancefile CopyOut ClearSource MoveIntoPlace"
        );
        assert_eq!(
            names("reproducible-containers", "v3.0.0", map, true),
            "Stamp Dancefile CopyOut ClearSource MoveIntoPlace"
        );
        assert_eq!(names("reproducible-containers", "v3.3.1", map, true), "MakeScratch Stamp Dancefile CopyOut");
        assert_eq!(names("hiromaily", "v4", map, true), "ClearScratch Stamp Dancefile MakeSource CopyOut");
    }

    #[test]
    fn an_entry_that_cannot_be_used_ends_the_step() {
        assert_eq!(
            names("reproducible-containers", "v3.3.2", "{\"a\": {\"id\": \"x\"}}", false),
            "ClearScratch MakeSource Stamp Fail"
        );
        assert_eq!(
            names("reproducible-containers", "v3.3.2", "{\"a\": {\"target\": \"/x\", \"colour\": 1}}", false),
            "ClearScratch MakeSource Stamp Dancefile Refused"
        );
        assert_eq!(names("hiromaily", "v4", "{\"../a\": \"/x\"}", false), "Fail");
    }
}
