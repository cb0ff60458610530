//! Entries of the cache map whose host directories destroy one another.

use super::{Need, Rule, symptoms};
use crate::evidence::{Carried, DanceInputs, DancePhase, Quote};
use crate::verify::code::{CodeDefinition, Effect};
use crate::verify::view::{CaseView, nested};
use crate::verify::{CheckId, Code, CodePage, Finding};

pub(super) const RULE: Rule = Rule { codes: &[Code::CacheMapCollision], needs: &[Need::Evidence], check };

/// `cache-map-collision`
pub(in crate::verify) const CACHE_MAP_COLLISION: CodeDefinition = CodeDefinition {
    name: "cache-map-collision",
    check: CheckId::B,
    effect: Effect::Other,
    suppresses: symptoms::NOTHING_LEFT,
    page: CodePage {
        what: "Two entries of the cache map share a directory: the same one, or one inside the other.",
        why: "The dance deletes each directory after its inject and replaces it at its extract, so one entry destroys the other's data.",
        example: "cache-map: {\"go\": \"/root/.cache/go-build\", \"go/mod\": \"/go/pkg/mod\"}",
        fix: "Give every entry a directory of its own beside the others: `{\"go-mod\": …, \"go-build\": …}`.",
    },
};

fn check(view: &CaseView) -> Vec<Finding> {
    if let Some(finding) = replaced(view) {
        return vec![finding];
    }
    let entries: Vec<(&str, &Carried)> =
        view.judged.carried(DancePhase::Inject).filter_map(|entry| Some((entry.source.as_deref()?, entry))).collect();
    for (at, (a, first)) in entries.iter().enumerate() {
        for (b, second) in &entries[at + 1..] {
            let same_cache = first.mount.value.same_cache(&second.mount.value);
            // What a mask hides may well be two names.
            let masked = a.contains("***") || b.contains("***");
            if same_cache || masked || !(nested(a, b) || shares_base_name(view, a, b)) {
                continue;
            }
            let title = format!("the cache map's directories `{a}` and `{b}` collide");
            return vec![collision(title, vec![first.mount.quote.clone(), second.mount.quote.clone()])];
        }
    }
    Vec::new()
}

fn collision(title: String, evidence: Vec<Quote>) -> Finding {
    Finding::error(
        Code::CacheMapCollision,
        title,
        evidence,
        "Give every entry a directory of its own, beside the others and with a name of its own: \
         `{\"go-mod\": …, \"go-build\": …}`; then change the cache key.",
    )
}

/// Reports entries of the map that share the last part of their names, of which the dance kept only one: a fork that puts
/// them below its `cache-dir` under that part alone lets the later entry replace the earlier.
fn replaced(view: &CaseView) -> Option<Finding> {
    let inputs = view.judged.dances().iter().filter_map(|dance| dance.inputs.as_ref());
    let inputs = inputs.into_iter().find(|inputs| keeps_base_names(&inputs.value))?;
    let map: serde_json::Value = serde_json::from_str(inputs.value.cache_map.as_deref()?).ok()?;
    let names: Vec<&String> = map.as_object()?.keys().collect();
    let (a, b) = names.iter().enumerate().find_map(|(at, a)| {
        let b = names[at + 1..].iter().find(|b| base_name(a) == base_name(b))?;
        Some((a, b))
    })?;
    let carried: Vec<&str> =
        view.judged.carried(DancePhase::Inject).filter_map(|entry| entry.source.as_deref()).collect();
    let kept = carried.iter().filter(|source| base_name(source) == base_name(a)).count();
    (kept < 2).then(|| {
        let title = format!("this dance keeps only the last part of `{a}` and `{b}`, so that one replaces the other");
        collision(title, vec![inputs.quote.clone()])
    })
}

/// Tells whether this fork keeps only the last part of each directory's name.
fn keeps_base_names(inputs: &DanceInputs) -> bool {
    inputs.uses.starts_with("hiromaily/") && inputs.cache_dir.as_ref().is_some_and(|dir| !dir.is_empty())
}

fn base_name(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// Tells whether this fork keeps only the last part of each directory's name, and both are then the same.
fn shares_base_name(view: &CaseView, a: &str, b: &str) -> bool {
    let mut inputs = view.judged.dances().iter().filter_map(|dance| dance.inputs.as_ref());
    inputs.any(|inputs| inputs.value.uses.starts_with("hiromaily/")) && base_name(a) == base_name(b)
}
