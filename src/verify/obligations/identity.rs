//! Identity: the mount that was measured, the one that was injected and the one that the build used are one.

use super::{Obligation, ObligationId, Proof, of_each_mount, proof};
use crate::evidence::{BuildDoubt, DancePhase, GoCache, Quote, same_target};
use crate::verify::CodePage;
use crate::verify::view::{CaseView, ExpectedMount, MountKind, MountMatch, pair};

pub(super) const PAGE: CodePage = CodePage {
    what: "The cache mount that was measured, the one that the dance injected into and the one that the build used are one cache: \
           the same id or else target, the same uid, gid and mode, on the same builder.",
    why: "A full mount beside the one that the build uses proves nothing about the build.",
    example: "#9 [build 4/4] RUN --mount=type=cache,target=/root/.cache/go-build … go build ./...\n\
              RUN --mount=type=cache,target=/root/.cache/go-build …   (of the dance)",
    fix: "Give the log in full, with the lines of the dance and with the build's steps by name (`--progress=plain`).",
};

/// Reads the obligation for each Go cache mount.
pub(super) fn read(view: &CaseView) -> Vec<Obligation> {
    of_each_mount(ObligationId::Identity, view, |mount| prove(view, mount))
}

fn prove(view: &CaseView, mount: &ExpectedMount) -> Proof {
    let build = view.judged.build;
    let named: Vec<Quote> = build
        .iter()
        .flat_map(|build| &build.mounts)
        .filter(|seen| seen.value.clean_target() == mount.target)
        .map(|seen| seen.quote.clone())
        .collect();
    if let Some((reason, quote, would_show)) = doubt(view, mount) {
        return Proof::missing(reason, named.into_iter().chain([quote]).collect(), would_show);
    }
    if let Some(proof) = proof::against(ObligationId::Identity, view, mount) {
        return proof;
    }
    if let Some(elsewhere) = kept_elsewhere(view, mount) {
        return elsewhere;
    }
    for pairing in pair(&view.judged, DancePhase::Inject) {
        match pairing {
            MountMatch::Same(spec, entry) if spec.clean_target() == mount.target => {
                return Proof::Shown(named.into_iter().chain([entry.mount.quote.clone()]).collect());
            }
            MountMatch::Other(spec, entry) if spec.clean_target() == mount.target => {
                return Proof::missing(
                    format!("the dance means {} and names another cache", mount.target),
                    named.into_iter().chain([entry.mount.quote.clone()]).collect(),
                    format!("RUN --mount=type=cache,{} … (of the dance)", target_and_id(spec.id.as_deref(), mount)),
                );
            }
            _ => {}
        }
    }
    // Where the dance shows what it injects, this mount has to be among it.
    if let Some(other) = view.judged.carried(DancePhase::Inject).next().filter(|_| !view.judged.discovers()) {
        return Proof::missing(
            format!("the dance was seen to inject, and not into {}", mount.target),
            named.into_iter().chain([other.mount.quote.clone()]).collect(),
            format!("RUN --mount=type=cache,{} … (of the dance)", target_and_id(None, mount)),
        );
    }
    // What the dance works on is not in sight in every copy of a log; the size that the build printed is the build's own.
    let sizes = build.and_then(|build| build.sizes_of(&mount.target)?.before.as_ref());
    Proof::Shown(named.into_iter().chain(sizes.map(|size| size.quote.clone())).collect())
}

/// Finds a place that the build names for this cache of Go's, where none that it names is in the mount.
fn kept_elsewhere(view: &CaseView, mount: &ExpectedMount) -> Option<Proof> {
    let (cache, name) = match mount.kind {
        MountKind::Modules => (GoCache::Modules, "GOMODCACHE"),
        MountKind::BuildCache => (GoCache::Objects, "GOCACHE"),
        MountKind::Other => return None,
    };
    let places = || view.judged.build.iter().flat_map(|build| &build.places).filter(|place| place.value.cache == cache);
    let inside = |path: &str| {
        path.strip_prefix(mount.target.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let other = places().next().filter(|_| !places().any(|place| inside(&place.value.path)))?;
    Some(Proof::missing(
        format!("the build keeps its {name} at {}, which is not in the mount {}", other.value.path, mount.target),
        vec![other.quote.clone()],
        format!("#9 0.1 {name}='{}'", mount.target),
    ))
}

fn target_and_id(id: Option<&str>, mount: &ExpectedMount) -> String {
    id.map_or_else(|| format!("target={}", mount.target), |id| format!("target={},id={id}", mount.target))
}

/// Finds what was seen against the mount's being the one cache that was measured, injected and used.
fn doubt(view: &CaseView, mount: &ExpectedMount) -> Option<(String, Quote, String)> {
    let target = &mount.target;
    let doubts = view.judged.build.iter().flat_map(|build| &build.doubts);
    let told = |doubt: &BuildDoubt| match doubt {
        BuildDoubt::SeededFrom { target: seeded, from } if same_target(seeded, target) => Some((
            format!(
                "{target} begins with the contents of `{from}`, so it is another cache than the one the dance fills"
            ),
            format!("RUN --mount=type=cache,target={target} …   (without `from=`)"),
        )),
        BuildDoubt::OtherCacheMeasured { target: measured } if same_target(measured, target) => Some((
            format!(
                "the step that printed the size of {target} mounts another cache there than the step that compiles"
            ),
            format!("#9 0.2 120M\t{target}   (printed by the compiling step)"),
        )),
        _ => None,
    };
    doubts.into_iter().find_map(|doubt| {
        let (reason, would_show) = told(&doubt.value)?;
        Some((reason, doubt.quote.clone(), would_show))
    })
}
