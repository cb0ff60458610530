//! The job has a dance, and its condition kept it from running.

use super::{Need, Rule, symptoms};
use crate::evidence::Quote;
use crate::verify::code::{CodeDefinition, Effect};
use crate::verify::view::CaseView;
use crate::verify::{CheckId, Code, CodePage, Finding};

pub(super) const RULE: Rule = Rule { codes: &[Code::DanceSkipped], needs: &[Need::Evidence], check };

/// `dance-skipped`
pub(in crate::verify) const DANCE_SKIPPED: CodeDefinition = CodeDefinition {
    name: "dance-skipped",
    check: CheckId::B,
    effect: Effect::Other,
    suppresses: symptoms::NOTHING_LEFT,
    page: CodePage {
        what: "The job has a buildkit-cache-dance step, and its `if:` skipped it.",
        why: "Every runner starts with empty cache mounts, so the inject has to run in every run, most of all after a hit.",
        example: "Download action repository 'reproducible-containers/buildkit-cache-dance@v3.3.2'   (and no step of it)",
        fix: "Remove the `if:` of the dance step. To spare the copy out after a hit, use `skip-extraction: ${{ steps.cache.outputs.cache-hit }}`.",
    },
};

fn check(view: &CaseView) -> Vec<Finding> {
    let run = &view.judged;
    let Some(fetched) = run.evidence.downloaded.first() else { return Vec::new() };
    let Some(build) = super::dance_missing::undanced(view) else { return Vec::new() };
    let mounts = build.mounts.iter().take(1).map(|mount| mount.quote.clone());
    let evidence: Vec<Quote> = [fetched.quote.clone()].into_iter().chain(mounts).collect();
    vec![Finding::error(
        Code::DanceSkipped,
        format!("the job fetched `{}` for a step that then never ran: its `if:` skipped it", fetched.value),
        evidence,
        Code::DanceSkipped.docs().fix,
    )]
}
