//! A hit was due and there was none; why, where that can be told.

use super::{Need, Rule, symptoms};
use crate::cache::Compression;
use crate::evidence::{Cache, CacheInputs, MissCause, Quote, Seen};
use crate::verify::code::{CodeDefinition, Effect};
use crate::verify::view::{CacheExt, CaseView, RunStage, RunView};
use crate::verify::{CheckId, Code, CodePage, Finding};

pub(super) const RULE: Rule = Rule {
    codes: &[
        Code::CacheMiss,
        Code::CacheOutOfScope,
        Code::CacheEvicted,
        Code::CacheVersionChanged,
        Code::CacheKeyUnique,
    ],
    needs: &[Need::Evidence],
    check,
};

/// `cache-key-unique`
pub(in crate::verify) const CACHE_KEY_UNIQUE: CodeDefinition = CodeDefinition {
    name: "cache-key-unique",
    check: CheckId::A,
    effect: Effect::FindsNothing,
    suppresses: symptoms::MISSED,
    page: CodePage {
        what: "The key differs between the runs, and there is no restore key to find the entry of an earlier one.",
        why: "Every run saves an entry that no run ever restores.",
        example: "Cache not found for input keys: go-3f2c…\nCache saved with key: go-3f2c…",
        fix: "Add the constant part of the key as a restore key: `restore-keys: go-`.",
    },
};

/// `cache-version-changed`
pub(in crate::verify) const CACHE_VERSION_CHANGED: CodeDefinition = CodeDefinition {
    name: "cache-version-changed",
    check: CheckId::A,
    effect: Effect::FindsNothing,
    suppresses: symptoms::MISSED,
    page: CodePage {
        what: "An entry of this key exists, but for another list of paths or another compression; both are part of its identity.",
        why: "The same key with other paths is another entry, so the run misses.",
        example: "Cache not found for input keys: go-v1-…   (saved with `path: .go-cache`, restored with `path: ./.go-cache`)",
        fix: "Write the `path` input the same in every step and job, letter by letter and in the same order, and have zstd on every runner.",
    },
};

/// `cache-out-of-scope`
pub(in crate::verify) const CACHE_OUT_OF_SCOPE: CodeDefinition = CodeDefinition {
    name: "cache-out-of-scope",
    check: CheckId::A,
    effect: Effect::FindsNothing,
    suppresses: symptoms::MISSED,
    page: CodePage {
        what: "A matching entry exists, saved by a ref whose caches this run may not read, such as another pull request.",
        why: "A run reads entries of its own ref, its base and the default branch only.",
        example: "Cache not found for input keys: go-v1-…   (while `gh cache list` shows it for refs/pull/7/merge)",
        fix: "Let the workflow also run on pushes to the default branch, so that every branch and pull request can read that entry.",
    },
};

/// `cache-evicted`
pub(in crate::verify) const CACHE_EVICTED: CodeDefinition = CodeDefinition {
    name: "cache-evicted",
    check: CheckId::A,
    effect: Effect::FindsNothing,
    suppresses: symptoms::MISSED,
    page: CodePage {
        what: "A matching entry was there and has been evicted.",
        why: "The repository's limit (10 GB by default) or seven days without use removed it, and it will happen again.",
        example: "Cache not found for input keys: go-v1-…   (while an older run printed: Cache saved with key: go-v1-…)",
        fix: "For an entry that lay unused, let a scheduled run of the default branch restore it within the week. For the limit, save less \
              often (a key without the commit in it), save less (clean the module cache), or raise it.",
    },
};

/// `cache-miss`
pub(in crate::verify) const CACHE_MISS: CodeDefinition = CodeDefinition {
    name: "cache-miss",
    check: CheckId::A,
    effect: Effect::FindsNothing,
    suppresses: symptoms::COLD,
    page: CodePage {
        what: "actions/cache found nothing although an earlier run should have left an entry.",
        why: "Without a hit the run is as cold as the first one.",
        example: "Cache not found for input keys: go-v1-…",
        fix: "Compare the key and the paths of both runs, and whether the earlier one saved under a key that this one asks for.",
    },
};

fn check(view: &CaseView) -> Vec<Finding> {
    if view.stage() != RunStage::Later {
        return Vec::new();
    }
    let missed = view.judged.restoring().find_map(|cache| Some((cache, cache.missed()?)));
    let Some((cache, miss)) = missed else { return Vec::new() };
    let known = match (by_store(cache, miss), by_comparison(view, cache, miss)) {
        // The store is sure of the cause, and the comparison can say more of it.
        (Some(sure), Some(mut told)) if sure.code == told.code => {
            told.evidence.extend(sure.evidence.into_iter().filter(|quote| quote != miss));
            Some(told)
        }
        (sure, told) => sure.or(told),
    };
    vec![known.unwrap_or_else(|| {
        let key = cache.inputs.as_ref().map_or("its keys", |inputs| inputs.value.key.as_str());
        Finding::error(
            Code::CacheMiss,
            format!("actions/cache found nothing for `{key}`, though an earlier run should have left an entry"),
            vec![miss.clone()],
            Code::CacheMiss.docs().fix,
        )
    })]
}

/// Names the cause that the store itself knows.
fn by_store(cache: &Cache, miss: &Quote) -> Option<Finding> {
    let cause = cache.miss_cause.as_ref()?;
    let evidence = vec![miss.clone(), cause.quote.clone()];
    let (code, title) = match &cause.value {
        MissCause::NeverSaved => return None,
        MissCause::OtherVersion { key } => {
            (Code::CacheVersionChanged, format!("`{key}` exists for other paths or another compression"))
        }
        MissCause::OutOfScope { key, scope } => {
            (Code::CacheOutOfScope, format!("`{key}` was saved for `{scope}`, which this run may not read"))
        }
        MissCause::Evicted { key } => (Code::CacheEvicted, format!("`{key}` was there and has been evicted")),
    };
    Some(Finding::error(code, title, evidence, code.docs().fix))
}

/// Names the cause that the two runs' own inputs show.
fn by_comparison(view: &CaseView, cache: &Cache, miss: &Quote) -> Option<Finding> {
    let asked = cache.inputs.as_ref()?;
    let reachable = |key: &str| {
        key.starts_with(&asked.value.key)
            || asked.value.restore_keys.iter().any(|prefix| key.starts_with(prefix.as_str()))
    };
    let same_paths = |saver: &Cache| saver.inputs.as_ref().is_some_and(|saved| saved.value.paths == asked.value.paths);
    let (run, saver, key, quote) = view.earlier.iter().rev().find_map(|run| {
        let saves: Vec<_> = run.saves().filter(|(cache, _, _)| !cache.saved_empty()).collect();
        // Of several caches it is the one that this step would have read.
        let own = saves.iter().find(|(saver, key, _)| reachable(key) || same_paths(saver));
        let (saver, key, quote) = own.or(saves.first().filter(|_| saves.len() == 1))?;
        Some((run, *saver, *key, *quote))
    })?;
    let evidence = vec![quote.clone(), miss.clone()];
    if reachable(key) {
        return other_compression(run, saver, key, cache, evidence.clone())
            .or_else(|| other_paths(run, saver, key, asked, evidence));
    }
    // Restore keys that match nothing are another mistake than having none.
    asked.value.restore_keys.is_empty().then(|| {
        let constant = common_prefix(key, &asked.value.key);
        let restore = if constant.is_empty() { "PREFIX-" } else { constant };
        Finding::error(
            Code::CacheKeyUnique,
            format!("{} saved under `{key}`, this run asks only for `{}`", run.name(), asked.value.key),
            evidence,
            format!("Add the part of the key that stays as a restore key: `restore-keys: {restore}`."),
        )
    })
}

/// Reports an entry that was packed in another way than this run would.
fn other_compression(
    run: &RunView,
    saver: &Cache,
    key: &str,
    cache: &Cache,
    mut evidence: Vec<Quote>,
) -> Option<Finding> {
    let (saved, asked) = (saver.compression.as_ref()?, cache.compression.as_ref()?);
    if saved.value == asked.value {
        return None;
    }
    evidence.extend([saved.quote.clone(), asked.quote.clone()]);
    let word = |how: Compression| match how {
        Compression::Zstd => "zstd",
        Compression::Gzip => "gzip",
    };
    Some(Finding::error(
        Code::CacheVersionChanged,
        format!(
            "{} packed `{key}` with {}, this run packs with {}: for actions/cache those are two versions",
            run.name(),
            word(saved.value),
            word(asked.value)
        ),
        evidence,
        "Let every job that shares the key run where zstd is installed, or none: a container without it packs with gzip. Otherwise give \
         each a key of its own.",
    ))
}

fn other_paths(
    run: &RunView,
    saver: &Cache,
    key: &str,
    asked: &Seen<CacheInputs>,
    mut evidence: Vec<Quote>,
) -> Option<Finding> {
    let saved = saver.inputs.as_ref().filter(|saved| saved.value.paths != asked.value.paths)?;
    evidence.extend([saved.quote.clone(), asked.quote.clone()]);
    Some(Finding::error(
        Code::CacheVersionChanged,
        format!(
            "{} saved `{key}` for the paths `{}`, this run asks for `{}`",
            run.name(),
            saved.value.paths.join(", "),
            asked.value.paths.join(", ")
        ),
        evidence,
        Code::CacheVersionChanged.docs().fix,
    ))
}

/// Returns what two keys share, cut back to a separator.
fn common_prefix<'a>(a: &'a str, b: &str) -> &'a str {
    let shared: usize = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).map(|(x, _)| x.len_utf8()).sum();
    let shared = a.get(..shared).unwrap_or_default();
    shared.rfind(['-', '_', '/']).and_then(|end| shared.get(..=end)).unwrap_or_default()
}
