//! What reports look like, in full.

use super::{Document, TextOptions, github, json, markdown, text};
use crate::evidence::Quote;
use crate::verify::testing::{JobScript, case, with_id};
use crate::verify::{Obligation, ObligationId, ObligationState, Profile, Report, Thresholds, verify};

fn plain(report: &Report, subject: &str) -> String {
    text(
        report,
        &TextOptions {
            color: false,
            width: 80,
            subject,
            evidence: Some("/tmp/x"),
            repeat: Some("verify-buildkit-cache run"),
            explain: false,
            assumed: &[],
            cut: true,
        },
    )
}

fn effective() -> Report {
    verify(&case(Profile::Checklist, &[JobScript::cold(), JobScript::warm()]))
}

fn ineffective() -> Report {
    let fault = |job: JobScript| {
        job.but(|job| job.mounts = vec![with_id("/go/pkg/mod", "go-mod"), with_id("/root/.cache/go-build", "go-build")])
    };
    verify(&case(Profile::Checklist, &[fault(JobScript::cold_saving_nothing()), fault(JobScript::hit_empty())]))
}

fn inconclusive() -> Report {
    let mut report = verify(&case(Profile::Checklist, &[JobScript::cold().but(|job| job.prints_sizes = false)]));
    report.obligations = obligations();
    report
}

/// One that was shown and two that were not, for the same reason.
fn obligations() -> Vec<Obligation> {
    let missing = |mount: &str| Obligation {
        id: ObligationId::BeforeMeansBefore,
        mount: Some(mount.to_owned()),
        state: ObligationState::Missing,
        evidence: Vec::new(),
        reason: "the size before the build was not seen".to_owned(),
        would_show: "#9 0.3 114M /go/pkg/mod".to_owned(),
    };
    let shown = Obligation {
        id: ObligationId::CarryOn,
        mount: None,
        state: ObligationState::Shown,
        evidence: vec![Quote::measured("test", "saved")],
        reason: String::new(),
        would_show: String::new(),
    };
    vec![missing("/go/pkg/mod"), missing("/root/.cache/go-build"), shown]
}

#[test]
fn what_the_verdict_rests_on_is_shown_on_demand() {
    let mut report = effective();
    report.obligations = obligations();
    let options = TextOptions {
        color: false,
        width: 80,
        subject: "x",
        evidence: None,
        repeat: None,
        explain: true,
        assumed: &[],
        cut: true,
    };
    let page = text(&report, &options);
    let (_, explained) = page.split_once("\nobligations\n").unwrap();
    insta::assert_snapshot!(explained.split("\n\n").next().unwrap(), @r#"
      missing     before-means-before of /go/pkg/mod, /root/.cache/go-build
                      the size before the build was not seen
                      would show it: #9 0.3 114M /go/pkg/mod
      shown       carry-on
        test  saved
    "#);
    assert!(!text(&report, &TextOptions { explain: false, ..options }).contains("obligations"));
    for id in ObligationId::ALL {
        assert!(super::explain_obligation(id).contains("What shows it"));
    }
}

#[test]
fn what_is_missing_is_named_in_every_format() {
    let named = "before-means-before";
    let report = inconclusive();
    assert!(github(&report).lines().last().unwrap().contains(named));
    assert!(markdown(&report, "x").contains(named));
}

#[test]
fn an_effective_case_as_text() {
    insta::assert_snapshot!(plain(&effective(), "scenario healthy"), @r#"
    scenario healthy

    effective: the caches survive from one run to the next

      pass        A   restore    restored 118.0 MB (hit)
      pass        B   dance      injected each mount; run 1 extracted, then saved 1…
      pass        C1  mounts     /go/pkg/mod 131.0 MB, /root/.cache/go-build 114.0 …
      pass        C2  go build   2.1 s, 0.12 of run 1 (17.4 s)
      pass        C3  downloads  0 modules downloaded

      dance: buildkit-cache-dance, which carries mounts in and out
      inject: the copy into the cache mounts, before the build
      extract: the copy out of the cache mounts, after the build

    runs
                                          run 1        run 2
      restored                             miss          hit
                                                    118.0 MB
      /go/pkg/mod before                 8.0 KB     131.0 MB
      /go/pkg/mod after                131.0 MB     131.0 MB
      /root/.cache/go-build before       8.0 KB     114.0 MB
      /root/.cache/go-build after      114.0 MB     114.0 MB
      go build                           17.4 s        2.1 s
      modules downloaded                     41            0
      saved                            118.0 MB   no: exists
      time of restore                    0.40 s       0.40 s
      time of inject                     0.90 s       0.90 s
      time of extract                     1.2 s        1.2 s
      time of save                       0.80 s       0.80 s

    checks in full
      pass        A   actions/cache restored something real
                      restored 118.0 MB (hit)
                      needs at least 100.0 MB
      pass        B   cache-dance carried it
                      injected each mount; run 1 extracted, then saved 118.0 MB
                      needs data copied into the build's cache mounts before the
                      build, and copied out before actions/cache saves
      pass        C1  the cache mounts are large before the build
                      /go/pkg/mod 131.0 MB, /root/.cache/go-build 114.0 MB
                      needs at least 100.0 MB and at least 50.0 MB
      pass        C2  go build is dramatically faster
                      2.1 s, 0.12 of run 1 (17.4 s)
                      needs at most 0.50 of the cold run
      pass        C3  modules are not downloaded again
                      0 modules downloaded
                      needs at most 3

    effective: the caches survive from one run to the next
      evidence  /tmp/x
      repeat    verify-buildkit-cache run
    "#);
}

#[test]
fn an_ineffective_case_as_text() {
    insta::assert_snapshot!(plain(&ineffective(), "scenario cache-map-id-mismatch"), @r#"
    scenario cache-map-id-mismatch

    ineffective: the caches do not survive from one run to the next

    cause   /go/pkg/mod: the Dockerfile's cache has id `go-mod`, the cache map's has
            no id (likewise /root/.cache/go-build) [cache-map-id-mismatch]
            run-2/job.log:15  #9 [build 4/4] RUN --mount=type=cache,… go build ./...
    change  Let the cache map name the build's own caches:
              {
                ".go-cache/go-mod": {"target": "/go/pkg/mod", "id": "go-mod"},
                ".go-cache/go-build": {"target": "/root/.cache/go-build", "id": "go…
              }
            Then change the cache key, since an empty entry may be frozen under it.
    also    cache-empty, cache-locked (below)

      fail        A   restore    restored an empty archive: 198 B (GitHub's log say…
      fail        B   dance      /go/pkg/mod: the Dockerfile's cache has id `go-mod…
      fail        C1  mounts     /go/pkg/mod 8.0 KB, /root/.cache/go-build 8.0 KB
      fail        C2  go build   17.4 s, 1.00 of run 1 (17.4 s)
      fail        C3  downloads  41 modules downloaded

      dance: buildkit-cache-dance, which carries mounts in and out
      entry: one archive that actions/cache saved, under its key

    findings
      error[cache-map-id-mismatch]
      /go/pkg/mod: the Dockerfile's cache has id `go-mod`, the cache map's has no id
      (likewise /root/.cache/go-build)
        run-2/job.log:15  #9 [build 4/4] RUN --mount=type=cache,… go build ./...
        run-2/job.log:9  RUN --mount=type=cache,target=/go/pkg/mod …
        run-2/job.log:10  RUN --mount=type=cache,target=/root/.cache/go-build …
        why  BuildKit tells cache mounts apart by id, so inject fills a cache that
             the build never mounts and extract reads an empty one.
        fix  Let the cache map name the build's own caches:
               {
                 ".go-cache/go-mod": {"target": "/go/pkg/mod", "id": "go-mod"},
                 ".go-cache/go-build": {"target": "/root/.cache/go-build", "id": "go-build"}
               }
             Then change the cache key, since an empty entry may be frozen under it.

      error[cache-empty]
      actions/cache restored an empty archive from `go-v1-5f2a9c1`: 198 bytes
      (GitHub's log says "~0 MB")
        run-2/job.log:4  Cache Size: ~0 MB (198 B)
        run-2/job.log:5  Cache restored from key: go-v1-5f2a9c1
        why  A hit on an empty archive looks green and restores nothing.
        fix  First fix the cause. Then use a new cache key (bump `cache_version` in
             it), or delete the cache: `gh cache delete go-v1-5f2a9c1`. GitHub never
             overwrites a cache that has the same key.

      error[cache-locked]
      the empty entry is frozen under `go-v1-5f2a9c1`: a run that hits it saves
      nothing
        run-2/job.log:70
          Cache hit occurred on the primary key go-v1-5f2a9c1, not saving cache.
        why  No later run can repair the cache, however right the workflow has
             become.
        fix  First fix the cause. Then use a new cache key (bump `cache_version` in
             it), or delete the cache: `gh cache delete go-v1-5f2a9c1`. GitHub never
             overwrites a cache that has the same key.

    runs
                                          run 1        run 2
      restored                             miss          hit
                                                       198 B
      /go/pkg/mod before                 8.0 KB       8.0 KB
      /go/pkg/mod after                131.0 MB     131.0 MB
      /root/.cache/go-build before       8.0 KB       8.0 KB
      /root/.cache/go-build after      114.0 MB     114.0 MB
      go build                           17.4 s       17.4 s
      modules downloaded                     41           41
      saved                               198 B   no: exists
      time of restore                    0.40 s       0.40 s
      time of inject                     0.90 s       0.90 s
      time of extract                     1.2 s        1.2 s
      time of save                       0.80 s       0.80 s

    checks in full
      fail        A   actions/cache restored something real
                      restored an empty archive: 198 B (GitHub's log says "~0 MB")
                      needs at least 100.0 MB
      fail        B   cache-dance carried it
                      /go/pkg/mod: the Dockerfile's cache has id `go-mod`, the cache
                      map's has no id (likewise /root/.cache/go-build)
                      needs data copied into the build's cache mounts before the
                      build, and copied out before actions/cache saves
      fail        C1  the cache mounts are large before the build
                      /go/pkg/mod 8.0 KB, /root/.cache/go-build 8.0 KB
                      needs at least 100.0 MB and at least 50.0 MB
      fail        C2  go build is dramatically faster
                      17.4 s, 1.00 of run 1 (17.4 s)
                      needs at most 0.50 of the cold run
      fail        C3  modules are not downloaded again
                      41 modules downloaded
                      needs at most 3

    ineffective: the caches do not survive from one run to the next
      evidence  /tmp/x
      repeat    verify-buildkit-cache run
    "#);
}

#[test]
fn an_inconclusive_case_as_text() {
    insta::assert_snapshot!(plain(&inconclusive(), "ci.log"), @r#"
    ci.log

    inconclusive: cannot tell. No check failed, but nothing shows A, C1, C2 and C3

    cause   the build did not print how large its cache mounts were
            [not-instrumented]
            run-1/job.log:56  #9 DONE
    change  Print them in the step that builds:
              RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/…
                  echo '=== BEFORE ===' && du -sh /go/pkg/mod /root/.cache/go-build…
                  time go build ./... && \
                  echo '=== AFTER ===' && du -sh /go/pkg/mod /root/.cache/go-build

      unobserved  A   restore    nothing found, as it must be on a first run
      pass        B   dance      injected each mount; run 1 extracted, then saved 1…
      unobserved  C1  mounts     /go/pkg/mod not printed, /root/.cache/go-build not…
      unobserved  C2  go build   17.4 s, cold, as it must be on a first run
      unobserved  C3  downloads  41 modules downloaded, as it may be on a first run

      dance: buildkit-cache-dance, which carries mounts in and out
      inject: the copy into the cache mounts, before the build
      extract: the copy out of the cache mounts, after the build

    findings
      warning[not-instrumented]
      the build did not print how large its cache mounts were
        run-1/job.log:56  #9 DONE
        why  Without sizes before the build nothing proves that the caches reached
             it.
        fix  Print them in the step that builds:
               RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
                   echo '=== BEFORE ===' && du -sh /go/pkg/mod /root/.cache/go-build && \
                   time go build ./... && \
                   echo '=== AFTER ===' && du -sh /go/pkg/mod /root/.cache/go-build

    runs
                                          run 1
      restored                             miss
      /go/pkg/mod before                      -
      /go/pkg/mod after                       -
      /root/.cache/go-build before            -
      /root/.cache/go-build after             -
      go build                           17.4 s
      modules downloaded                     41
      saved                            118.0 MB
      time of restore                    0.40 s
      time of inject                     0.90 s
      time of extract                     1.2 s
      time of save                       0.80 s

    checks in full
      unobserved  A   actions/cache restored something real
                      nothing found, as it must be on a first run
                      needs at least 100.0 MB
      pass        B   cache-dance carried it
                      injected each mount; run 1 extracted, then saved 118.0 MB
                      needs data copied into the build's cache mounts before the
                      build, and copied out before actions/cache saves
      unobserved  C1  the cache mounts are large before the build
                      /go/pkg/mod not printed, /root/.cache/go-build not printed, as
                      it must be on a first run
                      needs at least 100.0 MB and at least 50.0 MB
      unobserved  C2  go build is dramatically faster
                      17.4 s, cold, as it must be on a first run
                      needs at most 0.50 of the cold run
      unobserved  C3  modules are not downloaded again
                      41 modules downloaded, as it may be on a first run
                      needs at most 3

    obligations
      missing     before-means-before of /go/pkg/mod, /root/.cache/go-build
                      the size before the build was not seen
                      would show it: #9 0.3 114M /go/pkg/mod

    notes
      first run: nothing wrong, nothing proven; run it twice or more

    inconclusive: cannot tell. No check failed, but nothing shows A, C1, C2 and C3
      evidence  /tmp/x
      repeat    verify-buildkit-cache run
    "#);
}

#[test]
fn an_ineffective_case_as_annotations() {
    insta::assert_snapshot!(github(&ineffective()), @r#"
    ::error title=cache-map-id-mismatch::/go/pkg/mod: the Dockerfile's cache has id `go-mod`, the cache map's has no id (likewise /root/.cache/go-build)%0Arun-2/job.log:15: #9 [build 4/4] RUN --mount=type=cache,… go build ./...%0Arun-2/job.log:9: RUN --mount=type=cache,target=/go/pkg/mod …%0Arun-2/job.log:10: RUN --mount=type=cache,target=/root/.cache/go-build …%0Awhy: BuildKit tells cache mounts apart by id, so inject fills a cache that the build never mounts and extract reads an empty one.%0Afix: Let the cache map name the build's own caches:%0A  {%0A    ".go-cache/go-mod": {"target": "/go/pkg/mod", "id": "go-mod"},%0A    ".go-cache/go-build": {"target": "/root/.cache/go-build", "id": "go-build"}%0A  }%0AThen change the cache key, since an empty entry may be frozen under it.
    ::error title=cache-empty::actions/cache restored an empty archive from `go-v1-5f2a9c1`: 198 bytes (GitHub's log says "~0 MB")%0Arun-2/job.log:4: Cache Size: ~0 MB (198 B)%0Arun-2/job.log:5: Cache restored from key: go-v1-5f2a9c1%0Awhy: A hit on an empty archive looks green and restores nothing.%0Afix: First fix the cause. Then use a new cache key (bump `cache_version` in it), or delete the cache: `gh cache delete go-v1-5f2a9c1`. GitHub never overwrites a cache that has the same key.
    ::error title=cache-locked::the empty entry is frozen under `go-v1-5f2a9c1`: a run that hits it saves nothing%0Arun-2/job.log:70: Cache hit occurred on the primary key go-v1-5f2a9c1, not saving cache.%0Awhy: No later run can repair the cache, however right the workflow has become.%0Afix: First fix the cause. Then use a new cache key (bump `cache_version` in it), or delete the cache: `gh cache delete go-v1-5f2a9c1`. GitHub never overwrites a cache that has the same key.
    ::error title=verify-buildkit-cache::ineffective: the caches do not survive from one run to the next
    "#);
}

#[test]
fn an_inconclusive_case_as_markdown() {
    insta::assert_snapshot!(markdown(&inconclusive(), "ci.log"), @r#"
    ## ci.log: inconclusive

    | | check | answer | observed | needs |
    |---|---|---|---|---|
    | A | actions/cache restored something real | unobserved | nothing found, as it must be on a first run | at least 100.0 MB |
    | B | cache-dance carried it | pass | injected each mount; run 1 extracted, then saved 118.0 MB | data copied into the build's cache mounts before the build, and copied out before actions/cache saves |
    | C1 | the cache mounts are large before the build | unobserved | /go/pkg/mod not printed, /root/.cache/go-build not printed, as it must be on a first run | at least 100.0 MB and at least 50.0 MB |
    | C2 | go build is dramatically faster | unobserved | 17.4 s, cold, as it must be on a first run | at most 0.50 of the cold run |
    | C3 | modules are not downloaded again | unobserved | 41 modules downloaded, as it may be on a first run | at most 3 |

    | | run 1 |
    |---|---:|
    | restored | miss |
    | /go/pkg/mod before | - |
    | /go/pkg/mod after | - |
    | /root/.cache/go-build before | - |
    | /root/.cache/go-build after | - |
    | go build | 17.4 s |
    | modules downloaded | 41 |
    | saved | 118.0 MB |
    | time of restore | 0.40 s |
    | time of inject | 0.90 s |
    | time of extract | 1.2 s |
    | time of save | 0.80 s |

    ### warning: `not-instrumented`

    the build did not print how large its cache mounts were

    ```text
    run-1/job.log:56: #9 DONE
    ```

    Why: Without sizes before the build nothing proves that the caches reached it.

    Fix:

    ```text
    Print them in the step that builds:
      RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
          echo '=== BEFORE ===' && du -sh /go/pkg/mod /root/.cache/go-build && \
          time go build ./... && \
          echo '=== AFTER ===' && du -sh /go/pkg/mod /root/.cache/go-build
    ```

    Not shown:

    - before-means-before of /go/pkg/mod: the size before the build was not seen (would show it: \#9 0.3 114M /go/pkg/mod)
    - before-means-before of /root/.cache/go-build: the size before the build was not seen (would show it: \#9 0.3 114M /go/pkg/mod)

    - first run: nothing wrong, nothing proven; run it twice or more
    "#);
}

#[test]
fn an_ineffective_case_as_json() {
    let thresholds = Thresholds::default();
    let about = Document {
        command: "run",
        scenario: Some("cache-map-id-mismatch"),
        profile: Profile::Checklist,
        thresholds: &thresholds,
        evidence: None,
    };
    let mut report = ineffective();
    report.obligations = obligations();
    let mut document = json(&report, &about);
    // One run and two steps show the shape.
    document["runs"].as_array_mut().unwrap().remove(0);
    document["runs"][0]["steps"].as_array_mut().unwrap().truncate(2);
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap(), @r##"
    {
      "schema": 1,
      "tool": "verify-buildkit-cache",
      "command": "run",
      "scenario": "cache-map-id-mismatch",
      "verdict": "ineffective",
      "checks": [
        {
          "id": "A",
          "title": "actions/cache restored something real",
          "status": "fail",
          "observed": "restored an empty archive: 198 B (GitHub's log says \"~0 MB\")",
          "threshold": "at least 100.0 MB",
          "numbers": [
            {
              "of": "restored",
              "unit": "bytes",
              "observed": 198,
              "needs": 104857600,
              "relation": "at-least"
            }
          ],
          "evidence": [
            {
              "source": "run-2/job.log",
              "line": 4,
              "text": "Cache Size: ~0 MB (198 B)"
            },
            {
              "source": "run-2/job.log",
              "line": 5,
              "text": "Cache restored from key: go-v1-5f2a9c1"
            }
          ]
        },
        {
          "id": "B",
          "title": "cache-dance carried it",
          "status": "fail",
          "observed": "/go/pkg/mod: the Dockerfile's cache has id `go-mod`, the cache map's has no id (likewise /root/.cache/go-build)",
          "threshold": "data copied into the build's cache mounts before the build, and copied out before actions/cache saves",
          "numbers": [],
          "evidence": [
            {
              "source": "run-2/job.log",
              "line": 15,
              "text": "#9 [build 4/4] RUN --mount=type=cache,… go build ./..."
            },
            {
              "source": "run-2/job.log",
              "line": 9,
              "text": "RUN --mount=type=cache,target=/go/pkg/mod …"
            },
            {
              "source": "run-2/job.log",
              "line": 10,
              "text": "RUN --mount=type=cache,target=/root/.cache/go-build …"
            }
          ]
        },
        {
          "id": "C1",
          "title": "the cache mounts are large before the build",
          "status": "fail",
          "observed": "/go/pkg/mod 8.0 KB, /root/.cache/go-build 8.0 KB",
          "threshold": "at least 100.0 MB and at least 50.0 MB",
          "numbers": [
            {
              "of": "/go/pkg/mod",
              "unit": "bytes",
              "observed": 8192,
              "needs": 104857600,
              "relation": "at-least"
            },
            {
              "of": "/root/.cache/go-build",
              "unit": "bytes",
              "observed": 8192,
              "needs": 52428800,
              "relation": "at-least"
            }
          ],
          "evidence": [
            {
              "source": "run-2/job.log",
              "line": 16,
              "text": "#9 0.2 8K\t/go/pkg/mod"
            },
            {
              "source": "run-2/job.log",
              "line": 17,
              "text": "#9 0.2 8K\t/root/.cache/go-build"
            }
          ]
        },
        {
          "id": "C2",
          "title": "go build is dramatically faster",
          "status": "fail",
          "observed": "17.4 s, 1.00 of run 1 (17.4 s)",
          "threshold": "at most 0.50 of the cold run",
          "numbers": [
            {
              "of": "go build",
              "unit": "seconds",
              "observed": 17.43,
              "needs": 8.715,
              "relation": "at-most"
            }
          ],
          "evidence": [
            {
              "source": "run-2/job.log",
              "line": 59,
              "text": "#9 real 0m 17.43s"
            },
            {
              "source": "run-1/job.log",
              "line": 57,
              "text": "#9 real 0m 17.43s"
            }
          ]
        },
        {
          "id": "C3",
          "title": "modules are not downloaded again",
          "status": "fail",
          "observed": "41 modules downloaded",
          "threshold": "at most 3",
          "numbers": [
            {
              "of": "downloads",
              "unit": "count",
              "observed": 41,
              "needs": 3,
              "relation": "at-most"
            }
          ],
          "evidence": [
            {
              "source": "run-2/job.log",
              "line": 18,
              "text": "#9 1.1 go: downloading example.com/m0 v1.0.0"
            },
            {
              "source": "run-2/job.log",
              "line": 19,
              "text": "#9 1.1 go: downloading example.com/m1 v1.0.0"
            },
            {
              "source": "run-2/job.log",
              "line": 20,
              "text": "#9 1.1 go: downloading example.com/m2 v1.0.0"
            }
          ]
        }
      ],
      "obligations": [
        {
          "id": "before-means-before",
          "mount": "/go/pkg/mod",
          "state": "missing",
          "evidence": [],
          "reason": "the size before the build was not seen",
          "would_show": "#9 0.3 114M /go/pkg/mod"
        },
        {
          "id": "before-means-before",
          "mount": "/root/.cache/go-build",
          "state": "missing",
          "evidence": [],
          "reason": "the size before the build was not seen",
          "would_show": "#9 0.3 114M /go/pkg/mod"
        },
        {
          "id": "carry-on",
          "mount": null,
          "state": "shown",
          "evidence": [
            {
              "source": "test",
              "line": null,
              "text": "saved"
            }
          ]
        }
      ],
      "findings": [
        {
          "code": "cache-map-id-mismatch",
          "severity": "error",
          "title": "/go/pkg/mod: the Dockerfile's cache has id `go-mod`, the cache map's has no id (likewise /root/.cache/go-build)",
          "evidence": [
            {
              "source": "run-2/job.log",
              "line": 15,
              "text": "#9 [build 4/4] RUN --mount=type=cache,… go build ./..."
            },
            {
              "source": "run-2/job.log",
              "line": 9,
              "text": "RUN --mount=type=cache,target=/go/pkg/mod …"
            },
            {
              "source": "run-2/job.log",
              "line": 10,
              "text": "RUN --mount=type=cache,target=/root/.cache/go-build …"
            }
          ],
          "why": "BuildKit tells cache mounts apart by id, so inject fills a cache that the build never mounts and extract reads an empty one.",
          "fix": "Let the cache map name the build's own caches:\n  {\n    \".go-cache/go-mod\": {\"target\": \"/go/pkg/mod\", \"id\": \"go-mod\"},\n    \".go-cache/go-build\": {\"target\": \"/root/.cache/go-build\", \"id\": \"go-build\"}\n  }\nThen change the cache key, since an empty entry may be frozen under it."
        },
        {
          "code": "cache-empty",
          "severity": "error",
          "title": "actions/cache restored an empty archive from `go-v1-5f2a9c1`: 198 bytes (GitHub's log says \"~0 MB\")",
          "evidence": [
            {
              "source": "run-2/job.log",
              "line": 4,
              "text": "Cache Size: ~0 MB (198 B)"
            },
            {
              "source": "run-2/job.log",
              "line": 5,
              "text": "Cache restored from key: go-v1-5f2a9c1"
            }
          ],
          "why": "A hit on an empty archive looks green and restores nothing.",
          "fix": "First fix the cause. Then use a new cache key (bump `cache_version` in it), or delete the cache: `gh cache delete go-v1-5f2a9c1`. GitHub never overwrites a cache that has the same key."
        },
        {
          "code": "cache-locked",
          "severity": "error",
          "title": "the empty entry is frozen under `go-v1-5f2a9c1`: a run that hits it saves nothing",
          "evidence": [
            {
              "source": "run-2/job.log",
              "line": 70,
              "text": "Cache hit occurred on the primary key go-v1-5f2a9c1, not saving cache."
            }
          ],
          "why": "No later run can repair the cache, however right the workflow has become.",
          "fix": "First fix the cause. Then use a new cache key (bump `cache_version` in it), or delete the cache: `gh cache delete go-v1-5f2a9c1`. GitHub never overwrites a cache that has the same key."
        }
      ],
      "runs": [
        {
          "number": 2,
          "name": "run 2",
          "restore": {
            "outcome": "hit",
            "key": "go-v1-5f2a9c1",
            "bytes": 198
          },
          "mounts": [
            {
              "target": "/go/pkg/mod",
              "id": "go-mod",
              "before_bytes": 8192,
              "after_bytes": 137363456
            },
            {
              "target": "/root/.cache/go-build",
              "id": "go-build",
              "before_bytes": 8192,
              "after_bytes": 119537664
            }
          ],
          "build": {
            "seconds": 17.43,
            "downloads": 41,
            "cached": false
          },
          "save": {
            "outcome": "skipped",
            "bytes": null,
            "reason": "the primary key was hit"
          },
          "timing": {
            "restore_seconds": 0.4,
            "inject_seconds": 0.9,
            "extract_seconds": 1.2,
            "save_seconds": 0.8
          },
          "steps": [
            {
              "name": "Run actions/cache@v4",
              "phase": "main",
              "outcome": "success",
              "seconds": 0.4
            },
            {
              "name": "Run reproducible-containers/buildkit-cache-dance@v3.3.2",
              "phase": "main",
              "outcome": "success",
              "seconds": 0.9
            }
          ]
        }
      ],
      "notes": [],
      "profile": "checklist",
      "thresholds": {
        "min_restore_bytes": 104857600,
        "min_mod_bytes": 104857600,
        "min_build_bytes": 52428800,
        "max_build_seconds": 10.0,
        "max_build_ratio": 0.5,
        "max_downloads": 3,
        "min_carried_ratio": 0.9
      }
    }
    "##);
}

#[test]
fn what_was_not_seen_is_null_and_never_zero() {
    let thresholds = Thresholds::default();
    let about =
        Document { command: "logs", scenario: None, profile: Profile::Auto, thresholds: &thresholds, evidence: None };
    let document = json(&inconclusive(), &about);
    let run = &document["runs"][0];
    assert!(run["mounts"][0]["before_bytes"].is_null() && run["restore"]["bytes"].is_null());
    let cold = json(&verify(&case(Profile::Auto, &[JobScript::cold().but(|job| job.layer_cached = true)])), &about);
    assert!(cold["runs"][0]["build"]["seconds"].is_null() && cold["runs"][0]["build"]["downloads"].is_null());
}

#[test]
fn nothing_is_wider_than_the_page_but_what_is_to_be_copied() {
    for report in [effective(), ineffective(), inconclusive()] {
        for width in [64, 80, 120] {
            let options = TextOptions {
                color: false,
                width,
                subject: "x",
                evidence: None,
                repeat: None,
                explain: false,
                assumed: &[],
                cut: true,
            };
            let page = text(&report, &options);
            // A snippet keeps its lines, since a person copies it; snippets are indented below their label.
            let wide: Vec<&str> =
                page.lines().filter(|line| line.chars().count() > width && !line.starts_with("           ")).collect();
            assert!(wide.is_empty(), "{wide:#?}");
        }
    }
}

#[test]
fn many_runs_still_fit() {
    let jobs: Vec<JobScript> = [vec![JobScript::cold()], vec![JobScript::warm(); 8]].concat();
    let page = plain(&verify(&case(Profile::Auto, &jobs)), "many");
    assert!(page.contains("run 1") && page.contains("run 9") && page.contains("not shown"), "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
}

#[test]
fn colour_changes_nothing_but_colour() {
    for report in [effective(), ineffective(), inconclusive()] {
        let options = TextOptions {
            color: true,
            width: 80,
            subject: "x",
            evidence: None,
            repeat: None,
            explain: false,
            assumed: &[],
            cut: true,
        };
        let painted = text(&report, &options);
        assert!(painted.contains('\u{1b}'));
        let stripped = anstream::adapter::strip_str(&painted).to_string();
        assert_eq!(stripped, text(&report, &TextOptions { color: false, ..options }));
    }
}

#[test]
fn an_escape_sequence_in_a_log_reaches_no_terminal() {
    let mut report = ineffective();
    for finding in &mut report.findings {
        finding.title.push_str("\u{1b}[2J");
        finding.evidence.iter_mut().for_each(|quote| quote.text.push_str("\u{1b}]0;x\u{7}\n::error::x"));
    }
    for rendered in [plain(&report, "\u{1b}[2J"), markdown(&report, "\u{1b}"), github(&report)] {
        assert!(!rendered.contains(['\u{1b}', '\u{7}']));
        assert!(!rendered.lines().any(|line| line.starts_with("::error::")));
    }
}

#[test]
fn every_code_has_a_page_that_names_it() {
    for code in crate::verify::Code::ALL {
        let page = super::explain(*code);
        assert!(page.starts_with(code.as_str()) && page.contains("What to do"), "{page}");
    }
    insta::assert_snapshot!(super::explain(crate::verify::Code::CacheLocked), @r#"
    cache-locked  (check A)

    An empty entry is frozen under its key: each run hits the primary key, so no run
    saves a better one.

    What you see
      Cache Size: ~0 MB (198 B)
      Cache hit occurred on the primary key go-v1-…, not saving cache.

    Why it matters
      No later run can repair the cache, however right the workflow has become.

    What to do
      Change the key (bump `cache_version` in it), or delete the entry with `gh
      cache delete KEY`.
    "#);
}

#[test]
fn the_first_screen_holds_the_verdict_the_cause_and_the_change() {
    let mut long = ineffective();
    long.findings[0].title = "a cause that takes a while to tell ".repeat(9);
    long.findings[0].fix = "an entry, the dance, inject and extract ".repeat(40);
    for report in [effective(), ineffective(), inconclusive(), long] {
        let page = plain(&report, "subject");
        let screen: Vec<&str> = page.lines().take(24).collect();
        let screen = screen.join("\n");
        assert!(screen.contains(report.verdict.as_str()), "{screen}");
        for check in &report.checks {
            let line = format!("  {:<2}  ", check.id.as_str());
            assert!(screen.lines().any(|shown| shown.contains(&line)), "{}:\n{screen}", check.id.as_str());
        }
        if let Some(first) = report.findings.first() {
            assert!(screen.contains("cause   ") && screen.contains("change  "), "{screen}");
            assert!(screen.contains(&format!("[{}]", first.code)) || screen.contains("(in full below)"), "{screen}");
        }
        let (before, _) = page.split_once("\nfindings\n").or_else(|| page.split_once("\nruns\n")).unwrap();
        assert!(before.lines().count() <= 24, "{} lines:\n{before}", before.lines().count());
    }
}

#[test]
fn a_pipe_gets_every_key_and_path_whole() {
    let mut report = ineffective();
    let key = format!("go-{}", "k".repeat(150));
    let path = format!("/home/{}/go-build", "p".repeat(150));
    report.findings[0].evidence[0].text = format!("Cache restored from key: {key}");
    report.findings[0].evidence[0].source = path.as_str().into();
    report.checks[2].observed = format!("{path} 8.0 KB");
    report.runs.iter_mut().for_each(|run| run.mounts[0].target.clone_from(&path));
    let options = TextOptions {
        color: false,
        width: 80,
        subject: &path,
        evidence: None,
        repeat: None,
        explain: false,
        assumed: &[],
        cut: false,
    };
    let page = text(&report, &options);
    assert!(!page.contains('…') || !page.contains("kk…"), "{page}");
    for (what, times) in [(&key, 2), (&path, 6)] {
        assert!(page.matches(what.as_str()).count() >= times, "{what} is cut:\n{page}");
    }
    let cut = text(&report, &TextOptions { cut: true, ..options });
    assert!(cut.contains("kk…"), "a terminal gets no line that is wider than it");
}
