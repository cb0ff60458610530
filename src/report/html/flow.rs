//! The way of the bytes, a lane per run: six stations with arrows between. [`lane`] is principal.
//!
//! The width of the stream is its bytes, on one scale for all runs of the report. Only the judged run has red arrows, since
//! only of it do the findings speak.

use maud::{Markup, html};

use super::super::quote::plain;
use super::arrow::Arrow;
use super::lines::LinesBox;
use crate::evidence::Quote;
use crate::verify::{Finding, Report, RestoreOutcome, RunSummary, SavedOutcome, Severity, seconds, size};

/// What one station holds.
struct Station<'a> {
    name: &'static str,
    /// Its parts with their bytes, such as each mount; a part that was not seen has none. Without parts it is known to hold
    /// nothing.
    parts: Vec<(String, Option<u64>)>,
    /// Whether the bytes are its own, and not those of the stream that passes through it.
    own: bool,
    /// What stands below it, where bytes do not say it.
    note: String,
    lines: &'a [Quote],
}

impl Station<'_> {
    /// The bytes of all parts; `None` where any of them was not seen.
    fn bytes(&self) -> Option<u64> {
        let parts: Option<Vec<u64>> = self.parts.iter().map(|(_, bytes)| *bytes).collect();
        Some(parts?.into_iter().fold(0, u64::saturating_add))
    }
}

/// How an arrow is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ArrowState {
    /// It ran.
    Ran,
    /// It ran and there was nothing to carry, by design or for a first time.
    Nothing,
    /// It failed, or a finding of the judged run breaks it.
    Broken,
    /// A warning speaks of it.
    Doubtful,
    /// Nothing that was read shows it.
    Unknown,
}

impl ArrowState {
    fn class(self) -> &'static str {
        match self {
            Self::Ran => "ran",
            Self::Nothing => "nothing",
            Self::Broken => "broken",
            Self::Doubtful => "doubtful",
            Self::Unknown => "unknown",
        }
    }
}

/// The most bytes that any station of a report holds: the width of the widest stream.
pub(super) fn scale(report: &Report) -> u64 {
    let of_run = |run: &RunSummary| stations(run).iter().filter_map(Station::bytes).max();
    report.runs.iter().filter_map(of_run).max().unwrap_or(0).max(1)
}

/// Draws one run. `id` sets its boxes apart from those of other reports in one document.
pub(super) fn lane(id: &str, report: &Report, run: &RunSummary, scale: u64, judged: bool) -> Markup {
    let stations = stations(run);
    let share = |bytes: Option<u64>| bytes.map(|bytes| bytes as f64 / scale as f64);
    let findings: &[Finding] = if judged { &report.findings } else { &[] };
    html! {
        section.lane.judged[judged] aria-labelledby=(format!("{id}-r{}", run.number)) {
            h3 id=(format!("{id}-r{}", run.number)) {
                "Run " (run.number)
                @if judged { " " span.tag { "judged" } }
                @if run.name != format!("run {}", run.number) { " " span.run-name { (plain(&run.name)) } }
            }
            ol.flow {
                @for (at, station) in stations.iter().enumerate() {
                    (station_cell(&format!("{id}-r{}-s{at}", run.number), run.number, station, share))
                    @if let Some(arrow) = Arrow::ALL.get(at).copied() {
                        @let next = stations.get(at + 1);
                        (arrow_cell(run, arrow, [share(station.bytes()), share(next.and_then(Station::bytes))], findings))
                    }
                }
            }
        }
    }
}

fn station_cell(id: &str, run: usize, station: &Station, share: impl Fn(Option<u64>) -> Option<f64>) -> Markup {
    let whole = station.bytes();
    html! {
        li.station {
            button.pipe-button type="button" popovertarget=(id) title="show the lines of this station" {
                span.name { (station.name) }
                span.pipe.unseen[whole.is_none()].none[station.parts.is_empty()] aria-hidden="true" {
                    @if whole.is_some() {
                        @for (at, (_, bytes)) in station.parts.iter().enumerate() {
                            span class=(format!("part part{}", at % 3)) style=(format!("--n:{:.4}", share(*bytes).unwrap_or(0.0))) {}
                        }
                    } @else { span.question { "?" } }
                }
                span.amounts {
                    @for (label, bytes) in station.parts.iter().filter(|_| station.own) {
                        span.amount {
                            @match bytes {
                                Some(bytes) => { (size(*bytes)) }
                                None => { span.not-seen { "size not seen" } }
                            }
                            @if !label.is_empty() { " " span.label { (plain(label)) } }
                        }
                    }
                    @if !station.note.is_empty() { span.note { (plain(&station.note)) } }
                }
            }
            (LinesBox { id: id.to_owned(), title: format!("Run {run}: {}", station.name), lines: station.lines }.markup())
        }
    }
}

fn arrow_cell(run: &RunSummary, arrow: Arrow, ends: [Option<f64>; 2], findings: &[Finding]) -> Markup {
    let broken = |severity: Severity| -> Vec<&Finding> {
        let of = |finding: &&Finding| finding.severity == severity && Arrow::broken_by(finding.code).contains(&arrow);
        findings.iter().filter(of).collect()
    };
    let (errors, warnings) = (broken(Severity::Error), broken(Severity::Warning));
    let (seen, words) = seen(run, arrow);
    let state = match seen {
        _ if !errors.is_empty() => ArrowState::Broken,
        _ if !warnings.is_empty() => ArrowState::Doubtful,
        seen => seen,
    };
    let codes: Vec<&str> = errors.iter().chain(&warnings).map(|finding| finding.code.as_str()).collect();
    // Where one end was not seen, the stream is drawn as wide as the other, and dashed.
    let known = ends[0].is_some() && ends[1].is_some();
    let [from, to] = match ends {
        [Some(from), Some(to)] => [from, to],
        [Some(one), None] | [None, Some(one)] => [one, one],
        [None, None] => [0.3, 0.3],
    };
    html! {
        li class=(format!("arrow {}", state.class())) {
            span.stream.guess[!known] aria-hidden="true" style=(format!("--a:{from:.4};--b:{to:.4}")) { span.fill {} }
            span.arrow-words {
                span.way { (arrow.title()) }
                @if !words.is_empty() { span.said { (plain(&words)) } }
                @for code in codes { span.code-tag { "✕ " (code) } }
            }
        }
    }
}

/// Says what a run shows of an arrow by itself.
fn seen(run: &RunSummary, arrow: Arrow) -> (ArrowState, String) {
    let lines = &run.journey.lines;
    let shown = |lines: &[Quote]| if lines.is_empty() { ArrowState::Unknown } else { ArrowState::Ran };
    let took = |time: Option<f64>| time.map(seconds).unwrap_or_default();
    match arrow {
        Arrow::Restore => match run.restore.outcome {
            RestoreOutcome::Hit => (ArrowState::Ran, format!("hit {}", took(run.timing.restore))),
            RestoreOutcome::Partial => (ArrowState::Ran, format!("partial hit {}", took(run.timing.restore))),
            RestoreOutcome::Miss => (ArrowState::Nothing, "miss: nothing found".to_owned()),
            RestoreOutcome::Failed => (ArrowState::Broken, "failed".to_owned()),
            RestoreOutcome::None => (ArrowState::Unknown, "not seen".to_owned()),
        },
        Arrow::Inject => match shown(&lines.inject) {
            ArrowState::Unknown => (ArrowState::Unknown, "not seen".to_owned()),
            state => (state, took(run.timing.inject)),
        },
        Arrow::Use | Arrow::Fill => match (shown(&lines.build), run.build.cached) {
            (_, true) => (ArrowState::Unknown, "not run: layer cache".to_owned()),
            (ArrowState::Unknown, _) => (ArrowState::Unknown, "not seen".to_owned()),
            (state, _) => (state, String::new()),
        },
        Arrow::Save => match run.save.outcome {
            SavedOutcome::Saved => (ArrowState::Ran, took(run.timing.save)),
            SavedOutcome::Skipped => (ArrowState::Nothing, "no save".to_owned()),
            SavedOutcome::NotSaved => (ArrowState::Broken, "not saved".to_owned()),
            SavedOutcome::None => (ArrowState::Unknown, "not seen".to_owned()),
        },
    }
}

/// The six stations of a run.
fn stations(run: &RunSummary) -> Vec<Station<'_>> {
    let lines = &run.journey.lines;
    let mounts = |of: fn(&crate::verify::MountSummary) -> Option<u64>| match run.mounts.as_slice() {
        [] => vec![(String::new(), None)],
        mounts => mounts.iter().map(|mount| (mount.target.clone(), of(mount))).collect(),
    };
    let found_none = run.restore.outcome == RestoreOutcome::Miss;
    let one = |bytes: Option<u64>| vec![(String::new(), bytes)];
    let saved = match run.save.outcome {
        SavedOutcome::Saved => (one(run.save.bytes), String::new()),
        SavedOutcome::Skipped => {
            (Vec::new(), format!("nothing new: {}", run.save.reason.as_deref().unwrap_or("not due")))
        }
        SavedOutcome::NotSaved => {
            (Vec::new(), format!("not saved: {}", run.save.reason.as_deref().unwrap_or("it failed")))
        }
        SavedOutcome::None => (one(None), String::new()),
    };
    let built = match (run.build.cached, run.build.seconds) {
        (true, _) => "layer cached".to_owned(),
        (_, Some(took)) => format!("go build {}", seconds(took)),
        (_, None) => "time not seen".to_owned(),
    };
    let downloads = match run.build.downloads {
        Some(1) => "1 module downloaded".to_owned(),
        Some(count) => format!("{count} modules downloaded"),
        None => "downloads not seen".to_owned(),
    };
    // The build has no bytes of its own: the stream that enters it is that of the mounts before.
    let before = mounts(|mount| mount.before_bytes);
    let after = mounts(|mount| mount.after_bytes);
    let nothing_came = found_none && run.journey.injected_bytes.is_none();
    let store =
        if found_none { (Vec::new(), "nothing found".to_owned()) } else { (one(run.restore.bytes), String::new()) };
    let directory = match nothing_came {
        true => (Vec::new(), "nothing restored".to_owned()),
        false => (one(run.journey.injected_bytes), String::new()),
    };
    [
        ("cache store", true, store, &lines.restore),
        ("directory", true, directory, &lines.inject),
        ("mounts before", true, (before.clone(), String::new()), &lines.before),
        ("build", false, (before, format!("{built}; {downloads}")), &lines.build),
        ("mounts after", true, (after, String::new()), &lines.after),
        ("saved entry", true, saved, &lines.save),
    ]
    .into_iter()
    .map(|(name, own, (parts, note), lines)| Station { name, parts, own, note, lines })
    .collect()
}
