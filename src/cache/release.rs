//! Releases of actions/cache and what each does differently. [`CacheRelease`] is principal.
//!
//! A workflow names a release by a moving tag, a full tag or a commit; the table below maps each to the bundled
//! @actions/cache ("toolkit"), which decides the wording. Foreign facts: `package-lock.json` at each tag of
//! actions/cache, and the toolkit's own releases.

type Triple = (u16, u16, u16);

/// A release of actions/cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CacheRelease {
    version: Triple,
    toolkit: Triple,
}

/// Every release line whose behaviour is known, oldest first.
const RELEASES: &[CacheRelease] = &[
    row((1, 0, 0), (0, 0, 0)),
    row((2, 0, 0), (1, 0, 0)),
    row((3, 0, 0), (2, 0, 0)),
    row((3, 3, 1), (3, 2, 1)),
    row((3, 4, 0), (4, 0, 0)),
    row((3, 4, 1), (4, 0, 1)),
    row((3, 4, 2), (4, 0, 1)),
    row((3, 4, 3), (4, 0, 2)),
    row((3, 5, 0), (4, 1, 0)),
    row((4, 0, 0), (3, 2, 3)),
    row((4, 1, 2), (3, 2, 4)),
    row((4, 2, 0), (4, 0, 0)),
    row((4, 2, 1), (4, 0, 1)),
    row((4, 2, 2), (4, 0, 2)),
    row((4, 2, 3), (4, 0, 3)),
    row((4, 2, 4), (4, 0, 5)),
    row((4, 3, 0), (4, 1, 0)),
    row((5, 0, 0), (5, 0, 0)),
    row((5, 0, 1), (5, 0, 1)),
    row((5, 0, 2), (5, 0, 3)),
    row((5, 0, 3), (5, 0, 5)),
    row((5, 0, 4), (5, 0, 5)),
    row((5, 0, 5), (5, 0, 5)),
    row((5, 1, 0), (5, 1, 0)),
    row((6, 0, 0), (6, 0, 1)),
    row((6, 1, 0), (6, 1, 0)),
];

/// Commits whose release is known, by their first twelve digits.
const COMMITS: &[(&str, Triple)] =
    &[("27d5ce7f107f", (5, 0, 5)), ("0057852bfaa8", (4, 3, 0)), ("6f8efc29b200", (3, 5, 0))];

const fn row(version: Triple, toolkit: Triple) -> CacheRelease {
    CacheRelease { version, toolkit }
}

impl CacheRelease {
    /// The newest release known here.
    pub const NEWEST: CacheRelease = RELEASES[RELEASES.len() - 1];

    /// Finds the release behind the `@ref` of a `uses:`. A moving tag means the newest of its line; a tag that is not
    /// in the table, the next older one; an unknown commit or branch, the newest of all.
    pub fn from_ref(reference: &str) -> Self {
        let reference = reference.strip_prefix("refs/tags/").unwrap_or(reference);
        if let Some((_, version)) = COMMITS.iter().find(|(commit, _)| reference.starts_with(commit)) {
            return Self::at_or_below(*version);
        }
        match parse_tag(reference) {
            Some((major, None, _)) => Self::at_or_below((major, u16::MAX, u16::MAX)),
            Some((major, Some(minor), None)) => Self::at_or_below((major, minor, u16::MAX)),
            Some((major, Some(minor), Some(patch))) => Self::at_or_below((major, minor, patch)),
            None => Self::NEWEST,
        }
    }

    fn at_or_below(version: Triple) -> Self {
        RELEASES.iter().rev().find(|release| release.version <= version).copied().unwrap_or(RELEASES[0])
    }

    /// Says the release as a tag, as `v4.3.0`.
    pub fn tag(&self) -> String {
        let (major, minor, patch) = self.version;
        format!("v{major}.{minor}.{patch}")
    }

    /// Says whether GitHub refuses the release when it sets up the job: it knows only the first cache service.
    pub fn is_refused(&self) -> bool {
        self.toolkit < (4, 0, 0)
    }

    /// Says whether a hit line names the key that matched. Before toolkit 4.0.5 it named the primary key even for a
    /// restore key's entry (actions/cache#1626).
    pub(super) fn names_the_matched_key(&self) -> bool {
        self.toolkit >= (4, 0, 5)
    }

    /// Says whether a miss also prints a warning, which only toolkit 4.0.0 does.
    pub(super) fn warns_on_miss(&self) -> bool {
        self.toolkit == (4, 0, 0)
    }

    /// Says whether an existing entry shows as the service's own 409 warning, before toolkit 4.0.2.
    pub(super) fn shows_the_conflict(&self) -> bool {
        self.toolkit < (4, 0, 2)
    }

    /// Says whether the service's reason for refusing a reservation is printed as a warning of its own.
    pub(super) fn prints_the_refusal(&self) -> bool {
        self.toolkit >= (4, 1, 0)
    }

    /// Says whether a denied write is one warning with its details (toolkit#2429).
    pub(super) fn details_denied_writes(&self) -> bool {
        self.toolkit_since((5, 1, 0), (6, 1, 0))
    }

    /// Says whether the client honours `ACTIONS_CACHE_MODE` itself, so that it does not even ask the service.
    pub(super) fn honours_cache_mode(&self) -> bool {
        self.toolkit_since((5, 2, 0), (6, 2, 0))
    }

    /// Says whether the client refuses archives over 10 GiB; later ones leave that to the service.
    pub(super) fn limits_archive_size(&self) -> bool {
        self.toolkit <= (4, 0, 5)
    }

    /// Says whether `actions/cache/save` warns `Cache save failed.`; later releases print it only when debugging.
    pub(super) fn warns_on_failed_save(&self) -> bool {
        !((5, 1, 0)..(6, 0, 0)).contains(&self.version) && self.version < (6, 1, 0)
    }

    fn toolkit_since(&self, five: Triple, six: Triple) -> bool {
        if self.toolkit.0 >= 6 { self.toolkit >= six } else { self.toolkit >= five }
    }
}

/// Reads `v4`, `v4.2` or `v4.2.3`, with or without the `v`.
fn parse_tag(tag: &str) -> Option<(u16, Option<u16>, Option<u16>)> {
    let mut numbers = tag.strip_prefix('v').unwrap_or(tag).split('.').map(|part| part.parse::<u16>());
    let major = numbers.next()?.ok()?;
    let minor = numbers.next().transpose().ok()?;
    let patch = numbers.next().transpose().ok()?;
    numbers.next().is_none().then_some((major, minor, patch))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tag_of(reference: &str) -> String {
        CacheRelease::from_ref(reference).tag()
    }

    #[test]
    fn moving_tags_mean_the_newest_of_their_line() {
        assert_eq!(tag_of("v3"), "v3.5.0");
        assert_eq!(tag_of("v4"), "v4.3.0");
        assert_eq!(tag_of("v4.2"), "v4.2.4");
        assert_eq!(tag_of("v5"), "v5.1.0");
        assert_eq!(tag_of("v6"), "v6.1.0");
        assert_eq!(tag_of("v9"), "v6.1.0");
    }

    #[test]
    fn full_tags_and_known_commits_mean_themselves_and_unknown_tags_the_next_older() {
        assert_eq!(tag_of("v3.4.2"), "v3.4.2");
        assert_eq!(tag_of("refs/tags/v4.2.0"), "v4.2.0");
        assert_eq!(tag_of("27d5ce7f107fe9357f9df03efb73ab90386fccae"), "v5.0.5");
        assert_eq!(tag_of("v4.2.9"), "v4.2.4");
    }

    #[test]
    fn an_unknown_commit_or_branch_means_the_newest() {
        assert_eq!(tag_of("5a3ec84eff668545956fd18022155c47e93e2684"), "v6.1.0");
        assert_eq!(tag_of("main"), "v6.1.0");
    }

    #[test]
    fn releases_of_the_first_cache_service_are_refused() {
        for refused in ["v1", "v2", "v3.3.1", "v4.0.0", "v4.1.2"] {
            assert!(CacheRelease::from_ref(refused).is_refused(), "{refused}");
        }
        for served in ["v3", "v4", "v4.2.0", "v5", "v6"] {
            assert!(!CacheRelease::from_ref(served).is_refused(), "{served}");
        }
    }

    proptest! {
        #[test]
        fn any_ref_names_some_release(reference in ".*") {
            let _ = CacheRelease::from_ref(&reference);
        }
    }
}
