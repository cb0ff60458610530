//! Reads pages and judges them as `logs` does. Shared by the tests and the fuzz target.

#![allow(dead_code, reason = "each test uses another part of it")]

use verify_buildkit_cache::evidence::Evidence;
use verify_buildkit_cache::log::{self, LogReader, LoggedJob};
use verify_buildkit_cache::verify::{Case, CaseSource, Profile, Report, Thresholds, Verdict, verify};

use super::hostile::page::{Form, Page};

/// Reads one page in a form.
pub(crate) fn read(page: &Page, form: Form) -> Vec<LoggedJob> {
    let files = page.files(form);
    let mut reader = LogReader::new("log.txt");
    if form == Form::Archive {
        let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
        for part in log::arrange(&names) {
            let (name, text) = &files[part.index];
            reader.file(name, part.job.as_deref(), part.step.as_deref());
            reader.feed(text.as_bytes());
        }
    } else {
        files.iter().for_each(|(_, text)| reader.feed(text.as_bytes()));
    }
    reader.finish()
}

/// Judges the pages of consecutive runs of one job.
pub(crate) fn judged(pages: &[Page], form: Form, profile: Profile) -> Report {
    let jobs: Vec<LoggedJob> = pages.iter().flat_map(|page| read(page, form)).collect();
    let runs: Vec<Evidence> = jobs.iter().map(LoggedJob::evidence).collect();
    verify(&Case { runs, source: CaseSource::Logs, thresholds: Thresholds::default(), profile })
}

/// Tells whether either profile calls the pages effective.
pub(crate) fn looks_effective(pages: &[Page], form: Form) -> bool {
    [Profile::Auto, Profile::Checklist]
        .iter()
        .any(|profile| judged(pages, form, *profile).verdict == Verdict::Effective)
}
