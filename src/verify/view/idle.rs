//! A module cache that nobody uses: the program is vendored, or needs nothing but the standard library.
//!
//! Such a mount is empty before the build and after it, and no module is downloaded. Then there is nothing to carry in it,
//! and an entry that holds only it is empty by nature. That the program needs no module is not proven by it: a log may have
//! lost its download lines.

use super::{CacheExt, CaseView, EMPTY_MOUNT, ExpectedMount, MountKind, RunView, covers};
use crate::evidence::{Cache, DancePhase, Quote};

impl<'a> CaseView<'a> {
    /// Returns the module mount in which nothing was ever seen, where no run downloaded or fetched any module although each
    /// build was seen to its end.
    pub(crate) fn idle_modules(&self) -> Option<ExpectedMount> {
        let wanted = self.wanted();
        let modules = wanted.iter().find(|mount| mount.kind == MountKind::Modules).filter(|_| wanted.len() > 1)?;
        let sizes = |run: &RunView<'a>| run.build?.sizes_of(&modules.target);
        let before = sizes(&self.judged)?.before.as_ref()?;
        let listed = self.runs().all(|run| !run.evidence.records.is_empty());
        let looked_at = listed || self.runs().any(|run| sizes(run).is_some_and(|sizes| sizes.after.is_some()));
        let idle = before.value < EMPTY_MOUNT && looked_at && !self.was_filled(modules);
        (idle && self.runs().all(downloads_nothing)).then(|| modules.clone())
    }

    /// Returns the mounts that matter, without an idle one.
    pub(crate) fn needed(&self) -> Vec<ExpectedMount> {
        let idle = self.idle_modules();
        self.wanted().into_iter().filter(|mount| Some(mount) != idle.as_ref()).collect()
    }

    /// Returns the actions/cache steps of the judged run that restore something which matters.
    pub(crate) fn restoring(&self) -> impl Iterator<Item = &'a Cache> {
        let idle = self.idle_entries(&self.judged);
        self.judged.restoring().filter(move |cache| !idle.iter().any(|known| std::ptr::eq(*known, *cache)))
    }

    /// Returns the entries that a run wrote and that matter: the step, the key and the line that says so.
    pub(crate) fn saves_of(&self, run: &RunView<'a>) -> impl Iterator<Item = (&'a Cache, &'a str, &'a Quote)> {
        let idle = self.idle_entries(run);
        let saved = |cache: &'a Cache| cache.saved().map(|(key, quote)| (cache, key, quote));
        let caches = run.caches.clone().into_iter();
        caches.filter(move |cache| !idle.iter().any(|known| std::ptr::eq(*known, *cache))).filter_map(saved)
    }

    /// Finds the actions/cache steps that hold an idle mount and nothing else, beside others that hold more.
    fn idle_entries(&self, run: &RunView<'a>) -> Vec<&'a Cache> {
        let Some(idle) = self.idle_modules() else { return Vec::new() };
        let carried: Vec<_> = run.carried(DancePhase::Inject).chain(run.carried(DancePhase::Extract)).collect();
        let holds_only_it = |cache: &&'a Cache| {
            let paths = cache.inputs.iter().flat_map(|inputs| &inputs.value.paths);
            let saves = |source: &str| paths.clone().any(|path| covers(path, source));
            let held = carried.iter().filter(|entry| entry.source.as_deref().is_none_or(saves));
            let targets: Vec<String> = held.map(|entry| entry.mount.value.clean_target()).collect();
            !targets.is_empty() && targets.iter().all(|target| *target == idle.target)
        };
        let (only, more): (Vec<&'a Cache>, Vec<&'a Cache>) = run.caches.iter().copied().partition(holds_only_it);
        if more.is_empty() { Vec::new() } else { only }
    }
}

/// Tells whether a run's build was seen to its end and no module was seen to come from outside.
fn downloads_nothing(run: &RunView) -> bool {
    run.build.is_some_and(|build| {
        let ended = build.step_ended.as_ref().is_some_and(|ended| ended.value) && build.cached.is_none();
        ended && build.downloads.is_empty() && build.fetched.is_none()
    })
}
