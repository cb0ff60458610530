//! actions/cache and the dance work on different host directories.

use super::{Need, Rule, symptoms};
use crate::evidence::{CacheInputs, NotSaved, Quote, SaveOutcome, Seen};
use crate::verify::code::{CodeDefinition, Effect};
use crate::verify::view::{CaseView, RunView, covers};
use crate::verify::{CheckId, Code, CodePage, Finding, Severity};

pub(super) const RULE: Rule =
    Rule { codes: &[Code::CachePathMissing, Code::CacheDirMismatch], needs: &[Need::Evidence], check };

/// `cache-dir-mismatch`
pub(in crate::verify) const CACHE_DIR_MISMATCH: CodeDefinition = CodeDefinition {
    name: "cache-dir-mismatch",
    check: CheckId::B,
    effect: Effect::Other,
    suppresses: symptoms::NOTHING_LEFT,
    page: CodePage {
        what: "The dance keeps its data in a directory that actions/cache does not save, such as the repository's root.",
        why: "The data exists and is thrown away with the runner.",
        example: "cache-dir: .go-cache   (ignored when a cache-map is given: data is written to ./go-mod)\nactions/cache path: .go-cache",
        fix: "Let both name the same place. Without a cache map: absolute `cache-dir: ${{ github.workspace }}/${{ env.CACHE_DIR }}`. With one, \
              which makes the dance ignore `cache-dir`: the directory spelt out in it, `{\".go-cache/go-mod\": \"/go/pkg/mod\"}`.",
    },
};

/// `cache-path-missing`
pub(in crate::verify) const CACHE_PATH_MISSING: CodeDefinition = CodeDefinition {
    name: "cache-path-missing",
    check: CheckId::A,
    effect: Effect::LeavesNothing,
    suppresses: symptoms::MISSED,
    page: CodePage {
        what: "The directory that actions/cache is told to save does not exist when it saves: the dance uses another one.",
        why: "actions/cache only warns when its path is missing, so nothing is ever saved and the job is green.",
        example: "[warning]Path Validation Error: Path(s) specified in the action for caching do(es) not exist, hence no cache is being saved.",
        fix: "Give actions/cache the very directories that the cache map names on its left side, or their common parent.",
    },
};

fn check(view: &CaseView) -> Vec<Finding> {
    if let Some(finding) = elsewhere(&view.judged) {
        return vec![finding];
    }
    missing(view).into_iter().collect()
}

/// Reports a directory of the dance that no actions/cache step of the run covers.
fn elsewhere(run: &RunView) -> Option<Finding> {
    let inputs: Vec<&Seen<CacheInputs>> = run.caches.iter().filter_map(|cache| cache.inputs.as_ref()).collect();
    // A step whose paths were not seen may well cover it.
    if inputs.is_empty() || inputs.len() < run.caches.len() {
        return None;
    }
    let paths = || inputs.iter().flat_map(|inputs| &inputs.value.paths);
    let source = run.sources().into_iter().find(|source| !paths().any(|path| covers(path, source)))?;
    let path = paths().next().cloned().unwrap_or_default();
    let dance = run.dances().iter().find_map(|dance| dance.inputs.as_ref());
    let cache_dir = dance.and_then(|dance| dance.value.cache_dir.as_deref()).filter(|dir| !dir.is_empty());
    let mut evidence: Vec<Quote> = inputs.iter().map(|inputs| inputs.quote.clone()).collect();
    evidence.extend(dance.map(|dance| dance.quote.clone()));
    evidence.extend(path_missing(run).cloned());
    // Without a cache map the dance itself chose the directories, and `cache-dir` is how to tell it.
    let mapped = !run.discovers();
    if path_missing(run).is_some() && cache_dir.is_none() && mapped {
        return Some(path_finding(run, Severity::Error, evidence, Some((&path, &run.sources()))));
    }
    let why = match (cache_dir, mapped) {
        (Some(_), true) => " (the dance ignores `cache-dir` when a cache map is given)",
        (Some(_), false) => " (a relative `cache-dir` begins at the repository's root, whatever the working directory)",
        (None, false) => " (without `cache-dir` the dance writes to the repository's root)",
        (None, true) => "",
    };
    let base = cache_dir.unwrap_or(&path).trim_end_matches('/');
    let name = source.rsplit('/').find(|part| !part.is_empty()).unwrap_or("go-mod");
    Some(Finding::error(
        Code::CacheDirMismatch,
        format!("the dance keeps its data in `{source}`, actions/cache saves `{path}`{why}"),
        evidence,
        format!(
            "Use the same directory name in `path:` and in `cache-map:`, such as `{{\"{base}/{name}\": …}}`; or without a cache map, an absolute \
             `cache-dir: ${{{{ github.workspace }}}}/${{{{ env.CACHE_DIR }}}}`."
        ),
    ))
}

/// Reports a save that found no directory, where the paths themselves agree.
fn missing(view: &CaseView) -> Option<Finding> {
    let run = view.relevant_runs().into_iter().rev().find(|run| path_missing(run).is_some())?;
    Some(path_finding(run, Severity::Error, path_missing(run).cloned().into_iter().collect(), None))
}

fn path_finding(run: &RunView, severity: Severity, evidence: Vec<Quote>, names: Option<(&str, &[String])>) -> Finding {
    let (title, fix) = match names {
        Some((path, sources)) => {
            let sources = sources.iter().map(|source| format!("`{source}`")).collect::<Vec<_>>().join(", ");
            (
                format!("actions/cache saves `{path}`, which does not exist: the dance uses {sources}"),
                format!("Let `path:` of actions/cache name the dance's directories: {sources}."),
            )
        }
        None => (
            format!("in {} the directory to save did not exist, so nothing was saved", run.name()),
            Code::CachePathMissing.docs().fix.to_owned(),
        ),
    };
    Finding::new(Code::CachePathMissing, severity, title, evidence, fix)
}

fn path_missing<'a>(run: &RunView<'a>) -> Option<&'a Quote> {
    let saves = run.caches.iter().filter_map(|cache| cache.save.as_ref());
    saves.filter(|save| save.value == SaveOutcome::NotSaved(NotSaved::PathMissing)).map(|save| &save.quote).next()
}
