//! Builds that a script starts with the Docker CLI. [`BuildCommand`] is principal.
//!
//! Only what is understood in full is a build command: an option that is not known, a pipe or a loop makes the script one that
//! is not understood. Source of the options: docker/cli 28.5 and docker/buildx 0.29, `docker build --help`, `docker buildx build --help`.

use crate::shell::{Script, ShellCommand, ShellError, ShellWord};

/// One build as a command asks for it. Paths are as written, relative to [`Self::directory`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BuildCommand {
    /// The command in short: `docker buildx build`.
    pub command: String,
    /// The line in the script, from 1.
    pub line: usize,
    /// The directories that the script has changed to, one after the other.
    pub directory: Vec<ShellWord>,
    /// The context.
    pub context: Option<ShellWord>,
    /// `--file`.
    pub file: Option<ShellWord>,
    /// `--target`.
    pub target: Option<ShellWord>,
    /// `--build-arg`, in order.
    pub args: Vec<ShellWord>,
    /// `--build-context`.
    pub contexts: Vec<ShellWord>,
    /// `--cache-from`, in order.
    pub cache_from: Vec<ShellWord>,
    /// `--cache-to`, in order.
    pub cache_to: Vec<ShellWord>,
    /// `--platform`.
    pub platforms: Option<ShellWord>,
    /// `--network`.
    pub network: Option<ShellWord>,
    /// `--no-cache`.
    pub no_cache: bool,
    /// Whether `--secret` or `--ssh` is given.
    pub secrets: bool,
    /// Which builder it works on.
    pub builder: BuilderUse,
}

/// Which builder a command works on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum BuilderUse {
    /// The one that is in use: `docker buildx build`.
    #[default]
    Active,
    /// The engine's own: `docker build`, whatever is in use.
    ///
    /// Source: Docker's documentation, "Builders", "Difference between `docker build` and `docker buildx build`".
    Default,
    /// The one that is named.
    Named(ShellWord),
}

/// Options with a value that change nothing for the caches.
const VALUES: [&str; 27] = [
    "--add-host",
    "--allow",
    "--annotation",
    "--attest",
    "--call",
    "--cgroup-parent",
    "--cpu-period",
    "--cpu-quota",
    "--cpu-shares",
    "--cpuset-cpus",
    "--cpuset-mems",
    "--iidfile",
    "--label",
    "--memory",
    "--memory-swap",
    "--metadata-file",
    "--output",
    "--progress",
    "--provenance",
    "--sbom",
    "--shm-size",
    "--tag",
    "--ulimit",
    "-m",
    "-o",
    "-t",
    "-c",
];

/// Options without a value that change nothing for the caches.
const FLAGS: [&str; 12] = [
    "--push",
    "--load",
    "--pull",
    "--quiet",
    "-q",
    "--rm",
    "--force-rm",
    "--check",
    "--debug",
    "-D",
    "--provenance",
    "--sbom",
];

/// Returns the builds that a script starts, in order.
///
/// # Errors
/// What is not understood.
pub(super) fn builds(script: &Script) -> Result<Vec<BuildCommand>, ShellError> {
    let mut found = Vec::new();
    let mut directory: Vec<ShellWord> = Vec::new();
    for command in &script.commands {
        let words: Vec<Option<&str>> = command.words.iter().map(ShellWord::known).collect();
        match words.as_slice() {
            [Some("cd"), _] => directory.push(command.words[1].clone()),
            [Some("cd" | "pushd" | "popd"), ..] => {
                return Err(not_understood(command, "the directory it changes to"));
            }
            _ => {}
        }
        if let Some(build) = build(command, &directory)? {
            found.push(build);
        }
    }
    Ok(found)
}

fn not_understood(command: &ShellCommand, what: impl Into<String>) -> ShellError {
    ShellError { line: command.line, what: what.into() }
}

fn build(command: &ShellCommand, directory: &[ShellWord]) -> Result<Option<BuildCommand>, ShellError> {
    let mut words = command.words.as_slice();
    while let [ShellWord::Known(word), rest @ ..] = words {
        match word.as_str() {
            "sudo" | "time" | "command" | "exec" => words = rest,
            _ => break,
        }
    }
    let [ShellWord::Known(docker), rest @ ..] = words else { return Ok(None) };
    if docker.rsplit('/').next() != Some("docker") {
        return Ok(None);
    }
    let known: Vec<&str> = rest.iter().map_while(ShellWord::known).collect();
    let mut build = BuildCommand { line: command.line, directory: directory.to_vec(), ..BuildCommand::default() };
    let (name, options) = match known.as_slice() {
        ["build" | "b", ..] => ("docker build", &rest[1..]),
        ["image" | "builder", "build", ..] => ("docker build", &rest[2..]),
        ["buildx", "build" | "b", ..] => ("docker buildx build", &rest[2..]),
        ["buildx", "--builder", _, "build" | "b", ..] => {
            build.builder = BuilderUse::Named(rest[2].clone());
            ("docker buildx build", &rest[4..])
        }
        ["buildx", flag, "build" | "b", ..] if flag.starts_with("--builder=") => {
            build.builder = BuilderUse::Named(ShellWord::Known(flag["--builder=".len()..].to_owned()));
            ("docker buildx build", &rest[3..])
        }
        ["buildx", "bake", ..] | ["compose", "build", ..] => {
            return Err(not_understood(command, format!("`docker {} {}`", known[0], known[1])));
        }
        ["compose", ..] if known.contains(&"--build") || known.contains(&"build") => {
            return Err(not_understood(command, "`docker compose` with a build"));
        }
        [option, ..] if option.starts_with('-') && known.iter().any(|word| matches!(*word, "build" | "bake")) => {
            return Err(not_understood(command, format!("`docker {option}`")));
        }
        _ => return Ok(None),
    };
    if name == "docker build" {
        build.builder = BuilderUse::Default;
    }
    build.command = name.to_owned();
    for (variable, value) in &command.assignments {
        match (variable.as_str(), value.known()) {
            ("DOCKER_BUILDKIT", Some("0")) => return Err(not_understood(command, "a build without BuildKit")),
            ("BUILDX_BUILDER", _) => build.builder = BuilderUse::Named(value.clone()),
            _ => {}
        }
    }
    options_of(command, options, &mut build)?;
    Ok(Some(build))
}

fn options_of(command: &ShellCommand, words: &[ShellWord], build: &mut BuildCommand) -> Result<(), ShellError> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let ShellWord::Known(text) = word else {
            if build.context.replace(word.clone()).is_some() {
                return Err(not_understood(command, "a second context"));
            }
            continue;
        };
        if !text.starts_with('-') || text == "-" {
            if text == "-" {
                return Err(not_understood(command, "a context from standard input"));
            }
            if build.context.replace(word.clone()).is_some() {
                return Err(not_understood(command, "a second context"));
            }
            continue;
        }
        let (option, attached) = match text.split_once('=') {
            Some((option, value)) if text.starts_with("--") => (option, Some(ShellWord::Known(value.to_owned()))),
            _ => (text.as_str(), None),
        };
        match option {
            "--no-cache" => {
                build.no_cache = attached.as_ref().is_none_or(|value| value.known() != Some("false"));
                continue;
            }
            flag if FLAGS.contains(&flag) && (attached.is_some() || !VALUES.contains(&flag)) => continue,
            _ => {}
        }
        // `-fFile` and `-tname` may stand together.
        let short = |letter: &str| text.strip_prefix(letter).filter(|rest| !rest.is_empty() && !text.starts_with("--"));
        let (option, attached) = match (short("-f"), short("-t"), short("-o")) {
            (Some(file), ..) => ("-f", Some(ShellWord::Known(file.trim_start_matches('=').to_owned()))),
            (_, Some(_), _) | (.., Some(_)) => continue,
            _ => (option, attached),
        };
        let mut value = || {
            attached
                .clone()
                .or_else(|| words.next().cloned())
                .ok_or_else(|| not_understood(command, format!("`{option}` without a value")))
        };
        match option {
            "-f" | "--file" => build.file = Some(value()?),
            "--target" => build.target = Some(value()?),
            "--build-arg" => build.args.push(value()?),
            "--build-context" => build.contexts.push(value()?),
            "--cache-from" => build.cache_from.push(value()?),
            "--cache-to" => build.cache_to.push(value()?),
            "--platform" => build.platforms = Some(value()?),
            "--network" => build.network = Some(value()?),
            "--builder" => build.builder = BuilderUse::Named(value()?),
            "--secret" | "--ssh" => {
                value()?;
                build.secrets = true;
            }
            other if VALUES.contains(&other) => {
                value()?;
            }
            other => return Err(not_understood(command, format!("the option `{other}`"))),
        }
    }
    match build.context {
        Some(_) => Ok(()),
        None => Err(not_understood(command, "a build without a context")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(script: &str) -> Result<Vec<BuildCommand>, String> {
        let script = Script::read(script, &|_| None).map_err(|error| error.to_string())?;
        builds(&script).map_err(|error| error.to_string())
    }

    #[test]
    fn build_commands_are_read_with_their_options() {
        let found = read(
            "set -e\nmkdir -p x\ncd backend\ndocker buildx build --push -t \"$IMAGE\" -f docker/Dockerfile \\\n  --target=prod --build-arg A=1 --build-arg B=$B \
             --cache-from type=gha --cache-to=type=gha,mode=max --platform linux/amd64 --progress plain ..\ndocker push $IMAGE",
        );
        let [build] = found.unwrap().try_into().unwrap();
        let known = |word: &Option<ShellWord>| word.as_ref().and_then(ShellWord::known).map(str::to_owned);
        assert_eq!(known(&build.context).as_deref(), Some(".."));
        assert_eq!(known(&build.file).as_deref(), Some("docker/Dockerfile"));
        assert_eq!(known(&build.target).as_deref(), Some("prod"));
        assert_eq!(build.args, [ShellWord::Known("A=1".into()), ShellWord::Unknown("$B".into())]);
        assert_eq!((build.line, build.directory.len(), build.builder), (4, 1, BuilderUse::Active));
    }

    #[test]
    fn docker_build_works_on_the_engines_own_builder() {
        let builder = |script: &str| read(script).unwrap().remove(0).builder;
        assert_eq!(builder("docker build ."), BuilderUse::Default);
        assert_eq!(builder("sudo docker image build -tx --no-cache ."), BuilderUse::Default);
        assert_eq!(builder("docker buildx --builder b build ."), BuilderUse::Named(ShellWord::Known("b".into())));
        assert_eq!(builder("BUILDX_BUILDER=b docker buildx b ."), BuilderUse::Named(ShellWord::Known("b".into())));
        assert!(read("docker run x\necho docker build .\nmake build").unwrap().is_empty());
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (script, what) in [
            ("docker buildx bake app", "`docker buildx bake`"),
            ("docker compose build", "`docker compose build`"),
            ("docker compose up --build", "`docker compose` with a build"),
            ("docker --context x build .", "`docker --context`"),
            ("docker build --frobnicate .", "the option `--frobnicate`"),
            ("docker build - < Dockerfile", "a context from standard input"),
            ("docker build -t x", "a build without a context"),
            ("DOCKER_BUILDKIT=0 docker build .", "a build without BuildKit"),
            ("cd && docker build .", "the directory it changes to"),
            ("docker build . || true", "`||`"),
        ] {
            assert!(read(script).unwrap_err().contains(what), "{script}: {:?}", read(script));
        }
    }
}
