//! A repository on the disk, as a lint asks for it. [`Repository`] is principal.

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::problem::CliProblem;
use crate::lint::{LintFiles, LintProblem, LintReport};
use crate::plan::RepositoryFiles;
use crate::source::Source;

/// A workflow or Dockerfile larger than this is none.
const LARGEST: u64 = 4 << 20;

/// More files than these are not listed; what depends on them is unknown then.
const MOST_FILES: usize = 200_000;

/// One repository and those of its workflows to look at.
pub(super) struct Repository {
    pub(super) root: PathBuf,
    /// How its root is written from here: empty, or with a slash at its end.
    prefix: String,
    /// The workflows, named from the root.
    pub(super) workflows: Vec<Source>,
    /// What could not be read.
    pub(super) unread: Vec<LintProblem>,
    files: OnceCell<Option<Vec<PathBuf>>>,
}

impl Repository {
    /// Finds the repositories that the arguments name, each once.
    ///
    /// # Errors
    /// A path that does not exist, or a directory without workflows.
    pub(super) fn find(paths: &[PathBuf]) -> Result<Vec<Self>, CliProblem> {
        let mut found: Vec<Self> = Vec::new();
        let here = [PathBuf::from(".")];
        for path in if paths.is_empty() { &here } else { paths } {
            let real = fs::canonicalize(path)
                .map_err(|error| CliProblem::stopped(format!("cannot read {}: {error}", path.display())))?;
            let root = root_of(&real);
            let at = match found.iter().position(|known| known.root == root) {
                Some(at) => at,
                None => {
                    found.push(Self::at(root));
                    found.len() - 1
                }
            };
            let repository = &mut found[at];
            let files = if real.is_dir() { workflows_below(&repository.root, &real, path)? } else { vec![real] };
            files.iter().for_each(|file| repository.take(file));
        }
        Ok(found)
    }

    fn at(root: PathBuf) -> Self {
        let here = std::env::current_dir().and_then(fs::canonicalize).ok();
        let prefix = match here {
            Some(here) if here == root => String::new(),
            Some(here) => match (root.strip_prefix(&here), here.strip_prefix(&root)) {
                (Ok(below), _) => format!("{}/", below.display()),
                (_, Ok(above)) => "../".repeat(above.components().count()),
                _ => format!("{}/", root.display()),
            },
            None => format!("{}/", root.display()),
        };
        Self { root, prefix, workflows: Vec::new(), unread: Vec::new(), files: OnceCell::new() }
    }

    fn take(&mut self, file: &Path) {
        let name = file.strip_prefix(&self.root).unwrap_or(file).to_string_lossy().into_owned();
        if self.workflows.iter().any(|known| known.name == name) {
            return;
        }
        match read(file) {
            Ok(text) => self.workflows.push(Source::new(name, text)),
            Err(reason) => {
                let message = format!("cannot read {}{name}: {reason}", self.prefix);
                self.unread.push(LintProblem { message, hint: None });
            }
        }
    }

    /// Shows how a file would change.
    pub(super) fn diff(&self, name: &str, text: &str) -> String {
        let old = self.text_of(name).unwrap_or_default();
        let patch = diffy::create_patch(&old, text).to_string();
        let body = patch.lines().skip(2).map(|line| format!("{line}\n")).collect::<String>();
        format!("--- a/{name}\n+++ b/{name}\n{body}")
    }

    /// Writes a changed file.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), CliProblem> {
        fs::write(self.root.join(name), text)
            .map_err(|error| CliProblem::stopped(format!("cannot write {}{name}: {error}", self.prefix)))
    }

    fn text_of(&self, name: &str) -> Option<String> {
        let workflow = self.workflows.iter().find(|source| source.name == name);
        workflow.map(|source| source.text.clone()).or_else(|| Some(self.read(name)?.text))
    }

    /// Names the files of a report as they are found from here.
    pub(super) fn name_from_here(&self, report: &mut LintReport) {
        if self.prefix.is_empty() {
            return;
        }
        let name = |name: &str| format!("{}{name}", self.prefix);
        for finding in &mut report.findings {
            finding.places.iter_mut().for_each(|place| place.file = name(&place.file));
            finding.edits.iter_mut().for_each(|edit| edit.file = name(&edit.file));
        }
        let sources = std::mem::take(&mut report.sources);
        report.sources = sources
            .into_values()
            .map(|source| Source::new(name(&source.name), source.text))
            .map(|source| (source.name.clone(), source))
            .collect();
        report.unread.iter_mut().for_each(|problem| problem.message = name(&problem.message));
    }
}

impl RepositoryFiles for Repository {
    fn read(&self, path: &str) -> Option<Source> {
        let file = fs::canonicalize(self.root.join(path)).ok()?;
        // A link that leads out of the repository is not followed.
        let text = file.starts_with(&self.root).then(|| read(&file).ok()).flatten()?;
        Some(Source::new(path, text))
    }
}

impl LintFiles for Repository {
    fn list(&self) -> Option<&[PathBuf]> {
        self.files.get_or_init(|| list(&self.root)).as_deref()
    }
}

/// Returns the root of the repository that a path lies in; its own directory, where there is none.
fn root_of(path: &Path) -> PathBuf {
    let own = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    let marked = |dir: &&Path| dir.join(".git").exists() || dir.join(".github/workflows").is_dir();
    // A directory with workflows of its own is a repository, also inside another.
    let mut above = own.ancestors();
    above.find(marked).unwrap_or(own).to_owned()
}

fn workflows_below(root: &Path, dir: &Path, asked: &Path) -> Result<Vec<PathBuf>, CliProblem> {
    let usual = root.join(".github/workflows");
    let dir = if dir.starts_with(&usual) { dir } else { &usual };
    let is_workflow = |path: &PathBuf| path.extension().is_some_and(|end| end == "yml" || end == "yaml");
    let mut found: Vec<PathBuf> = fs::read_dir(dir)
        .map(|entries| entries.flatten().map(|entry| entry.path()).filter(is_workflow).collect())
        .unwrap_or_default();
    found.sort();
    if found.is_empty() {
        let hint = "name a workflow file, or the directory of a repository with .github/workflows";
        return Err(CliProblem::stopped(format!("{} has no workflows in {}", asked.display(), dir.display()))
            .hint(Some(hint.to_owned())));
    }
    Ok(found)
}

/// Reads a text file. A byte order mark stays; the YAML reader knows it.
fn read(path: &Path) -> Result<String, String> {
    let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > LARGEST {
        return Err(format!("it has {size} bytes, more than any workflow or Dockerfile"));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| format!("it is no UTF-8 text (byte {})", error.utf8_error().valid_up_to()))
}

/// Lists every file but Git's own.
fn list(root: &Path) -> Option<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(dir) = open.pop() {
        let Ok(entries) = fs::read_dir(root.join(&dir)) else { continue };
        for entry in entries.flatten() {
            let path = dir.join(entry.file_name());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && entry.file_name() != ".git" => open.push(path),
                Ok(kind) if !kind.is_dir() => found.push(path),
                _ => {}
            }
            if found.len() > MOST_FILES {
                return None;
            }
        }
    }
    Some(found)
}
