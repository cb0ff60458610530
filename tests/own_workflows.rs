//! A person's own repository on the engine in memory: what is run of its workflow, what is refused, and what is judged.
//!
//! Each test is one kind of repository. What a run says live must be what its logs say, as everywhere.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is missing")]

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use verify_buildkit_cache::dance::DanceCode;
use verify_buildkit_cache::engine::Fake;
use verify_buildkit_cache::evidence::Evidence;
use verify_buildkit_cache::log::LogReader;
use verify_buildkit_cache::plan::{self, Given, Secret};
use verify_buildkit_cache::runner::{
    self, Clock, Experiment, NamespaceLedger, PlannedRun, Project, RepositoryDir, dockerfile_of,
};
use verify_buildkit_cache::scenario::{EditName, GoRelease, TriggerEvent};
use verify_buildkit_cache::source::Source;
use verify_buildkit_cache::verify::{self, Case, CaseSource, Profile, Report, Severity, Thresholds};
use verify_buildkit_cache::workflow::Workflow;

const IMAGE: &str = "golang:1.25";

const DOCKERFILE: &str = "FROM golang:1.25 AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build go build -o /x .
";

/// A repository, and what a person says of it.
struct Repository {
    files: Vec<(&'static str, String)>,
    given: Given,
    event: Option<&'static str>,
    git_ref: Option<&'static str>,
    modules: usize,
}

/// What came of it.
struct Ended {
    report: Report,
    logs: String,
    assumed: Vec<String>,
}

impl Repository {
    fn new(workflow: &str) -> Self {
        let files = vec![
            (".github/workflows/ci.yml", workflow.to_owned()),
            ("Dockerfile", DOCKERFILE.to_owned()),
            ("go.mod", "module m\n\ngo 1.25\n\nrequire example.com/a v1.0.0\n".to_owned()),
            ("go.sum", "example.com/a v1.0.0 h1:x\n".to_owned()),
            ("main.go", "package main\n\nfunc main() {}\n".to_owned()),
        ];
        Self { files, given: Given::default(), event: None, git_ref: None, modules: 12 }
    }

    fn file(mut self, path: &'static str, text: &str) -> Self {
        self.files.retain(|(known, _)| *known != path);
        self.files.push((path, text.to_owned()));
        self
    }

    fn given(mut self, change: impl FnOnce(&mut Given)) -> Self {
        change(&mut self.given);
        self
    }

    /// Runs it twice and judges it; what stops it is an error in words, with its hint.
    fn run(&self) -> Result<Ended, String> {
        let memory = Path::new("/dev/shm");
        let dir = tempfile::tempdir_in(if memory.is_dir() { memory } else { Path::new("/tmp") }).unwrap();
        let (project, evidence, scratch) = (dir.path().join("p"), dir.path().join("e"), dir.path().join("s"));
        for place in [&project, &evidence, &scratch] {
            fs::create_dir(place).unwrap();
        }
        for (path, text) in &self.files {
            fs::create_dir_all(project.join(path).parent().unwrap()).unwrap();
            fs::write(project.join(path), text).unwrap();
        }
        let source = Source::new("ci.yml", self.files[0].1.clone());
        let source = self
            .files
            .iter()
            .find(|(path, _)| path.ends_with("ci.yml"))
            .map_or(source, |(_, text)| Source::new("ci.yml", text.clone()));
        let words = |error: String, hint: Option<String>| format!("{error} [{}]", hint.unwrap_or_default());
        let workflow = Workflow::parse(&source).map_err(|error| words(error.to_string(), error.hint()))?;
        let mut runs = Vec::new();
        for number in 1..=2 {
            let trigger = plan::choose_event(&workflow, self.event, self.git_ref, number);
            let happening = TriggerEvent {
                trigger: trigger.map_err(|error| error.to_string())?,
                days: 0,
                edits: vec![EditName::Source; number as usize - 1],
                commit: number,
                damage: None,
                go: GoRelease::Current,
                workflow: source.clone(),
                dockerfile: source.clone(),
                expect: None,
            };
            let files = RepositoryDir(project.clone());
            let mut run = PlannedRun::with(&happening, None, &self.given, &files)
                .map_err(|error| words(error.to_string(), error.hint()))?;
            run.dockerfile = dockerfile_of(&run.plan, &project).ok_or("no Dockerfile was found")?;
            runs.push(run);
        }
        let mut assumed: Vec<String> = runs[0].plan.assumed.clone();
        let experiment = Experiment {
            runs,
            project: Project::Directory(project),
            control: false,
            go_image: None,
            evidence: evidence.clone(),
            scratch,
            session: "own".to_owned(),
            user: verify_buildkit_cache::runner::RunnerUser::default(),
            real: None,
            clock: Clock::new(ticking),
        };
        let mut engine = Fake::new([IMAGE]);
        engine.modules = self.modules;
        (engine.module_bytes, engine.build_bytes, engine.scale) = (700_000, 2_400_000, 15);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (ledger, mut watch) = (NamespaceLedger::default(), |_| {});
        let outcome = runtime.block_on(runner::run(&engine, &experiment, &ledger, &mut watch));
        let outcome = outcome.map_err(|error| words(error.to_string(), error.hint()))?;
        assumed.extend(outcome.assumed.clone());
        let log = |number| fs::read_to_string(evidence.join(format!("run-{number}/job.log"))).unwrap();
        let logs: Vec<String> = (1..=2).map(log).collect();
        let live = judged(outcome.runs.iter().map(|run| Evidence::fold(run.name.clone(), &run.events)).collect());
        let read = |(text, number): (&String, u32)| {
            let mut reader = LogReader::new(&format!("run-{number}/job.log"));
            reader.feed(text.as_bytes());
            reader.finish().remove(0).evidence()
        };
        let logged = judged(logs.iter().zip(1..).map(read).collect());
        assert_eq!(live.verdict, logged.verdict, "live, and by its logs:\n{logged:#?}\n{}", logs.join("\n"));
        Ok(Ended { report: live, logs: logs.join("\n"), assumed })
    }

    /// The verdict and the codes.
    fn verdict(&self) -> String {
        match self.run() {
            Ok(ended) => told(&ended.report),
            Err(error) => panic!("{error}"),
        }
    }

    /// What stops it.
    fn refusal(&self) -> String {
        match self.run() {
            Ok(ended) => panic!("{}\n{}", told(&ended.report), ended.logs),
            Err(error) => error,
        }
    }
}

fn judged(runs: Vec<Evidence>) -> Report {
    let thresholds = Thresholds { min_restore: 1_000, ..Thresholds::default() };
    verify::verify(&Case { runs, source: CaseSource::Live, thresholds, profile: Profile::Auto })
}

fn told(report: &Report) -> String {
    let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let codes: Vec<String> = errors.map(|finding| finding.code.to_string()).collect();
    format!("{} {}", report.verdict.as_str(), codes.join(" ")).trim().to_owned()
}

fn ticking() -> SystemTime {
    thread_local!(static LOOKS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) });
    let looks = LOOKS.get();
    LOOKS.set(looks + 1);
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_760_000_000) + Duration::from_millis(50 * looks)
}

const CACHE: &str = "      - uses: actions/cache@v4
        id: cache
        with:
          path: |
            mod
            build
          key: k-${{ hashFiles('go.sum') }}-${{ github.sha }}
          restore-keys: k-
";

const DANCE: &str = "      - uses: reproducible-containers/buildkit-cache-dance@v3.3.2
        with:
          builder: ${{ steps.buildx.outputs.name }}
          cache-map: |
            {\"mod\": \"/go/pkg/mod\", \"build\": \"/root/.cache/go-build\"}
          skip-extraction: ${{ steps.cache.outputs.cache-hit }}
";

const BUILD: &str = "      - uses: docker/build-push-action@v6
        with:
          context: .
";

const SET_UP: &str = "      - uses: actions/checkout@v4
      - uses: docker/setup-buildx-action@v3
        id: buildx
";

fn job(on: &str, head: &str, steps: &[&str]) -> String {
    format!("on:\n{on}jobs:\n  image:\n    runs-on: ubuntu-latest\n{head}    steps:\n{}", steps.concat())
}

fn push(steps: &[&str]) -> Repository {
    Repository::new(&job("  push:\n", "", steps))
}

#[test]
fn a_healthy_workflow_is_effective() {
    assert_eq!(push(&[SET_UP, CACHE, DANCE, BUILD]).verdict(), "effective");
}

#[test]
fn a_path_from_a_step_that_is_not_run_stops_the_run_until_it_is_given() {
    let step = "      - id: dir\n        run: echo \"path=cache\" >> \"$GITHUB_OUTPUT\"\n";
    let cache = CACHE.replace("            mod\n            build\n", "            cache\n");
    let dance = DANCE.replace("\"mod\"", "\"${{ steps.dir.outputs.path }}/mod\"");
    let dance = dance.replace("\"build\"", "\"${{ steps.dir.outputs.path }}/build\"");
    let repository = push(&[SET_UP, step, &cache, &dance, BUILD]);
    let refusal = repository.refusal();
    assert!(refusal.starts_with("ci.yml:23:19: "), "{refusal}");
    for word in [
        "`cache-map`",
        "`steps.dir.outputs.path`",
        "comes from step `Run echo",
        "(ci.yml:10)",
        "--set steps.dir.outputs.path=VALUE",
    ] {
        assert!(refusal.contains(word), "{word}: {refusal}");
    }
    let repository = repository.given(|given| given.values.push(("steps.dir.outputs.path".into(), "cache".into())));
    assert_eq!(repository.verdict(), "effective");
}

#[test]
fn what_nobody_here_knows_is_never_an_empty_text() {
    for (expression, supply) in [
        ("${{ vars.PREFIX }}", "--var PREFIX=VALUE"),
        ("${{ secrets.PREFIX }}", "--secret PREFIX=VALUE"),
        ("${{ needs.a.outputs.b }}", "--set needs.a.outputs.b=VALUE"),
        ("${{ github.event.head_commit.id }}", "--set github.event.head_commit.id=VALUE"),
        ("${{ steps.buildx.outputs.platforms }}", "--set steps.buildx.outputs.platforms=VALUE"),
        ("${{ fromJSON('no') }}", ""),
    ] {
        let refusal =
            push(&[SET_UP, &CACHE.replace("key: k-", &format!("key: k-{expression}")), DANCE, BUILD]).refusal();
        assert!(refusal.contains("`key` of step `Run actions/cache@v4`"), "{expression}: {refusal}");
        assert!(refusal.contains(supply), "{expression}: {refusal}");
    }
    // Where it decides nothing, it is nobody's business.
    let build = format!("{BUILD}          tags: ${{{{ vars.NAME }}}}:${{{{ steps.meta.outputs.version }}}}\n");
    assert_eq!(push(&[SET_UP, CACHE, DANCE, &build]).verdict(), "effective");
}

#[test]
fn a_variable_that_a_script_may_have_set_is_unknown() {
    let script = "      - run: echo \"DIR=mod\" >> $GITHUB_ENV\n";
    let cache = CACHE.replace("            mod\n", "            ${{ env.DIR }}\n");
    let refusal = push(&[SET_UP, script, &cache, DANCE, BUILD]).refusal();
    assert!(refusal.contains("`env.DIR`, which may be set by step `Run echo"), "{refusal}");
    let other = script.replace("DIR=", "OTHER=");
    let known =
        Repository::new(&job("  push:\n", "    env:\n      DIR: mod\n", &[SET_UP, &other, &cache, DANCE, BUILD]));
    assert_eq!(known.verdict(), "effective");
}

#[test]
fn a_condition_that_cannot_be_decided_stops_the_run() {
    let dance = DANCE.replace("        with:", "        if: github.repository == 'a/b'\n        with:");
    let repository = push(&[SET_UP, CACHE, &dance, BUILD]);
    let refusal = repository.refusal();
    assert!(
        refusal.contains("the condition of step") && refusal.contains("--set github.repository=VALUE"),
        "{refusal}"
    );
    assert_eq!(
        repository.given(|given| given.values.push(("github.repository".into(), "a/b".into()))).verdict(),
        "effective"
    );
}

#[test]
fn a_secret_is_used_and_written_nowhere() {
    let repository = push(&[
        SET_UP,
        &CACHE.replace("key: k-", "key: k-${{ secrets.WORD }}-").replace("keys: k-", "keys: k-${{ secrets.WORD }}-"),
        DANCE,
        BUILD,
    ]);
    let ended = repository.given(|given| given.secrets.push(("WORD".into(), Secret::new("hush7hush")))).run();
    let ended = ended.unwrap_or_else(|error| panic!("{error}"));
    assert!(!ended.logs.contains("hush7hush") && ended.logs.contains("key: k-***-"), "{}", ended.logs);
}

#[test]
fn the_first_combination_of_a_matrix_is_run_and_said() {
    let workflow = job(
        "  push:\n",
        "    strategy:\n      matrix:\n        dir: [mod, other]\n",
        &[
            SET_UP,
            &CACHE.replace("            mod\n", "            ${{ matrix.dir }}\n"),
            &DANCE.replace("\"mod\"", "\"${{ matrix.dir }}\""),
            BUILD,
        ],
    );
    let ended = Repository::new(&workflow).run().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(told(&ended.report), "effective");
    assert_eq!(
        ended.assumed,
        ["of 2 combinations of the matrix one is run (dir: mod); choose another with `--matrix NAME=VALUE`"]
    );
    let none = Repository::new(&workflow).given(|given| given.matrix.push(("dir".into(), "x".into()))).refusal();
    assert!(
        none.contains("no combination of the matrix of the job `image` has dir=x; there are (dir: mod), (dir: other)"),
        "{none}"
    );
}

#[test]
fn a_composite_action_is_followed_with_its_inputs_and_outputs() {
    let action = format!(
        "name: caches\ninputs:\n  builder: {{required: true}}\n  dir: {{default: mod}}\noutputs:\n  hit:\n    value: ${{{{ steps.cache.outputs.cache-hit }}}}\n\
         runs:\n  using: composite\n  steps:\n{}",
        [
            CACHE.replace("            mod\n", "            ${{ inputs.dir }}\n"),
            DANCE.replace("steps.buildx.outputs.name", "inputs.builder")
        ]
        .concat()
        .replace("\n      ", "\n    ")
        .replacen("      ", "    ", 1)
    );
    let uses = "      - uses: ./.github/actions/caches\n        id: caches\n        with:\n          builder: ${{ steps.buildx.outputs.name }}\n";
    let build = format!("{}{BUILD}", "      - if: steps.caches.outputs.hit == 'true'\n        run: exit 1\n");
    let repository = push(&[SET_UP, uses, &build]).file(".github/actions/caches/action.yml", &action);
    assert_eq!(repository.verdict(), "effective");
    // With its `if:` false, nothing of it runs.
    let skipped =
        push(&[SET_UP, &uses.replace("        id:", "        if: github.ref == 'refs/heads/x'\n        id:"), BUILD]);
    assert_eq!(skipped.file(".github/actions/caches/action.yml", &action).verdict(), "ineffective dance-skipped");
}

#[test]
fn a_called_workflow_is_followed_with_its_inputs_and_secrets() {
    let called = job(
        "  workflow_call:\n    inputs:\n      dir: {type: string, required: true}\n      extract: {type: boolean, default: true}\n",
        "",
        &[
            SET_UP,
            &CACHE
                .replace("            mod\n", "            ${{ inputs.dir }}\n")
                .replace("key: k-", "key: k-${{ secrets.word }}-"),
            &DANCE
                .replace("\"mod\"", "\"${{ inputs.dir }}\"")
                .replace("steps.cache.outputs.cache-hit", "!inputs.extract"),
            BUILD,
        ],
    );
    let caller = "on: push\njobs:\n  call:\n    uses: ./.github/workflows/build.yml\n    with: {dir: mod}\n    secrets:\n      word: ${{ secrets.TOP }}\n";
    let repository = Repository::new(caller).file(".github/workflows/build.yml", &called);
    let refusal = repository.refusal();
    assert!(refusal.starts_with(".github/workflows/build.yml:"), "{refusal}");
    assert!(
        refusal.contains("`secrets.word`, which comes from `secrets.TOP`") && refusal.contains("--secret TOP"),
        "{refusal}"
    );
    assert_eq!(
        repository.given(|given| given.secrets.push(("TOP".into(), Secret::new("x1y2")))).verdict(),
        "effective"
    );
    let absent = Repository::new(caller).refusal();
    assert!(absent.contains("calls the workflow `./.github/workflows/build.yml`, which was not found"), "{absent}");
}

#[test]
fn a_workflow_that_can_only_be_called_has_the_defaults_of_its_inputs() {
    let on = "  workflow_call:\n    inputs:\n      push: {type: boolean, default: true}\n";
    let dance = DANCE.replace("steps.cache.outputs.cache-hit", "!inputs.push");
    let repository = Repository::new(&job(on, "", &[SET_UP, CACHE, &dance, BUILD]));
    assert_eq!(repository.verdict(), "effective");
    let not = repository.given(|given| given.inputs.push(("push".into(), "false".into())));
    assert_eq!(not.verdict(), "ineffective extract-skipped");
}

#[test]
fn an_unknown_fork_is_not_judged_as_if_it_were_upstream() {
    for broken in [false, true] {
        let dance = DANCE.replace("reproducible-containers", "somebody");
        let dance = if broken { dance.replace("\"/go/pkg/mod\"", "\"/other\"") } else { dance };
        let repository = push(&[SET_UP, CACHE, &dance, BUILD]);
        let ended = repository.run().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(told(&ended.report), "inconclusive");
        let missing: Vec<String> = ended.report.missing().iter().map(|one| one.reason.clone()).collect();
        assert!(
            missing.iter().any(|why| why.contains("the code of `somebody/buildkit-cache-dance@v3.3.2`")),
            "{missing:?}"
        );
        let said =
            repository.given(|given| given.dance_as = Some(DanceCode::identify("reproducible-containers", "v3.3.2")));
        assert_eq!(said.verdict() == "effective", !broken);
    }
}

#[test]
fn a_step_that_may_matter_and_is_not_run_leaves_the_verdict_open() {
    for step in [
        "      - run: rm -rf mod\n",
        "      - uses: somebody/caches@v1\n",
        "      - uses: ./local\n",
        "      - run: docker buildx prune -af\n",
    ] {
        let repository = push(&[SET_UP, CACHE, step, DANCE, BUILD])
            .file("local/action.yml", "runs:\n  using: node20\n  main: x.js\n");
        assert_eq!(repository.verdict(), "inconclusive", "{step}");
        // Where the dance may hide in it, none is missing.
        let repository =
            push(&[SET_UP, CACHE, step, BUILD]).file("local/action.yml", "runs:\n  using: node20\n  main: x.js\n");
        assert_eq!(repository.verdict(), "inconclusive", "{step}");
        let word = step.trim_start().trim_start_matches("- ").replace("run: ", "Run ").replace("uses: ", "Run ");
        let left_out =
            push(&[SET_UP, CACHE, step, DANCE, BUILD]).given(|given| given.left_out.push(word.trim().to_owned()));
        assert_eq!(left_out.verdict(), "effective", "{step}");
    }
    for step in ["      - run: make lint\n", "      - uses: docker/login-action@v3\n", "      - run: du -sh mod\n"] {
        assert_eq!(push(&[SET_UP, CACHE, step, DANCE, BUILD]).verdict(), "effective", "{step}");
    }
}

#[test]
fn the_entry_of_one_tag_is_not_read_by_another() {
    let repository = Repository::new(&job("  push:\n    tags: ['v*']\n", "", &[SET_UP, CACHE, DANCE, BUILD]));
    assert_eq!(repository.verdict(), "ineffective cache-out-of-scope");
}

#[test]
fn a_build_that_does_not_work_here_is_no_verdict() {
    let failing = DOCKERFILE.replace("go build -o /x .", "go build -o /x . && exit 3");
    let refusal = push(&[SET_UP, CACHE, DANCE, BUILD]).file("Dockerfile", &failing).refusal();
    assert!(refusal.contains("does not work here, so nothing can be said about its caches"), "{refusal}");
    let other = push(&[SET_UP, CACHE, DANCE, BUILD]).file("Dockerfile", &DOCKERFILE.replace("golang:1.25", "golang:9"));
    let refusal = other.refusal();
    assert!(refusal.contains("`golang:9`"), "{refusal}");
    let contexts = push(&[SET_UP, CACHE, DANCE, &format!("{BUILD}          build-contexts: docs=docs\n")]).refusal();
    assert!(
        contexts.contains("ci.yml:24: step `Run docker/build-push-action@v6`: the build has other contexts"),
        "{contexts}"
    );
}

#[test]
fn the_dockerfile_comes_from_the_context_and_the_file_of_the_step() {
    let below = BUILD.replace("context: .", "context: backend");
    let mut repository = push(&[SET_UP, CACHE, DANCE, &below])
        .file("backend/Dockerfile", DOCKERFILE)
        .file("backend/main.go", "package main\n");
    repository.files.retain(|(path, _)| *path != "Dockerfile");
    assert_eq!(repository.verdict(), "effective");
    let named = BUILD.replace("context: .", "context: .\n          file: ${{ env.FILE }}");
    let mut repository = Repository::new(&job(
        "  push:\n",
        "    env:\n      FILE: deploy/app.Dockerfile\n",
        &[SET_UP, CACHE, DANCE, &named],
    ))
    .file("deploy/app.Dockerfile", DOCKERFILE);
    repository.files.retain(|(path, _)| *path != "Dockerfile");
    assert_eq!(repository.verdict(), "effective");
}

#[test]
fn builds_in_scripts_are_carried_out_where_they_are_plain_commands() {
    let script = "      - name: Image\n        env: {FILE: Dockerfile}\n        run: |\n          set -e\n          docker buildx build --load -t app:${{ steps.meta.outputs.version }} \\\n            -f \"$FILE\" .\n          docker push app\n";
    assert_eq!(push(&[SET_UP, CACHE, DANCE, script]).verdict(), "effective");
    // `docker build` works on the engine's own builder, whatever the dance filled.
    let own = script.replace("docker buildx build", "docker build");
    assert_eq!(push(&[SET_UP, CACHE, DANCE, &own]).verdict(), "ineffective builder-mismatch cache-empty");
    let unknown = script.replace("-f \"$FILE\"", "-f \"$(pick)\"");
    let refusal = push(&[SET_UP, CACHE, DANCE, &unknown]).file("Dockerfile", DOCKERFILE).run().err().unwrap();
    assert!(
        refusal.contains("no Dockerfile was found") || refusal.contains("`$(pick)` is known only to the shell"),
        "{refusal}"
    );
    let piped = script.replace("docker push app", "docker images | cat");
    let refusal = push(&[SET_UP, CACHE, DANCE, &piped]).refusal();
    assert!(refusal.contains("`|` is not understood") || refusal.contains("builds with"), "{refusal}");
}

#[test]
fn each_of_two_builds_is_held_against_its_own_cold_one() {
    let second = format!("{BUILD}          file: second.Dockerfile\n");
    let repository =
        push(&[SET_UP, CACHE, DANCE, BUILD, &second]).file("second.Dockerfile", &DOCKERFILE.replace("/x", "/y"));
    assert_eq!(repository.verdict(), "effective");
}

#[test]
fn a_step_that_only_looks_up_and_saves_restores_nothing_twice() {
    let restore =
        CACHE.replace("actions/cache@v4", "actions/cache/restore@v5").replace("${{ hashFiles('go.sum') }}-", "");
    let save = "      - uses: actions/cache@v5\n        if: github.ref == 'refs/heads/main' && github.event_name == 'push'\n        with:\n          path: |\n            mod\n            build\n          key: k-${{ github.sha }}\n          lookup-only: true\n";
    assert_eq!(push(&[SET_UP, &restore, save, DANCE, BUILD]).verdict(), "effective");
}

#[test]
fn every_module_again_is_a_failure_however_few_they_are() {
    let mut repository = push(&[SET_UP, CACHE, DANCE, BUILD]).file(
        "Dockerfile",
        "FROM golang:1.25 AS build\nWORKDIR /src\nCOPY . .\nRUN --mount=type=cache,target=/go/pkg/mod go mod download\n\
         RUN --mount=type=cache,target=/root/.cache/go-build go build -o /x .\n",
    );
    repository.modules = 2;
    let ended = repository.run().unwrap_or_else(|error| panic!("{error}"));
    assert!(told(&ended.report).starts_with("ineffective"), "{}\n{}", told(&ended.report), ended.logs);
    assert!(
        ended.report.findings.iter().any(|finding| finding.fix.contains("to the RUN that compiles")),
        "{:#?}",
        ended.report.findings
    );
}

#[test]
fn the_cache_map_that_is_proposed_has_no_name_twice() {
    let mounts = DOCKERFILE
        .replace("RUN ", "RUN --mount=type=cache,target=/var/cache/apt --mount=type=cache,target=/var/lib/apt ");
    let ended =
        push(&[SET_UP, CACHE, BUILD]).file("Dockerfile", &mounts).run().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(told(&ended.report), "ineffective dance-missing");
    let fix = &ended.report.findings[0].fix;
    assert!(fix.contains("\"apt\": \"/var/cache/apt\"") && fix.contains("\"lib-apt\": \"/var/lib/apt\""), "{fix}");
}
