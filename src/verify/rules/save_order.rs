//! The directory is saved before the dance has put anything into it.

use super::{Need, Rule, symptoms};
use crate::evidence::{Cache, CacheMode, Dance, Phase, Quote, Seen, StepId};
use crate::verify::code::{CodeDefinition, Effect};
use crate::verify::view::{CaseView, RunView};
use crate::verify::{CheckId, Code, CodePage, Finding};

pub(super) const RULE: Rule =
    Rule { codes: &[Code::CacheAfterDance, Code::SaveBeforeExtract], needs: &[Need::Evidence], check };

/// `cache-after-dance`
pub(in crate::verify) const CACHE_AFTER_DANCE: CodeDefinition = CodeDefinition {
    name: "cache-after-dance",
    check: CheckId::B,
    effect: Effect::Other,
    suppresses: symptoms::NOTHING_LEFT,
    page: CodePage {
        what: "actions/cache stands after the dance in the job.",
        why: "It restores too late to be injected, and as post steps run in reverse it saves before the extract has put anything there.",
        example: "Post job cleanup.   (actions/cache: Cache saved with key …)\nPost job cleanup.   (buildkit-cache-dance: extract)",
        fix: "Move the actions/cache step before the buildkit-cache-dance step; then change the key, since the entry saved so far is empty.",
    },
};

/// `save-before-extract`
pub(in crate::verify) const SAVE_BEFORE_EXTRACT: CodeDefinition = CodeDefinition {
    name: "save-before-extract",
    check: CheckId::B,
    effect: Effect::Other,
    suppresses: symptoms::NOTHING_LEFT,
    page: CodePage {
        what: "A plain actions/cache/save step saves before the dance extracts, which it does in its post step.",
        why: "Every step of the job runs before every post step, so the directory is saved without what the build left.",
        example: "Run actions/cache/save@v4   (Cache saved with key …)\nPost job cleanup.   (buildkit-cache-dance: extract)",
        fix: "Replace the restore and save steps by one `actions/cache` step before the dance; then change the key.",
    },
};

fn check(view: &CaseView) -> Vec<Finding> {
    let run = &view.judged;
    let mut findings = Vec::new();
    for cache in &run.caches {
        let plain = is_plain_save(run, cache);
        let out_of_order = |dance| if plain { plain_save(run, cache, dance) } else { after_dance(run, cache, dance) };
        findings.extend(run.dances_of(cache).into_iter().find_map(out_of_order));
    }
    findings
}

/// Reports an actions/cache step that begins after the dance, or whose post step saves before the extract.
fn after_dance(run: &RunView, cache: &Cache, dance: &Dance) -> Option<Finding> {
    let begins = cache_begins(run, cache).zip(dance_begins(run, dance)).filter(|(cache, dance)| cache.0 > dance.0);
    let saves = cache.save.as_ref().map(place).zip(extracts(dance)).filter(|(save, extract)| save.0 < extract.0);
    // A restore-only step has no post step, and too late is too late for it as well.
    let evidence = match (begins, saves) {
        (Some((cache, dance)), _) => vec![dance.1, cache.1],
        (None, Some((save, extract))) => vec![save.1, extract.1],
        (None, None) => return None,
    };
    Some(Finding::error(
        Code::CacheAfterDance,
        "actions/cache is placed after the dance: it restores after the copy in, and saves before the copy out",
        evidence,
        "Move the actions/cache step before the buildkit-cache-dance step (post steps run in reverse, so it then saves last), and change the \
         cache key, since what was saved so far is empty.",
    ))
}

/// Reports a plain save step that ran before the extract.
fn plain_save(run: &RunView, cache: &Cache, dance: &Dance) -> Option<Finding> {
    let save = cache.save.as_ref().map(place)?;
    let post =
        run.evidence.steps.iter().find(|step| step.phase == Phase::Post && step.of.is_some() && step.of == dance.step);
    let extract = extracts(dance).or_else(|| post.map(|step| place(&step.started)))?;
    (save.0 < extract.0).then(|| {
        Finding::error(
            Code::SaveBeforeExtract,
            "a plain save step runs before the dance extracts, which it does in its post step",
            vec![save.1, extract.1],
            "Replace the actions/cache/restore and actions/cache/save steps by one `actions/cache` step before the dance, and change the cache \
             key, since what was saved so far is empty.",
        )
    })
}

/// Tells whether the step only saves; a step whose inputs were not seen is one if it saved among the main steps.
fn is_plain_save(run: &RunView, cache: &Cache) -> bool {
    match &cache.inputs {
        Some(inputs) => inputs.value.mode == CacheMode::Save,
        None => {
            let names = cache.step.and_then(|id| run.evidence.step(id)).map(|step| step.name.as_str());
            cache.lookup.is_none() && names.is_some_and(|name| name.contains("cache/save"))
        }
    }
}

type StepPlace = (usize, Quote);

fn place<T>(seen: &Seen<T>) -> StepPlace {
    (seen.order, seen.quote.clone())
}

fn step_begins(run: &RunView, step: Option<StepId>) -> Option<StepPlace> {
    let step = run.evidence.step(step?).filter(|step| step.phase == Phase::Main)?;
    // The line where a step begins need not name it, and its name is what a person looks for.
    Some((step.started.order, Quote { text: step.name.clone(), ..step.started.quote.clone() }))
}

fn cache_begins(run: &RunView, cache: &Cache) -> Option<StepPlace> {
    step_begins(run, cache.step).or_else(|| cache.lookup.as_ref().map(place))
}

fn dance_begins(run: &RunView, dance: &Dance) -> Option<StepPlace> {
    step_begins(run, dance.step).or_else(|| dance.injected.first().map(|entry| place(&entry.mount)))
}

fn extracts(dance: &Dance) -> Option<StepPlace> {
    dance.extracted.first().map(|entry| place(&entry.mount))
}
