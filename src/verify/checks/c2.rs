//! Check C2: is `go build` dramatically faster? [`read`] is principal.
//!
//! Where a cold run of the case is known, the ratio decides alone: a build that takes three seconds with and without
//! caches is quick, and proves nothing.

use super::{Reading, judged};
use crate::evidence::{BuildTime, TimeSource};
use crate::verify::view::{CaseView, ColdRun, RunStage, RunView};
use crate::verify::{CheckStatus, Profile, seconds};

/// Reads the check.
pub(crate) fn read(view: &CaseView) -> Reading {
    let limit = view.thresholds.max_build_time;
    let ratio = view.thresholds.max_build_ratio;
    let of_cold = format!("at most {ratio:.2} of the cold run");
    let absolute = format!("at most {}", seconds(limit.as_secs_f64()));
    let Some(time) = view.judged.build_time() else {
        let why = match view.judged.build {
            None => "no build was seen",
            Some(build) if build.cached.is_some() => "the compiling step came from the layer cache",
            Some(build) if build.ended.as_ref().is_some_and(|ended| ended.value.is_some()) => "the build failed",
            Some(_) => "no time of a finished go build was seen",
        };
        return Reading::unobserved(why, if view.earlier.is_empty() { absolute } else { of_cold });
    };
    let took = time.value.took.as_secs_f64();
    let mut observed = seconds(took);
    if time.value.source == TimeSource::Step {
        observed.push_str(" (its whole step; nothing else timed it)");
    }
    let evidence = vec![time.quote.clone()];
    if view.stage() == RunStage::First {
        return Reading::unobserved(format!("{observed}, cold, as it must be on a first run"), of_cold)
            .resting_on(evidence);
    }
    match view.cold() {
        ColdRun::Unknown => {
            let observed = format!("{observed}; whether an earlier run was cold was not seen");
            // A time that is no better than that of a run which may have been cold is no good one.
            let times = view.earlier.iter().filter_map(|run| any_time(run));
            let faster = times.into_iter().all(|earlier| took <= earlier * ratio);
            let status = by_itself(view, &time.value).filter(|_| faster).unwrap_or(CheckStatus::Unobserved);
            Reading { status, observed, threshold: absolute, evidence }
        }
        ColdRun::Warmed => {
            let observed =
                format!("{observed}; another build of its job had filled its caches, so no cold time is known");
            match time.value.took <= limit {
                true => Reading { status: CheckStatus::Pass, observed, threshold: absolute, evidence },
                false => Reading::unobserved(observed, absolute).resting_on(evidence),
            }
        }
        ColdRun::None => {
            let good = time.value.took <= limit;
            // Slow, where not even the lookup was seen, may be a first run; and a slow step may have done more than build.
            let unsure = view.stage() == RunStage::Unknown || time.value.source == TimeSource::Step;
            let status = if !good && unsure { CheckStatus::Unobserved } else { judged(good) };
            Reading { status, observed, threshold: absolute, evidence }
        }
        ColdRun::Run(run) => {
            // A step's time bounds its build from above, so it may stand for a build that was quick, never for a cold one.
            let bounds = |cold: &TimeSource| *cold == time.value.source || *cold == TimeSource::Printed;
            let cold = run.build_time().filter(|cold| bounds(&cold.value.source));
            let Some(cold) = cold else {
                let observed = format!("{observed}; no such time of {} was seen", run.name());
                // A step that took long may have built for a short time; one that did not cannot have built for long.
                let faster = match any_time(run) {
                    Some(whole) => took <= whole * ratio,
                    None => !run.build.is_some_and(|build| build.step_ended.as_ref().is_some_and(|ended| ended.value)),
                };
                let status = by_itself(view, &time.value).filter(|_| faster).unwrap_or(CheckStatus::Unobserved);
                return Reading { status, observed, threshold: absolute, evidence };
            };
            let cold_took = cold.value.took.as_secs_f64();
            let share = if cold_took > 0.0 { took / cold_took } else { f64::INFINITY };
            let status = match cold.value.source == time.value.source || share <= ratio {
                true => judged(share <= ratio),
                false => CheckStatus::Unobserved,
            };
            Reading {
                status,
                observed: format!("{observed}, {share:.2} of {} ({})", run.name(), seconds(cold_took)),
                threshold: of_cold,
                evidence: [evidence, vec![cold.quote.clone()]].concat(),
            }
        }
    }
}

/// Returns the time of a run's build as far as any was seen, whatever was timed, in seconds.
fn any_time(run: &RunView) -> Option<f64> {
    run.build?.time.as_ref().map(|time| time.value.took.as_secs_f64())
}

/// Passes a printed time that is good whatever it is compared with.
fn by_itself(view: &CaseView, time: &BuildTime) -> Option<CheckStatus> {
    let good = time.source == TimeSource::Printed && time.took <= view.thresholds.max_build_time;
    (good && view.profile == Profile::Auto).then_some(CheckStatus::Pass)
}
