//! Odd and hostile files: a clear error or a right answer, and never a panic.

use proptest::prelude::*;
use verify_buildkit_cache::lint::{LintReport, MemoryFiles, lint as look_at_workflows};
use verify_buildkit_cache::source::Source;

use crate::{WORKFLOW, errors, files, look, said};

fn base(name: &str) -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(root.join("tests/fixtures/lint/base").join(name)).unwrap()
}

fn with(workflow: &str) -> LintReport {
    look(workflow, &base("Dockerfile"))
}

#[test]
fn line_ends_and_a_byte_order_mark_change_nothing() {
    let workflow =
        base("workflow.yml").replace("          context: .", "          no-cache: true\n          context: .");
    let plain = with(&workflow);
    assert_eq!(errors(&plain), ["no-cache-build"]);
    for text in [workflow.replace('\n', "\r\n"), format!("\u{feff}{workflow}")] {
        let report = look(&text, &base("Dockerfile").replace('\n', "\r\n"));
        assert_eq!(said(&report), said(&plain));
        let place = &report.findings[0].places[0];
        assert_eq!(&text[place.span.start..place.span.end], "true", "the caret is where it was");
    }
}

#[test]
fn anchors_and_aliases_are_followed() {
    let workflow = base("workflow.yml")
        .replace("    runs-on: ubuntu-latest\n", "    runs-on: ubuntu-latest\n    env: &shared\n      MAP: |\n        {\"go-mod\": \"/go/pkg/mod\", \"go-build\": \"/root/.cache/go-build\"}\n")
        .replace("          context: .\n", "          context: .\n        env: *shared\n");
    assert_eq!(said(&with(&workflow)), "");
    let broken = workflow
        .replace("    env: &shared", "    env: &shared\n      GO: &id go-mod")
        .replace("          path: |\n            go-mod\n            go-build\n", "          path: *id\n");
    assert_eq!(errors(&with(&broken)), ["cache-dir-mismatch"], "{}", said(&with(&broken)));
}

#[test]
fn what_is_no_workflow_is_refused_with_its_place() {
    for (text, part) in [
        ("jobs:\n\tbuild:\n", "workflow.yml:2:"),
        ("jobs:\n  a:\n    steps: []\n    steps: []\n", "workflow.yml:4:5: "),
        ("jobs: [", "workflow.yml:1:"),
        ("", "workflow.yml:1:1"),
        ("a: &a [*a]\njobs: {}\n", "workflow.yml:1:"),
        (
            "jobs:\n  a:\n    steps:\n      - uses: actions/cache@v4\n        with: {key: \"${{ github.sha\", path: x}\n",
            "workflow.yml:5:",
        ),
    ] {
        let report = with(text);
        assert_eq!(report.unread.len(), 1, "{text}");
        assert!(report.unread[0].message.contains(part), "{text}: {}", report.unread[0].message);
        assert!(report.findings.is_empty());
    }
}

#[test]
fn depth_and_size_have_their_ends() {
    let deep = format!("jobs: {}{}", "[".repeat(5000), "]".repeat(5000));
    assert_eq!(with(&deep).unread.len(), 1);
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\njobs: {}\n";
    assert_eq!(with(bomb).unread.len(), 1);
    // A megabyte of comments, and one of steps.
    let workflow = base("workflow.yml");
    let long =
        format!("{}{workflow}", "# a comment that says nothing at all, again and again and again\n".repeat(16_000));
    assert_eq!(said(&with(&long)), "");
    let steps = workflow.replace(
        "      - uses: docker/build-push",
        &format!(
            "{}      - uses: docker/build-push",
            "      - uses: docker/login-action@v3\n        with: {username: a, password: b}\n".repeat(3_000)
        ),
    );
    assert_eq!(said(&with(&steps)), "");
    let dockerfile = base("Dockerfile").replace("COPY . .", &format!("COPY . .\n{}", "ENV A=b\n".repeat(2_000)));
    assert_eq!(said(&look(&workflow, &dockerfile)), "");
}

#[test]
fn variables_that_name_themselves_have_an_end() {
    let workflow = base("workflow.yml")
        .replace("jobs:\n", "env:\n  A: ${{ env.B }}\n  B: ${{ env.A }}\njobs:\n")
        .replace("            go-mod\n", "            ${{ env.A }}\n");
    assert_eq!(errors(&with(&workflow)), [""; 0]);
}

#[test]
fn a_dockerfile_that_buildkit_refuses_is_named() {
    let report = look(&base("workflow.yml"), "FROM golang\nRUN --mount=type=cache,colour=red go build\n");
    assert_eq!(report.unread.len(), 1);
    assert!(report.unread[0].message.starts_with("Dockerfile:2: unexpected key 'colour'"), "{:?}", report.unread);
}

#[test]
fn what_only_a_run_knows_is_not_judged() {
    let plan = "      - run: ./plan.sh && docker buildx create --name mine --use\n        id: x\n\n      - uses: someone/s3-cache@v1\n\n";
    let workflow =
        base("workflow.yml").replace("      - uses: actions/cache", &format!("{plan}      - uses: actions/cache"));
    for (from, to) in [
        ("\"/go/pkg/mod\"", "\"${{ steps.x.outputs.target }}\""),
        ("            go-mod\n", "            ${{ vars.DIR }}\n"),
        (
            "          cache-map: |\n            {\n              \"go-mod\": \"/go/pkg/mod\",\n              \"go-build\": \"/root/.cache/go-build\"\n            }\n",
            "          cache-map: ${{ needs.plan.outputs.map }}\n",
        ),
        ("builder: ${{ steps.buildx.outputs.name }}", "builder: ${{ matrix.builder }}"),
        ("context: .", "context: .\n          no-cache: ${{ inputs.fresh }}"),
        ("context: .", "context: .\n          file: ${{ matrix.file }}"),
        ("context: .", "context: .\n          file: ../elsewhere/Dockerfile"),
        ("context: .", "context: https://github.com/a/b.git"),
        ("skip-extraction: ${{ steps.cache.outputs.cache-hit }}", "skip-extraction: ${{ secrets.SKIP }}"),
        ("actions/checkout@v4", "some/checkout@v1"),
        // Others than this program reads may carry, choose or build.
        ("builder: ${{ steps.buildx.outputs.name }}", "builder: mine"),
        ("            go-mod\n            go-build\n", "            elsewhere\n"),
    ] {
        assert!(workflow.contains(from), "{from}");
        let report = with(&workflow.replace(from, to));
        assert!(errors(&report).is_empty(), "{to}: {}", said(&report));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn no_damage_makes_it_panic(at in 0usize..1100, length in 0usize..60, put in "[ -~\n\t]{0,8}", in_docker in any::<bool>()) {
        let (mut workflow, mut dockerfile) = (base("workflow.yml"), base("Dockerfile"));
        let text = if in_docker { &mut dockerfile } else { &mut workflow };
        let at = at % text.len();
        let end = (at + length).min(text.len());
        text.replace_range(at..end, &put);
        let source = Source::new(WORKFLOW, workflow);
        let files: MemoryFiles = files(&dockerfile);
        let report = look_at_workflows(std::slice::from_ref(&source), &files);
        for finding in &report.findings {
            for place in &finding.places {
                let text = &report.sources[&place.file].text;
                prop_assert!(text.get(place.span.start..place.span.end).is_some(), "{} points outside", finding.code);
            }
        }
        let _ = verify_buildkit_cache::report::lint::text(&report, verify_buildkit_cache::report::lint::TextStyle { color: false, width: 80 });
        let mended = verify_buildkit_cache::lint::mend(std::slice::from_ref(&source), &files);
        prop_assert!(errors(&mended.report).len() <= errors(&report).len());
    }
}
