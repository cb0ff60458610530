//! The build is as slow as without caches.

use super::mounts::never_filled;
use super::{Need, Rule};
use crate::evidence::Quote;
use crate::verify::checks::c1::{self, MountReading};
use crate::verify::checks::c2;
use crate::verify::code::{CodeDefinition, Effect};
use crate::verify::view::CaseView;
use crate::verify::{CheckId, CheckStatus, Code, CodePage, Finding};

pub(super) const RULE: Rule = Rule { codes: &[Code::BuildNotFaster], needs: &[Need::Evidence], check };

/// `build-not-faster`
pub(in crate::verify) const BUILD_NOT_FASTER: CodeDefinition = CodeDefinition {
    name: "build-not-faster",
    check: CheckId::C2,
    effect: Effect::Other,
    suppresses: &[],
    page: CodePage {
        what: "The build is as slow as without the caches, although nothing shows that they are missing.",
        why: "A cache that is restored and not used costs its transfer and saves nothing.",
        example: "BEFORE 114.0M /root/.cache/go-build\nreal\t0m 17.43s",
        fix: "Look for what makes Go's cached results unusable: another Go version, other build flags or environment, another source \
              layout, or a mount that is not where GOCACHE points (`go env GOCACHE GOMODCACHE`).",
    },
};

fn check(view: &CaseView) -> Vec<Finding> {
    let mounts = c1::mounts(view);
    let unused = mounts.iter().find(|mount| mount.status == CheckStatus::Fail && never_filled(view, mount));
    if let Some(mount) = unused {
        let target = &mount.mount.target;
        return vec![Finding::error(
            Code::BuildNotFaster,
            format!("{target} is empty before and after the build: Go keeps its cache elsewhere"),
            mount.before.iter().map(|before| before.quote.clone()).collect(),
            where_go_keeps_it(target),
        )];
    }
    let time = c2::read(view);
    if time.status != CheckStatus::Fail {
        return Vec::new();
    }
    let full = !mounts.is_empty() && mounts.iter().all(|mount| mount.status == CheckStatus::Pass);
    let unseen = hidden(view, &mounts);
    let although = match &unseen {
        _ if full => "although its caches are there".to_owned(),
        Some(target) => format!("and nothing could ever measure {target}: the user that builds may not look into it"),
        None => "and nothing shows why".to_owned(),
    };
    let sizes: Vec<Quote> =
        mounts.iter().filter_map(|mount| mount.before.as_ref()).map(|before| before.quote.clone()).collect();
    let fix = match unseen {
        Some(target) if !full => where_go_keeps_it(&target),
        _ => Code::BuildNotFaster.docs().fix.to_owned(),
    };
    vec![Finding::error(
        Code::BuildNotFaster,
        format!("go build took {}, {although}", time.observed),
        [time.evidence, sizes].concat(),
        fix,
    )]
}

/// Finds a mount whose size no run printed, before or after its build, where the others' were.
fn hidden(view: &CaseView, mounts: &[MountReading]) -> Option<String> {
    let measured = |target: &str| {
        let mut sizes = view.runs().filter_map(|run| run.build?.sizes_of(target));
        sizes.any(|sizes| sizes.before.is_some() || sizes.after.is_some())
    };
    let (seen, unseen): (Vec<_>, Vec<_>) = mounts.iter().partition(|mount| measured(&mount.mount.target));
    let unseen = unseen.first().filter(|_| !seen.is_empty())?;
    Some(unseen.mount.target.clone())
}

fn where_go_keeps_it(target: &str) -> String {
    format!(
        "Mount the cache where Go keeps it: compare {target} with `go env GOCACHE GOMODCACHE` inside the build, as the user that builds. A mount \
         for a user other than root needs his `uid` and `gid`, in the Dockerfile and in the cache map."
    )
}
