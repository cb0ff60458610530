//! What makes runs hard to compare: another branch, key, dance, Dockerfile, Go or runner. [`differences`] is principal.
//!
//! Each run is held against the one before it. What only one of the two shows makes no difference.

use super::Note;
use super::view::{CacheExt, CaseView, RunView};
use crate::evidence::{Aspect, Quote, Seen};

/// Names the differences between runs that follow one another.
pub(super) fn differences(view: &CaseView) -> Vec<Note> {
    let runs: Vec<&RunView> = view.runs().collect();
    let mut notes: Vec<Note> = runs.windows(2).flat_map(|pair| between(pair[0], pair[1])).collect();
    let partial = view.judged.restoring().any(|cache| cache.hit_key().is_some() && !cache.hit_exactly());
    let unknown_origin = view.origin().is_none_or(|origin| origin.saves().next().is_none());
    if !view.earlier.is_empty() && partial && unknown_origin {
        let text = "the entry that was restored was saved by a run that is not among these".to_owned();
        notes.push(Note { text, evidence: Vec::new() });
    }
    notes
}

fn between(old: &RunView, new: &RunView) -> Vec<Note> {
    let differ = |what: &str, one: Option<KnownValue>, other: Option<KnownValue>| {
        let ((one, one_quote), (other, other_quote)) = (one?, other?);
        // A mask hides whether there is a difference at all.
        let same = one == other || one.contains("***") || other.contains("***");
        let (shown, other_shown) = apart(&one, &other);
        (!same).then(|| Note {
            text: format!("{} and {} {what}: `{shown}` and `{other_shown}`", old.name(), new.name()),
            evidence: one_quote.into_iter().chain(other_quote).collect(),
        })
    };
    let around = |what: &str, aspect: Aspect| differ(what, value(old, aspect), value(new, aspect));
    let found = [
        around("are of different branches", Aspect::Ref),
        differ("have cache keys that begin differently", key(old), key(new)),
        differ("use different dances", dance(old), dance(new)),
        differ("build different Dockerfiles", file(old), file(new)),
        around("compile by different commands, so the Dockerfile has changed", Aspect::CompileStep),
        differ("build with different Go images", go_image(old, false), go_image(new, false))
            .or_else(|| differ("build with different images of one name", go_image(old, true), go_image(new, true))),
        around("build with different Go versions", Aspect::GoVersion),
        around("ran on different runner images", Aspect::RunnerImage),
    ];
    found.into_iter().flatten().collect()
}

/// A value, and the line that shows it.
type KnownValue = (String, Option<Quote>);

fn known<T>(seen: &Seen<T>, value: &str) -> KnownValue {
    (value.to_owned(), Some(seen.quote.clone()))
}

fn all<'a>(run: &RunView<'a>, aspect: Aspect) -> impl Iterator<Item = &'a Seen<String>> {
    run.evidence.surroundings.iter().filter(move |(about, _)| *about == aspect).map(|(_, value)| value)
}

/// All that is known of an aspect, as one text.
fn value(run: &RunView, aspect: Aspect) -> Option<KnownValue> {
    let texts: Vec<&str> = all(run, aspect).map(|seen| seen.value.as_str()).collect();
    all(run, aspect).next().map(|seen| known(seen, &texts.join(" | ")))
}

/// The Go image's name, or with its digest.
fn go_image(run: &RunView, whole: bool) -> Option<KnownValue> {
    let name = |text: &'_ str| text.split('@').next().unwrap_or_default().to_owned();
    match whole {
        true => all(run, Aspect::GoImage).find(|seen| seen.value.contains('@')).map(|seen| known(seen, &seen.value)),
        false => all(run, Aspect::GoImage).next().map(|seen| known(seen, &name(&seen.value))),
    }
}

fn key(run: &RunView) -> Option<KnownValue> {
    let inputs = run.restoring().find_map(|cache| cache.inputs.as_ref())?;
    Some(known(inputs, prefix(&inputs.value.key)))
}

fn dance(run: &RunView) -> Option<KnownValue> {
    let inputs = run.dances().iter().find_map(|dance| dance.inputs.as_ref())?;
    Some(known(inputs, &inputs.value.uses))
}

fn file(run: &RunView) -> Option<KnownValue> {
    let inputs = run.build?.inputs.as_ref()?;
    Some((inputs.value.file.clone(), Some(inputs.quote.clone())))
}

/// Returns the part of a key before its first hash-like piece.
fn prefix(key: &str) -> &str {
    let hash = |piece: &&str| {
        let digits = piece.len() >= 4 && piece.chars().all(|c| c.is_ascii_digit());
        digits || (piece.len() >= 7 && piece.chars().all(|c| c.is_ascii_hexdigit()))
    };
    match key.split(['-', '_']).find(hash) {
        Some(piece) => key.split(piece).next().unwrap_or(key),
        None => key,
    }
}

/// Two values short enough for a sentence, cut so that it shows where they part; the quotes show the rest.
fn apart(one: &str, other: &str) -> (String, String) {
    const MOST: usize = 60;
    let shared = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
    let from = if one.chars().count().max(other.chars().count()) > MOST { shared.saturating_sub(MOST / 4) } else { 0 };
    let cut = |text: &str| {
        let part: String = text.chars().skip(from).take(MOST).collect();
        let (before, after) = (from > 0, text.chars().count() > from + MOST);
        format!("{}{part}{}", if before { "…" } else { "" }, if after { "…" } else { "" })
    };
    (cut(one), cut(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_compared_by_what_comes_before_its_hash() {
        assert_eq!(prefix("v1-Linux-go-b5f08cb9744b265747dd"), "v1-Linux-go-");
        assert_eq!(prefix("go-1.25-20260218-x"), "go-1.25-");
        assert_eq!(prefix("go-abc"), "go-abc");
    }

    #[test]
    fn long_values_are_cut_to_where_they_part() {
        let long = "x".repeat(100);
        let (one, other) = apart(&format!("{long}a"), &format!("{long}b"));
        assert_eq!((one.chars().next(), one.chars().last()), (Some('…'), Some('a')));
        assert_ne!(one, other);
        assert_eq!(apart("main", "dev"), ("main".to_owned(), "dev".to_owned()));
    }
}
