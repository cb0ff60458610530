//! What a person says on the command line that stands in no file. [`given`] is principal.

use std::path::Path;

use crate::cli::args::RunArgs;
use crate::cli::problem::CliProblem;
use crate::plan::{Given, Secret};

/// Gathers what the arguments say; secrets without a value come from the environment, the repository's name from its Git
/// settings.
pub(super) fn given(args: &RunArgs) -> Result<Given, CliProblem> {
    let mut secrets = Vec::new();
    for secret in &args.secret {
        let value = match &secret.value {
            Some(value) => value.clone(),
            None => std::env::var(&secret.name).map(Secret::new).map_err(|_| {
                CliProblem::usage(format!("--secret {0}: there is no environment variable `{0}`", secret.name))
                    .hint(Some(format!("set it, or write `--secret {}=VALUE`", secret.name)))
            })?,
        };
        secrets.push((secret.name.clone(), value));
    }
    let mut values: Vec<(String, String)> = Vec::new();
    if let Some(name) = args.project.as_deref().and_then(repository) {
        let owner = name.split('/').next().unwrap_or_default().to_owned();
        values.extend([("github.repository".to_owned(), name), ("github.repository_owner".to_owned(), owner)]);
    }
    // The last one counts, so a person's word goes before what Git says.
    values.extend(args.set.iter().cloned());
    Ok(Given {
        matrix: args.matrix.clone(),
        inputs: args.input.clone(),
        vars: args.var.clone(),
        secrets,
        values,
        left_out: args.leave_out.clone(),
        dance_as: args.dance_as.as_ref().map(|dance| dance.code),
    })
}

/// Reads `owner/name` of a repository on GitHub from the remote `origin` of its clone.
fn repository(project: &Path) -> Option<String> {
    let config = std::fs::read_to_string(project.join(".git/config")).ok()?;
    let mut lines = config.lines().map(str::trim).skip_while(|line| *line != "[remote \"origin\"]").skip(1);
    let url = lines.by_ref().take_while(|line| !line.starts_with('[')).find_map(|line| line.strip_prefix("url"))?;
    of_url(url.trim_start().strip_prefix('=')?.trim())
}

fn of_url(url: &str) -> Option<String> {
    let path = ["https://github.com/", "git@github.com:", "ssh://git@github.com/"]
        .iter()
        .find_map(|host| url.strip_prefix(host))?;
    let name = path.trim_end_matches('/').trim_end_matches(".git");
    (name.split('/').count() == 2).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_repository_comes_from_its_remote() {
        for url in [
            "https://github.com/a/b.git",
            "git@github.com:a/b.git",
            "ssh://git@github.com/a/b",
            "https://github.com/a/b/",
        ] {
            assert_eq!(of_url(url).as_deref(), Some("a/b"), "{url}");
        }
        assert_eq!(of_url("https://example.com/a/b.git"), None);
        assert_eq!(of_url("/srv/git/a"), None);
    }
}
