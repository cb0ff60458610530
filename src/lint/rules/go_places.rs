//! Go keeps its caches elsewhere than the mounts are.

use super::of_code;
use crate::dockerfile::clean_path;
use crate::lint::build::{LintBuild, LintRun, is_known};
use crate::lint::job::LintJob;
use crate::lint::{LintFinding, place};
use crate::verify::{Code, MountKind, Severity};

pub(super) fn check(job: &LintJob<'_>) -> Vec<LintFinding> {
    if job.dances.is_empty() {
        return Vec::new();
    }
    let kinds = [(MountKind::BuildCache, "build"), (MountKind::Modules, "module")];
    let of = |build| kinds.into_iter().filter_map(move |(kind, word)| one(job, build, kind, word));
    job.builds.iter().flat_map(of).collect()
}

fn one(job: &LintJob<'_>, build: &LintBuild<'_>, kind: MountKind, word: &str) -> Option<LintFinding> {
    // What `go env -w` wrote, no variable tells.
    let file = build.dockerfile().filter(|file| !file.source().text.contains("go env -w"))?;
    let (run, mount, cache, says) = build.runs.iter().filter(|run| run.compiles()).find_map(|run| {
        let (cache, says) = cache_of(run, kind)?;
        if !is_known(&cache) || cache.contains('$') || run.mounts.iter().any(|mount| mount.target.contains('$')) {
            return None;
        }
        let holds =
            |target: &str| cache == target || cache.strip_prefix(target).is_some_and(|rest| rest.starts_with('/'));
        if run.mounts.iter().any(|mount| holds(&mount.clean_target())) {
            return None;
        }
        let mount = run.mounts.iter().find(|mount| MountKind::of(&mount.target, mount.id.as_deref()) == kind)?;
        Some((run, mount, cache, says))
    })?;
    let mut places = Vec::new();
    let own = build.mounts.iter().find(|own| own.stage == run.stage && own.options.target == mount.target);
    if let Some(mut at) = own.and_then(|own| place::of_quote(file.source(), &build.mount_quote(own)?)) {
        at.label = Some("mounted here".to_owned());
        places.push(at);
    }
    if let Some(mut at) = says_so(build, &says) {
        at.label = Some(format!("Go's {word} cache is {cache}"));
        places.push(at);
    }
    Some(of_code(
        job,
        Code::BuildNotFaster,
        Severity::Error,
        format!("the {word} cache is mounted at {}, and {says} makes Go use {cache}", mount.target),
        places,
        format!(
            "Mount the cache where Go has it, `--mount=type=cache,target={cache}`, and let the cache map name the same; or let Go use the mount."
        ),
    ))
}

/// Returns where Go has a cache in a step and what says so; `None` where the file does not tell.
fn cache_of(run: &LintRun, kind: MountKind) -> Option<(String, String)> {
    let given = |name: &str| {
        let value = assigned(&run.command, name).or_else(|| run.variables.get(name).cloned())?;
        let value = value.trim_matches(['"', '\'']).to_owned();
        (value.starts_with('/')).then_some((value, name.to_owned()))
    };
    let below =
        |name: &str, rest: &str| given(name).map(|(value, name)| (clean_path(&format!("{value}/{rest}")), name));
    let own = |name: &str| given(name).map(|(value, name)| (clean_path(&value), name));
    if kind == MountKind::Modules {
        return own("GOMODCACHE").or_else(|| below("GOPATH", "pkg/mod"));
    }
    let user = run.user.as_deref().filter(|user| is_known(user) && !user.contains('$'));
    let root = user.is_some_and(|user| matches!(user.split(':').next(), Some("root" | "0")));
    // Whatever the home of another user is, it is not root's.
    let of_root = run.mounts.iter().any(|mount| mount.target.starts_with("/root/"));
    let home = || match user {
        Some(user) if !root && of_root => {
            let (home, _) = given("HOME").unwrap_or((format!("/home/{}", user.split(':').next()?), String::new()));
            (home != "/root").then(|| (clean_path(&format!("{home}/.cache/go-build")), format!("`USER {user}`")))
        }
        // What the image's own user is, the file does not say.
        _ => None,
    };
    own("GOCACHE").or_else(|| below("XDG_CACHE_HOME", "go-build")).or_else(home)
}

/// Reads an assignment of a command: `GOCACHE=/x go build`.
fn assigned(command: &str, name: &str) -> Option<String> {
    let separates = |char: char| char.is_whitespace() || ";&|()".contains(char);
    command.split(separates).find_map(|word| Some(word.split_once('=').filter(|(key, _)| *key == name)?.1.to_owned()))
}

/// Points at the line that sets a variable or a user.
fn says_so(build: &LintBuild<'_>, says: &str) -> Option<crate::lint::LintPlace> {
    let source = build.dockerfile()?.source();
    let word = if says.starts_with('`') { "USER ".to_owned() } else { format!("{says}=") };
    let at = source.text.rfind(&word)?;
    let line = source.text[at..].lines().next().unwrap_or_default();
    let end = line.find([' ', '\\']).filter(|_| !word.ends_with(' ')).unwrap_or(line.trim_end().len());
    Some(crate::lint::LintPlace::new(source, crate::source::Span::new(at, at + end.max(word.len())), None))
}
