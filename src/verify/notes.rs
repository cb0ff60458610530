//! What to keep in mind when reading the numbers: comparability, and what a first run can prove. [`notes`] is principal.

use super::view::{CacheExt, CaseView, RunStage, RunView};
use super::{Case, CaseSource, Note, Verdict, comparable};
use crate::evidence::{Aspect, LineSort, Quote, Seen, TimeSource, UnplacedLines};

/// Collects the notes of a case.
pub(crate) fn notes(view: &CaseView, case: &Case, verdict: Verdict) -> Vec<Note> {
    let mut notes = match case.source {
        CaseSource::Live => Vec::new(),
        CaseSource::Logs => vec![stages(view)],
    };
    let mut add = |text: String, evidence: Vec<Quote>| notes.push(Note { text, evidence });
    if view.stage() == RunStage::First && verdict == Verdict::Inconclusive {
        let next = match case.source {
            CaseSource::Live => "run it twice or more",
            CaseSource::Logs => "add the log of the next run",
        };
        add(format!("first run: nothing wrong, nothing proven; {next}"), Vec::new());
    }
    if let Some(cut) = &view.judged.evidence.truncated {
        add(format!("{} breaks off before its end", view.judged.name()), vec![cut.clone()]);
    }
    if let Some(time) = view.judged.build_time().filter(|time| time.value.source == TimeSource::Step) {
        add(
            "your Dockerfile does not time `go build`; the time of its whole RUN step is used instead".to_owned(),
            vec![time.quote.clone()],
        );
    }
    if let Some(drawn) = view.judged.surrounding(Aspect::TerminalProgress) {
        add(
            "the build drew its progress for a terminal, which drops what its steps print; print it plainly, with \
             `--progress=plain` or `BUILDKIT_PROGRESS=plain`"
                .to_owned(),
            vec![drawn.quote.clone()],
        );
    }
    for (run, late) in view.earlier.iter().filter_map(|run| Some((run, run.saved_too_late()?))) {
        let text = format!(
            "{} had not saved yet when {} looked up its key, so nothing of it was due there: the runs overlap in time",
            run.name(),
            view.judged.name()
        );
        add(text, vec![late.quote.clone()]);
    }
    for ignored in view.judged.build.iter().flat_map(|build| &build.proofs_ignored) {
        add(format!("left out: {}", ignored.value), vec![ignored.quote.clone()]);
    }
    if verdict != Verdict::Effective {
        view.runs().flat_map(unplaced).for_each(|note| add(note.text, note.evidence));
    }
    notes.extend(comparable::differences(view));
    notes
}

/// Says which lines of a run look like those that matter and could not be read.
fn unplaced(run: &RunView) -> Vec<Note> {
    let say = |lines: &Seen<UnplacedLines>| {
        let (what, how) = match lines.value.sort {
            LineSort::Cache => ("actions/cache", "in a step that is no cache step, or with something else on the line"),
            LineSort::Dance => ("the dance", "cut in the middle, or in a step that is no dance"),
            LineSort::Build => ("a build", "without the line that begins its step, or with something else before it"),
        };
        let (lines_look, stand) = if lines.value.count == 1 {
            ("1 line looks".to_owned(), "stands")
        } else {
            (format!("{} lines look", lines.value.count), "stand")
        };
        let text = format!(
            "{}: {lines_look} like {what} and {stand} in a form that cannot be placed ({how}), for example this one; what it says was \
             not used. Give the log as GitHub keeps it: `gh run view --log`, or the log archive of the run",
            run.name()
        );
        Note { text, evidence: vec![lines.quote.clone()] }
    };
    run.evidence.unplaced.iter().map(say).collect()
}

/// Says which run each log shows: a first one that must be cold, a later one, or that this was not seen.
fn stages(view: &CaseView) -> Note {
    let mut evidence = Vec::new();
    let mut said = Vec::new();
    let alone = view.earlier.is_empty();
    for run in view.runs() {
        let judged = run.number == view.judged.number;
        let found = run.restoring().find_map(|cache| cache.hit_key()).map(|(_, quote)| quote);
        let failed = run.restoring().find_map(|cache| cache.restore_failed.as_ref()).map(|failed| &failed.quote);
        let missed = run.restoring().find_map(|cache| cache.missed());
        let (stage, quote) = match (found.or(failed), missed) {
            (Some(quote), _) => ("is a later run: a cache was found", Some(quote)),
            (None, Some(quote)) if judged && view.stage() == RunStage::Later => {
                ("is a later run: no cache was found, although one was expected", Some(quote))
            }
            (None, Some(quote)) => ("looks like a first run: no cache was found, and none was expected", Some(quote)),
            (None, None) if judged && view.stage() == RunStage::Later => {
                ("is a later run: nothing even tries to restore", None)
            }
            (None, None) => (
                r#"may be the first run or a later one: it shows no "Cache restored" and no "Cache not found" line"#,
                None,
            ),
        };
        let name = if alone { "this run".to_owned() } else { run.name() };
        said.push(format!("{name} {stage}"));
        evidence.extend(quote.cloned());
    }
    Note { text: said.join("; "), evidence }
}
