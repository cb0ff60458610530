//! What one version does. [`Behaviour`] is principal; it is a table, and the code that follows it is elsewhere.

use super::version::{DanceCode, DanceVersion, Flavour};
use crate::workflow::ActionRef;

/// How far a version understands `cache-map`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapSupport {
    /// Not at all: `cache-source` and `cache-target` name one cache.
    Pair,
    /// Target paths only; an object becomes the text `[object Object]`. An empty input is an error.
    Targets,
    /// Target paths and objects of mount options.
    Options,
}

/// What a version does with `cache-dir`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheDirUse {
    /// It has no such input.
    Unsupported,
    /// Only for entries found in the Dockerfile; ignored when a cache map is given.
    DiscoveryOnly,
    /// For every entry, under the last part of its name.
    Everywhere,
}

/// How the source directory is removed after the inject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoveSource {
    /// As root.
    Sudo,
    /// As the runner's user; a failure ends the step.
    Fatal,
    /// As the runner's user; a failure is a notice, and what could not be removed stays.
    Notice,
}

/// How the cache comes out of the builder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExtractMethod {
    /// Into an image, through a container and `tar` into the scratch directory, renamed to the source. Whether the old
    /// source is removed as root.
    Container {
        /// `sudo rm -rf`; otherwise as the runner's user.
        sudo: bool,
    },
    /// `--output type=local` straight into the source, which is not cleared; modes become rw for the owner and r for
    /// others, x where anybody had it.
    Local,
    /// `rsync -a` from a container into the source. Whether what is gone from the cache is deleted there.
    Rsync {
        /// `--delete`.
        delete: bool,
    },
}

/// When the post step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DancePostCondition {
    /// There is none: inject and extract are two actions.
    Separate,
    /// Always.
    Always,
    /// Only when the job has succeeded: `post-if: success() || github.event.inputs.save-always`.
    Success,
}

/// Everything that differs between versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behaviour {
    /// Whose and which.
    pub dance: DanceCode,
    /// How `cache-map` is read.
    pub map: MapSupport,
    /// Whether an empty cache map is filled from the Dockerfile.
    pub discovery: bool,
    /// What `cache-dir` does.
    pub cache_dir: CacheDirUse,
    /// Whether `skip-extraction` exists.
    pub skip_extraction: bool,
    /// Whether the `builder` input exists.
    pub builder_input: bool,
    /// The builder when the input is empty. `None`: the active builder, because no `--builder` is passed.
    pub builder_default: Option<&'static str>,
    /// Whether the `utility-image` input exists.
    pub utility_image_input: bool,
    /// The utility image when nothing else is given.
    pub utility_image: &'static str,
    /// When the extract runs.
    pub post: DancePostCondition,
    /// Whether `uid` and `gid` of an entry make the inject end with `chown -R`.
    pub chown: bool,
    /// How the source is removed after the inject.
    pub remove_source: RemoveSource,
    /// How the extract works, unless rsync mode says otherwise.
    pub extract: ExtractMethod,
    /// Whether the extract makes the scratch directory when it is missing.
    pub makes_scratch: bool,
    /// Whether the extract empties the scratch directory first.
    pub clears_scratch: bool,
    /// The default of `rsync-mode`; `None` when there is no such input.
    pub rsync_default: Option<bool>,
    /// Whether host paths and mount options are checked, and absolute paths refused.
    pub checks_paths: bool,
    /// Whether the `RUN` of a Dancefile spans several lines.
    pub multi_line: bool,
}

impl Behaviour {
    /// Looks up what a version does.
    pub fn of(dance: DanceCode) -> Self {
        match dance.flavour {
            Flavour::Upstream => upstream(dance),
            Flavour::Hiromaily => hiromaily(dance),
        }
    }

    /// Finds the behaviour behind `owner/buildkit-cache-dance@reference`.
    pub fn identify(owner: &str, reference: &str) -> Self {
        Self::of(DanceCode::identify(owner, reference))
    }

    /// Finds the behaviour behind the `uses:` of a step.
    pub fn of_action(action: &ActionRef) -> Self {
        Self::of(DanceCode::of_action(action))
    }
}

const BUSYBOX: &str = "ghcr.io/containerd/busybox:latest";

fn upstream(dance: DanceCode) -> Behaviour {
    let since = |major, minor, patch| dance.version >= DanceVersion::new(major, minor, patch);
    let exactly = |major, minor, patch| dance.version == DanceVersion::new(major, minor, patch);
    Behaviour {
        dance,
        map: match () {
            () if since(3, 1, 0) => MapSupport::Options,
            () if since(3, 0, 0) => MapSupport::Targets,
            () => MapSupport::Pair,
        },
        discovery: since(3, 2, 0),
        cache_dir: if since(3, 3, 0) { CacheDirUse::DiscoveryOnly } else { CacheDirUse::Unsupported },
        skip_extraction: since(2, 1, 4),
        builder_input: since(3, 2, 0),
        builder_default: (since(3, 2, 0) && !since(3, 3, 2)).then_some("default"),
        utility_image_input: since(3, 2, 0),
        utility_image: if since(3, 2, 0) { BUSYBOX } else { "busybox:1" },
        post: match () {
            () if since(3, 1, 1) => DancePostCondition::Success,
            () if since(2, 0, 0) => DancePostCondition::Always,
            () => DancePostCondition::Separate,
        },
        chown: since(3, 1, 2),
        remove_source: match () {
            () if since(3, 1, 0) => RemoveSource::Notice,
            () if since(3, 0, 0) => RemoveSource::Fatal,
            () => RemoveSource::Sudo,
        },
        extract: match () {
            () if exactly(3, 3, 1) => ExtractMethod::Local,
            () => ExtractMethod::Container { sudo: since(3, 1, 2) || !since(3, 0, 0) },
        },
        makes_scratch: since(3, 1, 1),
        clears_scratch: false,
        rsync_default: None,
        checks_paths: false,
        multi_line: false,
    }
}

fn hiromaily(dance: DanceCode) -> Behaviour {
    let since = |minor, patch| dance.version >= DanceVersion::new(4, minor, patch);
    let applied = since(2, 0) || dance.version == DanceVersion::new(4, 0, 1);
    Behaviour {
        dance,
        map: MapSupport::Options,
        discovery: true,
        cache_dir: if applied { CacheDirUse::Everywhere } else { CacheDirUse::DiscoveryOnly },
        skip_extraction: true,
        builder_input: true,
        builder_default: Some("default"),
        utility_image_input: true,
        utility_image: BUSYBOX,
        post: DancePostCondition::Success,
        chown: true,
        remove_source: RemoveSource::Notice,
        extract: ExtractMethod::Container { sudo: true },
        makes_scratch: true,
        clears_scratch: true,
        rsync_default: since(2, 0).then(|| since(3, 0)),
        checks_paths: since(0, 1),
        multi_line: since(0, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstream(reference: &str) -> Behaviour {
        Behaviour::identify("reproducible-containers", reference)
    }

    #[test]
    fn the_builder_default_was_wrong_in_three_releases() {
        for (reference, default) in [
            ("v3.1.2", None),
            ("v3.2.0", Some("default")),
            ("v3.3.0", Some("default")),
            ("v3.3.1", Some("default")),
            ("v3.3.2", None),
            ("v3.4.0", None),
        ] {
            assert_eq!(upstream(reference).builder_default, default, "{reference}");
        }
    }

    #[test]
    fn the_post_step_became_conditional() {
        assert_eq!(upstream("v1").post, DancePostCondition::Separate);
        assert_eq!(upstream("v2").post, DancePostCondition::Always);
        assert_eq!(upstream("v3.1.0").post, DancePostCondition::Always);
        assert_eq!(upstream("v3.1.1").post, DancePostCondition::Success);
    }

    #[test]
    fn removal_and_extraction_changed_over_time() {
        assert_eq!(upstream("v2").remove_source, RemoveSource::Sudo);
        assert_eq!(upstream("v3.0.0").remove_source, RemoveSource::Fatal);
        assert_eq!(upstream("v3.1.0").remove_source, RemoveSource::Notice);
        assert_eq!(upstream("v2").extract, ExtractMethod::Container { sudo: true });
        assert_eq!(upstream("v3.1.1").extract, ExtractMethod::Container { sudo: false });
        assert_eq!(upstream("v3.1.2").extract, ExtractMethod::Container { sudo: true });
        assert_eq!(upstream("v3.3.1").extract, ExtractMethod::Local);
    }

    #[test]
    fn the_cache_directory_means_different_things() {
        assert_eq!(upstream("v3.2.0").cache_dir, CacheDirUse::Unsupported);
        assert_eq!(upstream("v3.3.0").cache_dir, CacheDirUse::DiscoveryOnly);
        let fork = |reference| Behaviour::identify("hiromaily", reference).cache_dir;
        assert_eq!(fork("v4.1.0"), CacheDirUse::DiscoveryOnly);
        assert_eq!(fork("v4.3.0"), CacheDirUse::Everywhere);
    }
}
