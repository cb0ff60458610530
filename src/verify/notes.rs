//! What to keep in mind when reading the numbers: comparability, and what a first run can prove. [`notes`] is principal.

use super::view::{CacheExt, Stage, View};
use super::{Case, CaseSource, Note, Verdict};
use crate::evidence::{Quote, TimeSource};

/// Collects the notes of a case.
pub(crate) fn notes(view: &View, case: &Case, verdict: Verdict) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut add = |text: String, evidence: Vec<Quote>| notes.push(Note { text, evidence });
    if view.stage() == Stage::First && verdict == Verdict::Inconclusive {
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
        add("nothing timed go build, so the time of its whole step stands in".to_owned(), vec![time.quote.clone()]);
    }
    if view.unknown_fork() {
        add("the dance is a fork this program does not know; it was simulated as upstream".to_owned(), Vec::new());
    }
    for (text, evidence) in differences(view) {
        add(text, evidence);
    }
    notes
}

/// Names what makes the judged run hard to compare with the one before it.
fn differences(view: &View) -> Vec<(String, Vec<Quote>)> {
    let Some(before) = view.earlier.last() else { return Vec::new() };
    let mut differences = Vec::new();
    let keys = |run: &super::view::Run| {
        run.restoring()
            .find_map(|cache| cache.inputs.as_ref())
            .map(|inputs| (prefix(&inputs.value.key).to_owned(), inputs.quote.clone()))
    };
    if let (Some((old, old_quote)), Some((new, new_quote))) = (keys(before), keys(&view.judged))
        && old != new
    {
        differences
            .push((format!("the cache keys begin differently: `{old}` and `{new}`"), vec![old_quote, new_quote]));
    }
    let dances = |run: &super::view::Run| {
        run.dances()
            .iter()
            .find_map(|dance| dance.inputs.as_ref())
            .map(|inputs| (inputs.value.uses.clone(), inputs.quote.clone()))
    };
    if let (Some((old, old_quote)), Some((new, new_quote))) = (dances(before), dances(&view.judged))
        && old != new
    {
        differences.push((format!("the runs use different dances: `{old}` and `{new}`"), vec![old_quote, new_quote]));
    }
    let files = |run: &super::view::Run| {
        run.build.and_then(|build| build.inputs.as_ref()).map(|inputs| inputs.value.file.clone())
    };
    if let (Some(old), Some(new)) = (files(before), files(&view.judged))
        && old != new
    {
        differences.push((format!("the runs build different Dockerfiles: `{old}` and `{new}`"), Vec::new()));
    }
    let partial = view.judged.restoring().any(|cache| cache.hit_key().is_some() && !cache.hit_exactly());
    if partial && view.origin().is_none_or(|origin| origin.saves().next().is_none()) {
        differences
            .push(("the entry that was restored was saved by a run that is not among these".to_owned(), Vec::new()));
    }
    differences
}

/// Returns the part of a key before its first hash-like piece.
fn prefix(key: &str) -> &str {
    let hash = |piece: &&str| piece.len() >= 7 && piece.chars().all(|c| c.is_ascii_hexdigit());
    match key.split(['-', '_']).find(hash) {
        Some(piece) => key.split(piece).next().unwrap_or(key),
        None => key,
    }
}
