//! What a `RUN` of the fake engine does: the commands it follows, on the mounts and on the layer. [`Environment`] is
//! principal.
//!
//! It knows who runs: a user other than root writes only into mounts that are his, and reads nothing below `/root`.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use super::build::{FakeBuild, MOMENT};
use super::go::{CompileGoal, GoDirectory, Toolchain};
use super::shell::{self, When};
use super::tree::FileTree;
use crate::dockerfile::{CommandForm, MountOptions, ProofStep, RunInstruction, clean_path};
use crate::evidence::Creator;

/// The id of a user whom only a name tells.
const SOME_USER: u64 = 1000;

/// Commands that no Go image has.
const ABSENT: [&str; 2] = ["golint", "golangci-lint"];

/// What the commands of a step find.
pub(super) struct Environment<'e> {
    /// `ARG` and `ENV`.
    pub(super) variables: &'e BTreeMap<String, String>,
    /// `USER`; empty for root.
    pub(super) user: &'e str,
    /// The image at the bottom of the stage, which tells the Go release.
    pub(super) image: &'e str,
    /// A number for what stands in the layer, the sources too.
    pub(super) sources: u64,
    /// The step's cache mounts.
    pub(super) mounts: &'e [&'e MountOptions],
    /// The layer.
    pub(super) root: &'e mut FileTree,
}

impl Environment<'_> {
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(super) fn uid(&self) -> u64 {
        let name = self.user.split(':').next().unwrap_or_default();
        if matches!(name, "" | "root") { 0 } else { name.parse().unwrap_or(SOME_USER) }
    }

    fn home(&self) -> String {
        match (self.variable("HOME"), self.uid()) {
            (Some(home), _) => home.to_owned(),
            (None, 0) => "/root".to_owned(),
            (None, _) => format!("/home/{}", self.user),
        }
    }

    /// Where Go keeps its modules: `go env GOMODCACHE`.
    pub(super) fn modules(&self) -> String {
        let below = || format!("{}/pkg/mod", self.variable("GOPATH").unwrap_or("/go"));
        self.variable("GOMODCACHE").map_or_else(below, str::to_owned)
    }

    /// Where Go keeps what it has compiled: `go env GOCACHE`.
    pub(super) fn build_cache(&self) -> String {
        self.variable("GOCACHE").map_or_else(|| format!("{}/.cache/go-build", self.home()), str::to_owned)
    }

    /// Finds the mount that a path leads into, and the rest of the path.
    fn mount(&self, path: &str) -> Option<(usize, String)> {
        let path = clean_path(path);
        self.mounts.iter().enumerate().find_map(|(at, mount)| {
            let rest = path.strip_prefix(&clean_path(&mount.target))?;
            (rest.is_empty() || rest.starts_with('/')).then(|| (at, rest.trim_start_matches('/').to_owned()))
        })
    }

    /// Tells whether the user is kept out of a path: nobody but root looks into `/root`.
    pub(super) fn closed(&self, path: &str) -> bool {
        self.uid() != 0 && (path == "/root" || path.starts_with("/root/"))
    }
}

impl FakeBuild<'_> {
    /// Runs the commands of one `RUN`; the exit code when it fails.
    pub(super) fn script(&mut self, run: &RunInstruction, environment: &mut Environment<'_>) -> Result<(), u8> {
        let script = run.text();
        if let Some(step) = ProofStep::read(&script) {
            self.proof(&step, environment);
            return Ok(());
        }
        let words = (run.form == CommandForm::Exec).then(|| serde_json::from_str::<Vec<String>>(&run.command).ok());
        let commands = match words.flatten() {
            Some(words) => vec![shell::FakeShellCommand { when: When::Always, words }],
            None => shell::commands(&script),
        };
        let mut last = 0;
        for command in commands {
            let skipped = match command.when {
                When::Always => false,
                When::Succeeded => last != 0,
                When::Failed => last == 0,
                When::Never => true,
            };
            if skipped {
                continue;
            }
            let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
            last = match words.as_slice() {
                ["exit", rest @ ..] => {
                    let code = rest.first().map_or(last, |code| code.parse().unwrap_or(2));
                    return if code == 0 { Ok(()) } else { Err(code) };
                }
                ["false", ..] => 1,
                _ => self.command(&words, environment),
            };
        }
        if last == 0 { Ok(()) } else { Err(last) }
    }

    /// Runs one command and returns its exit code.
    fn command(&mut self, words: &[&str], environment: &mut Environment<'_>) -> u8 {
        match words {
            [absent, ..] if ABSENT.contains(absent) => {
                self.line(format!("/bin/sh: {absent}: not found"));
                127
            }
            ["echo", rest @ ..] => {
                // What goes into a file is not printed.
                if !rest.iter().any(|word| word.starts_with('>')) {
                    self.line(rest.join(" "));
                }
                0
            }
            ["du", rest @ ..] => self.sizes(rest, environment),
            ["ls", rest @ ..] => {
                for path in rest.iter().filter(|word| word.starts_with('/')) {
                    let names = self.at(path, environment, |home| home.tree.names(&home.path));
                    names.into_iter().for_each(|name| self.line(name));
                }
                0
            }
            ["cat", rest @ ..] => {
                for path in rest.iter().filter(|word| word.starts_with('/')) {
                    let bytes = self.at(path, environment, |home| home.tree.read(&home.path).map(<[u8]>::to_vec));
                    let Some(bytes) = bytes else {
                        self.line(format!("cat: can't open '{path}': No such file or directory"));
                        return 1;
                    };
                    String::from_utf8_lossy(&bytes).lines().for_each(|line| self.line(line.to_owned()));
                }
                0
            }
            ["rm", rest @ ..] => {
                for path in rest.iter().filter(|word| word.starts_with('/')) {
                    let directory = path.strip_suffix("/*");
                    let path = directory.unwrap_or(path);
                    self.at(path, environment, |home| home.tree.remove(&home.path, directory.is_some()));
                }
                0
            }
            ["time", "go", "build" | "install", rest @ ..] => {
                let (took, code) = self.compile(rest, environment);
                self.line(format!("real\t{}m {:05.2}s", took.as_secs() / 60, took.as_secs_f64() % 60.0));
                code
            }
            ["go", "build" | "install", rest @ ..] => self.compile(rest, environment).1,
            ["go", "mod", "download", ..] => self.download(environment),
            _ => 0,
        }
    }

    /// Prints sizes: of the paths, or of every mount where a variable stands for them.
    fn sizes(&mut self, words: &[&str], environment: &mut Environment<'_>) -> u8 {
        let written = words.iter().filter(|word| word.starts_with('/')).map(|word| (*word).to_owned());
        let mut paths: Vec<String> = written.collect();
        if words.iter().any(|word| word.starts_with('$')) {
            paths.extend(environment.mounts.iter().map(|mount| mount.target.clone()));
        }
        let hidden = words.contains(&"2>/dev/null");
        let mut code = 0;
        for path in paths {
            if environment.closed(&path) {
                code = 1;
                if !hidden {
                    self.line(format!("du: {path}: Permission denied"));
                }
                continue;
            }
            let size = self.at(&path, environment, |home| home.tree.bytes(&home.path));
            let size = size.saturating_mul(self.fake.scale);
            self.line(format!("{}\t{path}", human(size)));
        }
        code
    }

    /// Compiles; returns how long it took, and the exit code.
    fn compile(&mut self, words: &[&str], environment: &mut Environment<'_>) -> (Duration, u8) {
        let cache = environment.build_cache();
        if !self.may_write(&cache, environment) {
            self.line(format!("failed to initialize build cache at {cache}: permission denied"));
            return (Duration::ZERO, 1);
        }
        let settings: Vec<&str> =
            ["GOFLAGS", "CGO_ENABLED", "GOOS", "GOARCH"].iter().filter_map(|name| environment.variable(name)).collect();
        let goal = CompileGoal::read(words, environment.image, &settings, environment.sources);
        let code = if goal.modules { self.download(environment) } else { 0 };
        if code != 0 {
            return (Duration::ZERO, code);
        }
        let (fake, now, requires) = (self.fake, self.state.advance(MOMENT), self.requires());
        let toolchain = Toolchain { fake, now, requires };
        let took = self.at(&cache, environment, |home| toolchain.compile(&goal, home));
        self.state.advance(took);
        (took, 0)
    }

    fn download(&mut self, environment: &mut Environment<'_>) -> u8 {
        let modules = environment.modules();
        if !self.may_write(&modules, environment) {
            self.line(format!("go: could not create module cache: mkdir {modules}/cache: permission denied"));
            return 1;
        }
        let (fake, now, requires) = (self.fake, self.state.advance(MOMENT), self.requires());
        let toolchain = Toolchain { fake, now, requires };
        let lines = self.at(&modules, environment, |home| toolchain.download(home));
        lines.into_iter().for_each(|line| self.line(line));
        0
    }

    /// Returns a number for `go.mod`, if there is one.
    fn requires(&self) -> Option<u64> {
        let text = self.context.text("go.mod")?;
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Some(hasher.finish())
    }

    pub(super) fn may_write(&mut self, path: &str, environment: &Environment<'_>) -> bool {
        if environment.closed(path) {
            return false;
        }
        let Some((at, _)) = environment.mount(path) else { return true };
        let mount = environment.mounts[at];
        let tree = &self.state.mount(&self.request.namespace, mount, Creator::Build).tree;
        !mount.readonly && tree.writable_by(environment.uid())
    }

    /// Looks at what a path leads to: a place in a cache mount, or in the layer.
    pub(super) fn at<T>(
        &mut self,
        path: &str,
        environment: &mut Environment<'_>,
        look: impl FnOnce(&mut GoDirectory<'_>) -> T,
    ) -> T {
        match environment.mount(path) {
            Some((at, path)) => {
                let mount = environment.mounts[at];
                let tree = &mut self.state.mount(&self.request.namespace, mount, Creator::Build).tree;
                look(&mut GoDirectory { tree, path })
            }
            None => {
                let path = clean_path(path).trim_start_matches('/').to_owned();
                look(&mut GoDirectory { tree: environment.root, path })
            }
        }
    }
}

/// Writes a size as `du -h` does: rounded up, and never less than one block.
fn human(bytes: u64) -> String {
    let mut tenths = bytes.saturating_add(4096).saturating_mul(10).div_ceil(1024);
    let mut units = "KMGT".chars();
    let mut unit = units.next().unwrap_or('K');
    while tenths >= 10_240
        && let Some(next) = units.next()
    {
        tenths = tenths.div_ceil(1024);
        unit = next;
    }
    if tenths < 100 {
        format!("{}.{}{unit}", tenths / 10, tenths % 10)
    } else {
        format!("{}{unit}", tenths.div_ceil(10))
    }
}
