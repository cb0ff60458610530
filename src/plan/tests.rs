//! Tests of plans over whole workflows.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::workflow::tests::HEALTHY;

fn planned(text: &str) -> Result<JobPlan, PlanError> {
    let workflow = Workflow::parse(&Source::new("ci.yml", text)).unwrap();
    let job = workflow.job(None).unwrap();
    JobPlan::new(&workflow, job)
}

fn with_steps(steps: &str) -> String {
    format!("jobs:\n  build:\n    steps:\n{steps}      - uses: docker/build-push-action@v6\n")
}

fn refusal(text: &str) -> String {
    let error = planned(text).unwrap_err();
    format!("{error}\nhint: {}", error.hint().unwrap_or_default())
}

/// Lists what happens, one line each.
fn listing(plan: &JobPlan) -> String {
    let main = plan.steps.iter().map(|step| format!("{}: {:?}", step.display_name, step.action));
    let post = plan.post_steps.iter().map(|post| format!("{}: {:?}", post.display_name, post.condition));
    main.chain(post).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_healthy_workflow_runs_main_steps_in_order_and_post_steps_in_reverse() {
    assert_snapshot!(listing(&planned(HEALTHY).unwrap()), @r#"
    Run actions/checkout@v4: Checkout
    Set up Buildx: SetupBuildx
    Run actions/cache@0057852bfaa89a56745cba8c7296529d2fc39830: Cache(RestoreAndSave)
    Inject: Dance(InjectAndExtract)
    Run docker/build-push-action@v6: BuildPush
    Run make lint: NotReproduced { what: "run: make lint", builds: false }
    Post Run docker/build-push-action@v6: Always
    Post Inject: Success
    Post Run actions/cache@0057852bfaa89a56745cba8c7296529d2fc39830: Success
    Post Set up Buildx: Always
    Post Run actions/checkout@v4: Always
    "#);
}

#[test]
fn templates_and_names_are_kept_at_their_levels() {
    let plan = planned(HEALTHY).unwrap();
    assert_eq!(
        (plan.workflow_name.as_str(), plan.job_id.as_str(), plan.job_name.as_str()),
        ("Build", "image", "Image")
    );
    assert_eq!(plan.workflow_env.len(), 3);
    let cache = &plan.steps[2];
    assert_eq!(cache.input("KEY").unwrap().raw().matches("${{").count(), 3);
    assert_eq!(plan.env(cache, "CACHE_DIR").and_then(Template::literal), Some("buildkit-cache"));
    assert_eq!(plan.env(cache, "cache_dir"), None, "env is told apart by case on Linux");
    let listed: Vec<_> = plan.not_reproduced().map(|step| step.index).collect();
    assert_eq!(listed, [5]);
}

#[test]
fn forks_and_halves_of_the_dance_and_of_the_cache_are_known() {
    let plan = planned(&with_steps(
        "      - uses: Overmindtech/BuildKit-Cache-Dance/inject@main
      - uses: actions/cache/restore@v4
      - uses: hiromaily/buildkit-cache-dance@v4.3.0
      - uses: actions/cache/save@v4
      - uses: reproducible-containers/buildkit-cache-dance@v3.1.0
      - uses: reproducible-containers/buildkit-cache-dance@v2
      - uses: reproducible-containers/buildkit-cache-dance@v3.1
      - uses: reproducible-containers/buildkit-cache-dance@1b8ab18fbda5ad3646e3fcc9ed9dd41ce2f297b4
      - uses: reproducible-containers/buildkit-cache-dance@5de31fc3f1e8ed1ae2f9ba4ed8d0f5a8ebcb1b2b
      - uses: reproducible-containers/buildkit-cache-dance@0123456789abcdef0123456789abcdef01234567 # v3.1.0
      - uses: ./buildkit-cache-dance
      - uses: docker://alpine
      - uses: overmindtech/buildkit-cache-dance/extract@main
",
    ));
    assert_snapshot!(listing(&plan.unwrap()), @r#"
    Run Overmindtech/BuildKit-Cache-Dance/inject@main: Dance(Inject)
    Run actions/cache/restore@v4: Cache(Restore)
    Run hiromaily/buildkit-cache-dance@v4.3.0: Dance(InjectAndExtract)
    Run actions/cache/save@v4: Cache(Save)
    Run reproducible-containers/buildkit-cache-dance@v3.1.0: Dance(InjectAndExtract)
    Run reproducible-containers/buildkit-cache-dance@v2: Dance(InjectAndExtract)
    Run reproducible-containers/buildkit-cache-dance@v3.1: Dance(InjectAndExtract)
    Run reproducible-containers/buildkit-cache-dance@1b8ab18fbda5ad3646e3fcc9ed9dd41ce2f297b4: Dance(InjectAndExtract)
    Run reproducible-containers/buildkit-cache-dance@5de31fc3f1e8ed1ae2f9ba4ed8d0f5a8ebcb1b2b: Dance(InjectAndExtract)
    Run reproducible-containers/buildkit-cache-dance@0123456789abcdef0123456789abcdef01234567: Dance(InjectAndExtract)
    Run ./buildkit-cache-dance: NotReproduced { what: "./buildkit-cache-dance", builds: false }
    Run docker://alpine: NotReproduced { what: "docker://alpine", builds: false }
    Run overmindtech/buildkit-cache-dance/extract@main: Dance(Extract)
    Run docker/build-push-action@v6: BuildPush
    Post Run docker/build-push-action@v6: Always
    Post Run reproducible-containers/buildkit-cache-dance@0123456789abcdef0123456789abcdef01234567: Always
    Post Run reproducible-containers/buildkit-cache-dance@5de31fc3f1e8ed1ae2f9ba4ed8d0f5a8ebcb1b2b: Always
    Post Run reproducible-containers/buildkit-cache-dance@1b8ab18fbda5ad3646e3fcc9ed9dd41ce2f297b4: Success
    Post Run reproducible-containers/buildkit-cache-dance@v3.1: Success
    Post Run reproducible-containers/buildkit-cache-dance@v2: Always
    Post Run reproducible-containers/buildkit-cache-dance@v3.1.0: Always
    Post Run hiromaily/buildkit-cache-dance@v4.3.0: Success
    "#);
}

#[test]
fn a_job_that_does_not_build_is_refused_by_what_it_does_instead() {
    assert_snapshot!(refusal("jobs:\n  lint:\n    steps:\n      - uses: actions/checkout@v4\n      - run: make lint\n"), @r"
    ci.yml:2:3: no step of the job `lint` builds with docker/build-push-action; its steps are `Run actions/checkout@v4`, `Run make lint`
    hint: add a step `uses: docker/build-push-action@v6`, or choose another job with `--job NAME`
    ");
    assert_snapshot!(refusal("jobs:\n  b:\n    steps:\n      - name: Image\n        run: |\n          docker buildx bake\n"), @r"
    ci.yml:4:9: step `Image` of the job `b` builds with `docker buildx bake`, which is not reproduced: line 1 of the script: `docker buildx bake` is not understood
    hint: write the build as `uses: docker/build-push-action@v6` with its inputs, or as a plain `docker buildx build` command
    ");
    assert_snapshot!(refusal("jobs:\n  b:\n    steps:\n      - uses: docker/bake-action@v5\n"), @r"
    ci.yml:4:9: step `Run docker/bake-action@v5` of the job `b` builds with `docker/bake-action@v5`, which is not reproduced
    hint: write the build as `uses: docker/build-push-action@v6` with its inputs, or as a plain `docker buildx build` command
    ");
    assert_snapshot!(refusal("jobs:\n  b:\n    steps:\n      - uses: ./make-image\n"), @r"
    ci.yml:4:9: no step of the job `b` is known to build an image; step `Run ./make-image` may: the code of this local action is not run here
    hint: give the workflow of the job that builds, or write the build as a step of its own
    ");
}

#[test]
fn an_expression_that_does_not_parse_is_refused_with_its_place() {
    let cache =
        "      - uses: actions/cache@v4\n        with:\n          path: |\n            a\n            ${{ env.DIR";
    assert_snapshot!(refusal(&with_steps(&format!("{cache}\n"))), @r"
    ci.yml:8:13: `${{` is never closed by `}}`
    hint: close the expression with `}}`
    ");
    assert_snapshot!(refusal(&with_steps(&format!("{cache} + 1 }}}}\n"))), @r"
    ci.yml:8:25: cannot read the expression `env.DIR + 1`: invalid numeric literal
    hint:
    ");
    assert_snapshot!(refusal(&with_steps("      - run: x\n        if: env.A = 'b'\n")), @r"
    ci.yml:5:19: cannot read the expression `env.A = 'b'`: expected `==`
    hint:
    ");
}

#[test]
fn a_job_may_do_with_the_cache_what_its_mode_says_less_what_its_event_is_not_trusted_with() {
    let plan = |mode: &str, event: &str| {
        let text = with_steps("").replacen("jobs:", &format!("cache-mode: {mode}\njobs:"), 1);
        let mut plan = planned(&text).unwrap();
        plan.trigger = Trigger::on_branch(event, DEFAULT_BRANCH);
        plan.permission()
    };
    assert_eq!(plan("write", "push"), Permission::Write);
    assert_eq!(plan("read", "push"), Permission::Read);
    assert_eq!(plan("write", "issue_comment"), Permission::Read);
    assert_eq!(plan("write-only", "issue_comment"), Permission::None);
}

#[test]
fn a_key_is_constant_only_if_the_variables_it_names_are() {
    let plan = |value: &str, key: &str| {
        let step = format!(
            "      - uses: actions/cache@v4\n        env: {{V: \"{value}\"}}\n        with: {{key: \"{key}\"}}\n"
        );
        planned(&with_steps(&step)).unwrap()
    };
    let constant = |value: &str, key: &str| {
        let plan = plan(value, key);
        let step = &plan.steps[0];
        plan.constant_over_runs(step, step.input("key").unwrap())
    };
    assert!(constant("v1", "go-${{ env.V }}"));
    assert!(!constant("${{ github.sha }}", "go-${{ env.V }}"));
    assert!(!constant("v1", "go-${{ toJSON(env) }}"));
    assert!(constant("${{ env.V }}", "go-${{ env.V }}"), "a variable that names itself ends the search");
}

proptest! {
    #[test]
    fn a_damaged_workflow_is_planned_or_refused(
        at in 0..HEALTHY.len(), length in 0..40_usize, put in "[ -~\n]{0,6}"
    ) {
        let end = (at + length).min(HEALTHY.len());
        let damaged = format!("{}{put}{}", &HEALTHY[..at], &HEALTHY[end..]);
        let source = Source::new("ci.yml", damaged);
        if let Ok(workflow) = Workflow::parse(&source)
            && let Ok(job) = workflow.job(None)
            && let Ok(plan) = JobPlan::new(&workflow, job)
        {
            prop_assert_eq!(plan.steps.len(), job.steps.len(), "no step is dropped");
            prop_assert!(plan.post_steps.iter().map(|post| post.of).rev().is_sorted());
        }
    }
}
