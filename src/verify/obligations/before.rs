//! Before means before: what was measured before the build was measured before the build.

use super::{Obligation, ObligationId, Proof, of_each_mount};
use crate::evidence::{BuildDoubt, same_target};
use crate::verify::view::{CaseView, ExpectedMount};
use crate::verify::{CodePage, seconds};

pub(super) const PAGE: CodePage = CodePage {
    what: "The size of the mount was printed near the start of its step, within ten seconds (three, where a script prints \
           it), before anything else that may compile, by each step that compiles with it.",
    why: "A size printed late may be what this very build has just put there.",
    example: "#9 [build 4/4] RUN --mount=type=cache,target=/root/.cache/go-build … du -sh … && go build ./...\n\
              #9 0.3 114M\t/root/.cache/go-build",
    fix: "Print the sizes first in the step that compiles: `verify-buildkit-cache instrument Dockerfile` writes the lines.",
};

/// Reads the obligation for each Go cache mount.
pub(super) fn read(view: &CaseView) -> Vec<Obligation> {
    of_each_mount(ObligationId::BeforeMeansBefore, view, |mount| prove(view, mount))
}

fn prove(view: &CaseView, mount: &ExpectedMount) -> Proof {
    let wanted = || format!("#9 0.3 114M {} (printed before go build)", mount.target);
    let Some(build) = view.judged.build else {
        return Proof::missing("no build was seen", Vec::new(), wanted());
    };
    let Some(before) = build.sizes_of(&mount.target).and_then(|sizes| sizes.before.as_ref()) else {
        return Proof::missing("its size before the build was not seen", Vec::new(), wanted());
    };
    if let Some(not_seen) = build.not_seen.iter().find(|target| same_target(&target.value, &mount.target)) {
        return Proof::missing(
            "one of several compiling steps did not print what it found there",
            vec![not_seen.quote.clone()],
            wanted(),
        );
    }
    let late = build.doubts.iter().find_map(|doubt| match &doubt.value {
        BuildDoubt::MeasuredLate { target, after } if same_target(target, &mount.target) => {
            Some((*after, &doubt.quote))
        }
        _ => None,
    });
    if let Some((after, quote)) = late {
        return Proof::missing(
            format!(
                "the size of {} was printed {} after its step had begun: what ran before it may have filled the mount",
                mount.target,
                seconds(after.as_secs_f64())
            ),
            vec![quote.clone()],
            format!("#9 0.3 114M {} (printed first in its step)", mount.target),
        );
    }
    let ran = build.doubts.iter().find_map(|doubt| match &doubt.value {
        BuildDoubt::RanBefore { target, command } if same_target(target, &mount.target) => {
            Some((command, &doubt.quote))
        }
        _ => None,
    });
    if let Some((command, quote)) = ran {
        return Proof::missing(
            format!(
                "`{command}` ran before the size of {} was taken for the compile, and may have filled it",
                mount.target
            ),
            vec![quote.clone()],
            format!("#9 0.3 114M {} (printed first in the step that compiles)", mount.target),
        );
    }
    Proof::Shown(vec![before.quote.clone()])
}
