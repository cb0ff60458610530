//! Tests of what becomes of the `docker` commands of an action.

use super::*;

struct FakeWorld {
    images: Vec<&'static str>,
    text: &'static str,
}

impl DockerWorld for FakeWorld {
    fn has_image(&self, name: &str) -> bool {
        self.images.contains(&name)
    }
    fn made(&self, id: &str) -> bool {
        id == "0123456789ab"
    }
    fn read(&self, _: &str) -> Option<String> {
        Some(self.text.to_owned())
    }
    fn resolve(&self, path: &str) -> String {
        if path.ends_with("/link") { "/etc/shadow".to_owned() } else { path.to_owned() }
    }
}

const DANCEFILE: &str = "\nFROM ghcr.io/containerd/busybox:latest\nCOPY buildstamp buildstamp\n\
    RUN --mount=type=cache,target=/go/pkg/mod,id=m     --mount=type=bind,source=.,target=/var/dance-cache     cp -p -R /var/dance-cache/. /go/pkg/mod  || true\n";

fn setting() -> DockerSetting {
    DockerSetting {
        docker: "/real/docker".into(),
        host: "unix:///run/engine.sock".into(),
        config: "/run/config".into(),
        builders: vec![("default".into(), "vbc-s-r1-b0".into()), ("builder-1".into(), "vbc-s-r1-b1".into())],
        active: "builder-1".into(),
        prefix: "vbc-s-r1".into(),
        word: "vbc-inject".into(),
        utility: Some("vbc-s-r1-utility".into()),
        root: "/scratch/root".into(),
        trace: "/run/trace".into(),
    }
}

fn planned(command: &str, images: Vec<&'static str>) -> DockerPlan {
    let args: Vec<String> = command.split(' ').map(str::to_owned).collect();
    setting().plan(&args, &FakeWorld { images, text: DANCEFILE })
}

fn ran(command: &str) -> DockerRun {
    match planned(command, Vec::new()) {
        DockerPlan::Run(run) => *run,
        other => panic!("{command}: {other:?}"),
    }
}

#[test]
fn a_build_gets_the_mounts_of_the_builder_it_names() {
    let build = ran("buildx build --builder builder-1 -f scratch/Dancefile.inject --tag dance:inject cache");
    let copy = build.file.as_ref().unwrap().0.clone();
    assert_eq!(
        build.args.join(" "),
        format!(
            "buildx build --build-arg BUILDKIT_CACHE_MOUNT_NS=vbc-s-r1-b1 --label {LABEL}=vbc-s-r1-b1 \
             --tag vbc-s-r1/dance:inject --file {copy} cache"
        )
    );
    let traced = build.build.unwrap();
    assert_eq!((traced.builder.as_str(), traced.namespace.as_str()), ("builder-1", "vbc-s-r1-b1"));
    assert_eq!(traced.mounts, ["id=m"]);
    assert!(traced.vertexes.contains(&"[stage] COPY buildstamp buildstamp".to_owned()), "{traced:?}");
    assert!(ran("buildx build -tdance:x .").args.contains(&"vbc-s-r1/dance:x".into()));
    assert!(ran("buildx build --builder default .").args.contains(&"BUILDKIT_CACHE_MOUNT_NS=vbc-s-r1-b0".into()));
    assert!(ran("buildx build .").args.contains(&"BUILDKIT_CACHE_MOUNT_NS=vbc-s-r1-b1".into()));
}

#[test]
fn an_unknown_builder_is_left_to_buildx() {
    let run = ran("buildx build --builder nope -f scratch/Dancefile.inject --tag dance:inject ca");
    assert_eq!(run.args.join(" "), "buildx build --builder nope -f scratch/Dancefile.inject --tag dance:inject ca");
    assert_eq!(run.build, None);
}

#[test]
fn a_dancefile_is_marked_and_its_image_stood_in_for() {
    let build = ran("buildx build -f scratch/Dancefile.inject cache");
    let (_, text) = build.file.unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "FROM vbc-s-r1-utility");
    assert_eq!(lines[2], r#"SHELL ["/bin/sh","-c",": VBC_RUNNER=vbc-s-r1-b1 vbc-inject; eval \"$0\""]"#);
    assert!(lines[4].starts_with("RUN --mount=type=cache,target=/go/pkg/mod,id=m "));
    let hidden = build.hide.iter().fold(
        "process \"/bin/sh -c : VBC_RUNNER=vbc-s-r1-b1 vbc-inject; eval \"$0\" cp -p\" [1/3] FROM docker.io/vbc-s-r1-utility:latest"
            .to_owned(),
        |line, (private, shown)| line.replace(private, shown),
    );
    assert_eq!(hidden, "process \"/bin/sh -c cp -p\" [1/3] FROM ghcr.io/containerd/busybox:latest");
    let own = planned("buildx build -f x .", vec!["ghcr.io/containerd/busybox:latest"]);
    let DockerPlan::Run(own) = own else { panic!("{own:?}") };
    assert!(own.file.unwrap().1.contains("FROM ghcr.io/containerd/busybox:latest"));
}

#[test]
fn fixed_names_are_kept_apart_and_nothing_of_the_users_is_meant() {
    assert_eq!(ran("rm -f cache-container").args, ["rm", "-f", "vbc-s-r1-cache-container"]);
    assert_eq!(ran("rm -f 0123456789ab").args, ["rm", "-f", "0123456789ab"]);
    assert_eq!(ran("rmi -f dance:extract").args, ["rmi", "-f", "vbc-s-r1/dance:extract"]);
    assert_eq!(
        ran("cp -L cache-container:/var/dance-cache -").args,
        ["cp", "-L", "vbc-s-r1-cache-container:/var/dance-cache", "-"]
    );
    let create = planned("create -ti --name cache-container dance:extract", vec!["vbc-s-r1/dance:extract"]);
    let DockerPlan::Run(create) = create else { panic!("{create:?}") };
    let label = format!("--label {LABEL}=vbc-s-r1-b1");
    assert_eq!(
        create.args.join(" "),
        format!("create {label} -ti --name vbc-s-r1-cache-container vbc-s-r1/dance:extract")
    );
}

#[test]
fn a_volume_is_a_directory_of_the_runners_own() {
    let run = ran("run --rm -v /home/runner/work/app/app/c:/mnt/host-cache busybox sh -c true");
    assert!(
        run.args.contains(&"/scratch/root/home/runner/work/app/app/c:/mnt/host-cache".to_owned()),
        "{:?}",
        run.args
    );
    assert_eq!(run.args[run.args.len() - 4..], ["vbc-s-r1-utility", "sh", "-c", "true"]);
    for volume in ["/etc:/x", "/:/x", "name:/x", "/home/runner/link:/x", "/home/../etc:/x", "/run/engine.sock:/x"] {
        assert!(matches!(planned(&format!("run -v {volume} busybox"), Vec::new()), DockerPlan::Refused(_)), "{volume}");
    }
}

#[test]
fn what_could_reach_further_is_refused_with_the_reason() {
    for command in [
        "system prune -af",
        "volume rm mine",
        "builder prune",
        "buildx prune -af",
        "run --privileged busybox",
        "run --network host busybox",
        "network create x",
        "login",
        "push x",
        "-H tcp://elsewhere:1 ps",
        "buildx build --push .",
        "buildx build -o type=registry .",
        "buildx rm builder-1",
        "save busybox",
        "run -v/:/x busybox",
        "run -itv /:/x busybox",
        "run -p 80:80 busybox",
        "run --some-new-flag busybox",
        "buildx build --allow security.insecure .",
    ] {
        assert!(matches!(planned(command, Vec::new()), DockerPlan::Refused(_)), "{command}");
    }
    for command in ["version", "info", "buildx version", "buildx inspect --bootstrap", "buildx", "pull busybox:1"] {
        assert!(!matches!(planned(command, Vec::new()), DockerPlan::Refused(_)), "{command}");
    }
}

#[test]
fn a_dancefile_from_standard_input_is_marked_like_any_other() {
    let build = ran("buildx build -f - --tag dance:inject cache");
    let (copy, text) = build.file.unwrap();
    assert!(text.contains("SHELL ") && build.args.contains(&copy), "{text}");
    let context = ran("buildx build -f - -");
    assert_eq!((context.file, context.args.last().map(String::as_str)), (None, Some("-")));
}

#[test]
fn what_the_engine_lacks_is_no_failure_of_the_build() {
    let trace = |code: i32, error: &str| DockerTrace {
        args: Vec::new(),
        began: 0,
        ended: 1,
        code,
        refused: None,
        build: Some(TracedBuild::default()),
        error: Some(error.to_owned()),
    };
    let offline = "ERROR: failed to solve: failed to do request: Head \"https://ghcr.io/v2/x\": dial tcp: lookup ghcr.io: no such host";
    assert_eq!(trace(1, offline).engine_failed(), Some(offline));
    assert_eq!(trace(1, "ERROR: no builder \"nope\" found").engine_failed(), None);
    assert_eq!(trace(1, "ERROR: failed to solve: unexpected key 'colour' in 'colour=x'").engine_failed(), None);
    assert_eq!(trace(0, offline).engine_failed(), None);
}
