//! The page that explains an evidence folder. [`folder_readme`] is principal.

use super::quote::plain;
use crate::verify::Verdict;

/// What each file of an evidence folder is, by its name, in the order in which a person should look.
const FILES: [(&str, &str); 9] = [
    ("report.html", "the report for a browser: the way of the bytes, what is wrong, the lines that show it"),
    ("report.txt", "the same report as text"),
    ("report.json", "the same report for programs"),
    ("report-from-logs.json", "what the logs alone show, without what only the engine could see"),
    ("workflow.yml", "the workflow as it was given"),
    ("run-N/job.log", "what run N printed, line by line as GitHub's raw logs are"),
    ("run-N/workflow.yml", "the workflow as it was at run N"),
    ("run-N/Dockerfile", "the Dockerfile as it was built: a copy with the lines that measure its cache mounts"),
    ("run-N/Dockerfile.original", "the Dockerfile as it was given, untouched"),
];

/// Writes the page of a folder. `files` are the paths in it, `runs` how many runs there were.
pub fn folder_readme(subject: &str, verdict: Verdict, files: &[String], runs: usize, repeat: Option<&str>) -> String {
    let mut page = format!(
        "# {}\n\nverify-buildkit-cache {} ran this on fresh runners and says: **{}**. Begin with `report.html` or `report.txt`.\n\n",
        plain(subject),
        env!("CARGO_PKG_VERSION"),
        verdict.as_str()
    );
    page.push_str("| file | what it is |\n|---|---|\n");
    for (name, what) in FILES {
        let there = match name.strip_prefix("run-N/") {
            Some(file) => files.iter().any(|path| path.starts_with("run-") && path.ends_with(&format!("/{file}"))),
            None => files.iter().any(|path| path == name),
        };
        if there {
            page.push_str(&format!("| `{name}` | {what} |\n"));
        }
    }
    let logs: Vec<String> = (1..=runs).map(|number| format!("run-{number}/job.log")).collect();
    page.push_str(&format!(
        "\nThe logs alone, judged as the logs of a CI are:\n\n```sh\nverify-buildkit-cache logs {}\n```\n",
        logs.join(" ")
    ));
    if let Some(repeat) = repeat {
        page.push_str(&format!("\nTo repeat it:\n\n```sh\n{}\n```\n", plain(repeat)));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_there_is_explained() {
        let files = ["report.json", "run-1/job.log", "run-2/job.log"].map(str::to_owned);
        let page = folder_readme("scenario healthy", Verdict::Effective, &files, 2, Some("verify-buildkit-cache run"));
        assert!(page.contains("| `report.json` |") && page.contains("| `run-N/job.log` |"), "{page}");
        assert!(!page.contains("Dockerfile.original"), "{page}");
        assert!(page.contains("logs run-1/job.log run-2/job.log") && page.contains("**effective**"), "{page}");
    }
}
