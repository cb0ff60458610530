//! The inputs of a dance step, with the defaults of its version. [`ResolvedInputs`] is principal.

use super::behaviour::{Behaviour, CacheDirUse, ExtractMethod, MapSupport};
use super::version::{DanceVersion, Flavour};

/// The inputs as the action sees them: trimmed, defaults applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedInputs {
    /// `cache-map`, never empty.
    pub cache_map: String,
    /// `cache-source`, for the versions that read it.
    pub cache_source: String,
    /// `cache-target`, for the versions that read it.
    pub cache_target: String,
    /// `dockerfile`, relative to the working directory.
    pub dockerfile: String,
    /// `cache-dir`, when given and known to the version.
    pub cache_dir: Option<String>,
    /// `scratch-dir`.
    pub scratch_dir: String,
    /// Whether the extract is skipped.
    pub skip_extraction: bool,
    /// The image that copies.
    pub utility_image: String,
    /// What is passed as `--builder`; `None` means the active builder.
    pub builder: Option<String>,
    /// Whether rsync copies instead of cp.
    pub rsync: bool,
    /// Whether debug lines are printed.
    pub debug: bool,
    /// The names of inputs that were given and that this version never reads.
    pub ignored: Vec<&'static str>,
}

const NAMES: [&str; 11] = [
    "cache-map",
    "cache-source",
    "cache-target",
    "dockerfile",
    "cache-dir",
    "scratch-dir",
    "skip-extraction",
    "utility-image",
    "builder",
    "rsync-mode",
    "is-debug",
];

impl ResolvedInputs {
    /// Reads the inputs of a `with:` block, expressions evaluated, through `lookup`.
    pub fn from_with(lookup: &dyn Fn(&str) -> Option<String>, behaviour: &Behaviour) -> Self {
        let given = |name: &str| lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let read = |name: &str, default: &str| given(name).unwrap_or_else(|| default.to_owned());
        let pair = behaviour.map == MapSupport::Pair;
        let has_dir = behaviour.cache_dir != CacheDirUse::Unsupported;
        let debugs =
            behaviour.dance.flavour == Flavour::Hiromaily && behaviour.dance.version >= DanceVersion::new(4, 0, 1);
        let reads = |name: &str| match name {
            "cache-map" => !pair,
            "cache-source" | "cache-target" => pair,
            "dockerfile" => behaviour.discovery,
            "cache-dir" => has_dir,
            "skip-extraction" => behaviour.skip_extraction,
            "utility-image" => behaviour.utility_image_input,
            "builder" => behaviour.builder_input,
            "rsync-mode" => behaviour.rsync_default.is_some(),
            "is-debug" => debugs,
            _ => true,
        };
        let builder = given("builder").filter(|_| behaviour.builder_input);
        let rsync =
            behaviour.rsync_default.is_some_and(|default| given("rsync-mode").map_or(default, |it| it == "true"));
        let image = given("utility-image").filter(|_| behaviour.utility_image_input);
        // The rsync image stands in for the default image only.
        let default_image = if rsync { "ghcr.io/hiromaily/cache-dance-rsync:latest" } else { behaviour.utility_image };
        let utility_image =
            image.filter(|image| image != behaviour.utility_image).unwrap_or_else(|| default_image.to_owned());
        let empty_map = if behaviour.map == MapSupport::Targets { "" } else { "{}" };
        Self {
            cache_map: read("cache-map", empty_map),
            cache_source: read("cache-source", "cache"),
            cache_target: read("cache-target", "/root/.cache/go-build"),
            dockerfile: read("dockerfile", "Dockerfile"),
            cache_dir: given("cache-dir").filter(|_| has_dir),
            scratch_dir: read("scratch-dir", "scratch"),
            skip_extraction: behaviour.skip_extraction && skips_extraction(&read("skip-extraction", "false")),
            utility_image,
            builder: builder.or_else(|| behaviour.builder_default.map(str::to_owned)),
            rsync,
            debug: debugs && given("is-debug").is_some_and(|value| value == "true"),
            ignored: NAMES.into_iter().filter(|name| given(name).is_some() && !reads(name)).collect(),
        }
    }

    /// Returns how the extract works with these inputs.
    pub fn extract_method(&self, behaviour: &Behaviour) -> ExtractMethod {
        let version = behaviour.dance.version;
        if self.rsync && version >= DanceVersion::new(4, 2, 2) {
            ExtractMethod::Rsync { delete: version >= DanceVersion::new(4, 2, 3) }
        } else {
            behaviour.extract
        }
    }
}

/// Says whether the text of `skip-extraction` skips it. Only `true` does: not `True`, not `1`, and not the text
/// `true && true` that a composed expression leaves behind.
pub fn skips_extraction(input: &str) -> bool {
    input == "true"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(reference: &str, with: &[(&str, &str)]) -> ResolvedInputs {
        let behaviour = Behaviour::identify(
            if reference.starts_with("v4") { "hiromaily" } else { "reproducible-containers" },
            reference,
        );
        let lookup = |name: &str| with.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        ResolvedInputs::from_with(&lookup, &behaviour)
    }

    #[test]
    fn only_the_word_true_skips_the_extraction() {
        for (text, skips) in [("true", true), ("True", false), ("1", false), ("true && true", false), (" true ", true)]
        {
            assert_eq!(inputs("v3.3.2", &[("skip-extraction", text)]).skip_extraction, skips, "{text}");
        }
        assert!(!inputs("v2.1.3", &[("skip-extraction", "true")]).skip_extraction);
    }

    #[test]
    fn inputs_a_version_never_reads_are_reported() {
        let with = [("cache-source", "a"), ("cache-target", "/a"), ("builder", "b"), ("cache-dir", "d")];
        assert_eq!(inputs("v3.3.2", &with).ignored, ["cache-source", "cache-target"]);
        assert_eq!(inputs("v3.1.2", &with).ignored, ["cache-source", "cache-target", "cache-dir", "builder"]);
        assert_eq!(inputs("v2", &[("cache-map", "{}"), ("cache-source", "a")]).ignored, ["cache-map"]);
        assert_eq!(inputs("v3.1.2", &with).builder, None);
    }

    #[test]
    fn the_builder_is_the_default_of_the_version() {
        assert_eq!(inputs("v3.3.1", &[]).builder.as_deref(), Some("default"));
        assert_eq!(inputs("v3.3.2", &[("builder", " ")]).builder, None);
        assert_eq!(inputs("v3.3.2", &[("builder", "b-1")]).builder.as_deref(), Some("b-1"));
    }

    #[test]
    fn the_rsync_image_replaces_only_the_default_image() {
        let image = |reference, with: &[(&str, &str)]| inputs(reference, with).utility_image;
        assert_eq!(image("v4.3.0", &[]), "ghcr.io/hiromaily/cache-dance-rsync:latest");
        assert_eq!(image("v4.3.0", &[("utility-image", "x")]), "x");
        assert_eq!(image("v4.3.0", &[("rsync-mode", "false")]), "ghcr.io/containerd/busybox:latest");
        assert_eq!(image("v3.1.2", &[("utility-image", "x")]), "busybox:1");
    }
}
