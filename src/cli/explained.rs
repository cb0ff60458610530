//! An evidence folder that explains itself: the report in three forms, a README, and the person's files as they were given.
//! [`explain_folder`] is principal.

use std::fs;
use std::path::Path;

use super::problem::CliProblem;
use crate::report::folder_readme;
use crate::source::Source;
use crate::verify::Verdict;

/// A report in the forms that lie in a folder.
pub(super) struct FolderReport<'a> {
    pub(super) json: String,
    pub(super) text: String,
    pub(super) html: String,
    pub(super) subject: &'a str,
    pub(super) verdict: Verdict,
    /// How many runs it is about.
    pub(super) runs: usize,
    pub(super) repeat: Option<&'a str>,
}

/// Writes what a person reads first into a folder of evidence. `dockerfiles` are those that were given, run by run.
pub(super) fn explain_folder(dir: &Path, shown: &FolderReport<'_>, dockerfiles: &[&Source]) -> Result<(), CliProblem> {
    for (dockerfile, number) in dockerfiles.iter().zip(1..) {
        let run = dir.join(format!("run-{number}"));
        // A run that built nothing has no copy to set it beside.
        if run.join("Dockerfile").exists() {
            write(&run.join("Dockerfile.original"), &dockerfile.text)?;
        }
    }
    write(&dir.join("report.json"), &shown.json)?;
    write(&dir.join("report.txt"), &shown.text)?;
    write(&dir.join("report.html"), &shown.html)?;
    let readme = folder_readme(shown.subject, shown.verdict, &files(dir), shown.runs, shown.repeat);
    write(&dir.join("README.md"), &readme)
}

fn write(path: &Path, text: &str) -> Result<(), CliProblem> {
    fs::write(path, text).map_err(|error| CliProblem::stopped(format!("cannot write {}: {error}", path.display())))
}

/// Lists the files of a folder and of those in it, by their paths in it.
fn files(dir: &Path) -> Vec<String> {
    let names = |dir: &Path| -> Vec<String> {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    };
    let mut files = Vec::new();
    for name in names(dir) {
        let inside = names(&dir.join(&name)).into_iter().map(|file| format!("{name}/{file}"));
        files.extend(inside);
        files.push(name);
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::present::Presented;
    use crate::verify::testing::{JobScript, case};
    use crate::verify::{Profile, Thresholds, verify};

    #[test]
    fn a_folder_says_what_lies_in_it_and_keeps_the_given_files_beside_the_measured_ones() {
        let dir = tempfile::tempdir().unwrap();
        for number in 1..=2 {
            fs::create_dir(dir.path().join(format!("run-{number}"))).unwrap();
        }
        fs::write(dir.path().join("run-1/Dockerfile"), "measured").unwrap();
        let shown = verify(&case(Profile::Checklist, &[JobScript::cold(), JobScript::warm()]));
        let presented = Presented {
            command: "run",
            subject: "scenario healthy",
            scenario: None,
            profile: Profile::Checklist,
            thresholds: &Thresholds::default(),
            timing: None,
            evidence: None,
            repeat: Some("verify-buildkit-cache run"),
            explain: false,
            assumed: &[],
            hidden: None,
        };
        let given = Source::new("Dockerfile", "given");
        explain_folder(dir.path(), &presented.for_folder(&shown), &[&given, &given]).unwrap();
        let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
        assert_eq!(read("run-1/Dockerfile.original"), "given");
        assert!(!dir.path().join("run-2/Dockerfile.original").exists(), "run 2 measured none");
        assert!(read("report.txt").contains("effective") && !read("report.txt").contains('\u{1b}'));
        assert!(read("report.html").contains("The way of the bytes"));
        let readme = read("README.md");
        for name in ["report.html", "report.txt", "report.json", "run-N/Dockerfile.original"] {
            assert!(readme.contains(&format!("| `{name}` |")), "{readme}");
        }
        assert!(!readme.contains("report-from-logs"), "{readme}");
    }
}
