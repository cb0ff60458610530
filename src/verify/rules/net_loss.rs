//! The caches work and cost more than they save.

use super::{Need, Rule};
use crate::verify::checks::{a, c1, c2};
use crate::verify::code::{CodeDefinition, Effect};
use crate::verify::summary::timing;
use crate::verify::view::{CaseView, ColdRun};
use crate::verify::{CheckId, CheckStatus, Code, CodePage, Finding, Severity, seconds};

pub(super) const RULE: Rule = Rule { codes: &[Code::NetLoss], needs: &[Need::Evidence], check };

/// `net-loss`
pub(in crate::verify) const NET_LOSS: CodeDefinition = CodeDefinition {
    name: "net-loss",
    check: CheckId::C2,
    effect: Effect::Other,
    suppresses: &[],
    page: CodePage {
        what: "The caches work, and moving them takes longer than they save.",
        why: "The job would be faster without the dance.",
        example: "go build 30.1 s -> 4.2 s; restore, inject, extract and save 41.7 s",
        fix: "Carry less (the build cache alone, cleaned), skip the extract on a hit (`skip-extraction: ${{ steps.cache.outputs.cache-hit }}`), or drop the dance.",
    },
};

/// How much more than it saves the transfer must cost before it is called a loss: single measurements are noisy.
const CLEARLY: f64 = 1.25;

fn check(view: &CaseView) -> Vec<Finding> {
    // The times tell it alone: sizes that were not printed are no reason to be silent, empty mounts are.
    let works = [a::read(view), c2::read(view)].iter().all(|reading| reading.status == CheckStatus::Pass)
        && c1::read(view).status != CheckStatus::Fail;
    let ColdRun::Run(cold) = view.cold() else { return Vec::new() };
    let (Some(before), Some(now)) = (cold.build_time(), view.judged.build_time()) else { return Vec::new() };
    let saved = before.value.took.as_secs_f64() - now.value.took.as_secs_f64();
    let timing = timing(view.judged.evidence);
    let parts = [timing.restore, timing.inject, timing.extract, timing.save];
    let cost: f64 = parts.iter().flatten().sum();
    if !works || cost <= saved * CLEARLY {
        return Vec::new();
    }
    vec![Finding::new(
        Code::NetLoss,
        Severity::Warning,
        format!("carrying the caches took {}, and saved {} of go build", seconds(cost), seconds(saved.max(0.0))),
        vec![before.quote.clone(), now.quote.clone()],
        Code::NetLoss.docs().fix,
    )]
}
