//! The key never changes while what should be cached does.

use super::{Need, Rule};
use crate::verify::checks::{c1, c2, c3};
use crate::verify::code::{CodeDefinition, Effect};
use crate::verify::view::{CacheExt, CaseView, MountKind};
use crate::verify::{CheckId, CheckStatus, Code, CodePage, Finding, Severity};

pub(super) const RULE: Rule = Rule { codes: &[Code::CacheKeyStale], needs: &[Need::Evidence], check };

/// `cache-key-stale`
pub(in crate::verify) const CACHE_KEY_STALE: CodeDefinition = CodeDefinition {
    name: "cache-key-stale",
    check: CheckId::A,
    effect: Effect::Other,
    suppresses: &[Code::ModulesNotRestored, Code::BuildNotFaster],
    page: CodePage {
        what: "The key stays the same while the caches grow, so the first entry is restored for ever and newer content is never saved.",
        why: "Each run downloads or compiles again what an earlier one already had.",
        example: "Cache hit occurred on the primary key go-v1, not saving cache.\ngo: downloading golang.org/x/text v0.30.0",
        fix: "Put `${{ hashFiles('**/go.sum') }}` (and for the build cache `${{ github.sha }}`) into the key, with the part before it as \
              restore key.",
    },
};

/// Reports an exact hit, well restored, after which modules had to be downloaded that then were not saved.
fn check(view: &CaseView) -> Vec<Finding> {
    let Some(build) = view.judged.build.filter(|build| !build.downloads.is_empty()) else { return Vec::new() };
    if view.earlier.is_empty() {
        return Vec::new();
    }
    let frozen = view.judged.restoring().find_map(|cache| Some((cache.hit_key()?.0, cache.hit_primary()?)));
    let Some((key, quote)) = frozen else { return Vec::new() };
    let modules_arrived = c1::mounts(view)
        .iter()
        .any(|mount| mount.mount.kind == MountKind::Modules && mount.status == CheckStatus::Pass);
    if !modules_arrived {
        return Vec::new();
    }
    let hurts = [c2::read(view), c3::read(view)].iter().any(|reading| reading.status == CheckStatus::Fail);
    let severity = if hurts { Severity::Error } else { Severity::Warning };
    let downloads = build.downloads.iter().take(2).map(|module| module.quote.clone());
    vec![Finding::new(
        Code::CacheKeyStale,
        severity,
        format!("`{key}` is hit for ever: what this run downloaded anew is not saved"),
        [quote.clone()].into_iter().chain(downloads).collect(),
        "Put what changes into the key and the rest into a restore key: `key: go-${{ hashFiles('**/go.sum') }}-${{ github.sha }}` with \
         `restore-keys: go-${{ hashFiles('**/go.sum') }}-`.",
    )]
}
