//! One thing broken in a healthy log, so that what was measured is not what was used: no longer effective.

use verify_buildkit_cache::verify::{ObligationId, ObligationState, Report, Verdict};

use super::{judged, read, text};

const HEALTHY: &str = "healthy-second-run.log";

fn report(log: &str) -> Report {
    judged(&read(log.as_bytes()).first().unwrap().evidence())
}

/// Changes a text of the healthy log, and tells which obligations are then missing.
fn broken(from: &str, to: &str) -> Vec<ObligationId> {
    let log = text(HEALTHY);
    assert!(log.contains(from), "{from}");
    let report = report(&log.replace(from, to));
    assert_ne!(report.verdict, Verdict::Effective, "{from}: {to}");
    report.obligations.iter().filter(|one| one.state == ObligationState::Missing).map(|one| one.id).collect()
}

#[test]
fn the_log_is_healthy() {
    let report = report(&text(HEALTHY));
    assert_eq!(report.verdict, Verdict::Effective);
    assert!(report.obligations.iter().all(|one| one.state == ObligationState::Shown));
}

#[test]
fn a_build_that_does_not_use_its_caches_proves_nothing() {
    for build in ["go build -a", "go clean -cache; go build", "GOCACHE=/tmp/objects go build"] {
        assert!(broken("go build", build).contains(&ObligationId::Use), "{build}");
    }
}

#[test]
fn a_mount_that_begins_as_a_stage_is_another_cache() {
    let seeded = "target=/root/.cache/go-build,from=warm";
    assert!(broken("target=/root/.cache/go-build", seeded).contains(&ObligationId::Identity));
}
