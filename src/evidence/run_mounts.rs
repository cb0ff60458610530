//! The cache mounts a `RUN` asks for, as a vertex name or a Dancefile line shows them. [`run_mounts`] is principal.
//!
//! What the text of a `--mount` flag means is the Dockerfile reader's affair; this only turns it into [`MountSpec`]s.

use super::MountSpec;
use crate::dockerfile::{CacheMount, MountOptions, parse_run_mounts};

/// Returns the cache mounts of the text of a `RUN`: the `--mount=type=cache,…` flags before its command.
///
/// The text may be a whole vertex name (`[build 3/4] RUN --mount=…`): what stands before `RUN` is skipped.
pub fn run_mounts(text: &str) -> Vec<MountSpec> {
    let Some(command) = run_command(text).filter(|command| command.starts_with("--")) else { return Vec::new() };
    let mounts = parse_run_mounts(&format!("RUN {command}"));
    mounts.iter().map(|mount| MountSpec::from(&as_written(mount))).filter(|mount| !mount.target.is_empty()).collect()
}

impl From<&MountOptions> for MountSpec {
    /// Fills the owner up as `BuildKit` does, so that `uid=1000` of one text is `uid=1000,gid=0` of another.
    fn from(mount: &MountOptions) -> Self {
        let owner = mount.identity().owner().map_or_else(String::new, |owner| owner.to_string());
        Self { target: mount.target.clone(), id: mount.id.clone(), owner }
    }
}

impl From<&CacheMount> for MountSpec {
    /// Leaves variables as they stand where nothing that is known says what they are.
    fn from(mount: &CacheMount) -> Self {
        let written = || Self::written(&mount.written);
        let given = || Self::from(&mount.options);
        if mount.unresolved.is_empty() { given() } else { written().unwrap_or_else(given) }
    }
}

impl MountSpec {
    /// Reads the text after `--mount=` of a cache mount; `None` when it is none or `BuildKit` would refuse it.
    pub fn written(options: &str) -> Option<Self> {
        let mount = MountOptions::parse_written(options).ok().flatten()?;
        Some(Self::from(&as_written(&mount)))
    }
}

/// Leaves variables as they stand: a log does not say what they expand to, and an empty text in their place would be taken
/// for a name.
fn as_written(mount: &MountOptions) -> MountOptions {
    if !mount.raw.contains('$') {
        return mount.clone();
    }
    MountOptions::parse(&mount.raw, &mut |value| Ok(value.to_owned())).ok().flatten().unwrap_or_else(|| mount.clone())
}

/// Returns what follows `RUN` in a vertex name or a Dockerfile line.
pub(super) fn run_command(text: &str) -> Option<&str> {
    let mut rest = text.trim_start();
    while rest.starts_with('[') {
        rest = rest.split_once(']')?.1.trim_start();
    }
    let (word, rest) = rest.split_at_checked(3)?;
    (word.eq_ignore_ascii_case("RUN") && rest.starts_with(char::is_whitespace)).then(|| rest.trim_start())
}

/// Returns the stage in the name of a vertex: `build` of `[linux/amd64 build 4/4] RUN …`; `None` where there is one unnamed.
pub(super) fn stage_of(vertex: &str) -> Option<&str> {
    let (inside, _) = vertex.trim_start().strip_prefix('[')?.split_once(']')?;
    inside.split_whitespace().rev().nth(1).filter(|word| !word.contains('/'))
}

/// Returns what a `RUN` runs, without the flags before it: the name of a mount is no command.
pub(super) fn without_flags(command: &str) -> &str {
    let mut rest = command.trim_start();
    while rest.starts_with("--") {
        let mut quoted = None;
        let end = rest.find(|char: char| {
            match quoted {
                Some(quote) if quote == char => quoted = None,
                None if char == '"' || char == '\'' => quoted = Some(char),
                _ => {}
            }
            quoted.is_none() && char.is_whitespace()
        });
        rest = end.map_or("", |end| rest[end..].trim_start());
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(target: &str, id: Option<&str>, owner: &str) -> MountSpec {
        MountSpec { target: target.into(), id: id.map(Into::into), owner: owner.into() }
    }

    #[test]
    fn flags_are_no_part_of_the_command() {
        let command = r#"--mount=type=cache,target="/root/go build" --mount=type=cache,target=/lint  make --x"#;
        assert_eq!(without_flags(command), "make --x");
        assert_eq!(without_flags("go build --mount=x"), "go build --mount=x");
        assert_eq!(without_flags("--network=none"), "");
    }

    #[test]
    fn cache_mounts_are_read_from_a_vertex_name() {
        let name = "[build 4/4] RUN --network=none --mount=type=cache,target=/go/pkg/mod,id=go-mod \
                    --mount=type=bind,source=.,target=/src --mount=target=\"/root/.cache/go build\",type=cache,mode=0755,uid=1000 \
                    go build --mount=type=cache,target=/not ./...";
        assert_eq!(
            run_mounts(name),
            [spec("/go/pkg/mod", Some("go-mod"), ""), spec("/root/.cache/go build", None, "uid=1000,gid=0,mode=0755"),]
        );
    }

    #[test]
    fn an_owner_is_the_same_however_much_of_it_is_written() {
        let owner = |options: &str| MountSpec::written(&format!("type=cache,target=/x,{options}")).unwrap().owner;
        assert_eq!(owner("uid=1000"), owner("uid=1000,gid=0,mode=755"));
        assert_eq!(owner("sharing=locked"), "");
    }

    #[test]
    fn a_variable_stays_in_sight() {
        let name = "RUN --mount=type=cache,target=/x,id=k-${ARCH} true";
        assert_eq!(run_mounts(name), [spec("/x", Some("k-${ARCH}"), "")]);
    }

    #[test]
    fn a_name_that_is_no_run_has_no_mounts() {
        assert!(run_mounts("[internal] load build definition from Dockerfile").is_empty());
        assert!(run_mounts("[build 1/2] COPY --mount=type=cache,target=/x . .").is_empty());
        assert!(run_mounts("[2/2] RUN echo RUN --mount=type=cache,target=/x").is_empty());
        assert!(run_mounts("RUNé").is_empty());
    }
}
