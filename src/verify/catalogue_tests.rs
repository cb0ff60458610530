//! Every fault of the catalogue as hand-built evidence, and the one verdict and code set each must give.

use super::testing::{Job, KEY, MB, case, mount, primary_hit, record, saved, with_id};
use super::{Code, Profile, Report, Severity, Status, Verdict, verify};
use crate::evidence::{Creator, Evidence, Lookup, MissCause, MountSpec, NotSaved, SaveOutcome};

use Verdict::{Effective, Inconclusive, Ineffective};

/// A scenario: its name, its runs, and what must be concluded.
struct Row(&'static str, Vec<Job>, Verdict, &'static [Code]);

/// Applies a fault to every run.
fn always(jobs: [Job; 2], fault: impl Fn(&mut Job)) -> Vec<Job> {
    jobs.into_iter().map(|job| job.but(&fault)).collect()
}

/// A first run that saves nothing real, and a second that hits that.
fn nothing_carried(fault: impl Fn(&mut Job)) -> Vec<Job> {
    always([Job::cold_saving_nothing(), Job::hit_empty()], fault)
}

/// Two runs, each of which misses and finds no directory to save.
fn nothing_saved(fault: impl Fn(&mut Job)) -> Vec<Job> {
    always([Job::cold_path_missing(), Job::cold_path_missing()], fault)
}

fn owned(target: &str) -> MountSpec {
    MountSpec { owner: "uid=1000,gid=1000".into(), ..mount(target) }
}

fn ids(job: &mut Job) {
    job.mounts = vec![with_id("/go/pkg/mod", "go-mod"), with_id("/root/.cache/go-build", "go-build")];
}

fn rows() -> Vec<Row> {
    let later_key = "go-v1-77e0d1b";
    vec![
        // What is well.
        Row("healthy", vec![Job::cold(), Job::warm()], Effective, &[]),
        Row("healthy-three-runs", vec![Job::cold(), Job::warm(), Job::warm()], Effective, &[]),
        Row("first-run", vec![Job::cold()], Inconclusive, &[]),
        Row("single-later-run", vec![Job::warm()], Effective, &[]),
        Row(
            "home-directory-spelt-two-ways",
            always([Job::cold(), Job::warm()], |job| {
                job.paths = vec!["~/.cache/docker-go".into()];
                job.entries[0].0 = "/home/runner/.cache/docker-go/mod".into();
                job.entries[1].0 = "/home/runner/.cache/docker-go/build".into();
            }),
            Effective,
            &[],
        ),
        // A builder that outlives the run makes everything look carried.
        Row(
            "warm-runner",
            vec![Job::cold().but(|job| (job.before, job.seconds) = ([131 * MB, 114 * MB], 36.0)), Job::warm()],
            Inconclusive,
            &[],
        ),
        // A step before the build may fill one of them, as a generator does.
        Row(
            "one-mount-filled-before",
            vec![
                Job::cold().but(|job| (job.before[0], job.seconds) = (30 * MB, 60.0)),
                Job::warm().but(|job| job.seconds = 12.0),
            ],
            Effective,
            &[],
        ),
        Row(
            "dance-missing-and-nothing-printed",
            always([Job::cold_path_missing(), Job::hit_empty()], |job| {
                job.dance = None;
                job.prints_sizes = false;
            }),
            Ineffective,
            &[Code::DanceMissing],
        ),
        // `go mod download` names no module that it downloads.
        Row(
            "modules-downloaded-without-a-word",
            always([Job::cold(), Job::warm()], |job| {
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
        Row(
            "restore-keys-rescue",
            vec![
                Job::cold(),
                Job::warm().but(|job| {
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
        Row(
            "bumped-cache-version",
            vec![
                Job::hit_empty(),
                Job::cold().but(|job| {
                    job.key = "go-v2-5f2a9c1".into();
                    job.save = saved("go-v2-5f2a9c1");
                }),
                Job::warm().but(|job| {
                    job.key = "go-v2-5f2a9c1".into();
                    job.lookup = Lookup::Exact { key: "go-v2-5f2a9c1".into() };
                    job.save = primary_hit("go-v2-5f2a9c1");
                }),
            ],
            Effective,
            &[],
        ),
        Row(
            "healthy-and-pushed-from-the-layer-cache",
            vec![
                Job::cold(),
                Job::warm().but(|job| {
                    job.then_builds = Some(Box::new(Job::warm().but(|job| job.layer_cached = true)));
                }),
            ],
            Effective,
            &[],
        ),
        Row(
            "two-builds-one-cold",
            vec![Job::cold(), Job::warm().but(|job| job.then_builds = Some(Box::new(Job::cold())))],
            Ineffective,
            &[Code::MountsEmptyBeforeBuild],
        ),
        // A: actions/cache.
        Row(
            "cache-empty",
            vec![Job::cold_saving_nothing().but(|job| job.after = [8192, 8192])],
            Ineffective,
            &[Code::CacheEmpty],
        ),
        Row("cache-locked", vec![Job::hit_empty()], Ineffective, &[Code::CacheEmpty, Code::CacheLocked]),
        Row(
            "cache-too-small",
            vec![Job::warm().but(|job| {
                job.restored = Some(9 * MB);
                job.before = [20 * MB, 11 * MB];
                job.seconds = 15.0;
            })],
            Ineffective,
            &[Code::CacheTooSmall],
        ),
        Row(
            "cache-too-small-from-a-run-that-builds-less",
            vec![
                Job::cold().but(|job| {
                    job.after = [8192, 16 * MB];
                    job.saved = Some(3 * MB);
                    job.downloads = 0;
                }),
                Job::cold().but(|job| {
                    job.lookup = Lookup::Exact { key: KEY.into() };
                    job.restored = Some(3 * MB);
                    job.before = [8192, 16 * MB];
                    job.save = primary_hit(KEY);
                }),
            ],
            Ineffective,
            &[Code::CacheTooSmall],
        ),
        Row(
            "cache-empty-though-a-few-files-came-out",
            vec![Job::cold_saving_nothing().but(|job| job.moved = Some((2, 900)))],
            Ineffective,
            &[Code::CacheEmpty],
        ),
        Row(
            "cache-locked-by-ids-that-are-right-by-now",
            vec![Job::cold_saving_nothing().but(ids), Job::hit_empty()],
            Ineffective,
            &[Code::CacheEmpty, Code::CacheLocked],
        ),
        Row(
            "cache-key-unique",
            vec![
                Job::cold(),
                Job::cold().but(|job| {
                    job.key = later_key.into();
                    job.save = saved(later_key);
                }),
            ],
            Ineffective,
            &[Code::CacheKeyUnique],
        ),
        Row(
            "cache-key-stale",
            vec![
                Job::cold(),
                Job::warm(),
                Job::warm().but(|job| {
                    job.downloads = 12;
                    job.seconds = 11.0;
                }),
            ],
            Ineffective,
            &[Code::CacheKeyStale],
        ),
        Row(
            "cache-key-stale-a-little",
            vec![Job::cold(), Job::warm(), Job::warm().but(|job| job.downloads = 2)],
            Effective,
            &[Code::CacheKeyStale],
        ),
        Row(
            "cache-path-missing",
            nothing_saved(|job| {
                job.paths = vec!["cache/go".into()];
                let map = "{\"go-mod\": \"/go/pkg/mod\", \"go-build\": \"/root/.cache/go-build\"}";
                job.dance.iter_mut().for_each(|dance| dance.cache_map = Some(map.into()));
            }),
            Ineffective,
            &[Code::CachePathMissing],
        ),
        Row(
            "cache-out-of-scope",
            vec![
                Job::cold(),
                Job::cold().but(|job| {
                    job.cause = Some(MissCause::OutOfScope { key: KEY.into(), scope: "refs/pull/7/merge".into() });
                }),
            ],
            Ineffective,
            &[Code::CacheOutOfScope],
        ),
        Row("cache-out-of-scope-in-a-log", vec![Job::cold(), Job::cold()], Ineffective, &[Code::CacheMiss]),
        Row(
            "cache-evicted",
            vec![Job::cold(), Job::cold().but(|job| job.cause = Some(MissCause::Evicted { key: KEY.into() }))],
            Ineffective,
            &[Code::CacheEvicted],
        ),
        Row(
            "cache-version-changed",
            vec![
                Job::cold(),
                Job::cold().but(|job| {
                    job.cause = Some(MissCause::OtherVersion { key: KEY.into() });
                    job.paths = vec!["./.go-cache".into()];
                }),
            ],
            Ineffective,
            &[Code::CacheVersionChanged],
        ),
        Row(
            "cache-version-changed-in-a-log",
            vec![Job::cold(), Job::cold().but(|job| job.paths = vec!["./.go-cache".into()])],
            Ineffective,
            &[Code::CacheVersionChanged],
        ),
        Row(
            "cache-not-saved",
            always([Job::cold(), Job::cold()], |job| {
                job.save = SaveOutcome::NotSaved(NotSaved::ReadOnly { reason: "token has no writable scopes".into() });
            }),
            Ineffective,
            &[Code::CacheNotSaved],
        ),
        Row(
            "cache-restore-failed",
            vec![
                Job::cold(),
                Job::cold().but(|job| {
                    job.restore_failed = Some("tar failed with exit code 2".into());
                    job.save = SaveOutcome::NotSaved(NotSaved::AlreadyExists { key: KEY.into() });
                }),
            ],
            Ineffective,
            &[Code::CacheRestoreFailed],
        ),
        // B: the dance.
        Row(
            "cache-after-dance",
            [Job::cold_saving_nothing(), Job::hit_empty(), Job::hit_empty()]
                .map(|job| job.but(|job| job.dance_first = true))
                .into(),
            Ineffective,
            &[Code::CacheAfterDance, Code::CacheEmpty, Code::CacheLocked],
        ),
        Row(
            "cache-after-dance-own-paths",
            nothing_saved(|job| job.dance_first = true),
            Ineffective,
            &[Code::CacheAfterDance],
        ),
        Row(
            "save-before-extract",
            vec![
                Job::cold_path_missing().but(|job| job.split = true),
                Job::cold_path_missing().but(|job| job.split = true),
            ],
            Ineffective,
            &[Code::SaveBeforeExtract],
        ),
        Row(
            "save-before-extract-of-an-empty-directory",
            nothing_carried(|job| job.split = true),
            Ineffective,
            &[Code::SaveBeforeExtract],
        ),
        Row("dance-missing", nothing_saved(|job| job.dance = None), Ineffective, &[Code::DanceMissing]),
        Row("cache-map-id-mismatch", nothing_carried(ids), Ineffective, &[Code::CacheMapIdMismatch]),
        Row(
            "cache-map-id-mismatch-of-one",
            always([Job::cold(), Job::warm().but(|job| job.before = [8192, 114 * MB])], |job| {
                job.mounts[0] = with_id("/go/pkg/mod", "go-mod");
            }),
            Ineffective,
            &[Code::CacheMapIdMismatch],
        ),
        Row(
            "cache-map-id-mismatch-with-records",
            always([Job::cold_saving_nothing(), Job::hit_empty()], |job| {
                job.mounts[0] = with_id("/go/pkg/mod", "go-mod");
                job.entries.truncate(1);
                job.mounts.truncate(1);
                job.records = vec![record("/go/pkg/mod", Creator::Inject), record("/go/pkg/mod", Creator::Build)];
            }),
            Ineffective,
            &[Code::CacheMapIdMismatch],
        ),
        Row(
            "autodiscovery-trailing-slash",
            nothing_carried(|job| {
                job.mounts = vec![mount("/go/pkg/mod/")];
                job.entries = vec![("/go/pkg/mod/".into(), with_id("/var/cache-target", "/go/pkg/mod/"))];
                job.paths = vec!["/go/pkg/mod".into()];
            }),
            Ineffective,
            &[Code::CacheMapIdMismatch],
        ),
        Row(
            "autodiscovery-build-arg-id",
            nothing_carried(|job| {
                job.mounts = vec![with_id("/go/pkg/mod", "mod-${GO}")];
                job.entries = vec![("mod-${GO}".into(), with_id("/var/cache-target", "mod-${GO}"))];
                job.paths = vec!["mod-*".into()];
            }),
            Ineffective,
            &[Code::CacheMapIdMismatch],
        ),
        Row(
            "cache-map-target-mismatch",
            nothing_carried(|job| {
                job.mounts.truncate(1);
                job.entries = vec![(".go-cache/go-mod".into(), mount("/go/pkg"))];
            }),
            Ineffective,
            &[Code::CacheMapTargetMismatch],
        ),
        Row(
            "cache-map-owner-mismatch",
            nothing_carried(|job| {
                job.mounts = vec![owned("/go/pkg/mod")];
                job.entries.truncate(1);
            }),
            Ineffective,
            &[Code::CacheMapOwnerMismatch],
        ),
        Row(
            "cache-map-collision",
            always([Job::cold(), Job::warm().but(|job| job.before = [8192, 114 * MB])], |job| {
                job.entries[1].0 = ".go-cache".into();
            }),
            Ineffective,
            &[Code::CacheMapCollision],
        ),
        Row(
            "cache-dir-mismatch",
            nothing_saved(|job| {
                job.dance.as_mut().unwrap().cache_dir = Some(".go-cache".into());
                job.entries[0].0 = "go-mod".into();
                job.entries[1].0 = "go-build".into();
            }),
            Ineffective,
            &[Code::CacheDirMismatch],
        ),
        Row(
            "cache-dir-mismatch-beside-an-empty-directory",
            nothing_carried(|job| {
                job.entries[0].0 = "go-mod".into();
                job.entries[1].0 = "go-build".into();
            }),
            Ineffective,
            &[Code::CacheDirMismatch],
        ),
        Row(
            "cache-dir-mismatch-of-a-dance-without-a-map",
            nothing_saved(|job| {
                job.entries = vec![("go-mod".into(), with_id("/var/cache-target", "go-mod"))];
                ids(job);
            }),
            Ineffective,
            &[Code::CacheDirMismatch],
        ),
        Row(
            "cache-map-collision-by-base-name",
            always([Job::cold(), Job::warm().but(|job| job.before = [8192, 114 * MB])], |job| {
                let dance = job.dance.as_mut().unwrap();
                dance.uses = "hiromaily/buildkit-cache-dance@v4.3.0".into();
                dance.cache_dir = Some(".go-cache".into());
                dance.cache_map = Some(r#"{"mod/go": "/go/pkg/mod", "build/go": "/root/.cache/go-build"}"#.into());
                job.entries = vec![(".go-cache/go".into(), mount("/root/.cache/go-build"))];
            }),
            Ineffective,
            &[Code::CacheMapCollision],
        ),
        Row(
            "non-root-build-user",
            always([Job::cold(), Job::warm()], |job| {
                job.unprinted = vec![1];
                job.seconds = 17.0;
            }),
            Ineffective,
            &[Code::BuildNotFaster],
        ),
        Row(
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
            &[Code::BuilderMismatch],
        ),
        Row("extract-skipped", nothing_saved(|job| job.extract_skipped = true), Ineffective, &[Code::ExtractSkipped]),
        Row(
            "extract-never-skipped",
            always([Job::cold(), Job::warm()], |job| {
                job.dance.as_mut().unwrap().skip_extraction = Some("true && true".into());
            }),
            Effective,
            &[Code::ExtractSkipped],
        ),
        Row(
            "extract-skipped-on-a-hit",
            vec![
                Job::cold(),
                Job::warm().but(|job| {
                    job.dance.as_mut().unwrap().skip_extraction = Some("true".into());
                    job.extract_skipped = true;
                }),
            ],
            Effective,
            &[],
        ),
        Row(
            "inject-failed",
            vec![
                Job::cold(),
                Job::warm().but(|job| {
                    job.inject_failed = Some("cp: Read-only file system".into());
                    job.before = [8192, 8192];
                    job.seconds = 17.0;
                    job.downloads = 41;
                }),
            ],
            Ineffective,
            &[Code::InjectFailed],
        ),
        Row(
            "inject-empty",
            vec![
                Job::cold().but(|job| job.moved = Some((800, 100 * MB))),
                Job::warm().but(|job| {
                    job.moved = Some((0, 0));
                    job.before = [8192, 8192];
                    job.seconds = 17.0;
                    job.downloads = 41;
                }),
            ],
            Ineffective,
            &[Code::InjectEmpty],
        ),
        Row(
            "extract-failed",
            nothing_saved(|job| job.extract_failed = Some("EXDEV".into())),
            Ineffective,
            &[Code::ExtractFailed],
        ),
        Row("extract-empty", nothing_carried(|job| job.moved = Some((0, 0))), Ineffective, &[Code::ExtractEmpty]),
        Row("extract-empty-in-a-log", nothing_carried(|_| {}), Ineffective, &[Code::ExtractEmpty]),
        Row(
            "dance-crashed",
            always([Job::cold(), Job::cold()], |job| {
                job.crashed = Some("Failed to parse cache map. Expected JSON, got: {".into())
            }),
            Ineffective,
            &[Code::DanceCrashed],
        ),
        Row("dance-hung", always([Job::cold(), Job::cold()], |job| job.hung = true), Ineffective, &[Code::DanceHung]),
        Row(
            "job-failed-before-post",
            vec![Job::cold().but(|job| job.fails = true), Job::cold()],
            Ineffective,
            &[Code::JobFailedBeforePost],
        ),
        Row(
            "job-failed-before-post-once",
            vec![Job::cold().but(|job| job.fails = true)],
            Inconclusive,
            &[Code::JobFailedBeforePost],
        ),
        // C: the build.
        Row("no-cache-build", nothing_carried(|job| job.build.no_cache = true), Ineffective, &[Code::NoCacheBuild]),
        Row(
            "build-step-cached",
            vec![Job::cold(), Job::warm().but(|job| job.layer_cached = true)],
            Inconclusive,
            &[Code::BuildStepCached],
        ),
        Row(
            "modules-not-restored",
            always([Job::cold(), Job::warm()], |job| {
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
        Row(
            "build-cache-not-restored",
            always([Job::cold(), Job::warm()], |job| {
                job.entries.truncate(1);
                if job.restored.is_some() {
                    job.before[1] = 8192;
                    job.seconds = 16.0;
                }
            }),
            Ineffective,
            &[Code::BuildCacheNotRestored],
        ),
        Row(
            "go-version-changed",
            vec![Job::cold(), Job::warm().but(|job| job.seconds = 16.0)],
            Ineffective,
            &[Code::BuildNotFaster],
        ),
        Row(
            "gocache-elsewhere",
            always([Job::cold(), Job::warm()], |job| {
                job.after[1] = 4096;
                job.before[1] = 4096;
                job.seconds = 15.0;
            }),
            Ineffective,
            &[Code::BuildNotFaster],
        ),
        Row(
            "mod-download-layer-cached",
            vec![
                Job::cold(),
                Job::warm().but(|job| {
                    job.before[0] = 8192;
                    job.downloads = 41;
                }),
            ],
            Ineffective,
            &[Code::ModulesNotRestored],
        ),
        Row(
            "not-instrumented",
            vec![Job::cold(), Job::warm().but(|job| job.prints_sizes = false)],
            Inconclusive,
            &[Code::NotInstrumented],
        ),
        Row(
            "net-loss",
            vec![Job::cold(), Job::warm().but(|job| job.timing = [12.0, 9.0, 11.0, 0.1])],
            Effective,
            &[Code::NetLoss],
        ),
        Row(
            "mounts-empty-before-build",
            vec![
                Job::cold(),
                Job::warm().but(|job| {
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
    for Row(name, jobs, verdict, expected) in rows() {
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
    for Row(name, jobs, ..) in rows() {
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
        assert!(report.checks.iter().all(|check| check.status == Status::Unobserved && !check.observed.is_empty()));
    }
}

#[test]
fn a_quick_build_that_was_quick_before_proves_nothing() {
    let jobs = [Job::cold().but(|job| job.seconds = 3.0), Job::warm().but(|job| job.seconds = 3.0)];
    let report = verify(&case(Profile::Checklist, &jobs));
    assert_eq!((report.verdict, codes(&report)), (Ineffective, vec![Code::BuildNotFaster]));
}

#[test]
fn a_small_project_is_judged_by_what_it_left() {
    let small = |job: Job| {
        job.but(|job| {
            job.restored = job.restored.map(|_| 4 * MB);
            job.saved = Some(4 * MB);
            job.after = [6 * MB, 5 * MB];
            if job.restored.is_some() {
                job.before = [6 * MB, 5 * MB];
            }
        })
    };
    let jobs = [small(Job::cold()), small(Job::warm())];
    assert_eq!(verify(&case(Profile::Auto, &jobs)).verdict, Effective);
    assert_eq!(verify(&case(Profile::Checklist, &jobs)).verdict, Ineffective);
}

#[test]
fn the_quick_mapping_holds() {
    let fix = |jobs: &[Job], code: Code| {
        let report = verify(&case(Profile::Checklist, jobs));
        let finding = report.findings.into_iter().find(|finding| finding.code == code);
        finding.unwrap_or_else(|| panic!("{code} is missing")).fix
    };
    assert!(fix(&[Job::hit_empty()], Code::CacheEmpty).contains("bump `cache_version`"));
    assert!(fix(&[Job::hit_empty()], Code::CacheLocked).contains("bump `cache_version`"));
    let cold_on_a_hit = Job::warm().but(|job| job.before = [8192, 8192]);
    assert!(fix(&[cold_on_a_hit], Code::MountsEmptyBeforeBuild).contains("cache map"));
    let in_the_root =
        Job::cold().but(|job| job.entries.iter_mut().for_each(|entry| entry.0 = entry.0.replace(".go-cache/", "")));
    let absolute = "cache-dir: ${{ github.workspace }}/${{ env.CACHE_DIR }}";
    assert!(fix(&[in_the_root], Code::CacheDirMismatch).contains(absolute));
    let downloads = Job::warm().but(|job| job.downloads = 41);
    assert!(fix(&[downloads], Code::ModulesNotRestored).contains("Verify the inject of `/go/pkg/mod`"));
}

#[test]
fn the_engines_records_outweigh_what_the_texts_say() {
    let named_otherwise = |job: Job, records: &[Creator]| {
        job.but(|job| {
            job.mounts[0] = with_id("/go/pkg/mod", "go-mod");
            job.records = records.iter().map(|creator| record("/go/pkg/mod", *creator)).collect();
        })
    };
    let carried = [named_otherwise(Job::cold(), &[Creator::Inject]), named_otherwise(Job::warm(), &[Creator::Inject])];
    assert_eq!(codes(&verify(&case(Profile::Auto, &carried))), []);
    let same_words = |job: Job, target: &str| {
        job.but(|job| {
            (job.mounts[0], job.entries[0].1) = (mount(target), mount(target));
            job.records = [Creator::Inject, Creator::Build].map(|by| record(target, by)).into();
        })
    };
    let two_caches = |target| [same_words(Job::cold_saving_nothing(), target), same_words(Job::hit_empty(), target)];
    let hidden = two_caches("${GOPATH}/pkg/mod");
    assert_eq!(codes(&verify(&case(Profile::Auto, &hidden))), [Code::CacheMapIdMismatch]);
    // The same cache in plain words: what made the engine give a second one is not known, and nothing is made up.
    assert_eq!(codes(&verify(&case(Profile::Auto, &two_caches("/go/pkg/mod")))), [Code::ExtractEmpty]);
}
