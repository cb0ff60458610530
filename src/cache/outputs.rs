//! The outputs a restore sets. [`Outputs`] is principal.
//!
//! Foreign facts: actions/cache `src/restoreImpl.ts` and `src/stateProvider.ts`.

/// Which of the three actions a step uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActionKind {
    /// `actions/cache`: restores in main and saves in its post step.
    Cache,
    /// `actions/cache/restore`: restores only.
    Restore,
    /// `actions/cache/save`: saves in main, so before every post step.
    Save,
}

/// The outputs of one restore. What is `None` stays unset, which an expression sees as empty text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outputs {
    /// `true` for a match on the primary key, `false` for another key, unset on a miss and after a failed restore.
    pub cache_hit: Option<bool>,
    /// The primary key; set before the lookup, so also on a miss.
    pub primary_key: Option<String>,
    /// The key of the entry found.
    pub matched_key: Option<String>,
}

impl Outputs {
    /// Gives the outputs after a lookup for `primary` that restored `matched`, or nothing.
    pub fn of(primary: &str, matched: Option<&str>) -> Self {
        Self {
            cache_hit: matched.map(|matched| is_exact_key_match(primary, matched)),
            primary_key: Some(primary.to_owned()),
            matched_key: matched.map(str::to_owned),
        }
    }

    /// Lists the outputs as the step sets them: `actions/cache` keeps the keys to itself for its post step.
    pub fn pairs(&self, action: ActionKind) -> Vec<(&'static str, String)> {
        let hit = self.cache_hit.map(|hit| ("cache-hit", hit.to_string()));
        let primary = self.primary_key.clone().map(|key| ("cache-primary-key", key));
        let matched = self.matched_key.clone().map(|key| ("cache-matched-key", key));
        match action {
            ActionKind::Cache => hit.into_iter().collect(),
            ActionKind::Restore => hit.into_iter().chain(primary).chain(matched).collect(),
            ActionKind::Save => Vec::new(),
        }
    }
}

/// Says whether the restored key counts as the primary key. Case does not count (`actionUtils.ts`, `isExactKeyMatch`).
pub fn is_exact_key_match(primary: &str, matched: &str) -> bool {
    primary.to_lowercase() == matched.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_hit_is_true_false_or_unset() {
        let hit = |matched| Outputs::of("Go-1", matched).pairs(ActionKind::Cache);
        assert_eq!(hit(Some("go-1")), [("cache-hit", "true".to_owned())]);
        assert_eq!(hit(Some("Go-")), [("cache-hit", "false".to_owned())]);
        assert_eq!(hit(None), []);
    }

    #[test]
    fn the_restore_action_also_gives_the_keys_it_knows() {
        let names = |matched| {
            Outputs::of("k", matched).pairs(ActionKind::Restore).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(Some("k")), ["cache-hit", "cache-primary-key", "cache-matched-key"]);
        assert_eq!(names(None), ["cache-primary-key"]);
    }

    #[test]
    fn accents_count_where_case_does_not() {
        assert!(is_exact_key_match("É", "é"));
        assert!(!is_exact_key_match("é", "e"));
    }
}
