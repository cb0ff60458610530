//! Which edit may take which finding away. [`propose`] is principal.
//!
//! A proposal is no promise: `fix` judges the changed files before anything is kept. So a proposal may be simple.

use super::edit::Editor;
use super::job::{LintDance, LintJob};
use super::{LintEdit, LintFinding};
use crate::evidence::MountSpec;
use crate::plan::{Action, CacheStepPart, PlannedStep};
use crate::source::Span;
use crate::verify::{MountKind, map_entry};

/// Adds to a finding the edits that may take it away.
pub(super) fn propose(job: &LintJob<'_>, finding: &mut LintFinding) {
    if finding.edits.is_empty() {
        finding.edits = edits(job, finding).unwrap_or_default();
    }
}

fn edits(job: &LintJob<'_>, finding: &LintFinding) -> Option<Vec<LintEdit>> {
    let editor = Editor::new(job.source());
    let one = |edit: Option<LintEdit>| edit.map(|edit| vec![edit]);
    match finding.code {
        "cache-key-unique" => {
            let cache = job.caches.iter().find(|cache| touches(job, finding, cache.step))?;
            let key = cache.step.input("key")?.raw().trim();
            let prefix = prefix(key)?;
            one(editor.add(cache.step, "restore-keys", &prefix))
        }
        "extract-skipped" => {
            let dance = job.dances.first()?;
            one(editor.set(dance.step, "skip-extraction", &hit(job)?))
        }
        "extract-not-skipped" => one(editor.add(job.dances.first()?.step, "skip-extraction", &hit(job)?)),
        "restore-only-extract" => {
            let dance = job.dances.first()?;
            one(editor
                .set(dance.step, "skip-extraction", "true")
                .or_else(|| editor.add(dance.step, "skip-extraction", "true")))
        }
        "no-cache-build" => {
            let build = job.builds.iter().find(|build| touches(job, finding, build.step))?;
            one(editor.remove(build.step, "no-cache"))
        }
        "dance-skipped" => {
            let dance = job.dances.iter().find(|dance| dance.step.condition.raw().is_some())?;
            one(editor.remove_key(dance.step.condition.span(), "if"))
        }
        "builder-mismatch" => {
            let set_up = job.plan.steps.iter().rfind(|step| step.action == Action::SetupBuildx)?;
            let dance = job.dances.first()?;
            if set_up.index > dance.step.index {
                return editor.move_before(set_up, dance.step);
            }
            let name = format!("${{{{ steps.{}.outputs.name }}}}", set_up.id.as_ref()?);
            one(editor.set(dance.step, "builder", &name).or_else(|| editor.add(dance.step, "builder", &name)))
        }
        "cache-after-dance" => {
            let dance = job.dances.first()?;
            let cache = job.caches.iter().find(|cache| cache.step.index > dance.step.index && job.carries(cache))?;
            editor.move_before(cache.step, dance.step)
        }
        "extract-failed" => one(editor.remove(job.dances.first()?.step, "scratch-dir")),
        "cache-map-id-mismatch" | "cache-map-target-mismatch" | "cache-map-owner-mismatch" => entries(job),
        "step-id-unknown" => {
            let near = finding.help.strip_prefix("Did you mean `")?.strip_suffix("`?")?;
            one(Some(editor.replace(finding.places.first()?.span, near)))
        }
        "build-ignores-cache" => {
            let place = finding.places.first()?;
            let build = job
                .builds
                .iter()
                .find_map(|build| build.dockerfile().filter(|file| file.source().name == place.file))?;
            let text = &build.source().text;
            (text.get(place.span.start..place.span.end)? == "-a")
                .then(|| vec![Editor::new(build.source()).replace(Span::new(place.span.start, place.span.end + 1), "")])
        }
        _ => None,
    }
}

/// Tells whether a finding points into a step.
fn touches(job: &LintJob<'_>, finding: &LintFinding, step: &PlannedStep) -> bool {
    let inside = |place: &super::LintPlace| {
        place.file == job.source().name && place.span.start >= step.span.start && place.span.start < step.span.end
    };
    finding.places.iter().any(inside)
}

/// The expression that skips the extract after an exact hit.
fn hit(job: &LintJob<'_>) -> Option<String> {
    let mut caches = job.caches.iter().filter(|cache| job.carries(cache) && cache.part != CacheStepPart::Save);
    let id = caches.find_map(|cache| cache.step.id.clone())?;
    Some(format!("${{{{ steps.{id}.outputs.cache-hit }}}}"))
}

/// The part of a key before what is new in every run.
fn prefix(key: &str) -> Option<String> {
    let at = ["github.sha", "github.run_id", "github.run_number", "github.run_attempt"]
        .iter()
        .filter_map(|name| key.find(name))
        .min()?;
    let start = key[..at].rfind("${{")?;
    let prefix = key[..start].trim_end();
    (!prefix.is_empty() && prefix.matches("${{").count() == prefix.matches("}}").count()).then(|| prefix.to_owned())
}

/// Writes the entries of the cache map that miss their mounts as the Dockerfile has the mounts.
fn entries(job: &LintJob<'_>) -> Option<Vec<LintEdit>> {
    let [build] = job.builds.as_slice() else { return None };
    let [dance] = job.dances.as_slice() else { return None };
    let map = dance.entries()?;
    let mounts: Vec<MountSpec> = build.mounts.iter().map(MountSpec::from).collect();
    let mut edits = Vec::new();
    for entry in &map.entries {
        let spec = MountSpec::from(&entry.mount().ok()?);
        if mounts.iter().any(|mount| mount.same_cache(&spec)) {
            continue;
        }
        let kind = |spec: &MountSpec| MountKind::of(&spec.target, spec.id.as_deref());
        let meant = mounts
            .iter()
            .find(|mount| mount.clean_target() == spec.clean_target() || mount.id_part() == spec.id_part())
            .or_else(|| mounts.iter().find(|mount| kind(mount) == kind(&spec) && kind(mount) != MountKind::Other))?;
        edits.push(rewrite(job, dance, &entry.source, meant)?);
    }
    Some(edits)
}

/// Replaces the value of one entry of a cache map.
fn rewrite(job: &LintJob<'_>, dance: &LintDance<'_>, source: &str, mount: &MountSpec) -> Option<LintEdit> {
    let span = dance.step.input("cache-map")?.span();
    let text = job.source().text.get(span.start..span.end)?;
    let name = format!("\"{source}\"");
    let at = text.find(&name)? + name.len();
    let colon = at + text[at..].find(':')? + 1;
    let start = colon + (text[colon..].len() - text[colon..].trim_start().len());
    let length = match text[start..].chars().next()? {
        '"' => text[start + 1..].find('"')? + 2,
        '{' => text[start..].find('}')? + 1,
        _ => return None,
    };
    let value = value_of(mount);
    Some(Editor::new(job.source()).replace(Span::new(span.start + start, span.start + start + length), value))
}

/// The value of the entry that fits a mount.
fn value_of(mount: &MountSpec) -> String {
    let entry = map_entry("x", mount);
    entry.split_once(": ").map(|(_, value)| value.to_owned()).unwrap_or_default()
}
