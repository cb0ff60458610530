//! The dance itself broke: it crashed, or it hung until the job was stopped.

use super::dance_message::{fix_of, telling};
use super::{Need, Rule, symptoms};
use crate::verify::code::{CodeDefinition, Effect};
use crate::verify::view::CaseView;
use crate::verify::{CheckId, Code, CodePage, Finding};

pub(super) const RULE: Rule = Rule { codes: &[Code::DanceCrashed, Code::DanceHung], needs: &[Need::Evidence], check };

/// `dance-crashed`
pub(in crate::verify) const DANCE_CRASHED: CodeDefinition = CodeDefinition {
    name: "dance-crashed",
    check: CheckId::B,
    effect: Effect::Other,
    suppresses: symptoms::BROKE_OFF,
    page: CodePage {
        what: "The dance ended with an error of its own before its work was done.",
        why: "Without inject and extract nothing moves between the cache directory and the cache mounts.",
        example: "Error: Failed to parse cache map. Expected JSON, got:",
        fix: "Read the message: a cache map that is not JSON, a missing Dockerfile (check out first), a missing docker, buildx, tar or sudo.",
    },
};

/// `dance-hung`
pub(in crate::verify) const DANCE_HUNG: CodeDefinition = CodeDefinition {
    name: "dance-hung",
    check: CheckId::B,
    effect: Effect::Other,
    suppresses: symptoms::BROKE_OFF,
    page: CodePage {
        what: "The dance was still at work when the job was stopped.",
        why: "A post step that hangs holds the runner for hours and saves nothing.",
        example: "##[error]The operation was canceled.   (in the post step of buildkit-cache-dance v3.3.1)",
        fix: "Use buildkit-cache-dance v3.3.0, or v3.3.2 and later; v3.3.1 hangs at its extract.",
    },
};

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
