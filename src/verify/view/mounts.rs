//! The cache mounts a Go build wants, and which entry of the cache map is meant for which. [`ExpectedMount`] is principal.

use super::{CaseView, RunView};
use crate::evidence::{Build, Carried, DancePhase, GoCache, MountSpec};

/// What a cache mount is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MountKind {
    /// Go's module cache.
    Modules,
    /// Go's build cache.
    BuildCache,
    /// Something else.
    Other,
}

impl MountKind {
    /// Tells what a mount is for by its target, or else by its id.
    pub(crate) fn of(target: &str, id: Option<&str>) -> Self {
        let target = target.trim_end_matches('/');
        if target.ends_with("pkg/mod") {
            return Self::Modules;
        }
        if target.ends_with("go-build") {
            return Self::BuildCache;
        }
        let id: String = id.unwrap_or_default().to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        if ["gomod", "gopkgmod"].iter().any(|word| id.contains(word)) {
            Self::Modules
        } else if ["gobuild", "gocache"].iter().any(|word| id.contains(word)) {
            Self::BuildCache
        } else {
            Self::Other
        }
    }

    /// Tells what a mount is for by the places that the build's steps name or use, or else by its target and id.
    pub(crate) fn in_build(build: Option<&Build>, target: &str, id: Option<&str>) -> Self {
        let target = target.trim_end_matches('/');
        let within =
            |path: &str| path.strip_prefix(target).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        // Of two mounts above a place, the deeper one holds it.
        let deeper = |build: &Build, path: &str| {
            build
                .mounts
                .iter()
                .map(|mount| mount.value.clean_target())
                .any(|other| other.len() > target.len() && within(&other) && path.starts_with(other.as_str()))
        };
        let place = build.and_then(|build| {
            build.places.iter().find(|place| within(&place.value.path) && !deeper(build, &place.value.path))
        });
        match place.map(|place| place.value.cache) {
            Some(GoCache::Modules) => Self::Modules,
            Some(GoCache::Objects) => Self::BuildCache,
            None => Self::of(target, id),
        }
    }

    /// Tells which of Go's caches usually lies below a target.
    fn above(target: &str) -> Option<Self> {
        match target.trim_end_matches('/') {
            "/go" | "/go/pkg" | "/root/go" | "/root/go/pkg" => Some(Self::Modules),
            cache if cache.ends_with("/.cache") => Some(Self::BuildCache),
            _ => None,
        }
    }

    fn of_spec(spec: &MountSpec) -> Self {
        Self::of(&spec.target, spec.id.as_deref())
    }
}

/// A mount whose size before the build is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExpectedMount {
    /// What it is for.
    pub(crate) kind: MountKind,
    /// Its target, cleaned.
    pub(crate) target: String,
}

impl CaseView<'_> {
    /// Returns the mounts whose sizes matter: Go's two caches, else whatever cache mounts the build has.
    ///
    /// A mount that any run showed counts, so that a line lost in the judged run does not make a mount disappear.
    pub(crate) fn wanted(&self) -> Vec<ExpectedMount> {
        let mut all: Vec<ExpectedMount> = Vec::new();
        let mut add = |target: &str, id: Option<&str>| {
            let spec = MountSpec { target: target.to_owned(), id: None, owner: String::new() };
            let target = spec.clean_target();
            if !all.iter().any(|known| known.target == target) {
                let told = self.runs().map(|run| MountKind::in_build(run.build, &target, id));
                let kind = told.min().unwrap_or(MountKind::Other);
                all.push(ExpectedMount { kind, target });
            }
        };
        for run in self.runs() {
            if let Some(build) = run.build {
                build.mounts.iter().for_each(|mount| add(&mount.value.target, mount.value.id.as_deref()));
                build.sizes.iter().for_each(|sizes| add(&sizes.target, None));
            }
        }
        if !self.mounts_are_listed() {
            let entries = self.runs().flat_map(|run| run.carried(DancePhase::Inject));
            for entry in entries.filter(|entry| MountKind::of(&entry.mount.value.target, None) != MountKind::Other) {
                add(&entry.mount.value.target, None);
            }
        }
        // What lies above may be another tool's, such as npm's `.cache`; only a size that is printed tells, and none is doubt.
        for kind in [MountKind::Modules, MountKind::BuildCache] {
            if all.iter().all(|mount| mount.kind != kind) {
                let above = all.iter_mut().filter(|mount| MountKind::above(&mount.target) == Some(kind));
                above.for_each(|mount| mount.kind = kind);
            }
        }
        if all.iter().any(|mount| mount.kind != MountKind::Other) {
            // Behind a mask or a variable may stand one of Go's caches.
            let hidden = |mount: &ExpectedMount| mount.target.contains("***") || mount.target.contains('$');
            all.retain(|mount| mount.kind != MountKind::Other || hidden(mount));
        }
        all.sort_by_key(|mount| mount.kind);
        all
    }

    /// Tells whether the judged run shows which cache mounts its Dockerfile has.
    pub(crate) fn mounts_are_listed(&self) -> bool {
        self.judged.build.is_some_and(|build| !build.mounts.is_empty())
    }
}

/// The build's mounts, each with what the dance does about it.
pub(crate) enum MountMatch<'a> {
    /// The dance carries exactly this cache.
    Same(&'a MountSpec, &'a Carried),
    /// The dance means this mount and names another cache.
    Other(&'a MountSpec, &'a Carried),
    /// No entry is meant for it.
    None(&'a MountSpec),
}

/// Pairs the build's cache mounts with the dance's entries.
pub(crate) fn pair<'a>(run: &RunView<'a>, phase: DancePhase) -> Vec<MountMatch<'a>> {
    let Some(build) = run.build else { return Vec::new() };
    let entries: Vec<&Carried> = run.carried(phase).collect();
    let mounts: Vec<&MountSpec> = build.mounts.iter().map(|mount| &mount.value).collect();
    let meets = |mount: &MountSpec, entry: &Carried| differs(mount, &entry.mount.value) != Some(true);
    let mut free: Vec<&Carried> =
        entries.iter().copied().filter(|entry| !mounts.iter().any(|mount| meets(mount, entry))).collect();
    let lonely = mounts.iter().filter(|mount| !entries.iter().any(|entry| meets(mount, entry))).count();
    let mut pairs = Vec::new();
    for mount in mounts {
        if let Some(entry) = entries.iter().copied().find(|entry| meets(mount, entry)) {
            pairs.push(MountMatch::Same(mount, entry));
            continue;
        }
        let kind = MountKind::of_spec(mount);
        let meant = free
            .iter()
            .position(|entry| entry.mount.value.clean_target() == mount.clean_target())
            .or_else(|| free.iter().position(|entry| entry.mount.value.id_part() == mount.id_part()))
            .or_else(|| free.iter().position(|entry| names(entry, mount)))
            .or_else(|| free.iter().position(|entry| kind != MountKind::Other && kind == meant_for(entry)))
            .or((lonely == 1 && free.len() == 1 && meant_for(free[0]) == MountKind::Other).then_some(0));
        pairs.push(match meant {
            Some(at) => MountMatch::Other(mount, free.remove(at)),
            None => MountMatch::None(mount),
        });
    }
    pairs
}

/// Tells whether an entry names a mount but for a variable. The dance names the directory after the id as it is written;
/// the id itself may have lost its variables by then.
fn names(entry: &Carried, mount: &MountSpec) -> bool {
    let source = entry.source.as_deref().unwrap_or_default();
    let directory = source.rsplit('/').next().unwrap_or_default();
    [entry.mount.value.id_part().as_str(), directory].iter().any(|name| spells(name, &mount.id_part()))
}

/// Tells whether a text becomes another once its variables have values: `${APP}-mod` becomes `shop-mod`.
fn spells(template: &str, text: &str) -> bool {
    let mut pieces = template.split('$');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut open = false;
    for piece in pieces {
        let literal = match piece.strip_prefix('{') {
            Some(braced) => braced.split_once('}').map_or("", |(_, literal)| literal),
            None => piece.trim_start_matches(|char: char| char.is_ascii_alphanumeric() || char == '_'),
        };
        open = literal.is_empty();
        match rest.find(literal) {
            Some(at) => rest = &rest[at + literal.len()..],
            None => return false,
        }
    }
    template.contains('$') && (open || rest.is_empty())
}

/// Tells what an entry is meant for, also by the name of its directory.
fn meant_for(entry: &Carried) -> MountKind {
    let spec = &entry.mount.value;
    match MountKind::of_spec(spec) {
        MountKind::Other => MountKind::of(entry.source.as_deref().unwrap_or_default(), entry.source.as_deref()),
        kind => kind,
    }
}

/// Tells whether two specs name different caches; `None` where a variable or a mask hides it.
///
/// A variable on the dance's side is no riddle: its Dancefile declares no arguments, so the name expands to nothing.
pub(crate) fn differs(mount: &MountSpec, entry: &MountSpec) -> Option<bool> {
    let (wanted, given) = (mount.id_part(), entry.id_part());
    if wanted.contains("***") || given.contains("***") {
        return None;
    }
    if given.contains('$') {
        return Some(true);
    }
    if wanted.contains('$') {
        return None;
    }
    Some(!mount.same_cache(entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Event, Evidence, Fact, GoPlace, Quote};

    #[test]
    fn of_two_mounts_above_a_place_the_deeper_one_holds_it() {
        let kinds = |targets: &[&str]| {
            let mount = |target: &&str| MountSpec { target: (*target).into(), id: None, owner: String::new() };
            let place = GoPlace { cache: GoCache::Objects, path: "/root/.cache/go-build".into() };
            let facts = targets.iter().map(|target| Fact::BuildMount(mount(target))).chain([Fact::GoPlace(place)]);
            let event = |fact| Event { step: None, at: None, quote: Quote::measured("test", "seen"), fact };
            let events: Vec<Event> = facts.map(event).collect();
            let evidence = Evidence::fold("run", &events);
            let build = evidence.builds.first();
            targets.iter().map(|target| MountKind::in_build(build, target, None)).collect::<Vec<_>>()
        };
        assert_eq!(kinds(&["/root/.cache"]), [MountKind::BuildCache]);
        assert_eq!(kinds(&["/root/.cache", "/root/.cache/go-build"]), [MountKind::Other, MountKind::BuildCache]);
        assert_eq!(kinds(&["/root/.cache", "/root/.cache/pip"]), [MountKind::BuildCache, MountKind::Other]);
    }

    #[test]
    fn a_template_spells_what_its_variables_may_make_of_it() {
        for (template, text) in
            [("${APP}-mod", "shop-mod"), ("go-$ARCH", "go-amd64"), ("a-${B}-c", "a-b-c"), ("$X", "")]
        {
            assert!(spells(template, text), "{template} {text}");
        }
        for (template, text) in [("${APP}-mod", "shop-build"), ("go-mod", "go-mod"), ("go-$X", "py-1"), ("", "")] {
            assert!(!spells(template, text), "{template} {text}");
        }
    }
}
