//! The dance itself broke: it crashed, or it hung until the job was stopped.

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
                    format!("in {} the dance ended with an error of its own", run.name()),
                    vec![crashed.quote.clone()],
                    fix_of(&crashed.value),
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

/// Says what to do about the crashes people meet.
fn fix_of(reason: &str) -> String {
    let known = [
        (
            "Expected JSON",
            "Write the cache map as JSON, `{\"go-mod\": \"/go/pkg/mod\"}`; without a cache map, check out before the dance so that its Dockerfile is there.",
        ),
        (
            "Expected the 'target' key",
            "Give each object in the cache map a `target`: `{\"go-mod\": {\"target\": \"/go/pkg/mod\", \"id\": \"go-mod\"}}`.",
        ),
        (
            "must define id or target",
            "Write `target=` instead of `dst=` or `destination=` in the Dockerfile's cache mounts, or give them an `id`.",
        ),
        ("no builder", "Name a builder that exists: `builder: ${{ steps.setup-buildx.outputs.name }}`."),
        ("unknown flag: --builder", "Install buildx: add `docker/setup-buildx-action` before the dance."),
        ("spawn sudo", "Run the job where `sudo` exists, or use a version of the dance that needs none."),
        ("spawn docker", "Run the job where the docker command line is installed."),
        ("EXDEV", "Put `scratch-dir` on the same file system as the cache directory."),
        (
            "toomanyrequests",
            "Name a utility image that is not rate limited: `utility-image: ghcr.io/containerd/busybox:latest`.",
        ),
        ("Must specify one of", "Put GNU tar first in PATH; the dance uses an option that BSD tar lacks."),
    ];
    let fix = known.iter().find(|(sign, _)| reason.contains(sign)).map(|(_, fix)| *fix);
    fix.unwrap_or(Code::DanceCrashed.docs().fix).to_owned()
}
