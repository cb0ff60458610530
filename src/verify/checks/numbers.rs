//! The numbers behind the words of the checks. [`measured`] is principal.

use super::{a, c1};
use crate::verify::view::{CacheExt, CaseView, ColdRun};
use crate::verify::{CheckId, Measured, MeasuredUnit, Profile};

/// Lists what each check compares, as numbers, for the run that is judged; what was not seen or is not known is `None`.
pub(crate) fn measured(view: &CaseView) -> Vec<Measured> {
    let mut found = Vec::new();
    let restored: Vec<Option<u64>> = view.judged.restoring().map(|cache| cache.restored_bytes()).collect();
    if !restored.is_empty() {
        let sum: Option<u64> = restored.into_iter().sum();
        found.push(Measured {
            check: CheckId::A,
            of: "restored".to_owned(),
            unit: MeasuredUnit::Bytes,
            observed: sum.map(|bytes| bytes as f64),
            needs: a::least(view).map(|bytes| bytes as f64),
            at_least: true,
        });
    }
    for mount in c1::mounts(view) {
        found.push(Measured {
            check: CheckId::C1,
            of: mount.mount.target.clone(),
            unit: MeasuredUnit::Bytes,
            observed: mount.before.as_ref().map(|before| before.value as f64),
            needs: mount.floor.as_ref().map(|(bytes, _)| *bytes as f64),
            at_least: true,
        });
    }
    let took = view.judged.build_time().map(|time| time.value.took.as_secs_f64());
    let cold = match view.cold() {
        ColdRun::Run(run) => run.build_time().map(|time| time.value.took.as_secs_f64()),
        ColdRun::None | ColdRun::Unknown | ColdRun::Warmed => None,
    };
    let limit = match (&cold, view.profile, view.cold()) {
        (Some(cold), ..) => Some(cold * view.thresholds.max_build_ratio),
        (None, Profile::Checklist | Profile::Auto, ColdRun::None) => Some(view.thresholds.max_build_time.as_secs_f64()),
        _ => None,
    };
    found.push(Measured {
        check: CheckId::C2,
        of: "go build".to_owned(),
        unit: MeasuredUnit::Seconds,
        observed: took,
        needs: limit,
        at_least: false,
    });
    found.push(Measured {
        check: CheckId::C3,
        of: "downloads".to_owned(),
        unit: MeasuredUnit::Count,
        observed: view.judged.build.filter(|build| build.cached.is_none()).map(|build| build.downloads.len() as f64),
        needs: Some(view.thresholds.max_downloads as f64),
        at_least: false,
    });
    found
}
