//! Where the time of each run went. [`timeline`] is principal.
//!
//! All runs of a report share one scale, so that a warm run is seen to be shorter. A step whose time was not seen has a row
//! without a bar.

use maud::{Markup, html};

use super::super::quote::plain;
use crate::evidence::{Phase, StepOutcome, VertexOutcome};
use crate::verify::{Report, RunSummary, StepSummary, VertexSummary, seconds};

/// The least part of the scale that a vertex must take to have a row of its own.
const WORTH_A_ROW: f64 = 0.01;

/// Draws the time of all runs; nothing where no step was seen.
pub(super) fn timeline(report: &Report) -> Markup {
    let ends = report.runs.iter().filter_map(end);
    let scale = ends.fold(0.0, f64::max);
    html! {
        @for run in report.runs.iter().filter(|run| !run.steps.is_empty()) {
            section.time-lane {
                h3 {
                    "Run " (run.number)
                    @match end(run) {
                        Some(end) => { " " span.run-name { (seconds(end)) " from the first step to the last" } }
                        None => { " " span.run-name { "its times were not seen" } }
                    }
                }
                ol.time {
                    @for (at, step) in run.steps.iter().enumerate() {
                        (step_row(step, scale))
                        (vertex_rows(run, at, scale))
                    }
                }
            }
        }
    }
}

/// When the last step or vertex of a run ended, in seconds since its first step.
fn end(run: &RunSummary) -> Option<f64> {
    let steps = run.steps.iter().map(|step| (step.began, step.seconds));
    let vertexes = run.journey.vertexes.iter().map(|vertex| (vertex.began, vertex.seconds));
    let ends = steps.chain(vertexes).filter_map(|(began, took)| Some(began? + took.unwrap_or(0.0)));
    ends.reduce(f64::max).filter(|end| *end > 0.0)
}

fn step_row(step: &StepSummary, scale: f64) -> Markup {
    let class = match (step.phase, step.outcome) {
        (_, Some(StepOutcome::Failure)) => "failed",
        (_, Some(StepOutcome::Skipped | StepOutcome::NotReproduced)) => "skipped",
        (Phase::Main, _) => "main",
        (Phase::Post, _) => "post",
    };
    let outcome = match step.outcome {
        Some(StepOutcome::Failure) => "failed",
        Some(StepOutcome::Skipped) => "skipped",
        Some(StepOutcome::NotReproduced) => "not reproduced here",
        Some(StepOutcome::Success) | None => "",
    };
    row(class, &step.name, step.began, step.seconds, scale, outcome)
}

/// Draws what a step built: each vertex that took a while, and the others in one line.
fn vertex_rows(run: &RunSummary, step: usize, scale: f64) -> Markup {
    let all: Vec<&VertexSummary> = run.journey.vertexes.iter().filter(|vertex| vertex.step == Some(step)).collect();
    let long = |vertex: &&VertexSummary| {
        vertex.outcome == VertexOutcome::Failed
            || vertex.seconds.is_some_and(|took| scale > 0.0 && took / scale >= WORTH_A_ROW)
    };
    let (mut shown, others): (Vec<_>, Vec<_>) = all.into_iter().partition(long);
    shown.sort_by(|one, other| one.began.partial_cmp(&other.began).unwrap_or(std::cmp::Ordering::Equal));
    let cached = others.iter().filter(|vertex| vertex.outcome == VertexOutcome::Cached).count();
    let untimed =
        others.iter().filter(|vertex| vertex.outcome != VertexOutcome::Cached && vertex.seconds.is_none()).count();
    let short: Vec<f64> = others.iter().filter_map(|vertex| vertex.seconds).collect();
    let mut rest = Vec::new();
    if !short.is_empty() {
        rest.push(format!("{} short ones, together {}", short.len(), seconds(short.iter().sum())));
    }
    if cached > 0 {
        rest.push(format!("{cached} from the layer cache"));
    }
    if untimed > 0 {
        rest.push(format!("{untimed} whose time was not seen"));
    }
    html! {
        @for vertex in &shown {
            @let outcome = if vertex.outcome == VertexOutcome::Failed { "failed" } else { "" };
            @let class = if vertex.outcome == VertexOutcome::Failed { "vertex failed" } else { "vertex" };
            (row(class, &without_mounts(&vertex.name), vertex.began, vertex.seconds, scale, outcome))
        }
        @if !rest.is_empty() {
            li.vertex.rest { span.what { "vertexes: " (rest.join("; ")) } }
        }
    }
}

/// Leaves out the `--mount=…` flags of a `RUN`, behind which its command would not be seen.
fn without_mounts(name: &str) -> String {
    let words = name.split(' ').filter(|word| !word.starts_with("--mount="));
    words.collect::<Vec<_>>().join(" ")
}

fn row(class: &str, name: &str, began: Option<f64>, took: Option<f64>, scale: f64, outcome: &str) -> Markup {
    let bar = began.zip(took).filter(|_| scale > 0.0);
    let share = |time: f64| (time / scale * 100.0).clamp(0.0, 100.0);
    html! {
        li class=(class) {
            span.what { (plain(name)) }
            span.when {
                @match took { Some(took) => { (seconds(took)) }, None => { "time not seen" } }
                @if !outcome.is_empty() { " " b { (outcome) } }
            }
            span.track aria-hidden="true" {
                @match bar {
                    Some((began, took)) => { span.bar style=(format!("--s:{:.2}%;--w:{:.2}%", share(began), share(took))) {} }
                    None => { span.bar.unseen {} }
                }
            }
        }
    }
}
