//! The cache mounts a `RUN` asks for, as a vertex name or a Dancefile line shows them. [`run_mounts`] is principal.
//!
//! A minimal reading, to be replaced by `dockerfile::mount` once that has landed: variables stay as written, other mount
//! types are left out, and nothing is refused.

use super::MountSpec;

/// Returns the cache mounts of the text of a `RUN`: the `--mount=type=cache,…` flags before its command.
///
/// The text may be a whole vertex name (`[build 3/4] RUN --mount=…`): what stands before `RUN` is skipped.
pub fn run_mounts(text: &str) -> Vec<MountSpec> {
    let Some(flags) = run_command(text) else { return Vec::new() };
    let mut mounts = Vec::new();
    for word in Words(flags) {
        if !word.starts_with("--") {
            break;
        }
        if let Some(mount) = word.strip_prefix("--mount=").and_then(mount) {
            mounts.push(mount);
        }
    }
    mounts
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

/// Reads the options of one mount.
fn mount(options: &str) -> Option<MountSpec> {
    let mut cache = false;
    let mut spec = MountSpec { target: String::new(), id: None, owner: String::new() };
    let mut owner = [None, None, None];
    for field in options.trim_matches('"').split(',') {
        let Some((name, value)) = field.split_once('=') else { continue };
        let value = value.trim_matches(|quote| quote == '"' || quote == '\'');
        match name.trim().to_ascii_lowercase().as_str() {
            "type" => cache = value.eq_ignore_ascii_case("cache"),
            "target" | "dst" | "destination" => spec.target = value.to_owned(),
            "id" if !value.is_empty() => spec.id = Some(value.to_owned()),
            "uid" => owner[0] = Some(value),
            "gid" => owner[1] = Some(value),
            "mode" => owner[2] = Some(value),
            _ => {}
        }
    }
    let named = ["uid", "gid", "mode"].iter().zip(owner);
    let given: Vec<String> = named.filter_map(|(name, value)| value.map(|value| format!("{name}={value}"))).collect();
    spec.owner = given.join(",");
    (cache && !spec.target.is_empty()).then_some(spec)
}

/// The words of a shell line; quotes hold spaces together and stay, a lone backslash is no word.
struct Words<'a>(&'a str);

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let rest = self.0.trim_start();
            let mut quote = None;
            let end = rest.char_indices().find(|(_, char)| match (quote, *char) {
                (None, '"' | '\'') => {
                    quote = Some(*char);
                    false
                }
                (Some(open), close) if open == close => {
                    quote = None;
                    false
                }
                (None, char) => char.is_whitespace(),
                _ => false,
            });
            let (word, after) = rest.split_at(end.map_or(rest.len(), |(at, _)| at));
            self.0 = after;
            match word {
                "" => return None,
                "\\" => {}
                word => return Some(word),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(target: &str, id: Option<&str>, owner: &str) -> MountSpec {
        MountSpec { target: target.into(), id: id.map(Into::into), owner: owner.into() }
    }

    #[test]
    fn cache_mounts_are_read_from_a_vertex_name() {
        let name = "[build 4/4] RUN --mount=type=cache,target=/go/pkg/mod,id=go-mod \
                    --mount=type=bind,source=.,target=/src --mount=target=\"/root/.cache/go build\",type=cache,mode=0755,uid=1000 \
                    go build --mount=type=cache,target=/not ./...";
        assert_eq!(
            run_mounts(name),
            [spec("/go/pkg/mod", Some("go-mod"), ""), spec("/root/.cache/go build", None, "uid=1000,mode=0755"),]
        );
    }

    #[test]
    fn a_name_that_is_no_run_has_no_mounts() {
        assert!(run_mounts("[internal] load build definition from Dockerfile").is_empty());
        assert!(run_mounts("[build 1/2] COPY --mount=type=cache,target=/x . .").is_empty());
        assert!(run_mounts("RUNé").is_empty());
    }
}
