//! Healthy workflows in many forms, and each with one fault put in by a small edit: the forms are clean, the faults are found.

use std::path::Path;

use verify_buildkit_cache::lint::{LintReport, MemoryFiles, lint as look_at_workflows};
use verify_buildkit_cache::source::Source;

use crate::{WORKFLOW, codes, said};

/// A healthy repository: its workflow, its Dockerfile, and where that lies.
struct Form {
    name: &'static str,
    workflow: String,
    dockerfile: String,
    at: &'static str,
}

fn base(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lint/base").join(name)).unwrap()
}

fn edited(text: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in\n{text}");
        text.replace(from, to)
    })
}

/// Healthy set-ups as people write them.
fn forms() -> Vec<Form> {
    let (workflow, dockerfile) = (base("workflow.yml"), base("Dockerfile"));
    let form = |name, edits: &[(&str, &str)], docker: &[(&str, &str)]| Form {
        name,
        workflow: edited(&workflow, edits),
        dockerfile: edited(&dockerfile, docker),
        at: "Dockerfile",
    };
    let map = "          cache-map: |\n            {\n              \"go-mod\": \"/go/pkg/mod\",\n              \"go-build\": \"/root/.cache/go-build\"\n            }\n";
    let path = "          path: |\n            go-mod\n            go-build\n";
    let cache =
        &workflow[workflow.find("      - uses: actions/cache").unwrap()..workflow.find("      - uses: repro").unwrap()];
    let restore_and_save = format!(
        "{}      - if: github.ref == 'refs/heads/main'\n        uses: actions/cache@v4\n        with:\n          path: |\n            go-mod\n            \
         go-build\n          key: go-${{{{ hashFiles('go.sum') }}}}-${{{{ github.sha }}}}\n          lookup-only: true\n\n",
        cache.replace("actions/cache@v4", "actions/cache/restore@v4")
    );
    vec![
        form("plain", &[], &[]),
        form(
            "a matrix",
            &[
                ("    runs-on", "    strategy:\n      matrix:\n        app: [api, worker]\n    runs-on"),
                (
                    "            go-mod\n            go-build",
                    "            ${{ matrix.app }}-mod\n            ${{ matrix.app }}-build",
                ),
                ("\"go-mod\"", "\"${{ matrix.app }}-mod\""),
                ("\"go-build\"", "\"${{ matrix.app }}-build\""),
            ],
            &[],
        ),
        form("a subdirectory", &[("context: .", "context: backend")], &[]),
        form("a file of another name", &[("context: .", "context: .\n          file: ./build/Dockerfile.prod")], &[]),
        form(
            "one directory for all",
            &[
                (path, "          path: .cache/mounts\n"),
                ("\"go-mod\"", "\".cache/mounts/go-mod\""),
                ("\"go-build\"", "\".cache/mounts/go-build\""),
            ],
            &[],
        ),
        form(
            "absolute paths",
            &[(
                "            go-mod\n            go-build",
                "            ${{ github.workspace }}/go-mod\n            ${{ github.workspace }}/go-build",
            )],
            &[],
        ),
        form(
            "found in the Dockerfile",
            &[(map, "          cache-dir: go-cache\n"), (path, "          path: go-cache\n")],
            &[],
        ),
        form(
            "ids",
            &[
                ("\"/go/pkg/mod\"", "{\"target\": \"/go/pkg/mod\", \"id\": \"mod\"}"),
                ("\"/root/.cache/go-build\"", "{\"target\": \"/x\", \"id\": \"build\"}"),
            ],
            &[
                ("target=/go/pkg/mod", "id=mod,target=/go/pkg/mod"),
                ("target=/root/.cache/go-build", "target=/root/.cache/go-build,id=build"),
            ],
        ),
        form(
            "variables in env",
            &[
                ("jobs:\n", "env:\n  CACHE: go-mod\n  OTHER: ${{ github.workspace }}\njobs:\n"),
                ("            go-mod\n", "            ${{ env.CACHE }}\n"),
            ],
            &[],
        ),
        form(
            "build arguments",
            &[("context: .", "context: .\n          build-args: |\n            MODS=/go/pkg/mod")],
            &[("WORKDIR /src", "ARG MODS\nWORKDIR /src"), ("target=/go/pkg/mod", "target=${MODS}")],
        ),
        form(
            "the active builder",
            &[("          builder: ${{ steps.buildx.outputs.name }}\n", ""), ("        id: buildx\n", "")],
            &[],
        ),
        form("restore, and a step that only saves", &[(cache, restore_and_save.as_str())], &[]),
        form(
            "a target",
            &[("context: .", "context: .\n          target: build\n          platforms: linux/amd64,linux/arm64")],
            &[],
        ),
        form(
            "a fork of the name",
            &[("reproducible-containers/buildkit-cache-dance@v3.3.2", "hiromaily/buildkit-cache-dance@v4.3.0")],
            &[],
        ),
        form(
            "a commit for a version",
            &[(
                "buildkit-cache-dance@v3.3.2",
                "buildkit-cache-dance@1b8ab18fbda5ad3646e3fcc9ed9dd41ce2f297b4 # v3.3.2",
            )],
            &[],
        ),
        form(
            "secrets and a registry",
            &[
                (
                    "      - uses: docker/build-push",
                    "      - uses: docker/login-action@v3\n        with:\n          username: ${{ secrets.U }}\n          password: ${{ secrets.P }}\n\n      - uses: docker/build-push",
                ),
                (
                    "context: .",
                    "context: .\n          push: true\n          tags: ghcr.io/${{ github.repository }}:${{ github.sha }}",
                ),
            ],
            &[],
        ),
        form(
            "two builds",
            &[(
                "          context: .\n",
                "          context: .\n\n      - uses: docker/build-push-action@v6\n        with:\n          context: .\n          target: build\n",
            )],
            &[],
        ),
        form(
            "other tools' mounts",
            &[],
            &[("WORKDIR /src", "WORKDIR /src\nRUN --mount=type=cache,target=/var/cache/apt apt-get update")],
        ),
    ]
}

fn look(form: &Form, workflow: &str, dockerfile: &str) -> LintReport {
    let at = match form.name {
        "a subdirectory" => "backend/Dockerfile",
        "a file of another name" => "build/Dockerfile.prod",
        _ => form.at,
    };
    let files = [(at, dockerfile), ("go.mod", "module app\n"), ("go.sum", ""), ("main.go", "package main\n")];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    look_at_workflows(&[Source::new(WORKFLOW, workflow)], &MemoryFiles::new(files))
}

/// One small edit that breaks a set-up: what it is, the codes one of which it must give, and the edit.
struct Mutation {
    name: &'static str,
    codes: &'static [&'static str],
    in_dockerfile: bool,
    from: &'static str,
    to: &'static str,
}

fn mutation(name: &'static str, codes: &'static [&'static str], from: &'static str, to: &'static str) -> Mutation {
    Mutation { name, codes, in_dockerfile: false, from, to }
}

fn docker(name: &'static str, codes: &'static [&'static str], from: &'static str, to: &'static str) -> Mutation {
    Mutation { name, codes, in_dockerfile: true, from, to }
}

fn mutations() -> Vec<Mutation> {
    vec![
        mutation(
            "no-cache",
            &["no-cache-build"],
            "        with:\n          context:",
            "        with:\n          no-cache: true\n          context:",
        ),
        mutation(
            "another builder",
            &["builder-mismatch"],
            "builder: ${{ steps.buildx.outputs.name }}",
            "builder: default",
        ),
        mutation(
            "no restore keys",
            &["cache-key-unique"],
            "          restore-keys: |\n            go-${{ hashFiles('go.sum') }}-\n            go-\n",
            "",
        ),
        mutation(
            "restore keys of another name",
            &["restore-keys-never-match"],
            "            go-${{ hashFiles('go.sum') }}-\n            go-\n",
            "            golang-\n",
        ),
        mutation(
            "a constant key",
            &["cache-key-stale"],
            "key: go-${{ hashFiles('go.sum') }}-${{ github.sha }}",
            "key: go-v1",
        ),
        mutation(
            "a hash of nothing",
            &["hash-files-empty", "cache-key-stale"],
            "key: go-${{ hashFiles('go.sum') }}",
            "key: go-${{ hashFiles('go.sums') }}",
        ),
        mutation("another target", &["cache-map-target-mismatch"], "\"/go/pkg/mod\"", "\"/root/go/pkg/mod\""),
        mutation(
            "an entry with an id",
            &["cache-map-id-mismatch"],
            "\"/go/pkg/mod\"",
            "{\"target\": \"/go/pkg/mod\", \"id\": \"another\"}",
        ),
        mutation(
            "an entry with an owner",
            &["cache-map-owner-mismatch"],
            "\"/go/pkg/mod\"",
            "{\"target\": \"/go/pkg/mod\", \"uid\": 1000}",
        ),
        mutation("read-only", &["inject-failed"], "\"/go/pkg/mod\"", "{\"target\": \"/go/pkg/mod\", \"ro\": \"true\"}"),
        mutation("no JSON", &["dance-crashed"], "\"/go/pkg/mod\",", "\"/go/pkg/mod\""),
        mutation(
            "a path of another name",
            &["cache-path-missing", "cache-dir-mismatch", "cache-version-changed"],
            "            go-mod\n            go-build\n          key",
            "            mod\n            build\n          key",
        ),
        mutation("tags only", &["cache-out-of-scope"], "on: push\n", "on: {push: {tags: ['v*']}}\n"),
        mutation(
            "an inverted skip",
            &["extract-skipped"],
            "steps.cache.outputs.cache-hit }}",
            "steps.cache.outputs.cache-hit != 'false' }}",
        ),
        mutation(
            "two expressions",
            &["extract-skipped"],
            "${{ steps.cache.outputs.cache-hit }}",
            "${{ steps.cache.outputs.cache-hit }} && ${{ true }}",
        ),
        mutation("an id that is not there", &["step-id-unknown"], "steps.cache.outputs", "steps.caches.outputs"),
        mutation(
            "a dance only on a miss",
            &["dance-skipped"],
            "        with:\n          builder:",
            "        if: steps.cache.outputs.cache-hit != 'true'\n        with:\n          builder:",
        ),
        mutation(
            "another file system",
            &["extract-failed"],
            "          skip-extraction:",
            "          scratch-dir: /mnt/x\n          skip-extraction:",
        ),
        mutation(
            "v2's inputs",
            &["dance-input-ignored"],
            "          skip-extraction:",
            "          cache-source: x\n          skip-extraction:",
        ),
        docker("go build -a", &["build-ignores-cache"], "go build -o", "go build -a -o"),
        docker("emptied", &["extract-empty"], "go build -o /app .", "go build -o /app . && go clean -cache -modcache"),
        docker(
            "GOCACHE elsewhere",
            &["build-not-faster"],
            "WORKDIR /src\nCOPY",
            "ENV GOCACHE=/var/gocache\nWORKDIR /src\nCOPY",
        ),
        docker(
            "the module mount missing",
            &["modules-not-restored"],
            "RUN --mount=type=cache,target=/go/pkg/mod \\\n    --mount=type=cache,target=/root",
            "RUN --mount=type=cache,target=/root",
        ),
        docker("another user", &["build-not-faster"], "COPY . .\n", "COPY . .\nUSER app\n"),
        docker(
            "a tilde",
            &["tilde-in-target", "cache-map-target-mismatch", "build-cache-not-restored"],
            "target=/root/.cache/go-build",
            "target=~/.cache/go-build",
        ),
        docker(
            "an id in the Dockerfile",
            &["cache-map-id-mismatch"],
            "target=/root/.cache/go-build \\",
            "target=/root/.cache/go-build,id=objects \\",
        ),
        docker(
            "an owner in the Dockerfile",
            &["cache-map-owner-mismatch"],
            "target=/root/.cache/go-build \\",
            "target=/root/.cache/go-build,uid=65532 \\",
        ),
    ]
}

/// Tells whether an edit breaks nothing in a form: a dance that reads the Dockerfile follows its ids; an entry with an id may
/// have any target; a step that only restores needs no key of its own.
fn is_harmless(form: &str, mutation: &str) -> bool {
    matches!(
        (form, mutation),
        ("found in the Dockerfile", "an id in the Dockerfile")
            | ("ids", "another target" | "an entry with an owner" | "read-only")
            | ("restore, and a step that only saves", "a constant key")
    )
}

#[test]
fn healthy_set_ups_of_every_form_have_no_error_and_no_warning() {
    for form in forms() {
        let report = look(&form, &form.workflow, &form.dockerfile);
        let warnings = report
            .findings
            .iter()
            .filter(|finding| finding.severity != verify_buildkit_cache::verify::Severity::Note)
            .count();
        assert!(report.unread.is_empty() && warnings == 0, "{}:\n{}", form.name, said(&report));
        assert_eq!(report.jobs, 1, "{}", form.name);
    }
}

#[test]
fn one_fault_in_any_form_is_found() {
    let (mut tried, mut wrong) = (0, Vec::new());
    for form in forms() {
        for mutation in mutations() {
            let text = if mutation.in_dockerfile { &form.dockerfile } else { &form.workflow };
            if !text.contains(mutation.from) || is_harmless(form.name, mutation.name) {
                continue;
            }
            tried += 1;
            let changed = text.replacen(mutation.from, mutation.to, 1);
            let report = match mutation.in_dockerfile {
                true => look(&form, &form.workflow, &changed),
                false => look(&form, &changed, &form.dockerfile),
            };
            let found = codes(&report);
            if !mutation.codes.iter().any(|code| found.contains(code)) {
                wrong.push(format!(
                    "{} with {}: none of {:?}, but\n{}",
                    form.name,
                    mutation.name,
                    mutation.codes,
                    said(&report)
                ));
            }
        }
    }
    assert!(tried > 300, "only {tried} edits fitted");
    assert!(wrong.is_empty(), "{} of {tried} are missed:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn an_entry_that_no_build_here_mounts_may_be_meant_for_a_build_in_a_script() {
    let (workflow, dockerfile) = (base("workflow.yml"), base("Dockerfile"));
    let other = edited(&workflow, &[("\"/go/pkg/mod\"", "{\"target\": \"/go/pkg/mod\", \"id\": \"other\"}")]);
    let report = crate::look(&other, &dockerfile);
    assert!(codes(&report).contains(&"cache-map-id-mismatch"), "{}", said(&report));
    let script = format!("{other}      - run: docker buildx build -f other.Dockerfile .\n");
    let report = crate::look(&script, &dockerfile);
    assert!(!codes(&report).contains(&"cache-map-id-mismatch"), "{}", said(&report));
}
