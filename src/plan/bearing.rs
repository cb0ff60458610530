//! Whether a step that is not run may matter to the caches. [`doubt`] is principal.
//!
//! What is listed as harmless here was read; whatever is not listed may do anything, and is said to.

use super::Given;
use super::action::Action;
use super::step::PlannedStep;
use crate::workflow::ActionForm;

/// Actions that touch neither the workspace's caches, nor a builder, nor the environment of later steps in a way that matters
/// here. An owner alone stands for all of its actions.
const HARMLESS: [&str; 31] = [
    "actions/attest-build-provenance",
    "actions/download-artifact",
    "actions/github-script",
    "actions/labeler",
    "actions/setup-go",
    "actions/setup-java",
    "actions/setup-node",
    "actions/setup-python",
    "actions/upload-artifact",
    "anchore/sbom-action",
    "anchore/scan-action",
    "aquasecurity/trivy-action",
    "aws-actions",
    "azure/docker-login",
    "azure/login",
    "codecov/codecov-action",
    "docker/login-action",
    "docker/metadata-action",
    "docker/scout-action",
    "docker/setup-qemu-action",
    "dorny/paths-filter",
    "github/codeql-action",
    "golangci/golangci-lint-action",
    "google-github-actions/auth",
    "google-github-actions/setup-gcloud",
    "jlumbroso/free-disk-space",
    "sigstore/cosign-installer",
    "softprops/action-gh-release",
    "step-security/harden-runner",
    "tj-actions/changed-files",
    "8398a7/action-slack",
];

/// Commands that only look, print or check.
const QUIET: [&str; 24] = [
    ":", "[", "cat", "date", "df", "du", "echo", "env", "exit", "false", "git", "go", "head", "ls", "printf", "pwd",
    "set", "sleep", "stat", "tail", "test", "tree", "true", "wc",
];

/// Commands whose first word is the name of a task.
const RUNNERS: [&str; 10] = ["bazel", "cargo", "gradle", "just", "make", "mage", "npm", "pnpm", "task", "yarn"];

/// Says why the caches may depend on a step that is not run; `None` where they do not.
///
/// `carried` are the directories that the job's cache and dance steps name, as far as they are written out.
pub(super) fn doubt(step: &PlannedStep, carried: &[String], given: &Given) -> Option<String> {
    let builds = match &step.action {
        Action::NotReproduced { builds, .. } => builds,
        // What else a script does beside its builds is left out.
        Action::BuildScript => &false,
        _ => return None,
    };
    if given.left_out.iter().any(|name| *name == step.display_name || step.id.as_deref() == Some(name)) {
        return None;
    }
    if *builds {
        return Some("it builds an image, and is not understood".to_owned());
    }
    match (&step.uses, &step.script) {
        (Some(uses), _) => match &uses.form {
            ActionForm::Repository { owner, repo, .. } => {
                let name = format!("{owner}/{repo}").to_ascii_lowercase();
                let known = |listed: &&str| *listed == name || *listed == owner.to_ascii_lowercase();
                (!HARMLESS.iter().any(known)).then(|| format!("nothing here knows what `{}` does", uses.text))
            }
            ActionForm::Local { .. } => Some("the code of this local action is not run here".to_owned()),
            ActionForm::Image { .. } => Some("the image of this action is not run here".to_owned()),
        },
        (None, Some(script)) => script_doubt(script.text.raw(), carried),
        (None, None) => None,
    }
}

fn script_doubt(script: &str, carried: &[String]) -> Option<String> {
    let joined = script.replace("\\\n", " ");
    for line in joined.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        for command in line.split([';', '|', '&']).map(str::trim).filter(|command| !command.is_empty()) {
            if let Some(why) = command_doubt(command, carried) {
                return Some(why);
            }
        }
        let names = |variable: &&&str| line.contains(**variable);
        if line.contains("GITHUB_ENV")
            && let Some(variable) = ["BUILDX_", "DOCKER_", "BUILDKIT_"].iter().find(names)
        {
            return Some(format!("it sets a variable `{variable}…` that a build reads"));
        }
    }
    None
}

fn command_doubt(command: &str, carried: &[String]) -> Option<String> {
    let mut words = command.split_whitespace().skip_while(|word| *word == "sudo" || is_assignment(word));
    let first = words.next()?.rsplit('/').next().unwrap_or_default();
    let second = words.next().unwrap_or_default();
    let third = words.next().unwrap_or_default();
    let builder = matches!(
        (first, second, third),
        ("docker", "buildx", "create" | "use" | "rm" | "prune" | "stop" | "install")
            | ("docker", "builder" | "system" | "volume", "prune" | "rm")
            | ("docker", "context", "use" | "create")
            | ("buildctl" | "buildkitd", _, _)
    );
    if builder {
        return Some(format!("it works on the builder itself: `{first} {second} {third}`").trim_end().to_owned());
    }
    // What only prints touches what it is redirected to; of what only runs a task, the first word is the task's name.
    let touching = match first {
        "docker" if !matches!(second, "run" | "cp" | "exec" | "container") => "",
        quiet if QUIET.contains(&quiet) => command.rsplit_once('>').map_or("", |(_, target)| target),
        runner if RUNNERS.contains(&runner) => command.split_once(second).map_or("", |(_, rest)| rest),
        _ => command,
    };
    let touched = carried.iter().find(|dir| names(touching, dir))?;
    Some(format!("it names `{touched}`, which the job carries"))
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
    })
}

/// Tells whether a text names a directory as a word of its own or as the beginning of a path.
fn names(text: &str, dir: &str) -> bool {
    let inside = |char: char| char.is_alphanumeric() || matches!(char, '-' | '_' | '.');
    text.match_indices(dir).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        !before.is_some_and(inside) && !after.is_some_and(inside)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(script: &str) -> Option<String> {
        script_doubt(script, &["go-mod".to_owned()])
    }

    #[test]
    fn a_script_matters_where_it_touches_what_is_carried_or_the_builder() {
        for script in [
            "rm -rf go-mod",
            "sudo mv x ./go-mod/y",
            "cd a && mkdir -p \"go-mod\"",
            "echo x > go-mod/x",
            "docker buildx create --use",
            "sudo docker builder prune -af",
            "docker run -v $PWD/go-mod:/x y",
            "A=1 docker \\\n  buildx use x",
            "echo BUILDX_BUILDER=x >> $GITHUB_ENV",
        ] {
            assert!(said(script).is_some(), "{script}");
        }
        for script in [
            "make go-mod",
            "echo DIR=go-mod >> $GITHUB_ENV",
            "docker build go-mod",
            "make lint",
            "du -sh go-mod | sort",
            "rm -rf go-mod-old",
            "# rm go-mod",
            "docker run x",
            "docker buildx ls",
        ] {
            assert_eq!(said(script), None, "{script}");
        }
    }
}
