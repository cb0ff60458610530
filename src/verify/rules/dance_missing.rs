//! Cache mounts, and no dance to carry them.

use super::{Need, Rule, symptoms};
use crate::evidence::{Aspect, Build, DancePhase, MountSpec, Quote};
use crate::verify::checks::c1;
use crate::verify::code::{CodeDefinition, Effect};
use crate::verify::view::CaseView;
use crate::verify::{CheckId, CheckStatus, Code, CodePage, Finding};

pub(super) const RULE: Rule = Rule { codes: &[Code::DanceMissing], needs: &[Need::Evidence], check };

/// `dance-missing`
pub(in crate::verify) const DANCE_MISSING: CodeDefinition = CodeDefinition {
    name: "dance-missing",
    check: CheckId::B,
    effect: Effect::Other,
    suppresses: symptoms::NOTHING_LEFT,
    page: CodePage {
        what: "The job has cache mounts and no buildkit-cache-dance step.",
        why: "Cache mounts live in the builder and vanish with the runner; only the dance carries them to where actions/cache can save them.",
        example: "RUN --mount=type=cache,target=/go/pkg/mod go build …   (and no step that uses buildkit-cache-dance)",
        fix: "Add a step after actions/cache and before the build:\n\
              \x20 - uses: reproducible-containers/buildkit-cache-dance@v3.3.2\n\
              \x20   with:\n\
              \x20     cache-map: '{\"go-mod\": \"/go/pkg/mod\", \"go-build\": \"/root/.cache/go-build\"}'",
    },
};

fn check(view: &CaseView) -> Vec<Finding> {
    // A dance that the set-up fetched is not missing.
    let Some(build) = undanced(view).filter(|_| view.judged.evidence.downloaded.is_empty()) else { return Vec::new() };
    let evidence: Vec<Quote> = build.mounts.iter().take(2).map(|mount| mount.quote.clone()).collect();
    let mut names: Vec<String> = Vec::new();
    let mut entries: Vec<String> = Vec::new();
    for mount in &build.mounts {
        let name = unlike(&names, &mount.value);
        entries.push(super::identity::entry(&name, &mount.value));
        names.push(name);
    }
    vec![Finding::error(
        Code::DanceMissing,
        "the build has cache mounts and the job has no buildkit-cache-dance step",
        evidence,
        format!(
            "Add a step that uses `reproducible-containers/buildkit-cache-dance@v3.3.2` between actions/cache and the build, with this \
             `cache-map`, and let actions/cache save its directories:\n{}",
            super::identity::cache_map(&entries)
        ),
    )]
}

/// Suggests a host directory for a mount that none of the others has: `apt` for `/var/cache/apt`, then `lib-apt` for
/// `/var/lib/apt`. Two entries of one name would be one.
fn unlike(others: &[String], mount: &MountSpec) -> String {
    let short = super::identity::source_name(mount);
    let parts: Vec<&str> = mount.target.split('/').filter(|part| !part.is_empty()).collect();
    let longer = (2..=parts.len()).map(|count| parts[parts.len() - count..].join("-"));
    let numbered = (2..).map(|number| format!("{short}-{number}"));
    let mut all = std::iter::once(short.clone()).chain(longer).chain(numbered);
    all.find(|name| !others.contains(name)).unwrap_or(short)
}

/// Returns the judged run's build, where it has cache mounts and no dance ran that could have filled them.
pub(super) fn undanced<'a>(view: &CaseView<'a>) -> Option<&'a Build> {
    let run = &view.judged;
    let danced = !run.dances().is_empty()
        || run.carried(DancePhase::Inject).next().is_some()
        // A step that broke off early may never have reached the dance.
        || run.broke_off().is_some();
    let build = run.build.filter(|_| !danced && run.is_whole())?;
    // What stands before the first line of a copy may be the dance.
    let begins = run.surrounding(Aspect::RunnerImage).is_some()
        || run.evidence.steps.first().is_some_and(|step| Some(step.id) != build.step);
    if !begins {
        return None;
    }
    let mounts = c1::mounts(view);
    // Full mounts got there in a way of their own; C1 says that this proves nothing.
    let full =
        |mount: &c1::MountReading| mount.before.is_some() && mount.status != CheckStatus::Fail && !mount.is_empty();
    let arrived = !mounts.is_empty() && mounts.iter().all(full);
    (!arrived && !build.mounts.is_empty()).then_some(build)
}
