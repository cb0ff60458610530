//! An entry was found, or asked for, and not restored.

use super::{Need, Rule};
use crate::evidence::Lookup;
use crate::verify::view::CaseView;
use crate::verify::{Code, Finding};

pub(super) const RULE: Rule = Rule { codes: &[Code::CacheRestoreFailed], needs: &[Need::Evidence], check };

fn check(view: &CaseView) -> Vec<Finding> {
    let found = view.judged.restoring().find_map(|cache| {
        if let Some(failed) = &cache.restore_failed {
            return Some((
                format!("the restore failed: {}", failed.value),
                failed.quote.clone(),
                Code::CacheRestoreFailed.docs().fix,
            ));
        }
        let lookup = cache.lookup.as_ref()?;
        matches!(lookup.value, Lookup::LookupOnly { .. }).then(|| {
            let title = "the entry was looked up and not restored".to_owned();
            (title, lookup.quote.clone(), "Remove `lookup-only: true` from the actions/cache step that should restore.")
        })
    });
    let finding = found.map(|(title, quote, fix)| Finding::error(Code::CacheRestoreFailed, title, vec![quote], fix));
    finding.into_iter().collect()
}
