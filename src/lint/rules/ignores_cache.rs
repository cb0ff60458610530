//! The build compiles everything again, whatever its cache holds.

use super::own;
use crate::lint::job::LintJob;
use crate::lint::{LintDefinition, LintFinding, place};
use crate::verify::{CodePage, MountKind, Severity};

pub(super) const DEFINITION: LintDefinition = LintDefinition {
    code: "build-ignores-cache",
    severity: Severity::Error,
    page: CodePage {
        what: "`go build -a` (or `-a` in GOFLAGS) compiles every package again and uses nothing of the build cache.",
        why: "The build cache is carried from run to run and never used.",
        example: "RUN --mount=type=cache,target=/root/.cache/go-build go build -a -o /app .",
        fix: "Remove `-a`. Go knows by itself which packages have changed; for static binaries `CGO_ENABLED=0` is enough.",
    },
};

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    if job.dances.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for build in &job.builds {
        let compiling = build.runs.iter().filter(|run| run.compiles() && !run.mounts.is_empty());
        for run in compiling
            .filter(|run| again(&run.command) || run.variables.get("GOFLAGS").is_some_and(|flags| has_flag(flags)))
        {
            let place = build.dockerfile().zip(build.run_quote(run)).and_then(|(file, quote)| {
                let mut place = place::of_quote(file.source(), &quote)?;
                let text = &file.source().text[run.span.start..run.span.end];
                if let Some(at) = text.find(" -a ") {
                    place.span = crate::source::Span::new(run.span.start + at + 1, run.span.start + at + 3);
                }
                place.label = Some("compiles everything again".to_owned());
                Some(place)
            });
            let title = "the build compiles every package again: `-a` uses nothing of the cache";
            let mut finding = own(job, &DEFINITION, title, place.into_iter().collect(), DEFINITION.page.fix);
            // The modules are still of use.
            let objects = |mount: &crate::evidence::MountSpec| {
                MountKind::of(&mount.target, mount.id.as_deref()) == MountKind::BuildCache
            };
            if !run.mounts.iter().any(objects) {
                finding.severity = Severity::Warning;
            }
            found.push(finding);
        }
    }
    found
}

fn has_flag(flags: &str) -> bool {
    flags.split([' ', ',', '"', '\'']).any(|flag| flag == "-a")
}

/// Tells whether every `go build` of a command has `-a`: one that has it may be a tool's.
fn again(command: &str) -> bool {
    let mut builds = command.split([';', '&', '|', '\n']).filter_map(|part| {
        let words: Vec<&str> = part.split_whitespace().collect();
        let at = words.windows(2).position(|pair| matches!(pair, [go, "build"] if go.ends_with("go")))?;
        Some(words[at + 2..].contains(&"-a"))
    });
    let first = builds.next();
    first == Some(true) && builds.all(|again| again)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_flag_of_the_build_counts() {
        assert!(again("CGO_ENABLED=0 go build -a -o /x ."));
        assert!(!again("go build -o /x . && ls -a") && !again("go build ."));
        assert!(has_flag("-v -a") && !has_flag("-trimpath"));
    }
}
