//! Healthy jobs of unusual shape are effective, and the same jobs with a cold build never are.

use verify_buildkit_cache::verify::{Code, Report, Verdict};

const KEY: &str = "deps-77aa01";

fn cache(uses: &str, key: &str, answer: &str) -> String {
    format!("##[group]Run {uses}\nwith:\n  path: store\n  key: {key}\n##[endgroup]\n{answer}\n")
}

fn miss(uses: &str, key: &str) -> String {
    cache(uses, key, &format!("Cache not found for input keys: {key}"))
}

fn hit(uses: &str) -> String {
    let size = "Cache Size: ~180 MB (188743680 B)\nCache restored successfully";
    cache(uses, KEY, &format!("Cache hit for: {KEY}\n{size}\nCache restored from key: {KEY}"))
}

fn dance(more: &str, skip: bool) -> String {
    let inject = |target: &str| {
        format!(
            "\nFROM ghcr.io/containerd/busybox:latest\nCOPY buildstamp buildstamp\nRUN --mount=type=cache,target={target} \
             --mount=type=bind,source=.,target=/var/dance-cache cp -p -R /var/dance-cache/. {target} || true\n"
        )
    };
    let targets = ["/go/pkg/mod", "/root/.cache/go-build", more];
    let all: String = targets.iter().filter(|target| !target.is_empty()).map(|target| inject(target)).collect();
    format!(
        "##[group]Run reproducible-containers/buildkit-cache-dance@v3.3.2\nwith:\n  cache-map: {{\"store/m\": \"/go/pkg/mod\"}}\n  \
         skip-extraction: {skip}\n##[endgroup]\n{all}"
    )
}

fn build(vertices: &str) -> String {
    format!(
        "##[group]Run docker/build-push-action@v6\nwith:\n  context: .\n##[endgroup]\n[command]/usr/bin/docker buildx build .\n\
         #0 building with \"b\" instance using docker-container driver\n\n{vertices}\n"
    )
}

fn go(cold: bool) -> String {
    let mounts = "--mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build";
    let (m, b, real) = if cold { ("8.0K", "8.0K", "0m48.0s") } else { ("280M", "130M", "0m1.9s") };
    let dirs = "/go/pkg/mod /root/.cache/go-build";
    build(&format!(
        "#9 [b 4/4] RUN {mounts} du -sh {dirs}; time go build ./cmd/web; du -sh {dirs}\n#9 0.1 {m}\t/go/pkg/mod\n\
         #9 0.2 {b}\t/root/.cache/go-build\n#9 48.1 real\t{real}\n#9 48.2 280M\t/go/pkg/mod\n\
         #9 48.3 130M\t/root/.cache/go-build\n#9 DONE {}s",
        if cold { "49.0" } else { "2.4" }
    ))
    .replace("48.", if cold { "48." } else { "2." })
}

const SAVED: &str = "Post job cleanup.\nCache hit occurred on the primary key deps-77aa01, not saving cache.\n";

fn judged(log: &str) -> Report {
    let jobs = super::read(log.as_bytes());
    super::judged(&jobs.first().unwrap().evidence())
}

/// Holds that a job is effective with a warm build and not with a cold one.
fn only_warm(shape: impl Fn(bool) -> String) {
    let warm = judged(&shape(false));
    assert_eq!(warm.verdict, Verdict::Effective, "{}\n{:#?}\n{:#?}", shape(false), warm.checks, warm.findings);
    assert_ne!(judged(&shape(true)).verdict, Verdict::Effective, "{}", shape(true));
}

#[test]
fn a_second_restore_makes_up_for_the_miss_of_a_first() {
    let first = || miss("actions/cache/restore@v4", "branch-77aa01");
    only_warm(|cold| [first(), hit("actions/cache@v4"), dance("", false), go(cold), SAVED.into()].concat());
    // It comes too late after the inject.
    let late = [first(), dance("", false), hit("actions/cache@v4"), go(false), SAVED.into()].concat();
    assert_ne!(judged(&late).verdict, Verdict::Effective);
    // Another directory's entry makes up for nothing.
    let other = hit("actions/cache@v4").replace("path: store", "path: elsewhere");
    let other = [first(), other, dance("", false), go(false), SAVED.into()].concat();
    assert_ne!(judged(&other).verdict, Verdict::Effective);
}

#[test]
fn a_step_that_only_looks_up_does_not_spoil_the_one_that_restores() {
    let asked = format!(
        "Cache hit for: {KEY}\nLookup only - skipping download\nCache found and can be restored from key: {KEY}"
    );
    let look = || cache("actions/cache/restore@v4", KEY, &asked);
    only_warm(|cold| [look(), hit("actions/cache@v4"), dance("", false), go(cold), SAVED.into()].concat());
    assert_ne!(judged(&[look(), dance("", false), go(false)].concat()).verdict, Verdict::Effective);
}

#[test]
fn a_job_that_only_restores_may_skip_its_extract() {
    let skipped = "Post job cleanup.\nskip-extraction is set. Skipping extraction step...\n";
    let answers = [
        ("Cache hit for: deps-77aa01", "Cache hit for restore-key: deps-1"),
        ("from key: deps-77aa01", "from key: deps-1"),
        ("key: deps-77aa01\n##", "key: deps-77aa01\n  restore-keys: deps-\n##"),
    ];
    let partial = |uses: &str| answers.iter().fold(hit(uses), |log, (exact, partial)| log.replace(exact, partial));
    let shape = |uses: &str, cold| [partial(uses), dance("", true), go(cold), skipped.into()].concat();
    only_warm(|cold| shape("actions/cache/restore@v4", cold));
    let saves = judged(&shape("actions/cache@v4", false));
    assert!(saves.findings.iter().any(|finding| finding.code == Code::ExtractSkipped), "{:#?}", saves.findings);
}

#[test]
fn caches_of_other_tools_are_nobodys_mismatch() {
    let apk =
        "#4 [b 2/4] RUN --mount=type=cache,target=/var/cache/apk apk add git\n#4 1.0 OK: 20 MiB\n#4 DONE 1.0s\n\n#9 [b";
    let shape = |cold, entry| {
        [hit("actions/cache@v4"), dance(entry, false), go(cold).replacen("#9 [b", apk, 1), SAVED.into()].concat()
    };
    only_warm(|cold| shape(cold, "/usr/local/share/.cache/yarn"));
}

#[test]
fn an_image_without_go_is_not_the_one_to_judge() {
    let npm = |target: &str| {
        build(&format!(
            "#4 [web 2/3] RUN --mount=type=cache,target={target} du -sh {target} && npm ci\n#4 0.1 4.0K\t{target}\n#4 DONE 9.4s\n"
        ))
    };
    only_warm(|cold| [hit("actions/cache@v4"), dance("", false), npm("/root/.npm"), go(cold), SAVED.into()].concat());
    // Whose an unknown directory is, nobody knows: it may be Go's.
    let unknown = [hit("actions/cache@v4"), dance("", false), npm("/objects"), go(false), SAVED.into()].concat();
    assert_ne!(judged(&unknown).verdict, Verdict::Effective);
}
