//! Versions of the dance with a defect that shows in this job.

use super::own;
use crate::dance::{DanceVersion, ExtractMethod, Flavour, RemoveSource};
use crate::lint::job::{LintDance, LintJob};
use crate::lint::{LintDefinition, LintFinding};
use crate::verify::{CodePage, MountKind, Severity};

pub(super) const DEFINITION: LintDefinition = LintDefinition {
    code: "dance-version-defect",
    severity: Severity::Error,
    page: CodePage {
        what: "This version of buildkit-cache-dance has a known defect that shows in this job: v3.0.0 to v3.1.1 cannot remove Go's read-only \
               modules on a hosted runner, v3.3.1 may hang in its extract, and hiromaily's v4.3.0 copies with rsync, which most images lack.",
        why: "The dance fails, hangs or copies nothing, although the workflow itself is right.",
        example: "Error: EACCES: permission denied, rmdir 'go-mod/example.com'",
        fix: "Use `reproducible-containers/buildkit-cache-dance@v3.3.2`.",
    },
};

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    let known = job.dances.iter().filter(|dance| dance.behaviour.dance.known);
    known.filter_map(|dance| one(job, dance)).collect()
}

fn one(job: &LintJob<'_>, dance: &LintDance<'_>) -> Option<LintFinding> {
    let behaviour = &dance.behaviour;
    let entries = dance.entries().map(|map| map.entries.as_slice()).unwrap_or_default();
    let writable =
        job.builds.iter().filter_map(|build| build.dockerfile()).any(|file| file.source().text.contains("modcacherw"));
    let modules = !writable && entries.iter().any(|entry| MountKind::of(&entry.target, None) == MountKind::Modules);
    let upstream = behaviour.dance.flavour == Flavour::Upstream;
    let may_not_remove = upstream
        && behaviour.dance.version.major == 3
        && (behaviour.remove_source == RemoveSource::Fatal
            || behaviour.extract == ExtractMethod::Container { sudo: false });
    let (title, severity, input) = match () {
        () if may_not_remove && modules && job.is_hosted() => (
            format!(
                "{} cannot remove Go's read-only modules: it ends with EACCES in the first run that restores them",
                behaviour.dance
            ),
            Severity::Error,
            None,
        ),
        () if upstream && behaviour.dance.version == DanceVersion::new(3, 3, 1) => {
            (format!("{} may hang in its extract until the job is stopped", behaviour.dance), Severity::Warning, None)
        }
        () if dance.inputs.rsync && lacks_rsync(&dance.inputs.utility_image) => (
            format!(
                "{} copies with rsync, which `{}` does not have: nothing is injected",
                behaviour.dance, dance.inputs.utility_image
            ),
            Severity::Error,
            Some("utility-image"),
        ),
        () => return None,
    };
    let help = match input {
        Some(_) => "Use a `utility-image` that has rsync, or `rsync-mode: false`.",
        None => DEFINITION.page.fix,
    };
    let place = match input {
        Some(name) => job.at_input(dance.step, name, "has no rsync"),
        None => job.at_step(dance.step, "this version"),
    };
    let mut finding = own(job, &DEFINITION, title, vec![place], help);
    finding.severity = severity;
    Some(finding)
}

fn lacks_rsync(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or(image);
    matches!(name.split([':', '@']).next(), Some("busybox" | "alpine" | "debian" | "ubuntu"))
}
