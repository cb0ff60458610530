//! The step that compiles lacks a mount that another step, or the dance, fills.

use super::of_code;
use crate::evidence::MountSpec;
use crate::lint::LintFinding;
use crate::lint::build::{LintBuild, LintRun, vendors};
use crate::lint::job::LintJob;
use crate::lint::place;
use crate::verify::{Code, MountKind, Severity};

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    if job.dances.is_empty() {
        return Vec::new();
    }
    job.builds
        .iter()
        .flat_map(|build| [MountKind::Modules, MountKind::BuildCache].map(|kind| one(job, build, kind)))
        .flatten()
        .collect()
}

fn kind_of(mount: &MountSpec) -> MountKind {
    MountKind::of(&mount.target, mount.id.as_deref())
}

fn one(job: &LintJob<'_>, build: &LintBuild<'_>, kind: MountKind) -> Option<LintFinding> {
    let file =
        build.dockerfile().filter(|file| job.knows_target(build) && !file.source().text.contains("go env -w"))?;
    let mounts = |run: &LintRun| {
        run.mounts.iter().any(|mount| kind_of(mount) == kind || mount.target.contains('$') || is_above(mount, kind))
    };
    let compiling: Vec<&LintRun> = build.runs.iter().filter(|run| run.compiles()).collect();
    let with = build.runs.iter().find(|run| mounts(run))?;
    let without = *compiling.first()?;
    // A variable may put the cache under a name that says nothing.
    let moved = |run: &&&LintRun| {
        ["GOMODCACHE", "GOCACHE", "GOPATH"].iter().any(|name| {
            run.variables.get(*name).is_some_and(|value| *name != "GOPATH" || value != "/go")
                || run.command.contains(&format!("{name}="))
        })
    };
    if compiling.iter().any(|run| mounts(run)) || compiling.iter().any(|run| moved(&run)) {
        return None;
    }
    let text = &file.source().text;
    let (code, what) = match kind {
        MountKind::Modules => {
            let in_layer =
                build.runs.iter().any(|run| (run.downloads() || run.command.contains("go mod vendor")) && !mounts(run));
            let vendored = text.contains("-mod=vendor")
                || text.contains("-mod vendor")
                || vendors(job.files, build.context.as_deref());
            let copied = text
                .lines()
                .any(|line| line.contains("pkg/mod") && (line.contains("from=") || line.contains("type=bind")));
            if in_layer || vendored || copied {
                return None;
            }
            (Code::ModulesNotRestored, "module")
        }
        _ => (Code::BuildCacheNotRestored, "build"),
    };
    // What another step compiles or tests with it is not lost.
    let used = kind == MountKind::BuildCache
        && ["go test", "go vet", "go run", "go build", "make", "golangci"]
            .iter()
            .any(|word| with.command.contains(word));
    let severity = if used { Severity::Warning } else { Severity::Error };
    let mount = with.mounts.iter().find(|mount| kind_of(mount) == kind || is_above(mount, kind))?;
    let mut at = vec![place::of_quote(file.source(), &build.run_quote(without)?)?];
    at[0].label = Some(format!("compiles without the {what} cache"));
    if let Some(own) = build.mounts.iter().find(|own| MountSpec::from(*own) == *mount) {
        let mut beside = place::of_quote(file.source(), &build.mount_quote(own)?)?;
        beside.label = Some("another step has it".to_owned());
        at.push(beside);
    }
    let id = mount.id.as_ref().map(|id| format!(",id={id}")).unwrap_or_default();
    let owner = if mount.owner.is_empty() { String::new() } else { format!(",{}", mount.owner) };
    Some(of_code(
        job,
        code,
        severity,
        format!("the step that compiles does not mount Go's {what} cache, though another step does"),
        at,
        format!("Add `--mount=type=cache,target={}{id}{owner}` to the `RUN` that compiles.", mount.target),
    ))
}

/// Tells whether a mount lies above the usual place of a cache.
fn is_above(mount: &MountSpec, kind: MountKind) -> bool {
    match (kind, mount.clean_target().as_str()) {
        (MountKind::Modules, "/go" | "/go/pkg" | "/root/go") => true,
        (MountKind::BuildCache, target) => target.ends_with("/.cache"),
        _ => false,
    }
}
