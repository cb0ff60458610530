//! Entries of the cache map whose host directories destroy one another.

use super::{Need, Rule};
use crate::evidence::{Carried, DancePhase};
use crate::verify::view::{View, nested};
use crate::verify::{Code, Finding};

pub(super) const RULE: Rule = Rule { codes: &[Code::CacheMapCollision], needs: &[Need::Evidence], check };

fn check(view: &View) -> Vec<Finding> {
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
            return vec![Finding::error(
                Code::CacheMapCollision,
                format!("the cache map's directories `{a}` and `{b}` collide"),
                vec![first.mount.quote.clone(), second.mount.quote.clone()],
                "Give every entry a directory of its own, beside the others and with a name of its own: \
                 `{\"go-mod\": …, \"go-build\": …}`; then change the cache key.",
            )];
        }
    }
    Vec::new()
}

/// Tells whether this fork keeps only the last part of each directory's name, and both are then the same.
fn shares_base_name(view: &View, a: &str, b: &str) -> bool {
    let base = |path: &str| path.trim_end_matches('/').rsplit('/').next().map(str::to_owned);
    let mut inputs = view.judged.dances().iter().filter_map(|dance| dance.inputs.as_ref());
    inputs.any(|inputs| inputs.value.uses.starts_with("hiromaily/")) && base(a) == base(b)
}
