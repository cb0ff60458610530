//! What should be in the cache mounts before the build is not there.

use super::{Need, Rule};
use crate::evidence::{CompileStep, DancePhase, Quote};
use crate::verify::checks::c1::{self, MountReading};
use crate::verify::checks::c3;
use crate::verify::code::{CodeDefinition, Effect};
use crate::verify::view::{CaseView, EMPTY_MOUNT, MountKind, MountMatch, pair};
use crate::verify::{CheckId, CheckStatus, Code, CodePage, Finding, size};

pub(super) const RULE: Rule = Rule {
    codes: &[Code::MountsEmptyBeforeBuild, Code::ModulesNotRestored, Code::BuildCacheNotRestored],
    needs: &[Need::Evidence],
    check,
};

/// `mounts-empty-before-build`
pub(in crate::verify) const MOUNTS_EMPTY_BEFORE_BUILD: CodeDefinition = CodeDefinition {
    name: "mounts-empty-before-build",
    check: CheckId::C1,
    effect: Effect::Other,
    suppresses: &[Code::BuildNotFaster, Code::ModulesNotRestored],
    page: CodePage {
        what: "The cache mounts hold (almost) nothing when the build starts.",
        why: "Whatever was restored did not reach the build.",
        example: "=== BEFORE ===\n8.0K\t/go/pkg/mod\n8.0K\t/root/.cache/go-build",
        fix: "Compare the cache map with the Dockerfile's mounts: target, id, uid, gid, mode, and the builder.",
    },
};

/// `modules-not-restored`
pub(in crate::verify) const MODULES_NOT_RESTORED: CodeDefinition = CodeDefinition {
    name: "modules-not-restored",
    check: CheckId::C1,
    effect: Effect::Other,
    suppresses: &[Code::BuildNotFaster, Code::CacheTooSmall],
    page: CodePage {
        what: "The module cache does not come back: `/go/pkg/mod` is small before the build, or modules are downloaded again.",
        why: "Every run downloads every module.",
        example: "go: downloading github.com/aws/aws-sdk-go v1.55.5",
        fix: "Verify the inject of `/go/pkg/mod`: an entry in the cache map with the target and id of the Dockerfile's mount.",
    },
};

/// `build-cache-not-restored`
pub(in crate::verify) const BUILD_CACHE_NOT_RESTORED: CodeDefinition = CodeDefinition {
    name: "build-cache-not-restored",
    check: CheckId::C1,
    effect: Effect::Other,
    suppresses: &[Code::BuildNotFaster, Code::CacheTooSmall],
    page: CodePage {
        what: "The build cache does not come back: `/root/.cache/go-build` is small before the build.",
        why: "Every run compiles every package.",
        example: "=== BEFORE ===\n131.2M\t/go/pkg/mod\n8.0K\t/root/.cache/go-build",
        fix: "Verify the inject of `/root/.cache/go-build`: an entry in the cache map with the target and id of the Dockerfile's mount.",
    },
};

fn check(view: &CaseView) -> Vec<Finding> {
    if view.undersized_entry().is_some() {
        // What the run that saved never had is not lost: the entry is too small, which is the archive's to report.
        return Vec::new();
    }
    let readings = c1::mounts(view);
    let short: Vec<&MountReading> =
        readings.iter().filter(|reading| reading.status == CheckStatus::Fail && !never_filled(view, reading)).collect();
    if !short.is_empty()
        && short.len() == readings.len()
        && (short.len() > 1 || short[0].mount.kind == MountKind::Other)
    {
        return vec![all_short(&short)];
    }
    let mut findings: Vec<Finding> = short.iter().map(|reading| one_short(view, reading)).collect();
    let downloads = c3::read(view);
    if downloads.status == CheckStatus::Fail && !findings.iter().any(|finding| finding.code == Code::ModulesNotRestored)
    {
        findings.push(Finding::error(
            Code::ModulesNotRestored,
            format!("{}, though {}", downloads.observed, had(view)),
            downloads.evidence,
            mount_that_lacks(view).unwrap_or_else(|| Code::ModulesNotRestored.docs().fix.to_owned()),
        ));
    }
    findings
}

/// Says which mount to add, where the step that compiles has none for the modules although the Dockerfile has one.
fn mount_that_lacks(view: &CaseView) -> Option<String> {
    let build = view.judged.build?;
    let modules = |target: &str| MountKind::in_build(Some(build), target, None) == MountKind::Modules;
    let mount = build.mounts.iter().find(|mount| modules(&mount.value.target))?;
    let lacks = |step: &CompileStep| !step.mounts.is_empty() && !step.mounts.iter().any(|mount| modules(&mount.target));
    let step = build.compile_steps.iter().find(|step| lacks(&step.value))?;
    let id = mount.value.id.as_ref().map_or_else(String::new, |id| format!(",id={id}"));
    Some(format!(
        "Add `--mount=type=cache,target={}{id}` to the RUN that compiles: it has no module mount, so what another step downloaded is \
         not there. ({})",
        mount.value.target, step.quote.text
    ))
}

fn had(view: &CaseView) -> &'static str {
    if view.cold_downloads().is_some() { "an earlier run had them" } else { "a cache was restored" }
}

/// Tells whether a mount stays empty whatever the build does: then nothing was lost, and it is not where Go keeps its cache.
pub(super) fn never_filled(view: &CaseView, reading: &MountReading) -> bool {
    let mut after = view.runs().filter_map(|run| run.build?.sizes_of(&reading.mount.target)?.after.as_ref()).peekable();
    reading.is_empty() && after.peek().is_some() && after.all(|after| after.value < EMPTY_MOUNT)
}

fn all_short(short: &[&MountReading]) -> Finding {
    let empty = short.iter().all(|reading| reading.is_empty());
    let sizes: Vec<String> = short
        .iter()
        .filter_map(|reading| Some(format!("{} in {}", size(reading.before.as_ref()?.value), reading.mount.target)))
        .collect();
    let word = if empty { "are empty" } else { "hold too little" };
    Finding::error(
        Code::MountsEmptyBeforeBuild,
        format!("the cache mounts {word} before the build: {}", sizes.join(", ")),
        quotes(short),
        Code::MountsEmptyBeforeBuild.docs().fix,
    )
}

fn one_short(view: &CaseView, reading: &MountReading) -> Finding {
    let target = &reading.mount.target;
    let code = match reading.mount.kind {
        MountKind::Modules => Code::ModulesNotRestored,
        MountKind::BuildCache => Code::BuildCacheNotRestored,
        MountKind::Other => Code::MountsEmptyBeforeBuild,
    };
    let before = reading.before.as_ref().map(|before| size(before.value)).unwrap_or_default();
    let uncarried = pair(&view.judged, DancePhase::Inject).into_iter().find_map(|pairing| match pairing {
        MountMatch::None(mount) if mount.clean_target() == *target => Some(mount),
        _ => None,
    });
    let (cause, fix) = match uncarried {
        Some(mount) => (
            ": the cache map has no entry for it",
            format!(
                "Add the entry `{}` to the cache map, its directory to `path` of actions/cache, and change the cache key.",
                super::identity::entry(&super::identity::source_name(mount), mount)
            ),
        ),
        None => ("", code.docs().fix.to_owned()),
    };
    Finding::error(code, format!("{target} holds {before} before the build{cause}"), quotes(&[reading]), fix)
}

fn quotes(readings: &[&MountReading]) -> Vec<Quote> {
    readings.iter().filter_map(|reading| reading.before.as_ref()).map(|before| before.quote.clone()).collect()
}
