//! The rules that need no run: what a plan and a Dockerfile declare is enough for them. [`declared`] is principal.
//!
//! Whoever has only files turns them into the facts that a run would give of its inputs, and asks here. The numbers of a
//! run are absent, so no check is read and no verdict given.

use super::identity::{entry, source_name};
use crate::evidence::{DancePhase, Evidence, MountSpec, Quote};
use crate::verify::explained::root_causes;
use crate::verify::view::{CaseView, MountKind, MountMatch, pair};
use crate::verify::{Case, CaseSource, Code, Finding, Profile, Thresholds};

/// The codes whose rules look only at inputs, orders and names.
const DECLARED: [Code; 14] = [
    Code::DanceMissing,
    Code::DanceSkipped,
    Code::DanceCrashed,
    Code::NoCacheBuild,
    Code::BuilderMismatch,
    Code::CacheMapIdMismatch,
    Code::CacheMapTargetMismatch,
    Code::CacheMapOwnerMismatch,
    Code::CacheMapCollision,
    Code::CacheAfterDance,
    Code::SaveBeforeExtract,
    Code::CachePathMissing,
    Code::CacheDirMismatch,
    Code::ExtractSkipped,
];

/// Says what is wrong with one run as it is declared: the facts of its inputs, in the order in which its steps would run.
pub fn declared(run: Evidence) -> Vec<Finding> {
    let case =
        Case { runs: vec![run], source: CaseSource::Live, thresholds: Thresholds::default(), profile: Profile::Auto };
    let Some(view) = CaseView::each_build(&case).into_iter().next() else { return Vec::new() };
    let rules = super::rules().iter().filter(|rule| rule.codes.iter().any(|code| DECLARED.contains(code)));
    let found = rules.flat_map(|rule| (rule.check)(&view)).filter(|finding| DECLARED.contains(&finding.code));
    root_causes(found.chain(uncarried(&view)).collect(), false)
}

/// Writes the cache map's entry that fits a mount, such as `"go-mod": {"target": "/go/pkg/mod", "id": "go-mod"}`.
pub(crate) fn map_entry(source: &str, mount: &MountSpec) -> String {
    entry(source, mount)
}

/// Reports Go's mounts that the cache map leaves out. What a run sees as a cold mount, the files show beforehand.
fn uncarried(view: &CaseView) -> Vec<Finding> {
    let run = &view.judged;
    if run.carried(DancePhase::Inject).next().is_none() {
        return Vec::new();
    }
    let mounts = run.build.map(|build| build.mounts.as_slice()).unwrap_or_default();
    let one = |mount: &MountSpec| {
        let code = match MountKind::in_build(run.build, &mount.target, mount.id.as_deref()) {
            MountKind::Modules => Code::ModulesNotRestored,
            MountKind::BuildCache => Code::BuildCacheNotRestored,
            MountKind::Other => return None,
        };
        let lines = mounts.iter().filter(|seen| seen.value == *mount).map(|seen| seen.quote.clone());
        let map = run.dances().iter().filter_map(|dance| dance.inputs.as_ref()).map(|inputs| inputs.quote.clone());
        let evidence: Vec<Quote> = lines.chain(map).collect();
        Some(Finding::error(
            code,
            format!("the dance carries nothing into or out of the mount {}", mount.target),
            evidence,
            format!(
                "Add the entry `{}` to the cache map, its directory to `path` of actions/cache, and change the cache key.",
                entry(&source_name(mount), mount)
            ),
        ))
    };
    let none = |pairing: MountMatch<'_>| match pairing {
        MountMatch::None(mount) => one(mount),
        MountMatch::Same(..) | MountMatch::Other(..) => None,
    };
    pair(run, DancePhase::Inject).into_iter().filter_map(none).collect()
}
