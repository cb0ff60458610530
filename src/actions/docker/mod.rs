//! What becomes of the `docker` commands of an action. [`DockerSetting`] is principal.
//!
//! An action names images, containers and builders as if it had the engine to itself. Here each build is given the cache
//! mounts of its runner, and each name of an image or a container a prefix of its run's own, so that runs beside one
//! another keep apart and nothing of the user's can be meant. What could reach further is refused.

mod build;
mod flags;
mod mark;

use serde::{Deserialize, Serialize};

use flags::{Flags, Word};
pub use mark::{MarkedDockerfile, mark_dockerfile};

/// The label by which an engine's clean-up knows what was made under a namespace.
pub const LABEL: &str = "verify-buildkit-cache.namespace";

/// What the `docker` of a runner goes by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DockerSetting {
    /// The real command.
    pub docker: String,
    /// The engine it talks to, as `DOCKER_HOST`.
    pub host: String,
    /// Its directory of settings, as `DOCKER_CONFIG`.
    pub config: String,
    /// The builders that the runner has, each with its namespace of cache mounts.
    pub builders: Vec<(String, String)>,
    /// The builder that commands without `--builder` use.
    pub active: String,
    /// What every image's and container's name begins with.
    pub prefix: String,
    /// The word by which the engine knows a mount's first user for the half of the dance under way.
    pub word: String,
    /// The image that stands in for a busybox which the engine does not have.
    pub utility: Option<String>,
    /// Where the runner's `/` lies on the engine's machine.
    pub root: String,
    /// Where commands are recorded.
    pub trace: String,
}

/// What the surroundings of a command answer.
pub trait DockerWorld {
    /// Tells whether the engine has an image.
    fn has_image(&self, name: &str) -> bool;
    /// Tells whether a container of this id was made here.
    fn made(&self, id: &str) -> bool;
    /// Reads a file, or standard input where the path is `-`.
    fn read(&self, path: &str) -> Option<String>;
    /// Follows all links of a path that exists.
    fn resolve(&self, path: &str) -> String;
}

/// What a command comes down to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DockerPlan {
    /// Run the real command.
    Run(Box<DockerRun>),
    /// Do nothing, and say that it went well.
    Nothing,
    /// Do nothing, and say why.
    Refused(CommandRefusal),
}

/// A command to run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DockerRun {
    /// Its arguments.
    pub args: Vec<String>,
    /// What stands in its output for what the action has named: text, and what to write in its place.
    pub hide: Vec<(String, String)>,
    /// A file to write first, and its text.
    pub file: Option<(String, String)>,
    /// What it builds, if it does.
    pub build: Option<TracedBuild>,
    /// Whether its output is the id of a new container.
    pub makes_container: bool,
}

/// A command that is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("`docker {command}` is not supported, because {why}")]
pub struct CommandRefusal {
    /// The command, as far as it matters.
    pub command: String,
    /// Why.
    pub why: String,
}

/// A command as it was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DockerTrace {
    /// The command's arguments as the action gave them.
    pub args: Vec<String>,
    /// When it began, in nanoseconds since 1970.
    pub began: u64,
    /// When it ended, in nanoseconds since 1970; 0 where it was stopped midway.
    pub ended: u64,
    /// Its exit code.
    pub code: i32,
    /// Why it was refused, if it was.
    pub refused: Option<CommandRefusal>,
    /// What it built, if it did.
    pub build: Option<TracedBuild>,
    /// The error it ended with, as it said it last.
    pub error: Option<String>,
}

impl DockerTrace {
    /// Returns the error of a build that the engine could not carry out, for want of a registry or a network of its own: it says
    /// nothing of what was to be built.
    pub fn engine_failed(&self) -> Option<&str> {
        const SIGNS: [&str; 8] = [
            "failed to do request",
            "dial tcp",
            "no such host",
            "on network bridge",
            "i/o timeout",
            "TLS handshake",
            "toomanyrequests",
            "no space left on device",
        ];
        let error = self.error.as_deref().filter(|_| self.code != 0 && self.build.is_some())?;
        SIGNS.iter().any(|sign| error.contains(sign)).then_some(error)
    }
}

/// A build of an action's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracedBuild {
    /// The builder.
    pub builder: String,
    /// Whose cache mounts it saw.
    pub namespace: String,
    /// The identities of the cache mounts it named.
    pub mounts: Vec<String>,
    /// The names of its vertexes, nearly as BuildKit shows them.
    pub vertexes: Vec<String>,
    /// Whether it made its cache mounts anew.
    pub no_cache: bool,
}

/// The commands about one container that was made here.
const OF_CONTAINER: [&str; 8] = ["start", "stop", "wait", "logs", "kill", "export", "exec", "attach"];

impl DockerSetting {
    /// Works out what becomes of a command.
    pub fn plan(&self, args: &[String], world: &dyn DockerWorld) -> DockerPlan {
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        let (command, rest): (Vec<&str>, &[&str]) = match words.as_slice() {
            ["container", command @ ("create" | "cp" | "rm" | "run"), rest @ ..] => (vec![*command], rest),
            ["image", "rm", rest @ ..] => (vec!["rmi"], rest),
            ["image" | "builder", "build", rest @ ..] | ["buildx", "build" | "b", rest @ ..] => {
                (vec!["buildx", "build"], rest)
            }
            ["build", rest @ ..] => (vec!["buildx", "build"], rest),
            [command, rest @ ..] => (vec![*command], rest),
            [] => return pass(args),
        };
        let plan = match command.as_slice() {
            ["buildx", "build"] => build::plan(self, rest, world),
            ["create"] => self.container("create", rest, world),
            ["run"] => self.container("run", rest, world),
            ["cp"] => self.cp(rest, world),
            ["rm"] => self.of_container("rm", rest, true, world),
            ["rmi"] => Ok(self.remove_images(rest)),
            ["pull"] if rest.iter().any(|word| is_busybox(word)) => Ok(DockerPlan::Nothing),
            [command] if OF_CONTAINER.contains(command) => self.of_container(command, rest, false, world),
            _ if only_looks(&words) => Ok(pass(args)),
            _ => Err(refusal(&words, "it could reach what is not this run's own")),
        };
        plan.unwrap_or_else(DockerPlan::Refused)
    }

    /// `create` and `run`.
    fn container(&self, command: &str, rest: &[&str], world: &dyn DockerWorld) -> Result<DockerPlan, CommandRefusal> {
        let mut run = DockerRun { args: vec![command.to_owned()], hide: self.hide(), ..DockerRun::default() };
        let mut flags = Flags::new(rest, &flags::OF_CONTAINERS);
        let mut named = false;
        let namespace = self.namespace(&self.active).unwrap_or_default();
        run.args.extend(["--label".to_owned(), format!("{LABEL}={namespace}")]);
        let image = loop {
            match flags.next() {
                Some(Word::Flag("--name", Some(name))) => {
                    named = true;
                    run.args.extend(["--name".to_owned(), self.container_name(name)]);
                }
                Some(Word::Flag("-v" | "--volume", Some(volume))) => {
                    run.args.extend(["--volume".to_owned(), self.volume(command, volume, world)?]);
                }
                Some(Word::Flag(flag, value)) => {
                    if !is_harmless(flag, value) {
                        return Err(refusal(&[command, flag], "it could reach what is not this run's own"));
                    }
                    run.args.push(flag.to_owned());
                    run.args.extend(value.map(str::to_owned));
                }
                Some(Word::Plain(image)) => break image,
                None => return Ok(pass(&[command.to_owned()])),
            }
        };
        let (name, hide) = self.image(image, world);
        run.hide.extend(hide);
        run.args.push(name);
        run.args.extend(flags.rest().iter().map(|word| (*word).to_owned()));
        run.makes_container = command == "create" && !named;
        Ok(DockerPlan::Run(Box::new(run)))
    }

    /// A directory of the runner's, where the engine finds it.
    fn volume(&self, command: &str, volume: &str, world: &dyn DockerWorld) -> Result<String, CommandRefusal> {
        let (source, target) = volume.split_once(':').unwrap_or(("", volume));
        if !source.starts_with('/') {
            return Err(refusal(&[command, "--volume", volume], "a volume of the engine's outlives the run"));
        }
        let source = world.resolve(source);
        const OUTSIDE: [&str; 7] = ["/usr", "/proc", "/sys", "/dev", "/run", "/etc", "/opt/verify-buildkit-cache"];
        let outside = |dir: &str| source == dir || source.starts_with(&format!("{dir}/"));
        if source == "/" || source.contains("/../") || OUTSIDE.into_iter().any(outside) {
            return Err(refusal(&[command, "--volume", volume], "it lies outside the runner's own directories"));
        }
        Ok(format!("{}{source}:{target}", self.root))
    }

    fn cp(&self, rest: &[&str], world: &dyn DockerWorld) -> Result<DockerPlan, CommandRefusal> {
        let mut run = DockerRun { args: vec!["cp".to_owned()], hide: self.hide(), ..DockerRun::default() };
        for word in rest {
            let place = word.split_once(':').filter(|(name, _)| !word.starts_with(['-', '/', '.']) && !name.is_empty());
            run.args.push(match place {
                Some((name, path)) => format!("{}:{path}", self.known_container(name, world)),
                None => (*word).to_owned(),
            });
        }
        Ok(DockerPlan::Run(Box::new(run)))
    }

    /// A command about containers: about one, whose own words follow, or about all that are named.
    fn of_container(
        &self,
        command: &str,
        rest: &[&str],
        all: bool,
        world: &dyn DockerWorld,
    ) -> Result<DockerPlan, CommandRefusal> {
        let mut run = DockerRun { args: vec![command.to_owned()], hide: self.hide(), ..DockerRun::default() };
        let mut flags = Flags::new(rest, &flags::OF_COMMANDS);
        while let Some(word) = flags.next() {
            match word {
                Word::Flag(flag, value) => {
                    run.args.push(flag.to_owned());
                    run.args.extend(value.map(str::to_owned));
                }
                Word::Plain(name) => {
                    run.args.push(self.known_container(name, world));
                    if !all {
                        run.args.extend(flags.rest().iter().map(|word| (*word).to_owned()));
                        break;
                    }
                }
            }
        }
        Ok(DockerPlan::Run(Box::new(run)))
    }

    /// Only images that this run has built can be removed: the others have no such name.
    fn remove_images(&self, rest: &[&str]) -> DockerPlan {
        let word = |word: &&str| if word.starts_with('-') { (*word).to_owned() } else { self.image_name(word) };
        let args = std::iter::once("rmi".to_owned()).chain(rest.iter().map(word)).collect();
        DockerPlan::Run(Box::new(DockerRun { args, hide: self.hide(), ..DockerRun::default() }))
    }

    /// Finds an image that a command names: one that this run has built, a stand-in, or the engine's own.
    fn image(&self, name: &str, world: &dyn DockerWorld) -> (String, Option<(String, String)>) {
        let own = self.image_name(name);
        if world.has_image(&own) {
            return (own, None);
        }
        match self.stand_in(name, world) {
            Some(stand_in) => (stand_in.clone(), Some((stand_in, name.to_owned()))),
            None => (name.to_owned(), None),
        }
    }

    /// Returns what stands in for a busybox that the engine does not have.
    fn stand_in(&self, name: &str, world: &dyn DockerWorld) -> Option<String> {
        self.utility.clone().filter(|_| is_busybox(name) && !world.has_image(name))
    }

    fn namespace(&self, builder: &str) -> Option<&str> {
        self.builders.iter().find(|(name, _)| name == builder).map(|(_, namespace)| namespace.as_str())
    }

    fn image_name(&self, name: &str) -> String {
        format!("{}/{name}", self.prefix)
    }

    fn container_name(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    fn known_container(&self, name: &str, world: &dyn DockerWorld) -> String {
        if world.made(name) { name.to_owned() } else { self.container_name(name) }
    }

    /// What the names of this run become again in what a command prints.
    fn hide(&self) -> Vec<(String, String)> {
        let images = [format!("docker.io/{}/", self.prefix), format!("{}/", self.prefix)];
        let shown = ["docker.io/library/".to_owned(), String::new()];
        let mut hide: Vec<_> = images.into_iter().zip(shown).collect();
        hide.push((format!("{}-", self.prefix), String::new()));
        hide
    }
}

/// Tells whether an image is a busybox, by the last part of its name.
fn is_busybox(image: &str) -> bool {
    let name = image.split('@').next().unwrap_or(image);
    name.rsplit('/').next().and_then(|name| name.split(':').next()) == Some("busybox")
}

/// Tells whether a command only looks, and so passes as it is.
fn only_looks(words: &[&str]) -> bool {
    matches!(
        words,
        ["version" | "info" | "--version" | "-v", ..] | ["buildx"] | ["buildx", "version" | "ls" | "inspect", ..]
    )
}

/// Tells whether a flag of `create` and `run` reaches nothing but the new container.
fn is_harmless(flag: &str, value: Option<&str>) -> bool {
    const KNOWN: [&str; 22] = [
        "--rm",
        "--interactive",
        "--tty",
        "--detach",
        "--init",
        "--read-only",
        "-e",
        "--env",
        "-w",
        "--workdir",
        "-u",
        "--user",
        "--entrypoint",
        "-l",
        "--label",
        "-h",
        "--hostname",
        "--platform",
        "--pull",
        "--tmpfs",
        "--quiet",
        "--no-healthcheck",
    ];
    let letters = flag.strip_prefix('-').filter(|rest| !rest.starts_with('-') && !rest.is_empty());
    let switches = letters.is_some_and(|letters| letters.chars().all(|letter| "itd".contains(letter)));
    KNOWN.contains(&flag) || switches || (matches!(flag, "--network" | "--net") && value == Some("none"))
}

fn pass(args: &[String]) -> DockerPlan {
    DockerPlan::Run(Box::new(DockerRun { args: args.to_vec(), ..DockerRun::default() }))
}

fn refusal(words: &[&str], why: &str) -> CommandRefusal {
    let command: Vec<&str> = words.iter().take(4).copied().collect();
    CommandRefusal { command: command.join(" "), why: why.to_owned() }
}

#[cfg(test)]
mod tests;
