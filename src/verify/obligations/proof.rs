//! What the proof lines of `instrument` say for an obligation, and against it. [`shown`] and [`against`] are principal.
//!
//! The stamp of an inject and the mark of an earlier build lie in the very mount that the build uses, so no guess is needed.
//! Both can speak against a mount as well: an old stamp, or the mark of another run than the one that saved the entry.

use std::time::{Duration, SystemTime};

use super::{ObligationId, Proof};
use crate::evidence::{Mark, MountProof, Quote, Seen, Told, same_target};
use crate::verify::view::{CaseView, EMPTY_MOUNT, ExpectedMount, RunView};

/// How far the clocks of a builder and of its runner may differ.
const CLOCKS: Duration = Duration::from_secs(60);

/// Of ten files, or bytes, that were left, so many have to be there.
const KEPT: u64 = 9;

/// Returns the lines that show that this run's inject filled the mount, and from which run its content is.
pub(super) fn shown(view: &CaseView, mount: &ExpectedMount) -> Vec<Quote> {
    let mut quotes = Vec::new();
    for found in before(view, mount) {
        let origin = found.value.mark.is().and_then(|mark| left_by(view, mark));
        if stamped_now(view, &found.value) == Some(true) || origin.is_some() {
            quotes.push(found.quote.clone());
            quotes.extend(origin.map(|(_, left)| left.quote.clone()));
        }
    }
    quotes
}

/// Returns the lines in which the mount holds the stamp of this run's inject.
pub(super) fn stamps(view: &CaseView, mount: &ExpectedMount) -> Vec<Quote> {
    let now = before(view, mount).filter(|found| stamped_now(view, &found.value) == Some(true));
    now.map(|found| found.quote.clone()).collect()
}

/// Returns what the proof lines say against an obligation of a mount.
pub(super) fn against(id: ObligationId, view: &CaseView, mount: &ExpectedMount) -> Option<Proof> {
    before(view, mount).find_map(|found| match id {
        ObligationId::Identity => other_mount(found, mount),
        ObligationId::Freshness => old_stamp(view, found, mount).or_else(|| built_here(view, found, mount)),
        ObligationId::Provenance => {
            no_stamp(view, found, mount).or_else(|| other_run(view, found, mount)).or_else(|| files_lost(found, mount))
        }
        ObligationId::BeforeMeansBefore | ObligationId::Use | ObligationId::CarryOn | ObligationId::Reproduction => {
            None
        }
    })
}

/// The proof lines about a mount before the judged build. Where another build of the job left what they found, and had itself
/// found nearly all of it, those before that build tell where it came from.
fn before<'v>(view: &'v CaseView, mount: &'v ExpectedMount) -> impl Iterator<Item = &'v Seen<MountProof>> {
    let proofs = view.judged.build.iter().flat_map(|build| &build.mount_proofs);
    let proofs = proofs.filter(|proof| !proof.value.after && same_target(&proof.value.target, &mount.target));
    proofs.map(|proof| first_found(view, proof))
}

/// Follows what a build found to what the first build of the job found that it was handed on from.
fn first_found<'v>(view: &'v CaseView, proof: &'v Seen<MountProof>) -> &'v Seen<MountProof> {
    let mut found = proof;
    // Each step goes back by at least one build.
    for _ in &view.judged.evidence.builds {
        let Some(earlier) = handed_on(view, found) else { break };
        found = earlier;
    }
    found
}

/// What the build that left this mark had found in the same mount, where that was nearly all there is now.
fn handed_on<'v>(view: &'v CaseView, found: &Seen<MountProof>) -> Option<&'v Seen<MountProof>> {
    let mark = found.value.mark.is()?;
    let same = |proof: &Seen<MountProof>| same_target(&proof.value.target, &found.value.target);
    let judged = view.judged.build?;
    let others = view.judged.evidence.builds.iter().take_while(|build| !std::ptr::eq(*build, judged));
    let left = others.filter(|build| build.mount_proofs.iter().any(|left| leaves(left, mark) && same(left))).last()?;
    let first = left.mount_proofs.iter().find(|proof| !proof.value.after && same(proof))?;
    let (then, now) = (first.value.bytes?, found.value.bytes?);
    (then >= now / 10 * KEPT && !std::ptr::eq(first, found)).then_some(first)
}

/// When the first dance of the judged run began, where its log says so.
fn dance_began(view: &CaseView) -> Option<(SystemTime, Quote)> {
    let steps = view.judged.dances().iter().filter_map(|dance| view.judged.evidence.step(dance.step?));
    steps.filter_map(|step| Some((step.started.at?, step.started.quote.clone()))).min_by_key(|(at, _)| *at)
}

/// Tells whether the stamp is of this run's inject; `None` where the times do not tell.
fn stamped_now(view: &CaseView, found: &MountProof) -> Option<bool> {
    let stamp = found.stamp.is()?.at?;
    let (began, _) = dance_began(view)?;
    Some(stamp.checked_add(CLOCKS)? >= began)
}

fn old_stamp(view: &CaseView, found: &Seen<MountProof>, mount: &ExpectedMount) -> Option<Proof> {
    let stamp = found.value.stamp.is()?;
    let (_, began) = dance_began(view).filter(|_| stamped_now(view, &found.value) == Some(false))?;
    Some(Proof::missing(
        format!(
            "{} holds the stamp of an earlier inject ({}): the inject of this run did not reach it",
            mount.target, stamp.text
        ),
        vec![found.quote.clone(), began],
        wanted(mount, "stamp=<a time after this job's dance began>"),
    ))
}

/// A full mount without a stamp, although every known dance leaves one.
fn no_stamp(view: &CaseView, found: &Seen<MountProof>, mount: &ExpectedMount) -> Option<Proof> {
    let known = |dance: &crate::evidence::Dance| dance.inputs.as_ref().is_some_and(|inputs| inputs.value.known);
    let dances = view.judged.dances();
    let stamps = !dances.is_empty() && dances.iter().all(known);
    (stamps && found.value.stamp == Told::Absent && is_full(&found.value)).then(|| {
        Proof::missing(
            format!("{} holds no stamp of an inject: something else filled it", mount.target),
            vec![found.quote.clone()],
            wanted(mount, "stamp=<the time of this job's inject>"),
        )
    })
}

/// A mark that another build of this job left.
fn built_here(view: &CaseView, found: &Seen<MountProof>, mount: &ExpectedMount) -> Option<Proof> {
    let mark = found.value.mark.is()?;
    let judged = view.judged.build?;
    let others = view.judged.evidence.builds.iter().filter(|build| !std::ptr::eq(*build, judged));
    let left = others.flat_map(|build| &build.mount_proofs).find(|left| leaves(left, mark))?;
    Some(Proof::missing(
        format!("another build of this job had filled {} before it was measured", mount.target),
        vec![left.quote.clone(), found.quote.clone()],
        wanted(mount, "mark=<of an earlier run>"),
    ))
}

fn other_mount(found: &Seen<MountProof>, mount: &ExpectedMount) -> Option<Proof> {
    let from = found.value.mark.is()?.target.as_deref()?;
    (!same_target(from, &mount.target)).then(|| {
        Proof::missing(
            format!("what {} holds was left in {from}", mount.target),
            vec![found.quote.clone()],
            wanted(mount, &format!("mark-mount={}", mount.target)),
        )
    })
}

/// The mark of another run than the one that saved what was restored, or none where that run left one.
fn other_run(view: &CaseView, found: &Seen<MountProof>, mount: &ExpectedMount) -> Option<Proof> {
    let origin = view.origin().filter(|origin| origin.saves().next().is_some())?;
    let left = marks_of(origin).filter(|left| same_target(&left.value.target, &mount.target)).last()?;
    let reason = match &found.value.mark {
        Told::Unknown => return None,
        Told::Absent if !is_full(&found.value) => return None,
        Told::Absent => format!("{} does not hold the mark that {} left in it", mount.target, origin.name()),
        // A step of this very build has left its own by now.
        Told::Is(mark) if view.judged.build?.mount_proofs.iter().any(|left| leaves(left, mark)) => return None,
        Told::Is(mark) if marks_of(origin).any(|left| leaves(left, mark)) => return None,
        Told::Is(mark) => {
            let whose =
                left_by(view, mark).map_or_else(|| "a run that is not among these".to_owned(), |(name, _)| name);
            format!("what {} holds was left by {whose}, and {} saved the entry", mount.target, origin.name())
        }
    };
    let mark = left.value.mark.is().map(|mark| format!("mark={}", mark.id)).unwrap_or_default();
    Some(Proof::missing(reason, vec![left.quote.clone(), found.quote.clone()], wanted(mount, &mark)))
}

/// Far fewer files than the run left that the mark is of.
fn files_lost(found: &Seen<MountProof>, mount: &ExpectedMount) -> Option<Proof> {
    let (files, left) = (found.value.files?, found.value.mark.is()?.files?);
    (files < left / 10 * KEPT).then(|| {
        Proof::missing(
            format!("{} holds {files} of the {left} files that an earlier run left in it", mount.target),
            vec![found.quote.clone()],
            wanted(mount, &format!("files={left}")),
        )
    })
}

/// The run before the judged one that left a mark, and the line that says so.
fn left_by<'a>(view: &CaseView<'a>, mark: &Mark) -> Option<(String, &'a Seen<MountProof>)> {
    view.earlier.iter().find_map(|run| Some((run.name(), marks_of(run).find(|left| leaves(left, mark))?)))
}

/// Every mark that a run left.
fn marks_of<'a>(run: &RunView<'a>) -> impl Iterator<Item = &'a Seen<MountProof>> {
    let proofs = run.evidence.builds.iter().flat_map(|build| &build.mount_proofs);
    proofs.filter(|proof| proof.value.after && proof.value.mark.is().is_some())
}

fn leaves(left: &Seen<MountProof>, mark: &Mark) -> bool {
    left.value.after && left.value.mark.is().is_some_and(|left| left.id == mark.id)
}

fn is_full(found: &MountProof) -> bool {
    found.bytes.is_some_and(|bytes| bytes >= EMPTY_MOUNT)
}

fn wanted(mount: &ExpectedMount, what: &str) -> String {
    format!("vbc-proof v1 before mount={} … {what} …", mount.target)
}
