//! `init`: a workflow that carries a Dockerfile's cache mounts, and the Dockerfile with its measuring lines, as a diff.
//! [`run`] is principal.

use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::here::Here;
use super::problem::CliProblem;
use super::reading::read;
use super::talk::{out, say};
use crate::dockerfile::{Dockerfile, InstrumentOptions, instrument};
use crate::scenario::healthy_workflow;

/// Where the workflow goes.
const WORKFLOW: &str = ".github/workflows/verify-buildkit-cache.yml";

/// GitHub's own runners; the cache map of a mount that names a platform is theirs.
const PLATFORM: &str = "linux/amd64";

/// Prints the diff; `git apply` takes it.
pub(super) fn run(dockerfile: Option<&Path>) -> Result<Exit, CliProblem> {
    let (root, inside) = chosen(dockerfile)?;
    let source = read(&root.join(&inside))?;
    let stopped = |error: crate::dockerfile::DockerfileError| CliProblem::from_error(&error).hint(error.hint());
    let parsed = Dockerfile::parse(&source).map_err(stopped)?;
    let shown = inside.to_string_lossy().replace('\\', "/");
    if parsed.cache_mounts(&std::collections::BTreeMap::new()).map_err(stopped)?.is_empty() {
        return Err(CliProblem::stopped(format!("{shown} has no cache mount, so there is nothing to carry"))
            .hint(Some("add --mount=type=cache,target=/go/pkg/mod to the RUN that compiles".to_owned()))
            .at(&shown, None));
    }
    let workflow = healthy_workflow(&parsed, &shown, PLATFORM).map_err(stopped)?;
    let workflow = workflow.replacen("name: derived\n", "name: cache mounts\n", 1);
    let options = InstrumentOptions { measure: true, ..InstrumentOptions::default() };
    let measured = instrument(&parsed, &options).map_err(stopped)?;
    if root.join(WORKFLOW).exists() {
        say(&format!("note: {WORKFLOW} is there already; the diff is against no file"));
    }
    out(&new_file(WORKFLOW, &workflow));
    out(&changed_file(&shown, &source.text, &measured.text));
    say("apply it with `verify-buildkit-cache init | git apply`, then try it with `verify-buildkit-cache run`");
    Ok(Exit::Effective)
}

/// The repository's root and the Dockerfile below it.
fn chosen(dockerfile: Option<&Path>) -> Result<(PathBuf, PathBuf), CliProblem> {
    let here = Here::look();
    let root = here.as_ref().map_or_else(|| PathBuf::from("."), |here| here.root().to_owned());
    if let Some(path) = dockerfile {
        let inside = path.canonicalize().ok().zip(root.canonicalize().ok());
        let inside = inside.and_then(|(path, root)| path.strip_prefix(root).ok().map(Path::to_owned));
        return Ok((root, inside.unwrap_or_else(|| path.to_owned())));
    }
    let found = here.as_ref().map(Here::with_mounts).unwrap_or_default();
    match found.as_slice() {
        [one] => Ok((root, one.path.clone())),
        [] => Err(CliProblem::stopped("no Dockerfile here has a cache mount")
            .hint(Some("name it: verify-buildkit-cache init path/to/Dockerfile".to_owned()))),
        several => {
            let lines =
                several.iter().map(|one| format!("\n  verify-buildkit-cache init {}", root.join(&one.path).display()));
            Err(CliProblem::usage(format!("{} Dockerfiles here have cache mounts", several.len()))
                .hint(Some(format!("name one:{}", lines.collect::<String>()))))
        }
    }
}

fn new_file(path: &str, text: &str) -> String {
    let lines: String = text.lines().map(|line| format!("+{line}\n")).collect();
    let count = text.lines().count();
    format!(
        "diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{count} @@\n{lines}"
    )
}

fn changed_file(path: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let patch = diffy::create_patch(before, after).to_string();
    let hunks = patch.split_once("@@").map_or(String::new(), |(_, hunks)| format!("@@{hunks}"));
    format!("diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n{hunks}")
}
