//! What must hold however evidence is lost: no wrong pass.

use std::hash::{DefaultHasher, Hash, Hasher};

use proptest::prelude::*;

use super::testing::{JobScript, MB, case, mount, with_id};
use super::{Case, CheckId, CheckStatus, Profile, Report, Verdict, verify};
use crate::evidence::{Event, Evidence, Quote};

/// Cases that fail in A, C1 or C2, each for another reason.
fn failing() -> Vec<Vec<JobScript>> {
    vec![
        vec![JobScript::cold_saving_nothing(), JobScript::hit_empty()],
        vec![JobScript::cold(), JobScript::cold()],
        vec![JobScript::cold(), JobScript::warm().but(|job| job.before = [8192, 8192])],
        vec![JobScript::cold(), JobScript::warm().but(|job| job.before = [8192, 114 * MB])],
        vec![JobScript::cold(), JobScript::warm().but(|job| job.before = [131 * MB, 20 * MB])],
        vec![JobScript::cold(), JobScript::warm().but(|job| job.seconds = 16.0)],
        vec![JobScript::cold(), JobScript::warm(), JobScript::warm().but(|job| job.seconds = 16.0)],
        vec![JobScript::cold(), JobScript::warm().but(|job| job.then_builds = Some(Box::new(JobScript::cold())))],
        vec![JobScript::cold(), JobScript::cold().but(|job| job.restore_failed = Some("tar".into()))],
        vec![
            JobScript::cold_saving_nothing().but(|job| job.mounts[0] = with_id("/go/pkg/mod", "m")),
            JobScript::hit_empty().but(|job| job.mounts[0] = with_id("/go/pkg/mod", "m")),
        ],
        vec![
            JobScript::cold(),
            JobScript::warm().but(|job| job.entries[0].1 = mount("/elsewhere")).but(|job| job.before[0] = 8192),
        ],
    ]
}

/// Cases that fail only beside their first run: alone, the last one is as good as any.
fn failing_by_comparison() -> Vec<Vec<JobScript>> {
    vec![vec![JobScript::cold().but(|job| job.seconds = 3.0), JobScript::warm().but(|job| job.seconds = 2.9)]]
}

fn profiles() -> impl Strategy<Value = Profile> {
    prop_oneof![Just(Profile::Checklist), Just(Profile::Auto)]
}

/// Folds jobs again without some of their lines.
fn without(profile: Profile, jobs: &[JobScript], lost: impl Fn(&Quote) -> bool) -> Case {
    let fold = |(at, job): (usize, &JobScript)| {
        let kept: Vec<Event> = job.events(at + 1).into_iter().filter(|event| !lost(&event.quote)).collect();
        Evidence::fold(format!("run {}", at + 1), &kept)
    };
    Case { runs: jobs.iter().enumerate().map(fold).collect(), ..case(profile, &[]) }
}

fn status(report: &Report, id: CheckId) -> CheckStatus {
    report.checks.iter().find(|check| check.id == id).map_or(CheckStatus::Unobserved, |check| check.status)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn losing_lines_never_makes_a_failing_case_effective(
        profile in profiles(),
        which in 0..failing().len(),
        per_mille in 0u64..900,
        seed in any::<u64>(),
    ) {
        let jobs = &failing()[which];
        prop_assert_eq!(verify(&case(profile, jobs)).verdict, Verdict::Ineffective);
        let lost = |quote: &Quote| {
            let mut hasher = DefaultHasher::new();
            (seed, &*quote.source, quote.line).hash(&mut hasher);
            hasher.finish() % 1000 < per_mille
        };
        let report = verify(&without(profile, jobs, lost));
        prop_assert_ne!(report.verdict, Verdict::Effective);
    }

    #[test]
    fn no_mixture_of_losses_makes_the_verifier_stumble(
        profile in profiles(),
        which in 0..failing().len(),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        let jobs = &failing()[which];
        let all: Vec<Event> = jobs.iter().enumerate().flat_map(|(at, job)| job.events(at + 1)).collect();
        let shuffled: Vec<Event> = order.iter().map(|index| index.get(&all).clone()).collect();
        let runs = shuffled.chunks(20).map(|events| Evidence::fold("run", events)).collect();
        let report = verify(&Case { runs, ..case(profile, &[]) });
        prop_assert_eq!(report.checks.len(), 5);
        prop_assert!(report.findings.iter().all(|finding| !finding.title.is_empty() && !finding.fix.is_empty()));
    }
}

#[test]
fn losing_a_line_that_a_pass_rests_on_makes_it_unobserved() {
    for profile in [Profile::Checklist, Profile::Auto] {
        for jobs in [
            vec![JobScript::cold(), JobScript::warm()],
            vec![JobScript::cold(), JobScript::warm(), JobScript::warm()],
            vec![JobScript::warm()],
        ] {
            let whole = verify(&case(profile, &jobs));
            assert_eq!(whole.verdict, Verdict::Effective);
            for check in whole.checks.iter().filter(|check| check.status == CheckStatus::Pass) {
                for quote in &check.evidence {
                    let report = verify(&without(profile, &jobs, |line| line == quote));
                    assert_eq!(
                        status(&report, check.id),
                        CheckStatus::Unobserved,
                        "{profile:?} {:?} without {quote:?}",
                        check.id
                    );
                }
            }
        }
    }
}

#[test]
fn losing_any_one_line_never_makes_a_failing_case_effective() {
    for profile in [Profile::Checklist, Profile::Auto] {
        for jobs in failing().into_iter().chain(failing_by_comparison()) {
            let lines: Vec<Quote> =
                jobs.iter().enumerate().flat_map(|(at, job)| job.events(at + 1)).map(|event| event.quote).collect();
            for quote in &lines {
                let report = verify(&without(profile, &jobs, |line| line == quote));
                assert_ne!(report.verdict, Verdict::Effective, "{profile:?} without {quote:?}");
            }
        }
    }
}
