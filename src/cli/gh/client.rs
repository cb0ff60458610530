//! Calls `gh`. [`Gh`] is principal.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::process::{Command, Stdio};

use serde::de::DeserializeOwned;

use crate::cli::problem::CliProblem;

/// The program that is called.
const PROGRAM: &str = "gh";

/// How to come by a log without `gh`.
const BY_HAND: &str =
    "or download the log yourself (the run's page, the gear, \"Download log archive\") and pass the file";

/// The person's `gh`, for one host.
#[derive(Debug, Clone)]
pub(super) struct Gh {
    host: Option<String>,
    repository: String,
}

/// Why an endpoint gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GhRefusal {
    /// The status of HTTP, where there was an answer.
    pub(super) status: Option<u16>,
    endpoint: String,
    words: String,
    login: bool,
    host: Option<String>,
}

impl Gh {
    /// Of a host (`None`: the one that `gh` is set to) and a repository (`None`: the one of the current directory).
    pub(super) fn new(host: Option<String>, repository: Option<String>) -> Self {
        Self { host, repository: repository.unwrap_or_else(|| "{owner}/{repo}".to_owned()) }
    }

    /// Names the repository, once it is known.
    pub(super) fn of_repository(mut self, repository: &str) -> Self {
        repository.clone_into(&mut self.repository);
        self
    }

    /// The host of the web pages.
    pub(super) fn web_host(&self) -> String {
        let set = || std::env::var("GH_HOST").ok().filter(|host| !host.is_empty());
        self.host.clone().or_else(set).unwrap_or_else(|| "github.com".to_owned())
    }

    /// Asks for a document below the repository.
    pub(super) fn document<T: DeserializeOwned>(&self, path: &str) -> Result<T, GhError> {
        let endpoint = self.endpoint(path);
        let mut file = self.file(&endpoint, "application/vnd.github+json")?;
        let mut text = String::new();
        let unreadable = |reason: String| {
            let problem = CliProblem::stopped(format!("gh's answer to {endpoint} is not understood: {reason}"));
            GhError::Stopped(problem.hint(Some("is this host a GitHub? `gh api` prints what it answers".to_owned())))
        };
        file.read_to_string(&mut text).map_err(|error| unreadable(error.to_string()))?;
        serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))
    }

    /// Asks for the bytes of a file of the repository, or of a log; they come as a temporary file.
    pub(super) fn bytes(&self, path: &str, accept: &str) -> Result<File, GhError> {
        self.file(&self.endpoint(path), accept)
    }

    fn endpoint(&self, path: &str) -> String {
        format!("repos/{}{path}", self.repository)
    }

    fn file(&self, endpoint: &str, accept: &str) -> Result<File, GhError> {
        let stopped = |error: io::Error| GhError::Stopped(CliProblem::stopped(format!("cannot run gh: {error}")));
        let mut out = tempfile::tempfile().map_err(stopped)?;
        let mut said = tempfile::tempfile().map_err(stopped)?;
        let mut command = Command::new(PROGRAM);
        command.args(["api", "-H", &format!("Accept: {accept}"), endpoint]);
        // `--hostname` takes no port; the variable does.
        if let Some(host) = &self.host {
            command.env("GH_HOST", host);
        }
        command
            .env("GH_PROMPT_DISABLED", "1")
            .env("NO_COLOR", "1")
            .env("GH_NO_UPDATE_NOTIFIER", "1")
            .env_remove("GH_DEBUG");
        command.stdin(Stdio::null());
        command.stdout(out.try_clone().map_err(stopped)?).stderr(said.try_clone().map_err(stopped)?);
        let status = match command.status() {
            Ok(status) => status,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(GhError::Stopped(not_installed())),
            Err(error) => return Err(stopped(error)),
        };
        if status.success() {
            out.rewind().map_err(stopped)?;
            return Ok(out);
        }
        said.rewind().map_err(stopped)?;
        let mut words = Vec::new();
        said.take(64 << 10).read_to_end(&mut words).map_err(stopped)?;
        let words = String::from_utf8_lossy(&words);
        Err(GhError::Refused(self.refusal(endpoint, &words, status.code())))
    }

    fn refusal(&self, endpoint: &str, said: &str, code: Option<i32>) -> GhRefusal {
        let line = said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it said nothing");
        let first = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or(line);
        GhRefusal {
            status: status_of(said),
            endpoint: endpoint.to_owned(),
            words: first
                .strip_prefix("gh: ")
                .unwrap_or(first)
                .chars()
                .filter(|char| !char.is_control())
                .take(300)
                .collect(),
            // gh exits with 4 where it has no token for the host.
            login: code == Some(4) || said.contains("gh auth login"),
            host: self.host.clone(),
        }
    }
}

/// Reads the status of `gh: Not Found (HTTP 404)`.
fn status_of(said: &str) -> Option<u16> {
    let (_, rest) = said.rsplit_once("(HTTP ")?;
    rest.split(')').next()?.parse().ok()
}

fn not_installed() -> CliProblem {
    CliProblem::stopped("gh, GitHub's command line, is not installed; logs are fetched with it").hint(Some(format!(
        "install it (https://cli.github.com, Debian: apt install gh) and run `gh auth login`, {BY_HAND}"
    )))
}

/// Why nothing came of a call.
#[derive(Debug)]
pub(super) enum GhError {
    /// GitHub, or `gh` on its behalf, refused.
    Refused(GhRefusal),
    /// `gh` could not be asked at all, or answered what nobody understands.
    Stopped(CliProblem),
}

impl GhError {
    /// The status of HTTP, where there was an answer.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(refusal) => refusal.status,
            Self::Stopped(_) => None,
        }
    }

    /// What stopped the program; `what` is what was asked for, in words.
    pub(super) fn problem(self, what: &str) -> CliProblem {
        match self {
            Self::Refused(refusal) => refusal.problem(what),
            Self::Stopped(problem) => problem,
        }
    }

    /// In a few words, for a note.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Refused(refusal) => refusal.words.clone(),
            Self::Stopped(_) => "gh gave no answer".to_owned(),
        }
    }
}

impl GhRefusal {
    fn problem(self, what: &str) -> CliProblem {
        let host = self.host.as_deref().filter(|host| *host != "github.com");
        let login = host.map_or_else(|| "gh auth login".to_owned(), |host| format!("gh auth login --hostname {host}"));
        let (reason, hint) = match self.status {
            _ if self.login => (
                "gh is not logged in".to_owned(),
                format!("run `{login}` (in CI: set GH_TOKEN to the job's token), {BY_HAND}"),
            ),
            Some(401) => {
                (format!("the token of gh is refused: {}", self.words), format!("run `{login}` again, {BY_HAND}"))
            }
            Some(403 | 429) if self.words.to_ascii_lowercase().contains("rate limit") => {
                (self.words.clone(), "wait, as GitHub asks; `gh api rate_limit` says how long".to_owned())
            }
            Some(403) => (
                format!("no rights: {}", self.words),
                format!(
                    "the token of gh needs to read the repository's actions (scope `repo`; in CI: `permissions: actions: read`), {BY_HAND}"
                ),
            ),
            Some(404) => (
                format!("nothing there, or no rights to see it: {}", self.words),
                format!(
                    "check the name; for a private repository `gh auth status` shows which account gh uses, {BY_HAND}"
                ),
            ),
            Some(410) => (
                format!("the logs have expired: {}", self.words),
                "GitHub keeps logs for 90 days, or what the repository's settings say; start the workflow again"
                    .to_owned(),
            ),
            Some(status) => {
                (format!("HTTP {status}: {}", self.words), "try again later; https://www.githubstatus.com".to_owned())
            }
            None if self.words.contains("unable to expand placeholder") => (
                "the current directory is no clone of a GitHub repository that gh knows".to_owned(),
                "name the repository: verify-buildkit-cache logs OWNER/REPO --run ID".to_owned(),
            ),
            None => (
                self.words.clone(),
                format!(
                    "`gh api {}` shows what is wrong (a GitHub Enterprise host needs `gh auth login --hostname HOST`)",
                    self.endpoint
                ),
            ),
        };
        CliProblem::stopped(format!("cannot fetch {what}: {reason}")).hint(Some(hint))
    }
}
