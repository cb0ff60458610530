//! Extract did not put what the build left where actions/cache saves it.

use super::dance_message::{fix_of, telling};
use super::{Need, Rule, symptoms};
use crate::evidence::{Carried, DancePhase, MountSpec, Quote};
use crate::verify::code::{CodeDefinition, Effect};
use crate::verify::view::{CacheExt, CaseView, EMPTY_MOUNT, MountKind, MountMatch, RunView, pair};
use crate::verify::{CheckId, Code, CodePage, Finding, Severity, size};

pub(super) const RULE: Rule =
    Rule { codes: &[Code::ExtractFailed, Code::ExtractEmpty, Code::ExtractSkipped], needs: &[Need::Evidence], check };

/// `extract-failed`
pub(in crate::verify) const EXTRACT_FAILED: CodeDefinition = CodeDefinition {
    name: "extract-failed",
    check: CheckId::B,
    effect: Effect::LeavesNothing,
    suppresses: symptoms::NOTHING_LEFT,
    page: CodePage {
        what: "A copy out of a cache mount failed.",
        why: "What could not be extracted cannot be saved.",
        example: "Error: EXDEV: cross-device link not permitted, rename 'scratch/dance-cache' -> 'go-mod'",
        fix: "Read the message: put `scratch-dir` on the same file system, use GNU tar, free disk space, make the directory removable.",
    },
};

/// `extract-skipped`
pub(in crate::verify) const EXTRACT_SKIPPED: CodeDefinition = CodeDefinition {
    name: "extract-skipped",
    check: CheckId::B,
    effect: Effect::LeavesNothing,
    suppresses: symptoms::NOTHING_LEFT,
    page: CodePage {
        what: "`skip-extraction` does not follow the cache hit: it skips where a save is due, or can never be the exact text `true`.",
        why: "Inject deletes the directory, so a skipped extract leaves nothing to save, and one that is never skipped costs its time in every run.",
        example: "skip-extraction is set. Skipping extraction step...",
        fix: "Write `skip-extraction: ${{ steps.cache.outputs.cache-hit }}`; combine conditions inside one expression: `${{ a && b }}`, not `${{ a }} && ${{ b }}`.",
    },
};

/// `extract-empty`
pub(in crate::verify) const EXTRACT_EMPTY: CodeDefinition = CodeDefinition {
    name: "extract-empty",
    check: CheckId::B,
    effect: Effect::LeavesNothing,
    suppresses: &[
        Code::CacheTooSmall,
        Code::MountsEmptyBeforeBuild,
        Code::ModulesNotRestored,
        Code::BuildCacheNotRestored,
        Code::BuildNotFaster,
        Code::InjectEmpty,
    ],
    page: CodePage {
        what: "The build left data in its cache mounts, and extract put none of it into the cache directory.",
        why: "actions/cache saves an empty directory, and freezes it under its key.",
        example: "AFTER 131.2M /go/pkg/mod   then   Sent 198 of 198 (100.0%)",
        fix: "Make the dance's mount the build's mount (id, target, uid, gid, mode, builder); then change the key.",
    },
};

fn check(view: &CaseView) -> Vec<Finding> {
    let runs = view.relevant_runs();
    let newest_first = || runs.iter().rev().copied();
    let mut findings = Vec::new();
    findings.extend(newest_first().find_map(failed));
    findings.extend(newest_first().find_map(skipped).or_else(|| never_skips(&view.judged)));
    findings.extend(newest_first().find_map(empty));
    findings
}

fn failed(run: &RunView) -> Option<Finding> {
    let failures = run.dances().iter().flat_map(|dance| &dance.failures);
    let failures: Vec<_> = failures.filter(|failure| failure.value.0 == DancePhase::Extract).collect();
    let lines: Vec<Quote> = failures.iter().map(|failure| failure.quote.clone()).collect();
    let message = telling(failures.iter().map(|failure| failure.value.1.as_str()));
    // Where nothing is saved anyway, this run loses nothing by it; a later one will.
    let severity = if nothing_to_save(run) { Severity::Warning } else { Severity::Error };
    (!lines.is_empty()).then(|| {
        Finding::new(
            Code::ExtractFailed,
            severity,
            format!("in {} a copy out of a cache mount failed: {message}", run.name()),
            lines,
            fix_of(message).unwrap_or(Code::ExtractFailed.docs().fix),
        )
    })
}

/// Reports an extract that was skipped though a save was due.
fn skipped(run: &RunView) -> Option<Finding> {
    let skipped = run.dances().iter().find_map(|dance| dance.extract_skipped.as_ref())?;
    (!nothing_to_save(run)).then(|| {
        Finding::error(
            Code::ExtractSkipped,
            format!("in {} the extract was skipped although there was something to save", run.name()),
            vec![skipped.quote.clone()],
            "Let it follow the hit: `skip-extraction: ${{ steps.cache.outputs.cache-hit }}`, which is `true` only when the primary key was hit.",
        )
    })
}

/// Tells whether no save is due: the run hit its primary key, or the job has no step that saves.
fn nothing_to_save(run: &RunView) -> bool {
    run.only_restores() || run.caches.iter().any(|cache| cache.hit_primary().is_some() || cache.hit_exactly())
}

/// Warns of a value that is meant to skip and never does: the action compares with the exact text `true`.
fn never_skips(run: &RunView) -> Option<Finding> {
    let inputs = run.dances().iter().find_map(|dance| dance.inputs.as_ref())?;
    let value = inputs.value.skip_extraction.as_deref()?;
    let plain = matches!(value.trim(), "true" | "false" | "") || value.contains("***");
    (!plain && value.to_lowercase().contains("true")).then(|| {
        Finding::new(
            Code::ExtractSkipped,
            Severity::Warning,
            format!("`skip-extraction: {value}` never skips: only the exact text `true` does"),
            vec![inputs.quote.clone()],
            "Combine the conditions inside one expression: `skip-extraction: ${{ a && b }}`, not `${{ a }} && ${{ b }}`.",
        )
    })
}

/// Reports an extract that brought nothing though the build left data and a save was due: measured on a live run, seen by
/// what was saved in a log.
fn empty(run: &RunView) -> Option<Finding> {
    if nothing_to_save(run) {
        return None;
    }
    // Out of another cache than the build's there is nothing to bring; that is `identity`'s to report, while it is so.
    let other: Vec<&Carried> = pair(run, DancePhase::Extract)
        .into_iter()
        .filter_map(|pairing| match pairing {
            MountMatch::Other(_, entry) => Some(entry),
            MountMatch::Same(..) | MountMatch::None(_) => None,
        })
        .collect();
    let measured = run.carried(DancePhase::Extract).filter(|entry| !other.contains(entry)).find_map(|entry| {
        let tally = entry.tally.as_ref().filter(|tally| tally.value.is_nothing())?;
        let (after, quote) = left_in(run, &entry.mount.value.target)?;
        Some((entry.mount.value.target.clone(), after, vec![quote, tally.quote.clone()]))
    });
    // What was measured to come out needs no guess from what was saved.
    let unmeasured = run.carried(DancePhase::Extract).all(|entry| entry.tally.is_none());
    let guessed = || saved_nothing(run).filter(|_| unmeasured && other.is_empty());
    let sized = measured
        .or_else(guessed)
        .map(|(target, after, evidence)| (format!("the build left {} in {target}", size(after)), evidence));
    let downloaded = || downloaded_in_vain(run).filter(|_| unmeasured && other.is_empty());
    let (left, evidence) = sized.or_else(downloaded)?;
    Some(Finding::error(
        Code::ExtractEmpty,
        format!("in {} {left}, and extract brought none of it", run.name()),
        evidence,
        "Make the dance's mount the build's own (id, target, uid, gid, mode and builder); then change the cache key, since an empty entry may be \
         frozen under it.",
    ))
}

/// Finds an empty save that followed an extract out of the mount into which the build had downloaded modules.
fn downloaded_in_vain(run: &RunView) -> Option<(String, Vec<Quote>)> {
    let build = run.build.filter(|build| build.fetched.is_none())?;
    let first = build.downloads.first()?;
    let (cache, _, quote) = run.saves().find(|(cache, _, _)| cache.saved_empty())?;
    let saved_at = cache.save.as_ref()?.order;
    let compiled = |mount: &MountSpec| {
        build.compile_steps.iter().flat_map(|step| &step.value.mounts).any(|known| known.same_cache(mount))
    };
    let entry = run.carried(DancePhase::Extract).filter(|entry| entry.mount.order < saved_at).find(|entry| {
        let mount = &entry.mount.value;
        MountKind::of(&mount.target, mount.id.as_deref()) == MountKind::Modules && compiled(mount)
    })?;
    let modules = modules_in_words(build.downloads.len());
    let evidence = [first.quote.clone(), entry.mount.quote.clone(), quote.clone()];
    let size_quote = cache.save_size.iter().map(|size| size.quote.clone());
    Some((
        format!("the build downloaded {modules} into {}", entry.mount.value.target),
        evidence.into_iter().chain(size_quote).collect(),
    ))
}

/// Finds an empty save that followed an extract out of mounts that were full.
fn saved_nothing(run: &RunView) -> Option<(String, u64, Vec<Quote>)> {
    let (cache, _, quote) = run.saves().find(|(cache, _, _)| cache.saved_empty())?;
    let saved_at = cache.save.as_ref()?.order;
    run.carried(DancePhase::Extract).filter(|entry| entry.mount.order < saved_at).find_map(|entry| {
        let target = entry.mount.value.target.clone();
        let (after, after_quote) = left_in(run, &target)?;
        let size_quote = cache.save_size.iter().map(|size| size.quote.clone());
        Some((target, after, [after_quote, quote.clone()].into_iter().chain(size_quote).collect()))
    })
}

/// Returns what the build left in a mount, when that is something.
fn left_in(run: &RunView, target: &str) -> Option<(u64, Quote)> {
    let after = run.build?.sizes_of(target)?.after.as_ref().filter(|after| after.value >= EMPTY_MOUNT)?;
    Some((after.value, after.quote.clone()))
}

fn modules_in_words(count: usize) -> String {
    if count == 1 { "1 module".to_owned() } else { format!("{count} modules") }
}
