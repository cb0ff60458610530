//! What a person names on GitHub: a repository, a workflow, a run or a job. [`GithubTarget`] is principal.

/// A place on GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct GithubTarget {
    /// The host, where an address or `HOST/OWNER/REPO` names one; else it is the one that `gh` is set to.
    pub(super) host: Option<String>,
    /// `owner/name`; `None` means the repository that the current directory is a clone of.
    pub(super) repository: Option<String>,
    /// What of it.
    pub(super) what: TargetPart,
}

/// A part of a repository's actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TargetPart {
    /// The latest run of the one workflow that builds with cache mounts.
    Latest,
    /// The latest run of a workflow, by the name of its file or its number.
    Workflow(String),
    /// A run, by its number, and the attempt where one is named.
    Run { id: u64, attempt: Option<u32> },
    /// A job, by its number.
    Job { run: Option<u64>, id: u64 },
}

impl GithubTarget {
    /// Reads an input of `logs`: an address of GitHub's web page, or `OWNER/REPO`. A file of that name comes first.
    pub(in crate::cli) fn of_input(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) {
            return Self::of_address(rest);
        }
        if std::path::Path::new(text).exists() {
            return None;
        }
        let parts: Vec<&str> = text.split('/').collect();
        let (host, owner, name) = match parts[..] {
            [owner, name] => (None, owner, name),
            [host, owner, name] if host.contains('.') && !host.starts_with('.') => (Some(host), owner, name),
            _ => return None,
        };
        let file = [".log", ".txt", ".zip"].iter().any(|end| name.ends_with(end));
        (is_owner(owner) && is_name(name) && !file).then(|| Self {
            host: host.map(str::to_owned),
            repository: Some(format!("{owner}/{}", name.trim_end_matches(".git"))),
            what: TargetPart::Latest,
        })
    }

    /// A run by its number, of a repository or of the one that the current directory is a clone of.
    pub(in crate::cli) fn of_run(id: u64, repository: Option<Self>) -> Self {
        let (host, repository) = repository.map_or((None, None), |target| (target.host, target.repository));
        Self { host, repository, what: TargetPart::Run { id, attempt: None } }
    }

    fn of_address(rest: &str) -> Option<Self> {
        let path = rest.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        let parts: Vec<&str> = path.split('/').collect();
        let [host, owner, name, rest @ ..] = parts.as_slice() else { return None };
        let what = match rest {
            [] | ["actions"] => TargetPart::Latest,
            ["actions", "workflows", file] => TargetPart::Workflow((*file).to_owned()),
            ["actions", "runs", run] => TargetPart::Run { id: run.parse().ok()?, attempt: None },
            ["actions", "runs", run, "attempts", attempt, ..] => {
                TargetPart::Run { id: run.parse().ok()?, attempt: Some(attempt.parse().ok()?) }
            }
            ["actions", "runs", run, "job" | "jobs", job, ..] => {
                TargetPart::Job { run: Some(run.parse().ok()?), id: job.parse().ok()? }
            }
            ["runs", job] => TargetPart::Job { run: None, id: job.parse().ok()? },
            _ => return None,
        };
        let repository = Some(format!("{owner}/{}", name.trim_end_matches(".git")));
        (is_owner(owner) && is_name(name)).then(|| Self { host: Some((*host).to_owned()), repository, what })
    }
}

/// An account's name, as GitHub allows it.
fn is_owner(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    plain && !text.is_empty() && text.len() <= 39 && !text.starts_with('-')
}

/// A repository's name, as GitHub allows it.
fn is_name(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    plain && !text.is_empty() && text.len() <= 100 && !matches!(text, "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(text: &str) -> Option<TargetPart> {
        GithubTarget::of_input(text).map(|target| target.what)
    }

    #[test]
    fn addresses_of_the_web_page_name_what_they_show() {
        let run = "https://github.com/owner/app/actions/runs/123";
        assert_eq!(what(run), Some(TargetPart::Run { id: 123, attempt: None }));
        assert_eq!(what(&format!("{run}?pr=7")), Some(TargetPart::Run { id: 123, attempt: None }));
        assert_eq!(what(&format!("{run}/attempts/2")), Some(TargetPart::Run { id: 123, attempt: Some(2) }));
        assert_eq!(what(&format!("{run}/job/45#step:3:1")), Some(TargetPart::Job { run: Some(123), id: 45 }));
        let workflow = "https://github.com/owner/app/actions/workflows/ci.yml";
        assert_eq!(what(workflow), Some(TargetPart::Workflow("ci.yml".to_owned())));
        assert_eq!(what("https://github.com/owner/app/"), Some(TargetPart::Latest));
        assert_eq!(what("https://github.com/owner/app/blob/main/x.log"), None);
    }

    #[test]
    fn a_repository_is_told_from_a_file() {
        let target = GithubTarget::of_input("owner/app").unwrap();
        assert_eq!((target.host, target.repository.as_deref()), (None, Some("owner/app")));
        let target = GithubTarget::of_input("git.example.org/owner/app").unwrap();
        assert_eq!(
            (target.host.as_deref(), target.repository.as_deref()),
            (Some("git.example.org"), Some("owner/app"))
        );
        for file in ["src/cli", "logs/run.log", "run.log", "a/b/c", "../x", "./x/y", "-", "/tmp/x", "a b/c", "owner/.."]
        {
            assert_eq!(what(file), None, "{file}");
        }
    }
}
