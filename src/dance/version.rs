//! Which buildkit-cache-dance a `uses:` names. [`DanceCode`] is principal.

use std::fmt;

use crate::workflow::ActionRef;

/// A release of buildkit-cache-dance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DanceVersion {
    /// The first number.
    pub major: u16,
    /// The second number.
    pub minor: u16,
    /// The third number.
    pub patch: u16,
}

impl DanceVersion {
    /// Names a release.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch }
    }
}

impl fmt::Display for DanceVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "v{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Whose code it is, as far as it behaves differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flavour {
    /// reproducible-containers/buildkit-cache-dance, or a fork simulated as it.
    Upstream,
    /// hiromaily/buildkit-cache-dance, v4.
    Hiromaily,
}

impl fmt::Display for Flavour {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Upstream => "upstream",
            Self::Hiromaily => "hiromaily",
        })
    }
}

/// The code a step is simulated as. Reads `upstream v3.3.2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DanceCode {
    /// Whose code.
    pub flavour: Flavour,
    /// Which release.
    pub version: DanceVersion,
    /// Whether owner and reference name exactly this; otherwise it is a stand-in, and the report says so.
    pub known: bool,
}

impl fmt::Display for DanceCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.flavour, self.version)
    }
}

/// The upstream releases and the first seven digits of their commits.
const UPSTREAM: [(DanceVersion, &str); 17] = [
    (DanceVersion::new(1, 0, 0), "8bb6dfc"),
    (DanceVersion::new(1, 0, 1), "4ba9e52"),
    (DanceVersion::new(2, 0, 0), "0db49bb"),
    (DanceVersion::new(2, 1, 0), "29365ca"),
    (DanceVersion::new(2, 1, 1), "a4bf073"),
    (DanceVersion::new(2, 1, 2), "47a61eb"),
    (DanceVersion::new(2, 1, 3), "a7e6c84"),
    (DanceVersion::new(2, 1, 4), "4b2444f"),
    (DanceVersion::new(3, 0, 0), "0fc239d"),
    (DanceVersion::new(3, 1, 0), "5de31fc"),
    (DanceVersion::new(3, 1, 1), "87e6a3b"),
    (DanceVersion::new(3, 1, 2), "5b6db76"),
    (DanceVersion::new(3, 2, 0), "653a570"),
    (DanceVersion::new(3, 3, 0), "5b81f4d"),
    (DanceVersion::new(3, 3, 1), "6f699a7"),
    (DanceVersion::new(3, 3, 2), "1b8ab18"),
    (DanceVersion::new(3, 4, 0), "5422eac"),
];

/// Upstream commits that carry no release tag but the code of one.
const BRANCHES: [(DanceVersion, &str); 2] =
    [(DanceVersion::new(1, 0, 0), "306d31a"), (DanceVersion::new(2, 1, 4), "fef4b80")];

const HIROMAILY: [(DanceVersion, &str); 8] = [
    (DanceVersion::new(4, 0, 0), "2eb0d1c"),
    (DanceVersion::new(4, 0, 1), "4570b23"),
    (DanceVersion::new(4, 1, 0), "013067f"),
    (DanceVersion::new(4, 2, 0), "a2d5597"),
    (DanceVersion::new(4, 2, 1), "8bb89d7"),
    (DanceVersion::new(4, 2, 2), "00403f6"),
    (DanceVersion::new(4, 2, 3), "0417d24"),
    (DanceVersion::new(4, 3, 0), "2787985"),
];

/// The newest release whose code was read; what cannot be known behaves as it. v3.4.0 has the same logic.
const STAND_IN: DanceVersion = DanceVersion::new(3, 3, 2);

impl DanceCode {
    /// Finds the code behind the `uses:` of a step.
    ///
    /// Of a commit that nobody studied, the version in the comment behind it counts.
    pub fn of_action(action: &ActionRef) -> Self {
        let owner = action.owner().unwrap_or_default();
        let noted = || {
            let (major, minor, patch) = action.version()?;
            let rest = [minor, patch].into_iter().flatten().map(|number| format!(".{number}"));
            Self::find(owner, &format!("v{major}{}", rest.collect::<String>()))
        };
        let found = Self::find(owner, action.reference().unwrap_or_default());
        found.or_else(|| Some(Self { known: false, ..noted()? })).unwrap_or_else(|| Self::stand_in(owner))
    }

    /// Finds the code behind `owner/buildkit-cache-dance@reference`.
    ///
    /// A fork nobody studied is taken as the upstream release of the same number, or else as the newest.
    pub fn identify(owner: &str, reference: &str) -> Self {
        Self::find(owner, reference).unwrap_or_else(|| Self::stand_in(owner))
    }

    fn find(owner: &str, reference: &str) -> Option<Self> {
        let release = |flavour, releases: &[(DanceVersion, &str)], known| {
            let found = by_name(releases, flavour, reference).or_else(|| by_commit(releases, reference));
            found.map(|version| Self { flavour, version, known })
        };
        let upstream = |known| release(Flavour::Upstream, &UPSTREAM, known);
        match own(owner) {
            // A fork keeps upstream's history, so an upstream reference means upstream's code.
            Some(Flavour::Hiromaily) => release(Flavour::Hiromaily, &HIROMAILY, true).or_else(|| upstream(true)),
            Some(Flavour::Upstream) => upstream(true),
            None => upstream(false),
        }
    }

    fn stand_in(owner: &str) -> Self {
        let (flavour, version) = match own(owner) {
            Some(Flavour::Hiromaily) => (Flavour::Hiromaily, DanceVersion::new(4, 3, 0)),
            _ => (Flavour::Upstream, STAND_IN),
        };
        Self { flavour, version, known: false }
    }
}

/// Returns whose code an account's is; `None` when nobody studied it.
fn own(owner: &str) -> Option<Flavour> {
    match owner.to_ascii_lowercase().as_str() {
        "hiromaily" => Some(Flavour::Hiromaily),
        "reproducible-containers" | "overmindtech" => Some(Flavour::Upstream),
        _ => None,
    }
}

fn by_name(releases: &[(DanceVersion, &str)], flavour: Flavour, reference: &str) -> Option<DanceVersion> {
    let name = reference.strip_prefix("refs/tags/").unwrap_or(reference);
    if flavour == Flavour::Upstream {
        match name {
            // The tag was not moved to the last release of its line, the branch was.
            "v2" => return Some(DanceVersion::new(2, 1, 3)),
            "releases/v1" => return Some(DanceVersion::new(1, 0, 1)),
            "releases/v2" => return Some(DanceVersion::new(2, 1, 4)),
            _ => {}
        }
    }
    let numbers: Vec<u16> = name.strip_prefix('v')?.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    if numbers.len() > 3 {
        return None;
    }
    let matches = |version: &&(DanceVersion, &str)| {
        let DanceVersion { major, minor, patch } = version.0;
        [major, minor, patch].starts_with(&numbers)
    };
    releases.iter().rfind(matches).map(|(version, _)| *version)
}

fn by_commit(releases: &[(DanceVersion, &str)], reference: &str) -> Option<DanceVersion> {
    let reference = reference.to_ascii_lowercase();
    if reference.len() < 7 || !reference.chars().all(|char| char.is_ascii_hexdigit()) {
        return None;
    }
    releases.iter().chain(&BRANCHES).find(|(_, commit)| reference.starts_with(commit)).map(|(version, _)| *version)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::Source;
    use crate::workflow::{StepAction, Workflow};

    #[test]
    fn references_lead_to_releases() {
        for (owner, reference, said, known) in [
            ("reproducible-containers", "v1", "upstream v1.0.1", true),
            ("reproducible-containers", "v2", "upstream v2.1.3", true),
            ("reproducible-containers", "v2.1.4", "upstream v2.1.4", true),
            ("reproducible-containers", "releases/v2", "upstream v2.1.4", true),
            ("reproducible-containers", "v3", "upstream v3.4.0", true),
            ("Reproducible-Containers", "v3.1", "upstream v3.1.2", true),
            ("reproducible-containers", "5b6db76d1da5c8b307d5d2e0706d266521b710de", "upstream v3.1.2", true),
            ("reproducible-containers", "5b6db76", "upstream v3.1.2", true),
            ("reproducible-containers", "0123456789012345678901234567890123456789", "upstream v3.3.2", false),
            ("reproducible-containers", "main", "upstream v3.3.2", false),
            ("reproducible-containers", "v9", "upstream v3.3.2", false),
            ("hiromaily", "v4", "hiromaily v4.3.0", true),
            ("hiromaily", "v4.0.1", "hiromaily v4.0.1", true),
            ("hiromaily", "main", "hiromaily v4.3.0", false),
            ("hiromaily", "v3.1.2", "upstream v3.1.2", true),
            ("somebody", "v3.1.2", "upstream v3.1.2", false),
            ("somebody", "v7", "upstream v3.3.2", false),
        ] {
            let dance = DanceCode::identify(owner, reference);
            assert_eq!((dance.to_string().as_str(), dance.known), (said, known), "{owner}@{reference}");
        }
    }

    #[test]
    fn of_an_unknown_commit_the_comment_behind_it_counts() {
        let commit = "0123456789012345678901234567890123456789";
        for (owner, noted, said) in [
            ("reproducible-containers", " # v3.1.0", "upstream v3.1.0"),
            ("reproducible-containers", " # 3.2", "upstream v3.2.0"),
            ("reproducible-containers", " # v9.9", "upstream v3.3.2"),
            ("reproducible-containers", "", "upstream v3.3.2"),
            ("hiromaily", " # v4.0.1", "hiromaily v4.0.1"),
            ("somebody", " # v2.1.4", "upstream v2.1.4"),
        ] {
            let text = format!(
                "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: {owner}/buildkit-cache-dance@{commit}{noted}\n"
            );
            let workflow = Workflow::parse(&Source::new("ci.yml", text)).unwrap();
            let StepAction::Uses(action) = &workflow.job(None).unwrap().steps[0].action else { unreachable!() };
            let dance = DanceCode::of_action(action);
            assert_eq!((dance.to_string().as_str(), dance.known), (said, false), "{owner}{noted}");
        }
    }

    proptest! {
        #[test]
        fn no_reference_makes_it_panic(reference in "v?[0-9.]{0,12}|.{0,20}") {
            DanceCode::identify("hiromaily", &reference);
        }
    }
}
