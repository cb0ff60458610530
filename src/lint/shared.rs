//! The verifier's own rules, asked about a job as it is declared. [`findings`] is principal.

use super::build::LintBuild;
use super::declare::declare;
use super::job::{LintJob, step_span};
use super::unread::is_unread;
use super::values::Arm;
use super::{LintFinding, LintPlace, place};
use crate::evidence::Quote;
use crate::plan::{Action, PlannedStep, Trigger};
use crate::source::Source;
use crate::verify::{Code, Finding, Severity, declared};

/// Asks the verifier's rules about every build of a job, in a first run and in one that hits its key.
pub(super) fn findings(job: &LintJob<'_>) -> Vec<LintFinding> {
    let mut all: Vec<(Finding, Option<&LintBuild<'_>>)> = Vec::new();
    let builds: Vec<Option<&LintBuild<'_>>> = match job.builds.as_slice() {
        [] => vec![None],
        builds => builds.iter().map(Some).collect(),
    };
    for build in builds {
        let Some(trigger) = trigger_of(job, build) else { continue };
        for arm in [Arm::First, Arm::Hit] {
            // A run that hits its key tells only what it leaves out.
            let told = |finding: &Finding| {
                arm == Arm::First || matches!(finding.code, Code::DanceSkipped | Code::ExtractSkipped)
            };
            for finding in declared(declare(job, build, arm, trigger)).into_iter().filter(told) {
                let known = all.iter().any(|(other, _)| {
                    other.code == finding.code && (other.title == finding.title || other.evidence == finding.evidence)
                });
                if !known && holds(job, build, arm, trigger, &finding) {
                    all.push((finding, build));
                }
            }
        }
    }
    all.into_iter().map(|(finding, build)| placed(job, build, finding)).collect()
}

/// Picks the commonest event in which a build runs, as far as that is known.
fn trigger_of<'j>(job: &'j LintJob<'_>, build: Option<&LintBuild<'_>>) -> Option<&'j Trigger> {
    let Some(build) = build else { return job.triggers.first() };
    let runs = |trigger: &&Trigger| job.values(Arm::First, trigger).runs(build.step) != Some(false);
    job.triggers.iter().find(runs)
}

/// Tells whether a finding stands although a step takes part that nobody reads here.
fn holds(job: &LintJob<'_>, build: Option<&LintBuild<'_>>, arm: Arm, trigger: &Trigger, finding: &Finding) -> bool {
    match finding.code {
        Code::CacheDirMismatch | Code::CachePathMissing => !job.has_other_carriers(),
        Code::DanceMissing => !job.has_other_carriers() && fresh_builder(job, build),
        // A dance for some events only is meant; one that a hit leaves out is not.
        Code::DanceSkipped => {
            let first = job.values(Arm::First, trigger);
            arm == Arm::Hit && job.dances.iter().any(|dance| first.runs(dance.step) == Some(true))
        }
        Code::BuilderMismatch => !job.has_local_actions(),
        // Where no cache step carries the dance's directories, their order is another's.
        Code::CacheAfterDance | Code::SaveBeforeExtract => {
            !job.has_local_actions() && job.caches.iter().any(|cache| job.carries(cache))
        }
        // Another fork may read its inputs otherwise.
        Code::DanceCrashed | Code::ExtractSkipped => job.knows_dances(),
        // An entry may be meant for a build that nobody reads here.
        Code::CacheMapIdMismatch | Code::CacheMapTargetMismatch | Code::CacheMapOwnerMismatch => {
            !job.builds_otherwise()
        }
        Code::ModulesNotRestored | Code::BuildCacheNotRestored => {
            job.dances.iter().all(|dance| dance.entries().is_some())
                && !job.has_other_carriers()
                && build.is_none_or(|build| job.knows_target(build))
        }
        _ => true,
    }
}

/// Tells whether the builder of a build surely begins empty: on a runner of GitHub's, and not one that lives elsewhere.
fn fresh_builder(job: &LintJob<'_>, build: Option<&LintBuild<'_>>) -> bool {
    let values = job.first();
    let remote = |step: &PlannedStep| {
        step.action == Action::SetupBuildx
            && (step.input("endpoint").is_some()
                || step.input("append").is_some()
                || values.input(step, "driver").is_some_and(|driver| {
                    !driver.known || !matches!(driver.text.trim(), "docker" | "docker-container")
                }))
    };
    let named = build.is_some_and(|build| values.input(build.step, "builder").is_some_and(|name| !name.known));
    job.is_hosted() && !named && !job.plan.steps.iter().any(remote)
}

/// Turns a finding of the verifier into one with places.
fn placed(job: &LintJob<'_>, build: Option<&LintBuild<'_>>, finding: Finding) -> LintFinding {
    let mut places: Vec<LintPlace> = Vec::new();
    for quote in &finding.evidence {
        let place = at_step(job, finding.code, quote).or_else(|| at_line(job, build, quote));
        places.extend(place.filter(|place| !places.contains(place)));
    }
    // A person changes the workflow rather than the Dockerfile, where both are to blame.
    let workflow = &job.source().name;
    places.sort_by_key(|place| place.file != *workflow);
    let severity = severity(job, build, &finding);
    LintFinding {
        code: finding.code.as_str(),
        severity,
        title: title(job, &finding),
        places,
        why: finding.why,
        help: finding.fix,
        job: job.plan.job_id.clone(),
        edits: Vec::new(),
    }
}

/// Says what is wrong without speaking of a run, which nobody has seen.
fn title(job: &LintJob<'_>, finding: &Finding) -> String {
    let skips = |step: &PlannedStep| step.input("skip-extraction").map(|template| template.raw().trim().to_owned());
    match finding.code {
        Code::ExtractSkipped if finding.severity == Severity::Warning => {
            let written = job.dances.iter().find_map(|dance| skips(dance.step)).unwrap_or_default();
            format!("`skip-extraction: {written}` never skips: only the exact text `true` does")
        }
        Code::ExtractSkipped => "the extract is skipped in a run that must save".to_owned(),
        Code::DanceSkipped => {
            "the dance's `if:` skips it in a run that finds a cache, so nothing is injected".to_owned()
        }
        _ => finding.title.replacen("in run 1 the ", "the ", 1),
    }
}

/// Cache mounts without a dance cost nothing by themselves; only who tries to carry them is let down. Of several builds, one
/// that is not carried may be so by design.
///
/// What goes wrong in one of the rarer events only, such as a release that is built anew on purpose, leaves the others alone.
fn severity(job: &LintJob<'_>, build: Option<&LintBuild<'_>>, finding: &Finding) -> Severity {
    let rarer = trigger_of(job, build) != job.triggers.first();
    match finding.code {
        Code::NoCacheBuild if rarer => Severity::Note,
        _ if rarer => finding.severity.max(Severity::Warning),
        Code::DanceMissing => {
            let means = |path: &String| {
                ["go/pkg/mod", "go-build", "go-mod", "gomod", "gocache"].iter().any(|part| path.contains(part))
            };
            let tries = job.caches.iter().any(|cache| cache.paths.iter().any(means));
            // What Go on the runner itself caches is its own affair.
            let own = job.plan.steps.iter().any(|step| {
                let text = job.text_of(step);
                is_unread(step)
                    && ["setup-go", "go test", "go build", "go vet", "golangci", "make"]
                        .iter()
                        .any(|word| text.contains(word))
            });
            if tries && !own { Severity::Error } else { Severity::Note }
        }
        Code::ModulesNotRestored | Code::BuildCacheNotRestored => {
            let others = job.builds.iter().any(|other| build.is_some_and(|build| build.step.index != other.step.index));
            if others { Severity::Warning } else { finding.severity }
        }
        _ => finding.severity,
    }
}

/// Returns the inputs of a step that a code is about, the likeliest first.
fn inputs_of(code: Code) -> &'static [&'static str] {
    match code {
        Code::ExtractSkipped => &["skip-extraction"],
        Code::NoCacheBuild => &["no-cache", "no-cache-filters"],
        Code::BuilderMismatch => &["builder"],
        Code::CacheDirMismatch | Code::CachePathMissing => &["path", "cache-dir", "cache-map"],
        Code::CacheMapCollision | Code::DanceCrashed | Code::ModulesNotRestored | Code::BuildCacheNotRestored => {
            &["cache-map"]
        }
        _ => &[],
    }
}

/// Points at the input that matters, where a quote is the line of a step.
fn at_step(job: &LintJob<'_>, code: Code, quote: &Quote) -> Option<LintPlace> {
    let source = job.source();
    if *quote.source != *source.name {
        return None;
    }
    let of = |step: &&PlannedStep| Some(source.place(step_span(step).start).line) == quote.line;
    let step = job.plan.steps.iter().find(of)?;
    let label = match &step.action {
        Action::Cache(_) => "actions/cache",
        Action::Dance(_) => "the dance",
        Action::SetupBuildx => "chooses the builder",
        Action::BuildPush => "the build",
        _ => "this step",
    };
    let input = inputs_of(code).iter().find(|name| step.input(name).is_some());
    if let Some(name) = input {
        return Some(job.at_input(step, name, label));
    }
    if code == Code::DanceSkipped && step.condition.raw().is_some() {
        return Some(LintPlace::new(source, step.condition.span(), "skips the step"));
    }
    Some(LintPlace::new(source, step_span(step), label))
}

fn at_line(job: &LintJob<'_>, build: Option<&LintBuild<'_>>, quote: &Quote) -> Option<LintPlace> {
    let dockerfile = build.and_then(|build| build.dockerfile()).map(|file| file.source());
    let sources: [Option<&Source>; 2] = [Some(job.source()), dockerfile];
    let source = sources.into_iter().flatten().find(|source| *quote.source == *source.name)?;
    place::of_quote(source, quote)
}
