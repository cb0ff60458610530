//! The Dancefiles, byte for byte. [`inject_dancefile`] and [`extract_dancefile`] are principal.
//!
//! The actions write most of them as one long line: JavaScript templates and unquoted shell here-documents both swallow
//! a backslash with the newline after it, and leave the indentation.

use super::behaviour::{Behaviour, ExtractMethod, MapSupport};
use super::entry::DanceEntry;
use super::inputs::ResolvedInputs;
use super::version::{DanceVersion, Flavour};

/// Where the host directory is mounted in an inject; only an inject has this.
pub const SOURCE_MOUNT: &str = "--mount=type=bind,source=.,target=/var/dance-cache";

/// Writes the Dancefile of an inject.
pub fn inject_dancefile(entry: &DanceEntry, inputs: &ResolvedInputs, behaviour: &Behaviour) -> String {
    let (mount, target) = words(entry, behaviour);
    let copy = if inputs.rsync {
        format!("rsync -a --ignore-existing /var/dance-cache/ {target}/")
    } else {
        format!("cp -p -R /var/dance-cache/. {target}")
    };
    let owner = match chown(entry, behaviour) {
        Some(owner) => format!(" && chown -R {owner} {target}"),
        // The template keeps the space around the missing command.
        None if behaviour.chown => " ".to_owned(),
        None => String::new(),
    };
    file(
        inputs,
        behaviour,
        "",
        &[format!("RUN --mount={mount}"), SOURCE_MOUNT.into(), format!("{copy}{owner} || true")],
    )
}

/// Writes the Dancefile of an extract.
pub fn extract_dancefile(entry: &DanceEntry, inputs: &ResolvedInputs, behaviour: &Behaviour) -> String {
    let (mount, target) = words(entry, behaviour);
    let old_rsync = inputs.rsync && behaviour.dance.version < DanceVersion::new(4, 2, 2);
    let copy = if old_rsync {
        format!("&& rsync -a {target}/ /var/dance-cache/ || true")
    } else {
        format!("&& cp -p -R {target}/. /var/dance-cache/ || true")
    };
    let local = behaviour.extract == ExtractMethod::Local;
    let stage = if local { " AS dance-extract" } else { "" };
    let mut text =
        file(inputs, behaviour, stage, &[format!("RUN --mount={mount}"), "mkdir -p /var/dance-cache/".into(), copy]);
    if local {
        text.push_str("FROM scratch\nCOPY --from=dance-extract --chmod=u=rwX,go=rX /var/dance-cache /\n");
    }
    text
}

/// Returns the owner `chown` is given, such as `1000:1000` or `1000:`.
pub(super) fn chown(entry: &DanceEntry, behaviour: &Behaviour) -> Option<String> {
    let given = !entry.uid.is_empty() || !entry.gid.is_empty();
    (behaviour.chown && given).then(|| format!("{}:{}", entry.uid, entry.gid))
}

/// The mount and the target as this version writes them.
fn words(entry: &DanceEntry, behaviour: &Behaviour) -> (String, String) {
    let quotes = behaviour.map == MapSupport::Pair && behaviour.dance.version >= DanceVersion::new(2, 1, 0);
    if quotes {
        let target = format!("\"{}\"", entry.target);
        (format!("type=cache,target={target}"), target)
    } else {
        (entry.mount_args(), entry.target.clone())
    }
}

fn file(inputs: &ResolvedInputs, behaviour: &Behaviour, stage: &str, run: &[String]) -> String {
    let from = &inputs.utility_image;
    let run = run.join(if behaviour.multi_line { " \\\n    " } else { "     " });
    let lead =
        if behaviour.map == MapSupport::Pair && behaviour.dance.flavour == Flavour::Upstream { "" } else { "\n" };
    format!("{lead}FROM {from}{stage}\nCOPY buildstamp buildstamp\n{run}\n")
}

#[cfg(test)]
mod tests {
    use super::super::{DockerfileInput, cache_map};
    use super::*;
    use crate::dockerfile::parse_run_mounts;

    fn texts(owner: &str, reference: &str, map: &str) -> (String, String) {
        let behaviour = Behaviour::identify(owner, reference);
        let lookup = |name: &str| (name == "cache-map").then(|| map.to_owned());
        let inputs = ResolvedInputs::from_with(&lookup, &behaviour);
        let map = cache_map(&inputs, &behaviour, DockerfileInput::Missing).unwrap();
        let entry = &map.entries[0];
        assert_eq!(
            parse_run_mounts(&inject_dancefile(entry, &inputs, &behaviour))[0].identity(),
            entry.identity().unwrap()
        );
        (inject_dancefile(entry, &inputs, &behaviour), extract_dancefile(entry, &inputs, &behaviour))
    }

    const GO_MOD: &str = "{\"go-mod\": {\"target\": \"/go/pkg/mod\", \"id\": \"go-mod\"}}";

    #[test]
    fn the_newest_upstream_text_is_one_line_with_a_double_space() {
        let (inject, extract) = texts("reproducible-containers", "v3.3.2", GO_MOD);
        assert_eq!(
            inject,
            "\nFROM ghcr.io/containerd/busybox:latest\nCOPY buildstamp buildstamp\n\
             RUN --mount=type=cache,target=/go/pkg/mod,id=go-mod     \
             --mount=type=bind,source=.,target=/var/dance-cache     \
             cp -p -R /var/dance-cache/. /go/pkg/mod  || true\n"
        );
        assert_eq!(
            extract,
            "\nFROM ghcr.io/containerd/busybox:latest\nCOPY buildstamp buildstamp\n\
             RUN --mount=type=cache,target=/go/pkg/mod,id=go-mod     mkdir -p /var/dance-cache/     \
             && cp -p -R /go/pkg/mod/. /var/dance-cache/ || true\n"
        );
    }

    #[test]
    fn an_owner_adds_a_chown() {
        let both = "{\"a\": {\"target\": \"/ug\", \"uid\": 1000, \"gid\": \"1000\"}}";
        let text = texts("reproducible-containers", "v3.3.2", both).0;
        assert!(text.ends_with("cp -p -R /var/dance-cache/. /ug && chown -R 1000:1000 /ug || true\n"), "{text}");
        let user = "{\"a\": {\"target\": \"/ug2\", \"uid\": 1000}}";
        assert!(texts("reproducible-containers", "v3.3.2", user).0.contains("chown -R 1000: /ug2"));
        let text = texts("reproducible-containers", "v3.1.1", both).0;
        assert!(text.ends_with("cp -p -R /var/dance-cache/. /ug || true\n"), "{text}");
    }

    #[test]
    fn old_versions_write_other_texts() {
        insta::assert_snapshot!(texts("reproducible-containers", "v2", "{}").0, @r##"
        FROM busybox:1
        COPY buildstamp buildstamp
        RUN --mount=type=cache,target="/root/.cache/go-build"     --mount=type=bind,source=.,target=/var/dance-cache     cp -p -R /var/dance-cache/. "/root/.cache/go-build" || true
        "##);
        insta::assert_snapshot!(texts("reproducible-containers", "v1", "{}").1, @r##"
        FROM busybox:1
        COPY buildstamp buildstamp
        RUN --mount=type=cache,target=/root/.cache/go-build     mkdir -p /var/dance-cache/     && cp -p -R /root/.cache/go-build/. /var/dance-cache/ || true
        "##);
        insta::assert_snapshot!(texts("reproducible-containers", "v3.3.1", GO_MOD).1, @r##"
        FROM ghcr.io/containerd/busybox:latest AS dance-extract
        COPY buildstamp buildstamp
        RUN --mount=type=cache,target=/go/pkg/mod,id=go-mod     mkdir -p /var/dance-cache/     && cp -p -R /go/pkg/mod/. /var/dance-cache/ || true
        FROM scratch
        COPY --from=dance-extract --chmod=u=rwX,go=rX /var/dance-cache /
        "##);
    }

    #[test]
    fn the_fork_spreads_its_run_over_lines() {
        let (inject, extract) = texts("hiromaily", "v4.3.0", GO_MOD);
        insta::assert_snapshot!(inject, @r##"
        FROM ghcr.io/hiromaily/cache-dance-rsync:latest
        COPY buildstamp buildstamp
        RUN --mount=type=cache,target=/go/pkg/mod,id=go-mod \
            --mount=type=bind,source=.,target=/var/dance-cache \
            rsync -a --ignore-existing /var/dance-cache/ /go/pkg/mod/  || true
        "##);
        insta::assert_snapshot!(extract, @r##"
        FROM ghcr.io/hiromaily/cache-dance-rsync:latest
        COPY buildstamp buildstamp
        RUN --mount=type=cache,target=/go/pkg/mod,id=go-mod \
            mkdir -p /var/dance-cache/ \
            && cp -p -R /go/pkg/mod/. /var/dance-cache/ || true
        "##);
        assert!(texts("hiromaily", "v4.2.0", GO_MOD).1.contains("&& cp -p -R"));
    }
}
