//! The build ran and showed nothing of its caches.

use super::{Need, Rule};
use crate::evidence::Quote;
use crate::verify::checks::c1;
use crate::verify::view::CaseView;
use crate::verify::{Code, Finding, Severity};

pub(super) const RULE: Rule =
    Rule { codes: &[Code::BuildStepCached, Code::NotInstrumented], needs: &[Need::Evidence], check };

fn check(view: &CaseView) -> Vec<Finding> {
    let Some(build) = view.judged.build else { return Vec::new() };
    if let Some(cached) = &build.cached {
        return vec![Finding::new(
            Code::BuildStepCached,
            Severity::Warning,
            "the compiling step came from the layer cache, so it shows nothing of its cache mounts",
            vec![cached.quote.clone()],
            "Judge a run whose source changed, or drop `cache-from` from the build step for the experiment.",
        )];
    }
    let Some(ended) = &build.step_ended else { return Vec::new() };
    let readings = c1::mounts(view);
    let printed = readings.iter().any(|reading| reading.before.is_some()) || !build.sizes.is_empty();
    if printed || !ended.value {
        return Vec::new();
    }
    let evidence: Vec<Quote> = vec![ended.quote.clone()];
    vec![Finding::new(
        Code::NotInstrumented,
        Severity::Warning,
        "the build did not print how large its cache mounts were",
        evidence,
        Code::NotInstrumented.docs().fix,
    )]
}
