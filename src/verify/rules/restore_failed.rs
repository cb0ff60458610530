//! An entry was found, or asked for, and not restored.

use super::{Need, Rule, symptoms};
use crate::evidence::Lookup;
use crate::verify::code::{CodeDefinition, Effect};
use crate::verify::view::CaseView;
use crate::verify::{CheckId, Code, CodePage, Finding};

pub(super) const RULE: Rule = Rule { codes: &[Code::CacheRestoreFailed], needs: &[Need::Evidence], check };

/// `cache-restore-failed`
pub(in crate::verify) const CACHE_RESTORE_FAILED: CodeDefinition = CodeDefinition {
    name: "cache-restore-failed",
    check: CheckId::A,
    effect: Effect::Other,
    suppresses: symptoms::MISSED,
    page: CodePage {
        what: "actions/cache found an entry, or asked for one, and could not restore it.",
        why: "actions/cache only warns and goes on, so the job is green and cold.",
        example: "##[warning]Failed to restore: \"/usr/bin/tar\" failed with error: The process '/usr/bin/tar' failed with exit code 2\n\
                  Cache not found for input keys: go-v1-…",
        fix: "Read the message: for tar, make the target paths writable and free of files owned by root; for the service, run again; \
              for a damaged entry, delete it with `gh cache delete KEY`.",
    },
};

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
