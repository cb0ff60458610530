//! Every fault of the catalogue as hand-built evidence, and the one verdict and code set each must give.

use super::testing::{JobScript, KEY, MB, case, mount, primary_hit, record, saved, with_id};
use super::{CheckStatus, Code, Profile, Report, Severity, Verdict, verify};
use crate::evidence::{Creator, Evidence, Lookup, MissCause, MountSpec, NotSaved, SaveOutcome};

use Verdict::{Effective, Inconclusive, Ineffective};

/// A scenario: its name, its runs, and what must be concluded.
struct Expectation(&'static str, Vec<JobScript>, Verdict, &'static [Code]);

/// Applies a fault to every run.
fn always(jobs: [JobScript; 2], fault: impl Fn(&mut JobScript)) -> Vec<JobScript> {
    jobs.into_iter().map(|job| job.but(&fault)).collect()
}

/// A first run that saves nothing real, and a second that hits that.
fn nothing_carried(fault: impl Fn(&mut JobScript)) -> Vec<JobScript> {
    always([JobScript::cold_saving_nothing(), JobScript::hit_empty()], fault)
}

/// Two runs, each of which misses and finds no directory to save.
fn nothing_saved(fault: impl Fn(&mut JobScript)) -> Vec<JobScript> {
    always([JobScript::cold_path_missing(), JobScript::cold_path_missing()], fault)
}

fn owned(target: &str) -> MountSpec {
    MountSpec { owner: "uid=1000,gid=1000".into(), ..mount(target) }
}

fn ids(job: &mut JobScript) {
    job.mounts = vec![with_id("/go/pkg/mod", "go-mod"), with_id("/root/.cache/go-build", "go-build")];
}

fn rows() -> Vec<Expectation> {
    let later_key = "go-v1-77e0d1b";
    vec![
        // What is well.
        Expectation("healthy", vec![JobScript::cold(), JobScript::warm()], Effective, &[]),
        Expectation(
            "healthy-three-runs",
            vec![JobScript::cold(), JobScript::warm(), JobScript::warm()],
            Effective,
            &[],
        ),
        Expectation("first-run", vec![JobScript::cold()], Inconclusive, &[]),
        Expectation("single-later-run", vec![JobScript::warm()], Effective, &[]),
        Expectation(
            "home-directory-spelt-two-ways",
            always([JobScript::cold(), JobScript::warm()], |job| {
                job.paths = vec!["~/.cache/docker-go".into()];
                job.entries[0].0 = "/home/runner/.cache/docker-go/mod".into();
                job.entries[1].0 = "/home/runner/.cache/docker-go/build".into();
            }),
            Effective,
            &[],
        ),
        // A builder that outlives the run makes everything look carried.
        Expectation(
            "warm-runner",
            vec![
                JobScript::cold().but(|job| (job.before, job.seconds) = ([131 * MB, 114 * MB], 36.0)),
                JobScript::warm(),
            ],
            Inconclusive,
            &[],
        ),
        // A step before the build may fill one of them, as a generator does.
        Expectation(
            "one-mount-filled-before",
            vec![
                JobScript::cold().but(|job| (job.before[0], job.seconds) = (30 * MB, 60.0)),
                JobScript::warm().but(|job| job.seconds = 12.0),
            ],
            Effective,
            &[],
        ),
        Expectation(
            "dance-missing-and-nothing-printed",
            always([JobScript::cold_path_missing(), JobScript::hit_empty()], |job| {
                job.dance = None;
                job.prints_sizes = false;
            }),
            Ineffective,
            &[Code::DanceMissing, Code::CacheEmpty, Code::CacheLocked],
        ),
        // `go mod download` names no module that it downloads.
        Expectation(
            "modules-downloaded-without-a-word",
            always([JobScript::cold(), JobScript::warm()], |job| {
                job.entries.remove(0);
                job.before[0] = 4096;
                job.downloads = 0;
                job.records =
                    ["/go/pkg/mod", "/root/.cache/go-build"].map(|target| record(target, Creator::Build)).into();
                job.records[1].creator = Creator::Inject;
            }),
            Ineffective,
            &[Code::ModulesNotRestored],
        ),
        Expectation(
            "restore-keys-rescue",
            vec![
                JobScript::cold(),
                JobScript::warm().but(|job| {
                    job.key = later_key.into();
                    job.restore_keys = vec!["go-v1-".into()];
                    job.lookup = Lookup::Partial { key: KEY.into() };
                    job.save = saved(later_key);
                    job.saved = Some(119 * MB);
                }),
            ],
            Effective,
            &[],
        ),
        Expectation(
            "bumped-cache-version",
            vec![
                JobScript::hit_empty(),
                JobScript::cold().but(|job| {
                    job.key = "go-v2-5f2a9c1".into();
                    job.save = saved("go-v2-5f2a9c1");
                }),
                JobScript::warm().but(|job| {
                    job.key = "go-v2-5f2a9c1".into();
                    job.lookup = Lookup::Exact { key: "go-v2-5f2a9c1".into() };
                    job.save = primary_hit("go-v2-5f2a9c1");
                }),
            ],
            Effective,
            &[],
        ),
        Expectation(
            "healthy-and-pushed-from-the-layer-cache",
            vec![
                JobScript::cold(),
                JobScript::warm().but(|job| {
                    job.then_builds = Some(Box::new(JobScript::warm().but(|job| job.layer_cached = true)));
                }),
            ],
            Effective,
            &[],
        ),
        Expectation(
            "two-builds-one-cold",
            vec![JobScript::cold(), JobScript::warm().but(|job| job.then_builds = Some(Box::new(JobScript::cold())))],
            Ineffective,
            &[Code::MountsEmptyBeforeBuild],
        ),
        // A: actions/cache.
        Expectation(
            "cache-empty",
            vec![JobScript::cold_saving_nothing().but(|job| job.after = [8192, 8192])],
            Ineffective,
            &[Code::CacheEmpty],
        ),
        Expectation("cache-locked", vec![JobScript::hit_empty()], Ineffective, &[Code::CacheEmpty, Code::CacheLocked]),
        Expectation(
            "cache-too-small",
            vec![JobScript::warm().but(|job| {
                job.restored = Some(9 * MB);
                job.before = [20 * MB, 11 * MB];
                job.seconds = 15.0;
            })],
            Ineffective,
            &[Code::CacheTooSmall],
        ),
        Expectation(
            "cache-too-small-from-a-run-that-builds-less",
            vec![
                JobScript::cold().but(|job| {
                    job.after = [8192, 16 * MB];
                    job.saved = Some(3 * MB);
                    job.downloads = 0;
                }),
                JobScript::cold().but(|job| {
                    job.lookup = Lookup::Exact { key: KEY.into() };
                    job.restored = Some(3 * MB);
                    job.before = [8192, 16 * MB];
                    job.save = primary_hit(KEY);
                }),
            ],
            Ineffective,
            &[Code::CacheTooSmall],
        ),
        Expectation(
            "cache-empty-though-a-few-files-came-out",
            vec![JobScript::cold_saving_nothing().but(|job| job.moved = Some((2, 900)))],
            Ineffective,
            &[Code::CacheEmpty],
        ),
        Expectation(
            "cache-locked-by-ids-that-are-right-by-now",
            vec![JobScript::cold_saving_nothing().but(ids), JobScript::hit_empty()],
            Ineffective,
            &[Code::CacheEmpty, Code::CacheLocked],
        ),
        Expectation(
            "cache-key-unique",
            vec![
                JobScript::cold(),
                JobScript::cold().but(|job| {
                    job.key = later_key.into();
                    job.save = saved(later_key);
                }),
            ],
            Ineffective,
            &[Code::CacheKeyUnique],
        ),
        Expectation(
            "cache-key-stale",
            vec![
                JobScript::cold(),
                JobScript::warm(),
                JobScript::warm().but(|job| {
                    job.downloads = 12;
                    job.seconds = 11.0;
                }),
            ],
            Ineffective,
            &[Code::CacheKeyStale],
        ),
        Expectation(
            "cache-key-stale-a-little",
            vec![JobScript::cold(), JobScript::warm(), JobScript::warm().but(|job| job.downloads = 2)],
            Effective,
            &[Code::CacheKeyStale],
        ),
        Expectation(
            "cache-path-missing",
            nothing_saved(|job| {
                job.paths = vec!["cache/go".into()];
                let map = "{\"go-mod\": \"/go/pkg/mod\", \"go-build\": \"/root/.cache/go-build\"}";
                job.dance.iter_mut().for_each(|dance| dance.cache_map = Some(map.into()));
            }),
            Ineffective,
            &[Code::CachePathMissing],
        ),
        Expectation(
            "cache-out-of-scope",
            vec![
                JobScript::cold(),
                JobScript::cold().but(|job| {
                    job.cause = Some(MissCause::OutOfScope { key: KEY.into(), scope: "refs/pull/7/merge".into() });
                }),
            ],
            Ineffective,
            &[Code::CacheOutOfScope],
        ),
        Expectation(
            "cache-out-of-scope-in-a-log",
            vec![JobScript::cold(), JobScript::cold()],
            Ineffective,
            &[Code::CacheMiss],
        ),
        Expectation(
            "cache-evicted",
            vec![
                JobScript::cold(),
                JobScript::cold().but(|job| job.cause = Some(MissCause::Evicted { key: KEY.into() })),
            ],
            Ineffective,
            &[Code::CacheEvicted],
        ),
        Expectation(
            "cache-version-changed",
            vec![
                JobScript::cold(),
                JobScript::cold().but(|job| {
                    job.cause = Some(MissCause::OtherVersion { key: KEY.into() });
                    job.paths = vec!["./.go-cache".into()];
                }),
            ],
            Ineffective,
            &[Code::CacheVersionChanged],
        ),
        Expectation(
            "cache-version-changed-in-a-log",
            vec![JobScript::cold(), JobScript::cold().but(|job| job.paths = vec!["./.go-cache".into()])],
            Ineffective,
            &[Code::CacheVersionChanged],
        ),
        Expectation(
            "cache-not-saved",
            always([JobScript::cold(), JobScript::cold()], |job| {
                job.save = SaveOutcome::NotSaved(NotSaved::ReadOnly { reason: "token has no writable scopes".into() });
            }),
            Ineffective,
            &[Code::CacheNotSaved],
        ),
        Expectation(
            "cache-restore-failed",
            vec![
                JobScript::cold(),
                JobScript::cold().but(|job| {
                    job.restore_failed = Some("tar failed with exit code 2".into());
                    job.save = SaveOutcome::NotSaved(NotSaved::AlreadyExists { key: KEY.into() });
                }),
            ],
            Ineffective,
            &[Code::CacheRestoreFailed],
        ),
        // B: the dance.
        Expectation(
            "cache-after-dance",
            [JobScript::cold_saving_nothing(), JobScript::hit_empty(), JobScript::hit_empty()]
                .map(|job| job.but(|job| job.dance_first = true))
                .into(),
            Ineffective,
            &[Code::CacheAfterDance, Code::CacheEmpty, Code::CacheLocked],
        ),
        Expectation(
            "cache-after-dance-own-paths",
            nothing_saved(|job| job.dance_first = true),
            Ineffective,
            &[Code::CacheAfterDance],
        ),
        Expectation(
            "save-before-extract",
            vec![
                JobScript::cold_path_missing().but(|job| job.split = true),
                JobScript::cold_path_missing().but(|job| job.split = true),
            ],
            Ineffective,
            &[Code::SaveBeforeExtract],
        ),
        Expectation(
            "save-before-extract-of-an-empty-directory",
            nothing_carried(|job| job.split = true),
            Ineffective,
            &[Code::SaveBeforeExtract, Code::CacheEmpty, Code::CacheLocked],
        ),
        Expectation("dance-missing", nothing_saved(|job| job.dance = None), Ineffective, &[Code::DanceMissing]),
        Expectation(
            "cache-map-id-mismatch",
            nothing_carried(ids),
            Ineffective,
            &[Code::CacheMapIdMismatch, Code::CacheEmpty, Code::CacheLocked],
        ),
        Expectation(
            "cache-map-id-mismatch-of-one",
            always([JobScript::cold(), JobScript::warm().but(|job| job.before = [8192, 114 * MB])], |job| {
                job.mounts[0] = with_id("/go/pkg/mod", "go-mod");
            }),
            Ineffective,
            &[Code::CacheMapIdMismatch],
        ),
        Expectation(
            "cache-map-id-mismatch-with-records",
            always([JobScript::cold_saving_nothing(), JobScript::hit_empty()], |job| {
                job.mounts[0] = with_id("/go/pkg/mod", "go-mod");
                job.entries.truncate(1);
                job.mounts.truncate(1);
                job.records = vec![record("/go/pkg/mod", Creator::Inject), record("/go/pkg/mod", Creator::Build)];
            }),
            Ineffective,
            &[Code::CacheMapIdMismatch, Code::CacheEmpty, Code::CacheLocked],
        ),
        Expectation(
            "autodiscovery-trailing-slash",
            nothing_carried(|job| {
                job.mounts = vec![mount("/go/pkg/mod/")];
                job.entries = vec![("/go/pkg/mod/".into(), with_id("/var/cache-target", "/go/pkg/mod/"))];
                job.paths = vec!["/go/pkg/mod".into()];
            }),
            Ineffective,
            &[Code::CacheMapIdMismatch, Code::CacheEmpty, Code::CacheLocked],
        ),
        Expectation(
            "autodiscovery-build-arg-id",
            nothing_carried(|job| {
                job.mounts = vec![with_id("/go/pkg/mod", "mod-${GO}")];
                job.entries = vec![("mod-${GO}".into(), with_id("/var/cache-target", "mod-${GO}"))];
                job.paths = vec!["mod-*".into()];
            }),
            Ineffective,
            &[Code::CacheMapIdMismatch, Code::CacheEmpty, Code::CacheLocked],
        ),
        Expectation(
            "cache-map-target-mismatch",
            nothing_carried(|job| {
                job.mounts.truncate(1);
                job.entries = vec![(".go-cache/go-mod".into(), mount("/go/pkg"))];
            }),
            Ineffective,
            &[Code::CacheMapTargetMismatch, Code::CacheEmpty, Code::CacheLocked],
        ),
        Expectation(
            "cache-map-owner-mismatch",
            nothing_carried(|job| {
                job.mounts = vec![owned("/go/pkg/mod")];
                job.entries.truncate(1);
            }),
            Ineffective,
            &[Code::CacheMapOwnerMismatch, Code::CacheEmpty, Code::CacheLocked],
        ),
        Expectation(
            "cache-map-collision",
            always([JobScript::cold(), JobScript::warm().but(|job| job.before = [8192, 114 * MB])], |job| {
                job.entries[1].0 = ".go-cache".into();
            }),
            Ineffective,
            &[Code::CacheMapCollision],
        ),
        Expectation(
            "cache-dir-mismatch",
            nothing_saved(|job| {
                job.dance.as_mut().unwrap().cache_dir = Some(".go-cache".into());
                job.entries[0].0 = "go-mod".into();
                job.entries[1].0 = "go-build".into();
            }),
            Ineffective,
            &[Code::CacheDirMismatch],
        ),
        Expectation(
            "cache-dir-mismatch-beside-an-empty-directory",
            nothing_carried(|job| {
                job.entries[0].0 = "go-mod".into();
                job.entries[1].0 = "go-build".into();
            }),
            Ineffective,
            &[Code::CacheDirMismatch, Code::CacheEmpty, Code::CacheLocked],
        ),
        Expectation(
            "cache-dir-mismatch-of-a-dance-without-a-map",
            nothing_saved(|job| {
                job.entries = vec![("go-mod".into(), with_id("/var/cache-target", "go-mod"))];
                ids(job);
            }),
            Ineffective,
            &[Code::CacheDirMismatch],
        ),
        Expectation(
            "cache-map-collision-by-base-name",
            always([JobScript::cold(), JobScript::warm().but(|job| job.before = [8192, 114 * MB])], |job| {
                let dance = job.dance.as_mut().unwrap();
                dance.uses = "hiromaily/buildkit-cache-dance@v4.3.0".into();
                dance.cache_dir = Some(".go-cache".into());
                dance.cache_map = Some(r#"{"mod/go": "/go/pkg/mod", "build/go": "/root/.cache/go-build"}"#.into());
                job.entries = vec![(".go-cache/go".into(), mount("/root/.cache/go-build"))];
            }),
            Ineffective,
            &[Code::CacheMapCollision],
        ),
        Expectation(
            "non-root-build-user",
            always([JobScript::cold(), JobScript::warm()], |job| {
                job.unprinted = vec![1];
                job.seconds = 17.0;
            }),
            Ineffective,
            &[Code::BuildNotFaster],
        ),
        Expectation(
            "builder-mismatch",
            nothing_carried(|job| {
                job.dance.as_mut().unwrap().builder = Some("default".into());
                job.builder = Some("builder-5f3a".into());
                job.records = vec![
                    record("/go/pkg/mod", Creator::Inject),
                    crate::evidence::MountRecord {
                        builder: "builder-5f3a".into(),
                        ..record("/go/pkg/mod", Creator::Build)
                    },
                ];
            }),
            Ineffective,
            &[Code::BuilderMismatch, Code::CacheEmpty, Code::CacheLocked],
        ),
        Expectation(
            "extract-skipped",
            nothing_saved(|job| job.extract_skipped = true),
            Ineffective,
            &[Code::ExtractSkipped],
        ),
        Expectation(
            "extract-never-skipped",
            always([JobScript::cold(), JobScript::warm()], |job| {
                job.dance.as_mut().unwrap().skip_extraction = Some("true && true".into());
            }),
            Effective,
            &[Code::ExtractSkipped],
        ),
        Expectation(
            "extract-skipped-on-a-hit",
            vec![
                JobScript::cold(),
                JobScript::warm().but(|job| {
                    job.dance.as_mut().unwrap().skip_extraction = Some("true".into());
                    job.extract_skipped = true;
                }),
            ],
            Effective,
            &[],
        ),
        Expectation(
            "inject-failed",
            vec![
                JobScript::cold(),
                JobScript::warm().but(|job| {
                    job.inject_failed = Some("cp: Read-only file system".into());
                    job.before = [8192, 8192];
                    job.seconds = 17.0;
                    job.downloads = 41;
                }),
            ],
            Ineffective,
            &[Code::InjectFailed],
        ),
        Expectation(
            "inject-empty",
            vec![
                JobScript::cold().but(|job| job.moved = Some((800, 100 * MB))),
                JobScript::warm().but(|job| {
                    job.moved = Some((0, 0));
                    job.before = [8192, 8192];
                    job.seconds = 17.0;
                    job.downloads = 41;
                }),
            ],
            Ineffective,
            &[Code::InjectEmpty],
        ),
        Expectation(
            "extract-failed",
            nothing_saved(|job| job.extract_failed = Some("EXDEV".into())),
            Ineffective,
            &[Code::ExtractFailed],
        ),
        Expectation(
            "extract-empty",
            nothing_carried(|job| job.moved = Some((0, 0))),
            Ineffective,
            &[Code::ExtractEmpty, Code::CacheEmpty, Code::CacheLocked],
        ),
        Expectation(
            "extract-empty-in-a-log",
            nothing_carried(|_| {}),
            Ineffective,
            &[Code::ExtractEmpty, Code::CacheEmpty, Code::CacheLocked],
        ),
        Expectation(
            "dance-crashed",
            always([JobScript::cold(), JobScript::cold()], |job| {
                job.crashed = Some("Failed to parse cache map. Expected JSON, got: {".into())
            }),
            Ineffective,
            &[Code::DanceCrashed],
        ),
        Expectation(
            "dance-hung",
            always([JobScript::cold(), JobScript::cold()], |job| job.hung = true),
            Ineffective,
            &[Code::DanceHung],
        ),
        Expectation(
            "job-failed-before-post",
            vec![JobScript::cold().but(|job| job.fails = true), JobScript::cold()],
            Ineffective,
            &[Code::JobFailedBeforePost],
        ),
        Expectation(
            "job-failed-before-post-once",
            vec![JobScript::cold().but(|job| job.fails = true)],
            Inconclusive,
            &[Code::JobFailedBeforePost],
        ),
        // C: the build.
        Expectation(
            "no-cache-build",
            nothing_carried(|job| job.build.no_cache = true),
            Ineffective,
            &[Code::NoCacheBuild, Code::CacheEmpty, Code::CacheLocked],
        ),
        Expectation(
            "build-step-cached",
            vec![JobScript::cold(), JobScript::warm().but(|job| job.layer_cached = true)],
            Inconclusive,
            &[Code::BuildStepCached],
        ),
        Expectation(
            "modules-not-restored",
            always([JobScript::cold(), JobScript::warm()], |job| {
                job.entries.remove(0);
                if job.restored.is_some() {
                    job.restored = Some(28 * MB);
                    job.before[0] = 8192;
                    job.downloads = 41;
                    job.seconds = 12.0;
                }
                job.saved = Some(28 * MB);
            }),
            Ineffective,
            &[Code::ModulesNotRestored],
        ),
        Expectation(
            "build-cache-not-restored",
            always([JobScript::cold(), JobScript::warm()], |job| {
                job.entries.truncate(1);
                if job.restored.is_some() {
                    job.before[1] = 8192;
                    job.seconds = 16.0;
                }
            }),
            Ineffective,
            &[Code::BuildCacheNotRestored],
        ),
        Expectation(
            "go-version-changed",
            vec![JobScript::cold(), JobScript::warm().but(|job| job.seconds = 16.0)],
            Ineffective,
            &[Code::BuildNotFaster],
        ),
        Expectation(
            "gocache-elsewhere",
            always([JobScript::cold(), JobScript::warm()], |job| {
                job.after[1] = 4096;
                job.before[1] = 4096;
                job.seconds = 15.0;
            }),
            Ineffective,
            &[Code::BuildNotFaster],
        ),
        Expectation(
            "mod-download-layer-cached",
            vec![
                JobScript::cold(),
                JobScript::warm().but(|job| {
                    job.before[0] = 8192;
                    job.downloads = 41;
                }),
            ],
            Ineffective,
            &[Code::ModulesNotRestored],
        ),
        Expectation(
            "not-instrumented",
            vec![JobScript::cold(), JobScript::warm().but(|job| job.prints_sizes = false)],
            Inconclusive,
            &[Code::NotInstrumented],
        ),
        Expectation(
            "net-loss",
            vec![JobScript::cold(), JobScript::warm().but(|job| job.timing = [12.0, 9.0, 11.0, 0.1])],
            Effective,
            &[Code::NetLoss],
        ),
        Expectation(
            "mounts-empty-before-build",
            vec![
                JobScript::cold(),
                JobScript::warm().but(|job| {
                    job.before = [8192, 8192];
                    job.seconds = 17.0;
                    job.downloads = 41;
                }),
            ],
            Ineffective,
            &[Code::MountsEmptyBeforeBuild],
        ),
    ]
}

fn codes(report: &Report) -> Vec<Code> {
    report.findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn each_fault_gives_its_own_verdict_and_codes_in_both_profiles() {
    let mut wrong = Vec::new();
    for Expectation(name, jobs, verdict, expected) in rows() {
        for profile in [Profile::Checklist, Profile::Auto] {
            let report = verify(&case(profile, &jobs));
            if report.verdict != verdict || codes(&report) != expected {
                wrong.push(format!("{name} ({}): {:?} {:?}\n", profile.as_str(), report.verdict, codes(&report)));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.concat());
}

#[test]
fn an_error_never_stands_beside_a_pass_and_a_failure_always_has_a_name() {
    for Expectation(name, jobs, ..) in rows() {
        let report = verify(&case(Profile::Checklist, &jobs));
        let errors = report.findings.iter().any(|finding| finding.severity == Severity::Error);
        assert_eq!(errors, report.verdict == Ineffective, "{name}");
        for finding in &report.findings {
            assert!(!finding.evidence.is_empty() && !finding.fix.is_empty() && !finding.why.is_empty(), "{name}");
        }
    }
}

#[test]
fn nothing_at_all_is_inconclusive() {
    for runs in [Vec::new(), vec![Evidence::default()], vec![Evidence::default(); 3]] {
        let report = verify(&super::Case { runs, ..case(Profile::Auto, &[]) });
        assert_eq!(report.verdict, Inconclusive);
        assert!(
            report.checks.iter().all(|check| check.status == CheckStatus::Unobserved && !check.observed.is_empty())
        );
    }
}

#[test]
fn a_quick_build_that_was_quick_before_proves_nothing() {
    let jobs = [JobScript::cold().but(|job| job.seconds = 3.0), JobScript::warm().but(|job| job.seconds = 3.0)];
    let report = verify(&case(Profile::Checklist, &jobs));
    assert_eq!((report.verdict, codes(&report)), (Ineffective, vec![Code::BuildNotFaster]));
}

#[test]
fn a_small_project_is_judged_by_what_it_left() {
    let small = |job: JobScript| {
        job.but(|job| {
            job.restored = job.restored.map(|_| 4 * MB);
            job.saved = Some(4 * MB);
            job.after = [6 * MB, 5 * MB];
            if job.restored.is_some() {
                job.before = [6 * MB, 5 * MB];
            }
        })
    };
    let jobs = [small(JobScript::cold()), small(JobScript::warm())];
    assert_eq!(verify(&case(Profile::Auto, &jobs)).verdict, Effective);
    assert_eq!(verify(&case(Profile::Checklist, &jobs)).verdict, Ineffective);
}

#[test]
fn the_quick_mapping_holds() {
    let fix = |jobs: &[JobScript], code: Code| {
        let report = verify(&case(Profile::Checklist, jobs));
        let finding = report.findings.into_iter().find(|finding| finding.code == code);
        finding.unwrap_or_else(|| panic!("{code} is missing")).fix
    };
    assert!(fix(&[JobScript::hit_empty()], Code::CacheEmpty).contains("bump `cache_version`"));
    assert!(fix(&[JobScript::hit_empty()], Code::CacheLocked).contains("bump `cache_version`"));
    let cold_on_a_hit = JobScript::warm().but(|job| job.before = [8192, 8192]);
    assert!(fix(&[cold_on_a_hit], Code::MountsEmptyBeforeBuild).contains("cache map"));
    let in_the_root = JobScript::cold()
        .but(|job| job.entries.iter_mut().for_each(|entry| entry.0 = entry.0.replace(".go-cache/", "")));
    let absolute = "cache-dir: ${{ github.workspace }}/${{ env.CACHE_DIR }}";
    assert!(fix(&[in_the_root], Code::CacheDirMismatch).contains(absolute));
    let downloads = JobScript::warm().but(|job| job.downloads = 41);
    assert!(fix(&[downloads], Code::ModulesNotRestored).contains("Verify the inject of `/go/pkg/mod`"));
}

#[test]
fn the_engines_records_outweigh_what_the_texts_say() {
    let named_otherwise = |job: JobScript, records: &[Creator]| {
        job.but(|job| {
            job.mounts[0] = with_id("/go/pkg/mod", "go-mod");
            job.records = records.iter().map(|creator| record("/go/pkg/mod", *creator)).collect();
        })
    };
    let carried = [
        named_otherwise(JobScript::cold(), &[Creator::Inject]),
        named_otherwise(JobScript::warm(), &[Creator::Inject]),
    ];
    assert_eq!(codes(&verify(&case(Profile::Auto, &carried))), []);
    let same_words = |job: JobScript, target: &str| {
        job.but(|job| {
            (job.mounts[0], job.entries[0].1) = (mount(target), mount(target));
            job.records = [Creator::Inject, Creator::Build].map(|by| record(target, by)).into();
        })
    };
    let two_caches =
        |target| [same_words(JobScript::cold_saving_nothing(), target), same_words(JobScript::hit_empty(), target)];
    let hidden = two_caches("${GOPATH}/pkg/mod");
    let empty = |cause: Code| [cause, Code::CacheEmpty, Code::CacheLocked];
    assert_eq!(codes(&verify(&case(Profile::Auto, &hidden))), empty(Code::CacheMapIdMismatch));
    // The same cache in plain words: what made the engine give a second one is not known, and nothing is made up.
    assert_eq!(codes(&verify(&case(Profile::Auto, &two_caches("/go/pkg/mod")))), empty(Code::ExtractEmpty));
}
