//! A layer cache may answer for the step that fills the mounts.

use super::of_code;
use crate::lint::job::LintJob;
use crate::lint::{LintFinding, place};
use crate::verify::{Code, Severity};

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    if job.dances.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for build in &job.builds {
        let values = job.first();
        let exported = values.input(build.step, "cache-to").is_some_and(|to| to.text.contains("mode=max"));
        let (Some(_), true) = (values.input(build.step, "cache-from"), exported) else { continue };
        let Some(run) = build.runs.iter().find(|run| run.compiles() && !run.mounts.is_empty()) else { continue };
        let mut places = vec![job.at_input(build.step, "cache-to", "keeps the layers of every step")];
        if let Some(mut at) = build
            .dockerfile()
            .zip(build.run_quote(run))
            .and_then(|(file, quote)| place::of_quote(file.source(), &quote))
        {
            at.label = Some("fills the mounts only when it runs".to_owned());
            places.push(at);
        }
        found.push(of_code(
            job,
            Code::BuildStepCached,
            Severity::Note,
            "the layer cache answers for this step while its inputs are the same, and then nothing fills its mounts",
            places,
            "Usually that is fine: what was injected stays in the mounts. But let no run save a new key when only layers were reused: hash what \
             the step depends on (`hashFiles('**/*.go', '**/go.sum', 'Dockerfile')`) rather than the commit.",
        ));
    }
    found
}
