//! The cache mounts that a piece of text asks for: a Dancefile, or a vertex name quoted by a CI log. [`parse_run_mounts`] is
//! principal.

use super::flags::flags;
use super::mount::MountOptions;

/// Finds the cache mounts of one `RUN` in a piece of text: a Dancefile, or a vertex name from a log such as
/// `[build 5/6] RUN --mount=type=cache,target=/x go build`.
///
/// Lenient, because logs are cut and masked: flags that are no readable cache mount are left out. Variables stay
/// unset; `BuildKit` prints vertex names with its variables replaced.
pub fn parse_run_mounts(text: &str) -> Vec<MountOptions> {
    let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
    let Some(text) = flags_of_run(&joined) else { return Vec::new() };
    let (flags, _) = flags(text, '\\');
    flags
        .iter()
        .filter_map(|flag| flag.text.strip_prefix("--mount="))
        .filter_map(|raw| MountOptions::parse_without_variables(raw).ok().flatten())
        .collect()
}

/// The text after the first `RUN` that is followed by a flag, or the whole text when it starts with one.
fn flags_of_run(text: &str) -> Option<&str> {
    if text.trim_start().starts_with("--mount=") {
        return Some(text);
    }
    let mut at = 0;
    while let Some(found) = text[at..].find("--mount=") {
        let before = text[..at + found].trim_end();
        let word = before.rsplit(char::is_whitespace).next().unwrap_or("");
        if word.eq_ignore_ascii_case("RUN") {
            return Some(&text[at + found..]);
        }
        // Another flag may stand first: `RUN --network=none --mount=…`.
        if word.starts_with("--") {
            let flags = before.rfind("RUN ").map(|run| &text[run + 4..]);
            if flags.is_some_and(|flags| flags.trim_start().starts_with("--")) {
                return flags;
            }
        }
        at += found + "--mount=".len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn mounts_are_found_in_vertex_names_and_dancefiles() {
        let targets = |text| parse_run_mounts(text).into_iter().map(|mount| mount.target).collect::<Vec<_>>();
        let name = "[build 5/6] RUN --mount=type=cache,id=go-mod,target=/go/pkg/mod --mount=type=bind,target=. \
                    --mount=type=cache,target=/root/.cache/go-build go build -o /out ./...";
        assert_eq!(targets(name), ["/go/pkg/mod", "/root/.cache/go-build"]);
        let dance = "\nFROM x\nCOPY buildstamp buildstamp\nRUN --mount=type=cache,target=/m,id=i \\\n    \
                     --mount=type=bind,source=.,target=/var/dance-cache \\\n    cp -p -R /var/dance-cache/. /m  || true\n";
        assert_eq!(targets(dance), ["/m"]);
        assert_eq!(targets("RUN --network=none --mount=type=cache,target=/x true"), ["/x"]);
        assert_eq!(targets("#8 [2/2] RUN echo --mount=type=cache,target=/x"), [""; 0]);
        assert_eq!(targets("--mount=type=cache,target=\"/q\" x"), ["/q"]);
        assert_eq!(targets("RUN --mount=type=cache,tar"), [""; 0]);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "(RUN )?(--mount=)?.{0,60}|[RUNrun \"\\\\=,a-z-]{0,60}") {
            parse_run_mounts(&text);
        }
    }
}
