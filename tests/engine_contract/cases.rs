//! The cases of the contract, each true of every engine.

use std::time::Duration;

use verify_buildkit_cache::engine::{BuildEventKind, BuildRequest, Engine, EngineError, Namespace};
use verify_buildkit_cache::evidence::Creator;

use crate::bench::{Bench, broken, stream};
use crate::inventory::Inventory;
use crate::trees::{self, archive, file, listing};

const MOUNT: &str = "target=/x";

pub(crate) async fn a_new_namespace_has_no_mounts<E: Engine>(bench: &Bench<'_, E>) {
    assert_eq!(bench.engine.mounts(&bench.namespace()).await.unwrap(), []);
}

pub(crate) async fn what_is_injected_is_what_is_extracted<E: Engine>(bench: &Bench<'_, E>) {
    let namespace = bench.namespace();
    let [tree, again] = trees::hostile();
    let wanted = listing(&tree);
    bench.inject(&namespace, MOUNT, vec![tree, again]).await;
    let found = bench.extract(&namespace, MOUNT).await;
    assert_eq!(found, wanted);
}

pub(crate) async fn a_second_inject_lies_over_the_first<E: Engine>(bench: &Bench<'_, E>) {
    let namespace = bench.namespace();
    let first = archive(&[file("kept", 0o644, b"one"), file("changed", 0o644, b"old")]);
    let second = archive(&[file("changed", 0o600, b"new"), file("added", 0o644, b"two")]);
    let wanted =
        listing(&archive(&[file("kept", 0o644, b"one"), file("changed", 0o600, b"new"), file("added", 0o644, b"two")]));
    bench.inject(&namespace, MOUNT, vec![first]).await;
    bench.inject(&namespace, MOUNT, vec![second]).await;
    assert_eq!(bench.extract(&namespace, MOUNT).await, wanted);
}

pub(crate) async fn ids_and_targets_and_owners_make_the_identity<E: Engine>(bench: &Bench<'_, E>) {
    let namespace = bench.namespace();
    bench.inject(&namespace, MOUNT, vec![archive(&[file("seen", 0o644, b"")])]).await;
    let same = ["target=/x/", "target=/x,sharing=locked", "id=/x,target=/elsewhere", "dst=/x", "id=,target=/x"];
    let other = ["id=x,target=/x", "target=/x/y", "target=/x,uid=1000", "target=/x,gid=0", "target=/x,mode=0755"];
    let mut steps = String::new();
    for (number, options) in same.iter().chain(&other).enumerate() {
        let target = options.split(',').rev().find_map(|field| field.split_once('='));
        let target = target.filter(|(key, _)| matches!(*key, "target" | "dst")).map_or("/x", |(_, target)| target);
        steps += &format!("RUN --mount=type=cache,{options} echo at {number} && ls -A {target}\n");
    }
    let built = bench.build(bench.request(&namespace), &steps).await;
    let mut wanted = Vec::new();
    for number in 0..same.len() + other.len() {
        wanted.push(format!("at {number}"));
        if number < same.len() {
            wanted.push("seen".to_owned());
        }
    }
    assert_eq!(built.lines(), wanted, "{:?}", built.outcome);
}

pub(crate) async fn two_namespaces_never_see_each_other<E: Engine>(bench: &Bench<'_, E>) {
    let (one, two) = (bench.namespace(), bench.namespace());
    bench.inject(&one, MOUNT, vec![archive(&[file("of-one", 0o644, b"")])]).await;
    assert_eq!(bench.engine.mounts(&two).await.unwrap(), []);
    let step = "RUN --mount=type=cache,target=/x echo here && ls -A /x";
    assert_eq!(bench.build(bench.request(&two), step).await.lines(), ["here"]);
    assert_eq!(bench.build(bench.request(&one), step).await.lines(), ["here", "of-one"]);
    assert_eq!(bench.engine.mounts(&two).await.unwrap().len(), 1);
}

pub(crate) async fn a_build_sees_what_was_injected<E: Engine>(bench: &Bench<'_, E>) {
    let step = "RUN --mount=type=cache,target=/x echo '=== BEFORE ===' && du -sh /x";
    let (empty, full) = (bench.namespace(), bench.namespace());
    let text = file("dir/text", 0o644, b"carried\nover\n");
    let large: Vec<u8> = (0..900_000u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    bench.inject(&full, MOUNT, vec![archive(&[text, file("large", 0o644, &large)])]).await;
    let built = bench.build(bench.request(&empty), step).await;
    let before = size(built.lines()[1]);
    assert!(before <= 16 << 10, "an empty mount of {before} bytes: {:?}", built.lines());
    let step = format!("{step} && cat /x/dir/text");
    let built = bench.build(bench.request(&full), &step).await;
    let lines = built.lines();
    assert_eq!((lines[0], &lines[2..]), ("=== BEFORE ===", ["carried", "over"].as_slice()));
    assert!(size(lines[1]) >= 800_000, "{lines:?}");
}

/// Reads a line of `du -sh /x` as bytes.
fn size(line: &str) -> u64 {
    let (size, path) = line.split_once('\t').unwrap_or_else(|| panic!("not a line of du: {line}"));
    assert_eq!(path, "/x");
    let unit = size.find(|char: char| char.is_ascii_uppercase()).unwrap_or(size.len());
    let power = ["", "K", "M", "G"].iter().position(|one| *one == &size[unit..]).unwrap();
    (size[..unit].parse::<f64>().unwrap() * 1024f64.powi(i32::try_from(power).unwrap())) as u64
}

pub(crate) async fn what_a_build_leaves_is_extracted<E: Engine>(bench: &Bench<'_, E>) {
    let namespace = bench.namespace();
    let options = "target=/root/.cache/go-build";
    let step = "RUN --mount=type=cache,target=/root/.cache/go-build go build internal/goarch";
    let built = bench.build(bench.request(&namespace), step).await;
    assert_eq!(built.outcome.failure, None, "{:?}", built.lines());
    let found = bench.extract(&namespace, options).await;
    assert!(found.keys().any(|path| path.ends_with("-d") || path.ends_with("-a")), "{found:?}");
}

pub(crate) async fn mounts_tell_who_created_them<E: Engine>(bench: &Bench<'_, E>) {
    let namespace = bench.namespace();
    bench.inject(&namespace, "target=/in", vec![archive(&[file("f", 0o644, b"12345")])]).await;
    let step = "RUN --mount=type=cache,target=/in --mount=type=cache,target=/built true";
    bench.build(bench.request(&namespace), step).await;
    bench.extract(&namespace, "target=/out").await;
    let mut found = bench.engine.mounts(&namespace).await.unwrap();
    found.sort_by(|one, other| one.target.cmp(&other.target));
    let found: Vec<_> = found.iter().map(|mount| (mount.target.as_str(), mount.creator)).collect();
    assert_eq!(found, [("/built", Creator::Build), ("/in", Creator::Inject), ("/out", Creator::Extract)]);
}

pub(crate) async fn a_mount_that_no_shell_opened_is_found_and_goes<E: Engine>(bench: &Bench<'_, E>) {
    let (namespace, other) = (bench.namespace(), bench.namespace());
    bench.inject(&other, MOUNT, vec![archive(&[file("f", 0o644, b"stays")])]).await;
    bench.build(bench.request(&namespace), "RUN --mount=type=cache,target=/x [\"true\"]").await;
    let found = bench.engine.mounts(&namespace).await.unwrap();
    assert_eq!(found.iter().map(|mount| mount.target.as_str()).collect::<Vec<_>>(), ["/x"]);
    if !bench.engine.describe().await.unwrap().forgets {
        assert_eq!(bench.engine.drop_mounts(&namespace).await.unwrap(), 1);
        assert_eq!(bench.engine.mounts(&namespace).await.unwrap(), []);
    }
    assert_eq!(bench.engine.mounts(&other).await.unwrap().len(), 1);
}

pub(crate) async fn a_failing_run_is_an_outcome<E: Engine>(bench: &Bench<'_, E>) {
    let request = BuildRequest { export: true, ..bench.request(&bench.namespace()) };
    let built = bench.build(request, "RUN echo before && exit 1\nRUN echo never").await;
    assert_eq!(built.outcome.image, None);
    let failure = built.outcome.failure.clone().expect("a failure");
    assert!(failure.message.contains("exit code: 1"), "{}", failure.message);
    assert!(failure.message.contains("echo before && exit 1"), "{}", failure.message);
    assert_eq!(built.lines(), ["before"]);
    let vertex = built.vertex("RUN echo before");
    let failed =
        |event: &&_| matches!(event, verify_buildkit_cache::engine::BuildEvent { kind: BuildEventKind::Failed(_), .. });
    let failed: Vec<u64> = built.events.iter().filter(failed).map(|event| event.vertex).collect();
    assert_eq!(failed, [vertex]);
}

pub(crate) async fn the_layer_cache_answers_the_same_build_of_the_same_namespace<E: Engine>(bench: &Bench<'_, E>) {
    let (one, two) = (bench.namespace(), bench.namespace());
    let step = "RUN --mount=type=cache,target=/x echo once";
    let first = bench.build(bench.request(&one), step).await;
    assert_eq!((first.cached("RUN --mount"), first.lines()), (false, vec!["once"]));
    let again = bench.build(bench.request(&one), step).await;
    assert_eq!((again.cached("RUN --mount"), again.lines()), (true, vec![]));
    let other = bench.build(bench.request(&two), step).await;
    assert_eq!((other.cached("RUN --mount"), other.lines()), (false, vec!["once"]));
    let changed = bench.build(bench.request(&one), "RUN --mount=type=cache,target=/x echo twice").await;
    assert_eq!(changed.lines(), ["twice"]);
}

pub(crate) async fn the_layer_cache_answers_step_by_step<E: Engine>(bench: &Bench<'_, E>) {
    let namespace = bench.namespace();
    let steps = |last: &str| format!("RUN --mount=type=cache,target=/x echo first\nRUN echo {last}\nRUN echo end");
    let before = bench.build(bench.request(&namespace), &steps("old")).await;
    assert_eq!(before.lines(), ["first", "old", "end"]);
    let after = bench.build(bench.request(&namespace), &steps("new")).await;
    assert!(after.cached("RUN --mount"));
    // What stands behind a step that ran has to run as well.
    assert_eq!(after.lines(), ["new", "end"]);
}

pub(crate) async fn dropping_the_mounts_keeps_the_layers<E: Engine>(bench: &Bench<'_, E>) {
    let (namespace, other) = (bench.namespace(), bench.namespace());
    for namespace in [&namespace, &other] {
        bench.inject(namespace, MOUNT, vec![archive(&[file("f", 0o644, b"from before")])]).await;
    }
    let step = "RUN --mount=type=cache,target=/x echo fill";
    bench.build(bench.request(&namespace), step).await;
    let dropped = bench.engine.drop_mounts(&namespace).await;
    if bench.engine.describe().await.unwrap().forgets {
        // Dropping them would lose the layers, so it is refused and nothing has changed.
        assert!(matches!(dropped, Err(EngineError::Forgets)), "{dropped:?}");
        assert_eq!(bench.engine.mounts(&namespace).await.unwrap().len(), 1);
        assert!(bench.build(bench.request(&namespace), step).await.cached("RUN --mount"));
        return;
    }
    assert_eq!(dropped.unwrap(), 1);
    assert_eq!(bench.engine.mounts(&namespace).await.unwrap(), []);
    assert_eq!(bench.engine.mounts(&other).await.unwrap().len(), 1);
    let again = bench.build(bench.request(&namespace), step).await;
    assert_eq!((again.cached("RUN --mount"), again.lines()), (true, vec![]));
    // A step that was not run has brought back no mount.
    assert_eq!(bench.engine.mounts(&namespace).await.unwrap(), []);
    let steps = format!("{step}\nRUN --mount=type=cache,target=/x echo mount && ls -A /x");
    let next = bench.build(bench.request(&namespace), &steps).await;
    assert_eq!((next.cached("echo fill"), next.lines()), (true, vec!["mount"]));
    assert_eq!(bench.engine.drop_mounts(&bench.namespace()).await.unwrap(), 0);
}

pub(crate) async fn only_what_the_target_needs_is_built<E: Engine>(bench: &Bench<'_, E>) {
    let (namespace, image) = (bench.namespace(), &bench.image);
    let steps = format!(
        "FROM {image} AS lint\nRUN echo linting && exit 1\nFROM {image} AS program\nRUN echo compiling\nFROM program\nRUN echo last"
    );
    let whole = bench.build(bench.request(&namespace), &steps).await;
    assert_eq!((whole.outcome.failure.as_ref(), whole.lines()), (None, vec!["compiling", "last"]));
    let request = BuildRequest { target: Some("lint".to_owned()), ..bench.request(&namespace) };
    let lint = bench.build(request, &steps).await;
    assert_eq!((lint.outcome.failure.is_some(), lint.lines()), (true, vec!["linting"]));
}

pub(crate) async fn a_read_only_mount_takes_nothing<E: Engine>(bench: &Bench<'_, E>) {
    let namespace = bench.namespace();
    let copy = bench.copy(&namespace, "target=/x,ro=true");
    let copied = bench.engine.inject(&copy, vec![stream(archive(&[file("f", 0o644, b"lost")]))]).await.unwrap();
    let failed = copied.failed.expect("a failed copy");
    assert!(failed.contains("Read-only file system"), "{failed}");
    // Read-only is no part of what a mount is found by.
    let built = bench.build(bench.request(&namespace), "RUN --mount=type=cache,target=/x echo mount && ls -A /x").await;
    assert_eq!(built.lines(), ["mount"]);
    assert_eq!(bench.engine.mounts(&namespace).await.unwrap().len(), 1);
    assert_eq!(
        bench.extract(&namespace, "target=/x,ro=true").await.len(),
        bench.extract(&namespace, MOUNT).await.len()
    );
}

pub(crate) async fn no_cache_wipes_the_mounts<E: Engine>(bench: &Bench<'_, E>) {
    let namespace = bench.namespace();
    bench.inject(&namespace, MOUNT, vec![archive(&[file("gone", 0o644, b"")])]).await;
    bench.inject(&namespace, "target=/other", vec![archive(&[file("stays", 0o644, b"")])]).await;
    let request = BuildRequest { no_cache: true, ..bench.request(&namespace) };
    let built = bench.build(request, "RUN --mount=type=cache,target=/x echo mount && ls -A /x").await;
    assert_eq!(built.lines(), ["mount"]);
    let step =
        "RUN --mount=type=cache,target=/x --mount=type=cache,target=/other echo later && ls -A /x && ls -A /other";
    assert_eq!(bench.build(bench.request(&namespace), step).await.lines(), ["later", "stays"]);
}

pub(crate) async fn a_missing_image_is_named<E: Engine>(bench: &Bench<'_, E>) {
    let namespace = bench.namespace();
    let missing = "verify-buildkit-cache/missing:none";
    assert!(!bench.engine.has_image(missing).await.unwrap());
    let text = format!("FROM {missing}\nRUN true\n");
    let context = archive(&[file("deploy/Dockerfile", 0o644, text.as_bytes())]);
    let error = match bench.try_build(bench.request(&namespace), stream(context)).await {
        Ok(built) => panic!("an outcome instead of an error: {:?}", built.outcome),
        Err(error) => error,
    };
    assert!(matches!(&error, EngineError::Image { image, .. } if image == missing), "{error:?}");
    let mut copy = bench.copy(&namespace, MOUNT);
    copy.image = missing.to_owned();
    let error = bench.engine.inject(&copy, vec![stream(archive(&[]))]).await.expect_err("an error");
    assert!(matches!(&error, EngineError::Image { image, .. } if image == missing), "{error:?}");
}

pub(crate) async fn a_context_that_breaks_is_an_archive_error<E: Engine>(bench: &Bench<'_, E>) {
    let namespace = bench.namespace();
    let context = bench.context(&namespace, "RUN true");
    let error = bench.try_build(bench.request(&namespace), broken(&context[..700])).await.err();
    assert_broke(error.expect("an error"));
}

pub(crate) async fn an_archive_that_breaks_is_an_archive_error<E: Engine>(bench: &Bench<'_, E>) {
    let namespace = bench.namespace();
    let whole = archive(&[file("f", 0o644, &[7; 5_000])]);
    let copy = bench.copy(&namespace, MOUNT);
    assert_broke(bench.engine.inject(&copy, vec![broken(&whole[..2_000])]).await.expect_err("an error"));
    // What had arrived before may be there; nobody takes it for the whole, and it goes with the rest.
    bench.engine.clean(std::slice::from_ref(&namespace)).await.unwrap();
    assert_eq!(bench.engine.mounts(&namespace).await.unwrap(), []);
}

fn assert_broke(error: EngineError) {
    match error {
        EngineError::Archive { source, .. } => assert_eq!(source.to_string(), "the disk went away"),
        other => panic!("not an archive error: {other:?}"),
    }
}

pub(crate) async fn clean_removes_all_of_a_namespace_and_nothing_else<E: Engine + Inventory>(bench: &Bench<'_, E>) {
    let bystander = bench.namespace();
    let tree = || vec![archive(&[file("f", 0o644, b"still here")])];
    bench.inject(&bystander, MOUNT, tree()).await;
    // Others may remove what is theirs at any moment; what a clean-up of ours removes, it removes every time.
    let mut lost = Vec::new();
    for _ in 0..3 {
        let before = bench.engine.everything();
        let namespace = bench.namespace();
        make_one_of_each(bench, &namespace, tree()).await;
        let after = bench.engine.everything();
        lost = before.difference(&after).cloned().collect();
        if lost.is_empty() {
            break;
        }
    }
    assert!(lost.is_empty(), "a clean-up removed what it did not make: {lost:#?}");
    assert_eq!(bench.engine.mounts(&bystander).await.unwrap().len(), 1);
    assert_eq!(bench.extract(&bystander, MOUNT).await, listing(&tree()[0]));
}

/// Makes mounts, an image and layers, removes them, and looks for what is left.
async fn make_one_of_each<E: Engine + Inventory>(bench: &Bench<'_, E>, namespace: &Namespace, tree: Vec<Vec<u8>>) {
    bench.inject(namespace, MOUNT, tree).await;
    bench.extract(namespace, MOUNT).await;
    let request = BuildRequest { export: true, ..bench.request(namespace) };
    // Layers that stand on one another: an engine removes none that another still needs, and says nothing about it.
    let steps =
        "RUN --mount=type=cache,target=/y echo built > /built\nRUN echo 1 > /1\nRUN echo 2 > /2\nRUN echo 3 > /3";
    let built = bench.build(request, steps).await;
    let image = built.outcome.image.expect("an image");
    assert!(bench.engine.has_image(&image).await.unwrap());
    assert_eq!(bench.engine.mounts(namespace).await.unwrap().len(), 2);
    // Some engines export every build, and so have images of the copies, too.
    let marked = bench.engine.marked(namespace);
    let images = marked.iter().filter(|what| what.starts_with("/images/json")).count().max(1);
    let cleaned = bench.engine.clean(std::slice::from_ref(namespace)).await.unwrap();
    if bench.engine.describe().await.unwrap().forgets {
        // The records stay for the sake of the bystander's.
        assert_eq!(
            (cleaned.mounts, cleaned.images, cleaned.containers, cleaned.layers),
            (0, images, 0, 0),
            "{cleaned:?}"
        );
        assert!(!bench.engine.has_image(&image).await.unwrap());
        return;
    }
    assert_eq!((cleaned.mounts, cleaned.images, cleaned.containers), (2, images, 0), "{cleaned:?}");
    assert!(cleaned.layers >= 1, "{cleaned:?}");
    assert_eq!(bench.engine.mounts(namespace).await.unwrap(), []);
    assert!(!bench.engine.has_image(&image).await.unwrap());
    assert_eq!(bench.engine.marked(namespace), [""; 0]);
    let again = bench.engine.clean(std::slice::from_ref(namespace)).await.unwrap();
    assert_eq!((again.mounts, again.images, again.layers), (0, 0, 0));
}

pub(crate) async fn vertexes_and_their_lines_arrive_whole_and_in_order<E: Engine>(bench: &Bench<'_, E>) {
    let steps = "RUN echo one && echo 'two  spaces' && echo\nRUN echo three && echo 'f\u{fc}nf'";
    let built = bench.build(bench.request(&bench.namespace()), steps).await;
    assert_eq!(built.lines(), ["one", "two  spaces", "", "three", "f\u{fc}nf"]);
    assert!(built.vertex("RUN echo one") < built.vertex("RUN echo three"));
    let mut named = 0;
    for event in &built.events {
        if matches!(event.kind, BuildEventKind::Named(_)) {
            named += 1;
            assert_eq!(event.vertex, named, "vertexes count in the order of their showing");
        }
        assert!((1..=named).contains(&event.vertex), "an event before its vertex has a name: {event:?}");
    }
    for vertex in 1..=named {
        let own: Vec<_> = built.events.iter().filter(|event| event.vertex == vertex).collect();
        let ends = |kind: &BuildEventKind| matches!(kind, BuildEventKind::Done(_) | BuildEventKind::Cached);
        assert_eq!(own.iter().filter(|event| ends(&event.kind)).count(), 1, "{own:#?}");
        assert!(own.last().is_some_and(|event| ends(&event.kind)), "{own:#?}");
        assert!(own.windows(2).all(|pair| pair[0].at <= pair[1].at), "time goes back: {own:#?}");
        let since = |kind: &BuildEventKind| match kind {
            BuildEventKind::Line { since, .. } => Some(*since),
            _ => None,
        };
        let times: Vec<Duration> = own.iter().filter_map(|event| since(&event.kind)).collect();
        assert!(times.is_sorted(), "{times:?}");
        if let Some(BuildEventKind::Done(ran)) = own.last().map(|event| &event.kind) {
            assert!(times.last().is_none_or(|last| last <= ran), "a line after the end: {own:#?}");
        }
    }
}
