//! The job has a dance, and its condition kept it from running.

use super::{Need, Rule};
use crate::evidence::Quote;
use crate::verify::view::CaseView;
use crate::verify::{Code, Finding};

pub(super) const RULE: Rule = Rule { codes: &[Code::DanceSkipped], needs: &[Need::Evidence], check };

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
