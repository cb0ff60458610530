//! The dance itself broke: it crashed, or it hung until the job was stopped.

use super::dance_message::{fix_of, telling};
use super::{Need, Rule};
use crate::verify::view::CaseView;
use crate::verify::{Code, Finding};

pub(super) const RULE: Rule = Rule { codes: &[Code::DanceCrashed, Code::DanceHung], needs: &[Need::Evidence], check };

fn check(view: &CaseView) -> Vec<Finding> {
    let mut findings = Vec::new();
    for run in view.relevant_runs().into_iter().rev() {
        for dance in run.dances() {
            if let Some(crashed) = &dance.crashed {
                findings.push(Finding::error(
                    Code::DanceCrashed,
                    format!(
                        "in {} the dance ended with an error of its own: {}",
                        run.name(),
                        telling([crashed.value.as_str()].into_iter())
                    ),
                    vec![crashed.quote.clone()],
                    fix_of(&crashed.value).unwrap_or(Code::DanceCrashed.docs().fix),
                ));
            }
            if let Some(hung) = &dance.hung {
                findings.push(Finding::error(
                    Code::DanceHung,
                    format!("in {} the dance was still at work when the job was stopped", run.name()),
                    vec![hung.quote.clone()],
                    "Use buildkit-cache-dance v3.3.0, or v3.3.2 and later (v3.3.1 hangs at its extract), and give the job a `timeout-minutes`.",
                ));
            }
        }
        if !findings.is_empty() {
            break;
        }
    }
    findings
}
