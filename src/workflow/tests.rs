//! Tests of the reader on whole workflows.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::source::{Source, Span};

/// The healthy set-up, with the forms of YAML people use.
pub(crate) const HEALTHY: &str = r#"name: Build
on:
  push: { branches: [main] }
env:
  CACHE_DIR: buildkit-cache
  RETRIES: 3
  PROGRESS: plain
defaults:
  run: { working-directory: ./service }
permissions: read-all
jobs:
  image:
    name: Image
    runs-on: ubuntu-latest
    env: &build
      GO_VERSION: 1.20
    steps:
      - uses: actions/checkout@v4
      - name: Set up Buildx
        id: buildx
        uses: docker/setup-buildx-action@v3
      - uses: actions/cache@0057852bfaa89a56745cba8c7296529d2fc39830 # v4.3.0
        id: cache
        with:
          path: ${{ env.CACHE_DIR }}
          key: go-${{ runner.os }}-${{ hashFiles('**/go.sum', 'Dockerfile') }}-${{ github.sha }}
          restore-keys: |
            go-${{ runner.os }}-${{ hashFiles('**/go.sum', 'Dockerfile') }}-
            go-${{ runner.os }}-
      - name: Inject
        uses: reproducible-containers/buildkit-cache-dance@v3.3.2
        with:
          builder: ${{ steps.buildx.outputs.name }}
          cache-map: |
            {
              "buildkit-cache/go-mod": {"id": "go-mod", "target": "/go/pkg/mod"},
              "buildkit-cache/go-build": {"id": "go-build", "target": "/root/.cache/go-build"}
            }
          skip-extraction: ${{ steps.cache.outputs.cache-hit }}
      - uses: docker/build-push-action@v6
        if: github.ref == 'refs/heads/main'
        env: *build
        with:
          context: .
          push: false
          tags: |
            app:latest
      - run: |
          make lint
          make vet
        continue-on-error: true
"#;

fn parse(text: &str) -> Result<Workflow, WorkflowError> {
    Workflow::parse(&Source::new("ci.yml", text))
}

fn refusal(text: &str) -> String {
    let error = parse(text).unwrap_err();
    match error.hint() {
        Some(hint) => format!("{error}\nhint: {hint}"),
        None => error.to_string(),
    }
}

fn job(steps: &str) -> String {
    format!("on: push\njobs:\n  build:\n    steps:\n{steps}")
}

#[test]
fn a_cache_mode_is_read_with_its_place_and_an_unknown_one_is_refused() {
    let text = |top: &str, own: &str| format!("on: push\n{top}jobs:\n  b:\n{own}    steps:\n      - run: make\n");
    let workflow = parse(&text("cache-mode: read\n", "    cache-mode: write-only\n")).unwrap();
    assert_eq!(workflow.cache_mode.as_ref().map(|mode| mode.value.as_str()), Some("read"));
    assert_eq!(workflow.jobs[0].cache_mode.as_ref().map(|mode| mode.value.as_str()), Some("write-only"));
    assert_snapshot!(refusal(&text("", "    cache-mode: readonly\n")), @r"
    ci.yml:4:17: `cache-mode: readonly` is none of `read`, `write`, `write-only`, `none`
    hint: leave it out for the usual `write`
    ");
}

#[test]
fn jobs_have_labels_and_a_matrix() {
    let workflow = parse(
        "jobs:\n  a:\n    runs-on: [self-hosted, linux]\n    strategy: {matrix: {x: [1]}}\n    steps: [{run: make}]\n  \
         b:\n    runs-on: {group: big}\n    container: alpine\n    steps: [{run: make}]\n",
    )
    .unwrap();
    let [a, b] = workflow.jobs.as_slice() else { unreachable!() };
    assert!(a.matrix.is_some() && a.runs_on.as_ref().unwrap().len() == 2 && !a.in_container);
    assert!(b.runs_on.is_none() && b.in_container);
}

#[test]
fn the_healthy_workflow_is_read_with_its_places() {
    let workflow = parse(HEALTHY).unwrap();
    let job = workflow.job(None).unwrap();
    assert_eq!(
        (workflow.name.as_deref(), job.id.as_str(), job.name.as_deref()),
        (Some("Build"), "image", Some("Image"))
    );
    assert_eq!(workflow.env.get("retries").unwrap().value, "3");
    assert_eq!(job.env.get("GO_VERSION").unwrap().value, "1.2", "GitHub reads 1.20 as a number");
    assert_eq!(workflow.working_directory.as_ref().unwrap().value, "./service");
    assert_eq!(job.steps.len(), 6);

    let StepAction::Uses(cache) = &job.steps[2].action else { panic!("the cache step uses an action") };
    assert_eq!(cache.version(), Some((4, Some(3), Some(0))));
    assert_eq!(workflow.source().cite(cache.span), "ci.yml:22:15");
    let restore_keys = job.steps[2].with.get("Restore-Keys").unwrap();
    assert_eq!(restore_keys.value.lines().count(), 2);
    assert_eq!(job.steps[4].with.get("push").unwrap().value, "false");
    assert_eq!(job.steps[4].env.get("GO_VERSION").unwrap().value, "1.2", "an alias stands for its anchor");
    assert_eq!(job.steps[4].condition.as_ref().unwrap().value, "github.ref == 'refs/heads/main'");
    assert_eq!(job.steps[5].continue_on_error.as_ref().unwrap().value, "true");
    assert!(matches!(&job.steps[5].action, StepAction::Run { script } if script.value == "make lint\nmake vet\n"));
}

#[test]
fn spans_hold_the_text_they_name() {
    let workflow = parse(HEALTHY).unwrap();
    let at = |span: Span| &HEALTHY[span.start..span.end];
    let cache = &workflow.jobs[0].steps[2];
    assert_eq!(at(cache.with.get("path").unwrap().span), "${{ env.CACHE_DIR }}");
    assert_eq!(at(workflow.jobs[0].span), "image");
    assert!(at(cache.span).starts_with("uses: actions/cache@") && at(cache.span).contains("restore-keys"));
}

#[test]
fn every_form_of_on_and_unknown_keys_are_passed_over() {
    for on in ["on: push", "on: [push, pull_request]", "'on': {push: null}", "true: push", "\"on\":\n  schedule: []"] {
        let text = format!("{on}\nfuture-key: [1, {{a: b}}]\njobs: {{b: {{x: 1, steps: [{{run: a, y: ~}}]}}}}\n");
        assert_eq!(parse(&text).unwrap().jobs.len(), 1, "{on}");
    }
}

#[test]
fn scalars_render_as_on_github() {
    let with = "{a: true, b: 1.0, c: 0x1F, d: ~, e: '1.0', f: yes, g: 1e3, h: v1, i: .5, j: True, k: 1.2.3}";
    let workflow = parse(&job(&format!("      - uses: a/b@v1\n        with: {with}"))).unwrap();
    let values: Vec<_> = workflow.jobs[0].steps[0].with.iter().map(|(_, value)| value.value.as_str()).collect();
    assert_eq!(values, ["true", "1", "31", "", "1.0", "yes", "1000", "v1", "0.5", "true", "1.2.3"]);
}

#[test]
fn what_is_no_workflow_is_refused_with_its_place() {
    assert_snapshot!(refusal("jobs: [\n"), @"ci.yml:1:7: not YAML: unclosed bracket '['");
    assert_snapshot!(refusal("\tjobs: 1\n"), @"ci.yml:1:8: `jobs` must be a mapping, not a single value");
    assert_snapshot!(refusal(""), @r"
    ci.yml:1:1: a workflow must be a mapping, not an empty file
    hint: give a file as in .github/workflows, with `jobs:` and in it a job with `steps:`
    ");
    assert_snapshot!(refusal("- a\n"), @r"
    ci.yml:1:1: a workflow must be a mapping, not a list
    hint: give a file as in .github/workflows, with `jobs:` and in it a job with `steps:`
    ");
    assert_snapshot!(refusal("on: push\n"), @r"
    ci.yml:1:1: the workflow has no `jobs`
    hint: give a file as in .github/workflows, with `jobs:` and in it a job with `steps:`
    ");
    assert_snapshot!(refusal("jobs:\n"), @r"
    ci.yml:1:1: the workflow has no `jobs`
    hint: give a file as in .github/workflows, with `jobs:` and in it a job with `steps:`
    ");
    assert_snapshot!(refusal("jobs: {}\n---\na: 1\n"), @r"
    ci.yml:2:1: a second YAML document begins
    hint: keep one workflow in a file
    ");
    assert_snapshot!(refusal("jobs:\n  a: {steps: [{run: x}]}\n  A: {steps: [{run: x}]}\n"), @r"
    ci.yml:3:3: the key `A` stands already on line 2
    hint: remove one of the two; GitHub refuses the file
    ");
    assert_snapshot!(refusal("jobs:\n  build:\n    runs-on: x\n"), @r"
    ci.yml:2:3: the job `build` has no `steps`
    hint: give the job `steps:`
    ");
    assert_snapshot!(refusal("jobs:\n  build: *nowhere\n"), @"ci.yml:2:10: not YAML: while parsing node, found unknown anchor");
    assert_snapshot!(refusal("jobs: &a\n  build: *a\n"), @"ci.yml:2:10: not YAML: an alias names its own parent");
}

#[test]
fn steps_github_refuses_are_refused_with_their_place() {
    assert_snapshot!(refusal(&job("      - uses: a/b@v1\n        run: x\n")), @r"
    ci.yml:5:15: step 1 has both `uses` and `run`
    hint: split it into two steps
    ");
    assert_snapshot!(refusal(&job("      - run: x\n      - name: nothing\n")), @r"
    ci.yml:6:9: step 2 has neither `uses` nor `run`
    hint: give the step one of the two
    ");
    assert_snapshot!(refusal(&job("      - uses: actions/cache\n")), @r"
    ci.yml:5:15: `uses: actions/cache` has no `@` with a tag, branch or commit
    hint: write `uses: actions/cache@v…` with the action's version
    ");
    assert_snapshot!(refusal(&job("      - uses: cache@v4\n")), @r"
    ci.yml:5:15: `uses: cache@v4` names no `owner/repository`
    hint: write `owner/repository@version`, `./path` or `docker://image`
    ");
    assert_snapshot!(refusal(&job("      - {run: x, id: a}\n      - {run: y, id: A}\n")), @r"
    ci.yml:6:22: the step id `A` is taken by the step on line 5
    hint: give each step of a job its own id
    ");
    assert_snapshot!(refusal(&job("      - run: x\n        if: !cancelled()\n")), @r"
    ci.yml:6:25: YAML reads `!cancelled()` as a tag, so the `if` is empty
    hint: write the condition as `if: ${{ !… }}`
    ");
    assert_snapshot!(refusal(&job("      - uses: a/b@v1\n        with:\n          cache-map: {a: b}\n")), @r"
    ci.yml:7:22: `with.cache-map` must be a single value, not a mapping
    hint: write the value as a block text: `|` behind the key, the JSON on the lines below
    ");
    assert_snapshot!(refusal(&job("      - uses: a/b@v1\n        with: [a]\n")), @"ci.yml:6:15: `with` must be a mapping, not a list");
    assert_snapshot!(refusal("jobs:\n  build:\n    steps: make\n"), @"ci.yml:3:12: `jobs.build.steps` must be a list, not a single value");
}

#[test]
fn a_job_is_chosen_by_name_or_because_it_alone_builds() {
    let build = "{steps: [{uses: docker/build-push-action@v6}]}";
    let two = format!("jobs:\n  lint: {{steps: [{{run: x}}]}}\n  image: {build}\n");
    assert_eq!(parse(&two).unwrap().job(None).unwrap().id, "image");
    assert_eq!(parse(&two).unwrap().job(Some("lint")).unwrap().id, "lint");

    let three = format!("{two}  other: {build}\n  call: {{uses: ./.github/workflows/x.yml}}\n");
    let workflow = parse(&three).unwrap();
    let refusal = |select| {
        let error = workflow.job(select).unwrap_err();
        format!("{error}\nhint: {}", error.hint().unwrap())
    };
    assert_snapshot!(refusal(None), @r"
    ci.yml:2:3: the workflow has several jobs: `lint` (line 2), `image` (line 3), `other` (line 4), `call` (line 5)
    hint: choose one with `--job NAME`
    ");
    assert_snapshot!(refusal(Some("deploy")), @r"
    ci.yml:2:3: there is no job `deploy`; the workflow has `lint` (line 2), `image` (line 3), `other` (line 4), `call` (line 5)
    hint: choose one with `--job NAME`
    ");
    assert_snapshot!(refusal(Some("call")), @r"
    ci.yml:5:3: the job `call` calls the workflow `./.github/workflows/x.yml` and has no steps of its own
    hint: give the called workflow's file instead
    ");
}

#[test]
fn aliases_that_multiply_and_deep_nesting_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    assert_eq!(parse(&bomb).unwrap_err().problem, WorkflowProblem::TooLarge);
    let deep = format!("a: {}{}", "[".repeat(200), "]".repeat(200));
    assert_eq!(parse(&deep).unwrap_err().problem, WorkflowProblem::TooLarge);
}

proptest! {
    #[test]
    fn expressions_are_found_where_they_stand(
        before in "[a-z {}$'é]{0,12}", after in "[a-z {}$'é]{0,12}", style in prop::sample::select(vec!["|", ">-", "'"])
    ) {
        let quote = |text: &str| if style == "'" { text.replace('\'', "''") } else { text.to_owned() };
        let (open, close) = if style == "'" { ("'".to_owned(), "'") } else { (format!("{style}\n            "), "") };
        let line = format!("x {}\n            y{}${{{{ env.A }}}}{}", quote(&before), quote(&before), quote(&after));
        let text = job(&format!("      - uses: a/b@v1\n        with:\n          k: {open}{line}{close}\n"));
        prop_assume!(!before.contains("${{") && !after.contains("${{") && !before.ends_with('$'));
        let workflow = parse(&text).unwrap();
        let value = workflow.jobs[0].steps[0].with.get("k").unwrap();
        let broken = value.clone().map(|value| value.replace("env.A", "nil.A"));
        let source = text.replace("env.A", "nil.A");
        let span = expr::Template::parse(&broken, &source).unwrap_err().span();
        prop_assert_eq!(&source[span.start..span.end], "nil.A");
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        let _ = parse(&text);
    }

    #[test]
    fn any_yaml_like_text_is_read_or_refused(text in "[a-c:\\-\\[\\]{}&*!|>'\"# \n\t,?%@é]{0,80}") {
        let _ = parse(&text);
        let _ = parse(&format!("jobs:\n  a:\n    steps:\n      - {text}"));
    }

    #[test]
    fn a_damaged_workflow_is_read_or_refused(
        at in 0..HEALTHY.len(), length in 0..60_usize, put in "[ -~\n]{0,6}"
    ) {
        prop_assume!(HEALTHY.is_char_boundary(at));
        let end = (at + length).min(HEALTHY.len());
        let damaged = format!("{}{put}{}", &HEALTHY[..at], &HEALTHY[end..]);
        if let Ok(workflow) = parse(&damaged) {
            let _ = workflow.job(None);
            for step in workflow.jobs.iter().flat_map(|job| &job.steps) {
                for (_, value) in step.with.iter() {
                    let _ = expr::Template::parse(value, &damaged);
                }
            }
        }
    }
}
