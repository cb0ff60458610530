//! What the steps of a log are, and their inputs as facts. [`StepKind`] is principal.
//!
//! Decides by the action's name, as the runner prints it; it reads no output.

use super::header::Header;
use crate::evidence::{BuildInputs, CacheInputs, CacheMode, DanceInputs, DancePhase, MountSpec};

/// What a step does, as far as this tool cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StepKind {
    /// actions/cache or one of its halves.
    Cache(CacheMode),
    /// buildkit-cache-dance or a fork; the phase its main step is.
    Dance(DancePhase),
    /// Something that may build images.
    Build,
    /// actions/checkout.
    Checkout,
    /// Another action with a cache of its own.
    OtherCache,
    /// A script that only prints texts: what looks like a build there is a quotation.
    Printing,
    /// Anything else.
    Other,
    /// The log does not say.
    Unknown,
    /// A post step.
    Post,
}

impl StepKind {
    /// Decides by a step's block.
    pub(super) fn of(header: &Header) -> Self {
        let Some(uses) = header.uses() else {
            return if only_prints(&header.script) { Self::Printing } else { Self::Build };
        };
        match Self::of_action(uses) {
            Self::Other if header.input("cache-map").is_some() => Self::Dance(DancePhase::Inject),
            kind => kind,
        }
    }

    /// Decides by an action's name, such as `actions/cache/save@v4`.
    pub(super) fn of_action(uses: &str) -> Self {
        let name = uses.split_once('@').map_or(uses, |(name, _)| name).to_ascii_lowercase();
        let mut parts = name.split('/').skip(1);
        let (repository, path) = (parts.next().unwrap_or(""), parts.next());
        match (repository, path) {
            (name, path) if name.contains("cache-dance") => match path {
                Some("extract") => Self::Dance(DancePhase::Extract),
                _ => Self::Dance(DancePhase::Inject),
            },
            ("cache", None) => Self::Cache(CacheMode::RestoreAndSave),
            ("cache", Some("restore")) => Self::Cache(CacheMode::Restore),
            ("cache", Some("save")) => Self::Cache(CacheMode::Save),
            ("checkout", _) => Self::Checkout,
            (name, _) if name.contains("build-push") || name.contains("bake") || name.contains("compose") => {
                Self::Build
            }
            (name, _) if name.starts_with("setup-") || name.contains("cache") || name.contains("lint") => {
                Self::OtherCache
            }
            _ => Self::Other,
        }
    }
}

/// Tells whether a script runs nothing but commands that print texts and files, or programs that build no image of their
/// own: what looks like a build there, such as a fixture that a test prints, is a quotation.
fn only_prints(script: &str) -> bool {
    const PRINTING: [&str; 30] = [
        "cat", "echo", "printf", "head", "tail", "less", "more", "grep", "egrep", "rg", "sed", "awk", "cut", "sort",
        "jq", "yq", "ls", "tree", "tee", "bat", "gh", "curl", "wget", "cd", "zcat", "gunzip", "unzip", "diff", "uniq",
        "tac",
    ];
    const PROGRAMS: [&str; 14] = [
        "python",
        "python2",
        "python3",
        "node",
        "deno",
        "bun",
        "ruby",
        "perl",
        "php",
        "pytest",
        "gotestsum",
        "jest",
        "vitest",
        "true",
    ];
    const GO: [&str; 11] =
        ["test", "vet", "fmt", "list", "env", "version", "mod", "generate", "tool", "clean", "install"];
    // A command in another runs as well.
    let joined = script.replace("\\\n", " ").replace("$(", ";").replace(['`', ')'], ";").replace(";\"", ";");
    let lines = joined.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut commands = lines
        .flat_map(|line| line.split(['|', ';', '&']))
        .map(|command| command.trim().trim_matches('"').trim())
        .filter(|text| !text.is_empty())
        .peekable();
    let prints = |command: &str| {
        let mut words = command.split_whitespace().skip_while(|word| is_assignment(word) || *word == "time");
        let Some(first) = words.next() else { return true };
        let name = first.rsplit('/').next().unwrap_or(first);
        let second = words.next().unwrap_or_default();
        let runs = PRINTING.contains(&name) || PROGRAMS.contains(&name) || (name == "go" && GO.contains(&second));
        command == "set" || command.starts_with("set -") || (runs && !names_an_image_builder(command))
    };
    commands.peek().is_some() && commands.all(prints)
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// Tells whether a command that runs a program says that it builds an image, as `python3 build_image.py` does.
fn names_an_image_builder(command: &str) -> bool {
    const PRINTING: [&str; 6] = ["cat ", "echo ", "grep ", "head ", "tail ", "printf "];
    let says = ["docker", "buildx", "podman", "image", "build", "bake", "compose"];
    !PRINTING.iter().any(|start| command.starts_with(start))
        && says.iter().any(|word| command.contains(word))
        && !command.starts_with("go test")
}

/// The inputs of a cache step; `None` where the block lost its key.
pub(super) fn cache(header: &Header, mode: CacheMode) -> Option<CacheInputs> {
    let list = |name| header.input(name).map(lines).unwrap_or_default();
    Some(CacheInputs {
        mode,
        paths: list("path"),
        key: header.input("key")?.to_owned(),
        restore_keys: list("restore-keys"),
    })
}

fn lines(value: &str) -> Vec<String> {
    value.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The stages that `no-cache-filters` names, one a line or between commas.
pub(super) fn stages(value: &str) -> Vec<String> {
    value.split([',', '\n']).map(str::trim).filter(|stage| !stage.is_empty()).map(str::to_owned).collect()
}

/// The inputs of a dance step.
pub(super) fn dance(header: &Header) -> DanceInputs {
    let input = |name| header.input(name).map(str::to_owned);
    // The first versions had one source and one target instead of a map.
    let legacy = || {
        let (source, target) = (header.input("cache-source")?, header.input("cache-target")?);
        let old = ["@v1", "@v2", "/inject@", "/extract@"].iter().any(|part| header.title.contains(part));
        old.then(|| serde_json::json!({ source: target }).to_string())
    };
    DanceInputs {
        uses: header.title.clone(),
        cache_map: input("cache-map").filter(|map| map != "{}").or_else(legacy),
        cache_dir: input("cache-dir"),
        skip_extraction: input("skip-extraction"),
        builder: input("builder"),
        known: true,
    }
}

/// The inputs of a build step; `None` when the step does not show that it builds, or builds more than once.
pub(super) fn build(header: &Header) -> Option<BuildInputs> {
    if header.uses().is_some() {
        if !header.shows_inputs() {
            return None;
        }
        let input = |name: &str| header.input(name).map(str::to_owned);
        return Some(BuildInputs {
            no_cache: header.input("no-cache").is_some_and(|value| value.eq_ignore_ascii_case("true")),
            no_cache_filters: header.input("no-cache-filters").map(stages).unwrap_or_default(),
            builder: input("builder"),
            cache_from: input("cache-from"),
            file: input("file").unwrap_or_else(|| "Dockerfile".to_owned()),
        });
    }
    let script = if header.script.is_empty() { header.title.as_str() } else { header.script.as_str() };
    command(script)
}

/// Reads the flags of the one `docker build` of a script.
pub(super) fn command(script: &str) -> Option<BuildInputs> {
    let joined = script.replace("\\\n", " ");
    let mut found = None;
    for line in joined.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(docker) = words.iter().position(|word| *word == "docker" || *word == "docker-compose") else {
            continue;
        };
        let Some(at) = words.iter().skip(docker).position(|word| *word == "build" || *word == "bake") else { continue };
        if found.is_some() {
            return None;
        }
        let mut inputs = BuildInputs { file: "Dockerfile".to_owned(), ..BuildInputs::default() };
        let mut words = words[docker + at + 1..].iter().take_while(|word| !["&&", "||", ";", "|"].contains(word));
        while let Some(word) = words.next() {
            let (flag, value) = word.split_once('=').map_or((*word, None), |(flag, value)| (flag, Some(value)));
            let mut value =
                || value.or_else(|| words.next().copied()).map(|text| text.trim_matches(['"', '\'']).to_owned());
            match flag {
                "--no-cache-filter" => inputs.no_cache_filters.extend(stages(&value()?)),
                "--no-cache" => inputs.no_cache = !word.ends_with("=false"),
                "--builder" => inputs.builder = value(),
                "--cache-from" => inputs.cache_from = value(),
                "-f" | "--file" => inputs.file = value()?,
                _ => {}
            }
        }
        found = Some(inputs);
    }
    found
}

/// The entries of a cache map in order: host directory and cache mount. Empty when it is not the JSON of one.
pub(super) fn cache_map(json: &str) -> Vec<(String, MountSpec)> {
    let Ok(serde_json::Value::Object(map)) = serde_json::from_str(json) else { return Vec::new() };
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::Bool(value) => Some(value.to_string()),
        _ => None,
    };
    map.iter()
        .filter_map(|(source, value)| {
            let mount = match value {
                serde_json::Value::String(target) => {
                    MountSpec { target: target.clone(), id: None, owner: String::new() }
                }
                serde_json::Value::Object(options) => {
                    // The dance passes the pairs on as the options of its mount, as they stand.
                    let pairs = options.iter().filter_map(|(name, value)| Some(format!("{name}={}", text(value)?)));
                    let pairs = pairs.collect::<Vec<_>>().join(",");
                    options.get("target")?;
                    MountSpec::written(&format!("type=cache,{pairs}")).filter(|mount| !mount.target.is_empty())?
                }
                _ => return None,
            };
            Some((source.clone(), mount))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_told_apart_by_name() {
        use StepKind::{Build, Cache, Checkout, Dance, Other, OtherCache};
        for (uses, kind) in [
            ("actions/cache@v4", Cache(CacheMode::RestoreAndSave)),
            ("runs-on/cache@v4", Cache(CacheMode::RestoreAndSave)),
            ("actions/cache/save@0057852bfaa8", Cache(CacheMode::Save)),
            ("Hiromaily/Docker-Cache-Dance@v4.3.0", Dance(DancePhase::Inject)),
            ("overmindtech/buildkit-cache-dance/extract@main", Dance(DancePhase::Extract)),
            ("docker/build-push-action@v6", Build),
            ("actions/setup-go@v5", OtherCache),
            ("Swatinem/rust-cache@v2", OtherCache),
            ("actions/checkout@v4", Checkout),
            ("docker/login-action@v3", Other),
        ] {
            assert_eq!(StepKind::of_action(uses), kind, "{uses}");
        }
    }

    #[test]
    fn the_flags_of_one_docker_build_are_inputs() {
        let inputs =
            command("set -x\ndocker buildx build --no-cache \\\n  --builder=b -f 'x/Dockerfile' . && ls\n").unwrap();
        assert_eq!(
            inputs,
            BuildInputs {
                no_cache: true,
                builder: Some("b".into()),
                file: "x/Dockerfile".into(),
                ..BuildInputs::default()
            }
        );
        let filtered = command("docker buildx build --no-cache-filter=a,b --no-cache-filter c .").unwrap();
        assert_eq!((filtered.no_cache, filtered.no_cache_filters), (false, ["a", "b", "c"].map(String::from).to_vec()));
        assert_eq!(command("docker build a\ndocker build b\n"), None);
        assert_eq!(command("echo build\n# docker build\n"), None);
    }

    #[test]
    fn a_script_that_only_prints_is_no_build() {
        assert!(only_prints("set -e\ncat README.md | head -n 3\n# docker build\necho done"));
        for script in [
            "go test ./parser -run Golden -v",
            "python3 tools/lastlog.py",
            "cat \"$(ls -t logs | head -n 1)\"",
            "CI=1 node show.js | tee out",
            "time go vet ./...",
        ] {
            assert!(only_prints(script), "{script}");
        }
        for script in ["python3 build.py", "go run ./cmd/ci", "node docker.js", "task x", "cat x; bash y"] {
            assert!(!only_prints(script), "{script}");
        }
        for script in ["cat x && docker build .", "make", "./build.sh", "echo $(docker build .)", "", "echo `make`"] {
            assert!(!only_prints(script), "{script}");
        }
    }

    #[test]
    fn cache_maps_keep_order_and_skip_what_is_no_entry() {
        let map = cache_map(r#"{"b":"/x","a":{"target":"/y","id":"i","gid":5,"uid":"4"},"c":{},"d":null}"#);
        assert_eq!(map[0], ("b".into(), MountSpec { target: "/x".into(), id: None, owner: String::new() }));
        assert_eq!(
            map[1],
            (
                "a".into(),
                MountSpec { target: "/y".into(), id: Some("i".into()), owner: "uid=4,gid=5,mode=0755".into() }
            )
        );
        assert_eq!(map.len(), 2);
        assert!(cache_map("[1]").is_empty() && cache_map("{").is_empty());
    }
}
