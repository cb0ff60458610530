//! What the messages of a dance that failed mean, and what to do about each. [`fix_of`] is principal.

/// The messages people meet, the surer sign first.
const KNOWN: [(&[&str], &str); 17] = [
    (
        &["Expected JSON"],
        "Write the cache map as JSON, `{\"go-mod\": \"/go/pkg/mod\"}`; without a cache map, check out before the dance so that its Dockerfile is there.",
    ),
    (
        &["Expected the 'target' key"],
        "Give each object in the cache map a `target`: `{\"go-mod\": {\"target\": \"/go/pkg/mod\", \"id\": \"go-mod\"}}`.",
    ),
    (
        &["must define id or target"],
        "Write `target=` instead of `dst=` or `destination=` in the Dockerfile's cache mounts, or give them an `id`.",
    ),
    (&["no builder"], "Name a builder that exists: `builder: ${{ steps.setup-buildx.outputs.name }}`."),
    (&["unknown flag: --builder"], "Install buildx: add `docker/setup-buildx-action` before the dance."),
    (
        &["spawn sudo", "sudo: "],
        "Run the job where `sudo` exists and asks for no password; v3.1.1 of the dance needs none, and later ones do.",
    ),
    (&["spawn docker"], "Run the job where the docker command line is installed."),
    (&["EXDEV"], "Put `scratch-dir` on the same file system as the cache directory."),
    (
        &["No space left", "no space left", "ENOSPC"],
        "Free disk space before the dance: each copy needs room for the whole cache.",
    ),
    (
        &["toomanyrequests", "failed to resolve source metadata", "failed to do request", "pull access denied"],
        "Name a utility image that the runner can pull: `utility-image: ghcr.io/containerd/busybox:latest` (v3.2.0 and later), or a mirror of \
         your own.",
    ),
    (&["Must specify one of"], "Put GNU tar first in PATH; the dance uses an option that BSD tar lacks."),
    (&["rsync: not found", "rsync: No such file"], "Use a `utility-image` that has rsync, or `rsync-mode: false`."),
    (
        &["/buildstamp"],
        "Use buildkit-cache-dance v3.1.1 or later, whose extract makes its scratch directory; and let the inject run in the same job, since \
         the extract follows it.",
    ),
    (
        &[
            "EACCES: permission denied, rmdir",
            "EACCES: permission denied, unlink",
            "EACCES: permission denied, scandir",
        ],
        "Use buildkit-cache-dance v3.1.2 or later: v3.0 stops where it may not remove Go's read-only modules. With an older one, run \
         `chmod -R u+w` on the cache directory before the dance.",
    ),
    (
        &["ENOENT: no such file or directory, rename"],
        "Make the parent of each directory in the cache map before the dance, or name a directory in the workspace's root.",
    ),
    (
        &["ENOTEMPTY"],
        "Use a dance that empties the directory before it moves the copy there (upstream does), or remove it after the inject.",
    ),
    (
        &["ead-only file system", "mounts the cache read-only"],
        "Remove `ro` (or `readonly`) from this entry of the cache map.",
    ),
];

/// Says what to do about a message, where it is one that people meet.
pub(super) fn fix_of(message: &str) -> Option<&'static str> {
    let known = KNOWN.iter().find(|(signs, _)| signs.iter().any(|sign| message.contains(sign)));
    known.map(|(_, fix)| *fix)
}

/// Chooses the message that tells most: one that people meet, else the last that is more than the name of a command.
pub(super) fn telling<'a>(messages: impl Iterator<Item = &'a str> + Clone) -> &'a str {
    let known = messages.clone().find(|message| fix_of(message).is_some());
    let says = |message: &&str| {
        !["Error running command: ", "Process completed", "Error: Process completed"]
            .iter()
            .any(|start| message.starts_with(start))
    };
    let message =
        known.or_else(|| messages.clone().filter(says).last()).or_else(|| messages.clone().last()).unwrap_or_default();
    let end = (0..=message.len().min(160)).rev().find(|at| message.is_char_boundary(*at)).unwrap_or(0);
    &message[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_with_a_known_fix_is_the_telling_one() {
        let messages = ["tee: tmp/buildstamp: No such file or directory", "Error: Process completed with exit code 1."];
        assert_eq!(telling(messages.into_iter()), messages[0]);
        let command = [
            "Error running command: docker buildx build -f scratch/Dancefile.inject m",
            "ERROR: toomanyrequests: slow down",
        ];
        assert_eq!(telling(command.into_iter()), command[1]);
        assert_eq!(telling(command[..1].iter().copied()), command[0]);
    }

    #[test]
    fn each_message_has_the_fix_that_fits_it() {
        for (message, part) in [
            ("Error: spawn sudo ENOENT", "sudo"),
            ("Error: EACCES: permission denied, rmdir 'm/a'", "v3.1.2"),
            ("cp: write error: No space left on device", "disk"),
            (
                "ERROR: failed to solve: busybox:1: failed to resolve source metadata for docker.io/library/busybox:1",
                "utility-image",
            ),
            ("Error: ENOENT: no such file or directory, open 'scratch/buildstamp'", "v3.1.1"),
        ] {
            assert!(fix_of(message).is_some_and(|fix| fix.contains(part)), "{message}");
        }
        assert_eq!(fix_of("something else"), None);
    }
}
