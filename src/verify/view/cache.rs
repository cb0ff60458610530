//! Questions about one actions/cache step. [`CacheExt`] is principal.

use crate::evidence::{Cache, CacheMode, Lookup, NotSaved, Quote, SaveOutcome};

/// An archive below this prints as `~0 MB`: GitHub rounds half a MiB up.
pub(crate) const EMPTY_ARCHIVE: u64 = 524_288;

/// Questions about one actions/cache step.
pub(crate) trait CacheExt {
    /// Tells whether the step restores at all; a plain save step does not.
    fn restores(&self) -> bool;
    /// Returns the key that was found, and the line that says so.
    fn hit_key(&self) -> Option<(&str, &Quote)>;
    /// Returns the line that says nothing was found.
    fn missed(&self) -> Option<&Quote>;
    /// Tells whether the primary key itself was found, as far as the wording can tell.
    fn hit_exactly(&self) -> bool;
    /// Returns the size of the archive that was really unpacked.
    fn restored_bytes(&self) -> Option<u64>;
    /// Returns the line that says nothing is saved because the primary key was hit.
    fn hit_primary(&self) -> Option<&Quote>;
    /// Returns the key of the entry that was written, and the line that says so.
    fn saved(&self) -> Option<(&str, &Quote)>;
    /// Tells whether an entry was written that is known to hold nothing.
    fn saved_empty(&self) -> bool;
    /// Returns the lines that say how large the restored archive was.
    fn restore_quotes(&self) -> Vec<Quote>;
}

impl CacheExt for Cache {
    fn restores(&self) -> bool {
        self.inputs.as_ref().is_none_or(|inputs| inputs.value.mode != CacheMode::Save)
    }

    fn hit_key(&self) -> Option<(&str, &Quote)> {
        if let Some(restored) = &self.restored {
            return Some((&restored.value, &restored.quote));
        }
        let lookup = self.lookup.as_ref()?;
        match &lookup.value {
            Lookup::Exact { key } | Lookup::Partial { key } | Lookup::Hit { key } | Lookup::LookupOnly { key } => {
                Some((key, &lookup.quote))
            }
            Lookup::Miss => None,
        }
    }

    fn missed(&self) -> Option<&Quote> {
        self.lookup.as_ref().filter(|lookup| lookup.value == Lookup::Miss).map(|lookup| &lookup.quote)
    }

    fn hit_exactly(&self) -> bool {
        match self.lookup.as_ref().map(|lookup| &lookup.value) {
            Some(Lookup::Exact { .. }) => true,
            _ => self.hit_primary().is_some(),
        }
    }

    fn restored_bytes(&self) -> Option<u64> {
        self.restored.as_ref()?;
        self.restore_size.as_ref().map(|size| size.value)
    }

    fn hit_primary(&self) -> Option<&Quote> {
        let save = self.save.as_ref()?;
        matches!(save.value, SaveOutcome::NotSaved(NotSaved::PrimaryHit { .. })).then_some(&save.quote)
    }

    fn saved(&self) -> Option<(&str, &Quote)> {
        match self.save.as_ref() {
            Some(save) => match &save.value {
                SaveOutcome::Saved { key } => Some((key, &save.quote)),
                SaveOutcome::NotSaved(_) => None,
            },
            None => None,
        }
    }

    fn saved_empty(&self) -> bool {
        self.saved().is_some() && self.save_size.as_ref().is_some_and(|size| size.value < EMPTY_ARCHIVE)
    }

    fn restore_quotes(&self) -> Vec<Quote> {
        let size = self.restore_size.iter().map(|size| size.quote.clone());
        size.chain(self.restored.iter().map(|restored| restored.quote.clone())).collect()
    }
}
