//! The dance and the Dockerfile name different caches: by id, by target, or by uid, gid and mode.
//!
//! On a live run the engine's own records decide: a mount that the build had to create was not the injected one.

use super::{Need, Rule, symptoms};
use crate::evidence::{Carried, Creator, DancePhase, MountRecord, MountSpec, Quote, Seen};
use crate::verify::code::{CodeDefinition, Effect};
use crate::verify::view::{CaseView, MountMatch, RunView, differs, is_another_tools, pair};
use crate::verify::{CheckId, Code, CodePage, Finding};

pub(super) const RULE: Rule = Rule {
    codes: &[Code::CacheMapIdMismatch, Code::CacheMapTargetMismatch, Code::CacheMapOwnerMismatch],
    needs: &[Need::Evidence],
    check,
};

/// `cache-map-id-mismatch`
pub(in crate::verify) const CACHE_MAP_ID_MISMATCH: CodeDefinition = CodeDefinition {
    name: "cache-map-id-mismatch",
    check: CheckId::B,
    effect: Effect::Other,
    suppresses: symptoms::NOTHING_LEFT,
    page: CodePage {
        what: "The cache map and the Dockerfile name the same directory under different cache ids.",
        why: "BuildKit tells cache mounts apart by id, so inject fills a cache that the build never mounts and extract reads an empty one.",
        example: "RUN --mount=type=cache,target=/go/pkg/mod,id=go-mod go build …\ncache-map: {\"go-mod\": \"/go/pkg/mod\"}",
        fix: "Give the entry the Dockerfile's id: `{\"go-mod\": {\"target\": \"/go/pkg/mod\", \"id\": \"go-mod\"}}`; then change the key, since an \
              empty entry may be frozen under it.",
    },
};

/// `cache-map-target-mismatch`
pub(in crate::verify) const CACHE_MAP_TARGET_MISMATCH: CodeDefinition = CodeDefinition {
    name: "cache-map-target-mismatch",
    check: CheckId::B,
    effect: Effect::Other,
    suppresses: symptoms::NOTHING_LEFT,
    page: CodePage {
        what: "The cache map names another target than the Dockerfile's cache mount, and no id ties them together.",
        why: "Without an id the target is the cache's identity, so inject fills a cache that the build never mounts.",
        example: "RUN --mount=type=cache,target=/go/pkg/mod go build …\ncache-map: {\"go-mod\": \"/go/pkg\"}",
        fix: "Write the Dockerfile's target into the cache map: `{\"go-mod\": \"/go/pkg/mod\"}`; then change the key.",
    },
};

/// `cache-map-owner-mismatch`
pub(in crate::verify) const CACHE_MAP_OWNER_MISMATCH: CodeDefinition = CodeDefinition {
    name: "cache-map-owner-mismatch",
    check: CheckId::B,
    effect: Effect::Other,
    suppresses: symptoms::NOTHING_LEFT,
    page: CodePage {
        what: "The Dockerfile's cache mount and the cache map's entry differ in uid, gid or mode.",
        why: "BuildKit keeps a separate cache for every uid, gid and mode, so both sides see different directories.",
        example: "RUN --mount=type=cache,target=/go/pkg/mod,uid=1000 go build …\ncache-map: {\"go-mod\": \"/go/pkg/mod\"}",
        fix: "Repeat them in the entry: `{\"go-mod\": {\"target\": \"/go/pkg/mod\", \"uid\": 1000}}`; then change the key.",
    },
};

fn check(view: &CaseView) -> Vec<Finding> {
    let run = &view.judged;
    let mut mismatches: Vec<Mismatch> = Vec::new();
    for pairing in pair(run, DancePhase::Inject) {
        let (mount, entry) = match pairing {
            MountMatch::Other(mount, entry) if are_strangers(mount, &entry.mount.value) => continue,
            MountMatch::Other(mount, entry) => (mount, entry),
            // Equal texts with a variable in them may still name two caches: then the records tell. Without one they
            // name the same, and two records are the engine's doing, which gives a new mount where one is in use.
            MountMatch::Same(mount, entry) if varies(mount, &entry.mount.value) => match provenance(run, mount) {
                Provenance::TwoCaches(_) if !throws_mounts_away(run) => (mount, entry),
                _ => continue,
            },
            MountMatch::Same(..) => continue,
            MountMatch::None(_) => continue,
        };
        let records = match provenance(run, mount) {
            Provenance::Carried => continue,
            Provenance::TwoCaches(quotes) => quotes,
            Provenance::Unknown => Vec::new(),
        };
        mismatches.push(Mismatch { code: code(mount, &entry.mount.value), mount, entry, records });
    }
    let of_code = |code: &Code| {
        let alike: Vec<&Mismatch> = mismatches.iter().filter(|mismatch| mismatch.code == *code).collect();
        (!alike.is_empty()).then(|| finding(run, *code, &alike))
    };
    let found: Vec<Finding> = RULE.codes.iter().filter_map(of_code).collect();
    if found.is_empty() { apart(run).into_iter().collect() } else { found }
}

/// Reports a step that compiles with another cache than the one that an entry carries to the same target for other steps.
fn apart(run: &RunView) -> Option<Finding> {
    let build = run.build?;
    let pairs = pair(run, DancePhase::Inject);
    let compiles = |mount: &MountSpec| build.compile_steps.iter().any(|step| step.value.mounts.contains(mount));
    let (compiled, carried) = pairs.iter().find_map(|pairing| {
        let MountMatch::None(mount) = pairing else { return None };
        let beside = pairs.iter().find_map(|other| match other {
            MountMatch::Same(other, _) if other.clean_target() == mount.clean_target() => Some(*other),
            _ => None,
        })?;
        (compiles(mount) && !compiles(beside)).then_some((*mount, beside))
    })?;
    let lines = build.mounts.iter().filter(|seen| seen.value == *compiled || seen.value == *carried);
    let part = |spec: &MountSpec| {
        let owner = Some(spec.owner.clone()).filter(|owner| !owner.is_empty());
        owner.map_or_else(|| id_words(spec), |owner| format!("{} and {owner}", id_words(spec)))
    };
    let options: Vec<String> = carried.id.iter().map(|id| format!("id={id}")).chain([carried.owner.clone()]).collect();
    let options =
        options.into_iter().filter(|text| !text.is_empty()).map(|text| format!(",{text}")).collect::<String>();
    Some(Finding::error(
        code(compiled, carried),
        format!(
            "{}: the step that compiles mounts a cache with {}, another step and the cache map one with {}",
            compiled.target,
            part(compiled),
            part(carried)
        ),
        lines.map(|seen| seen.quote.clone()).collect(),
        format!(
            "Mount the same cache in every `RUN` that uses it: `--mount=type=cache,target={}{options}`. Then change the cache key.",
            carried.target
        ),
    ))
}

/// Tells whether a mount and an entry share no name, and one of them is another tool's: the mount is carried by nobody, the
/// entry is for another image, and neither was meant for the other.
fn are_strangers(mount: &MountSpec, given: &MountSpec) -> bool {
    let share = mount.id_part() == given.id_part() || mount.clean_target() == given.clean_target();
    !share && (is_another_tools(&mount.target) || is_another_tools(&given.target))
}

/// One mount of the build and the entry that misses it.
struct Mismatch<'a> {
    code: Code,
    mount: &'a MountSpec,
    entry: &'a Carried,
    records: Vec<Quote>,
}

/// Makes one finding of all mismatches of one kind, so that its fix is one cache map.
fn finding(run: &RunView, code: Code, mismatches: &[&Mismatch]) -> Finding {
    let mut title = mismatches.first().map(|mismatch| mismatch.title()).unwrap_or_default();
    let likewise: Vec<&str> = mismatches.iter().skip(1).map(|mismatch| mismatch.mount.target.as_str()).collect();
    if !likewise.is_empty() {
        title.push_str(&format!(" (likewise {})", likewise.join(", ")));
    }
    let entries: Vec<String> = mismatches
        .iter()
        .map(|mismatch| {
            let source = mismatch.entry.source.clone().unwrap_or_else(|| source_name(mismatch.mount));
            entry(&source, mismatch.mount)
        })
        .collect();
    let mut evidence: Vec<Quote> = Vec::new();
    for mismatch in mismatches {
        let mounts = run.build.into_iter().flat_map(|build| &build.mounts);
        let lines = mounts.filter(|seen| seen.value == *mismatch.mount).map(|seen| &seen.quote);
        for quote in lines.chain([&mismatch.entry.mount.quote]).chain(&mismatch.records) {
            if !evidence.contains(quote) {
                evidence.push(quote.clone());
            }
        }
    }
    let how = if run.discovers() {
        "The dance takes ids and targets from the Dockerfile as they are written there: write them without variables and without a slash at the \
         end, or give a cache map:"
    } else {
        "Let the cache map name the build's own caches:"
    };
    let fix = format!(
        "{how}\n{}\nThen change the cache key, since an empty entry may be frozen under it.",
        cache_map(&entries)
    );
    Finding::error(code, title, evidence, fix)
}

impl Mismatch<'_> {
    fn title(&self) -> String {
        let (mount, given) = (self.mount, &self.entry.mount.value);
        match self.code {
            Code::CacheMapTargetMismatch => {
                format!("the Dockerfile mounts {}, the cache map fills {}", mount.target, given.target)
            }
            Code::CacheMapOwnerMismatch => format!(
                "{}: the Dockerfile's mount has {}, the cache map's has {}",
                mount.target,
                or_none(&mount.owner, "no uid, gid or mode"),
                or_none(&given.owner, "no uid, gid or mode"),
            ),
            _ => format!(
                "{}: the Dockerfile's cache has {}, the cache map's has {}",
                mount.target,
                id_words(mount),
                id_words(given)
            ),
        }
    }
}

/// Says which part of the identity differs.
fn code(mount: &MountSpec, given: &MountSpec) -> Code {
    if mount.id_part() == given.id_part() && mount.owner != given.owner {
        Code::CacheMapOwnerMismatch
    } else if mount.id.is_none() && given.id.is_none() && differs(mount, given) == Some(true) {
        Code::CacheMapTargetMismatch
    } else {
        Code::CacheMapIdMismatch
    }
}

fn id_words(spec: &MountSpec) -> String {
    spec.id.as_ref().map_or_else(|| "no id".to_owned(), |id| format!("id `{id}`"))
}

fn or_none<'a>(text: &'a str, none: &'a str) -> &'a str {
    if text.is_empty() { none } else { text }
}

/// Writes the cache map's entry that fits a mount, such as `"go-mod": {"target": "/go/pkg/mod", "id": "go-mod"}`.
pub(super) fn entry(source: &str, mount: &MountSpec) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    if mount.id.is_none() && mount.owner.is_empty() {
        return format!("{}: {}", quoted(source), quoted(&mount.target));
    }
    let mut parts = vec![format!("\"target\": {}", quoted(&mount.target))];
    parts.extend(mount.id.iter().map(|id| format!("\"id\": {}", quoted(id))));
    let owner = mount.owner.split(',').filter_map(|part| part.split_once('='));
    parts.extend(owner.map(|(name, value)| match value.parse::<u32>() {
        // A mode keeps its leading zero only as text.
        Ok(number) if !value.starts_with('0') || value == "0" => format!("{}: {number}", quoted(name)),
        _ => format!("{}: {}", quoted(name), quoted(value)),
    }));
    format!("{}: {{{}}}", quoted(source), parts.join(", "))
}

/// Writes entries as a cache map, one a line and indented, so that it can be copied as it stands.
pub(super) fn cache_map(entries: &[String]) -> String {
    match entries {
        [only] => format!("  {{{only}}}"),
        _ => format!("  {{\n    {}\n  }}", entries.join(",\n    ")),
    }
}

/// Suggests a host directory for a mount: `go-mod` for `/go/pkg/mod`, `go-build` for `/root/.cache/go-build`.
pub(super) fn source_name(mount: &MountSpec) -> String {
    match mount.target.trim_end_matches('/') {
        target if target.ends_with("pkg/mod") => "go-mod".to_owned(),
        target => target.rsplit('/').find(|part| !part.is_empty()).unwrap_or("cache").to_owned(),
    }
}

/// What the engine's records say about one mount.
enum Provenance {
    /// The build had to create nothing: it found the injected mount.
    Carried,
    /// The build created a mount of its own beside the dance's, on the same builder.
    TwoCaches(Vec<Quote>),
    /// There are no records, or they do not tell.
    Unknown,
}

fn provenance(run: &RunView, mount: &MountSpec) -> Provenance {
    let records = &run.evidence.records;
    let of_dance: Vec<&Seen<MountRecord>> =
        records.iter().filter(|record| record.value.creator == Creator::Inject).collect();
    if of_dance.is_empty() {
        return Provenance::Unknown;
    }
    let clean = |target: &str| MountSpec { target: target.to_owned(), id: None, owner: String::new() }.clean_target();
    let target = mount.clean_target();
    let own =
        records.iter().find(|record| record.value.creator == Creator::Build && clean(&record.value.target) == target);
    match own {
        None => Provenance::Carried,
        Some(own) => {
            let beside = |record: &&&Seen<MountRecord>| record.value.builder == own.value.builder;
            let same_target = |record: &&&Seen<MountRecord>| clean(&record.value.target) == target;
            let near =
                of_dance.iter().find(|record| beside(record) && same_target(record)).or(of_dance.iter().find(beside));
            match near {
                Some(near) => Provenance::TwoCaches(vec![near.quote.clone(), own.quote.clone()]),
                None => Provenance::Unknown,
            }
        }
    }
}

/// Tells whether a variable hides which caches two texts name.
fn varies(mount: &MountSpec, given: &MountSpec) -> bool {
    [mount, given].iter().any(|spec| spec.id_part().contains('$') || spec.target.contains('$'))
}

/// Tells whether the build itself makes its mounts new, so that a record of its own says nothing about identity.
fn throws_mounts_away(run: &RunView) -> bool {
    let no_cache = run.build.and_then(|build| build.inputs.as_ref()).is_some_and(|inputs| inputs.value.no_cache);
    let failed = run.dances().iter().any(|dance| !dance.failures.is_empty() || dance.crashed.is_some());
    no_cache || failed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_repeats_what_makes_the_mount_unique() {
        let spec = |id: Option<&str>, owner: &str| MountSpec {
            target: "/go/pkg/mod".into(),
            id: id.map(Into::into),
            owner: owner.into(),
        };
        assert_eq!(entry("go-mod", &spec(None, "")), r#""go-mod": "/go/pkg/mod""#);
        assert_eq!(
            entry("go-mod", &spec(Some("go-mod"), "")),
            r#""go-mod": {"target": "/go/pkg/mod", "id": "go-mod"}"#
        );
        assert_eq!(
            entry("go-mod", &spec(None, "uid=1000,mode=0755")),
            r#""go-mod": {"target": "/go/pkg/mod", "uid": 1000, "mode": "0755"}"#
        );
    }
}
