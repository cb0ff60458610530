//! `docker buildx build` of an action, on the cache mounts of its runner. [`plan`] is principal.

use super::flags::{self, Flags, Word};
use super::mark::mark_dockerfile;
use super::{CommandRefusal, DockerPlan, DockerRun, DockerSetting, DockerWorld, LABEL, TracedBuild, refusal};

/// Works out what becomes of a build.
pub(super) fn plan(
    setting: &DockerSetting,
    rest: &[&str],
    world: &dyn DockerWorld,
) -> Result<DockerPlan, CommandRefusal> {
    let mut builder = None;
    let (mut file, mut context, mut no_cache) = (None, None, false);
    let mut args = Vec::new();
    for word in Flags::new(rest, &flags::OF_BUILDS) {
        match word {
            Word::Flag("--builder", name) => builder = name.filter(|name| !name.is_empty()),
            Word::Flag("-f" | "--file", path) => file = path,
            Word::Flag("-t" | "--tag", Some(name)) => args.extend(["--tag".to_owned(), setting.image_name(name)]),
            Word::Flag("--allow", _) => {
                return Err(refusal(&["buildx build --allow"], "it could reach what is not this run's own"));
            }
            Word::Flag("--push", _) => return Err(refusal(&["buildx build --push"], "nothing leaves this machine")),
            Word::Flag("-o" | "--output", Some(output)) => {
                if output.contains("push=true") || output.contains("type=registry") {
                    return Err(refusal(&["buildx build --output", output], "nothing leaves this machine"));
                }
                args.extend(["--output".to_owned(), output.to_owned()]);
            }
            Word::Flag(flag, value) => {
                no_cache |= flag == "--no-cache" && value != Some("false");
                let joined = value.filter(|_| !flags::OF_BUILDS.contains(&flag));
                match joined {
                    Some(value) => args.push(format!("{flag}={value}")),
                    None => args.extend([flag].into_iter().chain(value).map(str::to_owned)),
                }
            }
            Word::Plain(path) => context = Some(path),
        }
    }
    let mut run = DockerRun::default();
    let name = builder.unwrap_or(&setting.active);
    let Some(namespace) = setting.namespace(name).map(str::to_owned) else {
        // There is no such builder, and buildx says so in its own words.
        run.args = ["buildx", "build"].iter().chain(rest).map(|word| (*word).to_owned()).collect();
        return Ok(DockerPlan::Run(Box::new(run)));
    };
    let mut build =
        TracedBuild { builder: name.to_owned(), namespace: namespace.clone(), no_cache, ..TracedBuild::default() };
    run.args = ["buildx", "build", "--build-arg"].map(str::to_owned).to_vec();
    run.args.push(format!("BUILDKIT_CACHE_MOUNT_NS={namespace}"));
    run.args.extend(["--label".to_owned(), format!("{LABEL}={namespace}")]);
    run.args.extend(args);
    let dockerfile = match (file, context) {
        (Some(path), _) => path.to_owned(),
        (None, Some(context)) => format!("{}/Dockerfile", context.trim_end_matches('/')),
        (None, None) => "Dockerfile".to_owned(),
    };
    let replace = |image: &str| {
        let (name, _) = setting.image(image, world);
        (name != image).then_some(name)
    };
    // From standard input comes a Dockerfile, or else a context.
    let piped = dockerfile == "-" && context != Some("-");
    let text = world.read(&dockerfile).filter(|_| piped || dockerfile != "-");
    let marked = text.as_deref().and_then(|text| mark_dockerfile(text, &namespace, &setting.word, &replace));
    match marked {
        Some(marked) => {
            let shown = if piped { "Dockerfile".to_owned() } else { dockerfile.clone() };
            let copy = format!("{}/Dockerfile-{}", setting.trace, fingerprint(&marked.text));
            run.hide.extend([(copy.clone(), shown.clone()), (file_name(&copy), file_name(&shown))]);
            run.hide.extend(marked.hide);
            run.args.extend(["--file".to_owned(), copy.clone()]);
            run.file = Some((copy, marked.text));
            build.mounts = marked.mounts;
            build.vertexes = marked.vertexes;
        }
        None if piped => {
            let text = text.unwrap_or_default();
            let copy = format!("{}/Dockerfile-{}", setting.trace, fingerprint(&text));
            run.args.extend(["--file".to_owned(), copy.clone()]);
            run.file = Some((copy, text));
        }
        None => run.args.extend(file.into_iter().flat_map(|path| ["--file".to_owned(), path.to_owned()])),
    }
    // What is longer comes first: names of this run stand in the texts above.
    run.hide.extend(setting.hide());
    run.args.extend(context.map(str::to_owned));
    run.build = Some(build);
    Ok(DockerPlan::Run(Box::new(run)))
}

fn file_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

/// A word that differs between texts.
fn fingerprint(text: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
