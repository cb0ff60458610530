//! Check C2: is `go build` dramatically faster? [`read`] is principal.
//!
//! Where a cold run of the case is known, the ratio decides alone: a build that takes three seconds with and without
//! caches is quick, and proves nothing.

use super::{Reading, judged};
use crate::evidence::TimeSource;
use crate::verify::view::{CaseView, ColdRun, RunStage};
use crate::verify::{CheckStatus, seconds};

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
            Reading::unobserved(format!("{observed}; whether an earlier run was cold was not seen"), of_cold)
                .resting_on(evidence)
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
                return Reading::unobserved(format!("{observed}; no such time of {} was seen", run.name()), of_cold)
                    .resting_on(evidence);
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
