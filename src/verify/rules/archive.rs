//! The archive holds nothing, is frozen like that, or holds too little.

use super::{Need, Rule, symptoms};
use crate::evidence::{NotSaved, Quote, SaveOutcome};
use crate::verify::checks::{a, c1, c2, c3};
use crate::verify::code::{CodeDefinition, Effect};
use crate::verify::view::{CacheExt, CaseView, EMPTY_ARCHIVE, RunStage, RunView};
use crate::verify::{CheckId, CheckStatus, Code, CodePage, Finding, size};

pub(super) const RULE: Rule =
    Rule { codes: &[Code::CacheEmpty, Code::CacheLocked, Code::CacheTooSmall], needs: &[Need::Evidence], check };

/// `cache-empty`
pub(in crate::verify) const CACHE_EMPTY: CodeDefinition = CodeDefinition {
    name: "cache-empty",
    check: CheckId::A,
    effect: Effect::Other,
    suppresses: symptoms::COLD,
    page: CodePage {
        what: "The archive that actions/cache saved or restored holds no data: an empty directory packs into about 200 bytes.",
        why: "A hit on an empty archive looks green and restores nothing.",
        example: "Cache Size: ~0 MB (198 B)\nCache restored successfully\nCache restored from key: go-v1-…",
        fix: "Repair what left the directory empty (see the other findings), then change the key, such as `cache_version: v2` \
              in it: an entry never changes under its key.",
    },
};

/// `cache-locked`
pub(in crate::verify) const CACHE_LOCKED: CodeDefinition = CodeDefinition {
    name: "cache-locked",
    check: CheckId::A,
    effect: Effect::Other,
    suppresses: symptoms::COLD,
    page: CodePage {
        what: "An empty entry is frozen under its key: each run hits the primary key, so no run saves a better one.",
        why: "No later run can repair the cache, however right the workflow has become.",
        example: "Cache Size: ~0 MB (198 B)\nCache hit occurred on the primary key go-v1-…, not saving cache.",
        fix: "Change the key (bump `cache_version` in it), or delete the entry with `gh cache delete KEY`.",
    },
};

/// `cache-too-small`
pub(in crate::verify) const CACHE_TOO_SMALL: CodeDefinition = CodeDefinition {
    name: "cache-too-small",
    check: CheckId::A,
    effect: Effect::Other,
    suppresses: &[Code::MountsEmptyBeforeBuild, Code::BuildNotFaster, Code::InjectEmpty],
    page: CodePage {
        what: "actions/cache restored something, but far less than the Go caches hold.",
        why: "What was not restored is downloaded and compiled again.",
        example: "Cache Size: ~9 MB (9437184 B)",
        fix: "Look at which directories the `path` input covers and whether each cache mount has an entry in the cache map; \
              if the project is small, lower `--min-restore`. Then change the key, since the small entry is frozen.",
    },
};

fn check(view: &CaseView) -> Vec<Finding> {
    let run = &view.judged;
    let restored_empty =
        view.restoring().find(|cache| cache.restored_bytes().is_some_and(|bytes| bytes < EMPTY_ARCHIVE));
    if let Some(cache) = restored_empty {
        let (key, _) = cache.hit_key().unzip();
        let key = key.unwrap_or_default();
        let bytes = cache.restored_bytes().unwrap_or_default();
        let mut findings = vec![Finding::error(
            Code::CacheEmpty,
            format!(
                "actions/cache restored an empty archive from `{key}`: {}{}",
                empty_size(bytes),
                unbuilt(view.origin())
            ),
            cache.restore_quotes(),
            change_key(key),
        )];
        findings.extend(locked(run, key));
        return findings;
    }
    if let Some((cache, key, quote)) = view.saves_of(run).find(|(cache, _, _)| cache.saved_empty()) {
        let bytes = cache.save_size.as_ref().map(|size| size.value).unwrap_or_default();
        let evidence =
            [quote.clone()].into_iter().chain(cache.save_size.iter().map(|size| size.quote.clone())).collect();
        return vec![Finding::error(
            Code::CacheEmpty,
            format!("{} saved an empty archive under `{key}`: {}{}", run.name(), empty_size(bytes), unbuilt(Some(run))),
            evidence,
            change_key(key),
        )];
    }
    undersized_entry(view).or_else(|| too_small(view)).into_iter().collect()
}

/// Says how large an empty archive is, and how GitHub's log says it.
fn empty_size(bytes: u64) -> String {
    format!("{bytes} bytes (GitHub's log says \"~0 MB\")")
}

/// Says that the run which saved did not even build, where it was seen from its beginning to its end.
fn unbuilt(saver: Option<&RunView>) -> String {
    let idle = saver.filter(|run| run.is_whole() && run.evidence.builds.is_empty());
    idle.map_or_else(String::new, |run| format!("; in {}, which saved it, no build was seen", run.name()))
}

/// Reports an empty entry that this run hit and therefore does not replace.
fn locked(run: &RunView, key: &str) -> Option<Finding> {
    let quote: &Quote =
        run.caches.iter().filter_map(|cache| cache.save.as_ref()).find_map(|save| match &save.value {
            SaveOutcome::NotSaved(NotSaved::PrimaryHit { .. } | NotSaved::AlreadyExists { .. }) => Some(&save.quote),
            _ => None,
        })?;
    Some(Finding::error(
        Code::CacheLocked,
        format!("the empty entry is frozen under `{key}`: a run that hits it saves nothing"),
        vec![quote.clone()],
        change_key(key),
    ))
}

fn too_small(view: &CaseView) -> Option<Finding> {
    let reading = a::read(view);
    let restored = view.judged.restoring().all(|cache| cache.restored_bytes().is_some());
    if reading.status != CheckStatus::Fail || !restored || view.stage() != RunStage::Later {
        return None;
    }
    Some(Finding::error(
        Code::CacheTooSmall,
        format!("actions/cache {}, and should have: {}", reading.observed, reading.threshold),
        reading.evidence,
        Code::CacheTooSmall.docs().fix,
    ))
}

/// Reports an entry of a run that built far less than this one.
fn undersized_entry(view: &CaseView) -> Option<Finding> {
    let cold =
        [c1::read(view), c2::read(view), c3::read(view)].iter().any(|reading| reading.status == CheckStatus::Fail);
    let (origin, before, now) = view.undersized_entry().filter(|_| cold)?;
    let mut evidence: Vec<Quote> = view.judged.restoring().flat_map(|cache| cache.restore_quotes()).collect();
    let sizes = [origin, &view.judged].into_iter().filter_map(|run| run.build).flat_map(|build| &build.sizes);
    evidence.extend(sizes.filter_map(|sizes| sizes.after.as_ref()).map(|after| after.quote.clone()));
    Some(Finding::error(
        Code::CacheTooSmall,
        format!(
            "{} left {} in the cache mounts and saved that; this run's build fills them with {}",
            origin.name(),
            size(before),
            size(now)
        ),
        evidence,
        "Build the same in every run that saves under a key, or give the smaller build a key of its own; and change this key, since its entry \
         never changes.",
    ))
}

/// Says how to get rid of an entry.
fn change_key(key: &str) -> String {
    format!(
        "First fix the cause. Then use a new cache key (bump `cache_version` in it), or delete the cache: `gh cache delete {key}`. \
         GitHub never overwrites a cache that has the same key."
    )
}
