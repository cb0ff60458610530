//! Edits that take findings away, each accepted only once the changed files are judged again. [`mend`] is principal.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::edit::apply;
use super::{LintEdit, LintFiles, LintFinding, LintReport, lint};
use crate::plan::RepositoryFiles;
use crate::source::Source;
use crate::verify::Severity;

/// What was mended.
#[derive(Debug, Clone, Default)]
pub struct Mended {
    /// The changed files, by name, with their new texts.
    pub files: BTreeMap<String, String>,
    /// The findings that were taken away: code and title.
    pub fixed: Vec<(&'static str, String)>,
    /// What is left to say of the changed files.
    pub report: LintReport,
}

/// The files of a repository with some of them changed.
struct ChangedFiles<'a> {
    under: &'a dyn LintFiles,
    changed: BTreeMap<String, String>,
}

impl RepositoryFiles for ChangedFiles<'_> {
    fn read(&self, path: &str) -> Option<Source> {
        let changed = self.changed.get(path).map(|text| Source::new(path, text.clone()));
        changed.or_else(|| self.under.read(path))
    }
}

impl LintFiles for ChangedFiles<'_> {
    fn list(&self) -> Option<&[PathBuf]> {
        self.under.list()
    }
}

/// Takes away what can be, one finding after the other.
///
/// An edit is kept only where the finding is then gone and nothing new is wrong, by the very rules that found it.
pub fn mend(workflows: &[Source], files: &dyn LintFiles) -> Mended {
    let mut texts: Vec<Source> = workflows.to_vec();
    let mut files = ChangedFiles { under: files, changed: BTreeMap::new() };
    let mut mended = Mended { report: lint(&texts, &files), ..Mended::default() };
    let mut refused: BTreeSet<(&'static str, String, String)> = BTreeSet::new();
    let key = |finding: &LintFinding| (finding.code, finding.job.clone(), finding.title.clone());
    while let Some(finding) = mended
        .report
        .findings
        .iter()
        .find(|finding| !finding.edits.is_empty() && !refused.contains(&key(finding)))
        .cloned()
    {
        // Each is tried once: what comes back after its own edit is not to be edited for ever.
        refused.insert(key(&finding));
        let Some((new_texts, new_changed)) = changed(&texts, &files, &finding.edits) else { continue };
        let new_files = ChangedFiles { under: files.under, changed: new_changed };
        let report = lint(&new_texts, &new_files);
        if !is_better(&mended.report, &report, &finding) {
            continue;
        }
        mended.fixed.push((finding.code, finding.title));
        (texts, files, mended.report) = (new_texts, new_files, report);
    }
    for (old, new) in workflows.iter().zip(&texts) {
        if old.text != new.text {
            mended.files.insert(new.name.clone(), new.text.clone());
        }
    }
    mended.files.extend(files.changed);
    mended
}

/// Applies the edits of one finding.
fn changed(
    texts: &[Source],
    files: &ChangedFiles<'_>,
    edits: &[LintEdit],
) -> Option<(Vec<Source>, BTreeMap<String, String>)> {
    let mut texts = texts.to_vec();
    let mut changed = files.changed.clone();
    let names: BTreeSet<&str> = edits.iter().map(|edit| edit.file.as_str()).collect();
    for name in names {
        let own: Vec<&LintEdit> = edits.iter().filter(|edit| edit.file == name).collect();
        match texts.iter_mut().find(|source| source.name == name) {
            Some(source) => source.text = apply(&source.text, &own)?,
            None => {
                let text = apply(&files.read(name)?.text, &own)?;
                changed.insert(name.to_owned(), text);
            }
        }
    }
    Some((texts, changed))
}

/// Tells whether a finding is gone and nothing else is wrong than before.
fn is_better(before: &LintReport, after: &LintReport, finding: &LintFinding) -> bool {
    let count = |report: &LintReport, code: &str, job: &str| {
        report.findings.iter().filter(|one| one.code == code && one.job == job).count()
    };
    let fewer = count(after, finding.code, &finding.job) < count(before, finding.code, &finding.job);
    let none_new = after
        .findings
        .iter()
        .filter(|one| one.severity != Severity::Note)
        .all(|one| count(after, one.code, &one.job) <= count(before, one.code, &one.job));
    fewer && none_new && after.unread.len() <= before.unread.len()
}
