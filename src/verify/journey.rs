//! The way of the bytes through one run, for those who draw it. [`Journey`] is principal.
//!
//! It judges nothing. What was not seen stays `None`, and a list of lines stays empty.

use std::time::{Duration, SystemTime};

use super::view::RunView;
use crate::evidence::{Cache, Carried, DancePhase, Evidence, Quote, StepId, VertexOutcome};

/// The way of the bytes through one run: what each station shows beside the numbers of the summary.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Journey {
    /// Bytes that the inject copied into the mounts; only a live run measures them.
    pub injected_bytes: Option<u64>,
    /// Bytes that the extract copied out of the mounts; only a live run measures them.
    pub extracted_bytes: Option<u64>,
    /// The vertexes of the run's builds, in the order in which they ended.
    pub vertexes: Vec<VertexSummary>,
    /// The lines that show each station.
    pub lines: StationLines,
}

/// The lines, or measurements, that show each station of one run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StationLines {
    /// What actions/cache said of its lookup and its restore.
    pub restore: Vec<Quote>,
    /// The inject: what was copied into which mount, and what went wrong.
    pub inject: Vec<Quote>,
    /// The sizes of the mounts before the build.
    pub before: Vec<Quote>,
    /// The build: its time, its downloads, its end.
    pub build: Vec<Quote>,
    /// The sizes of the mounts after it.
    pub after: Vec<Quote>,
    /// The extract, and what actions/cache said of its save.
    pub save: Vec<Quote>,
}

/// One vertex of a build.
#[derive(Debug, Clone, PartialEq)]
pub struct VertexSummary {
    /// The place in [`super::RunSummary::steps`] of the step that built it.
    pub step: Option<usize>,
    /// Its name, such as `[build 4/6] RUN go build ./...`.
    pub name: String,
    /// When it began, in seconds since the run's first step, where both are known.
    pub began: Option<f64>,
    /// How long it ran, in seconds, where known.
    pub seconds: Option<f64>,
    /// What became of it.
    pub outcome: VertexOutcome,
    /// The line that says so.
    pub line: Quote,
}

/// How many lines of one kind are kept: a build may download hundreds of modules.
const LINES: usize = 12;

/// Follows the bytes of one run.
pub(crate) fn of(run: &RunView) -> Journey {
    Journey {
        injected_bytes: moved(run, DancePhase::Inject),
        extracted_bytes: moved(run, DancePhase::Extract),
        vertexes: vertexes(run.evidence),
        lines: lines(run),
    }
}

/// Returns when the run's first step began.
pub(crate) fn beginning(evidence: &Evidence) -> Option<SystemTime> {
    evidence.steps.iter().filter_map(|step| step.started.at).min()
}

/// Returns the seconds from the run's beginning to a moment.
pub(crate) fn since(beginning: Option<SystemTime>, at: Option<SystemTime>) -> Option<f64> {
    at?.duration_since(beginning?).ok().map(|since| since.as_secs_f64())
}

/// Adds up what a phase moved; `None` where any part of it was not measured.
fn moved(run: &RunView, phase: DancePhase) -> Option<u64> {
    let tallies: Option<Vec<u64>> =
        run.carried(phase).map(|entry| entry.tally.as_ref().map(|tally| tally.value.bytes)).collect();
    let tallies = tallies.filter(|tallies| !tallies.is_empty())?;
    Some(tallies.into_iter().fold(0, u64::saturating_add))
}

fn vertexes(evidence: &Evidence) -> Vec<VertexSummary> {
    let beginning = beginning(evidence);
    let place = |id: Option<StepId>| evidence.steps.iter().position(|step| Some(step.id) == id);
    let of_build = evidence.builds.iter().flat_map(|build| build.vertexes.iter().map(|vertex| (build.step, vertex)));
    let summary = of_build.map(|(step, vertex)| {
        let took = vertex.value.took;
        let began = vertex.at.zip(took).and_then(|(at, took)| at.checked_sub(took));
        VertexSummary {
            step: place(step),
            name: vertex.value.name.clone(),
            began: since(beginning, began),
            seconds: took.as_ref().map(Duration::as_secs_f64),
            outcome: vertex.value.outcome,
            line: vertex.quote.clone(),
        }
    });
    summary.collect()
}

fn lines(run: &RunView) -> StationLines {
    let caches = &run.caches;
    let sizes = || run.build.iter().flat_map(|build| &build.sizes);
    StationLines {
        restore: few(caches.iter().flat_map(|cache| restore(cache))),
        inject: few(danced(run, DancePhase::Inject)),
        before: few(sizes().filter_map(|sizes| sizes.before.as_ref()).map(|size| &size.quote)),
        build: few(built(run)),
        after: few(sizes().filter_map(|sizes| sizes.after.as_ref()).map(|size| &size.quote)),
        save: few(danced(run, DancePhase::Extract).chain(caches.iter().flat_map(|cache| save(cache)))),
    }
}

fn restore(cache: &Cache) -> impl Iterator<Item = &Quote> {
    let lookup = cache.lookup.iter().map(|seen| &seen.quote);
    let size = cache.restore_size.iter().map(|seen| &seen.quote);
    let texts = [&cache.restored, &cache.restore_failed].into_iter().flatten().map(|seen| &seen.quote);
    lookup.chain(size).chain(texts).chain(cache.miss_cause.iter().map(|seen| &seen.quote))
}

fn save(cache: &Cache) -> impl Iterator<Item = &Quote> {
    cache.save_size.iter().map(|seen| &seen.quote).chain(cache.save.iter().map(|seen| &seen.quote))
}

fn danced<'a>(run: &RunView<'a>, phase: DancePhase) -> impl Iterator<Item = &'a Quote> {
    let dances = run.dances();
    let entries = dances.iter().flat_map(move |dance| match phase {
        DancePhase::Inject => &dance.injected,
        DancePhase::Extract => &dance.extracted,
    });
    let tally = |entry: &'a Carried| entry.tally.iter().map(|tally| &tally.quote);
    let copied = entries.flat_map(move |entry| std::iter::once(&entry.mount.quote).chain(tally(entry)));
    let failed = dances.iter().flat_map(|dance| &dance.failures).filter(move |failure| failure.value.0 == phase);
    let skipped = dances.iter().filter_map(move |dance| match phase {
        DancePhase::Inject => None,
        DancePhase::Extract => dance.extract_skipped.as_ref().map(|seen| &seen.quote),
    });
    let ended = dances.iter().flat_map(|dance| {
        let hung = dance.hung.iter().map(|seen| &seen.quote);
        dance.crashed.iter().map(|seen| &seen.quote).chain(hung)
    });
    copied.chain(failed.map(|failure| &failure.quote)).chain(skipped).chain(ended)
}

fn built<'a>(run: &RunView<'a>) -> impl Iterator<Item = &'a Quote> {
    run.build.into_iter().flat_map(|build| {
        let time = build.time.iter().map(|seen| &seen.quote);
        let cached = build.cached.iter().map(|seen| &seen.quote);
        let end = build.step_ended.iter().map(|seen| &seen.quote);
        let failed = build.ended.iter().filter(|ended| ended.value.is_some()).map(|seen| &seen.quote);
        time.chain(cached).chain(end).chain(failed).chain(build.downloads.iter().map(|seen| &seen.quote))
    })
}

/// Keeps the first few, each once.
fn few<'a>(quotes: impl Iterator<Item = &'a Quote>) -> Vec<Quote> {
    let mut kept: Vec<Quote> = Vec::new();
    for quote in quotes {
        if kept.len() < LINES && !kept.contains(quote) {
            kept.push(quote.clone());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use crate::verify::testing::{JobScript, case};
    use crate::verify::{Profile, verify};

    #[test]
    fn every_station_of_a_full_run_shows_its_lines() {
        let report = verify(&case(Profile::Checklist, &[JobScript::cold(), JobScript::warm()]));
        let lines = &report.runs[1].journey.lines;
        for (name, of) in [
            ("restore", &lines.restore),
            ("inject", &lines.inject),
            ("before", &lines.before),
            ("build", &lines.build),
            ("after", &lines.after),
            ("save", &lines.save),
        ] {
            assert!(!of.is_empty(), "{name}: {lines:?}");
        }
        assert!(report.runs[1].journey.lines.before.iter().all(|quote| quote.line.is_some()));
    }

    #[test]
    fn what_nothing_measured_is_unknown() {
        let report = verify(&case(Profile::Checklist, &[JobScript::cold().but(|job| job.prints_sizes = false)]));
        let journey = &report.runs[0].journey;
        assert_eq!((journey.injected_bytes, journey.extracted_bytes), (None, None));
        assert!(journey.lines.before.is_empty() && journey.lines.after.is_empty());
    }
}
